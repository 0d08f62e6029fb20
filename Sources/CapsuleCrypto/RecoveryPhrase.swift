import CSodium
import Crypto

/// A 24-word recovery phrase: BIP-39, English words, 32 bytes of entropy.
///
/// BIP-39's own seed derivation is not used: the key comes from the entropy through Argon2id.
public enum RecoveryPhrase {
    /// Words in a phrase.
    public static let wordCount = 24

    /// The words of 32 bytes of entropy, separated by spaces, as secret UTF-8 text.
    public static func words(of entropy: borrowing SecretBytes) -> SecretBytes {
        precondition(entropy.count == 32, "24 words carry 32 bytes")
        var bits = entropy.withUnsafeBytes { [UInt8]($0) }
        bits.append(SHA256.hash(data: bits).first(where: { _ in true }) ?? 0)
        defer { wipe(&bits) }
        var text: [UInt8] = []
        for index in 0..<wordCount {
            if index > 0 { text.append(UInt8(ascii: " ")) }
            text += Array(BIP39Words.english[elevenBits(bits, at: index)].utf8)
        }
        return SecretBytes(wiping: &text)
    }

    /// The entropy of a phrase; case and the amount of white space do not matter.
    /// Throws `CryptoError.malformedKey`, which names the place of a wrong word and not the word.
    public static func entropy(of phrase: borrowing SecretBytes) throws(CryptoError) -> SecretBytes
    {
        var text = phrase.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }.lowercased()
        defer { text = "" }
        let words = text.split { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == "\r\n" }
        guard words.count == wordCount else {
            throw .malformedKey("a recovery phrase has 24 words, this one has \(words.count)")
        }
        var bits = [UInt8](repeating: 0, count: 33)
        defer { wipe(&bits) }
        for (index, word) in words.enumerated() {
            guard let value = BIP39Words.english.firstIndex(of: String(word)) else {
                throw .malformedKey("word \(index + 1) is not in the BIP-39 English list")
            }
            for bit in 0..<11 where value >> (10 - bit) & 1 == 1 {
                let position = index * 11 + bit
                bits[position / 8] |= 0x80 >> UInt8(position % 8)
            }
        }
        let checksum = SHA256.hash(data: bits[..<32]).first { _ in true }
        guard checksum == bits[32] else {
            throw .malformedKey(
                "the words are all in the list but their checksum is wrong: "
                    + "one is mistaken, or two are swapped")
        }
        var entropy = Array(bits[..<32])
        return SecretBytes(wiping: &entropy)
    }

    private static func elevenBits(_ bytes: [UInt8], at index: Int) -> Int {
        (0..<11).reduce(0) { value, bit in
            let position = index * 11 + bit
            return value << 1 | Int(bytes[position / 8] >> UInt8(7 - position % 8) & 1)
        }
    }
}
