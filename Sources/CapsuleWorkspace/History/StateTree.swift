import CLinux
import CapsuleFormat
import CapsuleStore
import Glibc
import Synchronization

/// A workspace's tree in one of its states: read like a capsule, and as immutable.
///
/// An ordinal is an inode's number less one. Of an entry, `place` is the number of the inode (of a
/// device, its device number), and `attributes` too where it has any.
public final class StateTree: ReadableTree {
    /// Open as long as one of its states is read.
    private let workspace: Workspace
    var live: LiveTree { workspace.tree }
    // Only used, and let go of, with the lock of the live tree held.
    private nonisolated(unsafe) var tables: StateTables?
    private let epoch: Int64
    /// What the live tree's count was before anything was read.
    private let forgetCount: Int
    private let counted = Mutex<Counts?>(nil)

    private struct Counts {
        let inodes: UInt64
        let bytes: UInt64
        let entries: UInt64
    }

    /// The directories that were listed last, with their entries in order.
    private let listed = Mutex<[Ordinal: [(name: [UInt8], child: UInt64)]]>([:])

    private static let listedCountMax = 32

    /// The state does not show something any more: nothing that was kept counts.
    public func didForget() {
        listed.withLock { $0 = [:] }
        counted.withLock { $0 = nil }
    }

    /// The tree of a workspace at a state. Throws `WorkspaceError`.
    public init(_ workspace: Workspace, at state: WorkspaceState) throws(WorkspaceError) {
        self.workspace = workspace
        let live = workspace.tree
        let epoch = state.epoch
        self.epoch = epoch
        (tables, forgetCount) = try live.locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                (try StateTables(live.database, epoch: epoch), live.forgetCount)
            }
        }
    }

    deinit { live.exclusively { tables = nil } }

    /// Counted when somebody asks, as that looks at every inode.
    private var counts: Counts {
        if let known = counted.withLock({ $0 }) { return known }
        let found = try? live.locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try Statement(
                    live.database,
                    """
                    SELECT count(*), CAST(min(total(size), 9e18) AS INTEGER), max(number) FROM (
                      SELECT number, size FROM inode WHERE born <= ?1 AND links > 0
                      UNION ALL SELECT number, size FROM past_inode
                      WHERE born <= ?1 AND died > ?1 AND links > 0)
                    """
                ).bind(1, epoch).first {
                    Counts(
                        inodes: UInt64(clamping: $0.integer(0)),
                        bytes: UInt64(clamping: $0.integer(1)),
                        entries: UInt64(clamping: $0.integer(2)))
                }
            }
        }
        guard let found else { return Counts(inodes: 0, bytes: 0, entries: 0) }
        counted.withLock { $0 = found }
        return found
    }

    private func query<Result>(
        _ body: (StateTables) throws(StoreError) -> Result
    ) throws(FormatError) -> Result {
        do throws(WorkspaceError) {
            return try live.locked { () throws(WorkspaceError) in
                guard let tables else { preconditionFailure("there as long as the tree is") }
                // Without its state, rows are missing that nobody would miss.
                let isPresent = live.epoch == epoch
                let isKept = isPresent ? true : try stored(tables.isKept)
                guard isKept else {
                    throw WorkspaceError.refusal(ESTALE, "the state was deleted meanwhile")
                }
                return try stored { () throws(StoreError) in try body(tables) }
            }
        } catch {
            throw FormatError(
                error.errno == EIO ? .damaged : .system, error.message, errno: error.errno)
        }
    }

    /// Why an inode is not there that an entry named a moment ago.
    private func missing(_ number: UInt64) -> FormatError {
        var isForgotten = false
        live.exclusively { isForgotten = live.forgetCount != forgetCount }
        if isForgotten {
            return FormatError(
                .system, "a part of the state was forgotten meanwhile", errno: ESTALE)
        }
        return FormatError(.damaged, "inode \(number) is not in the database")
    }

    private static func ordinal(_ number: UInt64) throws(FormatError) -> Ordinal {
        guard number > 0, let ordinal = Ordinal(exactly: number - 1) else {
            throw FormatError(.limitExceeded, "inode \(number) is beyond what a capsule can have")
        }
        return ordinal
    }

    private static func entry(_ inode: Inode) throws(FormatError) -> Entry {
        var entry = Entry()
        entry.mode = inode.mode
        guard Entry.Kind(rawValue: inode.mode & Inode.Kind.mask) != nil else {
            throw FormatError(.damaged, "inode \(inode.number) has no known type")
        }
        entry.parent = inode.isDirectory ? try ordinal(inode.parent) : 0
        entry.uid = inode.uid
        entry.gid = inode.gid
        entry.linkCount = inode.linkCount
        entry.seconds = inode.modified.seconds
        entry.nanoseconds = inode.modified.nanoseconds
        entry.size = inode.isDirectory ? 0 : inode.size
        entry.place = inode.number
        switch entry.kind {
        case .characterDevice, .blockDevice:
            let device = inode.device
            entry.place = UInt64(clinux_major(device)) << 32 | UInt64(clinux_minor(device))
        case .regular:
            if inode.storedSize < inode.size { entry.flags = .sparse }
            entry.extra = inode.storedSize
        default: break
        }
        entry.attributes = inode.hasAttributes ? inode.number : 0
        return entry
    }

    // MARK: Names

    /// As `NamedTree` says.
    public func entry(_ ordinal: Ordinal) throws(FormatError) -> Entry {
        let number = UInt64(ordinal) + 1
        let found = try query { tables throws(StoreError) -> (inode: Inode, count: Int64)? in
            guard let inode = try tables.inode(number) else { return nil }
            return (inode, inode.isDirectory ? try tables.childCount(of: number) : 0)
        }
        guard let found else { throw missing(number) }
        var entry = try Self.entry(found.inode)
        entry.count = UInt32(clamping: found.count)
        return entry
    }

    /// As `NamedTree` says.
    public func namedEntry(
        _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, name: [UInt8]) {
        var entry = try entry(ordinal)
        let number = UInt64(ordinal) + 1
        let found = try query { tables throws(StoreError) in try tables.name(of: number) }
        guard let found else { throw missing(number) }
        entry.parent = try Self.ordinal(found.parent)
        return (entry, found.name)
    }

    /// As `NamedTree` says.
    public func lookup(
        _ name: UnsafeRawBufferPointer, in directory: Ordinal, _ record: Entry
    ) throws(FormatError) -> (ordinal: Ordinal, entry: Entry)? {
        let name = Array(name)
        let parent = UInt64(directory) + 1
        let child = try query { tables throws(StoreError) in try tables.child(name, of: parent) }
        guard let child else { return nil }
        let ordinal = try Self.ordinal(child)
        return (ordinal, try entry(ordinal))
    }

    /// The entries of a directory, from memory where it was listed lately.
    private func children(
        of directory: Ordinal
    ) throws(FormatError) -> [(name: [UInt8], child: UInt64)] {
        if let present = listed.withLock({ $0[directory] }) { return present }
        let parent = UInt64(directory) + 1
        let found = try query { tables throws(StoreError) in try tables.children(of: parent) }
        listed.withLock { listed in
            if listed.count >= Self.listedCountMax { listed.removeAll() }
            listed[directory] = found
        }
        return found
    }

    /// As `ReadableTree` says.
    public func forEach(
        in directory: Ordinal, _ record: Entry, from start: Int,
        _ body: (_ ordinal: Ordinal, _ entry: Entry, _ name: UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError) {
        for (name, child) in try children(of: directory).dropFirst(start) {
            let ordinal = try Self.ordinal(child)
            let entry = try entry(ordinal)
            let goesOn = (name + [0]).withUnsafeBytes { text in
                body(ordinal, entry, UnsafeRawBufferPointer(rebasing: text[..<name.count]))
            }
            if !goesOn { return }
        }
    }

    /// As `ReadableTree` says: the next name, if only its inode is damaged.
    public func position(
        beyondDamageAt position: Int, in directory: Ordinal, _ record: Entry
    ) -> Int {
        (try? children(of: directory)) == nil ? Int(record.count) : position + 1
    }

    /// As `ReadableTree` says: every name of an inode has its ordinal.
    public func inode(
        of entry: Entry, _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, ordinal: Ordinal) { (entry, ordinal) }

    // MARK: The whole

    /// As `ReadableTree` says: one more than the highest ordinal.
    public var entryCount: UInt64 { counts.entries }
    /// As `ReadableTree` says.
    public var inodeCount: UInt64 { counts.inodes }
    /// As `ReadableTree` says.
    public var totalSize: UInt64 { counts.bytes }
    /// As `ReadableTree` says: nobody counts them.
    public var hasAttributes: Bool { true }

    /// As `ReadableTree` says: a workspace keeps numbers only.
    public func ownerNames() throws(FormatError) -> OwnerNames { OwnerNames() }

    // MARK: Contents

    /// As `ReadableTree` says.
    public func target(of entry: Entry) throws(FormatError) -> [UInt8] {
        let number = entry.place
        return try query { _ throws(StoreError) in try live.attributes.target(of: number) }
    }

    /// As `ReadableTree` says.
    public func attributes(of entry: Entry) throws(FormatError) -> [ExtendedAttribute] {
        guard entry.attributes != 0 else { return [] }
        let number = entry.attributes
        return try query { tables throws(StoreError) in try tables.attributes(of: number) }
            .map { ExtendedAttribute(name: $0.name, value: $0.value) }
    }

    private func fileExtents(
        of entry: Entry, in range: Range<UInt64>
    ) throws(FormatError) -> [FileExtent] {
        let number = entry.place
        return try query { tables throws(StoreError) in
            try tables.extents(of: number, in: range)
        }
    }

    /// As `ReadableTree` says.
    public func extents(of entry: Entry) throws(FormatError) -> [Extent] {
        try fileExtents(of: entry, in: 0..<entry.size).reduce(into: []) { runs, extent in
            if let last = runs.last, last.fileOffset + last.length == extent.offset {
                runs[runs.count - 1].length += extent.length
            } else {
                runs.append(
                    Extent(fileOffset: extent.offset, length: extent.length, streamOffset: 0))
            }
        }
    }

    /// As `ReadableTree` says.
    public func read(
        _ entry: Entry, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Int {
        guard offset < entry.size else { return 0 }
        let count = Int(min(UInt64(buffer.count), entry.size - offset))
        let range = offset..<offset + UInt64(count)
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        var before: [FileExtent]?
        while true {
            let found = try fileExtents(of: entry, in: range)
            do throws(FormatError) {
                try live.segments.read(found, in: range, into: target)
                return count
            } catch {
                // Blocks may have been moved since they were looked up.
                if found == before { throw error }
                before = found
            }
        }
    }
}
