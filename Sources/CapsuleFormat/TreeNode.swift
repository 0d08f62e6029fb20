import CapsuleBytes
import CapsuleCrypto

/// A node of a stream's hash tree, which is also the stream's block table.
///
/// Nodes lie in the file in post-order: the children of a node, then the node. So everything is
/// written once, front to back, and a reader knows that no byte lies between them.
///
///     Offset  Size  Field
///          0     4  magic "NODE"
///          4     1  level: 0 above blocks
///          5     1  reserved, zero
///          6     2  number of entries, 1 to 256
///          8     2  stream
///         10     6  reserved, zero
///         16     8  index of the first block below
///         24     8  offset in the file of the first block below
///         32     8  offset in the plaintext of the first block below
///         40     -  entries
///
/// An entry above a block (40 bytes): leaf hash 32, stored length 4, plaintext length 4. An entry
/// above a node (48 bytes): hash 32, offset of the node 8, length of the plaintext below 8.
///
/// A leaf is BLAKE3 in the context "capsulefs 2 block" of the sealed block, its stream (8 bytes)
/// and its offset in the plaintext (8 bytes). A node's hash is BLAKE3 in the context "capsulefs 2
/// node" of its bytes.
final class TreeNode: Sendable {
    /// A block as its table describes it.
    struct Block: Equatable, Sendable {
        let hash: Digest32
        let fileOffset: UInt64
        let logicalOffset: UInt64
        let storedLength: Int
        let logicalLength: Int

        var logicalEnd: UInt64 { logicalOffset + UInt64(logicalLength) }
        var fileEnd: UInt64 { fileOffset + UInt64(storedLength) }
        /// Stored as it is, or compressed.
        var isRaw: Bool { storedLength == logicalLength + BlockCipher.tagByteCount }
    }

    /// A node as its parent describes it.
    struct Child: Equatable, Sendable {
        let hash: Digest32
        let nodeOffset: UInt64
        let logicalOffset: UInt64
        let logicalLength: UInt64
    }

    let level: Int
    let stream: StreamID
    let firstBlock: UInt64
    let fileStart: UInt64
    let logicalStart: UInt64
    /// Of a node of level 0.
    let blocks: [Block]
    /// Of every other node.
    let children: [Child]

    static let headLength = 40
    static let blockEntryLength = 40
    static let childEntryLength = 48
    private static let magic = Array("NODE".utf8)
    static let nodeContext = Blake3Context("capsulefs 2 node")
    static let leafContext = Blake3Context("capsulefs 2 block")

    /// The longest node.
    static let lengthMax = headLength + Limits.nodeEntryCount * childEntryLength

    /// The hash of a sealed block at its place.
    static func leaf(
        _ sealed: UnsafeRawBufferPointer, stream: StreamID, logicalOffset: UInt64
    ) -> Digest32 {
        let place = (UInt64(stream.rawValue).littleEndian, logicalOffset.littleEndian)
        return withUnsafeBytes(of: place) { leafContext.hash(sealed, $0) }
    }

    /// Blocks below a full node of `level`.
    static func capacity(level: Int) -> UInt64 { 1 << UInt64(8 * (level + 1)) }

    /// The bytes of a node of `count` entries.
    static func length(level: Int, count: Int) -> Int {
        headLength + count * (level == 0 ? blockEntryLength : childEntryLength)
    }

    /// The bytes of a node that was parsed.
    static func length(of node: TreeNode) -> Int {
        length(level: node.level, count: max(node.blocks.count, node.children.count))
    }

    /// The head of a node, to which the entries are appended.
    static func head(
        level: Int, count: Int, stream: StreamID, firstBlock: UInt64, fileStart: UInt64,
        logicalStart: UInt64
    ) -> ByteWriter {
        var writer = ByteWriter(capacity: length(level: level, count: count))
        writer.append(magic)
        writer.integer(UInt8(level))
        writer.integer(UInt8(0))
        writer.integer(UInt16(count))
        writer.integer(stream.rawValue)
        writer.pad(to: 16)
        writer.integer(firstBlock)
        writer.integer(fileStart)
        writer.integer(logicalStart)
        return writer
    }

    /// Parses a node whose hash has been checked already.
    ///
    /// Hashes prove what the sealer wrote, not that it makes sense: every number is checked.
    init(
        decoding bytes: [UInt8], at offset: UInt64, level: Int, stream: StreamID
    ) throws(FormatError) {
        do throws(ByteError) {
            var reader = ByteReader(bytes.span.bytes, absoluteOffset: offset)
            try reader.expect(Self.magic, "node magic")
            let storedLevel: UInt8 = try reader.integer("node level")
            try reader.zeros(1, "node reserved")
            let count = Int(try reader.integer("node entry count", as: UInt16.self))
            let storedStream = StreamID(rawValue: try reader.integer("node stream"))
            try reader.zeros(6, "node reserved")
            guard Int(storedLevel) == level, storedStream == stream,
                (1...Limits.nodeEntryCount).contains(count),
                bytes.count == Self.length(level: level, count: count)
            else { throw ByteError(.outOfRange, "node entry count", at: offset + 4) }
            self.level = level
            self.stream = stream
            firstBlock = try reader.integer("first block")
            fileStart = try reader.integer("first block offset")
            logicalStart = try reader.integer("plaintext offset")
            guard logicalStart <= Limits.streamLength, fileStart <= offset,
                firstBlock <= Limits.blockCount
            else {
                throw ByteError(.outOfRange, "first block offset", at: offset + 24)
            }
            if level == 0 {
                blocks = try Self.decodeBlocks(
                    &reader, count, fileStart: fileStart, logicalStart: logicalStart, end: offset)
                children = []
            } else {
                blocks = []
                children = try Self.decodeChildren(
                    &reader, count, fileStart: fileStart, logicalStart: logicalStart, end: offset)
            }
        } catch {
            throw FormatError(error, in: "\(stream.name) tree")
        }
    }

    private static func decodeBlocks(
        _ reader: inout ByteReader, _ count: Int, fileStart: UInt64, logicalStart: UInt64,
        end: UInt64
    ) throws(ByteError) -> [Block] {
        var blocks: [Block] = []
        blocks.reserveCapacity(count)
        var (file, logical) = (fileStart, logicalStart)
        for _ in 0..<count {
            let at = reader.offset
            let hash = Digest32(try reader.bytes(32, "leaf hash"))
            let stored = Int(try reader.integer("stored length", as: UInt32.self))
            let length = Int(try reader.integer("plaintext length", as: UInt32.self))
            guard (1...Limits.blockLength).contains(length), stored > BlockCipher.tagByteCount,
                stored <= length + BlockCipher.tagByteCount
            else { throw ByteError(.outOfRange, "stored length", at: at + 32) }
            blocks.append(
                Block(
                    hash: hash, fileOffset: file, logicalOffset: logical, storedLength: stored,
                    logicalLength: length))
            file += UInt64(stored)
            logical += UInt64(length)
        }
        guard file == end, logical <= Limits.streamLength else {
            throw ByteError(.outOfRange, "stored lengths", at: end)
        }
        return blocks
    }

    private static func decodeChildren(
        _ reader: inout ByteReader, _ count: Int, fileStart: UInt64, logicalStart: UInt64,
        end: UInt64
    ) throws(ByteError) -> [Child] {
        var children: [Child] = []
        children.reserveCapacity(count)
        var (file, logical) = (fileStart, logicalStart)
        for _ in 0..<count {
            let at = reader.offset
            let hash = Digest32(try reader.bytes(32, "node hash"))
            let nodeOffset: UInt64 = try reader.integer("node offset")
            let length: UInt64 = try reader.integer("plaintext length")
            guard nodeOffset > file, nodeOffset < end, length > 0,
                length <= Limits.streamLength - logical
            else { throw ByteError(.outOfRange, "node offset", at: at + 32) }
            children.append(
                Child(
                    hash: hash, nodeOffset: nodeOffset, logicalOffset: logical,
                    logicalLength: length))
            file = nodeOffset
            logical += length
        }
        return children
    }

    /// The index of the block or child that holds `logicalOffset`. Traps outside the node.
    func position(of logicalOffset: UInt64) -> Int {
        var (low, high) = (0, level == 0 ? blocks.count : children.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            let start =
                level == 0 ? blocks[middle].logicalOffset : children[middle].logicalOffset
            if start <= logicalOffset { low = middle } else { high = middle }
        }
        return low
    }

    /// The length of the plaintext below, in bytes.
    var logicalLength: UInt64 {
        let end =
            level == 0
            ? blocks.last?.logicalEnd
            : children.last.map { $0.logicalOffset + $0.logicalLength }
        return (end ?? logicalStart) - logicalStart
    }
}
