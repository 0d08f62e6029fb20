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

    /// One line of JSON, masked: texts as they are meant, keys too, then the line as it stands,
    /// where a key says what its value is. Throws `RunError` for what is no JSON, or would be none.
    public func maskJSON(_ line: [UInt8]) throws(RunError) -> [UInt8] {
        let inner = mask(try JSONValue(parsing: line, "a line to be masked")).line
        let masked = redactor.mask(inner).bytes
        if masked == inner { return masked }
        return try JSONValue(parsing: masked, "a masked line").line
    }

    private func mask(_ text: String) -> String {
        String(decoding: redactor.mask(Array(text.utf8)).bytes, as: UTF8.self)
    }

    private func mask(_ value: JSONValue) -> JSONValue {
        switch value {
        case .text(let text): .text(mask(text))
        case .list(let items): .list(items.map { mask($0) })
        case .object(let members):
            .object(
                Dictionary(members.map { (mask($0.key), mask($0.value)) }) { first, _ in first })
        case .integer(let number): masked(String(number)).map { .text($0) } ?? value
        case .number(let number): masked(String(number)).map { .text($0) } ?? value
        case .null, .flag: value
        }
    }

    /// A number that is a card's, say.
    private func masked(_ number: String) -> String? {
        let result = mask(number)
        return result == number ? nil : result
    }

    /// Kinds and counts of what was masked so far.
    public var counts: [String: Int] { redactor.report.entries.mapValues(\.masked) }
}
