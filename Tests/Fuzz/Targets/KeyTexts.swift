// The texts in which people keep keys: age's Bech32 forms and recovery phrases.

import CapsuleBytes
import Crypto

@testable import CapsuleCrypto

enum KeyTexts {
    static let targets = [
        FuzzTarget("bech32", bech32) {
            [
                "A12UEL5L", "?1ezyfcl",
                "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
            ].map { Array($0.utf8) }
        },
        FuzzTarget("age-key", ageKey) {
            let hybrid = try Identity(
                Bech32.encode(prefix: "age-secret-key-pq-", Fixture.pattern(9, 32)))
            let point = Bech32.decode(hybrid.recipient.text)?.bytes ?? []
            return [[0] + Fixture.pattern(9, 32), [2] + Fixture.pattern(9, 32)]
                + [[3] + Fixture.pattern(9, 32), [1] + point, [4, 3] + Array("abc123".utf8)]
        },
        FuzzTarget("identity-file", identityFile) {
            let identities = prefixes[2...3].map {
                Bech32.encode(prefix: $0, Fixture.pattern(9, 32)).uppercased()
            }
            let text = "# created: now\r\n\r\n  \(identities[0])\r\n\n\(identities[1]) comment\n"
            return [Array(text.utf8), Array("AGE-SECRET-KEY-1\n".utf8)]
        },
        FuzzTarget("recovery-phrase", phrase) {
            [
                Array((String(repeating: "abandon ", count: 23) + "art").utf8),
                Array((String(repeating: "ZOO \r\n\t", count: 23) + "vote").utf8),
            ]
        },
    ]

    static let prefixes = ["age", "age1pq", "age-secret-key-", "age-secret-key-pq-"]

    /// The input is a text, or the bytes of one whose checksum is right but for one digit.
    static func bech32(_ input: [UInt8]) throws(Finding) {
        let text = String(decoding: input, as: UTF8.self)
        if let (prefix, bytes) = Bech32.decode(text) {
            try require(
                Bech32.encode(prefix: prefix, bytes) == text.lowercased(), "Bech32 has one form")
        }
        var right = Array(Bech32.encode(prefix: "age", input).utf8)
        let found = Bech32.decode(String(decoding: right, as: UTF8.self))
        try require(
            found?.prefix == "age" && found?.bytes == input, "Bech32 can be read again")
        let place = 4 + Int(input.first ?? 0) % (right.count - 4)
        right[place] = right[place] == UInt8(ascii: "q") ? UInt8(ascii: "p") : UInt8(ascii: "q")
        try require(
            Bech32.decode(String(decoding: right, as: UTF8.self)) == nil,
            "Bech32 finds a wrong digit")
    }

    /// The input is a kind of key and its bytes; the text around them is right.
    static func ageKey(_ input: [UInt8]) throws(Finding) {
        var input = FuzzInput(input)
        let kind = Int(input.number(UInt8.self))
        var prefix = kind < prefixes.count ? prefixes[kind] : ""
        if prefix.isEmpty {
            let letters = input.bytes(Int(input.number(UInt8.self)))
                .filter { (33...126).contains($0) && !(65...90).contains($0) }
            prefix = String(decoding: letters, as: UTF8.self)
        }
        let bytes = input.remainder()
        let text = Bech32.encode(prefix: prefix, bytes)
        if let recipient = try? Recipient(text) {
            try require(recipient.text == text, "a recipient is written as it was read")
            _ = try? recipient.encapsulate(info: [1], context: [2])
        }
        guard let identity = try? Identity(text.uppercased()) else { return }
        try require(bytes.count == 32, "an identity has 32 bytes")
        let recipient = try? Recipient(identity.recipient.text)
        guard let made = try? recipient?.encapsulate(info: [1], context: [2]) else {
            throw Finding(description: "what an identity's recipient is sealed to")
        }
        let opened = try? identity.decapsulate(made.encapsulated, info: [1], context: [2])
        try require(opened == made.key, "an identity opens what was sealed to its recipient")
    }

    static func identityFile(_ input: [UInt8]) throws(Finding) {
        guard let identities = try? Identity.parse(file: input) else { return }
        try require(!identities.isEmpty, "a file has an identity")
        for identity in identities.prefix(3) { _ = identity.recipient.text }
    }

    static func phrase(_ input: [UInt8]) throws(Finding) {
        let secret = Fixture.secret(input)
        guard let entropy = try? RecoveryPhrase.entropy(of: secret.bytes) else { return }
        let words = RecoveryPhrase.words(of: entropy)
        guard let again = try? RecoveryPhrase.entropy(of: words) else {
            throw Finding(description: "words can be read again")
        }
        try require(
            entropy.symmetricKey == again.symmetricKey && entropy.count == 32,
            "words carry 32 bytes")
    }
}
