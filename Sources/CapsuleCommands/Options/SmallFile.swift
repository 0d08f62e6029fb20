import CapsuleAccess
import CapsuleSystem
import Glibc

/// A file of a few lines that the user names.
enum SmallFile {
    private static let lengthMax: UInt64 = 1 << 20

    /// All its bytes. Throws `AccessError`, also for one of more than a mebibyte, with what to do
    /// about that.
    static func read(
        _ path: String, remedy: String = "make it shorter"
    ) throws(AccessError) -> [UInt8] {
        var facts = stat()
        guard stat(path, &facts) != 0 || facts.st_mode & S_IFMT != S_IFIFO else {
            throw AccessError(
                .usage, code: "unusable_path", "\(path): it is a pipe; name a regular file")
        }
        let length: UInt64
        do throws(SystemError) {
            let file = try FileStorage(path: path)
            length = try file.length()
            if length <= lengthMax { return try file.bytes(Int(length), at: 0) ?? [] }
        } catch {
            throw AccessError(error)
        }
        throw AccessError(
            .usage, code: "limit_exceeded",
            "\(path): it has \(length) bytes, and at most \(lengthMax) are read: \(remedy)")
    }
}
