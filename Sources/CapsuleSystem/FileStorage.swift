import CLinux
import Glibc

/// A file of the operating system as storage.
public final class FileStorage: ResizableStorage {
    private let descriptor: Descriptor

    /// What errors call the object.
    public var name: String { descriptor.name }

    /// Takes the descriptor over.
    public init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Opens an existing file. Throws `SystemError`; a directory is refused as EISDIR.
    public convenience init(path: String, writable: Bool = false) throws(SystemError) {
        let descriptor = try Descriptor.open(path, writable ? O_RDWR : O_RDONLY)
        let status = try descriptor.status()
        guard status.st_mode & clinux_S_IFMT != S_IFDIR else {
            throw SystemError(errno: EISDIR, operation: "open", object: path)
        }
        self.init(descriptor)
    }

    /// As `Storage` says.
    public func length() throws(SystemError) -> UInt64 {
        UInt64(try descriptor.status().st_size)
    }

    /// As `Storage` says.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        try descriptor.read(into: buffer, at: offset)
    }

    /// As `Storage` says.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        try descriptor.write(bytes, at: offset)
    }

    /// As `Storage` says.
    public func flush() throws(SystemError) {
        try descriptor.flush()
    }

    /// As `ResizableStorage` says.
    public func truncate(to length: UInt64) throws(SystemError) {
        _ = try retrying("truncate", name) { ftruncate(descriptor.raw, off_t(length)) }
    }

    /// As `ResizableStorage` says.
    public func punch(_ range: Range<UInt64>) throws(SystemError) {
        _ = try retrying("punch a hole into", name) {
            clinux_punch(descriptor.raw, Int64(range.lowerBound), Int64(range.count))
        }
    }

    /// As `ResizableStorage` says. What fails, the flush will report.
    public func beginFlush(_ range: Range<UInt64>) {
        clinux_sync_file_range(descriptor.raw, Int64(range.lowerBound), Int64(range.count), 0)
    }

    /// As `ResizableStorage` says. Waits for nothing: pages that are still to be written stay.
    public func forgetFlushed(_ range: Range<UInt64>) {
        posix_fadvise(
            descriptor.raw, off_t(range.lowerBound), off_t(range.count),
            Int32(POSIX_FADV_DONTNEED))
    }

    /// Takes a whole-file lock that lasts as long as this object. Throws EAGAIN when another
    /// process holds it and `wait` is false.
    public func lock(exclusive: Bool, wait: Bool) throws(SystemError) {
        _ = try retrying("lock", name) {
            clinux_lock_file(descriptor.raw, exclusive ? 1 : 0, wait ? 1 : 0)
        }
    }
}
