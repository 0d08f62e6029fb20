import CapsuleAccess
import CapsuleFormat
import CapsulePolicy
import CapsuleRuns
import CapsuleWorkspace
import Glibc

/// The folders in which is searched.
struct SearchPlaces {
    let access: WorkspaceAccess

    /// The folder of a run as it is now.
    func folder(of run: Run) throws -> any ReadableTree {
        let folder = try RunFolder(run, in: access.service, tree: access.tree)
        return ComposedTree(try folder.items(present: Workspace.present), seconds: run.startedAt)
    }

    /// The folder of an import.
    func folder(ofImport name: String) throws -> any ReadableTree {
        try access.tree(Workspace.importPrefix + name)
    }

    /// The folder that a name stands for: an import, or a capsule's file.
    func folder(
        named name: String, _ opening: OpeningOptions, besides: String = ""
    ) throws -> any ReadableTree {
        let imports = try ImportRecord.all(in: access.service)
        if imports.contains(where: { $0.name == name }) { return try folder(ofImport: name) }
        guard Glibc.access(name, F_OK) == 0 else {
            throw AccessError(
                .usage, code: "unknown_import",
                "\(name): it is neither \(besides)an import of the workspace nor a file")
        }
        return try OpenedTree.open(path: name, secrets: opening.capsuleSecrets()).tree
    }

    /// The run of the workspace that an id names, or nil. Throws where several have the id and
    /// `spec` does not say which.
    func run(named id: String, of spec: String?) throws -> Run? {
        guard try access.service.runs().contains(where: { $0.name.run == id }) else { return nil }
        return try RunOptions.find(id, of: spec, in: access.service)
    }

    /// The folder of a run, or else of an import or a capsule's file, and the run.
    func folder(
        named name: String, of spec: String?, _ opening: OpeningOptions
    ) throws -> (tree: any ReadableTree, run: Run?) {
        if let run = try run(named: name, of: spec) { return (try folder(of: run), run) }
        return (try folder(named: name, opening, besides: "a run, "), nil)
    }

    /// Demands that searches are not turned off.
    static func requireSearch(_ file: SettingsFile) throws {
        try MemoryBackend.requireCapsules(file)
        guard file.settings.hasSearch else {
            throw AccessError(
                .usage, code: "turned_off", "search is turned off: features.search is false")
        }
    }
}
