import CapsuleBytes
import Crypto

/// Signs the checkpoints of an audit log, as C2SP's tlog-checkpoint and signed-note say: an origin,
/// a size and a root as lines of text, and an Ed25519 signature over them.
public struct CheckpointSigner: Sendable {
    private let key: Curve25519.Signing.PrivateKey
    /// The origin, which is the name of the key as well.
    public let origin: String
    private static let algorithm: UInt8 = 1

    /// A signer from its 32 secret bytes. Throws `malformedKey`.
    public init(seed: [UInt8], origin: String) throws(CryptoError) {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
            throw .malformedKey("the signing key of the audit log has not 32 bytes")
        }
        self.key = key
        self.origin = origin
    }

    private var publicKey: [UInt8] { [Self.algorithm] + key.publicKey.rawRepresentation }

    private var keyID: [UInt8] {
        Array(SHA256.hash(data: Array(origin.utf8) + [10] + publicKey).prefix(4))
    }

    /// The public key in the form that tools of transparency logs take: `NAME+ID+KEY`.
    public var verifierKey: String {
        "\(origin)+\(Text.hex(keyID))+\(Text.base64(publicKey))"
    }

    /// The checkpoint of a tree, signed. Throws `malformedKey` when the key cannot sign.
    public func checkpoint(size: UInt64, root: Digest32) throws(CryptoError) -> String {
        let body = "\(origin)\n\(size)\n\(Text.base64(root.bytes))\n"
        guard let signature = try? key.signature(for: Array(body.utf8)) else {
            throw .malformedKey("the signing key of the audit log cannot be used")
        }
        return "\(body)\n\u{2014} \(origin) \(Text.base64(keyID + signature))\n"
    }

    /// The size and the root that a checkpoint vouches for; nil when this key has not signed it.
    public func open(checkpoint text: String) -> (size: UInt64, root: Digest32)? {
        guard let cut = text.utf8.firstIndex(of: 10, followedBy: 10) else { return nil }
        let body = String(text[..<text.utf8.index(after: cut)])
        let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 4, lines[0] == origin, let size = UInt64(lines[1]),
            let root = Text.unbase64(String(lines[2])), root.count == 32
        else { return nil }
        let start = "\u{2014} \(origin) "
        for line in text[cut...].split(separator: "\n") where line.hasPrefix(start) {
            guard let bytes = Text.unbase64(String(line.dropFirst(start.count))),
                bytes.count == 68, Array(bytes[..<4]) == keyID,
                key.publicKey.isValidSignature(bytes[4...], for: Array(body.utf8))
            else { continue }
            return (size, Digest32(root))
        }
        return nil
    }
}

extension String.UTF8View {
    /// Where a byte stands that another follows.
    fileprivate func firstIndex(of first: UInt8, followedBy second: UInt8) -> Index? {
        var previous: Index?
        for index in indices {
            if let previous, self[previous] == first, self[index] == second { return previous }
            previous = index
        }
        return nil
    }
}
