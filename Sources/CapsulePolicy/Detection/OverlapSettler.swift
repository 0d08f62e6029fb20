/// Turns candidates that overlap into findings that do not.
struct OverlapSettler {
    let text: UnsafeBufferPointer<UInt8>

    /// What is left of a finding beside placeholders is masked only if it is as long as this.
    private static let remainderMin = 6

    /// The places to mask, ascending: where candidates overlap, all they cover, under the kind of
    /// the most specific one, and among equals of the longest.
    func settle(_ candidates: [Candidate]) -> [Candidate] {
        let whole = candidates.flatMap(withoutPlaceholders).sorted {
            ($0.range.lowerBound, -$0.range.upperBound) < (
                $1.range.lowerBound, -$1.range.upperBound
            )
        }
        var result: [Candidate] = []
        for candidate in whole {
            guard var last = result.last, candidate.range.lowerBound < last.range.upperBound else {
                result.append(candidate)
                continue
            }
            let union =
                last.range.lowerBound..<max(last.range.upperBound, candidate.range.upperBound)
            let isBetter =
                (candidate.rank, candidate.range.count) > (last.rank, last.range.count)
            if isBetter {
                let value = candidate.range == union ? candidate.value : nil
                last = candidate
                last.value = value
            } else if last.range != union {
                last.value = nil
            }
            last.range = union
            result[result.count - 1] = last
        }
        return result
    }

    /// A placeholder is never a finding, nor part of one.
    private func withoutPlaceholders(_ candidate: Candidate) -> [Candidate] {
        var candidate = candidate
        candidate.range = wholeCharacters(candidate.range)
        let barriers = Placeholder.touching(candidate.range, in: text)
        if barriers.isEmpty { return [candidate] }
        var result: [Candidate] = []
        var start = candidate.range.lowerBound
        let end = candidate.range.upperBound
        for barrier in barriers + [end..<end] {
            if barrier.lowerBound - start >= Self.remainderMin {
                var part = candidate
                part.range = start..<barrier.lowerBound
                part.value = nil
                result.append(part)
            }
            start = max(start, barrier.upperBound)
        }
        return result
    }

    /// Takes in the rest of a character of UTF-8 that the range cuts.
    private func wholeCharacters(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        while lower > 0, text[lower] & 0xc0 == 0x80, range.lowerBound - lower < 3 { lower -= 1 }
        var upper = range.upperBound
        while upper < text.count, text[upper] & 0xc0 == 0x80, upper - range.upperBound < 3 {
            upper += 1
        }
        return lower..<upper
    }
}
