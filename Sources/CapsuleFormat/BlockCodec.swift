import CapsuleBytes
import CapsuleCrypto

/// Seals and opens single blocks of one stream.
///
/// The nonce of a block is its offset in the plaintext, a counter that never repeats within a
/// stream; the associated data is capsule id 16, stream 8, offset 8, plaintext length 4, stored
/// length 4. A block whose stored length is its plaintext length and a tag is stored as it is;
/// every shorter one is a zstd frame.
struct BlockCodec: Sendable {
    let stream: StreamID
    private let cipher: BlockCipher
    private let capsuleID: [UInt8]

    init(stream: StreamID, keys: FileKeys, capsuleID: [UInt8]) {
        self.stream = stream
        self.capsuleID = capsuleID
        cipher = keys.cipher(stream: stream.name)
    }

    private func associated(
        logicalOffset: UInt64, logicalLength: Int, storedLength: Int
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: 40)
        writer.append(capsuleID)
        writer.integer(UInt64(stream.rawValue))
        writer.integer(logicalOffset)
        writer.integer(UInt32(logicalLength))
        writer.integer(UInt32(storedLength))
        return writer.bytes
    }

    /// Seals `payload` (plaintext, or its zstd frame) into `target`; returns the leaf.
    func seal(
        _ payload: UnsafeRawBufferPointer, logicalOffset: UInt64, logicalLength: Int,
        into target: UnsafeMutableRawBufferPointer
    ) -> Digest32 {
        let storedLength = payload.count + BlockCipher.tagByteCount
        precondition(target.count == storedLength, "a sealed block is its payload and a tag")
        let associated = associated(
            logicalOffset: logicalOffset, logicalLength: logicalLength, storedLength: storedLength)
        cipher.seal(payload, counter: logicalOffset, associated: associated) { ciphertext, tag in
            target.copyMemory(from: ciphertext)
            UnsafeMutableRawBufferPointer(rebasing: target[payload.count...]).copyMemory(from: tag)
        }
        return TreeNode.leaf(
            UnsafeRawBufferPointer(target), stream: stream, logicalOffset: logicalOffset)
    }

    /// Checks a stored block against its leaf, opens it and hands the plaintext to `body`.
    ///
    /// `buffer` is the block with 12 bytes of room before it, which are overwritten.
    func open<Result>(
        _ buffer: UnsafeMutableRawBufferPointer, block: TreeNode.Block, scratch: BlockScratch,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(FormatError) -> Result {
        let sealed = UnsafeRawBufferPointer(
            rebasing: buffer[BlockCipher.nonceByteCount...])
        try verify(sealed, block: block)
        let associated = associated(
            logicalOffset: block.logicalOffset, logicalLength: block.logicalLength,
            storedLength: block.storedLength)
        let outcome: Result?
        do throws(CryptoError) {
            outcome = try cipher.openInPlace(
                buffer, counter: block.logicalOffset, associated: associated
            ) { payload in
                if block.isRaw { return body(payload) }
                let target = scratch.plaintext(block.logicalLength)
                let size = scratch.decompressor.decompress(payload, into: target)
                guard size == block.logicalLength else { return nil }
                return body(UnsafeRawBufferPointer(target))
            }
        } catch {
            throw .damaged(
                "a block of the \(stream.name) stream is not authentic", at: block.fileOffset)
        }
        guard let outcome else {
            throw .damaged(
                "a block of the \(stream.name) stream does not decompress", at: block.fileOffset)
        }
        return outcome
    }

    /// Checks a stored block against its leaf; needs no key.
    func verify(_ sealed: UnsafeRawBufferPointer, block: TreeNode.Block) throws(FormatError) {
        try Self.verify(sealed, block: block, stream: stream)
    }

    /// Checks a stored block against its leaf; needs no key.
    static func verify(
        _ sealed: UnsafeRawBufferPointer, block: TreeNode.Block, stream: StreamID
    ) throws(FormatError) {
        let leaf = TreeNode.leaf(sealed, stream: stream, logicalOffset: block.logicalOffset)
        guard leaf == block.hash else {
            throw .damaged(
                "a block of the \(stream.name) stream is damaged", at: block.fileOffset)
        }
    }
}

/// Buffers and contexts that a thread borrows while it works on blocks.
final class BlockScratch: @unchecked Sendable {
    // Sendable because it is lent to one thread at a time.
    let decompressor = ZstdDecompressor()
    private var stored = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var plain = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    deinit {
        stored.deallocate()
        plain.deallocate()
    }

    /// Room for `count` stored bytes; its content is undefined.
    func stored(_ count: Int) -> UnsafeMutableRawBufferPointer {
        Self.grow(&stored, count)
        return UnsafeMutableRawBufferPointer(rebasing: stored[..<count])
    }

    /// Room for `count` bytes of plaintext; its content is undefined.
    func plaintext(_ count: Int) -> UnsafeMutableRawBufferPointer {
        Self.grow(&plain, count)
        return UnsafeMutableRawBufferPointer(rebasing: plain[..<count])
    }

    private static func grow(_ buffer: inout UnsafeMutableRawBufferPointer, _ count: Int) {
        if buffer.count >= count { return }
        buffer.deallocate()
        buffer = .allocate(byteCount: count, alignment: 4096)
    }
}
