import CLinux
import CapsuleFormat
import CapsuleSystem
import Glibc

/// A directory of the folder being sealed, held open: every access is relative to it, so nothing
/// that happens to the path above can lead elsewhere.
struct SourceDirectory: ~Copyable {
    let descriptor: Descriptor
    /// The path from the root of the folder; empty for the root.
    let path: [UInt8]

    struct Child {
        let name: [UInt8]
        let status: stat
    }

    /// Opens the root.
    init(root: [UInt8]) throws(TreeError) {
        do throws(SystemError) {
            let raw = try retrying("open", "") {
                LongPath.with(root, from: AT_FDCWD) { directory, rest in
                    clinux_openat(
                        directory, Self.cString(rest), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
                }
            }
            descriptor = Descriptor(owning: raw, name: "")
        } catch {
            throw TreeError(path: root, error)
        }
        path = []
    }

    /// Opens a directory in `parent`. Symbolic links are not followed.
    init(_ name: [UInt8], in parent: borrowing SourceDirectory) throws(TreeError) {
        let path = parent.path(of: name)
        do throws(SystemError) {
            descriptor = try parent.open(name, O_RDONLY | O_DIRECTORY)
        } catch {
            throw TreeError(path: path, error)
        }
        self.path = path
    }

    func path(of name: [UInt8]) -> [UInt8] {
        path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
    }

    /// Opens a child without following links, and without touching its access time where that is
    /// allowed.
    func open(_ name: [UInt8], _ flags: Int32) throws(SystemError) -> Descriptor {
        let text = Self.cString(name)
        let quiet = clinux_openat(
            descriptor.raw, text, flags | O_NOFOLLOW | O_CLOEXEC | clinux_O_NOATIME, 0)
        if quiet >= 0 { return Descriptor(owning: quiet, name: "") }
        let raw = try retrying("open", "") {
            clinux_openat(descriptor.raw, text, flags | O_NOFOLLOW | O_CLOEXEC, 0)
        }
        return Descriptor(owning: raw, name: "")
    }

    static func cString(_ name: [UInt8]) -> [CChar] { name.map { CChar(bitPattern: $0) } + [0] }

    /// Everything in the directory but `.` and `..`, in the order of the names' bytes.
    func children() throws(TreeError) -> [Child] {
        let copy = dup(descriptor.raw)
        guard copy >= 0, let stream = fdopendir(copy) else {
            throw TreeError(path: path, SystemError.last("list", ""))
        }
        defer { closedir(stream) }
        rewinddir(stream)
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: UInt8.self, capacity: 256) { text in
                    Array(UnsafeBufferPointer(start: text, count: strnlen(text, 256)))
                }
            }
            if name != [46] && name != [46, 46] { names.append(name) }
        }
        names.sort { $0.lexicographicallyPrecedes($1) }
        var children: [Child] = []
        children.reserveCapacity(names.count)
        for name in names {
            var status = stat()
            if fstatat(descriptor.raw, Self.cString(name), &status, AT_SYMLINK_NOFOLLOW) == 0 {
                children.append(Child(name: name, status: status))
            } else if errno != ENOENT {
                throw TreeError(path: path(of: name), SystemError.last("stat", ""))
            }
        }
        return children
    }

    private func strnlen(_ text: UnsafePointer<UInt8>, _ limit: Int) -> Int {
        var count = 0
        while count < limit, text[count] != 0 { count += 1 }
        return count
    }

    /// The target of a symbolic link.
    func target(of name: [UInt8]) throws(TreeError) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlinkat(descriptor.raw, Self.cString(name), &buffer, buffer.count)
        guard count > 0 else {
            throw TreeError(path: path(of: name), SystemError.last("read the link", ""))
        }
        guard count <= Limits.targetLength else {
            throw TreeError(path: path(of: name), "the link's target is too long")
        }
        return buffer[..<count].map { UInt8(bitPattern: $0) }
    }
}
