// Power cuts at every operation of storage: what was flushed is there, and the tree is one that the
// program could have seen.

import CapsuleCrypto
import CapsuleStorageFaults
import CapsuleSystem
import Crypto
import Glibc
import Testing

@testable import CapsuleWorkspace

/// Both directories of a workspace in memory; they die together.
struct MemoryWorkspace {
    static let keys = FileKeys(
        fileKey: SymmetricKey(data: [UInt8](repeating: 3, count: 32)),
        salt: [UInt8](repeating: 4, count: 32))
    static let id = [UInt8](1...16)

    let metadata: MemoryDirectory
    let segments: MemoryDirectory

    /// An empty tree.
    static func create() throws -> MemoryWorkspace {
        let made = MemoryWorkspace(metadata: MemoryDirectory(), segments: MemoryDirectory())
        try Workspace.makeTree(in: made.metadata, keys: keys, id: id)
        return made
    }

    func open(isReadOnly: Bool = false) throws -> LiveTree {
        var options = Workspace.Options()
        options.isReadOnly = isReadOnly
        return try Workspace.openTree(
            in: metadata, segments: segments, keys: Self.keys, id: Self.id, options: options)
    }

    func copy() -> MemoryWorkspace {
        MemoryWorkspace(metadata: metadata.copy(), segments: segments.copy())
    }

    func afterCrash(_ fate: MemoryDirectory.Unflushed) -> MemoryWorkspace {
        MemoryWorkspace(metadata: metadata.afterCrash(fate), segments: segments.afterCrash(fate))
    }
}

extension LiveTree {
    /// Makes a file with a content.
    func put(_ name: String, _ content: [UInt8]) throws {
        let new = NewInode(mode: 0o100644, umask: 0, uid: 0, gid: 0)
        let inode = try make(new, named: Array(name.utf8), in: Inode.root)
        try content.withUnsafeBytes { try write(inode.number, at: 0, $0) }
    }

    /// The content of a file of the root, or nil.
    func content(_ name: String) throws -> [UInt8]? {
        guard let inode = try lookup(Array(name.utf8), in: Inode.root) else { return nil }
        var bytes = [UInt8](repeating: 0xff, count: Int(inode.size))
        let count = try bytes.withUnsafeMutableBytes { try read(inode.number, at: 0, into: $0) }
        return Array(bytes.prefix(count))
    }
}

@Suite("Power cuts")
struct CrashTests {
    /// Steps that were flushed.
    private final class Progress {
        var steps = 0
    }

    private static func content(_ step: Int) -> [UInt8] {
        (0..<9000).map { UInt8(truncatingIfNeeded: $0 / 7 &* (step + 3) &+ step) }
    }

    /// Ten steps, each followed by a flush: a new file, and the counter file replaced by a rename.
    private static func work(
        _ tree: LiveTree, from first: Int = 0, _ progress: Progress = Progress()
    ) throws {
        for step in first..<first + 10 {
            try tree.put("file\(step)", content(step))
            try tree.put("counter.new", Array("\(step)".utf8))
            try tree.rename(
                LiveTree.Place(Array("counter.new".utf8), in: Inode.root),
                to: LiveTree.Place(Array("counter".utf8), in: Inode.root), flags: 0)
            if step > 1 { try tree.unlink(Array("file\(step - 2)".utf8), in: Inode.root) }
            try tree.commit()
            progress.steps = step + 1
            if step % 4 == 3 { try tree.checkpoint() }
            if step % 5 == 4 {
                _ = try tree.keepState(as: "s\(step)", tag: "")
                _ = try tree.reclaim(isDry: false)
            }
        }
    }

    /// The steps that a tree shows, all of each or nothing of it.
    private static func steps(of tree: LiveTree) throws -> Int {
        guard let counter = try tree.content("counter") else { return 0 }
        let step = try #require(Int(String(decoding: counter, as: UTF8.self)))
        #expect(try tree.content("counter.new") == nil)
        for number in max(0, step - 1)...step {
            #expect(try tree.content("file\(number)") == content(number))
        }
        if step >= 2 { #expect(try tree.content("file\(step - 2)") == nil) }
        #expect(try tree.content("file\(step + 1)") == nil)
        return step + 1
    }

    @Test("whatever operation is the last, the tree is that of a flush, and not of an older one")
    func everyOperation() throws {
        let base = try MemoryWorkspace.create()
        let whole = base.copy()
        try Self.work(try whole.open())
        let counts = (whole.metadata.operations, whole.segments.operations)
        #expect(counts.0 > 50 && counts.1 > 20)
        let cuts =
            (0..<counts.0).map { (Int?($0), Int?.none) } + (0..<counts.1).map { (nil, $0) }
        for (metadataCut, segmentCut) in cuts {
            let dying = base.copy()
            if let metadataCut { dying.metadata.die(after: metadataCut) }
            if let segmentCut { dying.segments.die(after: segmentCut) }
            let progress = Progress()
            if let tree = try? dying.open() { try? Self.work(tree, progress) }
            for fate in MemoryDirectory.Unflushed.allCases {
                let label = "metadata \(metadataCut ?? -1), segments \(segmentCut ?? -1), \(fate)"
                do {
                    let found = dying.afterCrash(fate)
                    let steps = try Self.steps(of: try found.open())
                    #expect(steps >= progress.steps, "\(label)")
                } catch {
                    Issue.record("\(label): \(error)")
                }
            }
        }
    }

    @Test("work goes on after a crash, and states from before it are whole")
    func goingOn() throws {
        let base = try MemoryWorkspace.create()
        try Self.work(try base.open())
        let count = base.metadata.operations
        for cut in stride(from: count / 3, to: count, by: 5) {
            let dying = try MemoryWorkspace.create()
            dying.metadata.die(after: cut)
            if let tree = try? dying.open() { try? Self.work(tree) }
            let found = dying.afterCrash(.everySecond)
            var steps = 0
            do {
                let tree = try found.open()
                steps = try Self.steps(of: tree)
                try Self.work(tree, from: steps)
            }
            #expect(try Self.steps(of: try found.open()) == steps + 10, "cut \(cut)")
        }
    }

    @Test("a second power cut while work goes on after the first takes nothing that was flushed")
    func twice() throws {
        let base = try MemoryWorkspace.create()
        try Self.work(try base.open())
        let count = base.metadata.operations
        for first in stride(from: count / 3, to: count, by: 11) {
            let dying = try MemoryWorkspace.create()
            dying.metadata.die(after: first)
            if let tree = try? dying.open() { try? Self.work(tree) }
            let found = dying.afterCrash(.tornAtTheStart)
            let steps = try Self.steps(of: try found.copy().open())
            for second in stride(from: 1, to: 40, by: 3) {
                let again = found.copy()
                again.metadata.die(after: second)
                let progress = Progress()
                if let tree = try? again.open() { try? Self.work(tree, from: steps, progress) }
                for fate in MemoryDirectory.Unflushed.allCases {
                    let left = try Self.steps(of: try again.afterCrash(fate).open())
                    #expect(
                        left >= max(steps, progress.steps), "\(first), then \(second), \(fate)")
                }
            }
        }
    }
}
