/// Rules with the automaton that says which of them a text can concern.
final class CompiledRules: Sendable {
    let rules: [RedactionRule]
    let allowlists: [Allowlist]
    let matcher: KeywordMatcher
    /// For each word of the matcher the rules that it wakes.
    let wakes: [[Int]]
    /// The service that each word of the matcher names, if it is one.
    let services: [ServiceKey?]
    /// Where the words of each rule must stand.
    let keywordPlaces: [RedactionRule.KeywordPlace]
    /// The rules without keywords, which every text concerns.
    let always: [Int]
    /// The rules that concern words as long and mixed as tokens.
    let ofTokenRuns: [Int]
    /// Whether every rule matches beside its keyword, so that a change of a text cannot make a
    /// finding far from it.
    let isLocal: Bool

    init(_ rules: [RedactionRule], _ allowlists: [Allowlist]) {
        var places: [[UInt8]: Int] = [:]
        var words: [[UInt8]] = []
        var wakes: [[Int]] = []
        for (number, rule) in rules.enumerated() {
            for keyword in rule.keywords {
                if let place = places[keyword] {
                    if wakes[place].last != number { wakes[place].append(number) }
                } else {
                    places[keyword] = words.count
                    words.append(keyword)
                    wakes.append([number])
                }
            }
        }
        self.rules = rules
        self.allowlists = allowlists
        self.wakes = wakes
        services = words.map { ServiceKey.all[$0] }
        keywordPlaces = rules.map(\.keywordPlace)
        matcher = KeywordMatcher(words)
        isLocal = rules.allSatisfy { rule in
            if case .text = rule.reach { false } else { true }
        }
        let free = rules.indices.filter { rules[$0].keywords.isEmpty }
        always = free.filter { rules[$0].keywordPlace != .tokenRun }
        ofTokenRuns = free.filter { rules[$0].keywordPlace == .tokenRun }
    }
}
