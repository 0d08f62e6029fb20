import CSQLite3

/// A full-text index in memory: SQLite's FTS5 with BM25. Nothing of it reaches a disk.
public final class TextIndex {
    /// A document that was found.
    public struct Hit: Equatable, Sendable {
        /// Which one: how many were added before it.
        public let number: Int
        /// BM25 as FTS5 computes it, turned round: the higher, the better.
        public let score: Double
    }

    private let raw: OpaquePointer
    private let insert: OpaquePointer
    private let splitter: WordSplitter
    private var count = 0

    /// An empty index. What `fixedWord` finds in a text, from an offset on, counts as one word: the
    /// one that it says, which no text has otherwise. Throws `StoreError`.
    public init(
        fixedWord:
            @escaping (
                _ text: UnsafeBufferPointer<UInt8>, _ offset: Int
            ) -> (range: Range<Int>, word: [UInt8])?
    ) throws(StoreError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY
        let status = sqlite3_open_v2(":memory:", &opened, flags, nil)
        guard status == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw StoreError(.system, "no index can be made in memory (\(status))", errno: 0)
        }
        do throws(StoreError) {
            splitter = try WordSplitter(opened, find: fixedWord)
        } catch {
            sqlite3_close_v2(opened)
            throw error
        }
        raw = opened
        var statement: OpaquePointer?
        let setUp = """
            PRAGMA temp_store = MEMORY;
            CREATE VIRTUAL TABLE document USING fts5(
              text, tokenize = "\(WordSplitter.name)");
            BEGIN;
            """
        guard sqlite3_exec(raw, setUp, nil, nil, nil) == SQLITE_OK,
            sqlite3_prepare_v2(
                raw, "INSERT INTO document(rowid, text) VALUES (?1, ?2)", -1, &statement, nil)
                == SQLITE_OK, let statement
        else {
            let message = String(cString: sqlite3_errmsg(raw))
            sqlite3_close_v2(raw)
            throw StoreError(.system, "no index can be made: \(message)", errno: 0)
        }
        insert = statement
    }

    deinit {
        sqlite3_finalize(insert)
        sqlite3_close_v2(raw)
    }

    private static func bind(
        _ statement: OpaquePointer, _ index: Int32, _ text: some Sequence<UInt8>
    ) {
        let bytes = Array(text)
        // SQLITE_TRANSIENT: the bytes are copied.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        bytes.withUnsafeBytes { buffer in
            _ = sqlite3_bind_text64(
                statement, index, buffer.baseAddress?.assumingMemoryBound(to: CChar.self) ?? nil,
                UInt64(buffer.count), transient, UInt8(SQLITE_UTF8))
        }
    }

    private func failure() -> StoreError {
        StoreError(.system, "the index failed: \(String(cString: sqlite3_errmsg(raw)))", errno: 0)
    }

    /// Adds a document. What is no UTF-8 in its text is replaced.
    public func add(_ text: [UInt8]) throws(StoreError) {
        try insertRow(Self.row(count), text)
        // FTS5 gives a word that is in more than half of all documents no weight. Beside each
        // document one without words lets common words count, too.
        try insertRow(Self.row(count) + 1, [])
        count += 1
    }

    private static func row(_ number: Int) -> Int64 { Int64(number) * 2 + 1 }

    private func insertRow(_ row: Int64, _ text: [UInt8]) throws(StoreError) {
        sqlite3_bind_int64(insert, 1, row)
        Self.bind(insert, 2, String(decoding: text, as: UTF8.self).utf8.filter { $0 != 0 })
        defer { sqlite3_reset(insert) }
        guard sqlite3_step(insert) == SQLITE_DONE else { throw failure() }
    }

    /// Words of a query at most.
    private static let wordCountMax = 1000

    /// Scores that differ by less are equal, and the order of adding decides.
    private static let scoreUnit = 1e9

    /// The documents that hold any of the words, best first; among equals, in the order in which
    /// they were added.
    public func find(_ words: [String], limit: Int) throws(StoreError) -> [Hit] {
        var hits = try rows("rowid, -bm25(document)", words, of: nil) { statement in
            Hit(
                number: Int((sqlite3_column_int64(statement, 0) - 1) / 2),
                score: sqlite3_column_double(statement, 1))
        }
        hits.sort { one, other in
            let (first, second) = (
                (one.score * Self.scoreUnit).rounded(), (other.score * Self.scoreUnit).rounded()
            )
            return first == second ? one.number < other.number : first > second
        }
        return Array(hits.prefix(max(0, limit)))
    }

    /// What the words score in one document; nil where it has none of them.
    public func score(_ words: [String], of number: Int) throws(StoreError) -> Double? {
        try rows("-bm25(document)", words, of: number) { sqlite3_column_double($0, 0) }.first
    }

    /// The part of a document around the words, as it was added; nil where it has none of them.
    public func snippet(_ words: [String], of number: Int) throws(StoreError) -> String? {
        try rows("snippet(document, 0, '', '', '…', 24)", words, of: number) {
            Self.text($0, 0)
        }.first
    }

    private func rows<Row>(
        _ columns: String, _ words: [String], of number: Int?, _ body: (OpaquePointer) -> Row
    ) throws(StoreError) -> [Row] {
        guard Set(words).count <= Self.wordCountMax else {
            throw StoreError(
                .system, "a query has more than \(Self.wordCountMax) words", errno: 7)
        }
        let query = Set(words).sorted().map { "\"\($0.filter { $0 != "\"" && $0 != "\0" })\"" }
            .filter { $0.count > 2 }.joined(separator: " OR ")
        guard !query.isEmpty else { return [] }
        var prepared: OpaquePointer?
        let place = number == nil ? "" : " AND rowid = ?2"
        let sql = "SELECT \(columns) FROM document WHERE document MATCH ?1\(place)"
        guard sqlite3_prepare_v2(raw, sql, -1, &prepared, nil) == SQLITE_OK,
            let statement = prepared
        else { throw failure() }
        defer { sqlite3_finalize(statement) }
        Self.bind(statement, 1, query.utf8)
        if let number { sqlite3_bind_int64(statement, 2, Self.row(number)) }
        var found: [Row] = []
        var status = sqlite3_step(statement)
        while status == SQLITE_ROW {
            found.append(body(statement))
            status = sqlite3_step(statement)
        }
        guard status == SQLITE_DONE else { throw failure() }
        return found
    }

    private static func text(_ statement: OpaquePointer, _ column: Int32) -> String {
        sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
    }
}
