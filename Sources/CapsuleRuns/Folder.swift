import CapsuleSystem
import FoundationEssentials
import Glibc

/// A folder of the operating system with all that is in it.
enum Folder {
    /// Removes it. Throws `SystemError`.
    static func remove(_ path: String) throws(SystemError) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            let cause = (error as? CocoaError)?.underlying as? POSIXError
            throw SystemError(
                errno: cause?.code.rawValue ?? EIO, operation: "delete", object: path)
        }
    }
}
