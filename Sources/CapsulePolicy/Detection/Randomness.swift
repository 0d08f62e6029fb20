/// How little a value looks like words, identifiers and numbers: how surprising each byte of it is
/// after the one before.
enum Randomness {
    /// Values with more bits than this for each pair of bytes are random.
    private static let threshold = 4.3
    /// From this length on, hexadecimal digits of both kinds are random as such.
    private static let hexLengthMin = 20
    /// From this length on, values with this many turns from letters to digits or back are random.
    private static let mixedLengthMin = 14
    private static let turnsMin = 5
    /// From this many steps on, a value counts.
    private static let stepsMin = 7
    /// From this length on, values of digits alone are random.
    private static let digitsMin = 24

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
        case (true, false): return ASCII.isDigit(second) ? 12 : isSign(second) ? 8 : 4
        case (false, true): return ASCII.isDigit(first) ? 12 : isSign(first) ? 8 : 4
        case (false, false):
            return ASCII.isDigit(first) && ASCII.isDigit(second) ? 5 : 4
        }
    }

    /// Whether a byte stands in no name, version, path, query or encoding.
    private static func isSign(_ byte: UInt8) -> Bool {
        "!#$%^*{}[]()<>~|".utf8.contains(byte)
    }

    /// Whether a value is more like dice than like a name. Without quotes it may be a name of the
    /// program's own, which letters alone do not tell from a value.
    static func looksRandom(_ value: UnsafeBufferPointer<UInt8>, isQuoted: Bool = true) -> Bool {
        if isHex(value) || isLongNumber(value) || isUUID(value) || isMixed(value) || isSample(value)
        {
            return true
        }
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

    /// Whether letters and digits take turns as they do in no word, version or date.
    private static func isMixed(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard value.count >= mixedLengthMin else { return false }
        var turns = 0
        for index in 1..<value.count {
            let (first, second) = (value[index - 1], value[index])
            if ASCII.isDigit(first) && ASCII.isLetter(second)
                || ASCII.isLetter(first) && ASCII.isDigit(second)
            {
                turns += 1
            }
        }
        return turns >= turnsMin
    }

    /// Whether a value counts up through the digits or the alphabet, as keys in examples do.
    private static func isSample(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard value.count >= mixedLengthMin, value.contains(where: ASCII.isDigit),
            value.contains(where: ASCII.isLetter)
        else { return false }
        return counts(value)
    }

    /// Whether a part of a value goes through the alphabet or the digits.
    static func counts(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard value.count > 1 else { return false }
        var steps = 0
        for index in 1..<value.count {
            let (first, second) = (value[index - 1] | 32, value[index] | 32)
            let isStep =
                second == first &+ 1 || first == UInt8(ascii: "9") && second == UInt8(ascii: "0")
            steps = isStep && ASCII.isAlphanumeric(second) ? steps + 1 : 0
            if steps >= stepsMin { return true }
        }
        return false
    }

    /// Whether a value has more digits than a number that means something.
    private static func isLongNumber(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        value.count >= digitsMin && value.allSatisfy(ASCII.isDigit)
    }

    /// Whether a value has the form of a UUID, of whatever digits.
    static func isUUID(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        value.count == 36
            && value.indices.allSatisfy { place in
                [8, 13, 18, 23].contains(place)
                    ? value[place] == UInt8(ascii: "-") : ASCII.isHex(value[place])
            }
    }

    private static func isHex(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        value.count >= hexLengthMin
            && value.allSatisfy { ASCII.isHex($0) || $0 == UInt8(ascii: "-") }
            && value.contains(where: ASCII.isDigit) && value.contains(where: ASCII.isLetter)
    }
}
