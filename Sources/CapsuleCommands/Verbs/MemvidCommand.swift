import ArgumentParser
import CapsuleAccess
import CapsuleCrypto
import CapsuleFormat
import CapsuleMemvid
import CapsuleSystem
import CapsuleTree
import MemvidFormat

/// `capsule memvid`.
struct MemvidCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memvid", abstract: "Make, encrypt and decrypt Memvid files.",
        discussion: "See capsule-memvid(1) and capsule-memvid(7).",
        subcommands: [
            MemvidPackCommand.self, MemvidLockCommand.self, MemvidUnlockCommand.self,
        ])
}

/// The passphrase with which a Memvid file is to be encrypted.
struct MemvidPassphraseOptions: ParsableArguments {
    @Option(name: .long, help: "Encrypt with the passphrase in FILE.")
    var newPassphraseFile: [String] = []
    @Option(name: .long, help: "Encrypt with the passphrase from descriptor FD.")
    var newPassphraseFd: [Int32] = []
    @Option(name: .long, help: "Encrypt with the passphrase that COMMAND prints.")
    var newPassphraseCommand: [String] = []

    /// The one named here, else the one named for opening, else the environment's, else one that
    /// is typed twice.
    func passphrase(
        or opening: OpeningSecrets, for object: String
    ) throws(AccessError) -> SharedSecret {
        var named = OpeningSecrets()
        named.passphraseFiles = newPassphraseFile
        named.passphraseDescriptors = newPassphraseFd
        named.passphraseCommands = newPassphraseCommand
        if opening.hasOtherSource {
            throw AccessError(
                .usage, code: "usage", "a Memvid file takes a passphrase and no other secret")
        }
        var found = try named.namedPassphrases()
        if found.isEmpty { found = try opening.namedPassphrases() }
        if found.isEmpty, let value = try SecretReader.environment() { found = [value] }
        guard found.count <= 1 else {
            throw AccessError(
                .usage, code: "usage", "a Memvid file takes one passphrase, and several were named")
        }
        if let passphrase = found.first { return passphrase }
        return try SecretReader.newPassphrase(for: object)
    }
}

/// Writes one Memvid file that appears whole or not at all.
struct MemvidOutput {
    let path: String
    let file: AtomicFile
    let replaces: Bool

    init(path: String, replaces: Bool) throws {
        self.path = path
        self.replaces = replaces
        file = try AtomicFile(path: path)
    }

    /// Fails early where a file of that name exists and is not to be replaced.
    static func check(_ path: String, replaces: Bool) throws(AccessError) {
        do throws(SystemError) {
            _ = try FileStorage(path: path)
        } catch {
            return
        }
        guard replaces else {
            throw AccessError(
                .usage, code: "unusable_path", "\(path): it exists; --force replaces it")
        }
    }

    /// Runs `body` with a sink for plain or encrypted bytes, then gives the file its name.
    func write(
        passphrase: SharedSecret?, _ body: (any MemvidSink) throws -> Void
    ) throws {
        do {
            if let passphrase {
                try body(try EncryptedSink(file, passphrase: passphrase.bytes))
            } else {
                try body(PlainSink(file))
            }
            try file.publish(replacing: replaces)
        } catch let error as MemvidError {
            throw AccessError(error, path: path)
        }
    }
}

/// `capsule memvid pack`.
struct MemvidPackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack", abstract: "Write a folder as a Memvid file.",
        discussion: "See capsule-memvid(1).")

    @Argument(help: "The folder.") var directory: String
    @Argument(help: "The file to be written.") var output: String
    @Flag(name: .long, help: "Encrypt it.") var lock = false
    @OptionGroup(title: "Passphrase, with --lock") var new: MemvidPassphraseOptions
    @OptionGroup(title: "Passphrase sources, if none is named to encrypt with")
    var opening: OpeningOptions
    @Option(name: .long, help: "Sign with an SSH key: private, or .pub with an agent.")
    var sign: [String] = []
    @Option(name: .long, help: "Leave out what matches GLOB.") var exclude: [String] = []
    @Flag(name: .long, help: "Replace an existing file.") var force = false
    @OptionGroup var outputOptions: OutputOptions
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    func run() throws {
        try MemvidOutput.check(output, replaces: force)
        let passphrase =
            lock ? try new.passphrase(or: opening.secrets, for: output) : nil
        let signers = try Signers(paths: sign)
        let progress = ByteProgress()
        let reporter = ProgressReporter(isQuiet: quiet || outputOptions.json) {
            progress.text("packing")
        }
        defer { reporter.stop() }
        Environment.raiseOpenFileLimit()
        let target = try MemvidOutput(path: output, replaces: force)
        let tree = try DirectoryTree(
            directory, excludes: exclude.map { ExcludePattern($0) },
            skipped: target.file.descriptor)
        let report = try Packing.pack(
            tree, to: target, passphrase: passphrase, signers, progress)
        reporter.stop()
        Packing.show(report, output, outputOptions, isQuiet: quiet)
    }
}

/// What `memvid pack` and `convert` have in common.
enum Packing {
    private struct Result: Encodable {
        let path: String
        let documents: Int
        let bytes: UInt64
        let root: String
    }

    static func pack(
        _ tree: any ReadableTree, to target: MemvidOutput, passphrase: SharedSecret?,
        _ signers: Signers, _ progress: ByteProgress,
        willPublish: () throws -> Void = {}
    ) throws -> MemvidPacker.Report {
        var report = MemvidPacker.Report()
        let createdAt = try Provenance.createdAt()
        try target.write(passphrase: passphrase) { sink in
            let packer = try MemvidPacker(
                tree, to: sink, createdAt: createdAt, toolVersion: ToolVersion.text,
                progress: progress.add)
            report = try DeepStack.run { try packer.pack(sign: signers.sign) }
            try willPublish()
        }
        return report
    }

    static func show(
        _ report: MemvidPacker.Report, _ path: String, _ options: OutputOptions, isQuiet: Bool
    ) {
        if options.json {
            Output.json(
                Result(
                    path: path, documents: report.documentCount, bytes: report.byteCount,
                    root: report.root.hex))
        } else if !isQuiet {
            Output.line("packed \(report.documentCount) documents into \(path)")
            Output.line("root \(report.root.hex)")
        }
    }
}

/// `capsule memvid lock`.
struct MemvidLockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Encrypt a .mv2 as Memvid does.",
        discussion: "The original stays. See capsule-memvid(1).")

    @Argument(help: "The .mv2 file.") var file: String
    @Argument(help: "The .mv2e file to be written.") var output: String
    @OptionGroup(title: "Passphrase") var new: MemvidPassphraseOptions
    @OptionGroup(title: "Passphrase sources, if none is named to encrypt with")
    var opening: OpeningOptions
    @Flag(name: .long, help: "Replace an existing file.") var force = false
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    func run() throws {
        try MemvidOutput.check(output, replaces: force)
        let source = try MemvidCopy(file, secrets: OpeningSecrets())
        guard source.file.form == .plain else {
            throw AccessError(
                .usage, code: "usage", "\(file): it is encrypted already; 'memvid unlock' opens it")
        }
        let passphrase = try new.passphrase(or: opening.secrets, for: output)
        try source.copy(to: output, passphrase: passphrase, replaces: force, isQuiet: quiet)
    }
}

/// `capsule memvid unlock`.
struct MemvidUnlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Decrypt a version 1 .mv2e to a .mv2.",
        discussion: "Everything in it will lie open in the new file. See capsule-memvid(1).")

    @Argument(help: "The .mv2e file.") var file: String
    @Argument(help: "The .mv2 file to be written.") var output: String
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @Flag(name: .long, help: "Replace an existing file.") var force = false
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    func run() throws {
        try MemvidOutput.check(output, replaces: force)
        let source = try MemvidCopy(file, secrets: opening.secrets)
        guard source.file.form != .plain else {
            throw AccessError(.usage, code: "usage", "\(file): it is not encrypted")
        }
        try source.copy(to: output, passphrase: nil, replaces: force, isQuiet: quiet)
    }
}

/// Copies a whole Memvid file, encrypting or decrypting on the way.
private struct MemvidCopy {
    let file: MemvidFile
    private let path: String

    init(_ path: String, secrets: OpeningSecrets) throws {
        guard let storage = try MemvidOpener.storage(path: path) else {
            throw AccessError(.usage, code: "not_a_capsule", "\(path): it is no Memvid file")
        }
        self.path = path
        file = try MemvidOpener.open(storage, path: path, secrets: secrets)
    }

    func copy(
        to output: String, passphrase: SharedSecret?, replaces: Bool, isQuiet: Bool
    ) throws {
        let progress = ByteProgress()
        let length = file.length
        let reporter = ProgressReporter(isQuiet: isQuiet) {
            progress.text("copying", of: length)
        }
        defer { reporter.stop() }
        try MemvidOutput(path: output, replaces: replaces).write(passphrase: passphrase) { sink in
            do throws(MemvidError) {
                try MemvidLock.copy(file, to: sink, progress: progress.add)
            } catch {
                throw AccessError(error, path: path)
            }
        }
        reporter.stop()
        if !isQuiet { Output.line("wrote \(output)") }
    }
}
