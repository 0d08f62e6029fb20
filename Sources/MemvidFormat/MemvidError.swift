import CapsuleSystem

/// Why a Memvid file cannot be read or written.
public struct MemvidError: Error, Equatable, Sendable {
    /// The kind of failure; each has its own answer at the command line.
    public enum Code: String, Sendable {
        case notMemvid = "not_a_capsule"
        case unsupportedVersion = "unsupported_version"
        case truncated = "truncated"
        case damaged = "damaged"
        case wrongSecret = "wrong_secret"
        case limitExceeded = "limit_exceeded"
        case system = "system"
    }

    /// The kind of failure.
    public let code: Code
    /// What was wrong with what, in lower case and without a full stop.
    public let message: String
    /// Where in the decrypted file, in bytes, if it has a place.
    public let offset: UInt64?
    /// The errno of a failed system call, else 0.
    public let errno: Int32

    /// An error with a message that names the part of the file.
    public init(_ code: Code, _ message: String, at offset: UInt64? = nil, errno: Int32 = 0) {
        self.code = code
        self.message = message
        self.offset = offset
        self.errno = errno
    }

    /// A failed call to the operating system.
    public init(_ error: SystemError) {
        self.init(.system, "cannot \(error.operation): \(error.reason)", errno: error.errno)
    }

    static func damaged(_ message: String, at offset: UInt64? = nil) -> MemvidError {
        MemvidError(.damaged, message, at: offset)
    }
}

extension MemvidError: CustomStringConvertible {
    /// The message.
    public var description: String {
        guard let offset else { return message }
        return "\(message) (offset \(offset))"
    }
}
