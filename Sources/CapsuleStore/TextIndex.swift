import CSQLite3

/// A full-text index in memory: SQLite's FTS5 with BM25. Nothing of it reaches a disk.
public final class TextIndex {
    /// A document that was found.
    public struct Hit: Equatable, Sendable {
        /// The document's name.
        public let name: String
        /// Its kind.
        public let kind: String
        /// BM25 as FTS5 computes it, turned round: the higher, the better.
        public let score: Double
        /// A part of the text around what was found.
        public let snippet: String
    }

    private let raw: OpaquePointer
    private let insert: OpaquePointer

    /// An empty index. Throws `StoreError`.
    public init() throws(StoreError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY
        let status = sqlite3_open_v2(":memory:", &opened, flags, nil)
        guard status == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw StoreError(.system, "no index can be made in memory (\(status))", errno: 0)
        }
        raw = opened
        var statement: OpaquePointer?
        let setUp = """
            PRAGMA temp_store = MEMORY;
            CREATE VIRTUAL TABLE document USING fts5(
              name UNINDEXED, kind UNINDEXED, text, tokenize = "unicode61");
            BEGIN;
            """
        guard sqlite3_exec(raw, setUp, nil, nil, nil) == SQLITE_OK,
            sqlite3_prepare_v2(
                raw, "INSERT INTO document(name, kind, text) VALUES (?1, ?2, ?3)", -1, &statement,
                nil) == SQLITE_OK, let statement
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
    public func add(_ name: String, kind: String, text: [UInt8]) throws(StoreError) {
        try insertRow(name, kind: kind, text: text)
        // FTS5 gives a word that is in more than half of all documents no weight. Beside each
        // document one without words lets common words count, too.
        try insertRow("", kind: "", text: [])
    }

    private func insertRow(_ name: String, kind: String, text: [UInt8]) throws(StoreError) {
        Self.bind(insert, 1, name.utf8)
        Self.bind(insert, 2, kind.utf8)
        Self.bind(insert, 3, String(decoding: text, as: UTF8.self).utf8.filter { $0 != 0 })
        defer { sqlite3_reset(insert) }
        guard sqlite3_step(insert) == SQLITE_DONE else { throw failure() }
    }

    /// Words of a query at most.
    private static let wordCountMax = 1000

    /// Scores that differ by less are equal, and names decide.
    private static let scoreUnit = 1e9

    /// The documents that hold any of the words, best first; among equals, in the order of their
    /// names.
    public func find(_ words: [String], limit: Int) throws(StoreError) -> [Hit] {
        guard Set(words).count <= Self.wordCountMax else {
            throw StoreError(
                .system, "a query has more than \(Self.wordCountMax) words", errno: 7)
        }
        let query = Set(words).sorted().map { "\"\($0.filter { $0 != "\"" && $0 != "\0" })\"" }
            .filter { $0.count > 2 }.joined(separator: " OR ")
        guard !query.isEmpty else { return [] }
        var prepared: OpaquePointer?
        let sql = """
            SELECT name, kind, -bm25(document), snippet(document, 2, '', '', '…', 24)
            FROM document WHERE document MATCH ?1
            """
        guard sqlite3_prepare_v2(raw, sql, -1, &prepared, nil) == SQLITE_OK,
            let statement = prepared
        else { throw failure() }
        defer { sqlite3_finalize(statement) }
        Self.bind(statement, 1, query.utf8)
        var hits: [Hit] = []
        var status = sqlite3_step(statement)
        while status == SQLITE_ROW {
            hits.append(
                Hit(
                    name: Self.text(statement, 0), kind: Self.text(statement, 1),
                    score: sqlite3_column_double(statement, 2),
                    snippet: Self.text(statement, 3)))
            status = sqlite3_step(statement)
        }
        guard status == SQLITE_DONE else { throw failure() }
        hits.sort { one, other in
            let (first, second) = (
                (one.score * Self.scoreUnit).rounded(), (other.score * Self.scoreUnit).rounded()
            )
            return first == second ? one.name < other.name : first > second
        }
        return Array(hits.prefix(max(0, limit)))
    }

    private static func text(_ statement: OpaquePointer, _ column: Int32) -> String {
        sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
    }
}
