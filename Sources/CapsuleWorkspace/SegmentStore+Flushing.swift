import CapsuleSystem
import Glibc
import Synchronization

/// Getting what was appended onto the medium.
extension SegmentStore {
    /// The segment has to be flushed; of long writes the medium begins at once.
    func noteWritten(_ number: Int64, _ segment: Segment, end: UInt64) {
        let begun = state.withLock { state -> Range<UInt64>? in
            state.unflushed[number] = segment
            let start = state.flushBegun?.number == number ? state.flushBegun?.end ?? 0 : 0
            guard end >= start + Self.flushStep else { return nil }
            state.flushBegun = (number, end)
            return start..<end
        }
        if let begun { segment.storage.beginFlush(begun) }
    }

    private static let flushStep: UInt64 = 8 << 20

    /// Makes every block that was appended before survive a power cut.
    ///
    /// One at a time: who finds nothing left to flush must not go on before what another thread
    /// flushes is on the medium.
    func flush() throws(SystemError) {
        try flushing.withLock { _ throws(SystemError) in try flushAlone() }
    }

    private func flushAlone() throws(SystemError) {
        let made = state.withLock { $0.unrecorded.map(\.number) }
        let (segments, hasNewNames) = state.withLock { state in
            defer {
                state.unflushed = [:]
                state.hasNewNames = false
            }
            return (Array(state.unflushed), state.hasNewNames)
        }
        do throws(SystemError) {
            for (_, segment) in segments { try segment.storage.flush() }
            if hasNewNames { try directory.flush() }
            state.withLock { $0.recordable.formUnion(made) }
        } catch {
            state.withLock { state in
                for (number, segment) in segments { state.unflushed[number] = segment }
                state.hasNewNames = state.hasNewNames || hasNewNames
            }
            throw error
        }
    }
}
