// Rule files of users, in the schema of gitleaks' configuration.

import Testing

@testable import CapsulePolicy

@Suite("Rule files")
struct RuleFileTests {
    private func parse(_ text: String) throws(RedactionError) -> RedactionRules {
        try RedactionRules(toml: Array(text.utf8))
    }

    private func found(_ rules: String, _ text: String, path: String? = nil) throws -> [String] {
        let bytes = Array(text.utf8)
        return Redactor(rules: try parse(rules)).scan(bytes, path: path)
            .map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }

    private func message(_ text: String) -> String {
        do {
            _ = try parse(text)
            return "no error"
        } catch {
            return error.description
        }
    }

    private static let rule = """
        [[rules]]
        id = "ticket"
        description = "Tickets"
        regex = '''\\bTICKET-([0-9a-z]{8})\\b'''
        keywords = ["ticket-"]

        """

    @Test("a file replaces the standard rules, but not the personal data")
    func replaces() throws {
        #expect(
            try found(Self.rule, "a TICKET-0a1b2c3d \(githubToken) \(mail)") == ["0a1b2c3d", mail])
        #expect(try parse(Self.rule).ruleIDs.contains("email"))
    }

    @Test("a file extends them, overrides and disables")
    func extends() throws {
        let head = "[extend]\nuseDefault = true\ndisabledRules = [\"aws-access-key\"]\n"
        let text = "TICKET-0a1b2c3d \(githubToken) \(accessKey)"
        #expect(try found(head + Self.rule, text) == ["0a1b2c3d", githubToken])
        let quieter =
            head + "[[rules]]\nid = \"github-token\"\n[[rules.allowlists]]\nregexes = [\"^ghp\"]\n"
        #expect(try found(quieter, text) == [])
    }

    @Test("groups, named and numbered, say what the secret is")
    func groups() throws {
        let numbered = "[[rules]]\nid = \"x\"\nregex = '''(k)=(\\w+)'''\nsecretGroup = 2\n"
        #expect(try found(numbered, "k=abc") == ["abc"])
        let named = "[[rules]]\nid = \"x\"\nregex = '''k=(?<value>\\w+)'''\n"
        #expect(try found(named, "k=abc") == ["abc"])
        #expect(try found("[[rules]]\nid = \"x\"\nregex = '''k=\\w+'''\n", "k=abc") == ["k=abc"])
    }

    @Test("entropy and keywords keep a rule quiet")
    func entropy() throws {
        let rule =
            "[[rules]]\nid = \"x\"\nregex = '''k=(\\w+)'''\nentropy = 2.5\nkeywords = [\"K=\"]\n"
        #expect(try found(rule, "k=aaaaaaaa k=a1b2c3d4") == ["a1b2c3d4"])
        let other = rule.replacing("K=", with: "elsewhere")
        #expect(try found(other, "k=a1b2c3d4") == [])
        #expect(try found(other, "k=a1b2c3d4\n\nElseWhere") == ["a1b2c3d4"])
    }

    @Test("allow-lists: target, stopwords, paths, and whether all must hold")
    func allowlists() throws {
        let rule = "[[rules]]\nid = \"x\"\nregex = '''k=(\\w+)'''\n"
        let list = "[[rules.allowlists]]\n"
        #expect(try found(rule + list + "regexes = ['''^ab''']\n", "k=abc k=cab") == ["cab"])
        #expect(
            try found(
                rule + list + "regexTarget = \"line\"\nregexes = ['''nosec''']\n",
                "k=abc # nosec\nk=def") == ["def"])
        #expect(
            try found(rule + list + "regexTarget = \"match\"\nregexes = ['''k=a''']\n", "k=abc k=b")
                == ["b"])
        #expect(try found(rule + list + "stopwords = [\"TEST\"]\n", "k=mytestx k=b") == ["b"])
        let paths = rule + list + "paths = ['''\\.md$''']\n"
        #expect(try found(paths, "k=abc", path: "a.md") == [])
        #expect(
            try found(paths, "k=abc", path: "a.c") == ["abc"] && found(paths, "k=abc") == ["abc"])
        let both = rule + list + "condition = \"AND\"\npaths = ['''md$''']\nstopwords = [\"ab\"]\n"
        #expect(try found(both, "k=abc k=b", path: "a.md") == ["b"])
        #expect(try found(both, "k=abc k=b", path: "a.c") == ["abc", "b"])
        let old = rule + "[rules.allowlist]\nregexes = ['''^ab''']\n"
        #expect(try found(old, "k=abc k=b") == ["b"])
        let top = "[allowlist]\nregexes = ['''^ab''']\n" + rule
        #expect(try found(top, "k=abc k=b") == ["b"])
        let targeted = "[[allowlists]]\ntargetRules = [\"y\"]\nregexes = ['''^ab''']\n" + rule
        #expect(try found(targeted, "k=abc") == ["abc"])
        let commits = rule + list + "commits = [\"abc\"]\n"
        #expect(try found(commits, "k=abc") == ["abc"])
    }

    @Test("a rule may be about paths, with a pattern or alone")
    func paths() throws {
        let rule = "[[rules]]\nid = \"x\"\npath = '''\\.key$'''\n"
        #expect(try found(rule, "anything", path: "a.key") == ["anything"])
        #expect(try found(rule, "anything", path: "a.txt") == [] && found(rule, "anything") == [])
        let both = rule + "regex = '''k=(\\w+)'''\n"
        #expect(try found(both, "k=abc", path: "a.key") == ["abc"])
        #expect(try found(both, "k=abc", path: "a.txt") == [])
    }

    @Test("a rule without keywords is run over a large text in pieces, and loses nothing between")
    func pieces() throws {
        let rule = "[[rules]]\nid = \"x\"\nregex = '''<([a-z]{40})>'''\n"
        let value = noise(40, "abcdefghijklmnopqrstuvwxyz")
        for size in stride(from: 32_700, through: 32_800, by: 7) {
            let text =
                String(repeating: ".", count: size) + "<\(value)>"
                + String(repeating: ".", count: 9000)
            #expect(try found(rule, text) == [value])
        }
        let greedy = "[[rules]]\nid = \"x\"\nregex = '''(?s)<.*>'''\n"
        let hostile = String(repeating: "<a>b", count: 100_000)
        #expect(try !found(greedy, hostile).isEmpty)
    }

    @Test(
        "a document that nests without end is refused before anything recurs",
        arguments: [
            "[" + String(repeating: "a.", count: 201) + "a]",
            "\"a\"" + String(repeating: ".'b'", count: 300) + " = 1",
            "a = " + String(repeating: "[", count: 300),
            "a = " + String(repeating: "{ b.c = ", count: 150),
            "x = [\n" + String(repeating: "{a.a=[\n", count: 90),
            "x = '''\n'''''\ny = " + String(repeating: "[", count: 300),
            "x = \"a\\\"b\" # '''\ny = " + String(repeating: "[", count: 300),
        ])
    func depth(_ text: String) {
        #expect(message(text).contains("it nests too deeply"))
    }

    @Test(
        "what only looks deep is not refused for that",
        arguments: [
            "x = '" + String(repeating: ".[{", count: 500) + "'",
            "x = \"\"\"" + String(repeating: "a.\"\"b[\n", count: 500) + "\"\"\"",
            "# " + String(repeating: "a.", count: 500),
            "x = [" + String(repeating: "{ a.b = 1 }, ", count: 500) + "]",
            String(repeating: "[[a.b.c]]\nd.e = 1.5\n", count: 500),
            "x = '''" + String(repeating: "''.", count: 500) + "'''''",
        ])
    func shallow(_ text: String) {
        #expect(!message(text).contains("it nests too deeply"))
    }

    @Test("what cannot be obeyed is an error that names rule and field")
    func errors() {
        #expect(message("[[rules]\n").hasPrefix("the rule file is no TOML, line 1"))
        #expect(message("title = \"x\"\n") == "the rule file has no rule that can find anything")
        #expect(message("") == "the rule file has no rule that can find anything")
        #expect(message("[[rules]]\nregex = 'x'\n").contains("id: is missing"))
        let head = "[[rules]]\nid = \"x\"\n"
        #expect(message(head).hasPrefix("rule x, regex: neither"))
        #expect(
            message(head + "regex = '(?=a)'\n").hasPrefix("rule x, regex: invalid perl operator"))
        #expect(message(head + "regex = '(a'\n").hasPrefix("rule x, regex: missing"))
        #expect(message(head + "regex = 3\n") == "rule x, regex: is not a string")
        #expect(
            message(head + "regex = 'a'\nsecretGroup = 1\n").contains(
                "secretGroup: the regex has 0"))
        #expect(
            message(head + "regex = 'a'\nentropy = \"x\"\n").contains("entropy: is not a number"))
        #expect(
            message(head + "regex = 'a'\nkeywords = \"x\"\n").contains("keywords: is not an array"))
        #expect(
            message(head + "regex = 'a'\n[[rules.required]]\nid = \"y\"\n").contains("required"))
        let list = head + "regex = 'a'\n[[rules.allowlists]]\n"
        #expect(message(list).contains("allowlists[0].regexes"))
        #expect(message(list + "regexes = ['(']\n").hasPrefix("rule x, allowlists[0].regexes[0]: "))
        #expect(message(list + "regexes = ['a']\ncondition = \"XOR\"\n").contains("condition"))
        #expect(message(list + "regexes = ['a']\nregexTarget = \"y\"\n").contains("regexTarget"))
        #expect(message(head + "regex = 'a'\n" + head + "regex = 'b'\n").contains("twice"))
        #expect(message("[extend]\npath = \"other.toml\"\n").contains("extend.path"))
        #expect(
            message("[[rules]]\nid = \"x\"\nregex = 'a'\nskipReport = true\n").contains("no rule"))
    }

    @Test("the kind is the id in capitals")
    func kinds() {
        #expect(RedactionRule.kind(of: "aws-access-key") == "AWS_ACCESS_KEY")
        #expect(RedactionRule.kind(of: "my.rule 2") == "MY_RULE_2")
        #expect(RedactionRule.kind(of: "1password") == "RULE_1PASSWORD")
    }

    @Test("the standard rules are sound")
    func standard() {
        let rules = StandardRules.parsed.rules
        #expect(rules.count >= 150)
        for rule in rules {
            let isWoken = !rule.keywords.isEmpty || rule.keywordPlace == .tokenRun
            #expect(isWoken && rule.pattern != nil, "\(rule.id)")
        }
        #expect(CompiledRules(rules, []).isLocal)
        #expect(RedactionRules.standard.ruleIDs.contains("github-token"))
    }
}
