import CapsuleCrypto
import CapsuleSystem

/// Writes a capsule front to back: areas, content, index, manifest, trailer.
///
/// Streams are written one after the other; each is finished before the next begins.
public final class CapsuleWriter {
    private let output: SealOutput
    private let purpose: StreamSealer.Purpose
    private let header: Header
    private let workerCount: Int
    private var streams: [Trailer.Stream] = []
    private var fingerprints: [[UInt8]] = []

    /// The shape of the index: one page or section block to a block, compressed.
    private static let indexShape = StreamSealer.Shape(
        unitLength: 128 << 10, rawBlockLength: 128 << 10, level: 3)

    /// Starts a capsule in an empty storage.
    ///
    /// - Parameters:
    ///   - written: hears from the writing thread how many bytes have been written.
    public init(
        storage: any Storage, header: Header, slots: [KeySlot], purpose: StreamSealer.Purpose,
        workerCount: Int, written: @escaping @Sendable (UInt64) -> Void = { _ in }
    ) throws(FormatError) {
        self.header = header
        self.purpose = purpose
        self.workerCount = workerCount
        output = SealOutput(storage: storage, position: 0, written: written)
        guard case .seal(let keys, _, _) = purpose else { return }
        let slotArea = Area(
            kind: .slots, sequence: 1, count: slots.count, records: slots.flatMap(\.record))
        guard slotArea.records.count <= Area.capacity(length: header.slotAreaLength) else {
            throw FormatError(.limitExceeded, "the slots do not fit into their area")
        }
        _ = try SlotList.decode(slotArea, at: 0)
        let signatureArea = Area(kind: .signatures, sequence: 1, count: 0, records: [])
        let slotBytes = slotArea.encoded(length: header.slotAreaLength, keys: keys)
        let signatureBytes = signatureArea.encoded(
            length: header.signatureAreaLength, keys: nil)
        for part in [header.encoded, slotBytes, slotBytes, signatureBytes, signatureBytes] {
            part.withUnsafeBytes(output.append)
        }
    }

    /// Begins the content stream.
    public func contentStream(_ shape: StreamSealer.Shape) -> StreamSealer {
        sealer(.content, shape)
    }

    private func sealer(_ id: StreamID, _ shape: StreamSealer.Shape) -> StreamSealer {
        StreamSealer(
            stream: id, shape: shape, purpose: purpose, output: output, workerCount: workerCount)
    }

    /// Ends a stream.
    public func finish(_ stream: StreamSealer) throws(FormatError) {
        let result = try stream.finish()
        streams.append(result.entry)
        fingerprints.append(result.fingerprint.bytes)
    }

    /// Begins an index stream whose blocks the caller ends. With `uniform`, blocks are stored
    /// uncompressed.
    public func indexStream(uniform: Bool) -> StreamSealer {
        var shape = Self.indexShape
        if uniform { shape.level = 0 }
        return sealer(.index, shape)
    }

    /// Writes the index stream.
    public func writeIndex(_ index: inout IndexBuilder, uniform: Bool) throws(FormatError) {
        let stream = indexStream(uniform: uniform)
        index.write(to: stream)
        try finish(stream)
    }

    /// Writes the manifest stream. With `uniform`, it is stored uncompressed.
    public func writeManifest(
        _ bytes: [UInt8], uniform: Bool = false
    ) throws(FormatError) {
        var shape = Self.indexShape
        if uniform { shape.level = 0 }
        let stream = sealer(.manifest, shape)
        bytes.withUnsafeBytes { stream.append($0) }
        try finish(stream)
    }

    /// Content, index and a manifest as one hash: equal for equal input of the cipher. Depends on
    /// no key.
    public func fingerprint(replacingManifest manifest: [UInt8]) -> Digest32 {
        let streams = fingerprints.prefix(2).flatMap { $0 }
        return Blake3Context("capsulefs 2 fingerprint").hash(streams + manifest)
    }

    /// Writes the trailer and everything that was gathered. Returns the trailer.
    public func finish() throws(FormatError) -> Trailer {
        guard case .seal(let keys, _, _) = purpose else {
            preconditionFailure("a fingerprint has no trailer")
        }
        let trailer = Trailer(
            fileLength: output.position + UInt64(Limits.trailerLength), id: header.id,
            headerFingerprint: header.fingerprint, streams: streams)
        trailer.encoded(keys: keys).withUnsafeBytes(output.append)
        output.flush()
        if let failure = output.failure { throw failure }
        return trailer
    }
}
