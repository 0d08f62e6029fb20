import CapsuleFormat
import CapsuleSystem
import Glibc

extension TreeDiff.Side {
    /// The bytes of a regular file of at most `limit` bytes, for showing how it differs; nil for
    /// anything else, and where nothing is.
    public func content(of path: [[UInt8]], limit: Int) throws -> [UInt8]? {
        switch self {
        case .sealed(let tree):
            guard let found = try tree.resolve(path) else { return nil }
            let entry = try tree.inode(of: found.entry, found.ordinal).entry
            guard entry.isRegular, entry.size <= UInt64(limit) else { return nil }
            var bytes = [UInt8](repeating: 0, count: Int(entry.size))
            let count = try bytes.withUnsafeMutableBytes { try tree.read(entry, at: 0, into: $0) }
            return Array(bytes.prefix(count))
        case .directory(let top):
            let name = [Array(top.utf8)] + path
            let full = String(decoding: Array(name.joined(separator: [47])), as: UTF8.self)
            var status = stat()
            guard lstat(full, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                status.st_size <= limit
            else { return nil }
            return try FileStorage(path: full).bytes(Int(status.st_size), at: 0)
        }
    }
}
