import FoundationEssentials

/// What a workspace stores, and for what: `.capsule/stats.json`.
public struct WorkspaceStatistics: Encodable, Sendable {
    /// The version of this JSON.
    public internal(set) var schemaVersion = 1
    /// Inodes of the present tree.
    public internal(set) var inodes: UInt64 = 0
    /// The sum of the sizes of its files, in bytes.
    public internal(set) var fileBytes: UInt64 = 0
    /// Bytes of blocks that it shows.
    public internal(set) var presentBytes: UInt64 = 0
    /// Bytes of blocks that only states show.
    public internal(set) var historyBytes: UInt64 = 0
    /// Bytes of all segments; what is in neither of the two before is garbage.
    public internal(set) var segmentBytes: UInt64 = 0
    /// States that are kept.
    public internal(set) var states: UInt64 = 0
    /// Events in the audit log.
    public internal(set) var events: UInt64 = 0

    private enum CodingKeys: String, CodingKey {
        case inodes, states, events
        case schemaVersion = "schema_version"
        case fileBytes = "file_bytes"
        case presentBytes = "present_bytes"
        case historyBytes = "history_bytes"
        case segmentBytes = "segment_bytes"
    }

    /// As one line of JSON with sorted keys.
    public var line: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("numbers can be encoded")
        }
        return Array(data) + [10]
    }
}
