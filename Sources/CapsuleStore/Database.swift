import CSQLite3
import CapsuleCrypto
import CapsuleSystem
import Glibc

/// An encrypted SQLite database in a directory of sealed files. Not to be used by two threads at
/// once.
public final class Database {
    private let vfs: SealedVFS
    private var raw: OpaquePointer?

    /// How a database is opened.
    public enum Mode: Sendable {
        /// Makes one that is not there.
        case create
        /// Reads and writes.
        case readWrite
        /// Reads, and writes nothing at all.
        case readOnly
    }

    /// Opens the database in `directory`. Throws `StoreError`.
    ///
    /// - Parameters:
    ///   - id: 16 bytes, part of what every block authenticates.
    ///   - cacheLength: bytes of plaintext pages kept in memory.
    public init(
        in directory: any StorageDirectory, key: PageCipher, id: [UInt8], mode: Mode,
        cacheLength: Int = 32 << 20
    ) throws(StoreError) {
        precondition(id.count == 16, "a database id has 16 bytes")
        vfs = try SealedVFS(
            directory: directory, cipher: key, databaseID: id, isNew: mode == .create,
            isWritable: mode != .readOnly)
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        switch mode {
        case .create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .readWrite: flags |= SQLITE_OPEN_READWRITE
        case .readOnly: flags |= SQLITE_OPEN_READONLY
        }
        let status = sqlite3_open_v2(DatabaseFile.fileName, &raw, flags, vfs.name)
        guard status == SQLITE_OK else {
            let error = failure(status)
            sqlite3_close_v2(raw)
            raw = nil
            throw error
        }
        // An exclusive lock before the log is first touched: its index is then in our memory.
        try execute("PRAGMA locking_mode=EXCLUSIVE")
        try execute("PRAGMA temp_store=MEMORY")
        try execute("PRAGMA mmap_size=0")
        if mode == .create {
            // The one transaction before there is a log; a new workspace that is cut off here is
            // not one yet.
            try execute("PRAGMA page_size=\(SealedBlocks.length)")
            try execute("PRAGMA journal_mode=MEMORY")
            // Free pages can be given back without writing the whole database again.
            try execute("PRAGMA auto_vacuum=INCREMENTAL")
        }
        try execute("PRAGMA journal_mode=WAL")
        try execute("PRAGMA synchronous=FULL")
        try execute("PRAGMA wal_autocheckpoint=0")
        // Nothing is written before the commit, so that a full disk fails there and nowhere else.
        try execute("PRAGMA cache_spill=OFF")
        try execute("PRAGMA foreign_keys=OFF")
        // The schema and the pages are authentic, but may come from somebody else.
        try execute("PRAGMA trusted_schema=OFF")
        try execute("PRAGMA cell_size_check=ON")
        try execute("PRAGMA cache_size=-\(cacheLength >> 10)")
    }

    deinit { close() }

    /// Puts the log into the database and closes both. Statements must be gone.
    public func close() {
        guard let raw else { return }
        let status = sqlite3_close(raw)
        precondition(status == SQLITE_OK, "statements are finalised before their database")
        self.raw = nil
    }

    var handle: OpaquePointer {
        guard let raw else { preconditionFailure("the database is closed") }
        return raw
    }

    /// The error that SQLite's number stands for, and what is behind it.
    func failure(_ status: Int32) -> StoreError {
        if let behind = vfs.lastFailure {
            vfs.lastFailure = nil
            return behind
        }
        let text = raw.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
        let isDamage = [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_IOERR].contains(status & 0xff)
        return StoreError(
            isDamage ? .damaged : .statement, "the database: \(text)",
            errno: status & 0xff == SQLITE_FULL ? ENOSPC : EIO)
    }

    /// Runs statements that return nothing of interest.
    public func execute(_ sql: String) throws(StoreError) {
        let status = sqlite3_exec(handle, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw failure(status) }
    }

    /// Reads every page and every index. Hands a line about each fault to `report`.
    public func check(_ report: (String) -> Void) throws(StoreError) {
        let logged = try vfs.log?.loggedPages() ?? []
        try vfs.database?.check(besides: logged) { report($0.message) }
        for line in try Statement(self, "PRAGMA integrity_check").all({ $0.bytes(0) }) {
            let text = String(decoding: line, as: UTF8.self)
            if text != "ok" { report("the database: \(text)") }
        }
    }

    /// Whether a transaction is open.
    public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Whether it is time for a checkpoint.
    public var logIsLong: Bool { logLength > Self.logLengthMax }
    /// Bytes of the log: by so much at most a checkpoint makes the database longer.
    public var logLength: UInt64 { vfs.logLength }
    private static let logLengthMax: UInt64 = 16 << 20

    /// The rows that the last INSERT, UPDATE or DELETE touched.
    public var changeCount: Int { Int(sqlite3_changes(handle)) }

    /// Commits the open transaction, if there is one, and makes sure that everything committed is
    /// on the medium. After ENOSPC it can be called again: nothing is lost, and nothing is durable.
    public func commit() throws(StoreError) {
        if isInTransaction { try execute("COMMIT") }
        try vfs.log?.settle()
    }

    /// Whether something was committed that is not on the medium, for lack of space.
    public var isUnsettled: Bool { vfs.log?.isUnsettled ?? false }

    /// Puts the log into the database and empties it. No statement may be under way.
    public func checkpoint() throws(StoreError) {
        try vfs.log?.settle()
        var inLog: Int32 = 0
        var done: Int32 = 0
        let status = sqlite3_wal_checkpoint_v2(
            handle, nil, SQLITE_CHECKPOINT_TRUNCATE, &inLog, &done)
        guard status == SQLITE_OK else { throw failure(status) }
        precondition(inLog == done, "nobody else reads while a checkpoint runs")
    }
}
