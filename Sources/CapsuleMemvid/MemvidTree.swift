import CapsuleBytes
import CapsuleFormat
import Glibc
import MemvidFormat

/// A Memvid file shown as a folder: a document per file, at the path that its URI spells, and
/// `.memvid` with everything else. See capsule-memvid(7).
///
/// Ordinals below the number of nodes are objects of the folder; the two entries of each frame in
/// `.memvid/frames` come after them and exist only as numbers.
public final class MemvidTree: ReadableTree {
    /// The file.
    public let file: MemvidFile
    let nodes: [FolderNode]
    private let hidden: Ordinal?
    private let framesDirectory: Ordinal
    private let timeline: Timeline
    private let infoText: [UInt8]
    private let newest: Int64
    private let owner = (uid: geteuid(), gid: getegid())

    /// Keys that the file has to be opened with, so that a packed tree is seen as it was.
    public static let retainedKeys: Set<String> = [PackedEntry.key, PackedTree.markKey]

    /// Shows `file`. Throws `FormatError` where it is a packed tree whose record is damaged.
    public init(_ file: MemvidFile) throws(FormatError) {
        self.file = file
        let builder = try FolderBuilder(file)
        nodes = builder.nodes
        hidden = builder.hidden
        framesDirectory = Ordinal(
            nodes.firstIndex {
                if case .frames = $0.kind { true } else { false }
            } ?? 0)
        timeline = Timeline(file)
        infoText = JSONText.encode(FileInfo(file))
        newest = file.frames.map(\.timestamp).max() ?? 0
    }

    // MARK: Frames as entries

    private var framesBase: UInt64 { UInt64(nodes.count) }

    /// What an ordinal stands for beyond the nodes: a frame's bytes or its fields.
    private enum FrameEntry {
        case payload(UInt64)
        case fields(UInt64)
    }

    private func frameEntry(_ ordinal: Ordinal) -> FrameEntry {
        let number = UInt64(ordinal) - framesBase
        return number.isMultiple(of: 2) ? .payload(number / 2) : .fields(number / 2)
    }

    private func frameName(_ ordinal: Ordinal) -> [UInt8] {
        switch frameEntry(ordinal) {
        case .payload(let id): Array("\(id)".utf8)
        case .fields(let id): Array("\(id).json".utf8)
        }
    }

    /// Frame numbers in the order of their decimal digits, which is the order of their names.
    private func frameNumber(at position: Int, after previous: UInt64?) -> UInt64 {
        let count = UInt64(file.frames.count)
        guard let previous else { return DecimalOrder.number(at: position, count: count) }
        return DecimalOrder.next(after: previous, count: count)
    }

    private func frameOrdinal(_ name: UnsafeRawBufferPointer) -> Ordinal? {
        let text = String(decoding: name, as: UTF8.self)
        let isFields = text.hasSuffix(".json")
        let digits = isFields ? String(text.dropLast(5)) : text
        guard let id = UInt64(digits), "\(id)" == digits, id < UInt64(file.frames.count) else {
            return nil
        }
        return Ordinal(framesBase + id * 2 + (isFields ? 1 : 0))
    }

    private func fieldsText(_ id: UInt64) throws(FormatError) -> [UInt8] {
        do throws(MemvidError) {
            return JSONText.encode(FrameJSON(frame: try file.frame(id)))
        } catch {
            throw FormatError(error)
        }
    }

    // MARK: Entries

    /// As `ReadableTree` says.
    public var entryCount: UInt64 { framesBase + UInt64(file.frames.count) * 2 }
    /// As `ReadableTree` says.
    public var inodeCount: UInt64 { entryCount }
    /// As `ReadableTree` says.
    public var totalSize: UInt64 {
        file.frames.filter { $0.role == .document && $0.status == .active }
            .reduce(0) { $0 &+ file.contentLength(of: $1.id) }
    }
    /// As `ReadableTree` says.
    public var hasAttributes: Bool { true }

    /// As `ReadableTree` says.
    public func entry(_ ordinal: Ordinal) throws(FormatError) -> Entry {
        guard UInt64(ordinal) < entryCount else {
            throw FormatError(.damaged, "there is no entry \(ordinal)")
        }
        var entry = Entry()
        entry.uid = owner.uid
        entry.gid = owner.gid
        // The handle of an entry, for whoever has nothing else of it.
        entry.attributes = UInt64(ordinal) + 1
        entry.seconds = newest
        entry.mode = Entry.Kind.regular.rawValue | 0o444
        guard UInt64(ordinal) < framesBase else {
            entry.parent = framesDirectory
            try describe(frameEntry(ordinal), &entry)
            return entry
        }
        let node = nodes[Int(ordinal)]
        entry.parent = node.parent
        if let packed = node.packed { packed.describe(&entry) }
        entry.linkCount += node.aliasCount
        switch node.kind {
        case .directory:
            if node.packed == nil { entry.mode = Entry.Kind.directory.rawValue | 0o555 }
            entry.count = UInt32(node.children.count)
            entry.linkCount = 2 + UInt32(node.children.count { nodes[Int($0)].isDirectory })
        case .frames:
            entry.mode = Entry.Kind.directory.rawValue | 0o555
            entry.count = UInt32(file.frames.count * 2)
            entry.linkCount = 2
        case .document(let id):
            entry.size = file.contentLength(of: id)
            entry.seconds = file.frames[Int(id)].timestamp
        case .link(let document):
            entry.mode = Entry.Kind.symbolicLink.rawValue | 0o777
            entry.size = UInt64(linkTarget(from: ordinal, to: document).count)
            if case .document(let id) = nodes[Int(document)].kind {
                entry.seconds = file.frames[Int(id)].timestamp
            }
        case .info: entry.size = UInt64(infoText.count)
        case .timeline: entry.size = timeline.length
        case .file, .special: break
        case .symbolicLink(let target): entry.size = UInt64(target.count)
        case .alias(let primary):
            entry.flags = .alias
            entry.place = UInt64(primary)
        }
        return entry
    }

    private func describe(_ frame: FrameEntry, _ entry: inout Entry) throws(FormatError) {
        switch frame {
        case .payload(let id):
            entry.size = min(file.frames[Int(id)].payloadLength, UInt64(Int64.max))
            entry.seconds = file.frames[Int(id)].timestamp
        case .fields(let id):
            entry.size = UInt64(try fieldsText(id).count)
            entry.seconds = file.frames[Int(id)].timestamp
        }
    }

    /// As `ReadableTree` says.
    public func namedEntry(
        _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, name: [UInt8]) {
        (try entry(ordinal), name(ordinal))
    }

    private func name(_ ordinal: Ordinal) -> [UInt8] {
        UInt64(ordinal) < framesBase ? nodes[Int(ordinal)].name : frameName(ordinal)
    }

    /// As `ReadableTree` says.
    public func inode(
        of entry: Entry, _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, ordinal: Ordinal) {
        guard entry.isAlias else { return (entry, ordinal) }
        return (try self.entry(Ordinal(entry.place)), Ordinal(entry.place))
    }

    // MARK: Directories

    /// As `ReadableTree` says.
    public func forEach(
        in directory: Ordinal, _ record: Entry, from start: Int,
        _ body: (_ ordinal: Ordinal, _ entry: Entry, _ name: UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError) {
        guard directory != framesDirectory else { return try forEachFrame(from: start, body) }
        let children = nodes[Int(directory)].children
        for child in children.dropFirst(start) {
            guard try hand(child, to: body) else { return }
        }
    }

    private func forEachFrame(
        from start: Int, _ body: (Ordinal, Entry, UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError) {
        var position = start
        var previous: UInt64?
        while position < file.frames.count * 2 {
            let id =
                position.isMultiple(of: 2) || previous == nil
                ? frameNumber(at: position / 2, after: previous) : previous ?? 0
            let ordinal = Ordinal(framesBase + id * 2 + UInt64(position % 2))
            guard try hand(ordinal, to: body) else { return }
            previous = id
            position += 1
        }
    }

    private func hand(
        _ ordinal: Ordinal, to body: (Ordinal, Entry, UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError) -> Bool {
        let entry = try entry(ordinal)
        return (name(ordinal) + [0]).withUnsafeBytes { bytes in
            body(ordinal, entry, UnsafeRawBufferPointer(rebasing: bytes.dropLast()))
        }
    }

    /// As `ReadableTree` says.
    public func lookup(
        _ name: UnsafeRawBufferPointer, in directory: Ordinal, _ record: Entry
    ) throws(FormatError) -> (ordinal: Ordinal, entry: Entry)? {
        if directory == framesDirectory {
            guard let ordinal = frameOrdinal(name) else { return nil }
            return (ordinal, try entry(ordinal))
        }
        if directory == 0, let hidden, name.elementsEqual(MemvidNames.reserved) {
            return (hidden, try entry(hidden))
        }
        let children = nodes[Int(directory)].children
        var (low, high) = (0, children.count)
        while low < high {
            let middle = (low + high) / 2
            if nodes[Int(children[middle])].name.lexicographicallyPrecedes(name) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low < children.count, name.elementsEqual(nodes[Int(children[low])].name) else {
            return nil
        }
        return (children[low], try entry(children[low]))
    }

    // MARK: Links, attributes, contents

    /// The way from a link's directory up to the root and down to the document.
    private func linkTarget(from link: Ordinal, to document: Ordinal) -> [UInt8] {
        var up = 0
        var current = nodes[Int(link)].parent
        while current != 0 {
            up += 1
            current = nodes[Int(current)].parent
        }
        var names: [[UInt8]] = []
        current = document
        while current != 0 {
            names.append(nodes[Int(current)].name)
            current = nodes[Int(current)].parent
        }
        let parts = Array(repeating: Array("..".utf8), count: up) + names.reversed()
        return Array(parts.joined(separator: [UInt8(ascii: "/")]))
    }

    /// As `ReadableTree` says.
    public func target(of entry: Entry) throws(FormatError) -> [UInt8] {
        let ordinal = Ordinal(entry.attributes - 1)
        switch nodes[Int(ordinal)].kind {
        case .link(let document): return linkTarget(from: ordinal, to: document)
        case .symbolicLink(let target): return target
        default: return []
        }
    }

    /// As `ReadableTree` says.
    public func attributes(of entry: Entry) throws(FormatError) -> [ExtendedAttribute] {
        let ordinal = entry.attributes - 1
        guard ordinal < framesBase else { return [] }
        let node = nodes[Int(ordinal)]
        if let packed = node.packed { return packed.extendedAttributes }
        guard case .document(let id) = node.kind else { return [] }
        do throws(MemvidError) {
            return DocumentAttributes.list(try file.frame(id), file.frames[Int(id)])
        } catch {
            throw FormatError(error)
        }
    }

    /// As `ReadableTree` says.
    public func ownerNames() throws(FormatError) -> OwnerNames { OwnerNames() }

    /// As `ReadableTree` says.
    public func extents(of entry: Entry) throws(FormatError) -> [Extent] {
        if entry.size == 0 { return [] }
        let ordinal = entry.attributes - 1
        if ordinal < framesBase, case .file(_, let extents?) = nodes[Int(ordinal)].kind {
            return extents
        }
        return [Extent(fileOffset: 0, length: entry.size, streamOffset: 0)]
    }

    /// As `ReadableTree` says.
    public func read(
        _ entry: Entry, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Int {
        let ordinal = Ordinal(entry.attributes - 1)
        guard UInt64(ordinal) < framesBase else {
            switch frameEntry(ordinal) {
            case .payload(let id):
                return try read(buffer, at: offset) { () throws(MemvidError) in
                    try file.payload(id)
                }
            case .fields(let id): return copy(try fieldsText(id), offset, buffer)
            }
        }
        switch nodes[Int(ordinal)].kind {
        case .document(let id):
            return try read(buffer, at: offset) { () throws(MemvidError) in
                try file.document(id)
            }
        case .info: return copy(infoText, offset, buffer)
        case .timeline: return timeline.read(into: buffer, at: offset)
        case .file(let parts, let extents):
            let runs = extents ?? [Extent(fileOffset: 0, length: entry.size, streamOffset: 0)]
            return try PackedContents(file, parts, runs, size: entry.size).read(
                into: buffer, at: offset)
        case .directory, .frames, .link, .symbolicLink, .special, .alias: return 0
        }
    }

    private func read(
        _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64,
        _ open: () throws(MemvidError) -> any MemvidDocument
    ) throws(FormatError) -> Int {
        do throws(MemvidError) {
            return try open().read(into: buffer, at: offset)
        } catch {
            throw FormatError(error)
        }
    }

    private func copy(
        _ text: [UInt8], _ offset: UInt64, _ buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard offset < UInt64(text.count) else { return 0 }
        let part = text[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }
}

extension FormatError {
    /// The same failure in the words of the tree's users.
    public init(_ error: MemvidError) {
        self.init(
            Code(rawValue: error.code.rawValue) ?? .damaged, error.message, at: error.offset,
            errno: error.errno)
    }
}
