// The plaintext of an index of which a sealer with the right keys chooses every byte.

import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem

@testable import CapsuleFormat

struct IndexImage: Sendable {
    var entryCount: UInt64
    var pages: [[UInt8]] = []
    var extents: [UInt8] = []
    var heap: [UInt8] = [0]
    var fences: [UInt8] = []
    var owners: [UInt8] = []
    var content = Fixture.pattern(9, 1000)

    /// Pages of these entries.
    init(_ entries: [(entry: Entry, name: String)]) {
        entryCount = UInt64(entries.count)
        for start in stride(from: 0, to: entries.count, by: Limits.entriesPerPage) {
            let part = entries[start..<min(entries.count, start + Limits.entriesPerPage)]
            var writer = ByteWriter()
            var offset = part.count * Entry.length
            for (entry, name) in part {
                entry.encode(into: &writer, nameLength: name.utf8.count, nameOffset: offset)
                offset += name.utf8.count + 1
            }
            for (_, name) in part { writer.append(Array(name.utf8) + [0]) }
            pages.append(writer.bytes)
        }
    }

    private static func entry(
        _ mode: UInt32, in parent: Ordinal = 0, size: UInt64 = 0, place: UInt64 = 0,
        count: UInt32 = 0
    ) -> Entry {
        var entry = Entry()
        (entry.mode, entry.parent, entry.size) = (mode, parent, size)
        (entry.place, entry.count) = (place, count)
        return entry
    }

    /// One entry of each kind.
    static let small: IndexImage = {
        var alias = entry(0o100644, place: 3)
        alias.flags = .alias
        var file = entry(0o100644, size: 100)
        (file.linkCount, file.attributes) = (2, 7)
        var sparse = entry(0o100600, size: 900, count: 2)
        (sparse.flags, sparse.extra) = (.sparse, 110)
        var image = IndexImage([
            (entry(0o040755, place: 1, count: 6), ""), (alias, "alias"),
            (entry(0o040700, place: 7, count: 2), "dir"), (file, "file"),
            (entry(0o120777, size: 6, place: 1), "link"), (sparse, "sparse"),
            (entry(0o020620, place: 4 << 32 | 1), "tty"),
            (entry(0o104755, in: 2, size: 10, place: 990), "x"), (entry(0o010600, in: 2), "y"),
        ])
        image.heap += Array("target".utf8) + attributeSet
        for extent: [UInt64] in [[0, 100, 50], [500, 10, 0]] {
            var writer = ByteWriter()
            for number in extent { writer.integer(number) }
            image.extents += writer.bytes
        }
        image.owners = ownerTable
        return image
    }()

    /// A set of two extended attributes, as the heap has it.
    static let attributeSet: [UInt8] =
        [24, 0, 0, 0, 2, 0] + [6, 0, 3, 0, 0, 0] + Array("user.a".utf8) + [1, 2, 3]
        + [1, 0, 0, 0, 0, 0] + [98]

    static let ownerTable: [UInt8] =
        [0, 3, 232, 3, 0, 0] + Array("ada".utf8) + [1, 5, 100, 0, 0, 0] + Array("users".utf8)

    /// A directory on three pages, with a fence.
    static let wide: IndexImage = {
        var root = entry(0o040755, place: 1, count: 600)
        root.extra = 4
        let files = (1001...1600).map { (entry(0o100644, size: 5, place: 7), "n\($0)") }
        var image = IndexImage([(root, "")] + files)
        let separators = ["n1256", "n1512"].map { Array($0.utf8) }
        image.fences = [0, 0, 0, 0] + Fence(stride: 1, separators: separators).encoded
        return image
    }()

    /// A change that the input asks for: a part from scratch, or some bytes of one.
    mutating func change(_ input: inout FuzzInput) {
        let choice = input.number(UInt8.self)
        let parts: [WritableKeyPath<IndexImage, [UInt8]>] = [
            \.pages[0], \.extents, \.heap, \.fences, \.owners, \.content,
            \.pages[pages.count / 2], \.pages[pages.count - 1],
        ]
        let part = parts[Int(choice & 7)]
        if choice & 0x80 != 0 {
            self[keyPath: part] = input.piece()
            return
        }
        let offset = Int(input.number(UInt16.self))
        let bytes = input.bytes(Int(input.number(UInt8.self)))
        guard offset + bytes.count <= self[keyPath: part].count else { return }
        self[keyPath: part].replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    /// The whole capsule, with a table that fits.
    func seal() -> InputStorage {
        var layout = IndexLayout()
        layout.entryCount = entryCount
        layout.inodeCount = entryCount
        layout.pageCount = UInt32((entryCount + 255) / 256)
        var blocks = pages.prefix(Int(layout.pageCount)) as ArraySlice<[UInt8]>
        while blocks.count < Int(layout.pageCount) { blocks.append([0]) }
        var next = 1 + UInt64(layout.pageCount)
        let sections: [(WritableKeyPath<IndexLayout, IndexLayout.Section>, [UInt8])] = [
            (\.extents, Array(extents.prefix(extents.count / 24 * 24))), (\.heap, heap),
            (\.fences, fences), (\.owners, owners),
        ]
        for (path, bytes) in sections {
            layout[keyPath: path] = .init(firstBlock: next, length: UInt64(bytes.count))
            next += layout[keyPath: path].blockCount
            for start in stride(from: 0, to: bytes.count, by: IndexLayout.sectionBlockLength) {
                blocks.append(Array(bytes[start...].prefix(IndexLayout.sectionBlockLength)))
            }
        }
        var sealer = FixtureSealer()
        sealer.add(.content, content.isEmpty ? [] : [content])
        sealer.add(.index, [layout.encoded] + blocks)
        sealer.add(.manifest, [Array("{}".utf8)])
        return sealer.finish()
    }

    /// The capsule, opened; nil where that fails.
    func open() -> Capsule? {
        let caches = Capsule.CacheSizes(content: 1 << 14, index: 1 << 18, nodes: 1 << 14)
        guard let file = try? CapsuleFile(seal()) else { return nil }
        return try? Capsule(file, keys: Fixture.keys, caches: caches)
    }
}
