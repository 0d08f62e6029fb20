/// Builds the automaton of `KeywordMatcher`.
struct KeywordTrie {
    private(set) var classes = [UInt8](repeating: 0, count: 256)
    private var width = 1
    /// How many states there are.
    var stateCount: Int { children.count }
    /// A row of the table has `1 << shift` places.
    var shift: Int { Int.bitWidth - (width - 1).leadingZeroBitCount }
    /// The states in the order of their numbers, and the number of each.
    private var sorted: [Int] = []
    private var numbers: [Int] = []
    private(set) var firstAccepting = 0
    private(set) var accepted: [[Int]] = []

    /// For each state its children by class, and the words that end there.
    private var children: [[Int]] = []
    private var words: [[Int]] = []

    init(_ keywords: [[UInt8]]) {
        for byte in keywords.joined() where classes[Int(byte)] == 0 {
            classes[Int(byte)] = UInt8(width)
            if ASCII.isLetter(byte) { classes[Int(byte ^ 32)] = UInt8(width) }
            width += 1
        }
        addState()
        for (number, keyword) in keywords.enumerated() where !keyword.isEmpty {
            var state = 0
            for byte in keyword {
                let column = Int(classes[Int(byte)])
                if children[state][column] < 0 {
                    children[state][column] = children.count
                    addState()
                }
                state = children[state][column]
            }
            words[state].append(number)
        }
    }

    private mutating func addState() {
        children.append([Int](repeating: -1, count: width))
        words.append([])
    }

    /// Fills in where a byte leads that continues no word, breadth first, and numbers the states
    /// that end a word last.
    mutating func link() {
        var order: [Int] = []
        var suffix = [Int](repeating: 0, count: children.count)
        for column in 0..<width {
            let child = children[0][column]
            if child < 0 { children[0][column] = 0 } else { order.append(child) }
        }
        var place = 0
        while place < order.count {
            let state = order[place]
            place += 1
            words[state] += words[suffix[state]]
            for column in 0..<width {
                let child = children[state][column]
                let fallback = children[suffix[state]][column]
                if child < 0 {
                    children[state][column] = fallback
                } else {
                    suffix[child] = fallback
                    order.append(child)
                }
            }
        }
        let all = [0] + order
        sorted = all.filter { words[$0].isEmpty } + all.filter { !words[$0].isEmpty }
        numbers = [Int](repeating: 0, count: children.count)
        for (number, state) in sorted.enumerated() { numbers[state] = number }
        firstAccepting = sorted.firstIndex { !words[$0].isEmpty } ?? sorted.count
        accepted = sorted[firstAccepting...].map { words[$0] }
    }

    /// The number of the next state by state and class.
    func table<Number: FixedWidthInteger>() -> [Number] {
        var table = [Number](repeating: 0, count: sorted.count << shift)
        for (number, state) in sorted.enumerated() {
            for (column, child) in children[state].enumerated() {
                table[number << shift + column] = Number(numbers[child])
            }
        }
        return table
    }
}
