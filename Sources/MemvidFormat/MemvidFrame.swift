import CapsuleCrypto

/// One frame: a document, a chunk of one, or a picture taken out of one. In the order of its fields
/// in the file.
public struct MemvidFrame: Equatable, Sendable {
    package enum AnchorSource: UInt32, Sendable {
        case explicit, frameTimestamp, metadata, ingestionClock
    }

    /// What a frame is.
    public enum Role: UInt32, Sendable {
        case document, documentChunk, extractedImage
    }

    /// Whether it is shown.
    public enum Status: UInt32, Sendable {
        case active, superseded, deleted
    }

    package enum EnrichmentState: UInt32, Sendable {
        case searchable, enriched
    }

    package struct ChunkManifest: Equatable, Sendable {
        package var chunkCharacters: UInt64
        package var ranges: [Range]

        package struct Range: Equatable, Sendable {
            package var start: UInt64
            package var end: UInt64
        }
    }

    /// The frame's position in the table.
    public var id: UInt64 = 0
    /// Seconds since 1970.
    public var timestamp: Int64 = 0
    package var anchorTimestamp: Int64?
    package var anchorSource: AnchorSource?
    package var kind: String?
    package var track: String?
    /// Where the stored bytes begin in the decrypted file.
    public var payloadOffset: UInt64 = 0
    /// How many they are; 0 is none.
    public var payloadLength: UInt64 = 0
    /// BLAKE3 of the stored bytes.
    public var checksum = MemvidFrame.emptyChecksum
    package var uri: String?
    package var title: String?
    /// Whether the stored bytes are a zstd frame.
    public var isCompressed = false
    /// The length of the bytes once decoded.
    public var canonicalLength: UInt64?
    package var metadata: DocumentMetadata?
    package var searchText: String?
    package var tags: [String] = []
    package var labels: [String] = []
    package var extraMetadata = TextMap()
    package var contentDates: [String] = []
    package var chunkManifest: ChunkManifest?
    package var role = Role.document
    package var parentID: UInt64?
    package var chunkIndex: UInt32?
    package var chunkCount: UInt32?
    package var status = Status.active
    package var supersedes: UInt64?
    package var supersededBy: UInt64?
    /// BLAKE3 of the original bytes where they are not stored, whatever its name in Memvid.
    public var sourceChecksum: Digest32?
    package var sourcePath: String?
    package var enrichmentState = EnrichmentState.enriched

    package init() {}

    /// BLAKE3 of nothing.
    public static let emptyChecksum = Blake3Stream().digest()

    /// The fewest bytes that a frame can have.
    static let leastLength: UInt64 = 129
}

extension MemvidFrame {
    init(from reader: BincodeReader) throws(MemvidError) {
        id = try reader.integer("frame id")
        timestamp = try reader.integer("timestamp")
        anchorTimestamp = try reader.optionalInteger("anchor timestamp")
        anchorSource = try reader.optional("anchor source") { field throws(MemvidError) in
            try reader.choice(field)
        }
        kind = try reader.optionalString("kind")
        track = try reader.optionalString("track")
        payloadOffset = try reader.integer("payload offset")
        payloadLength = try reader.integer("payload length")
        checksum = try reader.digest("checksum")
        uri = try reader.optionalString("uri")
        title = try reader.optionalString("title")
        try decodeDescription(reader)
        role = try reader.choice("role")
        parentID = try reader.optionalInteger("parent id")
        chunkIndex = try reader.optionalInteger("chunk index")
        chunkCount = try reader.optionalInteger("chunk count")
        status = try reader.choice("status")
        supersedes = try reader.optionalInteger("supersedes")
        supersededBy = try reader.optionalInteger("superseded by")
        sourceChecksum = try reader.optional("source checksum") { field throws(MemvidError) in
            try reader.digest(field)
        }
        sourcePath = try reader.optionalString("source path")
        enrichmentState = try reader.choice("enrichment state")
    }

    /// The fields that a frame and a record of the log have in common, in the same order.
    mutating func decodeDescription(_ reader: BincodeReader) throws(MemvidError) {
        // Only the low byte counts, and everything but 1 is plain.
        let encoding: UInt32 = try reader.integer("encoding")
        isCompressed = encoding & 0xff == 1
        canonicalLength = try reader.optionalInteger("canonical length")
        metadata = try reader.optional("metadata") { _ throws(MemvidError) in
            try DocumentMetadata(from: reader)
        }
        searchText = try reader.optionalString("search text")
        tags = try reader.strings("tags", limit: MemvidLimits.listCount)
        labels = try reader.strings("labels", limit: MemvidLimits.listCount)
        extraMetadata = try reader.dictionary("extra metadata", limit: MemvidLimits.extraCount)
        contentDates = try reader.strings("content dates", limit: MemvidLimits.listCount)
        chunkManifest = try reader.optional("chunk manifest") { _ throws(MemvidError) in
            try ChunkManifest(from: reader)
        }
    }

    func encode(into writer: inout BincodeWriter) {
        writer.integer(id)
        writer.integer(timestamp)
        writer.optional(anchorTimestamp)
        writer.optional(anchorSource?.rawValue)
        writer.optional(kind)
        writer.optional(track)
        writer.integer(payloadOffset)
        writer.integer(payloadLength)
        writer.digest(checksum)
        writer.optional(uri)
        writer.optional(title)
        writer.integer(UInt32(isCompressed ? 1 : 0))
        writer.optional(canonicalLength)
        writer.optional(metadata) { $1.encode(into: &$0) }
        writer.optional(searchText)
        writer.strings(tags)
        writer.strings(labels)
        writer.dictionary(extraMetadata)
        writer.strings(contentDates)
        writer.optional(chunkManifest) { $1.encode(into: &$0) }
        writer.integer(role.rawValue)
        writer.optional(parentID)
        writer.optional(chunkIndex)
        writer.optional(chunkCount)
        writer.integer(status.rawValue)
        writer.optional(supersedes)
        writer.optional(supersededBy)
        writer.optional(sourceChecksum) { $0.digest($1) }
        writer.optional(sourcePath)
        writer.integer(enrichmentState.rawValue)
    }
}

extension MemvidFrame.ChunkManifest {
    init(from reader: BincodeReader) throws(MemvidError) {
        chunkCharacters = try reader.integer("chunk characters")
        var list: [Range] = []
        for _ in 0..<(try reader.count("chunks", least: 16)) {
            list.append(
                Range(
                    start: try reader.integer("chunk start"), end: try reader.integer("chunk end")))
        }
        ranges = list
    }

    func encode(into writer: inout BincodeWriter) {
        writer.integer(chunkCharacters)
        writer.integer(UInt64(ranges.count))
        for range in ranges {
            writer.integer(range.start)
            writer.integer(range.end)
        }
    }
}
