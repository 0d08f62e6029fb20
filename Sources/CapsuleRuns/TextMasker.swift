import CapsulePolicy

/// Masks what is shown, recorded or exported, one value at a time: equal values get equal
/// placeholders as long as it lives.
public final class TextMasker {
    private let redactor: Redactor

    /// A masker with the standard rules, or the user's. Placeholders are numbered from
    /// `firstOrdinal` on.
    public init(rules: RedactionRules = .standard, firstOrdinal: Int = 1) {
        redactor = Redactor(rules: rules, firstOrdinal: firstOrdinal)
    }

    /// A masker of what is recorded: its numbers begin somewhere, so that they do not stand for
    /// other values than those of an earlier recording.
    public static func forRecording(_ rules: RedactionRules) -> TextMasker {
        TextMasker(rules: rules, firstOrdinal: Int.random(in: 1...9_999_999) * 1000)
    }

    /// A text, masked.
    public func mask(_ text: [UInt8], path: String? = nil) -> [UInt8] {
        redactor.mask(text, path: path).bytes
    }

    /// A text, masked.
    public func mask(_ text: String) -> String {
        String(decoding: mask(Array(text.utf8)), as: UTF8.self)
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
