/// One rule: what it looks for, and what of it is no finding.
struct RedactionRule: Sendable {
    var id: String
    /// The kind in placeholders and reports: the id in capitals.
    var kind: String
    var pattern: RegularExpression?
    var secretGroup = 0
    /// Bits a byte that a secret has more than.
    var entropy = 0.0
    /// Lower-case words without one of which in the text the rule finds nothing.
    var keywords: [[UInt8]] = []
    /// The paths that it is about; nil for all.
    var path: RegularExpression?
    var allowlists: [Allowlist] = []
    var reach = Reach.text
    var keywordPlace = KeywordPlace.anywhere
    /// A check that no pattern can express, such as a check digit.
    var check: (@Sendable (UnsafeBufferPointer<UInt8>) -> Bool)?
    var rank = Rank.specific

    /// How far from its keyword a rule may match. A rule of a user's file may match anywhere.
    enum Reach: Sendable {
        /// Anywhere in the text.
        case text
        /// In the line of the keyword.
        case line(before: Int, after: Int)
        /// Over many lines after the keyword.
        case lines(before: Int, after: Int)
    }

    /// Where a keyword must stand to wake a rule, which saves looking further.
    enum KeywordPlace: Sendable {
        case anywhere
        /// At the beginning of a word.
        case wordStart
        /// As a word of its own.
        case wholeWord
        /// In a name that a value is assigned to.
        case assignedName
        /// Right before a long word with digits in it.
        case beforeToken
        /// No keyword: a word that is as long and mixed as a token.
        case tokenRun
        /// The name of a service near what may be its key; the pattern is not asked.
        case serviceName
    }

    /// Which of two findings at one place gives its kind.
    enum Rank: Int, Sendable, Comparable {
        case vague
        case generic
        case personal
        case specific

        static func < (left: Rank, right: Rank) -> Bool { left.rawValue < right.rawValue }
    }

    /// Whether the pattern begins with a word that is a keyword, as far as its text shows.
    static func beginsWithKeywords(_ pattern: String, _ keywords: [[UInt8]]) -> Bool {
        let text = pattern.utf8.map(ASCII.lowercased)
        guard text.starts(with: #"\b("#.utf8) else { return false }
        return keywords.allSatisfy { keyword in
            text.contains(subsequence: [UInt8(ascii: "(")] + keyword)
                || text.contains(subsequence: [UInt8(ascii: "|")] + keyword)
                || text.contains(subsequence: [UInt8(ascii: ":")] + keyword)
        }
    }

    init(id: String) {
        self.id = id
        kind = Self.kind(of: id)
    }

    static func kind(of id: String) -> String {
        let bytes = id.utf8.map { ASCII.isAlphanumeric($0) ? $0 : UInt8(ascii: "_") }
        let kind = String(decoding: bytes, as: UTF8.self).uppercased()
        return kind.utf8.first.map(ASCII.isLetter) == true ? kind : "RULE_\(kind)"
    }
}
