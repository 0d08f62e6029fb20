/// Reads a rule file in the schema of gitleaks' configuration.
struct RuleFileParser {
    /// The rules of a file and its lists.
    struct Result {
        var rules: [RedactionRule]
        var allowlists: [Allowlist]
    }

    /// What `[extend] useDefault = true` extends.
    let base: (() -> Result)?

    func parse(_ bytes: [UInt8]) throws(RedactionError) -> Result {
        let top = TOMLFields(rule: nil, try TOMLValue.parse(bytes))
        var result = Result(rules: [], allowlists: [])
        var isExtending = false
        if let extend = try top.subtable("extend") {
            guard try extend.string("path") ?? "" == "" else {
                throw extend.error("path", "a rule file cannot name another")
            }
            if try extend.boolean("useDefault") ?? false, let base {
                let disabled = Set(try extend.strings("disabledRules") ?? [])
                result = base()
                result.rules.removeAll { disabled.contains($0.id) }
                isExtending = true
            }
        }
        var ids: Set<String> = []
        for table in try top.subtables("rules") {
            guard let id = try table.string("id"), !id.isEmpty else {
                throw table.error("id", "is missing")
            }
            guard ids.insert(id).inserted else {
                throw .badField(rule: id, field: "id", reason: "stands in the file twice")
            }
            let fields = TOMLFields(rule: id, table.table)
            if try fields.boolean("skipReport") ?? false { continue }
            if let place = result.rules.firstIndex(where: { $0.id == id }) {
                try override(&result.rules[place], with: fields)
            } else {
                var rule = RedactionRule(id: id)
                try override(&rule, with: fields)
                try validate(rule, fields)
                result.rules.append(rule)
            }
        }
        for list in try allowlists(top) { result.allowlists.append(list) }
        guard isExtending && !result.rules.isEmpty || result.rules.contains(where: isUsable) else {
            throw .nothingUsable
        }
        return result
    }

    private func isUsable(_ rule: RedactionRule) -> Bool {
        rule.pattern != nil || rule.path != nil
    }

    private func validate(_ rule: RedactionRule, _ fields: TOMLFields) throws(RedactionError) {
        guard isUsable(rule) else { throw fields.error("regex", "neither a regex nor a path") }
        if let pattern = rule.pattern, rule.secretGroup > pattern.groupCount {
            throw fields.error("secretGroup", "the regex has \(pattern.groupCount) groups")
        }
    }

    /// Sets what the table has; lists are appended to, as gitleaks does for a rule that it knows.
    private func override(
        _ rule: inout RedactionRule, with fields: TOMLFields
    ) throws(RedactionError) {
        if fields.table["required"] != nil {
            throw fields.error("required", "rules that need others are not supported")
        }
        if let pattern = try fields.pattern("regex") {
            rule.pattern = pattern
            rule.reach = .text
            rule.keywordPlace = .anywhere
            rule.check = nil
        }
        if let path = try fields.pattern("path") { rule.path = path }
        if let group = try fields.integer("secretGroup") { rule.secretGroup = group }
        if let entropy = try fields.number("entropy") { rule.entropy = entropy }
        let keywords = try fields.strings("keywords") ?? []
        for keyword in keywords where !keyword.isEmpty {
            rule.keywords.append(Array(keyword.lowercased().utf8))
        }
        for list in try allowlists(fields) { rule.allowlists.append(list) }
        if let pattern = rule.pattern, rule.secretGroup > pattern.groupCount {
            throw fields.error("secretGroup", "the regex has \(pattern.groupCount) groups")
        }
    }

    /// `[allowlist]`, the old form, and `[[allowlists]]`.
    private func allowlists(_ fields: TOMLFields) throws(RedactionError) -> [Allowlist] {
        var result: [Allowlist] = []
        if case .array = fields.table["allowlist"] {
            for list in try fields.subtables("allowlist") { result.append(try Allowlist(list)) }
        } else if let list = try fields.subtable("allowlist") {
            result.append(try Allowlist(list))
        }
        for list in try fields.subtables("allowlists") { result.append(try Allowlist(list)) }
        return result
    }
}
