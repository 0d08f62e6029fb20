/// Why something about a run cannot be done.
public struct RunError: Error, Equatable, Sendable {
    /// Who has to act.
    public enum Kind: Sendable {
        /// The user.
        case usage
        /// The system, or whoever made the file.
        case system
        /// Nobody: something that was demanded does not hold.
        case validation
    }

    /// Who has to act.
    public let kind: Kind
    /// A word for programs.
    public let code: String
    /// What happened to what, and what to do about it.
    public let message: String

    /// An error.
    public init(_ kind: Kind, _ code: String, _ message: String) {
        self.kind = kind
        self.code = code
        self.message = message
    }
}

extension RunError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
