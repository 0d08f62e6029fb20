import CapsuleAccess
import CapsuleSystem
import Glibc

/// A file of a few lines that the user names.
enum SmallFile {
    private static let lengthMax: UInt64 = 1 << 20

    /// All its bytes. Throws `AccessError`, also for one of more than a mebibyte.
    static func read(_ path: String) throws(AccessError) -> [UInt8] {
        var facts = stat()
        guard stat(path, &facts) != 0 || facts.st_mode & S_IFMT != S_IFIFO else {
            throw AccessError(
                .usage, code: "unusable_path", "\(path): it is a pipe; name a regular file")
        }
        do throws(SystemError) {
            let file = try FileStorage(path: path)
            let length = try file.length()
            guard length <= lengthMax else {
                throw SystemError(errno: 27, operation: "read", object: path)
            }
            return try file.bytes(Int(length), at: 0) ?? []
        } catch {
            throw AccessError(error)
        }
    }
}
