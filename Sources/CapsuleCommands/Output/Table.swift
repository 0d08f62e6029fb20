/// Columns for people: aligned, the last one not padded.
struct Table {
    private var rows: [[String]] = []
    private let rightAligned: Set<Int>

    /// A table in which the columns with these numbers are aligned to the right.
    init(rightAligned: Set<Int> = []) { self.rightAligned = rightAligned }

    mutating func add(_ cells: String...) { rows.append(cells) }

    var lines: [String] {
        let columnCount = rows.map(\.count).max() ?? 0
        let widths = (0..<columnCount).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                if rightAligned.contains(column) { return space + cell }
                return column == row.count - 1 ? cell : cell + space
            }.joined(separator: "  ")
        }
    }

    func print() {
        for line in lines { Output.line(line) }
    }
}

/// Numbers for people.
enum Human {
    /// Bytes in the largest unit that keeps a number of at most four digits.
    static func bytes(_ count: UInt64) -> String {
        if count < 1024 { return "\(count) B" }
        var value = Double(count)
        var unit = 0
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// A mode as `ls -l` prints it.
    static func mode(_ mode: UInt32) -> String {
        let types: [UInt32: Character] = [
            0o010000: "p", 0o020000: "c", 0o040000: "d", 0o060000: "b", 0o100000: "-",
            0o120000: "l", 0o140000: "s",
        ]
        var text = String(types[mode & 0o170000] ?? "?")
        let special: [(bit: UInt32, set: Character, unset: Character)] = [
            (0o4000, "s", "S"), (0o2000, "s", "S"), (0o1000, "t", "T"),
        ]
        for (index, group) in special.enumerated() {
            let bits = mode >> UInt32(6 - 3 * index) & 7
            text.append(bits & 4 != 0 ? "r" : "-")
            text.append(bits & 2 != 0 ? "w" : "-")
            let runs = bits & 1 != 0
            if mode & group.bit != 0 {
                text.append(runs ? group.set : group.unset)
            } else {
                text.append(runs ? "x" : "-")
            }
        }
        return text
    }
}
