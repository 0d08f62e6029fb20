import FoundationEssentials
import MemvidFormat
import Synchronization

/// `.memvid/timeline.jsonl`: a line of JSON for each active document, by time.
///
/// Lines are made when they are read; only where every so many of them begins is remembered.
final class Timeline: Sendable {
    private let file: MemvidFile
    private let order: [UInt64]
    /// Offsets of each `step`th line, and the length; made at the first question.
    private let offsets = Mutex<[UInt64]>([])
    private static let step = 256

    private struct Line: Encodable {
        let id: UInt64
        let timestamp: Int64
        let title: String?
        let uri: String?
    }

    init(_ file: MemvidFile) {
        self.file = file
        order = file.frames.filter { $0.role == .document && $0.status == .active }
            .sorted { ($0.timestamp, $0.id) < ($1.timestamp, $1.id) }.map(\.id)
    }

    private func line(_ position: Int) -> [UInt8] {
        let frame = file.frames[Int(order[position])]
        return JSONText.encode(
            Line(id: frame.id, timestamp: frame.timestamp, title: frame.title, uri: frame.uri),
            isPretty: false)
    }

    private func knownOffsets() -> [UInt64] {
        offsets.withLock { known in
            if !known.isEmpty { return known }
            var offset: UInt64 = 0
            for position in order.indices {
                if position.isMultiple(of: Self.step) { known.append(offset) }
                offset += UInt64(line(position).count)
            }
            known.append(offset)
            return known
        }
    }

    /// In bytes.
    var length: UInt64 { knownOffsets().last ?? 0 }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int {
        let known = knownOffsets()
        guard offset < known.last ?? 0 else { return 0 }
        let group = (known.dropLast().lastIndex { $0 <= offset }) ?? 0
        var position = group * Self.step
        var skip = Int(offset - known[group])
        var done = 0
        while position < order.count, done < buffer.count {
            let line = line(position)
            position += 1
            guard skip < line.count else {
                skip -= line.count
                continue
            }
            let part = line[skip...].prefix(buffer.count - done)
            UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).copyBytes(from: part)
            done += part.count
            skip = 0
        }
        return done
    }
}
