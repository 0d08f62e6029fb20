import CapsuleBytes
import CapsuleCrypto

/// The log inside a file: changes that Memvid has accepted and may not have committed yet.
///
///     Offset  Size  Field of a record
///          0     8  sequence number, from 1
///          8     4  length of the payload, in bytes
///         12     4  zero
///         16    32  BLAKE3 of the payload
///         48     n  payload
struct MemvidLog {
    struct Record: Equatable {
        var sequence: UInt64
        /// Where the payload lies in the file.
        var range: Range<UInt64>
        var checksum: Digest32
    }

    static let recordHeaderLength = 48

    /// The records, oldest first.
    var records: [Record] = []
    /// Why the reading stopped before the end, if it did.
    var fault: MemvidError?

    /// Reads the headers of all records from the start of the region; a fault ends the list.
    init(_ source: any MemvidSource, _ header: MemvidHeader) throws(MemvidError) {
        let headLength = UInt64(Self.recordHeaderLength)
        var offset = header.logOffset
        while offset + headLength <= header.logEnd {
            let head = try source.bytes(Self.recordHeaderLength, at: offset, "log")
            let sequence = Self.number(head[..<8])
            let length = Self.number(head[8..<12])
            if sequence == 0 && length == 0 { return }
            let start = offset + headLength
            guard length > 0, length <= header.logEnd - start, sequence > 0,
                records.count < MemvidLimits.recordCount
            else {
                fault = .damaged("a record of the log has an impossible length", at: offset)
                return
            }
            let record = Record(
                sequence: sequence, range: start..<start + length,
                checksum: Digest32(Array(head[16..<48])))
            records.append(record)
            offset = record.range.upperBound
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The records that the table of contents does not contain yet, in order.
    func pending(_ header: MemvidHeader) -> [Record] {
        records.filter { $0.sequence > header.logSequence }.sorted { $0.sequence < $1.sequence }
    }

    /// The payload of a record. Throws `damaged` when it does not fit its checksum.
    static func payload(
        _ record: Record, _ source: any MemvidSource
    ) throws(MemvidError) -> [UInt8] {
        let bytes = try source.bytes(
            Int(record.range.upperBound - record.range.lowerBound), at: record.range.lowerBound,
            "log")
        var hasher = Blake3Stream()
        hasher.update(bytes)
        guard hasher.digest() == record.checksum else {
            throw .damaged(
                "record \(record.sequence) of the log is damaged", at: record.range.lowerBound)
        }
        return bytes
    }
}

/// One change in the log.
struct LogEntry {
    enum Operation: UInt32 {
        case insert, tombstone
    }

    /// What an insertion adds, but for what only its place in the table tells.
    var frame = MemvidFrame()
    /// Where the payload lies in the file.
    var payload: Range<UInt64> = 0..<0
    var operation = Operation.insert
    var parentSequence: UInt64?
    var target: UInt64?
    var supersedes: UInt64?
    var reusesPayloadOf: UInt64?

    /// Parses a record's payload, which lies at `offset` of the file; nil for records that only
    /// concern an index.
    init?(_ bytes: [UInt8], at offset: UInt64) throws(MemvidError) {
        let reader = BincodeReader(MemorySource(bytes), range: 0..<UInt64(bytes.count))
        let kind: UInt32 = try reader.integer("record kind")
        if kind == 1 { return nil }
        guard kind == 0 else { throw .damaged("a record of the log has the unknown kind \(kind)") }
        frame.timestamp = try reader.integer("timestamp")
        frame.kind = try reader.optionalString("kind")
        frame.track = try reader.optionalString("track")
        let count = try reader.count("payload", least: 1, limit: MemvidLimits.payloadLength)
        payload = offset + reader.offset..<offset + reader.offset + UInt64(count)
        let contents = try reader.bytes(count, "payload")
        if try reader.bool("embedding") {
            let dimension = try reader.count("embedding", least: 4)
            try reader.skip(dimension * 4, "embedding")
        }
        frame.uri = try reader.optionalString("uri")
        frame.title = try reader.optionalString("title")
        try frame.decodeDescription(reader)
        frame.role = try reader.choice("role")
        parentSequence = try reader.optionalInteger("parent sequence")
        frame.chunkIndex = try reader.optionalInteger("chunk index")
        frame.chunkCount = try reader.optionalInteger("chunk count")
        operation = try reader.choice("operation")
        target = try reader.optionalInteger("target")
        supersedes = try reader.optionalInteger("supersedes")
        reusesPayloadOf = try reader.optionalInteger("reused payload")
        frame.sourceChecksum = try reader.optional("source checksum") { field throws(MemvidError) in
            try reader.digest(field)
        }
        frame.sourcePath = try reader.optionalString("source path")
        frame.enrichmentState = try reader.choice("enrichment state")
        guard reader.remaining == 0 else {
            throw .damaged("stray bytes follow a record of the log", at: offset + reader.offset)
        }
        var hasher = Blake3Stream()
        hasher.update(contents)
        frame.checksum = hasher.digest()
    }
}

/// Applies pending records in memory, as Memvid would when it opens the file for writing.
struct LogReplay {
    private(set) var frames: [MemvidFrame] = []
    /// Changes of status of frames that the table has.
    private(set) var changed: [UInt64: Change] = [:]

    struct Change {
        var status: MemvidFrame.Status
        var supersededBy: UInt64?
    }

    private let committedCount: UInt64
    private let lookup: (UInt64) throws(MemvidError) -> MemvidFrame
    private let nearestParent: () -> UInt64?
    private var idOfSequence: [UInt64: UInt64] = [:]

    /// A replay after a table with `committedCount` frames.
    ///
    /// - Parameters:
    ///   - lookup: gives a frame of the table.
    ///   - nearestParent: the last active document of the table with a manifest.
    init(
        committedCount: UInt64, lookup: @escaping (UInt64) throws(MemvidError) -> MemvidFrame,
        nearestParent: @escaping () -> UInt64?
    ) {
        self.committedCount = committedCount
        self.lookup = lookup
        self.nearestParent = nearestParent
    }

    private func frame(_ id: UInt64) throws(MemvidError) -> MemvidFrame {
        if id < committedCount { return try lookup(id) }
        guard id - committedCount < UInt64(frames.count) else {
            throw .damaged("the log refers to frame \(id), which is not there")
        }
        return frames[Int(id - committedCount)]
    }

    private mutating func set(
        _ id: UInt64, _ status: MemvidFrame.Status, supersededBy: UInt64?
    ) throws(MemvidError) {
        _ = try frame(id)
        if id < committedCount {
            changed[id] = Change(status: status, supersededBy: supersededBy)
        } else {
            frames[Int(id - committedCount)].status = status
            frames[Int(id - committedCount)].supersededBy = supersededBy
        }
    }

    mutating func apply(_ entry: LogEntry, sequence: UInt64) throws(MemvidError) {
        if entry.operation == .tombstone {
            guard let target = entry.target else {
                throw .damaged("record \(sequence) of the log deletes nothing")
            }
            return try set(target, .deleted, supersededBy: nil)
        }
        var frame = entry.frame
        frame.id = committedCount + UInt64(frames.count)
        frame.anchorTimestamp = frame.timestamp
        frame.anchorSource = .frameTimestamp
        frame.payloadOffset = entry.payload.lowerBound
        frame.payloadLength = entry.payload.upperBound - entry.payload.lowerBound
        if let source = entry.reusesPayloadOf {
            let old = try self.frame(source)
            frame.payloadOffset = old.payloadOffset
            frame.payloadLength = old.payloadLength
            frame.checksum = old.checksum
            frame.canonicalLength =
                frame.canonicalLength ?? old.canonicalLength ?? old.payloadLength
        }
        if frame.canonicalLength == nil, !frame.isCompressed {
            frame.canonicalLength = frame.payloadLength
        }
        if frame.uri == nil { frame.uri = "mv2://frames/\(frame.id)" }
        if frame.title == nil { frame.title = Self.title(of: frame.uri ?? "") }
        if let parent = entry.parentSequence { frame.parentID = idOfSequence[parent] }
        if frame.parentID == nil, frame.role == .documentChunk {
            let here = frames.last { $0.status == .active && $0.chunkManifest != nil }
            frame.parentID = here?.id ?? nearestParent()
        }
        if let old = entry.supersedes {
            frame.supersedes = old
            try set(old, .superseded, supersededBy: frame.id)
        }
        idOfSequence[sequence] = frame.id
        frames.append(frame)
    }

    /// The title that Memvid gives where there is none: the last part of the URI's path without its
    /// last extension, in words with capitals.
    static func title(of uri: String) -> String? {
        var text = uri[...]
        if let scheme = text.range(of: "://") { text = text[scheme.upperBound...] }
        text = text.prefix { $0 != "?" && $0 != "#" }
        guard let last = text.split(separator: "/").last else { return nil }
        var name = last
        if let dot = last.lastIndex(of: "."), dot != last.startIndex { name = last[..<dot] }
        let words = name.split { $0 == "-" || $0 == "_" || $0 == " " }
        return words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: " ")
    }
}

extension Substring {
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
