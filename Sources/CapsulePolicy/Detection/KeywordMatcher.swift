/// Finds many words at once, whatever their case: the automaton of Aho and Corasick with every
/// transition filled in, so that a byte costs one look-up.
struct KeywordMatcher: Sendable {
    /// The row of a state begins at `state`; rows are `width` wide.
    private let transitions: [UInt32]
    private let classes: [UInt8]
    /// States from here on end a word.
    private let firstAccepting: UInt32
    private let width: Int
    /// For each accepting state the words that end there, longest first.
    private let accepted: [[Int]]
    /// The lengths of the words.
    let lengths: [Int]

    init(_ words: [[UInt8]]) {
        var builder = KeywordTrie(words)
        builder.link()
        transitions = builder.transitions
        classes = builder.classes
        firstAccepting = UInt32(builder.firstAccepting * builder.width)
        width = builder.width
        accepted = builder.accepted
        lengths = words.map(\.count)
    }

    /// Calls `body` with each word that is found and the offset of its end.
    @inline(__always)
    func forEachHit(
        in text: UnsafeBufferPointer<UInt8>, _ body: (_ word: Int, _ end: Int) -> Void
    ) {
        guard !accepted.isEmpty else { return }
        transitions.withUnsafeBufferPointer { next in
            classes.withUnsafeBufferPointer { classes in
                var state: UInt32 = 0
                for index in 0..<text.count {
                    state = next[Int(state) &+ Int(classes[Int(text[index])])]
                    if state >= firstAccepting {
                        let place = (Int(state) - Int(firstAccepting)) / width
                        for word in accepted[place] { body(word, index + 1) }
                    }
                }
            }
        }
    }
}
