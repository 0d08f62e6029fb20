import CapsuleFormat
import Glibc

/// The answers to one connection.
final class ControlService {
    private let workspace: Workspace
    private var tree: LiveTree { workspace.tree }
    /// What the connection reads, after it has opened it.
    private var opened: TreeService?
    private let runs: RunReplies

    init(_ workspace: Workspace) {
        self.workspace = workspace
        runs = RunReplies(workspace.tree)
    }

    /// What verbs do by themselves and the driver has to believe.
    static let reportedKinds: Set<EventKind> = [
        .sealed, .slotAdded, .slotRemoved, .examined, .runShown, .exportDecided, .exportTakenOver,
        .exportIntended,
        .exportAnnounced,
        .exported, .exportFailed, .exportPinned, .exportUnpinned, .deletionIntended,
        .exportDeleted, .imported, .importRefused, .importRemoved, .goldenChanged,
        .memorySwitched,
    ]

    func answer(_ request: ControlMessage) -> ControlMessage {
        do throws(WorkspaceError) {
            return try reply(to: request)
        } catch {
            var answer = ControlMessage()
            answer.add(Int64(error.errno))
            answer.add(error.message)
            return answer
        }
    }

    private func reply(to request: ControlMessage) throws(WorkspaceError) -> ControlMessage {
        var request = request
        let number = try request.number()
        guard let operation = ControlOperation(rawValue: number) else {
            throw WorkspaceError.refusal(ENOSYS, "the driver does not know request \(number)")
        }
        var answer = ControlMessage()
        answer.add(Int64(0))
        if operation == .openTree {
            opened = try TreeService(workspace, at: try request.texts().first)
        } else if operation.rawValue > ControlOperation.openTree.rawValue {
            guard let opened else {
                throw WorkspaceError.refusal(EPROTO, "no state was opened before")
            }
            try opened.reply(to: operation, &request, &answer)
        } else if operation.rawValue >= ControlOperation.workspaceID.rawValue {
            try runs.reply(to: operation, &request, &answer)
        } else if operation.rawValue >= ControlOperation.auditEnd.rawValue {
            try replyAudit(operation, &request, &answer)
        } else {
            try replyHistory(operation, &request, &answer)
        }
        return answer
    }

    private func replyHistory(
        _ operation: ControlOperation, _ request: inout ControlMessage,
        _ answer: inout ControlMessage
    ) throws(WorkspaceError) {
        switch operation {
        case .states:
            let states = try tree.states()
            answer.add(Int64(states.count))
            for state in states { answer.add(state) }
        case .keepState:
            let name = try request.texts().first
            answer.add(try tree.keepState(as: name, tag: try request.text()))
        case .dropState: try tree.dropState(named: try request.text())
        case .branches:
            let branches = try tree.branches()
            answer.add(Int64(branches.count))
            for branch in branches { answer.add(branch) }
        case .makeBranch:
            let name = try request.text()
            try tree.makeBranch(name, at: try request.texts().first)
        case .dropBranch: try tree.dropBranch(try request.text())
        case .switchBranch: try tree.switchBranch(try request.text())
        case .restore:
            let path = try request.lists()
            answer.add(try tree.restore(path, from: try request.text()))
        case .versions:
            let versions = try tree.versions(of: try request.lists())
            answer.add(Int64(versions.count))
            for version in versions { answer.add(version) }
        case .forget:
            let path = try request.lists()
            answer.add(try tree.forget(path, fromPresent: try request.flag()))
        case .reclaim: answer.add(try tree.reclaim(isDry: try request.flag()))
        case .retention: answer.add(try tree.retention())
        case .setRetention: answer.add(try tree.setRetention(try request.rule()))
        default: preconditionFailure("every other operation has its own place")
        }
    }

    private func replyAudit(
        _ operation: ControlOperation, _ request: inout ControlMessage,
        _ answer: inout ControlMessage
    ) throws(WorkspaceError) {
        switch operation {
        case .auditEnd:
            let end = try tree.auditEnd()
            answer.add(end.count)
            answer.add(end.length)
        case .auditLines:
            let number = try request.unsigned()
            let count = min(max(0, Int(clamping: try request.number())), 4096)
            answer.add(try tree.auditLines(from: number, count: count))
        case .checkpoint: answer.add(try tree.checkpointText())
        case .auditKey: answer.add(try tree.auditKey())
        case .auditProof: answer.add(try tree.auditProof(of: try request.unsigned()))
        case .auditFaults: answer.add(try tree.auditFaults(against: try request.texts().first))
        case .disclosed:
            let found = try tree.disclosed(try request.bytes())
            answer.add(found.map { [$0.salt, $0.path] } ?? [])
        case .note:
            guard let kind = EventKind(rawValue: try request.text()),
                Self.reportedKinds.contains(kind)
            else {
                throw WorkspaceError.refusal(EINVAL, "the driver does not record this event")
            }
            var details = try request.details()
            if !kind.isPublic { details["reported"] = .flag(true) }
            try tree.note(kind, details)
        case .faults:
            let faults = try tree.faults(isDeep: try request.flag())
            answer.add(Int64(faults.count))
            for fault in faults {
                answer.add(fault.part.rawValue)
                answer.add(fault.message)
                answer.add(fault.object)
            }
        default: preconditionFailure("every other operation has its own place")
        }
    }
}
