import FoundationEssentials
import MemvidFormat

/// `.memvid/info.json`, and what `capsule inspect` prints of a Memvid file.
public struct FileInfo: Encodable {
    private struct Region: Encodable {
        let name: String
        let offset: UInt64
        let length: UInt64
    }

    private struct Log: Encodable {
        let offset: UInt64
        let length: UInt64
        let pending: Int
    }

    private let form: String
    private let length: UInt64
    private let schema: String
    private let frames: Int
    private let documents: Int
    private let deleted: Int
    private let superseded: Int
    private let chunks: Int
    private let withBytes: Int
    private let log: Log
    private let regions: [Region]
    private let ticketIssuer: String
    private let capacity: UInt64
    private let binding: String?
    private let remarks: [String]

    private enum CodingKeys: String, CodingKey {
        case form, length, schema, frames, documents, deleted, superseded, chunks, log, regions
        case capacity, binding, remarks
        case withBytes = "documents_with_stored_bytes"
        case ticketIssuer = "ticket_issuer"
    }

    /// The facts of an opened file.
    public init(_ file: MemvidFile) {
        form = file.form.rawValue
        length = file.length
        schema = file.table.schema.rawValue
        frames = file.frames.count
        let documents = file.frames.filter { $0.role == .document }
        self.documents = documents.count { $0.status == .active }
        deleted = documents.count { $0.status == .deleted }
        superseded = documents.count { $0.status == .superseded }
        chunks = file.frames.count { $0.role == .documentChunk }
        withBytes = documents.count { $0.status == .active && $0.content == .stored }
        log = Log(
            offset: file.header.logOffset, length: file.header.logLength,
            pending: file.pendingCount)
        regions = file.table.regions.map {
            Region(name: $0.name, offset: $0.offset, length: $0.length)
        }
        ticketIssuer = file.table.ticketIssuer
        capacity = file.table.capacity
        binding = file.table.binding
        remarks = file.remarks
    }

    /// Names and values for people.
    public var rows: [(name: String, value: String)] {
        [
            ("form", form), ("decrypted", "\(length) bytes"), ("schema", schema),
            ("frames", "\(frames)"), ("documents", "\(documents), \(withBytes) with stored bytes"),
            ("deleted", "\(deleted)"), ("superseded", "\(superseded)"), ("chunks", "\(chunks)"),
            ("log", "\(log.length) bytes, \(log.pending) pending records"),
        ] + remarks.map { ("remark", $0) }
    }
}
