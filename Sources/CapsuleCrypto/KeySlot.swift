import CapsuleBytes
import Crypto

/// One way to open a capsule: the file key, wrapped under one secret.
///
///     Offset  Size  Field
///          0     2  kind
///          2     2  flags, zero
///          4     4  length of the whole record
///          8    32  salt, fresh for every wrap
///         40    32  slot commitment
///         72    48  wrapped file key: AES-256-GCM, 32 bytes and a tag
///        120     2  length of the parameters, P
///        122     2  length of the sealed label, L
///        124     4  reserved, zero
///        128     P  parameters
///      128+P     L  sealed label: AES-256-GCM
///    128+P+L    32  checksum: BLAKE3 in the context "capsulefs 2 slot checksum"
public struct KeySlot: Sendable {
    /// What kind of secret opens the slot. Unknown kinds are kept and skipped.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The number in the file.
        public let rawValue: UInt16

        /// A value from its number in the file.
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// A passphrase, through Argon2id.
        public static let passphrase = Kind(rawValue: 1)
        /// A 24-word recovery phrase's entropy, through Argon2id.
        public static let recoveryPhrase = Kind(rawValue: 2)
        /// The bytes of a key file.
        public static let keyFile = Kind(rawValue: 3)
        /// An age X25519 recipient, through HPKE.
        public static let x25519 = Kind(rawValue: 4)
        /// An age hybrid recipient, through HPKE with X-Wing.
        public static let xWing = Kind(rawValue: 5)

        /// The name in tables and JSON.
        public var name: String {
            switch self {
            case .passphrase: "passphrase"
            case .recoveryPhrase: "recovery-phrase"
            case .keyFile: "key-file"
            case .x25519: "age-x25519"
            case .xWing: "age-mlkem768x25519"
            default: "unknown-\(rawValue)"
            }
        }

        /// Whether its key comes from Argon2id.
        public var usesArgon2id: Bool { self == .passphrase || self == .recoveryPhrase }
    }

    /// The kind.
    public let kind: Kind
    /// The salt of this wrap.
    public let salt: [UInt8]
    /// The whole record, as stored.
    public let record: [UInt8]
    /// Argon2id's cost, for the kinds that use it.
    public let cost: Argon2id.Cost?

    private let commitment: [UInt8]
    private let wrappedKey: [UInt8]
    private let parameters: [UInt8]
    private let sealedLabel: [UInt8]

    static let fixedLength = 128
    static let checksumLength = 32
    private static let checksumContext = Blake3Context("capsulefs 2 slot checksum")

    /// The smallest record.
    public static let lengthMin = fixedLength + checksumLength
    /// The largest record: room for an X-Wing key and a long label.
    public static let lengthMax = 4096
}

// MARK: Wrapping

extension KeySlot {
    /// A secret from which a slot is made.
    public enum NewSecret: Sendable {
        case passphrase(SharedSecret, Argon2id.Cost)
        case recoveryPhrase(entropy: SharedSecret, Argon2id.Cost)
        case keyFile(SharedSecret)
        case recipient(Recipient)
    }

    /// Wraps `fileKey` under a secret. `label` is sealed and seen only by who opens the capsule.
    /// `salt` is 32 fresh random bytes, or derived from a hash of all that is sealed.
    public init(
        wrapping fileKey: SymmetricKey, under secret: NewSecret, capsuleID: [UInt8],
        label: [UInt8], salt: [UInt8]
    ) throws(CryptoError) {
        let kind: Kind
        let slotKey: SymmetricKey
        var parameters = ByteWriter()
        switch secret {
        case .passphrase(let phrase, let cost):
            kind = .passphrase
            slotKey = try Argon2id.derive(phrase.bytes, salt: salt, cost: cost).symmetricKey
            parameters.append(Self.encode(cost))
        case .recoveryPhrase(let entropy, let cost):
            kind = .recoveryPhrase
            slotKey = try Argon2id.derive(entropy.bytes, salt: salt, cost: cost).symmetricKey
            parameters.append(Self.encode(cost))
        case .keyFile(let content):
            kind = .keyFile
            slotKey = content.bytes.symmetricKey
        case .recipient(let recipient):
            kind = recipient.isPostQuantum ? .xWing : .x25519
            let info = Self.recipientInfo(capsuleID)
            let (encapsulated, key) = try recipient.encapsulate(
                info: info, context: Self.exportContext)
            slotKey = key
            parameters.append(encapsulated)
        }
        let sealedLabel = Self.seal(label: label, fileKey: fileKey, salt: salt)
        let length =
            Self.fixedLength + parameters.count + sealedLabel.count + Self.checksumLength
        var record = ByteWriter(capacity: length)
        record.integer(kind.rawValue)
        record.integer(UInt16(0))
        record.integer(UInt32(length))
        record.append(salt)
        let keys = Self.wrapKeys(slotKey, salt: salt, capsuleID: capsuleID, kind: kind)
        let associated = record.bytes + parameters.bytes
        var key = fileKey.bytes
        defer { wipe(&key) }
        record.append(keys.commitment)
        record.append(keys.cipher.seal(key, counter: 0, associated: associated))
        record.integer(UInt16(parameters.count))
        record.integer(UInt16(sealedLabel.count))
        record.integer(UInt32(0))
        record.append(parameters.bytes)
        record.append(sealedLabel)
        record.append(Self.checksumContext.hash(record.bytes).bytes)
        do throws(ByteError) {
            self = try Self(decoding: record.bytes, at: 0)
        } catch {
            preconditionFailure("a slot just written cannot be read: \(error)")
        }
    }

    private static func encode(_ cost: Argon2id.Cost) -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(cost.passes)
        writer.integer(cost.memoryKiB)
        writer.integer(cost.lanes)
        return writer.bytes
    }

    private static let exportContext = Array("capsulefs 2 slot key".utf8)

    private static func recipientInfo(_ capsuleID: [UInt8]) -> [UInt8] {
        Array("capsulefs 2 recipient".utf8) + capsuleID
    }

    private static func wrapKeys(
        _ slotKey: SymmetricKey, salt: [UInt8], capsuleID: [UInt8], kind: Kind
    ) -> (cipher: BlockCipher, commitment: [UInt8]) {
        var info = ByteWriter()
        info.append("capsulefs 2 slot".utf8)
        info.append(capsuleID)
        info.integer(kind.rawValue)
        let both = KeyDerivation.expand(slotKey, salt: salt, info: info.bytes, count: 64)
        return both.withUnsafeBytes { bytes in
            let key = SymmetricKey(data: UnsafeRawBufferPointer(rebasing: bytes[..<32]))
            return (BlockCipher(key: key), [UInt8](bytes[32...]))
        }
    }

    private static func labelCipher(_ fileKey: SymmetricKey, salt: [UInt8]) -> BlockCipher {
        BlockCipher(
            key: KeyDerivation.expand(
                fileKey, salt: salt, info: Array("capsulefs 2 slot label".utf8), count: 32))
    }

    private static func seal(label: [UInt8], fileKey: SymmetricKey, salt: [UInt8]) -> [UInt8] {
        if label.isEmpty { return [] }
        return labelCipher(fileKey, salt: salt).seal(label, counter: 0, associated: [])
    }
}

// MARK: Opening

extension KeySlot {
    /// The file key, if `secret` is the slot's: a passphrase, or the entropy of a phrase.
    ///
    /// Nil for a wrong secret. Costs what the slot says, within `Argon2id.Limit`.
    public func open(
        stretching secret: borrowing SecretBytes, capsuleID: [UInt8]
    ) throws(CryptoError) -> SymmetricKey? {
        guard kind.usesArgon2id, let cost else { return nil }
        let key = try Argon2id.derive(secret, salt: salt, cost: cost).symmetricKey
        return try unwrap(key, capsuleID: capsuleID)
    }

    /// The file key, if the content of the key file is the slot's.
    public func open(
        keyFile: borrowing SecretBytes, capsuleID: [UInt8]
    ) throws(CryptoError) -> SymmetricKey? {
        guard kind == .keyFile else { return nil }
        return try unwrap(keyFile.symmetricKey, capsuleID: capsuleID)
    }

    /// The file key, if the slot was made for the identity's recipient.
    public func open(
        identity: Identity, capsuleID: [UInt8]
    ) throws(CryptoError) -> SymmetricKey? {
        switch (kind, identity) {
        case (.x25519, .x25519), (.xWing, .xWing): break
        default: return nil
        }
        let key: SymmetricKey
        do throws(CryptoError) {
            key = try identity.decapsulate(
                parameters, info: Self.recipientInfo(capsuleID), context: Self.exportContext)
        } catch {
            return nil
        }
        return try unwrap(key, capsuleID: capsuleID)
    }

    /// The label, for who has the file key. Throws `CryptoError.notAuthentic`.
    public func label(fileKey: SymmetricKey) throws(CryptoError) -> [UInt8] {
        if sealedLabel.isEmpty { return [] }
        return try Self.labelCipher(fileKey, salt: salt).open(
            sealedLabel, counter: 0, associated: [])
    }

    private func unwrap(_ slotKey: SymmetricKey, capsuleID: [UInt8]) throws(CryptoError)
        -> SymmetricKey?
    {
        let keys = Self.wrapKeys(slotKey, salt: salt, capsuleID: capsuleID, kind: kind)
        guard equalInConstantTime(keys.commitment, commitment) else { return nil }
        let associated = Array(record[..<40]) + parameters
        // The commitment is not secret: a slot may have the right one and still not be ours.
        guard var key = try? keys.cipher.open(wrappedKey, counter: 0, associated: associated)
        else { return nil }
        defer { wipe(&key) }
        return SymmetricKey(data: key)
    }
}

// MARK: Decoding

extension KeySlot {
    /// Parses the record at the front of `bytes`, which lie at `offset` of the file.
    public init(decoding bytes: [UInt8], at offset: UInt64) throws(ByteError) {
        var reader = ByteReader(bytes.span.bytes, absoluteOffset: offset)
        let kind = Kind(rawValue: try reader.integer("slot kind"))
        try reader.zeros(2, "slot flags")
        let lengthOffset = reader.offset
        let length: UInt32 = try reader.integer("slot length")
        guard length >= Self.lengthMin, length <= Self.lengthMax, Int(length) <= bytes.count else {
            throw ByteError(.outOfRange, "slot length", at: lengthOffset)
        }
        let record = Array(bytes[..<Int(length)])
        let body = Array(record.dropLast(Self.checksumLength))
        let checksum = Array(record.suffix(Self.checksumLength))
        guard Self.checksumContext.hash(body).bytes == checksum else {
            throw ByteError(.unexpectedValue, "slot checksum", at: offset + UInt64(body.count))
        }
        self.kind = kind
        self.record = record
        salt = try reader.bytes(32, "slot salt")
        commitment = try reader.bytes(32, "slot commitment")
        wrappedKey = try reader.bytes(48, "wrapped file key")
        let parameterCount: UInt16 = try reader.integer("slot parameter length")
        let labelCount: UInt16 = try reader.integer("slot label length")
        try reader.zeros(4, "slot reserved")
        guard Self.lengthMin + Int(parameterCount) + Int(labelCount) == Int(length) else {
            throw ByteError(.outOfRange, "slot parameter length", at: offset + 120)
        }
        let parameterOffset = reader.offset
        parameters = try reader.bytes(Int(parameterCount), "slot parameters")
        sealedLabel = try reader.bytes(Int(labelCount), "sealed slot label")
        cost = try Self.decodeCost(kind, parameters, at: parameterOffset)
    }

    /// Checks the length of the parameters for the kinds known, and Argon2id's limits.
    private static func decodeCost(
        _ kind: Kind, _ parameters: [UInt8], at offset: UInt64
    ) throws(ByteError) -> Argon2id.Cost? {
        let expected: Int
        switch kind {
        case .passphrase, .recoveryPhrase: expected = 12
        case .keyFile: expected = 0
        case .x25519: expected = 32
        case .xWing: expected = 1120
        default: return nil
        }
        guard parameters.count == expected else {
            throw ByteError(.outOfRange, "slot parameters", at: offset)
        }
        guard kind.usesArgon2id else { return nil }
        var reader = ByteReader(parameters.span.bytes, absoluteOffset: offset)
        let cost = Argon2id.Cost(
            passes: try reader.integer("Argon2id passes"),
            memoryKiB: try reader.integer("Argon2id memory"),
            lanes: try reader.integer("Argon2id lanes"))
        do throws(CryptoError) {
            try Argon2id.validate(cost)
        } catch {
            throw ByteError(.outOfRange, "Argon2id cost", at: offset)
        }
        return cost
    }
}
