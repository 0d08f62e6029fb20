import ArgumentParser
import CapsuleAccess
import CapsuleRuns
import CapsuleWorkspace

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
        let origin: String?
        let type: String
        let score: Double
        let snippet: String
        let words: [String: Double]?

        private enum CodingKeys: String, CodingKey {
            case uri, type, score, snippet, words
            case origin = "in"
        }
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
        try SearchPlaces.requireSearch(file)
        let words = query.flatMap { CorpusIndex.words($0) }
        let masker = raw ? nil : TextMasker(rules: try file.rules())
        let found = try workspace.withAccess(opening, isReadOnly: !raw) { access in
            if raw { try access.service.note(.runShown, ["what": .text("search")]) }
            let index = try CorpusIndex(try corpora(SearchPlaces(access: access)), kind: type)
            return try rows(index, words, masker)
        }
        if outputOptions.json { return Output.json(Result(hits: found)) }
        for row in found {
            let origin = row.origin.map { "  in \($0)" } ?? ""
            Output.line("\(Self.decimal(row.score))  \(row.uri)\(origin)")
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

    private func rows(
        _ index: CorpusIndex, _ words: [String], _ masker: TextMasker?
    ) throws -> [Row] {
        let hits = try index.find(words, limit: limit)
        return try zip(hits, index.snippets(of: hits, words, masker)).map { hit, snippet in
            // A name may be a secret, too.
            Row(
                uri: masker?.mask(hit.document.uri) ?? hit.document.uri,
                origin: hit.document.origin, type: hit.document.kind, score: hit.score,
                snippet: snippet, words: explain ? try index.shares(of: words, in: hit) : nil)
        }
    }

    private func corpora(_ places: SearchPlaces) throws -> [RunCorpus] {
        if let place {
            let corpus = try RunCorpus(
                try places.folder(named: place, opening), asOf: asOf, origin: place)
            guard isWanted(corpus.run?.spec, corpus.run?.run) else { throw missing(in: place) }
            return [corpus]
        }
        let service = places.access.service
        let runs = try service.runs().filter { isWanted($0.name.spec, $0.name.run) }
        let imports = try ImportRecord.all(in: service).filter { isWanted($0.spec, $0.run) }
        if runs.isEmpty, imports.isEmpty, spec != nil || runID != nil { throw missing(in: nil) }
        var corpora: [RunCorpus] = []
        for run in runs where hasMoment(run.checkpoints.map(\.label)) {
            corpora.append(try RunCorpus(try places.folder(of: run), asOf: asOf))
        }
        for record in imports where hasMoment(record.checkpoints) {
            do {
                corpora.append(
                    try RunCorpus(
                        try places.folder(ofImport: record.name), asOf: asOf,
                        origin: record.name))
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

    private func isWanted(_ spec: String?, _ run: String?) -> Bool {
        (self.spec == nil || self.spec == spec) && (runID == nil || runID == run)
    }

    private func hasMoment(_ labels: [String]) -> Bool { asOf.map(labels.contains) ?? true }

    private func missing(in place: String?) -> RunError {
        let what = runID.map { "run '\($0)'" } ?? "run"
        let spec = spec.map { " of '\($0)'" } ?? ""
        let remedy =
            place == nil
            ? "'capsule run list' and 'capsule imports list' name those that are there"
            : "search it without --spec and --run"
        return RunError(
            .usage, "unknown_run",
            "there is no \(what)\(spec) in \(place ?? "the workspace and its imports"): \(remedy)")
    }
}
