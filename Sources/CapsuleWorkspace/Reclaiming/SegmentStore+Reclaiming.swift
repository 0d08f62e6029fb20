import CapsuleFormat
import CapsuleSystem
import Glibc
import Synchronization

/// Moving blocks together and giving the space of dead ones back.
extension SegmentStore {
    /// The database's log has this length now.
    func note(logLength: UInt64) {
        state.withLock { state in
            if logLength > state.logLength { state.roomLeft = 0 }
            state.logLength = logLength
        }
    }

    /// Contents leave room on the medium: without it nothing could be committed, and so nothing be
    /// deleted. Throws ENOSPC.
    func takeRoom(_ length: UInt64, _ state: inout State) throws(SystemError) {
        if state.roomLeft < length {
            let free = try directory.space().free
            let kept = Self.roomForCommits + state.logLength
            guard free > kept + length else {
                throw SystemError(errno: ENOSPC, operation: "write", object: directory.name)
            }
            // Others use the medium as well.
            state.roomLeft = min(free - kept, max(length, Self.roomStep))
        }
        state.roomLeft -= length
    }

    private static let roomForCommits: UInt64 = 2 << 20
    private static let roomStep: UInt64 = 4 << 20

    /// All segments.
    func numbers() -> [Int64] { state.withLock { Array($0.names.keys) } }

    /// The segments to which nothing is appended any more, and all of whose blocks rows can name.
    func closedNumbers() -> [Int64] {
        state.withLock { state in
            state.names.keys.filter { $0 != state.current?.number && state.pins[$0] == nil }
        }
    }

    /// Writes no more to the segment that is written to now.
    func closeCurrent() { state.withLock { $0.current = nil } }

    /// Removes segments that nothing names any more. One that stays is a stray for the next open.
    func remove(_ numbers: [Int64]) {
        let names = state.withLock { state in
            numbers.compactMap { number -> [UInt8]? in
                state.open[number] = nil
                state.unflushed[number] = nil
                state.lengths[number] = nil
                state.unrecorded.removeAll { $0.number == number }
                return state.names.removeValue(forKey: number)
            }
        }
        for name in names { try? directory.remove(Self.fileName(name), isDurable: false) }
        forgetPlaintexts()
    }

    /// Drops the plaintexts that are kept in memory.
    func forgetPlaintexts() { cache.removeAll() }

    /// Removes the files that no segment of the database is: a crash left them, before anything
    /// in them was committed, or after the last of it was given up.
    func removeStrays() throws(SystemError) {
        for name in try strays().unknown { try directory.remove(name, isDurable: false) }
    }

    /// The length of every segment, in bytes; without `includesOpen` only of those that are not
    /// written to any more.
    func lengths(includesOpen: Bool) throws(FormatError) -> [Int64: UInt64] {
        var lengths: [Int64: UInt64] = [:]
        let closed = Set(closedNumbers())
        for number in includesOpen ? numbers() : Array(closed) {
            if let known = state.withLock({ $0.lengths[number] }) {
                lengths[number] = known
                continue
            }
            let length = try length(of: number)
            lengths[number] = length
            if closed.contains(number) { state.withLock { $0.lengths[number] = length } }
        }
        return lengths
    }

    /// The length of a segment; 0 of one whose file is not there, which doctor names.
    private func length(of number: Int64) throws(FormatError) -> UInt64 {
        do throws(FormatError) {
            let storage = try segment(number).storage
            do throws(SystemError) { return try storage.length() } catch {
                throw FormatError(error)
            }
        } catch {
            guard error.errno == ENOENT else { throw error }
            return 0
        }
    }

    /// Waits until rows name every block of some segments that was appended; a moment at most.
    func waitForPins(of numbers: Set<Int64>) {
        for _ in 0..<Self.pinPauseCount {
            let isPinned = state.withLock { state in numbers.contains { state.pins[$0] != nil } }
            if !isPinned { return }
            usleep(Self.pinPauseMicroseconds)
        }
    }

    /// Whether little more than what is left for commits is free.
    var isMediumShort: Bool {
        guard let free = (try? directory.space())?.free else { return true }
        return free < Self.shortLength
    }

    private static let shortLength: UInt64 = 32 << 20
    private static let pinPauseCount = 200
    private static let pinPauseMicroseconds: UInt32 = 10_000

    /// Seals a block anew where the store writes now, compressed as it was.
    func move(_ block: BlockPlace) throws(FormatError) -> BlockPlace {
        try opened(block) { packed throws(SystemError) in
            try append(packed: packed, plainLength: block.plainLength)
        }
    }

    /// Makes everything in a segment but `live` a hole. Blocks are named by place and length.
    func punch(_ number: Int64, except live: [(place: UInt64, length: UInt64)]) throws(FormatError)
    {
        let name = state.withLock { $0.names[number] }
        guard let name else { return }
        // Whole pages of the medium: what is cut in the middle stays.
        let unit: UInt64 = 4096
        do throws(SystemError) {
            // Those that blocks are read from cannot be written to.
            let storage = try directory.open(Self.fileName(name), isWritable: true)
            var position = Self.headLength
            let end = try storage.length()
            for block in live.sorted(by: { $0.place < $1.place }) + [(place: end, length: 0)] {
                let start = (position + unit - 1) / unit * unit
                let stop = block.place / unit * unit
                if start < stop { try storage.punch(start..<stop) }
                position = max(position, block.place + block.length)
            }
            try storage.flush()
        } catch {
            throw FormatError(error)
        }
        forgetPlaintexts()
    }
}
