// The hash tree of the audit log, its checkpoints, and reports from those without a key.

import CapsuleBytes
import CapsuleSystem
import Crypto
import Testing

@testable import CapsuleCrypto

@Suite("Audit log")
struct MerkleTreeTests {
    /// The leaves and roots with which implementations of RFC 6962 are tested.
    private static let leaves: [[UInt8]] = [
        [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
        Array(0x50...0x57), Array(0x60...0x6f),
    ]
    private static let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    private static func tree(_ leaves: [[UInt8]]) -> [MerkleTree.Node: Digest32] {
        var hashes: [MerkleTree.Node: Digest32] = [:]
        for (number, leaf) in leaves.enumerated() {
            let made = MerkleTree.appended(MerkleTree.leaf(leaf), number: UInt64(number)) {
                hashes[$0] ?? .zero
            }
            for (node, hash) in made { hashes[node] = hash }
        }
        return hashes
    }

    @Test("roots are those of RFC 6962")
    func knownRoots() {
        let hashes = Self.tree(Self.leaves)
        for (size, root) in Self.roots.enumerated() {
            #expect(MerkleTree.root(size: UInt64(size)) { hashes[$0] ?? .zero }.hex == root)
        }
    }

    /// The root that a path leads to (RFC 9162, section 2.1.3.2).
    private static func root(
        of leaf: Digest32, _ number: UInt64, size: UInt64, _ path: [Digest32]
    ) -> Digest32? {
        var (place, last, hash) = (number, size - 1, leaf)
        for sibling in path {
            if last == 0 { return nil }
            if place & 1 == 1 || place == last {
                hash = MerkleTree.node(sibling, hash)
                while place & 1 == 0, place != 0 {
                    place >>= 1
                    last >>= 1
                }
            } else {
                hash = MerkleTree.node(hash, sibling)
            }
            place >>= 1
            last >>= 1
        }
        return last == 0 ? hash : nil
    }

    @Test("every path leads to the root, and that of another leaf does not")
    func paths() {
        let leaves = (0..<70).map { [UInt8($0)] }
        let hashes = Self.tree(leaves)
        for size in 1...UInt64(leaves.count) {
            let root = MerkleTree.root(size: size) { hashes[$0] ?? .zero }
            for number in 0..<size {
                let path = MerkleTree.inclusionProof(of: number, size: size) {
                    hashes[$0] ?? .zero
                }
                let leaf = MerkleTree.leaf(leaves[Int(number)])
                #expect(Self.root(of: leaf, number, size: size, path) == root)
                let other = MerkleTree.leaf(leaves[Int(number)] + [1])
                #expect(Self.root(of: other, number, size: size, path) != root)
            }
        }
    }

    @Test("a checkpoint opens with its key, unchanged, and with no other")
    func checkpoints() throws {
        let signer = try CheckpointSigner(
            seed: [UInt8](repeating: 7, count: 32), origin: "example.org/log")
        let other = try CheckpointSigner(
            seed: [UInt8](repeating: 8, count: 32), origin: "example.org/log")
        let root = MerkleTree.leaf([1, 2, 3])
        let text = try signer.checkpoint(size: 42, root: root)
        #expect(text.hasPrefix("example.org/log\n42\n\(Text.base64(root.bytes))\n\n\u{2014} "))
        let opened = try #require(signer.open(checkpoint: text))
        #expect(opened.size == 42 && opened.root == root)
        #expect(other.open(checkpoint: text) == nil)
        for index in text.utf8.indices.dropLast() {
            var bytes = Array(text.utf8)
            bytes[text.utf8.distance(from: text.utf8.startIndex, to: index)] ^= 1
            #expect(signer.open(checkpoint: String(decoding: bytes, as: UTF8.self)) == nil)
        }
        #expect(signer.verifierKey.split(separator: "+", maxSplits: 2).count == 3)
    }

    @Test("a report is opened by the key alone, whole, and for its workspace")
    func reports() throws {
        let key = SymmetricKey(data: [UInt8](repeating: 5, count: 32))
        let id = [UInt8](1...16)
        let message = Array("somebody tried".utf8)
        let sealed = try ReportBox.seal(
            message, to: ReportBox.publicKey(key), workspace: id)
        #expect(sealed.count == ReportBox.sealedLength)
        #expect(try ReportBox.open(sealed, key: key, workspace: id) == message)
        let stranger = SymmetricKey(data: [UInt8](repeating: 6, count: 32))
        #expect(throws: (any Error).self) {
            try ReportBox.open(sealed, key: stranger, workspace: id)
        }
        #expect(throws: (any Error).self) {
            try ReportBox.open(sealed, key: key, workspace: id.reversed())
        }
        for index in stride(from: 0, to: sealed.count, by: 7) {
            var changed = sealed
            changed[index] ^= 0x40
            #expect(throws: (any Error).self) {
                try ReportBox.open(changed, key: key, workspace: id)
            }
        }
    }
}
