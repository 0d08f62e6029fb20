/// Finds personal data by its shape, and runs that may be encodings, in one pass over a text.
struct ShapeScanner {
    let text: UnsafeBufferPointer<UInt8>
    private(set) var candidates: [Candidate] = []
    private(set) var encodedRuns: [EncodedRun] = []
    /// Words that may be tokens by their length and mix.
    private(set) var tokenRuns: [Range<Int>] = []
    /// What stands before these offsets has been looked at.
    private var addressEnd = 0
    private var percentEnd = 0
    private var escapeEnd = 0
    private var numberEnd = 0

    /// What a byte may begin.
    private enum Class {
        static let other: UInt8 = 0
        static let base64: UInt8 = 1
        static let digit: UInt8 = 3
        static let trigger: UInt8 = 4
        static let digitBit: UInt8 = 2
        static let base64Bit: UInt8 = 1
    }

    private static let classes: [UInt8] = (0..<256).map { value in
        let byte = UInt8(value)
        if ASCII.isDigit(byte) { return Class.digit }
        if ASCII.isLetter(byte) || "+/-_".utf8.contains(byte) { return Class.base64 }
        return "@%\\:".utf8.contains(byte) ? Class.trigger : Class.other
    }

    init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

    /// Makes the pass. Most words are short and without digits, so nothing branches at their ends.
    mutating func scan() {
        Self.classes.withUnsafeBufferPointer { classes in
            var index = 0
            var start = 0
            var seen: UInt8 = 0
            let count = text.count
            while index < count {
                let kind = classes[Int(text[index])]
                if kind & Class.base64Bit != 0 {
                    seen |= kind
                    index += 1
                    if index < count { continue }
                }
                let isLong = index - start >= EncodedRun.base64Min
                if kind == Class.trigger || isLong || seen & Class.digitBit != 0 {
                    let end = index
                    if seen & Class.digitBit != 0 { digits(start, end) }
                    if isLong {
                        if seen & Class.digitBit != 0 { token(start, end) }
                        index = max(index, encoded(start, end))
                    }
                    if index == end, kind == Class.trigger { trigger(index) }
                    if index == end { index += 1 }
                } else {
                    index += 1
                }
                start = index
                seen = 0
            }
        }
    }

    private mutating func add(_ kind: PersonalKind, _ range: Range<Int>) {
        candidates.append(
            Candidate(
                range: range, ruleID: kind.ruleID, kind: kind.rawValue, rank: .personal))
    }

    private mutating func trigger(_ index: Int) {
        switch text[index] {
        case UInt8(ascii: "@"):
            if let range = EmailDetector.find(text, at: index) { add(.email, range) }
        case UInt8(ascii: ":"):
            guard index >= addressEnd else { return }
            let (range, end) = AddressDetector.ipv6(text, at: index)
            addressEnd = end
            if let range { add(.ipv6, range) }
        case UInt8(ascii: "%"):
            guard index >= percentEnd, index + 2 < text.count, ASCII.isHex(text[index + 1]),
                ASCII.isHex(text[index + 2])
            else { return }
            percent(index)
        default:
            guard index >= escapeEnd, index + 1 < text.count,
                "nrtu/\"\\x".utf8.contains(text[index + 1])
            else { return }
            escapes(index)
        }
    }

    // MARK: Numbers

    private mutating func digits(_ start: Int, _ end: Int) {
        var index = start
        while index < end {
            guard ASCII.isDigit(text[index]) else {
                index += 1
                continue
            }
            let first = index
            while index < text.count, ASCII.isDigit(text[index]) { index += 1 }
            number(first, index - first)
        }
    }

    /// Looks at a number by the count of its digits.
    private mutating func number(_ start: Int, _ length: Int) {
        guard start >= numberEnd else { return }
        if start > 0, text[start - 1] == UInt8(ascii: "+") {
            if let end = NumberDetector.phone(text, plus: start - 1) {
                add(.phone, start - 1..<end)
                numberEnd = end
            }
            return
        }
        let end = start + length
        if length <= 3, end < text.count, text[end] == UInt8(ascii: ".") {
            if let end = AddressDetector.ipv4(text, at: start) {
                add(.ipv4, start..<end)
                numberEnd = end
            }
            return
        }
        if length == 3, start > 0, text[start - 1] == UInt8(ascii: "("),
            let end = NumberDetector.areaCode(text, at: start)
        {
            add(.phone, start - 1..<end)
            numberEnd = end
            return
        }
        if length == 4 || (13...19).contains(length),
            let end = NumberDetector.card(text, at: start, length)
        {
            add(.card, start..<end)
            numberEnd = end
            return
        }
        if length >= 2, start >= 2, ASCII.isLetter(text[start - 1]) {
            if let end = NumberDetector.iban(text, at: start - 2) {
                add(.iban, start - 2..<end)
                numberEnd = end
            } else if length == 2, let end = NumberDetector.codiceFiscale(text, at: start - 6) {
                add(.codiceFiscale, start - 6..<end)
                numberEnd = end
            }
        }
    }

    // MARK: Tokens

    /// Notes a word if a part of it is as long as that of a token, or mixes as much.
    private mutating func token(_ start: Int, _ end: Int) {
        guard (Self.tokenMin...Self.tokenMax).contains(end - start) else { return }
        var (part, hasDigit, longest) = (0, false, 0)
        var kinds: UInt8 = 0
        var isHex = true
        for index in start..<end {
            let byte = text[index]
            guard ASCII.isAlphanumeric(byte) else {
                (part, hasDigit, isHex) = (0, false, false)
                continue
            }
            part += 1
            isHex = isHex && ASCII.isHex(byte)
            if ASCII.isDigit(byte) {
                hasDigit = true
                kinds |= 1
            } else {
                kinds |= ASCII.isUpper(byte) ? 2 : 4
            }
            if hasDigit, part > longest { longest = part }
        }
        if longest == end - start ? kinds == 7 || !isHex : longest >= 18 || kinds == 7 {
            tokenRuns.append(start..<end)
        }
    }

    private static let tokenMin = 20
    private static let tokenMax = 400

    // MARK: Encodings

    /// Notes a run of base64 or hexadecimal with the lines that go on with it; returns its end.
    private mutating func encoded(_ start: Int, _ end: Int) -> Int {
        var end = end
        if end - start >= EncodedRun.hexadecimalMin, ASCII.isHex(text[start]) {
            var index = start
            while index < end, ASCII.isHex(text[index]) { index += 1 }
            if index == end {
                encodedRuns.append(EncodedRun(encoding: .hexadecimal, range: start..<end))
                return end
            }
        }
        let width = end - start
        var next = end
        while width >= 40, let line = nextLine(next, width) {
            next = line.upperBound
            end = next
            if line.count < width { break }
        }
        while end < text.count, text[end] == UInt8(ascii: "="), end - next < 2 { end += 1 }
        encodedRuns.append(EncodedRun(encoding: .base64, range: start..<end))
        return end
    }

    /// A line of base64 after a line's end, as long as the one before or shorter.
    private func nextLine(_ end: Int, _ width: Int) -> Range<Int>? {
        var index = end
        if index < text.count, text[index] == 13 { index += 1 }
        guard index < text.count, text[index] == 10 else { return nil }
        index += 1
        while index < text.count, text[index] == 32 || text[index] == 9, index - end < 40 {
            index += 1
        }
        let start = index
        while index < text.count, index - start <= width,
            Self.classes[Int(text[index])] & Class.base64Bit != 0
        {
            index += 1
        }
        let follows =
            index == text.count || text[index] == 10 || text[index] == 13
            || text[index] == UInt8(ascii: "=") || text[index] == UInt8(ascii: "\"")
        return follows && index - start > 0 && index - start <= width ? start..<index : nil
    }

    private static let urlBytes: [Bool] = (0..<256).map { value in
        ASCII.isAlphanumeric(UInt8(value)) || "-._~%+&=/:?#@!$'()*;,".utf8.contains(UInt8(value))
    }

    private mutating func percent(_ index: Int) {
        var start = index
        let first = max(percentEnd, index - 4096)
        while start > first, Self.urlBytes[Int(text[start - 1])] { start -= 1 }
        var end = index
        while end < text.count, Self.urlBytes[Int(text[end])] { end += 1 }
        percentEnd = end
        encodedRuns.append(EncodedRun(encoding: .percent, range: start..<end))
    }

    private mutating func escapes(_ index: Int) {
        var start = index
        while start > escapeEnd, text[start - 1] != 10 { start -= 1 }
        var end = index
        while end < text.count, text[end] != 10 { end += 1 }
        escapeEnd = end
        encodedRuns.append(EncodedRun(encoding: .escapes, range: start..<end))
    }
}
