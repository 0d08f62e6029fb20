import CSQLite3
import Glibc

/// A prepared statement, used again and again.
///
/// `bind` counts from 1, `column` from 0, as SQLite does.
public final class Statement {
    private let database: Database
    private let raw: OpaquePointer

    /// Compiles `sql`. Throws `StoreError`.
    public init(_ database: Database, _ sql: String) throws(StoreError) {
        var statement: OpaquePointer?
        let status = sqlite3_prepare_v3(
            database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard status == SQLITE_OK, let statement else { throw database.failure(status) }
        self.database = database
        raw = statement
    }

    deinit { sqlite3_finalize(raw) }

    /// Binds an integer.
    @discardableResult
    public func bind(_ index: Int32, _ value: Int64) -> Statement {
        sqlite3_bind_int64(raw, index, value)
        return self
    }

    /// Binds bytes; SQLite copies them.
    @discardableResult
    public func bind(_ index: Int32, _ bytes: UnsafeRawBufferPointer) -> Statement {
        // A null pointer would be NULL and not an empty blob.
        if let base = bytes.baseAddress, !bytes.isEmpty {
            _ = capsule_sqlite3_bind_blob_copy(raw, index, base, Int32(bytes.count))
        } else {
            sqlite3_bind_zeroblob(raw, index, 0)
        }
        return self
    }

    /// Binds bytes.
    @discardableResult
    public func bind(_ index: Int32, _ bytes: [UInt8]) -> Statement {
        bytes.withUnsafeBytes { bind(index, $0) }
    }

    /// Runs to the end, without looking at rows.
    public func run() throws(StoreError) {
        defer { sqlite3_reset(raw) }
        while true {
            let status = sqlite3_step(raw)
            if status == SQLITE_DONE { return }
            guard status == SQLITE_ROW else { throw database.failure(status) }
        }
    }

    /// What `body` makes of the first row, or nil where there is none.
    public func first<Result>(
        _ body: (Row) throws(StoreError) -> Result
    ) throws(StoreError) -> Result? {
        defer { sqlite3_reset(raw) }
        let status = sqlite3_step(raw)
        if status == SQLITE_DONE { return nil }
        guard status == SQLITE_ROW else { throw database.failure(status) }
        return try body(Row(raw: raw))
    }

    /// What `body` makes of every row.
    public func all<Result>(
        _ body: (Row) throws(StoreError) -> Result
    ) throws(StoreError) -> [Result] {
        defer { sqlite3_reset(raw) }
        var results: [Result] = []
        while true {
            let status = sqlite3_step(raw)
            if status == SQLITE_DONE { return results }
            guard status == SQLITE_ROW else { throw database.failure(status) }
            results.append(try body(Row(raw: raw)))
        }
    }

    /// The present row, valid during the call it is handed to.
    public struct Row {
        fileprivate let raw: OpaquePointer

        /// An integer.
        public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(raw, column) }

        /// Bytes, which are copied.
        public func bytes(_ column: Int32) -> [UInt8] {
            withBytes(column) { Array($0) }
        }

        /// Bytes as text; what is no UTF-8 is replaced.
        public func text(_ column: Int32) -> String {
            withBytes(column) { String(decoding: $0, as: UTF8.self) }
        }

        /// Lends bytes to `body`.
        public func withBytes<Result>(
            _ column: Int32, _ body: (UnsafeRawBufferPointer) -> Result
        ) -> Result {
            let start = sqlite3_column_blob(raw, column)
            let count = Int(sqlite3_column_bytes(raw, column))
            return body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
        }
    }
}
