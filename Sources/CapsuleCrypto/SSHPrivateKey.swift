import CapsuleBytes
import Crypto

/// An OpenSSH private key file ("openssh-key-v1", PROTOCOL.key).
public struct SSHPrivateKey: Sendable {
    /// The public half, which is readable even where the file is encrypted.
    public let publicKey: SSHPublicKey
    /// Nil where the file is encrypted.
    private let signingKey: Curve25519.Signing.PrivateKey?

    /// Whether a passphrase is needed; such keys sign through ssh-keygen.
    public var isEncrypted: Bool { signingKey == nil }

    private static let magic = Array("openssh-key-v1\0".utf8)

    /// Parses a key file. Throws `CryptoError.malformedKey` for other kinds of keys.
    public init(file: [UInt8]) throws(CryptoError) {
        guard let body = SSHArmor.decode(file, label: "OPENSSH PRIVATE KEY") else {
            throw .malformedKey("not a private key file of OpenSSH")
        }
        do throws(ByteError) {
            var reader = SSHReader(body.span.bytes)
            guard try reader.bytes(Self.magic.count) == Self.magic else {
                throw ByteError(.unexpectedValue, "key magic", at: 0)
            }
            let cipher = String(decoding: try reader.string(), as: UTF8.self)
            _ = try reader.string()
            _ = try reader.string()
            guard try reader.integer() == 1 else {
                throw ByteError(.outOfRange, "number of keys", at: 0)
            }
            let publicBlob = try reader.string()
            let secret = try reader.string()
            guard let key = try? SSHPublicKey(blob: publicBlob) else {
                throw ByteError(.unexpectedValue, "SSH key kind", at: 0)
            }
            publicKey = key
            signingKey =
                cipher == "none" && key.kind == .ed25519
                ? try Self.parse(secret: secret, publicKey: key) : nil
        } catch {
            throw .malformedKey("not an Ed25519 private key of OpenSSH")
        }
    }

    private static func parse(
        secret: [UInt8], publicKey: SSHPublicKey
    ) throws(ByteError) -> Curve25519.Signing.PrivateKey {
        var reader = SSHReader(secret.span.bytes)
        let (first, second) = (try reader.integer(), try reader.integer())
        let kind = String(decoding: try reader.string(), as: UTF8.self)
        let point = try reader.string()
        var pair = try reader.string()
        defer { wipe(&pair) }
        guard first == second, kind == publicKey.kind.rawValue, point == publicKey.point,
            pair.count == 64, Array(pair[32...]) == point,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: pair[..<32])
        else { throw ByteError(.unexpectedValue, "private key", at: 0) }
        return key
    }

    /// Signs in our namespace; the binary form. Throws `malformedKey` where the key is encrypted.
    public func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        let data = SSHSignature.signedData(message, namespace: StatementNamespace.text)
        guard let signingKey, let raw = try? signingKey.signature(for: data) else {
            throw .malformedKey("the private key is encrypted")
        }
        var signature = ByteWriter()
        signature.sshString(Array(publicKey.kind.rawValue.utf8))
        signature.sshString([UInt8](raw))
        return SSHSignature.blob(
            key: publicKey, namespace: StatementNamespace.text, signature: signature.bytes)
    }
}

/// The two messages of the agent protocol that signing needs (draft-miller-ssh-agent).
public enum SSHAgentMessage {
    /// Asks for a signature of `message` in our namespace, length included.
    public static func signRequest(_ key: SSHPublicKey, _ message: [UInt8]) -> [UInt8] {
        var body = ByteWriter()
        body.integer(UInt8(13))
        body.sshString(key.blob)
        body.sshString(SSHSignature.signedData(message, namespace: StatementNamespace.text))
        body.integer(UInt32(0))
        var framed = ByteWriter()
        framed.sshString(body.bytes)
        return framed.bytes
    }

    /// The SSHSIG out of the agent's answer (without its length), or nil when it refuses.
    public static func signature(in answer: [UInt8], key: SSHPublicKey) -> [UInt8]? {
        guard answer.first == 14 else { return nil }
        let body = Array(answer.dropFirst())
        var reader = SSHReader(body.span.bytes)
        guard let signature = try? reader.string() else { return nil }
        return SSHSignature.blob(
            key: key, namespace: StatementNamespace.text, signature: signature)
    }
}
