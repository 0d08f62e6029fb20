import CRE2

/// A compiled pattern of RE2, which matches bytes in time linear in the text.
final class RegularExpression: @unchecked Sendable {
    // Sendable because RE2 locks the cache of its states.
    private let handle: OpaquePointer
    /// The pattern as it was written.
    let source: String
    /// The number of capturing groups.
    let groupCount: Int

    /// What one pattern and its cache of states may take.
    private static let memoryMax: Int64 = 4 << 20

    init(_ pattern: String) throws(PatternError) {
        source = pattern
        var message = [CChar](repeating: 0, count: 256)
        var pattern = Self.portable(pattern)
        let handle = pattern.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                cre2_compile(
                    text.baseAddress, text.count, Self.memoryMax, &message, message.count)
            }
        }
        guard let handle else {
            let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw PatternError(reason: String(decoding: text, as: UTF8.self))
        }
        self.handle = handle
        groupCount = Int(cre2_group_count(handle))
    }

    deinit { cre2_free(handle) }

    /// Go writes a named group as `(?<name>`, too, which this RE2 does not know yet.
    private static func portable(_ pattern: String) -> String {
        var result: [UInt8] = []
        var isEscaped = false
        let bytes = Array(pattern.utf8)
        for (index, byte) in bytes.enumerated() {
            let isName =
                !isEscaped && byte == UInt8(ascii: "<")
                && bytes[..<index].suffix(2) == [UInt8(ascii: "("), UInt8(ascii: "?")]
                && index + 1 < bytes.count && ASCII.isLetter(bytes[index + 1])
            if isName { result.append(UInt8(ascii: "P")) }
            result.append(byte)
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The first match within `bounds`: the whole of it and the first groups, nil for a group that
    /// took no part.
    func firstMatch(
        in text: UnsafeBufferPointer<UInt8>, _ bounds: Range<Int>, groups: Int
    ) -> [Range<Int>?]? {
        let count = min(groups, groupCount) + 1
        return withUnsafeTemporaryAllocation(of: Int64.self, capacity: 2 * count) { spans in
            guard let base = spans.baseAddress,
                cre2_find(
                    handle, text.baseAddress, text.count, bounds.lowerBound, bounds.upperBound,
                    base, Int32(count)) == 1
            else { return nil }
            return (0..<count).map { group in
                let first = Int(spans[2 * group])
                return first < 0 ? nil : first..<Int(spans[2 * group + 1])
            }
        }
    }

    /// Whether the pattern matches anywhere in `bytes`.
    func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var span: (Int64, Int64) = (0, 0)
        return withUnsafeMutableBytes(of: &span) { raw in
            raw.withMemoryRebound(to: Int64.self) { spans in
                guard let base = spans.baseAddress else { return false }
                return cre2_find(handle, bytes.baseAddress, bytes.count, 0, bytes.count, base, 1)
                    == 1
            }
        }
    }

    /// Whether the pattern matches anywhere in `bytes`.
    func matches(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBufferPointer { matches($0) } }
}
