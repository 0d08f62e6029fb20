import CapsuleBytes

/// The 16 bytes that name a capsule or a lineage.
public struct CapsuleID: Hashable, Sendable {
    /// The bytes.
    public let bytes: [UInt8]

    /// An id of 16 bytes. Traps for another length.
    public init(_ bytes: [UInt8]) {
        precondition(bytes.count == 16, "an id has 16 bytes")
        self.bytes = bytes
    }

    /// The id that 32 hexadecimal digits spell, or nil.
    public init?(hex: String) {
        guard let bytes = Text.unhex(hex), bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Lower-case hexadecimal.
    public var hex: String { Text.hex(bytes) }
}
