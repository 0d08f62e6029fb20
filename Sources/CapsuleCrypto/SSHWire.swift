import CapsuleBytes

/// The encoding of SSH (RFC 4251, section 5): big-endian lengths before strings.
struct SSHReader: ~Escapable {
    private var reader: ByteReader

    @_lifetime(copy span)
    init(_ span: RawSpan) { reader = ByteReader(span) }

    mutating func integer() throws(ByteError) -> UInt32 {
        UInt32(bigEndian: UInt32(littleEndian: try reader.integer("SSH length")))
    }

    mutating func byte() throws(ByteError) -> UInt8 { try reader.integer("SSH byte") }

    mutating func bytes(_ count: Int) throws(ByteError) -> [UInt8] {
        try reader.bytes(count, "SSH bytes")
    }

    mutating func string() throws(ByteError) -> [UInt8] {
        let length = try integer()
        guard Int(length) <= reader.remaining else {
            throw ByteError(.outOfRange, "SSH length", at: reader.offset)
        }
        return try reader.bytes(Int(length), "SSH string")
    }

    var remaining: Int { reader.remaining }

    func end() throws(ByteError) { try reader.end("SSH structure") }
}

extension ByteWriter {
    /// Appends a big-endian length and the bytes.
    mutating func sshString(_ bytes: some Collection<UInt8>) {
        integer(UInt32(bytes.count).byteSwapped)
        append(bytes)
    }
}

/// Text between lines of dashes, as OpenSSH writes keys and signatures.
enum SSHArmor {
    /// The bytes between `-----BEGIN label-----` and its end, or nil.
    static func decode(_ text: [UInt8], label: String) -> [UInt8]? {
        let lines = text.split { $0 == 10 || $0 == 13 }.map { String(decoding: $0, as: UTF8.self) }
        guard lines.first == "-----BEGIN \(label)-----", lines.last == "-----END \(label)-----"
        else { return nil }
        return Text.unbase64(lines.dropFirst().dropLast().joined())
    }

    /// The armoured form, in lines of 70 characters.
    static func encode(_ bytes: [UInt8], label: String) -> String {
        var rest = Text.base64(bytes)[...]
        var lines = ["-----BEGIN \(label)-----"]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(70)))
            rest = rest.dropFirst(70)
        }
        return (lines + ["-----END \(label)-----", ""]).joined(separator: "\n")
    }
}
