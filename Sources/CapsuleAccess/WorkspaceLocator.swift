import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// Finds the workspace that a verb is about.
public enum WorkspaceLocator {
    /// The directory of the workspace: of the one that was named, by its directory or by a path
    /// within a mount of it; else of the one that CAPSULE_WORKSPACE names; else of the one that the
    /// working directory lies in or is mounted from. Throws `AccessError`.
    public static func find(_ named: String?) throws(AccessError) -> String {
        if let named { return try directory(of: named) }
        if let value = Environment.variable("CAPSULE_WORKSPACE") {
            return try directory(of: String(decoding: value, as: UTF8.self))
        }
        if let found = containing(".") { return found }
        throw AccessError(
            .usage, code: "no_workspace",
            "no workspace is named: use -w, CAPSULE_WORKSPACE, or go into one")
    }

    private static func directory(of path: String) throws(AccessError) -> String {
        if Workspace.isWorkspace(path) { return path }
        if let found = containing(path) { return found }
        throw AccessError(
            .usage, code: "no_workspace",
            "\(path): it is no workspace and no mount of one; 'capsule init' makes one")
    }

    /// The workspace that a path lies in or is mounted from.
    private static func containing(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        var place = String(cString: resolved)
        if let source = MountTable.source(of: place), Workspace.isWorkspace(source) {
            return source
        }
        while place != "/" {
            if Workspace.isWorkspace(place) { return place }
            place = AtomicFile.split(place).directory
        }
        return nil
    }
}
