import CapsuleCrypto

/// What is kept in memory of a frame: enough to name it, to find its bytes and to check them. The
/// rest is read again when somebody asks.
public struct FrameSummary: Sendable {
    /// Where the bytes of a document come from.
    public enum Content: Equatable, Sendable {
        /// The stored payload.
        case stored
        /// The texts of its chunks, one after the other.
        case chunks
        /// Rebuilt from the text that was indexed; `proven` by the checksum of the original.
        case text(isProven: Bool)
        /// Nothing of it is in the file.
        case none
    }

    /// The position in the table.
    public let id: UInt64
    /// Seconds since 1970.
    public let timestamp: Int64
    /// Arbitrary text; not unique.
    public let uri: String?
    /// Arbitrary text.
    public let title: String?
    /// The MIME type of the original.
    public let mime: String?
    /// Arbitrary texts.
    public let tags: [String]
    /// Document, chunk or picture.
    public let role: MemvidFrame.Role
    /// Active, superseded or deleted.
    public internal(set) var status: MemvidFrame.Status
    /// Where the bytes of the document come from.
    public let content: Content
    /// The length of the content in bytes; of chunks, nil.
    public let contentLength: UInt64?
    /// The length of the stored bytes; 0 is none.
    public let payloadLength: UInt64
    /// BLAKE3 of the stored bytes.
    public let checksum: Digest32
    /// Entries of the extra metadata whose keys the opener asked to keep.
    public let retained: [String: String]

    let payloadOffset: UInt64
    let isCompressed: Bool
    let canonicalLength: UInt64?
    let parentID: UInt64?
    let chunkIndex: UInt32?
    let manifestCount: Int?
    /// Whether the chunks are pieces of one text. Those of Markdown with tables or code are not:
    /// they begin and end with lines.
    let isContiguous: Bool
    /// Where the frame lies in the file, and the hash of it there; nil for a recovered one.
    let place: (range: Range<UInt64>, hash: Digest32)?

    init(
        _ frame: MemvidFrame, place: (range: Range<UInt64>, hash: Digest32)?,
        retaining keys: Set<String>
    ) {
        var kept: [String: String] = [:]
        for key in keys { kept[key] = frame.extraMetadata[key] }
        retained = kept
        id = frame.id
        timestamp = frame.timestamp
        uri = frame.uri
        title = frame.title
        mime = frame.metadata?.mime
        tags = frame.tags
        role = frame.role
        status = frame.status
        payloadOffset = frame.payloadOffset
        payloadLength = frame.payloadLength
        checksum = frame.checksum
        isCompressed = frame.isCompressed
        canonicalLength = frame.canonicalLength
        parentID = frame.parentID
        chunkIndex = frame.chunkIndex
        manifestCount = frame.chunkManifest?.ranges.count
        let ranges = frame.chunkManifest?.ranges ?? []
        isContiguous = zip(ranges, ranges.dropFirst()).allSatisfy { $0.end == $1.start }
        self.place = place
        if frame.payloadLength > 0 {
            content = .stored
            let length =
                frame.isCompressed
                ? frame.canonicalLength ?? frame.payloadLength : frame.payloadLength
            // More than that is refused when it is read; sums of these do not overflow.
            contentLength = min(length, MemvidLimits.payloadLength + 1)
        } else if frame.chunkManifest != nil, frame.role == .document {
            content = .chunks
            contentLength = nil
        } else if let recovered = DocumentText.recover(frame) {
            content = .text(isProven: recovered.isProven)
            contentLength = UInt64(recovered.text.count)
        } else {
            content = .none
            contentLength = 0
        }
    }
}
