/// Scans one text: rules where their keywords stand, personal data by shape, and all of it again
/// in what is encoded in the text. Every pass is linear.
struct TextScanner {
    private let context: ScanContext
    private(set) var candidates: [Candidate] = []
    /// What rules know and say to be harmless, which no rule for all services may take.
    private var allowed: [Range<Int>] = []
    /// How deep within encoded text the scanner is.
    private let layer: Int
    /// The text with escapes that the text was made of, whose scan has seen what has no escapes.
    private let origin: DecodedText?

    /// Encoded text within encoded text is decoded this many times.
    static let layersMax = 3
    /// A rule that may match anywhere is run over pieces of this size, so that no pattern costs
    /// the square of a text.
    private static let pieceSize = 32 << 10
    private static let pieceOverlap = 4 << 10

    init(_ context: ScanContext, layer: Int = 0, origin: DecodedText? = nil) {
        self.context = context
        self.layer = layer
        self.origin = origin
    }

    /// Finds everything in `text`; in bytes that are no text only what rules know.
    mutating func scan(_ text: UnsafeBufferPointer<UInt8>, isText: Bool = true) {
        guard !text.isEmpty else { return }
        scanRules(text, isText: isText)
        if isText { scanShapes(text) }
    }

    // MARK: Rules

    private mutating func scanRules(_ text: UnsafeBufferPointer<UInt8>, isText: Bool) {
        let rules = context.rules
        var windows = context.scratch.take()
        defer { context.scratch.give(&windows) }
        var woken: [Int] = []
        rules.matcher.forEachHit(in: text) { word, end in
            let start = end - rules.matcher.lengths[word]
            // Most rules that share a word want it in the same place.
            var (place, answer) = (RedactionRule.KeywordPlace.anywhere, true)
            for number in rules.wakes[word] where context.isActive[number] {
                if rules.keywordPlaces[number] == .serviceName {
                    if isText { findKey(of: rules.services[word], text, start..<end, number) }
                    continue
                }
                if rules.keywordPlaces[number] != place {
                    place = rules.keywordPlaces[number]
                    answer = Self.wakes(place, text, start, end)
                }
                guard answer else { continue }
                if windows[number].isEmpty { woken.append(number) }
                Self.addWindow(
                    &windows[number], rules.rules[number].reach, text, start..<end)
            }
        }
        for number in rules.always where context.isActive[number] {
            windows[number] = [0..<text.count]
            woken.append(number)
        }
        for number in woken {
            let rule = rules.rules[number]
            if isText || rule.rank == .specific { run(rule, in: text, windows[number]) }
            windows[number].removeAll(keepingCapacity: true)
        }
    }

    /// Looks for the key of a service near its name.
    private mutating func findKey(
        of service: ServiceKey?, _ text: UnsafeBufferPointer<UInt8>, _ name: Range<Int>,
        _ number: Int
    ) {
        guard let range = service?.find(text, name: name) else { return }
        take(context.rules.rules[number], text, [range], range)
    }

    /// Whether a keyword stands where its rule wants it.
    @inline(__always)
    private static func wakes(
        _ place: RedactionRule.KeywordPlace, _ text: UnsafeBufferPointer<UInt8>, _ start: Int,
        _ end: Int
    ) -> Bool {
        switch place {
        case .anywhere: true
        case .wordStart: start == 0 || !ASCII.isWord(text[start - 1])
        case .wholeWord:
            (start == 0 || !ASCII.isLetter(text[start - 1]) || !ASCII.isLetter(text[start]))
                && (end == text.count || !ASCII.isLetter(text[end])
                    || !ASCII.isLetter(text[end - 1]))
        case .assignedName: isAssigned(text, end)
        case .beforeToken: isBeforeToken(text, end)
        case .tokenRun, .serviceName: false
        }
    }

    /// Whether one of the next words is as long as a token, longer if it has no digit.
    private static func isBeforeToken(
        _ text: UnsafeBufferPointer<UInt8>, _ end: Int
    ) -> Bool {
        var index = end
        let last = min(text.count, end + 20)
        // No token is longer, and a text may be one word to its end.
        let farthest = min(text.count, end + 600)
        while index < last {
            let start = index
            var hasDigit = false
            while index < farthest, isTokenByte(text[index]) {
                hasDigit = hasDigit || ASCII.isDigit(text[index])
                index += 1
                if index - start >= (hasDigit ? 12 : 20) { return true }
            }
            if index < text.count, text[index] == 10 { return false }
            index += 1
        }
        return false
    }

    @inline(__always)
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        ASCII.isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }

    /// Whether the name that goes on at `end` is followed by what assigns or compares.
    private static func isAssigned(_ text: UnsafeBufferPointer<UInt8>, _ end: Int) -> Bool {
        var index = end
        var last = min(text.count, end + 40)
        while index < last, ASCII.isWord(text[index]) || text[index] == 45 || text[index] == 46 {
            index += 1
        }
        last = min(text.count, index + 28)
        var hasSpace = false
        while index < last {
            switch text[index] {
            case UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "!"),
                UInt8(ascii: "("):
                return true
            case UInt8(ascii: "+"):
                return index + 1 < text.count && text[index + 1] == UInt8(ascii: "=")
            case UInt8(ascii: "|"), UInt8(ascii: "?"):
                return index + 1 < text.count && text[index + 1] == text[index]
            case UInt8(ascii: "o"):
                return hasSpace && index + 2 < text.count && text[index + 1] == UInt8(ascii: "r")
                    && text[index + 2] == 32
            case 32, 9, 10, 13: hasSpace = true
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                if hasSpace { return true }
            case UInt8(ascii: "]"), UInt8(ascii: ")"), UInt8(ascii: "`"): break
            default: return false
            }
            index += 1
        }
        return false
    }

    /// Adds the surroundings of a keyword, or joins them with the last ones.
    private static func addWindow(
        _ windows: inout [Range<Int>], _ reach: RedactionRule.Reach,
        _ text: UnsafeBufferPointer<UInt8>, _ keyword: Range<Int>
    ) {
        if let last = windows.last, last.upperBound == text.count { return }
        let window: Range<Int>
        switch reach {
        case .text: window = 0..<text.count
        case .lines(let before, let after):
            window =
                max(0, keyword.lowerBound - before)..<min(text.count, keyword.upperBound + after)
        case .line(let before, let after):
            if let last = windows.last, keyword.lowerBound < last.upperBound {
                if keyword.upperBound <= last.upperBound, text[last.upperBound] == 10 { return }
                window =
                    last
                    .lowerBound..<lineEnd(
                        text, from: max(keyword.upperBound, last.upperBound),
                        to: keyword.upperBound + after)
            } else {
                var lower = keyword.lowerBound
                let first = max(0, lower - before, windows.last?.upperBound ?? 0)
                while lower > first, text[lower - 1] != 10 { lower -= 1 }
                window =
                    lower..<lineEnd(text, from: keyword.upperBound, to: keyword.upperBound + after)
            }
        }
        if let last = windows.last, window.lowerBound <= last.upperBound {
            let joined = last.lowerBound..<max(last.upperBound, window.upperBound)
            windows[windows.count - 1] = joined
        } else {
            windows.append(window)
        }
    }

    /// The end of the line, or the limit if that comes first.
    private static func lineEnd(
        _ text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int
    ) -> Int {
        var end = start
        let last = min(text.count, limit)
        while end < last, text[end] != 10 { end += 1 }
        return end
    }

    private mutating func run(
        _ rule: RedactionRule, in text: UnsafeBufferPointer<UInt8>, _ windows: [Range<Int>]
    ) {
        guard let pattern = rule.pattern else {
            // A rule of paths only: the file as such is the secret.
            if layer == 0 { add(rule, 0..<text.count) }
            return
        }
        for var window in windows {
            // The ends of a line are seen, so that a pattern may ask for them.
            if case .line = rule.reach {
                window =
                    max(0, window.lowerBound - 1)..<min(text.count, window.upperBound + 1)
            }
            var start = window.lowerBound
            var upper = min(window.upperBound, start + Self.pieceSize)
            while start <= min(window.upperBound, upper) {
                guard
                    let groups = pattern.firstMatch(
                        in: text, start..<upper, groups: max(rule.secretGroup, 8)),
                    let whole = groups[0]
                else {
                    guard upper < window.upperBound else { break }
                    start = max(start, upper - Self.pieceOverlap)
                    upper = min(window.upperBound, start + Self.pieceSize)
                    continue
                }
                if whole.upperBound == upper, let more = longer(upper, window, rule, text),
                    more - start <= 2 * Self.pieceSize
                {
                    upper = more
                    continue
                }
                take(rule, text, groups, whole)
                start = max(whole.upperBound, whole.lowerBound + 1)
                upper = max(upper, min(window.upperBound, start + Self.pieceOverlap))
            }
        }
    }

    /// Where a match that reaches the end of what was searched may go on.
    private func longer(
        _ upper: Int, _ window: Range<Int>, _ rule: RedactionRule,
        _ text: UnsafeBufferPointer<UInt8>
    ) -> Int? {
        if upper < window.upperBound { return min(window.upperBound, upper + Self.pieceOverlap) }
        guard upper < text.count else { return nil }
        switch rule.reach {
        case .text: return nil
        case .lines: return min(text.count, upper + Self.pieceOverlap)
        case .line:
            var end = upper
            let last = min(text.count, upper + 1024)
            while end < last, text[end] != 10 { end += 1 }
            return end > upper ? end : nil
        }
    }

    private mutating func take(
        _ rule: RedactionRule, _ text: UnsafeBufferPointer<UInt8>, _ groups: [Range<Int>?],
        _ whole: Range<Int>
    ) {
        var secret = whole
        if rule.secretGroup > 0 {
            secret = groups[rule.secretGroup] ?? whole
        } else if let group = groups.dropFirst().compactMap({ $0 }).first(where: { !$0.isEmpty }) {
            secret = group
        }
        guard !secret.isEmpty else { return }
        let value = UnsafeBufferPointer(rebasing: text[secret])
        if rule.entropy > 0, Entropy.bitsPerByte(value) <= rule.entropy { return }
        if let check = rule.check, !check(value) { return }
        let match = RuleMatch(text: text, whole: whole, secret: secret)
        if rule.allowlists.contains(where: { $0.allows(match, path: context.path) }) {
            if rule.rank == .specific { allowed.append(secret) }
            return
        }
        if rule.keywordPlace == .tokenRun, allowed.contains(where: { $0.overlaps(secret) }) {
            return
        }
        if rule.rank != .personal,
            context.rules.allowlists.contains(where: {
                ($0.ruleIDs.isEmpty || $0.ruleIDs.contains(rule.id))
                    && $0.allows(match, path: context.path)
            })
        {
            return
        }
        add(rule, secret)
    }

    private mutating func add(_ rule: RedactionRule, _ range: Range<Int>) {
        candidates.append(
            Candidate(range: range, ruleID: rule.id, kind: rule.kind, rank: rule.rank))
    }

    // MARK: Shapes

    private mutating func scanShapes(_ text: UnsafeBufferPointer<UInt8>) {
        var scanner = ShapeScanner(text)
        scanner.scan()
        candidates += scanner.candidates
        scan(scanner.tokenRuns, text)
        guard layer < Self.layersMax else { return }
        for run in scanner.encodedRuns where !isSeen(run) { scan(encoded: run, text) }
    }

    /// Runs the rules that concern words as long and mixed as tokens.
    private mutating func scan(_ runs: [Range<Int>], _ text: UnsafeBufferPointer<UInt8>) {
        guard !runs.isEmpty else { return }
        for number in context.rules.ofTokenRuns where context.isActive[number] {
            let rule = context.rules.rules[number]
            var windows: [Range<Int>] = []
            for run in runs { Self.addWindow(&windows, rule.reach, text, run) }
            self.run(rule, in: text, windows)
        }
    }

    /// Whether the run stands in the text with escapes as it is, with no escape before it.
    private func isSeen(_ run: EncodedRun) -> Bool {
        guard let origin, run.range.lowerBound > 0 else { return false }
        let part = run.range.lowerBound - 1..<run.range.upperBound
        return origin.source(of: part).count == part.count
    }

    private mutating func scan(encoded run: EncodedRun, _ text: UnsafeBufferPointer<UInt8>) {
        for decoded in run.decode(text) {
            var inner = TextScanner(
                context, layer: layer + 1, origin: run.encoding == .escapes ? decoded : nil)
            let clean = TerminalText.withoutSequences(decoded.bytes) ?? decoded.bytes
            clean.withUnsafeBufferPointer { inner.scan($0, isText: decoded.isText) }
            for found in inner.candidates {
                let value = found.value ?? Array(decoded.bytes[found.range])
                candidates.append(
                    Candidate(
                        range: decoded.source(of: found.range), ruleID: found.ruleID,
                        kind: found.kind, rank: found.rank, value: value))
            }
        }
    }
}
