import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem

/// Why a capsule cannot be read or written.
public struct FormatError: Error, Equatable, Sendable {
    /// The kind of failure; each has its own answer at the command line.
    public enum Code: String, Sendable {
        case notACapsule = "not_a_capsule"
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
    /// Where in the file, in bytes, if it has a place.
    public let offset: UInt64?
    /// The errno of a failed system call, else 0.
    public let errno: Int32

    /// An error with a message that names the part of the capsule.
    public init(_ code: Code, _ message: String, at offset: UInt64? = nil, errno: Int32 = 0) {
        self.code = code
        self.message = message
        self.offset = offset
        self.errno = errno
    }

    /// A field that does not have the form the format asks for.
    public init(_ error: ByteError, in part: String) {
        self.init(.damaged, "\(part): \(error)", at: error.offset)
    }

    /// A failed call to the operating system.
    public init(_ error: SystemError) {
        self.init(.system, "cannot \(error.operation): \(error.reason)", errno: error.errno)
    }

    static func damaged(_ message: String, at offset: UInt64? = nil) -> FormatError {
        FormatError(.damaged, message, at: offset)
    }
}

extension FormatError: CustomStringConvertible {
    /// The message.
    public var description: String {
        guard let offset else { return message }
        return message.contains("at offset \(offset)") ? message : "\(message) (offset \(offset))"
    }
}

extension Storage {
    /// Exactly `count` bytes. Throws `truncated` where the file ends before them.
    func required(
        _ count: Int, at offset: UInt64, _ part: String
    ) throws(FormatError) -> [UInt8] {
        do throws(SystemError) {
            if let bytes = try self.bytes(count, at: offset) { return bytes }
        } catch {
            throw FormatError(error)
        }
        throw FormatError(.truncated, "the file ends within the \(part)", at: offset)
    }
}
