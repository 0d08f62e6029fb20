/// What verbs do with a workspace, whoever has it open: this process, or a driver that is asked.
///
/// The functions are those of `LiveTree` and throw what it throws.
public protocol WorkspaceService: RunService {
    /// The states, oldest first.
    func states() throws(WorkspaceError) -> [WorkspaceState]
    /// Keeps the present state, without a name of its own under the time.
    func keepState(as name: String?, tag: String) throws(WorkspaceError) -> WorkspaceState
    /// Forgets a state.
    func dropState(named name: String) throws(WorkspaceError)

    /// The branches, by name.
    func branches() throws(WorkspaceError) -> [WorkspaceBranch]
    /// Makes a branch at a state, or at the present one.
    func makeBranch(_ name: String, at state: String?) throws(WorkspaceError)
    /// Forgets a branch.
    func dropBranch(_ name: String) throws(WorkspaceError)
    /// Goes on with another branch.
    func switchBranch(_ name: String) throws(WorkspaceError)

    /// Replaces what is at a path by what was there in a state.
    func restore(
        _ path: [[UInt8]], from name: String
    ) throws(WorkspaceError) -> RestoreReport
    /// What was at a path in each state.
    func versions(of path: [[UInt8]]) throws(WorkspaceError) -> [FileVersion]
    /// Takes a path out of every state.
    func forget(_ path: [[UInt8]], fromPresent: Bool) throws(WorkspaceError) -> ForgetReport
    /// Gives space back.
    func reclaim(isDry: Bool) throws(WorkspaceError) -> ReclaimReport

    /// The rule that thins the timeline.
    func retention() throws(WorkspaceError) -> RetentionRule
    /// Sets it. Returns the names of the states that went.
    func setRetention(_ rule: RetentionRule) throws(WorkspaceError) -> [String]

    /// The number of events of the audit log, and the length of their lines.
    func auditEnd() throws(WorkspaceError) -> (count: UInt64, length: UInt64)
    /// Up to `count` events from a number on.
    func auditLines(from number: UInt64, count: Int) throws(WorkspaceError) -> [[UInt8]]
    /// The signed checkpoint of the log.
    func checkpointText() throws(WorkspaceError) -> String
    /// The public key of checkpoints.
    func auditKey() throws(WorkspaceError) -> String
    /// A proof that an event is in the log.
    func auditProof(of number: UInt64) throws(WorkspaceError) -> String
    /// What is wrong with the log.
    func auditFaults(against checkpoint: String?) throws(WorkspaceError) -> [String]
    /// The path behind a digest in an event.
    func disclosed(
        _ digest: [UInt8]
    ) throws(WorkspaceError) -> (salt: [UInt8], path: [UInt8])?
    /// Everything that is wrong; with `isDeep` every block is read.
    func faults(isDeep: Bool) throws(WorkspaceError) -> [WorkspaceFault]
    /// Records an event.
    func note(_ kind: EventKind, _ details: [String: EventValue]) throws(WorkspaceError)
}

extension LiveTree: WorkspaceService {}
