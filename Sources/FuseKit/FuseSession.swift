import CFuse3
import CapsuleSystem
import Glibc
import Synchronization

/// A file system mounted at a path, served by threads of our own.
public final class FuseSession: Sendable {
    // libfuse's session is made to be used by several threads.
    private nonisolated(unsafe) let raw: OpaquePointer
    private let box: Unmanaged<FileSystemBox>
    private let isMounted = Atomic(false)

    final class FileSystemBox: Sendable {
        let fileSystem: any FuseFileSystem
        init(_ fileSystem: any FuseFileSystem) { self.fileSystem = fileSystem }
    }

    /// Why a session cannot start.
    public struct StartError: Error, Sendable {
        /// What was attempted.
        public let message: String
    }

    /// Prepares a session. Each of `options` is one mount option; commas and backslashes in them
    /// are escaped here. Throws `StartError`.
    public init(
        _ fileSystem: any FuseFileSystem, options: [String], debug: Bool
    ) throws(StartError) {
        let escaped = options.map(Self.escape)
        var words = ["capsulefs", "-o", escaped.joined(separator: ",")]
        if debug { words.append("-d") }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        let box = Unmanaged.passRetained(FileSystemBox(fileSystem))
        let session = arguments.withUnsafeMutableBufferPointer { list -> OpaquePointer? in
            var args = fuse_args(
                argc: Int32(list.count), argv: list.baseAddress, allocated: 0)
            var operations = FuseOperations.table(for: fileSystem)
            let session = capsule_fuse_session_new(&args, &operations, box.toOpaque())
            fuse_opt_free_args(&args)
            return session
        }
        guard let session else {
            box.release()
            throw StartError(message: "libfuse does not accept the mount options")
        }
        raw = session
        self.box = box
    }

    deinit {
        fuse_session_destroy(raw)
        box.release()
    }

    private static func escape(_ option: String) -> String {
        option.reduce(into: "") { result, character in
            if character == "," || character == "\\" { result.append("\\") }
            result.append(character)
        }
    }

    /// Mounts at an existing directory. libfuse prints the reason of a failure on stderr.
    public func mount(at path: String) throws(StartError) {
        guard fuse_session_mount(raw, path) == 0 else {
            throw StartError(message: "cannot mount at \(path)")
        }
        isMounted.store(true, ordering: .releasing)
    }

    /// Detaches from the mount point: new users see the directory below, open files stay usable
    /// until `run` returns.
    public func unmount() {
        if isMounted.exchange(false, ordering: .acquiringAndReleasing) {
            fuse_session_unmount(raw)
        }
    }

    /// Serves requests with `threadCount` threads until the file system is unmounted.
    public func run(threadCount: Int) {
        let receiver = RequestReceiver(raw)
        let workers = (0..<threadCount).map { _ in Worker { receiver.serve() } }
        for worker in workers { worker.join() }
        unmount()
    }

    /// Lets the kernel write back what it has of a file and drop it. Whether it did.
    ///
    /// Must not be called by a thread that has to answer the writes that follow.
    public func invalidate(node: UInt64) -> Bool {
        fuse_lowlevel_notify_inval_inode(raw, fuse_ino_t(node), 0, 0) == 0
    }

    /// Lets the kernel ask for a file's attributes anew; what it has of the contents stays.
    @discardableResult
    public func invalidateAttributes(node: UInt64) -> Bool {
        fuse_lowlevel_notify_inval_inode(raw, fuse_ino_t(node), -1, 0) == 0
    }

    /// Lets the kernel forget what a name stands for. The same holds for it.
    @discardableResult
    public func invalidate(name: [UInt8], in parent: UInt64) -> Bool {
        let text = name.map { CChar(bitPattern: $0) } + [0]
        return fuse_lowlevel_notify_inval_entry(raw, fuse_ino_t(parent), text, name.count) == 0
    }

    /// Puts bytes of a file into the kernel's page cache before anybody asks.
    ///
    /// Must not be called by a thread that is serving a request about the same inode: the kernel
    /// may wait for that request.
    @discardableResult
    public func store(node: UInt64, offset: UInt64, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var vector = fuse_bufvec()
        vector.count = 1
        vector.buf.size = bytes.count
        vector.buf.mem = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        let flags = fuse_buf_copy_flags(rawValue: 0)
        return fuse_lowlevel_notify_store(raw, fuse_ino_t(node), off_t(offset), &vector, flags)
            == 0
    }
}
