import CapsuleBytes
import CapsuleCrypto

/// Collects the entries of a capsule and writes them as the index stream.
///
/// Memory is about 100 bytes for each entry and its name.
public struct IndexBuilder {
    private var entries: [Entry] = []
    private var nameEnds: [UInt64] = []
    private var names: [UInt8] = []
    private var extents: [Extent] = []
    // Offset 0 of the heap means "none", so it begins with an unused byte.
    private var heap: [UInt8] = [0]
    private var attributeSets: [[ExtendedAttribute]: UInt64] = [:]
    /// User and group names.
    public var owners = OwnerNames()

    /// An empty index.
    public init() {}

    /// The number of entries so far.
    public var count: Int { entries.count }

    /// Appends an entry; names of one directory must come in ascending order, one after the other.
    /// Throws `limitExceeded`.
    @discardableResult
    public mutating func append(
        _ entry: Entry, name: some Collection<UInt8>
    ) throws(FormatError) -> Ordinal {
        guard entries.count < Limits.entryCount else {
            throw FormatError(.limitExceeded, "more than \(Limits.entryCount) files")
        }
        entries.append(entry)
        names.append(contentsOf: name)
        nameEnds.append(UInt64(names.count))
        return Ordinal(entries.count - 1)
    }

    /// The users that own something.
    public var userIDs: Set<UInt32> { Set(entries.lazy.filter { !$0.isAlias }.map(\.uid)) }

    /// The groups that own something.
    public var groupIDs: Set<UInt32> { Set(entries.lazy.filter { !$0.isAlias }.map(\.gid)) }

    /// The sum of the sizes of all regular files, in bytes.
    public var totalSize: UInt64 {
        entries.reduce(0) { $1.isRegular && !$1.isAlias ? $0 &+ $1.size : $0 }
    }

    /// Reads or changes an entry that was appended before.
    public subscript(ordinal: Ordinal) -> Entry {
        get { entries[Int(ordinal)] }
        set { entries[Int(ordinal)] = newValue }
    }

    /// The name of an entry.
    public func name(of ordinal: Ordinal) -> ArraySlice<UInt8> {
        let start = ordinal == 0 ? 0 : Int(nameEnds[Int(ordinal) - 1])
        return names[start..<Int(nameEnds[Int(ordinal)])]
    }

    /// Stores the extents of a sparse file; returns the index of the first.
    public mutating func addExtents(_ run: [Extent]) -> UInt64 {
        extents += run
        return UInt64(extents.count - run.count)
    }

    /// Stores the target of a symbolic link; returns its offset in the heap.
    public mutating func addTarget(_ target: [UInt8]) -> UInt64 {
        heap += target
        return UInt64(heap.count - target.count)
    }

    /// Stores extended attributes, equal sets once; returns their offset in the heap, 0 for none.
    ///
    /// In the heap: length of what follows 4, number of attributes 2, then for each: length of the
    /// name 2, length of the value 4, name, value.
    public mutating func addAttributes(_ set: [ExtendedAttribute]) -> UInt64 {
        if set.isEmpty { return 0 }
        if let known = attributeSets[set] { return known }
        var body = ByteWriter()
        body.integer(UInt16(set.count))
        for attribute in set {
            body.integer(UInt16(attribute.name.count))
            body.integer(UInt32(attribute.value.count))
            body.append(attribute.name)
            body.append(attribute.value)
        }
        let offset = UInt64(heap.count)
        var length = ByteWriter()
        length.integer(UInt32(body.count))
        heap += length.bytes + body.bytes
        attributeSets[set] = offset
        return offset
    }

    /// Writes the index into its stream.
    mutating func write(to stream: StreamSealer) {
        var layout = IndexLayout()
        let fences = buildFences()
        layout.entryCount = UInt64(entries.count)
        layout.pageCount = UInt32(
            (entries.count + Limits.entriesPerPage - 1) / Limits.entriesPerPage)
        let owners = encodedOwners
        var nextBlock = 1 + UInt64(layout.pageCount)
        let place = { (length: Int) -> IndexLayout.Section in
            let section = IndexLayout.Section(firstBlock: nextBlock, length: UInt64(length))
            nextBlock += section.blockCount
            return section
        }
        layout.extents = place(extents.count * Extent.encodedLength)
        layout.heap = place(heap.count)
        layout.fences = place(fences.count)
        layout.owners = place(owners.count)
        for entry in entries where !entry.isAlias {
            layout.inodeCount += 1
        }
        layout.totalSize = totalSize
        layout.hasAttributes = !attributeSets.isEmpty

        Self.appendBlock(layout.encoded, to: stream)
        for page in 0..<Int(layout.pageCount) { Self.appendBlock(encodedPage(page), to: stream) }
        Self.appendSection(encodedExtents, to: stream)
        Self.appendSection(heap, to: stream)
        Self.appendSection(fences, to: stream)
        Self.appendSection(owners, to: stream)
    }

    private static func appendBlock(_ bytes: [UInt8], to stream: StreamSealer) {
        bytes.withUnsafeBytes { stream.append($0) }
        stream.endUnit()
    }

    private static func appendSection(_ bytes: [UInt8], to stream: StreamSealer) {
        bytes.withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: IndexLayout.sectionBlockLength) {
                let end = min(start + IndexLayout.sectionBlockLength, all.count)
                stream.append(UnsafeRawBufferPointer(rebasing: all[start..<end]))
                stream.endUnit()
            }
        }
    }

    /// A page: its records, then the names, each followed by a NUL.
    private func encodedPage(_ page: Int) -> [UInt8] {
        let range =
            page * Limits.entriesPerPage..<min((page + 1) * Limits.entriesPerPage, entries.count)
        let recordsLength = range.count * Entry.length
        var writer = ByteWriter(capacity: recordsLength + range.count * 32)
        var nameOffset = recordsLength
        for index in range {
            let length = name(of: Ordinal(index)).count
            entries[index].encode(into: &writer, nameLength: length, nameOffset: nameOffset)
            nameOffset += length + 1
        }
        for index in range {
            writer.append(name(of: Ordinal(index)))
            writer.append(CollectionOfOne(0))
        }
        return writer.bytes
    }

    private var encodedExtents: [UInt8] {
        var writer = ByteWriter(capacity: extents.count * Extent.encodedLength)
        for extent in extents {
            writer.integer(extent.fileOffset)
            writer.integer(extent.length)
            writer.integer(extent.streamOffset)
        }
        return writer.bytes
    }

    /// For each name: kind 1 (0 user, 1 group), length of the name 1, id 4, name.
    private var encodedOwners: [UInt8] {
        var writer = ByteWriter()
        for (kind, names) in [owners.users, owners.groups].enumerated() {
            for (id, name) in names.sorted(by: { $0.key < $1.key }) {
                let bytes = Array(name.utf8.prefix(255))
                writer.integer(UInt8(kind))
                writer.integer(UInt8(bytes.count))
                writer.integer(id)
                writer.append(bytes)
            }
        }
        return writer.bytes
    }
}

// MARK: Fences

extension IndexBuilder {
    /// A fence for every directory whose entries lie on more than two pages.
    ///
    /// Returns the section; sets `extra` of the directories. No fence crosses a block.
    private mutating func buildFences() -> [UInt8] {
        var section: [UInt8] = []
        for index in entries.indices where entries[index].isDirectory {
            let first = Int(entries[index].place)
            let count = Int(entries[index].count)
            guard count > 0 else { continue }
            let firstPage = first / Limits.entriesPerPage
            let lastPage = (first + count - 1) / Limits.entriesPerPage
            guard lastPage - firstPage >= 2 else { continue }
            let fence = fence(pages: firstPage + 1...lastPage)
            // Offset 0 means "none", so the section begins with an unused word.
            if section.isEmpty { section += [0, 0, 0, 0] }
            let room =
                IndexLayout.sectionBlockLength - section.count % IndexLayout.sectionBlockLength
            if fence.count > room {
                section += [UInt8](repeating: 0, count: room)
            }
            entries[index].extra = UInt64(section.count)
            section += fence
        }
        return section
    }

    /// The fence over the first names of `pages`, or of every n-th of them where all do not fit.
    private func fence(pages: ClosedRange<Int>) -> [UInt8] {
        var stride = 1
        while true {
            let sampled = Swift.stride(
                from: pages.lowerBound, through: pages.upperBound, by: stride)
            let fence = Fence(
                stride: UInt32(stride), separators: sampled.map { separator(beforePage: $0) })
            let encoded = fence.encoded
            if encoded.count <= Limits.fenceLength { return encoded }
            stride *= 2
        }
    }

    /// The shortest text that is greater than the last name before a page and not greater than the
    /// page's first name.
    private func separator(beforePage page: Int) -> [UInt8] {
        let ordinal = Ordinal(page * Limits.entriesPerPage)
        let before = Array(name(of: ordinal - 1))
        let after = Array(name(of: ordinal))
        let common = zip(before, after).prefix { $0 == $1 }.count
        return Array(after.prefix(common + 1))
    }
}
