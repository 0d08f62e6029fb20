import CapsuleBytes
import CapsuleCrypto
import CapsuleStore
import CapsuleSystem
import Crypto
import Glibc

/// Runs: rows beside the tree, and a directory of files in it.
extension LiveTree {
    /// An event's place is the number of its run, and below that its own.
    private static let sequenceBits: Int64 = 40

    /// As `RunService` says.
    public func workspaceID() throws(WorkspaceError) -> String { Text.hex(audit.id) }

    private static let columns = """
        number, spec, name, started, finished, outcome, risk, capture, sanitized, events
        """

    private static func run(
        _ row: Statement.Row
    ) throws(StoreError) -> (number: Int64, run: Run) {
        let name: RunName
        do throws(WorkspaceError) {
            name = try RunName(spec: row.text(1), run: row.text(2))
        } catch {
            throw StoreError(.damaged, "a run has an impossible name", errno: EIO)
        }
        var run = Run(
            name: name, startedAt: row.integer(3), isHighRisk: row.integer(6) != 0,
            capture: Run.Capture(rawValue: row.text(7)) ?? .none,
            isSanitized: row.integer(8) != 0)
        run.outcome = Run.Outcome(rawValue: row.text(5))
        run.finishedAt = run.outcome == nil ? nil : row.integer(4)
        run.eventCount = row.integer(9)
        return (row.integer(0), run)
    }

    private func checkpoints(of number: Int64) throws(StoreError) -> [RunCheckpoint] {
        try Statement(
            database,
            """
            SELECT label, sequence, seconds, stage, commit_id FROM run_checkpoint WHERE run = ?1
            ORDER BY rowid
            """
        ).bind(1, number).all {
            RunCheckpoint(
                label: $0.text(0), sequence: $0.integer(1), seconds: $0.integer(2),
                stage: $0.text(3), commit: $0.text(4))
        }
    }

    /// A workspace that nobody has opened for writing since there are such tables has none.
    func hasRecords() throws(StoreError) -> Bool {
        try Statement(database, "SELECT 1 FROM sqlite_schema WHERE name = 'ledger'")
            .first { $0.integer(0) } != nil
    }

    /// As `RunService` says.
    public func runs() throws(WorkspaceError) -> [Run] {
        try locked { () throws(WorkspaceError) in try stored(listRuns) }
    }

    func listRuns() throws(StoreError) -> [Run] {
        guard try hasRecords() else { return [] }
        let rows = try Statement(database, "SELECT \(Self.columns) FROM run ORDER BY number")
            .all { row throws(StoreError) in try Self.run(row) }
        var runs: [Run] = []
        for (number, var run) in rows {
            run.checkpoints = try checkpoints(of: number)
            runs.append(run)
        }
        return runs
    }

    /// The run and the number of its row. Throws ENOENT.
    private func found(_ name: RunName) throws(WorkspaceError) -> (number: Int64, run: Run) {
        let row = try stored { () throws(StoreError) -> (number: Int64, run: Run)? in
            guard try hasRecords() else { return nil }
            return try Statement(
                database, "SELECT \(Self.columns) FROM run WHERE spec = ?1 AND name = ?2"
            ).bind(1, Array(name.spec.utf8)).bind(2, Array(name.run.utf8))
                .first { row throws(StoreError) in try Self.run(row) }
        }
        guard var row else {
            throw WorkspaceError.refusal(
                ENOENT, "there is no run '\(name.run)' of '\(name.spec)': see 'capsule run list'")
        }
        let number = row.number
        row.run.checkpoints = try stored { () throws(StoreError) in try checkpoints(of: number) }
        return row
    }

    func unfinished(_ name: RunName) throws(WorkspaceError) -> (number: Int64, run: Run) {
        let row = try found(name)
        guard row.run.outcome == nil else {
            throw WorkspaceError.refusal(EROFS, "the run '\(name.run)' has ended")
        }
        return row
    }

    /// The run whose checkpoint a state is, as text.
    func runMarked(by state: WorkspaceState) throws(WorkspaceError) -> String? {
        for run in try stored(listRuns) {
            if run.checkpoints.contains(where: { run.name.stateName($0.label) == state.name }) {
                return "'\(run.name.run)'"
            }
        }
        return nil
    }

    // MARK: Beginning

    /// As `RunService` says.
    public func startRun(_ start: RunStart) throws(WorkspaceError) -> Run {
        var start = start
        start.policies = start.policies.map {
            RunPolicy(id: audit.keys.policyID($0.body), name: $0.name, body: $0.body)
        }
        // First what can fail for the tree's sake.
        for track in RunTrack.allCases {
            _ = try makeDirectories(start.name.directory + [Array(track.rawValue.utf8)])
        }
        let number = try changing { () throws(WorkspaceError) in
            let known = try stored(listRuns).contains { $0.name == start.name }
            if known {
                throw WorkspaceError.refusal(
                    EEXIST, "there is a run '\(start.name.run)' of '\(start.name.spec)' already")
            }
            let number = try stored { () throws(StoreError) in try insert(start) }
            try record(
                .runStarted,
                [
                    "spec_id": .text(start.name.spec), "run_id": .text(start.name.run),
                    "capture": .text(start.capture.rawValue),
                    "sanitized": .flag(start.isSanitized), "high_risk": .flag(start.isHighRisk),
                ])
            try noteChanged(try found(start.name).run)
            return number
        }
        let workspace = try workspaceID()
        if !start.policies.isEmpty {
            _ = try addEvents(
                start.policies.map {
                    $0.reference(workspace: workspace, isSanitized: start.isSanitized)
                }, to: start.name)
        }
        try commit()
        return try locked { () throws(WorkspaceError) in
            let row = try found(start.name)
            precondition(row.number == number, "nobody removes a run")
            return row.run
        }
    }

    private func insert(_ start: RunStart) throws(StoreError) -> Int64 {
        try Statement(
            database,
            """
            INSERT INTO run(spec, name, started, finished, outcome, risk, capture, sanitized,
              events) VALUES (?1, ?2, ?3, 0, x'', ?4, ?5, ?6, 0)
            """
        ).bind(1, Array(start.name.spec.utf8)).bind(2, Array(start.name.run.utf8))
            .bind(3, Environment.wallClock().seconds).bind(4, start.isHighRisk ? 1 : 0)
            .bind(5, Array(start.capture.rawValue.utf8)).bind(6, start.isSanitized ? 1 : 0).run()
        let number =
            try Statement(database, "SELECT max(number) FROM run").first { $0.integer(0) } ?? 0
        for policy in start.policies {
            try Statement(database, "INSERT OR IGNORE INTO policy(id, body) VALUES (?1, ?2)")
                .bind(1, Array(policy.id.utf8)).bind(2, policy.body).run()
            try Statement(
                database, "INSERT OR IGNORE INTO run_policy(run, id, name) VALUES (?1, ?2, ?3)"
            ).bind(1, number).bind(2, Array(policy.id.utf8)).bind(3, Array(policy.name.utf8)).run()
        }
        return number
    }

    /// As `RunService` says.
    public func policies(of name: RunName) throws(WorkspaceError) -> [RunPolicy] {
        try locked { () throws(WorkspaceError) in
            let (number, _) = try found(name)
            return try stored { () throws(StoreError) in
                try Statement(
                    database,
                    """
                    SELECT policy.id, name, body FROM run_policy JOIN policy USING (id)
                    WHERE run = ?1 ORDER BY policy.id
                    """
                ).bind(1, number).all {
                    RunPolicy(id: $0.text(0), name: $0.text(1), body: $0.bytes(2))
                }
            }
        }
    }

    // MARK: Events

    /// As `RunService` says.
    public func addEvents(
        _ events: [RunEvent], to name: RunName
    ) throws(WorkspaceError) -> Int64 {
        let workspace = try workspaceID()
        let time = Timestamp.now.rfc3339
        let first = try changing { () throws(WorkspaceError) in
            let (number, run) = try unfinished(name)
            guard events.allSatisfy(\.isWellFormed) else {
                throw WorkspaceError.refusal(EINVAL, "an event has no type or is no line")
            }
            guard run.eventCount + Int64(events.count) < 1 << Self.sequenceBits else {
                throw WorkspaceError.refusal(EFBIG, "the run has no room for so many events")
            }
            try stored { () throws(StoreError) in
                let insert = try Statement(
                    database, "INSERT INTO run_event(place, line) VALUES (?1, ?2)")
                var sequence = run.eventCount
                for event in events {
                    sequence += 1
                    let line = event.line(sequence, at: time, of: name, workspace: workspace)
                    try insert.bind(1, number << Self.sequenceBits | sequence).bind(2, line).run()
                }
                try Statement(database, "UPDATE run SET events = ?2 WHERE number = ?1")
                    .bind(1, number).bind(2, sequence).run()
            }
            return run.eventCount + 1
        }
        try commit()
        return first
    }

    /// As `RunService` says.
    public func eventLines(
        of name: RunName, from sequence: Int64, count: Int
    ) throws(WorkspaceError) -> [[UInt8]] {
        try locked { () throws(WorkspaceError) in
            let (number, run) = try found(name)
            let first = max(1, sequence)
            guard first <= run.eventCount, count > 0 else { return [] }
            let last = first + min(run.eventCount - first, Int64(count) - 1)
            return try stored { () throws(StoreError) in
                try Statement(
                    database,
                    "SELECT line FROM run_event WHERE place BETWEEN ?1 AND ?2 ORDER BY place"
                ).bind(1, number << Self.sequenceBits | first)
                    .bind(2, number << Self.sequenceBits | last).all { $0.bytes(0) }
            }
        }
    }

    // MARK: Checkpoints and the end

    /// As `RunService` says.
    public func markRun(
        _ name: RunName, label: String, stage: String, commit: String
    ) throws(WorkspaceError) -> RunCheckpoint {
        let checkpoint = try changing { () throws(WorkspaceError) in
            try mark(try unfinished(name), label: label, stage: stage, commit: commit)
        }
        try self.commit()
        return checkpoint
    }

    private func mark(
        _ row: (number: Int64, run: Run), label: String, stage: String, commit: String,
        isEnd: Bool = false
    ) throws(WorkspaceError) -> RunCheckpoint {
        let (number, run) = row
        for word in [label, stage, commit] where !word.isEmpty && !RunName.isValid(word) {
            throw WorkspaceError.refusal(EINVAL, "'\(word)' cannot name a checkpoint or a stage")
        }
        let state = run.name.stateName(label)
        let isTaken = try stored(listStates).contains { $0.name == state }
        guard !label.isEmpty, label != Self.finalLabel || isEnd, !isTaken,
            !run.checkpoints.contains(where: { $0.label == label })
        else {
            throw WorkspaceError.refusal(
                EEXIST, "the run '\(run.name.run)' has a checkpoint '\(label)' already")
        }
        let kept = try insertState(state, kind: .named)
        let checkpoint = RunCheckpoint(
            label: label, sequence: run.eventCount, seconds: kept.seconds, stage: stage,
            commit: commit)
        try stored { () throws(StoreError) in
            try Statement(
                database,
                """
                INSERT INTO run_checkpoint(run, label, sequence, seconds, stage, commit_id)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                """
            ).bind(1, number).bind(2, Array(label.utf8)).bind(3, checkpoint.sequence)
                .bind(4, checkpoint.seconds).bind(5, Array(stage.utf8))
                .bind(6, Array(commit.utf8)).run()
        }
        try record(
            .runMarked,
            [
                "spec_id": .text(run.name.spec), "run_id": .text(run.name.run),
                "label": .text(label), "events": .number(run.eventCount),
            ])
        return checkpoint
    }

    /// The label of the checkpoint with which a run ends.
    public static let finalLabel = "final"

    /// As `RunService` says.
    public func finishRun(
        _ name: RunName, _ outcome: Run.Outcome, holder: [UInt8]
    ) throws(WorkspaceError) -> Run {
        var replaced = ReplacedNames()
        let run = try changing { () throws(WorkspaceError) in
            let row = try unfinished(name)
            _ = try mark(row, label: Self.finalLabel, stage: "", commit: "", isEnd: true)
            try stored { () throws(StoreError) in
                try Statement(
                    database, "UPDATE run SET finished = ?2, outcome = ?3 WHERE number = ?1"
                ).bind(1, row.number).bind(2, Environment.wallClock().seconds)
                    .bind(3, Array(outcome.rawValue.utf8)).run()
            }
            // In the same transaction: nobody ends a run without an answer to this.
            if outcome == .unlock { try put(.owedDecision(on: name, holder: holder)) }
            try record(
                .runFinished,
                [
                    "spec_id": .text(name.spec), "run_id": .text(name.run),
                    "outcome": .text(outcome.rawValue),
                ])
            let run = try found(name).run
            try noteChanged(run)
            replaced = try openForWriting(in: name)
            return run
        }
        try commit()
        tellReplaced(replaced)
        return run
    }
}
