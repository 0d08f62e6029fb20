import CapsuleBytes
import CapsuleFormat
import CapsuleStore
import CapsuleSystem
import Glibc

/// What is wrong with a workspace: every page of its database, the rules of its tree, and every
/// block of its segments.
public struct WorkspaceCheck {
    /// A part of the workspace.
    public enum Part: String, Sendable {
        /// The pages and indexes of the database.
        case database
        /// Names, inodes, links.
        case tree
        /// The files with the contents.
        case segments
        /// Files among them that nothing names: no damage, a crash leaves them.
        case strays
        /// The blocks in them.
        case blocks
        /// The audit log.
        case audit
        /// What else is in the directory.
        case files
    }

    private let live: LiveTree
    private let report: (WorkspaceFault) -> Void

    /// A check; each fault goes to `report`.
    init(_ live: LiveTree, report: @escaping (WorkspaceFault) -> Void) {
        self.live = live
        self.report = report
    }

    /// Reads the database; with `isDeep` also the blocks. Throws when the checking itself fails.
    func run(isDeep: Bool) throws(WorkspaceError) {
        // Rows that wait in memory are not in the tables yet.
        if !live.isReadOnly { try live.commit() }
        try live.locked { () throws(WorkspaceError) in
            try readable(.database) { () throws(StoreError) in
                try live.database.check { report(WorkspaceFault(.database, $0)) }
            }
            try readable(.tree) { () throws(StoreError) in try checkTree() }
            try readable(.audit) { () throws(StoreError) in
                try live.audit.check { report(WorkspaceFault(.audit, $0)) }
            }
        }
        live.knownFiles?.faults().forEach(report)
        try checkSegments()
        try checkLengths()
        if isDeep { try checkBlocks() }
    }

    /// Runs a check of the database. Damage that ends it is one more thing that was found.
    private func readable(
        _ part: Part, _ check: () throws(StoreError) -> Void
    ) throws(WorkspaceError) {
        do throws(StoreError) {
            try check()
        } catch {
            try found(part, WorkspaceError(error))
        }
    }

    private func found(_ part: Part, _ error: WorkspaceError) throws(WorkspaceError) {
        guard error.errno == EIO else { throw error }
        report(WorkspaceFault(part, "it cannot be checked to its end: \(error.message)"))
    }

    /// What must be so, as queries for what is not.
    private static let rules: [(what: String, query: String)] = [
        (
            "an entry names an inode that is not there",
            """
            SELECT entry.parent FROM entry LEFT JOIN inode ON number = child WHERE number IS NULL
            """
        ),
        (
            "an entry lies in no directory",
            """
            SELECT entry.parent FROM entry LEFT JOIN inode ON number = entry.parent
            WHERE number IS NULL OR mode & 61440 != 16384
            """
        ),
        (
            "a file has not as many names as it counts",
            """
            SELECT number FROM inode LEFT JOIN (
              SELECT child, count(*) AS names FROM entry GROUP BY child) ON child = number
            WHERE mode & 61440 != 16384 AND links != coalesce(names, 0)
            """
        ),
        (
            "a directory has not one name where it says",
            """
            SELECT number FROM inode WHERE mode & 61440 = 16384 AND links > 0 AND number != 1 AND
            (SELECT count(*) FROM entry WHERE entry.parent = inode.parent AND child = number) != 1
            """
        ),
        (
            "a directory counts its subdirectories wrong",
            """
            SELECT number FROM inode LEFT JOIN (
              SELECT entry.parent AS above, count(*) AS below FROM entry
              JOIN inode ON number = child
              WHERE mode & 61440 = 16384 GROUP BY entry.parent) ON above = number
            WHERE mode & 61440 = 16384 AND links > 0 AND links != 2 + coalesce(below, 0)
            """
        ),
        (
            "an extent belongs to no file",
            """
            SELECT extent.inode FROM extent LEFT JOIN inode ON number = extent.inode
            WHERE number IS NULL
            """
        ),
        (
            "an extent lies in no segment",
            """
            SELECT inode FROM extent LEFT JOIN segment ON segment.number = extent.segment
            WHERE segment.number IS NULL
            """
        ),
        (
            "a file's extents have not the length that it says",
            """
            SELECT number FROM inode LEFT JOIN (
              SELECT inode AS file, sum(length) AS bytes FROM extent GROUP BY inode)
            ON file = number WHERE stored != coalesce(bytes, 0)
            """
        ),
    ]

    private func checkTree() throws(StoreError) {
        for rule in Self.rules {
            let found = try Statement(live.database, rule.query + " LIMIT 100").all {
                $0.integer(0)
            }
            for number in found {
                report(
                    WorkspaceFault(
                        .tree, "\(rule.what): inode \(number)", of: "inode \(number)"))
            }
        }
    }

    private func checkSegments() throws(WorkspaceError) {
        let strays = try called { () throws(SystemError) in try live.segments.strays() }
        for name in strays.missing {
            report(
                WorkspaceFault(
                    .segments, "the segment \(name) is not there", of: "segments/\(name)"))
        }
        for name in strays.unknown {
            report(
                WorkspaceFault(
                    .strays, "no state has anything in segments/\(name)",
                    of: "segments/\(name)"))
        }
    }

    /// Segments that were cut short: their blocks need not be read for that.
    private func checkLengths() throws(WorkspaceError) {
        let ends: [(segment: Int64, end: UInt64)]
        do throws(WorkspaceError) {
            ends = try storedEnds()
        } catch {
            return try found(.segments, error)
        }
        for (segment, end) in ends {
            guard let file = live.segments.file(of: segment), file.length < end else { continue }
            report(
                WorkspaceFault(
                    .segments,
                    "the segment \(file.name) has \(file.length) bytes, and its blocks \(end)",
                    of: "segments/\(file.name)"))
        }
    }

    private func storedEnds() throws(WorkspaceError) -> [(segment: Int64, end: UInt64)] {
        try live.locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try Statement(
                    live.database,
                    """
                    SELECT segment, max(place + packed) FROM (
                      SELECT segment, place, packed FROM extent
                      UNION ALL SELECT segment, place, packed FROM past_extent)
                    GROUP BY segment
                    """
                ).all {
                    (
                        segment: $0.integer(0),
                        end: UInt64(clamping: $0.integer(1)) + UInt64(SegmentStore.overhead)
                    )
                }
            }
        }
    }

    private func checkBlocks() throws(WorkspaceError) {
        let blocks: [BlockPlace]
        do throws(WorkspaceError) {
            blocks = try storedBlocks()
        } catch {
            return try found(.blocks, error)
        }
        var named = 0
        for block in blocks {
            do throws(FormatError) {
                try live.segments.check(block)
            } catch {
                named += 1
                let files = named > Self.namedBlockCountMax ? "" : try files(with: block)
                report(
                    WorkspaceFault(
                        .blocks, files.isEmpty ? error.description : "\(error): \(files)",
                        of: "segment \(block.segment)"))
            }
        }
    }

    /// What a block is a part of, for people.
    private func files(with block: BlockPlace) throws(WorkspaceError) -> String {
        var inodes: Set<UInt64> = []
        var names: [String] = []
        do throws(WorkspaceError) {
            try live.locked { () throws(WorkspaceError) in
                try stored { () throws(StoreError) in
                    inodes = try Set(
                        Statement(
                            live.database,
                            """
                            SELECT inode FROM extent WHERE segment = ?1 AND place = ?2
                            UNION SELECT inode FROM past_extent WHERE segment = ?1 AND place = ?2
                            """
                        ).bind(1, block.segment).bind(2, Int64(bitPattern: block.place)).all {
                            UInt64(bitPattern: $0.integer(0))
                        })
                    let present = try StateTables(live.database, epoch: live.epoch)
                    var places = NamesOfInodes()
                    for inode in inodes.sorted().prefix(Self.namedFileCountMax) {
                        guard let path = try places.path(of: inode, in: present) else { continue }
                        names.append(Text.escaped(path))
                    }
                }
            }
        } catch {
            try found(.blocks, error)
        }
        let others = inodes.count - names.count
        if others > 0 {
            names.append("\(others) \(others == 1 ? "file" : "files") of earlier states")
        }
        return names.isEmpty ? "" : "a part of " + names.joined(separator: ", ")
    }

    /// To find files takes a look at every extent and every name.
    private static let namedBlockCountMax = 20
    private static let namedFileCountMax = 3

    private func storedBlocks() throws(WorkspaceError) -> [BlockPlace] {
        try live.locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try Statement(
                    live.database,
                    """
                    SELECT DISTINCT segment, place, packed, plain FROM (
                      SELECT segment, place, packed, plain FROM extent
                      UNION ALL SELECT segment, place, packed, plain FROM past_extent)
                    ORDER BY segment, place
                    """
                ).all {
                    BlockPlace(
                        segment: $0.integer(0), place: UInt64(bitPattern: $0.integer(1)),
                        packedLength: Int($0.integer(2)), plainLength: Int($0.integer(3)))
                }
            }
        }
    }
}

/// What a check found wrong with a part of a workspace.
public struct WorkspaceFault: Equatable, Sendable {
    /// The part.
    public let part: WorkspaceCheck.Part
    /// What is wrong with it.
    public let message: String
    /// What is wrong: a file of the workspace, or something in it.
    public let object: String

    /// A fault; without `object`, of the file that the part is in.
    public init(_ part: WorkspaceCheck.Part, _ message: String, of object: String? = nil) {
        self.part = part
        self.message = message
        let place = part == .segments || part == .blocks || part == .strays
        self.object = object ?? (place ? Workspace.segmentsName : Workspace.databaseName)
    }
}

extension LiveTree {
    /// Everything that is wrong. Nobody else uses the tree while the database is read.
    public func faults(isDeep: Bool) throws(WorkspaceError) -> [WorkspaceFault] {
        var faults: [WorkspaceFault] = []
        try WorkspaceCheck(self) { faults.append($0) }.run(isDeep: isDeep)
        return faults
    }
}
