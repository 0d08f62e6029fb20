import CapsuleAccess
import CapsuleFormat
import CapsuleRuns
import CapsuleSystem
import CapsuleWorkspace

/// What doctor finds in a workspace.
extension Examination {
    /// Who has it: a lock goes with its holder, so one that is held is live.
    mutating func examineLock() throws {
        let (isHeld, holder) = try Workspace.lockState(of: path)
        add(
            .ok, "lock", isHeld ? "in use by \(holder)" : "free; last used by \(holder)",
            remedy: nil)
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
            try RunExporter.settle(access.service)
            guard let folder = try ImportsFolder.alone(access.path) else { return }
            for orphan in try folder.orphans(access.service) where orphan.isOurs {
                try folder.delete(orphan, access.service)
            }
        }
    }

    /// Checks runs, exports and imports.
    mutating func examineRecords(secrets: OpeningSecrets, isDeep: Bool) throws {
        let found = try WorkspaceOpener.withAccess(
            path: path, secrets: secrets, isReadOnly: true
        ) { access in
            try RecordsExamination(
                access.service, path: access.path, tree: access.tree
            ).findings(isDeep: isDeep)
        }
        for finding in found {
            add(
                finding.isError ? .error : .warning, finding.code, finding.message,
                remedy: finding.remedy)
        }
        if found.isEmpty {
            add(.ok, "records", "runs, exports and imports are all there", remedy: nil)
        }
    }

    private mutating func add(_ fault: WorkspaceFault) {
        let remedy = "'--salvage DIR' saves what can be read"
        switch fault.part {
        case .strays:
            add(
                .warning, "segments", fault.message,
                remedy: "a crash left it; the next mount for writing removes it")
        case .audit:
            add(
                .error, "audit", fault.message,
                remedy: "'capsule audit verify --against' with an older checkpoint says more")
        case .database: add(.error, "database", fault.message, remedy: remedy)
        case .tree: add(.error, "tree", fault.message, remedy: remedy)
        case .segments: add(.error, "segments", fault.message, remedy: remedy)
        case .blocks: add(.error, "blocks", fault.message, remedy: remedy)
        }
    }
}
