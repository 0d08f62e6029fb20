import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsulePolicy
import CapsuleRuns
import CapsuleSystem
import CapsuleWorkspace
import Crypto
import Glibc

/// `capsule run`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Record the runs of an agent, or of anybody.",
        discussion: "See capsule-run(1) and capsule-runs(7).",
        subcommands: [
            RunStartCommand.self, RunPutCommand.self, RunFinishCommand.self,
            RunListCommand.self, RunShowCommand.self,
        ])
}

struct RunStartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Begin a run; prints its id.")

    @Option(name: [.customShort("s"), .long], help: "The work item that it is for.")
    var spec: String
    @Option(
        name: [.customShort("r"), .customLong("run")],
        help: "Its id; without, the time and a chance part.")
    var id: String?
    @Option(name: .long, help: "Record FILE as a policy that the run is under.")
    var policy: [String] = []
    @Option(name: .long, help: "The risk: high, or normal.") var risk = "normal"
    @Option(name: .long, help: "Of models, record: none, prompts_only or full_io.")
    var capture: String?
    @Option(name: .long, help: "Mask what is recorded before it is stored: on, or off.")
    var sanitize: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    mutating func validate() throws {
        guard ["high", "normal"].contains(risk) else {
            throw ValidationError("--risk takes high or normal")
        }
        if let capture, Run.Capture(rawValue: capture) == nil {
            throw ValidationError("--capture takes none, prompts_only or full_io")
        }
        guard ["on", "off", nil].contains(sanitize) else {
            throw ValidationError("--sanitize takes on or off")
        }
    }

    func run() throws {
        let file = try SettingsFile.find()
        let settings = file.settings
        var start = RunStart(try RunName(spec: spec, run: id ?? Self.newID()))
        start.isHighRisk = risk == "high"
        start.capture = Run.Capture(rawValue: capture ?? settings.captureMode) ?? .prompts
        start.isSanitized = sanitize.map { $0 == "on" } ?? settings.sanitizes
        let masker = start.isSanitized ? TextMasker.forRecording(try file.rules()) : nil
        start.policies = try policy.map { path in
            let body = try SmallFile.read(path)
            let name = path.split(separator: "/").last.map(String.init) ?? path
            return RunPolicy(
                name: masker?.mask(name) ?? name, body: masker?.mask(body, path: name) ?? body)
        }
        if ExportRehearsal.isLikely(start, settings) {
            let rehearsal = ExportRehearsal(
                start.name, settings: file, workspace: try place.path())
            for fault in rehearsal.faults() {
                Output.warn("an automatic export of this run would fail: \(fault)")
            }
        }
        let started = try place.withRuns(opening) { try $0.startRun(start) }
        if outputOptions.json { return Output.json(RunRow(started)) }
        Output.line(started.name.run)
    }

    /// The time and something that two runs of one second do not share.
    private static func newID() -> String {
        let digits = Timestamp.now.rfc3339.filter(\.isNumber)
        let chance = Text.hex(Environment.random(2))
        return "\(digits.prefix(8))-\(digits.dropFirst(8).prefix(6))-\(chance)"
    }
}

struct RunPutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Put a file, or a folder, among the files of a run.")

    @OptionGroup var which: RunOptions
    @Argument(help: "The file or folder; '-' is standard input and needs --as.") var path: String
    @Option(name: .customLong("as"), help: "Its name in the run, which may have folders.")
    var name: String?
    @Option(name: .long, help: "artifacts or evidence.") var track = RunTrack.artifacts.rawValue
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable { let uris: [String] }

    private static let pieceLength = 1 << 20

    mutating func validate() throws {
        guard RunTrack(rawValue: track) != nil else {
            throw ValidationError("--track takes artifacts or evidence")
        }
        guard path != "-" || name != nil else {
            throw ValidationError("standard input needs a name: --as NAME")
        }
    }

    func run() throws {
        let track = RunTrack(rawValue: track) ?? .artifacts
        let plain = path.split(separator: "/").last.map(String.init) ?? path
        let top = RawArgument.bytes(of: name ?? plain).split(separator: 0x2f).map(Array.init)
        let files = try path == "-" ? [(path, top)] : Self.files(at: path, top)
        if path == "-" { try StandardInput.waitForData() }
        let uris = try place.withRuns(opening) { service in
            let (run, workspace) = (try which.find(in: service), try service.workspaceID())
            let masker =
                run.isSanitized
                ? TextMasker.forRecording(try SettingsFile.find().rules()) : nil
            for (source, target) in files {
                try Self.put(source, as: target, track, run.name, service, masker)
            }
            return files.compactMap {
                let path = [Array(track.rawValue.utf8)] + $0.name
                return RunURI.file(path, of: run.name, in: workspace)?.text
            }
        }
        if outputOptions.json { return Output.json(Result(uris: uris)) }
        let uri = "\(track.rawValue)/\(name ?? plain)"
        Output.line(files.count == 1 ? "put \(uri)" : "put \(files.count) files below \(uri)")
    }

    /// A file, or all regular files below a folder, with their names in the run.
    private static func files(
        at path: String, _ name: [[UInt8]]
    ) throws -> [(path: String, name: [[UInt8]])] {
        var facts = stat()
        guard RawArgument.withPath(path, { stat($0, &facts) }) == 0 else {
            throw SystemError.last("open", path)
        }
        guard facts.st_mode & S_IFMT == S_IFDIR else { return [(path, name)] }
        var files: [(path: String, name: [[UInt8]])] = []
        let directory = try FileDirectory(path: path)
        for child in try directory.names().sorted() {
            var facts = stat()
            let below = "\(path)/\(child)"
            guard lstat(below, &facts) == 0 else { throw SystemError.last("open", below) }
            switch facts.st_mode & S_IFMT {
            case S_IFDIR, S_IFREG: files += try Self.files(at: below, name + [Array(child.utf8)])
            default: Output.warn("\(below): it is no regular file, and left out")
            }
        }
        return files
    }

    private static func put(
        _ path: String, as name: [[UInt8]], _ track: RunTrack, _ run: RunName,
        _ service: any RunRecorder, _ masker: TextMasker?
    ) throws {
        let descriptor =
            path == "-"
            ? dup(0)
            : RawArgument.withPath(path) { open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw SystemError.last("open", path) }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw SystemError.last("open", path) }
        let mode: UInt32 = path == "-" ? 0o644 : facts.st_mode & 0o777
        let file = try service.makeFile(name, mode: mode, in: track, of: run)
        // What is masked is seen as a whole.
        var whole: [UInt8] = []
        while true {
            var count = 0
            let piece = [UInt8](unsafeUninitializedCapacity: pieceLength) { buffer, filled in
                count = Glibc.read(descriptor, buffer.baseAddress, pieceLength)
                filled = max(0, count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError.last("read", path) }
            if count == 0 { break }
            if masker == nil { try file.append(piece) } else { whole += piece }
        }
        if let masker {
            guard ContentKind.classify(whole.prefix(ContentKind.prefixSize)).canBeScanned else {
                throw RunError(
                    .usage, "unscannable",
                    "\(path): the run is sanitized, and this cannot be scanned: put it into "
                        + "another run, or as text")
            }
            let base = name.last.map { String(decoding: $0, as: UTF8.self) }
            if let kind = name.lazy.compactMap(masker.firstFinding).first {
                throw RunError(
                    .usage, "bad_name",
                    "\(path): the run is sanitized, and its name there would hold something that "
                        + "is masked (\(kind)): give it another with --as")
            }
            let masked = masker.mask(whole, path: base)
            for start in stride(from: 0, to: masked.count, by: pieceLength) {
                try file.append(Array(masked[start..<min(start + pieceLength, masked.count)]))
            }
        }
        try file.finish()
    }
}

struct RunListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the runs of a workspace, oldest first.")

    @Option(name: [.customShort("s"), .long], help: "Only those for this work item.")
    var spec: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable { let runs: [RunRow] }

    func run() throws {
        let runs = try place.withRuns(opening, isReadOnly: true) { try $0.runs() }
            .filter { spec == nil || $0.name.spec == spec }
        let masker = TextMasker(rules: try SettingsFile.find().rules())
        let rows = runs.map { RunRow($0, masker) }
        if outputOptions.json { return Output.json(Result(runs: rows)) }
        var table = Table()
        for row in rows {
            table.add(
                row.specID, row.runID, row.startedAt, row.outcome ?? "running",
                "\(row.eventCount) events", "\(row.checkpoints.count) checkpoints")
        }
        table.print()
    }
}
