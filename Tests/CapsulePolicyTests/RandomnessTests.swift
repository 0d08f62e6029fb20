// What looks random, and what is made of words.

import Testing

@testable import CapsulePolicy

@Suite("Randomness")
struct RandomnessTests {
    private func looksRandom(_ text: String, isQuoted: Bool = true) -> Bool {
        Array(text.utf8).withUnsafeBufferPointer {
            Randomness.looksRandom($0, isQuoted: isQuoted)
        }
    }

    @Test("dice are random, whatever their faces", arguments: 1...40)
    func dice(seed: Int) {
        let seed = UInt64(seed)
        #expect(looksRandom(noise(24, seed: seed)))
        #expect(looksRandom(noise(32, lowerHex, seed: seed)))
        #expect(looksRandom(noise(24, String(alphanumerics.suffix(36)), seed: seed)))
        #expect(looksRandom(noise(32, "abcdefghijklmnopqrstuvwxyz", seed: seed)))
        #expect(looksRandom(noise(40, isSeparated: seed), isQuoted: false))
    }

    private func noise(_ count: Int, isSeparated seed: UInt64) -> String {
        let half = CapsulePolicyTests.noise(count / 2, seed: seed)
        return half + "-" + CapsulePolicyTests.noise(count / 2, seed: seed + 1)
    }

    private func noise(
        _ count: Int, _ alphabet: String = alphanumerics, seed: UInt64
    ) -> String {
        CapsulePolicyTests.noise(count, alphabet, seed: seed)
    }

    @Test(
        "letters and digits that take turns are, and keys that count, and very long numbers",
        arguments: [
            "abc123def456ghi789jkl012", "123ABC456DEF789GHI012", "abcdefghijklmnopqrst1234",
            "sk_12345678901234567890", "1234567890" + "12345678901234567890",
        ])
    func samples(text: String) { #expect(looksRandom(text)) }

    @Test(
        "words, names and numbers are not",
        arguments: [
            "", "a", "authentication", "conversations", "primaryButtonLabel", "smtpDomain",
            "etcd-cluster-01", "V1001_TODAY_MUSIC", "value,options=first", "states/route53/state",
            "CriticalAddonsOnly", "checkbox2", "2026-03-04", "127.0.0.1", "com.example.application",
            "RequestHandlerClass", "AUTHENTICATION_ERROR", "not-a-secret-value", "1234567890123456",
            "linux-x86-64-gnu-2-36", "v1-2-3-rc4-build5", "20260304050607080910",
        ])
    func words(text: String) {
        #expect(!looksRandom(text))
        #expect(!looksRandom(text, isQuoted: false))
    }
}
