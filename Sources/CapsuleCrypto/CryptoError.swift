/// Why a cryptographic operation on outside input failed.
public enum CryptoError: Error, Equatable, Sendable {
    /// Authentication failed: damage, or the wrong key.
    case notAuthentic
    /// Argon2id parameters outside the limits, or memory that cannot be had.
    case keyDerivation(String)
    /// A recipient, identity, phrase or key file that does not have the form it should have.
    case malformedKey(String)
    /// A signature or signer file that does not have the form it should have.
    case malformedSignature(String)
}

extension CryptoError: CustomStringConvertible {
    /// The message.
    public var description: String {
        switch self {
        case .notAuthentic: "the data is not authentic"
        case .keyDerivation(let reason), .malformedKey(let reason),
            .malformedSignature(let reason):
            reason
        }
    }
}
