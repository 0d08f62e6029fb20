/// What holds for a whole text: the rules, and which of them its path rules out.
struct ScanContext {
    let rules: CompiledRules
    let path: [UInt8]?
    let isActive: [Bool]
    let scratch: ScanScratch

    init(_ rules: CompiledRules, path: [UInt8]?) {
        self.rules = rules
        scratch = ScanScratch(count: rules.rules.count)
        self.path = path
        let lists = rules.allowlists.filter { list in path.map(list.allows(path:)) ?? false }
        isActive = rules.rules.map { rule in
            if let pattern = rule.path {
                guard let path, pattern.matches(path) else { return false }
            }
            guard let path, rule.rank != .personal else { return true }
            return !rule.allowlists.contains { $0.allows(path: path) }
                && !lists.contains { $0.ruleIDs.isEmpty || $0.ruleIDs.contains(rule.id) }
        }
    }
}
