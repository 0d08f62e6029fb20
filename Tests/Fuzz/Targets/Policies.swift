// Rules and settings that users bring, and texts of runs, which are masked.

import CapsuleBytes

@testable import CapsulePolicy

enum Policies {
    static let targets = [
        FuzzTarget("redaction-rules", rules) {
            let file = """
                title = "own"
                [extend]
                useDefault = true
                disabledRules = ["jwt"]
                [[rules]]
                id = "ours"
                description = "a token of ours"
                regex = '''ours-([0-9a-f]{8})'''
                secretGroup = 1
                entropy = 2.5
                keywords = ["ours"]
                path = '''\\.txt$'''
                [[rules.allowlists]]
                condition = "AND"
                regexTarget = "line"
                regexes = ['''example''']
                stopwords = ["dead"]
                paths = ['''test/''']
                [allowlist]
                regexes = ["none"]
                """
            return [Array(file.utf8), Array("[[rules]]\nid=\"a\"\nregex='(a+)+b'\n".utf8)]
        },
        FuzzTarget("settings", settings) {
            let file = """
                [capsule.export]
                mode = "risk"
                retention_days = 30
                recipients = ["age1x"]
                [specs.S1]
                high_risk = true
                [capture]
                mode = "none"
                sanitize = "on"
                [features]
                search = false
                """
            return [Array(file.utf8), Array("memory_backend='local-memory'".utf8)]
        },
        FuzzTarget("redact", redact) { samples.map { Array($0.utf8) } + [wide] },
        FuzzTarget("redact-json", redactJSON) {
            samples.map { sample in
                Array("{\"password\":\"".utf8) + sample.utf8.filter { $0 != 34 && $0 > 31 }
                    + Array("\",\"a\":[1,4539148803436467,\"\\u0041\"]}".utf8)
            }
        },
    ]

    private static let samples = [
        "password = \"correct horse\" # a\nAKIAQX7PL2MZ4RT6WN3K zoltan@mail-host.net",
        "postgres://admin:swordfish77@db/x?token=4f2a9c81d7e6b3a5 +49 30 901820114",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
        "YXBpX2tleT00ZjJhOWM4MWQ3ZTZiM2E1 4539 1488 0343 6467 2001:db8::1 ~quill/x",
        "%70assword%3Dswordfish77 DE89370400440532013000 [EMAIL:1] [JWT:2",
    ]

    private static let wide: [UInt8] =
        [0xff, 0xfe] + Array("token = 4f2a9c81d7e6b3a5".utf8).flatMap { [$0, 0] }

    static func rules(_ input: [UInt8]) throws(Finding) {
        guard let rules = try? RedactionRules(toml: input) else { return }
        try masked(Array(samples[0].utf8), Redactor(rules: rules))
    }

    static func settings(_ input: [UInt8]) throws(Finding) {
        guard let settings = try? Settings(toml: input) else { return }
        try require(settings.retentionDays >= 0, "days are kept, or none")
    }

    static func redact(_ input: [UInt8]) throws(Finding) { try masked(input, Redactor()) }

    private static func masked(_ text: [UInt8], _ redactor: Redactor) throws(Finding) {
        for finding in redactor.scan(text) {
            try require(
                finding.range.lowerBound >= 0 && finding.range.upperBound <= text.count
                    && finding.line >= 1, "a finding is a place of the text")
        }
        let masked = redactor.mask(text)
        try require(
            masked.findings.isEmpty == (masked.bytes == text),
            "what is found is masked, and nothing else is touched")
    }

    static func redactJSON(_ input: [UInt8]) throws(Finding) {
        let redactor = Redactor()
        let masked = redactor.maskJSON(input)
        let isJSON = input.withUnsafeBufferPointer { JSONTokens($0) != nil }
        if isJSON {
            try require(
                masked.bytes.withUnsafeBufferPointer { JSONTokens($0) != nil },
                "what was JSON is JSON")
        }
    }
}
