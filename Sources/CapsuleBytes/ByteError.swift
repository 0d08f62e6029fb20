/// A field of untrusted bytes that does not have the form its format asks for.
public struct ByteError: Error, Equatable, Sendable {
    /// What was wrong with the field.
    public enum Reason: String, Sendable {
        case truncated = "ends early"
        case unexpectedValue = "has an unexpected value"
        case reservedNotZero = "is reserved and not zero"
        case trailingBytes = "is followed by stray bytes"
        case outOfRange = "is out of range"
    }

    /// What was wrong.
    public let reason: Reason
    /// The name of the field, as in the format's layout tables.
    public let field: String
    /// The absolute offset of the field, in bytes.
    public let offset: UInt64

    /// An error about `field` at the absolute offset `offset`.
    public init(_ reason: Reason, _ field: StaticString, at offset: UInt64) {
        self.reason = reason
        self.field = String(describing: field)
        self.offset = offset
    }
}

extension ByteError: CustomStringConvertible {
    /// The message.
    public var description: String { "\(field) at offset \(offset) \(reason.rawValue)" }
}
