// Placeholders, ordinals, reports, and what masking leaves as it is.

import CapsuleBytes
import Testing

@testable import CapsulePolicy

@Suite("Redactor")
struct RedactorTests {
    @Test("equal values have equal placeholders within an export")
    func ordinals() {
        let redactor = Redactor()
        let other = "bob" + "@" + "corp.example.org"
        let first = redactor.mask(Array("to \(mail), \(other)".utf8))
        #expect(String(decoding: first.bytes, as: UTF8.self) == "to [EMAIL:1], [EMAIL:2]")
        let second = redactor.mask(Array("\(other) and \(mail)".utf8))
        #expect(String(decoding: second.bytes, as: UTF8.self) == "[EMAIL:2] and [EMAIL:1]")
        #expect(masked(other) == "[EMAIL:1]")
    }

    @Test("directories of the machine are masked wherever they stand, and nothing that is longer")
    func machinePaths() {
        let (home, deep) = ("/ro" + "ot", "/srv/ag(e)nt-7")
        let redactor = Redactor(
            rules: RedactionRules.standard.masking(directories: [home, deep, "/", ""]))
        func masked(_ text: String) -> String {
            String(decoding: redactor.mask(Array(text.utf8)).bytes, as: UTF8.self)
        }
        #expect(
            masked("at \(deep)/x \(deep) \(deep)")
                == "at [MACHINE_PATH:1]/x [MACHINE_PATH:1] [MACHINE_PATH:1]")
        #expect(
            masked("file:///var\(deep):\(home)/y")
                == "file:///var[MACHINE_PATH:1]:[MACHINE_PATH:2]/y")
        #expect(
            masked("cc -I\(home)/include -L\(home)/lib") == "cc -I[MACHINE_PATH:2]/include "
                + "-L[MACHINE_PATH:2]/lib")
        for text in ["\(home)less", "/usr\(home)", "/srv/ag", "/srv/age)nt-7"] {
            #expect(masked(text) == text)
        }
        let encoded = Text.base64(Array("cd \(deep)/build".utf8))
        #expect(!masked(encoded).contains(encoded))
    }

    @Test("a value has one ordinal, plain and encoded")
    func encodedOrdinals() {
        let redactor = Redactor()
        let plain = redactor.mask(Array("key \(githubToken) end".utf8))
        #expect(String(decoding: plain.bytes, as: UTF8.self) == "key [GITHUB_TOKEN:1] end")
        let encoded = Text.base64(Array("key \(githubToken) end".utf8))
        let hidden = redactor.mask(Array("data: \(encoded)".utf8))
        #expect(String(decoding: hidden.bytes, as: UTF8.self) == "data: [GITHUB_TOKEN:1]")
    }

    @Test("the report counts kinds, and nothing that describes itself says a value")
    func report() {
        let redactor = Redactor()
        let text = "\(mail) \(mail) x@y.org \(accessKey)"
        let result = redactor.mask(Array(text.utf8))
        #expect(redactor.report.entries["EMAIL"]?.masked == 3)
        #expect(redactor.report.entries["EMAIL"]?.values == 2)
        #expect(redactor.report.entries["AWS_ACCESS_KEY"]?.masked == 1)
        #expect(redactor.report.masked == 4)
        for text in [
            "\(result.findings)", String(reflecting: result.findings),
            String(reflecting: redactor.report), "\(redactor)", String(reflecting: redactor),
        ] {
            #expect(!text.contains(mail) && !text.contains(accessKey))
        }
    }

    @Test("findings say the line and the bytes")
    func places() {
        let findings = Redactor().scan(Array("one\ntwo \(mail)\n\(accessKey)\n".utf8))
        #expect(findings.map(\.line) == [2, 3])
        #expect(findings.first?.range == 8..<8 + mail.utf8.count)
        #expect(findings.map(\.description) == ["EMAIL in line 2", "AWS_ACCESS_KEY in line 3"])
    }

    @Test("placeholders are no findings, and a masked text has none")
    func placeholders() {
        let text = "password = \"[GENERIC_PASSWORD:12]\" token: [AWS_ACCESS_KEY:1] [EMAIL:3]"
        #expect(kinds(text).isEmpty)
        #expect(masked(text) == text)
        #expect(
            masked("password = \"" + "hunter" + "22horse\"")
                == "password = \"[GENERIC_PASSWORD:1]\"")
    }

    @Test("text without findings comes back byte for byte, invalid UTF-8, too")
    func untouched() {
        let bytes: [UInt8] = [0x48, 0xe9, 0x6c, 0xff, 0x0a, 0x80, 0x20, 0x0d, 0x0a]
        #expect(Redactor().mask(bytes).bytes == bytes)
        let latin = [0xe9, 0x20] + Array(mail.utf8) + [0x20, 0xff]
        #expect(
            Redactor().mask(latin).bytes == [0xe9, 0x20] + Array("[EMAIL:1]".utf8) + [0x20, 0xff])
        #expect(Redactor().mask([]).bytes.isEmpty)
    }

    @Test("UTF-16 is masked and stays UTF-16", arguments: [UTF16Text.Order.little, .big])
    func utf16(order: UTF16Text.Order) {
        let text = "\u{feff}Grüße 😀 von \(mail) und \(mail)\n"
        let bytes = UTF16Text.encode(Array(text.utf8), order)
        let result = Redactor().mask(bytes)
        let expected = "\u{feff}Grüße 😀 von [EMAIL:1] und [EMAIL:1]\n"
        #expect(result.bytes == UTF16Text.encode(Array(expected.utf8), order))
        let place = result.findings[0].range
        #expect(Array(bytes[place]) == UTF16Text.encode(Array(mail.utf8), order))
        let plain = UTF16Text.encode(Array("\u{feff}nothing".utf8), order) + [0x41]
        #expect(Redactor().mask(plain).bytes == plain)
    }

    @Test("a masked text is masked already, whatever it is put together from")
    func idempotent() {
        let parts = [
            accessKey, githubToken, mail, "password = \"", "hunter" + "2horse", "\"", "\n", " ",
            "\\n",
            "[EMAIL:1]", "token: ", "https://u:", "@", "%40", "\\u0040", "4111 1111", " 1111 1111",
            "+49 30 1234567", "10.1.2.3", Text.base64(Array("mail \(mail) to".utf8)), "secret=",
            "Bearer ", noise(32), "é", "{\"a\":", "}", "phone: ", "(212) 555-0123", ".", ":", "/",
            "-----BEGIN " + "RSA PRIVATE KEY-----", "-----END " + "RSA PRIVATE KEY-----", "=", "[",
            "]", ":1]", "[A",
        ]
        for seed in 1...600 {
            let picks = noise(12, String(alphanumerics.prefix(36)), seed: UInt64(seed)).utf8
            let text = picks.map { byte in
                let place = Array(alphanumerics.utf8).firstIndex(of: byte) ?? 0
                return parts[place % parts.count]
            }.joined()
            let once = Redactor().mask(Array(text.utf8)).bytes
            let again = Redactor().scan(once)
            #expect(again.isEmpty, "seed \(seed): \(again)")
        }
    }
}
