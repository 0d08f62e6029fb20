import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// Opens workspaces, with errors that name them.
public enum WorkspaceOpener {
    /// Seconds to wait for another verb, unless the user says otherwise; a mount, which has a
    /// workspace for long, is asked instead.
    public static let patience = 5.0

    /// Opens the workspace at `path` with the first secret that fits.
    public static func open(
        path: String, secrets: OpeningSecrets, options: Workspace.Options = Workspace.Options()
    ) throws(AccessError) -> Workspace {
        if !options.isReadOnly { try WorkspacePlace.check(path) }
        let file = try keyFile(of: path)
        let keys: FileKeys
        do throws(AccessError) {
            keys = try secrets.unlock(file, path: path)
        } catch {
            if error.code == "wrong_secret" { Workspace.report(.openFailed, [:], at: path) }
            throw error
        }
        return try named(path) {
            try Workspace(path: path, keyFile: file, keys: keys, options: options)
        }
    }

    /// The tree of a workspace in a state, or in the present one: read through the driver that has
    /// it mounted, which needs no secret, or else by opening it. Nothing is written.
    public static func tree(
        path: String, state name: String?, secrets: OpeningSecrets,
        patience: Double = WorkspaceOpener.patience
    ) throws(AccessError) -> any ReadableTree {
        if let remote = RemoteWorkspace(path) {
            if name == nil { MountTable.flushMounts(of: path) }
            return try named(path) { try remote.tree(at: name) }
        }
        if let name, name.hasPrefix(Workspace.importPrefix) {
            var options = Workspace.Options()
            options.isReadOnly = true
            options.lockPatience = patience
            let workspace = try open(path: path, secrets: secrets, options: options)
            return try named(path) { try workspace.readableTree(at: name) }
        }
        return try storedTree(path: path, state: name, secrets: secrets, patience: patience)
    }

    /// The tree of a workspace that no driver has.
    public static func storedTree(
        path: String, state name: String?, secrets: OpeningSecrets, patience: Double
    ) throws(AccessError) -> StateTree {
        var options = Workspace.Options()
        options.isReadOnly = true
        options.lockPatience = patience
        let workspace = try open(path: path, secrets: secrets, options: options)
        return try named(path) {
            let state =
                if let name {
                    try workspace.tree.state(named: name)
                } else {
                    try workspace.tree.presentState()
                }
            return try StateTree(workspace, at: state)
        }
    }

    /// Runs `body` on a workspace: through the driver that has it mounted, which needs no secret,
    /// or else by opening it, for reading alone where `isReadOnly` says so.
    public static func withService<Result>(
        path: String, secrets: OpeningSecrets, isReadOnly: Bool = false,
        patience: Double = WorkspaceOpener.patience,
        _ body: (any WorkspaceService) throws -> Result
    ) throws(AccessError) -> Result {
        if let remote = RemoteWorkspace(path) {
            // What programs have written and closed is part of what happens now.
            MountTable.flushMounts(of: path)
            return try named(path) { try body(remote) }
        }
        var options = Workspace.Options()
        options.isReadOnly = isReadOnly
        options.lockPatience = patience
        let workspace = try open(path: path, secrets: secrets, options: options)
        return try named(path) {
            let result = try body(workspace.tree)
            if !isReadOnly { try workspace.close() }
            return result
        }
    }

    /// The same, for whoever reads states besides.
    public static func withAccess<Result>(
        path: String, secrets: OpeningSecrets, isReadOnly: Bool = false,
        patience: Double = WorkspaceOpener.patience, _ body: (WorkspaceAccess) throws -> Result
    ) throws(AccessError) -> Result {
        if let remote = RemoteWorkspace(path) {
            MountTable.flushMounts(of: path)
            return try named(path) {
                try body(
                    WorkspaceAccess(path: path, service: remote) { name in
                        // Each tree has a connection of its own: it stays at one state.
                        try (RemoteWorkspace(path) ?? remote).tree(at: name)
                    })
            }
        }
        var options = Workspace.Options()
        options.isReadOnly = isReadOnly
        options.lockPatience = patience
        let workspace = try open(path: path, secrets: secrets, options: options)
        return try named(path) {
            let result = try body(
                WorkspaceAccess(path: path, service: workspace.tree) { name in
                    try workspace.readableTree(at: name)
                })
            if !isReadOnly { try workspace.close() }
            return result
        }
    }

    /// What is wrong with a workspace, and its present tree.
    public static func examine(
        path: String, secrets: OpeningSecrets, isDeep: Bool
    ) throws(AccessError) -> (faults: [WorkspaceFault], tree: any ReadableTree) {
        if let remote = RemoteWorkspace(path) {
            return try named(path) {
                (try remote.faults(isDeep: isDeep), try remote.tree(at: nil))
            }
        }
        let tree = try storedTree(path: path, state: nil, secrets: secrets, patience: patience)
        return try named(path) { (try tree.faults(isDeep: isDeep), tree) }
    }

    /// Records an event of a verb that has done its work already. Where the log cannot be reached,
    /// a report is left for the next open, as far as the directory can be written to.
    public static func note(
        _ kind: EventKind, _ details: [String: EventValue], path: String, keys: FileKeys?
    ) {
        if let remote = RemoteWorkspace(path), (try? remote.note(kind, details)) != nil { return }
        var options = Workspace.Options()
        options.lockPatience = patience
        if let keys, let file = try? keyFile(of: path),
            let workspace = try? Workspace(
                path: path, keyFile: file, keys: keys, options: options),
            (try? workspace.tree.note(kind, details)) != nil
        {
            _ = try? workspace.close()
            return
        }
        Workspace.report(kind, details, at: path)
    }

    /// The file with a workspace's slots.
    public static func keyFile(
        of path: String, isWritable: Bool = false
    ) throws(AccessError) -> WorkspaceKeyFile {
        try named(path) { try Workspace.keyFile(of: path, isWritable: isWritable) }
    }

    /// What holds the slots of a capsule or of a workspace.
    public static func slots(
        of path: String, writable: Bool = false
    ) throws(AccessError) -> any SlottedFile {
        if Workspace.isWorkspace(path) { return try keyFile(of: path, isWritable: writable) }
        return try CapsuleOpener.open(path: path, writable: writable)
    }

    /// Throws `AccessError` where no workspace can be made: a question to ask before any secret.
    public static func checkNew(path: String) throws(AccessError) {
        try WorkspacePlace.check(path)
        try WorkspacePlace.checkNew(path)
    }

    /// Makes a workspace.
    public static func create(
        path: String, label: String, recordsFiles: Bool,
        secrets: [(secret: KeySlot.NewSecret, label: String)]
    ) throws(AccessError) {
        try checkNew(path: path)
        try named(path) {
            try Workspace.create(at: path, label: label, recordsFiles: recordsFiles) {
                fileKey, id in
                var slots: [KeySlot] = []
                for (secret, label) in secrets {
                    slots.append(
                        try KeySlot(
                            wrapping: fileKey, under: secret, capsuleID: id,
                            label: Array(label.utf8), salt: Environment.random(32)))
                }
                return slots
            }
        }
    }

    private static func named<Result>(
        _ path: String, _ body: () throws -> Result
    ) throws(AccessError) -> Result {
        do {
            return try body()
        } catch let error as AccessError {
            throw error
        } catch let error as FormatError {
            throw AccessError(error, path: path)
        } catch let error as SystemError {
            throw AccessError(error)
        } catch let error as WorkspaceError {
            throw AccessError(error, path: path)
        } catch let error as any AccessErrorConvertible {
            throw error.accessError
        } catch {
            if let inner = (error as? any ErrorWrapper)?.wrapped {
                return try named(path) { throw inner }
            }
            throw AccessError(.system, code: "damaged", "\(path): \(error)")
        }
    }
}

/// An error about an error.
public protocol ErrorWrapper: Error {
    /// The inner one.
    var wrapped: any Error { get }
}

/// An error that says itself who has to act.
public protocol AccessErrorConvertible: Error {
    /// The same as an `AccessError`.
    var accessError: AccessError { get }
}

/// A workspace that is open, here or in a driver.
public struct WorkspaceAccess {
    /// Its directory.
    public let path: String
    /// What is done with it.
    public let service: any WorkspaceService
    /// The tree of a state, or of an import with `Workspace.importPrefix` in front of its name.
    public let tree: (_ state: String) throws -> any ReadableTree
}

extension AccessError {
    /// An error of a workspace at `path`.
    public init(_ error: WorkspaceError, path: String) {
        let reason = SystemError(errno: error.errno, operation: "use", object: path)
        let message = error.message.isEmpty ? reason.reason : error.message
        let text = message.hasPrefix(path) ? message : "\(path): \(message)"
        switch error.errno {
        case EEXIST, ENOENT, ENOTDIR, EACCES, EPERM:
            self.init(.usage, code: "unusable_path", text)
        case EINVAL: self.init(.usage, code: "usage", text)
        // A run that has ended; a medium that cannot be written to is not for the user to mend.
        case EROFS where error.isAnswer: self.init(.usage, code: "usage", text)
        case EWOULDBLOCK, EBUSY: self.init(.system, code: "locked", text)
        case EIO: self.init(.system, code: "damaged", text)
        default: self.init(.system, code: "system", text)
        }
    }
}
