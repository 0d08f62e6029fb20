/// Tells a private key in PEM from a picture of one in a document.
enum PrivateKeyText {
    /// The shortest key, one of Ed25519, has this many characters.
    private static let lengthMin = 60

    /// Whether what stands within the armor is as long as a key.
    static func isPlausible(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        let text = Array(value)
        guard let body = body(of: text) else { return true }
        return body.count(where: isBase64) >= lengthMin
    }

    private static func body(of text: [UInt8]) -> ArraySlice<UInt8>? {
        guard let start = end(of: Array("PRIVATE KEY-----".utf8), in: text) else { return nil }
        let rest = text[start...]
        let last = Array("-----".utf8)
        let stop = rest.indices.first { rest[$0...].starts(with: last) } ?? rest.endIndex
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
