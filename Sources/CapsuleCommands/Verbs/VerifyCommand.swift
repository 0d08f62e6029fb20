import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem

/// `capsule verify`.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every byte and every signature; needs no secret.",
        discussion: "See capsule-verify(1).")

    @Argument(help: "The capsule.") var file: String
    @Option(name: .long, help: "Demand a signer listed in FILE (allowed_signers format).")
    var allowedSigners: String?
    @Option(name: .long, help: "Demand this root.") var root: String?
    @Option(name: .long, help: "Write what was signed to FILE, for ssh-keygen -Y verify.")
    var extractStatement: String?
    @Option(name: .long, help: "Write the signature (the first, or --signature N) to FILE.")
    var extractSignature: String?
    @Option(name: .long, help: "Which signature to extract, from 1.") var signature = 1
    @OptionGroup var outputOptions: OutputOptions
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    func run() throws {
        let expected = try expectedRoot()
        let capsule = try CapsuleOpener.open(path: file)
        try extract(capsule)
        let signers = try allowedSigners.map { try TrustStore.signers(file: $0) }
        let report = SignatureReport(capsule, signers: try signers ?? TrustStore().signers())
        let progress = ByteProgress()
        let length = capsule.trailer.fileLength
        let reporter = ProgressReporter(isQuiet: quiet || outputOptions.json) {
            progress.text("verifying", of: length)
        }
        let integrity = CapsuleVerifier(capsule, progress: progress.add).verify()
        reporter.stop()
        let result = VerifyResult(
            path: file, capsule: capsule, integrity: integrity, signatures: report,
            demandsSigner: allowedSigners != nil, expectedRoot: expected)
        if outputOptions.json {
            Output.json(result)
        } else {
            result.print(isQuiet: quiet)
        }
        if result.exitCode != 0 { throw ExitCode(result.exitCode) }
    }

    private func expectedRoot() throws -> Digest32? {
        guard let root else { return nil }
        guard let digest = Digest32(hex: root) else {
            throw AccessError(.usage, code: "usage", "--root takes 64 hexadecimal digits")
        }
        return digest
    }

    private func extract(_ capsule: CapsuleFile) throws {
        if let extractStatement { try write(capsule.statement, to: extractStatement) }
        guard let extractSignature else { return }
        guard capsule.signatures.indices.contains(signature - 1) else {
            throw AccessError(
                .usage, code: "not_found", "\(file): it has no signature number \(signature)")
        }
        let parsed = try SSHSignature(blob: capsule.signatures[signature - 1])
        try write(Array(parsed.armored.utf8), to: extractSignature)
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let output = try AtomicFile(path: path, mode: 0o644)
        try output.write(bytes, at: 0)
        try output.publish(replacing: true)
    }
}

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

    init(
        path: String, capsule: CapsuleFile, integrity: CapsuleVerifier.Report,
        signatures report: SignatureReport, demandsSigner: Bool, expectedRoot: Digest32?
    ) {
        self.path = path
        root = capsule.trailer.root.hex
        isIntact = integrity.isIntact
        blocks = integrity.blockCount
        bytes = integrity.byteCount
        faults = integrity.faults.map {
            Fault(offset: $0.offset, message: $0.message, code: $0.code.rawValue)
        }
        verdict = report.verdict.rawValue
        signatures = report.items.map {
            Signature(
                signer: $0.fingerprint, verdict: $0.verdict.rawValue, principal: $0.principal,
                note: $0.note)
        }
        missingSigners = report.missing
        let names = report.items.compactMap(\.principal).joined(separator: ", ")
        let hasWrongRoot = expectedRoot.map { $0 != capsule.trailer.root } ?? false
        (exitCode, errorCode, summary) =
            if !integrity.isIntact {
                (2, "damaged", "DAMAGED: \(integrity.faults.count) faults; see 'capsule doctor'")
            } else if hasWrongRoot {
                (3, "wrong_root", "intact, but its root is not the one demanded")
            } else {
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
