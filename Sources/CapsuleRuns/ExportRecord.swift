import CapsuleSystem
import CapsuleWorkspace
import FoundationEssentials
import Glibc

/// What a workspace remembers of an export: an entry of its ledger.
public struct ExportRecord: Codable, Equatable, Sendable {
    /// How far it has come.
    public enum Status: String, Codable, Sendable {
        /// Announced: no file has its name yet.
        case intended
        /// The file is there.
        case done
    }

    /// The name of the entry.
    public var id: String
    /// How far it has come.
    public var status: Status
    /// Where the file is: an absolute path.
    public var path: String
    /// The work item.
    public var spec: String
    /// The run.
    public var run: String
    /// When, in seconds since 1970.
    public var seconds: Int64
    /// The fingerprint of the tree that left, in hex: that of an import of it, in any format.
    public var contentDigest: String
    /// What the capsule's manifest says of its content, in hex; nil for what is no capsule.
    public var sealedDigest: String?
    /// The SHA-256 of the file, in hex, once it is known.
    public var fileDigest: String?
    /// Its length in bytes, once it is known.
    public var length: UInt64?
    /// Whether it was masked.
    public var isSafe: Bool
    /// Whether it is encrypted.
    public var isEncrypted: Bool
    /// Whether gc leaves it alone.
    public var isPinned: Bool
    /// Whether it is a folder in the clear.
    public var isFolder: Bool
    /// Whether a decision asks for it, which is settled with it.
    var isOwed = false
    /// The process that makes it.
    var maker: ProcessMark

    private enum CodingKeys: String, CodingKey {
        case id, status, path, seconds, length, maker
        case spec = "spec_id"
        case run = "run_id"
        case contentDigest = "content_digest"
        case sealedDigest = "sealed_digest"
        case fileDigest = "sha256"
        case isSafe = "safe_mode"
        case isEncrypted = "encrypted"
        case isPinned = "pinned"
        case isFolder = "folder"
        case isOwed = "owed"
    }

    /// As an entry of the ledger.
    public var entry: LedgerEntry {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let body = try? encoder.encode(self) else {
            preconditionFailure("a record can be encoded")
        }
        return LedgerEntry(.export, id, body: Array(body))
    }

    /// The record in an entry. Throws `RunError`.
    public init(_ entry: LedgerEntry) throws(RunError) {
        do {
            self = try JSONDecoder().decode(ExportRecord.self, from: Data(entry.body))
        } catch {
            throw RunError(.system, "damaged", "what is known of export \(entry.name) is damaged")
        }
    }

    init(
        id: String, path: String, name: RunName, seconds: Int64, contentDigest: String,
        isSafe: Bool, isEncrypted: Bool, isFolder: Bool = false
    ) {
        self.id = id
        status = .intended
        self.path = path
        spec = name.spec
        run = name.run
        self.seconds = seconds
        self.contentDigest = contentDigest
        self.isSafe = isSafe
        self.isEncrypted = isEncrypted
        isPinned = false
        self.isFolder = isFolder
        maker = .own
    }

    /// Whether what stands at its place is what was exported.
    public var isUnchanged: Bool { (try? ExportedPlace(of: self)) == .unchanged }

    /// The one of an id, if there is one.
    public static func one(
        _ id: String, in service: any RunService
    ) throws -> ExportRecord? {
        try service.ledger(.export, named: id).first.map { try ExportRecord($0) }
    }

    /// All of a workspace, oldest first.
    public static func all(in service: any RunService) throws -> [ExportRecord] {
        try service.ledger(.export).map { try ExportRecord($0) }.sorted { $0.seconds < $1.seconds }
    }

    /// What the capsule itself may say: neither who nor where.
    var announcement: [String: EventValue] {
        [
            "export_id": .text(id), "spec_id": .text(spec), "run_id": .text(run),
            "content_digest": .text(contentDigest), "sealed_digest": .text(sealedDigest ?? ""),
            "safe_mode": .flag(isSafe), "encrypted": .flag(isEncrypted),
        ]
    }

    /// What every event about it says.
    public var details: [String: EventValue] {
        var details: [String: EventValue] = [
            "export_id": .text(id), "spec_id": .text(spec), "run_id": .text(run),
            "destination": .text(path), "content_digest": .text(contentDigest),
            "safe_mode": .flag(isSafe), "encrypted": .flag(isEncrypted),
        ]
        if let sealedDigest { details["sealed_digest"] = .text(sealedDigest) }
        if let fileDigest { details["sha256"] = .text(fileDigest) }
        if let length { details["bytes"] = .number(Int64(clamping: length)) }
        return details
    }
}
