import CSQLite3
import CapsuleCrypto
import CapsuleSystem
import Glibc

/// The files of one database, opened by SQLite through functions of ours.
///
/// One of these serves one connection, which only one thread uses at a time; SQLite finds it by the
/// name under which it is registered.
final class SealedVFS {
    /// What SQLite calls it.
    let name: String

    private let directory: any StorageDirectory
    private let cipher: PageCipher
    private let databaseID: [UInt8]
    let isWritable: Bool
    private let map: PageMap
    private(set) var database: DatabaseFile?
    private(set) var log: LogFile?
    private var registered: UnsafeMutablePointer<sqlite3_vfs>?

    /// The error behind the last failed call of SQLite.
    var lastFailure: StoreError?

    /// Registers with SQLite. Throws `StoreError` when the map cannot be read.
    init(
        directory: any StorageDirectory, cipher: PageCipher, databaseID: [UInt8],
        isNew: Bool, isWritable: Bool
    ) throws(StoreError) {
        self.directory = directory
        self.cipher = cipher
        self.databaseID = databaseID
        self.isWritable = isWritable
        map =
            isNew
            ? PageMap(creating: directory, cipher: cipher, databaseID: databaseID)
            : try PageMap(reading: directory, cipher: cipher, databaseID: databaseID)
        // Random, as two workspaces may be open in one process.
        name = "capsulefs-\(Environment.random(8).map(String.init).joined(separator: "-"))"
        register()
    }

    deinit {
        guard let registered else { return }
        sqlite3_vfs_unregister(registered)
        free(UnsafeMutableRawPointer(mutating: registered.pointee.zName))
        registered.deallocate()
    }

    private func register() {
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: VFSMethods.vfs)
        vfs.pointee.zName = UnsafePointer(strdup(name))
        vfs.pointee.pAppData = Unmanaged.passUnretained(self).toOpaque()
        let status = sqlite3_vfs_register(vfs, 0)
        precondition(status == SQLITE_OK, "SQLite takes another file system")
        registered = vfs
    }

    private func blocks(
        _ storage: any ResizableStorage, _ role: FileRole
    ) -> SealedBlocks {
        SealedBlocks(storage: storage, cipher: cipher, databaseID: databaseID, role: role)
    }

    /// The length of the log, in bytes.
    var logLength: UInt64 { log.flatMap { try? $0.length() } ?? 0 }

    /// Opens the file that SQLite means by `path`.
    func open(_ path: String, creates: Bool) throws(StoreError) -> any VirtualFile {
        switch path {
        case DatabaseFile.fileName:
            let database = DatabaseFile(
                blocks(try storage(path, creates: creates), .database), map: map
            ) { [unowned self] in log?.generation ?? map.absorbedGeneration }
            self.database = database
            return database
        case LogFile.fileName:
            let log = try LogFile(blocks(try storage(path, creates: creates), .log), map: map)
            self.log = log
            return log
        default:
            throw StoreError(.statement, "SQLite asked for the file '\(path)'", errno: EIO)
        }
    }

    private func storage(
        _ name: String, creates: Bool
    ) throws(StoreError) -> any ResizableStorage {
        do throws(SystemError) {
            if creates, isWritable, !(try directory.contains(name)) {
                let storage = try directory.create(name)
                try directory.flush()
                return storage
            }
            if !isWritable, name == LogFile.fileName, !(try directory.contains(name)) {
                return EmptyStorage(name: name)
            }
            return try directory.open(name, isWritable: isWritable)
        } catch {
            throw StoreError(error)
        }
    }

    func remove(_ name: String) throws(StoreError) {
        do throws(SystemError) {
            if name == LogFile.fileName { log = nil }
            if try directory.contains(name) { try directory.remove(name, isDurable: true) }
        } catch {
            throw StoreError(error)
        }
    }

    func contains(_ name: String) throws(StoreError) -> Bool {
        do throws(SystemError) {
            return try directory.contains(name)
        } catch {
            throw StoreError(error)
        }
    }
}
