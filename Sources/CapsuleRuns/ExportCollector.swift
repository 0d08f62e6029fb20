import CapsuleBytes
import CapsulePolicy
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// Deletes exports that have been kept long enough, and what was left of exports that were cut off.
public struct ExportCollector {
    /// What becomes of an export, and why.
    public struct Verdict: Sendable {
        /// The export.
        public let record: ExportRecord
        /// Whether it goes.
        public let goes: Bool
        /// Whether there is nothing left to delete.
        public var isGone = false
        /// Why, or why not.
        public let reason: String
    }

    private let service: any WorkspaceService
    private let settings: Settings
    /// Seconds since 1970.
    private let now: Int64
    private static let secondsPerDay: Int64 = 86400

    /// A collector under some settings at a time.
    public init(_ service: any WorkspaceService, settings: Settings, now: Int64) {
        self.service = service
        self.settings = settings
        self.now = now
    }

    /// The ids of the exports that are done, oldest first.
    public func exports() throws -> [String] {
        try ExportRecord.all(in: service).filter { $0.status == .done }.map(\.id)
    }

    /// What would become of an export as it is now; nil where somebody else has settled it. To be
    /// asked right before it is deleted: meanwhile it may be pinned, or its file changed.
    public func verdict(on id: String) throws -> Verdict? {
        guard let record = try ExportRecord.one(id, in: service) else {
            return nil
        }
        let age = (now - record.seconds) / Self.secondsPerDay
        let limit = Int64(settings.retentionDays)
        if record.isPinned, settings.keepsPinned {
            return Verdict(record: record, goes: false, reason: "it is pinned")
        }
        guard now - record.seconds > limit * Self.secondsPerDay else {
            return Verdict(
                record: record, goes: false,
                reason: "it is \(age) days old, and \(limit) days are kept")
        }
        switch try ExportedPlace(of: record) {
        case .missing:
            return Verdict(
                record: record, goes: true, isGone: true, reason: "its file is gone already")
        case .changed:
            return Verdict(
                record: record, goes: false,
                reason: "its file changed since it was exported: delete or keep it yourself")
        case .unchanged: break
        }
        return Verdict(
            record: record, goes: true,
            reason: "it is \(age) days old, more than \(limit)")
    }

    /// Deletes one export: the intent is committed, then its file goes, then that is recorded.
    public func delete(_ verdict: Verdict) throws {
        let record = verdict.record
        var details = record.details
        details["age_days"] = .number((now - record.seconds) / Self.secondsPerDay)
        details["rule"] = .text(verdict.reason)
        guard !verdict.isGone else {
            details["already_gone"] = .flag(true)
            return try service.changeLedger(.remove(.export, record.id), .exportDeleted, details)
        }
        try service.note(.deletionIntended, details)
        if record.isFolder {
            try Folder.remove(record.path)
        } else if unlink(record.path) != 0, errno != ENOENT {
            throw SystemError.last("delete", record.path)
        }
        let (directory, _) = AtomicFile.split(record.path)
        if let opened = try? FileDirectory(path: directory) { try? opened.flush() }
        try service.changeLedger(.remove(.export, record.id), .exportDeleted, details)
    }

    // MARK: Temporary files

    /// Files beside exports that somebody who was killed was about to give their names.
    public func orphans() throws -> [String] {
        var orphans: Set<String> = []
        for record in try ExportRecord.all(in: service) where record.status == .done {
            let (directory, base) = AtomicFile.split(record.path)
            let names = (try? FileDirectory(path: directory).names()) ?? []
            for name in names
            where AtomicFile.isTemporary(name) && name.hasPrefix(".\(base.prefix(200)).") {
                let process = name.dropLast(4).split(separator: ".").last.flatMap { Int32($0) }
                var facts = stat()
                let path = "\(directory)/\(name)"
                guard let process, lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG
                else { continue }
                // The number may be somebody else's by now.
                let isOld = now - Int64(facts.st_mtim.tv_sec) > Self.secondsPerDay
                if isOld || kill(process, 0) != 0 && errno == ESRCH { orphans.insert(path) }
            }
        }
        return orphans.sorted()
    }

    /// Deletes such a file.
    public func deleteOrphan(_ path: String) throws {
        let details: [String: EventValue] = [
            "destination": .text(path), "rule": .text("its writer was cut off"),
        ]
        try service.note(.deletionIntended, details)
        if unlink(path) != 0, errno != ENOENT { throw SystemError.last("delete", path) }
        try service.note(.exportDeleted, details)
    }
}
