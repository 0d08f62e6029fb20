/// What redaction looks for: rules for secrets, from a file in the schema of gitleaks'
/// configuration or our own, and the detectors of personal data, which every set has.
public struct RedactionRules: Sendable {
    let compiled: CompiledRules
    private let parsed: RuleFileParser.Result

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
        parsed = result
        compiled = CompiledRules(result.rules + PersonalRules.all, result.allowlists)
    }

    /// These rules and one that masks directories of this machine, wherever a text names them or
    /// something below. The root directory is none.
    public func masking(directories: [String]) -> RedactionRules {
        var more = parsed
        let paths = Set(directories).filter { $0.hasPrefix("/") && $0.utf8.count > 3 }
        // The longest first, and in an order that is always the same: it numbers placeholders.
        for path in paths.sorted(by: { ($1.utf8.count, $0) < ($0.utf8.count, $1) }) {
            more.rules.append(MachinePath.rule(path))
        }
        return RedactionRules(more)
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
