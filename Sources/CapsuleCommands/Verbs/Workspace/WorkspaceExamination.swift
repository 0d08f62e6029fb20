import CapsuleAccess
import CapsuleFormat
import CapsuleRuns
import CapsuleSystem
import CapsuleWorkspace

/// What doctor finds in a workspace.
extension Examination {
    /// Who has it: the kernel takes a lock back when its holder dies, and the note stays.
    mutating func examineLock() throws {
        let object = "\(path)/lock"
        switch try Workspace.use(of: path) {
        case .live(let holder):
            add(.ok, "lock", "live: in use by \(holder)", of: object, remedy: nil)
        case .free(let last):
            add(
                .ok, "lock", last.isEmpty ? "free" : "free; last used by \(last)", of: object,
                remedy: nil)
        case .stale(let holder):
            add(
                .warning, "lock",
                "stale: \(holder) had it, and is gone without closing the workspace", of: object,
                remedy: "it keeps nobody out: the next verb that writes, a mount, or '--repair' "
                    + "removes what was left")
        }
    }

    /// Checks the workspace; the present tree of what can be read, for `--salvage`.
    mutating func examineWorkspace(
        secrets: OpeningSecrets, isDeep: Bool
    ) throws -> (any ReadableTree)? {
        let tree: any ReadableTree
        let faults: [WorkspaceFault]
        do throws(AccessError) {
            let secrets = try secrets.withPassphrasesRead()
            (faults, tree) = try WorkspaceOpener.examine(
                path: path, secrets: secrets, isDeep: isDeep)
        } catch {
            guard error.code == "damaged" || error.code == "truncated" else { throw error }
            add(
                .error, "structure", error.message,
                remedy: "restore the directory from a backup; the contents are in it still")
            return nil
        }
        add(.ok, "structure", "header, slots and log are whole", remedy: nil)
        for fault in faults { add(fault) }
        if !hasErrors {
            let blocks = isDeep ? ", every block" : ""
            add(
                .ok, "tree", "every page of the database, every name and link\(blocks) is right",
                remedy: nil)
        }
        examineCopies([("slot", try WorkspaceOpener.keyFile(of: path).slotAreas)])
        let (errors, warnings) = (
            findings.count { $0.severity == .error }, findings.count { $0.severity == .warning }
        )
        WorkspaceOpener.note(
            .examined,
            [
                "errors": .number(Int64(errors)), "warnings": .number(Int64(warnings)),
                "deep": .flag(isDeep),
            ], path: path, keys: nil)
        return tree
    }

    /// Settles what was cut off: opening for writing removes what a crash left, and exports that
    /// were announced are completed or given up. Files of imports that were cut off go: they are
    /// copies, which nothing can open. Each is recorded.
    func repairWorkspace(secrets: OpeningSecrets) throws {
        try WorkspaceOpener.withAccess(path: path, secrets: secrets) { access in
            RunExporter.settle(access.service) { Output.warn(Failure.message(of: $0)) }
            guard let folder = try ImportsFolder.alone(access.path) else { return }
            for orphan in try folder.orphans(access.service) where orphan.isOurs {
                try folder.delete(orphan, access.service)
            }
        }
    }

    /// Checks runs, exports and imports. Damage of the database ends that, and nothing else.
    mutating func examineRecords(secrets: OpeningSecrets, isDeep: Bool) throws {
        do {
            try examineReadableRecords(secrets: secrets, isDeep: isDeep)
        } catch let error as AccessError where error.code == "damaged" {
            add(
                .error, "database", "runs, exports and imports cannot be read: \(error.message)",
                remedy: "'--salvage DIR' saves what can be read")
        }
    }

    private mutating func examineReadableRecords(secrets: OpeningSecrets, isDeep: Bool) throws {
        let hasLog = !findings.contains { $0.check == WorkspaceCheck.Part.audit.rawValue }
        let (found, logged) = try WorkspaceOpener.withAccess(
            path: path, secrets: secrets, isReadOnly: true
        ) { access in
            let found = try RecordsExamination(
                access.service, path: access.path, tree: access.tree
            ).findings(isDeep: isDeep)
            // Of a log that was found whole.
            return (found, hasLog ? try access.service.checkpointText() : nil)
        }
        if let lines = logged?.split(separator: "\n", omittingEmptySubsequences: false) {
            add(
                .ok, "audit",
                "the last good checkpoint of the log is that of its \(lines[1]) events",
                of: String(lines[0]), remedy: nil)
        }
        for finding in found {
            let severity: Severity =
                switch finding.severity {
                case .fine: .ok
                case .notable: .warning
                case .damage: .error
                }
            add(
                severity, finding.check, finding.message, of: finding.object,
                remedy: finding.remedy)
        }
        if found.allSatisfy({ $0.severity == .fine }) {
            add(.ok, "records", "runs, exports and imports are all there", remedy: nil)
        }
    }

    private mutating func add(_ fault: WorkspaceFault) {
        let remedy = "'--salvage DIR' saves what can be read"
        let (message, object) = (fault.message, fault.object)
        switch fault.part {
        case .strays:
            add(
                .warning, "segments", message, of: object,
                remedy: "a crash left it; the next mount for writing removes it")
        case .audit:
            add(
                .error, "audit", message, of: object,
                remedy: "'capsule audit verify --against' with an older checkpoint says more")
        case .files:
            add(.warning, "files", message, of: object, remedy: "nothing that was stored is in it")
        case .database: add(.error, "database", message, of: object, remedy: remedy)
        case .tree: add(.error, "tree", message, of: object, remedy: remedy)
        case .segments: add(.error, "segments", message, of: object, remedy: remedy)
        case .blocks: add(.error, "blocks", message, of: object, remedy: remedy)
        }
    }
}
