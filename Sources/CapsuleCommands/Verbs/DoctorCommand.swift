import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleMemvid
import CapsuleSystem
import CapsuleTree
import CapsuleWorkspace

/// `capsule doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Find out what is wrong with a capsule, and save the rest.",
        discussion: "See capsule-doctor(1).")

    @Argument(help: "The capsule, or the workspace.") var target: String
    @Option(name: .long, help: "Also check N% of the blocks, chosen at random.") var sample: String?
    @Flag(name: .long, help: "Also check every block and, with a secret, every file.")
    var deep = false
    @Option(name: .long, help: "Write what is intact to DIR and name what is lost.")
    var salvage: String?
    @Flag(name: .long, help: "Settle what was cut off in a workspace; nothing that is in use goes.")
    var repair = false
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions
    @Flag(name: .long, help: "Show no progress.") var quiet = false

    /// What is examined: of a mount, what is mounted.
    private var file: String { WorkspaceLocator.mountedFile(target) }

    mutating func validate() throws {
        if let sample, Sampling(sample) == nil {
            throw ValidationError("--sample takes a percentage, such as 5%")
        }
    }

    func run() throws {
        let progress = ByteProgress()
        var examination = Examination(path: file, progress: progress)
        let sampling = sample.flatMap { Sampling($0) }
        let reporter = ProgressReporter(isQuiet: quiet || outputOptions.json) {
            progress.hasBegun ? progress.text("examining") : ""
        }
        defer { reporter.stop() }
        var tree: (any ReadableTree)?
        if Workspace.isWorkspace(file) {
            let secrets = try opening.secrets.withPassphrasesRead()
            try examination.examineLock()
            if repair { try examination.repairWorkspace(secrets: secrets) }
            tree = try examination.examineWorkspace(secrets: secrets, isDeep: deep)
            if tree != nil { try examination.examineRecords(secrets: secrets, isDeep: deep) }
        } else if repair {
            throw AccessError(
                .usage, code: "usage",
                "\(target): only a workspace can be repaired; '--salvage DIR' saves what is intact "
                    + "of a capsule, and the original stays")
        } else if let storage = try MemvidOpener.storage(path: file) {
            let work = Examination.MemvidWork(
                isDeep: deep, sample: sampling?.chooses, isSalvaging: salvage != nil)
            tree = try examination.examineMemvid(storage, secrets: opening.secrets, work)
        } else {
            try examineCapsule(&examination, sampling)
            tree = examination.capsule
        }
        let saved = try salvage(tree, &examination)
        reporter.stop()
        let diagnosis = Diagnosis(examination, saved: saved)
        if outputOptions.json { Output.json(diagnosis) } else { diagnosis.print() }
        if examination.hasErrors { throw ExitCode(2) }
    }

    private func examineCapsule(
        _ examination: inout Examination, _ sampling: Sampling?
    ) throws {
        let secrets = opening.secrets
        let needsKey = salvage != nil || !secrets.isImplicit
        let keys = try examination.examineClearParts {
            needsKey ? try secrets.unlock($0, path: file) : nil
        }
        if let capsule = examination.file {
            if deep {
                examination.examineBlocks(capsule, sample: nil)
            } else if let sampling {
                examination.examineBlocks(capsule, sample: sampling.chooses)
            }
            if let keys { examination.examineTree(capsule, keys, readsFiles: deep) }
        }
    }

    /// Writes what can be read; the number of entries written.
    private func salvage(
        _ tree: (any ReadableTree)?, _ examination: inout Examination
    ) throws -> Int? {
        guard let salvage else { return nil }
        guard let tree else {
            examination.add(
                .error, "salvage", "nothing can be saved: the file cannot be opened",
                remedy: "get the file again, or name a secret that opens it")
            return nil
        }
        let progress = examination.progress
        let report: TreeExtractor.Report
        do {
            report = try TreeExtractor(
                tree, options: TreeExtractor.Options(), progress: progress.add
            ).extract(paths: [], to: salvage)
        } catch let error as FormatError {
            examination.add(
                .error, "salvage", "nothing can be saved: \(error)",
                remedy: "get it from a backup")
            return nil
        }
        for item in report.lost {
            examination.add(
                .error, "lost", String(describing: item), of: Text.escaped(item.path),
                remedy: "get it from a backup, or from whoever made the file")
        }
        return report.entryCount
    }
}

/// A share of the blocks, chosen anew every time.
struct Sampling {
    private let threshold: UInt64
    private let seed = UInt64.random(in: .min ... .max)

    init?(_ text: String) {
        let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
        guard let percent = Double(digits), percent > 0, percent <= 100 else { return nil }
        threshold = UInt64(percent / 100 * 65536)
    }

    /// Whether the block with this index is in the sample.
    @Sendable func chooses(_ index: UInt64) -> Bool {
        // A multiplicative hash spreads neighbours.
        var value = (index &+ seed) &* 0x9e37_79b9_7f4a_7c15
        value ^= value >> 29
        return (value &* 0xbf58_476d_1ce4_e5b9) >> 48 < threshold
    }
}
