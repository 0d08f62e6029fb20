/// A tree of files that can be read and never changes: a sealed capsule, or another format that is
/// shown like one. Mounts, extraction, comparison and listing work on any of them.
///
/// An entry is known by its ordinal; what the fields `place`, `attributes` and `extra` of an
/// `Entry` mean is the tree's own affair.
public protocol ReadableTree: NamedTree {
    /// Ordinals are below it.
    var entryCount: UInt64 { get }
    /// The number of inodes: entries that are not further names.
    var inodeCount: UInt64 { get }
    /// The sum of the sizes of all regular files, in bytes, as far as that is known.
    var totalSize: UInt64 { get }
    /// Whether any inode has extended attributes.
    var hasAttributes: Bool { get }

    /// The inode behind an entry: the entry itself, or what an alias stands for.
    func inode(
        of entry: Entry, _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, ordinal: Ordinal)

    /// Hands the entries of a directory from position `start` on to `body`, in the order of their
    /// names' bytes, until it returns false. `name` has a NUL after it and is valid during the
    /// call.
    func forEach(
        in directory: Ordinal, _ record: Entry, from start: Int,
        _ body: (_ ordinal: Ordinal, _ entry: Entry, _ name: UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError)

    /// From where on a directory can be listed again when damage ended a listing at `position`.
    func position(beyondDamageAt position: Int, in directory: Ordinal, _ record: Entry) -> Int

    /// The target of a symbolic link.
    func target(of entry: Entry) throws(FormatError) -> [UInt8]

    /// The extended attributes of an inode.
    func attributes(of entry: Entry) throws(FormatError) -> [ExtendedAttribute]

    /// The names of owners where the tree was made.
    func ownerNames() throws(FormatError) -> OwnerNames

    /// The runs of bytes of a regular file that are no holes.
    func extents(of entry: Entry) throws(FormatError) -> [Extent]

    /// Reads up to `buffer.count` bytes of a regular file at `offset`; fewer only at its end.
    func read(
        _ entry: Entry, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Int

    /// The first offset not below `offset` that lies in data (or in a hole), as lseek(2) defines
    /// SEEK_DATA and SEEK_HOLE; nil is ENXIO.
    func seek(
        _ entry: Entry, from offset: UInt64, toHole: Bool
    ) throws(FormatError) -> UInt64?
}

extension ReadableTree {
    /// The next page of a capsule's index.
    public func position(
        beyondDamageAt position: Int, in directory: Ordinal, _ record: Entry
    ) -> Int {
        position + Limits.entriesPerPage - (Int(record.place) + position) % Limits.entriesPerPage
    }

    /// By the extents, for trees that have no faster way.
    public func seek(
        _ entry: Entry, from offset: UInt64, toHole: Bool
    ) throws(FormatError) -> UInt64? {
        guard offset < entry.size else { return nil }
        guard entry.flags.contains(.sparse) else { return toHole ? entry.size : offset }
        var position = offset
        for extent in try extents(of: entry) where extent.fileOffset + extent.length > position {
            if !toHole { return max(position, extent.fileOffset) }
            if extent.fileOffset > position { return position }
            position = extent.fileOffset + extent.length
        }
        return toHole ? min(position, entry.size) : nil
    }
}
