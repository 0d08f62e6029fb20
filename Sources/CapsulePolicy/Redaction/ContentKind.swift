/// What the bytes of a file are, as far as redaction treats them differently.
public enum ContentKind: Equatable, Sendable {
    /// Nothing.
    case empty
    /// Text that is valid UTF-8.
    case utf8
    /// Text in UTF-16, the low byte first.
    case utf16LittleEndian
    /// Text in UTF-16, the high byte first.
    case utf16BigEndian
    /// Mostly text, in an encoding of single bytes or damaged; scanned as bytes.
    case otherText
    /// A container, a document or a picture, by its name: nothing within can be scanned.
    case archive(String)
    /// Anything else.
    case binary

    /// Whether `Redactor` can look into it. What it cannot look into is to be withheld, or to leave
    /// only where the person who exports says so: a container hides text from every rule.
    public var canBeScanned: Bool {
        switch self {
        case .empty, .utf8, .utf16LittleEndian, .utf16BigEndian, .otherText: true
        case .archive, .binary: false
        }
    }

    /// How much of a file `classify` wants to see.
    public static let prefixSize = 4096

    private static let magics: [(name: String, offset: Int, bytes: [UInt8])] = [
        ("zip", 0, [0x50, 0x4b, 3, 4]), ("zip", 0, [0x50, 0x4b, 5, 6]),
        ("gzip", 0, [0x1f, 0x8b]), ("zstd", 0, [0x28, 0xb5, 0x2f, 0xfd]),
        ("xz", 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), ("bzip2", 0, [0x42, 0x5a, 0x68]),
        ("lz4", 0, [0x04, 0x22, 0x4d, 0x18]), ("7z", 0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]),
        ("rar", 0, [0x52, 0x61, 0x72, 0x21, 0x1a, 7]),
        ("tar", 257, [0x75, 0x73, 0x74, 0x61, 0x72]),
        ("pdf", 0, [0x25, 0x50, 0x44, 0x46, 0x2d]),
        ("png", 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]), ("jpeg", 0, [0xff, 0xd8, 0xff]),
        ("gif", 0, [0x47, 0x49, 0x46, 0x38]), ("webp", 8, [0x57, 0x45, 0x42, 0x50]),
        ("tiff", 0, [0x49, 0x49, 0x2a, 0]), ("tiff", 0, [0x4d, 0x4d, 0, 0x2a]),
        ("sqlite", 0, Array("SQLite format 3\0".utf8)), ("elf", 0, [0x7f, 0x45, 0x4c, 0x46]),
        ("ole", 0, [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1]), ("wasm", 0, [0, 0x61, 0x73, 0x6d]),
        ("java-class", 0, [0xca, 0xfe, 0xba, 0xbe]), ("ar", 0, Array("!<arch>\n".utf8)),
        ("cab", 0, [0x4d, 0x53, 0x43, 0x46]), ("rpm", 0, [0xed, 0xab, 0xee, 0xdb]),
        ("mp4", 4, [0x66, 0x74, 0x79, 0x70]), ("ogg", 0, [0x4f, 0x67, 0x67, 0x53]),
        ("git-pack", 0, [0x50, 0x41, 0x43, 0x4b, 0, 0, 0]),
        ("age", 0, Array("age-encryption.org/".utf8)),
    ]

    /// Judges by the first bytes, at best `prefixSize` of them. A name proves nothing, and is not
    /// asked.
    public static func classify(_ prefix: some RandomAccessCollection<UInt8>) -> ContentKind {
        let bytes = Array(prefix.prefix(prefixSize))
        if bytes.isEmpty { return .empty }
        for magic in magics {
            let found = bytes.dropFirst(magic.offset).prefix(magic.bytes.count)
            if found.elementsEqual(magic.bytes) { return .archive(magic.name) }
        }
        if bytes.starts(with: [0xff, 0xfe]), !bytes.starts(with: [0xff, 0xfe, 0, 0]) {
            return .utf16LittleEndian
        }
        if bytes.starts(with: [0xfe, 0xff]) { return .utf16BigEndian }
        if let order = utf16WithoutMark(bytes) { return order }
        let controls = bytes.count { $0 < 32 && $0 != 27 && $0 != 12 && !ASCII.isText($0) }
        if bytes.contains(0) || controls * 20 > bytes.count { return .binary }
        return isUTF8(bytes) ? .utf8 : .otherText
    }

    /// UTF-16 of mostly ASCII has a zero in nearly every second byte.
    private static func utf16WithoutMark(_ bytes: [UInt8]) -> ContentKind? {
        guard bytes.count >= 8 else { return nil }
        var zeros = (even: 0, odd: 0)
        var printable = (even: 0, odd: 0)
        for (index, byte) in bytes.enumerated() {
            if index.isMultiple(of: 2) {
                zeros.even += byte == 0 ? 1 : 0
                printable.even += ASCII.isText(byte) ? 1 : 0
            } else {
                zeros.odd += byte == 0 ? 1 : 0
                printable.odd += ASCII.isText(byte) ? 1 : 0
            }
        }
        let most = bytes.count / 2 * 7 / 10
        if zeros.odd >= most, printable.even >= most, zeros.even == 0 { return .utf16LittleEndian }
        if zeros.even >= most, printable.odd >= most, zeros.odd == 0 { return .utf16BigEndian }
        return nil
    }

    /// Whether the bytes are UTF-8, but for a character that the prefix cuts.
    private static func isUTF8(_ bytes: [UInt8]) -> Bool {
        for cut in 0...min(3, bytes.count) {
            if String(validating: bytes.dropLast(cut), as: UTF8.self) != nil {
                return cut == 0 || bytes.count == prefixSize
            }
        }
        return false
    }
}
