import CapsuleFormat
import CapsuleStore
import CapsuleWorkspace
import FoundationEssentials

/// A query whose results are known: by them it shows whether a search still finds what it found.
public struct GoldenQuery: Codable, Equatable, Sendable {
    /// A result: a document and how well it fits.
    public struct Result: Codable, Equatable, Sendable {
        /// The document.
        public let uri: String
        /// BM25, the higher the better.
        public let score: Double

        /// A document with a score.
        public init(uri: String, score: Double) {
            self.uri = uri
            self.score = score
        }
    }

    /// Its name.
    public var name: String
    /// The words that are looked for.
    public var query: String
    /// The run.
    public var spec: String
    /// The run.
    public var run: String
    /// The checkpoint at which is searched, or nil: the end.
    public var asOf: String?
    /// The documents that shall be found.
    public var expected: [String]
    /// What was found, over exactly the documents that are beside it.
    public var results: [Result]
    /// Whether what stays, or is masked, in an export changes what is found.
    public var changedByScope: Bool?

    private enum CodingKeys: String, CodingKey {
        case name, query, expected, results
        case spec = "spec_id"
        case run = "run_id"
        case asOf = "as_of"
        case changedByScope = "changed_by_scope"
    }

    /// Results that are looked at.
    public static let depth = 10
    /// Scores that differ by no more agree.
    public static let tolerance = 1e-6

    /// A query without results yet.
    public init(name: String, query: String, of run: RunName, asOf: String?, expected: [String]) {
        self.name = name
        self.query = query
        spec = run.spec
        self.run = run.run
        self.asOf = asOf
        self.expected = expected
        results = []
    }

    /// Whether two lists of results agree: the same documents in the same order, with the same
    /// scores but for rounding.
    public static func agree(_ one: [Result], _ other: [Result]) -> Bool {
        one.count == other.count
            && zip(one, other).allSatisfy {
                $0.uri == $1.uri && abs($0.score - $1.score) <= tolerance
            }
    }

    /// How good results are.
    public struct Metrics: Codable, Equatable, Sendable {
        /// The part of the results that was expected.
        public var precision: Double
        /// The part of what was expected that was found.
        public var recall: Double
        /// One over the place of the first that was expected.
        public var reciprocalRank: Double

        private enum CodingKeys: String, CodingKey {
            case precision = "p_at_10"
            case recall = "r_at_10"
            case reciprocalRank = "mrr"
        }

        /// The means.
        public static func mean(_ list: [Metrics]) -> Metrics {
            let count = Double(max(1, list.count))
            return Metrics(
                precision: list.reduce(0) { $0 + $1.precision } / count,
                recall: list.reduce(0) { $0 + $1.recall } / count,
                reciprocalRank: list.reduce(0) { $0 + $1.reciprocalRank } / count)
        }
    }

    /// How good some results of this query are.
    public func metrics(of results: [Result]) -> Metrics {
        let wanted = Set(expected)
        let found = results.prefix(Self.depth).map(\.uri)
        let right = found.count { wanted.contains($0) }
        let first = found.firstIndex { wanted.contains($0) }
        return Metrics(
            precision: found.isEmpty ? 0 : Double(right) / Double(found.count),
            recall: wanted.isEmpty ? 1 : Double(right) / Double(wanted.count),
            reciprocalRank: first.map { 1 / Double($0 + 1) } ?? 0)
    }

    /// As an entry of the ledger.
    public var entry: LedgerEntry {
        LedgerEntry(.golden, "\(spec)/\(run)/\(name)", body: Self.encoded(self))
    }

    /// What an event about it says.
    public var details: [String: EventValue] {
        ["spec_id": .text(spec), "run_id": .text(run), "name": .text(name)]
    }

    private static func encoded(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("a query can be encoded")
        }
        return Array(data)
    }

    /// All of a workspace, or of one run.
    public static func all(
        in service: any RunService, of run: RunName? = nil
    ) throws -> [GoldenQuery] {
        try service.ledger(.golden).compactMap { entry in
            let query = try? JSONDecoder().decode(GoldenQuery.self, from: Data(entry.body))
            guard let query else {
                throw RunError(.system, "damaged", "the golden query \(entry.name) is damaged")
            }
            let isWanted = run.map { $0.spec == query.spec && $0.run == query.run } ?? true
            return isWanted ? query : nil
        }
    }

    private static let fileLengthMax: UInt64 = 4 << 20
    private static let countMax = 1000

    /// The name of the file with the queries of an exported run.
    public static let fileName = "golden.json"

    /// The file of some queries.
    public static func file(_ queries: [GoldenQuery]) -> [UInt8] { encoded(queries) + [10] }

    /// The queries in the folder of a run; none where it has no such file.
    public static func file(in tree: any ReadableTree) throws -> [GoldenQuery] {
        guard let found = try tree.resolve([Array(fileName.utf8)]) else { return [] }
        guard found.entry.isRegular, found.entry.size <= fileLengthMax else {
            throw RunError(.system, "damaged", "\(fileName) is longer than any that was exported")
        }
        let bytes = try URIResolver.read(found.entry, in: tree)
        guard let queries = try? JSONDecoder().decode([GoldenQuery].self, from: Data(bytes)) else {
            throw RunError(.system, "damaged", "\(fileName) is damaged")
        }
        guard queries.count <= countMax else {
            throw RunError(.system, "limit_exceeded", "\(fileName) has too many queries")
        }
        return queries
    }
}
