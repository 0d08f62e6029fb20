// Textual forms of bytes, against RFC 4648 and against terminals.

import CapsuleBytes
import Testing

@Suite("Texts of bytes")
struct TextTests {
    @Test("hexadecimal goes both ways and takes either case")
    func hexadecimal() {
        let all = (0...255).map { UInt8($0) }
        #expect(Text.unhex(Text.hex(all)) == all)
        #expect(Text.hex([0, 0x0f, 0xa0, 0xff]) == "000fa0ff")
        #expect(Text.unhex("AbCd") == [0xab, 0xcd])
        #expect(Text.unhex("") == [])
        for wrong in ["a", "abc", "0g", "0x00", " 00", "00 ", "-1", "٠٠", "é"] {
            #expect(Text.unhex(wrong) == nil, "\(wrong)")
        }
    }

    static let vectors = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ]

    @Test("base64 agrees with RFC 4648", arguments: vectors)
    func base64(plain: String, encoded: String) {
        #expect(Text.base64(Array(plain.utf8)) == encoded)
        #expect(Text.unbase64(encoded) == Array(plain.utf8))
    }

    @Test("base64 goes both ways for every length and byte")
    func base64Lengths() {
        for length in 0...64 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Text.unbase64(Text.base64(bytes)) == bytes)
        }
        #expect(Text.unbase64("+/+/") == [0xfb, 0xff, 0xbf])
    }

    @Test(
        "base64 that is not canonical is refused",
        arguments: [
            "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "=", "==", "====", "Z===", "Zg==Zg==",
            "Zm9v\n", " Zm9v", "Zm 9", "Zm-_", "Zm9v=", "Zg=a", "=Zg=", "Zm9vé", "Ｚｍ９ｖ",
        ])
    func base64Refused(text: String) {
        #expect(Text.unbase64(text) == nil)
    }

    @Test("plain text, accents and other scripts stay as they are")
    func escapedPlain() {
        for text in ["", "a b~", "grüße", "日本語", "🦊", "e\u{301}", "a\"b'c"] {
            #expect(Text.escaped(Array(text.utf8)) == text)
        }
    }

    @Test("controls, backslashes, marks that reorder text and separators are escaped")
    func escapedControls() {
        #expect(Text.escaped(Array("a\u{1b}[2Jb".utf8)) == "a\\x1b[2Jb")
        #expect(Text.escaped(Array("a\\x41".utf8)) == "a\\x5cx41")
        #expect(Text.escaped([0, 10, 9, 13, 0x7f]) == "\\x00\\x0a\\x09\\x0d\\x7f")
        #expect(Text.escaped(Array("\u{9b}31m".utf8)) == "\\xc2\\x9b31m")
        let hidden: [Unicode.Scalar] = [
            "\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}", "\u{200e}", "\u{200f}", "\u{061c}",
            "\u{200b}", "\u{feff}", "\u{2028}", "\u{2029}", "\u{ad}", "\u{e0041}",
        ]
        for scalar in hidden {
            let escaped = Text.escaped(Array("a\(scalar)b".utf8))
            let bytes = String(scalar).utf8.map { "\\x" + Text.hex([$0]) }.joined()
            #expect(escaped == "a\(bytes)b", "U+\(String(scalar.value, radix: 16))")
        }
    }

    @Test("bytes that are not UTF-8 are escaped one by one")
    func escapedInvalid() {
        #expect(Text.escaped([0x61, 0xff, 0x62]) == "a\\xffb")
        #expect(Text.escaped([0xc0, 0xaf]) == "\\xc0\\xaf")
        #expect(Text.escaped([0xed, 0xa0, 0x80]) == "\\xed\\xa0\\x80")
        #expect(Text.escaped([0xc3, 0xa9, 0xc3]) == "\\xc3\\xa9\\xc3")
        #expect(Text.escaped([0x5c, 0xff]) == "\\x5c\\xff")
    }

    @Test("no byte string yields a control character")
    func escapedAlwaysSafe() {
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<2000 {
            var bytes: [UInt8] = []
            for _ in 0..<12 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                bytes.append(UInt8(truncatingIfNeeded: state >> 11))
            }
            let isSafe = Text.escaped(bytes).unicodeScalars.allSatisfy { $0.value >= 0x20 }
            #expect(isSafe)
        }
    }
}
