// Patterns of what is left out, and the rounding of padded lengths.

import Testing

@testable import CapsuleTree

@Suite("Patterns and padding")
struct ExcludePatternTests {
    private func matches(_ pattern: String, _ path: String, directory: Bool = false) -> Bool {
        ExcludePattern(pattern).matches(path: Array(path.utf8), isDirectory: directory)
    }

    @Test("a pattern without a slash is compared with the last component")
    func names() {
        for path in ["a.o", "x/a.o", "x/y/a.o"] { #expect(matches("*.o", path)) }
        #expect(matches("a?c", "x/abc") && matches("[ab]", "x/b") && matches("*", ".hidden"))
        #expect(!matches("*.o", "a.o/x") && !matches("a", "ab") && !matches("A", "a"))
    }

    @Test("a pattern with a slash is compared with the whole path, and * stops at slashes")
    func paths() {
        #expect(matches("x/*.o", "x/a.o") && !matches("x/*.o", "x/y/a.o"))
        #expect(!matches("x/*.o", "z/x/a.o"))
        #expect(matches("/a", "a") && !matches("/a", "x/a"))
        #expect(matches("*/b", "a/b") && !matches("*/b", "b") && !matches("*/b", "a/x/b"))
    }

    @Test("a slash at the end restricts a pattern to directories")
    func directories() {
        #expect(matches("build/", "x/build", directory: true) && !matches("build/", "build"))
        #expect(matches("x/build//", "x/build", directory: true))
        #expect(!matches("/", "x", directory: true) && !matches("", "x"))
    }

    @Test("names that are not UTF-8 match and do not trap")
    func invalidUTF8() {
        #expect(ExcludePattern("a*").matches(path: [97, 0xff, 0xfe], isDirectory: false))
        #expect(!ExcludePattern("b*").matches(path: [0xff], isDirectory: false))
    }

    @Test("padded lengths grow by at most an eighth and keep few leading bits")
    func padding() {
        for length in [0, 1, 2, 3, 9, 100, 4096, 65_537, 1_000_003, 1 << 40, (1 << 59) + 1]
            as [UInt64]
        {
            let rounded = Padding.roundedLength(length)
            #expect(rounded >= length && rounded - length <= length / 8 + 1)
            #expect(Padding.roundedLength(rounded) == rounded)
            guard length > 2 else { continue }
            let exponent = 63 - rounded.leadingZeroBitCount
            let significant = 64 - rounded.leadingZeroBitCount - rounded.trailingZeroBitCount
            #expect(significant <= 64 - UInt64(exponent).leadingZeroBitCount + 1)
        }
    }
}
