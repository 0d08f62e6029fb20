import CLinux
import Glibc

/// An owned file descriptor, closed when it goes out of scope.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, valid as long as this owner lives.
    public let raw: Int32
    /// What errors call the object.
    public let name: String

    /// Takes ownership of `raw`.
    public init(owning raw: Int32, name: String) {
        precondition(raw >= 0, "not a descriptor")
        self.raw = raw
        self.name = name
    }

    deinit { close(raw) }

    /// Opens `path`, always close-on-exec. Throws `SystemError`.
    public static func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0, at directory: Int32 = AT_FDCWD,
        name: String? = nil
    ) throws(SystemError) -> Descriptor {
        let raw = try retrying("open", name ?? path) {
            clinux_openat(directory, path, flags | O_CLOEXEC, mode)
        }
        return Descriptor(owning: raw, name: name ?? path)
    }

    /// What fstat(2) says. Throws `SystemError`.
    public func status() throws(SystemError) -> stat {
        var result = stat()
        _ = try retrying("stat", name) { fstat(raw, &result) }
        return result
    }

    /// Reads up to `buffer.count` bytes at the current position; 0 is the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        return try retrying("read", name) { Glibc.read(raw, base, buffer.count) }
    }

    /// Reads at `offset` until `buffer` is full or the file ends; returns the count.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            let count = try retrying("read", name) {
                pread(raw, base + done, buffer.count - done, off_t(offset) + off_t(done))
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Reads the whole of a small file. Throws EFBIG above `limit` bytes.
    public func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        defer { explicit_bzero(&chunk, chunk.count) }
        while true {
            let count = try retrying("read", name) {
                Glibc.read(raw, &chunk, chunk.count)
            }
            if count == 0 { return result }
            guard result.count + count <= limit else {
                throw SystemError(errno: EFBIG, operation: "read", object: name)
            }
            result += chunk[..<count]
        }
    }

    /// Writes all of `bytes` at the current position.
    public func write(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try retrying("write", name) {
                rest.withUnsafeBytes { Glibc.write(raw, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Writes all bytes at `offset`.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            done += try retrying("write", name) {
                pwrite(raw, base + done, bytes.count - done, off_t(offset) + off_t(done))
            }
        }
    }

    /// Makes what was written survive a power cut.
    public func flush() throws(SystemError) {
        _ = try retrying("fsync", name) { fsync(raw) }
    }
}
