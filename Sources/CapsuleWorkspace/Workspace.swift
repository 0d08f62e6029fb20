import CapsuleCrypto
import CapsuleFormat
import CapsuleStore
import CapsuleSystem
import Crypto
import Glibc

/// A directory of ciphertext that holds a live tree and its history.
///
///     workspace      the header and the slots: which secrets open it
///     metadata       the database, and its log metadata-wal
///     pages          which write of each database page is the present one
///     segments/      the contents of files
///     lock           who uses it
///     control        while it is mounted: the socket of the driver
///     reserve        zeros: room for a commit on a full disk
public final class Workspace: @unchecked Sendable {
    // Sendable because the database is only used through the tree, which has a lock.
    static let keyFileName = "workspace"
    static let segmentsName = "segments"
    static let databaseName = "metadata"

    /// Where it is.
    public let path: String
    let absolutePath: String
    /// The present tree.
    public let tree: LiveTree
    private let directory: FileDirectory
    private let lock: WorkspaceLock

    /// How a workspace is opened.
    public struct Options: Sendable {
        /// Whether nothing is written. Several readers, or one writer, may have a workspace.
        public var isReadOnly = false
        /// Bytes of plaintext that are kept in memory: a third for the database.
        public var cacheLength = 96 << 20
        /// Seconds to wait for whoever has it.
        public var lockPatience = 0.0
        /// Takes one line about each failure of storage.
        public var report: @Sendable (String) -> Void = { _ in }

        /// Reading and writing.
        public init() {}
    }

    // MARK: Making one

    /// Makes a workspace in a directory that is not there, or empty. `slots` gets the id and wraps
    /// the key. With `recordsFiles` its audit log hears of every file that is opened, made or
    /// removed. Throws `WorkspaceError`.
    public static func create(
        at path: String, label: String = "", recordsFiles: Bool = false,
        slots: (_ fileKey: SymmetricKey, _ id: [UInt8]) throws -> [KeySlot]
    ) throws {
        let isOurs = mkdir(path, 0o700) == 0
        if !isOurs {
            let error = SystemError.last("create", path)
            guard error.errno == EEXIST else { throw WorkspaceError(error) }
            let names = try called { () throws(SystemError) in
                try FileDirectory(path: path).names()
            }
            guard names.isEmpty else {
                throw WorkspaceError(EEXIST, "\(path): the directory is not empty")
            }
        }
        do {
            try fill(path, label: label, recordsFiles: recordsFiles, slots: slots)
        } catch {
            remove(path, withDirectory: isOurs)
            throw error
        }
    }

    private static func fill(
        _ path: String, label: String, recordsFiles: Bool,
        slots: (_ fileKey: SymmetricKey, _ id: [UInt8]) throws -> [KeySlot]
    ) throws {
        var key = Environment.random(32)
        defer { wipe(&key) }
        let fileKey = SymmetricKey(data: key)
        let id = Environment.random(16)
        let keys = FileKeys(fileKey: fileKey, salt: Environment.random(32))
        let made = try slots(fileKey, id)
        let room = made.reduce(Area.capacity(length: 0) * -1) { $0 + $1.record.count * 2 }
        var header = Header(
            id: id, salt: keys.salt, keyCommitment: keys.commitment,
            slotAreaLength: min(
                max(8192, (room + 4095) / 4096 * 4096), Limits.areaLength.upperBound),
            signatureAreaLength: 0, label: label)
        header.kind = .workspace
        let bytes = try WorkspaceKeyFile.encoded(header, slots: made, keys: keys)
        let lock = open("\(path)/\(WorkspaceLock.fileName)", O_CREAT | O_CLOEXEC | O_WRONLY, 0o600)
        guard lock >= 0 else {
            throw WorkspaceError(SystemError.last("create", "\(path)/\(WorkspaceLock.fileName)"))
        }
        Glibc.close(lock)
        guard mkdir("\(path)/\(segmentsName)", 0o700) == 0 else {
            throw WorkspaceError(SystemError.last("create", "\(path)/\(segmentsName)"))
        }
        let directory = try FileDirectory(path: path)
        try makeTree(in: directory, keys: keys, id: id, recordsFiles: recordsFiles)
        try directory.replace(ReportSpool.fileName, with: ReportSpool.head(id: id, keys: keys))
        // Only with this file is it a workspace.
        try directory.replace(keyFileName, with: bytes)
    }

    /// Makes the database of an empty tree.
    static func makeTree(
        in directory: any StorageDirectory, keys: FileKeys, id: [UInt8],
        recordsFiles: Bool = false
    ) throws(WorkspaceError) {
        try stored { () throws(StoreError) in
            let database = try Database(
                in: directory, key: keys.databaseCipher, id: id, mode: .create)
            try database.execute(Schema.creation)
            let inodes = try InodeTable(database)
            let now = FileTime.now
            inodes.put(
                Inode(
                    number: Inode.root, born: 1, mode: Inode.Kind.directory | 0o755,
                    uid: geteuid(), gid: getegid(), linkCount: 2, size: 0, storedSize: 0,
                    device: 0, parent: Inode.root, accessed: now, modified: now, changed: now,
                    hasAttributes: false))
            try inodes.flush(epoch: 1)
            let audit = try AuditLog(database, keys: keys, id: id)
            try audit.makeKey()
            try audit.append(.created, ["audit_files": .flag(recordsFiles)])
            if recordsFiles {
                try database.execute("INSERT INTO fact VALUES ('\(LiveTree.recordsFact)', 1)")
            }
            try database.checkpoint()
        }
    }

    private static func remove(_ path: String, withDirectory: Bool) {
        for name in (try? FileDirectory(path: path).names()) ?? [] {
            if unlink("\(path)/\(name)") != 0 { rmdir("\(path)/\(name)") }
        }
        if withDirectory { rmdir(path) }
    }

    // MARK: Opening one

    /// Whether the directory holds a workspace.
    public static func isWorkspace(_ path: String) -> Bool {
        access("\(path)/\(keyFileName)", F_OK) == 0
            && access("\(path)/\(segmentsName)", F_OK) == 0
    }

    /// Who uses a workspace.
    public enum Use: Equatable, Sendable {
        /// Somebody writes to it now: who, and since when.
        case live(String)
        /// Whoever did is gone without closing it: who, and since when.
        case stale(String)
        /// Nobody; who did last and when, or nothing.
        case free(String)
    }

    /// Whether somebody writes to it now, and who, or who did last.
    public static func use(of path: String) throws(SystemError) -> Use {
        try WorkspaceLock.use(of: path)
    }

    /// The file with its slots. Throws `SystemError`, `FormatError`.
    public static func keyFile(of path: String, isWritable: Bool = false) throws -> WorkspaceKeyFile
    {
        let storage = try FileStorage(path: "\(path)/\(keyFileName)", writable: isWritable)
        // Whoever changes slots has read them since the last change.
        if isWritable { try storage.lock(exclusive: true, wait: true) }
        return try WorkspaceKeyFile(storage)
    }

    /// Opens a workspace with its keys. Throws `WorkspaceError` and `FormatError`.
    public init(
        path: String, keyFile: WorkspaceKeyFile, keys: FileKeys, options: Options = Options()
    ) throws {
        self.path = path
        absolutePath =
            realpath(path, nil).map { resolved in
                defer { free(resolved) }
                return String(cString: resolved)
            } ?? path
        try keyFile.authenticate(keys)
        lock = try WorkspaceLock(
            path: path, isExclusive: !options.isReadOnly, patience: options.lockPatience)
        directory = try called { () throws(SystemError) in try FileDirectory(path: path) }
        let segments = try called { () throws(SystemError) in
            try FileDirectory(path: "\(path)/\(Self.segmentsName)")
        }
        if !options.isReadOnly { try Self.removeTemporaries(in: directory) }
        tree = try Self.openTree(
            in: directory, segments: segments, keys: keys, id: keyFile.header.id,
            options: options)
        guard !options.isReadOnly else { return }
        do throws(WorkspaceError) {
            try noteUncleanEnd()
            try ReportSpool.absorb(in: directory, into: tree, keys: keys, id: keyFile.header.id)
            try tree.note(.opened, [:])
        } catch {
            // On a full disk something must be deleted first. What is recorded is durable with the
            // first commit for which there is room.
            guard error.errno == ENOSPC else { throw error }
        }
    }

    /// Removes what somebody who was killed was about to put in another's place.
    private static func removeTemporaries(
        in directory: any StorageDirectory
    ) throws(WorkspaceError) {
        try called { () throws(SystemError) in
            for name in try directory.names() where AtomicFile.isTemporary(name) {
                try directory.remove(name, isDurable: false)
            }
        }
    }

    /// Leaves word of an event at a workspace that cannot be opened, or not now.
    public static func report(
        _ kind: EventKind, _ details: [String: EventValue], at path: String
    ) {
        ReportSpool.leave(kind, details, at: path)
    }

    // MARK: Mounts

    /// A mount begins. If it does not end, the next open says so.
    public func noteMounted(at mountPoint: String) throws(WorkspaceError) {
        if tree.isReadOnly { return }
        try tree.changing { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in try tree.set(Self.cleanFact, 0) }
            try tree.record(.mounted, ["mount_point": .text(mountPoint)])
        }
        try tree.commit()
    }

    /// The mount has ended.
    public func noteUnmounted() throws(WorkspaceError) {
        if tree.isReadOnly { return }
        try tree.changing { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try tree.set(Self.cleanFact, 1)
                // The next mount gives back what this one had no time for.
                try tree.set(LiveTree.freedFact, Int64(clamping: tree.freedBytes))
            }
            try tree.record(.unmounted, [:])
        }
    }

    private static let cleanFact = "clean"

    private func noteUncleanEnd() throws(WorkspaceError) {
        let isClean = try tree.locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in try tree.fact(Self.cleanFact) != 0 }
        }
        if isClean { return }
        try tree.changing { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in try tree.set(Self.cleanFact, 1) }
            try tree.record(.uncleanUnmount, [:])
        }
    }

    /// Opens the tree whose database and segments are in these directories.
    static func openTree(
        in directory: any StorageDirectory, segments: any StorageDirectory, keys: FileKeys,
        id: [UInt8], options: Options
    ) throws(WorkspaceError) -> LiveTree {
        let (database, names, audit) = try stored {
            () throws(StoreError) -> (Database, [(Int64, [UInt8])], AuditLog) in
            let database = try Database(
                in: directory, key: keys.databaseCipher, id: id,
                mode: options.isReadOnly ? .readOnly : .readWrite,
                cacheLength: options.cacheLength / 3)
            if !options.isReadOnly { try database.execute(Schema.records) }
            let names = try Statement(database, "SELECT number, name FROM segment").all {
                ($0.integer(0), $0.bytes(1))
            }
            return (database, names, try AuditLog(database, keys: keys, id: id))
        }
        let store = SegmentStore(
            segments, keys: keys, id: id, names: Dictionary(uniqueKeysWithValues: names),
            cacheLength: options.cacheLength / 3)
        let tree = try LiveTree(
            database, segments: store, audit: audit,
            reserve: options.isReadOnly ? nil : Reserve(directory),
            isReadOnly: options.isReadOnly, report: options.report)
        tree.knownFiles = KnownFiles(
            directory, reportHead: { ReportSpool.head(id: id, keys: keys) })
        if !options.isReadOnly {
            // A log that was left behind may end in the middle of a block, so nothing is added to
            // it; but on a full disk, where it was left whole.
            do throws(WorkspaceError) {
                try tree.checkpoint()
            } catch {
                guard error.errno == ENOSPC else { throw error }
            }
            try tree.eraseOrphans()
            try called { () throws(SystemError) in try store.removeStrays() }
        }
        return tree
    }

    /// Answers requests of other processes about it; what hinders that is reported.
    public func listen() -> ControlServer? {
        do throws(WorkspaceError) {
            return try ControlServer(absolutePath, workspace: self)
        } catch {
            tree.report("other verbs cannot reach the mount: \(error.message)")
            return nil
        }
    }

    /// Commits everything and puts the log into the database.
    public func close() throws(WorkspaceError) {
        try tree.commit()
        try tree.checkpoint()
        lock.noteClosed()
    }

    /// Bytes that may still be written, and the size of the medium.
    public func space() throws(WorkspaceError) -> (free: UInt64, total: UInt64) {
        try called { () throws(SystemError) in try directory.space() }
    }
}
