// Text made to stall or to break the scanner. Its work grows with the text and not faster.

import CapsuleBytes
import Testing

@testable import CapsulePolicy

@Suite("Hostile text")
struct HostileTextTests {
    private static let patterns: [(name: String, text: String)] = [
        ("letters", "a"), ("digits", "4"), ("at signs", "a@"), ("dots", "a.a@a."),
        ("colons", "a:"), ("percent", "%41"), ("slashes", "\\n"), ("backslashes", "\\"),
        ("keywords", "password=\"token: secret "), ("armor", "-----BEGIN " + "PRIVATE KEY-----"),
        ("brackets", "["), ("placeholders", "[EMAIL:1"), ("octets", "1.2.3.4."), ("plus", "+4"),
        ("quotes", "\"pass\":"), ("spaces", "secret =      "), ("zeros", "\0"), ("high", "\u{e9}"),
        ("home", "/" + "home/"), ("jwt", "eyJ"), ("iban", "DE89 "), ("dashes", "4111-"),
        ("urls", "http://a:"), ("lines", "QUJD\n"),
    ]

    private func duration(_ text: String, _ count: Int) -> Duration {
        let unit = Array(text.utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(unit.count * count)
        for _ in 0..<count { bytes += unit }
        let redactor = Redactor()
        return ContinuousClock().measure { _ = redactor.scan(bytes) }
    }

    @Test("twice the text takes no more than about twice the time", arguments: patterns)
    func linear(pattern: (name: String, text: String)) {
        let size = 60_000 / pattern.text.utf8.count
        _ = duration(pattern.text, size)
        let small = duration(pattern.text, size)
        let large = duration(pattern.text, size * 8)
        #expect(large < small * 24 + .milliseconds(400), "\(pattern.name): \(small), \(large)")
    }

    @Test("one line of 10 MB with a secret in it is scanned")
    func longLine() {
        let filler = Array(
            String(repeating: "{\"a\":1,\"text\":\"lorem ipsum\"},", count: 180_000).utf8)
        let text = filler + Array(" \(githubToken) ".utf8) + filler
        #expect(text.count > 10_000_000)
        let findings = Redactor().scan(text)
        #expect(findings.map(\.kind) == ["GITHUB_TOKEN"])
        #expect(findings.first?.range == filler.count + 1..<filler.count + 41)
    }

    @Test("base64 within base64 within base64 ends")
    func nested() {
        var bytes = Array("deep \(mail)".utf8)
        for _ in 0..<30 { bytes = Array(Text.base64(bytes).utf8) }
        #expect(Redactor().scan(bytes).isEmpty)
    }

    @Test("every cut of a text is scanned without a trap")
    func cuts() {
        let text = Array(
            ("{\"p\":\"\\u0040\\ud83d\\\"%4%41\",\"k\":4111-1111 +49 (30) [A:1] ~a/ 1.2.3.4 a@b.org"
                + " ::1:2 DE89 password='x' -----BEGIN " + "RSA PRIVATE KEY-----\nQUJD").utf8)
        for start in 0..<text.count {
            _ = Redactor().mask(Array(text[start...]))
            _ = Redactor().maskJSON(Array(text[..<start]))
        }
    }

    @Test("random bytes are scanned without a trap")
    func randomBytes() {
        for seed in 1...200 {
            let letters = noise(400, "\"\\{}[]:,@%+-./~=\n\r 019afAZxX\u{e9}", seed: UInt64(seed))
            let once = Redactor().mask(Array(letters.utf8)).bytes
            #expect(Redactor().scan(once).isEmpty, "seed \(seed)")
        }
    }
}
