import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem

/// An opened Memvid file: its frames by number, its documents' bytes on demand.
///
/// Opening costs the key derivation and one pass over the table of contents. Payloads are read,
/// decrypted and checked when somebody reads them.
public final class MemvidFile: Sendable {
    /// How the bytes lie in the file.
    public enum Form: String, Sendable {
        case plain
        case chunked
        case oneShot = "one-shot"
    }

    /// How much is taken that a careful reader would refuse.
    public struct Options: Sendable {
        /// Whether what is left of a damaged file is shown.
        public var isSalvaging = false
        /// Whether changes that are only in the log are shown.
        public var recoversLog = false
        /// Keys of the extra metadata that are kept in memory, for whoever has a use for them.
        public var retainedKeys: Set<String> = []

        /// A careful reader.
        public init() {}
    }

    /// How the bytes lie in the file.
    public let form: Form
    /// The decrypted header.
    public let header: MemvidHeader
    /// What the table of contents says besides its frames.
    public let table: TableOfContents
    /// All frames, by number.
    public let frames: [FrameSummary]
    /// What is not as it should be, and was taken all the same.
    public let remarks: [String]
    /// Records of the log that the table does not contain and that are not shown.
    public let pendingCount: Int
    /// The length of the decrypted file, in bytes.
    public var length: UInt64 { source.length }

    let source: any MemvidSource
    /// Frames that exist only in the log, from the first free number on.
    private let recovered: [MemvidFrame]
    /// What the log says of frames of the table.
    private let changed: [UInt64: LogReplay.Change]
    private let chunks: [UInt64: [UInt64]]
    let tableRange: Range<UInt64>
    private let documents = BoundedCache<DocumentBox>(capacity: 16 << 20)

    private final class DocumentBox: Sendable {
        let document: any MemvidDocument
        init(_ document: any MemvidDocument) { self.document = document }
    }

    /// Whether a file that begins with `head` (six bytes suffice) is one of Memvid's.
    public static func recognises(_ head: [UInt8]) -> Bool {
        MemvidHeader.recognises(head) || EncryptedHeader.recognises(head)
    }

    /// Opens a file; `passphrase` is asked for where it is encrypted. Throws `MemvidError`, and
    /// whatever `passphrase` throws.
    public convenience init(
        _ storage: any Storage, options: Options = Options(),
        passphrase: () throws -> SharedSecret
    ) throws {
        let head = try Self.head(storage)
        guard EncryptedHeader.recognises(head) else {
            try self.init(PlainSource(storage), form: .plain, options: options)
            return
        }
        let header = try EncryptedHeader(decoding: head)
        _ = try EncryptedSource.checkedLength(
            storage, header, isSalvaging: options.isSalvaging)
        let source = try EncryptedSource(
            storage, header: header, passphrase: try passphrase().bytes,
            isSalvaging: options.isSalvaging)
        try self.init(
            source, form: header.isChunked ? .chunked : .oneShot, options: options)
    }

    private static func head(_ storage: any Storage) throws(MemvidError) -> [UInt8] {
        do throws(SystemError) {
            let length = Int(min(try storage.length(), UInt64(EncryptedHeader.length)))
            return try storage.bytes(length, at: 0) ?? []
        } catch {
            throw MemvidError(error)
        }
    }

    init(_ source: any MemvidSource, form: Form, options: Options) throws(MemvidError) {
        self.source = source
        self.form = form
        let headLength = Int(min(UInt64(MemvidHeader.length), source.length))
        header = try MemvidHeader(
            decoding: try source.bytes(headLength, at: 0, "header"),
            fileLength: source.length, isSalvaging: options.isSalvaging)
        var opened = try Self.readTable(source, header, form, options)
        var pending = 0
        var recovered: [MemvidFrame] = []
        var changed: [UInt64: LogReplay.Change] = [:]
        if options.recoversLog {
            (recovered, changed) = try Self.replay(source, header, &opened, options)
        } else if let log = try? MemvidLog(source, header) {
            pending = log.pending(header).count
        }
        if !options.isSalvaging { try Self.checkOverlaps(opened.frames) }
        pendingCount = pending
        self.recovered = recovered
        self.changed = changed
        frames = opened.frames
        table = opened.table
        tableRange = opened.range
        remarks = opened.remarks
        chunks = Self.chunkLists(opened.frames)
    }

    // MARK: Opening

    struct OpenedTable {
        var frames: [FrameSummary] = []
        var table = TableOfContents()
        var range: Range<UInt64>
        var remarks: [String] = []
    }

    private static func readTable(
        _ source: any MemvidSource, _ header: MemvidHeader, _ form: Form, _ options: Options
    ) throws(MemvidError) -> OpenedTable {
        do throws(MemvidError) {
            return try parse(source, try TablePlace.strict(source, header), options)
        } catch {
            guard options.isSalvaging else { throw error }
            guard var opened = try salvage(source, header, form, options) else { throw error }
            opened.remarks.insert(error.description, at: 0)
            return opened
        }
    }

    static func parse(
        _ source: any MemvidSource, _ place: TablePlace, _ options: Options
    ) throws(MemvidError) -> OpenedTable {
        var opened = OpenedTable(range: place.range)
        if let remark = place.remark { opened.remarks.append(remark) }
        let reader = BincodeReader(source, range: place.range, hashesAll: true)
        try opened.table.decodeBeginning(reader)
        let count = try reader.count(
            "frames", least: MemvidFrame.leastLength, limit: MemvidLimits.frameCount)
        opened.frames.reserveCapacity(count)
        for index in 0..<count {
            let start = reader.offset
            reader.beginPart()
            let frame = try MemvidFrame(from: reader)
            let hash = reader.endPart()
            guard frame.id == UInt64(index) else {
                throw .damaged("frame \(index) says that it is frame \(frame.id)", at: start)
            }
            opened.frames.append(
                FrameSummary(
                    frame, place: (start..<reader.offset, hash), retaining: options.retainedKeys))
        }
        try opened.table.decodeMiddle(reader)
        let mark = reader.offset
        guard try reader.finish() == place.hash else {
            throw .damaged(
                "the table of contents does not fit the footer's hash", at: place.range.lowerBound)
        }
        try decodeEnd(source, mark..<place.range.upperBound, &opened.table)
        return opened
    }

    /// The three schemas differ in their last fields and in no mark: the one that fits counts.
    private static func decodeEnd(
        _ source: any MemvidSource, _ range: Range<UInt64>, _ table: inout TableOfContents
    ) throws(MemvidError) {
        var first: MemvidError?
        for schema in TableOfContents.Schema.allCases {
            var candidate = table
            do throws(MemvidError) {
                try candidate.decodeEnd(BincodeReader(source, range: range), schema: schema)
                table = candidate
                return
            } catch {
                first = first ?? error
            }
        }
        if let first { throw first }
    }

    private static func replay(
        _ source: any MemvidSource, _ header: MemvidHeader, _ opened: inout OpenedTable,
        _ options: Options
    ) throws(MemvidError) -> (frames: [MemvidFrame], changed: [UInt64: LogReplay.Change]) {
        let frames = opened.frames
        var replay = LogReplay(
            committedCount: UInt64(frames.count),
            lookup: { id throws(MemvidError) in
                guard id < UInt64(frames.count) else {
                    throw .damaged("the log refers to frame \(id), which is not there")
                }
                return try Self.frame(frames[Int(id)], source)
            },
            nearestParent: {
                frames.last { $0.status == .active && $0.manifestCount != nil }?.id
            })
        let log = try MemvidLog(source, header)
        if let fault = log.fault { throw fault }
        for record in log.pending(header) {
            let bytes = try MemvidLog.payload(record, source)
            guard let entry = try LogEntry(bytes, at: record.range.lowerBound) else { continue }
            try replay.apply(entry, sequence: record.sequence)
        }
        for (id, change) in replay.changed { opened.frames[Int(id)].status = change.status }
        for frame in replay.frames {
            opened.frames.append(
                FrameSummary(frame, place: nil, retaining: options.retainedKeys))
        }
        return (replay.frames, replay.changed)
    }

    private static func checkOverlaps(_ frames: [FrameSummary]) throws(MemvidError) {
        let active = frames.filter { $0.status == .active && $0.payloadLength > 0 }
            .sorted { $0.payloadOffset < $1.payloadOffset }
        for (one, next) in zip(active, active.dropFirst()) {
            let end = one.payloadOffset.checkedAdding(one.payloadLength)
            guard let end, end <= next.payloadOffset else {
                throw .damaged(
                    "the payloads of frames \(one.id) and \(next.id) overlap",
                    at: next.payloadOffset)
            }
        }
    }

    private static func chunkLists(_ frames: [FrameSummary]) -> [UInt64: [UInt64]] {
        var lists: [UInt64: [UInt64]] = [:]
        for frame in frames where frame.role == .documentChunk && frame.status == .active {
            if let parent = frame.parentID { lists[parent, default: []].append(frame.id) }
        }
        for (parent, list) in lists {
            lists[parent] = list.sorted { one, other in
                let (a, b) = (frames[Int(one)], frames[Int(other)])
                return (a.chunkIndex ?? 0, a.id) < (b.chunkIndex ?? 0, b.id)
            }
        }
        return lists
    }

    // MARK: Frames

    /// All fields of a frame. Throws `MemvidError`; traps for a number that is none.
    public func frame(_ id: UInt64) throws(MemvidError) -> MemvidFrame {
        let summary = frames[Int(id)]
        let first = frames.count - recovered.count
        if Int(id) >= first { return recovered[Int(id) - first] }
        var frame = try Self.frame(summary, source)
        if let change = changed[id] {
            frame.status = change.status
            frame.supersededBy = change.supersededBy
        }
        return frame
    }

    private static func frame(
        _ summary: FrameSummary, _ source: any MemvidSource
    ) throws(MemvidError) -> MemvidFrame {
        guard let place = summary.place else { preconditionFailure("a frame of the table") }
        let reader = BincodeReader(source, range: place.range)
        reader.beginPart()
        let frame = try MemvidFrame(from: reader)
        guard reader.endPart() == place.hash else {
            throw .damaged("the file has changed since it was opened", at: place.range.lowerBound)
        }
        return frame
    }

    /// The numbers of a document's chunks in order.
    public func chunks(of id: UInt64) -> [UInt64] { chunks[id] ?? [] }

    /// The length of a document's content, in bytes.
    public func contentLength(of id: UInt64) -> UInt64 {
        let summary = frames[Int(id)]
        if let length = summary.contentLength { return length }
        let list = chunks(of: id)
        let lineFeeds = summary.isContiguous || list.isEmpty ? 0 : UInt64(list.count - 1)
        return list.reduce(lineFeeds) { $0 + (frames[Int($1)].contentLength ?? 0) }
    }

    /// Plain BLAKE3, which is all that the format uses.
    public static func hash(_ bytes: [UInt8]) -> Digest32 { DocumentText.hash(bytes) }

    // MARK: Contents

    /// The content of a document, checked.
    public func document(_ id: UInt64) throws(MemvidError) -> any MemvidDocument {
        try documents.value(for: id) { () throws(MemvidError) in
            let opened = try openDocument(id)
            return (DocumentBox(opened.document), opened.cost)
        }.document
    }

    private func openDocument(
        _ id: UInt64
    ) throws(MemvidError) -> (document: any MemvidDocument, cost: Int) {
        let summary = frames[Int(id)]
        switch summary.content {
        case .stored:
            return try openPayload(summary)
        case .chunks:
            let list = chunks(of: id)
            guard list.count == summary.manifestCount else {
                throw .damaged(
                    "document \(id) has \(list.count) chunks and not the "
                        + "\(summary.manifestCount ?? 0) of its manifest")
            }
            let document = ChunkedDocument(
                list.map { ($0, contentLength(of: $0)) }, hasLines: !summary.isContiguous
            ) {
                [self] chunk throws(MemvidError) in try self.document(chunk)
            }
            return (document, document.cost)
        case .text:
            let text = DocumentText.recover(try frame(id))?.text ?? []
            return (WholeDocument(text), text.count)
        case .none:
            return (WholeDocument([]), 64)
        }
    }

    private func payloadRange(_ summary: FrameSummary) throws(MemvidError) -> Range<UInt64> {
        let end = summary.payloadOffset.checkedAdding(summary.payloadLength)
        let lowest = summary.place == nil ? header.logOffset : header.logEnd
        guard let end, summary.payloadOffset >= lowest, end <= tableRange.lowerBound else {
            throw .damaged("the payload of frame \(summary.id) lies outside the file's payloads")
        }
        guard summary.payloadLength <= MemvidLimits.payloadLength else {
            throw MemvidError(
                .limitExceeded, "the payload of frame \(summary.id) is larger than 256 MiB")
        }
        return summary.payloadOffset..<end
    }

    /// Payloads up to this many bytes are kept in memory whole, once read.
    private static let wholeLength: UInt64 = 4 << 20

    private func openPayload(
        _ summary: FrameSummary
    ) throws(MemvidError) -> (document: any MemvidDocument, cost: Int) {
        let range = try payloadRange(summary)
        if !summary.isCompressed, summary.payloadLength > Self.wholeLength {
            let document = try PiecewiseDocument(
                source, range: range, checksum: summary.checksum, id: summary.id)
            return (document, document.cost)
        }
        let stored = try checkedBytes(range, summary)
        if !summary.isCompressed { return (WholeDocument(stored), stored.count) }
        guard let length = summary.canonicalLength, length <= MemvidLimits.payloadLength else {
            throw MemvidError(
                .limitExceeded, "frame \(summary.id) decodes to more than 256 MiB, or does not say")
        }
        guard let plain = ZstdDecoder.decode(stored, length: Int(length)) else {
            throw .damaged(
                "the payload of frame \(summary.id) does not decode to the \(length) bytes that it "
                    + "should", at: range.lowerBound)
        }
        return (WholeDocument(plain), plain.count)
    }

    private func checkedBytes(
        _ range: Range<UInt64>, _ summary: FrameSummary
    ) throws(MemvidError) -> [UInt8] {
        let stored = try source.bytes(
            Int(range.upperBound - range.lowerBound), at: range.lowerBound, "payload")
        guard DocumentText.hash(stored) == summary.checksum else {
            throw .damaged(
                "the payload of frame \(summary.id) does not fit its checksum",
                at: range.lowerBound)
        }
        return stored
    }

    /// The stored bytes of a frame, as they are, checked.
    public func payload(_ id: UInt64) throws(MemvidError) -> any MemvidDocument {
        let summary = frames[Int(id)]
        if summary.payloadLength == 0 { return WholeDocument([]) }
        // Numbers of frames are below 2^24, so the two kinds of keys do not meet.
        return try documents.value(for: id | 1 << 63) { () throws(MemvidError) in
            let range = try payloadRange(summary)
            if summary.payloadLength > Self.wholeLength {
                let document = try PiecewiseDocument(
                    source, range: range, checksum: summary.checksum, id: id)
                return (DocumentBox(document), document.cost)
            }
            let stored = try checkedBytes(range, summary)
            return (DocumentBox(WholeDocument(stored)), stored.count)
        }.document
    }
}
