// Folders on a real file system, and sealing them cheaply: every slot is a key file's.

import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Glibc
import Testing

@testable import CapsuleTree

/// A directory that goes away with the test.
final class Folder {
    let path: String

    init() throws {
        let parent = Environment.variable("TMPDIR").map { String(decoding: $0, as: UTF8.self) }
        var template = Array("\(parent ?? "/tmp")/capsule-tree.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("create", "a directory") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = try? ChildProcess.run(["rm", "-rf", path], input: []) }

    static func / (folder: Folder, name: String) -> String { "\(folder.path)/\(name)" }

    func directory(_ name: String, mode: mode_t = 0o755) throws {
        guard mkdir(self / name, mode) == 0 else { throw SystemError.last("create", name) }
        chmod(self / name, mode)
    }

    func file(_ name: String, _ bytes: [UInt8] = [], mode: mode_t = 0o644) throws {
        let file = try Descriptor.open(self / name, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        try file.write(bytes)
        fchmod(file.raw, mode)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        try Descriptor.open(self / name, O_RDONLY).readAll(limit: 64 << 20)
    }

    /// The names in the folder, hidden ones included.
    var names: [String] {
        get throws { try Self.names(in: path) }
    }

    static func names(in path: String) throws -> [String] {
        try SourceDirectory(root: Array(path.utf8)).children().map {
            String(decoding: $0.name, as: UTF8.self)
        }
    }

    /// A folder with something of every kind that this process may make.
    static func varied() throws -> Folder {
        let folder = try Folder()
        try folder.directory("sub")
        try folder.directory("sub/empty", mode: 0o700)
        try folder.directory("sub/sticky", mode: 0o1777)
        try folder.file("a", Array("hello\n".utf8))
        try folder.file("empty", mode: 0o600)
        try folder.file("sub/large", noise(3_000_000, seed: 1), mode: 0o755)
        try folder.file("sub/same", noise(3_000_000, seed: 1))
        try folder.file("zeros", [UInt8](repeating: 0, count: 300_000))
        link(folder / "a", folder / "sub/b")
        symlink("../a", folder / "sub/link")
        symlink("nowhere", folder / "dangling")
        mkfifo(folder / "fifo", 0o640)
        let sparse = try Descriptor.open(folder / "sparse", O_WRONLY | O_CREAT, mode: 0o644)
        lseek(sparse.raw, 1 << 20, SEEK_SET)
        try sparse.write(noise(5000, seed: 2))
        ftruncate(sparse.raw, 4 << 20)
        try folder.file("name\u{1b}[2J\n")
        for name in ["a", "sub", "sub/large"] {
            let times = [timespec(tv_sec: -1000, tv_nsec: 1), timespec(tv_sec: 5, tv_nsec: 7)]
            utimensat(AT_FDCWD, folder / name, times, 0)
        }
        return folder
    }
}

func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state >> 24)
    }
}

enum Sealing {
    static func secret(_ number: UInt64) -> CapsuleCrypto.SharedSecret {
        var bytes = noise(40, seed: 1000 + number)
        return CapsuleCrypto.SharedSecret(SecretBytes(wiping: &bytes))
    }

    static let lineage = Manifest.Lineage(
        id: Text.hex(noise(16, seed: 9)), version: 1, parentRoot: nil)

    static func request(_ source: String, to destination: String, secret number: UInt64 = 1)
        -> SealRequest
    {
        SealRequest(
            source: source, destination: destination,
            slots: [.init(.keyFile(secret(number)), label: "")],
            lineage: lineage, creator: "tester", toolVersion: "test",
            createdAt: "2026-01-01T00:00:00Z")
    }

    @discardableResult
    static func seal(_ request: SealRequest) throws -> SealResult {
        try TreeSealer(request, workerCount: 2).seal { _ in [] }
    }

    static func open(_ path: String, secret number: UInt64 = 1) throws -> Capsule {
        let file = try CapsuleFile(try FileStorage(path: path))
        let slot = try #require(file.slots.first)
        let key = try slot.open(keyFile: secret(number).bytes, capsuleID: file.header.id)
        return try Capsule(
            file, keys: FileKeys(fileKey: try #require(key), salt: file.header.salt))
    }

    /// Differences as lines: kind, path, aspects.
    static func differences(_ one: TreeDiff.Side, _ two: TreeDiff.Side) throws -> [String] {
        var lines: [String] = []
        try TreeDiff.compare(one, two) { difference in
            let aspects = difference.aspects.joined(separator: ",")
            lines.append("\(difference.kind) \(Text.escaped(difference.path)) \(aspects)")
        }
        return lines
    }
}
