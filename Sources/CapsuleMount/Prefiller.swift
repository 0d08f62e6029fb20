import CapsuleFormat
import CapsuleSystem
import FuseKit
import Synchronization

/// Puts what was decrypted anyway into the kernel's page cache before anybody asks.
///
/// One sealed block holds the neighbourhood of what was read: the rest of the same file, and the
/// small files beside it. Each of them would cost a request of its own, most of which is switching
/// between processes. A thread of its own does this, because the kernel may wait for a request
/// about the same page.
final class Prefiller: Sendable {
    private struct Job: Sendable {
        let ordinal: Ordinal
        let entry: Entry
        /// Where in the content stream somebody has just read.
        let position: UInt64
    }

    private let capsule: Capsule
    private let session = Mutex<FuseSession?>(nil)
    private let queue = WorkQueue<Job>(capacity: 64)
    private let node: @Sendable (Ordinal) -> UInt64
    private let lastBlock = Atomic<UInt64>(UInt64.max)

    /// Requests of this length or more bring their neighbourhood with them.
    private static let requestLengthMax = 64 << 10
    /// Blocks decrypted ahead of a reader that goes from block to block, as tar does.
    private static let blocksAhead = 3
    private static let pageLength: UInt64 = 4096

    init(_ capsule: Capsule, node: @escaping @Sendable (Ordinal) -> UInt64) {
        self.capsule = capsule
        self.node = node
    }

    /// Starts to fill; before, reads are only noted.
    func start(_ session: FuseSession) {
        self.session.withLock { $0 = session }
        _ = Worker { [self] in
            while let job = queue.pop() { fill(job, session) }
        }
    }

    func stop() {
        queue.close()
        session.withLock { $0 = nil }
    }

    /// Somebody read `count` bytes at `offset` of a file. Never waits.
    func noteRead(_ ordinal: Ordinal, _ entry: Entry, offset: UInt64, count: Int) {
        guard count < Self.requestLengthMax, !entry.flags.contains(.sparse), offset < entry.size
        else { return }
        _ = queue.tryPush(Job(ordinal: ordinal, entry: entry, position: entry.place + offset))
    }

    private func fill(_ job: Job, _ session: FuseSession) {
        guard let first = capsule.content.decodedBlock(at: job.position) else { return }
        let start = first.range.lowerBound
        let before = lastBlock.exchange(start, ordering: .relaxed)
        if before == start { return }
        store(first, job.ordinal, job.entry, session)
        // A reader that came from the block before will most likely want the blocks after.
        guard before < start, start - before <= UInt64(2 * first.range.count), !first.isRaw else {
            return
        }
        var next = first.range.upperBound
        for _ in 0..<Self.blocksAhead {
            guard let block = capsule.content.decodedBlock(at: next), !block.isRaw else { return }
            next = block.range.upperBound
        }
    }

    /// Stores what a block holds of the file, and of the files after it in the same directory.
    private func store(
        _ block: ContentReader.DecodedBlock, _ ordinal: Ordinal, _ entry: Entry,
        _ session: FuseSession
    ) {
        store(block, file: entry, ordinal, session)
        guard !block.isRaw, let directory = try? capsule.index.entry(entry.parent),
            directory.isDirectory, directory.place <= UInt64(ordinal)
        else { return }
        let position = Int(UInt64(ordinal) + 1 - directory.place)
        guard position < Int(directory.count) else { return }
        try? capsule.index.forEach(in: entry.parent, directory, from: position) {
            sibling, record, _ in
            guard record.isRegular, !record.isAlias, !record.flags.contains(.sparse),
                record.size > 0
            else { return true }
            guard block.range.contains(record.place) else {
                // A file stored once for several names lies elsewhere; later ones may be here.
                return record.place < block.range.upperBound
            }
            store(block, file: record, sibling, session)
            return record.size < block.range.upperBound - record.place
        }
    }

    /// Stores the whole pages of a file that lie in a block; its last page counts as whole.
    private func store(
        _ block: ContentReader.DecodedBlock, file: Entry, _ ordinal: Ordinal,
        _ session: FuseSession
    ) {
        // Validated with the page: place and size add up without overflow.
        let start = max(block.range.lowerBound, file.place)
        let end = min(block.range.upperBound, file.place + file.size)
        guard start < end else { return }
        let firstPage = (start - file.place + Self.pageLength - 1) / Self.pageLength
        let offset = firstPage * Self.pageLength
        var limit = end - file.place
        if limit < file.size { limit = limit / Self.pageLength * Self.pageLength }
        guard offset < limit else { return }
        let from = Int(file.place + offset - block.range.lowerBound)
        block.withBytes { bytes in
            _ = session.store(
                node: node(ordinal), offset: offset,
                UnsafeRawBufferPointer(rebasing: bytes[from..<from + Int(limit - offset)]))
        }
    }
}
