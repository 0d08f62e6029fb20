/// How little a value looks like words, identifiers and numbers: how surprising each byte of it is
/// after the one before.
enum Randomness {
    /// Values with more bits than this for each pair of bytes are random.
    private static let threshold = 4.3
    /// From this length on, hexadecimal digits of both kinds are random as such.
    private static let hexLengthMin = 20

    /// The mean of the bits that each pair of bytes carries.
    static func bitsPerPair(_ value: UnsafeBufferPointer<UInt8>) -> Double {
        guard value.count > 1 else { return 0 }
        var halves = 0
        for index in 1..<value.count { halves += halfBits(value[index - 1], value[index]) }
        return Double(halves) / Double(2 * (value.count - 1))
    }

    /// Twice the bits of a byte after another.
    @inline(__always)
    private static func halfBits(_ first: UInt8, _ second: UInt8) -> Int {
        switch (ASCII.isLetter(first), ASCII.isLetter(second)) {
        case (true, true):
            if !ASCII.isUpper(first), ASCII.isUpper(second) { return 10 }
            return 2
                * Int(LetterPairs.bits[Int((first | 32) &- 97) * 26 + Int((second | 32) &- 97)])
        case (true, false): return ASCII.isDigit(second) ? 12 : 4
        case (false, true): return ASCII.isDigit(first) ? 12 : 4
        case (false, false):
            return ASCII.isDigit(first) && ASCII.isDigit(second) ? 5 : 4
        }
    }

    /// Whether a value is more like dice than like a name. Without quotes it may be a name of the
    /// program's own, which letters alone do not tell from a value.
    static func looksRandom(_ value: UnsafeBufferPointer<UInt8>, isQuoted: Bool = true) -> Bool {
        if isHex(value) { return true }
        let bits = bitsPerPair(value)
        let stem = value.prefix(while: { !ASCII.isDigit($0) }).count
        let isWord = value[stem...].allSatisfy(ASCII.isDigit) && value.count - stem <= 4
        guard isWord else { return bits >= threshold }
        if value.count < (isQuoted ? 12 : 16) { return bits >= 5.7 }
        return bits >= (isQuoted || isOneCase(value) ? 4.8 : 5.4)
    }

    private static func isOneCase(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        let count = value.count(where: ASCII.isUpper)
        return count == 0 || count == value.count(where: ASCII.isLetter)
    }

    private static func isHex(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        value.count >= hexLengthMin
            && value.allSatisfy { ASCII.isHex($0) || $0 == UInt8(ascii: "-") }
            && value.contains(where: ASCII.isDigit) && value.contains(where: ASCII.isLetter)
    }
}
