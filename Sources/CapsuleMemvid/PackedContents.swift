import CapsuleFormat
import MemvidFormat

/// The bytes of a packed file: runs of data, which lie one after the other in its frames, and zeros
/// between them.
struct PackedContents {
    private let file: MemvidFile
    private let parts: [UInt64]
    private let runs: [Extent]
    private let size: UInt64

    init(_ file: MemvidFile, _ parts: [UInt64], _ runs: [Extent], size: UInt64) {
        self.file = file
        self.parts = parts
        self.runs = runs
        self.size = size
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard offset < size else { return 0 }
        let wanted = Int(min(UInt64(buffer.count), size - offset))
        UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            .initializeMemory(as: UInt8.self, repeating: 0)
        let end = offset + UInt64(wanted)
        for run in runs[firstRun(endingAfter: offset)...] {
            if run.fileOffset >= end { break }
            let start = max(run.fileOffset, offset)
            let stop = min(run.fileOffset + run.length, end)
            let target = UnsafeMutableRawBufferPointer(
                rebasing: buffer[Int(start - offset)..<Int(stop - offset)])
            try readStored(into: target, at: run.streamOffset + (start - run.fileOffset))
        }
        return wanted
    }

    private func firstRun(endingAfter offset: UInt64) -> Int {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].fileOffset + runs[middle].length <= offset {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    private func readStored(
        into target: UnsafeMutableRawBufferPointer, at start: UInt64
    ) throws(FormatError) {
        var done = 0
        while done < target.count {
            let position = start + UInt64(done)
            let part = Int(position / MemvidPacker.partLength)
            let room = UnsafeMutableRawBufferPointer(rebasing: target[done...])
            var count = 0
            do throws(MemvidError) {
                guard part < parts.count else {
                    throw MemvidError(.damaged, "the frames of a packed file end early")
                }
                let limit = Int(
                    min(
                        UInt64(room.count),
                        MemvidPacker.partLength - position % MemvidPacker.partLength))
                count = try file.document(parts[part]).read(
                    into: UnsafeMutableRawBufferPointer(rebasing: room[..<limit]),
                    at: position % MemvidPacker.partLength)
                guard count > 0 else {
                    throw MemvidError(.damaged, "the frames of a packed file end early")
                }
            } catch {
                throw FormatError(error)
            }
            done += count
        }
    }
}

extension PackedEntry {
    /// Sets what an entry has of what was packed.
    func describe(_ entry: inout Entry) {
        entry.mode = mode
        entry.uid = uid
        entry.gid = gid
        entry.seconds = seconds
        entry.nanoseconds = nanoseconds
        entry.size = size ?? 0
        if let extents {
            entry.flags = .sparse
            entry.extra = extents.reduce(0) { $0 + $1[1] }
        }
        entry.place = device ?? 0
    }
}
