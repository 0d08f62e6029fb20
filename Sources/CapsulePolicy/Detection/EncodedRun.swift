/// A run of characters that may be an encoding of other text.
struct EncodedRun {
    /// The encodings that are looked into.
    enum Encoding {
        case base64
        case hexadecimal
        case percent
        /// The escapes of JSON strings, most of which C and others share.
        case escapes
    }

    let encoding: Encoding
    let range: Range<Int>

    /// A run of base64 shorter than this holds nothing worth decoding.
    static let base64Min = 16
    static let hexadecimalMin = 24
    /// So many decoded bytes tell text from numbers and names.
    private static let sampleSize = 12
    /// Base64 of this length is searched for tokens even when what it holds is no text.
    private static let binaryMin = 64

    /// What the run may say; nothing when it is no encoding after all.
    func decode(_ text: UnsafeBufferPointer<UInt8>) -> [DecodedText] {
        switch encoding {
        case .base64: base64(text)
        case .hexadecimal: hexadecimal(text)
        case .percent: [percent(text)]
        case .escapes: [escapes(text)]
        }
    }

    // MARK: Base64

    /// Six bits, or a mark: 64 for the end, 65 for what is skipped.
    private static let base64Values: [UInt8] = {
        var table = [UInt8](repeating: 65, count: 256)
        let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
        for (value, digit) in digits.enumerated() { table[Int(digit)] = UInt8(value) }
        table[Int(UInt8(ascii: "-"))] = 62
        table[Int(UInt8(ascii: "_"))] = 63
        table[Int(UInt8(ascii: "="))] = 64
        return table
    }()

    private func base64(_ text: UnsafeBufferPointer<UInt8>) -> [DecodedText] {
        for start in starts(text) {
            let sample = Self.base64(text, start..<min(start + 16, range.upperBound))
            guard Self.looksLikeText(sample) else { continue }
            let bytes = Self.base64(text, start..<range.upperBound)
            guard bytes.count >= Self.sampleSize else { continue }
            return Self.readable(bytes, start..<range.upperBound)
        }
        guard range.count >= Self.binaryMin else { return [] }
        return [DecodedText(bytes: Self.base64(text, range), range: range, isText: false)]
    }

    /// The beginning, and what follows a separator: base64 often stands at the end of a path.
    private func starts(_ text: UnsafeBufferPointer<UInt8>) -> [Int] {
        var result = [range.lowerBound]
        for index in range.prefix(256) {
            let byte = text[index]
            let isSeparator =
                byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            if isSeparator, range.upperBound - index > Self.base64Min {
                result.append(index + 1)
                if result.count == 6 { break }
            }
        }
        return result
    }

    private static func base64(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
    ) -> [UInt8] {
        let capacity = range.count / 4 * 3 + 3
        return [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
            base64Values.withUnsafeBufferPointer { values in
                var bits: UInt32 = 0
                var held = 0
                for index in range {
                    let value = values[Int(text[index])]
                    if value >= 64 {
                        if value == 64 { break }
                        continue
                    }
                    bits = bits << 6 | UInt32(value)
                    held += 1
                    if held == 4 {
                        target[count] = UInt8(truncatingIfNeeded: bits >> 16)
                        target[count + 1] = UInt8(truncatingIfNeeded: bits >> 8)
                        target[count + 2] = UInt8(truncatingIfNeeded: bits)
                        count += 3
                        held = 0
                    }
                }
                if held == 3 {
                    target[count] = UInt8(truncatingIfNeeded: bits >> 10)
                    target[count + 1] = UInt8(truncatingIfNeeded: bits >> 2)
                    count += 2
                } else if held == 2 {
                    target[count] = UInt8(truncatingIfNeeded: bits >> 4)
                    count += 1
                }
            }
        }
    }

    // MARK: Hexadecimal

    private func hexadecimal(_ text: UnsafeBufferPointer<UInt8>) -> [DecodedText] {
        let sample = Self.hexadecimal(
            text, range.lowerBound..<range.lowerBound + 2 * Self.sampleSize)
        guard Self.looksLikeText(sample) else { return [] }
        return Self.readable(Self.hexadecimal(text, range), range)
    }

    private static func hexadecimal(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count / 2)
        for index in stride(from: range.lowerBound, to: range.upperBound - 1, by: 2) {
            guard let high = ASCII.hexValue(text[index]),
                let low = ASCII.hexValue(text[index + 1])
            else { break }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    // MARK: What decoded bytes are

    private static func looksLikeText(_ sample: [UInt8]) -> Bool {
        guard sample.count >= sampleSize - 1 else { return false }
        return sample.allSatisfy { ASCII.isText($0) || $0 >= 0x80 || $0 == 0 }
            && sample.count { $0 >= 0x80 } <= sample.count / 3
    }

    /// The text of decoded bytes, which may be UTF-16.
    private static func readable(_ bytes: [UInt8], _ range: Range<Int>) -> [DecodedText] {
        let sample = bytes.prefix(64)
        if sample.count(where: { $0 == 0 }) * 3 >= sample.count {
            let order: UTF16Text.Order = bytes[0] == 0 ? .big : .little
            return [DecodedText(bytes: UTF16Text.utf8(bytes[...], order), range: range)]
        }
        let isText = bytes.count { !ASCII.isText($0) && $0 < 0x80 } * 20 <= bytes.count
        return [DecodedText(bytes: bytes, range: range, isText: isText)]
    }

    // MARK: Percent and escapes

    private func percent(_ text: UnsafeBufferPointer<UInt8>) -> DecodedText {
        var result = DecodedText(range: range)
        var index = range.lowerBound
        while index < range.upperBound {
            let offset = index - range.lowerBound
            if text[index] == UInt8(ascii: "%"), index + 2 < range.upperBound,
                let high = ASCII.hexValue(text[index + 1]),
                let low = ASCII.hexValue(text[index + 2])
            {
                result.append(high << 4 | low, from: offset)
                index += 3
            } else {
                result.append(text[index], from: offset)
                index += 1
            }
        }
        result.offsets.append(Int32(truncatingIfNeeded: range.count))
        return result
    }

    private func escapes(_ text: UnsafeBufferPointer<UInt8>) -> DecodedText {
        var result = DecodedText(range: range)
        result.offsets = [Int32](unsafeUninitializedCapacity: range.count + 1) { offsets, count in
            result.bytes = [UInt8](unsafeUninitializedCapacity: range.count) { bytes, size in
                size = unescape(text, bytes, offsets)
                count = size + 1
            }
        }
        return result
    }

    /// Writes what the escapes stand for and where it stands; no escape stands for more bytes than
    /// it takes. Returns how many bytes there are.
    private func unescape(
        _ text: UnsafeBufferPointer<UInt8>, _ bytes: UnsafeMutableBufferPointer<UInt8>,
        _ offsets: UnsafeMutableBufferPointer<Int32>
    ) -> Int {
        let backslash = UInt8(ascii: "\\")
        var count = 0
        var index = range.lowerBound
        while index < range.upperBound {
            let offset = Int32(truncatingIfNeeded: index - range.lowerBound)
            let byte = text[index]
            if byte != backslash {
                bytes[count] = byte
                offsets[count] = offset
                count += 1
                index += 1
            } else if index + 1 < range.upperBound, let byte = JSONEscape.simple(text[index + 1]) {
                bytes[count] = byte
                offsets[count] = offset
                count += 1
                index += 2
            } else {
                let escape = JSONEscape(text, at: index, end: range.upperBound)
                for byte in escape.bytes {
                    bytes[count] = byte
                    offsets[count] = offset
                    count += 1
                }
                index += escape.length
            }
        }
        offsets[count] = Int32(truncatingIfNeeded: range.count)
        return count
    }
}
