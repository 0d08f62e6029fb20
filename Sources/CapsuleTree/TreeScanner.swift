import CLinux
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Glibc

/// Walks a folder depth first, in the order of names, and fills index and content stream.
///
/// The entries of a directory get consecutive ordinals when the directory is read; their contents
/// follow in the order in which tar or find would ask for them.
final class TreeScanner {
    private let excludes: [ExcludePattern]
    private let contents: FileContents
    private let stream: StreamSealer
    private let skipped: Set<FileIdentity>
    private let progress: (Int) -> Void

    private(set) var index = IndexBuilder()
    private(set) var remarks: [Manifest.Remark] = []
    private var digest = ContentDigest()
    private var firstNames: [FileIdentity: Ordinal] = [:]

    /// Device and inode number.
    struct FileIdentity: Hashable {
        let device: UInt64
        let inode: UInt64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    private static let remarkCountMax = 1000

    init(
        stream: StreamSealer, excludes: [ExcludePattern], skipped: Set<FileIdentity>,
        alignsLargeFiles: Bool, bytesRead: @escaping (UInt64) -> Void,
        progress: @escaping (Int) -> Void
    ) {
        self.stream = stream
        self.excludes = excludes
        self.skipped = skipped
        self.progress = progress
        contents = FileContents(
            stream, alignsLargeFiles: alignsLargeFiles, progress: bytesRead)
    }

    /// The hash of what was found.
    var contentDigest: Digest32 { digest.digest }

    /// The index, to be written.
    func takeIndex() -> IndexBuilder {
        index.owners = OwnerLookup.names(users: index.userIDs, groups: index.groupIDs)
        return index
    }

    /// Walks the folder at `root`. Throws `TreeError` or `FormatError`.
    func scan(root: String) throws {
        let directory = try SourceDirectory(root: Array(root.utf8))
        let status = try directory.descriptor.status()
        let entry = Self.entry(status, parent: 0)
        try index.append(entry, name: [])
        try scan(directory, ordinal: 0, name: [])
    }

    private func scan(
        _ directory: borrowing SourceDirectory, ordinal: Ordinal, name: [UInt8], depth: Int = 0
    ) throws {
        guard depth <= Limits.depth else {
            throw TreeError(
                path: directory.path, "it lies deeper than \(Limits.depth) directories")
        }
        let children = try directory.children().filter { child in
            let isDirectory = child.status.st_mode & S_IFMT == S_IFDIR
            let path = directory.path(of: child.name)
            return !skipped.contains(FileIdentity(child.status))
                && !excludes.contains { $0.matches(path: path, isDirectory: isDirectory) }
        }
        let first = Ordinal(index.count)
        index[ordinal].place = UInt64(first)
        index[ordinal].count = UInt32(children.count)
        let attributes = try attributes(directory.descriptor, path: directory.path)
        index[ordinal].attributes = index.addAttributes(attributes)
        digest.add(index[ordinal], name: name, attributes: attributes, detail: [])
        for child in children {
            try index.append(Self.entry(child.status, parent: ordinal), name: child.name)
        }
        progress(children.count)
        for (position, child) in children.enumerated() {
            if stream.hasFailed { return }
            try visit(child, first + Ordinal(position), in: directory, depth: depth)
        }
    }

    private static func entry(_ status: stat, parent: Ordinal) -> Entry {
        var entry = Entry()
        entry.mode = status.st_mode
        entry.parent = parent
        entry.uid = status.st_uid
        entry.gid = status.st_gid
        entry.seconds = Int64(status.st_mtim.tv_sec)
        entry.nanoseconds = UInt32(status.st_mtim.tv_nsec)
        if status.st_mode & S_IFMT == S_IFDIR { entry.linkCount = 2 }
        return entry
    }

    private func visit(
        _ child: SourceDirectory.Child, _ ordinal: Ordinal, in parent: borrowing SourceDirectory,
        depth: Int
    ) throws {
        let type = child.status.st_mode & S_IFMT
        if type == S_IFDIR {
            index[index[ordinal].parent].linkCount += 1
            do {
                let directory = try SourceDirectory(child.name, in: parent)
                return try scan(
                    directory, ordinal: ordinal, name: child.name, depth: depth + 1)
            } catch let error as TreeError
                where error.errno == ENOENT && error.path == parent.path(of: child.name)
            {
                remark(error.path, "vanished before it was read; sealed as an empty directory")
                digest.add(index[ordinal], name: child.name, attributes: [], detail: [])
                return
            }
        }
        let identity = FileIdentity(child.status)
        if child.status.st_nlink > 1 {
            if let primary = firstNames[identity] {
                index[primary].linkCount += 1
                let original = index[primary]
                index[ordinal] = Self.alias(of: original, primary, index[ordinal].parent)
                let detail = withUnsafeBytes(of: primary.littleEndian) { [UInt8]($0) }
                digest.add(index[ordinal], name: child.name, attributes: [], detail: detail)
                return
            }
            firstNames[identity] = ordinal
        }
        switch type {
        case S_IFREG:
            try visitFile(child, ordinal, in: parent)
        case S_IFLNK:
            guard let target = try vanishing({ try parent.target(of: child.name) }) else {
                return becomeEmptyFile(child, ordinal, in: parent)
            }
            index[ordinal].size = UInt64(target.count)
            index[ordinal].place = index.addTarget(target)
            try visitSpecial(child, ordinal, in: parent, detail: target)
        case S_IFCHR, S_IFBLK:
            let device = UInt64(child.status.st_rdev)
            let place = UInt64(clinux_major(device)) << 32 | UInt64(clinux_minor(device))
            index[ordinal].place = place
            let detail = withUnsafeBytes(of: place.littleEndian) { [UInt8]($0) }
            try visitSpecial(child, ordinal, in: parent, detail: detail)
        default:
            try visitSpecial(child, ordinal, in: parent, detail: [])
        }
    }

    /// What `body` gives, or nil when its object has gone.
    private func vanishing<Result>(_ body: () throws -> Result) throws -> Result? {
        do {
            return try body()
        } catch let error as TreeError where error.errno == ENOENT {
            return nil
        }
    }

    /// An object that vanished has its place in the order of names already.
    private func becomeEmptyFile(
        _ child: SourceDirectory.Child, _ ordinal: Ordinal, in parent: borrowing SourceDirectory
    ) {
        remark(
            parent.path(of: child.name), "vanished before it was read; sealed as an empty file")
        firstNames[FileIdentity(child.status)] = nil
        index[ordinal].mode = S_IFREG | (child.status.st_mode & 0o7777)
        let empty = ContentDigest.detail(
            size: 0, extents: [], hash: ContentDigest.fileContext.hash([UInt8]()))
        digest.add(index[ordinal], name: child.name, attributes: [], detail: empty)
    }

    private static func alias(of original: Entry, _ primary: Ordinal, _ parent: Ordinal) -> Entry {
        var alias = Entry()
        alias.mode = original.mode
        alias.flags = .alias
        alias.parent = parent
        alias.place = UInt64(primary)
        return alias
    }

    private func visitSpecial(
        _ child: SourceDirectory.Child, _ ordinal: Ordinal, in parent: borrowing SourceDirectory,
        detail: [UInt8]
    ) throws {
        // There is no descriptor to ask, but the held directory has a name in /proc.
        let path = Array("/proc/self/fd/\(parent.descriptor.raw)/".utf8) + child.name
        do throws(SystemError) {
            let attributes = try AttributeReader.attributes(
                ofPath: SourceDirectory.cString(path))
            index[ordinal].attributes = index.addAttributes(attributes)
            digest.add(index[ordinal], name: child.name, attributes: attributes, detail: detail)
        } catch {
            throw TreeError(path: parent.path(of: child.name), error)
        }
    }

    private func visitFile(
        _ child: SourceDirectory.Child, _ ordinal: Ordinal, in parent: borrowing SourceDirectory
    ) throws {
        let path = parent.path(of: child.name)
        let attributes: [ExtendedAttribute]
        let placement: FileContents.Placement
        do throws(SystemError) {
            let file = try parent.open(child.name, O_RDONLY | O_NONBLOCK)
            let before = try file.status()
            guard before.st_mode & S_IFMT == S_IFREG else {
                throw SystemError(errno: EAGAIN, operation: "read", object: "")
            }
            attributes = try AttributeReader.attributes(of: file.raw)
            placement = try contents.store(file, before)
            let after = try file.status()
            let parentOrdinal = index[ordinal].parent
            index[ordinal] = Self.entry(before, parent: parentOrdinal)
            if Self.hasChanged(before, after) || placement.size != UInt64(before.st_size) {
                remark(path, "changed while it was read")
            }
        } catch {
            if error.errno == ENOENT || error.errno == ELOOP || error.errno == EAGAIN {
                return becomeEmptyFile(child, ordinal, in: parent)
            }
            throw TreeError(path: path, error)
        }
        index[ordinal].size = placement.size
        if placement.isSparse {
            index[ordinal].flags = .sparse
            index[ordinal].place = index.addExtents(placement.extents)
            index[ordinal].count = UInt32(placement.extents.count)
            index[ordinal].extra = placement.extents.reduce(0) { $0 + $1.length }
        } else {
            index[ordinal].place = placement.offset
        }
        index[ordinal].attributes = index.addAttributes(attributes)
        let detail = ContentDigest.detail(
            size: placement.size, extents: placement.extents, hash: placement.hash)
        digest.add(index[ordinal], name: child.name, attributes: attributes, detail: detail)
    }

    private static func hasChanged(_ before: stat, _ after: stat) -> Bool {
        before.st_size != after.st_size || before.st_mtim.tv_sec != after.st_mtim.tv_sec
            || before.st_mtim.tv_nsec != after.st_mtim.tv_nsec
            || before.st_ctim.tv_sec != after.st_ctim.tv_sec
            || before.st_ctim.tv_nsec != after.st_ctim.tv_nsec
    }

    private func remark(_ path: [UInt8], _ reason: String) {
        guard remarks.count < Self.remarkCountMax else { return }
        remarks.append(Manifest.Remark(path: Text.escaped(path), reason: reason))
    }

    private func attributes(
        _ descriptor: borrowing Descriptor, path: [UInt8]
    ) throws(TreeError) -> [ExtendedAttribute] {
        do throws(SystemError) {
            return try AttributeReader.attributes(of: descriptor.raw)
        } catch {
            throw TreeError(path: path, error)
        }
    }
}
