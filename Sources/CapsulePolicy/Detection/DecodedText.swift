/// What encoded text says, and where each part of it stands.
struct DecodedText {
    var bytes: [UInt8] = []
    /// For each decoded byte the offset where its encoding begins, and at the end where the last
    /// one ends; empty where only the encoded text as a whole can be masked.
    var offsets: [Int32] = []
    /// The encoded text; offsets count from its beginning.
    var range: Range<Int>
    var isText = true

    /// The encoded form of a part of `bytes`.
    func source(of part: Range<Int>) -> Range<Int> {
        guard !offsets.isEmpty else { return range }
        return range.lowerBound + Int(offsets[part.lowerBound])..<range.lowerBound
            + Int(offsets[part.upperBound])
    }

    mutating func append(_ byte: UInt8, from offset: Int) {
        bytes.append(byte)
        offsets.append(Int32(truncatingIfNeeded: offset))
    }
}
