// A file in memory that can fail in the ways files fail: where tests inject faults.

import CapsuleSystem
import Glibc
import Synchronization

final class MemoryStorage: Storage {
    /// What a power cut leaves of the writes that were not flushed.
    enum Unflushed: CaseIterable, Sendable {
        case dropped, firstHalf, secondHalf, onlyLast, kept
    }

    private struct State {
        var bytes: [UInt8] = []
        var durable: [UInt8] = []
        var pending: [(offset: Int, bytes: [UInt8])] = []
        var operations = 0
        var reads = 0
        var dieAtOperation: Int?
        var errnoAtWrite: (index: Int, errno: Int32)?
        var errnoAtRead: (range: Range<UInt64>, errno: Int32)?
        var end: UInt64?
    }

    let name = "memory"
    private let state = Mutex(State())

    init(_ bytes: [UInt8] = []) {
        state.withLock {
            $0.bytes = bytes
            $0.durable = bytes
        }
    }

    /// The content as a reader sees it now.
    var bytes: [UInt8] { state.withLock { $0.bytes } }
    /// Writes and flushes so far, failed ones included.
    var operations: Int { state.withLock { $0.operations } }
    /// Reads so far.
    var reads: Int { state.withLock { $0.reads } }

    subscript(index: Int) -> UInt8 {
        get { state.withLock { $0.bytes[index] } }
        set { state.withLock { $0.bytes[index] = newValue } }
    }

    /// From the write or flush with this index on, nothing happens any more.
    func die(atOperation index: Int) { state.withLock { $0.dieAtOperation = index } }

    /// The write with this index fails.
    func failWrite(_ index: Int, errno: Int32) {
        state.withLock { $0.errnoAtWrite = (index, errno) }
    }

    /// Reads that touch the range fail.
    func failReads(in range: Range<UInt64>, errno: Int32) {
        state.withLock { $0.errnoAtRead = (range, errno) }
    }

    /// Reads end here although `length` does not say so: a file cut while it is open.
    func cutReads(at end: UInt64) { state.withLock { $0.end = end } }

    /// The file as it is found after a power cut.
    func afterCrash(_ fate: Unflushed) -> MemoryStorage {
        state.withLock { state in
            var found = state.durable
            for (index, write) in state.pending.enumerated() {
                var part = write.bytes[...]
                let isLast = index == state.pending.count - 1
                switch fate {
                case .dropped: continue
                case .firstHalf: if isLast { part = part.prefix(part.count / 2) }
                case .secondHalf: if isLast { part = part.suffix(part.count / 2) }
                case .onlyLast: if !isLast { continue }
                case .kept: break
                }
                let offset = write.offset + part.startIndex
                if found.count < offset + part.count {
                    found += [UInt8](repeating: 0, count: offset + part.count - found.count)
                }
                found.replaceSubrange(offset..<offset + part.count, with: part)
            }
            return MemoryStorage(found)
        }
    }

    func length() throws(SystemError) -> UInt64 { UInt64(state.withLock { $0.bytes.count }) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        nonisolated(unsafe) let buffer = buffer
        let result = state.withLock { state -> Result<Int, SystemError> in
            state.reads += 1
            let wanted = offset..<offset + UInt64(buffer.count)
            if let fault = state.errnoAtRead, fault.range.overlaps(wanted) {
                return .failure(
                    SystemError(errno: fault.errno, operation: "read", object: "memory"))
            }
            let end = Int(min(state.end ?? .max, UInt64(state.bytes.count)))
            guard offset < UInt64(end) else { return .success(0) }
            let start = Int(offset)
            let count = min(buffer.count, end - start)
            state.bytes[start..<start + count].withUnsafeBytes { buffer.copyMemory(from: $0) }
            return .success(count)
        }
        return try result.get()
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        let copy = [UInt8](bytes)
        let failure = state.withLock { state -> Int32? in
            let index = state.operations
            state.operations += 1
            // The medium may have got a write during which the process or the machine dies.
            if let death = state.dieAtOperation, index >= death {
                if index == death { state.pending.append((Int(offset), copy)) }
                return EIO
            }
            if let fault = state.errnoAtWrite, fault.index == index { return fault.errno }
            state.pending.append((Int(offset), copy))
            let end = Int(offset) + copy.count
            if state.bytes.count < end {
                state.bytes += [UInt8](repeating: 0, count: end - state.bytes.count)
            }
            state.bytes.replaceSubrange(Int(offset)..<end, with: copy)
            return nil
        }
        if let failure { throw SystemError(errno: failure, operation: "write", object: name) }
    }

    func flush() throws(SystemError) {
        let isDead = state.withLock { state -> Bool in
            let index = state.operations
            state.operations += 1
            if let death = state.dieAtOperation, index >= death { return true }
            state.durable = state.bytes
            state.pending = []
            return false
        }
        if isDead { throw SystemError(errno: EIO, operation: "fsync", object: name) }
    }
}
