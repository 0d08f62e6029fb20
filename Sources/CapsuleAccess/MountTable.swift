import CLinux
import Glibc

/// The mounts of this process, as proc_pid_mountinfo(5) describes them.
package enum MountTable {
    /// The mount that an absolute path lies in: the longest mount point counts, and of several over
    /// each other the last.
    private static func mount(of path: [UInt8]) -> Mount? {
        mounts().filter {
            path == $0.point || $0.point == [slash] || path.starts(with: $0.point + [slash])
        }.reduce(nil) { best, next -> Mount? in
            next.point.count >= (best?.point.count ?? 0) ? next : best
        }
    }

    private static let slash = UInt8(ascii: "/")

    /// The source of the capsulefs mount that a path lies in.
    static func source(of path: [UInt8]) -> String? {
        mount(of: path).flatMap { $0.source.isEmpty ? nil : $0.source }
    }

    /// The type of the file system that an absolute path lies in.
    static func type(of path: String) -> String? { mount(of: Array(path.utf8))?.type }

    /// Where an absolute path lies in a mount of a source, which may be a bind mount of a part of
    /// it: empty, or with a slash before each name.
    static func place(of path: [UInt8], in source: String) -> [UInt8]? {
        guard let mount = mount(of: path), mount.source == source else { return nil }
        let root = mount.root == [slash] ? [] : mount.root
        return root + path.dropFirst(mount.point == [slash] ? 0 : mount.point.count)
    }

    /// Where the workspace in a directory is mounted.
    package static func mountPoints(of path: String) -> [String] {
        guard let resolved = realpath(path, nil) else { return [] }
        defer { free(resolved) }
        let source = String(cString: resolved)
        return mounts().filter { $0.source == source }.map {
            String(decoding: $0.point, as: UTF8.self)
        }
    }

    /// Lets the kernel write back what it has of the mounts of a source.
    static func flushMounts(of path: String) {
        for point in mountPoints(of: path) {
            let raw = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard raw >= 0 else { continue }
            clinux_syncfs(raw)
            close(raw)
        }
    }

    /// `major:minor` of what is mounted at a point: the last where mounts lie over each other.
    ///
    /// stat(2) would ask the file system, which may not answer yet.
    package static func device(of mountPoint: String) -> String? {
        mounts().last { $0.point.elementsEqual(mountPoint.utf8) }?.device
    }

    private struct Mount {
        let point: [UInt8]
        /// What of the file system is shown there, `/` for all.
        let root: [UInt8]
        let device: String
        /// The file system's type, as in mount(8).
        let type: String
        /// Of a mount of ours; else empty.
        let source: String
    }

    /// All mounts, in the order of the table.
    private static func mounts() -> [Mount] {
        guard let table = fopen("/proc/self/mountinfo", "re") else { return [] }
        defer { fclose(table) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        var found: [Mount] = []
        while getline(&line, &capacity, table) > 0, let line {
            let bytes = UnsafeRawBufferPointer(start: line, count: strlen(line))
            let fields = bytes.split(whereSeparator: { $0 == 32 || $0 == 10 }).map(Array.init)
            guard let dash = fields.firstIndex(of: [UInt8(ascii: "-")]), fields.count > dash + 2
            else { continue }
            let type = String(decoding: fields[dash + 1], as: UTF8.self)
            found.append(
                Mount(
                    point: unescape(fields[4]), root: unescape(fields[3]),
                    device: String(decoding: fields[2], as: UTF8.self), type: type,
                    source: type == "fuse.capsulefs"
                        ? String(decoding: unescape(fields[dash + 2]), as: UTF8.self) : ""))
        }
        return found
    }

    /// The table writes space, tab, line feed and backslash as three octal digits.
    private static func unescape(_ field: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = field[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// An absolute path without a trailing slash; space, tab, line feed and backslash as octal.
    static func escape(_ path: String) -> String {
        var absolute = Array(path.utf8)
        if absolute.first != UInt8(ascii: "/"), let directory = getcwd(nil, 0) {
            absolute = Array(String(cString: directory).utf8) + [UInt8(ascii: "/")] + absolute
            free(directory)
        }
        let parts = absolute.split(separator: UInt8(ascii: "/")).filter { $0 != [46] }
        var text: [UInt8] = []
        for part in parts {
            text.append(UInt8(ascii: "/"))
            for byte in part {
                switch byte {
                case 0x20: text += Array("\\040".utf8)
                case 0x09: text += Array("\\011".utf8)
                case 0x0a: text += Array("\\012".utf8)
                case 0x5c: text += Array("\\134".utf8)
                default: text.append(byte)
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
