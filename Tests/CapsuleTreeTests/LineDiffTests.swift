// The unified format of diff -u.

import CapsuleTree
import Testing

@Suite("Differences of texts")
struct LineDiffTests {
    private static func diff(_ old: String, _ new: String) -> String {
        String(
            decoding: LineDiff(Array(old.utf8), Array(new.utf8)).unified(
                from: Array("a".utf8), to: Array("b".utf8)), as: UTF8.self)
    }

    @Test("a changed line has three lines around it")
    func change() {
        let old = (1...9).map { "\($0)\n" }.joined()
        let new = old.replacing("5\n", with: "five\n")
        #expect(
            Self.diff(old, new)
                == "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n")
    }

    @Test("changes that are far apart are in hunks of their own, near ones in one")
    func hunks() {
        let old = (1...30).map { "\($0)\n" }
        var new = old
        new[2] = "x\n"
        new[8] = "y\n"
        new[25] = "z\n"
        let text = Self.diff(old.joined(), new.joined())
        #expect(
            text.split(separator: "\n").filter { $0.hasPrefix("@@") } == [
                "@@ -1,12 +1,12 @@", "@@ -23,7 +23,7 @@",
            ])
    }

    @Test("empty sides and missing line ends are as diff -u has them")
    func edges() {
        #expect(Self.diff("", "a\n") == "--- a\n+++ b\n@@ -0,0 +1 @@\n+a\n")
        #expect(Self.diff("a\n", "") == "--- a\n+++ b\n@@ -1 +0,0 @@\n-a\n")
        #expect(
            Self.diff("a", "a\n")
                == "--- a\n+++ b\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n")
        #expect(!LineDiff.isText([65, 0, 66]))
    }

    @Test("names that could end the line or the name are in quotes, as git has them")
    func names() {
        func heading(_ name: String) -> String {
            let text = LineDiff([], [97]).unified(from: Array(name.utf8), to: Array("b".utf8))
            return String(decoding: text.prefix { $0 != 10 }, as: UTF8.self)
        }
        #expect(heading("plain \u{e9}") == "--- plain \u{e9}\t")
        #expect(heading("a\n+++ b") == #"--- "a\012+++ b""#)
        #expect(heading("tab\t\"\\\u{7f}") == #"--- "tab\011\"\\\177""#)
    }
}
