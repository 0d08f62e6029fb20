// Small capsules sealed in memory, and everything that can be read out of one.

import CapsuleBytes
import CapsuleCrypto
import Crypto
import Testing

@testable import CapsuleFormat

/// Numbers that look random and are the same in every run.
struct Noise {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var noise = Noise(seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: noise.next() >> 24) }
    }
}

/// A capsule's bytes and the keys that open it. No Argon2id is paid for: the slot is a key file's.
struct Sealed: Sendable {
    var bytes: [UInt8]
    let keys: FileKeys
    let header: Header

    func open() throws -> Capsule { try Sealed.open(MemoryStorage(bytes), keys) }

    static func open(_ storage: MemoryStorage, _ keys: FileKeys) throws(FormatError) -> Capsule {
        let caches = Capsule.CacheSizes(content: 1 << 16, index: 1 << 18, nodes: 1 << 16)
        return try Capsule(try CapsuleFile(storage), keys: keys, caches: caches)
    }

    var file: CapsuleFile { get throws { try CapsuleFile(MemoryStorage(bytes)) } }
}

enum Sample {
    static let areaLength = 4096
    static let smallShape = StreamSealer.Shape(
        unitLength: 4096, rawBlockLength: 4096, level: 3)

    static func keyFile(_ number: UInt64) -> [UInt8] { Noise.bytes(40, seed: 900 + number) }

    static func secret(_ bytes: [UInt8]) -> CapsuleCrypto.SharedSecret {
        var copy = bytes
        return CapsuleCrypto.SharedSecret(SecretBytes(wiping: &copy))
    }

    static func keySlot(_ number: UInt64, key: SymmetricKey, id: [UInt8]) throws -> KeySlot {
        try KeySlot(
            wrapping: key, under: .keyFile(secret(keyFile(number))), capsuleID: id,
            label: Array("slot \(number)".utf8), salt: Noise.bytes(32, seed: 700 + number))
    }

    /// Seals whatever `streams` writes. Equal seeds give equal keys.
    static func seal(
        seed: UInt64 = 1, to storage: MemoryStorage = MemoryStorage(),
        _ streams: (CapsuleWriter) throws -> Void
    ) throws -> Sealed {
        let key = SymmetricKey(data: Noise.bytes(32, seed: seed))
        let salt = Noise.bytes(32, seed: seed + 100)
        let id = Noise.bytes(16, seed: seed + 200)
        let keys = FileKeys(fileKey: key, salt: salt)
        let header = Header(
            id: id, salt: salt, keyCommitment: keys.commitment, slotAreaLength: areaLength,
            signatureAreaLength: areaLength, label: "sample", hint: "none")
        let writer = try CapsuleWriter(
            storage: storage, header: header, slots: [try keySlot(1, key: key, id: id)],
            purpose: .seal(keys, capsuleID: id, takingFingerprint: false), workerCount: 1)
        try streams(writer)
        _ = try writer.finish()
        return Sealed(bytes: storage.bytes, keys: keys, header: header)
    }

    static func manifest(id: [UInt8]) -> Manifest {
        Manifest(
            capsuleID: Text.hex(id), creator: "tester", toolVersion: "test",
            createdAt: "2026-01-01T00:00:00Z",
            lineage: Manifest.Lineage(
                id: Text.hex(Noise.bytes(16, seed: 5)), version: 1, parentRoot: nil),
            contentDigest: Text.hex(Noise.bytes(32, seed: 6)), entryCount: 11, totalSize: 1,
            excluded: [], remarks: [])
    }

    /// The contents of the sample tree's files, as its content stream has them.
    enum Contents {
        /// Three blocks, the last one short.
        static let noise = Noise.bytes(2 * 4096 + 100, seed: 11)
        static let text = Array(String(repeating: "all work and no play ", count: 90).utf8)
        static let runs = [Noise.bytes(700, seed: 12), Noise.bytes(1, seed: 13)]
        static let sparseSize: UInt64 = 9000
        static let stream = noise + text + runs[0] + runs[1]
    }

    /// A dozen entries of all kinds.
    static func tree() throws -> IndexBuilder {
        var index = IndexBuilder()
        func entry(
            _ mode: UInt32, in parent: Ordinal, size: UInt64 = 0, place: UInt64 = 0,
            count: UInt32 = 0
        ) -> Entry {
            var entry = Entry()
            (entry.mode, entry.parent, entry.size) = (mode, parent, size)
            (entry.place, entry.count) = (place, count)
            (entry.uid, entry.gid) = (1000, 100)
            (entry.seconds, entry.nanoseconds) = (-5, 999_999_999)
            return entry
        }
        let noise = UInt64(Contents.noise.count)
        let text = UInt64(Contents.text.count)
        let extents = index.addExtents([
            Extent(fileOffset: 1000, length: 700, streamOffset: noise + text),
            Extent(fileOffset: 8000, length: 1, streamOffset: noise + text + 700),
        ])
        let target = Array("dir/inner".utf8)
        let targetPlace = index.addTarget(target)
        let attributes = index.addAttributes([
            ExtendedAttribute(name: Array("user.a".utf8), value: [1, 2, 3]),
            ExtendedAttribute(name: Array("user.empty".utf8), value: []),
        ])
        try index.append(entry(0o040755, in: 0, place: 1, count: 9), name: [])
        var alias = entry(0o100644, in: 0, place: 2)
        alias.flags = .alias
        try index.append(alias, name: "alias".utf8)
        var inode = entry(0o100644, in: 0, size: noise)
        inode.linkCount = 2
        try index.append(inode, name: "blocks".utf8)
        try index.append(entry(0o020600, in: 0, place: 1 << 32 | 3), name: "dev".utf8)
        try index.append(entry(0o040700, in: 0, place: 10, count: 2), name: "dir".utf8)
        try index.append(entry(0o100600, in: 0), name: "empty".utf8)
        try index.append(entry(0o010600, in: 0), name: "fifo".utf8)
        try index.append(
            entry(0o120777, in: 0, size: UInt64(target.count), place: targetPlace),
            name: "link".utf8)
        var sparse = entry(
            0o100640, in: 0, size: Contents.sparseSize, place: extents, count: 2)
        sparse.flags = .sparse
        sparse.extra = 701
        try index.append(sparse, name: "sparse".utf8)
        try index.append(entry(0o140600, in: 0), name: [0xff, 0x01])
        try index.append(entry(0o040755, in: 4, place: 12, count: 1), name: "inner".utf8)
        var file = entry(0o104755, in: 4, size: text, place: noise)
        file.attributes = attributes
        try index.append(file, name: "text".utf8)
        try index.append(entry(0o100600, in: 10, size: 30, place: 5), name: "deep".utf8)
        index.owners.users[1000] = "ada"
        index.owners.groups[100] = "users"
        return index
    }

    static func capsule(seed: UInt64 = 1, to storage: MemoryStorage = MemoryStorage()) throws
        -> Sealed
    {
        let id = Noise.bytes(16, seed: seed + 200)
        return try seal(seed: seed, to: storage) { writer in
            let content = writer.contentStream(smallShape)
            Contents.stream.withUnsafeBytes { content.append($0) }
            try writer.finish(content)
            var index = try tree()
            try writer.writeIndex(&index, uniform: false)
            try writer.writeManifest(manifest(id: id).encoded)
        }
    }

    /// The same for every test that only reads it.
    static let shared = Result { try capsule() }
}

/// One entry with all that belongs to it.
struct Found: Equatable {
    var path: [UInt8]
    var ordinal: Ordinal
    var inode: Ordinal
    var numbers: [UInt64]
    var content: [UInt8] = []
    var target: [UInt8] = []
    var attributes: [ExtendedAttribute] = []
    var extents: [Extent] = []
}

/// Everything that can be read out of a capsule.
struct Snapshot: Equatable {
    var entries: [Found] = []
    var owners = OwnerNames()
    var manifest: Manifest
    var totals: [UInt64]

    init(_ capsule: Capsule) throws(FormatError) {
        manifest = try capsule.manifest()
        let index = capsule.index
        totals = [index.entryCount, index.inodeCount, index.totalSize]
        owners = try index.ownerNames()
        try walk(capsule, 0, try index.entry(0), path: [], depth: 0)
    }

    private mutating func walk(
        _ capsule: Capsule, _ ordinal: Ordinal, _ entry: Entry, path: [UInt8], depth: Int
    ) throws(FormatError) {
        entries.append(try Self.found(capsule, ordinal, entry, path: path))
        guard entry.isDirectory else { return }
        guard depth < Limits.depth else {
            throw FormatError(.limitExceeded, "too deep for this test")
        }
        var children: [(Ordinal, Entry, [UInt8])] = []
        try capsule.index.forEach(in: ordinal, entry, from: 0) { ordinal, entry, name in
            children.append((ordinal, entry, [UInt8](name)))
            return true
        }
        for (child, record, name) in children {
            try walk(capsule, child, record, path: path + [47] + name, depth: depth + 1)
        }
    }

    private static func found(
        _ capsule: Capsule, _ ordinal: Ordinal, _ entry: Entry, path: [UInt8]
    ) throws(FormatError) -> Found {
        let inode = try capsule.index.inode(of: entry, ordinal)
        let record = inode.entry
        var found = Found(
            path: path, ordinal: ordinal, inode: inode.ordinal,
            numbers: [
                UInt64(record.mode), UInt64(record.uid), UInt64(record.gid),
                UInt64(record.linkCount), UInt64(bitPattern: record.seconds),
                UInt64(record.nanoseconds), record.size,
                record.kind == .characterDevice ? record.place : 0,
            ])
        switch record.kind {
        case .regular:
            found.content = try contents(capsule, record)
            found.extents = try capsule.extents(of: record)
        case .symbolicLink: found.target = try capsule.index.target(of: record)
        default: break
        }
        found.attributes = try capsule.index.attributes(of: record)
        return found
    }

    static func contents(_ capsule: Capsule, _ entry: Entry) throws(FormatError) -> [UInt8] {
        guard entry.size <= 1 << 24 else {
            throw FormatError(.limitExceeded, "too large for this test")
        }
        var failure: FormatError?
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(entry.size)) { buffer, count in
            do throws(FormatError) {
                count = try capsule.read(
                    entry, at: 0, into: UnsafeMutableRawBufferPointer(buffer))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

/// The error that `body` throws, or nil.
func failure(_ body: () throws -> Void) -> FormatError? {
    do {
        try body()
    } catch let error as FormatError {
        return error
    } catch {
        Issue.record("another kind of error: \(error)")
    }
    return nil
}
