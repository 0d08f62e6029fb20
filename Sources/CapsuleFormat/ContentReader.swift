import CapsuleCrypto

/// Reads the content stream at any offset.
///
/// Blocks that a read covers whole go straight to the caller; a block that is read in parts, or
/// holds several files, stays in the cache.
public final class ContentReader: Sendable {
    private let stream: StreamReader
    private let cache: SharedCache<PlainBlock>

    /// Blocks read from storage at once, in bytes: few enough to stay in the second-level cache
    /// between hashing and opening.
    private static let runLengthMax = 256 << 10

    init(_ stream: StreamReader, cacheLength: Int) {
        self.stream = stream
        cache = SharedCache(capacity: cacheLength)
    }

    /// The length of the stream, in bytes.
    public var length: UInt64 { stream.entry.logicalLength }

    /// Fills `buffer` with the plaintext at `offset`. Throws `FormatError` when any block of it is
    /// damaged; the buffer's content is then undefined.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) {
        var done = 0
        while done < buffer.count {
            let position = offset + UInt64(done)
            let node = try stream.leafNode(containing: position)
            var index = node.position(of: position)
            while index < node.blocks.count, done < buffer.count {
                let target = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let run = wholeBlocks(of: node, from: index, at: offset + UInt64(done), target)
                if run.isEmpty {
                    done += try readPart(
                        of: node.blocks[index], at: offset + UInt64(done), into: target)
                    index += 1
                } else {
                    var filled = 0
                    try stream.open(node.blocks[run]) { _, plaintext in
                        UnsafeMutableRawBufferPointer(rebasing: target[filled...])
                            .copyMemory(from: plaintext)
                        filled += plaintext.count
                    }
                    done += filled
                    index = run.upperBound
                }
            }
        }
    }

    /// The blocks from `index` on that fit whole into `target` and are not in the cache.
    private func wholeBlocks(
        of node: TreeNode, from index: Int, at offset: UInt64,
        _ target: UnsafeMutableRawBufferPointer
    ) -> Range<Int> {
        guard node.blocks[index].logicalOffset == offset else { return index..<index }
        var end = index
        var (plain, stored) = (0, 0)
        while end < node.blocks.count {
            let block = node.blocks[end]
            plain += block.logicalLength
            stored += block.storedLength
            guard plain <= target.count, stored <= Self.runLengthMax || end == index,
                cache.present(block.fileOffset) == nil
            else { break }
            end += 1
        }
        return index..<end
    }

    private func readPart(
        of block: TreeNode.Block, at offset: UInt64, into target: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Int {
        let plain = try cachedBlock(block)
        let start = Int(offset - block.logicalOffset)
        let count = min(plain.count - start, target.count)
        plain.withBytes { bytes in
            target.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
        }
        return count
    }

    private func cachedBlock(_ block: TreeNode.Block) throws(FormatError) -> PlainBlock {
        try cache.value(for: block.fileOffset, cost: { $0.count + 128 }) {
            () throws(FormatError) -> PlainBlock in
            try stream.load(block)
        }
    }

    /// Hands the plaintext of every block to `body`, in order.
    public func forEachBlock(_ body: (UnsafeRawBufferPointer) -> Void) throws(FormatError) {
        try stream.forEachBlock(body)
    }

    /// A decrypted block with its place in the stream.
    public struct DecodedBlock: Sendable {
        /// The plaintext offsets it covers.
        public let range: Range<UInt64>
        /// Whether it is stored uncompressed.
        public let isRaw: Bool
        private let block: PlainBlock

        fileprivate init(_ block: PlainBlock, _ entry: TreeNode.Block) {
            self.block = block
            range = entry.logicalOffset..<entry.logicalEnd
            isRaw = entry.isRaw
        }

        /// Lends the plaintext.
        public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
            block.withBytes(body)
        }
    }

    /// The block that holds `offset`, from the cache or through it; nil where there is none, or
    /// where it is damaged: errors are left to who reads the block.
    public func decodedBlock(at offset: UInt64) -> DecodedBlock? {
        guard offset < length, let node = try? stream.leafNode(containing: offset) else {
            return nil
        }
        let block = node.blocks[node.position(of: offset)]
        guard let plain = try? cachedBlock(block) else { return nil }
        return DecodedBlock(plain, block)
    }
}
