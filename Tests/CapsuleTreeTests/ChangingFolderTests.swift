// Folders that change while they are sealed, and capsules that are hostile or damaged when they are
// extracted.

import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Glibc
import Synchronization
import Testing

@testable import CapsuleTree

@Suite("Changing folders", .serialized)
struct ChangingFolderTests {
    /// Seals `folder` and calls `change` once, after its root was listed and before it is visited.
    private func seal(_ folder: Folder, change: @escaping () -> Void) throws -> Capsule {
        let work = try Folder()
        let request = Sealing.request(folder.path, to: work / "c.mv2e")
        var isChanged = false
        _ = try TreeSealer(request, workerCount: 1).publish(sign: { _ in [] }) { writer, id, _ in
            let stream = writer.contentStream(
                StreamSealer.Shape(unitLength: 65536, rawBlockLength: 32768, level: 3))
            let scanner = TreeScanner(
                stream: stream, excludes: [], skipped: [], alignsLargeFiles: true,
                bytesRead: { _ in },
                progress: { _ in
                    if !isChanged { change() }
                    isChanged = true
                })
            try scanner.scan(root: folder.path)
            try writer.finish(stream)
            var index = scanner.takeIndex()
            try writer.writeIndex(&index, uniform: false)
            let manifest = Manifest(
                capsuleID: Text.hex(id), creator: "", toolVersion: "", createdAt: "",
                lineage: Sealing.lineage, contentDigest: scanner.contentDigest.hex,
                entryCount: UInt64(index.count - 1), totalSize: index.totalSize, excluded: [],
                remarks: scanner.remarks)
            try writer.writeManifest(manifest.encoded)
            return manifest
        }
        let capsule = try Sealing.open(work / "c.mv2e")
        #expect(CapsuleVerifier(capsule.file, workerCount: 1).verify().isIntact)
        // The file is open; its name may go.
        return capsule
    }

    @Test("a file that vanishes is sealed as an empty one, with a remark")
    func vanishingFile() throws {
        let folder = try Folder()
        try folder.file("a", [1, 2, 3])
        try folder.file("b", [4])
        let path = folder / "a"
        let capsule = try seal(folder) { unlink(path) }
        #expect(try capsule.index.entry(1).size == 0 && capsule.index.entry(2).size == 1)
        #expect(try capsule.manifest().remarks.map(\.path) == ["a"])
    }

    @Test("a file that becomes a link or a fifo is not followed and does not block")
    func changingType() throws {
        let folder = try Folder()
        try folder.file("a", [1])
        try folder.file("b", [2])
        try folder.file("c", [3])
        let (a, b) = (folder / "a", folder / "b")
        let capsule = try seal(folder) {
            unlink(a)
            symlink("/etc/passwd", a)
            unlink(b)
            mkfifo(b, 0o600)
        }
        #expect(try capsule.index.entry(1).size == 0 && capsule.index.entry(2).size == 0)
        #expect(try capsule.index.entry(3).size == 1)
        #expect(try capsule.manifest().remarks.count == 2)
    }

    @Test("a file that grows or shrinks before it is read is sealed as it is then")
    func changingSize() throws {
        let folder = try Folder()
        try folder.file("a", noise(2_000_000, seed: 1))
        try folder.file("b", [1])
        let (a, b) = (folder / "a", folder / "b")
        let capsule = try seal(folder) {
            truncate(a, 100)
            truncate(b, 100)
        }
        #expect(try capsule.index.entry(1).size == 100 && capsule.index.entry(2).size == 100)
    }

    @Test("a directory that vanishes does not end the sealing of all others")
    func vanishingDirectory() throws {
        let folder = try Folder()
        try folder.directory("gone")
        try folder.file("stays", [1])
        let path = folder / "gone"
        do {
            let capsule = try seal(folder) { rmdir(path) }
            #expect(capsule.index.entryCount == 3)
        }
    }

    @Test("a link that vanishes does not end the sealing of all others")
    func vanishingLink() throws {
        let folder = try Folder()
        symlink("x", folder / "gone")
        try folder.file("stays", [1])
        let path = folder / "gone"
        do {
            let capsule = try seal(folder) { unlink(path) }
            #expect(capsule.index.entryCount == 3)
        }
    }

    @Test("a folder in which everything changes all the time gives a capsule or an error, in time")
    func churning() throws {
        let folder = try Folder()
        for number in 0..<200 {
            try folder.file("f\(number)", noise(5000, seed: UInt64(number + 1)))
        }
        let isOver = Atomic(false)
        let path = folder.path
        let churn = Worker {
            var number = 0
            while !isOver.load(ordering: .relaxed) {
                let name = "\(path)/f\(number % 200)"
                if number % 3 == 0 { unlink(name) } else { truncate(name, off_t(number % 9000)) }
                if let file = try? Descriptor.open(name, O_WRONLY | O_CREAT, mode: 0o600) {
                    _ = try? file.write([1, 2, 3])
                }
                number += 1
            }
        }
        defer {
            isOver.store(true, ordering: .relaxed)
            churn.join()
        }
        let work = try Folder()
        for round in 0..<5 {
            var request = Sealing.request(folder.path, to: work / "c\(round)")
            request.isReproducible = round == 4
            do {
                try Sealing.seal(request)
                let capsule = try Sealing.open(work / "c\(round)")
                _ = try TreeExtractor(capsule, options: .init())
                    .extract(paths: [], to: work / "o\(round)")
            } catch let error as TreeError {
                #expect(round == 4, "\(error)")
            }
        }
    }

    // MARK: Extraction

    @Test(
        "devices and setuid bits are only restored when they are trusted",
        .enabled(if: Environment.isRoot))
    func special() throws {
        let folder = try Folder()
        try folder.file("suid", [1], mode: 0o4755)
        guard mknod(folder / "null", S_IFCHR | 0o666, dev_t(makeDevice(1, 3))) == 0 else { return }
        let work = try Folder()
        try Sealing.seal(Sealing.request(folder.path, to: work / "c.mv2e"))
        let capsule = try Sealing.open(work / "c.mv2e")
        let careful = try TreeExtractor(capsule, options: .init())
            .extract(paths: [], to: work / "careful")
        #expect(careful.remarks.count == 2 && careful.lost.isEmpty)
        var status = stat()
        #expect(stat(work / "careful/null", &status) != 0)
        #expect(stat(work / "careful/suid", &status) == 0 && status.st_mode & 0o7777 == 0o755)
        var options = TreeExtractor.Options()
        options.trustsSpecial = true
        let trusting = try TreeExtractor(capsule, options: options)
            .extract(paths: [], to: work / "trusting")
        #expect(trusting.remarks.isEmpty)
        #expect(
            try Sealing.differences(.directory(folder.path), .directory(work / "trusting")) == [])
    }

    private func makeDevice(_ major: UInt64, _ minor: UInt64) -> UInt64 { major << 8 | minor }

    @Test("extraction does not write through links that lie in its way")
    func linksInTheWay() throws {
        let folder = try Folder()
        try folder.directory("d")
        try folder.file("d/f", [1])
        try folder.file("g", [1])
        let work = try Folder()
        try Sealing.seal(Sealing.request(folder.path, to: work / "c.mv2e"))
        let capsule = try Sealing.open(work / "c.mv2e")
        try work.directory("victim")
        for name in ["d", "g"] {
            try work.directory("out-\(name)")
            symlink("../victim\(name == "g" ? "/g" : "")", work / "out-\(name)/\(name)")
            #expect(throws: (any Error).self) {
                _ = try TreeExtractor(capsule, options: .init())
                    .extract(paths: [], to: work / "out-\(name)")
            }
        }
        #expect(try Folder.names(in: work / "victim").isEmpty)
    }

    @Test("a damaged block costs the file it belongs to, which is named and not left behind")
    func damage() throws {
        let folder = try Folder()
        try folder.file("a", noise(200_000, seed: 1))
        try folder.file("b", noise(2_000_000, seed: 2))
        try folder.file("c", noise(200_000, seed: 3))
        let work = try Folder()
        try Sealing.seal(Sealing.request(folder.path, to: work / "c.mv2e"))
        let place = try Sealing.open(work / "c.mv2e").file.header.dataOffset + 1_000_000
        let storage = try FileStorage(path: work / "c.mv2e", writable: true)
        try storage.write([1, 2, 3, 4], at: place)
        let capsule = try Sealing.open(work / "c.mv2e")
        let report = try TreeExtractor(capsule, options: .init())
            .extract(paths: [], to: work / "out")
        #expect(report.lost.map(\.path) == [Array("b".utf8)])
        #expect(try Folder.names(in: work / "out").count == 2)
        #expect(
            try Sealing.differences(
                .directory(folder.path), .directory(work / "out")
            ).contains("removed b "))
    }
}
