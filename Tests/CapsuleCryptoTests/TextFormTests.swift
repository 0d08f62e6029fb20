// Bech32, age keys and recovery phrases: the texts in which people keep keys.

import CapsuleBytes
import CapsuleCrypto
import Crypto
import Testing

@Suite("Keys as texts")
struct TextFormTests {
    @Test(
        "Bech32 accepts the valid strings of BIP 173 and writes them again",
        arguments: [
            "A12UEL5L", "a12uel5l",
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio"
                + "1tt5tgs",
            "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
            "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
                + "c8247j",
            "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl",
        ])
    func validBech32(text: String) throws {
        let (prefix, bytes) = try #require(Bech32.decode(text))
        #expect(Bech32.encode(prefix: prefix, bytes) == text.lowercased())
    }

    @Test(
        "Bech32 refuses the invalid strings of BIP 173, and other damage",
        arguments: [
            "\u{20}1nwldj5", "\u{7f}1axkwrx", "\u{80}1eym55h", "pzry9x0s0muk", "1pzry9x0s0muk",
            "x1b4n0q5v", "li1dgmt3", "de1lg7wt\u{ff}", "A1G7SGD8", "10a06t8", "1qzzfhee",
            "A12uEL5L", "a12UEL5l", "", "1", "a1", "a12uel5m", "a12uel5", "a12uel5ll",
            "ａ12uel5l",
        ])
    func invalidBech32(text: String) {
        #expect(Bech32.decode(text) == nil)
    }

    @Test("Bech32 finds every single wrong character")
    func bech32Errors() {
        let text = Array("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw".utf8)
        for position in text.indices {
            for digit in "qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8 where digit != text[position] {
                var changed = text
                changed[position] = digit
                #expect(Bech32.decode(String(decoding: changed, as: UTF8.self)) == nil)
            }
        }
    }

    @Test("letters that only become ASCII in lower case are not ASCII")
    func kelvin() {
        let identity = Self.identity.replacing("K", with: "\u{212a}", maxReplacements: 1)
        do {
            #expect(throws: Refusal.self) { _ = try Identity(identity) }
        }
    }

    static let identity =
        "AGE-SECRET-KEY-1N9JEPW6DWJ0ZQUDX63F5A03GX8QUW7PXDE39N8UYF82VZ9PC8UFS3M7XA9"
    static let recipient = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z"
    static let hybrid =
        "AGE-SECRET-KEY-PQ-1K30MYPZAHAXHR22YHH27EGDVLU0QNSUH3DSV7J7NR3X6D9LHXNWSDLTV4T"

    @Test("the key pair of age-keygen(1) belongs together")
    func ageKeys() throws {
        let identity = try Identity(Self.identity)
        #expect(identity.recipient.text == Self.recipient)
        #expect(!identity.recipient.isPostQuantum)
        #expect(try Recipient(Self.recipient).text == Self.recipient)
        #expect(try Recipient(Self.recipient.uppercased()).text == Self.recipient)
        #expect(try Identity(Self.identity.lowercased()).recipient.text == Self.recipient)
    }

    @Test("age's example of a post-quantum identity has the recipient that age shows")
    func hybridKeys() throws {
        let identity = try Identity(Self.hybrid)
        let text = identity.recipient.text
        #expect(text.hasPrefix("age1pq167"))
        #expect(identity.recipient.isPostQuantum)
        let again = try Recipient(text)
        #expect(again.text == text && again.isPostQuantum)
        #expect(try #require(Bech32.decode(text)).bytes.count == 1216)
    }

    @Test("keys of other kinds, lengths and prefixes are refused")
    func foreignKeys() {
        let key = count(from: 1, 32)
        let recipients = [
            "", "age1", "age1xyz", Self.identity, Bech32.encode(prefix: "age", count(from: 1, 31)),
            Bech32.encode(prefix: "age", count(from: 1, 33)), Bech32.encode(prefix: "bge", key),
            Bech32.encode(prefix: "age1pq", key), Bech32.encode(prefix: "age1yubikey", key),
            Bech32.encode(prefix: "age1pq", count(from: 1, 1215)), Self.recipient + "q",
            Self.recipient.replacing("age1", with: "AGE1"),
        ]
        for text in recipients {
            #expect(throws: Refusal.self, "\(text.prefix(20))") { _ = try Recipient(text) }
        }
        let identities = [
            "", Self.recipient, Bech32.encode(prefix: "age-secret-key-", count(from: 1, 31)),
            Bech32.encode(prefix: "age-plugin-yubikey-", key),
            Self.identity.replacing("AGE", with: "age"),
        ]
        for text in identities {
            #expect(throws: Refusal.self) { _ = try Identity(text) }
        }
    }

    @Test("an identity file has comments, empty lines and identities, and nothing else")
    func identityFiles() throws {
        let file = "# created: now\r\n\r\n  \(Self.identity)\r\n\n#x\n\(Self.hybrid)\n"
        let identities = try Identity.parse(file: Array(file.utf8))
        #expect(identities.map(\.recipient.isPostQuantum) == [false, true])
        for wrong in ["", "# only\n", "\(Self.identity)\nrubbish\n", "AGE-SECRET-KEY-1\n"] {
            #expect(throws: Refusal.self) { _ = try Identity.parse(file: Array(wrong.utf8)) }
        }
    }

    // MARK: Recovery phrases

    static let phrases: [(entropy: String, words: String)] = [
        (String(repeating: "00", count: 32), String(repeating: "abandon ", count: 23) + "art"),
        (
            String(repeating: "7f", count: 32),
            "legal winner thank year wave sausage worth useful legal winner thank year wave "
                + "sausage worth useful legal winner thank year wave sausage worth title"
        ),
        (
            String(repeating: "80", count: 32),
            "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd "
                + "amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic "
                + "bless"
        ),
        (String(repeating: "ff", count: 32), String(repeating: "zoo ", count: 23) + "vote"),
        (
            "68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
            "hamster diagram private dutch cause delay private meat slide toddler razor book "
                + "happy fancy gospel tennis maple dilemma loan word shrug inflict delay length"
        ),
    ]

    @Test("phrases agree with the vectors of BIP-39", arguments: phrases)
    func phrase(entropy: String, words: String) throws {
        let bytes = try #require(Text.unhex(entropy))
        #expect(contents(RecoveryPhrase.words(of: secret(bytes))) == Array(words.utf8))
        let variants = [words, words.uppercased(), "\n" + words.replacing(" ", with: " \t\r\n ")]
        for variant in variants {
            #expect(try contents(RecoveryPhrase.entropy(of: secret(Array(variant.utf8)))) == bytes)
        }
    }

    @Test("a phrase with a wrong word, number of words or checksum is refused, and not quoted")
    func wrongPhrases() {
        let words = Self.phrases[4].words.split(separator: " ").map(String.init)
        var swapped = words
        swapped.swapAt(0, 1)
        var mistaken = words
        mistaken[7] = "meet"
        var unknown = words
        unknown[3] = "dutchh"
        for wrong in [swapped, mistaken, unknown, words.dropLast(), words + ["abandon"], [""]] {
            let text = wrong.joined(separator: " ")
            let error = #expect(throws: Refusal.self) {
                _ = try RecoveryPhrase.entropy(of: secret(Array(text.utf8)))
            }
            #expect(error.map { !"\($0)".contains("dutch") } == true)
        }
    }

    @Test("random entropy survives the way through words")
    func randomPhrases() throws {
        for _ in 0..<100 {
            let entropy = SecretBytes.random(32)
            let words = RecoveryPhrase.words(of: entropy)
            #expect(try contents(RecoveryPhrase.entropy(of: words)) == contents(entropy))
        }
    }
}
