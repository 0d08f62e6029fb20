import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// A run in a folder of plain files: how it is written down, and copied.
enum LocalRun {
    static func value(_ run: Run) -> JSONValue {
        var members: [String: JSONValue] = [
            "schema_version": .integer(1), "spec_id": .text(run.name.spec),
            "run_id": .text(run.name.run), "started_at": .integer(run.startedAt),
            "high_risk": .flag(run.isHighRisk), "capture_mode": .text(run.capture.rawValue),
            "sanitized": .flag(run.isSanitized),
            "checkpoints": .list(
                run.checkpoints.map {
                    .object([
                        "label": .text($0.label), "event_count": .integer($0.sequence),
                        "timestamp": .integer($0.seconds), "stage": .text($0.stage),
                        "commit_hash": .text($0.commit),
                    ])
                }),
        ]
        if let outcome = run.outcome { members["outcome"] = .text(outcome.rawValue) }
        if let end = run.finishedAt { members["finished_at"] = .integer(end) }
        return .object(members)
    }

    static func run(_ value: JSONValue, _ name: RunName) -> Run? {
        guard let startedAt = value["started_at"]?.integer,
            let capture = Run.Capture(rawValue: value["capture_mode"]?.text ?? "")
        else { return nil }
        var start = RunStart(name)
        start.isHighRisk = value["high_risk"] == .flag(true)
        start.capture = capture
        start.isSanitized = value["sanitized"] == .flag(true)
        var checkpoints: [RunCheckpoint] = []
        for item in value["checkpoints"]?.items ?? [] {
            guard let label = item["label"]?.text, let count = item["event_count"]?.integer,
                let seconds = item["timestamp"]?.integer
            else { return nil }
            checkpoints.append(
                RunCheckpoint(
                    label: label, sequence: count, seconds: seconds,
                    stage: item["stage"]?.text ?? "", commit: item["commit_hash"]?.text ?? ""))
        }
        return Run(
            start, startedAt: startedAt, finishedAt: value["finished_at"]?.integer,
            outcome: Run.Outcome(rawValue: value["outcome"]?.text ?? ""),
            eventCount: checkpoints.last?.sequence ?? 0, checkpoints: checkpoints)
    }

    /// The same run further on.
    static func with(
        _ run: Run, checkpoints: [RunCheckpoint], finishedAt: Int64?, outcome: Run.Outcome?,
        eventCount: Int64? = nil
    ) -> Run {
        var start = RunStart(run.name)
        start.isHighRisk = run.isHighRisk
        start.capture = run.capture
        start.isSanitized = run.isSanitized
        return Run(
            start, startedAt: run.startedAt, finishedAt: finishedAt, outcome: outcome,
            eventCount: eventCount ?? run.eventCount, checkpoints: checkpoints)
    }

    /// Removes a folder with everything in it, if it is there.
    static func remove(_ path: String) throws(WorkspaceError) {
        guard access(path, F_OK) == 0 else { return }
        let names = try LocalMemory.called { () throws(SystemError) in
            try FileDirectory(path: path).names()
        }
        for name in names where unlink("\(path)/\(name)") != 0 { try remove("\(path)/\(name)") }
        guard rmdir(path) == 0 else { throw WorkspaceError(errno, "\(path): it cannot go") }
    }

    /// Copies a folder with its files, which may change later.
    static func copy(_ source: String, to target: String) throws(WorkspaceError) {
        try LocalMemory.makeDirectories(target)
        let names = try LocalMemory.called { () throws(SystemError) in
            try FileDirectory(path: source).rawNames()
        }
        for raw in names {
            guard let name = String(validating: raw, as: UTF8.self) else {
                throw WorkspaceError.refusal(
                    EINVAL,
                    "\(source)/\(String(decoding: raw, as: UTF8.self)): a run in plain files has "
                        + "names in UTF-8 only: rename it")
            }
            if AtomicFile.isTemporary(name) { continue }
            let (from, to) = ("\(source)/\(name)", "\(target)/\(name)")
            var facts = stat()
            guard lstat(from, &facts) == 0 else { continue }
            switch facts.st_mode & S_IFMT {
            case S_IFDIR: try copy(from, to: to)
            case S_IFREG:
                let bytes = try LocalMemory.contents(from) ?? []
                let sink = try Sink(to, mode: facts.st_mode & 0o777)
                try sink.append(bytes)
                try sink.finish()
            default: continue
            }
        }
    }

    /// A new file on its way to its name.
    final class Sink: RunFileSink {
        private let file: AtomicFile
        private var length: UInt64 = 0
        private let path: String

        init(_ path: String, mode: UInt32) throws(WorkspaceError) {
            self.path = path
            if access(path, F_OK) == 0 { throw Self.taken(path) }
            file = try LocalMemory.called { () throws(SystemError) in
                try AtomicFile(path: path, mode: mode & 0o777)
            }
        }

        private static func taken(_ path: String) -> WorkspaceError {
            WorkspaceError.refusal(
                EEXIST,
                "\(path): it is there already, and what a URI stands for does not change: put it "
                    + "under another name with --as")
        }

        func append(_ bytes: [UInt8]) throws(WorkspaceError) {
            let place = length
            try LocalMemory.called { () throws(SystemError) in try file.write(bytes, at: place) }
            length += UInt64(bytes.count)
        }

        func finish() throws(WorkspaceError) {
            do throws(SystemError) {
                try file.publish(replacing: false)
            } catch {
                throw error.errno == EEXIST
                    ? Self.taken(path) : WorkspaceError(error.errno, "\(error)")
            }
        }
    }
}
