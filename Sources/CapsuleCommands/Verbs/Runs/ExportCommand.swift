import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsulePolicy
import CapsuleRuns
import CapsuleSystem
import CapsuleTree
import CapsuleWorkspace
import Glibc

/// Secrets of the capsule that an export makes.
struct ExportSecretOptions: ParsableArguments {
    @Option(name: .long, help: "Read the new capsule's passphrase from FILE.")
    var capsulePassphraseFile: [String] = []

    @Option(name: .long, help: "Read the new capsule's passphrase from descriptor FD.")
    var capsulePassphraseFd: [Int32] = []

    @Option(name: .long, help: "Take what COMMAND prints as the new capsule's passphrase.")
    var capsulePassphraseCommand: [String] = []

    @Option(name: .long, help: "Make a slot for an age recipient, or for each one in @FILE.")
    var recipient: [String] = []

    /// Whether none is named.
    var isEmpty: Bool {
        capsulePassphraseFile.isEmpty && capsulePassphraseFd.isEmpty
            && capsulePassphraseCommand.isEmpty && recipient.isEmpty
    }

    /// The slots: what was named, else for the environment's passphrase, else for one typed twice.
    func slots(
        _ recipients: [String], cost: Argon2id.Cost, object: String, mayAsk: Bool
    ) throws -> [SealRequest.Slot] {
        var options = NewSlotOptions()
        options.newPassphraseFile = capsulePassphraseFile
        options.newPassphraseFd = capsulePassphraseFd
        options.newPassphraseCommand = capsulePassphraseCommand
        options.recipient = recipient.isEmpty ? recipients : recipient
        options.newKeyFile = []
        options.recoveryPhrase = false
        options.newRecoveryPhraseFile = nil
        let named = try options.slots(cost: cost, object: object)
        if !named.isEmpty { return named }
        // Empty is not set, as it was in the original.
        if Environment.variable("SPECKIT_MEMVID_PASSPHRASE")?.isEmpty == false,
            let value = try SecretReader.environment("SPECKIT_MEMVID_PASSPHRASE")
        {
            return [SealRequest.Slot(.passphrase(value, cost), label: "passphrase")]
        }
        guard mayAsk, SecretReader.hasTerminal else {
            throw AccessError(
                .usage, code: "missing_secret",
                "\(object): nobody could open it: give --capsule-passphrase-file, --recipient, "
                    + "SPECKIT_MEMVID_PASSPHRASE or capsule.export.recipients")
        }
        let typed = try SecretReader.newPassphrase(for: object)
        return [SealRequest.Slot(.passphrase(typed, cost), label: "passphrase")]
    }
}

/// `capsule export`.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Hand a run over as one encrypted capsule, masked.",
        discussion: "See capsule-export(1) and capsule-runs(7).")

    @OptionGroup var which: RunOptions
    @Option(name: [.customShort("o"), .long], help: "The file to be written.") var out: String?
    @Flag(inversion: .prefixedNo, exclusivity: .exclusive, help: "Encrypt it.")
    var encrypt = true
    @Flag(name: .long, help: "Mask it, and leave raw model traffic out; the default.")
    var safe = false
    @Flag(name: .long, help: "Leave everything in, as it was recorded.") var unsafe = false
    @Option(name: .long, help: "Also: model-io (masked), binaries (as they are).")
    var include: [String] = []
    @Option(name: .long, help: "Sign with an SSH key: private, or .pub with an agent.")
    var sign: [String] = []
    @Option(name: [.customShort("f"), .long], help: "mv2 (a capsule) or json-dir.")
    var format = "mv2"
    @Flag(name: .long, help: "Show what would leave and what would be masked; write nothing.")
    var preview = false
    @Flag(name: .long, help: "With --preview, say which rule holds what back.") var explain = false
    @Flag(name: .long, help: "Replace an existing file.") var force = false
    @OptionGroup(title: "Secrets of the new capsule") var capsuleSecrets: ExportSecretOptions
    @OptionGroup(title: "Cost") var cost: CostOptions
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets of the workspace") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    mutating func validate() throws {
        guard !(safe && unsafe) else { throw ValidationError("--safe or --unsafe, not both") }
        guard ["mv2", "json-dir"].contains(format) else {
            throw ValidationError("--format takes mv2 or json-dir")
        }
        for word in include where !["model-io", "binaries"].contains(word) {
            throw ValidationError("--include takes model-io or binaries")
        }
        guard format != "json-dir" || !encrypt else {
            throw ValidationError("json-dir is a folder in the clear: it needs --no-encrypt")
        }
        guard format == "mv2" || sign.isEmpty else {
            throw ValidationError("a folder cannot be signed: json-dir takes no --sign")
        }
        guard encrypt || capsuleSecrets.isEmpty else {
            throw ValidationError(
                "--no-encrypt writes in the clear: it takes no passphrase and no recipient")
        }
        guard !explain || preview else { throw ValidationError("--explain needs --preview") }
    }

    private var scope: ExportScope {
        var scope = ExportScope()
        scope.isSafe = !unsafe
        scope.includesModelIO = include.contains("model-io")
        scope.includesBinaries = include.contains("binaries")
        return scope
    }

    func run() throws {
        let settings = try SettingsFile.find()
        try MemoryBackend.requireCapsules(settings)
        try place.withAccess(opening) { access in
            let rules = try ExportRules.of(settings, workspace: access.path)
            let run = try which.find(in: access.service)
            let exporter = RunExporter(access.service, tree: access.tree)
            if scope.includesModelIO, run.capture != .full {
                Output.warn(
                    "the run records \(run.capture.rawValue), so no call of a model leaves")
            }
            if preview {
                let prepared = try exporter.prepare(run, scope: scope, rules: rules)
                return ExportPreview(prepared).show(
                    explains: explain, asJSON: outputOptions.json)
            }
            if format == "json-dir" {
                return try writeFolder(run, exporter, access, settings, rules)
            }
            if !encrypt { return try writePlain(run, exporter, access, settings, rules) }
            var job = ExportJob(access: access, settings: settings)
            job.scope = scope
            job.replaces = force
            job.signers = try Signers(paths: sign)
            job.trigger = "command"
            job.path = try ExportPlace(run.name, out: out, settings: settings).checked(
                against: access.path)
            try MemvidOutput.check(job.path, replaces: force)
            let slots = try capsuleSecrets.slots(
                [], cost: try cost.cost, object: job.path, mayAsk: true)
            let result = try job.export(run, slots: slots)
            ExportResult(result).show(asJSON: outputOptions.json)
        }
    }

    /// A `.mv2` that Memvid opens, masked and logged alike.
    private func writePlain(
        _ run: Run, _ exporter: RunExporter, _ access: WorkspaceAccess,
        _ settings: SettingsFile, _ rules: RedactionRules
    ) throws {
        let path = try ExportPlace(run.name, out: out, settings: settings, suffix: "mv2").checked(
            against: access.path)
        try MemvidOutput.check(path, replaces: force)
        let signers = try Signers(paths: sign)
        let result = try exporter.exportPlain(
            run, scope: scope, rules: rules, to: path, format: "mv2",
            isSigned: !signers.keys.isEmpty
        ) { tree, willPublish in
            let target = try MemvidOutput(path: path, replaces: force)
            _ = try Packing.pack(
                tree, to: target, passphrase: nil, signers, ByteProgress(),
                willPublish: { try willPublish(target.file) })
        }
        ExportResult(result).show(asJSON: outputOptions.json)
    }

    private func writeFolder(
        _ run: Run, _ exporter: RunExporter, _ access: WorkspaceAccess,
        _ settings: SettingsFile, _ rules: RedactionRules
    ) throws {
        guard let out else {
            throw AccessError(.usage, code: "usage", "json-dir has no default place: give --out")
        }
        let path = try ExportPlace(run.name, out: out, settings: settings).checked(
            against: access.path)
        let result = try exporter.exportPlain(
            run, scope: scope, rules: rules, to: path, format: RunExporter.folderFormat
        ) { tree, _ in
            try FolderOutput(path).write(tree)
        }
        ExportResult(result).show(asJSON: outputOptions.json)
    }
}
