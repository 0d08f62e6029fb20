import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsulePolicy
import CapsuleRuns
import CapsuleSystem
import CapsuleTree
import CapsuleWorkspace
import Glibc

/// Where an export goes.
struct ExportPlace {
    private let path: String
    private let isOurs: Bool
    private let settings: Settings

    /// What the user says, else `docs/specs/SPEC/runs/RUN/capsule.mv2e` below the project's top.
    init(_ name: RunName, out: String?, settings: SettingsFile, suffix: String = "mv2e") {
        self.settings = settings.settings
        if let out {
            path = out
            isOurs = false
            return
        }
        let top = settings.settings.destination ?? "docs/specs"
        let base = top.hasPrefix("/") ? top : "\(ProjectTop.path)/\(top)"
        path = "\(base)/\(name.spec)/runs/\(name.run)/capsule.\(suffix)"
        isOurs = true
    }

    /// The absolute path, with directories that are made where the place is the default one. Throws
    /// for a place in the workspace or its own mount.
    func checked(against workspace: String) throws -> String {
        if isOurs {
            let directory = AtomicFile.split(path).directory
            try Self.refuse(Self.existing(directory), within: workspace, path)
            try Self.makeDirectories(directory)
        }
        let place = try Self.absolute(path, against: workspace)
        if !settings.commitsExports {
            ProjectTop.exclude(["*.mv2", "*.mv2e", ".speckit/"] + inside(workspace))
        }
        return place
    }

    /// The lines that keep the workspace and a capsule of another name out of git.
    private func inside(_ workspace: String) -> [String] {
        let directory = ProjectTop.relative(workspace).map { ["/\($0)/"] } ?? []
        guard !path.hasSuffix(".mv2"), !path.hasSuffix(".mv2e") else { return directory }
        let (parent, base) = AtomicFile.split(path)
        guard let relative = ProjectTop.relative(parent, orTop: true) else { return directory }
        return directory + [
            "/\(ProjectTop.pattern(relative.isEmpty ? base : "\(relative)/\(base)"))"
        ]
    }

    /// Whether a file could be made there. Throws what would be thrown then; nothing stays.
    func rehearse(against workspace: String) throws {
        let place = Self.existing(AtomicFile.split(path).directory)
        try Self.refuse(place, within: workspace, path)
        let probe = "\(place)/.capsule-\(Text.hex(Environment.random(8)))"
        guard mkdir(probe, 0o700) == 0 else { throw SystemError.last("create", path) }
        rmdir(probe)
    }

    /// The deepest directory on the way to one that is there.
    private static func existing(_ path: String) -> String {
        let parent = AtomicFile.split(path).directory
        return Glibc.access(path, F_OK) == 0 || parent == path ? path : existing(parent)
    }

    /// The absolute path of a file that is to be made.
    static func absolute(_ path: String, against workspace: String) throws -> String {
        let (directory, base) = AtomicFile.split(path)
        guard let resolved = realpath(directory, nil) else {
            throw SystemError.last("create", path)
        }
        defer { free(resolved) }
        let parent = String(cString: resolved)
        try refuse(parent, within: workspace, path)
        return parent == "/" ? "/\(base)" : "\(parent)/\(base)"
    }

    private static func refuse(
        _ place: String, within workspace: String, _ path: String
    ) throws(AccessError) {
        guard let found = try? WorkspaceLocator.find(place), isSame(found, workspace) else {
            return
        }
        throw AccessError(
            .usage, code: "inside_workspace",
            "\(path): it lies in the workspace that it is exported from; choose a place outside "
                + "with --out")
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        guard stat(one, &first) == 0, stat(other, &second) == 0 else { return one == other }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    private static func makeDirectories(_ path: String) throws {
        guard access(path, F_OK) != 0 else { return }
        let parent = AtomicFile.split(path).directory
        if parent != path { try makeDirectories(parent) }
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw SystemError.last("create", path)
        }
    }
}

/// One export with everything that it takes.
struct ExportJob {
    let access: WorkspaceAccess
    let settings: SettingsFile
    var scope = ExportScope()
    var replaces = false
    var signers: Signers?
    var trigger = ""
    var path = ""
    /// Whether a decision asks for it.
    var isOwed = false

    init(access: WorkspaceAccess, settings: SettingsFile) {
        self.access = access
        self.settings = settings
    }

    func export(_ run: Run, slots: [SealRequest.Slot]) throws -> RunExporter.Result {
        var seal = SealRequest(
            source: "run \(run.name.run)", destination: path, slots: slots, lineage: nil,
            // Who and where is the log's affair; the capsule leaves this machine.
            creator: "", toolVersion: ToolVersion.text, createdAt: try Provenance.createdAt())
        seal.replaces = replaces
        seal.expectedSigners = signers?.fingerprints ?? []
        var request = RunExporter.Request(
            run: run, scope: scope, rules: try ExportRules.of(settings, workspace: access.path),
            seal: seal, trigger: trigger)
        request.isOwed = isOwed
        return try RunExporter(access.service, tree: access.tree).export(
            request, sign: { try signers?.sign($0) ?? [] })
    }
}

/// What `export` reports.
struct ExportResult: Encodable {
    let exported = true
    let format: String
    let outputPath: String
    let specID: String
    let runID: String
    let bytesWritten: UInt64
    let contentDigest: String
    let contentHash: String
    let encrypted: Bool
    let safeMode: Bool
    let includedTracks: [String: Int]
    let checkpointCount: Int
    let eventCount: Int
    let artifactCount: Int
    let redactions: [String: Int]
    let withheld: [String: Int]
    let changedQueries: [String]
    let root: String?

    init(_ result: RunExporter.Result) {
        format = result.format
        outputPath = result.record.path
        specID = result.record.spec
        runID = result.record.run
        bytesWritten = result.record.length ?? 0
        contentDigest = result.record.contentDigest
        contentHash = result.record.fileDigest ?? ""
        encrypted = result.record.isEncrypted
        safeMode = result.record.isSafe
        includedTracks = result.prepared.tracks
        checkpointCount = result.prepared.checkpoints.count
        eventCount = result.prepared.tracks["events"] ?? 0
        artifactCount = result.prepared.tracks["artifacts"] ?? 0
        redactions = result.prepared.redactions
        withheld = result.prepared.withheld
        changedQueries = result.prepared.changedQueries
        root = result.sealed?.trailer.root.hex
    }

    private enum CodingKeys: String, CodingKey {
        case exported, format, encrypted, redactions, withheld, root
        case outputPath = "output_path"
        case specID = "spec_id"
        case runID = "run_id"
        case bytesWritten = "bytes_written"
        case contentDigest = "content_digest"
        case contentHash = "content_hash"
        case safeMode = "safe_mode"
        case includedTracks = "included_tracks"
        case checkpointCount = "checkpoint_count"
        case eventCount = "event_count"
        case artifactCount = "artifact_count"
        case changedQueries = "golden_changed_by_scope"
    }

    func show(asJSON: Bool) {
        if asJSON { return Output.json(self) }
        let clear = encrypted ? "" : ", which is not encrypted"
        Output.line("exported \(runID) to \(outputPath)\(clear)")
        for (title, counts) in [("masked", redactions), ("withheld", withheld)]
        where !counts.isEmpty {
            let list = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            Output.line("\(title): \(list.joined(separator: ", "))")
        }
        if !changedQueries.isEmpty {
            Output.line(
                "golden queries that find something else in what leaves: "
                    + changedQueries.joined(separator: ", "))
        }
        Output.line("content \(contentDigest)")
    }
}

/// What `export --preview` shows.
struct ExportPreview: Encodable {
    let includedTracks: [String: Int]
    let redactions: [String: Int]
    let withheld: [String: Int]

    init(_ prepared: PreparedExport) {
        includedTracks = prepared.tracks
        redactions = prepared.redactions
        withheld = prepared.withheld
    }

    private enum CodingKeys: String, CodingKey {
        case redactions, withheld
        case includedTracks = "included_tracks"
    }

    func show(explains: Bool, asJSON: Bool) {
        if asJSON { return Output.json(self) }
        var table = Table()
        for (name, count) in includedTracks.sorted(by: { $0.key < $1.key }) {
            table.add("leaves", name, "\(count)")
        }
        for (name, count) in redactions.sorted(by: { $0.key < $1.key }) {
            table.add("masked", name, "\(count)")
        }
        for (name, count) in withheld.sorted(by: { $0.key < $1.key }) {
            let rule = explains ? ExportScope.Rule(rawValue: name)?.explanation : nil
            table.add("stays", name, "\(count)", rule ?? "")
        }
        table.print()
    }
}
