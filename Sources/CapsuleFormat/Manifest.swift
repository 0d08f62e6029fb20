import CapsuleCrypto
import FoundationEssentials

/// What a capsule says about itself, as canonical JSON: keys in order, no white space.
///
/// Fields may be added; a reader ignores those it does not know.
public struct Manifest: Codable, Equatable, Sendable {
    /// The capsule's place in a series of versions of the same folder.
    public struct Lineage: Codable, Equatable, Sendable {
        /// 16 bytes, in hexadecimal.
        public var id: String
        /// From 1.
        public var version: UInt64
        /// The root of the version before, in hexadecimal.
        public var parentRoot: String?

        /// A place in a series.
        public init(id: String, version: UInt64, parentRoot: String?) {
            self.id = id
            self.version = version
            self.parentRoot = parentRoot
        }

        private enum CodingKeys: String, CodingKey {
            case id, version
            case parentRoot = "parent_root"
        }
    }

    /// A path that was not sealed as it was at one moment, and why.
    public struct Remark: Codable, Equatable, Sendable {
        /// The path, control characters escaped.
        public var path: String
        /// What happened.
        public var reason: String

        /// A remark.
        public init(path: String, reason: String) {
            self.path = path
            self.reason = reason
        }
    }

    /// The version of this JSON.
    public var schemaVersion = 1
    /// The capsule id, in hexadecimal.
    public var capsuleID: String
    /// What the capsule is: `folder`.
    public var kind = "folder"
    /// Who sealed it: user@host, unless the sealer chose otherwise.
    public var creator: String
    /// The program and its version.
    public var toolVersion: String
    /// When it was sealed, RFC 3339, UTC.
    public var createdAt: String
    /// Its place in a series.
    public var lineage: Lineage
    /// A hash of names, permissions, contents, targets and attributes that depends on neither key
    /// nor time, in hexadecimal.
    public var contentDigest: String
    /// The number of directory entries, without the root.
    public var entryCount: UInt64
    /// The sum of file sizes, in bytes.
    public var totalSize: UInt64
    /// Patterns of what was left out.
    public var excluded: [String]
    /// Files that changed while they were read.
    public var remarks: [Remark]
    /// Of a capsule sealed from a workspace, the checkpoint of its audit log at that moment:
    /// whoever has the capsule can tell later whether events before it changed or vanished.
    public var auditCheckpoint: String?
    /// Of an export, the proof that its intent is in that log, under its own checkpoint (C2SP,
    /// tlog-proof).
    public var auditProof: String?

    private enum CodingKeys: String, CodingKey {
        case kind, creator, lineage, excluded, remarks
        case schemaVersion = "schema_version"
        case capsuleID = "capsule_id"
        case toolVersion = "tool_version"
        case createdAt = "created_at"
        case contentDigest = "content_digest"
        case entryCount = "entry_count"
        case totalSize = "total_size"
        case auditCheckpoint = "audit_checkpoint"
        case auditProof = "audit_proof"
    }

    /// A manifest from its fields.
    public init(
        capsuleID: String, creator: String, toolVersion: String, createdAt: String,
        lineage: Lineage, contentDigest: String, entryCount: UInt64, totalSize: UInt64,
        excluded: [String], remarks: [Remark]
    ) {
        self.capsuleID = capsuleID
        self.creator = creator
        self.toolVersion = toolVersion
        self.createdAt = createdAt
        self.lineage = lineage
        self.contentDigest = contentDigest
        self.entryCount = entryCount
        self.totalSize = totalSize
        self.excluded = excluded
        self.remarks = remarks
    }

    /// The bytes of the manifest stream.
    public var encoded: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("a manifest can be encoded")
        }
        return [UInt8](data)
    }
}

extension Capsule {
    /// The place of a capsule that follows this one in its series.
    public func nextLineage() throws(FormatError) -> Manifest.Lineage {
        let own = try manifest().lineage
        guard own.version < UInt64.max else {
            throw FormatError(.limitExceeded, "the lineage has no further versions")
        }
        return Manifest.Lineage(
            id: own.id, version: own.version + 1, parentRoot: file.trailer.root.hex)
    }

    /// The manifest. Throws `damaged` when it is not what this version writes, or when it is
    /// another capsule's.
    public func manifest() throws(FormatError) -> Manifest {
        let bytes = try manifestBytes()
        let manifest: Manifest
        do {
            manifest = try JSONDecoder().decode(Manifest.self, from: Data(bytes))
        } catch {
            throw .damaged("the manifest is not valid: \(error)")
        }
        guard let id = CapsuleID(hex: manifest.capsuleID), id.bytes == file.header.id else {
            throw .damaged("the manifest is of another capsule")
        }
        return manifest
    }
}
