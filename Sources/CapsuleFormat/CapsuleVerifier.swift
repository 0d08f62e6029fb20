import CapsuleCrypto
import CapsuleSystem
import Synchronization

/// Checks every stored byte of a capsule against its root. Needs no key.
///
/// `CapsuleFile` has checked header, areas and trailer; this walks the trees, checks that blocks
/// and nodes tile the file without a gap, and hashes every block (or a sample) on all cores.
public final class CapsuleVerifier: Sendable {
    /// What was found.
    public struct Report: Sendable {
        /// Everything that is wrong, by place in the file.
        public var faults: [FormatError] = []
        /// Blocks hashed.
        public var blockCount: UInt64 = 0
        /// Bytes hashed.
        public var byteCount: UInt64 = 0
        /// Whether nothing is wrong.
        public var isIntact: Bool { faults.isEmpty }
    }

    private let file: CapsuleFile
    private let storage: any Storage
    private let workerCount: Int
    private let progress: @Sendable (UInt64) -> Void
    private let report = Mutex(Report())

    /// Faults kept; a file full of them would fill memory.
    private static let faultCountMax = 10_000
    /// Bytes read at once.
    private static let runLength = 1 << 20

    private struct Work: Sendable {
        let stream: StreamID
        let blocks: [TreeNode.Block]
    }

    /// A verifier.
    ///
    /// - Parameters:
    ///   - storage: read instead of the file's own, as by a reader that goes past the page cache.
    ///   - progress: hears of the number of bytes done, from any thread.
    public init(
        _ file: CapsuleFile, storage: (any Storage)? = nil,
        workerCount: Int = Environment.processorCount,
        progress: @escaping @Sendable (UInt64) -> Void = { _ in }
    ) {
        self.file = file
        self.storage = storage ?? file.storage
        self.workerCount = workerCount
        self.progress = progress
    }

    /// Checks all nodes and, of each 256 blocks, those that `sample` chooses by index.
    public func verify(sample: (@Sendable (UInt64) -> Bool)? = nil) -> Report {
        let queue = WorkQueue<Work>(capacity: workerCount * 2)
        let workers = (0..<workerCount).map { _ in
            Worker { [self] in
                let scratch = BlockScratch()
                while let work = queue.pop() { check(work, scratch: scratch) }
            }
        }
        for area in [file.slotAreas, file.signatureAreas] { noteAreas(area) }
        for stream in file.trailer.streams where stream.blockCount > 0 {
            walk(stream, sample: sample, queue)
        }
        queue.close()
        for worker in workers { worker.join() }
        var result = report.withLock { $0 }
        result.faults.sort { ($0.offset ?? 0) < ($1.offset ?? 0) }
        return result
    }

    private func noteAreas(_ areas: AreaPair) {
        if let fault = areas.otherFault { note(fault) }
    }

    private func note(_ fault: FormatError) {
        report.withLock { report in
            if report.faults.count < Self.faultCountMax { report.faults.append(fault) }
        }
    }

    /// How far a walk has come: what the next node must begin with.
    private struct Place {
        var file: UInt64
        var block: UInt64 = 0
        var logical: UInt64 = 0
        var isBroken = false
    }

    /// Walks a stream's nodes in post-order and queues their blocks.
    private func walk(
        _ stream: Trailer.Stream, sample: (@Sendable (UInt64) -> Bool)?, _ queue: WorkQueue<Work>
    ) {
        var place = Place(file: stream.start)
        visit(
            stream, hash: stream.rootHash, offset: stream.rootOffset, level: Int(stream.rootLevel),
            length: stream.logicalLength, &place
        ) { node in
            let chosen = node.blocks.enumerated().filter { index, _ in
                sample?(node.firstBlock + UInt64(index)) ?? true
            }
            queue.push(Work(stream: stream.id, blocks: chosen.map(\.element)))
        }
        let isComplete =
            place.file == stream.end && place.block == stream.blockCount
            && place.logical == stream.logicalLength
        if !isComplete && !place.isBroken {
            note(.damaged("the \(stream.id.name) tree does not cover its stream", at: stream.end))
        }
    }

    /// Visits a node and all below it. What a damaged or misplaced node says about others is not
    /// followed: hostile nodes could share children without end.
    private func visit(
        _ stream: Trailer.Stream, hash: Digest32, offset: UInt64, level: Int, length: UInt64,
        _ place: inout Place, leaf: (TreeNode) -> Void
    ) {
        let node: TreeNode
        do throws(FormatError) {
            node = try StreamReader.loadNode(
                storage, hash: hash, offset: offset, level: level, stream: stream.id)
        } catch {
            note(error)
            place.isBroken = true
            return
        }
        let isInPlace =
            node.fileStart == place.file && node.firstBlock == place.block
            && node.logicalStart == place.logical && node.logicalLength == length
        guard isInPlace || place.isBroken, node.logicalLength == length else {
            note(
                .damaged(
                    "a node of the \(stream.id.name) tree does not follow the one before it",
                    at: offset))
            place.isBroken = true
            return
        }
        for (index, child) in node.children.enumerated() {
            let first = node.firstBlock + UInt64(index) * TreeNode.capacity(level: level - 1)
            if place.block != first && !place.isBroken {
                // A reader finds a block by its index only where the nodes before it are full.
                note(.damaged("the \(stream.id.name) tree is not full", at: child.nodeOffset))
                place.isBroken = true
            }
            if place.isBroken { resume(at: child, index, of: node, &place) }
            visit(
                stream, hash: child.hash, offset: child.nodeOffset, level: level - 1,
                length: child.logicalLength, &place, leaf: leaf)
        }
        if level == 0 {
            leaf(node)
            place.file = node.blocks.last?.fileEnd ?? place.file
            place.block = node.firstBlock + UInt64(node.blocks.count)
            place.logical = node.logicalStart + node.logicalLength
        }
        if place.file != offset && !place.isBroken {
            note(
                .damaged(
                    "there are bytes between the blocks and a node of the "
                        + "\(stream.id.name) tree", at: place.file))
        }
        place.file = offset + UInt64(TreeNode.length(of: node))
    }

    /// After a damaged node, the walk goes on where its parent says that the next one begins.
    private func resume(
        at child: TreeNode.Child, _ index: Int, of parent: TreeNode, _ place: inout Place
    ) {
        place.logical = child.logicalOffset
        place.block =
            parent.firstBlock + UInt64(index) * TreeNode.capacity(level: parent.level - 1)
    }

    /// Hashes blocks, reading neighbours together.
    private func check(_ work: Work, scratch: BlockScratch) {
        var start = 0
        while start < work.blocks.count {
            var end = start + 1
            while end < work.blocks.count,
                work.blocks[end].fileOffset == work.blocks[end - 1].fileEnd,
                work.blocks[end].fileEnd - work.blocks[start].fileOffset <= UInt64(Self.runLength)
            { end += 1 }
            check(work.blocks[start..<end], of: work.stream, scratch: scratch)
            start = end
        }
    }

    private func check(
        _ run: ArraySlice<TreeNode.Block>, of stream: StreamID, scratch: BlockScratch
    ) {
        guard let first = run.first, let last = run.last else { return }
        let stored = scratch.stored(Int(last.fileEnd - first.fileOffset))
        var available = 0
        do throws(SystemError) {
            available = try storage.read(into: stored, at: first.fileOffset)
        } catch {
            note(FormatError(.system, "cannot read: \(error.reason)", at: first.fileOffset))
        }
        for block in run {
            let start = Int(block.fileOffset - first.fileOffset)
            guard start + block.storedLength <= available else {
                note(
                    FormatError(
                        .truncated, "a block of the \(stream.name) stream cannot be read",
                        at: block.fileOffset))
                continue
            }
            let sealed = UnsafeRawBufferPointer(
                rebasing: stored[start..<start + block.storedLength])
            do throws(FormatError) {
                try BlockCodec.verify(sealed, block: block, stream: stream)
            } catch {
                note(error)
            }
        }
        report.withLock { report in
            report.blockCount += UInt64(run.count)
            report.byteCount += UInt64(stored.count)
        }
        progress(UInt64(stored.count))
    }
}
