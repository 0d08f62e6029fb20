/// Finds many words at once, whatever their case: the automaton of Aho and Corasick with every
/// transition filled in, so that a byte costs one look-up.
struct KeywordMatcher: Sendable {
    /// The table, in numbers as small as its states allow: small tables stay near the core.
    private enum Transitions {
        case narrow([UInt16])
        case wide([UInt32])
    }

    /// The row of a state begins at the state shifted by `shift`.
    private let transitions: Transitions
    private let classes: [UInt8]
    /// States from here on end a word.
    private let firstAccepting: Int
    private let shift: Int
    /// For each accepting state the words that end there, longest first.
    private let accepted: [[Int]]
    /// The lengths of the words.
    let lengths: [Int]
    private let lengthMax: Int

    init(_ words: [[UInt8]]) {
        var builder = KeywordTrie(words)
        builder.link()
        transitions =
            builder.stateCount <= 1 << 16
            ? .narrow(builder.table()) : .wide(builder.table())
        classes = builder.classes
        firstAccepting = builder.firstAccepting
        shift = builder.shift
        accepted = builder.accepted
        lengths = words.map(\.count)
        lengthMax = lengths.max() ?? 0
    }

    /// Calls `body` with each word that is found and the offset of its end, by offset.
    @inline(__always)
    func forEachHit(
        in text: UnsafeBufferPointer<UInt8>, _ body: (_ word: Int, _ end: Int) -> Void
    ) {
        guard !accepted.isEmpty else { return }
        var hits: [Hit] = []
        var start = 0
        while start < text.count {
            let end = min(text.count, start + Self.blockSize)
            switch transitions {
            case .narrow(let table): find(&hits, table, text, start..<end)
            case .wide(let table): find(&hits, table, text, start..<end)
            }
            for hit in hits {
                for word in accepted[Int(hit.state) - firstAccepting] { body(word, hit.end) }
            }
            hits.removeAll(keepingCapacity: true)
            start = end
        }
    }

    /// A place where words end.
    private struct Hit {
        var state: UInt32
        var end: Int
    }

    /// So much of a text is looked at before its words are told.
    private static let blockSize = 32 << 10
    /// Blocks from this size on are looked at in four places at once: a look-up depends on the one
    /// before, and waits for memory.
    private static let lanesMin = 1 << 10

    private func find<Number: FixedWidthInteger>(
        _ hits: inout [Hit], _ table: [Number], _ text: UnsafeBufferPointer<UInt8>,
        _ block: Range<Int>
    ) {
        table.withUnsafeBufferPointer { next in
            classes.withUnsafeBufferPointer { classes in
                if block.count < Self.lanesMin {
                    var lane = lane(block)
                    run(&lane, to: block.upperBound, &hits, next, classes, text)
                } else {
                    findInLanes(&hits, next, classes, text, block)
                }
            }
        }
    }

    /// One of several searches. It begins before its part, where a word may begin that ends there.
    private struct Lane {
        var state = 0
        var index: Int
        /// What ends here or before is found by the lane before.
        let first: Int
    }

    private func lane(_ part: Range<Int>) -> Lane {
        Lane(index: max(0, part.lowerBound - lengthMax + 1), first: part.lowerBound)
    }

    @inline(__always)
    private func step<Number: FixedWidthInteger>(
        _ lane: inout Lane, _ hits: inout [Hit], _ next: UnsafeBufferPointer<Number>,
        _ classes: UnsafeBufferPointer<UInt8>, _ text: UnsafeBufferPointer<UInt8>
    ) {
        let place = lane.state &<< shift &+ Int(classes[Int(text[lane.index])])
        lane.state = Int(truncatingIfNeeded: next[place])
        lane.index &+= 1
        if lane.state >= firstAccepting, lane.index > lane.first {
            hits.append(Hit(state: UInt32(truncatingIfNeeded: lane.state), end: lane.index))
        }
    }

    @inline(__always)
    private func run<Number: FixedWidthInteger>(
        _ lane: inout Lane, to end: Int, _ hits: inout [Hit],
        _ next: UnsafeBufferPointer<Number>, _ classes: UnsafeBufferPointer<UInt8>,
        _ text: UnsafeBufferPointer<UInt8>
    ) {
        while lane.index < end { step(&lane, &hits, next, classes, text) }
    }

    private func findInLanes<Number: FixedWidthInteger>(
        _ hits: inout [Hit], _ next: UnsafeBufferPointer<Number>,
        _ classes: UnsafeBufferPointer<UInt8>, _ text: UnsafeBufferPointer<UInt8>,
        _ block: Range<Int>
    ) {
        let part = block.count / 4
        let bounds = (0..<4).map { block.lowerBound + $0 * part } + [block.upperBound]
        var (one, two) = (lane(bounds[0]..<bounds[1]), lane(bounds[1]..<bounds[2]))
        var (three, four) = (lane(bounds[2]..<bounds[3]), lane(bounds[3]..<bounds[4]))
        var (twos, threes, fours): ([Hit], [Hit], [Hit]) = ([], [], [])
        for _ in 0..<part {
            step(&one, &hits, next, classes, text)
            step(&two, &twos, next, classes, text)
            step(&three, &threes, next, classes, text)
            step(&four, &fours, next, classes, text)
        }
        run(&one, to: bounds[1], &hits, next, classes, text)
        run(&two, to: bounds[2], &twos, next, classes, text)
        run(&three, to: bounds[3], &threes, next, classes, text)
        run(&four, to: bounds[4], &fours, next, classes, text)
        hits += twos
        hits += threes
        hits += fours
    }
}
