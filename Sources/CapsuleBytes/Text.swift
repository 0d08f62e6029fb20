/// Textual forms of bytes.
public enum Text {
    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Lower-case hexadecimal.
    public static func hex(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(hexDigits[Int(byte >> 4)])
            text.append(hexDigits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a hexadecimal text of either case, or nil.
    public static func unhex(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map(nibble)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static let base64Digits = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Base64 with padding (RFC 4648, section 4).
    public static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for index in 0..<3 {
                bits = bits << 8 | UInt32(index < group.count ? group[start + index] : 0)
            }
            for index in 0..<4 {
                let digit = base64Digits[Int(bits >> UInt32(18 - 6 * index) & 63)]
                text.append(index <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of padded base64, or nil when it is not canonical.
    public static func unbase64(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 4) else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 4) {
            var bits: UInt32 = 0
            var padding = 0
            for digit in digits[start..<start + 4] {
                if digit == UInt8(ascii: "="), start + 4 == digits.count {
                    padding += 1
                    bits <<= 6
                    continue
                }
                guard padding == 0, let value = base64Value(digit) else { return nil }
                bits = bits << 6 | value
            }
            guard padding <= 2 else { return nil }
            for index in 0..<3 - padding {
                bytes.append(UInt8(bits >> UInt32(16 - 8 * index) & 255))
            }
        }
        return base64(bytes) == text ? bytes : nil
    }

    private static func base64Value(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    /// A message of ours for a terminal: what is not printable in it came from outside.
    public static func tame(_ message: String) -> String {
        message.unicodeScalars.reduce(into: "") { result, scalar in
            if isControl(scalar), scalar != "\n" {
                for byte in String(scalar).utf8 { result += "\\x" + hex([byte]) }
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }

    /// `bytes` for a person: control characters, backslashes and invalid UTF-8 as `\xNN`.
    ///
    /// Names come from strangers; a terminal must not obey them.
    public static func escaped(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self) {
            var result = ""
            for scalar in text.unicodeScalars {
                let isPlain = scalar.value >= 0x20 && scalar != "\\" && !isControl(scalar)
                if isPlain {
                    result.unicodeScalars.append(scalar)
                } else {
                    for byte in String(scalar).utf8 { result += "\\x" + hex([byte]) }
                }
            }
            return result
        }
        var result = ""
        for byte in bytes {
            let isPlain = byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "\\")
            result += isPlain ? String(UnicodeScalar(byte)) : "\\x" + hex([byte])
        }
        return result
    }

    /// Controls, and the invisible characters that reorder or hide the text around them.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }
}
