import CLinux
import CapsuleBytes
import CapsuleFormat
import CapsuleSystem
import Glibc

/// One object of a tree, as comparison sees it.
struct TreeObject {
    var mode: UInt32
    var uid: UInt32
    var gid: UInt32
    var seconds: Int64
    var nanoseconds: UInt32
    var size: UInt64
    var device: UInt64
    /// Equal for two names of one inode.
    var inode: UInt64
    var linkCount: UInt64
}

/// A tree that can be compared with another: a capsule or a directory.
protocol TreeView: AnyObject {
    /// A place in the tree, cheap to hold.
    associatedtype Node
    var rootNode: Node { get throws }
    func object(_ node: Node) throws -> TreeObject
    /// Names in the order of their bytes.
    func children(_ node: Node) throws -> [(name: [UInt8], node: Node)]
    func target(_ node: Node) throws -> [UInt8]
    func attributes(_ node: Node) throws -> [ExtendedAttribute]
    /// Fills `buffer` from `offset`; fewer bytes only at the end.
    func read(
        _ node: Node, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int
}

/// A capsule, or what is shown like one.
final class SealedView: TreeView {
    typealias Node = (ordinal: Ordinal, entry: Entry)
    private let tree: any ReadableTree

    init(_ tree: any ReadableTree) { self.tree = tree }

    var rootNode: Node { get throws { (0, try tree.entry(0)) } }

    func object(_ node: Node) throws -> TreeObject {
        let entry = node.entry
        let hasDevice = entry.kind == .characterDevice || entry.kind == .blockDevice
        return TreeObject(
            mode: entry.mode, uid: entry.uid, gid: entry.gid, seconds: entry.seconds,
            nanoseconds: entry.nanoseconds, size: entry.size, device: hasDevice ? entry.place : 0,
            inode: UInt64(node.ordinal), linkCount: UInt64(entry.linkCount))
    }

    func children(_ node: Node) throws -> [(name: [UInt8], node: Node)] {
        var children: [(name: [UInt8], node: Node)] = []
        try tree.forEach(in: node.ordinal, node.entry, from: 0) { ordinal, entry, name in
            children.append(([UInt8](name), (ordinal, entry)))
            return true
        }
        return try children.map { child in
            let inode = try tree.inode(of: child.node.entry, child.node.ordinal)
            return (child.name, (inode.ordinal, inode.entry))
        }
    }

    func target(_ node: Node) throws -> [UInt8] { try tree.target(of: node.entry) }

    func attributes(_ node: Node) throws -> [ExtendedAttribute] {
        try tree.attributes(of: node.entry)
    }

    func read(
        _ node: Node, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        try tree.read(node.entry, at: offset, into: buffer)
    }
}

/// A directory to compare.
final class DirectoryView: TreeView {
    /// The path from the working directory.
    typealias Node = [UInt8]
    private let root: String
    private var open: (path: Node, descriptor: Int32)?

    init(_ root: String) { self.root = root }

    deinit { if let open { close(open.descriptor) } }

    var rootNode: Node { Array(root.utf8) }

    func object(_ node: Node) throws -> TreeObject {
        var status = stat()
        let result = LongPath.with(node, from: AT_FDCWD) { directory, rest in
            fstatat(directory, SourceDirectory.cString(rest), &status, AT_SYMLINK_NOFOLLOW)
        }
        guard result == 0 else {
            throw TreeError(path: node, SystemError.last("stat", ""))
        }
        let type = status.st_mode & S_IFMT
        let hasDevice = type == S_IFCHR || type == S_IFBLK
        let device = UInt64(status.st_rdev)
        let number = UInt64(clinux_major(device)) << 32 | UInt64(clinux_minor(device))
        return TreeObject(
            mode: status.st_mode, uid: status.st_uid, gid: status.st_gid,
            seconds: Int64(status.st_mtim.tv_sec), nanoseconds: UInt32(status.st_mtim.tv_nsec),
            size: UInt64(status.st_size), device: hasDevice ? number : 0,
            inode: UInt64(status.st_ino), linkCount: UInt64(status.st_nlink))
    }

    func children(_ node: Node) throws -> [(name: [UInt8], node: Node)] {
        let directory = try SourceDirectory(root: node)
        return try directory.children().map { ($0.name, node + [47] + $0.name) }
    }

    func target(_ node: Node) throws -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = LongPath.with(node, from: AT_FDCWD) { directory, rest in
            readlinkat(directory, SourceDirectory.cString(rest), &buffer, buffer.count)
        }
        guard count >= 0 else {
            throw TreeError(path: node, SystemError.last("read the link", ""))
        }
        return buffer[..<count].map { UInt8(bitPattern: $0) }
    }

    func attributes(_ node: Node) throws -> [ExtendedAttribute] {
        do throws(SystemError) {
            return try LongPath.with(node, from: AT_FDCWD) {
                directory, rest throws(SystemError) in
                // These calls take no directory.
                let place = directory == AT_FDCWD ? "" : "/proc/self/fd/\(directory)/"
                return try AttributeReader.attributes(
                    ofPath: SourceDirectory.cString(Array(place.utf8) + rest))
            }
        } catch {
            throw TreeError(path: node, error)
        }
    }

    func read(
        _ node: Node, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        if open?.path != node {
            if let open { close(open.descriptor) }
            open = nil
            let raw = LongPath.with(node, from: AT_FDCWD) { directory, rest in
                clinux_openat(
                    directory, SourceDirectory.cString(rest),
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0)
            }
            guard raw >= 0 else { throw TreeError(path: node, SystemError.last("open", "")) }
            open = (node, raw)
        }
        guard let open, let base = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            let count = pread(
                open.descriptor, base + done, buffer.count - done, off_t(offset) + off_t(done))
            if count < 0 { throw TreeError(path: node, SystemError.last("read", "")) }
            if count == 0 { break }
            done += count
        }
        return done
    }
}
