import CapsuleBytes
import CapsuleCrypto

/// The last 1024 bytes of a capsule: where everything is, and the root of trust.
///
///     Offset  Size  Field
///          0     4  magic "MV2T"
///          4     2  version, 2
///          6     2  number of streams
///          8     8  length of the file
///         16    16  capsule id
///         32    32  the header's checksum
///         64   640  stream table: 8 entries of 80 bytes, unused ones zero
///        704   224  reserved, zero
///        928    32  root: BLAKE3 in the context "capsulefs 2 root" of all before
///        960    32  HMAC-SHA-256 of all before under the trailer's key
///        992    32  checksum: BLAKE3 in the context "capsulefs 2 trailer checksum" of all before
///
/// An entry of the stream table:
///
///     Offset  Size  Field
///          0     2  stream
///          2     1  level of the root node
///          3     1  reserved, zero
///          4     4  reserved, zero
///          8     8  number of blocks
///         16     8  offset of the first block
///         24     8  offset after the last node
///         32     8  length of the plaintext
///         40     8  offset of the root node
///         48    32  hash of the root node
public struct Trailer: Equatable, Sendable {
    /// One stream: its place and its tree.
    public struct Stream: Equatable, Sendable {
        /// Which stream.
        public var id: StreamID
        /// The level of the root node; 0 is a node of blocks.
        public var rootLevel: UInt8
        /// The number of blocks.
        public var blockCount: UInt64
        /// The offset of the first block in the file.
        public var start: UInt64
        /// The offset after the last node.
        public var end: UInt64
        /// The length of the plaintext, in bytes.
        public var logicalLength: UInt64
        /// The offset of the root node.
        public var rootOffset: UInt64
        /// The hash of the root node; zeros for a stream without blocks.
        public var rootHash: Digest32
    }

    /// The length of the file, in bytes.
    public var fileLength: UInt64
    /// The capsule id.
    public var id: [UInt8]
    /// The header's checksum: binds the header to the root.
    public var headerFingerprint: [UInt8]
    /// The streams, in file order.
    public var streams: [Stream]
    /// The HMAC as found; empty before encoding.
    public private(set) var mac: [UInt8] = []

    private static let magic = Array("MV2T".utf8)
    private static let rootOffset = 928
    private static let rootContext = Blake3Context("capsulefs 2 root")
    private static let checksumContext = Blake3Context("capsulefs 2 trailer checksum")

    /// A trailer from its fields.
    public init(
        fileLength: UInt64, id: [UInt8], headerFingerprint: [UInt8], streams: [Stream]
    ) {
        self.fileLength = fileLength
        self.id = id
        self.headerFingerprint = headerFingerprint
        self.streams = streams
    }

    private var body: [UInt8] {
        var writer = ByteWriter(capacity: Limits.trailerLength)
        writer.append(Self.magic)
        writer.integer(Header.version)
        writer.integer(UInt16(streams.count))
        writer.integer(fileLength)
        writer.append(id)
        writer.append(headerFingerprint)
        for stream in streams {
            writer.integer(stream.id.rawValue)
            writer.integer(stream.rootLevel)
            writer.pad(to: writer.count + 5)
            writer.integer(stream.blockCount)
            writer.integer(stream.start)
            writer.integer(stream.end)
            writer.integer(stream.logicalLength)
            writer.integer(stream.rootOffset)
            writer.append(stream.rootHash.bytes)
        }
        writer.pad(to: Self.rootOffset)
        return writer.bytes
    }

    /// The root: the one hash that stands for every byte of header, blocks and trees.
    public var root: Digest32 { Self.rootContext.hash(body) }

    /// The trailer as stored.
    public func encoded(keys: FileKeys) -> [UInt8] {
        let hashed = body + root.bytes
        let authenticated = hashed + keys.trailerMAC(hashed)
        return authenticated + Self.checksumContext.hash(authenticated).bytes
    }

    /// Whether the MAC is the one that the capsule's keys yield.
    public func isAuthentic(keys: FileKeys) -> Bool {
        equalInConstantTime(keys.trailerMAC(body + root.bytes), mac)
    }

    /// The stream of that kind, if the capsule has it.
    public func stream(_ id: StreamID) -> Stream? { streams.first { $0.id == id } }
}

extension Trailer {
    /// Parses the last 1024 bytes of a file of `fileLength` bytes whose header is `header`.
    public init(
        decoding bytes: [UInt8], fileLength: UInt64, header: Header
    ) throws(FormatError) {
        let base = fileLength - UInt64(Limits.trailerLength)
        guard bytes.starts(with: Self.magic) else {
            throw FormatError(
                .truncated, "it does not end with a trailer: the file was cut short or added to",
                at: base)
        }
        let checked = Array(bytes.dropLast(32))
        guard Self.checksumContext.hash(checked).bytes == Array(bytes.suffix(32)) else {
            throw .damaged("the trailer's checksum is wrong", at: base)
        }
        do throws(ByteError) {
            try self.init(fields: checked, base: base)
        } catch {
            throw FormatError(error, in: "trailer")
        }
        guard root.bytes == Array(checked[Self.rootOffset..<Self.rootOffset + 32]) else {
            throw .damaged("the trailer's root is wrong", at: base + UInt64(Self.rootOffset))
        }
        guard self.fileLength == fileLength else {
            throw FormatError(
                .truncated,
                "the trailer is of a file of \(self.fileLength) bytes, this one has \(fileLength)",
                at: base + 8)
        }
        guard id == header.id, headerFingerprint == header.fingerprint else {
            throw .damaged("header and trailer are of different capsules", at: base + 16)
        }
        try validateStreams(dataOffset: header.dataOffset, end: base)
    }

    private init(fields: [UInt8], base: UInt64) throws(ByteError) {
        var reader = ByteReader(fields.span.bytes, absoluteOffset: base)
        _ = try reader.bytes(4, "trailer magic")
        let version: UInt16 = try reader.integer("trailer version")
        let count = Int(try reader.integer("stream count", as: UInt16.self))
        guard version == Header.version, count <= Limits.streamCount else {
            throw ByteError(.outOfRange, "stream count", at: base + 4)
        }
        fileLength = try reader.integer("file length")
        id = try reader.bytes(16, "capsule id")
        headerFingerprint = try reader.bytes(32, "header checksum")
        var streams: [Stream] = []
        for _ in 0..<count { streams.append(try Self.stream(&reader)) }
        self.streams = streams
        try reader.zeros(Self.rootOffset - reader.position, "unused stream table")
        _ = try reader.bytes(32, "root")
        mac = try reader.bytes(32, "trailer MAC")
    }

    private static func stream(_ reader: inout ByteReader) throws(ByteError) -> Stream {
        let id = StreamID(rawValue: try reader.integer("stream"))
        let level: UInt8 = try reader.integer("root level")
        try reader.zeros(5, "stream table reserved")
        return Stream(
            id: id, rootLevel: level, blockCount: try reader.integer("block count"),
            start: try reader.integer("stream start"), end: try reader.integer("stream end"),
            logicalLength: try reader.integer("stream length"),
            rootOffset: try reader.integer("root offset"),
            rootHash: Digest32(try reader.bytes(32, "root hash")))
    }

    /// The streams lie one after the other, from the areas to the trailer, without a gap.
    private func validateStreams(dataOffset: UInt64, end: UInt64) throws(FormatError) {
        var position = dataOffset
        for (index, stream) in streams.enumerated() {
            let at = end + 64 + UInt64(index * 80)
            let isEmpty = stream.blockCount == 0
            let fitsRoot =
                isEmpty
                ? stream.rootOffset == 0 && stream.rootHash == .zero && stream.rootLevel == 0
                    && stream.start == stream.end && stream.logicalLength == 0
                : stream.rootOffset > stream.start && stream.rootOffset < stream.end
            guard stream.id.rawValue > 0, stream.start == position, stream.end >= stream.start,
                stream.end <= end, fitsRoot, stream.blockCount <= Limits.blockCount,
                stream.logicalLength <= Limits.streamLength,
                Int(stream.rootLevel) < Limits.treeLevels,
                !streams[..<index].contains(where: { $0.id == stream.id })
            else { throw .damaged("the entry of stream \(index + 1) is out of range", at: at) }
            position = stream.end
        }
        guard position == end else {
            throw .damaged("there are bytes between the streams and the trailer", at: position)
        }
    }
}
