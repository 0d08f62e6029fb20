import CapsuleSystem
import Glibc
import Synchronization

/// Getting what was appended onto the medium.
extension SegmentStore {
    /// Blocks that were appended together, and that the medium was told to write.
    struct FlushStep {
        let segment: Segment
        let range: Range<UInt64>
    }

    /// The segment has to be flushed; of long writes the medium begins at once.
    ///
    /// What does not compress is mostly written once and in long runs: the kernel has it as
    /// plaintext, and a second copy of it, sealed, would only take the memory that the first needs.
    func noteWritten(_ number: Int64, _ segment: Segment, end: UInt64, isRaw: Bool) {
        let (begun, written) = state.withLock { state -> (Range<UInt64>?, FlushStep?) in
            state.unflushed[number] = segment
            let start = state.flushBegun?.number == number ? state.flushBegun?.end ?? 0 : 0
            state.isRawStep = isRaw && state.isRawStep
            guard end >= start + Self.flushStep else { return (nil, nil) }
            state.flushBegun = (number, end)
            let written = state.rawStep
            state.rawStep = state.isRawStep ? FlushStep(segment: segment, range: start..<end) : nil
            state.isRawStep = true
            return (start..<end, written)
        }
        if let begun { segment.storage.beginFlush(begun) }
        if let written { written.segment.storage.forgetFlushed(written.range) }
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
