import CapsuleCrypto
import CapsuleSystem
import Synchronization

/// Plaintext of one block, verified and opened.
final class PlainBlock: @unchecked Sendable {
    // Sendable because the bytes never change after init.
    private let owned: UnsafeMutableRawBufferPointer

    init(copying source: UnsafeRawBufferPointer) {
        owned = .allocate(byteCount: source.count, alignment: 64)
        owned.copyMemory(from: source)
    }

    deinit { owned.deallocate() }

    var count: Int { owned.count }

    /// Lends the bytes. A pointer that leaves `body` outlives nothing: the block may be freed as
    /// soon as its last use is over.
    @inline(__always)
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withExtendedLifetime(self) { body(UnsafeRawBufferPointer(owned)) }
    }

    /// The bytes, for an owner that keeps the block alive while it uses them.
    var unmanagedBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(owned) }
}

/// Scratch space for as many threads as read at once.
final class ScratchPool: Sendable {
    private let idle = Mutex<[BlockScratch]>([])

    func withScratch<Result>(
        _ body: (BlockScratch) throws(FormatError) -> Result
    ) throws(FormatError) -> Result {
        let scratch = idle.withLock { $0.popLast() } ?? BlockScratch()
        defer { idle.withLock { $0.append(scratch) } }
        return try body(scratch)
    }
}

/// Finds, verifies and opens the blocks of one stream, in any order, from any thread.
///
/// Every node and every block is checked against its parent's hash before anything in it is used;
/// checked nodes are kept.
final class StreamReader: Sendable {
    let entry: Trailer.Stream
    let codec: BlockCodec
    private let storage: any Storage
    private let nodes: SharedCache<TreeNode>
    private let root: TreeNode?
    private let scratch: ScratchPool

    init(
        _ entry: Trailer.Stream, codec: BlockCodec, storage: any Storage, nodeCacheLength: Int,
        scratch: ScratchPool
    ) throws(FormatError) {
        self.entry = entry
        self.codec = codec
        self.storage = storage
        self.scratch = scratch
        nodes = SharedCache(capacity: nodeCacheLength)
        guard entry.blockCount > 0 else {
            root = nil
            return
        }
        let root = try Self.loadNode(
            storage, hash: entry.rootHash, offset: entry.rootOffset, level: Int(entry.rootLevel),
            stream: entry.id)
        guard root.firstBlock == 0, root.logicalStart == 0, root.fileStart == entry.start,
            root.logicalLength == entry.logicalLength
        else {
            throw .damaged(
                "the root node of the \(entry.id.name) stream does not cover it",
                at: entry.rootOffset)
        }
        self.root = root
    }

    /// Reads, checks and parses one node.
    static func loadNode(
        _ storage: some Storage, hash: Digest32, offset: UInt64, level: Int, stream: StreamID
    ) throws(FormatError) -> TreeNode {
        let part = "tree of the \(stream.name) stream"
        let head = try storage.required(TreeNode.headLength, at: offset, part)
        let count = Int(head[6]) | Int(head[7]) << 8
        guard (1...Limits.nodeEntryCount).contains(count) else {
            throw .damaged("a node of the \(part) is damaged", at: offset)
        }
        let bytes = try storage.required(
            TreeNode.length(level: level, count: count), at: offset, part)
        guard TreeNode.nodeContext.hash(bytes) == hash else {
            throw .damaged("a node of the \(part) is damaged", at: offset)
        }
        return try TreeNode(decoding: bytes, at: offset, level: level, stream: stream)
    }

    /// The node of level 0 above the block that holds plaintext offset `offset`.
    func leafNode(containing offset: UInt64) throws(FormatError) -> TreeNode {
        guard var node = root, offset < entry.logicalLength else {
            throw .damaged("a place outside the \(entry.id.name) stream is referred to")
        }
        while node.level > 0 {
            node = try child(node.position(of: offset), of: node)
        }
        return node
    }

    /// The node of level 0 above a block, and the block's position in it.
    func leafNode(block index: UInt64) throws(FormatError) -> (TreeNode, Int) {
        guard var node = root, index < entry.blockCount else {
            throw .damaged("a block outside the \(entry.id.name) stream is referred to")
        }
        while node.level > 0 {
            let span = TreeNode.capacity(level: node.level - 1)
            let position = (index - node.firstBlock) / span
            guard position < node.children.count else {
                throw .damaged("the \(entry.id.name) tree is not full", at: node.fileStart)
            }
            node = try child(Int(position), of: node)
        }
        let position = index - node.firstBlock
        guard position < node.blocks.count else {
            throw .damaged("the \(entry.id.name) tree is not full", at: node.fileStart)
        }
        return (node, Int(position))
    }

    /// Loads a child and checks that it is where and what its parent says.
    private func child(_ position: Int, of parent: TreeNode) throws(FormatError) -> TreeNode {
        let child = parent.children[position]
        let node = try nodes.value(
            for: child.nodeOffset, cost: { 256 + $0.blocks.count * 64 + $0.children.count * 56 }
        ) { () throws(FormatError) -> TreeNode in
            try Self.loadNode(
                storage, hash: child.hash, offset: child.nodeOffset, level: parent.level - 1,
                stream: entry.id)
        }
        let firstBlock =
            parent.firstBlock + UInt64(position) * TreeNode.capacity(level: parent.level - 1)
        guard node.level == parent.level - 1, node.firstBlock == firstBlock,
            node.logicalStart == child.logicalOffset, node.logicalLength == child.logicalLength
        else {
            throw .damaged(
                "a node of the \(entry.id.name) tree is not where its parent says",
                at: child.nodeOffset)
        }
        return node
    }

    /// Reads `blocks`, which lie one after the other, with one read, and hands each one's plaintext
    /// to `body` after it was verified and opened.
    func open(
        _ blocks: ArraySlice<TreeNode.Block>,
        _ body: (TreeNode.Block, UnsafeRawBufferPointer) -> Void
    ) throws(FormatError) {
        guard let first = blocks.first, let last = blocks.last else { return }
        try scratch.withScratch { scratch throws(FormatError) in
            // Each block is opened where it was read, with the nonce written over the end of the
            // block before, which is done with.
            let room = BlockCipher.nonceByteCount
            let buffer = scratch.stored(room + Int(last.fileEnd - first.fileOffset))
            let stored = UnsafeMutableRawBufferPointer(rebasing: buffer[room...])
            do throws(SystemError) {
                guard try storage.read(into: stored, at: first.fileOffset) == stored.count else {
                    throw SystemError(errno: 0, operation: "read", object: storage.name)
                }
            } catch {
                if error.errno != 0 { throw FormatError(error) }
                throw FormatError(
                    .truncated, "the file ends within the \(entry.id.name) stream",
                    at: first.fileOffset)
            }
            for block in blocks {
                let start = Int(block.fileOffset - first.fileOffset)
                let sealed = UnsafeMutableRawBufferPointer(
                    rebasing: buffer[start..<start + room + block.storedLength])
                try codec.open(sealed, block: block, scratch: scratch) { body(block, $0) }
            }
        }
    }

    /// The plaintext of one block in memory of its own.
    func load(_ block: TreeNode.Block) throws(FormatError) -> PlainBlock {
        var result: PlainBlock?
        try open([block]) { result = PlainBlock(copying: $1) }
        guard let result else { preconditionFailure("open calls its body or throws") }
        return result
    }

    /// Hands the plaintext of every block to `body`, in order.
    func forEachBlock(_ body: (UnsafeRawBufferPointer) -> Void) throws(FormatError) {
        var offset: UInt64 = 0
        while offset < entry.logicalLength {
            let node = try leafNode(containing: offset)
            for block in node.blocks {
                try open([block]) { body($1) }
                offset = block.logicalEnd
            }
        }
    }
}
