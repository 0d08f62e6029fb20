import CapsuleCrypto

/// The bytes of one document, checked before any of them is handed out.
public protocol MemvidDocument: AnyObject, Sendable {
    /// In bytes.
    var length: UInt64 { get }
    /// Fills `buffer` from `offset`; fewer bytes only at the end.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(MemvidError) -> Int
}

/// A document that fits into memory.
final class WholeDocument: MemvidDocument {
    private let bytes: [UInt8]
    var length: UInt64 { UInt64(bytes.count) }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(MemvidError) -> Int {
        guard offset < length else { return 0 }
        let count = min(buffer.count, bytes.count - Int(offset))
        bytes.withUnsafeBytes { source in
            buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: source[Int(offset)..<Int(offset) + count]))
        }
        return count
    }
}

/// A large payload that is stored as it is. The whole of it is hashed once, and each piece with it:
/// afterwards a piece proves itself, and nothing has to be kept in memory.
final class PiecewiseDocument: MemvidDocument {
    private let source: any MemvidSource
    private let start: UInt64
    let length: UInt64
    private let pieces: [Digest32]

    private static let pieceLength = 1 << 20

    /// Throws `damaged` when the payload does not fit `checksum`.
    init(
        _ source: any MemvidSource, range: Range<UInt64>, checksum: Digest32, id: UInt64
    ) throws(MemvidError) {
        self.source = source
        start = range.lowerBound
        length = range.upperBound - range.lowerBound
        var whole = Blake3Stream()
        var pieces: [Digest32] = []
        var offset = start
        while offset < range.upperBound {
            let count = Int(min(range.upperBound - offset, UInt64(Self.pieceLength)))
            let bytes = try source.bytes(count, at: offset, "payload")
            whole.update(bytes)
            pieces.append(DocumentText.hash(bytes))
            offset += UInt64(count)
        }
        guard whole.digest() == checksum else {
            throw .damaged("the payload of frame \(id) does not fit its checksum", at: start)
        }
        self.pieces = pieces
    }

    /// What keeping it costs, in bytes.
    var cost: Int { pieces.count * 32 + 128 }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(MemvidError) -> Int {
        guard offset < length else { return 0 }
        let wanted = Int(min(UInt64(buffer.count), length - offset))
        var done = 0
        while done < wanted {
            let position = offset + UInt64(done)
            let index = Int(position / UInt64(Self.pieceLength))
            let pieceStart = UInt64(index) * UInt64(Self.pieceLength)
            let count = Int(min(length - pieceStart, UInt64(Self.pieceLength)))
            let bytes = try source.bytes(count, at: start + pieceStart, "payload")
            guard DocumentText.hash(bytes) == pieces[index] else {
                throw .damaged("the file has changed since it was opened", at: start + pieceStart)
            }
            let within = Int(position - pieceStart)
            let part = min(count - within, wanted - done)
            bytes.withUnsafeBytes { piece in
                UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: piece[within..<within + part]))
            }
            done += part
        }
        return wanted
    }
}

/// The texts of a document's chunks in order.
final class ChunkedDocument: MemvidDocument {
    private let parts: [(start: UInt64, id: UInt64)]
    let length: UInt64
    private let hasLines: Bool
    private let open: @Sendable (UInt64) throws(MemvidError) -> any MemvidDocument

    /// - Parameter hasLines: whether each chunk ends a line that the next one does not go on.
    init(
        _ chunks: [(id: UInt64, length: UInt64)], hasLines: Bool,
        open: @escaping @Sendable (UInt64) throws(MemvidError) -> any MemvidDocument
    ) {
        var end: UInt64 = 0
        var parts: [(start: UInt64, id: UInt64)] = []
        for chunk in chunks {
            parts.append((end, chunk.id))
            end += chunk.length + (hasLines ? 1 : 0)
        }
        self.parts = parts
        self.hasLines = hasLines
        length = hasLines && !chunks.isEmpty ? end - 1 : end
        self.open = open
    }

    var cost: Int { parts.count * 16 + 128 }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(MemvidError) -> Int {
        guard offset < length else { return 0 }
        let wanted = Int(min(UInt64(buffer.count), length - offset))
        var done = 0
        var index = firstPart(at: offset)
        while done < wanted, index < parts.count {
            let chunk = try open(parts[index].id)
            let position = offset + UInt64(done)
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<wanted])
            done += try chunk.read(into: room, at: position - parts[index].start)
            index += 1
            if hasLines, done < wanted {
                buffer[done] = UInt8(ascii: "\n")
                done += 1
            }
        }
        return done
    }

    private func firstPart(at offset: UInt64) -> Int {
        var (low, high) = (0, parts.count)
        while low < high {
            let middle = (low + high) / 2
            if parts[middle].start <= offset { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}
