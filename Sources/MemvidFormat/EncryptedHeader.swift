import CapsuleBytes

/// The first 64 bytes of an encrypted Memvid file, version 1. Nothing in it is authenticated.
///
///     Offset  Size  Field
///          0     4  magic "MV2E"
///          4     2  version, 1
///          6     1  key derivation: 1, Argon2id
///          7     1  cipher: 1, AES-256-GCM
///          8    32  salt
///         40    12  nonce; of chunks, the first 4 bytes before the chunk's number
///         52     8  length of the plaintext, in bytes
///         60     1  1: chunks; else one ciphertext with one tag
///         61     3  zero
public struct EncryptedHeader: Equatable, Sendable {
    /// Argon2id's salt, 32 bytes.
    public var salt: [UInt8]
    /// 12 bytes.
    public var nonce: [UInt8]
    /// What the file claims as the length of its plaintext, in bytes.
    public var plainLength: UInt64
    /// Whether the plaintext is sealed in chunks of 1 MiB.
    public var isChunked: Bool

    static let length = 64
    static let magic = Array("MV2E".utf8)
    /// Plaintext of a chunk but the last, in bytes.
    static let chunkLength = 1 << 20
    static let tagLength = 16
    /// The length of the ciphertext before each chunk.
    static let prefixLength = 4
    static let chunkOverhead = prefixLength + tagLength

    /// Whether a file that begins with `head` is an encrypted Memvid file of version 1.
    public static func recognises(_ head: [UInt8]) -> Bool {
        head.count >= 6 && head.starts(with: magic) && head[4] == 1 && head[5] == 0
    }

    init(salt: [UInt8], nonce: [UInt8], plainLength: UInt64) {
        self.salt = salt
        self.nonce = nonce
        self.plainLength = plainLength
        isChunked = true
    }

    /// Throws `MemvidError` for other versions, and for reserved bytes that are not zero.
    public init(decoding bytes: [UInt8]) throws(MemvidError) {
        guard bytes.count >= 4, bytes.starts(with: Self.magic) else {
            throw MemvidError(.notMemvid, "it is no encrypted Memvid file", at: 0)
        }
        do throws(ByteError) {
            var reader = ByteReader(bytes.span.bytes)
            try reader.expect(Self.magic, "magic")
            let version: UInt16 = try reader.integer("version")
            let derivation: UInt8 = try reader.integer("key derivation")
            let cipher: UInt8 = try reader.integer("cipher")
            guard version == 1 else {
                throw ByteError(.unexpectedValue, "version", at: 4)
            }
            guard derivation == 1 else {
                throw ByteError(.unexpectedValue, "key derivation", at: 6)
            }
            guard cipher == 1 else { throw ByteError(.unexpectedValue, "cipher", at: 7) }
            salt = try reader.bytes(32, "salt")
            nonce = try reader.bytes(12, "nonce")
            plainLength = try reader.integer("plaintext length")
            let kind: UInt8 = try reader.integer("kind of encryption")
            isChunked = kind == 1
            try reader.zeros(3, "reserved bytes")
        } catch {
            let code: MemvidError.Code =
                error.reason == .unexpectedValue ? .unsupportedVersion : .damaged
            throw MemvidError(
                error.reason == .truncated ? .truncated : code, "the header: \(error)",
                at: error.offset)
        }
    }

    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: Self.length)
        writer.append(Self.magic)
        writer.integer(UInt16(1))
        writer.integer(UInt8(1))
        writer.integer(UInt8(1))
        writer.append(salt)
        writer.append(nonce)
        writer.integer(plainLength)
        writer.integer(UInt8(isChunked ? 1 : 0))
        writer.pad(to: Self.length)
        return writer.bytes
    }

    /// The number of chunks that the plaintext's length asks for: at least one.
    var chunkCount: UInt64 {
        max(1, (plainLength + UInt64(Self.chunkLength) - 1) / UInt64(Self.chunkLength))
    }

    /// The length of the whole file, or nil when it cannot be.
    var fileLength: UInt64? {
        guard plainLength <= UInt64(Int64.max) / 2 else { return nil }
        let overhead = isChunked ? chunkCount * UInt64(Self.chunkOverhead) : UInt64(Self.tagLength)
        return UInt64(Self.length) + plainLength + overhead
    }

    /// The nonce of a chunk: four bytes of the header's, then its number, big-endian.
    func nonce(ofChunk index: UInt64) -> [UInt8] {
        Array(nonce[..<4]) + withUnsafeBytes(of: index.bigEndian) { [UInt8]($0) }
    }
}
