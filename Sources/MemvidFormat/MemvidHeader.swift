import CapsuleBytes

/// The first 4096 bytes of a decrypted file. It has no checksum of its own.
///
///     Offset  Size  Field
///          0     4  magic "MV2" and a zero
///          4     2  version, 0x0201
///          6     2  specification: major 2, minor 1
///          8     8  offset of the table of contents
///         16     8  offset of the log, at least 4096
///         24     8  length of the log, in bytes
///         32     8  position in the log up to which it was applied
///         40     8  sequence number of the last record that the table contains
///         48    32  copy of the table's checksum; informative
///         80    60  marks of old versions' locks
public struct MemvidHeader: Equatable, Sendable {
    /// Where the table of contents begins, in bytes.
    public var tableOffset: UInt64
    /// Where the log begins, in bytes.
    public var logOffset: UInt64
    /// The length of the log, in bytes.
    public var logLength: UInt64
    /// The position in the log up to which it was applied.
    public var logPosition: UInt64
    /// The number of the last record that the table contains.
    public var logSequence: UInt64
    /// Whether a version of Memvid that locked inside the file has left its mark.
    public var hasOldLock: Bool

    static let length = 4096
    static let magic: [UInt8] = [0x4d, 0x56, 0x32, 0x00]

    /// Whether a file that begins with `head` is a Memvid file.
    public static func recognises(_ head: [UInt8]) -> Bool { head.starts(with: magic) }

    init(tableOffset: UInt64, logLength: UInt64) {
        self.tableOffset = tableOffset
        logOffset = UInt64(Self.length)
        self.logLength = logLength
        logPosition = 0
        logSequence = 0
        hasOldLock = false
    }

    /// Parses the header of a file of `fileLength` bytes. While salvaging, places that cannot be
    /// are taken for unknown: the table is then looked for.
    init(
        decoding bytes: [UInt8], fileLength: UInt64, isSalvaging: Bool = false
    ) throws(MemvidError) {
        guard Self.recognises(bytes) else {
            throw MemvidError(.notMemvid, "it is no Memvid file", at: 0)
        }
        let version: UInt16
        let major: UInt8
        let minor: UInt8
        do throws(ByteError) {
            var reader = ByteReader(bytes.span.bytes)
            try reader.expect(Self.magic, "magic")
            version = try reader.integer("version")
            major = try reader.integer("specification")
            minor = try reader.integer("specification")
            tableOffset = try reader.integer("table offset")
            logOffset = try reader.integer("log offset")
            logLength = try reader.integer("log length")
            logPosition = try reader.integer("log position")
            logSequence = try reader.integer("log sequence")
            _ = try reader.bytes(32, "table checksum")
            hasOldLock = try reader.bytes(60, "old lock").contains { $0 != 0 }
        } catch {
            throw MemvidError(
                error.reason == .truncated ? .truncated : .damaged, "the header: \(error)",
                at: error.offset)
        }
        guard version == 0x0201, major == 2, minor == 1 else {
            throw MemvidError(
                .unsupportedVersion,
                "version \(major).\(minor) (\(version)) is not known; 2.1 (513) is", at: 4)
        }
        let logEnd = logOffset.checkedAdding(logLength)
        guard logOffset >= UInt64(Self.length), logLength > 0, let logEnd,
            logEnd <= tableOffset, tableOffset < fileLength
        else {
            guard isSalvaging else {
                throw .damaged("the header: a place is out of range", at: 8)
            }
            logOffset = UInt64(Self.length)
            logLength = 0
            tableOffset = max(fileLength, UInt64(Self.length))
            return
        }
    }

    /// The first byte after the log: payloads come from here on.
    var logEnd: UInt64 { logOffset + logLength }

    func encoded(tableChecksum: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: Self.length)
        writer.append(Self.magic)
        writer.integer(UInt16(0x0201))
        writer.integer(UInt8(2))
        writer.integer(UInt8(1))
        for number in [tableOffset, logOffset, logLength, logPosition, logSequence] {
            writer.integer(number)
        }
        writer.append(tableChecksum)
        writer.pad(to: Self.length)
        return writer.bytes
    }
}
