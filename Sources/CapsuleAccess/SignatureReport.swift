import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem

/// What the signatures of a capsule prove: one of five answers, and the answer for each signature.
public struct SignatureReport: Sendable {
    /// The answers.
    public enum Verdict: String, Sendable {
        /// There is no signature, and none is expected.
        case unsigned
        /// A key of the list of signers has signed.
        case known
        /// Only keys that are in no list have signed.
        case unknown
        /// A signature does not fit the capsule.
        case wrong
        /// The header commits to a signer whose signature is not there.
        case missing
    }

    /// One signature.
    public struct Item: Sendable {
        /// `SHA256:…`, or nil when the signature cannot be parsed.
        public let fingerprint: String?
        /// The key, if it can be parsed.
        public let key: SSHPublicKey?
        /// `known`, `unknown` or `wrong`.
        public let verdict: Verdict
        /// Whom the list of signers names for the key.
        public let principal: String?
        /// Why the key is not known although the list has it.
        public let note: String?
    }

    /// The signatures in the order of the file.
    public let items: [Item]
    /// Fingerprints of expected signers without a valid signature.
    public let missing: [String]

    /// The answer for the capsule: the worst that needs attention, else the best that is proven.
    public var verdict: Verdict {
        if items.contains(where: { $0.verdict == .wrong }) { return .wrong }
        if !missing.isEmpty { return .missing }
        if items.isEmpty { return .unsigned }
        return items.contains { $0.verdict == .known } ? .known : .unknown
    }

    /// Keys whose signatures are valid, known or not.
    public var validKeys: [SSHPublicKey] {
        items.compactMap { $0.verdict == .wrong ? nil : $0.key }
    }

    /// Checks every signature against the capsule's statement.
    public init(_ file: CapsuleFile, signers: AllowedSigners?) {
        self.init(
            file.signatures, over: file.statement, expected: file.header.expectedSigners,
            signers: signers)
    }

    /// Checks SSHSIG blobs against a statement; `expected` are the SHA-256 fingerprints of keys
    /// that must be among the signers.
    public init(
        _ signatures: [[UInt8]], over statement: [UInt8], expected: [[UInt8]] = [],
        signers: AllowedSigners?
    ) {
        let now = Timestamp.now.compact
        items = signatures.map { blob in
            guard let signature = try? SSHSignature(blob: blob) else {
                return Item(
                    fingerprint: nil, key: nil, verdict: .wrong, principal: nil,
                    note: "it cannot be parsed")
            }
            let key = signature.key
            guard signature.isValid(over: statement) else {
                return Item(
                    fingerprint: key.fingerprintText, key: key, verdict: .wrong, principal: nil,
                    note: "it does not fit this capsule")
            }
            let signer = signers?.signer(of: key, now: now)
            let isOutdated = signer == nil && signers?.mentions(key) == true
            return Item(
                fingerprint: key.fingerprintText, key: key,
                verdict: signer == nil ? .unknown : .known, principal: signer?.principals,
                note: isOutdated ? "the list of signers does not allow it now" : nil)
        }
        let valid = Set(
            items.compactMap { $0.verdict == .wrong ? nil : $0.key?.fingerprint })
        missing = expected.filter { !valid.contains($0) }
            .map(SSHPublicKey.text(ofFingerprint:))
    }
}
