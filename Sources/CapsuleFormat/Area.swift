import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem

/// A region of fixed length that holds a list of records and exists twice.
///
/// The copies are written one after the other, each flushed, so that a change can be cut off at any
/// point: one copy is always whole, and the whole one with the higher sequence number counts.
///
///     Offset  Size  Field
///          0     4  magic "SLOT" or "SIGN"
///          4     2  number of records
///          6     2  reserved, zero
///          8     8  sequence number, from 1
///         16     4  length of the records, R
///         20     4  reserved, zero
///         24     R  records
///       24+R     -  zeros
///     len-64    32  slot area: HMAC-SHA-256 of all before; signature area: zeros
///     len-32    32  checksum: BLAKE3 in the context "capsulefs 2 area checksum" of all before
public struct Area: Equatable, Sendable {
    /// The two kinds of areas.
    public enum Kind: String, Sendable {
        case slots = "SLOT"
        case signatures = "SIGN"

        var magic: [UInt8] { Array(rawValue.utf8) }
        var part: String { self == .slots ? "slot area" : "signature area" }
    }

    /// The kind.
    public let kind: Kind
    /// Grows with every change.
    public var sequence: UInt64
    /// The number of records.
    public var count: Int
    /// The records, one after the other.
    public var records: [UInt8]
    /// The MAC of a slot area, zeros in a signature area.
    public private(set) var mac: [UInt8]

    static let headLength = 24
    static let tailLength = 64
    private static let checksumContext = Blake3Context("capsulefs 2 area checksum")

    /// An area from its records; `encoded` computes the MAC.
    public init(kind: Kind, sequence: UInt64, count: Int, records: [UInt8]) {
        self.kind = kind
        self.sequence = sequence
        self.count = count
        self.records = records
        mac = [UInt8](repeating: 0, count: 32)
    }

    /// Bytes of records that fit into an area of `length` bytes.
    public static func capacity(length: Int) -> Int { length - headLength - tailLength }

    private func body(length: Int) -> [UInt8] {
        var writer = ByteWriter(capacity: length)
        writer.append(kind.magic)
        writer.integer(UInt16(count))
        writer.integer(UInt16(0))
        writer.integer(sequence)
        writer.integer(UInt32(records.count))
        writer.integer(UInt32(0))
        writer.append(records)
        writer.pad(to: length - Self.tailLength)
        return writer.bytes
    }

    /// The area as stored. `keys` are needed for slots, and only for them.
    public func encoded(length: Int, keys: FileKeys?) -> [UInt8] {
        precondition((keys == nil) == (kind == .signatures), "slots have a MAC, signatures none")
        let body = body(length: length)
        let sealed = body + (keys?.slotAreaMAC(body) ?? [UInt8](repeating: 0, count: 32))
        return sealed + Self.checksumContext.hash(sealed).bytes
    }

    /// Whether the MAC of a slot area is the one that the capsule's keys yield.
    public func isAuthentic(length: Int, keys: FileKeys) -> Bool {
        equalInConstantTime(keys.slotAreaMAC(body(length: length)), mac)
    }

    /// Parses one copy, which lies at `offset`.
    public init(decoding bytes: [UInt8], kind: Kind, at offset: UInt64) throws(FormatError) {
        let checked = Array(bytes.dropLast(32))
        guard Self.checksumContext.hash(checked).bytes == Array(bytes.suffix(32)) else {
            throw .damaged("the \(kind.part)'s checksum is wrong", at: offset)
        }
        do throws(ByteError) {
            var reader = ByteReader(checked.span.bytes, absoluteOffset: offset)
            try reader.expect(kind.magic, "area magic")
            let count = Int(try reader.integer("record count", as: UInt16.self))
            try reader.zeros(2, "reserved")
            let sequence: UInt64 = try reader.integer("sequence number")
            let length = Int(try reader.integer("records length", as: UInt32.self))
            try reader.zeros(4, "reserved")
            guard sequence > 0, sequence < UInt64(UInt32.max),
                length <= Self.capacity(length: bytes.count)
            else {
                throw ByteError(.outOfRange, "records length", at: offset + 16)
            }
            let records = try reader.bytes(length, "records")
            try reader.zeros(reader.remaining - 32, "unused area")
            let mac = try reader.bytes(32, "area MAC")
            if kind == .signatures, mac.contains(where: { $0 != 0 }) {
                throw ByteError(.reservedNotZero, "area MAC", at: offset)
            }
            self.init(kind: kind, sequence: sequence, count: count, records: records)
            self.mac = mac
        } catch {
            throw FormatError(error, in: kind.part)
        }
    }
}

/// Both copies of an area as found in a file.
public struct AreaPair: Sendable {
    /// The copy that counts.
    public let current: Area
    /// Which of the two it is.
    public let currentCopy: Int
    /// Why the other copy cannot be read, if it cannot.
    public let otherFault: FormatError?
    /// Whether the other copy holds other records: a change was cut off between the two.
    public let differs: Bool

    /// Reads both copies and chooses. Throws when neither is whole.
    public init(
        storage: some Storage, kind: Area.Kind, offsets: [UInt64], length: Int
    ) throws(FormatError) {
        let first = Self.load(storage, kind, offsets[0], length)
        let second = Self.load(storage, kind, offsets[1], length)
        switch (first, second) {
        case (.success(let one), .success(let two)):
            let useSecond = two.sequence > one.sequence
            current = useSecond ? two : one
            currentCopy = useSecond ? 1 : 0
            otherFault = nil
            differs = one.records != two.records || one.mac != two.mac
        case (.success(let one), .failure(let fault)):
            (current, currentCopy, otherFault, differs) = (one, 0, fault, true)
        case (.failure(let fault), .success(let two)):
            (current, currentCopy, otherFault, differs) = (two, 1, fault, true)
        case (.failure(let fault), .failure):
            throw fault
        }
    }

    private static func load(
        _ storage: some Storage, _ kind: Area.Kind, _ offset: UInt64, _ length: Int
    ) -> Result<Area, FormatError> {
        Result { () throws(FormatError) -> Area in
            let bytes = try storage.required(length, at: offset, kind.part)
            return try Area(decoding: bytes, kind: kind, at: offset)
        }
    }
}
