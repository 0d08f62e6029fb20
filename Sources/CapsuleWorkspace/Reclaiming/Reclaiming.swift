import CapsuleFormat
import CapsuleStore
import CapsuleSystem
import Glibc
import Synchronization

/// What reclaiming gave back, or would.
public struct ReclaimReport: Equatable, Sendable {
    /// Bytes of all segments before.
    public internal(set) var stored: UInt64 = 0
    /// Bytes of blocks in them that some state or the present tree shows.
    public internal(set) var live: UInt64 = 0
    /// Segments that go.
    public internal(set) var segments: Int64 = 0
    /// Bytes that are given back.
    public internal(set) var freed: UInt64 = 0
    /// Bytes that are written again.
    public internal(set) var moved: UInt64 = 0

    /// Nothing.
    public init() {}
}

/// Giving back the space of blocks that nothing shows any more.
///
/// Segments are append-only: the live blocks of one that has much garbage are sealed anew in
/// another, the rows that name them follow in transactions of their own, and when no row names the
/// segment any more and that is committed, its file goes. So it can be ended at any moment.
extension LiveTree {
    /// A segment is emptied when more than this part of it is garbage: one in so many.
    private static let shareOfVictim: UInt64 = 8
    /// By itself when this part of all segments is garbage.
    private static let shareOfAll: UInt64 = 4
    private static let shareOfAllWhenShort: UInt64 = 32
    /// Between two looks that the driver takes by itself.
    private static let pauseSeconds = 5.0
    /// Free space below this part of the medium makes it worth a look.
    private static let shareOfSpace: UInt64 = 10
    /// Blocks that are moved in one transaction.
    private static let batchLength = 256
    private static let batchByteCount = 1 << 20
    private static let passCountMax = 8
    private static let attemptCountMax = 3

    func noteFreed(_ count: UInt64) {
        freedBytes = freedBytes > .max - count ? .max : freedBytes + count
    }

    /// The live blocks of each segment that is complete.
    private struct Usage {
        var lengths: [Int64: UInt64]
        var blocks: [Int64: [(place: UInt64, length: UInt64)]] = [:]

        /// Bytes of all blocks.
        var bytes: UInt64 {
            blocks.values.reduce(0) { $1.reduce($0) { $0 + $1.length } }
        }

        func live(_ segment: Int64) -> UInt64 {
            (blocks[segment] ?? []).reduce(SegmentStore.headLength) { $0 + $1.length }
        }

        func garbage(_ segment: Int64) -> UInt64 {
            let length = lengths[segment] ?? 0
            return length - min(length, live(segment))
        }
    }

    private func usage(
        of tables: [String] = ["extent", "past_extent"], includesOpen: Bool = false
    ) throws(WorkspaceError) -> Usage {
        try locked { () throws(WorkspaceError) in
            var usage = Usage(
                lengths: try formatted { () throws(FormatError) in
                    try segments.lengths(includesOpen: includesOpen)
                })
            for table in tables {
                try stored { () throws(StoreError) in
                    _ = try Statement(database, "SELECT segment, place, packed FROM \(table)").all {
                        let segment = $0.integer(0)
                        guard usage.lengths[segment] != nil else { return }
                        let length = UInt64(clamping: $0.integer(2)) + UInt64(SegmentStore.overhead)
                        usage.blocks[segment, default: []].append(
                            (UInt64(clamping: $0.integer(1)), length))
                    }
                }
            }
            for (segment, blocks) in usage.blocks {
                var last: UInt64?
                usage.blocks[segment] = blocks.sorted { $0.place < $1.place }.filter { block in
                    defer { last = block.place }
                    return block.place != last
                }
            }
            return usage
        }
    }

    /// Gives back what is worth it.
    public func reclaim(isDry: Bool) throws(WorkspaceError) -> ReclaimReport {
        // Whoever asks means all segments, also the one that is written to.
        segments.closeCurrent()
        return try reclaim(isDry: isDry, victims: [])
    }

    /// Gives back what is worth it; the segments `forced` are emptied in any case.
    func reclaim(isDry: Bool, victims forced: Set<Int64>) throws(WorkspaceError) -> ReclaimReport {
        try reclaiming.withLock { _ throws(WorkspaceError) in
            try reclaimAlone(isDry: isDry, victims: forced)
        }
    }

    private func reclaimAlone(
        isDry: Bool, victims forced: Set<Int64>
    ) throws(WorkspaceError) -> ReclaimReport {
        if !isDry {
            if !forced.isEmpty {
                segments.closeCurrent()
                segments.waitForPins(of: forced)
            }
            try changing { () throws(WorkspaceError) in try stored(prunePast) }
        }
        try commit()
        let usage = try usage()
        var report = ReclaimReport()
        var victims: [Int64] = []
        for (segment, length) in usage.lengths {
            report.stored += length
            report.live += usage.live(segment)
            let garbage = usage.garbage(segment)
            // Who forgets something wants no older version of it to stay anywhere.
            let isWorthIt =
                forced.isEmpty ? garbage * Self.shareOfVictim > length : garbage > 0
            guard isWorthIt || forced.contains(segment) else { continue }
            victims.append(segment)
            report.segments += 1
            report.freed += usage.garbage(segment)
            report.moved += usage.live(segment) - SegmentStore.headLength
        }
        if isDry { return report }
        // The emptiest first: they make room for what has to be moved out of the others.
        victims.sort { usage.live($0) < usage.live($1) }
        let empty = victims.filter { usage.blocks[$0] == nil }
        try remove(empty)
        for victim in victims.dropFirst(empty.count) {
            do throws(WorkspaceError) {
                try vacateOrPunch(victim)
            } catch {
                // A damaged block keeps its segment, and no other.
                self.report("segment \(victim) cannot be emptied: \(error.message)")
            }
        }
        try shrinkDatabase()
        try changing { () throws(WorkspaceError) in
            freedBytes = 0
            guard report.segments > 0 else { return }
            try record(
                .reclaimed,
                [
                    "segments": .number(report.segments),
                    "bytes": .number(Int64(clamping: report.freed)),
                ])
        }
        try commit()
        refillReserve()
        return report
    }

    private func formatted<Result>(
        _ body: () throws(FormatError) -> Result
    ) throws(WorkspaceError) -> Result {
        do throws(FormatError) { return try body() } catch { throw WorkspaceError(error) }
    }

    /// What is stored, and for what.
    public func statistics() throws(WorkspaceError) -> WorkspaceStatistics {
        var statistics = WorkspaceStatistics()
        let present = try usage(of: ["extent"], includesOpen: true)
        let all = try usage(includesOpen: true)
        statistics.segmentBytes = all.lengths.values.reduce(0, +)
        statistics.presentBytes = present.bytes
        statistics.historyBytes = all.bytes - min(all.bytes, present.bytes)
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                let row = try Statement(
                    database,
                    "SELECT count(*), CAST(min(total(size), 9e18) AS INTEGER) FROM inode"
                ).first { (UInt64(clamping: $0.integer(0)), UInt64(clamping: $0.integer(1))) }
                statistics.inodes = row?.0 ?? 0
                statistics.fileBytes = row?.1 ?? 0
                statistics.states = UInt64(try listStates().count)
                statistics.events = try audit.end().count
            }
        }
        return statistics
    }

    /// A row that names a block.
    private struct Naming {
        let isPast: Bool
        let inode: Int64
        let offset: Int64
        let born: Int64
        let block: BlockPlace
    }

    private func namings(of segment: Int64) throws(WorkspaceError) -> [Naming] {
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                var list: [Naming] = []
                for (isPast, table) in [(false, "extent"), (true, "past_extent")] {
                    list += try Statement(
                        database,
                        "SELECT \(ExtentTable.columns) FROM \(table) WHERE segment = ?1"
                    ).bind(1, segment).all { row throws(StoreError) in
                        Naming(
                            isPast: isPast, inode: row.integer(0), offset: row.integer(1),
                            born: row.integer(8), block: try ExtentTable.extent(row).block)
                    }
                }
                return list.sorted { $0.block.place < $1.block.place }
            }
        }
    }

    /// Empties a segment. Where there is no room for its live blocks, holes between them make some,
    /// and what still does not find any stays.
    private func vacateOrPunch(_ segment: Int64) throws(WorkspaceError) {
        for _ in 0..<Self.attemptCountMax {
            do throws(WorkspaceError) {
                return try vacate(segment)
            } catch {
                guard error.errno == ENOSPC else { throw error }
            }
            let live = try namings(of: segment).map {
                (place: $0.block.place, length: UInt64($0.block.storedLength))
            }
            // What has no row must have none after a crash either, before its place goes.
            try commit()
            try formatted { () throws(FormatError) in
                try segments.punch(segment, except: live)
            }
        }
    }

    /// Moves every block of a segment elsewhere and removes it. Rows change meanwhile, so it looks
    /// again until it finds none.
    private func vacate(_ segment: Int64) throws(WorkspaceError) {
        var moved: [UInt64: BlockPlace] = [:]
        for _ in 0..<Self.passCountMax {
            let list = try namings(of: segment)
            if list.isEmpty { return try remove([segment]) }
            var rest = list[...]
            while !rest.isEmpty {
                var new: [BlockPlace] = []
                defer { segments.unpin(new) }
                var length = 0
                var count = 0
                for naming in rest.prefix(Self.batchLength) where length < Self.batchByteCount {
                    count += 1
                    guard moved[naming.block.place] == nil else { continue }
                    let block = try formatted { () throws(FormatError) in
                        try segments.move(naming.block)
                    }
                    new.append(block)
                    moved[naming.block.place] = block
                    length += block.storedLength
                }
                try rename(rest.prefix(count), moved)
                rest = rest.dropFirst(count)
            }
        }
        report("segment \(segment) is in use all the time and stays for now")
    }

    private func rename(
        _ batch: ArraySlice<Naming>, _ moved: [UInt64: BlockPlace]
    ) throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                for (isPast, table) in [(false, "extent"), (true, "past_extent")] {
                    let update = try Statement(
                        database,
                        """
                        UPDATE \(table) SET segment = ?1, place = ?2
                        WHERE inode = ?3 AND offset = ?4 AND born = ?5 AND segment = ?6
                        AND place = ?7
                        """)
                    for naming in batch where naming.isPast == isPast {
                        guard let new = moved[naming.block.place] else { continue }
                        try update.bind(1, new.segment).bind(2, Int64(bitPattern: new.place))
                            .bind(3, naming.inode).bind(4, naming.offset).bind(5, naming.born)
                            .bind(6, naming.block.segment)
                            .bind(7, Int64(bitPattern: naming.block.place)).run()
                    }
                }
            }
        }
        // In small transactions: others wait meanwhile.
        try commit()
    }

    /// Removes segments that no row names; looks once more where nobody can add one.
    private func remove(_ numbers: [Int64]) throws(WorkspaceError) {
        guard !numbers.isEmpty else { return }
        let gone = try changing { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                var gone: [Int64] = []
                let find = try Statement(
                    database,
                    """
                    SELECT EXISTS(SELECT 1 FROM extent WHERE segment = ?1)
                    OR EXISTS(SELECT 1 FROM past_extent WHERE segment = ?1)
                    """)
                let delete = try Statement(database, "DELETE FROM segment WHERE number = ?1")
                for number in numbers {
                    guard try find.bind(1, number).first({ $0.integer(0) }) == 0 else { continue }
                    try delete.bind(1, number).run()
                    gone.append(number)
                }
                return gone
            }
        }
        try commit()
        segments.remove(gone)
    }

    /// Gives free pages of the database back.
    private func shrinkDatabase() throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try Statement(database, "PRAGMA incremental_vacuum").run()
            }
        }
        try commit()
        try checkpoint()
    }

    /// Returns when no reclaim is under way. Whoever calls has nothing pinned: a reclaim may wait
    /// for that.
    func waitForReclaim() { reclaiming.withLock { _ in } }

    /// Gives back what has gone, for somebody who finds no room. False if there was nothing.
    func giveBack() throws(WorkspaceError) -> Bool {
        guard try locked({ () throws(WorkspaceError) in freedBytes > 0 }) else { return false }
        segments.closeCurrent()
        // Whatever came of it, there may be room.
        _ = try? reclaim(isDry: false, victims: [])
        return true
    }

    /// Reclaims where enough has gone, or space is short and anything has.
    public func reclaimIfDue(
        space: (free: UInt64, total: UInt64)
    ) throws(WorkspaceError) {
        let now = Environment.monotonicSeconds()
        let freed = try locked { () throws(WorkspaceError) in
            now >= nextReclaim ? freedBytes : 0
        }
        guard freed > 0 else { return }
        let stored = try formatted { () throws(FormatError) in
            try segments.lengths(includesOpen: true)
        }.values.reduce(0, +)
        let isShort = space.free < space.total / Self.shareOfSpace
        let share = isShort ? Self.shareOfAllWhenShort : Self.shareOfAll
        guard stored > 0, freed >= stored / share else { return }
        try locked { () throws(WorkspaceError) in nextReclaim = now + Self.pauseSeconds }
        segments.closeCurrent()
        let dry = try reclaim(isDry: true, victims: [])
        let garbage = dry.stored - min(dry.stored, dry.live)
        guard garbage > stored / Self.shareOfAll || (isShort && garbage > 0) else {
            return try locked { () throws(WorkspaceError) in freedBytes = 0 }
        }
        _ = try reclaim(isDry: false, victims: [])
    }
}
