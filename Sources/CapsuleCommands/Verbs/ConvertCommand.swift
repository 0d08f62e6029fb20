import ArgumentParser
import CapsuleAccess
import CapsuleCrypto
import CapsuleFormat
import CapsuleMemvid
import CapsuleSystem
import CapsuleTree

/// `capsule convert`.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Make a capsule of a Memvid file, or a Memvid file of a capsule.",
        discussion: "See capsule-convert(1).")

    @Argument(help: "A Memvid file, a capsule, or @STATE of a workspace.") var file: String
    @Argument(help: "The file to be written.") var output: String
    @Flag(name: .long, help: "Encrypt the Memvid file that is written.") var lock = false
    @OptionGroup(title: "Secrets that open FILE") var session: SessionOptions
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets to create") var newSlots: NewSlotOptions
    @OptionGroup(title: "Cost") var cost: CostOptions
    @Option(name: .long, help: "Sign with an SSH key.") var sign: [String] = []
    @Flag(name: .long, help: "Of a Memvid file, also take what is only in its log.")
    var recover = false
    @Flag(name: .long, help: "Replace an existing file.") var force = false
    @OptionGroup var outputOptions: OutputOptions
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    func run() throws {
        try MemvidOutput.check(output, replaces: force)
        let secrets = try session.opening.secrets.withPassphrasesRead()
        let opened = try session.openTree(file, secrets: secrets, recoversLog: recover, of: place)
        let signers = try Signers(paths: sign)
        do {
            if opened.tree is MemvidTree {
                try seal(opened.tree, secrets, signers)
            } else {
                try pack(opened.tree, secrets, signers)
            }
        } catch let error as FormatError {
            throw AccessError(error, path: file)
        }
    }

    private func seal(
        _ tree: any ReadableTree, _ secrets: OpeningSecrets, _ signers: Signers
    ) throws {
        if lock {
            throw AccessError(
                .usage, code: "usage", "--lock is for a Memvid file; a capsule is always encrypted")
        }
        let slots = try newSlots.slots(
            orPassphraseOf: secrets, cost: try cost.cost, object: output)
        var request = SealRequest(
            source: file, destination: output, slots: slots, lineage: nil,
            creator: Provenance.creator, toolVersion: ToolVersion.text,
            createdAt: try Provenance.createdAt())
        request.replaces = force
        request.expectedSigners = signers.fingerprints
        let progress = SealProgress()
        let reporter = ProgressReporter(isQuiet: quiet || outputOptions.json) {
            SealCommand.describe(progress)
        }
        defer { reporter.stop() }
        // What is shown beside the documents repeats them, or was deleted.
        let reserved = Array(".memvid".utf8)
        let result = try TreeSealer(request, progress: progress).seal(
            tree, leavesOut: { $0 == reserved }, sign: signers.sign)
        reporter.stop()
        if outputOptions.json {
            Output.json(SealResultJSON(result, path: output))
        } else if !quiet {
            Output.line("sealed \(result.manifest.entryCount) entries into \(output)")
            Output.line("root \(result.trailer.root.hex)")
        }
    }

    private func pack(
        _ tree: any ReadableTree, _ secrets: OpeningSecrets, _ signers: Signers
    ) throws {
        let passphrase = lock ? try memvidPassphrase(secrets) : nil
        let progress = ByteProgress()
        let reporter = ProgressReporter(isQuiet: quiet || outputOptions.json) {
            progress.text("packing")
        }
        defer { reporter.stop() }
        let report = try Packing.pack(
            tree, to: try MemvidOutput(path: output, replaces: force), passphrase: passphrase,
            signers, progress)
        reporter.stop()
        Packing.show(report, output, outputOptions, isQuiet: quiet)
    }

    private func memvidPassphrase(_ secrets: OpeningSecrets) throws(AccessError) -> SharedSecret {
        var options = MemvidPassphraseOptions()
        options.newPassphraseFile = newSlots.newPassphraseFile
        options.newPassphraseFd = newSlots.newPassphraseFd
        options.newPassphraseCommand = newSlots.newPassphraseCommand
        guard newSlots.recipient.isEmpty, newSlots.newKeyFile.isEmpty,
            !newSlots.makesRecoveryPhrase
        else {
            throw AccessError(
                .usage, code: "usage", "a Memvid file takes a passphrase and no other secret")
        }
        var opening = OpeningSecrets()
        opening.passphrases = secrets.passphrases
        return try options.passphrase(or: opening, for: output)
    }
}
