import CLinux
import Glibc

/// Storage that can become shorter.
public protocol ResizableStorage: Storage {
    /// Makes the file exactly `length` bytes long. Throws `SystemError`.
    func truncate(to length: UInt64) throws(SystemError)

    /// Gives the space of a range back; it reads as zeros then. Throws EOPNOTSUPP where the medium
    /// cannot.
    func punch(_ range: Range<UInt64>) throws(SystemError)

    /// Lets the medium begin to write a range: a flush that follows has less to wait for.
    func beginFlush(_ range: Range<UInt64>)

    /// Nobody is expected to read a range soon: what of it is on the medium need not be in memory.
    func forgetFlushed(_ range: Range<UInt64>)
}

extension ResizableStorage {
    /// Nothing, where there is no medium.
    public func beginFlush(_ range: Range<UInt64>) {}

    /// Nothing, where there is no page cache.
    public func forgetFlushed(_ range: Range<UInt64>) {}
}

/// A directory of storage: the seam at which tests inject faults into a store of several files.
///
/// Names are single path components.
public protocol StorageDirectory: AnyObject, Sendable {
    /// What errors call the directory.
    var name: String { get }

    /// Opens an existing file for reading, and for writing if `isWritable`. Throws ENOENT where
    /// there is none.
    func open(_ name: String, isWritable: Bool) throws(SystemError) -> any ResizableStorage

    /// Makes a file that was not there, mode 0600. Throws EEXIST where it is.
    func create(_ name: String) throws(SystemError) -> any ResizableStorage

    /// Whether there is something of that name.
    func contains(_ name: String) throws(SystemError) -> Bool

    /// Removes a file; `isDurable` waits until its absence survives a power cut.
    func remove(_ name: String, isDurable: Bool) throws(SystemError)

    /// Puts `bytes` under `name` whole or not at all, and durably.
    func replace(_ name: String, with bytes: [UInt8]) throws(SystemError)

    /// The names in it, sorted.
    func names() throws(SystemError) -> [String]

    /// Makes created names survive a power cut.
    func flush() throws(SystemError)

    /// Bytes that may still be written, and the size of the medium.
    func space() throws(SystemError) -> (free: UInt64, total: UInt64)
}

/// A directory of the operating system.
public final class FileDirectory: StorageDirectory {
    private let descriptor: Descriptor

    /// What errors call the directory.
    public var name: String { descriptor.name }

    /// Opens an existing directory. Throws `SystemError`.
    public init(path: String) throws(SystemError) {
        descriptor = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    }

    /// A directory that is open.
    public init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    private func path(_ name: String) -> String { "\(descriptor.name)/\(name)" }

    /// As `StorageDirectory` says.
    public func open(
        _ name: String, isWritable: Bool
    ) throws(SystemError) -> any ResizableStorage {
        FileStorage(
            try Descriptor.open(
                name, isWritable ? O_RDWR : O_RDONLY, at: descriptor.raw, name: path(name)))
    }

    /// As `StorageDirectory` says.
    public func create(_ name: String) throws(SystemError) -> any ResizableStorage {
        FileStorage(
            try Descriptor.open(
                name, O_RDWR | O_CREAT | O_EXCL, mode: 0o600, at: descriptor.raw,
                name: path(name)))
    }

    /// As `StorageDirectory` says.
    public func contains(_ name: String) throws(SystemError) -> Bool {
        if faccessat(descriptor.raw, name, F_OK, 0) == 0 { return true }
        let error = SystemError.last("look up", path(name))
        if error.errno == ENOENT { return false }
        throw error
    }

    /// As `StorageDirectory` says.
    public func remove(_ name: String, isDurable: Bool) throws(SystemError) {
        _ = try retrying("remove", path(name)) { unlinkat(descriptor.raw, name, 0) }
        if isDurable { try flush() }
    }

    /// As `StorageDirectory` says.
    public func replace(_ name: String, with bytes: [UInt8]) throws(SystemError) {
        // Not by its path: the working directory may have changed since.
        let copy = try Descriptor.open(
            ".", O_RDONLY | O_DIRECTORY, at: descriptor.raw, name: self.name)
        let file = try AtomicFile(name, in: copy, path: path(name))
        try file.write(bytes, at: 0)
        try file.publish(replacing: true)
    }

    /// As `StorageDirectory` says.
    public func names() throws(SystemError) -> [String] {
        try rawNames().map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    /// The names in it as they are, in the order of their bytes.
    public func rawNames() throws(SystemError) -> [[UInt8]] {
        let copy = try retrying("open", name) { dup(descriptor.raw) }
        guard let stream = fdopendir(copy) else { throw SystemError.last("list", name) }
        defer { closedir(stream) }
        rewinddir(stream)
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// As `StorageDirectory` says.
    public func flush() throws(SystemError) { try descriptor.flush() }

    /// Flushes everything in the file system that the directory lies in (syncfs(2)).
    public func flushFileSystem() throws(SystemError) {
        _ = try retrying("flush", name) { clinux_syncfs(descriptor.raw) }
    }

    /// As `StorageDirectory` says.
    public func space() throws(SystemError) -> (free: UInt64, total: UInt64) {
        var facts = statvfs()
        _ = try retrying("measure", name) { fstatvfs(descriptor.raw, &facts) }
        let unit = UInt64(facts.f_frsize)
        return (UInt64(facts.f_bavail) * unit, UInt64(facts.f_blocks) * unit)
    }
}
