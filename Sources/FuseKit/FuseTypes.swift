import CFuse3

/// What getattr says of an inode.
public struct FuseAttributes: Sendable {
    /// The inode number.
    public var inode: UInt64 = 0
    /// Type and permission bits.
    public var mode: UInt32 = 0
    /// The number of links.
    public var linkCount: UInt32 = 1
    /// The owner.
    public var uid: UInt32 = 0
    /// The group.
    public var gid: UInt32 = 0
    /// The device number, as makedev(3) builds it.
    public var device: UInt64 = 0
    /// The size, in bytes.
    public var size: UInt64 = 0
    /// Space taken, in units of 512 bytes.
    public var blocks: UInt64 = 0
    /// Modification time, seconds; shown as access and change time too, unless these are set.
    public var seconds: Int64 = 0
    /// Modification time, nanoseconds.
    public var nanoseconds: UInt32 = 0
    /// Access time, seconds and nanoseconds.
    public var accessed: (seconds: Int64, nanoseconds: UInt32)?
    /// Change time, seconds and nanoseconds.
    public var changed: (seconds: Int64, nanoseconds: UInt32)?

    /// Attributes to be filled.
    public init() {}

    var status: stat {
        var status = stat()
        status.st_ino = ino_t(inode)
        status.st_mode = mode
        status.st_nlink = nlink_t(linkCount)
        status.st_uid = uid
        status.st_gid = gid
        status.st_rdev = dev_t(device)
        status.st_size = off_t(clamping: size)
        status.st_blksize = 4096
        status.st_blocks = blkcnt_t(clamping: blocks)
        let modified = (seconds, nanoseconds)
        status.st_mtim = Self.time(modified)
        status.st_atim = Self.time(accessed ?? modified)
        status.st_ctim = Self.time(changed ?? modified)
        return status
    }

    private static func time(_ value: (Int64, UInt32)) -> timespec {
        timespec(tv_sec: Int(value.0), tv_nsec: Int(value.1))
    }
}

/// An inode as the answer to a lookup.
public struct FuseEntry: Sendable {
    /// The node, the kernel's name for the inode from now on; 0 says that there is none.
    public var node: UInt64
    /// Its attributes.
    public var attributes: FuseAttributes
    /// How long the kernel may believe this, in seconds.
    public var timeout: Double
    /// Together with the node it says which file this is: with another one, the kernel takes the
    /// file that it has under the node for one that is gone.
    public var generation: UInt64 = 0

    /// An answer.
    public init(node: UInt64, attributes: FuseAttributes, timeout: Double) {
        self.node = node
        self.attributes = attributes
        self.timeout = timeout
    }

    var parameters: fuse_entry_param {
        fuse_entry_param(
            ino: fuse_ino_t(node), generation: generation, attr: attributes.status,
            attr_timeout: timeout, entry_timeout: timeout)
    }
}

/// What statfs says of the file system.
public struct FuseFacts: Sendable {
    /// Space taken by contents, in bytes.
    public var totalSize: UInt64
    /// The number of inodes.
    public var inodeCount: UInt64
    /// Space that may still be written, in bytes.
    public var freeSize: UInt64 = 0

    /// The facts of a full, read-only file system.
    public init(totalSize: UInt64, inodeCount: UInt64) {
        self.totalSize = totalSize
        self.inodeCount = inodeCount
    }

    var status: statvfs {
        var status = statvfs()
        status.f_bsize = 4096
        status.f_frsize = 4096
        status.f_blocks = fsblkcnt_t((totalSize + 4095) / 4096)
        status.f_bfree = fsblkcnt_t(freeSize / 4096)
        status.f_bavail = status.f_bfree
        status.f_files = fsfilcnt_t(inodeCount)
        // A file takes a few hundred bytes of the database.
        status.f_ffree = fsfilcnt_t(freeSize / 512)
        status.f_favail = status.f_ffree
        status.f_namemax = 255
        return status
    }
}

/// What the two sides agree on when a file system starts.
public struct FuseConnection {
    private let raw: UnsafeMutablePointer<fuse_conn_info>

    init(_ raw: UnsafeMutablePointer<fuse_conn_info>) { self.raw = raw }

    /// A capability of kernel and library.
    public struct Capability: Sendable {
        let bit: UInt32
        /// The kernel asks for attributes with every directory read.
        public static let readDirectoryPlus = Capability(bit: UInt32(FUSE_CAP_READDIRPLUS))
        /// The kernel decides by itself when to ask for attributes.
        public static let readDirectoryPlusAuto = Capability(
            bit: UInt32(FUSE_CAP_READDIRPLUS_AUTO))
        /// Lookups and reads of one directory may run at once.
        public static let parallelDirectoryOperations = Capability(
            bit: UInt32(FUSE_CAP_PARALLEL_DIROPS))
        /// The kernel enforces POSIX ACLs (needs default_permissions).
        public static let posixACL = Capability(bit: UInt32(FUSE_CAP_POSIX_ACL))
        /// Targets of symbolic links stay in the page cache.
        public static let cacheSymlinks = Capability(bit: UInt32(FUSE_CAP_CACHE_SYMLINKS))
        /// ENOSYS for open means that no file need be opened.
        public static let noOpen = Capability(bit: UInt32(FUSE_CAP_NO_OPEN_SUPPORT))
        /// ENOSYS for opendir means the same of directories.
        public static let noOpenDirectory = Capability(bit: UInt32(FUSE_CAP_NO_OPENDIR_SUPPORT))
        /// Requests are moved with splice(2); slower than reading for small requests.
        public static let spliceRead = Capability(bit: UInt32(FUSE_CAP_SPLICE_READ))
        /// The kernel gathers writes.
        public static let writebackCache = Capability(bit: UInt32(FUSE_CAP_WRITEBACK_CACHE))
        /// Modes arrive as the caller gave them, with the umask beside them.
        public static let dontMask = Capability(bit: UInt32(FUSE_CAP_DONT_MASK))
        /// The kernel leaves it to open to truncate.
        public static let truncatesOnOpen = Capability(bit: UInt32(FUSE_CAP_ATOMIC_O_TRUNC))
        /// The file system clears setuid bits by itself.
        public static let handlesPrivileges = Capability(bit: UInt32(FUSE_CAP_HANDLE_KILLPRIV))
        /// Several reads of one file may be under way.
        public static let asynchronousRead = Capability(bit: UInt32(FUSE_CAP_ASYNC_READ))
        /// Direct I/O of io_submit(2) is asynchronous; libfuse asks for it by default.
        public static let asynchronousDirect = Capability(bit: UInt32(FUSE_CAP_ASYNC_DIO))
        /// Inodes are found by their numbers: for name_to_handle_at(2) and NFS.
        public static let exportable = Capability(bit: UInt32(FUSE_CAP_EXPORT_SUPPORT))
    }

    /// Whether the kernel has it.
    public func offers(_ capability: Capability) -> Bool {
        raw.pointee.capable & capability.bit != 0
    }

    /// Asks for a capability, if the kernel has it.
    public func want(_ capability: Capability) {
        if offers(capability) { raw.pointee.want |= capability.bit }
    }

    /// Does without a capability that libfuse asks for by default.
    public func refuse(_ capability: Capability) {
        raw.pointee.want &= ~capability.bit
    }
}
