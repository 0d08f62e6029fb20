import CapsuleCrypto

/// What the table of contents says besides its frames, as far as anybody asks.
public struct TableOfContents: Equatable, Sendable {
    /// A region of the file that a manifest names; opaque here.
    public struct Region: Equatable, Sendable {
        /// What names it.
        public var name: String
        /// In the decrypted file, in bytes.
        public var offset: UInt64
        /// In bytes.
        public var length: UInt64
        /// BLAKE3 of its bytes when it was written.
        public var checksum: Digest32
    }

    /// Which of the three schemas of the format the table has.
    public enum Schema: String, Sendable, CaseIterable {
        case current
        case second = "without sketches, replay and queue"
        case first = "without memories and mesh"
    }

    /// 0 in practice.
    public var version: UInt64 = 0
    /// Which fields the table has.
    public var schema = Schema.current
    /// Indexes and tracks, opaque here.
    public var regions: [Region] = []
    /// Whether Memvid searches its text.
    public var isLexicalEnabled = false
    /// Who allowed its size.
    public var ticketIssuer = ""
    /// What Memvid lets the file grow to, in bytes.
    public var capacity: UInt64 = 0
    /// The name of a remote memory that it belongs to.
    public var binding: String?
    /// Documents that Memvid wants to enrich later.
    public var queuedTasks = 0

    /// The least lengths of things in the table, in bytes.
    private static let segmentLeast: UInt64 = 76
    private static let commonLeast: UInt64 = 8 + 8 + 8 + 32 + 8 + 2 + 4 + 1

    /// Reads the part before the frames.
    mutating func decodeBeginning(_ reader: BincodeReader) throws(MemvidError) {
        version = try reader.integer("table version")
        guard version <= 32 else { throw .damaged("the table's version \(version) is unknown") }
        for _ in 0..<(try reader.count("segments", least: Self.segmentLeast)) {
            try reader.skip(8 + 16 + 32 + 4 + 16, "segment")
        }
    }

    /// Reads what follows the frames in every schema: indexes, time index, temporal track.
    mutating func decodeMiddle(_ reader: BincodeReader) throws(MemvidError) {
        try decodeIndexes(reader)
        if try reader.bool("time index") { try region("time index", reader, fixed: 8) }
        if try reader.bool("temporal track") {
            try region("temporal track", reader, fixed: 16)
            try reader.skip(4, "temporal flags")
        }
    }

    private mutating func region(
        _ name: String, _ reader: BincodeReader, fixed: Int
    ) throws(MemvidError) {
        let offset: UInt64 = try reader.integer("region offset")
        let length: UInt64 = try reader.integer("region length")
        try reader.skip(fixed, "region")
        regions.append(
            Region(
                name: name, offset: offset, length: length,
                checksum: try reader.digest("region checksum")))
    }

    private mutating func decodeIndexes(_ reader: BincodeReader) throws(MemvidError) {
        if try reader.bool("lexical index") {
            try reader.skip(16, "lexical index")
            try region("lexical index", reader, fixed: 0)
        }
        for _ in 0..<(try reader.count("lexical segments", least: 56)) {
            let path = try reader.string("segment path")
            try region("lexical segment \(path)", reader, fixed: 0)
        }
        if try reader.bool("vector index") {
            try reader.skip(12, "vector index")
            try region("vector index", reader, fixed: 0)
            try reader.skip(4, "vector compression")
            _ = try reader.optionalString("vector model")
        }
        if try reader.bool("clip index") {
            try region("clip index", reader, fixed: 12)
            _ = try reader.string("clip model")
        }
    }

    /// Reads the rest in one schema; throws unless the reader ends with the table's last field, or
    /// `isAlone` says that something may follow.
    mutating func decodeEnd(
        _ reader: BincodeReader, schema: Schema, isAlone: Bool = true
    ) throws(MemvidError) {
        self.schema = schema
        if schema != .first {
            if try reader.bool("memories") { try region("memories", reader, fixed: 16) }
            if try reader.bool("logic mesh") { try region("logic mesh", reader, fixed: 16) }
        }
        if schema == .current, try reader.bool("sketches") {
            try region("sketches", reader, fixed: 8 + 2 + 4)
        }
        try decodeCatalog(reader)
        ticketIssuer = try reader.string("ticket issuer")
        try reader.skip(16, "ticket")
        capacity = try reader.integer("capacity")
        _ = try reader.bool("ticket verified")
        if try reader.bool("binding") {
            guard try reader.integer("memory id length", as: UInt64.self) == 16 else {
                throw .damaged("the memory id has not 16 bytes")
            }
            try reader.skip(16, "memory id")
            binding = try reader.string("memory name")
            _ = try reader.string("bound at")
            _ = try reader.string("api url")
        }
        if schema == .current {
            if try reader.bool("replay manifest") { try reader.skip(32, "replay manifest") }
            queuedTasks = try reader.count("queue", least: 24)
            try reader.skip(queuedTasks * 24, "queue")
            try reader.skip(8, "queue time")
        }
        try reader.skip(32, "merkle root")
        try reader.skip(32, "table checksum")
        guard reader.remaining == 0 || !isAlone else {
            throw .damaged("stray bytes follow the table's last field", at: reader.offset)
        }
    }

    private mutating func decodeCatalog(_ reader: BincodeReader) throws(MemvidError) {
        try reader.skip(12, "catalog")
        isLexicalEnabled = try reader.bool("lexical search")
        // Each list: what follows the common part, in bytes.
        let lists: [(name: String, extra: Int, hasPath: Bool)] = [
            ("lexical", 8, false), ("vector", 16, false), ("time", 8, false),
            ("temporal", 20, false), ("tantivy", 0, true),
        ]
        for list in lists {
            for _ in 0..<(try reader.count("catalog entries", least: Self.commonLeast)) {
                try decodeCommon(reader, list.name)
                try reader.skip(list.extra, "catalog entry")
                if list.hasPath { _ = try reader.string("catalog path") }
            }
        }
        for _ in 0..<(try reader.count("catalog entries", least: Self.commonLeast)) {
            try reader.skip(4, "index kind")
            try decodeCommon(reader, "index")
            try reader.skip(40, "catalog entry")
        }
    }

    private mutating func decodeCommon(
        _ reader: BincodeReader, _ name: String
    ) throws(MemvidError) {
        let segment: UInt64 = try reader.integer("segment id")
        try region("\(name) segment \(segment)", reader, fixed: 0)
        try reader.skip(8 + 2 + 4, "catalog entry")
        if try reader.bool("span") { try reader.skip(8 + 8 + 4 + 4 + 8 + 8, "span") }
    }
}
