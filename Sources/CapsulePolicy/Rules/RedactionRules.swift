/// What redaction looks for: rules for secrets, from a file in the schema of gitleaks'
/// configuration or our own, and the detectors of personal data, which every set has.
public struct RedactionRules: Sendable {
    let compiled: CompiledRules

    /// The rules that come with the program.
    public static let standard: RedactionRules = {
        let result = StandardRules.parsed
        return RedactionRules(result)
    }()

    /// Parses a rule file. It replaces the standard rules, or extends them where it says
    /// `[extend] useDefault = true`.
    public init(toml: [UInt8]) throws(RedactionError) {
        let parser = RuleFileParser { StandardRules.parsed }
        self.init(try parser.parse(toml))
    }

    init(_ result: RuleFileParser.Result) {
        compiled = CompiledRules(result.rules + PersonalRules.all, result.allowlists)
    }

    /// The ids of all rules, those of personal data last.
    public var ruleIDs: [String] {
        var ids: [String] = []
        for id in compiled.rules.map(\.id) + PersonalKind.allCases.map(\.ruleID)
        where !ids.contains(id) {
            ids.append(id)
        }
        return ids
    }
}
