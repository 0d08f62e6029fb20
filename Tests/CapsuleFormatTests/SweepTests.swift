// Every byte matters: whatever is done to a stored byte, a reader with the key gets an error or
// exactly what was sealed, and a verifier without a key notices.

import CapsuleCrypto
import CapsuleSystem
import Testing

@testable import CapsuleFormat

/// What became of a changed capsule.
enum Outcome: Equatable {
    case refused(FormatError.Code)
    case original
    /// Other bytes than those sealed: what must never happen.
    case different
}

func outcome(
    _ storage: MemoryStorage, _ keys: FileKeys, _ expected: Snapshot
) -> Outcome {
    do throws(FormatError) {
        let snapshot = try Snapshot(try Sealed.open(storage, keys))
        return snapshot == expected ? .original : .different
    } catch {
        return .refused(error.code)
    }
}

/// Whether a verifier without a key finds something wrong.
func isNoticed(_ storage: MemoryStorage) -> Bool {
    do throws(FormatError) {
        return !CapsuleVerifier(try CapsuleFile(storage), workerCount: 1).verify().isIntact
    } catch {
        return true
    }
}

/// Not serialised: the shares of one sweep run side by side.
@Suite("Every byte matters")
struct SweepTests {
    static let shareCount = 4

    private let sealed: Sealed
    private let expected: Snapshot

    init() throws {
        sealed = try Sample.shared.get()
        expected = try Snapshot(try sealed.open())
    }

    /// Calls `body` with every position of a share and with values that its byte does not have.
    private func sweep(
        _ share: Int, _ values: (Int, UInt8) -> Set<UInt8>,
        _ body: (MemoryStorage, Int) -> Void
    ) {
        let storage = MemoryStorage(sealed.bytes)
        for position in stride(from: share, to: sealed.bytes.count, by: Self.shareCount) {
            let original = sealed.bytes[position]
            for value in values(position, original) where value != original {
                storage[position] = value
                body(storage, position)
            }
            storage[position] = original
        }
    }

    @Test("a flipped bit is an error or harmless to who has the key", arguments: 0..<shareCount)
    func flipWithKey(share: Int) {
        var harmful: [Int] = []
        sweep(share, { [$1 ^ 1 << UInt8($0 / Self.shareCount % 8)] }) { storage, position in
            if outcome(storage, sealed.keys, expected) == .different { harmful.append(position) }
        }
        #expect(harmful.isEmpty)
    }

    @Test("a byte set to 0 or 255 is an error or harmless", arguments: 0..<shareCount)
    func overwriteWithKey(share: Int) {
        var harmful: [Int] = []
        // In the areas, which are mostly zeros, the flips above have been nearly the same.
        let areas = 4096..<Int(sealed.header.dataOffset)
        sweep(
            share, { position, value in areas.contains(position) && value == 0 ? [] : [0, 255] }
        ) { storage, position in
            if outcome(storage, sealed.keys, expected) == .different { harmful.append(position) }
        }
        #expect(harmful.isEmpty)
    }

    @Test("who has no key notices every flipped, zeroed and set byte", arguments: 0..<shareCount)
    func withoutKey(share: Int) {
        var unnoticed: [Int] = []
        sweep(share, { [$1 ^ 1 << UInt8($0 / Self.shareCount % 8), 0, 255] }) {
            storage, position in
            if !isNoticed(storage) { unnoticed.append(position) }
        }
        #expect(unnoticed.isEmpty)
    }

    /// Where one part ends and the next begins.
    private func boundaries() throws -> Set<Int> {
        let parts = try Forge.parts(of: sealed)
        var edges: Set<Int> = [0, 4, 6, 4096, sealed.bytes.count]
        for offset in 1...4 { edges.insert(4096 + offset * Sample.areaLength) }
        for range in parts.blocks + parts.nodes {
            edges.formUnion([range.lowerBound, range.upperBound])
        }
        return edges
    }

    @Test("a capsule cut short anywhere is refused, with and without a key")
    func truncation() throws {
        var lengths = Set(stride(from: 0, to: sealed.bytes.count, by: 61))
        for edge in try boundaries() { lengths.formUnion([edge - 1, edge, edge + 1]) }
        for length in lengths where (0..<sealed.bytes.count).contains(length) {
            let storage = MemoryStorage(Array(sealed.bytes.prefix(length)))
            let found = failure { _ = try CapsuleFile(storage) }
            let codes: [FormatError.Code] = length < 4 ? [.notACapsule] : [.truncated]
            #expect(
                found.map { codes.contains($0.code) } == true, "length \(length): \(found as Any)")
        }
    }

    @Test("appended bytes are noticed, whatever they are")
    func appending() {
        for tail in [[0], [UInt8](repeating: 0, count: 1024), Array(sealed.bytes.suffix(1024))] {
            let storage = MemoryStorage(sealed.bytes + tail)
            #expect(isNoticed(storage))
            #expect(outcome(storage, sealed.keys, expected) != .different)
            #expect(outcome(storage, sealed.keys, expected) != .original)
        }
    }

    @Test("bytes inserted or removed at any boundary are noticed")
    func shifting() throws {
        for edge in try boundaries() where edge < sealed.bytes.count {
            for count in [1, 16, 4096] {
                var longer = sealed.bytes
                longer.insert(contentsOf: [UInt8](repeating: 0, count: count), at: edge)
                var shorter = sealed.bytes
                shorter.removeSubrange(edge..<min(edge + count, shorter.count))
                for bytes in [longer, shorter] {
                    let storage = MemoryStorage(bytes)
                    #expect(isNoticed(storage), "edge \(edge), \(count) bytes")
                    #expect(outcome(storage, sealed.keys, expected) != .original)
                    #expect(outcome(storage, sealed.keys, expected) != .different)
                }
            }
        }
    }

    @Test("blocks and nodes that change places or are copied over each other are noticed")
    func exchanging() throws {
        let parts = try Forge.parts(of: sealed)
        let all = parts.blocks + parts.nodes
        for one in all {
            for two in all where one != two {
                let count = min(one.count, two.count)
                var swapped = sealed.bytes
                var doubled = sealed.bytes
                let (first, second) = (one.lowerBound..<one.lowerBound + count, two.prefix(count))
                swapped.replaceSubrange(first, with: sealed.bytes[two.prefix(count)])
                swapped.replaceSubrange(second, with: sealed.bytes[one.prefix(count)])
                doubled.replaceSubrange(first, with: sealed.bytes[two.prefix(count)])
                for bytes in [swapped, doubled] {
                    #expect(isNoticed(MemoryStorage(bytes)), "\(one) and \(two)")
                    #expect(
                        outcome(MemoryStorage(bytes), sealed.keys, expected) != .different)
                }
            }
        }
    }

    @Test("no part of another capsule fits, even where both have the same keys")
    func splicing() throws {
        for other in [try Sample.capsule(seed: 2), try Self.sameKeysOtherContents()] {
            let parts = try Forge.parts(of: sealed)
            var regions = (parts.blocks + parts.nodes).map { $0 }
            regions += [0..<4096, sealed.bytes.count - 1024..<sealed.bytes.count]
            for region in regions {
                guard region.upperBound <= other.bytes.count,
                    other.bytes[region] != sealed.bytes[region]
                else { continue }
                var bytes = sealed.bytes
                bytes.replaceSubrange(region, with: other.bytes[region])
                let storage = MemoryStorage(bytes)
                #expect(isNoticed(storage), "\(region)")
                #expect(outcome(storage, sealed.keys, expected) != .different)
                #expect(outcome(storage, other.keys, expected) != .different)
            }
        }
    }

    /// What reproducible sealing must never produce: it only serves to be spliced.
    private static func sameKeysOtherContents() throws -> Sealed {
        let contents = Sample.Contents.stream.reversed().map { $0 ^ 0x55 }
        return try Sample.seal { writer in
            let content = writer.contentStream(Sample.smallShape)
            contents.withUnsafeBytes { content.append($0) }
            try writer.finish(content)
            var index = try Sample.tree()
            index[2].seconds = 77
            try writer.writeIndex(&index, uniform: false)
            try writer.writeManifest(
                Sample.manifest(id: Noise.bytes(16, seed: 201)).encoded)
        }
    }

    @Test("slot areas of another capsule, or both emptied, do not open it")
    func foreignAreas() throws {
        let other = try Sample.capsule(seed: 2)
        var bytes = sealed.bytes
        bytes.replaceSubrange(4096..<12288, with: other.bytes[4096..<12288])
        #expect(outcome(MemoryStorage(bytes), sealed.keys, expected) == .refused(.damaged))
        let empty = Forge.area(sealed.bytes[4096..<8192]) { area in
            Forge.put(UInt16(0), into: &area, at: 4)
            Forge.put(UInt32(0), into: &area, at: 16)
            for index in 24..<4096 - 64 { area[index] = 0 }
        }
        bytes.replaceSubrange(4096..<12288, with: empty + empty)
        #expect(outcome(MemoryStorage(bytes), sealed.keys, expected) == .refused(.damaged))
    }

    @Test("the two slot areas may change places, and so may the signature areas")
    func swappedAreas() throws {
        let bytes = sealed.bytes
        let swapped =
            bytes[..<4096] + bytes[8192..<12288] + bytes[4096..<8192] + bytes[16384..<20480]
            + bytes[12288..<16384] + bytes[20480...]
        #expect(outcome(MemoryStorage(Array(swapped)), sealed.keys, expected) == .original)
        let crossed =
            bytes[..<4096] + bytes[12288..<20480] + bytes[4096..<12288] + bytes[20480...]
        #expect(outcome(MemoryStorage(Array(crossed)), sealed.keys, expected) == .refused(.damaged))
    }
}
