import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Glibc
import Synchronization

/// The contents of files: sealed blocks in append-only files.
///
///     Offset  Size  Field, of a segment's head
///          0     8  magic "MVSEG\0\0\1"
///          8    16  workspace id
///         24     8  name: random; the file is called by it in hexadecimal
///         32    32  reserved, zero
///         64     -  blocks, back to back, as `SegmentCipher` seals them
///
/// A segment is only ever written by the process that made it, and no place in it twice. Where its
/// blocks lie, how long they are and whether they are compressed is in the database.
final class SegmentStore: Sendable {
    /// Plaintext of one block at most, in bytes.
    static let blockLength = 128 << 10
    /// Plaintext of a block that does not compress.
    static let rawBlockLength = 32 << 10
    static let overhead = SegmentCipher.overhead
    static let headLength: UInt64 = 64
    private static let magic: [UInt8] = Array("MVSEG".utf8) + [0, 0, 1]
    /// A segment takes no more blocks when it is this long.
    private static let segmentLength: UInt64 = 64 << 20
    private static let openCountMax = 256
    /// Places and numbers are below these.
    static let placeMax: UInt64 = 1 << 28
    static let segmentCountMax: UInt64 = 1 << 35

    /// A segment that blocks are read from or written to.
    final class Segment: Sendable {
        let storage: any ResizableStorage
        let cipher: SegmentCipher
        init(_ storage: any ResizableStorage, _ cipher: SegmentCipher) {
            self.storage = storage
            self.cipher = cipher
        }
    }

    struct State {
        var names: [Int64: [UInt8]] = [:]
        var open: [Int64: Segment] = [:]
        var current: (number: Int64, segment: Segment, end: UInt64)?
        var nextNumber: Int64 = 1
        /// Written to since the last flush.
        var unflushed: [Int64: Segment] = [:]
        /// Made since the database last heard of it.
        var unrecorded: [(number: Int64, name: [UInt8])] = []
        /// Of those, the ones whose files survive a power cut.
        var recordable: Set<Int64> = []
        /// Lengths of segments to which nothing is appended any more.
        var lengths: [Int64: UInt64] = [:]
        var hasNewNames = false
        /// Up to where the medium was told to write.
        var flushBegun: (number: Int64, end: UInt64)?
        /// Whether all that was appended since then does not compress.
        var isRawStep = true
        /// The step before, if all of it did not.
        var rawStep: FlushStep?
        /// Bytes that may be appended before the medium is asked again how much room it has.
        var roomLeft: UInt64 = 0
        /// Bytes by which the database may grow when its log is put into it.
        var logLength: UInt64 = 0
        /// Blocks that were appended and that no row names yet, by segment.
        var pins: [Int64: Int] = [:]
    }

    let directory: any StorageDirectory
    private let keys: FileKeys
    private let id: [UInt8]
    let state: Mutex<State>
    let flushing = Mutex(())
    let cache: SharedCache<PlainBytes>
    // The fastest level: whoever writes waits for it.
    private let compressors = Pool { ZstdCompressor(level: 1) }
    private let decompressors = Pool { ZstdDecompressor() }

    /// The segments that the database knows.
    init(
        _ directory: any StorageDirectory, keys: FileKeys, id: [UInt8], names: [Int64: [UInt8]],
        cacheLength: Int
    ) {
        self.directory = directory
        self.keys = keys
        self.id = id
        cache = SharedCache(capacity: cacheLength)
        state = Mutex(State(names: names, nextNumber: (names.keys.max() ?? 0) + 1))
    }

    static func fileName(_ name: [UInt8]) -> String { Text.hex(name) }

    // MARK: Writing

    /// Seals up to `blockLength` bytes and appends them: as one block where compressing saves
    /// anything, else as blocks of `rawBlockLength`, of which a small read needs only one. They are
    /// pinned until `unpin`. Without `compresses` it is not tried.
    func append(
        _ plaintext: UnsafeRawBufferPointer, compresses: Bool = true
    ) throws(SystemError) -> [BlockPlace] {
        precondition(plaintext.count <= Self.blockLength && !plaintext.isEmpty)
        guard compresses, let packed = compress(plaintext) else { return try appendRaw(plaintext) }
        var failure: SystemError?
        let place = packed.withUnsafeBytes { packed -> BlockPlace? in
            do throws(SystemError) {
                return try append(packed: packed, plainLength: plaintext.count)
            } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        guard let place else { preconditionFailure("a place or an error") }
        return [place]
    }

    /// Seals incompressible bytes in small blocks, and writes these in one piece.
    private func appendRaw(
        _ plaintext: UnsafeRawBufferPointer
    ) throws(SystemError) -> [BlockPlace] {
        let count = (plaintext.count + Self.rawBlockLength - 1) / Self.rawBlockLength
        let (number, segment, start) = try reserve(
            plaintext.count + count * Self.overhead, blockCount: count)
        var sealed: [UInt8] = []
        sealed.reserveCapacity(plaintext.count + count * Self.overhead)
        var blocks: [BlockPlace] = []
        for offset in stride(from: 0, to: plaintext.count, by: Self.rawBlockLength) {
            let part = UnsafeRawBufferPointer(
                rebasing: plaintext[offset..<min(offset + Self.rawBlockLength, plaintext.count)])
            let place = start + UInt64(sealed.count)
            sealed += segment.cipher.seal(part, place: place)
            blocks.append(
                BlockPlace(
                    segment: number, place: place, packedLength: part.count,
                    plainLength: part.count))
        }
        do throws(SystemError) {
            try segment.storage.write(sealed, at: start)
        } catch {
            unpin(blocks)
            throw error
        }
        noteWritten(number, segment, end: start + UInt64(sealed.count), isRaw: true)
        return blocks
    }

    /// Seals and appends bytes as they are, which stand for `plainLength` bytes of plaintext.
    func append(
        packed: UnsafeRawBufferPointer, plainLength: Int
    ) throws(SystemError) -> BlockPlace {
        let (number, segment, place) = try reserve(packed.count + Self.overhead)
        do throws(SystemError) {
            try segment.storage.write(segment.cipher.seal(packed, place: place), at: place)
        } catch {
            unpin([BlockPlace(segment: number, place: place, packedLength: 0, plainLength: 0)])
            throw error
        }
        noteWritten(
            number, segment, end: place + UInt64(packed.count + Self.overhead), isRaw: false)
        return BlockPlace(
            segment: number, place: place, packedLength: packed.count, plainLength: plainLength)
    }

    /// Nil when it does not get smaller by an eighth.
    private func compress(_ plaintext: UnsafeRawBufferPointer) -> [UInt8]? {
        guard plaintext.count >= 128 else { return nil }
        let compressor = compressors.take()
        defer { compressors.give(compressor) }
        let room = plaintext.count - plaintext.count / 8
        var size: Int?
        let packed = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            size = compressor.compress(plaintext, into: UnsafeMutableRawBufferPointer(buffer))
            count = size ?? 0
        }
        return size == nil ? nil : packed
    }

    private func reserve(
        _ length: Int, blockCount: Int = 1
    ) throws(SystemError) -> (number: Int64, segment: Segment, place: UInt64) {
        try state.withLock { state throws(SystemError) in
            try takeRoom(UInt64(length), &state)
            if state.current == nil || (state.current?.end ?? 0) > Self.segmentLength {
                state.current = try begin(&state)
            }
            guard var current = state.current else { preconditionFailure("just begun") }
            let place = current.end
            current.end += UInt64(length)
            state.current = current
            state.pins[current.number, default: 0] += blockCount
            return (current.number, current.segment, place)
        }
    }

    private func begin(
        _ state: inout State
    ) throws(SystemError) -> (number: Int64, segment: Segment, end: UInt64) {
        let name = Environment.random(8)
        let storage = try directory.create(Self.fileName(name))
        var head = ByteWriter(capacity: Int(Self.headLength))
        head.append(Self.magic)
        head.append(id)
        head.append(name)
        head.pad(to: Int(Self.headLength))
        do throws(SystemError) {
            try storage.write(head.bytes, at: 0)
        } catch {
            try? directory.remove(Self.fileName(name), isDurable: false)
            throw error
        }
        let number = state.nextNumber
        state.nextNumber += 1
        let segment = Segment(storage, keys.segmentCipher(name: name))
        state.names[number] = name
        if state.open.count >= Self.openCountMax { state.open.removeAll() }
        state.open[number] = segment
        state.unrecorded.append((number, name))
        state.hasNewNames = true
        return (number, segment, Self.headLength)
    }

    /// Flushed segments that the database does not know yet.
    func takeUnrecorded() -> [(number: Int64, name: [UInt8])] {
        state.withLock { state in
            let taken = state.unrecorded.filter { state.recordable.contains($0.number) }
            state.unrecorded.removeAll { state.recordable.contains($0.number) }
            state.recordable = []
            return taken
        }
    }

    // MARK: Reading

    /// Rows name these appended blocks now, or never will.
    func unpin(_ blocks: [BlockPlace]) {
        state.withLock { state in
            for block in blocks {
                let count = (state.pins[block.segment] ?? 0) - 1
                state.pins[block.segment] = count > 0 ? count : nil
            }
        }
    }

    func segment(_ number: Int64) throws(FormatError) -> Segment {
        try state.withLock { state throws(FormatError) in
            if let open = state.open[number] { return open }
            guard let name = state.names[number] else {
                throw FormatError(.damaged, "an extent names segment \(number), which is not there")
            }
            if state.open.count >= Self.openCountMax { state.open.removeAll() }
            do throws(SystemError) {
                let storage = try directory.open(Self.fileName(name), isWritable: false)
                let segment = Segment(storage, keys.segmentCipher(name: name))
                state.open[number] = segment
                return segment
            } catch {
                throw FormatError(error)
            }
        }
    }

    /// Hands the plaintext of a block to `body`, without keeping it.
    private func open<Result>(
        _ block: BlockPlace, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(FormatError) -> Result {
        let result = try opened(block) { packed -> Result? in
            block.isCompressed ? decompress(packed, block, body) : body(packed)
        }
        guard let result else { throw Self.damaged(block) }
        return result
    }

    private static func damaged(_ block: BlockPlace) -> FormatError {
        FormatError(.damaged, "a block of segment \(block.segment) is damaged", at: block.place)
    }

    /// Hands what a block holds, compressed or not, to `body`.
    func opened<Result>(
        _ block: BlockPlace, _ body: (UnsafeRawBufferPointer) throws(SystemError) -> Result
    ) throws(FormatError) -> Result {
        let segment = try segment(block.segment)
        let stored: [UInt8]?
        do throws(SystemError) {
            stored = try segment.storage.bytes(block.storedLength, at: block.place)
        } catch {
            throw FormatError(error)
        }
        guard var stored else { throw Self.damaged(block) }
        var result: Result?
        var failure: SystemError?
        let isAuthentic = stored.withUnsafeMutableBytes { stored in
            (try? segment.cipher.openInPlace(stored, place: block.place) { packed -> Void in
                do throws(SystemError) { result = try body(packed) } catch { failure = error }
            }) != nil
        }
        if let failure { throw FormatError(failure) }
        guard isAuthentic, let result else { throw Self.damaged(block) }
        return result
    }

    private func decompress<Result>(
        _ packed: UnsafeRawBufferPointer, _ block: BlockPlace,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result? {
        guard block.plainLength <= Self.blockLength else { return nil }
        let decompressor = decompressors.take()
        defer { decompressors.give(decompressor) }
        return withUnsafeTemporaryAllocation(byteCount: block.plainLength, alignment: 16) {
            let size = decompressor.decompress(packed, into: $0)
            return size == block.plainLength ? body(UnsafeRawBufferPointer($0)) : nil
        }
    }

    /// Reads a block for its own sake. Throws `damaged`.
    func check(_ block: BlockPlace) throws(FormatError) { try open(block) { _ in } }

    /// The files that no segment of the database is, and the segments without a file.
    func strays() throws(SystemError) -> (unknown: [String], missing: [String]) {
        let known = Set(state.withLock { $0.names.values.map(Self.fileName) })
        let present = Set(try directory.names())
        return (present.subtracting(known).sorted(), known.subtracting(present).sorted())
    }

    /// The name of a segment's file and its length; nil where it is not there.
    func file(of number: Int64) -> (name: String, length: UInt64)? {
        guard let name = state.withLock({ $0.names[number].map(Self.fileName) }),
            let length = try? directory.open(name, isWritable: false).length()
        else { return nil }
        return (name, length)
    }

    /// Fills `buffer` with a range of a file: what its extents hold, and zeros between them.
    func read(
        _ extents: [FileExtent], in range: Range<UInt64>,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        func target(_ part: Range<UInt64>) -> UnsafeMutableRawBufferPointer {
            let start = Int(part.lowerBound - range.lowerBound)
            return UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + part.count])
        }
        var position = range.lowerBound
        for extent in extents {
            let start = max(extent.offset, position)
            let stop = min(extent.end, range.upperBound)
            guard start < stop else {
                throw FormatError(.damaged, "two extents of a file overlap", at: extent.offset)
            }
            target(position..<start).initializeMemory(as: UInt8.self, repeating: 0)
            try read(
                extent.block, skipping: extent.skip + start - extent.offset,
                into: target(start..<stop))
            position = stop
        }
        target(position..<range.upperBound).initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// Copies a part of a block's plaintext into `target`.
    private func read(
        _ block: BlockPlace, skipping skip: UInt64, into target: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        let skip = Int(clamping: skip)
        guard skip <= block.plainLength - target.count else {
            throw FormatError(.damaged, "an extent is longer than its block", at: block.place)
        }
        if target.count == block.plainLength {
            return try open(block) { target.copyMemory(from: $0) }
        }
        let key = UInt64(block.segment) << 28 | block.place
        let plain = try cache.value(for: key, cost: { $0.bytes.count + 64 }) {
            () throws(FormatError) in
            PlainBytes(try open(block) { [UInt8]($0) })
        }
        plain.bytes.withUnsafeBytes {
            target.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: $0[skip..<skip + target.count]))
        }
    }
}

/// Immutable bytes with several owners.
final class PlainBytes: Sendable {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// Objects that are lent to one thread at a time.
private final class Pool<Element: Sendable>: Sendable {
    private let make: @Sendable () -> Element
    private let idle = Mutex<[Element]>([])

    init(_ make: @escaping @Sendable () -> Element) { self.make = make }

    func take() -> Element { idle.withLock { $0.popLast() } ?? make() }
    func give(_ element: Element) { idle.withLock { $0.append(element) } }
}
