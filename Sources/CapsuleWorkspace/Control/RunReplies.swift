import Glibc

/// The driver's answers about runs, and what is known of exports and imports.
final class RunReplies {
    private let tree: LiveTree
    /// The file that the connection is putting into a run.
    private var file: (any RunFileSink)?

    private static let lineCountMax = 1024
    private static let answerLengthMax = 8 << 20

    init(_ tree: LiveTree) { self.tree = tree }

    func reply(
        to operation: ControlOperation, _ request: inout ControlMessage,
        _ answer: inout ControlMessage
    ) throws(WorkspaceError) {
        switch operation {
        case .workspaceID: answer.add(try tree.workspaceID())
        case .runs:
            let runs = try tree.runs()
            answer.add(Int64(runs.count))
            for run in runs { answer.add(run) }
        case .startRun: answer.add(try tree.startRun(try request.runStart()))
        case .addEvents:
            let name = try request.runName()
            let events = try request.list { message throws(WorkspaceError) in
                try message.runEvent()
            }
            answer.add(try tree.addEvents(events, to: name))
        case .eventLines:
            let name = try request.runName()
            let first = try request.number()
            let count = min(max(0, Int(clamping: try request.number())), Self.lineCountMax)
            let lines = try tree.eventLines(of: name, from: first, count: count)
            // A message has a limit; whoever asks goes on behind what came.
            var length = 0
            let fitting = lines.prefix { line in
                defer { length += line.count }
                return length == 0 || length + line.count <= Self.answerLengthMax
            }
            answer.add(Array(fitting))
        case .policies:
            let policies = try tree.policies(of: try request.runName())
            answer.add(Int64(policies.count))
            for policy in policies { answer.add(policy) }
        case .markRun:
            let name = try request.runName()
            answer.add(
                try tree.markRun(
                    name, label: try request.text(), stage: try request.text(),
                    commit: try request.text()))
        case .finishRun:
            let name = try request.runName()
            answer.add(
                try tree.finishRun(
                    name, try outcome(try request.text()), holder: try request.bytes()))
        default: try replyFile(operation, &request, &answer)
        }
    }

    private func outcome(_ text: String) throws(WorkspaceError) -> Run.Outcome {
        guard let outcome = Run.Outcome(rawValue: text) else {
            throw WorkspaceError.refusal(EINVAL, "a run cannot end with '\(text)'")
        }
        return outcome
    }

    private func replyFile(
        _ operation: ControlOperation, _ request: inout ControlMessage,
        _ answer: inout ControlMessage
    ) throws(WorkspaceError) {
        switch operation {
        case .makeFile:
            file = nil
            let path = try request.lists()
            let mode = UInt32(truncatingIfNeeded: try request.number())
            guard let track = RunTrack(rawValue: try request.text()) else {
                throw WorkspaceError.refusal(EINVAL, "a run has no such directory")
            }
            file = try tree.makeFile(path, mode: mode, in: track, of: try request.runName())
        case .appendFile: try opened().append(try request.bytes())
        case .finishFile:
            try opened().finish()
            file = nil
        case .ledger:
            let kind = try request.ledgerKind()
            let name = try request.text()
            let entries = try tree.ledger(kind, named: name.isEmpty ? nil : name)
            answer.add(Int64(entries.count))
            for entry in entries { answer.add(entry) }
        case .changeLedger:
            let changes = try request.list { message throws(WorkspaceError) in
                try message.ledgerChange()
            }
            guard let kind = EventKind(rawValue: try request.text()),
                ControlService.reportedKinds.contains(kind)
            else {
                throw WorkspaceError.refusal(EINVAL, "the driver does not record this event")
            }
            var details = try request.details()
            details["reported"] = .flag(true)
            try tree.changeLedger(changes, kind, details)
        case .ledgerRecipient: answer.add(try tree.ledgerRecipient())
        default: preconditionFailure("every other operation has its own place")
        }
    }

    private func opened() throws(WorkspaceError) -> any RunFileSink {
        guard let file else { throw WorkspaceError.refusal(EPROTO, "no file was begun before") }
        return file
    }
}
