import CFuse3
import Glibc

/// A kernel request that must be answered exactly once.
///
/// libfuse frees the request with every reply, even one that fails, so the token is noncopyable and
/// every reply consumes it. A failed reply means that the caller was interrupted or the file system
/// is gone; nobody is left to tell, so results of replies are ignored.
public struct FuseRequest: ~Copyable {
    let raw: fuse_req_t

    init(_ raw: fuse_req_t) { self.raw = raw }

    deinit {
        assertionFailure("a request was dropped without a reply")
        fuse_reply_err(raw, EIO)
    }

    /// The error `errno`; 0 is success without a result.
    public consuming func fail(_ errno: Int32) {
        fuse_reply_err(raw, errno)
        discard self
    }

    /// Who makes it.
    public var caller: FuseCaller {
        let context = fuse_req_ctx(raw).pointee
        return FuseCaller(uid: context.uid, gid: context.gid, umask: context.umask)
    }

    /// Whether the caller is root or belongs to a group.
    public func isCallerPrivileged(in group: UInt32) -> Bool {
        let caller = caller
        if caller.uid == 0 || caller.gid == group { return true }
        var groups = [gid_t](repeating: 0, count: 64)
        var count = Int(fuse_req_getgroups(raw, Int32(groups.count), &groups))
        if count > groups.count {
            groups = [gid_t](repeating: 0, count: count)
            count = Int(fuse_req_getgroups(raw, Int32(count), &groups))
        }
        return groups.prefix(max(0, min(count, groups.count))).contains(group)
    }

    /// Answers open: the kernel keeps what it has of the file in its page cache.
    public consuming func replyOpened(flags: Int32) {
        capsule_fuse_reply_open(raw, flags)
        discard self
    }

    /// Answers create.
    public consuming func reply(created entry: FuseEntry, flags: Int32) {
        var parameters = entry.parameters
        capsule_fuse_reply_create(raw, &parameters, flags)
        discard self
    }

    /// Answers write and copy_file_range.
    public consuming func reply(written count: Int) {
        fuse_reply_write(raw, count)
        discard self
    }

    /// Answers a lookup: an inode, or "there is none" when `node` is 0.
    public consuming func reply(_ entry: FuseEntry) {
        var parameters = entry.parameters
        fuse_reply_entry(raw, &parameters)
        discard self
    }

    /// Answers getattr.
    public consuming func reply(_ attributes: FuseAttributes, timeout: Double) {
        var status = attributes.status
        fuse_reply_attr(raw, &status, timeout)
        discard self
    }

    /// Answers readlink.
    public consuming func reply(target: [UInt8]) {
        let text = target.map { CChar(bitPattern: $0) } + [0]
        fuse_reply_readlink(raw, text)
        discard self
    }

    /// Answers read, readdir, or an extended attribute's value.
    public consuming func reply(_ bytes: UnsafeRawBufferPointer) {
        fuse_reply_buf(raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        discard self
    }

    /// Answers listxattr or getxattr.
    public consuming func reply(value: [UInt8]) {
        let raw = raw
        value.withUnsafeBytes { bytes in
            _ = fuse_reply_buf(
                raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        discard self
    }

    /// Answers a question for the size of an extended attribute or of their list.
    public consuming func reply(attributeSize: Int) {
        fuse_reply_xattr(raw, attributeSize)
        discard self
    }

    /// Answers lseek.
    public consuming func reply(offset: Int64) {
        fuse_reply_lseek(raw, off_t(offset))
        discard self
    }

    /// Answers statfs.
    public consuming func reply(_ facts: FuseFacts) {
        var status = facts.status
        fuse_reply_statfs(raw, &status)
        discard self
    }

    /// Answers readdirplus with what was gathered.
    public consuming func reply(_ directory: borrowing FuseDirectoryBuffer) {
        fuse_reply_buf(raw, directory.start, directory.count)
        discard self
    }
}

/// Room for directory entries in the form the kernel wants them.
public struct FuseDirectoryBuffer: ~Copyable {
    private let request: fuse_req_t
    private let capacity: Int
    private let isPlus: Bool
    let start: UnsafeMutablePointer<CChar>
    private(set) var count = 0

    /// A buffer of `capacity` bytes for the answer to `request`, with attributes if `isPlus`.
    public init(for request: borrowing FuseRequest, capacity: Int, isPlus: Bool) {
        self.request = request.raw
        self.capacity = capacity
        self.isPlus = isPlus
        start = .allocate(capacity: max(capacity, 1))
    }

    deinit { start.deallocate() }

    /// Whether nothing was added.
    public var isEmpty: Bool { count == 0 }

    /// Adds an entry; false when it does not fit.
    ///
    /// - Parameters:
    ///   - name: ends with a NUL.
    ///   - next: the offset from which a later call goes on after this entry.
    public mutating func add(
        name: UnsafePointer<CChar>, _ entry: FuseEntry, next: Int64
    ) -> Bool {
        let room = capacity - count
        let needed: Int
        if isPlus {
            var parameters = entry.parameters
            needed = fuse_add_direntry_plus(
                request, start + count, room, name, &parameters, off_t(next))
        } else {
            var status = entry.attributes.status
            needed = fuse_add_direntry(request, start + count, room, name, &status, off_t(next))
        }
        if needed > room { return false }
        count += needed
        return true
    }
}
