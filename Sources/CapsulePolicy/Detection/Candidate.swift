/// A place that should be masked, before places that overlap are settled.
struct Candidate {
    var range: Range<Int>
    let ruleID: String
    let kind: String
    let rank: RedactionRule.Rank
    /// The decoded value, where the text holds an encoded one.
    var value: [UInt8]?
    /// Whether each of its characters but the last has a zero byte behind it.
    var isWide = false
}
