import CLinux
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Glibc

/// Moves the bytes of regular files into the content stream; equal files are stored once.
///
/// Only a file whose size was seen before needs a second look: a small one is held in memory until
/// its hash is known, a large one is read twice.
final class FileContents {
    /// Where a file's bytes went.
    struct Placement {
        var offset: UInt64
        var size: UInt64
        var extents: [Extent]
        var isSparse: Bool
        var hash: Digest32
    }

    private let stream: StreamSealer
    /// Off where block lengths must not tell where files begin.
    private let alignsLargeFiles: Bool
    private let progress: (UInt64) -> Void
    private var known: [Digest32: UInt64] = [:]
    private var sizesSeen: Set<UInt64> = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: FileContents.smallLength, alignment: 4096)

    /// Files up to this size are read into memory before they are stored.
    private static let smallLength = 1 << 20
    /// Files from this size on begin a block, so that large aligned reads meet whole blocks.
    private static let alignedLength: UInt64 = 1 << 20

    init(
        _ stream: StreamSealer, alignsLargeFiles: Bool, progress: @escaping (UInt64) -> Void
    ) {
        self.stream = stream
        self.alignsLargeFiles = alignsLargeFiles
        self.progress = progress
    }

    deinit { buffer.deallocate() }

    /// Stores the contents of an open file whose status is `status`.
    func store(_ file: borrowing Descriptor, _ status: stat) throws(SystemError) -> Placement {
        let size = UInt64(status.st_size)
        if let runs = try SparseMap.runs(of: file, status) {
            return try storeSparse(file, size: size, runs: runs)
        }
        if size <= UInt64(Self.smallLength) { return try storeSmall(file, size: Int(size)) }
        return try storeLarge(file, size: size)
    }

    private func storeSmall(
        _ file: borrowing Descriptor, size: Int
    ) throws(SystemError) -> Placement {
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
        let count = try file.read(into: target, at: 0)
        let bytes = UnsafeRawBufferPointer(rebasing: target[..<count])
        let hash = ContentDigest.fileContext.hash(bytes)
        progress(UInt64(count))
        if count == 0 { return placement(0, 0, hash) }
        if !sizesSeen.insert(UInt64(count)).inserted, let offset = known[hash] {
            return placement(offset, UInt64(count), hash)
        }
        let offset = stream.logicalOffset
        stream.append(bytes)
        known[hash] = offset
        return placement(offset, UInt64(count), hash)
    }

    private func storeLarge(
        _ file: borrowing Descriptor, size: UInt64
    ) throws(SystemError) -> Placement {
        if !sizesSeen.insert(size).inserted {
            var hasher = ContentDigest.fileContext.stream()
            var done: UInt64 = 0
            while done < size {
                let count = try file.read(into: buffer, at: done)
                if count == 0 { break }
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                done += UInt64(count)
            }
            let hash = hasher.digest()
            if done == size, let offset = known[hash] {
                progress(size)
                return placement(offset, size, hash)
            }
        }
        if alignsLargeFiles, size >= Self.alignedLength { stream.endUnit() }
        let offset = stream.logicalOffset
        var hasher = ContentDigest.fileContext.stream()
        let done = try copy(file, from: 0, count: size, into: &hasher)
        let hash = hasher.digest()
        known[hash] = offset
        return placement(offset, done, hash)
    }

    private func storeSparse(
        _ file: borrowing Descriptor, size: UInt64, runs: [Extent]
    ) throws(SystemError) -> Placement {
        var hasher = ContentDigest.fileContext.stream()
        var extents: [Extent] = []
        for run in runs {
            let offset = stream.logicalOffset
            let done = try copy(file, from: run.fileOffset, count: run.length, into: &hasher)
            if done > 0 {
                extents.append(
                    Extent(fileOffset: run.fileOffset, length: done, streamOffset: offset))
            }
            if done < run.length { break }
        }
        return Placement(
            offset: 0, size: size, extents: extents, isSparse: true, hash: hasher.digest())
    }

    /// Copies up to `count` bytes into the stream; fewer only where the file ends.
    private func copy(
        _ file: borrowing Descriptor, from start: UInt64, count: UInt64,
        into hasher: inout Blake3Stream
    ) throws(SystemError) -> UInt64 {
        var done: UInt64 = 0
        while done < count, !stream.hasFailed {
            let room = Int(min(count - done, UInt64(Int.max)))
            var copy = hasher
            let filled = try stream.append(upTo: room) { space throws(SystemError) in
                let filled = try file.read(into: space, at: start + done)
                copy.update(UnsafeRawBufferPointer(rebasing: space[..<filled]))
                return filled
            }
            hasher = copy
            if filled == 0 { break }
            done += UInt64(filled)
            progress(UInt64(filled))
        }
        return done
    }

    private func placement(_ offset: UInt64, _ size: UInt64, _ hash: Digest32) -> Placement {
        Placement(offset: offset, size: size, extents: [], isSparse: false, hash: hash)
    }
}
