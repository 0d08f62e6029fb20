import CLinux
import Glibc
import Synchronization

/// A file that appears under its name whole, or not at all.
///
/// An unnamed file (O_TMPFILE) in the destination's directory where the file system has them, else
/// a temporary name that is removed on failure. `publish` flushes the file, names it and flushes
/// the directory.
public final class AtomicFile: Storage {
    private let directory: Descriptor
    private let file: Descriptor
    private let temporaryName: String?
    private let destination: String
    private nonisolated(unsafe) var isPublished = false
    /// For whole pages past the page cache; -1 where the file system has no such way.
    private let direct = Atomic<Int32>(-1)

    /// The final path.
    public let name: String

    /// Starts a file that shall become `path`. Throws `SystemError`.
    public convenience init(path: String, mode: mode_t = 0o600) throws(SystemError) {
        let (parent, base) = AtomicFile.split(path)
        guard !base.isEmpty, base != ".", base != ".." else {
            throw SystemError(errno: EISDIR, operation: "create", object: path)
        }
        try self.init(
            base, in: try Descriptor.open(parent, O_RDONLY | O_DIRECTORY), path: path, mode: mode)
    }

    /// Starts a file that shall become `base` in a directory; errors call it `path`.
    init(
        _ base: String, in directory: consuming Descriptor, path: String, mode: mode_t = 0o600
    ) throws(SystemError) {
        name = path
        destination = base
        self.directory = directory
        let unnamed = clinux_openat(
            self.directory.raw, ".", O_RDWR | O_CLOEXEC | clinux_O_TMPFILE, mode)
        if unnamed >= 0 {
            file = Descriptor(owning: unnamed, name: path)
            temporaryName = nil
        } else {
            let temporary = Self.temporaryName(for: base)
            file = try Descriptor.open(
                temporary, O_RDWR | O_CREAT | O_EXCL, mode: mode, at: self.directory.raw,
                name: path)
            temporaryName = temporary
        }
    }

    deinit {
        let direct = direct.load(ordering: .relaxed)
        if direct >= 0 { close(direct) }
        if let temporaryName, !isPublished { unlinkat(directory.raw, temporaryName, 0) }
    }

    /// Whether a name is that of a file which nobody has put into its place, as its writer was
    /// killed.
    public static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(".") && name.hasSuffix(".tmp")
    }

    /// The name that a file on its way to a path may have, in the same directory, while a process
    /// writes it.
    public static func temporaryName(for path: String, of process: pid_t = getpid()) -> String {
        ".\(split(path).base.prefix(200)).\(process).tmp"
    }

    /// The directory part (`.` when there is none) and the last component of a path.
    public static func split(_ path: String) -> (directory: String, base: String) {
        let bytes = Array(path.utf8)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        let directory = slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
        return (directory, String(decoding: bytes[(slash + 1)...], as: UTF8.self))
    }

    /// The descriptor, for calls that only a real file has.
    public var descriptor: Int32 { file.raw }

    /// As `Storage` says.
    public func length() throws(SystemError) -> UInt64 { UInt64(try file.status().st_size) }

    /// As `Storage` says.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        try file.read(into: buffer, at: offset)
    }

    /// Lets whole pages that are written from whole pages of memory go past the page cache
    /// (O_DIRECT of open(2)): who writes a file once and reads it back from the medium has no use
    /// for a copy in memory. Does nothing where the file system does not have that.
    public func writePastCache() {
        guard direct.load(ordering: .relaxed) < 0 else { return }
        // A description of its own: the flag is not one of the descriptor.
        let other = clinux_openat(
            AT_FDCWD, "/proc/self/fd/\(file.raw)", O_WRONLY | O_CLOEXEC | clinux_O_DIRECT, 0)
        if other >= 0 { direct.store(other, ordering: .relaxed) }
    }

    /// As `Storage` says.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        let direct = direct.load(ordering: .relaxed)
        var done = 0
        if direct >= 0, offset % Self.page == 0, bytes.count % Int(Self.page) == 0,
            UInt(bitPattern: bytes.baseAddress) % UInt(Self.page) == 0
        {
            while done < bytes.count {
                let count = pwrite(
                    direct, bytes.baseAddress.map { $0 + done }, bytes.count - done,
                    off_t(offset) + off_t(done))
                // Whatever it is, the page cache says it better.
                guard count > 0, count % Int(Self.page) == 0 else { break }
                done += count
            }
        }
        guard done < bytes.count else { return }
        try file.write(UnsafeRawBufferPointer(rebasing: bytes[done...]), at: offset + UInt64(done))
    }

    /// The largest that a medium asks for; larger sectors make a write go the other way.
    private static let page: UInt64 = 4096

    /// As `Storage` says.
    public func flush() throws(SystemError) { try file.flush() }

    /// Asks for a range to be written back; with `wait`, returns when it is on its way to the
    /// medium and drops it from the page cache, so that a later read comes from there.
    public func startWriteback(_ range: Range<UInt64>, wait: Bool) {
        let length = Int64(range.upperBound - range.lowerBound)
        clinux_sync_file_range(file.raw, Int64(range.lowerBound), length, wait ? 1 : 0)
        if wait {
            posix_fadvise(
                file.raw, off_t(range.lowerBound), off_t(length), Int32(POSIX_FADV_DONTNEED))
        }
    }

    /// Flushes, names the file and flushes the directory. With `replacing` false an existing file
    /// of that name is EEXIST and stays.
    public func publish(replacing: Bool) throws(SystemError) {
        try file.flush()
        if let temporaryName {
            _ = try retrying("rename", name) {
                clinux_renameat(directory.raw, temporaryName, destination, replacing ? 0 : 1)
            }
        } else if replacing {
            let temporary = Self.temporaryName(for: destination)
            // Left by a process of the same number that was killed here.
            unlinkat(directory.raw, temporary, 0)
            _ = try retrying("link", name) {
                clinux_link_unnamed(file.raw, directory.raw, temporary)
            }
            do throws(SystemError) {
                _ = try retrying("rename", name) {
                    clinux_renameat(directory.raw, temporary, destination, 0)
                }
            } catch {
                unlinkat(directory.raw, temporary, 0)
                throw error
            }
        } else {
            _ = try retrying("link", name) {
                clinux_link_unnamed(file.raw, directory.raw, destination)
            }
        }
        isPublished = true
        try directory.flush()
    }
}
