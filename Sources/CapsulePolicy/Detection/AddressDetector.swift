import Glibc

/// Finds addresses of the Internet Protocol. Loopback, unspecified and broadcast addresses and
/// masks name no machine; private ranges do.
enum AddressDetector {
    /// The end of an IPv4 address that begins at `start`.
    static func ipv4(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
        if start > 0 {
            let before = text[start - 1]
            if ASCII.isWord(before) || before == 46 || before == 45 { return nil }
        }
        var octets: [Int] = []
        var index = start
        while octets.count < 4 {
            let first = index
            var value = 0
            while index < text.count, ASCII.isDigit(text[index]), index - first < 4 {
                value = value * 10 + Int(text[index]) - 48
                index += 1
            }
            let length = index - first
            guard length > 0, value <= 255, length == 1 || text[first] != 48 else { return nil }
            octets.append(value)
            if octets.count < 4 {
                guard index < text.count, text[index] == 46 else { return nil }
                index += 1
            }
        }
        if index < text.count {
            let after = text[index]
            if ASCII.isWord(after) { return nil }
            if after == 46 || after == 45, index + 1 < text.count,
                after == 46
                    ? ASCII.isAlphanumeric(text[index + 1]) : ASCII.isLetter(text[index + 1])
            {
                return nil
            }
        }
        let isNetwork = index < text.count && text[index] == UInt8(ascii: "/")
        let isVersion = octets[1] == 0 && octets[2] == 0 && octets[3] == 0 && !isNetwork
        guard octets[0] != 0, octets[0] != 127, octets[0] != 255, !isVersion,
            !followsVersion(text, start)
        else { return nil }
        return index
    }

    /// Whether the word before a number says that it is a version.
    private static func followsVersion(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        var index = start
        while index > 0, start - index < 4, !ASCII.isAlphanumeric(text[index - 1]),
            text[index - 1] != 10
        {
            index -= 1
        }
        let end = index
        while index > 0, end - index < 16, ASCII.isLetter(text[index - 1]) { index -= 1 }
        let word = String(decoding: text[index..<end].map(ASCII.lowercased), as: UTF8.self)
        return word == "v" || word == "ver" || word.hasSuffix("version") || word == "release"
            || word == "build" || word == "oid"
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        ASCII.isHex(byte) || byte == 58 || byte == 46
    }

    /// An IPv6 address around the colon at `index`, and where looking for more may go on.
    static func ipv6(
        _ text: UnsafeBufferPointer<UInt8>, at index: Int
    ) -> (range: Range<Int>?, end: Int) {
        guard index + 1 < text.count,
            ASCII.isHex(text[index + 1]) || text[index + 1] == 58,
            index > 0 && ASCII.isHex(text[index - 1]) || text[index + 1] == 58
        else { return (nil, index + 1) }
        var start = index
        while start > 0, index - start < 5, ASCII.isHex(text[start - 1]) { start -= 1 }
        var end = index
        while end < text.count, end - start < 46, isAddressByte(text[end]) { end += 1 }
        let next = end
        while end > start, text[end - 1] == 46 || (text[end - 1] == 58 && text[end - 2] != 58) {
            end -= 1
        }
        let isBounded =
            (start == 0 || !ASCII.isWord(text[start - 1]) && text[start - 1] != 46)
            && (end == text.count || !ASCII.isWord(text[end])) && end - start <= 45
        guard isBounded, isAddress(text[start..<end]) else { return (nil, next) }
        return (start..<end, next)
    }

    /// Whether the bytes are an address that names a machine, and no time or C++ name.
    private static func isAddress(_ slice: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        let groups = slice.split(separator: 58, omittingEmptySubsequences: true)
        guard groups.count >= 2, groups.allSatisfy({ $0.count <= 4 || $0.contains(46) }),
            slice.contains(where: ASCII.isDigit)
        else { return false }
        if groups.count < 8, let first = groups.first, first.count < 3 || first.contains(46) {
            // Short forms begin with a prefix in use: 2001:, 2a00:, fe80:, fd12:, 64:ff9b:.
            guard slice.elementsEqual("64:ff9b::".utf8) || first.elementsEqual("64".utf8) else {
                return false
            }
        }
        let text = String(decoding: slice, as: UTF8.self)
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }
}
