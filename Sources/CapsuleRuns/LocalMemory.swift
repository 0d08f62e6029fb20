import CapsuleBytes
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// Runs as plain files in a folder, for those who have turned capsules off: JSON Lines that any
/// program reads, neither encrypted nor audited.
///
///     memory.json                        whose URIs these are
///     runs/SPEC/RUN/run.json             what the run is, with its checkpoints
///     runs/SPEC/RUN/events.jsonl         its events
///     runs/SPEC/RUN/policy/ID            its policies
///     runs/SPEC/RUN/artifacts/ evidence/ its files
///     runs/SPEC/RUN/as-of/LABEL/         its files as they were then
///
/// One process at a time works on a run: it holds a lock on `run.json.lock`.
public final class LocalMemory: RunRecorder {
    private let folder: String
    private let id: String

    /// The memory in a folder, which is made where it is not there.
    public init(_ folder: String) throws(WorkspaceError) {
        self.folder = folder
        try Self.makeDirectories("\(folder)/runs")
        let path = "\(folder)/memory.json"
        if let bytes = try Self.contents(path) {
            guard let id = (try? JSONValue(parsing: bytes, path))?["workspace_id"]?.text else {
                throw WorkspaceError(EIO, "\(path): it is damaged")
            }
            self.id = id
            return
        }
        let fresh = Text.hex(Environment.random(16))
        let line = JSONValue.object([
            "schema_version": .integer(1), "workspace_id": .text(fresh),
        ]).line
        do throws(WorkspaceError) {
            try Self.write(line + [10], to: path, replaces: false)
            id = fresh
        } catch {
            // Another process was faster.
            guard error.errno == EEXIST, let bytes = try Self.contents(path),
                let other = (try? JSONValue(parsing: bytes, path))?["workspace_id"]?.text
            else { throw error }
            id = other
        }
    }

    // MARK: Files

    static func called<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(WorkspaceError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw WorkspaceError(error.errno, "\(error)")
        }
    }

    static func makeDirectories(_ path: String) throws(WorkspaceError) {
        if access(path, F_OK) == 0 { return }
        let parent = AtomicFile.split(path).directory
        if parent != path, parent != "." { try makeDirectories(parent) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            let error = SystemError.last("create", path)
            throw WorkspaceError(error.errno, "\(error)")
        }
    }

    static func contents(_ path: String) throws(WorkspaceError) -> [UInt8]? {
        do throws(SystemError) {
            let file = try FileStorage(path: path)
            return try file.bytes(Int(try file.length()), at: 0) ?? []
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw WorkspaceError(error.errno, "\(error)")
        }
    }

    static func write(
        _ bytes: [UInt8], to path: String, replaces: Bool
    ) throws(WorkspaceError) {
        try called { () throws(SystemError) in
            let file = try AtomicFile(path: path)
            try file.write(bytes, at: 0)
            try file.publish(replacing: replaces)
        }
    }

    func path(_ name: RunName) -> String { "\(folder)/runs/\(name.spec)/\(name.run)" }

    /// Runs `body` while no other process works on the run.
    private func alone<Result>(
        _ name: RunName, _ body: () throws(WorkspaceError) -> Result
    ) throws(WorkspaceError) -> Result {
        let lock = "\(path(name))/run.json.lock"
        let raw = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard raw >= 0 else { throw missing(name) }
        defer { close(raw) }
        while flock(raw, LOCK_EX) != 0 {
            guard errno == EINTR else { throw WorkspaceError(errno) }
        }
        return try body()
    }

    private func missing(_ name: RunName) -> WorkspaceError {
        WorkspaceError.refusal(ENOENT, "there is no run '\(name.run)' of '\(name.spec)'")
    }

    // MARK: Runs

    /// As `RunRecorder` says.
    public func workspaceID() throws(WorkspaceError) -> String { id }

    /// As `RunRecorder` says.
    public func runs() throws(WorkspaceError) -> [Run] {
        var runs: [Run] = []
        let top = "\(folder)/runs"
        for spec in try Self.called({ () throws(SystemError) in
            try FileDirectory(path: top).names()
        }) where RunName.isValid(spec) {
            let names = try Self.called { () throws(SystemError) in
                try FileDirectory(path: "\(top)/\(spec)").names()
            }
            // Without its file a run is about to begin, or never did.
            for name in names
            where RunName.isValid(name) && access("\(top)/\(spec)/\(name)/run.json", F_OK) == 0 {
                runs.append(try run(try RunName(spec: spec, run: name)))
            }
        }
        return runs.sorted {
            ($0.startedAt, $0.name.spec, $0.name.run) < ($1.startedAt, $1.name.spec, $1.name.run)
        }
    }

    private func run(_ name: RunName) throws(WorkspaceError) -> Run {
        let place = "\(path(name))/run.json"
        guard let bytes = try Self.contents(place) else { throw missing(name) }
        guard let value = try? JSONValue(parsing: bytes, place),
            let run = LocalRun.run(value, name)
        else { throw WorkspaceError(EIO, "\(place): it is damaged") }
        let events = try Self.contents("\(path(name))/events.jsonl") ?? []
        return LocalRun.with(
            run, checkpoints: run.checkpoints, finishedAt: run.finishedAt, outcome: run.outcome,
            eventCount: Int64(events.count { $0 == 10 }))
    }

    private func unfinished(_ name: RunName) throws(WorkspaceError) -> Run {
        let run = try run(name)
        guard run.outcome == nil else {
            throw WorkspaceError.refusal(EROFS, "the run '\(name.run)' has ended")
        }
        return run
    }

    private func keep(_ run: Run, replaces: Bool = true) throws(WorkspaceError) {
        try Self.write(
            LocalRun.value(run).line + [10], to: "\(path(run.name))/run.json", replaces: replaces)
    }

    /// As `RunRecorder` says.
    public func startRun(_ start: RunStart) throws(WorkspaceError) -> Run {
        let top = path(start.name)
        for part in RunTrack.allCases.map(\.rawValue) + ["policy", "as-of"] {
            try Self.makeDirectories("\(top)/\(part)")
        }
        let run = Run(
            start, startedAt: Environment.wallClock().seconds, finishedAt: nil, outcome: nil,
            eventCount: 0, checkpoints: [])
        do throws(WorkspaceError) {
            try keep(run, replaces: false)
        } catch {
            guard error.errno == EEXIST else { throw error }
            throw WorkspaceError.refusal(
                EEXIST, "there is a run '\(start.name.run)' of '\(start.name.spec)' already")
        }
        for policy in start.policies {
            try Self.write(policy.body, to: "\(top)/policy/\(policy.id)", replaces: true)
        }
        if !start.policies.isEmpty {
            _ = try addEvents(
                start.policies.map { $0.reference(workspace: id, isSanitized: start.isSanitized) },
                to: start.name)
        }
        return try self.run(start.name)
    }

    /// As `RunRecorder` says.
    public func policies(of name: RunName) throws(WorkspaceError) -> [RunPolicy] {
        _ = try run(name)
        let directory = "\(path(name))/policy"
        let ids = try Self.called { () throws(SystemError) in
            try FileDirectory(path: directory).names()
        }
        var policies: [RunPolicy] = []
        for id in ids.sorted() where !AtomicFile.isTemporary(id) {
            guard let body = try Self.contents("\(directory)/\(id)") else { continue }
            policies.append(RunPolicy(id: id, name: "", body: body))
        }
        return policies
    }

    /// As `RunRecorder` says.
    public func addEvents(
        _ events: [RunEvent], to name: RunName
    ) throws(WorkspaceError) -> Int64 {
        guard events.allSatisfy(\.isWellFormed) else {
            throw WorkspaceError.refusal(EINVAL, "an event has no type or is no line")
        }
        let time = Timestamp.now.rfc3339
        return try alone(name) { () throws(WorkspaceError) in
            _ = try unfinished(name)
            let path = "\(path(name))/events.jsonl"
            let present = try Self.contents(path) ?? []
            // A line that was cut off was never acknowledged.
            let end = present.lastIndex(of: 10).map { $0 + 1 } ?? 0
            let first = Int64(present[..<end].count { $0 == 10 }) + 1
            var text: [UInt8] = []
            for (index, event) in events.enumerated() {
                text += event.line(first + Int64(index), at: time, of: name, workspace: id) + [10]
            }
            let raw = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
            guard raw >= 0 else { throw WorkspaceError(errno, "\(path): it cannot be written") }
            let file = FileStorage(Descriptor(owning: raw, name: path))
            try Self.called { () throws(SystemError) in
                try file.truncate(to: UInt64(end))
                try file.write(text, at: UInt64(end))
                try file.flush()
            }
            return first
        }
    }

    /// As `RunRecorder` says.
    public func eventLines(
        of name: RunName, from sequence: Int64, count: Int
    ) throws(WorkspaceError) -> [[UInt8]] {
        _ = try run(name)
        let bytes = try Self.contents("\(path(name))/events.jsonl") ?? []
        let end = bytes.lastIndex(of: 10) ?? 0
        return bytes[..<end].split(separator: 10).dropFirst(Int(clamping: max(0, sequence - 1)))
            .prefix(max(0, count)).map { Array($0) }
    }

    private func eventCount(_ name: RunName) throws(WorkspaceError) -> Int64 {
        Int64(try eventLines(of: name, from: 1, count: .max).count)
    }

    // MARK: Checkpoints and the end

    /// As `RunRecorder` says.
    public func markRun(
        _ name: RunName, label: String, stage: String, commit: String
    ) throws(WorkspaceError) -> RunCheckpoint {
        try alone(name) { () throws(WorkspaceError) in
            try mark(try unfinished(name), label: label, stage: stage, commit: commit).1
        }
    }

    private func mark(
        _ run: Run, label: String, stage: String, commit: String, outcome: Run.Outcome? = nil
    ) throws(WorkspaceError) -> (Run, RunCheckpoint) {
        for word in [label, stage, commit] where !word.isEmpty && !RunName.isValid(word) {
            throw WorkspaceError.refusal(EINVAL, "'\(word)' cannot name a checkpoint or a stage")
        }
        guard !label.isEmpty, label != LiveTree.finalLabel || outcome != nil,
            !run.checkpoints.contains(where: { $0.label == label })
        else {
            throw WorkspaceError.refusal(
                EEXIST, "the run '\(run.name.run)' has a checkpoint '\(label)' already")
        }
        let top = path(run.name)
        // Left by one that was cut off.
        try LocalRun.remove("\(top)/as-of/\(label)")
        for track in RunTrack.allCases {
            try LocalRun.copy(
                "\(top)/\(track.rawValue)", to: "\(top)/as-of/\(label)/\(track.rawValue)")
        }
        let checkpoint = RunCheckpoint(
            label: label, sequence: try eventCount(run.name),
            seconds: Environment.wallClock().seconds, stage: stage, commit: commit)
        let marked = LocalRun.with(
            run, checkpoints: run.checkpoints + [checkpoint],
            finishedAt: outcome == nil ? nil : checkpoint.seconds, outcome: outcome)
        try keep(marked)
        return (marked, checkpoint)
    }

    /// As `RunRecorder` says.
    public func finishRun(
        _ name: RunName, _ outcome: Run.Outcome, holder: [UInt8]
    ) throws(WorkspaceError) -> Run {
        try alone(name) { () throws(WorkspaceError) in
            _ = try mark(
                try unfinished(name), label: LiveTree.finalLabel, stage: "", commit: "",
                outcome: outcome)
            return try self.run(name)
        }
    }

    /// As `RunRecorder` says.
    public func makeFile(
        _ path: [[UInt8]], mode: UInt32, in track: RunTrack, of name: RunName
    ) throws(WorkspaceError) -> any RunFileSink {
        _ = try unfinished(name)
        let last = try LiveTree.lastName(of: path)
        let names = path.compactMap { String(validating: $0, as: UTF8.self) }
        let shown = String(decoding: Array(path.joined(separator: [0x2f])), as: UTF8.self)
        guard names.count == path.count, !names.contains(where: AtomicFile.isTemporary) else {
            throw WorkspaceError.refusal(
                EINVAL,
                "'\(shown)': a file of a run in plain files has a name in UTF-8, and none that "
                    + "begins with '.' and ends with '.tmp': give it another one with --as")
        }
        let directory = ([self.path(name), track.rawValue] + names.dropLast())
            .joined(separator: "/")
        try Self.makeDirectories(directory)
        return try LocalRun.Sink(
            "\(directory)/\(String(decoding: last, as: UTF8.self))", mode: mode)
    }
}
