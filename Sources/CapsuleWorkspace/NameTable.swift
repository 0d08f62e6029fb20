import CapsuleCrypto
import CapsuleStore
import Glibc

/// An entry of a directory: a name and the inode behind it.
struct NamedChild: Equatable, Sendable {
    let name: [UInt8]
    let child: UInt64
    /// Its place in the directory, which stays while the entry does.
    let cookie: Int64
}

/// The entries of all directories, each at the hash of its name: so a directory can be read while
/// it changes, from the place where the last call ended, without an entry twice or left out.
final class NameTable {
    private let select: Statement
    private let insert: Statement
    private let archive: Statement
    private let delete: Statement
    private let list: Statement
    private static let context = Blake3Context("capsulefs 2 workspace name hash")

    static let columns = "parent, hash, name, child, born"

    /// Names with the same hash stand behind each other in as many places.
    private static let probeCount: Int64 = 8
    /// Cookies below are for `.` and `..`.
    static let cookieMin: Int64 = 16

    init(_ database: Database) throws(StoreError) {
        select = try Statement(
            database,
            """
            SELECT child, hash, born FROM entry
            WHERE parent = ?1 AND hash BETWEEN ?2 AND ?3 AND name = ?4
            """)
        insert = try Statement(
            database,
            "INSERT OR IGNORE INTO entry(\(Self.columns)) VALUES (?1,?2,?3,?4,?5)")
        archive = try Statement(
            database,
            """
            INSERT INTO past_entry(\(Self.columns), died)
            SELECT \(Self.columns), ?3 FROM entry WHERE parent = ?1 AND hash = ?2
            """)
        delete = try Statement(database, "DELETE FROM entry WHERE parent = ?1 AND hash = ?2")
        list = try Statement(
            database,
            """
            SELECT hash, name, child FROM entry WHERE parent = ?1 AND hash > ?2
            ORDER BY hash LIMIT ?3
            """)
    }

    /// The place of a name: 56 bits, so that probing does not overflow and a cookie is positive.
    private static func hash(_ name: [UInt8]) -> Int64 {
        let digest = context.hash(name).bytes
        let number = digest.prefix(7).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return number + cookieMin
    }

    /// The places at which a name can stand.
    static func places(of name: [UInt8]) -> ClosedRange<Int64> {
        let hash = hash(name)
        return hash...hash + probeCount - 1
    }

    private func locate(
        _ name: [UInt8], in parent: UInt64
    ) throws(StoreError) -> (child: UInt64, hash: Int64, born: Int64)? {
        let places = Self.places(of: name)
        return try select.bind(1, Int64(bitPattern: parent)).bind(2, places.lowerBound)
            .bind(3, places.upperBound).bind(4, name)
            .first { (UInt64(bitPattern: $0.integer(0)), $0.integer(1), $0.integer(2)) }
    }

    /// The inode behind a name, or nil.
    func find(_ name: [UInt8], in parent: UInt64) throws(StoreError) -> UInt64? {
        try locate(name, in: parent)?.child
    }

    /// Adds a name that is not there.
    func add(
        _ name: [UInt8], in parent: UInt64, child: UInt64, epoch: Int64, in database: Database
    ) throws(StoreError) {
        for place in Self.places(of: name) {
            try insert.bind(1, Int64(bitPattern: parent)).bind(2, place).bind(3, name)
                .bind(4, Int64(bitPattern: child)).bind(5, epoch).run()
            if database.changeCount > 0 { return }
        }
        throw StoreError(.statement, "eight names have one hash", errno: ENOSPC)
    }

    /// Removes a name that is there.
    func remove(_ name: [UInt8], in parent: UInt64, epoch: Int64) throws(StoreError) {
        guard let found = try locate(name, in: parent) else { return }
        let key = Int64(bitPattern: parent)
        if found.born < epoch {
            try archive.bind(1, key).bind(2, found.hash).bind(3, epoch).run()
        }
        try delete.bind(1, key).bind(2, found.hash).run()
    }

    /// Up to `count` entries after a cookie.
    func entries(
        of parent: UInt64, after cookie: Int64, count: Int
    ) throws(StoreError) -> [NamedChild] {
        try list.bind(1, Int64(bitPattern: parent)).bind(2, cookie).bind(3, Int64(count)).all {
            NamedChild(
                name: $0.bytes(1), child: UInt64(bitPattern: $0.integer(2)),
                cookie: $0.integer(0))
        }
    }

    /// Whether a directory has no entries.
    func isEmpty(_ parent: UInt64) throws(StoreError) -> Bool {
        try entries(of: parent, after: 0, count: 1).isEmpty
    }
}
