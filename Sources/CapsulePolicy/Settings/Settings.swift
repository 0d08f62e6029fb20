/// What a project has settled about runs, exports and their retention: a TOML file.
///
///     memory_backend = "memvid"           # or local-memory: plain files, no capsules
///     memory_folder = ".speckit/local-memory"
///
///     [capsule.export]
///     mode = "risk"                       # manual, risk or always
///     retention_days = 30
///     keep_pinned = true
///     commit = false                      # whether exports may go into git
///     recipients = ["age1…"]              # who can open automatic exports
///     sign_key = "keys/release"           # what signs them
///     destination = "docs/specs"          # where they go
///     rules = "redaction.toml"            # what is masked, in gitleaks' schema
///     high_risk = false
///     audit_handoff_required = false
///
///     [capture]
///     mode = "prompts_only"               # none, prompts_only or full_io
///     sanitize = "off"
///
///     [specs.SPEC]
///     high_risk = true
///
///     [features]                          # roll-out: each can be turned off
///     export_triggers = true
///     import = true
///     search = true
public struct Settings: Equatable, Sendable {
    /// When a run is exported by itself.
    public enum ExportMode: String, Sendable, CaseIterable {
        /// Never.
        case manual
        /// When one of the risk conditions holds.
        case risk
        /// Whenever a run ends with unlock.
        case always
    }

    /// When a run is exported by itself.
    public var exportMode = ExportMode.risk
    /// Days after which an export goes.
    public var retentionDays = 30
    /// Whether pinned exports stay.
    public var keepsPinned = true
    /// Whether exports may go into git.
    public var commitsExports = false
    /// Who can open automatic exports: age recipients.
    public var recipients: [String] = []
    /// The path of the key that signs them.
    public var signKey: String?
    /// The directory below which they go.
    public var destination: String?
    /// The path of the redaction rules.
    public var rules: String?
    /// Whether every spec is of high risk.
    public var isHighRisk = false
    /// Whether Unlock always hands over an audit.
    public var requiresAuditHandoff = false
    /// Of models, what is recorded.
    public var captureMode = "prompts_only"
    /// Whether what is recorded is masked.
    public var sanitizes = false
    /// The specs that are of high risk.
    public var highRiskSpecs: Set<String> = []
    /// Where runs are kept.
    public enum MemoryBackend: String, Sendable, CaseIterable {
        /// In a workspace, from which capsules are made.
        case memvid
        /// As plain files in a folder.
        case localMemory = "local-memory"
    }

    /// Where runs are kept.
    public var memoryBackend = MemoryBackend.memvid
    /// The folder of plain files.
    public var memoryFolder = ".speckit/local-memory"
    /// Whether runs are exported by themselves at all.
    public var hasExportTriggers = true
    /// Whether capsules can be imported.
    public var hasImport = true
    /// Whether there is a search.
    public var hasSearch = true

    /// The defaults.
    public init() {}

    /// Parses a file. Throws `SettingsError`, also for a key that nobody knows.
    public init(toml: [UInt8]) throws(SettingsError) {
        do throws(RedactionError) {
            var reader = SettingsReader(try TOMLValue.parse(toml))
            try reader.read(into: &self)
        } catch {
            throw SettingsError(error)
        }
    }
}

/// Why settings cannot be used.
public struct SettingsError: Error, Equatable, Sendable {
    /// What is wrong, with the name of the key.
    public let message: String

    init(_ error: RedactionError) {
        message =
            switch error {
            case .notTOML(let line, let reason): "it is no TOML, line \(line): \(reason)"
            case .badField(_, let field, let reason): "\(field) \(reason)"
            case .nothingUsable: "there is nothing in it"
            }
    }
}

/// Reads the tables of a settings file.
private struct SettingsReader {
    private let top: [String: TOMLValue]

    init(_ top: [String: TOMLValue]) { self.top = top }

    private func fields(
        _ table: [String: TOMLValue], _ prefix: String, known: Set<String>
    ) throws(RedactionError) -> TOMLFields {
        let fields = TOMLFields(rule: nil, prefix: prefix, table)
        if let unknown = table.keys.filter({ !known.contains($0) }).min() {
            throw fields.error(unknown, "is no setting")
        }
        return fields
    }

    private func table(
        _ value: TOMLValue?, _ name: String
    ) throws(RedactionError) -> [String: TOMLValue] {
        switch value {
        case nil: return [:]
        case .table(let table): return table
        default: throw .badField(rule: nil, field: name, reason: "is not a table")
        }
    }

    mutating func read(into settings: inout Settings) throws(RedactionError) {
        _ = try fields(
            top, "",
            known: [
                "capsule", "capture", "specs", "features", "memory_backend", "memory_folder",
            ])
        let capsule = try table(top["capsule"], "capsule")
        _ = try fields(capsule, "capsule.", known: ["export"])
        try readExport(try table(capsule["export"], "capsule.export"), into: &settings)
        let capture = try fields(
            try table(top["capture"], "capture"), "capture.", known: ["mode", "sanitize"])
        if let mode = try capture.string("mode") {
            guard ["none", "prompts_only", "full_io"].contains(mode) else {
                throw capture.error("mode", "is none of none, prompts_only, full_io")
            }
            settings.captureMode = mode
        }
        if let text = try capture.string("sanitize") {
            guard ["on", "off"].contains(text) else {
                throw capture.error("sanitize", "is neither on nor off")
            }
            settings.sanitizes = text == "on"
        }
        for (spec, value) in try table(top["specs"], "specs") {
            let fields = try fields(
                try table(value, "specs.\(spec)"), "specs.\(spec).", known: ["high_risk"])
            if try fields.boolean("high_risk") == true { settings.highRiskSpecs.insert(spec) }
        }
        let all = TOMLFields(rule: nil, top)
        if let text = try all.string("memory_backend") {
            guard let backend = Settings.MemoryBackend(rawValue: text) else {
                throw all.error("memory_backend", "is neither memvid nor local-memory")
            }
            settings.memoryBackend = backend
        }
        settings.memoryFolder = try all.string("memory_folder") ?? settings.memoryFolder
        let features = try fields(
            try table(top["features"], "features"), "features.",
            known: ["export_triggers", "import", "search"])
        settings.hasExportTriggers = try features.boolean("export_triggers") ?? true
        settings.hasImport = try features.boolean("import") ?? true
        settings.hasSearch = try features.boolean("search") ?? true
    }

    private func readExport(
        _ table: [String: TOMLValue], into settings: inout Settings
    ) throws(RedactionError) {
        let export = try fields(
            table, "capsule.export.",
            known: [
                "mode", "retention_days", "keep_pinned", "commit", "recipients", "sign_key",
                "destination", "rules", "high_risk", "audit_handoff_required",
            ])
        if let text = try export.string("mode") {
            guard let mode = Settings.ExportMode(rawValue: text) else {
                throw export.error("mode", "is none of manual, risk, always")
            }
            settings.exportMode = mode
        }
        if let days = table["retention_days"] {
            guard case .integer(let days) = days, (0...36500).contains(days) else {
                throw export.error("retention_days", "is no number of days")
            }
            settings.retentionDays = Int(days)
        }
        settings.keepsPinned = try export.boolean("keep_pinned") ?? true
        settings.commitsExports = try export.boolean("commit") ?? false
        settings.recipients = try export.strings("recipients") ?? []
        settings.signKey = try export.string("sign_key")
        settings.destination = try export.string("destination")
        settings.rules = try export.string("rules")
        settings.isHighRisk = try export.boolean("high_risk") ?? false
        settings.requiresAuditHandoff = try export.boolean("audit_handoff_required") ?? false
    }
}
