/// Room for the windows of every rule, which scans of encoded text use one after the other.
final class ScanScratch {
    private let count: Int
    private var spare: [[Range<Int>]]?

    init(count: Int) { self.count = count }

    /// A list of windows for each rule, all empty.
    func take() -> [[Range<Int>]] {
        defer { spare = nil }
        return spare ?? [[Range<Int>]](repeating: [], count: count)
    }

    /// Gives the lists back, empty again.
    func give(_ windows: inout [[Range<Int>]]) {
        spare = windows
        windows = []
    }
}
