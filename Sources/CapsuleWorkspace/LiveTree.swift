import CapsuleCrypto
import CapsuleStore
import CapsuleSystem
import Glibc
import Synchronization

/// The present state of a workspace's tree: what a mount shows and changes.
///
/// One lock covers the database and all tables; compression, sealing and reading of contents happen
/// outside of it. Changes gather in one transaction; a flush, a timer or their number commits it.
public final class LiveTree: @unchecked Sendable {
    // Sendable because everything below is only touched with the monitor held; `segments` has
    // locks of its own.
    private let monitor = Monitor()
    let database: Database
    let segments: SegmentStore
    private let reserve: Reserve?
    let inodes: InodeTable
    let names: NameTable
    let extents: ExtentTable
    let attributes: AttributeTable
    let audit: AuditLog
    private let insertSegment: Statement
    let replacementListener = ReplacedNamesListener()
    /// Held by whoever moves blocks: one at a time.
    let reclaiming = Mutex(())
    /// Takes one line about each failure of storage.
    public let report: @Sendable (String) -> Void
    /// Lookups that the kernel has not forgotten yet, writers, and all who have it open, by inode.
    var lookups: [UInt64: UInt64] = [:]
    var writers: [UInt64: Int] = [:]
    var opened: [UInt64: Int] = [:]
    /// Inodes without names that somebody still has open.
    var orphans: Set<UInt64> = []
    /// The epoch of changes: one more than that of the newest state.
    var epoch: Int64
    /// The epoch of which the database knows that it changed the tree.
    var markedEpoch: Int64 = 0
    /// Bytes of files that went since the segments were last looked through: a hint.
    var freedBytes: UInt64
    /// The same at the end of the last mount, as a fact.
    static let freedFact = "freed"
    /// When the driver may look through them again, in monotonic seconds.
    var nextReclaim = 0.0
    /// What belongs to runs that have ended.
    var frozen = FrozenRuns()
    /// How often something was taken out of states.
    var forgetCount = 0
    /// Whether the kernel has not heard yet that files are others than it knows.
    var isReplacing = false
    private var changeCount = 0
    private var firstChange = 0.0
    /// Whether the medium may not hold the log of a long transaction.
    private var isShort = false
    /// What else is in its directory, as it must be.
    var knownFiles: KnownFiles?
    /// Whether nothing can be changed.
    public let isReadOnly: Bool
    /// Whether opens, creations and removals of files are recorded.
    let recordsFiles: Bool
    /// A transaction was lost: what is in memory is not what is stored.
    private var isBroken = false
    /// Whether there should be a transaction: SQLite ends one by itself when reading fails.
    private var hasBegun = false

    /// Changes of one transaction at most: they wait in memory.
    private static let changeCountMax = 20_000
    private static let changeCountMaxWhenShort = 200
    /// Seconds after which a change is committed although nobody asked for it.
    private static let ageMax = 5.0

    init(
        _ database: Database, segments: SegmentStore, audit: AuditLog, reserve: Reserve?,
        isReadOnly: Bool, report: @escaping @Sendable (String) -> Void
    ) throws(WorkspaceError) {
        self.database = database
        self.segments = segments
        self.audit = audit
        self.reserve = reserve
        self.isReadOnly = isReadOnly
        self.report = report
        do throws(StoreError) {
            inodes = try InodeTable(database)
            names = try NameTable(database)
            extents = try ExtentTable(database)
            attributes = try AttributeTable(database)
            insertSegment = try Statement(
                database, "INSERT INTO segment(number, name) VALUES (?1, ?2)")
            epoch =
                try Statement(database, "SELECT value FROM fact WHERE name = 'epoch'")
                .first { $0.integer(0) } ?? 1
            freedBytes =
                try Statement(
                    database, "SELECT value FROM fact WHERE name = '\(Self.freedFact)'"
                ).first { UInt64(clamping: $0.integer(0)) } ?? 0
            recordsFiles =
                try Statement(
                    database, "SELECT value FROM fact WHERE name = '\(Self.recordsFact)'"
                ).first { $0.integer(0) } == 1
        } catch {
            throw WorkspaceError(error)
        }
    }

    // MARK: Locking and transactions

    /// Runs `body` with everything to itself.
    func locked<Result>(
        _ body: () throws(WorkspaceError) -> Result
    ) throws(WorkspaceError) -> Result {
        monitor.lock()
        defer { monitor.unlock() }
        do throws(WorkspaceError) {
            return try body()
        } catch {
            if !error.isAnswer { report(error.message) }
            if hasBegun, !database.isInTransaction { breakOff() }
            throw error
        }
    }

    /// Runs `body`, which asks nothing of storage, with everything to itself.
    func exclusively(_ body: () -> Void) { monitor.locked(body) }

    /// Runs `body`, which changes the tree, in the present transaction. What `grows` it is refused
    /// while the disk has no room for what was committed already. Throws ENOSPC, EROFS, EIO.
    func changing<Result>(
        grows: Bool = false, _ body: () throws(WorkspaceError) -> Result
    ) throws(WorkspaceError) -> Result {
        try locked { () throws(WorkspaceError) in
            if isReadOnly { throw WorkspaceError(EROFS) }
            if isBroken { throw WorkspaceError(EIO) }
            // There may be room again.
            if grows, database.isUnsettled { try commitLocked() }
            if !hasBegun {
                try stored { () throws(StoreError) in try database.execute("BEGIN IMMEDIATE") }
                hasBegun = true
                isShort = segments.isMediumShort
                firstChange = Environment.monotonicSeconds()
            }
            let result: Result
            do throws(WorkspaceError) {
                result = try body()
            } catch {
                // An answer such as EEXIST is given before anything is changed; a failure of the
                // database may come half way, and half an operation must not be committed.
                if !error.isAnswer { breakOff() }
                throw error
            }
            changeCount += 1
            if changeCount >= (isShort ? Self.changeCountMaxWhenShort : Self.changeCountMax) {
                try commitMany(grows: grows)
            }
            return result
        }
    }

    /// Commits because much has gathered. A change that makes room was made, whatever comes of the
    /// commit: the next one, or a flush, tries again.
    private func commitMany(grows: Bool) throws(WorkspaceError) {
        changeCount = 0
        do throws(WorkspaceError) {
            try commitLocked()
        } catch {
            guard error.errno == ENOSPC, !grows else { throw error }
        }
    }

    /// Makes everything that was changed so far survive a power cut.
    public func commit() throws(WorkspaceError) {
        // Most of what there is to flush, while others go on.
        if !isReadOnly { try flushSegments() }
        try locked { () throws(WorkspaceError) in try commitLocked() }
    }

    /// The system reports a failed write once and then takes the page for written: such a flush
    /// cannot be tried again.
    private func flushSegments() throws(WorkspaceError) {
        do throws(SystemError) {
            try segments.flush()
        } catch {
            monitor.locked { breakOff() }
            throw WorkspaceError(error)
        }
    }

    /// Commits what has waited long enough.
    public func commitIfDue() {
        try? locked { () throws(WorkspaceError) in
            let age = Environment.monotonicSeconds() - firstChange
            if hasBegun || database.isUnsettled, age >= Self.ageMax { try commitLocked() }
        }
    }

    /// Puts the database's log into the database.
    func checkpoint() throws(WorkspaceError) {
        try locked { () throws(WorkspaceError) in
            if isReadOnly { return }
            // Within a transaction there is none.
            if hasBegun { try commitLocked() }
            try stored { () throws(StoreError) in try database.checkpoint() }
        }
    }

    /// Contents first, then the transaction that names them.
    private func commitLocked() throws(WorkspaceError) {
        if isBroken { throw WorkspaceError(EIO) }
        if hasBegun {
            do throws(SystemError) {
                try segments.flush()
            } catch {
                breakOff()
                throw WorkspaceError(error)
            }
            do throws(StoreError) {
                for (number, name) in segments.takeUnrecorded() {
                    try insertSegment.bind(1, number).bind(2, name).run()
                }
                try noteChangedEpoch()
                try inodes.flush(epoch: epoch)
                try commitWithReserve()
                hasBegun = false
            } catch {
                // On a full disk SQLite has committed, and only the flush is owed.
                hasBegun = database.isInTransaction
                if hasBegun || !database.isUnsettled { breakOff() }
                throw WorkspaceError(error)
            }
        } else {
            try stored { () throws(StoreError) in try commitWithReserve() }
        }
        changeCount = 0
        absorbLog()
        segments.note(logLength: database.logLength)
    }

    private func commitWithReserve() throws(StoreError) {
        do throws(StoreError) {
            try database.commit()
        } catch {
            guard error.errno == ENOSPC, reserve?.release() == true else { throw error }
            try database.commit()
        }
    }

    /// Takes the space back that a full disk made us give away.
    func refillReserve() { reserve?.refill() }

    /// Puts a long log into the database. What was committed is safe without it, so a failure is no
    /// answer to whoever commits.
    private func absorbLog() {
        guard database.logIsLong || isShort else { return }
        do throws(StoreError) {
            try database.checkpoint()
        } catch {
            report("the log cannot be put into the database: \(error.message)")
        }
    }

    /// A transaction is given up: changes that were not flushed are lost, and what is in memory
    /// must not mix with what is stored.
    private func breakOff() {
        if isBroken { return }
        isBroken = true
        hasBegun = false
        if database.isInTransaction { try? database.execute("ROLLBACK") }
        inodes.reset()
        report("changes since the last flush are lost; nothing can be changed until the next mount")
    }

    /// An entry whose inode is not there is left out of listings; doctor names it, too.
    func noteDangling(_ child: NamedChild, in directory: UInt64) {
        report("an entry of directory \(directory) names inode \(child.child), which is not there")
    }

    // MARK: Inodes

    /// The inode of a number. Throws ENOENT.
    func inode(_ number: UInt64) throws(WorkspaceError) -> Inode {
        let found = try stored { () throws(StoreError) in try inodes.find(number) }
        guard let found else { throw WorkspaceError(ENOENT) }
        return found
    }

    /// The directory of a number. Throws ENOENT, ENOTDIR.
    func directory(_ number: UInt64) throws(WorkspaceError) -> Inode {
        let found = try inode(number)
        guard found.isDirectory else { throw WorkspaceError(ENOTDIR) }
        return found
    }

    /// What stat(2) shows of an inode.
    public func attributes(of number: UInt64) throws(WorkspaceError) -> Inode {
        try locked { () throws(WorkspaceError) in try inode(number) }
    }

    /// Whether the kernel may have changes of a file that it has not told yet.
    public func mayBeDirty(_ number: UInt64) -> Bool {
        monitor.locked { writers[number] != nil }
    }

    /// A file is opened; `didClose` ends it.
    public func didOpen(_ number: UInt64, isWriting: Bool) {
        monitor.locked {
            opened[number, default: 0] += 1
            if isWriting { writers[number, default: 0] += 1 }
        }
    }

    /// A file that was opened is closed: the kernel has told everything of one that was written.
    public func didClose(_ number: UInt64, isWriting: Bool) {
        func decrease(_ counts: inout [UInt64: Int]) {
            let count = (counts[number] ?? 0) - 1
            counts[number] = count > 0 ? count : nil
        }
        monitor.locked {
            decrease(&opened)
            if isWriting { decrease(&writers) }
        }
    }

    /// The kernel was told of an inode once more.
    public func didTell(_ number: UInt64) {
        monitor.locked { lookups[number, default: 0] += 1 }
    }

    /// The kernel forgets `count` of the times it was told of an inode; one without names goes.
    public func forget(_ number: UInt64, count: UInt64) {
        let isOrphan = monitor.locked { () -> Bool in
            let left = (lookups[number] ?? 0) - min(count, lookups[number] ?? 0)
            lookups[number] = left > 0 ? left : nil
            return left == 0 && orphans.contains(number)
        }
        if isOrphan {
            try? changing { () throws(WorkspaceError) in try erase(try inode(number)) }
        }
    }

    /// Removes an inode without names, unless somebody still has it open.
    func eraseIfUnused(_ inode: Inode) throws(WorkspaceError) {
        guard inode.linkCount == 0 else { return }
        if lookups[inode.number] == nil { try erase(inode) } else { orphans.insert(inode.number) }
    }

    func erase(_ inode: Inode) throws(WorkspaceError) {
        try stored { () throws(StoreError) in
            if inode.isRegular, inode.storedSize > 0 {
                try extents.removeAll(of: inode.number, epoch: epoch)
                noteFreed(inode.storedSize)
            }
            if inode.hasAttributes {
                try attributes.removeAll(of: inode.number, epoch: epoch)
            }
            // The target of a link that a state may show stays.
            if inode.isSymbolicLink, inode.born == epoch {
                try attributes.removeTarget(of: inode.number)
            }
            inodes.remove(inode.number)
        }
        orphans.remove(inode.number)
    }

    /// Removes what was open without a name when the last process ended.
    func eraseOrphans() throws(WorkspaceError) {
        let orphans = try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try Statement(database, "SELECT number FROM inode WHERE links = 0").all {
                    UInt64(bitPattern: $0.integer(0))
                }
            }
        }
        for number in orphans {
            try changing { () throws(WorkspaceError) in try erase(try inode(number)) }
        }
    }
}
