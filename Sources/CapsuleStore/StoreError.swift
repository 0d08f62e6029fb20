import CapsuleSystem

/// Why the encrypted database cannot be read or written.
public struct StoreError: Error, Equatable, Sendable {
    /// The kind of failure.
    public enum Code: String, Sendable {
        /// Bytes that are not authentic, or authentic and older than what was last written.
        case damaged = "damaged"
        /// A call to the operating system failed; `errno` says how.
        case system = "system"
        /// A statement failed: a fault of the program, or a broken rule of the schema.
        case statement = "statement"
    }

    /// The kind of failure.
    public let code: Code
    /// What was wrong with what, in lower case and without a full stop.
    public let message: String
    /// The errno of a failed system call, EIO for damage.
    public let errno: Int32

    /// An error of one kind.
    public init(_ code: Code, _ message: String, errno: Int32) {
        self.code = code
        self.message = message
        self.errno = errno
    }

    /// A failed call to the operating system.
    public init(_ error: SystemError) {
        self.init(.system, "\(error)", errno: error.errno)
    }
}

extension StoreError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
