import CapsuleBytes

/// The number of an entry in the index: 0 is the root directory. An inode number is one more.
public typealias Ordinal = UInt32

/// One directory entry with its inode, as 80 bytes of an index page.
///
/// The entries of a directory have consecutive ordinals in the order of their names' bytes, and a
/// directory's own ordinal is smaller than those of its entries: so the tree has no cycle.
///
///     Offset  Size  Field
///          0     4  mode: type and permission bits, as in stat(2)
///          4     2  flags: 1 alias, 2 sparse
///          6     2  length of the name
///          8     4  offset of the name in the page
///         12     4  ordinal of the directory it is in
///         16     4  user id
///         20     4  group id
///         24     4  number of links
///         28     4  nanoseconds of the modification time
///         32     8  seconds of the modification time, signed
///         40     8  size: of a file or of a link's target, in bytes
///         48     8  place, by type; see `Place`
///         56     4  number of extents of a sparse file, or of entries of a directory
///         60     4  reserved, zero
///         64     8  offset of the extended attributes in the heap, or 0
///         72     8  directory: offset of the fence, or 0; sparse file: bytes in extents
public struct Entry: Sendable {
    /// The type and permission bits.
    public var mode: UInt32 = 0
    /// Properties of the record.
    public var flags: Flags = []
    /// The directory it is in; of the root, the root.
    public var parent: Ordinal = 0
    /// The owner.
    public var uid: UInt32 = 0
    /// The group.
    public var gid: UInt32 = 0
    /// The number of names that the inode has in the capsule; of a directory, 2 and its
    /// subdirectories.
    public var linkCount: UInt32 = 1
    /// Modification time, seconds since 1970.
    public var seconds: Int64 = 0
    /// Modification time, nanoseconds.
    public var nanoseconds: UInt32 = 0
    /// The size of a file or of a link's target, in bytes.
    public var size: UInt64 = 0
    /// By type. Regular file: offset of its bytes in the content stream, or, when sparse, index of
    /// its first extent. Directory: ordinal of its first entry. Symbolic link: offset of the target
    /// in the heap. Device: major number << 32 | minor number. Alias: ordinal of the inode.
    public var place: UInt64 = 0
    /// The number of extents of a sparse file, or of entries of a directory.
    public var count: UInt32 = 0
    /// The offset of the extended attributes in the heap, or 0.
    public var attributes: UInt64 = 0
    /// Of a directory, the offset of its fence, or 0; of a sparse file, the bytes in its extents.
    public var extra: UInt64 = 0

    /// An empty record, to be filled.
    public init() {}

    /// Properties of the record.
    public struct Flags: OptionSet, Sendable {
        /// The number in the file.
        public let rawValue: UInt16

        /// A value from its number in the file.
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// Another name of the inode whose ordinal is in `place`.
        public static let alias = Flags(rawValue: 1)
        /// A regular file with holes.
        public static let sparse = Flags(rawValue: 2)
        static let known: Flags = [.alias, .sparse]
    }

    /// The type of an inode: the values of S_IFMT's bits.
    public enum Kind: UInt32, Sendable {
        case fifo = 0o010000
        case characterDevice = 0o020000
        case directory = 0o040000
        case blockDevice = 0o060000
        case regular = 0o100000
        case symbolicLink = 0o120000
        case socket = 0o140000
    }

    /// The type. Traps for bits that `decode` would have refused.
    public var kind: Kind {
        guard let kind = Kind(rawValue: mode & 0o170000) else {
            preconditionFailure("an entry has a known type")
        }
        return kind
    }

    /// Whether it is a directory.
    public var isDirectory: Bool { mode & 0o170000 == Kind.directory.rawValue }
    /// Whether it is a regular file (and not another name of one).
    public var isRegular: Bool { mode & 0o170000 == Kind.regular.rawValue }
    /// Whether it is another name of an inode elsewhere in the index.
    public var isAlias: Bool { flags.contains(.alias) }

    static let length = 80

    /// Appends the record, for a name at an offset of its page.
    func encode(into writer: inout ByteWriter, nameLength: Int, nameOffset: Int) {
        writer.integer(mode)
        writer.integer(flags.rawValue)
        writer.integer(UInt16(nameLength))
        writer.integer(UInt32(nameOffset))
        writer.integer(parent)
        writer.integer(uid)
        writer.integer(gid)
        writer.integer(linkCount)
        writer.integer(nanoseconds)
        writer.integer(seconds)
        writer.integer(size)
        writer.integer(place)
        writer.integer(count)
        writer.integer(UInt32(0))
        writer.integer(attributes)
        writer.integer(extra)
    }

    /// Loads a record that `IndexPage` has validated.
    @inline(__always)
    init(unchecked base: UnsafeRawPointer) {
        mode = base.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
        flags = Flags(rawValue: base.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
        parent = base.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
        uid = base.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
        gid = base.loadUnaligned(fromByteOffset: 20, as: UInt32.self)
        linkCount = base.loadUnaligned(fromByteOffset: 24, as: UInt32.self)
        nanoseconds = base.loadUnaligned(fromByteOffset: 28, as: UInt32.self)
        seconds = base.loadUnaligned(fromByteOffset: 32, as: Int64.self)
        size = base.loadUnaligned(fromByteOffset: 40, as: UInt64.self)
        place = base.loadUnaligned(fromByteOffset: 48, as: UInt64.self)
        count = base.loadUnaligned(fromByteOffset: 56, as: UInt32.self)
        attributes = base.loadUnaligned(fromByteOffset: 64, as: UInt64.self)
        extra = base.loadUnaligned(fromByteOffset: 72, as: UInt64.self)
    }
}
