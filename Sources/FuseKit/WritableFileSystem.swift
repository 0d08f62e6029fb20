/// Who makes a request.
public struct FuseCaller: Sendable {
    /// The user.
    public let uid: UInt32
    /// The group.
    public let gid: UInt32
    /// The process's umask.
    public let umask: UInt32
}

/// A point in time, or the present one.
public enum FuseTime: Sendable {
    /// The time at which the request is served.
    case now
    /// Seconds since 1970 and nanoseconds.
    case at(Int64, UInt32)
}

/// What setattr changes; nil stays.
public struct FuseChanges: Sendable {
    /// Type and permission bits.
    public var mode: UInt32?
    /// The owner.
    public var uid: UInt32?
    /// The group.
    public var gid: UInt32?
    /// The size, in bytes.
    public var size: UInt64?
    /// The time of access.
    public var accessed: FuseTime?
    /// The time of the content's change.
    public var modified: FuseTime?
    /// The time of the inode's change.
    public var changed: FuseTime?
}

/// A file system that can be changed; as `FuseFileSystem` says, every request is answered once.
///
/// Names are valid during the call. With the write-back cache the kernel keeps size and times of
/// open files itself and tells them later.
public protocol WritableFileSystem: FuseFileSystem {
    /// The kernel drops `count` of the times that it was told of a node.
    func forget(node: UInt64, count: UInt64)
    /// Changes attributes.
    func change(_ request: consuming FuseRequest, node: UInt64, _ changes: FuseChanges)
    /// Makes a file, fifo, socket or device.
    func makeNode(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer,
        mode: UInt32, device: UInt64)
    /// Makes a directory.
    func makeDirectory(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer,
        mode: UInt32)
    /// Makes a symbolic link.
    func makeLink(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer,
        target: UnsafeRawBufferPointer)
    /// Gives an inode one more name.
    func link(
        _ request: consuming FuseRequest, node: UInt64, parent: UInt64,
        name: UnsafeRawBufferPointer)
    /// Removes a name.
    func unlink(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer)
    /// Removes an empty directory.
    func removeDirectory(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer)
    /// Renames, with the flags of renameat2(2).
    func rename(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer,
        newParent: UInt64, newName: UnsafeRawBufferPointer, flags: UInt32)
    /// Makes a file and opens it.
    func create(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer,
        mode: UInt32, flags: Int32)
    /// Opens a file with the flags of open(2).
    func open(_ request: consuming FuseRequest, node: UInt64, flags: Int32)
    /// The last user of something that was opened with these flags is gone.
    func release(_ request: consuming FuseRequest, node: UInt64, flags: Int32)
    /// Writes all bytes. Of what comes from its cache the kernel tells the times by itself.
    func write(
        _ request: consuming FuseRequest, node: UInt64, bytes: UnsafeRawBufferPointer,
        offset: UInt64, isFromCache: Bool)
    /// Makes what was changed survive a power cut.
    func flush(_ request: consuming FuseRequest, node: UInt64)
    /// As fallocate(2).
    func allocate(
        _ request: consuming FuseRequest, node: UInt64, mode: Int32, offset: UInt64,
        length: UInt64)
    /// As copy_file_range(2).
    func copyRange(
        _ request: consuming FuseRequest, from: UInt64, at offset: UInt64, to: UInt64,
        at targetOffset: UInt64, length: UInt64)
    /// Sets an extended attribute, with the flags of setxattr(2).
    func setAttribute(
        _ request: consuming FuseRequest, node: UInt64, name: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer, flags: Int32)
    /// Removes an extended attribute.
    func removeAttribute(
        _ request: consuming FuseRequest, node: UInt64, name: UnsafeRawBufferPointer)
}
