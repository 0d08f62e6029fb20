/// Records runs, wherever they are kept: in a workspace, or as plain files.
public protocol RunRecorder: AnyObject {
    /// The workspace's id in hex: the authority of its URIs.
    func workspaceID() throws(WorkspaceError) -> String
    /// The runs, oldest first.
    func runs() throws(WorkspaceError) -> [Run]
    /// Begins a run. Throws EEXIST.
    func startRun(_ start: RunStart) throws(WorkspaceError) -> Run
    /// Records events in their order, all or none. Returns the number of the first. Throws ENOENT,
    /// EROFS for a run that has ended.
    func addEvents(_ events: [RunEvent], to name: RunName) throws(WorkspaceError) -> Int64
    /// Up to `count` events from a number on, one line of JSON each.
    func eventLines(
        of name: RunName, from sequence: Int64, count: Int
    ) throws(WorkspaceError) -> [[UInt8]]
    /// The policies that a run is under.
    func policies(of name: RunName) throws(WorkspaceError) -> [RunPolicy]
    /// Keeps the present moment of a run. Throws EEXIST.
    func markRun(
        _ name: RunName, label: String, stage: String, commit: String
    ) throws(WorkspaceError) -> RunCheckpoint
    /// Ends a run, with a last checkpoint. With `unlock` a decision about its export is owed from
    /// then on, which `holder` has. Throws EROFS for one that has ended.
    func finishRun(
        _ name: RunName, _ outcome: Run.Outcome, holder: [UInt8]
    ) throws(WorkspaceError) -> Run
    /// Begins a new file of a run. Throws EEXIST.
    func makeFile(
        _ path: [[UInt8]], mode: UInt32, in track: RunTrack, of name: RunName
    ) throws(WorkspaceError) -> any RunFileSink
}

/// What verbs do with the runs of a workspace, whoever has it open.
public protocol RunService: RunRecorder {
    /// What is known of things of a kind, by name; with `name`, of that one.
    func ledger(
        _ kind: LedgerEntry.Kind, named name: String?
    ) throws(WorkspaceError) -> [LedgerEntry]
    /// Makes the changes in their order and records the event, in one transaction: all or none.
    func changeLedger(
        _ changes: [LedgerChange], _ kind: EventKind, _ details: [String: EventValue]
    ) throws(WorkspaceError)
    /// The key to which the secrets of entries are sealed.
    func ledgerRecipient() throws(WorkspaceError) -> [UInt8]
}

extension RunService {
    /// What is known of all things of a kind, by name.
    public func ledger(_ kind: LedgerEntry.Kind) throws(WorkspaceError) -> [LedgerEntry] {
        try ledger(kind, named: nil)
    }

    /// One change.
    public func changeLedger(
        _ change: LedgerChange, _ kind: EventKind, _ details: [String: EventValue]
    ) throws(WorkspaceError) {
        try changeLedger([change], kind, details)
    }
}

/// Takes the contents of a new file of a run, which appears whole or not at all.
public protocol RunFileSink: AnyObject {
    /// Appends bytes.
    func append(_ bytes: [UInt8]) throws(WorkspaceError)
    /// Gives the file its name. Without it nothing stays.
    func finish() throws(WorkspaceError)
}
