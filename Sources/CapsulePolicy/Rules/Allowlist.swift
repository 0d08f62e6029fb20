/// What is no finding although a rule matches it.
struct Allowlist: Sendable {
    /// What the patterns are compared with.
    enum Target: String, Sendable {
        case secret
        case match
        case line
    }

    var patterns: [RegularExpression] = []
    /// Lower-case words that a harmless value contains.
    var stopwords: [[UInt8]] = []
    var paths: [RegularExpression] = []
    var target = Target.secret
    /// Whether all kinds of criterion must hold, and not one of them.
    var needsAll = false
    /// A criterion that nothing here can meet: the commits of a repository.
    var hasCommits = false
    /// The rules that a list of the file's top is about; empty for all.
    var ruleIDs: Set<String> = []

    init(_ fields: TOMLFields) throws(RedactionError) {
        patterns = try fields.patterns("regexes")
        paths = try fields.patterns("paths")
        stopwords = (try fields.strings("stopwords") ?? []).map { Array($0.lowercased().utf8) }
        hasCommits = !(try fields.strings("commits") ?? []).isEmpty
        ruleIDs = Set(try fields.strings("targetRules") ?? [])
        if let name = try fields.string("regexTarget"), !name.isEmpty {
            guard let target = Target(rawValue: name) else {
                throw fields.error("regexTarget", "is none of secret, match and line")
            }
            self.target = target
        }
        switch try fields.string("condition")?.uppercased() {
        case nil, "", "OR", "||": needsAll = false
        case "AND", "&&": needsAll = true
        default: throw fields.error("condition", "is neither AND nor OR")
        }
        if patterns.isEmpty, paths.isEmpty, stopwords.isEmpty, !hasCommits {
            throw fields.error("regexes", "an allow-list without any criterion")
        }
    }

    /// Whether the path alone makes everything harmless.
    func allows(path: [UInt8]) -> Bool {
        guard !paths.isEmpty, !needsAll || (patterns.isEmpty && stopwords.isEmpty && !hasCommits)
        else { return false }
        return paths.contains { $0.matches(path) }
    }

    /// Whether a match is harmless.
    func allows(_ match: RuleMatch, path: [UInt8]?) -> Bool {
        var results: [Bool] = []
        if !patterns.isEmpty {
            let bytes = match.bytes(target)
            results.append(patterns.contains { $0.matches(bytes) })
        }
        if !stopwords.isEmpty {
            let value = match.bytes(.secret).map(ASCII.lowercased)
            results.append(stopwords.contains { value.contains(subsequence: $0) })
        }
        if !paths.isEmpty {
            results.append(path.map { path in paths.contains { $0.matches(path) } } ?? false)
        }
        if hasCommits { results.append(false) }
        return needsAll ? results.allSatisfy { $0 } : results.contains(true)
    }
}

extension Collection<UInt8> where Index == Int {
    /// Whether `other` stands somewhere in it; for short collections.
    func contains(subsequence other: [UInt8]) -> Bool {
        guard let first = other.first, other.count <= count else { return false }
        for start in startIndex...(endIndex - other.count) where self[start] == first {
            if self[start..<start + other.count].elementsEqual(other) { return true }
        }
        return false
    }
}
