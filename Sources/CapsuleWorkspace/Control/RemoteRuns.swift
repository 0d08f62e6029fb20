/// Runs of a workspace that a driver has: every function asks it, and does what `RunService` says.
extension RemoteWorkspace {
    /// As `RunService` says.
    public func workspaceID() throws(WorkspaceError) -> String {
        var answer = try connection.ask(.workspaceID)
        return try answer.text()
    }

    /// As `RunService` says.
    public func runs() throws(WorkspaceError) -> [Run] {
        var answer = try connection.ask(.runs)
        return try answer.list { message throws(WorkspaceError) in try message.run() }
    }

    /// As `RunService` says.
    public func startRun(_ start: RunStart) throws(WorkspaceError) -> Run {
        var answer = try connection.ask(.startRun) { $0.add(start) }
        return try answer.run()
    }

    /// As `RunService` says.
    public func addEvents(
        _ events: [RunEvent], to name: RunName
    ) throws(WorkspaceError) -> Int64 {
        var answer = try connection.ask(.addEvents) {
            $0.add(name)
            $0.add(Int64(events.count))
            for event in events { $0.add(event) }
        }
        return try answer.number()
    }

    /// As `RunService` says.
    public func eventLines(
        of name: RunName, from sequence: Int64, count: Int
    ) throws(WorkspaceError) -> [[UInt8]] {
        var answer = try connection.ask(.eventLines) {
            $0.add(name)
            $0.add(sequence)
            $0.add(Int64(count))
        }
        return try answer.lists()
    }

    /// As `RunService` says.
    public func policies(of name: RunName) throws(WorkspaceError) -> [RunPolicy] {
        var answer = try connection.ask(.policies) { $0.add(name) }
        return try answer.list { message throws(WorkspaceError) in try message.policy() }
    }

    /// As `RunService` says.
    public func markRun(
        _ name: RunName, label: String, stage: String, commit: String
    ) throws(WorkspaceError) -> RunCheckpoint {
        var answer = try connection.ask(.markRun) {
            $0.add(name)
            $0.add(label)
            $0.add(stage)
            $0.add(commit)
        }
        return try answer.checkpoint()
    }

    /// As `RunService` says.
    public func finishRun(
        _ name: RunName, _ outcome: Run.Outcome, holder: [UInt8]
    ) throws(WorkspaceError) -> Run {
        var answer = try connection.ask(.finishRun) {
            $0.add(name)
            $0.add(outcome.rawValue)
            $0.add(holder)
        }
        return try answer.run()
    }

    /// As `RunService` says.
    public func makeFile(
        _ path: [[UInt8]], mode: UInt32, in track: RunTrack, of name: RunName
    ) throws(WorkspaceError) -> any RunFileSink {
        _ = try connection.ask(.makeFile) {
            $0.add(path)
            $0.add(Int64(mode))
            $0.add(track.rawValue)
            $0.add(name)
        }
        return RemoteFile(connection)
    }

    private final class RemoteFile: RunFileSink {
        private let connection: ControlConnection

        init(_ connection: ControlConnection) { self.connection = connection }

        func append(_ bytes: [UInt8]) throws(WorkspaceError) {
            _ = try connection.ask(.appendFile) { $0.add(bytes) }
        }

        func finish() throws(WorkspaceError) { _ = try connection.ask(.finishFile) }
    }

    // MARK: The ledger

    /// As `RunService` says.
    public func ledger(
        _ kind: LedgerEntry.Kind, named name: String?
    ) throws(WorkspaceError) -> [LedgerEntry] {
        var answer = try connection.ask(.ledger) {
            $0.add(kind.rawValue)
            $0.add(name ?? "")
        }
        return try answer.list { message throws(WorkspaceError) in try message.ledgerEntry() }
    }

    /// As `RunService` says.
    public func changeLedger(
        _ changes: [LedgerChange], _ kind: EventKind, _ details: [String: EventValue]
    ) throws(WorkspaceError) {
        _ = try connection.ask(.changeLedger) {
            $0.add(Int64(changes.count))
            for change in changes { $0.add(change) }
            $0.add(kind.rawValue)
            $0.add(details)
        }
    }

    /// As `RunService` says.
    public func ledgerRecipient() throws(WorkspaceError) -> [UInt8] {
        var answer = try connection.ask(.ledgerRecipient)
        return try answer.bytes()
    }
}
