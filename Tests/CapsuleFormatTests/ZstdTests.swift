// A stored unit is exactly one zstd frame: what libzstd would also accept around it is refused.

import Testing

@testable import CapsuleFormat

@Suite("Zstd frames")
struct ZstdTests {
    private static let text = [UInt8](repeating: 0x61, count: 5000)

    private static func frame(_ text: [UInt8]) throws -> [UInt8] {
        var target = [UInt8](repeating: 0, count: text.count + 100)
        let size = text.withUnsafeBytes { source in
            target.withUnsafeMutableBytes { ZstdCompressor(level: 3).compress(source, into: $0) }
        }
        return Array(target[..<(try #require(size))])
    }

    private static func decompressed(_ source: [UInt8], room: Int = 20_000) -> [UInt8]? {
        var target = [UInt8](repeating: 0, count: room)
        let size = source.withUnsafeBytes { source in
            target.withUnsafeMutableBytes { ZstdDecompressor().decompress(source, into: $0) }
        }
        return size.map { Array(target[..<$0]) }
    }

    @Test("one frame gives back its text, into exactly the room it needs")
    func frame() throws {
        let frame = try Self.frame(Self.text)
        #expect(Self.decompressed(frame) == Self.text)
        #expect(Self.decompressed(frame, room: Self.text.count) == Self.text)
        #expect(Self.decompressed(frame, room: Self.text.count - 1) == nil)
    }

    @Test("two frames, bytes after the frame and a frame cut short are refused")
    func more() throws {
        let frame = try Self.frame(Self.text)
        #expect(Self.decompressed(frame + frame) == nil)
        #expect(Self.decompressed(frame + [0]) == nil)
        #expect(Self.decompressed(Array(frame.dropLast())) == nil)
        #expect(Self.decompressed([]) == nil)
    }

    @Test("frames that may be skipped (RFC 8878, section 3.1.2) are refused alone and around one")
    func skippable() throws {
        let frame = try Self.frame(Self.text)
        let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]
        for source in [skippable, skippable + frame, frame + skippable] {
            #expect(Self.decompressed(source) == nil)
        }
    }
}
