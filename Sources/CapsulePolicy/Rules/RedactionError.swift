/// Why a rule file cannot be used.
public enum RedactionError: Error, Equatable, Sendable {
    /// The bytes are no TOML.
    case notTOML(line: Int, reason: String)
    /// A field of a rule, or of the file where `rule` is nil, that cannot be obeyed.
    case badField(rule: String?, field: String, reason: String)
    /// The file has no rule, and extends none.
    case nothingUsable
}

extension RedactionError: CustomStringConvertible {
    /// The message.
    public var description: String {
        switch self {
        case .notTOML(let line, let reason): "the rule file is no TOML, line \(line): \(reason)"
        case .badField(let rule?, let field, let reason): "rule \(rule), \(field): \(reason)"
        case .badField(nil, let field, let reason): "rule file, \(field): \(reason)"
        case .nothingUsable: "the rule file has no rule that can find anything"
        }
    }
}
