/// The strings and the numbers of a JSON document (RFC 8259), checked as far as masking needs.
struct JSONTokens {
    /// What stands between the structure's characters.
    struct Token {
        let range: Range<Int>
        /// Whether it is a string; its range is then within the quotes.
        let isString: Bool
    }

    private(set) var tokens: [Token] = []
    private var index = 0
    private let text: UnsafeBufferPointer<UInt8>
    /// For each open array or object the byte that closes it.
    private var open: [UInt8] = []

    /// Documents nested deeper than this are masked as text.
    private static let depthMax = 4096

    /// Reads one document; nil where the bytes are none.
    init?(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        var wantsValue = true
        while true {
            skipSpace()
            if wantsValue {
                guard let isOpened = value() else { return nil }
                wantsValue = isOpened
            } else if let closing = open.last {
                guard let byte = next() else { return nil }
                if byte == closing {
                    open.removeLast()
                } else {
                    guard byte == UInt8(ascii: ","), closing == UInt8(ascii: "]") || key() else {
                        return nil
                    }
                    wantsValue = true
                }
            } else {
                guard index == text.count else { return nil }
                return
            }
        }
    }

    private mutating func skipSpace() {
        while index < text.count, [32, 9, 10, 13].contains(text[index]) { index += 1 }
    }

    private mutating func next() -> UInt8? {
        guard index < text.count else { return nil }
        index += 1
        return text[index - 1]
    }

    /// Reads a value, or the beginning of an array or object; whether a value is to follow.
    private mutating func value() -> Bool? {
        guard index < text.count else { return nil }
        switch text[index] {
        case UInt8(ascii: "\""): return string() ? false : nil
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            guard open.count < Self.depthMax else { return nil }
            let isObject = text[index] == UInt8(ascii: "{")
            let closing = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
            index += 1
            skipSpace()
            if index < text.count, text[index] == closing {
                index += 1
                return false
            }
            open.append(closing)
            if isObject { return key() ? true : nil }
            return true
        case UInt8(ascii: "t"): return word("true") ? false : nil
        case UInt8(ascii: "f"): return word("false") ? false : nil
        case UInt8(ascii: "n"): return word("null") ? false : nil
        default: return number() ? false : nil
        }
    }

    private mutating func key() -> Bool {
        skipSpace()
        guard index < text.count, text[index] == UInt8(ascii: "\""), string() else { return false }
        skipSpace()
        return next() == UInt8(ascii: ":")
    }

    private mutating func word(_ word: StaticString) -> Bool {
        let end = index + word.utf8CodeUnitCount
        guard end <= text.count,
            text[index..<end].elementsEqual(
                UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        else { return false }
        index = end
        return true
    }

    private mutating func string() -> Bool {
        index += 1
        let start = index
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") {
                tokens.append(Token(range: start..<index, isString: true))
                index += 1
                return true
            }
            guard byte >= 32 else { return false }
            index += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return false
    }

    private mutating func number() -> Bool {
        let start = index
        while index < text.count,
            ASCII.isDigit(text[index]) || "+-.eE".utf8.contains(text[index])
        {
            index += 1
        }
        guard index > start, text[start..<index].contains(where: ASCII.isDigit) else {
            return false
        }
        tokens.append(Token(range: start..<index, isString: false))
        return true
    }
}
