import CapsuleStore
import Glibc

/// The inodes of the live tree. Changes stay in memory until `flush`.
final class InodeTable {
    private let select: Statement
    private let insert: Statement
    private let archive: Statement
    private let delete: Statement
    private let keepNumber: Statement
    private var cached: [UInt64: Inode] = [:]
    /// Changed or new since the last flush.
    private var dirty: Set<UInt64> = []
    /// Numbers that the database has a row of.
    private var removed: Set<UInt64> = []
    private var next: UInt64

    /// Rows kept in memory after a flush.
    private static let cachedCountMax = 32768

    static let columns = """
        number, born, mode, uid, gid, links, size, stored, device, parent,
        atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns, attributes
        """

    init(_ database: Database) throws(StoreError) {
        select = try Statement(
            database, "SELECT \(Self.columns) FROM inode WHERE number = ?1")
        insert = try Statement(
            database,
            """
            INSERT OR REPLACE INTO inode(\(Self.columns))
            VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)
            """)
        archive = try Statement(
            database,
            """
            INSERT INTO past_inode(\(Self.columns), died)
            SELECT \(Self.columns), ?2 FROM inode WHERE number = ?1 AND born < ?2
            """)
        delete = try Statement(database, "DELETE FROM inode WHERE number = ?1")
        keepNumber = try Statement(
            database, "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'inode' AND seq < ?1")
        let last = try Statement(
            database, "SELECT seq FROM sqlite_sequence WHERE name = 'inode'")
        next = UInt64(clamping: try last.first { $0.integer(0) } ?? 0) + 1
    }

    /// A number that no inode has had.
    func takeNumber() -> UInt64 {
        defer { next += 1 }
        return next
    }

    /// The inode of a number, or nil.
    func find(_ number: UInt64) throws(StoreError) -> Inode? {
        if let present = cached[number] { return present }
        if removed.contains(number) { return nil }
        let row = try select.bind(1, Int64(bitPattern: number)).first(Self.inode)
        if cached.count >= Self.cachedCountMax { evict() }
        if let row { cached[number] = row }
        return row
    }

    /// Drops what is stored already.
    private func evict() {
        cached = cached.filter { dirty.contains($0.key) }
    }

    /// Forgets everything that is not stored.
    func reset() {
        cached = [:]
        dirty = []
        removed = []
    }

    /// Puts a new or changed inode into memory.
    func put(_ inode: Inode) {
        cached[inode.number] = inode
        dirty.insert(inode.number)
    }

    /// Forgets an inode; its row goes at the next flush.
    func remove(_ number: UInt64) {
        cached[number] = nil
        dirty.remove(number)
        removed.insert(number)
    }

    /// Writes what changed, rows of earlier epochs to the past first.
    func flush(epoch: Int64) throws(StoreError) {
        for number in removed {
            let key = Int64(bitPattern: number)
            try archive.bind(1, key).bind(2, epoch).run()
            try delete.bind(1, key).run()
        }
        removed.removeAll()
        for number in dirty {
            guard var inode = cached[number] else { continue }
            if inode.born < epoch {
                try archive.bind(1, Int64(bitPattern: number)).bind(2, epoch).run()
                inode.born = epoch
                cached[number] = inode
            }
            try write(inode)
        }
        dirty.removeAll(keepingCapacity: true)
        // SQLite only knows numbers that reached it, and no number may come again.
        try keepNumber.bind(1, Int64(bitPattern: next) - 1).run()
        if cached.count > Self.cachedCountMax { evict() }
    }

    /// Whether anything waits for a flush.
    var hasChanges: Bool { !dirty.isEmpty || !removed.isEmpty }

    private func write(_ inode: Inode) throws(StoreError) {
        let values: [Int64] = [
            Int64(bitPattern: inode.number), inode.born, Int64(inode.mode), Int64(inode.uid),
            Int64(inode.gid), Int64(inode.linkCount), Int64(bitPattern: inode.size),
            Int64(bitPattern: inode.storedSize), Int64(bitPattern: inode.device),
            Int64(bitPattern: inode.parent), inode.accessed.seconds,
            Int64(inode.accessed.nanoseconds), inode.modified.seconds,
            Int64(inode.modified.nanoseconds), inode.changed.seconds,
            Int64(inode.changed.nanoseconds), inode.hasAttributes ? 1 : 0,
        ]
        for (index, value) in values.enumerated() { insert.bind(Int32(index + 1), value) }
        try insert.run()
    }

    static func inode(_ row: Statement.Row) throws(StoreError) -> Inode {
        func time(_ column: Int32) -> FileTime {
            FileTime(
                seconds: row.integer(column),
                nanoseconds: UInt32(truncatingIfNeeded: row.integer(column + 1)))
        }
        func short(_ column: Int32) -> UInt32 { UInt32(truncatingIfNeeded: row.integer(column)) }
        func long(_ column: Int32) -> UInt64 { UInt64(bitPattern: row.integer(column)) }
        guard row.integer(0) > 0, row.integer(6) >= 0, row.integer(7) >= 0 else {
            throw StoreError(.damaged, "an inode has an impossible number or size", errno: EIO)
        }
        return Inode(
            number: long(0), born: row.integer(1), mode: short(2), uid: short(3), gid: short(4),
            linkCount: short(5), size: long(6), storedSize: long(7), device: long(8),
            parent: long(9), accessed: time(10), modified: time(12), changed: time(14),
            hasAttributes: row.integer(16) != 0)
    }
}
