import CapsulePolicy

/// Masks what is shown, recorded or exported, one value at a time: equal values get equal
/// placeholders as long as it lives.
public final class TextMasker {
    private let redactor: Redactor

    /// A masker with the standard rules, or the user's.
    public init(rules: RedactionRules = .standard) { redactor = Redactor(rules: rules) }

    /// A text, masked.
    public func mask(_ text: [UInt8], path: String? = nil) -> [UInt8] {
        redactor.mask(text, path: path).bytes
    }

    /// What `mask` would mask: the kind of the first finding.
    public func firstFinding(in text: [UInt8]) -> String? { redactor.scan(text).first?.kind }

    /// One line of JSON, masked and still JSON. Throws `RunError` for what is none.
    public func maskJSON(_ line: [UInt8]) throws(RunError) -> [UInt8] {
        let masked = redactor.maskJSON(line).bytes
        if masked == line { return masked }
        return try JSONValue(parsing: masked, "a masked line").line
    }

    /// Kinds and counts of what was masked so far.
    public var counts: [String: Int] { redactor.report.entries.mapValues(\.masked) }
}
