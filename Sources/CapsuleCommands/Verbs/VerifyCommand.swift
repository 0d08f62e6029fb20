import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleMemvid
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

    @OptionGroup(title: "Secrets, for an encrypted Memvid file") var opening: OpeningOptions

    func run() throws {
        let expected = try expectedRoot()
        if let storage = try MemvidOpener.storage(path: file) {
            return try verifyMemvid(storage, expected)
        }
        let capsule = try CapsuleOpener.open(path: file)
        try extract(statement: capsule.statement, signatures: capsule.signatures)
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

    /// A Memvid file proves what its checksums prove; one of `memvid pack` has a root besides, and
    /// signatures.
    private func verifyMemvid(_ storage: FileStorage, _ expected: Digest32?) throws {
        let opened = try MemvidOpener.open(storage, path: file, secrets: opening.secrets)
        let progress = ByteProgress()
        let reporter = ProgressReporter(isQuiet: quiet || outputOptions.json) {
            progress.text("verifying")
        }
        defer { reporter.stop() }
        let pack = PackVerifier(opened, progress: progress.add).verify()
        reporter.stop()
        try extract(
            statement: PackVerifier.statement(pack.statedRoot), signatures: pack.signatures)
        let signers = try allowedSigners.map { try TrustStore.signers(file: $0) }
        let report = SignatureReport(
            pack.signatures, over: PackVerifier.statement(pack.statedRoot),
            signers: try signers ?? TrustStore().signers())
        let result = VerifyResult(
            path: file, memvid: pack, signatures: report, demandsSigner: allowedSigners != nil,
            expectedRoot: expected)
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

    private func extract(statement: [UInt8], signatures: [[UInt8]]) throws {
        if let extractStatement { try write(statement, to: extractStatement) }
        guard let extractSignature else { return }
        guard signatures.indices.contains(signature - 1) else {
            throw AccessError(
                .usage, code: "not_found", "\(file): it has no signature number \(signature)")
        }
        let parsed = try SSHSignature(blob: signatures[signature - 1])
        try write(Array(parsed.armored.utf8), to: extractSignature)
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let output = try AtomicFile(path: path, mode: 0o644)
        try output.write(bytes, at: 0)
        try output.publish(replacing: true)
    }
}
