import CapsuleAccess
import CapsuleBytes
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// Completes or gives up exports that ended half way: one whose file is there as announced is done,
/// any other never happened.
///
/// Several may do this at once; what one of them has settled, the others leave alone. What cannot
/// be settled keeps nobody from anything else: it is told, and tried again by the next.
struct ExportSettlement {
    private let service: any WorkspaceService
    private let warn: (any Error) -> Void

    init(_ service: any WorkspaceService, warn: @escaping (any Error) -> Void = { _ in }) {
        self.service = service
        self.warn = warn
    }

    func settle() {
        attempt { try dropStates() }
        var records: [ExportRecord] = []
        attempt { records = try ExportRecord.all(in: service) }
        for record in records where record.status == .intended && !record.maker.isAlive {
            attempt {
                // It may have come to its end just before its process did.
                guard let last = try ExportRecord.one(record.id, in: service),
                    last.status == .intended
                else { return }
                try settle(last)
            }
        }
        attempt { try dropReplaced() }
    }

    private func attempt(_ body: () throws -> Void) {
        do {
            try body()
        } catch let error as WorkspaceError where error.errno == ENOENT {
            // Somebody else has settled it.
            return
        } catch {
            warn(error)
        }
    }

    // MARK: States

    private static let statePrefix = "export"

    /// The name of the state that an export of this process reads while it goes on.
    static func newState() -> String {
        "\(statePrefix):\(ProcessMark.own.text):\(Text.hex(Environment.random(8)))"
    }

    private func dropStates() throws {
        for state in try service.states() {
            let parts = state.name.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == Self.statePrefix, let mark = ProcessMark(parts[1]),
                !mark.isAlive
            else { continue }
            attempt { try service.dropState(named: state.name) }
        }
    }

    // MARK: Exports

    private func settle(_ record: ExportRecord) throws {
        var (record, details) = (record, record.details)
        guard isPublished(record) else {
            details["reason"] = .text("it was cut off before its file had its name")
            details["temporary_deleted"] = .flag(try deleteTemporary(of: record))
            return try service.changeLedger(.remove(.export, record.id), .exportFailed, details)
        }
        // Its name may not have reached the disk.
        try FileDirectory(path: AtomicFile.split(record.path).directory).flush()
        record.status = .done
        details["recovered"] = .flag(true)
        var changes: [LedgerChange] = [.replace(record.entry)]
        if record.isOwed {
            let name = try RunName(spec: record.spec, run: record.run)
            changes.append(OwedExport.conclusion(name))
        }
        try service.changeLedger(changes, .exported, details)
    }

    /// Whether what was announced stands under its name, whole.
    func isPublished(_ record: ExportRecord) -> Bool {
        (record.isFolder || record.fileDigest != nil) && record.isUnchanged
    }

    /// Whether there was one.
    private func deleteTemporary(of record: ExportRecord) throws -> Bool {
        let name = AtomicFile.temporaryName(for: record.path, of: record.maker.process)
        let path = "\(AtomicFile.split(record.path).directory)/\(name)"
        guard access(path, F_OK) == 0 else { return false }
        if record.isFolder {
            try Folder.remove(path)
        } else if unlink(path) != 0, errno != ENOENT {
            throw SystemError.last("delete", path)
        }
        return true
    }

    // MARK: Exports to one place

    /// Of exports to one place only the last is there. One that was cut off after its file had its
    /// name has not told of those before it.
    private func dropReplaced() throws {
        let done = try ExportRecord.all(in: service).filter { $0.status == .done }
        for (_, records) in Dictionary(grouping: done, by: \.path) where records.count > 1 {
            try keepOne(of: records)
        }
    }

    /// What had the same name before is gone.
    func dropReplaced(by record: ExportRecord) throws {
        let records = try ExportRecord.all(in: service).filter {
            $0.path == record.path && $0.status == .done
        }
        if records.count > 1 { try keepOne(of: records) }
    }

    /// Two may have written to one place at once: it is the file that says whose it is.
    private func keepOne(of records: [ExportRecord]) throws {
        guard let kept = records.last(where: \.isUnchanged) ?? records.last else { return }
        for other in records where other.id != kept.id {
            var details = other.details
            details["rule"] = .text("replaced by export \(kept.id)")
            attempt {
                try service.changeLedger(.remove(.export, other.id), .exportDeleted, details)
            }
        }
    }

    /// The exports that one to a path takes the place of.
    func replaced(by record: ExportRecord) throws -> EventValue {
        .list(
            try ExportRecord.all(in: service).filter {
                $0.path == record.path && $0.id != record.id && $0.status == .done
            }.map { .text($0.id) })
    }
}
