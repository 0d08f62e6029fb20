import CapsuleAccess
import CapsuleCrypto
import CapsuleFormat
import CapsuleMemvid
import MemvidFormat

/// What `verify` found: integrity, and one of five answers about the origin.
struct VerifyResult: Encodable {
    struct Signature: Encodable {
        let signer: String?
        let verdict: String
        let principal: String?
        let note: String?
    }

    struct Fault: Encodable {
        let offset: UInt64?
        let message: String
        let code: String
    }

    let path: String
    let root: String
    let isIntact: Bool
    let blocks: UInt64
    let bytes: UInt64
    let faults: [Fault]
    let verdict: String
    let signatures: [Signature]
    let missingSigners: [String]
    let errorCode: String?
    let exitCode: Int32
    private let summary: String

    private enum CodingKeys: String, CodingKey {
        case path, root, blocks, bytes, faults, signatures
        case isIntact = "intact"
        case verdict = "origin"
        case missingSigners = "missing_signers"
        case errorCode = "error_code"
        case exitCode = "exit_code"
    }

    /// What is checked, in the words of either format.
    private struct Facts {
        var root: Digest32
        var blocks: UInt64
        var bytes: UInt64
        var faults: [Fault]
        /// Whether what is there is not what was packed and signed.
        var hasChanged = false
    }

    init(
        path: String, capsule: CapsuleFile, integrity: CapsuleVerifier.Report,
        signatures report: SignatureReport, demandsSigner: Bool, expectedRoot: Digest32?
    ) {
        let facts = Facts(
            root: capsule.trailer.root, blocks: integrity.blockCount, bytes: integrity.byteCount,
            faults: integrity.faults.map {
                Fault(offset: $0.offset, message: $0.message, code: $0.code.rawValue)
            })
        self.init(path, facts, report, demandsSigner: demandsSigner, expectedRoot: expectedRoot)
    }

    init(
        path: String, memvid pack: PackVerifier.Report, signatures report: SignatureReport,
        demandsSigner: Bool, expectedRoot: Digest32?
    ) {
        var facts = Facts(
            root: pack.statedRoot, blocks: UInt64(pack.payloadCount), bytes: pack.byteCount,
            faults: pack.faults.map {
                Fault(offset: $0.offset, message: $0.message, code: $0.code.rawValue)
            })
        facts.hasChanged =
            pack.isPacked && (pack.statedRoot != pack.actualRoot || pack.addedCount > 0)
        self.init(path, facts, report, demandsSigner: demandsSigner, expectedRoot: expectedRoot)
    }

    private init(
        _ path: String, _ facts: Facts, _ report: SignatureReport, demandsSigner: Bool,
        expectedRoot: Digest32?
    ) {
        self.path = path
        root = facts.root.hex
        isIntact = facts.faults.isEmpty && !facts.hasChanged
        blocks = facts.blocks
        bytes = facts.bytes
        faults = facts.faults
        verdict = report.verdict.rawValue
        signatures = report.items.map {
            Signature(
                signer: $0.fingerprint, verdict: $0.verdict.rawValue, principal: $0.principal,
                note: $0.note)
        }
        missingSigners = report.missing
        let names = report.items.compactMap(\.principal).joined(separator: ", ")
        let hasWrongRoot = expectedRoot.map { $0 != facts.root } ?? false
        (exitCode, errorCode, summary) =
            if !facts.faults.isEmpty {
                (2, "damaged", "DAMAGED: \(facts.faults.count) faults; see 'capsule doctor'")
            } else if facts.hasChanged {
                (2, "changed", "CHANGED: documents were added or removed since it was packed")
            } else if hasWrongRoot {
                (3, "wrong_root", "intact, but its root is not the one demanded")
            } else {
                Self.origin(report, names: names, demandsSigner: demandsSigner)
            }
    }

    private static func origin(
        _ report: SignatureReport, names: String, demandsSigner: Bool
    ) -> (Int32, String?, String) {
        switch report.verdict {
        case .wrong:
            (3, "wrong_signature", "intact, but a signature does not fit it")
        case .missing:
            (3, "missing_signature", "intact, but an expected signature is missing")
        case .known: (0, nil, "intact and signed by \(names)")
        case .unknown:
            (
                demandsSigner ? 3 : 0, demandsSigner ? "unknown_signer" : nil,
                "intact; signed, but by nobody known: pin the signer with "
                    + "'capsule trust add', or name --allowed-signers"
            )
        case .unsigned:
            (
                demandsSigner ? 3 : 0, demandsSigner ? "unsigned" : nil,
                "intact; unsigned, which proves no origin"
            )
        }
    }

    func print(isQuiet: Bool) {
        for fault in faults {
            let place = fault.offset.map { " at offset \($0)" } ?? ""
            Output.note("\(path): \(fault.message)\(place)")
        }
        if exitCode != 0 { Output.note("\(path): \(summary)") }
        if isQuiet { return }
        if exitCode == 0 { Output.line("\(path): \(summary)") }
        Output.line("root \(root)")
        Output.line("\(blocks) blocks, \(bytes) bytes checked")
        for item in signatures {
            let name = item.principal.map { " (\($0))" } ?? ""
            let note = item.note.map { ": \($0)" } ?? ""
            Output.line("signature \(item.signer ?? "?")\(name): \(item.verdict)\(note)")
        }
        for signer in missingSigners { Output.line("signature \(signer): missing") }
    }
}
