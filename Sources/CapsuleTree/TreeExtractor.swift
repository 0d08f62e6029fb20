import CLinux
import CapsuleBytes
import CapsuleFormat
import CapsuleSystem
import Glibc

/// Writes a tree into a directory, never outside it.
///
/// Every object is made relative to a held directory descriptor, exclusively and without following
/// links. Damage costs the object that is damaged: it is not left half-written, it is named, and
/// the rest goes on.
public final class TreeExtractor {
    /// What is restored beyond contents, modes, times, links, ACLs and `user.` attributes.
    public struct Options: Sendable {
        /// Owners, where this process may set them.
        public var restoresOwners = Environment.isRoot
        /// setuid and setgid bits, devices, `security.` and `trusted.overlay.` attributes: from a
        /// known signer, or because the user said so.
        public var trustsSpecial = false

        /// What suits the user.
        public init() {}
    }

    /// What happened.
    public struct Report: Sendable {
        /// Objects written.
        public var entryCount = 0
        /// Bytes of files written.
        public var byteCount: UInt64 = 0
        /// What could not be read, and why.
        public var lost: [TreeError] = []
        /// What was left out on purpose or could not be restored in full.
        public var remarks: [TreeError] = []
    }

    private let tree: any ReadableTree
    private let options: Options
    private let progress: (UInt64) -> Void
    private var report = Report()
    /// The first path of each inode with several names.
    private var firstPaths: [Ordinal: [UInt8]] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 1 << 20, alignment: 4096)
    private var root: Int32 = -1
    private var depth = 0

    /// An extractor.
    public init(
        _ tree: any ReadableTree, options: Options, progress: @escaping (UInt64) -> Void = { _ in }
    ) {
        self.tree = tree
        self.options = options
        self.progress = progress
    }

    deinit { buffer.deallocate() }

    /// Extracts `paths` (all, if empty) into the directory `target`, which is made if need be.
    /// Throws `TreeError` when the target itself cannot be used or the file system fails.
    public func extract(paths: [[[UInt8]]], to target: String) throws -> Report {
        Environment.raiseOpenFileLimit()
        if mkdir(target, 0o700) != 0, errno != EEXIST {
            throw SystemError.last("create", target)
        }
        let directory = try Descriptor.open(target, O_RDONLY | O_DIRECTORY)
        root = directory.raw
        if paths.isEmpty {
            let entry = try tree.entry(0)
            try DeepStack.run {
                try extractChildren(of: 0, entry, into: root, path: [])
            }
            finish(directory: directory.raw, entry, path: [])
        }
        for path in paths {
            guard let found = try tree.resolve(path), let name = path.last else {
                throw TreeError(
                    path: Array(path.joined(separator: [47])),
                    path.isEmpty
                        ? "the root is extracted without a path" : "it is not in the capsule",
                    errno: ENOENT)
            }
            try DeepStack.run {
                try extract(found.entry, found.ordinal, name: name, into: root, path: name)
            }
        }
        return report
    }

    private func extractChildren(
        of ordinal: Ordinal, _ entry: Entry, into directory: Int32, path: [UInt8]
    ) throws {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Limits.depth + 1 else {
            return lose(path, "it lies deeper than \(Limits.depth) directories")
        }
        var children: [(Ordinal, Entry, [UInt8])] = []
        var position = 0
        var damage: FormatError?
        while position < Int(entry.count) {
            children.removeAll(keepingCapacity: true)
            do throws(FormatError) {
                try tree.forEach(in: ordinal, entry, from: position) {
                    child, record, name in
                    children.append((child, record, [UInt8](name)))
                    return children.count < 1024
                }
                position += children.count
            } catch {
                position += children.count
                if error != damage { lose(path, "some of its entries are lost: \(error)") }
                damage = error
                position = tree.position(beyondDamageAt: position, in: ordinal, entry)
            }
            for (child, record, name) in children {
                let childPath = path.isEmpty ? name : path + [47] + name
                try extract(record, child, name: name, into: directory, path: childPath)
            }
        }
    }

    private func extract(
        _ entry: Entry, _ ordinal: Ordinal, name: [UInt8], into directory: Int32, path: [UInt8]
    ) throws {
        do {
            let inode = try tree.inode(of: entry, ordinal)
            if inode.entry.linkCount > 1, !inode.entry.isDirectory {
                if let first = firstPaths[inode.ordinal], link(first, directory, name) {
                    report.entryCount += 1
                    return
                }
                firstPaths[inode.ordinal] = path
            }
            try extract(inode: inode.entry, inode.ordinal, name, directory, path)
        } catch let error as FormatError {
            firstPaths[ordinal] = nil
            lose(path, error.message)
        }
    }

    private func link(_ first: [UInt8], _ directory: Int32, _ name: [UInt8]) -> Bool {
        LongPath.with(first, from: root) { parent, base in
            linkat(
                parent, SourceDirectory.cString(base), directory, SourceDirectory.cString(name), 0)
                == 0
        }
    }

    private func extract(
        inode entry: Entry, _ ordinal: Ordinal, _ name: [UInt8], _ directory: Int32,
        _ path: [UInt8]
    ) throws {
        let text = SourceDirectory.cString(name)
        switch entry.kind {
        case .directory:
            guard mkdirat(directory, text, 0o700) == 0 || errno == EEXIST else {
                throw failure("create the directory", path)
            }
            let child = try open(name, O_RDONLY | O_DIRECTORY, in: directory, path)
            try extractChildren(of: ordinal, entry, into: child.raw, path: path)
            finish(directory: child.raw, entry, path: path)
        case .regular:
            try extractFile(entry, name, directory, path)
        case .symbolicLink:
            let target = SourceDirectory.cString(try tree.target(of: entry))
            guard symlinkat(target, directory, text) == 0 else {
                throw failure("create the link", path)
            }
            finish(special: text, in: directory, entry, path: path)
        case .fifo, .socket:
            guard mknodat(directory, text, entry.mode & 0o170600, 0) == 0 else {
                throw failure("create", path)
            }
            finish(special: text, in: directory, entry, path: path)
        case .characterDevice, .blockDevice:
            guard options.trustsSpecial else {
                return remark(path, "a device is only made with --trust-special")
            }
            let device = clinux_makedev(
                UInt32(entry.place >> 32), UInt32(truncatingIfNeeded: entry.place))
            guard mknodat(directory, text, entry.mode & 0o170600, dev_t(device)) == 0 else {
                return remark(path, "cannot make the device: \(failure("", path).message)")
            }
            finish(special: text, in: directory, entry, path: path)
        }
        report.entryCount += 1
    }

    private func open(
        _ name: [UInt8], _ flags: Int32, in directory: Int32, _ path: [UInt8]
    ) throws(TreeError) -> Descriptor {
        do throws(SystemError) {
            let raw = try retrying("create", "") {
                clinux_openat(
                    directory, SourceDirectory.cString(name), flags | O_NOFOLLOW | O_CLOEXEC, 0o600)
            }
            return Descriptor(owning: raw, name: "")
        } catch {
            throw TreeError(path: path, error)
        }
    }

    private func extractFile(
        _ entry: Entry, _ name: [UInt8], _ directory: Int32, _ path: [UInt8]
    ) throws {
        let file = try open(name, O_WRONLY | O_CREAT | O_EXCL, in: directory, path)
        do {
            for extent in try tree.extents(of: entry) {
                var done: UInt64 = 0
                while done < extent.length {
                    let room = UnsafeMutableRawBufferPointer(
                        rebasing: buffer[..<Int(min(extent.length - done, UInt64(buffer.count)))])
                    let offset = extent.fileOffset + done
                    let count = try tree.read(entry, at: offset, into: room)
                    try file.write(
                        UnsafeRawBufferPointer(rebasing: room[..<count]), at: offset)
                    done += UInt64(count)
                    report.byteCount += UInt64(count)
                    progress(UInt64(count))
                }
            }
            _ = try retrying("set the length of", "") { ftruncate(file.raw, off_t(entry.size)) }
        } catch let error as SystemError {
            unlinkat(directory, SourceDirectory.cString(name), 0)
            throw TreeError(path: path, error)
        } catch {
            unlinkat(directory, SourceDirectory.cString(name), 0)
            throw error
        }
        finish(file: file.raw, entry, path: path)
    }

    // MARK: Metadata

    private func permissions(_ entry: Entry, _ path: [UInt8]) -> mode_t {
        let special = entry.mode & 0o6000
        if special != 0, !options.trustsSpecial, !entry.isDirectory {
            remark(path, "its setuid and setgid bits are only restored with --trust-special")
            return entry.mode & 0o1777
        }
        return entry.mode & 0o7777
    }

    /// Owner first: chown(2) clears setuid bits. Attributes before the mode, which may forbid them;
    /// an ACL's mask and the mode's group bits are the same. Times last: everything changes them.
    private func finish(file: Int32, _ entry: Entry, path: [UInt8]) {
        if options.restoresOwners, fchown(file, entry.uid, entry.gid) != 0 {
            remark(path, failure("set the owner of", path).message)
        }
        let place = "/proc/self/fd/\(file)".utf8.map { CChar(bitPattern: $0) } + [0]
        setAttributes(place, follows: true, entry, path)
        if fchmod(file, permissions(entry, path)) != 0 {
            remark(path, failure("set the mode of", path).message)
        }
        var times = Self.times(entry)
        if futimens(file, &times) != 0 {
            remark(path, failure("set the times of", path).message)
        }
    }

    private func finish(directory: Int32, _ entry: Entry, path: [UInt8]) {
        finish(file: directory, entry, path: path)
    }

    private func finish(
        special name: [CChar], in directory: Int32, _ entry: Entry, path: [UInt8]
    ) {
        if options.restoresOwners,
            fchownat(directory, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0
        {
            remark(path, failure("set the owner of", path).message)
        }
        if entry.kind != .symbolicLink, fchmodat(directory, name, permissions(entry, path), 0) != 0
        {
            remark(path, failure("set the mode of", path).message)
        }
        let place = "/proc/self/fd/\(directory)/".utf8.map { CChar(bitPattern: $0) } + name
        setAttributes(place, follows: false, entry, path)
        var times = Self.times(entry)
        if utimensat(directory, name, &times, AT_SYMLINK_NOFOLLOW) != 0 {
            remark(path, failure("set the times of", path).message)
        }
    }

    private static func times(_ entry: Entry) -> [timespec] {
        let time = timespec(tv_sec: Int(entry.seconds), tv_nsec: Int(entry.nanoseconds))
        return [time, time]
    }

    private func setAttributes(
        _ place: [CChar], follows: Bool, _ entry: Entry, _ path: [UInt8]
    ) {
        guard entry.attributes != 0 else { return }
        let attributes: [ExtendedAttribute]
        do throws(FormatError) {
            attributes = try tree.attributes(of: entry)
        } catch {
            return lose(path, "its extended attributes are lost: \(error)")
        }
        for attribute in attributes {
            let isSpecial =
                attribute.name.starts(with: Array("security.".utf8))
                || attribute.name.starts(with: Array("trusted.overlay.".utf8))
            if isSpecial && !options.trustsSpecial {
                remark(
                    path, "\(Text.escaped(attribute.name)) is only restored with --trust-special")
                continue
            }
            let name = attribute.name.map { CChar(bitPattern: $0) } + [0]
            let status =
                follows
                ? clinux_setxattr(place, name, attribute.value, attribute.value.count)
                : clinux_lsetxattr(place, name, attribute.value, attribute.value.count)
            if status != 0 {
                remark(
                    path, failure("set \(Text.escaped(attribute.name)) of", path).message)
            }
        }
    }

    private func failure(_ operation: String, _ path: [UInt8]) -> TreeError {
        TreeError(path: path, SystemError.last(operation, ""))
    }

    private func lose(_ path: [UInt8], _ reason: String) {
        report.lost.append(TreeError(path: path, reason))
    }

    private func remark(_ path: [UInt8], _ reason: String) {
        report.remarks.append(TreeError(path: path, reason))
    }
}
