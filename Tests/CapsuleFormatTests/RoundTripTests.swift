// What is sealed is what is read, and storage that fails is an error and never other bytes.

import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Crypto
import Glibc
import Testing

@testable import CapsuleFormat

@Suite("Round trip")
struct RoundTripTests {
    @Test("a capsule gives back every entry, byte, hole, target and attribute")
    func everything() throws {
        let sealed = try Sample.shared.get()
        let capsule = try sealed.open()
        let snapshot = try Snapshot(capsule)
        let names = snapshot.entries.map { Text.escaped($0.path) }
        #expect(
            names == [
                "", "/alias", "/blocks", "/dev", "/dir", "/dir/inner", "/dir/inner/deep",
                "/dir/text", "/empty", "/fifo", "/link", "/sparse", "/\\xff\\x01",
            ])
        #expect(snapshot.entries[1].content == Sample.Contents.noise)
        #expect(snapshot.entries[1].inode == 2)
        #expect(snapshot.entries[2].content == Sample.Contents.noise)
        #expect(snapshot.entries[6].content == Array(Sample.Contents.noise[5..<35]))
        #expect(snapshot.entries[7].content == Sample.Contents.text)
        #expect(snapshot.entries[7].attributes.map(\.value) == [[1, 2, 3], []])
        #expect(snapshot.entries[10].target == Array("dir/inner".utf8))
        #expect(snapshot.entries[3].numbers.last == 1 << 32 | 3)
        let zeros = { [UInt8](repeating: 0, count: $0) }
        let runs = Sample.Contents.runs
        #expect(
            snapshot.entries[11].content
                == zeros(1000) + runs[0] + zeros(6300) + runs[1] + zeros(999))
        #expect(snapshot.owners.users == [1000: "ada"])
        #expect(snapshot.owners.groups == [100: "users"])
        #expect(snapshot.manifest.creator == "tester")
        #expect(sealed.bytes.count < 64 << 10)
    }

    @Test("every range of a file reads as that part of it")
    func ranges() throws {
        let capsule = try Sample.shared.get().open()
        for path in ["blocks", "sparse"] {
            let entry = try #require(try capsule.index.resolve([Array(path.utf8)])).entry
            let whole = try Snapshot.contents(capsule, entry)
            var noise = Noise(3)
            for _ in 0..<500 {
                let start = Int(noise.next() % (entry.size + 10))
                let count = Int(noise.next() % 9000)
                var buffer = [UInt8](repeating: 0xaa, count: count)
                let done = try buffer.withUnsafeMutableBytes {
                    try capsule.read(entry, at: UInt64(start), into: $0)
                }
                #expect(Array(buffer[..<done]) == Array(whole.dropFirst(start).prefix(count)))
            }
        }
    }

    @Test("seeking for data and holes follows the extents")
    func seeking() throws {
        let capsule = try Sample.shared.get().open()
        let sparse = try #require(try capsule.index.resolve([Array("sparse".utf8)])).entry
        #expect(try capsule.seek(sparse, from: 0, toHole: false) == 1000)
        #expect(try capsule.seek(sparse, from: 1000, toHole: true) == 1700)
        #expect(try capsule.seek(sparse, from: 1700, toHole: false) == 8000)
        #expect(try capsule.seek(sparse, from: 8001, toHole: false) == nil)
        #expect(try capsule.seek(sparse, from: 8001, toHole: true) == 8001)
        #expect(try capsule.seek(sparse, from: 9000, toHole: true) == nil)
        let whole = try #require(try capsule.index.resolve([Array("blocks".utf8)])).entry
        #expect(try capsule.seek(whole, from: 5, toHole: false) == 5)
        #expect(try capsule.seek(whole, from: 5, toHole: true) == whole.size)
    }

    @Test("paths lead to entries and entries to paths")
    func paths() throws {
        let index = try Sample.shared.get().open().index
        #expect(try index.path(of: 12) == Array("dir/inner/deep".utf8))
        #expect(try index.resolve([]).map(\.ordinal) == 0)
        #expect(try index.resolve([Array("blocks".utf8), Array("x".utf8)]) == nil)
        #expect(try index.resolve([[]]) == nil)
        #expect(failure { _ = try index.entry(13) }?.code == .damaged)
    }

    @Test("the slot opens with its key file, and with no other")
    func slot() throws {
        let file = try Sample.shared.get().file
        let slot = try #require(file.slots.first)
        let key = try slot.open(
            keyFile: Sample.secret(Sample.keyFile(1)).bytes, capsuleID: file.header.id)
        #expect(key?.bytes == Noise.bytes(32, seed: 1))
        let other = try slot.open(
            keyFile: Sample.secret(Sample.keyFile(2)).bytes, capsuleID: file.header.id)
        #expect(other == nil)
        let wrong = FileKeys(
            fileKey: SymmetricKey(data: Noise.bytes(32, seed: 2)), salt: file.header.salt)
        #expect(failure { try file.authenticate(wrong) }?.code == .wrongSecret)
    }

    @Test("sealing the same twice under the same keys gives the same bytes")
    func deterministic() throws {
        #expect(try Sample.capsule().bytes == Sample.shared.get().bytes)
    }

    @Test("a failing read is reported with its errno, a short one as truncation")
    func failingReads() throws {
        let sealed = try Sample.shared.get()
        let storage = MemoryStorage(sealed.bytes)
        let capsule = try Sealed.open(storage, sealed.keys)
        let entry = try #require(try capsule.index.resolve([Array("blocks".utf8)])).entry
        let start = sealed.header.dataOffset
        storage.failReads(in: start..<start + 1, errno: EIO)
        let fault = failure { _ = try Snapshot.contents(capsule, entry) }
        #expect(fault?.code == .system && fault?.errno == EIO)
        storage.failReads(in: 0..<0, errno: 0)
        storage.cutReads(at: start + 10)
        #expect(failure { _ = try Snapshot.contents(capsule, entry) }?.code == .truncated)
        storage.cutReads(at: UInt64.max)
        // An error is not remembered: the next try succeeds.
        #expect(try Snapshot.contents(capsule, entry) == Sample.Contents.noise)
    }

    @Test("a write that fails makes sealing fail with its errno")
    func failingWrites() throws {
        let complete = MemoryStorage()
        _ = try Sample.capsule(to: complete)
        for index in 0..<complete.operations {
            let storage = MemoryStorage()
            storage.failWrite(index, errno: ENOSPC)
            let fault = failure { _ = try Sample.capsule(to: storage) }
            #expect(fault?.code == .system && fault?.errno == ENOSPC, "write \(index)")
        }
    }

    @Test("verification notices a storage that cannot be read, and counts what it hashed")
    func verification() throws {
        let sealed = try Sample.shared.get()
        let storage = MemoryStorage(sealed.bytes)
        let file = try CapsuleFile(storage)
        let report = CapsuleVerifier(file, workerCount: 2).verify()
        #expect(report.isIntact)
        #expect(report.blockCount == file.trailer.streams.reduce(0) { $0 + $1.blockCount })
        storage.failReads(in: file.header.dataOffset..<file.header.dataOffset + 1, errno: EIO)
        #expect(!CapsuleVerifier(file, workerCount: 1).verify().isIntact)
    }

    @Test("the statement names version, capsule, header and root")
    func statement() throws {
        let file = try Sample.shared.get().file
        let lines = String(decoding: file.statement, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines == [
                "capsulefs capsule statement", "version: 2",
                "capsule: \(Text.hex(file.header.id))",
                "header: \(Text.hex(file.header.fingerprint))",
                "root: \(file.trailer.root.hex)", "",
            ])
    }
}
