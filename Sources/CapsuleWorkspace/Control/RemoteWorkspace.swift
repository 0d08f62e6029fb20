import CapsuleSystem
import Glibc
import Synchronization

/// A connection to the driver that has a workspace.
final class ControlConnection: Sendable {
    private let socket: LocalSocket
    private let isInUse = Mutex(())

    /// Throws ENOENT and ECONNREFUSED where no driver is.
    init(_ path: String) throws(SystemError) {
        socket = try ControlSocket.connect(to: path)
    }

    /// Asks, and returns the answer behind its errno.
    func ask(
        _ operation: ControlOperation, _ fill: (inout ControlMessage) -> Void = { _ in }
    ) throws(WorkspaceError) -> ControlMessage {
        var request = ControlMessage()
        request.add(operation.rawValue)
        fill(&request)
        let received = try isInUse.withLock { _ throws(WorkspaceError) in
            try called { () throws(SystemError) -> ControlMessage? in
                try request.send(over: socket)
                return try ControlMessage.receive(from: socket)
            }
        }
        guard var answer = received else {
            throw WorkspaceError.refusal(ECONNRESET, "the driver has ended; try again")
        }
        let code = try answer.number()
        guard code == 0 else {
            throw WorkspaceError.refusal(
                Int32(truncatingIfNeeded: code), try answer.text())
        }
        return answer
    }
}

/// A workspace that a driver has: every function asks it.
public final class RemoteWorkspace: WorkspaceService {
    let connection: ControlConnection

    /// The workspace at `path`, if a driver answers there.
    public init?(_ path: String) {
        guard let connection = try? ControlConnection(path) else { return nil }
        self.connection = connection
    }

    /// As `WorkspaceService` says.
    public func states() throws(WorkspaceError) -> [WorkspaceState] {
        var answer = try connection.ask(.states)
        return try answer.list { message throws(WorkspaceError) in try message.state() }
    }

    /// As `WorkspaceService` says.
    public func keepState(
        as name: String?, tag: String
    ) throws(WorkspaceError) -> WorkspaceState {
        var answer = try connection.ask(.keepState) {
            $0.add([name].compactMap(\.self)); $0.add(tag)
        }
        return try answer.state()
    }

    /// As `WorkspaceService` says.
    public func dropState(named name: String) throws(WorkspaceError) {
        _ = try connection.ask(.dropState) { $0.add(name) }
    }

    /// As `WorkspaceService` says.
    public func branches() throws(WorkspaceError) -> [WorkspaceBranch] {
        var answer = try connection.ask(.branches)
        return try answer.list { message throws(WorkspaceError) in try message.branch() }
    }

    /// As `WorkspaceService` says.
    public func makeBranch(_ name: String, at state: String?) throws(WorkspaceError) {
        _ = try connection.ask(.makeBranch) {
            $0.add(name)
            $0.add([state].compactMap(\.self))
        }
    }

    /// As `WorkspaceService` says.
    public func dropBranch(_ name: String) throws(WorkspaceError) {
        _ = try connection.ask(.dropBranch) { $0.add(name) }
    }

    /// As `WorkspaceService` says.
    public func switchBranch(_ name: String) throws(WorkspaceError) {
        _ = try connection.ask(.switchBranch) { $0.add(name) }
    }

    /// As `WorkspaceService` says.
    public func restore(
        _ path: [[UInt8]], from name: String
    ) throws(WorkspaceError) -> RestoreReport {
        var answer = try connection.ask(.restore) {
            $0.add(path)
            $0.add(name)
        }
        return try answer.restoreReport()
    }

    /// As `WorkspaceService` says.
    public func versions(of path: [[UInt8]]) throws(WorkspaceError) -> [FileVersion] {
        var answer = try connection.ask(.versions) { $0.add(path) }
        return try answer.list { message throws(WorkspaceError) in try message.version() }
    }

    /// As `WorkspaceService` says.
    public func forget(
        _ path: [[UInt8]], fromPresent: Bool
    ) throws(WorkspaceError) -> ForgetReport {
        var answer = try connection.ask(.forget) {
            $0.add(path)
            $0.add(fromPresent)
        }
        return try answer.forgetReport()
    }

    /// As `WorkspaceService` says.
    public func reclaim(isDry: Bool) throws(WorkspaceError) -> ReclaimReport {
        var answer = try connection.ask(.reclaim) { $0.add(isDry) }
        return try answer.reclaimReport()
    }

    /// As `WorkspaceService` says.
    public func retention() throws(WorkspaceError) -> RetentionRule {
        var answer = try connection.ask(.retention)
        return try answer.rule()
    }

    /// As `WorkspaceService` says.
    public func setRetention(_ rule: RetentionRule) throws(WorkspaceError) -> [String] {
        var answer = try connection.ask(.setRetention) { $0.add(rule) }
        return try answer.texts()
    }

    // MARK: Audit

    /// As `WorkspaceService` says.
    public func auditEnd() throws(WorkspaceError) -> (count: UInt64, length: UInt64) {
        var answer = try connection.ask(.auditEnd)
        return (try answer.unsigned(), try answer.unsigned())
    }

    /// As `WorkspaceService` says.
    public func auditLines(
        from number: UInt64, count: Int
    ) throws(WorkspaceError) -> [[UInt8]] {
        var answer = try connection.ask(.auditLines) {
            $0.add(number)
            $0.add(Int64(count))
        }
        return try answer.lists()
    }

    /// As `WorkspaceService` says.
    public func checkpointText() throws(WorkspaceError) -> String {
        var answer = try connection.ask(.checkpoint)
        return try answer.text()
    }

    /// As `WorkspaceService` says.
    public func auditKey() throws(WorkspaceError) -> String {
        var answer = try connection.ask(.auditKey)
        return try answer.text()
    }

    /// As `WorkspaceService` says.
    public func auditProof(of number: UInt64) throws(WorkspaceError) -> String {
        var answer = try connection.ask(.auditProof) { $0.add(number) }
        return try answer.text()
    }

    /// As `WorkspaceService` says.
    public func auditFaults(against checkpoint: String?) throws(WorkspaceError) -> [String] {
        var answer = try connection.ask(.auditFaults) { $0.add([checkpoint].compactMap(\.self)) }
        return try answer.texts()
    }

    /// As `WorkspaceService` says.
    public func disclosed(
        _ digest: [UInt8]
    ) throws(WorkspaceError) -> (salt: [UInt8], path: [UInt8])? {
        var answer = try connection.ask(.disclosed) { $0.add(digest) }
        let found = try answer.lists()
        return found.count == 2 ? (found[0], found[1]) : nil
    }

    /// As `WorkspaceService` says.
    public func faults(isDeep: Bool) throws(WorkspaceError) -> [WorkspaceFault] {
        var answer = try connection.ask(.faults) { $0.add(isDeep) }
        return try answer.list { message throws(WorkspaceError) in
            let part = WorkspaceCheck.Part(rawValue: try message.text()) ?? .tree
            return WorkspaceFault(part, try message.text(), of: try message.text())
        }
    }

    /// As `WorkspaceService` says.
    public func note(
        _ kind: EventKind, _ details: [String: EventValue]
    ) throws(WorkspaceError) {
        _ = try connection.ask(.note) {
            $0.add(kind.rawValue)
            $0.add(details)
        }
    }

    /// The tree of a state, or of the present one.
    public func tree(at state: String?) throws(WorkspaceError) -> RemoteTree {
        try RemoteTree(connection, at: state)
    }
}
