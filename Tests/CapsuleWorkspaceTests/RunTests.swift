// Runs beside the tree: their order, their end, and what a crash leaves of them.

import CapsuleFormat
import Glibc
import Testing

@testable import CapsuleWorkspace

@Suite("Runs")
struct RunTests {
    private static func name(_ run: String = "r1") throws -> RunName {
        try RunName(spec: "S", run: run)
    }

    private static func event(_ number: Int) -> RunEvent {
        RunEvent(type: "DebugTrace", stage: "", payload: Array("{\"n\":\(number)}".utf8))
    }

    private static func put(
        _ path: String, _ bytes: [UInt8], _ run: RunName, _ tree: LiveTree
    ) throws {
        let file = try tree.makeFile(
            path.split(separator: "/").map { Array($0.utf8) }, mode: 0o644, in: .artifacts, of: run)
        try file.append(bytes)
        try file.finish()
    }

    @Test("events are numbered in the order in which they come, and a run that ended takes none")
    func order() throws {
        let tree = try MemoryWorkspace.create().open()
        let name = try Self.name()
        _ = try tree.startRun(RunStart(name))
        #expect(try tree.addEvents((1...3).map(Self.event), to: name) == 1)
        #expect(try tree.addEvents([Self.event(4)], to: name) == 4)
        let lines = try tree.eventLines(of: name, from: 1, count: 10)
        #expect(lines.count == 4)
        let last = String(decoding: lines[3], as: UTF8.self)
        #expect(last.contains("\"seq\":4") && last.contains("/S/r1/event/4\""))
        #expect(try tree.markRun(name, label: "c", stage: "", commit: "").sequence == 4)
        let run = try tree.finishRun(name, .unlock, holder: [])
        #expect(run.checkpoints.map(\.label) == ["c", "final"] && run.outcome == .unlock)
        let refused = #expect(throws: WorkspaceError.self) {
            _ = try tree.addEvents([Self.event(5)], to: name)
        }
        #expect(refused?.errno == EROFS)
        #expect(try tree.faults(isDeep: true) == [])
    }

    @Test("what a URI stands for does not change, and half a file has no name")
    func files() throws {
        let tree = try MemoryWorkspace.create().open()
        let name = try Self.name()
        _ = try tree.startRun(RunStart(name))
        try Self.put("d/a", [1, 2, 3], name, tree)
        let again = #expect(throws: WorkspaceError.self) {
            try Self.put("d/a", [4], name, tree)
        }
        #expect(again?.errno == EEXIST)
        do {
            let file = try tree.makeFile(
                [Array("half".utf8)], mode: 0o644, in: .artifacts, of: name)
            try file.append([1])
        }
        var place = Inode.root
        for part in name.directory + ["artifacts", "d", "a"].map({ Array($0.utf8) }) {
            place = try #require(try tree.lookup(part, in: place)).number
        }
        var bytes = [UInt8](repeating: 0, count: 4)
        let count = try bytes.withUnsafeMutableBytes { try tree.read(place, at: 0, into: $0) }
        #expect(bytes.prefix(count) == [1, 2, 3])
        for bad in ["../x", ".", "a/../b", ".put-0123456789abcdef"] {
            #expect(throws: WorkspaceError.self) { try Self.put(bad, [1], name, tree) }
        }
    }

    @Test("the state of a checkpoint cannot be deleted")
    func checkpoint() throws {
        let tree = try MemoryWorkspace.create().open()
        let name = try Self.name()
        _ = try tree.startRun(RunStart(name))
        _ = try tree.markRun(name, label: "c", stage: "Plan", commit: "abc")
        #expect(throws: WorkspaceError.self) {
            try tree.dropState(named: name.stateName("c"))
        }
        #expect(throws: WorkspaceError.self) {
            _ = try tree.markRun(name, label: "c", stage: "", commit: "")
        }
    }

    @Test(
        "an entry of the ledger comes and goes with its event, and its key opens for its file only")
    func ledger() throws {
        let tree = try MemoryWorkspace.create().open()
        let key = [UInt8](repeating: 7, count: 32)
        let secret = try LedgerKey.seal(
            key, of: "f", to: try tree.ledgerRecipient(), workspace: try tree.workspaceID())
        let entry = LedgerEntry(.import, "x", body: [1], file: "f", secret: secret)
        try tree.changeLedger(.insert(entry), .imported, [:])
        #expect(try tree.ledger(.import) == [entry])
        #expect(try tree.key(in: entry) == key)
        let other = LedgerEntry(.import, "x", body: [1], file: "g", secret: secret)
        #expect(throws: WorkspaceError.self) { _ = try tree.key(in: other) }
        #expect(throws: WorkspaceError.self) {
            try tree.changeLedger(.insert(entry), .imported, [:])
        }
        try tree.changeLedger(.remove(.import, "x"), .importRemoved, [:])
        #expect(try tree.ledger(.import) == [])
        #expect(throws: WorkspaceError.self) {
            try tree.changeLedger(.remove(.import, "x"), .importRemoved, [:])
        }
    }
}
