import CapsuleBytes
import CapsuleSystem

/// Answers questions about the tree of a capsule by reading only the pages it needs.
public final class IndexReader: NamedTree {
    let layout: IndexLayout
    private let stream: StreamReader
    private let pages: SharedCache<IndexPage>
    private let sections: SharedCache<PlainBlock>
    private let fences: SharedCache<LoadedFence>

    private final class LoadedFence: Sendable {
        let fence: Fence
        init(_ fence: Fence) { self.fence = fence }
    }

    init(_ stream: StreamReader, cacheLength: Int) throws(FormatError) {
        self.stream = stream
        guard stream.entry.blockCount > 0 else { throw .damaged("the index is empty") }
        let (node, position) = try stream.leafNode(block: 0)
        let first = try stream.load(node.blocks[position])
        layout = try IndexLayout(
            decoding: first.withBytes { [UInt8]($0) }, blockCount: stream.entry.blockCount)
        pages = SharedCache(capacity: cacheLength / 2)
        sections = SharedCache(capacity: cacheLength / 4)
        fences = SharedCache(capacity: cacheLength / 4, shardCount: 2)
    }

    /// The number of entries; ordinals are below it.
    public var entryCount: UInt64 { layout.entryCount }
    /// The number of inodes: entries that are not further names.
    public var inodeCount: UInt64 { layout.inodeCount }
    /// The sum of the sizes of all regular files, in bytes.
    public var totalSize: UInt64 { layout.totalSize }
    /// Whether any inode has extended attributes.
    public var hasAttributes: Bool { layout.hasAttributes }

    /// Hands the plaintext of every block to `body`, in order.
    public func forEachBlock(_ body: (UnsafeRawBufferPointer) -> Void) throws(FormatError) {
        try stream.forEachBlock(body)
    }

    // MARK: Entries

    func page(of ordinal: Ordinal) throws(FormatError) -> IndexPage {
        guard UInt64(ordinal) < layout.entryCount else {
            throw .damaged("entry \(ordinal) is outside the index")
        }
        let page = ordinal / Ordinal(Limits.entriesPerPage)
        return try pages.value(for: UInt64(page), cost: { $0.byteCount + 256 }) {
            () throws(FormatError) -> IndexPage in
            let (node, position) = try stream.leafNode(block: IndexLayout.block(page: page))
            return try IndexPage(stream.load(node.blocks[position]), page: page, layout: layout)
        }
    }

    /// The entry of an ordinal.
    public func entry(_ ordinal: Ordinal) throws(FormatError) -> Entry {
        let page = try page(of: ordinal)
        return page[Int(ordinal - page.firstOrdinal)]
    }

    /// The entry and the name of an ordinal.
    public func namedEntry(
        _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, name: [UInt8]) {
        let page = try page(of: ordinal)
        let index = Int(ordinal - page.firstOrdinal)
        return withExtendedLifetime(page) { (page[index], [UInt8](page.name(index))) }
    }

    /// The inode behind an entry: the entry itself, or what an alias stands for.
    public func inode(
        of entry: Entry, _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, ordinal: Ordinal) {
        guard entry.isAlias else { return (entry, ordinal) }
        let target = Ordinal(entry.place)
        let inode = try self.entry(target)
        guard !inode.isAlias, inode.mode & 0o170000 == entry.mode & 0o170000 else {
            throw .damaged("entry \(ordinal) of the index is a hard link to nothing")
        }
        return (inode, target)
    }

    // MARK: Directories

    /// Hands the entries of a directory from position `start` on to `body`, in order, until it
    /// returns false. `name` has a NUL after it and is valid during the call.
    public func forEach(
        in directory: Ordinal, _ record: Entry, from start: Int,
        _ body: (_ ordinal: Ordinal, _ entry: Entry, _ name: UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError) {
        var position = start
        var previous = try lastName(before: start, of: record)
        while position < Int(record.count) {
            let ordinal = Ordinal(record.place) + Ordinal(position)
            let page = try page(of: ordinal)
            defer { withExtendedLifetime(page) {} }
            var index = Int(ordinal - page.firstOrdinal)
            // Within a page the order was checked; here it is checked from page to page.
            if let previous, !previous.lexicographicallyPrecedes(page.name(index)) {
                throw .damaged("entry \(ordinal) of the index is not in the order of names")
            }
            defer { previous = [UInt8](page.name(page.count - 1)) }
            while index < page.count, position < Int(record.count) {
                let entry = page[index]
                try requireParent(entry, directory, page.firstOrdinal + Ordinal(index))
                let current = page.firstOrdinal + Ordinal(index)
                if !body(current, entry, page.name(index)) { return }
                index += 1
                position += 1
            }
        }
    }

    /// The name before position `start` of a directory, where that lies on another page: the order
    /// within a page was checked already.
    private func lastName(before start: Int, of record: Entry) throws(FormatError) -> [UInt8]? {
        let ordinal = Ordinal(record.place) + Ordinal(start)
        guard start > 0, start < Int(record.count),
            Int(ordinal).isMultiple(of: Limits.entriesPerPage)
        else { return nil }
        return try namedEntry(ordinal - 1).name
    }

    /// Two directories with the same entries, or an entry of the wrong one, would be a tree that is
    /// none.
    private func requireParent(
        _ entry: Entry, _ directory: Ordinal, _ ordinal: Ordinal
    ) throws(FormatError) {
        guard entry.parent == directory, ordinal != 0 else {
            throw .damaged("entry \(ordinal) of the index is not in directory \(directory)")
        }
    }

    /// The entry of a name in a directory, or nil. Reads at most two blocks where the directory has
    /// up to a million entries: its fence and a page.
    public func lookup(
        _ name: UnsafeRawBufferPointer, in directory: Ordinal, _ record: Entry
    ) throws(FormatError) -> (ordinal: Ordinal, entry: Entry)? {
        guard record.count > 0 else { return nil }
        let perPage = Ordinal(Limits.entriesPerPage)
        let first = Ordinal(record.place)
        let last = first + (record.count - 1)
        let firstPage = first / perPage
        var candidates = 0..<Int(last / perPage - firstPage) + 1
        if record.extra != 0 {
            let fence = try fence(at: record.extra)
            candidates = fence.pages(for: name, pageCount: candidates.count)
        }
        while !candidates.isEmpty {
            let middle = (candidates.lowerBound + candidates.upperBound) / 2
            let pageStart = (firstPage + Ordinal(middle)) * perPage
            let page = try page(of: pageStart)
            defer { withExtendedLifetime(page) {} }
            let low = Int(max(first, pageStart) - pageStart)
            let high = Int(min(last, pageStart + Ordinal(page.count) - 1) - pageStart) + 1
            let found = page.lowerBound(of: name, in: low..<high)
            if found == high {
                candidates = middle + 1..<candidates.upperBound
            } else if name.elementsEqual(page.name(found)) {
                let ordinal = pageStart + Ordinal(found)
                try requireParent(page[found], directory, ordinal)
                return (ordinal, page[found])
            } else if found > low {
                return nil
            } else {
                candidates = candidates.lowerBound..<middle
            }
        }
        return nil
    }

    private func fence(at offset: UInt64) throws(FormatError) -> Fence {
        try fences.value(for: offset, cost: { 64 + $0.fence.separators.count * 48 }) {
            () throws(FormatError) -> LoadedFence in
            let head = try bytes(4, at: offset, of: layout.fences)
            let length = head.reversed().reduce(0) { $0 << 8 | Int($1) }
            guard length <= Limits.fenceLength else {
                throw .damaged("a fence of the index is too long")
            }
            let body = try bytes(length, at: offset + 4, of: layout.fences)
            return LoadedFence(try Fence(decoding: body))
        }.fence
    }

    // MARK: Sections

    /// The target of a symbolic link.
    public func target(of entry: Entry) throws(FormatError) -> [UInt8] {
        let target = try bytes(Int(entry.size), at: entry.place, of: layout.heap)
        guard !target.contains(0) else { throw .damaged("a link's target has a NUL in it") }
        return target
    }

    /// The extents of a sparse file, checked: ascending, apart, within the file.
    public func extents(of entry: Entry) throws(FormatError) -> [Extent] {
        var extents: [Extent] = []
        var end: UInt64 = 0
        // Piece by piece: a long list that lies is refused at its first fault, before it fills
        // memory.
        while extents.count < Int(entry.count) {
            let count = min(Int(entry.count) - extents.count, Self.extentsAtOnce)
            let first = entry.place + UInt64(extents.count)
            let encoded = try bytes(
                count * Extent.encodedLength, at: first * UInt64(Extent.encodedLength),
                of: layout.extents)
            try Self.append(encoded, count, of: entry, after: &end, to: &extents)
        }
        return extents
    }

    private static let extentsAtOnce = 8192

    private static func append(
        _ encoded: [UInt8], _ count: Int, of entry: Entry, after end: inout UInt64,
        to extents: inout [Extent]
    ) throws(FormatError) {
        do throws(ByteError) {
            var reader = ByteReader(encoded.span.bytes)
            for _ in 0..<count {
                let extent = Extent(
                    fileOffset: try reader.integer("extent offset"),
                    length: try reader.integer("extent length"),
                    streamOffset: try reader.integer("extent place"))
                guard extent.length > 0, extent.fileOffset >= end,
                    let next = extent.fileOffset.checkedAdding(extent.length), next <= entry.size,
                    extent.streamOffset.checkedAdding(extent.length) != nil
                else { throw ByteError(.outOfRange, "extent", at: reader.offset) }
                end = next
                extents.append(extent)
            }
        } catch {
            throw FormatError(error, in: "extents")
        }
    }

    /// The extended attributes of an inode.
    public func attributes(of entry: Entry) throws(FormatError) -> [ExtendedAttribute] {
        if entry.attributes == 0 { return [] }
        let head = try bytes(4, at: entry.attributes, of: layout.heap)
        let length = head.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= Limits.attributesLength else {
            throw .damaged("extended attributes are too long")
        }
        let body = try bytes(length, at: entry.attributes + 4, of: layout.heap)
        var attributes: [ExtendedAttribute] = []
        do throws(ByteError) {
            var reader = ByteReader(body.span.bytes)
            for _ in 0..<(try reader.integer("attribute count", as: UInt16.self)) {
                let nameLength = Int(try reader.integer("attribute name length", as: UInt16.self))
                let length = Int(try reader.integer("attribute length", as: UInt32.self))
                guard (1...255).contains(nameLength), length <= Limits.attributeValueLength else {
                    throw ByteError(.outOfRange, "attribute length", at: reader.offset)
                }
                let name = try reader.bytes(nameLength, "attribute name")
                guard !name.contains(0) else {
                    throw ByteError(.unexpectedValue, "attribute name", at: reader.offset)
                }
                let value = try reader.bytes(length, "attribute value")
                attributes.append(ExtendedAttribute(name: name, value: value))
            }
            try reader.end("attributes")
        } catch {
            throw FormatError(error, in: "extended attributes")
        }
        return attributes
    }

    /// The names of owners where the capsule was sealed.
    public func ownerNames() throws(FormatError) -> OwnerNames {
        guard layout.owners.length <= UInt64(Limits.attributesLength) else {
            throw .damaged("the table of owners is too long")
        }
        let table = try bytes(Int(layout.owners.length), at: 0, of: layout.owners)
        var names = OwnerNames()
        do throws(ByteError) {
            var reader = ByteReader(table.span.bytes)
            while reader.remaining > 0 {
                let kind: UInt8 = try reader.integer("owner kind")
                let length: UInt8 = try reader.integer("owner name length")
                let id: UInt32 = try reader.integer("owner id")
                let name = String(
                    decoding: try reader.bytes(Int(length), "owner name"), as: UTF8.self)
                if kind == 0 { names.users[id] = name } else { names.groups[id] = name }
            }
        } catch {
            throw FormatError(error, in: "owner names")
        }
        return names
    }

    /// Bytes of a section, gathered from the blocks they lie in.
    private func bytes(
        _ count: Int, at offset: UInt64, of section: IndexLayout.Section
    ) throws(FormatError) -> [UInt8] {
        guard let end = offset.checkedAdding(UInt64(count)), end <= section.length else {
            throw .damaged("a place outside a section of the index is referred to")
        }
        var result: [UInt8] = []
        result.reserveCapacity(min(count, 1 << 20))
        let blockLength = UInt64(IndexLayout.sectionBlockLength)
        while result.count < count {
            let position = offset + UInt64(result.count)
            let index = section.firstBlock + position / blockLength
            let block = try sections.value(for: index, cost: { $0.count }) {
                () throws(FormatError) -> PlainBlock in
                let (node, place) = try stream.leafNode(block: index)
                return try stream.load(node.blocks[place])
            }
            let start = Int(position % blockLength)
            let isLast = index == section.firstBlock + section.blockCount - 1
            let expected =
                isLast ? section.length - (section.blockCount - 1) * blockLength : blockLength
            guard block.count == Int(expected) else {
                throw .damaged("a block of the index has another length than its section says")
            }
            let take = min(count - result.count, block.count - start)
            block.withBytes { result.append(contentsOf: $0[start..<start + take]) }
        }
        return result
    }
}
