import CapsuleFormat
import Glibc

/// A tree that is put together: of bytes in memory, and of files of other trees.
///
/// Of an entry, `place` is its own ordinal; of an alias, that of the entry it is another name of.
public final class ComposedTree: ReadableTree {
    /// What something in the tree holds.
    public enum Content: Sendable {
        /// Other things.
        case directory
        /// These bytes.
        case bytes([UInt8])
        /// What a file of another tree holds.
        case file(any ReadableTree, Entry)
        /// The target of a symbolic link.
        case link([UInt8])
        /// What another path holds: it is one inode.
        case same(as: [[UInt8]])
    }

    /// Something at a path.
    public struct Item: Sendable {
        /// The names from the root; directories on the way are made where nobody names them.
        public var path: [[UInt8]]
        /// Permission bits.
        public var permissions: UInt32
        /// The time of modification, in seconds since 1970.
        public var seconds: Int64
        /// What it holds.
        public var content: Content

        /// Something at a path.
        public init(
            _ path: [[UInt8]], _ content: Content, permissions: UInt32, seconds: Int64
        ) {
            self.path = path
            self.content = content
            self.permissions = permissions
            self.seconds = seconds
        }
    }

    private struct Node {
        var entry: Entry
        let name: [UInt8]
        let content: Content
        var children: [Ordinal] = []
    }

    private let nodes: [Node]
    /// As `ReadableTree` says.
    public let totalSize: UInt64

    /// The tree of some items. Their paths are distinct, and what is the same as something else
    /// comes after it.
    public init(_ items: [Item], seconds: Int64) {
        var nodes: [Node] = []
        var places: [[[UInt8]]: Ordinal] = [:]

        func add(_ item: Item) -> Ordinal {
            if let known = places[item.path] { return known }
            var parent: Ordinal = 0
            if !item.path.isEmpty {
                parent = add(
                    Item(
                        Array(item.path.dropLast()), .directory, permissions: 0o755,
                        seconds: seconds))
            }
            let place = Ordinal(nodes.count)
            var entry = Self.entry(item, place)
            entry.parent = parent
            if case .same(let path) = item.content, let target = places[path] {
                entry = nodes[Int(target)].entry
                entry.parent = parent
                entry.flags.insert(.alias)
                nodes[Int(target)].entry.linkCount += 1
            }
            nodes.append(Node(entry: entry, name: item.path.last ?? [], content: item.content))
            places[item.path] = place
            if !item.path.isEmpty {
                nodes[Int(parent)].children.append(place)
                if entry.isDirectory { nodes[Int(parent)].entry.linkCount += 1 }
            }
            return place
        }

        _ = add(Item([], .directory, permissions: 0o755, seconds: seconds))
        for item in items { _ = add(item) }
        for index in nodes.indices where !nodes[index].children.isEmpty {
            let children = nodes[index].children.sorted {
                nodes[Int($0)].name.lexicographicallyPrecedes(nodes[Int($1)].name)
            }
            nodes[index].children = children
            nodes[index].entry.count = UInt32(children.count)
        }
        totalSize = nodes.reduce(0) {
            $1.entry.isRegular && !$1.entry.isAlias ? $0 + $1.entry.size : $0
        }
        self.nodes = nodes
    }

    private static func entry(_ item: Item, _ place: Ordinal) -> Entry {
        var entry = Entry()
        var kind = Entry.Kind.regular
        switch item.content {
        case .directory:
            kind = .directory
            entry.linkCount = 2
        case .bytes(let bytes): entry.size = UInt64(bytes.count)
        case .file(_, let other):
            entry.size = other.size
            entry.flags = other.flags.intersection(.sparse)
            entry.extra = other.extra
        case .link(let target):
            kind = .symbolicLink
            entry.size = UInt64(target.count)
        case .same: break
        }
        entry.mode = kind.rawValue | item.permissions & 0o7777
        entry.seconds = item.seconds
        entry.place = UInt64(place)
        return entry
    }

    private func node(_ ordinal: UInt64) throws(FormatError) -> Node {
        guard ordinal < UInt64(nodes.count) else {
            throw FormatError(.system, "there is no entry \(ordinal)", errno: ENOENT)
        }
        return nodes[Int(ordinal)]
    }

    // MARK: Names

    /// As `NamedTree` says.
    public func entry(_ ordinal: Ordinal) throws(FormatError) -> Entry {
        try node(UInt64(ordinal)).entry
    }

    /// As `NamedTree` says.
    public func namedEntry(
        _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, name: [UInt8]) {
        let node = try node(UInt64(ordinal))
        return (node.entry, node.name)
    }

    /// As `NamedTree` says.
    public func lookup(
        _ name: UnsafeRawBufferPointer, in directory: Ordinal, _ record: Entry
    ) throws(FormatError) -> (ordinal: Ordinal, entry: Entry)? {
        let children = try node(UInt64(directory)).children
        var range = children.indices
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            let found = nodes[Int(children[middle])]
            if name.elementsEqual(found.name) { return (children[middle], found.entry) }
            if found.name.lexicographicallyPrecedes(name) {
                range = middle + 1..<range.upperBound
            } else {
                range = range.lowerBound..<middle
            }
        }
        return nil
    }

    /// As `ReadableTree` says.
    public func forEach(
        in directory: Ordinal, _ record: Entry, from start: Int,
        _ body: (_ ordinal: Ordinal, _ entry: Entry, _ name: UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError) {
        for child in try node(UInt64(directory)).children.dropFirst(start) {
            let found = nodes[Int(child)]
            let goesOn = (found.name + [0]).withUnsafeBytes { text in
                body(child, found.entry, UnsafeRawBufferPointer(rebasing: text.dropLast()))
            }
            if !goesOn { return }
        }
    }

    /// As `ReadableTree` says.
    public func inode(
        of entry: Entry, _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, ordinal: Ordinal) {
        guard entry.isAlias else { return (entry, ordinal) }
        return (try node(entry.place).entry, Ordinal(entry.place))
    }

    // MARK: The whole

    /// As `ReadableTree` says.
    public var entryCount: UInt64 { UInt64(nodes.count) }
    /// As `ReadableTree` says.
    public var inodeCount: UInt64 { UInt64(nodes.count { !$0.entry.isAlias }) }
    /// As `ReadableTree` says: what others have there is left out.
    public var hasAttributes: Bool { false }

    /// As `ReadableTree` says.
    public func attributes(of entry: Entry) throws(FormatError) -> [ExtendedAttribute] { [] }

    /// As `ReadableTree` says.
    public func ownerNames() throws(FormatError) -> OwnerNames { OwnerNames() }

    // MARK: Contents

    /// As `ReadableTree` says.
    public func target(of entry: Entry) throws(FormatError) -> [UInt8] {
        guard case .link(let target) = try node(entry.place).content else { return [] }
        return target
    }

    /// As `ReadableTree` says.
    public func extents(of entry: Entry) throws(FormatError) -> [Extent] {
        if case .file(let tree, let other) = try node(entry.place).content {
            return try tree.extents(of: other)
        }
        return [Extent(fileOffset: 0, length: entry.size, streamOffset: 0)]
    }

    /// As `ReadableTree` says.
    public func read(
        _ entry: Entry, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Int {
        let bytes: [UInt8]
        switch try node(entry.place).content {
        case .file(let tree, let other): return try tree.read(other, at: offset, into: buffer)
        case .bytes(let known): bytes = known
        case .directory, .link, .same: bytes = []
        }
        guard offset < UInt64(bytes.count) else { return 0 }
        let part = bytes[Int(offset)..<min(bytes.count, Int(offset) + buffer.count)]
        buffer.copyBytes(from: part)
        return part.count
    }
}
