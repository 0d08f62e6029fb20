/// One escape of a JSON string, or of a language that writes them likewise.
struct JSONEscape {
    /// What it stands for, in UTF-8.
    let bytes: [UInt8]
    /// The bytes that it takes.
    let length: Int

    /// Reads the escape whose backslash is at `index`.
    init(_ text: UnsafeBufferPointer<UInt8>, at index: Int, end: Int) {
        guard index + 1 < end else {
            (bytes, length) = ([text[index]], 1)
            return
        }
        if let byte = Self.simple(text[index + 1]) {
            (bytes, length) = ([byte], 2)
            return
        }
        switch text[index + 1] {
        case UInt8(ascii: "u"):
            guard let first = Self.unit(text, index + 2, 4, end) else {
                (bytes, length) = ([UInt8(ascii: "\\")], 1)
                return
            }
            if first & 0xfc00 == 0xd800, index + 7 < end, text[index + 6] == UInt8(ascii: "\\"),
                text[index + 7] == UInt8(ascii: "u"),
                let second = Self.unit(text, index + 8, 4, end), second & 0xfc00 == 0xdc00
            {
                bytes = Self.utf8(0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff))
                length = 12
            } else {
                (bytes, length) = (Self.utf8(first), 6)
            }
        case UInt8(ascii: "x"):
            guard let byte = Self.unit(text, index + 2, 2, end) else {
                (bytes, length) = ([UInt8(ascii: "\\")], 1)
                return
            }
            (bytes, length) = ([UInt8(byte)], 4)
        default: (bytes, length) = ([UInt8(ascii: "\\")], 1)
        }
    }

    /// What a backslash and one byte stand for, if that byte ends the escape.
    @inline(__always)
    static func simple(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        default: byte < 0x80 && !ASCII.isAlphanumeric(byte) ? byte : nil
        }
    }

    private static func unit(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ digits: Int, _ end: Int
    ) -> UInt32? {
        guard start + digits <= end else { return nil }
        var value: UInt32 = 0
        for index in start..<start + digits {
            guard let digit = ASCII.hexValue(text[index]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private static func utf8(_ value: UInt32) -> [UInt8] {
        Array(String(Unicode.Scalar(value) ?? "\u{fffd}").utf8)
    }
}
