/// A place that holds a secret or personal data. It says where, never what.
public struct Finding: Equatable, Sendable {
    /// The kind, as in the placeholder: `AWS_ACCESS_KEY`, `EMAIL`.
    public let kind: String
    /// The rule that found it.
    public let ruleID: String
    /// The bytes of the input that it takes.
    public let range: Range<Int>
    /// The line that it begins in, from 1.
    public let line: Int
}

extension Finding: CustomStringConvertible {
    /// The kind and the place.
    public var description: String { "\(kind) in line \(line)" }
}
