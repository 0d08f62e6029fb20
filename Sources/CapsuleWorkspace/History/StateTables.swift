import CapsuleStore

/// The rows of one state: those of the present that are old enough, and those of the past that had
/// not died by then.
final class StateTables {
    private let selectInode: Statement
    private let selectEntry: Statement
    private let listEntries: Statement
    private let countEntries: Statement
    private let findName: Statement
    private let listExtents: Statement
    private let listAttributes: Statement
    private let findState: Statement
    private let epoch: Int64

    private static let present = "born <= ?2"
    private static let past = "born <= ?2 AND died > ?2"

    /// The same columns out of both tables, under a condition on the first parameter.
    private static func both(_ columns: String, _ table: String, _ condition: String) -> String {
        """
        SELECT \(columns) FROM \(table) WHERE \(condition) AND \(present)
        UNION ALL SELECT \(columns) FROM past_\(table) WHERE \(condition) AND \(past)
        """
    }

    init(_ database: Database, epoch: Int64) throws(StoreError) {
        self.epoch = epoch
        findState = try Statement(database, "SELECT 1 FROM state WHERE epoch = ?1")
        selectInode = try Statement(
            database, Self.both(InodeTable.columns, "inode", "number = ?1"))
        selectEntry = try Statement(
            database,
            Self.both(
                "child", "entry", "parent = ?1 AND hash BETWEEN ?3 AND ?4 AND name = ?5"))
        listEntries = try Statement(
            database, Self.both("name, child", "entry", "parent = ?1") + " ORDER BY name")
        countEntries = try Statement(
            database,
            """
            SELECT (SELECT count(*) FROM entry WHERE parent = ?1 AND \(Self.present))
            + (SELECT count(*) FROM past_entry WHERE parent = ?1 AND \(Self.past))
            """)
        findName = try Statement(
            database, Self.both("parent, name", "entry", "child = ?1") + " LIMIT 1")
        listExtents = try Statement(
            database,
            Self.both(
                ExtentTable.columns, "extent",
                """
                inode = ?1 AND offset > ?3 - \(SegmentStore.blockLength) AND offset < ?4
                AND offset + length > ?3
                """) + " ORDER BY offset")
        listAttributes = try Statement(
            database, Self.both("name, value", "attribute", "inode = ?1") + " ORDER BY name")
    }

    private func keyed(_ statement: Statement, _ number: UInt64) -> Statement {
        statement.bind(1, Int64(bitPattern: number)).bind(2, epoch)
    }

    /// Whether there still is a state of this epoch.
    func isKept() throws(StoreError) -> Bool {
        try findState.bind(1, epoch).first { _ in true } != nil
    }

    func inode(_ number: UInt64) throws(StoreError) -> Inode? {
        try keyed(selectInode, number).first(InodeTable.inode)
    }

    func child(_ name: [UInt8], of parent: UInt64) throws(StoreError) -> UInt64? {
        let places = NameTable.places(of: name)
        return try keyed(selectEntry, parent).bind(3, places.lowerBound)
            .bind(4, places.upperBound).bind(5, name).first { UInt64(bitPattern: $0.integer(0)) }
    }

    /// The entries of a directory, in the order of their names' bytes.
    func children(of parent: UInt64) throws(StoreError) -> [(name: [UInt8], child: UInt64)] {
        try keyed(listEntries, parent).all { ($0.bytes(0), UInt64(bitPattern: $0.integer(1))) }
    }

    /// The number of entries of a directory.
    func childCount(of parent: UInt64) throws(StoreError) -> Int64 {
        try keyed(countEntries, parent).first { $0.integer(0) } ?? 0
    }

    /// One of the names of an inode. Looks at every entry: for error messages, and once for each
    /// name that a file had.
    func name(of number: UInt64) throws(StoreError) -> (parent: UInt64, name: [UInt8])? {
        try keyed(findName, number).first { (UInt64(bitPattern: $0.integer(0)), $0.bytes(1)) }
    }

    func extents(
        of number: UInt64, in range: Range<UInt64>
    ) throws(StoreError) -> [FileExtent] {
        try keyed(listExtents, number).bind(3, Int64(bitPattern: range.lowerBound))
            .bind(4, Int64(bitPattern: range.upperBound)).all(ExtentTable.extent)
    }

    func attributes(
        of number: UInt64
    ) throws(StoreError) -> [(name: [UInt8], value: [UInt8])] {
        try keyed(listAttributes, number).all { ($0.bytes(0), $0.bytes(1)) }
    }
}
