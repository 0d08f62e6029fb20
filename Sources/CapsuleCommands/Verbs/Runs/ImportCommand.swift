import ArgumentParser
import CapsuleAccess
import CapsulePolicy
import CapsuleRuns
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// `capsule import`.
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take a capsule into a workspace, as a read-only folder.",
        discussion: "See capsule-import(1).")

    @Argument(help: "The capsule, or a file of Memvid's.") var file: String
    @Option(name: .long, help: "Its name under .capsule/imports; else SPEC-RUN, or the file's.")
    var mountAs: String?
    @Flag(name: .long, help: "Refuse it unless a known signer has signed it.")
    var requireVerified = false
    @Option(name: .long, help: "Take the signers in FILE for known instead of the pinned ones.")
    var allowedSigners: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets of the capsule, and of the workspace") var opening: OpeningOptions
    @Option(name: .long, help: "Read the workspace's passphrase from FILE.")
    var workspacePassphraseFile: String?
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        let project = try SettingsFile.find()
        try MemoryBackend.requireCapsules(project)
        guard project.settings.hasImport else {
            throw AccessError(
                .usage, code: "turned_off", "imports are turned off: features.import is false")
        }
        var demands = CapsuleSession.Demands()
        demands.requiresVerified = requireVerified
        demands.allowedSignersFile = allowedSigners
        let secrets = try opening.capsuleSecrets()
        var workspaceSecrets = try opening.secrets.withPassphrasesRead()
        if let workspacePassphraseFile {
            workspaceSecrets = OpeningSecrets()
            workspaceSecrets.passphraseFiles = [workspacePassphraseFile]
        }
        let progress = ByteProgress()
        let reporter = ProgressReporter(isQuiet: outputOptions.json) {
            progress.text("importing")
        }
        defer { reporter.stop() }
        let outcome = try WorkspaceOpener.withAccess(
            path: try place.path(), secrets: workspaceSecrets, patience: place.lockTimeout
        ) { access in
            return try ImportJob(
                access: access, source: file, secrets: secrets, demands: demands,
                mountName: mountAs, progress: progress
            ).run()
        }
        reporter.stop()
        if outcome.record.trust == .unverified {
            Output.warn(
                "\(file): it is intact, but no known signer vouches for it; 'capsule trust add' "
                    + "pins one")
        }
        for check in outcome.record.checks where check.check == "golden" && check.result != "ok" {
            Output.warn("\(file): \(check.message)")
        }
        if outputOptions.json { return Output.json(ImportRow(outcome.record, outcome.wasThere)) }
        let word = outcome.wasThere ? "is there already, the same, as" : "imported as"
        Output.line("\(file) \(word) \(outcome.record.name)")
    }
}

/// An import as it is shown.
struct ImportRow: Encodable {
    private let record: ImportRecord
    private let alreadyThere: Bool?

    init(_ record: ImportRecord, _ alreadyThere: Bool? = nil) {
        self.record = record
        self.alreadyThere = alreadyThere
    }

    private enum CodingKeys: String, CodingKey {
        case imported
        case alreadyThere = "already_there"
        case mountName = "mount_name"
        case verified = "verification_passed"
        case importedAt = "imported_at"
    }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(true, forKey: .imported)
        try container.encodeIfPresent(alreadyThere, forKey: .alreadyThere)
        try container.encode(record.name, forKey: .mountName)
        try container.encode(record.trust == .verified, forKey: .verified)
        try container.encode(Timestamp(seconds: record.seconds).rfc3339, forKey: .importedAt)
    }
}

/// `capsule imports`.
struct ImportsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imports", abstract: "List, check and remove what was imported.",
        discussion: "See capsule-import(1).",
        subcommands: [
            ImportsListCommand.self, ImportsShowCommand.self, ImportsVerifyCommand.self,
            ImportsRemoveCommand.self,
        ])
}

struct ImportsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the imports, by name.")

    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable { let imports: [ImportRow] }

    func run() throws {
        let records = try place.withService(opening, isReadOnly: true) {
            try ImportRecord.all(in: $0)
        }
        if outputOptions.json {
            return Output.json(Result(imports: records.map { ImportRow($0) }))
        }
        var table = Table()
        for record in records {
            table.add(
                record.name, Timestamp(seconds: record.seconds).rfc3339, record.trust.rawValue,
                record.source)
        }
        table.print()
    }
}

/// The record of an import that the user names.
private func find(_ name: String, _ service: any WorkspaceService) throws -> ImportRecord {
    guard let record = try ImportRecord.all(in: service).first(where: { $0.name == name }) else {
        throw AccessError(
            .usage, code: "unknown_import",
            "there is no import '\(name)': see 'capsule imports list'")
    }
    return record
}

struct ImportsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what is known of an import.")

    @Argument(help: "Its name.") var name: String
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        let record = try place.withService(opening, isReadOnly: true) { try find(name, $0) }
        if outputOptions.json { return Output.json(ImportRow(record)) }
        var table = Table()
        table.add("source", record.source)
        table.add("sha256", record.sourceDigest)
        table.add("content", record.contentDigest)
        table.add("trust", record.trust.rawValue, record.signer ?? "")
        if let spec = record.spec, let run = record.run { table.add("run", "\(spec) \(run)") }
        for check in record.checks { table.add(check.result, check.check, check.message) }
        table.print()
    }
}

struct ImportsVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read imports to the last byte and compare.")

    @Argument(help: "Their names; all, if none.") var names: [String] = []
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        struct Import: Encodable {
            let name: String
            let intact: Bool
            let problem: String?
        }

        let imports: [Import]
    }

    func run() throws {
        let found = try place.withAccess(opening, isReadOnly: true) { access in
            let records =
                try names.isEmpty
                ? ImportRecord.all(in: access.service)
                : names.map { try find($0, access.service) }
            return records.map { record in
                let fault = record.fault(in: access.path, isDeep: true, tree: access.tree)
                return Result.Import(
                    name: record.name, intact: fault == nil, problem: fault?.message)
            }
        }
        if outputOptions.json {
            Output.json(Result(imports: found))
        } else {
            for one in found {
                let problem = one.problem.map { "missing or changed: \($0)" }
                Output.line("\(one.name): \(problem ?? "intact")")
            }
        }
        if !found.allSatisfy(\.intact) { throw ExitCode(2) }
    }
}

struct ImportsRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove an import, its file and its key.")

    @Argument(help: "Its name.") var name: String
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable { let removed: String }

    func run() throws {
        try place.withAccess(opening) { access in
            let record = try find(name, access.service)
            try access.service.changeLedger(
                .remove(.import, name), .importRemoved, record.details)
            let path = "\(access.path)/\(Workspace.importsName)/\(record.file)"
            if unlink(path) != 0, errno != ENOENT { throw SystemError.last("remove", path) }
        }
        if outputOptions.json { return Output.json(Result(removed: name)) }
        Output.line("removed \(name)")
    }
}
