import CLinux
import Glibc

/// Paths that may be longer than PATH_MAX, which no single call takes.
enum LongPath {
    /// What one call takes, with room for the `/proc/self/fd/N/` that some put before it.
    private static let partLength = 4000

    /// Lends `body` a directory and the rest of `path` from there. Where a directory on the way
    /// cannot be opened, it gets the whole path, so that its own call says why.
    static func with<Result, Failure: Error>(
        _ path: [UInt8], from root: Int32,
        _ body: (_ directory: Int32, _ rest: [UInt8]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var directory = root
        var rest = path[...]
        defer { if directory != root { close(directory) } }
        while rest.count > partLength,
            let cut = rest.prefix(partLength).lastIndex(of: UInt8(ascii: "/"))
        {
            let part = SourceDirectory.cString(Array(rest[..<cut]))
            let next = clinux_openat(
                directory, part, clinux_O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            if next < 0 { return try body(root, path) }
            if directory != root { close(directory) }
            directory = next
            rest = rest[(cut + 1)...]
        }
        return try body(directory, Array(rest))
    }
}
