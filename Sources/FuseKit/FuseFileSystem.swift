import Glibc

/// A file system that answers kernel requests, from several threads at once.
///
/// Every method must answer its request once. Methods that are not implemented answer ENOSYS, after
/// which the kernel mostly stops asking. Locks must be released before a reply: it may be followed
/// at once by the next request about the same object.
public protocol FuseFileSystem: AnyObject, Sendable {
    /// Agrees on capabilities; the first thing that is called.
    func start(_ connection: FuseConnection)

    /// The kernel answered: the mount can be used.
    func didStart()

    /// A request is being served; hears every one of them.
    func willServe()

    /// The inode behind a name (without `/`, valid during the call).
    func lookup(_ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer)

    /// The attributes of an inode.
    func attributes(_ request: consuming FuseRequest, node: UInt64)

    /// The target of a symbolic link.
    func readLink(_ request: consuming FuseRequest, node: UInt64)

    /// A file or directory is opened. ENOSYS, the default, says once and for all that this is not
    /// needed: the kernel then keeps what it has in the page cache, and asks no more.
    func open(_ request: consuming FuseRequest, node: UInt64)

    /// Up to `size` bytes from `offset`; fewer only at the end of the file.
    func read(_ request: consuming FuseRequest, node: UInt64, size: Int, offset: UInt64)

    /// Entries of a directory after the one whose offset is `offset`.
    func readDirectory(
        _ request: consuming FuseRequest, node: UInt64, size: Int, offset: Int64, isPlus: Bool)

    /// Facts about the file system.
    func facts(_ request: consuming FuseRequest)

    /// The value of an extended attribute; with `size` 0 only its length.
    func attribute(
        _ request: consuming FuseRequest, node: UInt64, name: UnsafeRawBufferPointer, size: Int)

    /// The names of the extended attributes, each with a NUL; with `size` 0 only their length.
    func listAttributes(_ request: consuming FuseRequest, node: UInt64, size: Int)

    /// SEEK_DATA or SEEK_HOLE.
    func seek(_ request: consuming FuseRequest, node: UInt64, offset: Int64, whence: Int32)
}

extension FuseFileSystem {
    /// Nothing to agree on.
    public func start(_ connection: FuseConnection) {}
    /// Nothing to do.
    public func didStart() {}
    /// Nothing to do.
    public func willServe() {}
    /// ENOSYS.
    public func open(_ request: consuming FuseRequest, node: UInt64) { request.fail(ENOSYS) }
    /// ENOSYS.
    public func readLink(_ request: consuming FuseRequest, node: UInt64) { request.fail(ENOSYS) }
    /// ENOSYS.
    public func facts(_ request: consuming FuseRequest) { request.fail(ENOSYS) }
    /// ENOSYS.
    public func attribute(
        _ request: consuming FuseRequest, node: UInt64, name: UnsafeRawBufferPointer, size: Int
    ) { request.fail(ENOSYS) }
    /// ENOSYS.
    public func listAttributes(_ request: consuming FuseRequest, node: UInt64, size: Int) {
        request.fail(ENOSYS)
    }
    /// ENOSYS.
    public func seek(
        _ request: consuming FuseRequest, node: UInt64, offset: Int64, whence: Int32
    ) { request.fail(ENOSYS) }
}
