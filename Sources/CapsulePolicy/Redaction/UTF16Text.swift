/// UTF-16, which is masked as UTF-8 and given back as it came.
enum UTF16Text {
    /// The order of the bytes of a unit.
    enum Order: Sendable {
        case little
        case big
    }

    private static func units(_ bytes: ArraySlice<UInt8>, _ order: Order) -> [UInt16] {
        stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2).map { index in
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            return order == .little ? second << 8 | first : first << 8 | second
        }
    }

    /// The text in UTF-8; half a pair of surrogates becomes U+FFFD, an odd byte at the end is lost.
    static func utf8(_ bytes: ArraySlice<UInt8>, _ order: Order) -> [UInt8] {
        Array(String(decoding: units(bytes, order), as: UTF16.self).utf8)
    }

    /// The offset in UTF-16 of each of the ascending offsets in the UTF-8 of the same text.
    static func offsets(of places: [Int], in utf8: [UInt8]) -> [Int] {
        var result: [Int] = []
        var (index, bytes) = (0, 0)
        for place in places {
            while index < place {
                let byte = utf8[index]
                if byte & 0xc0 != 0x80 { bytes += byte >= 0xf0 ? 4 : 2 }
                index += 1
            }
            result.append(bytes)
        }
        return result
    }

    /// The text in UTF-16.
    static func encode(_ utf8: [UInt8], _ order: Order) -> [UInt8] {
        String(decoding: utf8, as: UTF8.self).utf16.flatMap { unit in
            let (high, low) = (UInt8(unit >> 8), UInt8(truncatingIfNeeded: unit))
            return order == .little ? [low, high] : [high, low]
        }
    }
}
