import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import CapsuleTree
import CapsuleWorkspace
import Synchronization

/// `capsule seal`.
struct SealCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal", abstract: "Seal a folder, or a state, into a new capsule.",
        discussion: "See capsule-seal(1).")

    @Argument(help: "The folder, or @STATE of a workspace.") var directory: String
    @Argument(help: "The capsule to be written.") var output: String
    @OptionGroup(title: "Secrets to create") var newSlots: NewSlotOptions
    @OptionGroup(title: "Passphrase sources, if no secret to create is named")
    var opening: OpeningOptions
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Cost") var cost: CostOptions
    @Option(name: .long, help: "Sign with an SSH key: private, or .pub with an agent.")
    var sign: [String] = []
    @Option(name: .long, help: "Leave out what matches GLOB.") var exclude: [String] = []
    @Option(name: .long, help: "zstd level, 1 to 19; 0 stores uncompressed.") var level = 3
    @Option(name: .long, help: "Largest block in bytes: a power of two, 4096 to 1048576.")
    var blockSize = SealRequest.defaultBlockSize
    @Flag(name: .long, help: "Uniform blocks, uncompressed, and a rounded length.") var pad = false
    @Option(name: .long, help: "A public name.") var label = ""
    @Option(name: .long, help: "A public hint at the passphrase.") var hint = ""
    @Option(name: .long, help: "Seal the next version of the lineage of capsule FILE.")
    var parent: String?
    @Flag(name: .long, help: "Publish lineage and version in the clear.") var publicLineage = false
    @Flag(name: .long, help: "The same folder and secret give the same file.")
    var reproducible = false
    @Flag(name: .long, help: "Replace an existing file.") var force = false
    @OptionGroup var outputOptions: OutputOptions
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    mutating func validate() throws {
        guard (0...19).contains(level) else { throw ValidationError("--level takes 0 to 19") }
        guard Limits.blockSizeOption.contains(blockSize), blockSize.nonzeroBitCount == 1 else {
            throw ValidationError("--block-size takes a power of two from 4096 to 1048576")
        }
        guard !reproducible || !newSlots.makesRecoveryPhrase else {
            throw ValidationError("--reproducible takes no recovery phrase, which is always new")
        }
        guard label.utf8.count <= Limits.labelLength, hint.utf8.count <= Limits.labelLength else {
            throw ValidationError("--label and --hint take at most 255 bytes")
        }
    }

    /// The tree of the state that shall be sealed, if it is one.
    private func state(_ secrets: OpeningSecrets) throws -> (any ReadableTree)? {
        if Workspace.isWorkspace(directory) {
            throw AccessError(
                .usage, code: "usage",
                "\(directory) is a workspace: seal a state of it ('capsule seal @NAME OUT -w "
                    + "\(directory)'), or a copy of the directory for its ciphertext")
        }
        guard directory.hasPrefix("@") else { return nil }
        guard exclude.isEmpty, !pad, !reproducible else {
            throw AccessError(
                .usage, code: "usage", "a state takes no --exclude, --pad or --reproducible")
        }
        return try OpenedTree.open(
            path: directory, secrets: secrets, workspace: place.workspace
        ).tree
    }

    func run() throws {
        let signers = try Signers(paths: sign)
        let secrets = try opening.secrets.withPassphrasesRead()
        var state = try state(secrets)
        var request = try makeRequest(
            slots: try slots(secrets), lineage: try lineage(secrets), signers: signers)
        request.replaces = force
        let mounted =
            state == nil ? WorkspaceLocator.mounted(at: RawArgument.bytes(of: directory)) : nil
        request.auditCheckpoint = try checkpoint(state, mounted?.workspace)
        // After the prompts, which a line of progress would overwrite.
        let progress = SealProgress()
        let reporter = ProgressReporter(isQuiet: quiet || outputOptions.json) {
            SealCommand.describe(progress)
        }
        defer { reporter.stop() }
        let sealer = TreeSealer(request, progress: progress)
        let sign: ([UInt8]) throws -> [[UInt8]] = { statement in
            // ssh-keygen may ask for a passphrase, which a line of progress would overwrite.
            reporter.stop()
            return try signers.sign(statement)
        }
        let result =
            if let state {
                try sealer.seal(state, leavesOut: { _ in false }, sign: sign)
            } else {
                try sealer.seal(sign: sign)
            }
        reporter.stop()
        if state != nil {
            // Whoever reads a workspace keeps others from writing to it.
            state = nil
            let path = try place.path()
            let keys = try? secrets.unlock(try WorkspaceOpener.keyFile(of: path), path: path)
            let name = EventValue.text(StateOperand.name(directory))
            note(result, of: path, from: ["state": name], keys)
        } else if let mounted {
            let inside = String(decoding: mounted.inside, as: UTF8.self)
            note(
                result, of: mounted.workspace, from: ["path": .text(inside.isEmpty ? "/" : inside)],
                nil)
        }
        for remark in result.manifest.remarks where !quiet {
            Output.warn("\(remark.path): \(remark.reason)")
        }
        if outputOptions.json {
            Output.json(SealResultJSON(result, path: output))
        } else if !quiet {
            Output.line("sealed \(result.manifest.entryCount) entries into \(output)")
            Output.line("root \(result.trailer.root.hex)")
        }
    }

    /// The checkpoint of the log of the workspace that is sealed from: by a state of it, or as a
    /// folder of a mount of it.
    private func checkpoint(
        _ state: (any ReadableTree)?, _ mounted: String?
    ) throws -> String? {
        if let audited = state as? any AuditedTree { return try audited.checkpointText() }
        // The log has changed by the next time, and the file shall not.
        guard let mounted, !reproducible else { return nil }
        if let remote = RemoteWorkspace(mounted) { return try remote.checkpointText() }
        Output.warn(
            "\(directory): its mount only reads, so the capsule has no checkpoint of the audit "
                + "log; seal @STATE instead")
        return nil
    }

    /// Tells a workspace's audit log what was sealed from it.
    private func note(
        _ result: SealResult, of workspace: String, from source: [String: EventValue],
        _ keys: FileKeys?
    ) {
        var details: [String: EventValue] = [
            "capsule_id": .text(result.manifest.capsuleID), "root": .text(result.trailer.root.hex),
            "entries": .number(Int64(clamping: result.manifest.entryCount)),
            "masked": .flag(false),
        ]
        details.merge(source) { _, new in new }
        WorkspaceOpener.note(.sealed, details, path: workspace, keys: keys)
    }

    private func slots(_ secrets: OpeningSecrets) throws -> [SealRequest.Slot] {
        if parent == nil, !directory.hasPrefix("@"), secrets.hasOtherSource {
            throw AccessError(
                .usage, code: "usage",
                "--identity, --key-file and --recovery-phrase-file open a --parent or @STATE; a "
                    + "new capsule takes --recipient, --new-key-file and --recovery-phrase")
        }
        return try newSlots.slots(
            orPassphraseOf: secrets, cost: try cost.cost, object: output)
    }

    private func makeRequest(
        slots: [SealRequest.Slot], lineage: Manifest.Lineage?, signers: Signers
    ) throws -> SealRequest {
        var request = SealRequest(
            source: directory, destination: output, slots: slots, lineage: lineage,
            creator: reproducible ? "" : Provenance.creator, toolVersion: ToolVersion.text,
            createdAt: try createdAt())
        request.expectedSigners = signers.fingerprints
        request.level = level
        request.blockSize = blockSize
        request.pads = pad
        request.label = label
        request.hint = hint
        request.publishesLineage = publicLineage
        request.isReproducible = reproducible
        request.excludes = exclude.map { ExcludePattern($0) }
        return request
    }

    private func createdAt() throws -> String {
        let isDated = Environment.variable("SOURCE_DATE_EPOCH") != nil
        return reproducible && !isDated
            ? Timestamp(seconds: 0).rfc3339 : try Provenance.createdAt()
    }

    private func lineage(_ secrets: OpeningSecrets) throws -> Manifest.Lineage? {
        guard let parent else { return nil }
        let session = try CapsuleSession.open(path: parent, secrets: secrets)
        return try session.capsule.nextLineage()
    }

    static func describe(_ progress: SealProgress) -> String {
        let entries = progress.entries.load(ordering: .relaxed)
        let toCheck = progress.bytesToCheck.load(ordering: .relaxed)
        if toCheck > 0 {
            let checked = progress.bytesChecked.load(ordering: .relaxed)
            return "checking \(Human.bytes(checked)) of \(Human.bytes(toCheck))"
        }
        let bytes = progress.bytesRead.load(ordering: .relaxed)
        return "sealing: \(entries) entries, \(Human.bytes(bytes))"
    }
}

/// What `seal` and `rekey` report.
struct SealResultJSON: Encodable {
    private let path: String
    private let root: String
    private let manifest: Manifest
    private let fileLength: UInt64

    init(_ result: SealResult, path: String) {
        self.path = path
        root = result.trailer.root.hex
        manifest = result.manifest
        fileLength = result.trailer.fileLength
    }

    private enum CodingKeys: String, CodingKey {
        case path, root, manifest
        case fileLength = "file_length"
    }
}
