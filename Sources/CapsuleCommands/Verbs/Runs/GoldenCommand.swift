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
            GoldenAddCommand.self, GoldenListCommand.self, GoldenRunCommand.self,
            GoldenCompareCommand.self,
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
        try MemoryBackend.requireCapsules(try SettingsFile.find())
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
                .insert(golden.entry), .goldenChanged,
                [
                    "spec_id": .text(run.name.spec), "run_id": .text(run.name.run),
                    "name": .text(name),
                ])
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

/// What golden queries find somewhere.
private struct GoldenReport: Encodable {
    struct Row: Encodable {
        let name: String
        let agrees: Bool
        let metrics: GoldenQuery.Metrics
    }

    let place: String
    let queries: [Row]
    let mean: GoldenQuery.Metrics

    init(_ place: String, _ queries: [GoldenQuery], _ tree: any ReadableTree) throws {
        self.place = place
        let search = GoldenSearch(tree)
        self.queries = try queries.map { query in
            let found = try search.results(of: query)
            return Row(
                name: query.name, agrees: GoldenQuery.agree(found, query.results),
                metrics: query.metrics(of: found))
        }
        mean = GoldenQuery.Metrics.mean(self.queries.map(\.metrics))
    }

    var agrees: Bool { queries.allSatisfy(\.agrees) }

    func show() {
        var table = Table()
        for row in queries {
            table.add(row.name, row.agrees ? "agrees" : "differs", line(row.metrics))
        }
        table.add("mean", "", line(mean))
        table.print()
    }

    private func line(_ metrics: GoldenQuery.Metrics) -> String {
        "P@10 \(metrics.precision)  R@10 \(metrics.recall)  MRR \(metrics.reciprocalRank)"
    }
}

/// The queries and the folder of a run, an import or a capsule.
private func golden(
    _ name: String, _ access: WorkspaceAccess, _ opening: OpeningOptions
) throws -> (queries: [GoldenQuery], tree: any ReadableTree) {
    let places = SearchPlaces(access: access)
    if let run = try access.service.runs().first(where: { $0.name.run == name }) {
        return (
            try GoldenQuery.all(in: access.service, of: run.name), try places.folder(of: run)
        )
    }
    let tree = try places.folder(named: name, opening)
    return (try GoldenQuery.file(in: tree), tree)
}

struct GoldenRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Search again, and compare with what was found.",
        discussion: "Exits with 3 where something else is found.")

    @Argument(help: "A run's id, an import's name, or a capsule's file.") var place: String
    @OptionGroup var workspace: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        try MemoryBackend.requireCapsules(try SettingsFile.find())
        let report = try workspace.withAccess(opening, isReadOnly: true) { access in
            let (queries, tree) = try golden(place, access, opening)
            return try GoldenReport(place, queries, tree)
        }
        if outputOptions.json { Output.json(report) } else { report.show() }
        if !report.agrees { throw ExitCode(3) }
    }
}

struct GoldenCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare what the queries of A find in A and in B.",
        discussion: "Exits with 3 where B is below 0.95 of A.")

    @Argument(help: "A run's id, an import's name, or a capsule's file.") var a: String
    @Argument(help: "Another.") var b: String
    @OptionGroup var workspace: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private static let bar = 0.95

    private struct Result: Encodable {
        let a: GoldenReport
        let b: GoldenReport
        let passes: Bool
    }

    func run() throws {
        try MemoryBackend.requireCapsules(try SettingsFile.find())
        let result = try workspace.withAccess(opening, isReadOnly: true) { access in
            let (queries, first) = try golden(a, access, opening)
            let (_, second) = try golden(b, access, opening)
            let one = try GoldenReport(a, queries, first)
            let other = try GoldenReport(b, queries, second)
            let passes =
                other.mean.precision >= Self.bar * one.mean.precision
                && other.mean.recall >= Self.bar * one.mean.recall
                && other.mean.reciprocalRank >= Self.bar * one.mean.reciprocalRank
            return Result(a: one, b: other, passes: passes)
        }
        if outputOptions.json {
            Output.json(result)
        } else {
            for report in [result.a, result.b] {
                Output.line(report.place)
                report.show()
            }
            Output.line(result.passes ? "B holds" : "B is below \(Self.bar) of A")
        }
        if !result.passes { throw ExitCode(3) }
    }
}
