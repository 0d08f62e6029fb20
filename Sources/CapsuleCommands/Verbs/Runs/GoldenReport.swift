import ArgumentParser
import CapsuleAccess
import CapsuleFormat
import CapsuleRuns
import CapsuleWorkspace

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
    _ name: String, of spec: String?, _ access: WorkspaceAccess, _ opening: OpeningOptions
) throws -> (queries: [GoldenQuery], tree: any ReadableTree) {
    let (tree, run) = try SearchPlaces(access: access).folder(named: name, of: spec, opening)
    if let run { return (try GoldenQuery.all(in: access.service, of: run.name), tree) }
    return (try GoldenQuery.file(in: tree), tree)
}

struct GoldenRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Search again, and compare with what was found.",
        discussion: "Exits with 3 where something else is found.")

    @Argument(help: "A run's id, an import's name, or a capsule's file.") var place: String
    @Option(name: [.customShort("s"), .long], help: "The work item of the run.") var spec: String?
    @OptionGroup var workspace: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        try SearchPlaces.requireSearch(try SettingsFile.find())
        let report = try workspace.withAccess(opening, isReadOnly: true) { access in
            let (queries, tree) = try golden(place, of: spec, access, opening)
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
    @Option(name: [.customShort("s"), .long], help: "The work item of the runs.") var spec: String?
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
        try SearchPlaces.requireSearch(try SettingsFile.find())
        let result = try workspace.withAccess(opening, isReadOnly: true) { access in
            let (queries, first) = try golden(a, of: spec, access, opening)
            let (_, second) = try golden(b, of: spec, access, opening)
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
