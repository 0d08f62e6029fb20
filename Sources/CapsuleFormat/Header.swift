import CapsuleBytes
import CapsuleCrypto

/// The first 4096 bytes of a capsule: what is needed before any key, and never changes.
///
///     Offset  Size  Field
///          0     4  magic "MV2E"; of a workspace "MV2W"
///          4     2  version, 2
///          6     2  flags: bit 0, the lineage fields are set
///          8    16  capsule id
///         24    32  salt of the key derivation
///         56    32  key commitment
///         88     4  length of each of the two slot areas
///         92     4  length of each of the two signature areas; of a workspace 0
///         96     2  number of expected signers
///         98     2  length of the label
///        100     2  length of the hint
///        102     2  reserved, zero
///        104    16  lineage id
///        120     8  lineage version
///        128   512  expected signers: SHA-256 of SSH public key blobs, ascending, 32 bytes each
///        640   256  label, UTF-8, then zeros
///        896   256  hint, UTF-8, then zeros
///       1152  2912  reserved, zero
///       4064    32  checksum: BLAKE3 in the context "capsulefs 2 header checksum" of all before
public struct Header: Equatable, Sendable {
    /// The name of the lineage and the position in it, where they are public.
    public struct PublicLineage: Equatable, Sendable {
        /// 16 bytes.
        public let id: [UInt8]

        /// From 1.
        public let version: UInt64

        /// A lineage id of 16 bytes and a version from 1.
        public init(id: [UInt8], version: UInt64) {
            self.id = id
            self.version = version
        }
    }

    /// What a header is the beginning of.
    public enum Kind: String, Sendable {
        /// A sealed capsule.
        case capsule = "MV2E"
        /// The file of a workspace that holds its slots.
        case workspace = "MV2W"
    }

    /// What it is the beginning of.
    public var kind = Kind.capsule
    /// 16 random bytes that name the capsule or workspace.
    public var id: [UInt8]
    /// 32 random bytes under which all keys are derived.
    public var salt: [UInt8]
    /// 32 bytes that only the right file key yields.
    public var keyCommitment: [UInt8]
    /// The length of one slot area, in bytes.
    public var slotAreaLength: Int
    /// The length of one signature area, in bytes.
    public var signatureAreaLength: Int
    /// SHA-256 fingerprints of the SSH keys whose signatures must be there.
    public var expectedSigners: [[UInt8]]
    /// A public name for people.
    public var label: String
    /// A public hint at the passphrase.
    public var hint: String
    /// The lineage, where the sealer chose to publish it.
    public var lineage: PublicLineage?

    /// The first bytes of every capsule, of both versions.
    public static let magic = Array("MV2E".utf8)
    /// The version that this code reads and writes.
    public static let version: UInt16 = 2
    static let checksumContext = Blake3Context("capsulefs 2 header checksum")
    private static let checksumOffset = Limits.headerLength - 32

    /// A header from its fields.
    public init(
        id: [UInt8], salt: [UInt8], keyCommitment: [UInt8], slotAreaLength: Int,
        signatureAreaLength: Int, expectedSigners: [[UInt8]] = [], label: String = "",
        hint: String = "", lineage: PublicLineage? = nil
    ) {
        self.id = id
        self.salt = salt
        self.keyCommitment = keyCommitment
        self.slotAreaLength = slotAreaLength
        self.signatureAreaLength = signatureAreaLength
        self.expectedSigners = expectedSigners
        self.label = label
        self.hint = hint
        self.lineage = lineage
    }

    /// The offset of slot area 0 or 1.
    public func slotAreaOffset(_ copy: Int) -> UInt64 {
        UInt64(Limits.headerLength + copy * slotAreaLength)
    }

    /// The offset of signature area 0 or 1.
    public func signatureAreaOffset(_ copy: Int) -> UInt64 {
        slotAreaOffset(2) + UInt64(copy * signatureAreaLength)
    }

    /// The offset of the first block.
    public var dataOffset: UInt64 { signatureAreaOffset(2) }

    /// The header as stored, checksum included.
    public var encoded: [UInt8] {
        precondition(id.count == 16 && salt.count == 32 && keyCommitment.count == 32)
        var writer = ByteWriter(capacity: Limits.headerLength)
        writer.append(kind.rawValue.utf8)
        writer.integer(Self.version)
        writer.integer(UInt16(lineage == nil ? 0 : 1))
        writer.append(id)
        writer.append(salt)
        writer.append(keyCommitment)
        writer.integer(UInt32(slotAreaLength))
        writer.integer(UInt32(signatureAreaLength))
        writer.integer(UInt16(expectedSigners.count))
        writer.integer(UInt16(label.utf8.count))
        writer.integer(UInt16(hint.utf8.count))
        writer.integer(UInt16(0))
        writer.append(lineage?.id ?? [UInt8](repeating: 0, count: 16))
        writer.integer(lineage?.version ?? 0)
        for signer in expectedSigners.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            writer.append(signer)
        }
        writer.pad(to: 640)
        writer.append(label.utf8)
        writer.pad(to: 896)
        writer.append(hint.utf8)
        writer.pad(to: Self.checksumOffset)
        writer.append(Self.checksumContext.hash(writer.bytes).bytes)
        return writer.bytes
    }

    /// The hash that names all immutable fields: the stored checksum.
    public var fingerprint: [UInt8] { Array(encoded.suffix(32)) }
}

extension Header {
    /// Parses the first 4096 bytes of a file.
    ///
    /// Throws `notACapsule`, `unsupportedVersion`, or `damaged` with the field.
    public init(decoding bytes: [UInt8], as kind: Kind = .capsule) throws(FormatError) {
        guard bytes.starts(with: kind.rawValue.utf8) else {
            throw FormatError(
                .notACapsule, "it does not begin with the magic of a \(kind)", at: 0)
        }
        guard bytes.count >= 6 else {
            throw FormatError(.truncated, "the file ends within the header", at: 0)
        }
        let version = UInt16(bytes[4]) | UInt16(bytes[5]) << 8
        guard version == Self.version else {
            throw FormatError(
                .unsupportedVersion,
                "it is a \(kind) of version \(version); this program reads version "
                    + "\(Self.version)", at: 4)
        }
        guard bytes.count == Limits.headerLength else {
            throw FormatError(.truncated, "the file ends within the header", at: 0)
        }
        let body = Array(bytes[..<Self.checksumOffset])
        guard Self.checksumContext.hash(body).bytes == Array(bytes[Self.checksumOffset...]) else {
            throw .damaged("the header's checksum is wrong", at: UInt64(Self.checksumOffset))
        }
        do throws(ByteError) {
            try self.init(fields: body, kind)
        } catch {
            throw FormatError(error, in: "header")
        }
    }

    private init(fields body: [UInt8], _ kind: Kind) throws(ByteError) {
        self.kind = kind
        var reader = ByteReader(body.span.bytes)
        _ = try reader.bytes(6, "magic and version")
        let flags: UInt16 = try reader.integer("flags")
        guard flags & ~1 == 0 else { throw ByteError(.outOfRange, "flags", at: 6) }
        id = try reader.bytes(16, "capsule id")
        salt = try reader.bytes(32, "salt")
        keyCommitment = try reader.bytes(32, "key commitment")
        slotAreaLength = Int(try reader.integer("slot area length", as: UInt32.self))
        signatureAreaLength = Int(try reader.integer("signature area length", as: UInt32.self))
        guard Limits.areaLength.contains(slotAreaLength), slotAreaLength.isMultiple(of: 4096) else {
            throw ByteError(.outOfRange, "slot area length", at: 88)
        }
        let hasSignatures =
            Limits.areaLength.contains(signatureAreaLength)
            && signatureAreaLength.isMultiple(of: 4096)
        guard kind == .capsule ? hasSignatures : signatureAreaLength == 0 else {
            throw ByteError(.outOfRange, "signature area length", at: 92)
        }
        let signerCount = Int(try reader.integer("expected signer count", as: UInt16.self))
        let labelCount = Int(try reader.integer("label length", as: UInt16.self))
        let hintCount = Int(try reader.integer("hint length", as: UInt16.self))
        guard signerCount <= Limits.expectedSignerCount else {
            throw ByteError(.outOfRange, "expected signer count", at: 96)
        }
        guard labelCount <= Limits.labelLength, hintCount <= Limits.labelLength else {
            throw ByteError(.outOfRange, "label length", at: 98)
        }
        try reader.zeros(2, "reserved")
        let lineageID = try reader.bytes(16, "lineage id")
        let lineageVersion: UInt64 = try reader.integer("lineage version")
        let hasLineage = flags & 1 == 1
        let isUnset = lineageID.allSatisfy { $0 == 0 } && lineageVersion == 0
        guard hasLineage ? lineageVersion > 0 : isUnset else {
            throw ByteError(.outOfRange, "lineage version", at: 120)
        }
        lineage = hasLineage ? PublicLineage(id: lineageID, version: lineageVersion) : nil
        var signers: [[UInt8]] = []
        for _ in 0..<signerCount { signers.append(try reader.bytes(32, "expected signer")) }
        guard zip(signers, signers.dropFirst()).allSatisfy({ $0.lexicographicallyPrecedes($1) })
        else { throw ByteError(.outOfRange, "expected signers", at: 128) }
        expectedSigners = signers
        try reader.zeros(640 - reader.position, "expected signers")
        label = try Self.text(&reader, labelCount, "label")
        try reader.zeros(896 - reader.position, "label")
        hint = try Self.text(&reader, hintCount, "hint")
        try reader.zeros(reader.remaining, "reserved")
    }

    private static func text(
        _ reader: inout ByteReader, _ count: Int, _ field: StaticString
    ) throws(ByteError) -> String {
        let offset = reader.offset
        let bytes = try reader.bytes(count, field)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ByteError(.unexpectedValue, field, at: offset)
        }
        return text
    }
}
