import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Crypto

/// A capsule whose clear parts have been read and checked: what can be known without a key.
public final class CapsuleFile: SlottedFile {
    /// Where it lies.
    public let storage: any Storage
    /// The header.
    public let header: Header
    /// The trailer.
    public let trailer: Trailer
    /// Both slot areas.
    public let slotAreas: AreaPair
    /// Both signature areas.
    public let signatureAreas: AreaPair
    /// The slots of the current area.
    public let slots: [KeySlot]
    /// The signatures of the current area: SSHSIG blobs.
    public let signatures: [[UInt8]]

    /// Reads and checks header, areas and trailer. Throws `FormatError`.
    public init(_ storage: any Storage) throws(FormatError) {
        self.storage = storage
        let length: UInt64
        do throws(SystemError) { length = try storage.length() } catch { throw FormatError(error) }
        var head = try storage.required(
            Int(min(UInt64(Limits.headerLength), length)), at: 0, "header")
        header = try Header(decoding: head)
        head = []
        guard length >= header.dataOffset + UInt64(Limits.trailerLength) else {
            throw FormatError(.truncated, "the file ends before its trailer", at: length)
        }
        let trailerBytes = try storage.required(
            Limits.trailerLength, at: length - UInt64(Limits.trailerLength), "trailer")
        trailer = try Trailer(decoding: trailerBytes, fileLength: length, header: header)
        slotAreas = try AreaPair(
            storage: storage, kind: .slots,
            offsets: [header.slotAreaOffset(0), header.slotAreaOffset(1)],
            length: header.slotAreaLength)
        signatureAreas = try AreaPair(
            storage: storage, kind: .signatures,
            offsets: [header.signatureAreaOffset(0), header.signatureAreaOffset(1)],
            length: header.signatureAreaLength)
        let slotOffset = header.slotAreaOffset(slotAreas.currentCopy)
        slots = try SlotList.decode(slotAreas.current, at: slotOffset)
        let signatureOffset = header.signatureAreaOffset(signatureAreas.currentCopy)
        signatures = try SignatureList.decode(signatureAreas.current, at: signatureOffset)
    }

    /// What signatures are made over. Contains no digest of plaintext.
    ///
    /// Five lines, each ended by a line feed: the name of the statement, `version: 2`, and in
    /// hexadecimal the capsule id, the header's checksum and the root.
    public var statement: [UInt8] {
        let lines = [
            "capsulefs capsule statement", "version: \(Header.version)",
            "capsule: \(Text.hex(header.id))", "header: \(Text.hex(header.fingerprint))",
            "root: \(trailer.root.hex)",
        ]
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// Checks everything that the file key authenticates: commitment, trailer, slot area.
    public func authenticate(_ keys: FileKeys) throws(FormatError) {
        try authenticateSlots(keys)
        guard trailer.isAuthentic(keys: keys) else {
            throw .damaged(
                "the trailer is not authentic: header, trees or lengths were changed",
                at: trailer.fileLength - UInt64(Limits.trailerLength))
        }
    }
}

/// The records of a slot area.
enum SlotList {
    static func decode(_ area: Area, at offset: UInt64) throws(FormatError) -> [KeySlot] {
        var slots: [KeySlot] = []
        var position = 0
        do throws(ByteError) {
            guard area.count <= Limits.slotCount else {
                throw ByteError(.outOfRange, "slot count", at: offset + 4)
            }
            for _ in 0..<area.count {
                let rest = Array(area.records[position...])
                let at = offset + UInt64(Area.headLength + position)
                let slot = try KeySlot(decoding: rest, at: at)
                slots.append(slot)
                position += slot.record.count
            }
            guard position == area.records.count else {
                throw ByteError(.trailingBytes, "slots", at: offset + UInt64(position))
            }
            let costly = slots.filter { $0.kind.usesArgon2id }
            let work = costly.reduce(UInt64(0)) { $0 + ($1.cost?.work ?? 0) }
            guard costly.count <= Limits.argonSlotCount, work <= Argon2id.Limit.totalWork else {
                throw ByteError(.outOfRange, "sum of Argon2id costs", at: offset)
            }
        } catch {
            throw FormatError(error, in: "slot area")
        }
        return slots
    }
}

/// The records of a signature area: for each, its length in 4 bytes and an SSHSIG blob.
public enum SignatureList {
    static func decode(_ area: Area, at offset: UInt64) throws(FormatError) -> [[UInt8]] {
        do throws(ByteError) {
            var reader = ByteReader(
                area.records.span.bytes, absoluteOffset: offset + UInt64(Area.headLength))
            guard area.count <= Limits.signatureCount else {
                throw ByteError(.outOfRange, "signature count", at: offset + 4)
            }
            var signatures: [[UInt8]] = []
            for _ in 0..<area.count {
                let length = Int(try reader.integer("signature length", as: UInt32.self))
                guard length <= Limits.signatureLength else {
                    throw ByteError(.outOfRange, "signature length", at: reader.offset)
                }
                signatures.append(try reader.bytes(length, "signature"))
            }
            try reader.end("signatures")
            return signatures
        } catch {
            throw FormatError(error, in: "signature area")
        }
    }

    static func encode(_ signatures: [[UInt8]]) -> [UInt8] {
        var writer = ByteWriter()
        for signature in signatures {
            writer.integer(UInt32(signature.count))
            writer.append(signature)
        }
        return writer.bytes
    }
}
