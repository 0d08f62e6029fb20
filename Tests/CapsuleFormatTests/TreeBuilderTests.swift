// The shapes of hash trees: what the builder writes is what readers and verifiers accept.

import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Crypto
import Testing

@testable import CapsuleFormat

@Suite("Hash tree")
struct TreeBuilderTests {
    static let keys = FileKeys(
        fileKey: SymmetricKey(data: Noise.bytes(32, seed: 1)), salt: Noise.bytes(32, seed: 2))
    static let id = Noise.bytes(16, seed: 3)

    /// Blocks of one to eight bytes of plaintext, really sealed, and their tree.
    private static func build(_ count: Int) -> (storage: MemoryStorage, entry: Trailer.Stream) {
        let codec = BlockCodec(stream: .content, keys: keys, capsuleID: id)
        var bytes = [UInt8](repeating: 0, count: 64)
        var tree = TreeBuilder(stream: .content, start: 64)
        var logical: UInt64 = 0
        for index in 0..<count {
            let plain = plaintext(index)
            var sealed = [UInt8](repeating: 0, count: plain.count + 16)
            let leaf = plain.withUnsafeBytes { source in
                sealed.withUnsafeMutableBytes {
                    codec.seal(
                        source, logicalOffset: logical, logicalLength: plain.count, into: $0)
                }
            }
            bytes += sealed
            tree.add(hash: leaf, storedLength: sealed.count, logicalLength: plain.count) {
                bytes += $0
            }
            logical += UInt64(plain.count)
        }
        let entry = tree.finish { bytes += $0 }
        #expect(entry.end == UInt64(bytes.count))
        return (MemoryStorage(bytes), entry)
    }

    private static func plaintext(_ index: Int) -> [UInt8] {
        let all = withUnsafeBytes(of: UInt64(index).littleEndian) { [UInt8]($0) }
        return Array(all.prefix(4 + index % 5))
    }

    static let shapes = [
        (0, 0), (1, 0), (2, 0), (255, 0), (256, 0), (257, 1), (512, 1), (65_535, 1), (65_536, 1),
        (65_537, 2),
    ]

    @Test(
        "every number of blocks gives the lowest tree, and each block is found", arguments: shapes)
    func shape(count: Int, level: Int) throws {
        let (storage, entry) = Self.build(count)
        #expect(Int(entry.rootLevel) == level)
        #expect(entry.blockCount == UInt64(count) && entry.start == 64)
        guard count > 0 else {
            #expect(entry.rootOffset == 0 && entry.rootHash == .zero && entry.end == 64)
            return
        }
        let codec = BlockCodec(stream: .content, keys: Self.keys, capsuleID: Self.id)
        let reader = try StreamReader(
            entry, codec: codec, storage: storage, nodeCacheLength: 1 << 20,
            scratch: ScratchPool())
        var logical: UInt64 = 0
        for index in 0..<count {
            let (node, position) = try reader.leafNode(block: UInt64(index))
            let block = node.blocks[position]
            #expect(block.logicalOffset == logical)
            let isSampled = count < 1000 || index % 97 == 0 || index > count - 3
            if isSampled {
                let plain = try reader.load(block).withBytes { [UInt8]($0) }
                #expect(plain == Self.plaintext(index))
                let last = block.logicalEnd - 1
                let same = try reader.leafNode(containing: last)
                #expect(same.blocks[same.position(of: last)] == block)
            }
            logical = block.logicalEnd
        }
        #expect(logical == entry.logicalLength)
        #expect(failure { _ = try reader.leafNode(block: UInt64(count)) }?.code == .damaged)
        #expect(failure { _ = try reader.leafNode(containing: logical) }?.code == .damaged)
    }

    @Test("a node put in another's place is refused although its hash is right")
    func misplacedChild() throws {
        let (storage, entry) = Self.build(600)
        let root = try StreamReader.loadNode(
            storage, hash: entry.rootHash, offset: entry.rootOffset, level: 1, stream: .content)
        var bytes = Array(storage.bytes[Int(entry.rootOffset)..<Int(entry.end)])
        // The second child's hash and place now name the first child.
        let first = root.children[0]
        bytes.replaceSubrange(88..<120, with: first.hash.bytes)
        let parsed = failure {
            Forge.put(first.nodeOffset, into: &bytes, at: 120)
            _ = try TreeNode(
                decoding: bytes, at: entry.rootOffset, level: 1, stream: .content)
        }
        #expect(parsed?.message.contains("node offset") == true)
    }

    @Test("a node of level 1 whose entries break the rules is refused")
    func childDefects() throws {
        let (storage, entry) = Self.build(600)
        let good = Array(storage.bytes[Int(entry.rootOffset)..<Int(entry.end)])
        let defects: [(offset: Int, value: UInt64)] = [
            (72, 0), (72, 64), (72, entry.rootOffset), (72, .max), (80, 0), (80, 1 << 61),
            (120, 65), (168, entry.end), (24, .max), (32, 1 << 61),
        ]
        for defect in defects {
            var bytes = good
            Forge.put(defect.value, into: &bytes, at: defect.offset)
            let fault = failure {
                _ = try TreeNode(
                    decoding: bytes, at: entry.rootOffset, level: 1, stream: .content)
            }
            #expect(fault?.code == .damaged, "\(defect)")
        }
        for (level, stream) in [(0, StreamID.content), (2, .content), (1, .index)] {
            let fault = failure {
                _ = try TreeNode(
                    decoding: good, at: entry.rootOffset, level: level, stream: stream)
            }
            #expect(fault?.code == .damaged)
        }
    }
}
