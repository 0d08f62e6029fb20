import CapsuleCrypto

/// Facts about a stored signature that need no check of it.
enum SSHSignatureKey {
    /// `SHA256:…` of the key that a signature claims. Throws when it cannot be parsed.
    static func fingerprint(of blob: [UInt8]) throws(CryptoError) -> String {
        try SSHSignature(blob: blob).key.fingerprintText
    }
}
