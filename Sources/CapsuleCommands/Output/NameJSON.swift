import CapsuleBytes

/// A name or path in JSON: `KEY` when it is UTF-8, else `KEY_b64`.
struct NameJSON: Encodable {
    private let key: String
    private let bytes: [UInt8]

    init(_ key: String, _ bytes: [UInt8]) {
        self.key = key
        self.bytes = bytes
    }

    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        if let text = String(validating: bytes, as: UTF8.self) {
            try container.encode(text, forKey: Key(stringValue: key))
        } else {
            try container.encode(Text.base64(bytes), forKey: Key(stringValue: key + "_b64"))
        }
    }
}
