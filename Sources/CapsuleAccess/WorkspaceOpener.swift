import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// Opens workspaces, with errors that name them.
public enum WorkspaceOpener {
    /// Opens the workspace at `path` with the first secret that fits.
    public static func open(
        path: String, secrets: OpeningSecrets, options: Workspace.Options = Workspace.Options()
    ) throws(AccessError) -> Workspace {
        let file = try keyFile(of: path)
        let keys = try secrets.unlock(file, path: path)
        return try named(path) {
            try Workspace(path: path, keyFile: file, keys: keys, options: options)
        }
    }

    /// The tree of a workspace in a state, or in the present one; nothing is written.
    public static func tree(
        path: String, state name: String?, secrets: OpeningSecrets,
        options: Workspace.Options = Workspace.Options()
    ) throws(AccessError) -> StateTree {
        var options = options
        options.isReadOnly = true
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

    /// Runs `body` on the states of a workspace: through the driver that has it mounted, which
    /// needs no secret, or else by opening it.
    public static func withStates<Result>(
        path: String, secrets: OpeningSecrets, _ body: (any StateKeeper) throws -> Result
    ) throws(AccessError) -> Result {
        if let remote = RemoteStates(path) {
            // What programs have written and closed is part of a state that is kept now.
            MountTable.flushMounts(of: path)
            return try named(path) { try body(remote) }
        }
        var options = Workspace.Options()
        // Another verb has it for a moment; a mount, which has it for long, says so.
        options.lockPatience = 5
        let workspace = try open(path: path, secrets: secrets, options: options)
        return try named(path) {
            let result = try body(workspace.tree)
            try workspace.close()
            return result
        }
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

    /// Makes a workspace.
    public static func create(
        path: String, label: String, secrets: [(secret: KeySlot.NewSecret, label: String)]
    ) throws(AccessError) {
        try named(path) {
            try Workspace.create(at: path, label: label) { fileKey, id in
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
        } catch {
            throw AccessError(.system, code: "damaged", "\(path): \(error)")
        }
    }
}

extension AccessError {
    /// An error of a workspace at `path`.
    public init(_ error: WorkspaceError, path: String) {
        let reason = SystemError(errno: error.errno, operation: "use", object: path)
        let message = error.message.isEmpty ? reason.reason : error.message
        let text = message.hasPrefix(path) ? message : "\(path): \(message)"
        switch error.errno {
        case EEXIST, ENOENT, EACCES, EPERM:
            self.init(.usage, code: "unusable_path", text)
        case EINVAL: self.init(.usage, code: "usage", text)
        case EWOULDBLOCK: self.init(.system, code: "locked", text)
        case EIO: self.init(.system, code: "damaged", text)
        default: self.init(.system, code: "system", text)
        }
    }
}
