import CapsuleStore

/// Extended attributes and the targets of symbolic links.
final class AttributeTable {
    private let select: Statement
    private let list: Statement
    private let insert: Statement
    private let archive: Statement
    private let delete: Statement
    private let selectTarget: Statement
    private let insertTarget: Statement
    private let deleteTarget: Statement

    static let columns = "inode, name, value, born"

    init(_ database: Database) throws(StoreError) {
        select = try Statement(
            database, "SELECT value, born FROM attribute WHERE inode = ?1 AND name = ?2")
        list = try Statement(
            database, "SELECT name FROM attribute WHERE inode = ?1 ORDER BY name")
        insert = try Statement(
            database,
            "INSERT OR REPLACE INTO attribute(\(Self.columns)) VALUES (?1,?2,?3,?4)")
        archive = try Statement(
            database,
            """
            INSERT INTO past_attribute(\(Self.columns), died)
            SELECT \(Self.columns), ?3 FROM attribute
            WHERE inode = ?1 AND name = ?2 AND born < ?3
            """)
        delete = try Statement(
            database, "DELETE FROM attribute WHERE inode = ?1 AND name = ?2")
        // The target of a link never changes, and its number is never used again.
        selectTarget = try Statement(database, "SELECT path FROM target WHERE inode = ?1")
        deleteTarget = try Statement(
            database,
            """
            DELETE FROM target WHERE inode = ?1
            AND NOT EXISTS (SELECT 1 FROM past_inode WHERE number = ?1)
            """)
        insertTarget = try Statement(database, "INSERT INTO target(inode, path) VALUES (?1,?2)")
    }

    func value(_ name: [UInt8], of inode: UInt64) throws(StoreError) -> [UInt8]? {
        try select.bind(1, Int64(bitPattern: inode)).bind(2, name).first { $0.bytes(0) }
    }

    func names(of inode: UInt64) throws(StoreError) -> [[UInt8]] {
        try list.bind(1, Int64(bitPattern: inode)).all { $0.bytes(0) }
    }

    func set(
        _ name: [UInt8], _ value: [UInt8], of inode: UInt64, epoch: Int64
    ) throws(StoreError) {
        try archive.bind(1, Int64(bitPattern: inode)).bind(2, name).bind(3, epoch).run()
        try insert.bind(1, Int64(bitPattern: inode)).bind(2, name).bind(3, value).bind(4, epoch)
            .run()
    }

    func remove(_ name: [UInt8], of inode: UInt64, epoch: Int64) throws(StoreError) {
        try archive.bind(1, Int64(bitPattern: inode)).bind(2, name).bind(3, epoch).run()
        try delete.bind(1, Int64(bitPattern: inode)).bind(2, name).run()
    }

    func removeAll(of inode: UInt64, epoch: Int64) throws(StoreError) {
        for name in try names(of: inode) { try remove(name, of: inode, epoch: epoch) }
    }

    func target(of inode: UInt64) throws(StoreError) -> [UInt8] {
        try selectTarget.bind(1, Int64(bitPattern: inode)).first { $0.bytes(0) } ?? []
    }

    /// Removes the target of a link that no state shows.
    func removeTarget(of inode: UInt64) throws(StoreError) {
        try deleteTarget.bind(1, Int64(bitPattern: inode)).run()
    }

    func setTarget(_ path: [UInt8], of inode: UInt64) throws(StoreError) {
        try insertTarget.bind(1, Int64(bitPattern: inode)).bind(2, path).run()
    }
}
