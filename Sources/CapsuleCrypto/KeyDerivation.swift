import Crypto

/// HKDF-SHA-256 (RFC 5869).
public enum KeyDerivation {
    /// `count` bytes for one purpose.
    public static func expand(
        _ key: SymmetricKey, salt: [UInt8], info: [UInt8], count: Int
    ) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, salt: salt, info: info, outputByteCount: count)
    }
}

extension SymmetricKey {
    /// A copy of the key's bytes; the caller wipes it when they are secret.
    public var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}
