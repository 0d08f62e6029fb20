import CapsuleFormat

/// A tree whose workspace records what is done with it.
public protocol AuditedTree: ReadableTree {
    /// The signed checkpoint of the workspace's audit log.
    func checkpointText() throws(WorkspaceError) -> String
}

extension StateTree: AuditedTree {
    /// As `AuditedTree` says.
    public func checkpointText() throws(WorkspaceError) -> String { try live.checkpointText() }

    /// Everything that is wrong with the workspace.
    public func faults(isDeep: Bool) throws(WorkspaceError) -> [WorkspaceFault] {
        try live.faults(isDeep: isDeep)
    }
}

extension RemoteTree: AuditedTree {
    /// As `AuditedTree` says.
    public func checkpointText() throws(WorkspaceError) -> String {
        var answer = try connection.ask(.checkpoint)
        return try answer.text()
    }
}
