import CapsuleAccess
import CapsuleFormat
import CapsuleSystem
import CapsuleWorkspace

/// What doctor finds in a workspace.
extension Examination {
    /// Checks the workspace; the present tree of what can be read, for `--salvage`.
    mutating func examineWorkspace(
        secrets: OpeningSecrets, isDeep: Bool
    ) throws -> StateTree? {
        var options = Workspace.Options()
        options.isReadOnly = true
        options.lockPatience = 5
        let workspace: Workspace
        do throws(AccessError) {
            workspace = try WorkspaceOpener.open(path: path, secrets: secrets, options: options)
        } catch {
            guard error.code == "damaged" || error.code == "truncated" else { throw error }
            add(
                .error, "structure", error.message,
                remedy: "restore the directory from a backup; the contents are in it still")
            return nil
        }
        add(.ok, "structure", "header, slots and log are whole", remedy: nil)
        var faults: [(WorkspaceCheck.Part, String)] = []
        do throws(WorkspaceError) {
            try WorkspaceCheck(workspace) { faults.append(($0, $1)) }.run(isDeep: isDeep)
        } catch {
            throw AccessError(error, path: path)
        }
        let remedy = "'--salvage DIR' saves what can be read"
        for (part, message) in faults {
            switch part {
            case .database: add(.error, "database", message, remedy: remedy)
            case .tree: add(.error, "tree", message, remedy: remedy)
            case .segments: add(.error, "segments", message, remedy: remedy)
            case .strays:
                add(
                    .warning, "segments", message,
                    remedy: "a crash left it; it can be removed while nothing is mounted")
            case .blocks: add(.error, "blocks", message, remedy: remedy)
            }
        }
        if !hasErrors {
            let blocks = isDeep ? ", every block" : ""
            add(
                .ok, "tree", "every page of the database, every name and link\(blocks) is right",
                remedy: nil)
        }
        return try? StateTree(workspace, at: try workspace.tree.presentState())
    }
}
