/// Tells a private key in PEM from a picture of one in a document.
enum PrivateKeyText {
    /// The shortest key, one of Ed25519, has this many characters.
    private static let lengthMin = 60

    /// Whether what stands within the armor can be a key: it begins as the encoding of a sequence
    /// in DER or of a key of OpenSSH does, or with headers, and is no shorter than a key.
    static func isPlausible(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        let text = Array(value)
        guard let body = body(of: text) else { return true }
        let letters = body.filter { isBase64($0) }
        guard letters.count >= lengthMin else { return false }
        if body.contains(UInt8(ascii: ":")) { return true }
        return letters.contains(UInt8(ascii: "M")) || letters.starts(with: "b3BlbnNzaC1r".utf8)
    }

    private static func body(of text: [UInt8]) -> ArraySlice<UInt8>? {
        guard let start = end(of: Array("PRIVATE KEY-----".utf8), in: text) else { return nil }
        let rest = text[start...]
        let stop = rest.firstIndex { $0 == UInt8(ascii: "-") } ?? rest.endIndex
        return rest[..<stop]
    }

    private static func end(of word: [UInt8], in text: [UInt8]) -> Int? {
        guard text.count >= word.count else { return nil }
        return (0...text.count - word.count).first { text[$0...].starts(with: word) }
            .map { $0 + word.count }
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
    }
}
