import Glibc

/// SQLite's write-ahead log: sealed blocks of the present generation, then whatever an older
/// generation left behind.
///
/// A generation begins when SQLite writes the log's header, which it does after a checkpoint. What
/// is written stays in memory until SQLite asks for a flush or much has gathered; a block is
/// written again only while no committed frame is in it, as SQLite pads commits to a sector's end.
final class LogFile: VirtualFile {
    static let fileName = "metadata-wal"

    private let blocks: SealedBlocks
    private let map: PageMap
    /// Blocks that are not yet written, and the last one that is.
    private var pending: [UInt64: [UInt8]] = [:]
    /// The last block that was written and is not full: SQLite goes on in it.
    private var tail: (number: UInt64, bytes: [UInt8])?
    private var blockCount: UInt64
    /// Blocks of this generation that are known to be on the medium and are not written again.
    private var flushedCount: UInt64 = 0
    /// Where SQLite's last write ended.
    private var writtenLength: UInt64 = 0
    /// Whether SQLite was told of a flush that could not be done for lack of space.
    private(set) var isUnsettled = false
    /// Whether the last attempt to write found no room.
    private var isFull = false

    /// The generation whose blocks are the log.
    private(set) var generation: UInt64

    /// Blocks that may be pending before they are written.
    private static let pendingCountMax = 512

    /// Finds the end of the log. Throws `damaged` when something lies after it that was committed.
    init(_ blocks: SealedBlocks, map: PageMap) throws(StoreError) {
        self.blocks = blocks
        self.map = map
        generation = map.absorbedGeneration + 1
        let stored = try blocks.count()
        var end: UInt64?
        var lost = false
        for number in 0..<stored {
            guard let block = try blocks.read(number, generation: generation) else {
                if end == nil { end = number }
                continue
            }
            // Blocks of one unflushed batch reach the medium in any order; flushed ones do not
            // vanish.
            if let end, block.watermark > end { lost = true }
        }
        blockCount = end ?? stored
        if lost {
            throw StoreError(
                .damaged,
                "the database's log is damaged at block \(blockCount), before its end", errno: EIO)
        }
    }

    /// As `VirtualFile` says.
    func length() throws(StoreError) -> UInt64 { blockCount * UInt64(SealedBlocks.length) }

    private func block(_ number: UInt64) throws(StoreError) -> [UInt8] {
        if let bytes = pending[number] { return bytes }
        if let tail, tail.number == number { return tail.bytes }
        guard number < blockCount else { return [UInt8](repeating: 0, count: SealedBlocks.length) }
        guard let block = try blocks.read(number, generation: generation) else {
            throw StoreError(
                .damaged, "block \(number) of the database's log is not authentic", errno: EIO)
        }
        return block.bytes
    }

    /// As `VirtualFile` says.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StoreError) -> Int {
        let end = min(offset + UInt64(buffer.count), try length())
        var position = offset
        while position < end {
            let number = position / UInt64(SealedBlocks.length)
            let start = Int(position % UInt64(SealedBlocks.length))
            let count = min(SealedBlocks.length - start, Int(end - position))
            let bytes = try block(number)
            let target = Int(position - offset)
            bytes.withUnsafeBytes {
                buffer[target...].copyBytes(from: $0[start..<start + count])
            }
            position += UInt64(count)
        }
        return end > offset ? Int(end - offset) : 0
    }

    /// As `VirtualFile` says.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        if offset == 0 { beginGeneration() }
        var done = 0
        while done < bytes.count {
            let position = offset + UInt64(done)
            let number = position / UInt64(SealedBlocks.length)
            let start = Int(position % UInt64(SealedBlocks.length))
            let count = min(SealedBlocks.length - start, bytes.count - done)
            if pending[number] == nil { pending[number] = try block(number) }
            pending[number]?.withUnsafeMutableBytes {
                $0[start...].copyBytes(from: bytes[done..<done + count])
            }
            blockCount = max(blockCount, number + 1)
            done += count
        }
        writtenLength = offset + UInt64(bytes.count)
        // On a full disk it is not tried again for every frame, but when somebody asks for a flush.
        if pending.count > Self.pendingCountMax, !isFull {
            try unlessFull { () throws(StoreError) in
                try writePending()
            }
        }
    }

    private func beginGeneration() {
        generation = map.absorbedGeneration + 1
        pending = [:]
        tail = nil
        blockCount = 0
        flushedCount = 0
        writtenLength = 0
    }

    /// Writes what is pending, runs of neighbours with one call each.
    private func writePending() throws(StoreError) {
        let numbers = pending.keys.sorted()
        var index = 0
        while index < numbers.count {
            let first = index
            while index + 1 < numbers.count, numbers[index + 1] == numbers[index] + 1 { index += 1 }
            let run = numbers[first...index].compactMap { pending[$0] }
            try blocks.write(
                run, at: numbers[first], generation: generation, watermark: flushedCount)
            index += 1
        }
        if let last = numbers.last, last + 1 == blockCount, let bytes = pending[last] {
            tail = (last, bytes)
        }
        pending.removeAll(keepingCapacity: true)
        isFull = false
    }

    /// The pages of which the log has a frame, counted from 0 (SQLite's documentation, "WAL-mode
    /// File Format": a header of 32 bytes, then frames of 24 bytes and a page each, with the salts
    /// of the header).
    func loggedPages() throws(StoreError) -> Set<UInt64> {
        var pages: Set<UInt64> = []
        guard let header = try bytes(32, at: 0) else { return [] }
        var offset: UInt64 = 32
        while let frame = try bytes(24, at: offset), frame[8..<16] == header[16..<24] {
            let number = frame[0..<4].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            if number > 0 { pages.insert(number - 1) }
            offset += 24 + UInt64(SealedBlocks.length)
        }
        return pages
    }

    private func bytes(_ count: Int, at offset: UInt64) throws(StoreError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: StoreError?
        let done = bytes.withUnsafeMutableBytes { buffer -> Int in
            do throws(StoreError) { return try read(into: buffer, at: offset) } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return done == count ? bytes : nil
    }

    /// As `VirtualFile` says.
    func truncate(to length: UInt64) throws(StoreError) {
        let unit = UInt64(SealedBlocks.length)
        let count = (length + unit - 1) / unit
        guard count < blockCount || length == 0 else { return }
        pending = pending.filter { $0.key < count }
        tail = nil
        try blocks.truncate(toCount: count)
        blockCount = min(blockCount, count)
        flushedCount = min(flushedCount, count)
    }

    /// As `VirtualFile` says, unless the disk is full: SQLite cannot try a commit again, so it is
    /// told that all is well, and `settle` has to be called before anybody else is.
    func flush() throws(StoreError) {
        isUnsettled = true
        try unlessFull { () throws(StoreError) in try flushNow() }
    }

    /// Does the flush that could not be done before. Throws ENOSPC when it still cannot.
    func settle() throws(StoreError) {
        if isUnsettled { try flushNow() }
    }

    private func flushNow() throws(StoreError) {
        try writePending()
        try blocks.flush()
        // SQLite goes on in the block that the last write ended in.
        flushedCount = max(flushedCount, writtenLength / UInt64(SealedBlocks.length))
        isUnsettled = false
    }

    private func unlessFull(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        do throws(StoreError) {
            try body()
        } catch {
            guard error.errno == ENOSPC || error.errno == EDQUOT else { throw error }
            isFull = true
        }
    }
}
