/// A capsule's tree is its index, its bytes are its content stream.
extension Capsule: ReadableTree {
    /// As `ReadableTree` says.
    public var entryCount: UInt64 { index.entryCount }
    /// As `ReadableTree` says.
    public var inodeCount: UInt64 { index.inodeCount }
    /// As `ReadableTree` says.
    public var totalSize: UInt64 { index.totalSize }
    /// As `ReadableTree` says.
    public var hasAttributes: Bool { index.hasAttributes }

    /// As `ReadableTree` says.
    public func entry(_ ordinal: Ordinal) throws(FormatError) -> Entry {
        try index.entry(ordinal)
    }

    /// As `ReadableTree` says.
    public func namedEntry(
        _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, name: [UInt8]) {
        try index.namedEntry(ordinal)
    }

    /// As `ReadableTree` says.
    public func inode(
        of entry: Entry, _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, ordinal: Ordinal) {
        try index.inode(of: entry, ordinal)
    }

    /// As `ReadableTree` says.
    public func forEach(
        in directory: Ordinal, _ record: Entry, from start: Int,
        _ body: (_ ordinal: Ordinal, _ entry: Entry, _ name: UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError) {
        try index.forEach(in: directory, record, from: start, body)
    }

    /// As `ReadableTree` says.
    public func lookup(
        _ name: UnsafeRawBufferPointer, in directory: Ordinal, _ record: Entry
    ) throws(FormatError) -> (ordinal: Ordinal, entry: Entry)? {
        try index.lookup(name, in: directory, record)
    }

    /// As `ReadableTree` says.
    public func target(of entry: Entry) throws(FormatError) -> [UInt8] {
        try index.target(of: entry)
    }

    /// As `ReadableTree` says.
    public func attributes(of entry: Entry) throws(FormatError) -> [ExtendedAttribute] {
        try index.attributes(of: entry)
    }

    /// As `ReadableTree` says.
    public func ownerNames() throws(FormatError) -> OwnerNames { try index.ownerNames() }
}
