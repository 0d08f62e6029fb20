// Folders become capsules and folders again; what fails leaves nothing behind.

import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Crypto
import Glibc
import Testing

@testable import CapsuleTree

@Suite("Sealing folders", .serialized)
struct SealingTests {
    @Test("a capsule equals its folder, and what is extracted equals both")
    func roundTrip() throws {
        let folder = try Folder.varied()
        let work = try Folder()
        try Sealing.seal(Sealing.request(folder.path, to: work / "c.mv2e"))
        let capsule = try Sealing.open(work / "c.mv2e")
        #expect(try Sealing.differences(.directory(folder.path), .sealed(capsule)) == [])
        let report = try TreeExtractor(capsule, options: .init())
            .extract(paths: [], to: work / "out")
        #expect(report.lost.isEmpty && report.remarks.isEmpty)
        #expect(try Sealing.differences(.directory(folder.path), .directory(work / "out")) == [])
        #expect(try Sealing.differences(.sealed(capsule), .directory(work / "out")) == [])
        var status = stat()
        stat(work / "out/sparse", &status)
        #expect(status.st_size == 4 << 20 && status.st_blocks * 512 < 1 << 20)
        #expect(CapsuleVerifier(capsule.file, workerCount: 2).verify().isIntact)
        #expect(try work.names == ["c.mv2e", "out"])
    }

    @Test("every kind of difference is found")
    func differences() throws {
        let folder = try Folder.varied()
        let work = try Folder()
        try Sealing.seal(Sealing.request(folder.path, to: work / "c.mv2e"))
        let capsule = try Sealing.open(work / "c.mv2e")
        unlink(folder / "empty")
        try folder.file("new")
        chmod(folder / "zeros", 0o600)
        unlink(folder / "dangling")
        symlink("elsewhere", folder / "dangling")
        unlink(folder / "fifo")
        try folder.directory("fifo")
        let found = try Sealing.differences(.sealed(capsule), .directory(folder.path))
        for line in [
            "removed empty ", "added new ", "changed dangling target", "changed fifo type",
            "changed zeros mode",
        ] {
            #expect(found.contains { $0.hasPrefix(line) }, "\(line)")
        }
        #expect(!found.contains { $0.contains("sub/large") })
    }

    @Test("a destination inside the folder is not part of itself, nor is the file it replaces")
    func destinationInside() throws {
        let folder = try Folder()
        try folder.file("a", [1])
        var request = Sealing.request(folder.path, to: folder / "c.mv2e")
        try Sealing.seal(request)
        #expect(throws: SystemError.self) { try Sealing.seal(request) }
        request.replaces = true
        try Sealing.seal(request)
        #expect(try folder.names == ["a", "c.mv2e"])
        #expect(try Sealing.open(folder / "c.mv2e").index.entryCount == 2)
    }

    @Test("patterns keep entries out and are listed in the manifest")
    func excluding() throws {
        let folder = try Folder.varied()
        let work = try Folder()
        var request = Sealing.request(folder.path, to: work / "c.mv2e")
        request.excludes = ["b", "/a", "sub/l*", "sticky/"].map(ExcludePattern.init)
        try Sealing.seal(request)
        let capsule = try Sealing.open(work / "c.mv2e")
        #expect(
            try Sealing.differences(.directory(folder.path), .sealed(capsule)).filter {
                $0.hasPrefix("removed")
            } == [
                "removed a ", "removed sub/b ", "removed sub/large ", "removed sub/link ",
                "removed sub/sticky ",
            ])
        #expect(try capsule.manifest().excluded == ["b", "/a", "sub/l*", "sticky/"])
    }

    @Test("padding, other levels and block sizes hold the same tree")
    func shapes() throws {
        let folder = try Folder.varied()
        let work = try Folder()
        for (level, size, pads) in [(0, 4096, false), (19, 1 << 20, false), (3, 65536, true)] {
            var request = Sealing.request(folder.path, to: work / "c.mv2e")
            (request.level, request.blockSize, request.pads) = (level, size, pads)
            request.replaces = true
            try Sealing.seal(request)
            let capsule = try Sealing.open(work / "c.mv2e")
            #expect(try Sealing.differences(.directory(folder.path), .sealed(capsule)) == [])
            #expect(CapsuleVerifier(capsule.file, workerCount: 2).verify().isIntact)
        }
    }

    @Test("rekeying keeps the tree and opens with the new secret only")
    func rekeying() throws {
        let folder = try Folder.varied()
        let work = try Folder()
        try Sealing.seal(Sealing.request(folder.path, to: work / "c.mv2e"))
        let old = try Sealing.open(work / "c.mv2e")
        _ = try CapsuleCopier(old, request: Sealing.request("", to: work / "d.mv2e", secret: 2))
            .copy { _ in [] }
        let new = try Sealing.open(work / "d.mv2e", secret: 2)
        #expect(try Sealing.differences(.sealed(old), .sealed(new)) == [])
        #expect(old.keys.fileKey.bytes != new.keys.fileKey.bytes)
        let file = try CapsuleFile(try FileStorage(path: work / "d.mv2e"))
        let secret = Sealing.secret(1)
        let keys = try file.slots.map {
            try $0.open(keyFile: secret.bytes, capsuleID: file.header.id)
        }
        #expect(keys == [nil])
        #expect(try new.manifest().contentDigest == old.manifest().contentDigest)
    }

    // MARK: Reproducible

    @Test("equal folders and secrets give equal files, any difference gives other keys")
    func reproducible() throws {
        let folder = try Folder.varied()
        let work = try Folder()
        func seal(
            _ name: String, secret: UInt64 = 1, _ edit: (inout SealRequest) -> Void = { _ in }
        )
            throws -> [UInt8]
        {
            var request = Sealing.request(folder.path, to: work / name, secret: secret)
            request.isReproducible = true
            edit(&request)
            try Sealing.seal(request)
            return try work.bytes(name)
        }
        let first = try seal("1")
        #expect(try seal("2") == first)
        #expect(
            try Sealing.differences(
                .sealed(try Sealing.open(work / "1")), .directory(folder.path)) == [])
        // Header: id at 8, salt at 24, commitment at 56.
        var keys: Set<[UInt8]> = [Array(first[8..<88])]
        let others = [
            try seal("3", secret: 2), try seal("4") { $0.label = "x" },
            try seal("5") { $0.hint = "x" }, try seal("6") { $0.level = 0 },
            try seal("7") { $0.createdAt = "2027-01-01T00:00:00Z" },
            try seal("8") { $0.slots[0].label = "x" }, try seal("9") { $0.publishesLineage = true },
        ]
        for other in others { #expect(keys.insert(Array(other[8..<88])).inserted) }
        chmod(folder / "a", 0o640)
        #expect(keys.insert(Array(try seal("10")[8..<88])).inserted)
    }

    @Test("a recipient, or more than one slot, cannot be sealed to reproducibly")
    func reproducibleSlots() throws {
        let folder = try Folder()
        let work = try Folder()
        var request = Sealing.request(folder.path, to: work / "c.mv2e")
        request.isReproducible = true
        let recipient = Identity.x25519(Curve25519.KeyAgreement.PrivateKey()).recipient
        let key = request.slots[0]
        for slots in [[.init(.recipient(recipient), label: "")], [key, key], []] {
            request.slots = slots
            #expect(throws: (any Error).self) { try Sealing.seal(request) }
        }
        #expect(try work.names == [])
    }

    // MARK: Failure

    @Test("a folder that is none, and a destination nowhere, leave nothing")
    func missing() throws {
        let work = try Folder()
        try work.file("file")
        for source in ["missing", "file"] {
            #expect(throws: (any Error).self) {
                try Sealing.seal(Sealing.request(work / source, to: work / "c.mv2e"))
            }
        }
        #expect(throws: (any Error).self) {
            try Sealing.seal(Sealing.request(work.path, to: work / "missing/c.mv2e"))
        }
        #expect(try work.names == ["file"])
    }

    @Test("a signer that fails leaves nothing")
    func failingSigner() throws {
        let work = try Folder()
        let request = Sealing.request(work.path, to: work / "c.mv2e")
        #expect(throws: SystemError.self) {
            _ = try TreeSealer(request, workerCount: 1).seal { _ in
                throw SystemError(errno: EACCES, operation: "sign", object: "key")
            }
        }
        #expect(try work.names == [])
    }

    @Test("a full medium is ENOSPC and leaves no file", .enabled(if: Environment.isRoot))
    func fullMedium() throws {
        let work = try Folder()
        try work.directory("small")
        let target = work / "small"
        guard mount("tmpfs", target, "tmpfs", 0, "size=1m") == 0 else {
            print("KNOWN SKIP: this process may not mount a tmpfs: no test of a full medium")
            return
        }
        defer { umount2(target, Int32(MNT_DETACH)) }
        try work.directory("source")
        try work.file("source/large", noise(4_000_000, seed: 3))
        let error = #expect(throws: FormatError.self) {
            try Sealing.seal(Sealing.request(work / "source", to: target + "/c.mv2e"))
        }
        #expect(error?.errno == ENOSPC)
        #expect(try Folder.names(in: target).isEmpty)
    }
}
