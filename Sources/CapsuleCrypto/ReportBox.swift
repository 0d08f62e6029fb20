import CapsuleBytes
import Crypto

/// Short messages to whoever has a workspace's key, from anybody who can read its directory: HPKE
/// to X25519 (RFC 9180, base mode), whose exported key seals the message.
///
///     Offset  Size  Field, of a sealed report of 512 bytes
///          0    32  encapsulated key
///         32    24  nonce
///         56   440  ciphertext: the message and a line feed, then zeros
///        496    16  tag
public enum ReportBox {
    /// Bytes of a sealed report.
    public static let sealedLength = 512
    /// Bytes of a message at most.
    public static let messageLengthMax = 439
    private static let info = Array("capsulefs 2 workspace report".utf8)

    /// The public key that belongs to a workspace: 32 bytes.
    public static func publicKey(_ key: SymmetricKey) -> [UInt8] {
        Array(privateKey(key).publicKey.rawRepresentation)
    }

    private static func privateKey(_ key: SymmetricKey) -> Curve25519.KeyAgreement.PrivateKey {
        guard let made = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: key.bytes)
        else { preconditionFailure("any 32 bytes are a key of X25519") }
        return made
    }

    /// Seals a message of one line to a public key. Throws `malformedKey` for what is none.
    public static func seal(
        _ message: [UInt8], to publicKey: [UInt8], workspace: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        precondition(message.count <= messageLengthMax, "a report has a limit")
        guard
            let recipient = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: publicKey)
        else { throw .malformedKey("the workspace's public key is none") }
        let (encapsulated, key) = try Recipient.x25519(recipient).encapsulate(
            info: info, context: workspace)
        var plaintext = message + [10]
        plaintext += [UInt8](repeating: 0, count: messageLengthMax + 1 - plaintext.count)
        return encapsulated + PageCipher(key: key).seal(plaintext, associated: workspace)
    }

    /// Opens a report. Throws `notAuthentic`.
    public static func open(
        _ sealed: [UInt8], key: SymmetricKey, workspace: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        guard sealed.count == sealedLength else { throw .notAuthentic }
        let secret = try Identity.x25519(privateKey(key)).decapsulate(
            Array(sealed[..<32]), info: info, context: workspace)
        let plaintext = try PageCipher(key: secret).open(
            Array(sealed[32...]), associated: workspace)
        return Array(plaintext.prefix { $0 != 10 })
    }
}
