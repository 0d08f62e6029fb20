import ArgumentParser
import CapsuleAccess
import CapsulePolicy
import CapsuleRuns
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// `capsule gc`.
struct CollectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Delete exports that have been kept long enough.",
        discussion: "See capsule-gc(1). The space inside a workspace is 'capsule reclaim'.")

    @Flag(name: .long, help: "Only say what would go.") var dryRun = false
    @Option(name: .long, help: "Keep exports so many days, instead of what is settled.")
    var retentionDays: Int?
    @Flag(name: .long, help: "Delete pinned exports, too.") var noKeepPinned = false
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Item: Encodable {
        let path: String
        let deleted: Bool
        let goes: Bool
        var gone = false
        let reason: String

        private enum CodingKeys: String, CodingKey {
            case path, deleted, gone, reason
            case goes = "due"
        }
    }

    private struct Result: Encodable {
        var dryRun: Bool
        var exportsDeleted = 0
        var exportsForgotten = 0
        var exportsKept = 0
        var tempFilesDeleted = 0
        var bytesFreed: UInt64 = 0
        var failures = 0
        var exports: [Item] = []

        private enum CodingKeys: String, CodingKey {
            case exports, failures
            case dryRun = "dry_run"
            case exportsDeleted = "exports_deleted"
            case exportsForgotten = "exports_forgotten"
            case exportsKept = "exports_preserved"
            case tempFilesDeleted = "temp_files_deleted"
            case bytesFreed = "bytes_freed"
        }
    }

    mutating func validate() throws {
        if let retentionDays, !(0...36500).contains(retentionDays) {
            throw ValidationError("--retention-days takes a number of days")
        }
    }

    func run() throws {
        var settings = try SettingsFile.find().settings
        if let retentionDays { settings.retentionDays = retentionDays }
        if noKeepPinned { settings.keepsPinned = false }
        let result = try place.withAccess(opening) { access in
            var result = try collect(
                ExportCollector(access.service, settings: settings, now: try Self.now()))
            try collectImports(access, &result)
            return result
        }
        if outputOptions.json { Output.json(result) } else { show(result) }
        if result.failures > 0 { throw ExitCode(2) }
    }

    private func show(_ result: Result) {
        for item in result.exports {
            Output.line("\(word(for: item)) \(item.path): \(item.reason)")
        }
        let word = dryRun ? "would delete" : "deleted"
        Output.line(
            "\(word) \(result.exportsDeleted) exports and \(result.tempFilesDeleted) temporary "
                + "files, \(Human.bytes(result.bytesFreed))")
    }

    private func word(for item: Item) -> String {
        if item.deleted { return "deleted" }
        if !item.goes { return "kept" }
        if item.gone { return dryRun ? "would forget" : "forgot" }
        return "would delete"
    }

    /// The present time, or what SOURCE_DATE_EPOCH says.
    private static func now() throws -> Int64 {
        guard let value = Environment.variable("SOURCE_DATE_EPOCH") else {
            return Environment.wallClock().seconds
        }
        guard let seconds = Int64(String(decoding: value, as: UTF8.self)), seconds >= 0 else {
            throw AccessError(.usage, code: "usage", "SOURCE_DATE_EPOCH is not a number")
        }
        return seconds
    }

    private func collect(_ collector: ExportCollector) throws -> Result {
        var result = Result(dryRun: dryRun)
        for id in try collector.exports() {
            attempt(&result) { try collect(id, collector, &$0) }
        }
        for path in try collector.orphans() {
            attempt(&result) { result in
                try collect(orphan: path, "its writer was cut off", &result) {
                    try collector.deleteOrphan(path)
                }
            }
        }
        return result
    }
}

extension CollectCommand {
    /// Deletes what imports left that were cut off.
    private func collectImports(_ access: WorkspaceAccess, _ result: inout Result) throws {
        guard let folder = try ImportsFolder.alone(access.path) else { return }
        for orphan in try folder.orphans(access.service) where orphan.isOurs {
            attempt(&result) { result in
                try collect(
                    orphan: "\(folder.path)/\(orphan.name)", ImportsFolder.rule, &result
                ) { try folder.delete(orphan, access.service) }
            }
        }
    }

    /// Deletes a file that nobody needs.
    private func collect(
        orphan path: String, _ reason: String, _ result: inout Result, delete: () throws -> Void
    ) throws {
        var facts = stat()
        let isThere = stat(path, &facts) == 0
        if !dryRun { try delete() }
        if isThere { result.bytesFreed += UInt64(facts.st_size) }
        result.tempFilesDeleted += 1
        result.exports.append(Item(path: path, deleted: !dryRun, goes: true, reason: reason))
    }

    /// Where one cannot go, the others go all the same.
    private func attempt(_ result: inout Result, _ body: (inout Result) throws -> Void) {
        do {
            try body(&result)
        } catch {
            Output.note(Failure.message(of: error))
            result.failures += 1
        }
    }

    /// Deletes an export where its time has come.
    private func collect(
        _ id: String, _ collector: ExportCollector, _ result: inout Result
    ) throws {
        guard let verdict = try collector.verdict(on: id) else { return }
        if verdict.goes {
            var facts = stat()
            let isFile = stat(verdict.record.path, &facts) == 0 && !verdict.record.isFolder
            if !dryRun { try collector.delete(verdict) }
            if isFile { result.bytesFreed += UInt64(facts.st_size) }
            if verdict.isGone { result.exportsForgotten += 1 } else { result.exportsDeleted += 1 }
        } else {
            result.exportsKept += 1
        }
        result.exports.append(
            Item(
                path: verdict.record.path,
                deleted: verdict.goes && !verdict.isGone && !dryRun, goes: verdict.goes,
                gone: verdict.isGone,
                reason: verdict.reason))
    }
}

/// What `pin` and `unpin` share.
private func setPin(
    _ isPinned: Bool, of file: String, _ place: WorkspaceOptions, _ opening: OpeningOptions,
    _ outputOptions: OutputOptions
) throws {
    let path = realpath(file, nil).map { resolved in
        defer { free(resolved) }
        return String(cString: resolved)
    }
    try place.withService(opening) { service in
        let records = try ExportRecord.all(in: service)
        guard var record = records.last(where: { $0.path == path ?? file || $0.id == file }) else {
            throw AccessError(
                .usage, code: "unknown_export",
                "\(file): it is no export of this workspace: see 'capsule exports'")
        }
        record.isPinned = isPinned
        try service.changeLedger(
            .replace(record.entry), isPinned ? .exportPinned : .exportUnpinned, record.details)
        if outputOptions.json { return Output.json(record) }
        Output.line("\(isPinned ? "pinned" : "unpinned") \(record.path)")
    }
}

/// `capsule pin`.
struct PinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Keep an export whatever its age.",
        discussion: "See capsule-gc(1).")

    @Argument(help: "The export: its file, or its id.") var file: String
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws { try setPin(true, of: file, place, opening, outputOptions) }
}

/// `capsule unpin`.
struct UnpinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin", abstract: "Let an export go when its time has come.",
        discussion: "See capsule-gc(1).")

    @Argument(help: "The export: its file, or its id.") var file: String
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws { try setPin(false, of: file, place, opening, outputOptions) }
}

/// `capsule exports`.
struct ExportsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exports", abstract: "List the exports of a workspace, oldest first.",
        discussion: "See capsule-gc(1).")

    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable { let exports: [ExportRecord] }

    func run() throws {
        let records = try place.withService(opening, isReadOnly: true) {
            try ExportRecord.all(in: $0)
        }
        if outputOptions.json { return Output.json(Result(exports: records)) }
        var table = Table()
        for record in records {
            table.add(
                Timestamp(seconds: record.seconds).rfc3339, record.spec, record.run,
                record.isPinned ? "pinned" : record.status.rawValue, record.path)
        }
        table.print()
    }
}

/// `capsule config`.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show what is settled, and where.",
        discussion: "See capsule-config(1).")

    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let path: String?
        let settings: [String: JSONValue]
    }

    func run() throws {
        let file = try SettingsFile.find()
        let values = Self.values(file.settings)
        if outputOptions.json { return Output.json(Result(path: file.path, settings: values)) }
        Output.line("# \(file.path ?? "no file: the defaults")")
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            Output.line("\(key) = \(String(decoding: value.line, as: UTF8.self))")
        }
    }

    private static func values(_ settings: Settings) -> [String: JSONValue] {
        [
            "capsule.export.mode": .text(settings.exportMode.rawValue),
            "capsule.export.retention_days": .integer(Int64(settings.retentionDays)),
            "capsule.export.keep_pinned": .flag(settings.keepsPinned),
            "capsule.export.commit": .flag(settings.commitsExports),
            "capsule.export.recipients": .list(settings.recipients.map { .text($0) }),
            "capsule.export.sign_key": .text(settings.signKey ?? ""),
            "capsule.export.destination": .text(settings.destination ?? "docs/specs"),
            "capsule.export.rules": .text(settings.rules ?? ""),
            "capsule.export.high_risk": .flag(settings.isHighRisk),
            "capsule.export.audit_handoff_required": .flag(settings.requiresAuditHandoff),
            "capture.mode": .text(settings.captureMode),
            "capture.sanitize": .text(settings.sanitizes ? "on" : "off"),
            "specs.high_risk": .list(settings.highRiskSpecs.sorted().map { .text($0) }),
            "memory_backend": .text(settings.memoryBackend.rawValue),
            "memory_folder": .text(settings.memoryFolder),
            "features.export_triggers": .flag(settings.hasExportTriggers),
            "features.import": .flag(settings.hasImport),
            "features.search": .flag(settings.hasSearch),
        ]
    }
}
