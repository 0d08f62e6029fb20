// Directories below each other without end: a hostile capsule must not exhaust the stack.

import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Crypto
import Testing

@testable import CapsuleTree

enum DeepCapsule {
    /// Seals `depth` directories below each other; every page is right, only the depth is not.
    static func seal(_ depth: Int, to path: String) throws {
        let key = SymmetricKey(data: noise(32, seed: 1))
        let (id, salt) = (noise(16, seed: 2), noise(32, seed: 3))
        let keys = FileKeys(fileKey: key, salt: salt)
        let slot = try KeySlot(
            wrapping: key, under: .keyFile(Sealing.secret(1)), capsuleID: id, label: [], salt: salt)
        let header = Header(
            id: id, salt: salt, keyCommitment: keys.commitment, slotAreaLength: 4096,
            signatureAreaLength: 4096)
        let file = try AtomicFile(path: path)
        let writer = try CapsuleWriter(
            storage: file, header: header, slots: [slot],
            purpose: .seal(keys, capsuleID: id, takingFingerprint: false), workerCount: 1)
        let shape = StreamSealer.Shape(unitLength: 4096, rawBlockLength: 4096, level: 3)
        try writer.finish(writer.contentStream(shape))
        var index = IndexBuilder()
        for level in 0...depth {
            var entry = Entry()
            (entry.mode, entry.linkCount) = (0o040755, 2)
            entry.parent = Ordinal(max(level - 1, 0))
            if level < depth { (entry.place, entry.count) = (UInt64(level + 1), 1) }
            try index.append(entry, name: level == 0 ? [] : [100])
        }
        try writer.writeIndex(&index, uniform: false)
        try writer.writeManifest(Array("{}".utf8))
        _ = try writer.finish()
        try file.publish(replacing: true)
    }
}

@Suite("Deep trees", .serialized)
struct DeepTreeTests {
    @Test("1000 directories below each other are extracted and compared")
    func moderate() throws {
        let work = try Folder()
        try DeepCapsule.seal(1000, to: work / "c.mv2e")
        let capsule = try Sealing.open(work / "c.mv2e")
        let report = try TreeExtractor(capsule, options: .init())
            .extract(paths: [], to: work / "out")
        #expect(report.entryCount == 1000 && report.lost.isEmpty)
        #expect(try Sealing.differences(.sealed(capsule), .sealed(capsule)) == [])
    }

    @Test("100,000 directories below each other are an error for an extraction and no trap")
    func extraction() async throws {
        let work = try Folder()
        do {
            // The directory belongs to this process: the other one may not live to remove it.
            await #expect(processExitsWith: .success) { [path = work.path as String] in
                try DeepCapsule.seal(100_000, to: path + "/c.mv2e")
                let capsule = try Sealing.open(path + "/c.mv2e")
                let report = try? TreeExtractor(capsule, options: .init())
                    .extract(paths: [], to: path + "/out")
                #expect(report?.lost.isEmpty != true)
            }
        }
    }

    @Test("100,000 directories below each other are an error for a comparison and no trap")
    func comparison() async throws {
        let work = try Folder()
        do {
            // The directory belongs to this process: the other one may not live to remove it.
            await #expect(processExitsWith: .success) { [path = work.path as String] in
                try DeepCapsule.seal(100_000, to: path + "/c.mv2e")
                let capsule = try Sealing.open(path + "/c.mv2e")
                #expect(throws: (any Error).self) {
                    _ = try Sealing.differences(.sealed(capsule), .sealed(capsule))
                }
            }
        }
    }
}
