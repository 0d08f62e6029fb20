import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// Looks through what a workspace records beside its tree: runs, exports and imports.
public struct RecordsExamination {
    /// Something that is found.
    public struct Finding: Sendable {
        /// Whether it is damage; else a remainder, or something to know.
        public let isError: Bool
        /// A word for programs.
        public let code: String
        /// What it is about, and what is wrong.
        public let message: String
        /// What to do about it.
        public let remedy: String
    }

    private let service: any WorkspaceService
    private let tree: (_ name: String) throws -> any ReadableTree
    private let path: String

    /// An examination of the workspace at a path.
    public init(
        _ service: any WorkspaceService, path: String,
        tree: @escaping (_ name: String) throws -> any ReadableTree
    ) {
        self.service = service
        self.path = path
        self.tree = tree
    }

    /// Everything that is wrong; with `isDeep` every import is read to its last byte.
    public func findings(isDeep: Bool) throws -> [Finding] {
        try imports(isDeep: isDeep) + exports() + runs()
    }

    private func imports(isDeep: Bool) throws -> [Finding] {
        var findings: [Finding] = []
        let records = try ImportRecord.all(in: service)
        for record in records {
            let remedy =
                "import '\(record.source)' again after 'capsule imports remove \(record.name)'"
            switch record.fault(in: path, isDeep: isDeep, tree: tree) {
            case nil: break
            case .missing(let message):
                findings.append(
                    Finding(
                        isError: true, code: "import_missing",
                        message: "the import '\(record.name)': \(message)", remedy: remedy))
            case .changed(let message):
                findings.append(
                    Finding(
                        isError: true, code: "import_changed",
                        message: "the import '\(record.name)' is not what was imported: "
                            + message, remedy: remedy))
            }
        }
        return findings + (try orphans())
    }

    /// Files that no import names, unless one is under way, whose file has no entry yet.
    private func orphans() throws -> [Finding] {
        try ImportsFolder.alone(path)?.orphans(service).map { orphan in
            Finding(
                isError: false, code: "import_orphan",
                message: "no import names the file "
                    + "\(path)/\(Workspace.importsName)/\(Text.escaped(Array(orphan.name.utf8)))",
                remedy: orphan.isOurs
                    ? "an import that was cut off left it: '--repair' deletes it, and so does "
                        + "'capsule gc'"
                    : "it is no file of an import: move it away")
        } ?? []
    }

    private func exports() throws -> [Finding] {
        try ExportRecord.all(in: service).filter { $0.status == .intended }.map { record in
            Finding(
                isError: false, code: "export_unfinished",
                message: "the export to \(record.path) was announced and is not done",
                remedy: "the next verb that writes settles it, and so does '--repair'")
        } + owed()
    }

    private func owed() throws -> [Finding] {
        try OwedExport.runs(in: service).filter {
            try !OwedExport.isUnderWay($0.name, in: service)
        }.map { run in
            Finding(
                isError: false, code: "export_owed",
                message: "the run '\(run.name.run)' of '\(run.name.spec)' has ended, and its end "
                    + "was cut off before it was exported, or found to need no export",
                remedy: "end it again with the same --outcome: 'capsule run finish' goes on")
        }
    }

    private func runs() throws -> [Finding] {
        var findings: [Finding] = []
        let states = Set(try service.states().map(\.name))
        for run in try service.runs() {
            for checkpoint in run.checkpoints
            where !states.contains(run.name.stateName(checkpoint.label)) {
                findings.append(
                    Finding(
                        isError: true, code: "checkpoint_missing",
                        message: "the state of checkpoint '\(checkpoint.label)' of run "
                            + "'\(run.name.run)' is not there",
                        remedy: "what the run was then is in its exports and backups only"))
            }
            let policies = Set(try service.policies(of: run.name).map(\.id))
            for reference in try references(of: run) where !policies.contains(reference) {
                findings.append(
                    Finding(
                        isError: false, code: "dangling_reference",
                        message: "an event of run '\(run.name.run)' names the policy "
                            + "\(reference), which is not there",
                        remedy: "start runs with --policy, which records it"))
            }
        }
        return findings
    }

    private static let batchCount = 4096

    /// The ids of policies that events of a run refer to.
    private func references(of run: Run) throws -> Set<String> {
        var ids: Set<String> = []
        var next: Int64 = 1
        let head = Array("{\"event_type\":\"PolicySnapshotRef\"".utf8)
        while true {
            let lines = try service.eventLines(of: run.name, from: next, count: Self.batchCount)
            if lines.isEmpty { return ids }
            next += Int64(lines.count)
            for line in lines where line.starts(with: head) {
                let event = try? JSONValue(parsing: line, "event")
                let uri = event?["payload"]?["policy_uri"]?.text
                guard let uri, let parsed = RunURI(uri), parsed.kind == .policy else { continue }
                if let id = parsed.path.first { ids.insert(String(decoding: id, as: UTF8.self)) }
            }
        }
    }
}
