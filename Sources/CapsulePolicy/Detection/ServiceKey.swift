/// A service whose keys have no form that gives them away: what its name says of a value near it.
struct ServiceKey: Sendable {
    /// Which characters a key is made of.
    private enum Alphabet: Sendable {
        case hexadecimal, alphanumeric, word, base64, uuid
    }

    /// The alphabet and length of keys.
    private struct Shape: Sendable {
        var alphabet: Alphabet
        var length: Int
    }

    private var shapes: [Shape] = []
    /// Whether the name is a word, too.
    private var isWord = false

    /// The services by their names.
    static let all: [[UInt8]: ServiceKey] = {
        let alphabets: [Character: Alphabet] = [
            "x": .hexadecimal, "a": .alphanumeric, "w": .word, "p": .base64, "u": .uuid,
        ]
        var result: [[UInt8]: ServiceKey] = [:]
        for line in ServiceTable.shapes.split(separator: "\n") {
            let parts = line.split(separator: " ")
            for name in parts.dropFirst() {
                var service = result[Array(name.utf8)] ?? ServiceKey()
                if let letter = parts[0].first, let alphabet = alphabets[letter] {
                    let length = Int(parts[0].dropFirst()) ?? uuidLength
                    service.shapes.append(Shape(alphabet: alphabet, length: length))
                }
                result[Array(name.utf8)] = service
            }
        }
        for name in ServiceTable.words.split(separator: " ") {
            result[Array(name.utf8)]?.isWord = true
        }
        return result
    }()

    /// The names of all services.
    static let names = all.keys.sorted { $0.lexicographicallyPrecedes($1) }

    private static let uuidLength = 36
    /// A key begins so near to the name of its service.
    private static let reach = 40
    /// No key is longer.
    private static let lengthMax = 200
    /// What has no shape of its service is a key from this length on.
    private static let lengthMin = 20

    // MARK: Search

    /// The key near a name of the service, if there is one.
    func find(_ text: UnsafeBufferPointer<UInt8>, name: Range<Int>) -> Range<Int>? {
        guard Self.beginsWord(text, name.lowerBound) else { return nil }
        if isWord, name.upperBound < text.count, ASCII.isLetter(text[name.upperBound]),
            !ASCII.isUpper(text[name.upperBound]) || ASCII.isUpper(text[name.upperBound - 1])
        {
            return nil
        }
        let last = min(text.count, name.upperBound + Self.reach)
        var index = name.upperBound
        while index < last {
            let byte = text[index]
            // A line's end, an address or base64.
            if Self.ends[Int(byte)] { return nil }
            let begins = ASCII.isAlphanumeric(byte) && !ASCII.isAlphanumeric(text[index - 1])
            if begins, !"/@#$%.".utf8.contains(text[index - 1]),
                let end = key(text, index),
                isPlausible(UnsafeBufferPointer(rebasing: text[name.upperBound..<index]))
            {
                return index..<end
            }
            index += 1
        }
        return nil
    }

    private static let ends: [Bool] = (0..<256).map { $0 < 9 || "\n/?+".utf8.contains(UInt8($0)) }

    private static func beginsWord(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        guard start > 0 else { return true }
        let last = text[start - 1]
        if ASCII.isDigit(last) || last == UInt8(ascii: "+") { return false }
        return !ASCII.isLetter(last) || ASCII.isUpper(text[start]) && !ASCII.isUpper(last)
    }

    /// The end of the key that begins here.
    private func key(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
        let farthest = min(text.count, start + Self.lengthMax)
        var plain = start
        while plain < farthest, ASCII.isAlphanumeric(text[plain]) { plain += 1 }
        var word = plain
        while word < farthest, ASCII.isWord(text[word]) || text[word] == UInt8(ascii: "-") {
            word += 1
        }
        var long = word
        while long < farthest,
            ASCII.isWord(text[long]) || "-+/.".utf8.contains(text[long])
        {
            long += 1
        }
        let padding = min(farthest, long + 2)
        while long < padding, text[long] == UInt8(ascii: "=") { long += 1 }
        // A name of a file, of a host or of a member.
        if long - word > 1, text[word] == UInt8(ascii: "."), ASCII.isLetter(text[word + 1]),
            !shapes.contains(where: { $0.alphabet == .base64 && $0.length == long - start })
        {
            return nil
        }
        // A value that is a name itself, as those of cookies are.
        if word + 1 < text.count, text[word] == UInt8(ascii: "="),
            ASCII.isAlphanumeric(text[word + 1]), long == word + 1
        {
            return nil
        }
        for shape in shapes {
            let end = start + shape.length
            let ends: Bool
            switch shape.alphabet {
            case .hexadecimal:
                ends = end == plain && plain == word && text[start..<end].allSatisfy(ASCII.isHex)
            case .alphanumeric: ends = end == plain && plain == word
            case .word: ends = end == word
            case .base64: ends = end == long
            case .uuid:
                ends = end == word && Self.isUUID(UnsafeBufferPointer(rebasing: text[start..<end]))
            }
            if ends, Self.looksMade(UnsafeBufferPointer(rebasing: text[start..<end])) {
                return end
            }
        }
        guard !isWord else { return nil }
        for end in [long, word] where end - start >= Self.lengthMin {
            if isKey(UnsafeBufferPointer(rebasing: text[start..<end]), isPlain: end == plain) {
                return end
            }
        }
        let groups = UnsafeBufferPointer(rebasing: text[start..<word])
        return groups.count >= 15 && TokenShape.isOfGroups(groups) ? word : nil
    }

    /// What stands for characters that are left out.
    private static let blanks = ["xxxxx", "XXXXX"].map { Array($0.utf8) }

    /// Whether a value of no known shape is as random as a key.
    private func isKey(_ value: UnsafeBufferPointer<UInt8>, isPlain: Bool) -> Bool {
        if Self.blanks.contains(where: { value.contains(subsequence: $0) }) { return false }
        if isPlain { return TokenShape.isDense(value) }
        return value.count(where: ASCII.isDigit) >= 4 && !Self.isUUID(value)
            && Randomness.looksRandom(value) && Randomness.bitsPerPair(value) >= 4.3
    }

    private static func isUUID(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        value.count == uuidLength
            && value.indices.allSatisfy { place in
                [8, 13, 18, 23].contains(place)
                    ? value[place] == UInt8(ascii: "-") : ASCII.isAlphanumeric(value[place])
            }
    }

    /// Whether a value as long as a key of the service was made and not written.
    private static func looksMade(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        if blanks.contains(where: { value.contains(subsequence: $0) }) { return false }
        if Randomness.looksRandom(value) && value.contains(where: ASCII.isDigit) { return true }
        let digits = value.count(where: ASCII.isDigit)
        if value.count >= 24, value.allSatisfy(ASCII.isHex) { return true }
        if digits > 0 {
            return value.count >= lengthMin && digits >= 2 && value.allSatisfy(ASCII.isAlphanumeric)
        }
        return value.count >= lengthMin && Randomness.counts(value)
    }

    // MARK: Surroundings

    /// Names of digests and identifiers, which are as random as keys.
    private static let digestNames = [
        "commit", "sha", "hash", "digest", "revision", "checksum", "md5", "etag", "integrity",
        "fingerprint", "version", "uuid", "guid", "public",
    ].map { Array($0.utf8) }

    /// Words that say the same on their own.
    private static let identifierNames: Set<[UInt8]> = Set(
        ["id", "ids", "ref", "rev", "tag", "branch", "tree", "parents", "pub"].map {
            Array($0.utf8)
        })

    /// Names of what opens something.
    private static let keyNames = [
        "key", "token", "secret", "private", "access", "api", "auth", "pass", "pat", "credential",
    ].map { Array($0.utf8) }

    /// Whether what stands between the name and a value lets the value be a key.
    private func isPlausible(_ gap: UnsafeBufferPointer<UInt8>) -> Bool {
        let gap = gap.map(ASCII.lowercased)
        if Self.digestNames.contains(where: { gap.contains(subsequence: $0) }) { return false }
        let words = gap.split { !ASCII.isLetter($0) }
        if let last = words.last, Self.identifierNames.contains(Array(last)) { return false }
        let names = Self.keyNames.contains { gap.contains(subsequence: $0) }
        guard isWord, !names else { return true }
        // A digest may stand right after a word.
        if words.isEmpty { return gap.contains { $0 != 32 && $0 != 9 } }
        return words.count <= 2 && gap.contains { $0 == 58 || $0 == 61 }
    }
}
