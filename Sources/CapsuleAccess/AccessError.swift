import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Glibc

/// Why a capsule cannot be opened or is not trusted, in words for a person.
public struct AccessError: Error, Sendable {
    /// Who has to act: decides the exit code.
    public enum Kind: Sendable {
        /// The user's mistake: exit code 1.
        case usage
        /// The system or the file: exit code 2.
        case system
        /// A demanded validation was not met: exit code 3.
        case validation
    }

    /// Who has to act.
    public let kind: Kind
    /// A word for programs, such as `wrong_secret`.
    public let code: String
    /// What happened to what, and what to do about it; lower case, no full stop.
    public let message: String

    /// An error.
    public init(_ kind: Kind, code: String, _ message: String) {
        self.kind = kind
        self.code = code
        self.message = message
    }

    /// An error of the format, about the file at `path`.
    public init(_ error: FormatError, path: String) {
        let kind: Kind
        let remedy: String
        switch error.code {
        case .notACapsule:
            (kind, remedy) = (.usage, "")
        case .unsupportedVersion:
            (kind, remedy) = (.system, "")
        case .truncated:
            (kind, remedy) = (.system, "; get the file again")
        case .damaged:
            (kind, remedy) = (.system, "; see 'capsule doctor'")
        case .wrongSecret:
            (kind, remedy) = (.usage, "")
        case .limitExceeded, .system:
            (kind, remedy) = (.system, "")
        }
        self.init(kind, code: error.code.rawValue, "\(path): \(error)\(remedy)")
    }

    /// A failed call; what is missing or forbidden is the user's to mend.
    public init(_ error: SystemError) {
        let isUsage = [ENOENT, EACCES, EPERM, ENOTDIR, EISDIR, EEXIST, ELOOP].contains(error.errno)
        self.init(
            isUsage ? .usage : .system, code: isUsage ? "unusable_path" : "system",
            String(describing: error))
    }
}

extension AccessError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
