import ArgumentParser
import CapsuleAccess
import CapsuleFormat
import CapsuleRuns
import CapsuleWorkspace

/// Says in the audit log that somebody looked at what is stored, unmasked.
enum RawView {
    static func note(_ run: Run, _ what: String, _ service: any RunRecorder) throws {
        // Plain files have no log.
        try (service as? any WorkspaceService)?.note(
            .runShown,
            [
                "spec_id": .text(run.name.spec), "run_id": .text(run.name.run),
                "what": .text(what),
            ])
    }
}

struct RunShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a run, masked: what it is, and its last events.")

    @OptionGroup var which: RunOptions
    @Option(name: [.customShort("n"), .long], help: "Show the last N events.") var last = 10
    @Flag(name: .long, help: "Show what is stored, which is recorded.") var raw = false
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let run: RunRow
        let events: [JSONValue]
    }

    mutating func validate() throws {
        guard (0...1_000_000).contains(last) else {
            throw ValidationError("--last takes 0 to 1000000")
        }
    }

    func run() throws {
        let (run, lines) = try place.withRuns(opening, isReadOnly: !raw) { service in
            let run = try which.find(in: service)
            if raw { try RawView.note(run, "run", service) }
            var lines: [[UInt8]] = []
            let first = run.eventCount - min(run.eventCount, Int64(last))
            while first + Int64(lines.count) < run.eventCount {
                let more = try service.eventLines(
                    of: run.name, from: first + Int64(lines.count) + 1, count: last - lines.count)
                if more.isEmpty { break }
                lines += more
            }
            return (run, lines)
        }
        let masker = raw ? nil : TextMasker(rules: try SettingsFile.find().rules())
        let shown = try lines.map { try masker?.maskJSON($0) ?? $0 }
        let row = RunRow(run, masker)
        if outputOptions.json {
            return Output.json(
                Result(run: row, events: try shown.map { try JSONValue(parsing: $0, "event") }))
        }
        Output.line("run \(row.runID) of \(row.specID): \(row.outcome ?? "running")")
        Output.line(
            "started \(row.startedAt), \(row.eventCount) events, capture \(row.captureMode)")
        for checkpoint in row.checkpoints {
            Output.line(
                "checkpoint \(checkpoint.label): \(checkpoint.timestamp), "
                    + "\(checkpoint.eventCount) events")
        }
        for line in shown { Output.line(String(decoding: line, as: UTF8.self)) }
    }
}

/// `capsule resolve-uri`.
struct ResolveURICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve-uri", abstract: "Print what a URI of a run stands for.",
        discussion: "See capsule-resolve-uri(1).")

    @Argument(help: "mv2://WORKSPACE/SPEC/RUN/TYPE/PATH.") var uri: String
    @Option(name: .long, help: "As of a checkpoint of the run.") var asOf: String?
    @Option(name: .customLong("in"), help: "Look into an exported capsule, a file.")
    var capsule: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let uri: String
        let status: String
        let rule: String?
        let sizeBytes: Int?

        private enum CodingKeys: String, CodingKey {
            case uri, status, rule
            case sizeBytes = "size_bytes"
        }
    }

    func run() throws {
        guard let parsed = RunURI(uri) else {
            throw RunError(.usage, "bad_uri", "\(uri): it is no URI of a run")
        }
        try MemoryBackend.requireCapsules(try SettingsFile.find())
        let answer: URIResolver.Answer
        if let capsule {
            let opened = try OpenedTree.open(path: capsule, secrets: opening.capsuleSecrets())
            answer = try URIResolver(opened.tree).resolve(parsed, asOf: asOf)
        } else {
            answer = try place.withAccess(opening, isReadOnly: true) { access in
                let trees = try RunTrees(access).candidates(for: parsed)
                do {
                    return try URIResolver(trees).resolve(parsed, asOf: asOf)
                } catch let error as RunError where error.code == "unknown_uri" {
                    throw try forgotten(parsed, in: access.service) ?? error
                }
            }
        }
        try show(answer)
    }

    private func forgotten(_ parsed: RunURI, in service: any WorkspaceService) throws -> RunError? {
        try ForgottenFiles.time(of: parsed, in: service).map {
            RunError(
                .usage, "forgotten",
                "\(uri): there is no such thing any more, or never was: something of this run was "
                    + "forgotten, last at \($0); exports and backups from before may have it")
        }
    }

    private func show(_ answer: URIResolver.Answer) throws {
        switch answer {
        case .file(let tree, let entry, let isMasked):
            if !outputOptions.json { return try Self.write(entry, of: tree) }
            Output.json(
                Result(
                    uri: uri, status: isMasked ? "masked" : "found", rule: nil,
                    sizeBytes: Int(clamping: entry.size)))
        case .bytes(let bytes, let isMasked):
            if !outputOptions.json { return Output.bytes(bytes) }
            Output.json(
                Result(
                    uri: uri, status: isMasked ? "masked" : "found", rule: nil,
                    sizeBytes: bytes.count))
        case .withheld(let rule):
            if outputOptions.json {
                Output.json(Result(uri: uri, status: "withheld", rule: rule, sizeBytes: nil))
            }
            throw RunError(
                .validation, "withheld", "\(uri): it was left out of the export: \(rule)")
        }
    }
}

extension ResolveURICommand {
    private static let pieceLength = 1 << 20

    /// Writes a file piece by piece.
    private static func write(_ entry: Entry, of tree: any ReadableTree) throws {
        var piece = [UInt8](repeating: 0, count: pieceLength)
        var done: UInt64 = 0
        while done < entry.size {
            try piece.withUnsafeMutableBytes { buffer in
                let count = try tree.read(entry, at: done, into: buffer)
                guard count > 0 else { throw FormatError(.damaged, "a file ends early") }
                try Output.bytes(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                done += UInt64(count)
            }
        }
    }
}

/// The folders of runs that a workspace has.
struct RunTrees {
    private let access: WorkspaceAccess

    init(_ access: WorkspaceAccess) { self.access = access }

    /// The folder in which a URI is looked for.
    func candidates(for uri: RunURI) throws -> any ReadableTree {
        let runs = try access.service.runs()
        let found = try runs.first { run in
            if let name = uri.name { return run.name == name }
            let id = uri.path.first.map { String(decoding: $0, as: UTF8.self) }
            return try access.service.policies(of: run.name).contains { $0.id == id }
        }
        guard let found, try access.service.workspaceID() == uri.workspace else {
            return try importedFolder(for: uri)
        }
        let folder = try RunFolder(found, in: access.service, tree: access.tree)
        return ComposedTree(
            try folder.items(present: Workspace.present), seconds: found.startedAt)
    }

    private func importedFolder(for uri: RunURI) throws -> any ReadableTree {
        let record = try ImportRecord.all(in: access.service).first { record in
            guard record.origin == uri.workspace else { return false }
            if let name = uri.name { return record.spec == name.spec && record.run == name.run }
            return record.policies.contains(
                String(decoding: uri.path.first ?? [], as: UTF8.self))
        }
        guard let record else {
            throw RunError(
                .usage, "unknown_uri",
                "\(uri.text): it is of no run of this workspace, and of none that was imported")
        }
        return try access.tree(Workspace.importPrefix + record.name)
    }
}
