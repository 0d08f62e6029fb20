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

    /// What is mounted at a path, if that is the root of a mount of ours.
    public static func sourceOfMount(at path: String) -> String? {
        guard let place = resolved(path), let source = MountTable.source(of: place),
            MountTable.place(of: place, in: source) == ""
        else { return nil }
        return source
    }

    /// A path as its name inside a workspace: absolute below a mount of it, or relative while the
    /// working directory is in one, as git takes it; else from the root of the workspace.
    public static func pathInside(_ text: String, of workspace: String) throws(AccessError)
        -> String
    {
        let source = resolved(workspace) ?? workspace
        if text.hasPrefix("/") {
            // What is there may be gone, so only the directory is looked up.
            let (directory, name) = AtomicFile.split(text)
            let place = resolved(directory) ?? directory
            return MountTable.place(of: place, in: source).map { "\($0)/\(name)" } ?? text
        }
        guard let place = resolved("."), let prefix = MountTable.place(of: place, in: source) else {
            return text
        }
        return "\(prefix)/\(text)"
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
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
        guard var place = resolved(path) else { return nil }
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
