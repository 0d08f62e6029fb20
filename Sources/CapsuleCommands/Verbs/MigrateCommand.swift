import ArgumentParser
import CapsuleAccess
import CapsuleFormat
import CapsuleMemvid
import CapsuleRuns
import CapsuleSystem
import CapsuleTree
import Glibc

/// `capsule migrate`.
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Make a capsule of an older file in its place; the original stays as .bak.",
        discussion: "See capsule-migrate(1).")

    @Argument(help: "A version 1 .mv2e, or a .mv2.") var file: String
    @OptionGroup(title: "Secrets to create") var newSlots: NewSlotOptions
    @OptionGroup(title: "Secrets of the original, and of the capsule if none is created")
    var opening: OpeningOptions
    @OptionGroup(title: "Cost") var cost: CostOptions
    @Option(name: .long, help: "Sign with an SSH key: private, or .pub with an agent.")
    var sign: [String] = []
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let path: String
        let backup: String
        let content: String
    }

    func run() throws {
        guard let storage = try MemvidOpener.storage(path: file) else {
            _ = try CapsuleOpener.open(path: file)
            return Output.line("\(file): it is of the present version already")
        }
        let backup = "\(file).bak"
        guard access(backup, F_OK) != 0 else {
            throw AccessError(
                .usage, code: "unusable_path",
                "\(backup): it exists, and would hold the original: move it away")
        }
        let secrets = try opening.secrets.withPassphrasesRead()
        let opened = try MemvidOpener.open(storage, path: file, secrets: secrets)
        let tree = try MemvidOpener.tree(opened, path: file)
        let new = "\(file).migrating"
        let content = try seal(tree, to: new, secrets)
        try exchange(new, backup)
        let result = Result(path: file, backup: backup, content: content)
        if outputOptions.json { return Output.json(result) }
        Output.line("migrated \(file); the original is \(backup)")
    }

    /// Seals, and reads the result again: the same names and contents. Returns their digest.
    private func seal(
        _ tree: any ReadableTree, to path: String, _ secrets: OpeningSecrets
    ) throws -> String {
        let signers = try Signers(paths: sign)
        var request = SealRequest(
            source: file, destination: path,
            slots: try newSlots.slots(orPassphraseOf: secrets, cost: try cost.cost, object: file),
            lineage: nil, creator: Provenance.creator, toolVersion: ToolVersion.text,
            createdAt: try Provenance.createdAt())
        request.expectedSigners = signers.fingerprints
        // Left by a migration that was cut off.
        request.replaces = true
        let reserved = Array(".memvid".utf8)
        let before = try TreeFingerprint.of(tree, leavingOut: reserved)
        var hooks = SealHooks()
        hooks.inspect = { open in
            guard try TreeFingerprint.of(try open()) == before else {
                throw AccessError(
                    .system, code: "damaged",
                    "\(file): the capsule does not hold what the original does; nothing changed")
            }
        }
        _ = try TreeSealer(request).seal(
            tree, leavesOut: { $0 == reserved }, hooks: hooks, sign: signers.sign)
        return before
    }

    private func exchange(_ new: String, _ backup: String) throws {
        guard link(file, backup) == 0 else {
            let error = SystemError.last("link", backup)
            unlink(new)
            throw error
        }
        guard rename(new, file) == 0 else { throw SystemError.last("rename", new) }
        try FileDirectory(path: AtomicFile.split(file).directory).flush()
    }
}
