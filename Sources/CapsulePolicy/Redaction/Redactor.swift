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
    /// How far from a placeholder.
    private static let secondReach = 1024

    private let firstOrdinal: Int

    /// A redactor for one export; placeholders are numbered from `firstOrdinal` on.
    public init(rules: RedactionRules = .standard, firstOrdinal: Int = 1) {
        self.rules = rules.compiled
        self.firstOrdinal = firstOrdinal
    }

    /// Finds what `mask` would mask. Placeholders are no findings.
    public func scan(_ text: [UInt8], path: String? = nil) -> [Finding] {
        if let order = utf16Order(text) {
            let inner = UTF16Text.utf8(text[...], order)
            return utf16Findings(findings(inner, path: path), in: inner)
                + findings(text, path: path)
        }
        return findings(text, path: path)
    }

    /// The text with placeholders. UTF-16 comes back as UTF-16, and all else byte for byte.
    public func mask(_ text: [UInt8], path: String? = nil) -> MaskedText {
        guard let order = utf16Order(text) else { return maskBytes(text, path: path) }
        let inner = UTF16Text.utf8(text[...], order)
        let masked = maskBytes(inner, path: path)
        // A mark may stand before what is no UTF-16, or what is not to its end.
        guard !masked.findings.isEmpty else { return maskBytes(text, path: path) }
        let outer = maskBytes(UTF16Text.encode(masked.bytes, order), path: path)
        return MaskedText(
            bytes: outer.bytes, findings: utf16Findings(masked.findings, in: inner))
    }

    /// One JSON document, such as a line of JSON Lines, masked so that it stays JSON: keys, strings
    /// and numbers. What is no JSON is masked as text.
    public func maskJSON(_ document: [UInt8], path: String? = nil) -> MaskedText {
        let context = ScanContext(rules, path: path.map { Array($0.utf8) })
        var bytes = document
        var findings: [Finding] = []
        for round in 0..<Self.roundsMax {
            let places = candidates(bytes, context)
            if round == 0 { findings = Self.findings(places, in: bytes) }
            if places.isEmpty { break }
            let replacements = bytes.withUnsafeBufferPointer { text in
                JSONMasker(text)?.replacements(places) { place in
                    placeholder(place.kind, place.value ?? Array(text[place.range]))
                }
            }
            guard let replacements else { return mask(document, path: path) }
            // A finding that takes only punctuation leaves nothing to replace.
            if replacements.isEmpty { break }
            bytes = Self.replace(replacements, in: bytes)
        }
        return MaskedText(bytes: bytes, findings: findings)
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
        for _ in 1..<Self.roundsMax {
            places =
                rules.isLocal
                ? candidatesBesidePlaceholders(bytes, context) : candidates(bytes, context)
            if places.isEmpty { break }
            bytes = replace(places, in: bytes)
        }
        return MaskedText(bytes: bytes, findings: findings)
    }

    /// What masking may have completed: looks only at the surroundings of placeholders.
    private func candidatesBesidePlaceholders(
        _ text: [UInt8], _ context: ScanContext
    ) -> [Candidate] {
        text.withUnsafeBufferPointer { bytes in
            var result: [Candidate] = []
            for region in Placeholder.surroundings(in: bytes, reach: Self.secondReach) {
                let part = UnsafeBufferPointer(rebasing: bytes[region])
                var scanner = TextScanner(context)
                scanner.scan(part)
                result += scanner.candidates.map { candidate in
                    var candidate = candidate
                    candidate.range =
                        candidate.range.lowerBound + region.lowerBound..<candidate.range.upperBound
                        + region.lowerBound
                    return candidate
                }
            }
            return result.isEmpty ? [] : OverlapSettler(text: bytes).settle(result)
        }
    }

    private func replace(_ places: [Candidate], in text: [UInt8]) -> [UInt8] {
        let replacements = places.map { place in
            let bytes = placeholder(place.kind, place.value ?? Array(text[place.range]))
            return (range: place.range, bytes: place.isWide ? WideRun.bytes(of: bytes) : bytes)
        }
        return Self.replace(replacements, in: text)
    }

    private static func replace(
        _ replacements: [(range: Range<Int>, bytes: [UInt8])], in text: [UInt8]
    ) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var end = 0
        for (range, bytes) in replacements {
            result += text[end..<range.lowerBound]
            result += bytes
            end = range.upperBound
        }
        return result + text[end...]
    }

    /// The placeholder of a value, which is counted.
    private func placeholder(_ kind: String, _ value: [UInt8]) -> [UInt8] {
        let known = ordinals[kind]?[value]
        let ordinal = known ?? (ordinals[kind]?.count ?? 0) + firstOrdinal
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

    private func candidates(_ text: [UInt8], _ context: ScanContext) -> [Candidate] {
        let clean = TerminalText.withoutSequences(text)
        let found = (clean ?? text).withUnsafeBufferPointer { bytes -> [Candidate] in
            var scanner = TextScanner(context)
            scanner.scan(bytes)
            guard !scanner.candidates.isEmpty else { return [] }
            return OverlapSettler(text: bytes).settle(scanner.candidates)
        }
        let wide = wideCandidates(text, context)
        guard !wide.isEmpty else { return found }
        let rest = found.filter { place in !wide.contains { $0.range.overlaps(place.range) } }
        return (rest + wide).sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    /// What is found in ASCII that stands in units of two bytes, wherever it begins.
    private func wideCandidates(_ text: [UInt8], _ context: ScanContext) -> [Candidate] {
        var result: [Candidate] = []
        for run in WideRun.all(in: text) {
            for var place in candidates(run.text, context) {
                place.value = place.value ?? Array(run.text[place.range])
                place.range = run.range(of: place.range)
                place.isWide = true
                result.append(place)
            }
        }
        return result
    }

    private static func findings(_ places: [Candidate], in text: [UInt8]) -> [Finding] {
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
