import CapsuleBytes
import Crypto

/// An OpenSSH public key of a kind that can be verified here.
public struct SSHPublicKey: Hashable, Sendable {
    /// The kinds.
    public enum Kind: String, Sendable {
        case ed25519 = "ssh-ed25519"
        case securityKeyEd25519 = "sk-ssh-ed25519@openssh.com"
    }

    /// The kind.
    public let kind: Kind
    /// The key in SSH's wire form.
    public let blob: [UInt8]
    let point: [UInt8]
    let application: [UInt8]

    /// Parses the wire form. Throws `CryptoError.malformedSignature`.
    public init(blob: [UInt8]) throws(CryptoError) {
        do throws(ByteError) {
            var reader = SSHReader(blob.span.bytes)
            let name = String(decoding: try reader.string(), as: UTF8.self)
            guard let kind = Kind(rawValue: name) else {
                throw ByteError(.unexpectedValue, "SSH key kind", at: 0)
            }
            self.kind = kind
            point = try reader.string()
            application = kind == .securityKeyEd25519 ? try reader.string() : []
            try reader.end()
            guard point.count == 32 else {
                throw ByteError(.outOfRange, "Ed25519 key", at: 0)
            }
        } catch {
            throw .malformedSignature("not an Ed25519 key of OpenSSH")
        }
        self.blob = blob
    }

    /// A key of the plain kind from its 32 bytes.
    init(ed25519 point: [UInt8]) {
        var writer = ByteWriter()
        writer.sshString(Array(Kind.ed25519.rawValue.utf8))
        writer.sshString(point)
        kind = .ed25519
        blob = writer.bytes
        self.point = point
        application = []
    }

    /// Parses a line of a `.pub` file: kind, base64, comment.
    public init(line: String) throws(CryptoError) {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, Kind(rawValue: String(words[0])) != nil,
            let blob = Text.unbase64(String(words[1]))
        else { throw .malformedSignature("not a public key file of an Ed25519 key") }
        try self.init(blob: blob)
    }

    /// SHA-256 of the wire form: what headers commit to.
    public var fingerprint: [UInt8] { Array(SHA256.hash(data: blob)) }

    /// As OpenSSH prints fingerprints.
    public var fingerprintText: String { SSHPublicKey.text(ofFingerprint: fingerprint) }

    /// A fingerprint as OpenSSH prints it.
    public static func text(ofFingerprint fingerprint: [UInt8]) -> String {
        "SHA256:" + Text.base64(fingerprint).prefix { $0 != "=" }
    }

    /// The key as a line of `authorized_keys` or `allowed_signers`.
    public var line: String { "\(kind.rawValue) \(Text.base64(blob))" }

    /// Checks an SSH signature blob over `message`.
    func isValid(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        guard let parts = try? SSHSignatureBlob(signature), parts.kind == kind.rawValue,
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: point)
        else { return false }
        switch kind {
        case .ed25519:
            guard parts.trailer.isEmpty else { return false }
            return key.isValidSignature(parts.signature, for: message)
        case .securityKeyEd25519:
            // PROTOCOL.u2f: hash of the application, flags, counter, hash of the message; bit 0 of
            // the flags says that somebody touched the key.
            guard parts.trailer.count == 5, parts.trailer[0] & 1 == 1 else { return false }
            let signed =
                Array(SHA256.hash(data: application)) + parts.trailer
                + Array(SHA256.hash(data: message))
            return key.isValidSignature(parts.signature, for: signed)
        }
    }
}

/// The signature inside an SSHSIG: kind, 64 bytes, and what security keys add.
private struct SSHSignatureBlob {
    let kind: String
    let signature: [UInt8]
    let trailer: [UInt8]

    init(_ bytes: [UInt8]) throws(ByteError) {
        var reader = SSHReader(bytes.span.bytes)
        kind = String(decoding: try reader.string(), as: UTF8.self)
        signature = try reader.string()
        trailer = try reader.bytes(reader.remaining)
    }
}
