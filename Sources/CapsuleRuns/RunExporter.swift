import CapsuleAccess
import CapsuleBytes
import CapsuleFormat
import CapsulePolicy
import CapsuleSystem
import CapsuleTree
import CapsuleWorkspace
import Crypto
import Glibc

/// A failure of which the audit log knows already.
public struct RecordedFailure: ErrorWrapper {
    /// What failed.
    public let error: any Error

    /// What failed.
    public var wrapped: any Error { error }
}

/// Hands a run over as one capsule: prepares it, announces it in the audit log, seals it, looks
/// through the result once more, and records it.
public struct RunExporter {
    /// What shall be exported, and how.
    public struct Request {
        /// The run.
        public var run: Run
        /// What may leave.
        public var scope: ExportScope
        /// What is masked.
        public var rules: RedactionRules
        /// How it is sealed, and where to: an absolute path.
        public var seal: SealRequest
        /// Why, in words for the log.
        public var trigger: String
        /// Whether a decision asks for it, which is settled with it.
        public var isOwed = false

        /// A request.
        public init(
            run: Run, scope: ExportScope, rules: RedactionRules, seal: SealRequest,
            trigger: String
        ) {
            self.run = run
            self.scope = scope
            self.rules = rules
            self.seal = seal
            self.trigger = trigger
        }
    }

    /// What was exported.
    public struct Result {
        /// What is remembered of it.
        public let record: ExportRecord
        /// What is in it.
        public let prepared: PreparedExport
        /// The capsule; nil for what is none.
        public let sealed: SealResult?
        /// mv2e, mv2 or json-dir.
        public let format: String
    }

    private let service: any WorkspaceService
    private let tree: (_ state: String) throws -> any ReadableTree

    /// An exporter for a workspace that is open, with what opens the tree of a state.
    public init(
        _ service: any WorkspaceService,
        tree: @escaping (_ state: String) throws -> any ReadableTree
    ) {
        self.service = service
        self.tree = tree
    }

    /// What an export would hold.
    public func prepare(
        _ run: Run, scope: ExportScope, rules: RedactionRules
    ) throws -> PreparedExport {
        try withFolder(of: run) { items in
            try prepare(run, items, scope: scope, rules: rules)
        }
    }

    private func prepare(
        _ run: Run, _ items: [ComposedTree.Item], scope: ExportScope, rules: RedactionRules
    ) throws -> PreparedExport {
        let preparation = ExportPreparation(run, scope: scope, rules: rules)
        var prepared = try preparation.prepare(items)
        let queries = try GoldenQuery.all(in: service, of: run.name)
        try preparation.add(queries, over: items, to: &prepared)
        return prepared
    }

    /// Runs `body` with the folder of a run; of one that goes on, as it is now.
    private func withFolder<Result>(
        of run: Run, _ body: ([ComposedTree.Item]) throws -> Result
    ) throws -> Result {
        let folder = try RunFolder(run, in: service, tree: tree)
        guard run.outcome == nil else { return try body(try folder.items()) }
        let state = ExportSettlement.newState()
        _ = try service.keepState(as: state, tag: "")
        defer { try? service.dropState(named: state) }
        return try body(try folder.items(present: state))
    }

    /// Exports. `sign` is as `TreeSealer` says.
    public func export(
        _ request: Request, sign: ([UInt8]) throws -> [[UInt8]]
    ) throws -> Result {
        try withFolder(of: request.run) { items in
            let prepared = try prepare(
                request.run, items, scope: request.scope, rules: request.rules)
            return try export(prepared, request, sign: sign)
        }
    }

    private func export(
        _ prepared: PreparedExport, _ request: Request, sign: ([UInt8]) throws -> [[UInt8]]
    ) throws -> Result {
        try refusePinned(request.seal.destination)
        var record = ExportRecord(
            id: Text.hex(Environment.random(8)), path: request.seal.destination,
            name: request.run.name, seconds: Environment.wallClock().seconds,
            contentDigest: try TreeFingerprint.of(prepared.tree), isSafe: request.scope.isSafe,
            isEncrypted: true)
        record.isPinned = try RunFacts.isMilestone(request.run, in: service)
        record.isOwed = request.isOwed
        var isAnnounced = false
        var hooks = SealHooks()
        hooks.witness = { digest in
            record.sealedDigest = digest
            try service.changeLedger(
                .insert(record.entry), .exportIntended, try intent(record, request))
            isAnnounced = true
            try service.note(.exportAnnounced, record.announcement)
            return try witness(of: record)
        }
        hooks.inspect = { open in
            guard request.scope.isSafe else { return }
            try ExportPreparation.rescan(try open(), rules: request.rules)
        }
        hooks.willPublish = { file in
            (record.fileDigest, record.length) = try Self.digest(file)
            try service.changeLedger(
                .replace(record.entry), .exportIntended, try intent(record, request))
        }
        do {
            let sealed = try TreeSealer(request.seal).seal(
                prepared.tree, hooks: hooks, sign: sign)
            record.status = .done
            try service.changeLedger(
                [.replace(record.entry)] + conclusion(request), .exported,
                exported(record, prepared, request))
            try ExportSettlement(service).dropReplaced(by: record)
            return Result(record: record, prepared: prepared, sealed: sealed, format: "mv2e")
        } catch {
            // Where it has its name already, whoever settles next says what became of it.
            guard isAnnounced, record.status == .intended,
                !ExportSettlement(service).isPublished(record)
            else { throw error }
            var details = record.details
            details["reason"] = .text("\(error)")
            let changes = [.remove(.export, record.id)] + conclusion(request)
            guard (try? service.changeLedger(changes, .exportFailed, details)) != nil else {
                throw error
            }
            throw RecordedFailure(error: error)
        }
    }

    /// What an export into a folder in the clear is called.
    public static let folderFormat = "json-dir"

    /// Exports into something that is not encrypted. `write` makes it of the tree that leaves, and
    /// calls `willPublish` with the finished file, if it is one, before that has its name.
    public func exportPlain(
        _ run: Run, scope: ExportScope, rules: RedactionRules, to path: String, format: String,
        isSigned: Bool = false,
        write: (
            _ tree: ComposedTree, _ willPublish: (any Storage) throws -> Void
        ) throws -> Void
    ) throws -> Result {
        try withFolder(of: run) { items in
            let prepared = try prepare(run, items, scope: scope, rules: rules)
            return try exportPlain(
                prepared, rules, to: path, format: format, isSigned: isSigned, write: write)
        }
    }

    private func exportPlain(
        _ prepared: PreparedExport, _ rules: RedactionRules, to path: String, format: String,
        isSigned: Bool = false,
        write: (
            _ tree: ComposedTree, _ willPublish: (any Storage) throws -> Void
        ) throws -> Void
    ) throws -> Result {
        let (run, scope) = (prepared.run, prepared.scope)
        let tree = prepared.tree
        try refusePinned(path)
        if scope.isSafe { try ExportPreparation.rescan(tree, rules: rules) }
        var record = ExportRecord(
            id: Text.hex(Environment.random(8)), path: path, name: run.name,
            seconds: Environment.wallClock().seconds,
            contentDigest: try TreeFingerprint.of(tree), isSafe: scope.isSafe, isEncrypted: false,
            isFolder: format == Self.folderFormat)
        record.isPinned = try RunFacts.isMilestone(run, in: service)
        var details: [String: EventValue] {
            var details = record.details
            details["format"] = .text(format)
            details["trigger"] = .text("command")
            details["signed"] = .flag(isSigned)
            return details
        }
        try service.changeLedger(.insert(record.entry), .exportIntended, details)
        do {
            try write(tree) { file in
                (record.fileDigest, record.length) = try Self.digest(file)
                try service.changeLedger(.replace(record.entry), .exportIntended, details)
            }
        } catch {
            guard !ExportSettlement(service).isPublished(record) else { throw error }
            var failed = details
            failed["reason"] = .text("\(error)")
            try? service.changeLedger(.remove(.export, record.id), .exportFailed, failed)
            throw error
        }
        record.status = .done
        var exported = details
        exported["destination_type"] = .text(record.isFolder ? "directory" : "file")
        exported["checkpoints_included"] = .list(prepared.checkpoints.map { .text($0) })
        exported["redactions"] = .object(prepared.redactions.mapValues { .number(Int64($0)) })
        exported["included_tracks"] = .object(prepared.tracks.mapValues { .number(Int64($0)) })
        try service.changeLedger(.replace(record.entry), .exported, exported)
        try ExportSettlement(service).dropReplaced(by: record)
        return Result(record: record, prepared: prepared, sealed: nil, format: format)
    }

    /// Nothing takes the place of an export that somebody keeps.
    private func refusePinned(_ path: String) throws {
        let isPinned = try ExportRecord.all(in: service).contains {
            $0.path == path && $0.isPinned && $0.status == .done
        }
        guard isPinned, access(path, F_OK) == 0 else { return }
        throw RunError(
            .usage, "pinned_export",
            "\(path): it is an export that is pinned; choose another place with --out, or use "
                + "'capsule unpin'")
    }

    private static let pieceLength = 1 << 20

    /// The SHA-256 of a file, in hex, and its length.
    public static func digest(
        _ file: any Storage
    ) throws(SystemError) -> (hex: String, length: UInt64) {
        var hasher = SHA256()
        let length = try file.length()
        var done: UInt64 = 0
        while done < length {
            let count = Int(min(UInt64(pieceLength), length - done))
            guard let bytes = try file.bytes(count, at: done) else { break }
            hasher.update(data: bytes)
            done += UInt64(count)
        }
        return (Text.hex(hasher.finalize()), length)
    }

    // MARK: The log

    private func conclusion(_ request: Request) -> [LedgerChange] {
        request.isOwed ? [OwedExport.conclusion(request.run.name)] : []
    }

    private func intent(
        _ record: ExportRecord, _ request: Request
    ) throws -> [String: EventValue] {
        var details = record.details
        details["trigger"] = .text(request.trigger)
        details["replaces"] = try ExportSettlement(service).replaced(by: record)
        details["temporary"] = .text(AtomicFile.temporaryName(for: record.path))
        return details
    }

    private func exported(
        _ record: ExportRecord, _ prepared: PreparedExport, _ request: Request
    ) -> [String: EventValue] {
        func counts(_ counts: [String: Int]) -> EventValue {
            .object(counts.mapValues { .number(Int64($0)) })
        }
        var details = record.details
        details["destination_type"] = .text("file")
        details["format"] = .text("mv2e-v2")
        details["trigger"] = .text(request.trigger)
        details["included_tracks"] = counts(prepared.tracks)
        details["checkpoints_included"] = .list(prepared.checkpoints.map { .text($0) })
        details["redactions"] = counts(prepared.redactions)
        details["withheld"] = counts(prepared.withheld)
        details["signed"] = .flag(!request.seal.expectedSigners.isEmpty)
        return details
    }

    private static let searchedEventCount: UInt64 = 64

    /// The proof that the intent is in the log. Others may have recorded something since.
    private func witness(of record: ExportRecord) throws -> SealHooks.Witness {
        let end = try service.auditEnd().count
        let first = end - min(end, Self.searchedEventCount)
        let lines = try service.auditLines(from: first, count: Int(end - first))
        let wanted = "\"export_id\":\"\(record.id)\""
        let kind = "\"\(EventKind.exportAnnounced.rawValue)\""
        guard
            let place = lines.lastIndex(where: {
                let line = String(decoding: $0, as: UTF8.self)
                return line.contains(wanted) && line.contains(kind)
            })
        else {
            throw RunError(.system, "system", "the intent of the export is not in the audit log")
        }
        return SealHooks.Witness(
            checkpoint: try service.checkpointText(),
            proof: try service.auditProof(of: first + UInt64(place)))
    }

    /// Completes or gives up what was cut off, whoever did it. `warn` hears of what cannot be
    /// settled now.
    public static func settle(
        _ service: any WorkspaceService, warn: @escaping (any Error) -> Void
    ) {
        ExportSettlement(service, warn: warn).settle()
    }
}
