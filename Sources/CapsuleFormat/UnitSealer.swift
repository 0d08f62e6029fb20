import CapsuleCrypto

/// What a worker thread of the sealing pipeline does to a unit.
final class UnitSealer {
    private let shape: StreamSealer.Shape
    private let codec: BlockCodec?
    private let compressor: ZstdCompressor?
    private let takesFingerprint: Bool
    private let frame: UnsafeMutableRawBufferPointer

    private static let inputContext = Blake3Context("capsulefs 2 fingerprint input")

    /// A compressed block must save this fraction of its plaintext (1/32); decompressing costs
    /// more time than reading what it saves otherwise.
    private static let savingDivisor = 32

    init(stream: StreamID, shape: StreamSealer.Shape, purpose: StreamSealer.Purpose) {
        switch purpose {
        case .seal(let keys, let id, let takesFingerprint):
            codec = BlockCodec(stream: stream, keys: keys, capsuleID: id)
            self.takesFingerprint = takesFingerprint
        case .fingerprint:
            codec = nil
            takesFingerprint = true
        }
        compressor = shape.level == 0 ? nil : ZstdCompressor(level: shape.level)
        frame = .allocate(byteCount: shape.unitLength, alignment: 64)
        self.shape = shape
    }

    deinit { frame.deallocate() }

    /// Compresses the unit if that helps, cuts it if it does not, and seals the blocks.
    func seal(_ unit: SealingUnit) {
        let plaintext = UnsafeRawBufferPointer(rebasing: unit.plaintext[..<unit.count])
        let target = UnsafeMutableRawBufferPointer(
            rebasing: frame[..<(unit.count - unit.count / Self.savingDivisor)])
        if let size = compressor?.compress(plaintext, into: target), size < unit.count {
            let payload = UnsafeRawBufferPointer(rebasing: target[..<size])
            add(payload, to: unit, offset: unit.logicalOffset, logicalLength: unit.count)
            return
        }
        for start in stride(from: 0, to: unit.count, by: shape.rawBlockLength) {
            let end = min(start + shape.rawBlockLength, unit.count)
            let payload = UnsafeRawBufferPointer(rebasing: plaintext[start..<end])
            add(
                payload, to: unit, offset: unit.logicalOffset + UInt64(start),
                logicalLength: end - start)
        }
    }

    private func add(
        _ payload: UnsafeRawBufferPointer, to unit: SealingUnit, offset: UInt64,
        logicalLength: Int
    ) {
        let storedLength = payload.count + BlockCipher.tagByteCount
        let hash: Digest32
        let inputHash =
            takesFingerprint
            ? Self.inputContext.hash(payload, UnsafeRawBufferPointer(start: nil, count: 0)) : .zero
        if let codec {
            let target = UnsafeMutableRawBufferPointer(
                rebasing: unit.sealed[unit.sealedCount..<unit.sealedCount + storedLength])
            hash = codec.seal(
                payload, logicalOffset: offset, logicalLength: logicalLength, into: target)
        } else {
            hash = .zero
        }
        unit.sealedCount += storedLength
        unit.blocks.append(
            SealingUnit.SealedBlock(
                hash: hash, inputHash: inputHash, storedLength: storedLength,
                logicalLength: logicalLength))
    }
}
