// The two copies of an area: which one counts, what is refused, and that a change can be cut off
// anywhere.

import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Crypto
import Testing

@testable import CapsuleFormat

@Suite("Areas")
struct AreaTests {
    private let sealed: Sealed
    private let fileKey = SymmetricKey(data: Noise.bytes(32, seed: 1))

    init() throws { sealed = try Sample.shared.get() }

    private func slots(_ numbers: [UInt64]) throws -> [KeySlot] {
        try numbers.map { try Sample.keySlot($0, key: fileKey, id: sealed.header.id) }
    }

    private func area(_ numbers: [UInt64], sequence: UInt64) throws -> [UInt8] {
        let slots = try slots(numbers)
        let area = Area(
            kind: .slots, sequence: sequence, count: slots.count, records: slots.flatMap(\.record))
        return area.encoded(length: 4096, keys: sealed.keys)
    }

    /// The capsule with other slot areas.
    private func capsule(_ first: [UInt8], _ second: [UInt8]) -> MemoryStorage {
        MemoryStorage(sealed.bytes[..<4096] + first + second + sealed.bytes[12288...])
    }

    private func opens(_ storage: MemoryStorage, with number: UInt64) throws -> Bool {
        let file = try CapsuleFile(storage)
        try file.authenticate(sealed.keys)
        let secret = Sample.secret(Sample.keyFile(number))
        return try file.slots.contains {
            try $0.open(keyFile: secret.bytes, capsuleID: file.header.id) != nil
        }
    }

    @Test("the whole copy with the higher sequence number counts, copy 0 if both are equal")
    func choice() throws {
        let (one, two) = (try area([1], sequence: 1), try area([2], sequence: 2))
        let equal = try area([2], sequence: 1)
        var broken = two
        broken[30] ^= 1
        let cases: [(first: [UInt8], second: [UInt8], copy: Int, differs: Bool)] = [
            (one, one, 0, false), (one, two, 1, true), (two, one, 0, true), (one, equal, 0, true),
            (equal, one, 0, true), (broken, one, 1, true), (one, broken, 0, true),
        ]
        for (index, row) in cases.enumerated() {
            let file = try CapsuleFile(capsule(row.first, row.second))
            #expect(file.slotAreas.currentCopy == row.copy, "case \(index)")
            #expect(file.slotAreas.differs == row.differs, "case \(index)")
            #expect((file.slotAreas.otherFault != nil) == (index >= 5), "case \(index)")
        }
        let fault = failure { _ = try CapsuleFile(capsule(broken, broken)) }
        #expect(fault?.message == "the slot area's checksum is wrong" && fault?.offset == 4096)
    }

    @Test("a verifier reports a copy that is not whole, and not one that merely differs")
    func verification() throws {
        let (one, two) = (try area([1], sequence: 1), try area([2], sequence: 2))
        #expect(!isNoticed(capsule(one, two)))
        var broken = two
        broken[4000] ^= 1
        #expect(isNoticed(capsule(one, broken)) && isNoticed(capsule(broken, one)))
    }

    @Test("slots that were changed without the key are refused, whatever their checksum says")
    func forgedSlots() throws {
        let two = try slots([2])[0].record
        let forged = Forge.area(sealed.bytes[4096..<8192]) { area in
            Forge.put(UInt64(9), into: &area, at: 8)
            area.replaceSubrange(24..<24 + two.count, with: two)
        }
        let file = try CapsuleFile(capsule(forged, forged))
        let fault = failure { try file.authenticate(sealed.keys) }
        #expect(fault?.code == .damaged)
        #expect(fault?.message.hasPrefix("the slot area is not authentic") == true)
    }

    @Test("replacing slots that is cut off anywhere leaves the old or the new slots")
    func replaceSlotsCrash() throws {
        for death in 0...4 {
            for fate in MemoryStorage.Unflushed.allCases {
                let storage = MemoryStorage(sealed.bytes)
                storage.die(atOperation: death)
                let file = try CapsuleFile(storage)
                let fault = failure { try file.replaceSlots(try slots([2]), keys: sealed.keys) }
                #expect((fault == nil) == (death == 4), "operation \(death)")
                let found = storage.afterCrash(fate)
                let (old, new) = (try opens(found, with: 1), try opens(found, with: 2))
                #expect(old != new, "operation \(death), \(fate)")
                // What the next change makes of it is whole again.
                try CapsuleFile(found).replaceSlots(try slots([3]), keys: sealed.keys)
                #expect(try opens(found, with: 3) && !opens(found, with: 2))
                #expect(!isNoticed(found))
            }
        }
    }

    @Test("appending a signature that is cut off anywhere leaves the old or the new list")
    func appendSignatureCrash() throws {
        let signature = Noise.bytes(200, seed: 3)
        for death in 0...4 {
            for fate in MemoryStorage.Unflushed.allCases {
                let storage = MemoryStorage(sealed.bytes)
                try CapsuleFile(storage).appendSignature([1])
                let before = storage.operations
                storage.die(atOperation: before + death)
                let file = try CapsuleFile(storage)
                let fault = failure { try file.appendSignature(signature) }
                #expect((fault == nil) == (death == 4), "operation \(death)")
                let found = try CapsuleFile(storage.afterCrash(fate)).signatures
                #expect([[[1]], [[1], signature]].contains(found), "operation \(death), \(fate)")
            }
        }
    }

    @Test("a removed slot is in neither copy afterwards")
    func removal() throws {
        let storage = MemoryStorage(sealed.bytes)
        try CapsuleFile(storage).replaceSlots(try slots([1, 2]), keys: sealed.keys)
        #expect(try opens(storage, with: 1) && opens(storage, with: 2))
        try CapsuleFile(storage).replaceSlots(try slots([2]), keys: sealed.keys)
        let salt = try slots([1])[0].salt
        #expect(storage.bytes[4096..<12288].firstRange(of: salt) == nil)
        #expect(try CapsuleFile(storage).slotAreas.current.sequence == 3)
        #expect(failure { try CapsuleFile(storage).replaceSlots([], keys: sealed.keys) } != nil)
    }

    @Test("slots and signatures beyond the room are refused and change nothing")
    func room() throws {
        let storage = MemoryStorage(sealed.bytes)
        let file = try CapsuleFile(storage)
        let many = failure {
            try file.replaceSlots(try slots(Array(1...40)), keys: sealed.keys)
        }
        #expect(many?.code == .limitExceeded)
        let large = failure { try file.appendSignature(Noise.bytes(4100, seed: 1)) }
        #expect(large?.code == .limitExceeded)
        let huge = failure { try file.appendSignature(Noise.bytes(20_000, seed: 1)) }
        #expect(huge != nil)
        #expect(storage.bytes == sealed.bytes)
    }

    @Test("the 65th signature is refused")
    func signatureCount() throws {
        let storage = MemoryStorage(sealed.bytes)
        for number in 0..<64 { try CapsuleFile(storage).appendSignature([UInt8(number)]) }
        #expect(try CapsuleFile(storage).signatures.count == 64)
        #expect(failure { try CapsuleFile(storage).appendSignature([64]) } != nil)
        #expect(try CapsuleFile(storage).signatures.count == 64)
    }

    @Test(
        "a change never leaves a capsule unreadable, whatever sequence number anyone wrote",
        arguments: [UInt64(UInt32.max) - 2, UInt64(UInt32.max) - 1, .max - 1, .max])
    func sequenceNumbers(sequence: UInt64) throws {
        let forged = Forge.area(sealed.bytes[12288..<16384]) { area in
            Forge.put(sequence, into: &area, at: 8)
        }
        let bytes = sealed.bytes[..<12288] + forged + forged + sealed.bytes[20480...]
        let storage = MemoryStorage(Array(bytes))
        guard let file = try? CapsuleFile(storage) else { return }
        _ = failure { try file.appendSignature([1]) }
        #expect(throws: Never.self) { _ = try CapsuleFile(storage) }
    }

    @Test("Argon2id's limits hold over all slots before any key is derived")
    func argonLimits() throws {
        func record(_ passes: UInt32, _ memory: UInt32, _ lanes: UInt32) -> [UInt8] {
            var writer = ByteWriter()
            writer.integer(UInt16(1))
            writer.integer(UInt16(0))
            writer.integer(UInt32(172))
            writer.append(Noise.bytes(112, seed: 4))
            writer.integer(UInt16(12))
            writer.integer(UInt16(0))
            writer.integer(UInt32(0))
            for number in [passes, memory, lanes] { writer.integer(number) }
            writer.pad(to: 172)
            return Forge.slot(writer.bytes) { _ in }
        }
        func decodes(_ records: [[UInt8]]) -> Bool {
            let area = Area(
                kind: .slots, sequence: 1, count: records.count, records: Array(records.joined()))
            return failure { _ = try SlotList.decode(area, at: 0) } == nil
        }
        #expect(decodes([record(1, 8, 1)]) && decodes([record(64, 131_072, 16)]))
        #expect(decodes(Array(repeating: record(1, 8, 1), count: 16)))
        #expect(!decodes(Array(repeating: record(1, 8, 1), count: 17)))
        #expect(decodes([record(1, 4_194_304, 1), record(1, 4_194_304, 4)]))
        #expect(!decodes([record(1, 4_194_304, 1), record(1, 4_194_304, 4), record(1, 8, 1)]))
        let beyond: [(UInt32, UInt32, UInt32)] = [
            (0, 64, 1), (65, 64, 1), (1, 7, 1), (1, 4_194_305, 1), (1, 64, 0), (1, 256, 17),
            (1, 15, 2), (3, 4_194_304, 1), (.max, .max, .max),
        ]
        for (passes, memory, lanes) in beyond {
            #expect(!decodes([record(passes, memory, lanes)]), "\(passes) \(memory) \(lanes)")
        }
    }

    @Test("an area whose records and counts do not agree is refused")
    func records() throws {
        let record = try slots([1])[0].record
        func decodes(_ count: Int, _ records: [UInt8]) -> Bool {
            let area = Area(kind: .slots, sequence: 1, count: count, records: records)
            return failure { _ = try SlotList.decode(area, at: 0) } == nil
        }
        #expect(decodes(1, record) && decodes(0, []))
        #expect(!decodes(2, record) && !decodes(0, record) && !decodes(1, record + [0]))
        #expect(!decodes(1, Array(record.dropLast())) && !decodes(1, []))
        #expect(!decodes(65535, record) && !decodes(257, []))
        let unknown = Forge.slot(record) { Forge.put(UInt16(77), into: &$0, at: 0) }
        #expect(decodes(1, unknown))
        func signatures(_ count: Int, _ records: [UInt8]) -> [[UInt8]]? {
            let area = Area(kind: .signatures, sequence: 1, count: count, records: records)
            return try? SignatureList.decode(area, at: 0)
        }
        #expect(signatures(1, [1, 0, 0, 0, 9]) == [[9]])
        #expect(signatures(1, [2, 0, 0, 0, 9]) == nil && signatures(1, [1, 0, 0, 0, 9, 9]) == nil)
        #expect(signatures(65, []) == nil && signatures(1, [255, 255, 255, 255]) == nil)
    }
}
