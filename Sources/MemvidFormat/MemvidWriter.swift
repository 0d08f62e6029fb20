import CapsuleBytes
import CapsuleCrypto

/// Writes a new file that Memvid's own client opens: header, empty log, payloads, time index, table
/// of contents, footer.
public final class MemvidWriter {
    /// Where a payload lies.
    public struct Payload: Sendable {
        /// In the decrypted file, in bytes.
        public let offset: UInt64
        /// In bytes.
        public let length: UInt64
        /// BLAKE3 of it.
        public let checksum: Digest32
    }

    private let sink: any MemvidSink
    private var offset: UInt64
    private var payloadStart: UInt64 = 0
    private var hasher = Blake3Stream()
    private var frames = BincodeWriter()
    private var times: [(timestamp: Int64, id: UInt64)] = []
    /// The number of frames so far: the next one's id.
    public private(set) var frameCount: UInt64 = 0

    /// The log of a new file, in bytes: what Memvid itself begins with.
    private static let logLength: UInt64 = 65536
    /// What Memvid's free tier writes into a file of its own; its own writes obey it.
    private static let capacity: UInt64 = 50 << 20

    /// Begins a file.
    public init(_ sink: any MemvidSink) throws(MemvidError) {
        self.sink = sink
        offset = UInt64(MemvidHeader.length) + Self.logLength
        try sink.append([UInt8](repeating: 0, count: Int(offset)))
    }

    /// Begins the payload of the next frame.
    public func beginPayload() {
        payloadStart = offset
        hasher = Blake3Stream()
    }

    /// Adds to the payload.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(MemvidError) {
        guard offset - payloadStart + UInt64(bytes.count) <= MemvidLimits.payloadLength else {
            throw MemvidError(.limitExceeded, "a payload is larger than 256 MiB")
        }
        hasher.update(bytes)
        try sink.append(bytes)
        offset += UInt64(bytes.count)
    }

    /// Ends the payload.
    public func endPayload() -> Payload {
        Payload(
            offset: payloadStart, length: offset - payloadStart, checksum: hasher.digest())
    }

    /// Adds a frame, whose id and anchor are set here. Its payload lies plain.
    @discardableResult
    public func add(_ frame: MemvidFrame, payload: Payload) -> UInt64 {
        var frame = frame
        frame.id = frameCount
        frame.anchorTimestamp = frame.timestamp
        frame.anchorSource = .frameTimestamp
        frame.payloadOffset = payload.offset
        frame.payloadLength = payload.length
        frame.checksum = payload.checksum
        frame.canonicalLength = payload.length
        frame.isCompressed = false
        frame.encode(into: &frames)
        if frame.role == .document, frame.status == .active {
            times.append((frame.timestamp, frame.id))
        }
        frameCount += 1
        return frame.id
    }

    /// Writes what comes after the payloads, and the header.
    public func finish() throws(MemvidError) {
        let index = timeIndex()
        let indexOffset = offset
        try sink.append(index)
        offset += UInt64(index.count)
        var table = tableOfContents(
            timeIndex: (indexOffset, UInt64(index.count), DocumentText.hash(index)))
        // The table's own checksum is over itself with zeros in its place.
        let checksum = DocumentText.hash(table)
        table.replaceSubrange((table.count - 32)..., with: checksum.bytes)
        let header = MemvidHeader(tableOffset: offset, logLength: Self.logLength)
        try sink.append(table)
        let footer = CommitFooter(
            tableLength: UInt64(table.count), tableHash: DocumentText.hash(table), generation: 1)
        try sink.append(footer.encoded)
        try sink.finish(header: header.encoded(tableChecksum: checksum.bytes))
    }

    /// Active documents by time: magic "MVTI", their number in 8 bytes, then for each the seconds
    /// since 1970 and the id, 8 bytes each.
    private func timeIndex() -> [UInt8] {
        var writer = ByteWriter()
        writer.append("MVTI".utf8)
        writer.integer(UInt64(times.count))
        for entry in times.sorted(by: { ($0.timestamp, $0.id) < ($1.timestamp, $1.id) }) {
            writer.integer(entry.timestamp)
            writer.integer(entry.id)
        }
        return writer.bytes
    }

    private func tableOfContents(
        timeIndex: (offset: UInt64, length: UInt64, hash: Digest32)
    ) -> [UInt8] {
        var writer = BincodeWriter()
        writer.integer(UInt64(0))  // version
        writer.integer(UInt64(0))  // segments
        writer.integer(frameCount)
        writer.raw(frames.bytes)
        writer.bool(false)  // lexical index: the client builds its own
        writer.integer(UInt64(0))  // lexical segments
        writer.bool(false)  // vectors
        writer.bool(false)  // clip
        writer.bool(true)
        writer.integer(timeIndex.offset)
        writer.integer(timeIndex.length)
        writer.integer(UInt64(times.count))
        writer.digest(timeIndex.hash)
        // Temporal track, memories, mesh, sketches.
        for _ in 0..<4 { writer.bool(false) }
        writer.integer(UInt64(0))  // next segment
        writer.integer(UInt32(1))  // catalog version
        writer.bool(true)  // without lexical search the client refuses a read-only open
        for _ in 0..<6 { writer.integer(UInt64(0)) }
        writer.string("free-tier")
        writer.integer(Int64(1))
        writer.integer(UInt64(0))
        writer.integer(Self.capacity)
        writer.bool(false)
        writer.bool(false)  // binding
        writer.bool(false)  // replay
        writer.integer(UInt64(0))  // queue
        writer.integer(UInt64(0))
        writer.raw([UInt8](repeating: 0, count: 64))  // merkle root, checksum
        return writer.bytes
    }
}
