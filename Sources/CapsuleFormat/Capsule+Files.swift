import CapsuleSystem

/// The runs of a sparse file, kept decoded.
final class ExtentList: Sendable {
    let extents: [Extent]
    let size: UInt64

    init(_ extents: [Extent], size: UInt64) {
        self.extents = extents
        self.size = size
    }

    /// The index of the first extent that ends after `offset`.
    func firstIndex(endingAfter offset: UInt64) -> Int {
        var (low, high) = (0, extents.count)
        while low < high {
            let middle = (low + high) / 2
            if extents[middle].fileOffset + extents[middle].length <= offset {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}

/// Contents of regular files, for mounts, extraction and comparison alike.
extension Capsule {
    /// Decoded extents are kept by the index of the first. An entry that shares it with another and
    /// differs from it in size or count is hostile, or has no extents at all.
    private func extentList(_ entry: Entry) throws(FormatError) -> ExtentList {
        if entry.count == 0 { return ExtentList([], size: entry.size) }
        let list = try extentLists.value(
            for: entry.place, cost: { 64 + $0.extents.count * 24 }
        ) { () throws(FormatError) -> ExtentList in
            ExtentList(try index.extents(of: entry), size: entry.size)
        }
        if list.extents.count == Int(entry.count), list.size == entry.size { return list }
        return ExtentList(try index.extents(of: entry), size: entry.size)
    }

    /// Reads up to `buffer.count` bytes of a regular file at `offset`; fewer only at its end.
    public func read(
        _ entry: Entry, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Int {
        guard offset < entry.size else { return 0 }
        let count = Int(min(UInt64(buffer.count), entry.size - offset))
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        if entry.flags.contains(.sparse) {
            try readSparse(entry, at: offset, into: target)
        } else {
            try content.read(into: target, at: entry.place + offset)
        }
        return count
    }

    private func readSparse(
        _ entry: Entry, at offset: UInt64, into target: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        let list = try extentList(entry)
        var done = 0
        var index = list.firstIndex(endingAfter: offset)
        while done < target.count {
            let position = offset + UInt64(done)
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
            guard index < list.extents.count else {
                rest.initializeMemory(as: UInt8.self, repeating: 0)
                return
            }
            let extent = list.extents[index]
            if position < extent.fileOffset {
                let gap = min(UInt64(rest.count), extent.fileOffset - position)
                UnsafeMutableRawBufferPointer(rebasing: rest[..<Int(gap)])
                    .initializeMemory(as: UInt8.self, repeating: 0)
                done += Int(gap)
                continue
            }
            let within = position - extent.fileOffset
            let count = Int(min(UInt64(rest.count), extent.length - within))
            try content.read(
                into: UnsafeMutableRawBufferPointer(rebasing: rest[..<count]),
                at: extent.streamOffset + within)
            done += count
            index += 1
        }
    }

    /// The runs of bytes of a regular file that are stored: all of it, unless it is sparse.
    public func extents(of entry: Entry) throws(FormatError) -> [Extent] {
        if entry.flags.contains(.sparse) { return try extentList(entry).extents }
        if entry.size == 0 { return [] }
        return [Extent(fileOffset: 0, length: entry.size, streamOffset: entry.place)]
    }

    /// The first offset not below `offset` that lies in data (or in a hole), as lseek(2) defines
    /// SEEK_DATA and SEEK_HOLE; nil is ENXIO.
    public func seek(
        _ entry: Entry, from offset: UInt64, toHole: Bool
    ) throws(FormatError) -> UInt64? {
        guard offset < entry.size else { return nil }
        guard entry.flags.contains(.sparse) else { return toHole ? entry.size : offset }
        let list = try extentList(entry)
        var index = list.firstIndex(endingAfter: offset)
        if !toHole {
            guard index < list.extents.count else { return nil }
            return max(offset, list.extents[index].fileOffset)
        }
        var position = offset
        while index < list.extents.count, list.extents[index].fileOffset <= position {
            position = list.extents[index].fileOffset + list.extents[index].length
            index += 1
        }
        return min(position, entry.size)
    }
}
