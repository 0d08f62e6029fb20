import Glibc

/// Text that was written for a terminal.
enum TerminalText {
    private static let escape: UInt8 = 0x1b
    /// The longest control sequence that is looked for, in bytes.
    private static let lengthMax = 64

    /// The text with spaces in the place of control sequences (ECMA-48, CSI), of the same length:
    /// their last letter would run into the word behind them. Nil where there are none.
    static func withoutSequences(_ text: [UInt8]) -> [UInt8]? {
        let hasEscape = text.withUnsafeBytes { bytes in
            bytes.baseAddress.map { memchr($0, Int32(escape), bytes.count) != nil } ?? false
        }
        guard hasEscape else { return nil }
        var result = text
        var index = 0
        while index < result.count {
            guard result[index] == escape else {
                index += 1
                continue
            }
            var end = index + 1
            if end < result.count, result[end] == 0x5b {
                end += 1
                let last = min(result.count, index + lengthMax)
                while end < last, (0x20...0x3f).contains(result[end]) { end += 1 }
                if end < last, (0x40...0x7e).contains(result[end]) { end += 1 }
            }
            for place in index..<end { result[place] = 0x20 }
            index = end
        }
        return result
    }
}
