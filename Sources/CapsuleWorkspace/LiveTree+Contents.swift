import CapsuleFormat
import CapsuleStore
import CapsuleSystem
import Glibc

extension LiveTree {
    /// The longest file: what fits a signed number.
    private static let sizeMax = UInt64(Int64.max)

    /// Blocks of one write that are not compressed after one that could not be.
    private static let untriedCount = 3

    private func regularFile(_ number: UInt64) throws(WorkspaceError) -> Inode {
        let inode = try inode(number)
        guard inode.isRegular else { throw WorkspaceError(inode.isDirectory ? EISDIR : EINVAL) }
        return inode
    }

    // MARK: Reading and writing

    /// Reads up to `buffer.count` bytes at `offset`; fewer only at the end of the file.
    public func read(
        _ number: UInt64, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(WorkspaceError) -> Int {
        var before: [FileExtent]?
        while true {
            let (count, found) = try locked {
                () throws(WorkspaceError) -> (Int, [FileExtent]) in
                let inode = try regularFile(number)
                guard offset < inode.size else { return (0, []) }
                let count = Int(min(UInt64(buffer.count), inode.size - offset))
                let found = try stored { () throws(StoreError) in
                    try extents.extents(of: number, in: offset..<offset + UInt64(count))
                }
                return (count, found)
            }
            do throws(FormatError) {
                try segments.read(
                    found, in: offset..<offset + UInt64(count),
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
                return count
            } catch {
                // Blocks may have been moved, or given up, since they were looked up.
                if found != before {
                    before = found
                    continue
                }
                report("inode \(number), bytes \(offset) to \(offset + UInt64(count)): \(error)")
                throw WorkspaceError(error)
            }
        }
    }

    /// Writes all bytes at `offset`; with `keepsTimes` somebody else tells the times.
    public func write(
        _ number: UInt64, at offset: UInt64, _ bytes: UnsafeRawBufferPointer,
        keepsTimes: Bool = false
    ) throws(WorkspaceError) {
        guard !isReadOnly else { throw WorkspaceError(EROFS) }
        guard offset <= Self.sizeMax - UInt64(bytes.count) else { throw WorkspaceError(EFBIG) }
        let written = try appendMakingRoom(bytes, at: offset)
        defer { segments.unpin(written.map(\.block)) }
        let end = offset + UInt64(bytes.count)
        try changing(grows: true) { () throws(WorkspaceError) in
            try refuseFrozen(number)
            var inode = try regularFile(number)
            try replace(offset..<end, of: &inode, with: written)
            inode.size = max(inode.size, end)
            if !keepsTimes {
                inode.modified = FileTime.now
                inode.changed = inode.modified
            }
            inodes.put(inode)
        }
    }

    /// Appends contents that are to stand at `offset` of a file, and pins them. Where there is no
    /// room, waits for a reclaim that is under way, which takes some itself; then gives back what
    /// has gone.
    private func appendMakingRoom(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(WorkspaceError) -> [FileExtent] {
        do throws(SystemError) {
            return try append(bytes, at: offset)
        } catch {
            guard error.errno == ENOSPC else { throw WorkspaceError(error) }
        }
        waitForReclaim()
        do throws(SystemError) {
            return try append(bytes, at: offset)
        } catch {
            guard error.errno == ENOSPC, try giveBack() else { throw WorkspaceError(error) }
        }
        return try called { () throws(SystemError) in try append(bytes, at: offset) }
    }

    private func append(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> [FileExtent] {
        let unit = UInt64(SegmentStore.blockLength)
        var written: [FileExtent] = []
        var position = offset
        let end = offset + UInt64(bytes.count)
        var untried = 0
        while position < end {
            // Cut at multiples of a block, so that writes of one place replace whole blocks.
            let stop = min(end, (position / unit + 1) * unit)
            let part = UnsafeRawBufferPointer(
                rebasing: bytes[Int(position - offset)..<Int(stop - offset)])
            // What follows bytes that do not compress mostly does not either.
            let blocks: [BlockPlace]
            do throws(SystemError) {
                blocks = try segments.append(part, compresses: untried == 0)
            } catch {
                segments.unpin(written.map(\.block))
                throw error
            }
            untried = untried > 0 ? untried - 1 : blocks[0].isCompressed ? 0 : Self.untriedCount
            for block in blocks {
                let length = UInt64(block.plainLength)
                written.append(
                    FileExtent(offset: position, length: length, block: block, skip: 0, born: 0))
                position += length
            }
        }
        return written
    }

    private func replace(
        _ range: Range<UInt64>, of inode: inout Inode, with new: [FileExtent]
    ) throws(WorkspaceError) {
        let number = inode.number
        let epoch = epoch
        let hasBefore = inode.storedSize > 0
        let (cleared, added) = try stored { () throws(StoreError) -> (UInt64, UInt64) in
            let cleared =
                hasBefore ? try extents.clear(range, of: number, epoch: epoch) : 0
            for var extent in new {
                extent.born = epoch
                try extents.add(extent, to: number)
            }
            return (cleared, new.reduce(0) { $0 + $1.length })
        }
        inode.storedSize = inode.storedSize &- cleared &+ added
        noteFreed(cleared)
    }

    /// Makes a file `size` bytes long; the caller puts the inode back.
    func truncate(_ inode: inout Inode, to size: UInt64) throws(WorkspaceError) {
        guard inode.isRegular else { throw WorkspaceError(inode.isDirectory ? EISDIR : EINVAL) }
        guard size <= Self.sizeMax else { throw WorkspaceError(EFBIG) }
        if size == 0, inode.storedSize > 0 {
            let (number, epoch) = (inode.number, epoch)
            try stored { () throws(StoreError) in
                try extents.removeAll(of: number, epoch: epoch)
            }
            noteFreed(inode.storedSize)
            inode.storedSize = 0
        } else if size < inode.size {
            try replace(size..<Self.sizeMax, of: &inode, with: [])
        }
        inode.size = size
    }

    // MARK: Space

    /// Flags of fallocate(2).
    public enum AllocationFlag {
        /// The size stays.
        public static let keepSize: Int32 = 1
        /// The range becomes a hole.
        public static let punchHole: Int32 = 2
        /// The range becomes zeros.
        public static let zeroRange: Int32 = 16
        /// What makes room and takes none.
        public static let anyHole = punchHole | zeroRange
    }

    /// As fallocate(2) says. Space is not set aside: a full disk fails the write.
    public func allocate(
        _ number: UInt64, mode: Int32, range: Range<UInt64>, dropsSetGroupID: Bool = false
    ) throws(WorkspaceError) {
        try changing(grows: mode & AllocationFlag.punchHole == 0) { () throws(WorkspaceError) in
            try refuseFrozen(number)
            var inode = try regularFile(number)
            if dropsSetGroupID { inode.mode &= ~0o2000 }
            guard range.upperBound <= Self.sizeMax else { throw WorkspaceError(EFBIG) }
            let keepsSize = mode & AllocationFlag.keepSize != 0
            switch mode & ~AllocationFlag.keepSize {
            case 0: break
            case AllocationFlag.punchHole where keepsSize, AllocationFlag.zeroRange:
                try replace(range, of: &inode, with: [])
                inode.modified = FileTime.now
            default: throw WorkspaceError(EOPNOTSUPP)
            }
            if !keepsSize { inode.size = max(inode.size, range.upperBound) }
            inode.changed = FileTime.now
            inodes.put(inode)
        }
    }

    /// The next data, or the next hole, from an offset on; nil is ENXIO.
    public func seek(
        _ number: UInt64, from offset: UInt64, toHole: Bool
    ) throws(WorkspaceError) -> UInt64? {
        try locked { () throws(WorkspaceError) in
            let inode = try regularFile(number)
            guard offset < inode.size else { return nil }
            var position = offset
            while true {
                let from = position
                let found = try stored { () throws(StoreError) in
                    try extents.extents(of: number, from: from, count: 256)
                }
                for extent in found {
                    if !toHole { return max(position, extent.offset) }
                    if extent.offset > position { return position }
                    position = extent.end
                }
                if found.isEmpty { return toHole ? min(position, inode.size) : nil }
            }
        }
    }

    /// Lets a range of one file share the blocks of a range of another; returns the bytes.
    public func share(
        _ source: UInt64, at sourceOffset: UInt64, with target: UInt64, at targetOffset: UInt64,
        count: UInt64
    ) throws(WorkspaceError) -> UInt64 {
        try changing(grows: true) { () throws(WorkspaceError) in
            try refuseFrozen(target)
            let from = try regularFile(source)
            var to = try regularFile(target)
            guard sourceOffset < from.size else { return 0 }
            let count = min(count, from.size - sourceOffset)
            guard targetOffset <= Self.sizeMax - count else { throw WorkspaceError(EFBIG) }
            let range = sourceOffset..<sourceOffset + count
            let found = try stored { () throws(StoreError) in
                try extents.extents(of: source, in: range)
            }
            let shared = found.map { extent in
                let start = max(extent.offset, range.lowerBound)
                let stop = min(extent.end, range.upperBound)
                return FileExtent(
                    offset: start - sourceOffset + targetOffset, length: stop - start,
                    block: extent.block, skip: extent.skip + start - extent.offset, born: 0)
            }
            try replace(targetOffset..<targetOffset + count, of: &to, with: shared)
            to.size = max(to.size, targetOffset + count)
            to.modified = FileTime.now
            to.changed = to.modified
            inodes.put(to)
            return count
        }
    }
}
