import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem

/// A file that begins with a header and two slot areas: a capsule, or the keys of a workspace.
public protocol SlottedFile: AnyObject, Sendable {
    /// Where it lies.
    var storage: any Storage { get }
    /// The header.
    var header: Header { get }
    /// Both slot areas.
    var slotAreas: AreaPair { get }
    /// The slots of the current area.
    var slots: [KeySlot] { get }

    /// Checks everything that the file key authenticates. Throws `wrongSecret` and `damaged`.
    func authenticate(_ keys: FileKeys) throws(FormatError)
}

extension SlottedFile {
    /// Whether the key is this file's, compared in constant time.
    public func accepts(_ keys: FileKeys) -> Bool {
        equalInConstantTime(keys.commitment, header.keyCommitment)
    }

    func authenticateSlots(_ keys: FileKeys) throws(FormatError) {
        guard accepts(keys) else {
            throw FormatError(.wrongSecret, "the key is not this \(header.kind)'s")
        }
        guard slotAreas.current.isAuthentic(length: header.slotAreaLength, keys: keys) else {
            throw .damaged(
                "the slot area is not authentic: slots were changed without the key",
                at: header.slotAreaOffset(slotAreas.currentCopy))
        }
    }
}

/// The file of a workspace that says which secrets open it: a header of kind `workspace` and two
/// slot areas, as in a capsule, and nothing else.
public final class WorkspaceKeyFile: SlottedFile {
    /// Where it lies.
    public let storage: any Storage
    /// The header.
    public let header: Header
    /// Both slot areas.
    public let slotAreas: AreaPair
    /// The slots of the current area.
    public let slots: [KeySlot]

    /// Reads and checks it. Throws `FormatError`.
    public init(_ storage: any Storage) throws(FormatError) {
        self.storage = storage
        header = try Header(
            decoding: try storage.required(Limits.headerLength, at: 0, "header"), as: .workspace)
        slotAreas = try AreaPair(
            storage: storage, kind: .slots,
            offsets: [header.slotAreaOffset(0), header.slotAreaOffset(1)],
            length: header.slotAreaLength)
        slots = try SlotList.decode(
            slotAreas.current, at: header.slotAreaOffset(slotAreas.currentCopy))
    }

    /// The bytes of a new one. Throws `limitExceeded` for slots that do not fit.
    public static func encoded(
        _ header: Header, slots: [KeySlot], keys: FileKeys
    ) throws(FormatError) -> [UInt8] {
        let area = Area(
            kind: .slots, sequence: 1, count: slots.count, records: slots.flatMap(\.record))
        guard area.records.count <= Area.capacity(length: header.slotAreaLength) else {
            throw FormatError(.limitExceeded, "the slots do not fit their area")
        }
        _ = try SlotList.decode(area, at: 0)
        let bytes = area.encoded(length: header.slotAreaLength, keys: keys)
        return header.encoded + bytes + bytes
    }

    /// As `SlottedFile` says.
    public func authenticate(_ keys: FileKeys) throws(FormatError) { try authenticateSlots(keys) }
}
