// Reading files that do not compress, whose blocks lie back to back.

import CapsuleStorageFaults
import CapsuleSystem
import Testing

@testable import CapsuleWorkspace

@Suite("Raw blocks")
struct RawBlockTests {
    private static let length = 700_001

    private static func read(
        _ tree: LiveTree, _ number: UInt64, _ range: Range<Int>
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xaa, count: range.count)
        let count = try bytes.withUnsafeMutableBytes {
            try tree.read(number, at: UInt64(range.lowerBound), into: $0)
        }
        return Array(bytes.prefix(count))
    }

    /// A workspace with one file.
    private static func workspace(with content: [UInt8]) throws -> MemoryWorkspace {
        let made = try MemoryWorkspace.create()
        let tree = try made.open()
        try tree.put("file", content)
        try tree.commit()
        return made
    }

    @Test("any range is what was written, whether it begins and ends within blocks or not")
    func ranges() throws {
        let content = Environment.random(Self.length)
        let tree = try Self.workspace(with: content).open(isReadOnly: true)
        let inode = try #require(try tree.lookup(Array("file".utf8), in: Inode.root))
        let unit = SegmentStore.rawBlockLength
        var generator = SystemRandomNumberGenerator()
        var ranges = [0..<Self.length, unit..<4 * unit, unit - 1..<4 * unit + 1, 0..<unit]
        for _ in 0..<50 {
            let start = Int.random(in: 0..<Self.length, using: &generator)
            ranges.append(start..<Int.random(in: start...Self.length, using: &generator))
        }
        for range in ranges where !range.isEmpty {
            #expect(try Self.read(tree, inode.number, range) == Array(content[range]), "\(range)")
        }
    }

    @Test("a bad block, or an end that is missing, is EIO for what touches it and nothing else")
    func damaged() throws {
        let content = Environment.random(Self.length)
        let made = try Self.workspace(with: content)
        let segment = try #require(try made.segments.names().first)
        let whole = made.segments[segment]
        let unit = SegmentStore.rawBlockLength
        let sealed = unit + SegmentStore.overhead
        let bad = 5
        for cut in [false, true] {
            var bytes = whole
            let place = Int(SegmentStore.headLength) + bad * sealed
            if cut { bytes.removeLast(bytes.count - place - 1) } else { bytes[place + 100] ^= 1 }
            made.segments[segment] = bytes
            let tree = try made.open(isReadOnly: true)
            let inode = try #require(try tree.lookup(Array("file".utf8), in: Inode.root))
            let before = 0..<bad * unit
            #expect(try Self.read(tree, inode.number, before) == Array(content[before]))
            for range in [0..<Self.length, (bad - 1) * unit..<(bad + 2) * unit] {
                #expect(throws: WorkspaceError.self) {
                    try Self.read(tree, inode.number, range)
                }
            }
            let after = (bad + 1) * unit..<Self.length
            if cut {
                #expect(throws: WorkspaceError.self) { try Self.read(tree, inode.number, after) }
            } else {
                #expect(try Self.read(tree, inode.number, after) == Array(content[after]))
            }
        }
    }
}
