/// A capsule's tree is its index, its bytes are its content stream.
extension Capsule: ReadableTree {
    public var entryCount: UInt64 { index.entryCount }
    public var inodeCount: UInt64 { index.inodeCount }
    public var totalSize: UInt64 { index.totalSize }
    public var hasAttributes: Bool { index.hasAttributes }

    public func entry(_ ordinal: Ordinal) throws(FormatError) -> Entry {
        try index.entry(ordinal)
    }

    public func namedEntry(
        _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, name: [UInt8]) {
        try index.namedEntry(ordinal)
    }

    public func inode(
        of entry: Entry, _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, ordinal: Ordinal) {
        try index.inode(of: entry, ordinal)
    }

    public func forEach(
        in directory: Ordinal, _ record: Entry, from start: Int,
        _ body: (_ ordinal: Ordinal, _ entry: Entry, _ name: UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError) {
        try index.forEach(in: directory, record, from: start, body)
    }

    public func lookup(
        _ name: UnsafeRawBufferPointer, in directory: Ordinal, _ record: Entry
    ) throws(FormatError) -> (ordinal: Ordinal, entry: Entry)? {
        try index.lookup(name, in: directory, record)
    }

    public func target(of entry: Entry) throws(FormatError) -> [UInt8] {
        try index.target(of: entry)
    }

    public func attributes(of entry: Entry) throws(FormatError) -> [ExtendedAttribute] {
        try index.attributes(of: entry)
    }

    public func ownerNames() throws(FormatError) -> OwnerNames { try index.ownerNames() }
}
