// Hostile numbers that cost memory, time or a trap instead of a wrong answer.

import CZstd
import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Testing

@testable import CapsuleFormat

@Suite("Hostile sizes")
struct HostileTreeTests {
    private static func frame(_ plaintext: [UInt8]) -> [UInt8] {
        let compressor = ZstdCompressor(level: 3)
        var target = [UInt8](repeating: 0, count: plaintext.count + 1000)
        let size = plaintext.withUnsafeBytes { source in
            target.withUnsafeMutableBytes { compressor.compress(source, into: $0) }
        }
        return Array(target.prefix(size ?? 0))
    }

    /// A capsule whose content stream is one block with this payload.
    private static func content(_ block: HandSealer.Block) throws -> Capsule {
        var sealer = try HandSealer()
        sealer.add(.content, [block])
        let plain = try HostileIndex.plain().seal()
        let index = try #require(try plain.file.trailer.stream(.index))
        var blocks: [HandSealer.Block] = []
        try plain.open().index.forEachBlock { blocks.append(.init([UInt8]($0))) }
        #expect(blocks.count == Int(index.blockCount))
        sealer.add(.index, blocks)
        sealer.add(.manifest, [.init(Sample.manifest(id: sealer.id).encoded)])
        return try sealer.finish().open()
    }

    @Test("a frame that expands to more or less than its block says is damage")
    func bombs() throws {
        let bomb = Self.frame([UInt8](repeating: 0, count: 1 << 24))
        let good = Self.frame([UInt8](repeating: 3, count: 1000))
        let rows: [(frame: [UInt8], length: Int, isRight: Bool)] = [
            (good, 1000, true), (good, 999, false), (good, 1001, false), (bomb, 100_000, false),
            (bomb, 1 << 20, false), (good.dropLast(), 1000, false), ([1, 2, 3], 1000, false),
            ([0], 1000, false),
        ].map { (Array($0.0), $0.1, $0.2) }
        for (number, row) in rows.enumerated() {
            let capsule = try Self.content(.init(frame: row.frame, length: row.length))
            let entry = try capsule.index.entry(1)
            let fault = failure { _ = try Snapshot.contents(capsule, entry) }
            #expect((fault == nil) == row.isRight, "row \(number)")
            #expect(row.isRight || fault?.message.contains("does not decompress") == true)
        }
    }

    /// Names of one directory on both sides of a page boundary, the second not after the first.
    private func acrossPages(_ last: String, _ first: String) throws -> Capsule {
        var index = HostileIndex()
        var root = HostileIndex.entry(0o040755)
        (root.place, root.count) = (1, 300)
        index.add(root, [])
        for number in 1...300 {
            let name = number == 255 ? last : number == 256 ? first : "n\(1000 + number)"
            index.add(HostileIndex.entry(0o100644), name.utf8)
        }
        return try index.seal().open()
    }

    @Test("names out of order across a page boundary are refused in a listing")
    func orderAcrossPages() throws {
        #expect(failure { _ = try Snapshot(try acrossPages("n1255", "n1256")) } == nil)
        for first in ["n1255", "n1254", "n125"] {
            let capsule = try acrossPages("n1255", first)
            #expect(failure { _ = try Snapshot(capsule) }?.code == .damaged)
        }
    }

    @Test("they are refused in a listing that begins at the boundary, too")
    func orderAtStart() throws {
        let capsule = try acrossPages("n1255", "n1255")
        let root = try capsule.index.entry(0)
        do {
            let fault = failure {
                try capsule.index.forEach(in: 0, root, from: 255) { _, _, _ in true }
            }
            #expect(fault?.code == .damaged)
        }
    }

    @Test("2^32 - 3 entries that are not there cost neither memory nor time")
    func absurdCounts() throws {
        var index = HostileIndex.plain()
        index.records[0].entry.count = UInt32.max - 2
        index.editLayout = { layout in
            (layout.entryCount, layout.pageCount) = (4_294_967_294, 1 << 24)
            let shift = UInt64(1 << 24) - 1
            layout.extents.firstBlock += shift
            layout.heap.firstBlock += shift
            layout.fences.firstBlock += shift
            layout.owners.firstBlock += shift
        }
        index.editStreams = { $0[1].blockCount += UInt64(1 << 24) - 1 }
        let sealed = try index.seal()
        #expect(failure { _ = try Snapshot(try sealed.open()) }?.code == .damaged)
        #expect(isNoticed(MemoryStorage(sealed.bytes)))
    }

    @Test("sections that are not there cost neither memory nor time")
    func absurdSections() throws {
        var index = HostileIndex.plain()
        index.makeSparse([(0, 10, 0)])
        index.records[1].entry.count = .max
        let length = UInt64(UInt32.max) * 24
        let blocks = (length + 65535) / 65536
        index.editLayout = { layout in
            layout.extents.length = length
            layout.heap.firstBlock += blocks - 1
            layout.fences.firstBlock += blocks - 1
            layout.owners.firstBlock += blocks - 1
        }
        index.editStreams = { $0[1].blockCount += blocks - 1 }
        let sealed = try index.seal()
        #expect(failure { _ = try Snapshot(try sealed.open()) }?.code == .damaged)
    }

    @Test("a manifest that is too long, not JSON or another capsule's is refused")
    func manifests() throws {
        let right = Sample.manifest(id: Noise.bytes(16, seed: 201)).encoded
        let spaces = [UInt8](repeating: 32, count: (16 << 20) - right.count)
        let rows: [(manifest: [UInt8], code: FormatError.Code?)] = [
            (right, nil), (right + spaces, nil), (right + spaces + [32], .limitExceeded),
            ([], .damaged), (Array("{}".utf8), .damaged), (right.dropLast(), .damaged),
            (Sample.manifest(id: Noise.bytes(16, seed: 202)).encoded, .damaged),
            ([UInt8](repeating: UInt8(ascii: "["), count: 1 << 20), .damaged),
            ([0xff, 0xfe], .damaged),
        ].map { (Array($0.0), $0.1) }
        for (number, row) in rows.enumerated() {
            var index = HostileIndex.plain()
            index.manifest = row.manifest
            let capsule = try index.seal().open()
            #expect(failure { _ = try capsule.manifest() }?.code == row.code, "row \(number)")
        }
    }

    /// Directories in directories.
    static func deep(_ depth: Int) throws -> Sealed {
        var index = HostileIndex()
        for level in 0...depth {
            var entry = HostileIndex.entry(0o040755, in: Ordinal(max(level - 1, 0)))
            if level < depth { (entry.place, entry.count) = (UInt64(level + 1), 1) }
            index.add(entry, level == 0 ? [] : [100])
        }
        return try index.seal()
    }

    @Test("4096 directories below each other have a path, 5000 have none")
    func depth() throws {
        let index = try Self.deep(5000).open().index
        #expect(try index.path(of: 4096).count == 2 * 4096 - 1)
        #expect(failure { _ = try index.path(of: 4097) }?.code == .damaged)
        #expect(failure { _ = try Snapshot(try Self.deep(5000).open()) }?.code == .limitExceeded)
        do {
            let path = [[UInt8]](repeating: [100], count: 5000)
            #expect(throws: FormatError.self) { _ = try index.resolve(path) }
        }
    }

    @Test("a fence longer than allowed, or cut off, makes look-ups fail and not guess")
    func fences() throws {
        for head in [[255, 255, 255, 255], [1, 240, 0, 0], [40, 0, 0, 0], [0, 0, 0, 0]] as [[UInt8]]
        {
            var index = HostileIndex.plain()
            index.fences = [0, 0, 0, 0] + head + [UInt8](repeating: 0, count: 20)
            index.records[2].entry.extra = 4
            let reader = try index.seal().open().index
            let fault = failure { _ = try reader.resolve([[98], [120]]) }
            #expect(fault?.code == .damaged, "\(head)")
        }
    }

    // MARK: Traps

    @Test("an index of 2^64 - 1 entries is refused and no trap")
    func entryCountOverflow() async {
        do {
            await #expect(processExitsWith: .success) {
                var index = HostileIndex.plain()
                index.editLayout = { $0.entryCount = .max }
                let sealed = try index.seal()
                #expect(throws: FormatError.self) { _ = try sealed.open() }
            }
        }
    }

    @Test("a node with the block index 2^64 - 1 is a fault to the verifier and no trap")
    func firstBlockOverflow() async {
        do {
            await #expect(processExitsWith: .success) {
                let bytes = try Forge.rootNode(
                    of: try Sample.shared.get(), stream: .content, repair: .keyless
                ) { Forge.put(UInt64.max, into: &$0, at: 16) }
                #expect(isNoticed(MemoryStorage(bytes)))
            }
        }
    }

    @Test("children of 2^60 bytes each are a fault and no trap")
    func plaintextOverflow() async {
        do {
            await #expect(processExitsWith: .success) {
                var writer = TreeNode.head(
                    level: 1, count: 32, stream: .content, firstBlock: 0, fileStart: 0,
                    logicalStart: 0)
                for child in 1...32 as ClosedRange<UInt64> {
                    writer.append([UInt8](repeating: 0, count: 32))
                    writer.integer(child)
                    writer.integer(Limits.streamLength)
                }
                #expect(throws: FormatError.self) {
                    _ = try TreeNode(
                        decoding: writer.bytes, at: 1000, level: 1, stream: .content)
                }
            }
        }
    }

    /// Six levels of `width` nodes, each of which has all nodes of the level below as children.
    private static func lattice(width: Int) throws -> MemoryStorage {
        var sealer = try HandSealer()
        let start = sealer.position
        var bytes: [UInt8] = []
        var nodes: [(hash: Digest32, offset: UInt64)] = []
        func write(_ writer: ByteWriter) -> (hash: Digest32, offset: UInt64) {
            let place = start + UInt64(bytes.count)
            bytes += writer.bytes
            return (TreeNode.nodeContext.hash(writer.bytes), place)
        }
        for _ in 0..<width {
            let block = start + UInt64(bytes.count)
            bytes += [UInt8](repeating: 0, count: 17)
            var writer = TreeNode.head(
                level: 0, count: 1, stream: .content, firstBlock: 0, fileStart: block,
                logicalStart: 0)
            writer.append([UInt8](repeating: 0, count: 32))
            writer.integer(UInt32(17))
            writer.integer(UInt32(1))
            nodes.append(write(writer))
        }
        for level in 1...5 {
            let children = nodes
            nodes = []
            for _ in 0..<(level == 5 ? 1 : width) {
                var writer = TreeNode.head(
                    level: level, count: width, stream: .content, firstBlock: 0, fileStart: start,
                    logicalStart: 0)
                for child in children {
                    writer.append(child.hash.bytes)
                    writer.integer(child.offset)
                    writer.integer(UInt64(1))
                }
                nodes.append(write(writer))
            }
        }
        let root = nodes[0]
        sealer.add(
            raw: bytes,
            Trailer.Stream(
                id: .content, rootLevel: 5, blockCount: 1, start: start,
                end: start + UInt64(bytes.count), logicalLength: 1, rootOffset: root.offset,
                rootHash: root.hash))
        return MemoryStorage(sealer.finish().bytes)
    }

    @Test("a verifier's work is bounded by the file, not by paths through shared nodes")
    func sharedNodes() throws {
        let storage = try Self.lattice(width: 5)
        let report = CapsuleVerifier(try CapsuleFile(storage), workerCount: 1).verify()
        #expect(!report.isIntact)
        do {
            #expect(storage.reads < 500)
        }
    }
}
