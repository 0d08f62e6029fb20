import CapsulePolicy
import CapsuleStore

/// Searches the documents of one or several places.
public final class CorpusIndex {
    /// A document that was found.
    public struct Hit {
        /// The document.
        public let document: RunCorpus.Document
        /// BM25, the higher the better.
        public let score: Double
        fileprivate let number: Int
    }

    private let documents: [RunCorpus.Document]
    private let index: TextIndex

    /// The index of the documents, or of those of a kind.
    public init(_ corpora: [RunCorpus], kind: String? = nil) throws {
        // Where scores are equal, the index keeps to the order: by URI, then by origin. Whoever
        // makes a capsule can give anything the URI of something else.
        documents = corpora.flatMap(\.documents).filter { kind == nil || $0.kind == kind }
            .sorted { ($0.uri, $0.origin ?? "") < ($1.uri, $1.origin ?? "") }
        index = try Self.index(documents.lazy.map(\.text))
    }

    /// A placeholder counts as one word for its kind, whatever its number: which value it stands
    /// for is nobody's business, and the number depends on what else was masked. The word begins
    /// with a character that no word of a text has.
    private static func index(_ texts: some Sequence<[UInt8]>) throws(StoreError) -> TextIndex {
        let index = try TextIndex { text, offset in
            Placeholder.first(in: text, from: offset).map { ($0.range, [1] + $0.kind) }
        }
        for text in texts { try index.add(text) }
        return index
    }

    /// The words of a query.
    public static func words(_ query: String) -> [String] {
        query.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// The best documents with any of the words; of equal ones the order is that of their URIs.
    public func find(_ words: [String], limit: Int) throws(StoreError) -> [Hit] {
        try index.find(words, limit: limit).map { hit in
            Hit(document: documents[hit.number], score: hit.score, number: hit.number)
        }
    }

    /// What each word adds to the score of a hit.
    public func shares(of words: [String], in hit: Hit) throws(StoreError) -> [String: Double] {
        var shares: [String: Double] = [:]
        for word in words { shares[word] = try index.score([word], of: hit.number) }
        return shares
    }

    /// The parts of the hits around the words. The whole text of a hit is masked first: a part of
    /// it may not look like the secret that it is a part of.
    public func snippets(
        of hits: [Hit], _ words: [String], _ masker: TextMasker?
    ) throws(StoreError) -> [String] {
        var snippets: [String] = []
        for hit in hits {
            guard let masker else {
                snippets.append(try index.snippet(words, of: hit.number) ?? "")
                continue
            }
            let text = masker.mask(hit.document.text)
            // What was looked for may be masked.
            let around = try Self.index([text]).snippet(words, of: 0)
            snippets.append(around ?? Self.start(of: text))
        }
        return snippets
    }

    private static let startLength = 160

    private static func start(of text: [UInt8]) -> String {
        let start = String(decoding: text.filter { $0 != 0 }, as: UTF8.self)
        return start.count > startLength ? start.prefix(startLength) + "…" : start
    }
}
