// What forget takes and what it leaves, and states that go while they are read.

import CapsuleFormat
import Glibc
import Testing

@testable import CapsuleWorkspace

@Suite("Forgetting")
struct ForgettingTests {
    private static func names(_ path: String) -> [[UInt8]] {
        path.split(separator: "/").map { Array($0.utf8) }
    }

    private static func directory(_ name: String, in parent: UInt64, _ tree: LiveTree) throws
        -> UInt64
    {
        let new = NewInode(mode: 0o040755, umask: 0, uid: 0, gid: 0)
        return try tree.make(new, named: Array(name.utf8), in: parent).number
    }

    /// Whether a state shows something at a path; the empty name is the present.
    private static func shows(_ path: String, _ state: String, _ tree: LiveTree) throws -> Bool {
        try tree.versions(of: names(path)).contains { $0.mode != 0 && $0.states.contains(state) }
    }

    @Test("a file that was renamed stays under its other name, in every state")
    func renamed() throws {
        let tree = try MemoryWorkspace.create().open()
        try tree.put("log", [1, 2, 3])
        _ = try tree.keepState(as: "one", tag: "")
        try tree.rename(
            LiveTree.Place(Array("log".utf8), in: Inode.root),
            to: LiveTree.Place(Array("log.1".utf8), in: Inode.root), flags: 0)
        _ = try tree.keepState(as: "two", tag: "")
        let report = try tree.forget(Self.names("log"), fromPresent: true)
        #expect(report.inodes == 0 && report.kept == 1)
        #expect(try !Self.shows("log", "one", tree))
        #expect(try Self.shows("log.1", "two", tree) && Self.shows("log.1", "", tree))
        #expect(try tree.content("log.1") == [1, 2, 3])
        #expect(try tree.faults(isDeep: true) == [])
    }

    @Test("what was moved out of a directory stays with everything in it")
    func moved() throws {
        let tree = try MemoryWorkspace.create().open()
        let top = try Self.directory("d", in: Inode.root, tree)
        let keep = try Self.directory("keep", in: Inode.root, tree)
        let sub = try Self.directory("sub", in: top, tree)
        let new = NewInode(mode: 0o100644, umask: 0, uid: 0, gid: 0)
        _ = try tree.make(new, named: Array("x".utf8), in: sub)
        _ = try tree.make(new, named: Array("gone".utf8), in: top)
        _ = try tree.keepState(as: "one", tag: "")
        try tree.rename(
            LiveTree.Place(Array("sub".utf8), in: top),
            to: LiveTree.Place(Array("sub".utf8), in: keep), flags: 0)
        _ = try tree.keepState(as: "two", tag: "")
        let report = try tree.forget(Self.names("d"), fromPresent: true)
        #expect(report.inodes == 2 && report.kept == 2)
        #expect(try !Self.shows("d", "one", tree) && !Self.shows("d/gone", "two", tree))
        #expect(try Self.shows("keep/sub/x", "two", tree) && Self.shows("keep/sub/x", "", tree))
        #expect(try tree.faults(isDeep: true) == [])
    }

    @Test("what no state shows is given back, also of states that came and went")
    func reclaimed() throws {
        let tree = try MemoryWorkspace.create().open()
        try tree.put("big", [UInt8](repeating: 9, count: 100))
        _ = try tree.keepState(as: "one", tag: "")
        try tree.dropState(named: "one")
        try tree.unlink(Array("big".utf8), in: Inode.root)
        _ = try tree.reclaim(isDry: false)
        let statistics = try tree.statistics()
        #expect(statistics.historyBytes == 0 && statistics.segmentBytes == 0)
    }

    @Test("a branch begins at a state that is there, and keeps it")
    func branches() throws {
        let tree = try MemoryWorkspace.create().open()
        try tree.put("a", [1])
        _ = try tree.keepState(as: "one", tag: "")
        try tree.makeBranch("b", at: "one")
        #expect(throws: WorkspaceError.self) { try tree.dropState(named: "one") }
        #expect(throws: WorkspaceError.self) { try tree.makeBranch("c", at: "none") }
        try tree.put("later", [2])
        try tree.switchBranch("b")
        #expect(try tree.content("later") == nil && tree.content("a") == [1])
        try tree.switchBranch("main")
        #expect(try tree.content("later") == [2])
        #expect(try tree.faults(isDeep: true) == [])
    }
}
