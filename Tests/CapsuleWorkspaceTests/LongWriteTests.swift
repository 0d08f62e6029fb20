// What the medium is told while much is written.

import CapsuleStorageFaults
import CapsuleSystem
import Testing

@testable import CapsuleWorkspace

@Suite("Long writes")
struct LongWriteTests {
    /// More than two steps of a flush.
    private static let length = 17 << 20

    @Test("of what does not compress, steps that are on their way to the medium leave the memory")
    func random() throws {
        let made = try MemoryWorkspace.create()
        let tree = try made.open()
        try tree.put("random", Environment.random(Self.length))
        #expect(made.segments.begun.count == 2)
        #expect(made.segments.forgotten == Array(made.segments.begun.prefix(1)))
    }

    @Test("what compresses stays in memory, sealed: it is the smaller copy")
    func compressible() throws {
        let made = try MemoryWorkspace.create()
        let tree = try made.open()
        let half = 64 << 10
        var content: [UInt8] = []
        while content.count < 2 * Self.length {
            content += Environment.random(half)
            content += [UInt8](repeating: 7, count: half)
        }
        try tree.put("mixed", content)
        #expect(made.segments.begun.count == 2)
        #expect(made.segments.forgotten == [])
    }
}
