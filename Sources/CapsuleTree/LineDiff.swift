/// The difference of two texts in the unified format (POSIX diff -u), over bytes: a text need not
/// be UTF-8.
public struct LineDiff {
    /// Lines around each change.
    private static let contextCount = 3
    /// Lines of one side above which everything counts as changed: finding the smallest difference
    /// takes the product of lines and changes.
    private static let lineCountMax = 50_000
    /// A text is none if there is a NUL in so many bytes at its beginning, as git has it.
    private static let probeLength = 8000

    private enum Edit {
        case same
        case removed
        case added
    }

    private let old: [ArraySlice<UInt8>]
    private let new: [ArraySlice<UInt8>]
    private var edits: [Edit] = []

    /// Whether this is a text.
    public static func isText(_ bytes: [UInt8]) -> Bool {
        !bytes.prefix(probeLength).contains(0)
    }

    /// Compares two texts line by line.
    public init(_ old: [UInt8], _ new: [UInt8]) {
        self.old = Self.lines(old)
        self.new = Self.lines(new)
        edits = script()
    }

    /// Lines with their line ends; the last one may have none.
    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = bytes[start...].firstIndex(of: 10).map { $0 + 1 } ?? bytes.endIndex
            lines.append(bytes[start..<end])
            start = end
        }
        return lines
    }

    private func script() -> [Edit] {
        var removed: Set<Int> = []
        var added: Set<Int> = []
        if max(old.count, new.count) > Self.lineCountMax {
            removed = Set(old.indices)
            added = Set(new.indices)
        } else {
            for change in new.difference(from: old) {
                switch change {
                case .remove(let offset, _, _): removed.insert(offset)
                case .insert(let offset, _, _): added.insert(offset)
                }
            }
        }
        var edits: [Edit] = []
        var (left, right) = (0, 0)
        while left < old.count || right < new.count {
            if removed.contains(left), left < old.count {
                edits.append(.removed)
                left += 1
            } else if added.contains(right), right < new.count {
                edits.append(.added)
                right += 1
            } else {
                edits.append(.same)
                left += 1
                right += 1
            }
        }
        return edits
    }

    /// The hunks, under lines that name both sides.
    public func unified(from oldName: [UInt8], to newName: [UInt8]) -> [UInt8] {
        var text = Array("--- ".utf8) + Self.heading(oldName)
        text += Array("\n+++ ".utf8) + Self.heading(newName) + [10]
        var next = 0
        while let first = edits[next...].firstIndex(where: { $0 != .same }) {
            let start = max(next, first - Self.contextCount)
            var last = first
            while let more = edits[(last + 1)...].firstIndex(where: { $0 != .same }),
                more - last <= 2 * Self.contextCount
            {
                last = more
            }
            let end = min(edits.count, last + 1 + Self.contextCount)
            append(start..<end, to: &text)
            next = end
        }
        return text
    }

    /// A name as diff(1) and git(1) write it above hunks: in quotes, with escapes, where a byte of
    /// it could end the name or the line; a blank in it needs a tab behind the name.
    private static func heading(_ name: [UInt8]) -> [UInt8] {
        let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        let isSpecial = { (byte: UInt8) in
            byte < 32 || byte == 127 || byte == quote || byte == backslash
        }
        guard name.contains(where: isSpecial) else {
            return name.contains(UInt8(ascii: " ")) ? name + [9] : name
        }
        var text = [quote]
        for byte in name {
            if byte == quote || byte == backslash {
                text += [backslash, byte]
            } else if isSpecial(byte) {
                text += [backslash] + [6, 3, 0].map { 48 + (byte >> $0) % 8 }
            } else {
                text.append(byte)
            }
        }
        return text + [quote]
    }

    private func append(_ range: Range<Int>, to text: inout [UInt8]) {
        let before = edits[..<range.lowerBound]
        let (left, right) = (
            before.count { $0 != .added }, before.count { $0 != .removed }
        )
        let part = edits[range]
        let (oldCount, newCount) = (part.count { $0 != .added }, part.count { $0 != .removed })
        text += Array("@@ -\(Self.span(left, oldCount)) +\(Self.span(right, newCount)) @@\n".utf8)
        var (leftLine, rightLine) = (left, right)
        for edit in part {
            switch edit {
            case .same:
                Self.append(old[leftLine], after: UInt8(ascii: " "), to: &text)
                leftLine += 1
                rightLine += 1
            case .removed:
                Self.append(old[leftLine], after: UInt8(ascii: "-"), to: &text)
                leftLine += 1
            case .added:
                Self.append(new[rightLine], after: UInt8(ascii: "+"), to: &text)
                rightLine += 1
            }
        }
    }

    /// Where lines are: an empty range is named by the line before it.
    private static func span(_ start: Int, _ count: Int) -> String {
        if count == 0 { return "\(start),0" }
        return count == 1 ? "\(start + 1)" : "\(start + 1),\(count)"
    }

    private static func append(
        _ line: ArraySlice<UInt8>, after sign: UInt8, to text: inout [UInt8]
    ) {
        text.append(sign)
        text += line
        if line.last != 10 { text += Array("\n\\ No newline at end of file\n".utf8) }
    }
}
