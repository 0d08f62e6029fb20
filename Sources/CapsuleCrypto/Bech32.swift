/// Bech32 (BIP 173) without its length limit, as age writes keys.
public enum Bech32 {
    private static let digits = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
    private static let generator: [UInt32] = [
        0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3,
    ]

    /// The prefix (lower case) and the bytes of a Bech32 text, or nil when it is not one.
    public static func decode(_ text: String) -> (prefix: String, bytes: [UInt8])? {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        let lower = text.lowercased()
        guard text == lower || text == text.uppercased() else { return nil }
        let characters = Array(lower.utf8)
        guard let separator = characters.lastIndex(of: UInt8(ascii: "1")), separator > 0,
            characters.count - separator > 6, characters.allSatisfy({ (33...126).contains($0) })
        else { return nil }
        var values: [UInt8] = []
        for character in characters[(separator + 1)...] {
            guard let value = digits.firstIndex(of: character) else { return nil }
            values.append(UInt8(value))
        }
        let prefix = Array(characters[..<separator])
        guard checksum(expanded(prefix) + values) == 1,
            let bytes = regroup(Array(values.dropLast(6)), from: 5, to: 8, padding: false)
        else { return nil }
        return (String(decoding: prefix, as: UTF8.self), bytes)
    }

    /// The Bech32 text of `bytes` under a lower-case prefix.
    public static func encode(prefix: String, _ bytes: [UInt8]) -> String {
        let human = Array(prefix.utf8)
        guard let values = regroup(bytes, from: 8, to: 5, padding: true) else {
            preconditionFailure("regrouping with padding cannot fail")
        }
        let sum = checksum(expanded(human) + values + [UInt8](repeating: 0, count: 6)) ^ 1
        let tail = (0..<6).map { UInt8(sum >> UInt32(5 * (5 - $0)) & 31) }
        let text = human + [UInt8(ascii: "1")] + (values + tail).map { digits[Int($0)] }
        return String(decoding: text, as: UTF8.self)
    }

    private static func expanded(_ prefix: [UInt8]) -> [UInt8] {
        prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 }
    }

    private static func checksum(_ values: [UInt8]) -> UInt32 {
        var state: UInt32 = 1
        for value in values {
            let top = state >> 25
            state = (state & 0x1ff_ffff) << 5 ^ UInt32(value)
            for (bit, factor) in generator.enumerated() where top >> UInt32(bit) & 1 == 1 {
                state ^= factor
            }
        }
        return state
    }

    private static func regroup(
        _ input: [UInt8], from: UInt32, to: UInt32, padding: Bool
    ) -> [UInt8]? {
        var output: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for value in input {
            bits = (bits << from | UInt32(value)) & 0xfff
            count += from
            while count >= to {
                count -= to
                output.append(UInt8(bits >> count & ((1 << to) - 1)))
            }
        }
        if padding {
            if count > 0 { output.append(UInt8(bits << (to - count) & ((1 << to) - 1))) }
        } else if count >= from || bits & ((1 << count) - 1) != 0 {
            return nil
        }
        return output
    }
}
