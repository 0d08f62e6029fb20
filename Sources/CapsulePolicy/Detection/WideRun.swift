/// A run of ASCII characters with a zero byte between them: UTF-16, wherever it begins.
struct WideRun {
    /// The characters.
    let text: [UInt8]
    private let start: Int

    /// Shorter ones hold nothing.
    private static let countMin = 8

    /// The bytes that some of its characters take.
    func range(of part: Range<Int>) -> Range<Int> {
        // The last character's zero may belong to what follows, in the other byte order.
        start + 2 * part.lowerBound..<start + 2 * part.upperBound - 1
    }

    /// Characters as they stand in such a run.
    static func bytes(of characters: [UInt8]) -> [UInt8] {
        Array(characters.map { [$0] }.joined(separator: [0]))
    }

    /// All runs in a text.
    static func all(in text: [UInt8]) -> [WideRun] {
        guard text.contains(0) else { return [] }
        var runs: [WideRun] = []
        var index = 0
        while index < text.count {
            var characters: [UInt8] = []
            var place = index
            while place < text.count, text[place] != 0, text[place] < 0x80 {
                characters.append(text[place])
                guard place + 1 < text.count, text[place + 1] == 0 else { break }
                place += 2
            }
            if characters.count >= countMin {
                runs.append(WideRun(text: characters, start: index))
                index += 2 * characters.count - 1
            } else {
                index += 1
            }
        }
        return runs
    }
}
