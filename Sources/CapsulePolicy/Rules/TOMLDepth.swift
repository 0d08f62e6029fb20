/// Refuses what the parser of TOML would stumble over: documents that nest without end, and control
/// characters.
///
/// A dotted key of a hundred thousand parts is a hundred thousand tables within each other, and
/// whoever takes them apart, or frees them, needs a stack as deep. Every level costs a dot or a
/// bracket outside of strings; so these are counted within one value.
struct TOMLDepth {
    /// The most dots and open brackets around a value. The schemas need no more than five.
    static let limit = 200

    private enum Place {
        case plain, comment, basic, literal, longBasic, longLiteral
    }

    private var place = Place.plain
    private var isEscaped = false
    private var line = 1
    /// How deep the value is that begins here, and how deep it was at each open bracket.
    private var levels = 0
    private var open: [Int] = []

    /// Throws for a document that may nest deeper.
    static func check(_ text: [UInt8]) throws(RedactionError) {
        var depth = TOMLDepth()
        var index = 0
        while index < text.count {
            try depth.take(text, &index)
        }
    }

    private mutating func take(_ text: [UInt8], _ index: inout Int) throws(RedactionError) {
        let byte = text[index]
        defer { index += 1 }
        if byte == UInt8(ascii: "\n") { endLine() }
        // TOML has no control characters but these, and the parser makes assumptions of that.
        guard byte >= 0x20 && byte != 0x7f || [0x09, 0x0a, 0x0d].contains(byte) else {
            throw .notTOML(line: line, reason: "a control character")
        }
        switch place {
        case .comment: return
        case .plain: try takePlain(byte, text, &index)
        case .basic, .longBasic:
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                close(byte, UInt8(ascii: "\""), .basic, text, &index)
            }
        case .literal, .longLiteral: close(byte, UInt8(ascii: "'"), .literal, text, &index)
        }
    }

    private mutating func endLine() {
        line += 1
        // A string of one line ends with it, if not as it should.
        if place == .comment || place == .basic || place == .literal { place = .plain }
        if place == .plain { levels = open.last ?? 0 }
    }

    private mutating func takePlain(
        _ byte: UInt8, _ text: [UInt8], _ index: inout Int
    ) throws(RedactionError) {
        switch byte {
        case UInt8(ascii: "#"): place = .comment
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let isBasic = byte == UInt8(ascii: "\"")
            if Self.isTriple(byte, text, index) {
                place = isBasic ? .longBasic : .longLiteral
                index += 2
            } else {
                place = isBasic ? .basic : .literal
            }
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            try deepen()
            open.append(levels)
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            _ = open.popLast()
            levels = open.last ?? 0
        case UInt8(ascii: ","): levels = open.last ?? 0
        case UInt8(ascii: "."): try deepen()
        default: break
        }
    }

    private mutating func deepen() throws(RedactionError) {
        levels += 1
        guard levels <= Self.limit else {
            throw .notTOML(line: line, reason: "it nests too deeply")
        }
    }

    private mutating func close(
        _ byte: UInt8, _ quote: UInt8, _ short: Place, _ text: [UInt8], _ index: inout Int
    ) {
        guard byte == quote else { return }
        if place == short {
            place = .plain
        } else if Self.isTriple(quote, text, index) {
            place = .plain
            index += 2
            // Up to two quotes more belong to the string.
            var more = 0
            while more < 2, index + 1 < text.count, text[index + 1] == quote {
                index += 1
                more += 1
            }
        }
    }

    private static func isTriple(_ quote: UInt8, _ text: [UInt8], _ index: Int) -> Bool {
        index + 2 < text.count && text[index + 1] == quote && text[index + 2] == quote
    }
}
