/// How a mount shows what a capsule holds.
public struct MountPolicy: Sendable {
    /// Shown as the owner of everything, if set.
    public var uid: UInt32?
    /// Shown as the group of everything, if set.
    public var gid: UInt32?
    /// Permission bits taken away from everything, if set.
    public var umask: UInt32?
    /// Whether the kernel enforces modes and ACLs.
    public var enforcesPermissions = false
    /// Whether log lines leave out names.
    public var redactsNames = false
    /// The path within the capsule that is shown as the root, in components.
    public var subdirectory: [[UInt8]] = []

    /// Everything as it is in the capsule, with no enforcement.
    public init() {}
}
