// Power cuts while history is made, used and forgotten: the tree is that of before or of after.

import CapsuleStorageFaults
import Glibc
import Testing

@testable import CapsuleWorkspace

@Suite("Power cuts of history")
struct HistoryCrashTests {
    private static func content(_ number: Int) -> [UInt8] {
        var state = UInt32(truncatingIfNeeded: number &* 2_654_435_761 &+ 1)
        return (0..<6000).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }

    /// Ten files, of which every second is gone and file1 is another one than in the state `kept`.
    private static func base() throws -> MemoryWorkspace {
        let made = try MemoryWorkspace.create()
        let tree = try made.open()
        for number in 0..<10 { try tree.put("file\(number)", content(number)) }
        _ = try tree.keepState(as: "kept", tag: "")
        try tree.put("new", content(77))
        for number in stride(from: 0, to: 10, by: 2) {
            try tree.unlink(Array("file\(number)".utf8), in: Inode.root)
        }
        try tree.commit()
        return made
    }

    /// What a tree shows: names with the number of their content.
    private static func shown(_ tree: LiveTree) throws -> [String: Int] {
        var found: [String: Int] = [:]
        for number in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 77] {
            let name = number == 77 ? "new" : "file\(number)"
            guard let bytes = try tree.content(name) else { continue }
            found[name] = bytes == content(number) ? number : -1
        }
        return found
    }

    /// Cuts `work` off at every operation, and demands one of the outcomes that are allowed.
    private static func cut(
        allowed: (_ before: [String: Int], _ after: [String: Int]) -> [[String: Int]] = {
            [$0, $1]
        },
        _ work: (LiveTree) throws -> Void
    ) throws {
        let base = try base()
        let whole = base.copy()
        let tree = try whole.open()
        let before = try shown(tree)
        try work(tree)
        let after = try shown(tree)
        #expect(!before.values.contains(-1) && !after.values.contains(-1))
        let outcomes = allowed(before, after)
        let counts = (whole.metadata.operations, whole.segments.operations)
        let cuts =
            (0..<counts.0).map { (Int?($0), Int?.none) } + (0..<counts.1).map { (nil, $0) }
        for (metadataCut, segmentCut) in cuts {
            let dying = base.copy()
            if let metadataCut { dying.metadata.die(after: metadataCut) }
            if let segmentCut { dying.segments.die(after: segmentCut) }
            if let tree = try? dying.open() { try? work(tree) }
            for fate in MemoryDirectory.Unflushed.allCases {
                let left = dying.afterCrash(fate)
                let tree = try left.open()
                let found = try shown(tree)
                #expect(outcomes.contains(found), "\(cuts.count) \(fate): \(found)")
                #expect(try tree.faults(isDeep: true) == [])
                #expect(try tree.states().contains { $0.name == "kept" })
            }
        }
    }

    @Test("reclaiming loses nothing, wherever it ends")
    func reclaiming() throws {
        try Self.cut { tree in
            tree.segments.closeCurrent()
            _ = try tree.reclaim(isDry: false, victims: Set(tree.segments.numbers()))
        }
    }

    @Test("a restore is whole or not at all")
    func restoring() throws {
        try Self.cut { tree in _ = try tree.restore([Array("file0".utf8)], from: "kept") }
    }

    @Test("a switch of branches is whole or not at all")
    func switching() throws {
        try Self.cut { tree in
            try tree.makeBranch("other", at: "kept")
            try tree.switchBranch("other")
        }
    }

    @Test("forgetting is whole or not at all, and nothing else goes")
    func forgetting() throws {
        try Self.cut { tree in
            _ = try tree.forget([Array("file1".utf8)], fromPresent: true)
        }
    }

    @Test("what was forgotten is in no state, and no block of it is left")
    func forgotten() throws {
        let made = try Self.base()
        let tree = try made.open()
        let before = try tree.statistics()
        let report = try tree.forget([Array("file0".utf8)], fromPresent: false)
        #expect(report.inodes == 1)
        #expect(try tree.versions(of: [Array("file0".utf8)]).allSatisfy { $0.mode == 0 })
        let after = try tree.statistics()
        #expect(before.presentBytes + before.historyBytes > after.presentBytes + after.historyBytes)
        #expect(after.segmentBytes <= after.presentBytes + after.historyBytes + 64 * 2)
    }

    @Test("a rule keeps the newest of each period, and what has a name")
    func retention() {
        func state(_ hours: Int64, _ kind: WorkspaceState.Kind, tag: String = "") -> WorkspaceState
        {
            WorkspaceState(
                epoch: hours, name: "\(hours)", seconds: hours * 3600, kind: kind, tag: tag,
                branch: "main")
        }
        let states = (1...100).map { state(Int64($0), $0 == 3 ? .named : .automatic) }
        var rule = RetentionRule()
        rule.last = 2
        rule.hourly = 4
        rule.daily = 2
        let kept = Set(states.map(\.name)).subtracting(rule.expired(states).map(\.name))
        #expect(kept == ["3", "95", "97", "98", "99", "100"])
        rule.tags = ["t"]
        #expect(rule.expired([state(1, .unnamed, tag: "t")]).isEmpty)
    }
}
