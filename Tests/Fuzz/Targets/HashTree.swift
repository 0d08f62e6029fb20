// Nodes of the hash tree, whole trees, and blocks.

import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem

@testable import CapsuleFormat

enum HashTree {
    static let targets = [
        FuzzTarget("node", node) {
            var seeds: [[UInt8]] = []
            var tree = TreeBuilder(stream: .content, start: 20_480)
            for block in 0..<257 {
                tree.add(
                    hash: .zero, storedLength: 100 + block % 2 * 16, logicalLength: 100 + block
                ) { seeds.append([UInt8]($0)) }
            }
            _ = tree.finish { seeds.append([UInt8]($0)) }
            return seeds
        },
        FuzzTarget("tree", tree) {
            let block: [UInt8] = [0, 3, 65, 66, 67]
            let blocks: [UInt8] = [0x80, 1, 65]
            let leaf: [UInt8] = [1, 0, 0, 0]
            let parent: [UInt8] = [2, 0, 0, 0]
            let pair = block + leaf + block + block + leaf
            return [
                [0, 0, 0] + block + leaf, [0, 0, 0] + pair + parent, [1, 0, 0] + pair + parent,
                [0, 0, 0] + pair + [0x82, 0, 0, 0] + parent + [18, 0, 0, 0],
                [0, 0, 0] + blocks + leaf + block + leaf + parent,
            ]
        },
        FuzzTarget("block", block) {
            let plain = Array(String(repeating: "all work and no play ", count: 40).utf8)
            let frame = Self.frame(plain)
            return [
                [3, 0, 0, 0, 65, 66, 67], [0x48, 3, 0, 0] + frame, [0x47, 3, 0, 0] + frame,
                [0, 0, 16, 0] + Self.frame([UInt8](repeating: 0, count: 1 << 20)),
            ]
        },
    ]

    private static func frame(_ plaintext: [UInt8]) -> [UInt8] {
        var target = [UInt8](repeating: 0, count: plaintext.count)
        let size = plaintext.withUnsafeBytes { source in
            target.withUnsafeMutableBytes { ZstdCompressor(level: 3).compress(source, into: $0) }
        }
        return Array(target.prefix(size ?? 0))
    }

    // MARK: Nodes

    /// The input is a node, which stands where its entries say that it does.
    static func node(_ input: [UInt8]) throws(Finding) {
        let level = Int(input.number(at: 4, UInt8.self))
        let stream = StreamID(rawValue: input.number(at: 8))
        var place = input.number(at: 24, UInt64.self)
        if level == 0 {
            for entry in stride(from: TreeNode.headLength, to: input.count, by: 40) {
                place &+= UInt64(input.number(at: entry + 32, UInt32.self))
            }
        } else {
            place = input.number(at: max(0, input.count - 16), UInt64.self) &+ 1
        }
        // A node was read from a file, and no file is longer.
        guard place <= UInt64(Int64.max),
            let node = try? TreeNode(decoding: input, at: place, level: level, stream: stream)
        else { return }
        try require(TreeNode.length(of: node) == input.count, "a node is as long as its entries")
        try require(encoded(node) == input, "a node is encoded as it was read")
        let other = try? TreeNode(
            decoding: input, at: place, level: (level + 1) % 6, stream: stream)
        try require(other == nil, "a node has one level")
        try require(
            node.firstBlock <= 1 << 40 && node.logicalStart + node.logicalLength <= 1 << 60,
            "a node is within its limits")
        for (index, block) in node.blocks.enumerated() {
            try require(
                (1...(1 << 20)).contains(block.logicalLength)
                    && (17...block.logicalLength + 16).contains(block.storedLength)
                    && node.position(of: block.logicalOffset) == index
                    && node.position(of: block.logicalEnd - 1) == index, "a block is found")
        }
        for (index, child) in node.children.enumerated() {
            try require(
                child.nodeOffset < place && node.position(of: child.logicalOffset) == index
                    && node.position(of: child.logicalOffset + child.logicalLength - 1) == index,
                "a child is found")
        }
    }

    private static func encoded(_ node: TreeNode) -> [UInt8] {
        var writer = TreeNode.head(
            level: node.level, count: max(node.blocks.count, node.children.count),
            stream: node.stream, firstBlock: node.firstBlock, fileStart: node.fileStart,
            logicalStart: node.logicalStart)
        for block in node.blocks {
            writer.append(block.hash.bytes)
            writer.integer(UInt32(block.storedLength))
            writer.integer(UInt32(block.logicalLength))
        }
        for child in node.children {
            writer.append(child.hash.bytes)
            writer.integer(child.nodeOffset)
            writer.integer(child.logicalLength)
        }
        return writer.bytes
    }

    // MARK: Trees

    /// The input is what is wrong about the trailer's entry, and the steps of `TreeForge`.
    static func tree(_ input: [UInt8]) throws(Finding) {
        var input = FuzzInput(input)
        let extra = (input.number(UInt8.self), input.number(UInt8.self), input.number(UInt8.self))
        var forge = TreeForge()
        for _ in 0..<64 where !input.isEmpty { forge.step(&input) }
        guard
            let entry = forge.entry(
                blocks: UInt64(extra.0), length: UInt64(extra.1), level: extra.2)
        else { return }
        var sealer = FixtureSealer()
        sealer.add(raw: forge.bytes, entry)
        let storage = sealer.finish()
        guard let file = try? CapsuleFile(storage) else { return }
        let isIntact = CapsuleVerifier(file, workerCount: 1).verify().isIntact
        let plaintext = read(entry, storage)
        if isIntact {
            try require(
                plaintext.map { UInt64($0) } == entry.logicalLength,
                "a tree that a verifier finds intact can be read")
        }
    }

    /// Reads a stream by index, by offset and as a whole; how much there is, or nil for a fault.
    private static func read(_ entry: Trailer.Stream, _ storage: InputStorage) -> Int? {
        guard
            let reader = try? StreamReader(
                entry, codec: Fixture.codec(.content), storage: storage, nodeCacheLength: 4096,
                scratch: ScratchPool())
        else { return nil }
        for index in 0..<min(entry.blockCount, 300) {
            guard let (node, position) = try? reader.leafNode(block: index) else { continue }
            _ = try? reader.load(node.blocks[position])
        }
        let content = ContentReader(reader, cacheLength: 4096)
        var buffer = [UInt8](repeating: 0, count: 700)
        for offset in stride(from: 0, to: entry.logicalLength, by: 97).prefix(40) {
            _ = content.decodedBlock(at: offset)?.range
            buffer.withUnsafeMutableBytes { _ = try? content.read(into: $0, at: offset) }
        }
        var count = 0
        guard (try? content.forEachBlock { count += $0.count }) != nil else { return nil }
        return count
    }

    // MARK: Blocks

    private static let scratch = BlockScratch()

    /// The input is the length of the plaintext and the payload.
    static func block(_ input: [UInt8]) throws(Finding) {
        var input = FuzzInput(input)
        let length = Int(input.number(UInt32.self) % UInt32(Limits.blockLength)) + 1
        let payload = input.remainder()
        guard (1...length).contains(payload.count) else { return }
        let (stored, leaf) = Fixture.seal(payload, length: length, of: .content, at: 5)
        let block = TreeNode.Block(
            hash: leaf, fileOffset: 0, logicalOffset: 5, storedLength: stored.count,
            logicalLength: length)
        var room = [UInt8](repeating: 0, count: BlockCipher.nonceByteCount) + stored
        let plain = room.withUnsafeMutableBytes { buffer in
            try? Fixture.codec(.content).open(buffer, block: block, scratch: scratch) {
                [UInt8]($0)
            }
        }
        try require(plain == nil || plain?.count == length, "a block has the length it says")
        try require(!block.isRaw || plain == payload, "a raw block is what was sealed")
    }
}

/// Makes blocks and nodes with right hashes, and numbers that may be wrong.
struct TreeForge {
    private(set) var bytes: [UInt8] = []
    private var blocks: [TreeNode.Block] = []
    /// By level: the nodes that wait for a parent, with the first block below.
    private var nodes: [[(child: TreeNode.Child, firstBlock: UInt64, fileStart: UInt64)]] =
        Array(repeating: [], count: Limits.treeLevels)
    private var root: (node: TreeNode.Child, level: Int)?
    private var (blockCount, length): (UInt64, UInt64) = (0, 0)

    private var position: UInt64 { UInt64(Fixture.front.count + bytes.count) }

    /// One step: 0 a block, or 256 with bit 7; 1 a node above all blocks that wait; 2 one above all
    /// nodes of a level (bits 2 to 4 of the step); 3 stray bytes. With bit 7, what is below a node
    /// waits on.
    mutating func step(_ input: inout FuzzInput) {
        let step = input.number(UInt8.self)
        switch step & 3 {
        case 0:
            let payload = input.bytes(Int(input.number(UInt8.self)))
            for _ in 0..<(step & 0x80 == 0 ? 1 : 256) where !payload.isEmpty { add(payload) }
        case 1: addLeafNode(&input, keeping: step & 0x80 != 0)
        case 2: addParent(&input, level: Int(step >> 2 & 7), keeping: step & 0x80 != 0)
        default: bytes += input.bytes(Int(input.number(UInt8.self)))
        }
    }

    private mutating func add(_ payload: [UInt8]) {
        let (stored, leaf) = Fixture.seal(
            payload, length: payload.count, of: .content, at: length)
        blocks.append(
            TreeNode.Block(
                hash: leaf, fileOffset: position, logicalOffset: length,
                storedLength: stored.count, logicalLength: payload.count))
        bytes += stored
        blockCount += 1
        length += UInt64(payload.count)
    }

    private mutating func addLeafNode(_ input: inout FuzzInput, keeping: Bool) {
        guard let first = blocks.first, let last = blocks.last else { return }
        var writer = head(
            &input, level: 0, count: blocks.count,
            firstBlock: blockCount - UInt64(blocks.count), fileStart: first.fileOffset,
            logicalStart: first.logicalOffset)
        for block in blocks {
            writer.append(block.hash.bytes)
            writer.integer(UInt32(block.storedLength))
            writer.integer(UInt32(block.logicalLength))
        }
        finish(
            writer.bytes, level: 0, firstBlock: blockCount - UInt64(blocks.count),
            fileStart: first.fileOffset, from: first.logicalOffset, to: last.logicalEnd)
        if !keeping { blocks = [] }
    }

    private mutating func addParent(_ input: inout FuzzInput, level: Int, keeping: Bool) {
        guard level + 1 < Limits.treeLevels, let first = nodes[level].first,
            let last = nodes[level].last
        else { return }
        var writer = head(
            &input, level: level + 1, count: nodes[level].count, firstBlock: first.firstBlock,
            fileStart: first.fileStart, logicalStart: first.child.logicalOffset)
        for (child, _, _) in nodes[level] {
            writer.append(child.hash.bytes)
            writer.integer(child.nodeOffset)
            writer.integer(child.logicalLength)
        }
        finish(
            writer.bytes, level: level + 1, firstBlock: first.firstBlock,
            fileStart: first.fileStart, from: first.child.logicalOffset,
            to: last.child.logicalOffset + last.child.logicalLength)
        if !keeping { nodes[level] = [] }
    }

    /// A head of which the input makes each number larger, or, as it is 0, leaves it.
    private func head(
        _ input: inout FuzzInput, level: Int, count: Int, firstBlock: UInt64, fileStart: UInt64,
        logicalStart: UInt64
    ) -> ByteWriter {
        TreeNode.head(
            level: level, count: count, stream: .content,
            firstBlock: firstBlock + UInt64(input.number(UInt8.self)),
            fileStart: fileStart + UInt64(input.number(UInt8.self)),
            logicalStart: logicalStart + UInt64(input.number(UInt8.self)))
    }

    private mutating func finish(
        _ node: [UInt8], level: Int, firstBlock: UInt64, fileStart: UInt64, from start: UInt64,
        to end: UInt64
    ) {
        let child = TreeNode.Child(
            hash: TreeNode.nodeContext.hash(node), nodeOffset: position, logicalOffset: start,
            logicalLength: end &- start)
        bytes += node
        nodes[level].append((child, firstBlock, fileStart))
        root = (child, level)
    }

    /// What the trailer says about the last node as the root, with numbers that may be too large.
    func entry(blocks extra: UInt64, length more: UInt64, level: UInt8) -> Trailer.Stream? {
        guard let root else { return nil }
        return Trailer.Stream(
            id: .content, rootLevel: UInt8(root.level) &+ level, blockCount: blockCount + extra,
            start: UInt64(Fixture.front.count), end: position, logicalLength: length + more,
            rootOffset: root.node.nodeOffset, rootHash: root.node.hash)
    }
}
