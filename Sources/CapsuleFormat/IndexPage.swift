import CapsuleBytes

/// Up to 256 entries with their names: one block of the index, validated as a whole.
final class IndexPage: Sendable {
    /// The ordinal of the first entry.
    let firstOrdinal: Ordinal
    /// The number of entries.
    let count: Int
    private let block: PlainBlock
    /// Of `block`, which lives as long as the page.
    private nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    /// Takes a block over and checks every record and name in it.
    ///
    /// Throws `damaged` for a name that is empty, too long, `.` or `..`, or has `/` or NUL in it;
    /// for a record that breaks the rules of its type; for names out of order.
    init(_ block: PlainBlock, page: UInt32, layout: IndexLayout) throws(FormatError) {
        let first = UInt64(page) * UInt64(Limits.entriesPerPage)
        firstOrdinal = Ordinal(first)
        count = Int(min(UInt64(Limits.entriesPerPage), layout.entryCount - first))
        self.block = block
        bytes = block.unmanagedBytes
        guard bytes.count >= count * Entry.length else {
            throw .damaged("page \(page) of the index is too short")
        }
        for index in 0..<count {
            try validate(index, layout: layout)
            if index > 0, self[index].parent == self[index - 1].parent,
                firstOrdinal > 0 || index > 1
            {
                guard name(index - 1).lexicographicallyPrecedes(name(index)) else {
                    throw fault(index, "is not in the order of names")
                }
            }
        }
    }

    /// The length of the page in memory.
    var byteCount: Int { bytes.count }

    /// The entry at a position.
    @inline(__always)
    subscript(index: Int) -> Entry {
        precondition(index < count, "an entry outside its page")
        guard let base = bytes.baseAddress else { preconditionFailure("a page has bytes") }
        return Entry(unchecked: base + index * Entry.length)
    }

    /// The name of the entry at a position; a NUL follows it in memory. Valid as long as the page
    /// lives: callers extend its lifetime over their use.
    @inline(__always)
    func name(_ index: Int) -> UnsafeRawBufferPointer {
        let record = index * Entry.length
        let length = Int(bytes.loadUnaligned(fromByteOffset: record + 6, as: UInt16.self))
        let offset = Int(bytes.loadUnaligned(fromByteOffset: record + 8, as: UInt32.self))
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
    }

    private func fault(_ index: Int, _ problem: String) -> FormatError {
        .damaged("entry \(firstOrdinal + Ordinal(index)) of the index \(problem)")
    }

    private func validate(_ index: Int, layout: IndexLayout) throws(FormatError) {
        try validateName(index)
        let entry = self[index]
        let ordinal = UInt64(firstOrdinal) + UInt64(index)
        let reserved = bytes.loadUnaligned(
            fromByteOffset: index * Entry.length + 60, as: UInt32.self)
        guard let kind = Entry.Kind(rawValue: entry.mode & 0o170000), entry.mode <= 0o177777,
            entry.flags.isSubset(of: .known), entry.nanoseconds < 1_000_000_000, reserved == 0,
            entry.linkCount > 0, entry.size <= UInt64(Int64.max),
            entry.attributes < max(layout.heap.length, 1)
        else { throw fault(index, "has a field out of range") }
        if ordinal == 0 {
            guard kind == .directory, entry.parent == 0 else {
                throw fault(index, "is the root and not a directory")
            }
        } else if UInt64(entry.parent) >= ordinal {
            throw fault(index, "comes before the directory it is in")
        }
        if entry.isAlias {
            guard kind != .directory, entry.place < layout.entryCount, entry.place != ordinal,
                entry.flags == .alias
            else { throw fault(index, "is a hard link to nothing") }
            return
        }
        switch kind {
        case .directory:
            let end = entry.place.checkedAdding(UInt64(entry.count))
            guard !entry.flags.contains(.sparse), let end, end <= layout.entryCount,
                entry.count == 0 || entry.place > ordinal,
                entry.extra < max(layout.fences.length, 1)
            else { throw fault(index, "is a directory whose entries are out of range") }
        case .symbolicLink:
            let end = entry.place.checkedAdding(entry.size)
            guard entry.flags.isEmpty, entry.size > 0, entry.size <= Limits.targetLength, let end,
                end <= layout.heap.length
            else { throw fault(index, "is a link whose target is out of range") }
        case .regular:
            try validateFile(index, entry, layout: layout)
        case .fifo, .socket, .characterDevice, .blockDevice:
            guard entry.flags.isEmpty, entry.size == 0 else {
                throw fault(index, "is a special file with contents")
            }
        }
    }

    private func validateFile(
        _ index: Int, _ entry: Entry, layout: IndexLayout
    ) throws(FormatError) {
        guard entry.flags.contains(.sparse) else {
            guard entry.place.checkedAdding(entry.size) != nil else {
                throw fault(index, "is a file whose contents are out of range")
            }
            return
        }
        let extentCount = layout.extents.length / UInt64(Extent.encodedLength)
        let end = entry.place.checkedAdding(UInt64(entry.count))
        guard let end, end <= extentCount, entry.extra <= entry.size else {
            throw fault(index, "is a sparse file whose extents are out of range")
        }
    }

    private func validateName(_ index: Int) throws(FormatError) {
        let record = index * Entry.length
        let length = Int(bytes.loadUnaligned(fromByteOffset: record + 6, as: UInt16.self))
        let offset = Int(bytes.loadUnaligned(fromByteOffset: record + 8, as: UInt32.self))
        let isRoot = firstOrdinal == 0 && index == 0
        guard length <= Limits.nameLength, (length == 0) == isRoot,
            offset >= count * Entry.length, offset + length < bytes.count,
            bytes[offset + length] == 0
        else { throw fault(index, "has a name out of range") }
        let name = name(index)
        let dot = UInt8(ascii: ".")
        let isDots = name.allSatisfy { $0 == dot } && (1...2).contains(name.count)
        guard !isDots, !name.contains(UInt8(ascii: "/")), !name.contains(0) else {
            throw fault(index, "has a forbidden name")
        }
    }

    /// The position of the first entry among `range` whose name is not less than `name`.
    func lowerBound(of name: UnsafeRawBufferPointer, in range: Range<Int>) -> Int {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if self.name(middle).lexicographicallyPrecedes(name) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
