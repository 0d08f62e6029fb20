// Capsules put together by hand: correctly sealed, and as wrong inside as a test wants them.

import CapsuleBytes
import CapsuleCrypto
import Testing

@testable import CapsuleFormat

/// Writes streams block by block, with right keys, tags, hashes and MACs.
struct HandSealer {
    struct Block {
        var payload: [UInt8]
        var length: Int

        init(_ plaintext: [UInt8]) { (payload, length) = (plaintext, plaintext.count) }

        /// A block whose payload is a frame that claims to decompress to `length` bytes.
        init(frame: [UInt8], length: Int) { (payload, self.length) = (frame, length) }
    }

    private let base: Sealed
    private var bytes: [UInt8]
    private var streams: [Trailer.Stream] = []

    init() throws {
        base = try Sample.shared.get()
        bytes = Array(base.bytes[..<Int(base.header.dataOffset)])
    }

    var id: [UInt8] { base.header.id }
    var position: UInt64 { UInt64(bytes.count) }

    mutating func add(_ id: StreamID, _ blocks: [Block]) {
        let codec = BlockCodec(stream: id, keys: base.keys, capsuleID: base.header.id)
        var tree = TreeBuilder(stream: id, start: position)
        var logical: UInt64 = 0
        for block in blocks {
            var sealed = [UInt8](repeating: 0, count: block.payload.count + 16)
            let leaf = block.payload.withUnsafeBytes { payload in
                sealed.withUnsafeMutableBytes {
                    codec.seal(
                        payload, logicalOffset: logical, logicalLength: block.length, into: $0)
                }
            }
            bytes += sealed
            tree.add(hash: leaf, storedLength: sealed.count, logicalLength: block.length) {
                bytes += $0
            }
            logical += UInt64(block.length)
        }
        streams.append(tree.finish { bytes += $0 })
    }

    /// Adds bytes and a stream entry that describes them in any way.
    mutating func add(raw: [UInt8], _ entry: Trailer.Stream) {
        bytes += raw
        streams.append(entry)
    }

    func finish(_ edit: (inout [Trailer.Stream]) -> Void = { _ in }) -> Sealed {
        var streams = streams
        edit(&streams)
        let trailer = Trailer(
            fileLength: UInt64(bytes.count + 1024), id: base.header.id,
            headerFingerprint: base.header.fingerprint, streams: streams)
        return Sealed(
            bytes: bytes + trailer.encoded(keys: base.keys), keys: base.keys, header: base.header)
    }
}

/// An index of which every byte can be wrong.
struct HostileIndex {
    struct Record {
        var entry: Entry
        var name: [UInt8]
        /// Instead of the right numbers.
        var nameLength: Int?
        var nameOffset: Int?
    }

    var records: [Record] = []
    var extents: [UInt8] = []
    var heap: [UInt8] = [0]
    var fences: [UInt8] = []
    var owners: [UInt8] = []
    var content = [UInt8](repeating: 7, count: 1000)
    /// Instead of a right one.
    var manifest: [UInt8]?
    var editLayout: (inout IndexLayout) -> Void = { _ in }
    var editTable: (inout [UInt8]) -> Void = { _ in }
    var editPage: (Int, inout [UInt8]) -> Void = { _, _ in }
    var editStreams: (inout [Trailer.Stream]) -> Void = { _ in }

    static func entry(_ mode: UInt32, in parent: Ordinal = 0) -> Entry {
        var entry = Entry()
        (entry.mode, entry.parent) = (mode, parent)
        return entry
    }

    mutating func add(_ entry: Entry, _ name: some Sequence<UInt8>) {
        records.append(Record(entry: entry, name: Array(name)))
    }

    /// The root with the file `a`, the directory `b` that holds `x` and `y`, and the link `c`.
    static func plain() -> HostileIndex {
        var index = HostileIndex()
        index.heap += Array("target".utf8)
        var root = entry(0o040755)
        (root.place, root.count) = (1, 3)
        var file = entry(0o100644)
        file.size = 100
        var directory = entry(0o040755)
        (directory.place, directory.count) = (4, 2)
        var link = entry(0o120777)
        (link.place, link.size) = (1, 6)
        index.add(root, [])
        index.add(file, "a".utf8)
        index.add(directory, "b".utf8)
        index.add(link, "c".utf8)
        file.parent = 2
        index.add(file, "x".utf8)
        index.add(file, "y".utf8)
        return index
    }

    /// Makes entry 1 a sparse file of 1000 bytes with these extents.
    mutating func makeSparse(_ runs: [(UInt64, UInt64, UInt64)]) {
        var writer = ByteWriter()
        for run in runs {
            writer.integer(run.0)
            writer.integer(run.1)
            writer.integer(run.2)
        }
        extents = writer.bytes
        records[1].entry.flags = .sparse
        records[1].entry.size = 1000
        records[1].entry.count = UInt32(runs.count)
    }

    /// Gives entry 1 attributes with these bytes after the length.
    mutating func setAttributes(_ body: [UInt8], length: UInt32? = nil) {
        var writer = ByteWriter()
        writer.integer(length ?? UInt32(body.count))
        records[1].entry.attributes = UInt64(heap.count)
        heap += writer.bytes + body
    }

    private func page(_ range: Range<Int>) -> [UInt8] {
        var writer = ByteWriter()
        var offset = range.count * Entry.length
        for record in records[range] {
            record.entry.encode(
                into: &writer, nameLength: record.nameLength ?? record.name.count,
                nameOffset: record.nameOffset ?? offset)
            offset += record.name.count + 1
        }
        for record in records[range] {
            writer.append(record.name)
            writer.append([0])
        }
        return writer.bytes
    }

    func seal() throws -> Sealed {
        var sealer = try HandSealer()
        let pageCount = (records.count + 255) / 256
        var layout = IndexLayout()
        layout.entryCount = UInt64(records.count)
        layout.pageCount = UInt32(pageCount)
        layout.inodeCount = layout.entryCount
        var next = 1 + UInt64(pageCount)
        var blocks: [[UInt8]] = []
        for number in 0..<pageCount {
            var page = page(number * 256..<min(records.count, (number + 1) * 256))
            editPage(number, &page)
            blocks.append(page)
        }
        let sections: [(WritableKeyPath<IndexLayout, IndexLayout.Section>, [UInt8])] = [
            (\.extents, extents), (\.heap, heap), (\.fences, fences), (\.owners, owners),
        ]
        for (path, bytes) in sections {
            layout[keyPath: path] = .init(firstBlock: next, length: UInt64(bytes.count))
            next += layout[keyPath: path].blockCount
            for start in stride(from: 0, to: bytes.count, by: 65536) {
                blocks.append(Array(bytes[start..<min(start + 65536, bytes.count)]))
            }
        }
        editLayout(&layout)
        var table = layout.encoded
        editTable(&table)
        sealer.add(.content, content.isEmpty ? [] : [.init(content)])
        sealer.add(.index, ([table] + blocks).map { .init($0) })
        let manifest = manifest ?? Sample.manifest(id: sealer.id).encoded
        sealer.add(
            .manifest,
            stride(from: 0, to: manifest.count, by: 1 << 20).map { start in
                .init(Array(manifest[start..<min(manifest.count, start + (1 << 20))]))
            })
        return sealer.finish(editStreams)
    }
}
