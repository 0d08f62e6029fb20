import CapsuleBytes
import CapsuleCrypto

/// Builds a stream's hash tree in post-order while its blocks are written.
///
/// Memory is one unfinished node for each level. `emit` appends bytes to the file.
struct TreeBuilder {
    private struct Level {
        var entries = ByteWriter()
        var count = 0
        var firstBlock: UInt64 = 0
        var fileStart: UInt64 = 0
        var logicalStart: UInt64 = 0
    }

    private let stream: StreamID
    private let start: UInt64
    private var levels: [Level] = []
    private var blockCount: UInt64 = 0
    private var logicalLength: UInt64 = 0
    /// The offset in the file of the next byte.
    private(set) var position: UInt64
    /// The node written last, which is the root once `finish` has run.
    private var last: (hash: Digest32, offset: UInt64, level: Int)?

    init(stream: StreamID, start: UInt64) {
        self.stream = stream
        self.start = start
        position = start
    }

    /// Adds a block whose bytes the caller has just written at `position`.
    mutating func add(
        hash: Digest32, storedLength: Int, logicalLength length: Int,
        emit: (UnsafeRawBufferPointer) -> Void
    ) {
        if levels.isEmpty || levels[0].count == 0 {
            open(level: 0, fileStart: position, logicalStart: logicalLength, firstBlock: blockCount)
        }
        levels[0].entries.append(hash.bytes)
        levels[0].entries.integer(UInt32(storedLength))
        levels[0].entries.integer(UInt32(length))
        levels[0].count += 1
        blockCount += 1
        position += UInt64(storedLength)
        logicalLength += UInt64(length)
        if levels[0].count == Limits.nodeEntryCount { close(level: 0, emit) }
    }

    /// Writes the unfinished nodes and returns the stream's entry in the trailer.
    mutating func finish(emit: (UnsafeRawBufferPointer) -> Void) -> Trailer.Stream {
        var level = 0
        while level < levels.count {
            let isRoot = last?.level == level - 1 && levels[level].count == 1
            if levels[level].count > 0 && !(isRoot && level == levels.count - 1) {
                close(level: level, emit)
            }
            level += 1
        }
        return Trailer.Stream(
            id: stream, rootLevel: UInt8(last?.level ?? 0), blockCount: blockCount, start: start,
            end: position, logicalLength: logicalLength, rootOffset: last?.offset ?? 0,
            rootHash: last?.hash ?? .zero)
    }

    private mutating func open(
        level: Int, fileStart: UInt64, logicalStart: UInt64, firstBlock: UInt64
    ) {
        if levels.count == level { levels.append(Level()) }
        levels[level].fileStart = fileStart
        levels[level].logicalStart = logicalStart
        levels[level].firstBlock = firstBlock
    }

    private mutating func close(level: Int, _ emit: (UnsafeRawBufferPointer) -> Void) {
        let node = levels[level]
        var writer = TreeNode.head(
            level: level, count: node.count, stream: stream, firstBlock: node.firstBlock,
            fileStart: node.fileStart, logicalStart: node.logicalStart)
        writer.append(node.entries.bytes)
        let hash = TreeNode.nodeContext.hash(writer.bytes)
        let offset = position
        writer.bytes.withUnsafeBytes(emit)
        position += UInt64(writer.count)
        last = (hash, offset, level)
        levels[level].entries = ByteWriter()
        levels[level].count = 0

        let above = level + 1
        precondition(above < Limits.treeLevels, "the stream is longer than the format allows")
        if levels.count == above || levels[above].count == 0 {
            open(
                level: above, fileStart: node.fileStart, logicalStart: node.logicalStart,
                firstBlock: node.firstBlock)
        }
        levels[above].entries.append(hash.bytes)
        levels[above].entries.integer(offset)
        levels[above].entries.integer(logicalLength - node.logicalStart)
        levels[above].count += 1
        if levels[above].count == Limits.nodeEntryCount { close(level: above, emit) }
    }
}
