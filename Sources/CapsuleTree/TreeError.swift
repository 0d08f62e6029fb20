import CapsuleBytes
import CapsuleSystem

/// Why a tree of files cannot be sealed, extracted or compared.
public struct TreeError: Error, Sendable {
    /// The path, as bytes.
    public let path: [UInt8]
    /// What failed and what to do about it.
    public let message: String
    /// The errno of a failed call, else 0.
    public let errno: Int32

    /// An error about a path.
    public init(path: [UInt8], _ message: String, errno: Int32 = 0) {
        self.path = path
        self.message = message
        self.errno = errno
    }

    /// A failed call about a path.
    public init(path: [UInt8], _ error: SystemError) {
        self.init(path: path, "cannot \(error.operation): \(error.reason)", errno: error.errno)
    }
}

extension TreeError: CustomStringConvertible {
    /// The message.
    public var description: String { "\(Text.escaped(path)): \(message)" }
}
