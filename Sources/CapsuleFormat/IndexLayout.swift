import CapsuleBytes

/// The first block of the index stream: where its sections are.
///
/// Block 0 is this table; then come the pages, one block each; then the blocks of the other
/// sections, each section in blocks of 65,536 bytes of plaintext but for its last.
///
///     Offset  Size  Field
///          0     4  magic "INDX"
///          4     4  layout, 1
///          8     8  number of entries
///         16     4  entries of a page, 256
///         20     4  number of pages
///         24    16  extents: first block 8, length in bytes 8
///         40    16  heap: the same
///         56    16  fences: the same
///         72    16  owner names: the same
///         88     8  number of inodes
///         96     8  sum of the sizes of all regular files, in bytes
///        104     4  flags: bit 0, some inode has extended attributes
///        108     4  reserved, zero
struct IndexLayout: Equatable, Sendable {
    /// A run of bytes in consecutive blocks of the index stream.
    struct Section: Equatable, Sendable {
        var firstBlock: UInt64 = 0
        var length: UInt64 = 0

        var blockCount: UInt64 {
            (length + UInt64(IndexLayout.sectionBlockLength) - 1)
                / UInt64(IndexLayout.sectionBlockLength)
        }
    }

    var entryCount: UInt64 = 0
    var pageCount: UInt32 = 0
    var extents = Section()
    var heap = Section()
    var fences = Section()
    var owners = Section()
    var inodeCount: UInt64 = 0
    var totalSize: UInt64 = 0
    var hasAttributes = false

    static let length = 112
    static let sectionBlockLength = 65536
    private static let magic = Array("INDX".utf8)

    /// The block of a page.
    static func block(page: UInt32) -> UInt64 { 1 + UInt64(page) }

    init() {}

    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: Self.length)
        writer.append(Self.magic)
        writer.integer(UInt32(1))
        writer.integer(entryCount)
        writer.integer(UInt32(Limits.entriesPerPage))
        writer.integer(pageCount)
        for section in [extents, heap, fences, owners] {
            writer.integer(section.firstBlock)
            writer.integer(section.length)
        }
        writer.integer(inodeCount)
        writer.integer(totalSize)
        writer.integer(UInt32(hasAttributes ? 1 : 0))
        writer.integer(UInt32(0))
        return writer.bytes
    }

    /// Parses block 0 of an index stream of `blockCount` blocks.
    init(decoding bytes: [UInt8], blockCount: UInt64) throws(FormatError) {
        do throws(ByteError) {
            var reader = ByteReader(bytes.span.bytes)
            try reader.expect(Self.magic, "index magic")
            let layout: UInt32 = try reader.integer("index layout")
            entryCount = try reader.integer("entry count")
            let perPage: UInt32 = try reader.integer("entries per page")
            pageCount = try reader.integer("page count")
            guard layout == 1, Int(perPage) == Limits.entriesPerPage else {
                throw ByteError(.unexpectedValue, "index layout", at: 4)
            }
            guard (1...Limits.entryCount).contains(entryCount),
                UInt64(pageCount) == (entryCount + UInt64(perPage) - 1) / UInt64(perPage)
            else { throw ByteError(.outOfRange, "entry count", at: 8) }
            var nextBlock = 1 + UInt64(pageCount)
            extents = try Self.section(&reader, &nextBlock)
            heap = try Self.section(&reader, &nextBlock)
            fences = try Self.section(&reader, &nextBlock)
            owners = try Self.section(&reader, &nextBlock)
            guard nextBlock == blockCount,
                extents.length.isMultiple(of: UInt64(Extent.encodedLength))
            else {
                throw ByteError(.outOfRange, "section lengths", at: 24)
            }
            inodeCount = try reader.integer("inode count")
            totalSize = try reader.integer("total size")
            let flags: UInt32 = try reader.integer("index flags")
            guard flags <= 1, inodeCount <= entryCount else {
                throw ByteError(.outOfRange, "index flags", at: 88)
            }
            hasAttributes = flags == 1
            try reader.zeros(4, "index reserved")
            try reader.end("index table")
        } catch {
            throw FormatError(error, in: "index table")
        }
    }

    private static func section(
        _ reader: inout ByteReader, _ nextBlock: inout UInt64
    ) throws(ByteError) -> Section {
        let at = reader.offset
        let section = Section(
            firstBlock: try reader.integer("section block"),
            length: try reader.integer("section length"))
        guard section.firstBlock == nextBlock, section.length <= Limits.streamLength,
            section.blockCount <= Limits.blockCount
        else {
            throw ByteError(.outOfRange, "section block", at: at)
        }
        nextBlock += section.blockCount
        return section
    }
}

/// A run of a sparse file's bytes in the content stream: 24 bytes, offset in the file 8, length 8,
/// offset in the content stream 8. Extents of a file ascend and do not touch holes.
public struct Extent: Equatable, Sendable {
    /// Where the run begins in the file, in bytes.
    public var fileOffset: UInt64
    /// Its length, in bytes.
    public var length: UInt64
    /// Where it begins in the content stream, in bytes.
    public var streamOffset: UInt64

    /// An extent from its numbers.
    public init(fileOffset: UInt64, length: UInt64, streamOffset: UInt64) {
        self.fileOffset = fileOffset
        self.length = length
        self.streamOffset = streamOffset
    }

    static let encodedLength = 24
}

/// An extended attribute.
public struct ExtendedAttribute: Equatable, Hashable, Sendable {
    /// The name with its namespace, such as `user.comment`.
    public var name: [UInt8]
    /// The value.
    public var value: [UInt8]

    /// An attribute.
    public init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// The names that belonged to user and group ids where the capsule was sealed.
public struct OwnerNames: Equatable, Sendable {
    /// Names by user id.
    public var users: [UInt32: String] = [:]
    /// Names by group id.
    public var groups: [UInt32: String] = [:]

    /// No names.
    public init() {}
}
