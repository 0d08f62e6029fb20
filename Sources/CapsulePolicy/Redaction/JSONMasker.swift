/// Masks a JSON document so that it stays one: placeholders stand within strings, and a number of
/// which a part is to be masked becomes a string.
struct JSONMasker {
    private let text: UnsafeBufferPointer<UInt8>
    private let tokens: [JSONTokens.Token]

    init?(_ text: UnsafeBufferPointer<UInt8>) {
        guard let tokens = JSONTokens(text) else { return nil }
        self.text = text
        self.tokens = tokens.tokens
    }

    /// What to put where, ascending. A place that spans tokens is masked in each of them.
    func replacements(
        _ places: [Candidate], _ placeholder: (Candidate) -> [UInt8]
    ) -> [(range: Range<Int>, bytes: [UInt8])] {
        var result: [(range: Range<Int>, bytes: [UInt8])] = []
        var first = 0
        for place in places {
            while first < tokens.count, tokens[first].range.upperBound <= place.range.lowerBound {
                first += 1
            }
            var bytes: [UInt8]?
            var number = first
            while number < tokens.count, tokens[number].range.lowerBound < place.range.upperBound {
                let token = tokens[number]
                number += 1
                guard !token.range.isEmpty else { continue }
                let mask = bytes ?? placeholder(place)
                bytes = mask
                if token.isString {
                    let range = wholeEscapes(place.range.clamped(to: token.range), token.range)
                    let start = max(range.lowerBound, result.last?.range.upperBound ?? 0)
                    if start < range.upperBound { result.append((start..<range.upperBound, mask)) }
                } else if (result.last?.range.upperBound ?? 0) <= token.range.lowerBound {
                    let quote = UInt8(ascii: "\"")
                    result.append((token.range, [quote] + mask + [quote]))
                }
            }
        }
        return result
    }

    /// Takes in the whole of an escape that the range cuts.
    private func wholeEscapes(_ range: Range<Int>, _ token: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        if let start = escape(over: lower, token) { lower = start.lowerBound }
        if let end = escape(over: upper, token) { upper = end.upperBound }
        return lower..<upper
    }

    /// The escape that `place` stands within, and not at the beginning of.
    private func escape(over place: Int, _ token: Range<Int>) -> Range<Int>? {
        // An escape has up to six bytes; a backslash begins one if an even number stands before it.
        for start in max(token.lowerBound, place - 5)..<max(token.lowerBound + 1, place)
        where start < place && text[start] == UInt8(ascii: "\\") {
            var slashes = 0
            while start - slashes > token.lowerBound,
                text[start - slashes - 1] == UInt8(ascii: "\\")
            {
                slashes += 1
            }
            guard slashes.isMultiple(of: 2), start + 1 < token.upperBound else { continue }
            let length = text[start + 1] == UInt8(ascii: "u") ? 6 : 2
            let end = min(start + length, token.upperBound)
            if place < end { return start..<end }
        }
        return nil
    }
}
