/// The numbers below a count in the order of their decimal digits: 0, 1, 10, 100, 101, 11, 2 …
enum DecimalOrder {
    /// The number after `previous`, which is not the last one.
    static func next(after previous: UInt64, count: UInt64) -> UInt64 {
        if previous == 0 { return 1 }
        if previous * 10 < count { return previous * 10 }
        var number = previous + 1
        // Past the end, or past a 9: up to the shorter numbers.
        if number >= count { number = previous / 10 + 1 }
        while number.isMultiple(of: 10) { number /= 10 }
        return number
    }

    /// The number at a position, below the count.
    static func number(at position: Int, count: UInt64) -> UInt64 {
        if position == 0 { return 0 }
        var rest = UInt64(position) - 1
        var prefix: UInt64 = 1
        while true {
            let inside = descendants(of: prefix, count: count)
            if rest < inside {
                if rest == 0 { return prefix }
                rest -= 1
                prefix *= 10
            } else {
                rest -= inside
                prefix += 1
            }
        }
    }

    /// How many numbers from 1 up to the count begin with the digits of `prefix`.
    private static func descendants(of prefix: UInt64, count: UInt64) -> UInt64 {
        var (low, high) = (prefix, prefix + 1)
        var sum: UInt64 = 0
        while low < count {
            sum += min(high, count) - low
            (low, high) = (low * 10, high * 10)
        }
        return sum
    }
}
