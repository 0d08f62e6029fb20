import ArgumentParser
import CapsuleAccess
import CapsuleCrypto
import CapsuleFormat
import CapsuleTree

/// `capsule rekey`.
struct RekeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rekey", abstract: "Seal a capsule's content again under a new key.",
        discussion: """
            Whoever knows the old key can still read old copies of FILE. See capsule-rekey(1).
            """)

    @Argument(help: "The capsule.") var file: String
    @Argument(help: "The capsule to be written.") var output: String
    @OptionGroup(title: "Secrets that open FILE") var session: SessionOptions
    @OptionGroup(title: "Secrets to create") var newSlots: NewSlotOptions
    @OptionGroup(title: "Cost") var cost: CostOptions
    @Option(name: .long, help: "Sign with an SSH key.") var sign: [String] = []
    @Flag(name: .long, help: "Replace an existing file.") var force = false
    @OptionGroup var outputOptions: OutputOptions
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    func run() throws {
        let secrets = try session.opening.secrets.withPassphrasesRead()
        let old = try session.open(file, secrets: secrets).capsule
        let cost = try cost.cost
        let slots = try newSlots.slots(
            orPassphraseOf: secrets, cost: cost, object: output)
        let signers = try Signers(paths: sign)
        var request = SealRequest(
            source: file, destination: output, slots: slots,
            lineage: try old.nextLineage(), creator: "", toolVersion: ToolVersion.text,
            createdAt: try Provenance.createdAt())
        request.replaces = force
        // What was stored uncompressed stays so: its sizes were meant to say nothing.
        if old.isUncompressed { request.level = 0 }
        request.label = old.file.header.label
        request.hint = old.file.header.hint
        request.publishesLineage = old.file.header.lineage != nil
        request.expectedSigners = signers.fingerprints
        let progress = SealProgress()
        let reporter = ProgressReporter(isQuiet: quiet || outputOptions.json) {
            SealCommand.describe(progress)
        }
        defer { reporter.stop() }
        let result = try CapsuleCopier(old, request: request, progress: progress).copy {
            statement in
            // ssh-keygen may ask for a passphrase, which a line of progress would overwrite.
            reporter.stop()
            return try signers.sign(statement)
        }
        reporter.stop()
        if outputOptions.json {
            Output.json(SealResultJSON(result, path: output))
        } else if !quiet {
            Output.line("sealed \(result.manifest.entryCount) entries into \(output)")
            Output.line("root \(result.trailer.root.hex)")
        }
        if !quiet {
            Output.note("\(file) and its copies still open with the old secrets")
        }
    }
}
