import Glibc

// How runs and what is known of exports and imports look on the socket.

extension ControlMessage {
    mutating func add(_ name: RunName) {
        add(name.spec)
        add(name.run)
    }

    mutating func runName() throws(WorkspaceError) -> RunName {
        try RunName(spec: try text(), run: try text())
    }

    mutating func add(_ checkpoint: RunCheckpoint) {
        add(checkpoint.label)
        add(checkpoint.sequence)
        add(checkpoint.seconds)
        add(checkpoint.stage)
        add(checkpoint.commit)
    }

    mutating func checkpoint() throws(WorkspaceError) -> RunCheckpoint {
        RunCheckpoint(
            label: try text(), sequence: try number(), seconds: try number(),
            stage: try text(), commit: try text())
    }

    mutating func add(_ run: Run) {
        add(run.name)
        add(run.startedAt)
        add(run.finishedAt ?? 0)
        add(run.outcome?.rawValue ?? "")
        add(run.isHighRisk)
        add(run.capture.rawValue)
        add(run.isSanitized)
        add(run.eventCount)
        add(Int64(run.checkpoints.count))
        for checkpoint in run.checkpoints { add(checkpoint) }
    }

    mutating func run() throws(WorkspaceError) -> Run {
        let name = try runName()
        let startedAt = try number()
        let finishedAt = try number()
        let outcome = Run.Outcome(rawValue: try text())
        var run = Run(
            name: name, startedAt: startedAt, isHighRisk: try flag(),
            capture: Run.Capture(rawValue: try text()) ?? .none, isSanitized: try flag())
        run.outcome = outcome
        run.finishedAt = outcome == nil ? nil : finishedAt
        run.eventCount = try number()
        run.checkpoints = try list { message throws(WorkspaceError) in try message.checkpoint() }
        return run
    }

    mutating func add(_ policy: RunPolicy) {
        add(policy.id)
        add(policy.name)
        add(policy.body)
    }

    mutating func policy() throws(WorkspaceError) -> RunPolicy {
        RunPolicy(id: try text(), name: try text(), body: try bytes())
    }

    mutating func add(_ start: RunStart) {
        add(start.name)
        add(start.isHighRisk)
        add(start.capture.rawValue)
        add(start.isSanitized)
        add(Int64(start.policies.count))
        for policy in start.policies { add(policy) }
    }

    mutating func runStart() throws(WorkspaceError) -> RunStart {
        var start = RunStart(try runName())
        start.isHighRisk = try flag()
        start.capture = Run.Capture(rawValue: try text()) ?? .none
        start.isSanitized = try flag()
        start.policies = try list { message throws(WorkspaceError) in try message.policy() }
        return start
    }

    mutating func add(_ event: RunEvent) {
        add(event.type)
        add(event.stage)
        add(event.payload)
    }

    mutating func runEvent() throws(WorkspaceError) -> RunEvent {
        RunEvent(type: try text(), stage: try text(), payload: try bytes())
    }

    // MARK: The ledger

    mutating func add(_ entry: LedgerEntry) {
        add(entry.kind.rawValue)
        add(entry.name)
        add(entry.file)
        add(entry.secret)
        add(entry.body)
    }

    mutating func ledgerKind() throws(WorkspaceError) -> LedgerEntry.Kind {
        guard let kind = LedgerEntry.Kind(rawValue: try text()) else {
            throw WorkspaceError.refusal(EINVAL, "the driver does not keep such things")
        }
        return kind
    }

    mutating func ledgerEntry() throws(WorkspaceError) -> LedgerEntry {
        let kind = try ledgerKind()
        let name = try text()
        let file = try text()
        let secret = try bytes()
        return LedgerEntry(kind, name, body: try bytes(), file: file, secret: secret)
    }

    mutating func add(_ change: LedgerChange) {
        switch change {
        case .insert(let entry):
            add(Int64(0))
            add(entry)
        case .replace(let entry):
            add(Int64(1))
            add(entry)
        case .remove(let kind, let name):
            add(Int64(2))
            add(kind.rawValue)
            add(name)
        case .exchange(let entry, let body):
            add(Int64(3))
            add(entry)
            add(body)
        case .drop(let kind, let name):
            add(Int64(4))
            add(kind.rawValue)
            add(name)
        }
    }

    mutating func ledgerChange() throws(WorkspaceError) -> LedgerChange {
        switch try number() {
        case 0: .insert(try ledgerEntry())
        case 1: .replace(try ledgerEntry())
        case 2: .remove(try ledgerKind(), try text())
        case 3: .exchange(try ledgerEntry(), from: try bytes())
        case 4: .drop(try ledgerKind(), try text())
        default: throw Self.malformed
        }
    }
}
