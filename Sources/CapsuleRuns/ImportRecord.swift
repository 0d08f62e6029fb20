import CapsuleFormat
import CapsuleSystem
import CapsuleWorkspace
import FoundationEssentials

/// What a workspace remembers of an import: an entry of its ledger.
public struct ImportRecord: Codable, Equatable, Sendable {
    /// What is known of its origin.
    public enum Trust: String, Codable, Sendable {
        /// A known signer has signed it.
        case verified
        /// It is intact, and nobody who is known vouches for it.
        case unverified
    }

    /// A check, and what it said.
    public struct Check: Codable, Equatable, Sendable {
        /// Which one.
        public var check: String
        /// ok, warning or error.
        public var result: String
        /// What it said.
        public var message: String

        /// A check.
        public init(check: String, result: String, message: String) {
            self.check = check
            self.result = result
            self.message = message
        }
    }

    /// The name under which it is mounted.
    public var name: String
    /// Its file in the workspace.
    public var file: String
    /// Where it came from.
    public var source: String
    /// The SHA-256 of what came, in hex.
    public var sourceDigest: String
    /// A digest of names and contents, made anew from what can be read, in hex.
    public var contentDigest: String
    /// capsule, or memvid.
    public var format: String
    /// The SHA-256 of its file in the workspace, in hex. Of a capsule it is that of what came.
    public var fileDigest: String?
    /// The length of its file in the workspace, in bytes.
    public var fileLength: UInt64?
    /// What is known of its origin.
    public var trust: Trust
    /// The fingerprint of the signer's key, and the name it is known by.
    public var signer: String?
    /// When, in seconds since 1970.
    public var seconds: Int64
    /// Of an exported run, what it is.
    public var spec: String?
    /// Of an exported run, what it is.
    public var run: String?
    /// The workspace that it was exported from.
    public var origin: String?
    /// The labels of its checkpoints.
    public var checkpoints: [String]
    /// The policies that its run was under.
    public var policies: [String]
    /// Every check, and what it said.
    public var checks: [Check]

    private enum CodingKeys: String, CodingKey {
        case name, file, source, format, trust, signer, seconds, origin, checkpoints, policies
        case checks
        case sourceDigest = "source_sha256"
        case contentDigest = "content_digest"
        case fileDigest = "file_sha256"
        case fileLength = "file_bytes"
        case spec = "spec_id"
        case run = "run_id"
    }

    /// A record without what only a run has.
    public init(
        name: String, file: String, source: String, sourceDigest: String, contentDigest: String,
        format: String, trust: Trust, signer: String?, seconds: Int64, checks: [Check]
    ) {
        self.name = name
        self.file = file
        self.source = source
        self.sourceDigest = sourceDigest
        self.contentDigest = contentDigest
        self.format = format
        self.trust = trust
        self.signer = signer
        self.seconds = seconds
        self.checks = checks
        checkpoints = []
        policies = []
    }

    /// Takes from the manifest in a capsule what it says of a run.
    public mutating func describe(_ manifest: JSONValue) {
        // Whoever made the capsule wrote it: only names that are names.
        func name(_ text: String?) -> String? { text.flatMap { RunName.isValid($0) ? $0 : nil } }
        guard let spec = name(manifest["spec_id"]?.text), let run = name(manifest["run_id"]?.text)
        else { return }
        self.spec = spec
        self.run = run
        origin = name(manifest["workspace_id"]?.text)
        checkpoints = (manifest["checkpoints"]?.items ?? []).compactMap { name($0.text) }
    }

    /// As an entry of the ledger, with its key sealed to the workspace.
    public func entry(secret: [UInt8]) -> LedgerEntry {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let body = try? encoder.encode(self) else {
            preconditionFailure("a record can be encoded")
        }
        return LedgerEntry(.import, name, body: Array(body), file: file, secret: secret)
    }

    /// The record in an entry. Throws `RunError`.
    public init(_ entry: LedgerEntry) throws(RunError) {
        do {
            self = try JSONDecoder().decode(ImportRecord.self, from: Data(entry.body))
        } catch {
            throw RunError(.system, "damaged", "what is known of import \(entry.name) is damaged")
        }
    }

    /// All of a workspace, by name.
    public static func all(in service: any RunService) throws -> [ImportRecord] {
        try service.ledger(.import).map { try ImportRecord($0) }
    }

    /// What is wrong with it in a workspace whose imports `tree` opens; nil: nothing. With `isDeep`
    /// its file is compared to the last byte with what was imported, and so is what can be read.
    public func fault(
        in workspace: String, isDeep: Bool, tree: (_ name: String) throws -> any ReadableTree
    ) -> Fault? {
        if let fault = faultOfFile(in: workspace, isDeep: isDeep) { return fault }
        do {
            let found = try tree(Workspace.importPrefix + name)
            guard isDeep, try TreeFingerprint.of(found) != contentDigest else { return nil }
            return .changed("its names and contents are others")
        } catch {
            return .missing("it cannot be opened: \(error)")
        }
    }

    private func faultOfFile(in workspace: String, isDeep: Bool) -> Fault? {
        do throws(SystemError) {
            let stored = try FileStorage(path: "\(workspace)/\(Workspace.importsName)/\(file)")
            let length = try stored.length()
            if let fileLength, length != fileLength {
                return .changed("its file has \(length) bytes, not \(fileLength)")
            }
            guard isDeep, let fileDigest else { return nil }
            let digest = try RunExporter.digest(stored).hex
            return digest == fileDigest
                ? nil : .changed("the SHA-256 of its file is \(digest), not \(fileDigest)")
        } catch {
            return .missing("its file cannot be read: \(error)")
        }
    }

    /// What can be wrong with an import's file.
    public enum Fault: Error, Equatable, Sendable {
        /// It cannot be opened or read.
        case missing(String)
        /// It is not what was imported.
        case changed(String)

        /// What is wrong.
        public var message: String {
            switch self {
            case .missing(let message), .changed(let message): message
            }
        }
    }

    /// What an event says of checks.
    public static func details(of checks: [Check]) -> EventValue {
        .list(checks.map { .object(["check": .text($0.check), "result": .text($0.result)]) })
    }

    /// What every event about it says.
    public var details: [String: EventValue] {
        var details: [String: EventValue] = [
            "mount_name": .text(name), "source_type": .text("file"), "source": .text(source),
            "source_sha256": .text(sourceDigest), "content_digest": .text(contentDigest),
            "format": .text(format), "trust": .text(trust.rawValue),
            "verification_passed": .flag(trust == .verified),
            "checkpoints_imported": .list(checkpoints.map { .text($0) }),
            "policy_version": .list(policies.map { .text($0) }),
            "checks": Self.details(of: checks),
        ]
        if let signer { details["signer"] = .text(signer) }
        if let spec { details["spec_id"] = .text(spec) }
        if let run { details["run_id"] = .text(run) }
        return details
    }
}
