// One capsule's keys and clear parts, the same in every run, and what is sealed under them.

import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Crypto
import Glibc

@testable import CapsuleFormat

enum Fixture {
    /// Bytes that are not all the same.
    static func pattern(_ seed: UInt8, _ count: Int) -> [UInt8] {
        (0..<count).map { seed &* 31 &+ UInt8(truncatingIfNeeded: $0) &* 7 }
    }

    static let fileKey = SymmetricKey(data: pattern(1, 32))
    static let keys = FileKeys(fileKey: fileKey, salt: pattern(2, 32))
    static let header = Header(
        id: pattern(3, 16), salt: pattern(2, 32), keyCommitment: keys.commitment,
        slotAreaLength: 4096, signatureAreaLength: 4096, label: "sample", hint: "none")

    static let headerChecksum = Blake3Context("capsulefs 2 header checksum")
    static let areaChecksum = Blake3Context("capsulefs 2 area checksum")
    static let slotChecksum = Blake3Context("capsulefs 2 slot checksum")
    static let trailerRoot = Blake3Context("capsulefs 2 root")
    static let trailerChecksum = Blake3Context("capsulefs 2 trailer checksum")

    /// Header and areas, without a slot or a signature.
    static let front: [UInt8] = {
        let slots = Area(kind: .slots, sequence: 1, count: 0, records: [])
            .encoded(length: 4096, keys: keys)
        let signatures = Area(kind: .signatures, sequence: 1, count: 0, records: [])
            .encoded(length: 4096, keys: nil)
        return header.encoded + slots + slots + signatures + signatures
    }()

    static let codecs = [StreamID.content, .index, .manifest].map {
        BlockCodec(stream: $0, keys: keys, capsuleID: header.id)
    }

    static func codec(_ id: StreamID) -> BlockCodec { codecs[Int(id.rawValue) - 1] }

    /// A stored block, and its leaf. `length` is what the block claims to decompress to.
    static func seal(
        _ payload: [UInt8], length: Int, of id: StreamID, at offset: UInt64
    ) -> (stored: [UInt8], leaf: Digest32) {
        var stored = [UInt8](repeating: 0, count: payload.count + BlockCipher.tagByteCount)
        let leaf = payload.withUnsafeBytes { payload in
            stored.withUnsafeMutableBytes { stored in
                codec(id).seal(payload, logicalOffset: offset, logicalLength: length, into: stored)
            }
        }
        return (stored, leaf)
    }

    static func secret(_ bytes: [UInt8]) -> CapsuleCrypto.SharedSecret {
        var copy = bytes
        return CapsuleCrypto.SharedSecret(SecretBytes(wiping: &copy))
    }
}

/// Puts a capsule together block by block.
struct FixtureSealer {
    private(set) var bytes = Fixture.front
    private var streams: [Trailer.Stream] = []

    var position: UInt64 { UInt64(bytes.count) }

    /// Adds a stream of uncompressed blocks.
    mutating func add(_ id: StreamID, _ blocks: [[UInt8]]) {
        var tree = TreeBuilder(stream: id, start: position)
        var offset: UInt64 = 0
        for block in blocks {
            let (stored, leaf) = Fixture.seal(block, length: block.count, of: id, at: offset)
            bytes += stored
            tree.add(hash: leaf, storedLength: stored.count, logicalLength: block.count) {
                bytes += $0
            }
            offset += UInt64(block.count)
        }
        streams.append(tree.finish { bytes += $0 })
    }

    /// Adds bytes, and an entry of the trailer that says anything about them.
    mutating func add(raw: [UInt8], _ entry: Trailer.Stream) {
        bytes += raw
        streams.append(entry)
    }

    /// The whole file.
    func finish() -> InputStorage {
        let trailer = Trailer(
            fileLength: position + UInt64(Limits.trailerLength), id: Fixture.header.id,
            headerFingerprint: Fixture.header.fingerprint, streams: streams)
        return InputStorage(bytes + trailer.encoded(keys: Fixture.keys))
    }
}

/// A file in memory that nobody changes.
final class InputStorage: Storage {
    let name = "input"
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func length() throws(SystemError) -> UInt64 { UInt64(bytes.count) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        guard offset < UInt64(bytes.count) else { return 0 }
        let part = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        throw SystemError(errno: EROFS, operation: "write", object: name)
    }

    func flush() throws(SystemError) {}
}
