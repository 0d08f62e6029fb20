import CapsuleStore
import Glibc

/// Which block holds which bytes of a file; what no extent holds is a hole.
final class ExtentTable {
    private let select: Statement
    private let insert: Statement
    private let archive: Statement
    private let delete: Statement
    private let deleteAll: Statement
    private let archiveAll: Statement
    private let list: Statement

    static let columns = "inode, offset, length, segment, place, packed, plain, skip, born"

    init(_ database: Database) throws(StoreError) {
        // No extent is longer than a block: one that reaches into a range begins close before.
        select = try Statement(
            database,
            """
            SELECT \(Self.columns) FROM extent
            WHERE inode = ?1 AND offset > ?2 - \(SegmentStore.blockLength) AND offset < ?3
              AND offset + length > ?2
            ORDER BY offset
            """)
        list = try Statement(
            database,
            """
            SELECT \(Self.columns) FROM extent
            WHERE inode = ?1 AND offset > ?2 - \(SegmentStore.blockLength)
              AND offset + length > ?2
            ORDER BY offset LIMIT ?3
            """)
        insert = try Statement(
            database,
            "INSERT INTO extent(\(Self.columns)) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)")
        archive = try Statement(
            database,
            """
            INSERT INTO past_extent(\(Self.columns), died)
            SELECT \(Self.columns), ?3 FROM extent WHERE inode = ?1 AND offset = ?2
            """)
        delete = try Statement(database, "DELETE FROM extent WHERE inode = ?1 AND offset = ?2")
        deleteAll = try Statement(database, "DELETE FROM extent WHERE inode = ?1")
        archiveAll = try Statement(
            database,
            """
            INSERT INTO past_extent(\(Self.columns), died)
            SELECT \(Self.columns), ?2 FROM extent WHERE inode = ?1 AND born < ?2
            """)
    }

    /// Whether the numbers of a row can be: they size and place what is read.
    private static func isPossible(_ row: Statement.Row) -> Bool {
        let block = Int64(SegmentStore.blockLength)
        let (offset, length) = (row.integer(1), row.integer(2))
        let (packed, plain, skip) = (row.integer(5), row.integer(6), row.integer(7))
        return (1...block).contains(length) && offset >= 0 && offset <= Int64.max - length
            && (1...Int64(SegmentStore.segmentCountMax)).contains(row.integer(3))
            && (0..<Int64(SegmentStore.placeMax)).contains(row.integer(4))
            && (1...block).contains(plain) && (1...plain).contains(packed)
            && (0...plain - length).contains(skip)
    }

    static func extent(_ row: Statement.Row) throws(StoreError) -> FileExtent {
        let length = row.integer(2)
        guard length <= row.integer(6), isPossible(row) else {
            throw StoreError(.damaged, "an extent has impossible numbers", errno: EIO)
        }
        return FileExtent(
            offset: UInt64(bitPattern: row.integer(1)), length: UInt64(bitPattern: row.integer(2)),
            block: BlockPlace(
                segment: row.integer(3), place: UInt64(bitPattern: row.integer(4)),
                packedLength: Int(row.integer(5)), plainLength: Int(row.integer(6))),
            skip: UInt64(bitPattern: row.integer(7)), born: row.integer(8))
    }

    /// The extents that touch a range of a file, in order.
    func extents(
        of inode: UInt64, in range: Range<UInt64>
    ) throws(StoreError) -> [FileExtent] {
        try select.bind(1, Int64(bitPattern: inode)).bind(2, Int64(bitPattern: range.lowerBound))
            .bind(3, Int64(bitPattern: range.upperBound)).all(Self.extent)
    }

    /// Up to `count` extents that end after `offset`, in order.
    func extents(
        of inode: UInt64, from offset: UInt64, count: Int
    ) throws(StoreError) -> [FileExtent] {
        try list.bind(1, Int64(bitPattern: inode)).bind(2, Int64(bitPattern: offset))
            .bind(3, Int64(count)).all(Self.extent)
    }

    /// Adds an extent where there is a hole.
    func add(_ extent: FileExtent, to inode: UInt64) throws(StoreError) {
        try insert.bind(1, Int64(bitPattern: inode)).bind(2, Int64(bitPattern: extent.offset))
            .bind(3, Int64(bitPattern: extent.length)).bind(4, extent.block.segment)
            .bind(5, Int64(bitPattern: extent.block.place))
            .bind(6, Int64(extent.block.packedLength)).bind(7, Int64(extent.block.plainLength))
            .bind(8, Int64(bitPattern: extent.skip)).bind(9, extent.born).run()
    }

    /// Makes a range of a file a hole. Returns how many bytes of extents went.
    func clear(
        _ range: Range<UInt64>, of inode: UInt64, epoch: Int64
    ) throws(StoreError) -> UInt64 {
        guard !range.isEmpty else { return 0 }
        var cleared: UInt64 = 0
        for extent in try extents(of: inode, in: range) {
            let key = Int64(bitPattern: inode)
            let offset = Int64(bitPattern: extent.offset)
            if extent.born < epoch {
                try archive.bind(1, key).bind(2, offset).bind(3, epoch).run()
            }
            try delete.bind(1, key).bind(2, offset).run()
            cleared += extent.length
            if extent.offset < range.lowerBound {
                var before = extent
                before.length = range.lowerBound - extent.offset
                before.born = epoch
                cleared -= before.length
                try add(before, to: inode)
            }
            if extent.end > range.upperBound {
                var after = extent
                after.offset = range.upperBound
                after.length = extent.end - range.upperBound
                after.skip += range.upperBound - extent.offset
                after.born = epoch
                cleared -= after.length
                try add(after, to: inode)
            }
        }
        return cleared
    }

    /// Removes every extent of a file.
    func removeAll(of inode: UInt64, epoch: Int64) throws(StoreError) {
        let key = Int64(bitPattern: inode)
        if epoch > 1 { try archiveAll.bind(1, key).bind(2, epoch).run() }
        try deleteAll.bind(1, key).run()
    }
}
