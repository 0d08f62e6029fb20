import CLinux
import CapsuleBytes
import CapsuleFormat
import CapsuleSystem
import Glibc

/// A folder of the operating system as a tree: its names and inodes as they were when it was
/// scanned, its bytes as they are when they are read.
///
/// The handle of an entry, its ordinal and one, is in `attributes`.
public final class DirectoryTree: ReadableTree {
    private struct Node: Sendable {
        var entry: Entry
        let name: [UInt8]
    }

    private let root: [UInt8]
    private let nodes: [Node]

    /// Scans the folder at `path`, but for what `excludes` matches and for the inode of `skipped`,
    /// such as the file that is about to be written. Throws `TreeError`.
    public init(_ path: String, excludes: [ExcludePattern] = [], skipped: Int32? = nil) throws {
        root = Array(path.utf8)
        var scan = Scan(excludes: excludes, skipped: [])
        var status = stat()
        if let skipped, fstat(skipped, &status) == 0 {
            scan.skipped.insert(TreeScanner.FileIdentity(status))
        }
        nodes = try DeepStack.run {
            try scan.run(path)
            return scan.nodes
        }
    }

    private struct Scan {
        let excludes: [ExcludePattern]
        var skipped: Set<TreeScanner.FileIdentity>
        var nodes: [Node] = []
        private var first: [TreeScanner.FileIdentity: Ordinal] = [:]

        init(excludes: [ExcludePattern], skipped: Set<TreeScanner.FileIdentity>) {
            self.excludes = excludes
            self.skipped = skipped
        }

        mutating func run(_ path: String) throws {
            let directory = try SourceDirectory(root: Array(path.utf8))
            nodes.append(Node(entry: entry(try directory.descriptor.status(), 0), name: []))
            try scan(directory, 0, depth: 0)
        }

        private func entry(_ status: stat, _ parent: Ordinal) -> Entry {
            var entry = Entry()
            entry.mode = status.st_mode
            entry.parent = parent
            entry.uid = status.st_uid
            entry.gid = status.st_gid
            entry.seconds = Int64(status.st_mtim.tv_sec)
            entry.nanoseconds = UInt32(status.st_mtim.tv_nsec)
            entry.attributes = UInt64(nodes.count) + 1
            switch status.st_mode & S_IFMT {
            case S_IFDIR: entry.linkCount = 2
            case S_IFREG:
                entry.size = UInt64(status.st_size)
                if UInt64(status.st_blocks) * 512 < entry.size { entry.flags = .sparse }
            case S_IFLNK: entry.size = UInt64(status.st_size)
            case S_IFCHR, S_IFBLK:
                let device = UInt64(status.st_rdev)
                entry.place = UInt64(clinux_major(device)) << 32 | UInt64(clinux_minor(device))
            default: break
            }
            return entry
        }

        private mutating func scan(
            _ directory: borrowing SourceDirectory, _ ordinal: Ordinal, depth: Int
        ) throws {
            guard depth <= Limits.depth else {
                throw TreeError(
                    path: directory.path, "it lies deeper than \(Limits.depth) directories")
            }
            let children = try directory.children().filter { child in
                let isDirectory = child.status.st_mode & S_IFMT == S_IFDIR
                let path = directory.path(of: child.name)
                return !skipped.contains(TreeScanner.FileIdentity(child.status))
                    && !excludes.contains { $0.matches(path: path, isDirectory: isDirectory) }
            }
            let start = Ordinal(nodes.count)
            nodes[Int(ordinal)].entry.place = UInt64(start)
            nodes[Int(ordinal)].entry.count = UInt32(children.count)
            for child in children {
                nodes.append(Node(entry: entry(child.status, ordinal), name: child.name))
                link(child.status)
            }
            for (position, child) in children.enumerated()
            where child.status.st_mode & S_IFMT == S_IFDIR {
                nodes[Int(ordinal)].entry.linkCount += 1
                try scan(
                    try SourceDirectory(child.name, in: directory), start + Ordinal(position),
                    depth: depth + 1)
            }
        }

        /// Makes the newest node an alias where its inode has been seen.
        private mutating func link(_ status: stat) {
            guard status.st_nlink > 1, status.st_mode & S_IFMT != S_IFDIR else { return }
            let identity = TreeScanner.FileIdentity(status)
            let ordinal = nodes.count - 1
            guard let primary = first[identity] else {
                first[identity] = Ordinal(ordinal)
                return
            }
            nodes[Int(primary)].entry.linkCount += 1
            nodes[ordinal].entry.flags = .alias
            nodes[ordinal].entry.place = UInt64(primary)
        }
    }

    // MARK: Names

    /// As `ReadableTree` says.
    public var entryCount: UInt64 { UInt64(nodes.count) }
    /// As `ReadableTree` says.
    public var inodeCount: UInt64 { UInt64(nodes.count { !$0.entry.isAlias }) }
    /// As `ReadableTree` says.
    public var totalSize: UInt64 {
        nodes.reduce(0) { $0 + ($1.entry.isRegular && !$1.entry.isAlias ? $1.entry.size : 0) }
    }
    /// As `ReadableTree` says.
    public var hasAttributes: Bool { true }

    /// As `ReadableTree` says.
    public func entry(_ ordinal: Ordinal) throws(FormatError) -> Entry {
        nodes[Int(ordinal)].entry
    }

    /// As `ReadableTree` says.
    public func namedEntry(
        _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, name: [UInt8]) {
        (nodes[Int(ordinal)].entry, nodes[Int(ordinal)].name)
    }

    /// As `ReadableTree` says.
    public func inode(
        of entry: Entry, _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, ordinal: Ordinal) {
        guard entry.isAlias else { return (entry, ordinal) }
        return (nodes[Int(entry.place)].entry, Ordinal(entry.place))
    }

    /// As `ReadableTree` says.
    public func forEach(
        in directory: Ordinal, _ record: Entry, from start: Int,
        _ body: (_ ordinal: Ordinal, _ entry: Entry, _ name: UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError) {
        for position in start..<max(start, Int(record.count)) {
            let index = Int(record.place) + position
            let goesOn = (nodes[index].name + [0]).withUnsafeBytes { name in
                body(
                    Ordinal(index), nodes[index].entry,
                    UnsafeRawBufferPointer(rebasing: name.dropLast()))
            }
            if !goesOn { return }
        }
    }

    /// As `ReadableTree` says.
    public func lookup(
        _ name: UnsafeRawBufferPointer, in directory: Ordinal, _ record: Entry
    ) throws(FormatError) -> (ordinal: Ordinal, entry: Entry)? {
        let range = Int(record.place)..<Int(record.place) + Int(record.count)
        let index = nodes[range].firstIndex { name.elementsEqual($0.name) }
        return index.map { (Ordinal($0), nodes[$0].entry) }
    }

    /// As `ReadableTree` says.
    public func ownerNames() throws(FormatError) -> OwnerNames {
        OwnerLookup.names(
            users: Set(nodes.map(\.entry.uid)), groups: Set(nodes.map(\.entry.gid)))
    }

    // MARK: Contents

    /// Calls `body` with a directory and a rest of the path from there.
    private func at<Result>(
        _ entry: Entry, _ operation: String,
        _ body: (_ directory: Int32, _ rest: [UInt8]) throws(SystemError) -> Result
    ) throws(FormatError) -> Result {
        let path = try path(of: Ordinal(entry.attributes - 1))
        let whole = path.isEmpty ? root : root + [UInt8(ascii: "/")] + path
        do throws(SystemError) {
            return try LongPath.with(whole, from: AT_FDCWD, body)
        } catch {
            throw FormatError(
                .system, "\(Text.escaped(path)): cannot \(operation): \(error.reason)",
                errno: error.errno)
        }
    }

    /// As `ReadableTree` says.
    public func target(of entry: Entry) throws(FormatError) -> [UInt8] {
        try at(entry, "read the link") { directory, rest throws(SystemError) in
            var buffer = [CChar](repeating: 0, count: Limits.targetLength + 1)
            let count = try retrying("read the link", "") {
                readlinkat(directory, SourceDirectory.cString(rest), &buffer, buffer.count)
            }
            return buffer[..<count].map { UInt8(bitPattern: $0) }
        }
    }

    /// As `ReadableTree` says.
    public func attributes(of entry: Entry) throws(FormatError) -> [ExtendedAttribute] {
        try at(entry, "read the attributes") { directory, rest throws(SystemError) in
            let place = directory == AT_FDCWD ? "" : "/proc/self/fd/\(directory)/"
            return try AttributeReader.attributes(
                ofPath: SourceDirectory.cString(Array(place.utf8) + rest))
        }
    }

    private func openFile(_ entry: Entry) throws(FormatError) -> Descriptor {
        let raw = try at(entry, "open") { directory, rest throws(SystemError) in
            try retrying("open", "") {
                clinux_openat(
                    directory, SourceDirectory.cString(rest),
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0)
            }
        }
        return Descriptor(owning: raw, name: "")
    }

    /// As `ReadableTree` says.
    public func extents(of entry: Entry) throws(FormatError) -> [Extent] {
        if entry.size == 0 { return [] }
        if entry.flags.contains(.sparse) {
            let file = try openFile(entry)
            do throws(SystemError) {
                if let runs = try SparseMap.runs(of: file, try file.status()) { return runs }
            } catch {
                throw FormatError(error)
            }
        }
        return [Extent(fileOffset: 0, length: entry.size, streamOffset: 0)]
    }

    /// As `ReadableTree` says.
    public func read(
        _ entry: Entry, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Int {
        guard offset < entry.size else { return 0 }
        let count = Int(min(UInt64(buffer.count), entry.size - offset))
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        let done = try withOpen(entry) { file throws(SystemError) in
            try file.read(into: target, at: offset)
        }
        guard done == count else {
            let path = Text.escaped(try path(of: Ordinal(entry.attributes - 1)))
            throw FormatError(.system, "\(path): it became shorter while it was read", errno: EIO)
        }
        return count
    }

    private func withOpen<Result>(
        _ entry: Entry, _ body: (borrowing Descriptor) throws(SystemError) -> Result
    ) throws(FormatError) -> Result {
        let file = try openFile(entry)
        do throws(SystemError) {
            return try body(file)
        } catch {
            throw FormatError(error)
        }
    }
}
