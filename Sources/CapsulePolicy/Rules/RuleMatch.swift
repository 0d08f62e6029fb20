/// Where a rule matched.
struct RuleMatch {
    let text: UnsafeBufferPointer<UInt8>
    let whole: Range<Int>
    let secret: Range<Int>

    /// The longest part of a line that an allow-list is compared with.
    private static let lineReach = 1024

    /// The bytes that an allow-list speaks of.
    func bytes(_ target: Allowlist.Target) -> UnsafeBufferPointer<UInt8> {
        let range =
            switch target {
            case .secret: secret
            case .match: whole
            case .line: line
            }
        return UnsafeBufferPointer(rebasing: text[range])
    }

    private var line: Range<Int> {
        var lower = whole.lowerBound
        let first = max(0, lower - Self.lineReach)
        while lower > first, text[lower - 1] != 10 { lower -= 1 }
        var upper = whole.upperBound
        let last = min(text.count, upper + Self.lineReach)
        while upper < last, text[upper] != 10 { upper += 1 }
        return lower..<upper
    }
}
