import Crypto
import FoundationEssentials

/// A public key that a capsule can be sealed to, in age's Bech32 form.
public enum Recipient: Sendable {
    /// `age1…`: X25519.
    case x25519(Curve25519.KeyAgreement.PublicKey)
    /// `age1pq1…`: the X-Wing hybrid of ML-KEM-768 and X25519.
    case xWing(XWingMLKEM768X25519.PublicKey)

    /// Parses an age recipient. Throws `CryptoError.malformedKey`.
    public init(_ text: String) throws(CryptoError) {
        guard let (prefix, bytes) = Bech32.decode(text) else {
            throw .malformedKey("\(text.prefix(16))… is not an age recipient")
        }
        switch prefix {
        case "age":
            guard bytes.count == 32,
                let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: bytes)
            else { throw .malformedKey("an age1 recipient has 32 bytes") }
            self = .x25519(key)
        case "age1pq":
            guard bytes.count == 1216,
                let key = try? XWingMLKEM768X25519.PublicKey(rawRepresentation: Data(bytes))
            else { throw .malformedKey("an age1pq1 recipient has 1216 bytes") }
            self = .xWing(key)
        default:
            throw .malformedKey("recipients of the kind '\(prefix)' cannot be sealed to")
        }
    }

    /// The Bech32 text.
    public var text: String {
        switch self {
        case .x25519(let key): Bech32.encode(prefix: "age", [UInt8](key.rawRepresentation))
        case .xWing(let key): Bech32.encode(prefix: "age1pq", [UInt8](key.rawRepresentation))
        }
    }

    /// Whether a quantum computer does not open it.
    public var isPostQuantum: Bool {
        if case .xWing = self { true } else { false }
    }

    /// HPKE (RFC 9180, base mode): the encapsulated key and an exported 32-byte key.
    func encapsulate(
        info: [UInt8], context: [UInt8]
    ) throws(CryptoError) -> (encapsulated: [UInt8], key: SymmetricKey) {
        do {
            let sender =
                switch self {
                case .x25519(let key):
                    try HPKE.Sender(
                        recipientKey: key, ciphersuite: HPKESuite.x25519, info: Data(info))
                case .xWing(let key):
                    try HPKE.Sender(
                        recipientKey: key, ciphersuite: HPKESuite.xWing, info: Data(info))
                }
            let key = try sender.exportSecret(context: context, outputByteCount: 32)
            return ([UInt8](sender.encapsulatedKey), key)
        } catch {
            throw .malformedKey("the recipient's key cannot be used: it is not a valid point")
        }
    }
}

/// The two HPKE suites of the format.
enum HPKESuite {
    static let x25519 = HPKE.Ciphersuite(
        kem: .Curve25519_HKDF_SHA256, kdf: .HKDF_SHA256, aead: .AES_GCM_256)
    static let xWing = HPKE.Ciphersuite.XWingMLKEM768X25519_SHA256_AES_GCM_256
}

/// A private key that opens what was sealed to its recipient, in age's Bech32 form.
public enum Identity: Sendable {
    /// `AGE-SECRET-KEY-1…`.
    case x25519(Curve25519.KeyAgreement.PrivateKey)
    /// `AGE-SECRET-KEY-PQ-1…`.
    case xWing(XWingMLKEM768X25519.PrivateKey)

    /// Parses one identity. Throws `CryptoError.malformedKey`, which does not quote the text.
    public init(_ text: String) throws(CryptoError) {
        guard let (prefix, bytes) = Bech32.decode(text), bytes.count == 32 else {
            throw .malformedKey("not an age identity")
        }
        if prefix == "age-secret-key-",
            let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes)
        {
            self = .x25519(key)
        } else if prefix == "age-secret-key-pq-",
            let key = try? XWingMLKEM768X25519.PrivateKey(seedRepresentation: bytes, publicKey: nil)
        {
            self = .xWing(key)
        } else {
            throw .malformedKey("identities of this kind cannot be used")
        }
    }

    /// The identities of an age identity file: one on each line, `#` starts a comment line.
    public static func parse(file: [UInt8]) throws(CryptoError) -> [Identity] {
        var identities: [Identity] = []
        for line in file.split(whereSeparator: { $0 == 10 || $0 == 13 }) {
            let text = String(decoding: line, as: UTF8.self)
            let word = text.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
            if word.isEmpty || word.hasPrefix("#") { continue }
            identities.append(try Identity(String(word)))
        }
        guard !identities.isEmpty else { throw .malformedKey("it holds no age identity") }
        return identities
    }

    /// The public half.
    public var recipient: Recipient {
        switch self {
        case .x25519(let key): .x25519(key.publicKey)
        case .xWing(let key): .xWing(key.publicKey)
        }
    }

    /// The key that `Recipient.encapsulate` exported.
    func decapsulate(
        _ encapsulated: [UInt8], info: [UInt8], context: [UInt8]
    ) throws(CryptoError) -> SymmetricKey {
        do {
            let receiver =
                switch self {
                case .x25519(let key):
                    try HPKE.Recipient(
                        privateKey: key, ciphersuite: HPKESuite.x25519, info: Data(info),
                        encapsulatedKey: Data(encapsulated))
                case .xWing(let key):
                    try HPKE.Recipient(
                        privateKey: key, ciphersuite: HPKESuite.xWing, info: Data(info),
                        encapsulatedKey: Data(encapsulated))
                }
            return try receiver.exportSecret(context: context, outputByteCount: 32)
        } catch {
            throw .notAuthentic
        }
    }
}
