/// Masks what one export sends out, and counts it.
///
/// A placeholder's ordinal is given to a value where it is first seen, so equal values match within
/// the export, and nothing can be matched across. Not to be used by two threads at once.
public final class Redactor {
    private let rules: CompiledRules
    /// The ordinals of values, by kind. They leave only as numbers.
    private var ordinals: [String: [[UInt8]: Int]] = [:]
    /// What has been masked so far.
    public private(set) var report = RedactionReport()

    /// A placeholder beside other text can complete what was no finding before; so often is what
    /// has been masked looked at again.
    private static let roundsMax = 6

    /// A redactor for one export.
    public init(rules: RedactionRules = .standard) { self.rules = rules.compiled }

    /// Finds what `mask` would mask. Placeholders are no findings.
    public func scan(_ text: [UInt8], path: String? = nil) -> [Finding] {
        if let order = utf16Order(text) {
            let inner = UTF16Text.utf8(text[...], order)
            return utf16Findings(findings(inner, path: path), in: inner)
        }
        return findings(text, path: path)
    }

    /// The text with placeholders. UTF-16 comes back as UTF-16, and all else byte for byte.
    public func mask(_ text: [UInt8], path: String? = nil) -> MaskedText {
        guard let order = utf16Order(text) else { return maskBytes(text, path: path) }
        let inner = UTF16Text.utf8(text[...], order)
        let masked = maskBytes(inner, path: path)
        guard !masked.findings.isEmpty else { return MaskedText(bytes: text, findings: []) }
        return MaskedText(
            bytes: UTF16Text.encode(masked.bytes, order),
            findings: utf16Findings(masked.findings, in: inner))
    }

    private func utf16Order(_ text: [UInt8]) -> UTF16Text.Order? {
        switch ContentKind.classify(text.prefix(ContentKind.prefixSize)) {
        case .utf16LittleEndian: .little
        case .utf16BigEndian: .big
        default: nil
        }
    }

    private func utf16Findings(_ findings: [Finding], in utf8: [UInt8]) -> [Finding] {
        let lower = UTF16Text.offsets(of: findings.map(\.range.lowerBound), in: utf8)
        let upper = UTF16Text.offsets(of: findings.map(\.range.upperBound), in: utf8)
        return findings.indices.map { place in
            let finding = findings[place]
            return Finding(
                kind: finding.kind, ruleID: finding.ruleID, range: lower[place]..<upper[place],
                line: finding.line)
        }
    }

    // MARK: Masking

    private func maskBytes(_ text: [UInt8], path: String?) -> MaskedText {
        let context = ScanContext(rules, path: path.map { Array($0.utf8) })
        var places = candidates(text, context)
        guard !places.isEmpty else { return MaskedText(bytes: text, findings: []) }
        let findings = Self.findings(places, in: text)
        var bytes = replace(places, in: text)
        var rounds = 1
        while rounds < Self.roundsMax {
            places = candidates(bytes, context)
            if places.isEmpty { break }
            bytes = replace(places, in: bytes)
            rounds += 1
        }
        return MaskedText(bytes: bytes, findings: findings)
    }

    private func replace(_ places: [Candidate], in text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var end = 0
        for place in places {
            result += text[end..<place.range.lowerBound]
            result += placeholder(place.kind, place.value ?? Array(text[place.range]))
            end = place.range.upperBound
        }
        return result + text[end...]
    }

    /// The placeholder of a value, which is counted.
    func placeholder(_ kind: String, _ value: [UInt8]) -> [UInt8] {
        let known = ordinals[kind]?[value]
        let ordinal = known ?? (ordinals[kind]?.count ?? 0) + 1
        ordinals[kind, default: [:]][value] = ordinal
        report.entries[kind, default: RedactionReport.Entry()].masked += 1
        report.entries[kind]?.values = ordinals[kind]?.count ?? 0
        return Placeholder.bytes(kind, ordinal)
    }

    // MARK: Scanning

    private func findings(_ text: [UInt8], path: String?) -> [Finding] {
        let context = ScanContext(rules, path: path.map { Array($0.utf8) })
        return Self.findings(candidates(text, context), in: text)
    }

    func candidates(_ text: [UInt8], _ context: ScanContext) -> [Candidate] {
        text.withUnsafeBufferPointer { bytes in
            var scanner = TextScanner(context)
            scanner.scan(bytes)
            guard !scanner.candidates.isEmpty else { return [] }
            let isUTF8 = String(validating: bytes, as: UTF8.self) != nil
            return OverlapSettler(text: bytes, isUTF8: isUTF8).settle(scanner.candidates)
        }
    }

    static func findings(_ places: [Candidate], in text: [UInt8]) -> [Finding] {
        var line = 1
        var index = 0
        return places.map { place in
            while index < place.range.lowerBound {
                if text[index] == 10 { line += 1 }
                index += 1
            }
            return Finding(
                kind: place.kind, ruleID: place.ruleID, range: place.range, line: line)
        }
    }
}
