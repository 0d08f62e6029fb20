// Changes to capsules that keep every checksum right but the one that a test is about.

import CapsuleBytes
import CapsuleCrypto
import Testing

@testable import CapsuleFormat

enum Forge {
    private static let headerContext = Blake3Context("capsulefs 2 header checksum")
    private static let areaContext = Blake3Context("capsulefs 2 area checksum")
    private static let rootContext = Blake3Context("capsulefs 2 root")
    private static let trailerContext = Blake3Context("capsulefs 2 trailer checksum")
    private static let slotContext = Blake3Context("capsulefs 2 slot checksum")

    /// What is computed anew after a trailer was edited.
    struct Repair: OptionSet {
        let rawValue: Int
        static let root = Repair(rawValue: 1)
        static let mac = Repair(rawValue: 2)
        static let checksum = Repair(rawValue: 4)
        static let all: Repair = [.root, .mac, .checksum]
        /// What everyone can compute.
        static let keyless: Repair = [.root, .checksum]
    }

    static func put<T: FixedWidthInteger>(_ value: T, into bytes: inout [UInt8], at offset: Int) {
        var writer = ByteWriter()
        writer.integer(value)
        bytes.replaceSubrange(offset..<offset + writer.count, with: writer.bytes)
    }

    /// A header with an edit and a right checksum.
    static func header(_ encoded: [UInt8], _ edit: (inout [UInt8]) -> Void) -> [UInt8] {
        var body = Array(encoded[..<4064])
        edit(&body)
        return body + headerContext.hash(body).bytes
    }

    /// The capsule with an edited trailer.
    static func trailer(
        of sealed: Sealed, repair: Repair = .all, _ edit: (inout [UInt8]) -> Void
    ) -> [UInt8] {
        var trailer = Array(sealed.bytes.suffix(1024))
        edit(&trailer)
        if repair.contains(.root) {
            trailer.replaceSubrange(928..<960, with: rootContext.hash(Array(trailer[..<928])).bytes)
        }
        if repair.contains(.mac) {
            trailer.replaceSubrange(
                960..<992, with: sealed.keys.trailerMAC(Array(trailer[..<960])))
        }
        if repair.contains(.checksum) {
            trailer.replaceSubrange(
                992..., with: trailerContext.hash(Array(trailer[..<992])).bytes)
        }
        return sealed.bytes.dropLast(1024) + trailer
    }

    /// The capsule with an edited header, whose checksum, root and MAC are right.
    static func header(of sealed: Sealed, _ edit: (inout [UInt8]) -> Void) -> [UInt8] {
        var changed = sealed
        let header = header(Array(sealed.bytes[..<4096]), edit)
        changed.bytes.replaceSubrange(..<4096, with: header)
        return trailer(of: changed) { trailer in
            trailer.replaceSubrange(16..<32, with: header[8..<24])
            trailer.replaceSubrange(32..<64, with: header.suffix(32))
        }
    }

    /// The area with an edit, a MAC if there are keys, and a right checksum.
    static func area(
        _ bytes: some Collection<UInt8>, keys: FileKeys? = nil, _ edit: (inout [UInt8]) -> Void
    ) -> [UInt8] {
        var area = Array(bytes)
        edit(&area)
        let end = area.count
        if let keys {
            area.replaceSubrange(
                end - 64..<end - 32, with: keys.slotAreaMAC(Array(area[..<(end - 64)])))
        }
        area.replaceSubrange(
            (end - 32)..., with: areaContext.hash(Array(area[..<(end - 32)])).bytes)
        return area
    }

    /// A slot record with an edit and a right checksum.
    static func slot(_ record: [UInt8], _ edit: (inout [UInt8]) -> Void) -> [UInt8] {
        var body = Array(record.dropLast(32))
        edit(&body)
        return body + slotContext.hash(body).bytes
    }

    /// The capsule whose stream's tree is replaced from its root node on: `node` gets the root node
    /// of level 0 and edits it; the trailer points to the result.
    static func rootNode(
        of sealed: Sealed, stream id: StreamID, repair: Repair = .all,
        _ edit: (inout [UInt8]) -> Void
    ) throws -> [UInt8] {
        let file = try sealed.file
        let position = try #require(file.trailer.streams.firstIndex { $0.id == id })
        let stream = file.trailer.streams[position]
        let range = Int(stream.rootOffset)..<Int(stream.end)
        var node = Array(sealed.bytes[range])
        edit(&node)
        var changed = sealed
        changed.bytes.replaceSubrange(range, with: node)
        let entry = 64 + position * 80
        return trailer(of: changed, repair: repair) { trailer in
            trailer.replaceSubrange(
                entry + 48..<entry + 80, with: TreeNode.nodeContext.hash(node).bytes)
        }
    }

    /// The byte ranges of everything in a capsule that can be exchanged: blocks, then nodes.
    static func parts(of sealed: Sealed) throws -> (blocks: [Range<Int>], nodes: [Range<Int>]) {
        let file = try sealed.file
        var blocks: [Range<Int>] = []
        var nodes: [Range<Int>] = []
        for stream in file.trailer.streams {
            let root = try StreamReader.loadNode(
                file.storage, hash: stream.rootHash, offset: stream.rootOffset,
                level: Int(stream.rootLevel), stream: stream.id)
            #expect(root.level == 0)
            blocks += root.blocks.map { Int($0.fileOffset)..<Int($0.fileEnd) }
            nodes.append(Int(stream.rootOffset)..<Int(stream.end))
        }
        return (blocks, nodes)
    }
}
