import CapsuleCrypto
import CapsuleSystem
import Synchronization

/// Seals one stream on all cores: the caller fills units, workers compress and seal them, and one
/// thread writes them in order and builds the tree.
///
/// Memory is bounded by the number of units, which are used again and again.
public final class StreamSealer {
    /// How a stream is cut into blocks.
    public struct Shape: Sendable {
        /// Plaintext of a compressed block, in bytes.
        public var unitLength: Int
        /// Plaintext of a block that does not compress: less, because a random read of it costs
        /// the whole block and gains nothing from neighbours.
        public var rawBlockLength: Int
        /// zstd's level; 0 stores everything as it is.
        public var level: Int

        /// A shape from its numbers.
        public init(unitLength: Int, rawBlockLength: Int, level: Int) {
            self.unitLength = unitLength
            self.rawBlockLength = min(rawBlockLength, unitLength)
            self.level = level
        }
    }

    /// What is done with the units.
    public enum Purpose: Sendable {
        /// Seal them under the capsule's keys.
        case seal(FileKeys, capsuleID: [UInt8], takingFingerprint: Bool)
        /// Only hash what would be sealed: the first pass of reproducible sealing.
        case fingerprint
    }

    private let stream: StreamID
    private let shape: Shape
    private let output: SealOutput
    private let toSeal: WorkQueue<SealingUnit>
    private let toWrite: WorkQueue<SealingUnit>
    private let free: WorkQueue<SealingUnit>
    private let status = Status()
    private var workers: [Worker] = []
    private var current: SealingUnit?
    /// Plaintext appended so far, in bytes.
    public private(set) var logicalOffset: UInt64 = 0

    /// What the writing thread tells the others.
    private final class Status: Sendable {
        let hasFailed = Atomic(false)
        let result = Mutex<(entry: Trailer.Stream, fingerprint: Digest32)?>(nil)
    }

    private static let fingerprintContext = Blake3Context("capsulefs 2 fingerprint")

    /// Starts the threads. `output` must not be used by others until `finish` returns.
    init(
        stream: StreamID, shape: Shape, purpose: Purpose, output: SealOutput, workerCount: Int
    ) {
        self.stream = stream
        self.shape = shape
        self.output = output
        let unitCount = workerCount * 4 + 4
        toSeal = WorkQueue(capacity: unitCount)
        toWrite = WorkQueue(capacity: unitCount)
        free = WorkQueue(capacity: unitCount)
        for _ in 0..<unitCount {
            free.push(
                SealingUnit(capacity: shape.unitLength, rawBlockLength: shape.rawBlockLength))
        }
        for _ in 0..<workerCount { startSealing(purpose) }
        startWriting()
    }

    private func startSealing(_ purpose: Purpose) {
        let (toSeal, stream, shape) = (toSeal, stream, shape)
        workers.append(
            Worker {
                let sealer = UnitSealer(stream: stream, shape: shape, purpose: purpose)
                while let unit = toSeal.pop() {
                    sealer.seal(unit)
                    unit.complete()
                }
            })
    }

    private func startWriting() {
        let (stream, output, toWrite, free, status) = (stream, output, toWrite, free, status)
        workers.append(
            Worker {
                var tree = TreeBuilder(stream: stream, start: output.position)
                var fingerprint = Self.fingerprintContext.stream()
                while let unit = toWrite.pop() {
                    unit.waitUntilComplete()
                    var start = 0
                    for block in unit.blocks {
                        let bytes = unit.sealed[start..<start + block.storedLength]
                        output.append(UnsafeRawBufferPointer(rebasing: bytes))
                        tree.add(
                            hash: block.hash, storedLength: block.storedLength,
                            logicalLength: block.logicalLength, emit: output.append)
                        block.inputHash.withUnsafeBytes { fingerprint.update($0) }
                        withUnsafeBytes(of: UInt64(block.logicalLength).littleEndian) {
                            fingerprint.update($0)
                        }
                        start += block.storedLength
                    }
                    unit.reset()
                    free.push(unit)
                    if output.failure != nil { status.hasFailed.store(true, ordering: .relaxed) }
                }
                let entry = tree.finish(emit: output.append)
                let digest = fingerprint.digest()
                status.result.withLock { $0 = (entry, digest) }
            })
    }

    /// Whether writing has failed, so that the caller can stop early; `finish` throws the error.
    public var hasFailed: Bool { status.hasFailed.load(ordering: .relaxed) }

    /// Lends room for up to `count` bytes, never zero; `fill` returns how many it filled.
    public func append<Failure: Error>(
        upTo count: Int, fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        let unit = openUnit()
        let room = min(count, unit.plaintext.count - unit.count)
        let space = UnsafeMutableRawBufferPointer(
            rebasing: unit.plaintext[unit.count..<unit.count + room])
        let filled = try fill(space)
        unit.count += filled
        logicalOffset += UInt64(filled)
        if unit.count == unit.plaintext.count { submit() }
        return filled
    }

    /// Appends all of `bytes`.
    public func append(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            let count = append(upTo: rest.count) { space in
                space.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<space.count]))
                return space.count
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Ends the present block, so that the next byte begins another one.
    public func endUnit() {
        if let current, current.count > 0 { submit() }
    }

    private func openUnit() -> SealingUnit {
        if let current { return current }
        guard let unit = free.pop() else { preconditionFailure("the pipeline was closed") }
        unit.logicalOffset = logicalOffset
        current = unit
        return unit
    }

    private func submit() {
        guard let unit = current.take() else { return }
        toWrite.push(unit)
        toSeal.push(unit)
    }

    /// Seals what is left and returns the stream's entry in the trailer, and its fingerprint.
    func finish() throws(FormatError) -> (entry: Trailer.Stream, fingerprint: Digest32) {
        endUnit()
        stop()
        if let failure = output.failure { throw failure }
        guard let result = status.result.withLock({ $0 }) else {
            preconditionFailure("the writing thread leaves a result")
        }
        return result
    }

    private func stop() {
        toSeal.close()
        toWrite.close()
        for worker in workers { worker.join() }
        workers = []
    }

    deinit { stop() }
}
