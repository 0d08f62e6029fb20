import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem

/// An opened capsule with what is known of its origin.
public struct CapsuleSession: Sendable {
    /// What must hold before a capsule is used.
    public struct Demands: Sendable {
        /// The only root that is accepted.
        public var root: Digest32?
        /// A list of signers instead of the pinned ones; naming one demands a known signer.
        public var allowedSignersFile: String?
        /// Whether a known signer is demanded.
        public var requiresVerified = false
        /// Whether the versions seen are left out of account.
        public var ignoresHistory = false

        /// No demands beyond integrity and history.
        public init() {}
    }

    /// The capsule.
    public let capsule: Capsule
    /// What its signatures prove.
    public let signatures: SignatureReport

    /// Opens the capsule at `path`: clear parts, root, signatures, secret, authentication, history,
    /// in this order; the newest version is remembered last.
    public static func open(
        path: String, secrets: OpeningSecrets, demands: Demands = Demands(),
        caches: Capsule.CacheSizes = Capsule.CacheSizes()
    ) throws(AccessError) -> CapsuleSession {
        let file = try CapsuleOpener.open(path: path)
        if let expected = demands.root, expected != file.trailer.root {
            throw AccessError(
                .validation, code: "wrong_root",
                "\(path): its root is \(file.trailer.root.hex), not the one demanded")
        }
        let report = try checkSignatures(file, path: path, demands)
        let keys = try secrets.unlock(file, path: path)
        let capsule: Capsule
        var lineage: Manifest.Lineage?
        do throws(FormatError) {
            capsule = try Capsule(file, keys: keys, caches: caches)
            if !report.validKeys.isEmpty, !demands.ignoresHistory {
                lineage = try capsule.manifest().lineage
            }
        } catch {
            throw AccessError(error, path: path)
        }
        if let lineage { try remember(lineage, capsule, report, path) }
        return CapsuleSession(capsule: capsule, signatures: report)
    }

    private static func remember(
        _ lineage: Manifest.Lineage, _ capsule: Capsule, _ report: SignatureReport, _ path: String
    ) throws(AccessError) {
        let store = TrustStore()
        let root = capsule.file.trailer.root
        try store.check(lineage, root: root, signers: report.validKeys, path: path)
        do throws(AccessError) {
            try store.remember(lineage, root: root, signers: report.validKeys)
        } catch {
            // A home that cannot be written to must not keep anybody from reading a capsule.
            Diagnostics.warn("\(error.message); the version is not remembered")
        }
    }

    /// The signers that a demand or the store names, and the verdict; throws where a demand for a
    /// known signer, or the capsule's own expectation, is not met.
    public static func checkSignatures(
        _ file: CapsuleFile, path: String, _ demands: Demands
    ) throws(AccessError) -> SignatureReport {
        let signers: AllowedSigners
        if let list = demands.allowedSignersFile {
            signers = try TrustStore.signers(file: list)
        } else {
            signers = try TrustStore().signers()
        }
        let report = SignatureReport(file, signers: signers)
        let mustBeKnown = demands.requiresVerified || demands.allowedSignersFile != nil
        switch report.verdict {
        case .known: break
        case .wrong:
            throw refusal("wrong_signature", path, "a signature does not fit the capsule")
        case .missing:
            throw refusal(
                "missing_signature", path,
                "the signature of \(report.missing.joined(separator: ", ")) is missing")
        case .unknown where mustBeKnown:
            throw refusal(
                "unknown_signer", path,
                "no known signer has signed it; 'capsule trust add' pins one")
        case .unsigned where mustBeKnown:
            throw refusal("unsigned", path, "it is not signed, so nothing proves its origin")
        case .unknown, .unsigned: break
        }
        return report
    }

    private static func refusal(_ code: String, _ path: String, _ reason: String) -> AccessError {
        AccessError(.validation, code: code, "\(path): \(reason)")
    }
}
