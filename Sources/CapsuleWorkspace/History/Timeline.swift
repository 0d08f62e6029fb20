import CapsuleStore
import CapsuleSystem
import Glibc

/// The states that come by themselves, and the rule that thins them.
extension LiveTree {
    /// The rule.
    public func retention() throws(WorkspaceError) -> RetentionRule {
        try locked { () throws(WorkspaceError) in try stored(storedRule) }
    }

    private func storedRule() throws(StoreError) -> RetentionRule {
        var rule = RetentionRule()
        for (name, field) in RetentionRule.fields {
            let value = try Statement(
                database, "SELECT value FROM fact WHERE name = CAST(?1 AS TEXT)"
            ).bind(1, Array(name.utf8)).first { $0.integer(0) }
            if let value { rule[keyPath: field] = value }
        }
        rule.tags = try Statement(database, "SELECT tag FROM kept_tag ORDER BY tag").all {
            $0.text(0)
        }
        return rule
    }

    /// Sets the rule and forgets the states that it does not keep. Returns their names.
    public func setRetention(_ rule: RetentionRule) throws(WorkspaceError) -> [String] {
        let names = try changing { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                for (name, field) in RetentionRule.fields { try set(name, rule[keyPath: field]) }
                try database.execute("DELETE FROM kept_tag")
                let insert = try Statement(
                    database, "INSERT OR IGNORE INTO kept_tag(tag) VALUES (?1)")
                for tag in rule.tags { try insert.bind(1, Array(tag.utf8)).run() }
            }
            var details: [String: EventValue] = [:]
            for (name, field) in RetentionRule.fields {
                details[name] = .number(rule[keyPath: field])
            }
            details["keep_tags"] = .text(rule.tags.joined(separator: " "))
            try record(.retentionChanged, details)
            return try thin(rule)
        }
        try commit()
        return names
    }

    /// Forgets what a rule does not keep, but for the ends of branches.
    private func thin(_ rule: RetentionRule) throws(WorkspaceError) -> [String] {
        let heads = Set(try stored(listBranches).map(\.head))
        let expired = rule.expired(try stored(listStates)).filter { !heads.contains($0.epoch) }
        guard !expired.isEmpty else { return [] }
        try remove(expired)
        try record(.statesThinned, ["count": .number(Int64(expired.count))])
        return expired.map(\.name)
    }

    /// Keeps the present state if the tree has changed since the newest one, `interval` seconds
    /// ago or more. At the end of a mount the age of the newest state counts. Whether it did.
    @discardableResult
    public func keepPoint(
        interval: Int64, isEnd: Bool = false
    ) throws(WorkspaceError) -> Bool {
        guard !isReadOnly, interval > 0 else { return false }
        let isDue = try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                let marked = try fact("changed")
                // Only a commit notes since when there are changes.
                guard marked == epoch || (isEnd && inodes.hasChanges) else { return false }
                let newest = try listStates().last?.seconds
                let changed = try fact("changed_since")
                let since = isEnd ? newest : changed
                let now = Environment.wallClock().seconds
                return now - (since ?? 0) >= interval
            }
        }
        guard isDue else { return false }
        try changing { () throws(WorkspaceError) in
            try insertState(nil, kind: .automatic)
            _ = try thin(try stored(storedRule))
        }
        try commit()
        return true
    }

    /// Notes, once in an epoch, that it changes the tree.
    func noteChangedEpoch() throws(StoreError) {
        guard inodes.hasChanges, markedEpoch != epoch else { return }
        markedEpoch = epoch
        if try fact("changed") == epoch { return }
        try set("changed", epoch)
        try set("changed_since", Environment.wallClock().seconds)
    }
}
