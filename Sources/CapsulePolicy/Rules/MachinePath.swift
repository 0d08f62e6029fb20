import CapsuleBytes

/// The rule for a directory of the machine that exports: nobody else needs to know where it was.
enum MachinePath {
    static func rule(_ path: String) -> RedactionRule {
        let bytes = Array(path.utf8)
        var rule = RedactionRule(id: "machine-path")
        rule.keywords = [bytes.map(ASCII.lowercased)]
        rule.reach = .line(before: bytes.count + 8, after: bytes.count + 8)
        rule.rank = .specific
        rule.secretGroup = 1
        // Patterns and texts are bytes.
        let quoted = bytes.map { byte in
            ASCII.isAlphanumeric(byte)
                ? String(UnicodeScalar(byte)) : #"\x"# + Text.hex([byte])
        }.joined()
        // One of a single name not within another path, and none within another name; without
        // taking what stands beside it.
        let isShort = bytes.count { $0 == UInt8(ascii: "/") } == 1
        let end = bytes.last.map(ASCII.isAlphanumeric) == true ? #"\b"# : ""
        do {
            rule.pattern = try RegularExpression(
                (isShort ? #"(?:\B|(?:^|[\s"'=,;:])-[A-Za-z])("# : "(") + quoted + ")" + end)
        } catch {
            preconditionFailure("a quoted path is a pattern: \(error.reason)")
        }
        return rule
    }
}
