// Text within text: base64, hexadecimal, percent-encoding, escapes, and layers of them.

import CapsuleBytes
import Testing

@testable import CapsulePolicy

@Suite("Encoded text")
struct EncodedTextTests {
    private static let secret = "the key is \(githubToken) here"

    private static func base64(_ text: String) -> String { Text.base64(Array(text.utf8)) }

    private static func url(_ text: String) -> String {
        String(
            decoding: base64(text).utf8.compactMap { byte -> UInt8? in
                switch byte {
                case UInt8(ascii: "+"): UInt8(ascii: "-")
                case UInt8(ascii: "/"): UInt8(ascii: "_")
                case UInt8(ascii: "="): nil
                default: byte
                }
            }, as: UTF8.self)
    }

    private static func percent(_ text: String) -> String {
        text.utf8.map { byte in
            ASCII.isAlphanumeric(byte)
                ? String(UnicodeScalar(byte)) : "%" + Text.hex([byte]).uppercased()
        }.joined()
    }

    private static func wrapped(_ text: String, _ width: Int, _ separator: String) -> String {
        var rest = text[...]
        var lines: [Substring] = []
        while !rest.isEmpty {
            lines.append(rest.prefix(width))
            rest = rest.dropFirst(width)
        }
        return lines.joined(separator: separator)
    }

    @Test("an encoded run is masked as a whole")
    func runs() {
        for text in [
            Self.base64(Self.secret), Self.url(Self.secret), Text.hex(Array(Self.secret.utf8)),
            Text.hex(Array(Self.secret.utf8)).uppercased(),
            Self.base64(Self.base64(Self.secret)),
            Self.base64(Text.hex(Array(Self.base64(Self.secret).utf8))),
            Text.base64(UTF16Text.encode(Array(Self.secret.utf8), .little)),
        ] {
            #expect(masked("data \"\(text)\" end") == "data \"[GITHUB_TOKEN:1]\" end")
        }
    }

    @Test("base64 goes on over lines", arguments: ["\n", "\r\n", "\n    "])
    func wrappedLines(separator: String) {
        let long = String(repeating: "some words before it. ", count: 20) + Self.secret
        let text = Self.wrapped(Self.base64(long), 76, separator)
        #expect(masked("x:\n\(text)\n\nend") == "x:\n[GITHUB_TOKEN:1]\n\nend")
    }

    @Test("base64 at the end of a path is seen")
    func afterSeparators() {
        let text = "/v1/blob/" + Self.url(Self.secret)
        #expect(masked(text) == "/v1/blob/[GITHUB_TOKEN:1]")
    }

    @Test("of percent-encoding and escapes only the value is masked")
    func exact() {
        let address = "ada%40corp.example.org"
        #expect(masked("https://x.org/?to=\(address)&n=1") == "https://x.org/?to=[EMAIL:1]&n=1")
        #expect(
            masked("\"m\": \"to\\nada\\u0040corp.example.org\\n\"")
                == "\"m\": \"to\\n[EMAIL:1]\\n\"")
        #expect(masked("\\/home\\/ada\\/x").contains("HOME_DIRECTORY"))
        let nested = Self.percent(Self.percent(mail))
        #expect(masked("q=\(nested)&").hasPrefix("q=[EMAIL:1]"))
    }

    @Test("three layers are decoded, and not a fourth")
    func layers() {
        var text = Self.secret
        for layer in 1...4 {
            text = Self.base64("layer \(layer): \(text)")
            #expect(kinds(text) == (layer <= 3 ? ["GITHUB_TOKEN"] : []))
        }
    }

    @Test("base64 of bytes is searched for tokens, and says nothing of its numbers")
    func binary() {
        let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
        let token = Array(" \(githubToken) \(mail) ".utf8)
        #expect(kinds(Text.base64(bytes + token + bytes)) == ["GITHUB_TOKEN"])
        #expect(kinds(Text.base64(bytes)).isEmpty)
    }

    @Test("escapes of every form are read")
    func escapes() {
        let cases: [(String, String, Int)] = [
            ("\\n", "\n", 2), ("\\\"", "\"", 2), ("\\\\", "\\", 2), ("\\/", "/", 2),
            ("\\u0041", "A", 6), ("\\uD83D\\uDE00", "😀", 12), ("\\ud83d", "\u{fffd}", 6),
            ("\\x41", "A", 4), ("\\u00g1", "\\", 1), ("\\q", "\\", 1), ("\\", "\\", 1),
            ("\\t", "\t", 2), ("\\r", "\r", 2), ("\\u00e9", "é", 6),
        ]
        for (text, expected, length) in cases {
            Array(text.utf8).withUnsafeBufferPointer { bytes in
                let escape = JSONEscape(bytes, at: 0, end: bytes.count)
                #expect(escape.bytes == Array(expected.utf8) && escape.length == length, "\(text)")
            }
        }
    }
}
