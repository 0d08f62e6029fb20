import CapsuleFormat

/// Searches the folder of a run; each of its moments is read and indexed once.
public final class GoldenSearch {
    /// A thousandth of what scores may differ by and agree.
    private static let scoreUnit = 1e9
    private let tree: any ReadableTree
    private var indexes: [String: CorpusIndex] = [:]

    /// Searches in the folder of a run.
    public init(_ tree: any ReadableTree) { self.tree = tree }

    /// The best documents for some words at a checkpoint, or at the end.
    public func results(of words: String, asOf: String?) throws -> [GoldenQuery.Result] {
        let index =
            try indexes[asOf ?? ""] ?? CorpusIndex([try RunCorpus(tree, asOf: asOf)])
        indexes[asOf ?? ""] = index
        return try index.find(CorpusIndex.words(words), limit: GoldenQuery.depth)
            .map { hit in
                // All digits of a score could pass for the number of a card.
                let score = (hit.score * Self.scoreUnit).rounded() / Self.scoreUnit
                return GoldenQuery.Result(uri: hit.document.uri, score: score)
            }
    }

    /// What a query finds.
    public func results(of query: GoldenQuery) throws -> [GoldenQuery.Result] {
        try results(of: query.query, asOf: query.asOf)
    }
}
