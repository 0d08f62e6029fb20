import ArgumentParser
import CapsuleAccess
import CapsuleFormat
import CapsuleRuns
import CapsuleWorkspace

/// `capsule golden`.
struct GoldenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "golden", abstract: "Keep queries whose results are known, and compare.",
        discussion: "See capsule-golden(1).",
        subcommands: [
            GoldenAddCommand.self, GoldenListCommand.self, GoldenRemoveCommand.self,
            GoldenRunCommand.self, GoldenCompareCommand.self,
        ])
}

struct GoldenAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Keep a query of a run, with what it finds now.")

    @OptionGroup var which: RunOptions
    @Argument(help: "Its name.") var name: String
    @Argument(help: "The words.") var query: String
    @Option(name: .long, help: "As of a checkpoint of the run.") var asOf: String?
    @Option(name: .long, help: "A URI that shall be found; else what is found now.")
    var expect: [String] = []
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        try SearchPlaces.requireSearch(try SettingsFile.find())
        guard RunName.isValid(name) else {
            throw RunError(.usage, "bad_name", "'\(name)' cannot name a golden query")
        }
        let found = try place.withAccess(opening) { access in
            let run = try which.find(in: access.service)
            let search = GoldenSearch(try SearchPlaces(access: access).folder(of: run))
            var golden = GoldenQuery(
                name: name, query: query, of: run.name, asOf: asOf, expected: expect)
            golden.results = try search.results(of: golden)
            if expect.isEmpty { golden.expected = golden.results.map(\.uri) }
            try access.service.changeLedger(
                .insert(golden.entry), .goldenChanged, golden.details)
            return golden
        }
        if outputOptions.json { return Output.json(found) }
        Output.line("\(name): \(found.results.count) results")
    }
}

struct GoldenListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the golden queries of a workspace.")

    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable { let queries: [GoldenQuery] }

    func run() throws {
        try MemoryBackend.requireCapsules(try SettingsFile.find())
        let queries = try place.withService(opening, isReadOnly: true) {
            try GoldenQuery.all(in: $0)
        }
        let masker = TextMasker(rules: try SettingsFile.find().rules())
        if outputOptions.json {
            let masked = queries.map { query in
                var query = query
                query.query = masker.mask(query.query)
                query.expected = query.expected.map { masker.mask($0) }
                query.results = query.results.map {
                    GoldenQuery.Result(uri: masker.mask($0.uri), score: $0.score)
                }
                return query
            }
            return Output.json(Result(queries: masked))
        }
        var table = Table()
        for query in queries {
            let words = masker.mask(Array(query.query.utf8))
            table.add(
                query.spec, query.run, query.name, query.asOf ?? "",
                String(decoding: words, as: UTF8.self))
        }
        table.print()
    }
}

struct GoldenRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a golden query.")

    @OptionGroup var which: RunOptions
    @Argument(help: "Its name.") var name: String
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable { let removed: String }

    func run() throws {
        try MemoryBackend.requireCapsules(try SettingsFile.find())
        try place.withService(opening) { service in
            let run = try which.find(in: service)
            let queries = try GoldenQuery.all(in: service, of: run.name)
            guard let query = queries.first(where: { $0.name == name }) else {
                throw RunError(
                    .usage, "unknown_query",
                    "the run '\(run.name.run)' has no golden query '\(name)': 'capsule golden "
                        + "list' names those that are there")
            }
            try service.changeLedger(
                .remove(.golden, query.entry.name), .goldenChanged,
                query.details.merging(["removed": .flag(true)]) { $1 })
        }
        if outputOptions.json { return Output.json(Result(removed: name)) }
        Output.line("removed \(name)")
    }
}
