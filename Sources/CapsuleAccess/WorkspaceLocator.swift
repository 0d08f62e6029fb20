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
        if let value = Environment.variable("CAPSULE_WORKSPACE"), !value.isEmpty {
            return try directory(of: String(decoding: value, as: UTF8.self))
        }
        if let found = containing(".") { return found }
        throw AccessError(
            .usage, code: "no_workspace",
            "no workspace is named: use -w, CAPSULE_WORKSPACE, or go into one")
    }

    /// What a path stands for that may be the root of a mount of ours: what is mounted there.
    public static func mountedFile(_ path: String) -> String { sourceOfMount(at: path) ?? path }

    /// What is mounted at a path, if that is the root of a mount of ours.
    private static func sourceOfMount(at path: String) -> String? {
        guard let place = resolved(Array(path.utf8)), let source = MountTable.source(of: place),
            MountTable.place(of: place, in: source) == []
        else { return nil }
        return source
    }

    /// The directory of the workspace that a path is mounted from, if it is, and where in the
    /// workspace it is: nothing for the root, else a slash before each name.
    public static func mounted(
        at path: [UInt8]
    ) -> (workspace: String, inside: [UInt8])? {
        guard let place = resolved(path), let source = MountTable.source(of: place),
            Workspace.isWorkspace(source), let inside = MountTable.place(of: place, in: source)
        else { return nil }
        return (source, inside)
    }

    /// A path as its name inside a workspace: absolute below a mount of it, or relative while the
    /// working directory is in one, as git takes it; else from the root of the workspace.
    public static func pathInside(_ path: [UInt8], of workspace: String) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let source = resolved(Array(workspace.utf8)).map { String(decoding: $0, as: UTF8.self) }
        func inside(_ directory: [UInt8]) -> [UInt8]? {
            resolved(directory).flatMap { MountTable.place(of: $0, in: source ?? workspace) }
        }
        guard path.first == slash else {
            return inside([UInt8(ascii: ".")]).map { $0 + [slash] + path } ?? path
        }
        // What is there may be gone, so only the directory is looked up.
        let end = path.lastIndex(of: slash) ?? 0
        let name = path[(end + 1)...]
        return inside(end == 0 ? [slash] : Array(path[..<end])).map { $0 + [slash] + name } ?? path
    }

    private static func resolved(_ path: [UInt8]) -> [UInt8]? {
        let text = path.map { CChar(bitPattern: $0) } + [0]
        guard let resolved = realpath(text, nil) else { return nil }
        defer { free(resolved) }
        return Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
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
        guard let bytes = resolved(Array(path.utf8)) else { return nil }
        if let source = MountTable.source(of: bytes), Workspace.isWorkspace(source) {
            return source
        }
        var place = String(decoding: bytes, as: UTF8.self)
        while place != "/" {
            if Workspace.isWorkspace(place) { return place }
            place = AtomicFile.split(place).directory
        }
        return nil
    }
}
