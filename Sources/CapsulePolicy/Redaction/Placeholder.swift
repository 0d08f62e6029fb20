/// What stands in place of a value: `[EMAIL:3]`.
public enum Placeholder {
    private static let kindMax = 80
    private static let ordinalMax = 12

    static func bytes(_ kind: String, _ ordinal: Int) -> [UInt8] {
        Array("[\(kind):\(ordinal)]".utf8)
    }

    /// The first placeholder from an offset on, and its kind.
    public static func first(
        in text: UnsafeBufferPointer<UInt8>, from offset: Int
    ) -> (range: Range<Int>, kind: [UInt8])? {
        for start in offset..<max(offset, text.count) where text[start] == UInt8(ascii: "[") {
            guard let range = range(in: text, at: start) else { continue }
            return (range, Array(text[range].dropFirst().prefix { $0 != UInt8(ascii: ":") }))
        }
        return nil
    }

    /// The placeholder that begins with the `[` at `start`.
    static func range(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> Range<Int>? {
        var index = start + 1
        guard index < text.count, ASCII.isUpper(text[index]) else { return nil }
        let kindEnd = min(text.count, start + kindMax)
        while index < kindEnd,
            ASCII.isUpper(text[index]) || ASCII.isDigit(text[index]) || text[index] == 95
        {
            index += 1
        }
        guard index < text.count, text[index] == UInt8(ascii: ":"),
            isKind(UnsafeBufferPointer(rebasing: text[start + 1..<index]))
        else { return nil }
        index += 1
        let first = index
        while index < text.count, ASCII.isDigit(text[index]), index - first < ordinalMax {
            index += 1
        }
        guard index > first, index < text.count, text[index] == UInt8(ascii: "]") else {
            return nil
        }
        return start..<index + 1
    }

    /// The longest word of a kind, and how many digits it may have.
    private static let wordMax = 14
    private static let digitMax = 2

    /// Whether it is made of words as kinds are: a key in brackets is no placeholder.
    private static func isKind(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.count(where: ASCII.isDigit) <= digitMax
            && name.split(separator: 95).allSatisfy { $0.count <= wordMax }
    }

    /// The placeholders that touch `range`.
    static func touching(
        _ range: Range<Int>, in text: UnsafeBufferPointer<UInt8>
    ) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var index = max(0, range.lowerBound - kindMax - ordinalMax)
        while index < range.upperBound {
            if text[index] == UInt8(ascii: "["), let found = Self.range(in: text, at: index) {
                if found.upperBound > range.lowerBound { result.append(found) }
                index = found.upperBound
            } else {
                index += 1
            }
        }
        return result
    }

    /// The lines around placeholders, as far as `reach`, joined where they meet.
    static func surroundings(
        in text: UnsafeBufferPointer<UInt8>, reach: Int
    ) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "["), let found = range(in: text, at: index) else {
                index += 1
                continue
            }
            index = found.upperBound
            var lower = found.lowerBound
            let first = max(0, lower - reach)
            while lower > first, text[lower - 1] != 10 { lower -= 1 }
            var upper = found.upperBound
            let last = min(text.count, upper + reach)
            while upper < last, text[upper] != 10 { upper += 1 }
            if let before = result.last, lower <= before.upperBound {
                result[result.count - 1] = before.lowerBound..<max(before.upperBound, upper)
            } else {
                result.append(lower..<upper)
            }
        }
        return result
    }
}
