import ArgumentParser
import CapsuleAccess
import CapsuleFormat
import CapsulePolicy
import CapsuleRuns
import CapsuleStore
import CapsuleWorkspace
import Glibc

/// The folders in which is searched.
struct SearchPlaces {
    let access: WorkspaceAccess

    /// The folder of a run as it is now.
    func folder(of run: Run) throws -> any ReadableTree {
        let folder = try RunFolder(run, in: access.service, tree: access.tree)
        return ComposedTree(try folder.items(present: Workspace.present), seconds: run.startedAt)
    }

    /// The folder of an import.
    func folder(ofImport name: String) throws -> any ReadableTree {
        try access.tree(Workspace.importPrefix + name)
    }

    /// The folder that a name stands for: an import, or a capsule's file.
    func folder(named name: String, _ opening: OpeningOptions) throws -> any ReadableTree {
        let imports = try ImportRecord.all(in: access.service)
        if imports.contains(where: { $0.name == name }) { return try folder(ofImport: name) }
        guard Glibc.access(name, F_OK) == 0 else {
            throw AccessError(
                .usage, code: "unknown_import",
                "\(name): it is neither an import of the workspace nor a file")
        }
        return try OpenedTree.open(path: name, secrets: opening.capsuleSecrets()).tree
    }
}

/// `capsule search`.
struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Search the runs and imports of a workspace.",
        discussion: "See capsule-search(1).")

    @Argument(help: "The words; a document with any of them is found.") var query: [String]
    @Option(name: .customLong("in"), help: "Only in this import, or capsule.") var place: String?
    @Option(name: .long, help: "As of a checkpoint of the run.") var asOf: String?
    @Option(name: [.customShort("s"), .long], help: "Only in runs for this work item.")
    var spec: String?
    @Option(name: [.customShort("r"), .customLong("run")], help: "Only in this run.")
    var runID: String?
    @Option(name: [.customShort("t"), .long], help: "Only: event, artifact, evidence or file.")
    var type: String?
    @Option(name: [.customShort("n"), .long], help: "Print at most N.") var limit = 10
    @Flag(name: .long, help: "Say how the score came about.") var explain = false
    @Flag(name: .long, help: "Show what is stored, which is recorded.") var raw = false
    @OptionGroup var workspace: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Row: Encodable {
        let uri: String
        let type: String
        let score: Double
        let snippet: String
        let words: [String: Double]?
    }

    private struct Result: Encodable { let hits: [Row] }

    mutating func validate() throws {
        guard !query.isEmpty else { throw ValidationError("give words to search for") }
        guard ["event", "artifact", "evidence", "file", nil].contains(type) else {
            throw ValidationError("--type takes event, artifact, evidence or file")
        }
        guard (1...10_000).contains(limit) else {
            throw ValidationError("--limit takes 1 to 10000")
        }
    }

    func run() throws {
        let file = try SettingsFile.find()
        try MemoryBackend.requireCapsules(file)
        guard file.settings.hasSearch else {
            throw AccessError(
                .usage, code: "turned_off", "search is turned off: features.search is false")
        }
        let words = query.flatMap { RunCorpus.words($0) }
        let masker = raw ? nil : TextMasker(rules: try file.rules())
        let rows = try workspace.withAccess(opening, isReadOnly: !raw) { access in
            if raw { try access.service.note(.runShown, ["what": .text("search")]) }
            let index = try RunCorpus.index(try corpora(SearchPlaces(access: access)), kind: type)
            return try index.find(words, limit: limit).map { hit in
                try row(hit, words, index, masker)
            }
        }
        if outputOptions.json { return Output.json(Result(hits: rows)) }
        for row in rows {
            Output.line("\(Self.decimal(row.score))  \(row.uri)")
            Output.line(
                "    \(row.snippet.split(whereSeparator: \.isNewline).joined(separator: " "))")
            for (word, score) in (row.words ?? [:]).sorted(by: { $0.key < $1.key }) {
                Output.line("    bm25 of '\(word)': \(Self.decimal(score))")
            }
        }
    }

    private static func decimal(_ number: Double) -> String {
        let scaled = (number * 1e6).rounded() / 1e6
        return "\(scaled)"
    }

    private func row(
        _ hit: TextIndex.Hit, _ words: [String], _ index: TextIndex, _ masker: TextMasker?
    ) throws -> Row {
        var shares: [String: Double]?
        if explain {
            shares = [:]
            for word in words {
                let found = try index.find([word], limit: .max).first { $0.name == hit.name }
                if let found { shares?[word] = found.score }
            }
        }
        let snippet = RunCorpus.withPlaceholders(hit.snippet)
        return Row(
            // A name may be a secret, too.
            uri: masker?.mask(hit.name) ?? hit.name, type: hit.kind, score: hit.score,
            snippet: String(decoding: masker?.mask(snippet) ?? snippet, as: UTF8.self),
            words: shares)
    }

    private func corpora(_ places: SearchPlaces) throws -> [RunCorpus] {
        if let place {
            return [
                try RunCorpus(try places.folder(named: place, opening), asOf: asOf, name: place)
            ]
        }
        let service = places.access.service
        let runs = try service.runs().filter {
            (spec == nil || $0.name.spec == spec) && (runID == nil || $0.name.run == runID)
                && (asOf == nil || $0.checkpoints.contains { $0.label == asOf })
        }
        var corpora = try runs.map { try RunCorpus(try places.folder(of: $0), asOf: asOf) }
        let imports = try ImportRecord.all(in: service).filter {
            (spec == nil || $0.spec == spec) && (runID == nil || $0.run == runID)
                && (asOf == nil || $0.checkpoints.contains(asOf ?? ""))
        }
        for record in imports {
            do {
                corpora.append(
                    try RunCorpus(
                        try places.folder(ofImport: record.name), asOf: asOf, name: record.name))
            } catch {
                Output.warn("the import '\(record.name)' is not searched: \(error)")
            }
        }
        if let asOf, corpora.isEmpty {
            throw RunError(
                .usage, "unknown_checkpoint", "no run that is searched has a checkpoint '\(asOf)'")
        }
        return corpora
    }
}
