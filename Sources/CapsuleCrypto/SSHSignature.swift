import CapsuleBytes
import Crypto

/// The namespace of our signatures: one made for another purpose is none here.
public enum StatementNamespace {
    /// As `ssh-keygen -Y sign -n` takes it.
    public static let text = "capsule.capsulefs"
}

/// A signature in OpenSSH's format for files (PROTOCOL.sshsig).
public struct SSHSignature: Sendable {
    /// Who signed.
    public let key: SSHPublicKey
    /// What for.
    public let namespace: String
    /// The signature in its binary form.
    public let blob: [UInt8]
    private let hashName: String
    private let signature: [UInt8]

    private static let magic = Array("SSHSIG".utf8)
    private static let label = "SSH SIGNATURE"

    /// Parses the binary form. Throws `CryptoError.malformedSignature`.
    public init(blob: [UInt8]) throws(CryptoError) {
        let keyBlob: [UInt8]
        do throws(ByteError) {
            var reader = SSHReader(blob.span.bytes)
            guard try reader.bytes(6) == Self.magic, try reader.integer() == 1 else {
                throw ByteError(.unexpectedValue, "SSHSIG magic", at: 0)
            }
            keyBlob = try reader.string()
            namespace = String(decoding: try reader.string(), as: UTF8.self)
            _ = try reader.string()
            hashName = String(decoding: try reader.string(), as: UTF8.self)
            signature = try reader.string()
            try reader.end()
        } catch {
            throw .malformedSignature("not an SSH signature")
        }
        key = try SSHPublicKey(blob: keyBlob)
        self.blob = blob
    }

    /// Parses the armoured form.
    public init(armored text: [UInt8]) throws(CryptoError) {
        guard let blob = SSHArmor.decode(text, label: Self.label) else {
            throw .malformedSignature("not an armoured SSH signature")
        }
        try self.init(blob: blob)
    }

    /// The armoured form, which ssh-keygen reads.
    public var armored: String { SSHArmor.encode(blob, label: Self.label) }

    /// What the key itself signs: everything about `message` but the message.
    static func signedData(_ message: [UInt8], namespace: String) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(magic)
        writer.sshString(Array(namespace.utf8))
        writer.sshString([])
        writer.sshString(Array("sha512".utf8))
        writer.sshString(Array(SHA512.hash(data: message)))
        return writer.bytes
    }

    /// Puts a raw signature into the format.
    static func blob(key: SSHPublicKey, namespace: String, signature: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(magic)
        writer.integer(UInt32(1).byteSwapped)
        writer.sshString(key.blob)
        writer.sshString(Array(namespace.utf8))
        writer.sshString([])
        writer.sshString(Array("sha512".utf8))
        writer.sshString(signature)
        return writer.bytes
    }

    /// Whether it is the key's signature of `message` in our namespace, with SHA-512.
    public func isValid(over message: [UInt8]) -> Bool {
        guard namespace == StatementNamespace.text, hashName == "sha512" else { return false }
        return key.isValid(
            signature, over: Self.signedData(message, namespace: namespace))
    }
}
