import CapsuleFormat
import CapsuleSystem
import FuseKit
import Glibc
import Synchronization

/// A sealed capsule, or what is shown like one, as a file system.
///
/// A node is an ordinal of the index and one more, so there is no table of inodes: the kernel's
/// forgetting costs nothing and memory does not grow with the tree. Nothing ever changes, so every
/// answer may be kept for ever.
public final class SealedFileSystem: MountedFileSystem {
    let tree: any ReadableTree
    let policy: MountPolicy
    let report: @Sendable (String) -> Void
    let buffers = BufferPool()
    /// Monotonic seconds of the last request, for the idle timeout.
    private let lastRequest = Atomic<UInt64>(0)
    private let rootOrdinal: Ordinal
    private let firstNode: UInt64
    /// Of a capsule, whose blocks hold more than what was asked for.
    private let prefiller: Prefiller?
    private let hasListedRoot = Atomic(false)

    /// How long the kernel may keep an answer, in seconds: for ever.
    static let timeout = 1e9

    /// A file system over an opened tree.
    ///
    /// - Parameters:
    ///   - firstNode: the node of the root; others follow it.
    ///   - report: takes one line about each failed read.
    /// Throws `FormatError`, and `SystemError` when the subdirectory is none.
    public init(
        _ tree: any ReadableTree, policy: MountPolicy, firstNode: UInt64 = 1,
        report: @escaping @Sendable (String) -> Void
    ) throws {
        self.tree = tree
        self.firstNode = firstNode
        self.policy = policy
        self.report = report
        guard let root = try tree.resolve(policy.subdirectory), root.entry.isDirectory
        else {
            let name = policy.subdirectory.map { String(decoding: $0, as: UTF8.self) }
            throw SystemError(
                errno: ENOTDIR, operation: "mount", object: name.joined(separator: "/"))
        }
        let rootOrdinal = root.ordinal
        self.rootOrdinal = rootOrdinal
        prefiller = (tree as? Capsule).map { capsule in
            Prefiller(capsule) { $0 == rootOrdinal ? 1 : UInt64($0) + 1 }
        }
    }

    /// Lets the file system put data into the page cache of the mount that `session` is.
    public func attach(_ session: FuseSession) { prefiller?.start(session) }

    /// Ends what `attach` began; there is nothing to store.
    public func detach() -> Bool {
        prefiller?.stop()
        return true
    }

    /// Opens the first pages of the root, which whoever mounts is about to list. Damage is for
    /// whoever reads.
    public func warmUp() {
        guard let root = try? tree.entry(rootOrdinal) else { return }
        var rest = min(Int(root.count), Self.warmEntryCount)
        try? tree.forEach(in: rootOrdinal, root, from: 0) { _, _, _ in
            rest -= 1
            return rest > 0
        }
    }

    /// Entries of the root that are opened ahead: a few pages.
    private static let warmEntryCount = 2048

    /// Seconds without a request.
    public var idleSeconds: Double {
        Environment.monotonicSeconds() - Double(bitPattern: lastRequest.load(ordering: .relaxed))
    }

    /// As `FuseFileSystem` says.
    public func start(_ connection: FuseConnection) {
        connection.want(.readDirectoryPlus)
        connection.refuse(.readDirectoryPlusAuto)
        connection.want(.parallelDirectoryOperations)
        connection.want(.cacheSymlinks)
        connection.want(.asynchronousRead)
        connection.want(.noOpen)
        connection.want(.noOpenDirectory)
        connection.refuse(.spliceRead)
        if policy.enforcesPermissions { connection.want(.posixACL) }
    }

    /// As `FuseFileSystem` says.
    public func didStart() {
        willServe()
    }

    /// As `FuseFileSystem` says.
    public func willServe() {
        lastRequest.store(Environment.monotonicSeconds().bitPattern, ordering: .relaxed)
    }

    // MARK: Nodes

    /// The root of what is shown has the first node; above a subdirectory nothing is seen.
    func ordinal(of node: UInt64) -> Ordinal {
        node == firstNode ? rootOrdinal : Ordinal(truncatingIfNeeded: node - firstNode)
    }

    func node(of ordinal: Ordinal) -> UInt64 {
        ordinal == rootOrdinal ? firstNode : UInt64(ordinal) + firstNode
    }

    /// The inode of a node. Throws `damaged` for a node that the index does not have.
    func inode(_ node: UInt64) throws(FormatError) -> Entry {
        try tree.entry(ordinal(of: node))
    }

    func fuseEntry(_ entry: Entry, _ ordinal: Ordinal) throws(FormatError) -> FuseEntry {
        let inode = try tree.inode(of: entry, ordinal)
        return FuseEntry(
            node: node(of: inode.ordinal), attributes: attributes(inode.entry, inode.ordinal),
            timeout: Self.timeout)
    }

    func attributes(_ entry: Entry, _ ordinal: Ordinal) -> FuseAttributes {
        var result = FuseAttributes()
        result.inode = node(of: ordinal)
        result.mode = entry.mode & ~(policy.umask ?? 0)
        result.linkCount = entry.linkCount
        result.uid = policy.uid ?? entry.uid
        result.gid = policy.gid ?? entry.gid
        result.seconds = entry.seconds
        result.nanoseconds = entry.nanoseconds
        switch entry.kind {
        case .characterDevice, .blockDevice:
            result.device = DeviceNumber.make(entry.place)
        case .regular:
            result.size = entry.size
            let stored = entry.flags.contains(.sparse) ? entry.extra : entry.size
            result.blocks = (stored + 511) / 512
        case .symbolicLink:
            result.size = entry.size
        case .directory:
            result.size = UInt64(entry.count) * UInt64(Self.directoryEntrySize)
        case .fifo, .socket:
            break
        }
        return result
    }

    /// Directories have no length in a capsule; programs like to see one that grows with them.
    private static let directoryEntrySize = 32

    // MARK: Errors

    /// The errno of a failed read, after one structured line was written about it.
    func errno(_ error: FormatError, node: UInt64, operation: String) -> Int32 {
        let code = error.errno == 0 || error.errno == ENOENT ? EIO : error.errno
        var fields = ["operation=\(operation)", "inode=\(node)", "code=\(error.code.rawValue)"]
        if let offset = error.offset { fields.append("offset=\(offset)") }
        if !policy.redactsNames, let path = try? tree.path(of: ordinal(of: node)) {
            fields.append("path=\"\(LogText.quoted(path))\"")
        }
        fields.append("reason=\"\(error.message)\"")
        report("read failed: " + fields.joined(separator: " "))
        return code
    }
}

// MARK: Names

extension SealedFileSystem {
    /// As `FuseFileSystem` says.
    public func lookup(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer
    ) {
        do throws(FormatError) {
            let directory = ordinal(of: parent)
            let record = try tree.entry(directory)
            guard record.isDirectory else { return request.fail(ENOTDIR) }
            guard name.count <= Limits.nameLength else { return request.fail(ENAMETOOLONG) }
            guard let found = try tree.lookup(name, in: directory, record) else {
                let none = FuseEntry(
                    node: 0, attributes: FuseAttributes(), timeout: Self.timeout)
                return request.reply(none)
            }
            request.reply(try fuseEntry(found.entry, found.ordinal))
        } catch {
            request.fail(errno(error, node: parent, operation: "lookup"))
        }
    }

    /// As `FuseFileSystem` says.
    public func attributes(_ request: consuming FuseRequest, node: UInt64) {
        do throws(FormatError) {
            let entry = try inode(node)
            request.reply(attributes(entry, ordinal(of: node)), timeout: Self.timeout)
        } catch {
            request.fail(errno(error, node: node, operation: "getattr"))
        }
    }

    /// As `FuseFileSystem` says.
    public func readLink(_ request: consuming FuseRequest, node: UInt64) {
        do throws(FormatError) {
            let entry = try inode(node)
            guard entry.kind == .symbolicLink else { return request.fail(EINVAL) }
            request.reply(target: try tree.target(of: entry))
        } catch {
            request.fail(errno(error, node: node, operation: "readlink"))
        }
    }

    /// Offsets: 1 after `.`, 2 after `..`, then 3 after the first entry, and so on.
    public func readDirectory(
        _ request: consuming FuseRequest, node: UInt64, size: Int, offset: Int64, isPlus: Bool
    ) {
        do throws(FormatError) {
            let directory = ordinal(of: node)
            let record = try tree.entry(directory)
            guard record.isDirectory else { return request.fail(ENOTDIR) }
            guard offset >= 0, offset <= Int64(record.count) + 2 else {
                return request.fail(EINVAL)
            }
            var buffer = FuseDirectoryBuffer(for: request, capacity: size, isPlus: isPlus)
            var fits = true
            if offset < 1 { fits = addDot(".", directory, record, next: 1, to: &buffer) }
            if fits, offset < 2 {
                let parent = directory == rootOrdinal ? directory : record.parent
                let entry = try tree.entry(parent)
                fits = addDot("..", parent, entry, next: 2, to: &buffer)
            }
            if fits {
                let start = max(0, Int(offset) - 2)
                let isGlance = directory == rootOrdinal && isFirstListing(record, from: start)
                try addEntries(
                    of: directory, record, from: start, withoutNodes: isGlance, to: &buffer)
            }
            request.reply(buffer)
        } catch {
            request.fail(errno(error, node: node, operation: "readdir"))
        }
    }

    /// Whether this is the first listing of a mount's large root: most often somebody who looks
    /// around and asks for names alone. The kernel then makes no inode for each entry, which costs
    /// ten times as much as its name; who wants their attributes pays a lookup for each, once.
    private func isFirstListing(_ root: Entry, from start: Int) -> Bool {
        if start >= Int(root.count) { hasListedRoot.store(true, ordering: .relaxed) }
        return root.count > Limits.entriesPerPage && !hasListedRoot.load(ordering: .relaxed)
    }

    private func addDot(
        _ name: String, _ ordinal: Ordinal, _ entry: Entry, next: Int64,
        to buffer: inout FuseDirectoryBuffer
    ) -> Bool {
        let node = node(of: ordinal)
        return buffer.add(
            name: name,
            FuseEntry(node: node, attributes: attributes(entry, ordinal), timeout: Self.timeout),
            next: next)
    }

    private func addEntries(
        of directory: Ordinal, _ record: Entry, from start: Int, withoutNodes: Bool,
        to buffer: inout FuseDirectoryBuffer
    ) throws(FormatError) {
        var next = Int64(start) + 3
        var failure: FormatError?
        try tree.forEach(in: directory, record, from: start) { ordinal, entry, name in
            do throws(FormatError) {
                guard let text = name.baseAddress?.assumingMemoryBound(to: CChar.self) else {
                    return false
                }
                var item = try fuseEntry(entry, ordinal)
                if withoutNodes { item.node = 0 }
                let fits = buffer.add(name: text, item, next: next)
                next += 1
                return fits
            } catch {
                failure = error
                return false
            }
        }
        if let failure, buffer.isEmpty { throw failure }
    }

    /// As `FuseFileSystem` says.
    public func facts(_ request: consuming FuseRequest) {
        request.reply(
            FuseFacts(
                totalSize: tree.totalSize, inodeCount: tree.inodeCount))
    }
}

// MARK: Contents

extension SealedFileSystem {
    /// As `FuseFileSystem` says.
    public func read(_ request: consuming FuseRequest, node: UInt64, size: Int, offset: UInt64) {
        do throws(FormatError) {
            let entry = try inode(node)
            guard entry.isRegular else {
                return request.fail(entry.isDirectory ? EISDIR : EINVAL)
            }
            let buffer = buffers.take(size)
            defer { buffers.give(buffer) }
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
            let count = try tree.read(entry, at: offset, into: target)
            request.reply(UnsafeRawBufferPointer(rebasing: target[..<count]))
            prefiller?.noteRead(ordinal(of: node), entry, offset: offset, count: count)
        } catch {
            request.fail(errno(error, node: node, operation: "read"))
        }
    }

    /// As `FuseFileSystem` says.
    public func seek(
        _ request: consuming FuseRequest, node: UInt64, offset: Int64, whence: Int32
    ) {
        do throws(FormatError) {
            let entry = try inode(node)
            guard entry.isRegular, offset >= 0, whence == SeekKind.data || whence == SeekKind.hole
            else { return request.fail(EINVAL) }
            let place = try tree.seek(
                entry, from: UInt64(offset), toHole: whence == SeekKind.hole)
            guard let place else { return request.fail(ENXIO) }
            request.reply(offset: Int64(place))
        } catch {
            request.fail(errno(error, node: node, operation: "lseek"))
        }
    }

    /// As `FuseFileSystem` says.
    public func attribute(
        _ request: consuming FuseRequest, node: UInt64, name: UnsafeRawBufferPointer, size: Int
    ) {
        guard tree.hasAttributes else { return request.fail(ENODATA) }
        do throws(FormatError) {
            let attributes = try tree.attributes(of: try inode(node))
            guard let found = attributes.first(where: { name.elementsEqual($0.name) }) else {
                return request.fail(ENODATA)
            }
            reply(request, found.value, room: size)
        } catch {
            request.fail(errno(error, node: node, operation: "getxattr"))
        }
    }

    /// As `FuseFileSystem` says.
    public func listAttributes(_ request: consuming FuseRequest, node: UInt64, size: Int) {
        guard tree.hasAttributes else { return reply(request, [], room: size) }
        do throws(FormatError) {
            let attributes = try tree.attributes(of: try inode(node))
            reply(request, attributes.flatMap { $0.name + [0] }, room: size)
        } catch {
            request.fail(errno(error, node: node, operation: "listxattr"))
        }
    }

    private func reply(_ request: consuming FuseRequest, _ bytes: [UInt8], room: Int) {
        if room == 0 { return request.reply(attributeSize: bytes.count) }
        if room < bytes.count { return request.fail(ERANGE) }
        request.reply(value: bytes)
    }
}
