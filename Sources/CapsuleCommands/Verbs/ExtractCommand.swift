import ArgumentParser
import CapsuleAccess
import CapsuleFormat
import CapsuleTree

/// `capsule extract`.
struct ExtractCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Write the tree of a capsule, or parts, into a directory.",
        discussion: "See capsule-extract(1).")

    @Argument(help: "The capsule.") var file: String
    @Argument(help: "The directory, which is made if need be.") var directory: String
    @Argument(help: "Paths in the capsule; everything, if none.") var paths: [String] = []
    @Flag(name: .long, help: "Restore setuid bits, devices, security.* attributes of any signer.")
    var trustSpecial = false
    @Flag(name: .long, help: "Leave the owners alone.") var noOwner = false
    @Flag(name: .long, help: "Of a Memvid file, also write what is only in its log.")
    var recover = false
    @OptionGroup var session: SessionOptions
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup var outputOptions: OutputOptions
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    func run() throws {
        let opened = try session.openTree(file, recoversLog: recover, of: place)
        try Extraction.run(
            opened.tree, paths: try paths.map { try CapsulePath.components($0) }, to: directory,
            trustsSpecial: trustSpecial || opened.hasKnownSigner, restoresOwners: !noOwner,
            source: file, asJSON: outputOptions.json, isQuiet: quiet)
    }
}

/// Writing parts of a tree into a directory, with progress and a report.
enum Extraction {
    static func run(
        _ tree: any ReadableTree, paths: [[[UInt8]]], to directory: String, trustsSpecial: Bool,
        restoresOwners: Bool = true, source: String, asJSON: Bool, isQuiet: Bool
    ) throws {
        var options = TreeExtractor.Options()
        options.trustsSpecial = trustsSpecial
        if !restoresOwners { options.restoresOwners = false }
        let progress = ByteProgress()
        let reporter = ProgressReporter(isQuiet: isQuiet || asJSON) {
            progress.text("extracting")
        }
        defer { reporter.stop() }
        let extractor = TreeExtractor(tree, options: options, progress: progress.add)
        let report: TreeExtractor.Report
        do {
            report = try extractor.extract(paths: paths, to: directory)
        } catch let error as FormatError {
            throw AccessError(error, path: source)
        }
        reporter.stop()
        try ExtractionResult(report, directory: directory).show(
            asJSON: asJSON, isQuiet: isQuiet)
    }
}

/// What `extract` and `doctor --salvage` report.
struct ExtractionResult: Encodable {
    struct Item: Encodable {
        let path: [UInt8]
        let reason: String

        private enum CodingKeys: String, CodingKey { case reason }

        func encode(to encoder: any Encoder) throws {
            try NameJSON("name", path).encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(reason, forKey: .reason)
        }
    }

    let directory: String
    let entries: Int
    let bytes: UInt64
    let lost: [Item]
    let remarks: [Item]

    init(_ report: TreeExtractor.Report, directory: String) {
        self.directory = directory
        entries = report.entryCount
        bytes = report.byteCount
        lost = report.lost.map { Item(path: $0.path, reason: $0.message) }
        remarks = report.remarks.map { Item(path: $0.path, reason: $0.message) }
    }

    /// Prints it; throws exit code 2 where something was lost.
    func show(asJSON: Bool, isQuiet: Bool) throws {
        if asJSON {
            Output.json(self)
        } else {
            for item in remarks where !isQuiet { Output.warn("\(line(item))") }
            for item in lost { Output.note("lost: \(line(item))") }
            if !isQuiet {
                Output.line("extracted \(entries) entries, \(Human.bytes(bytes)), to \(directory)")
            }
        }
        if !lost.isEmpty { throw ExitCode(2) }
    }

    private func line(_ item: Item) -> String {
        String(describing: TreeError(path: item.path, item.reason))
    }
}
