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
        /// How bad something is.
        public enum Severity: Sendable {
            /// It is as it should be.
            case fine
            /// A remainder, or something to know.
            case notable
            /// Damage.
            case damage
        }

        /// How bad it is.
        public let severity: Severity
        /// A word for programs.
        public let check: String
        /// What it is about: an import's name, an export's path, a run, a checkpoint.
        public let object: String
        /// What it is about, and what is wrong.
        public let message: String
        /// What to do about it, if anything.
        public var remedy: String?
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
        try imports(isDeep: isDeep) + exports() + runs() + lastCheckpoint()
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
                        severity: .damage, check: "import_missing", object: record.name,
                        message: "the import '\(record.name)': \(message)", remedy: remedy))
            case .changed(let message):
                findings.append(
                    Finding(
                        severity: .damage, check: "import_changed", object: record.name,
                        message: "the import '\(record.name)' is not what was imported: "
                            + message, remedy: remedy))
            }
        }
        return findings + (try orphans())
    }

    /// Files that no import names, unless one is under way, whose file has no entry yet.
    private func orphans() throws -> [Finding] {
        try ImportsFolder.alone(path)?.orphans(service).map { orphan in
            let file =
                "\(path)/\(Workspace.importsName)/\(Text.escaped(Array(orphan.name.utf8)))"
            return Finding(
                severity: .notable, check: "import_orphan", object: file,
                message: "no import names the file \(file)",
                remedy: orphan.isOurs
                    ? "an import that was cut off left it: '--repair' deletes it, and so does "
                        + "'capsule gc'"
                    : "it is no file of an import: move it away")
        } ?? []
    }

    private func exports() throws -> [Finding] {
        try ExportRecord.all(in: service).filter { $0.status == .intended }.map { record in
            Finding(
                severity: .notable, check: "export_unfinished", object: record.path,
                message: "the export to \(record.path) was announced and is not done",
                remedy: "the next verb that writes settles it, and so does '--repair'")
        } + owed()
    }

    private func owed() throws -> [Finding] {
        try OwedExport.runs(in: service).filter {
            try !OwedExport.isUnderWay($0.name, in: service)
        }.map { run in
            Finding(
                severity: .notable, check: "export_owed", object: Self.text(run.name),
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
                        severity: .damage, check: "checkpoint_missing",
                        object: Self.text(run.name, checkpoint.label),
                        message: "the state of checkpoint '\(checkpoint.label)' of run "
                            + "'\(run.name.run)' is not there",
                        remedy: "what the run was then is in its exports and backups only"))
            }
            let policies = Set(try service.policies(of: run.name).map(\.id))
            for reference in try references(of: run) where !policies.contains(reference) {
                findings.append(
                    Finding(
                        severity: .notable, check: "dangling_reference",
                        object: Self.text(run.name),
                        message: "an event of run '\(run.name.run)' names the policy "
                            + "\(reference), which is not there",
                        remedy: "start runs with --policy, which records it"))
            }
        }
        return findings
    }

    private static func text(_ name: RunName, _ checkpoint: String? = nil) -> String {
        "\(name.spec)/\(name.run)" + (checkpoint.map { " @\($0)" } ?? "")
    }

    /// The newest moment of any run that can be returned to: its state opens.
    private func lastCheckpoint() throws -> [Finding] {
        let all = try service.runs().flatMap { run in
            run.checkpoints.enumerated().map { (run: run.name, place: $0, checkpoint: $1) }
        }.sorted {
            ($0.checkpoint.seconds, $0.place) > ($1.checkpoint.seconds, $1.place)
        }
        for (run, _, checkpoint) in all {
            guard let tree = try? tree(run.stateName(checkpoint.label)),
                (try? tree.entry(0)) != nil
            else { continue }
            let time = Timestamp(seconds: checkpoint.seconds).rfc3339
            return [
                Finding(
                    severity: .fine, check: "last_checkpoint",
                    object: Self.text(run, checkpoint.label),
                    message:
                        "the last good checkpoint of a run is '\(checkpoint.label)' of the run "
                        + "'\(run.run)' of '\(run.spec)', of \(time)")
            ]
        }
        guard let (run, _, checkpoint) = all.first else { return [] }
        return [
            Finding(
                severity: .damage, check: "last_checkpoint",
                object: Self.text(run, checkpoint.label),
                message: "none of the \(all.count) checkpoints of runs can be opened",
                remedy: "what the runs were then is in their exports and backups only")
        ]
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
