import FuseKit

/// What the driver needs of a file system besides answers to the kernel.
public protocol MountedFileSystem: FuseFileSystem {
    /// Seconds without a request.
    var idleSeconds: Double { get }

    /// The session is up: threads of the file system's own may start.
    func attach(_ session: FuseSession)

    /// The mount is gone, or will be: whatever is not stored yet is stored now. May be called more
    /// than once, and while requests are still served. Whether everything is stored.
    func detach() -> Bool

    /// The mount has answered for the first time.
    func warmUp()
}
