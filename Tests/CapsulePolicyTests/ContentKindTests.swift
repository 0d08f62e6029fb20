// What bytes are taken for.

import Testing

@testable import CapsulePolicy

@Suite("Content kinds")
struct ContentKindTests {
    @Test("text")
    func text() {
        #expect(ContentKind.classify([]) == .empty)
        #expect(ContentKind.classify(Array("plain\n".utf8)) == .utf8)
        #expect(ContentKind.classify(Array("\u{1b}[31mrot: Grün\u{1b}[0m".utf8)) == .utf8)
        #expect(ContentKind.classify([0x47, 0x72, 0xfc, 0x6e, 0x0a]) == .otherText)
        let cut = Array(String(repeating: "a", count: 4095).utf8) + Array("é".utf8)
        #expect(ContentKind.classify(cut) == .utf8)
        #expect(ContentKind.classify(Array(cut.prefix(4096))) == .utf8)
        #expect(ContentKind.classify([0x61, 0xc3]) == .otherText)
    }

    @Test("UTF-16, with a mark and without")
    func utf16() {
        let text = Array("some text of ASCII".utf8)
        #expect(ContentKind.classify(UTF16Text.encode(text, .little)) == .utf16LittleEndian)
        #expect(ContentKind.classify(UTF16Text.encode(text, .big)) == .utf16BigEndian)
        #expect(ContentKind.classify([0xff, 0xfe, 0x41, 0x30]) == .utf16LittleEndian)
        #expect(ContentKind.classify([0xfe, 0xff, 0x30, 0x41]) == .utf16BigEndian)
    }

    @Test("archives and others, by their first bytes and not by name")
    func archives() {
        #expect(ContentKind.classify([0x50, 0x4b, 3, 4, 20, 0]) == .archive("zip"))
        #expect(ContentKind.classify([0x1f, 0x8b, 8, 0]) == .archive("gzip"))
        #expect(ContentKind.classify([0x28, 0xb5, 0x2f, 0xfd, 0]) == .archive("zstd"))
        #expect(ContentKind.classify(Array("%PDF-1.7\n".utf8)) == .archive("pdf"))
        #expect(ContentKind.classify(Array("SQLite format 3\0".utf8)) == .archive("sqlite"))
        var tar = [UInt8](repeating: 0, count: 512)
        tar.replaceSubrange(257..<262, with: "ustar".utf8)
        #expect(ContentKind.classify(tar) == .archive("tar"))
        #expect(ContentKind.classify([1, 2, 0, 4, 5, 0, 7]) == .binary)
        #expect(ContentKind.classify([UInt8](repeating: 1, count: 64)) == .binary)
        #expect(!ContentKind.archive("zip").canBeScanned && !ContentKind.binary.canBeScanned)
        #expect(ContentKind.otherText.canBeScanned && ContentKind.utf16BigEndian.canBeScanned)
    }
}
