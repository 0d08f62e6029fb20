import CapsuleAccess
import CapsuleSystem
import CapsuleWorkspace
import FoundationEssentials
import Glibc

/// Completes or gives up exports that ended half way: one whose file is there as announced is done,
/// any other never happened.
///
/// Several may do this at once; what one of them has settled, the others leave alone.
struct ExportSettlement {
    /// What a state is called that is kept while an export reads it, before the process' number.
    static let statePrefix = "export:"

    private let service: any WorkspaceService

    init(_ service: any WorkspaceService) {
        self.service = service
    }

    func settle() throws {
        try dropStates()
        for record in try ExportRecord.all(in: service)
        where record.status == .intended && !record.isUnderWay {
            // It may have come to its end just before its process did.
            guard let last = try present(record.id), last.status == .intended else { continue }
            try unlessSettled { try settle(last) }
        }
        try dropReplaced()
    }

    private func present(_ id: String) throws -> ExportRecord? {
        try ExportRecord.all(in: service).first { $0.id == id }
    }

    private func unlessSettled(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as WorkspaceError where error.errno == ENOENT {
            return
        }
    }

    private func dropStates() throws {
        for state in try service.states() where state.name.hasPrefix(Self.statePrefix) {
            let process = state.name.split(separator: ":").dropFirst().first.flatMap { Int32($0) }
            if let process, ExportRecord.isAlive(process) { continue }
            try unlessSettled { try service.dropState(named: state.name) }
        }
    }

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
        let name = try RunName(spec: record.spec, run: record.run)
        if try OwedExport.isOwed(name, in: service) { changes.append(OwedExport.conclusion(name)) }
        try service.changeLedger(changes, .exported, details)
    }

    /// Whether what was announced stands under its name, whole.
    func isPublished(_ record: ExportRecord) -> Bool {
        (record.isFolder || record.fileDigest != nil) && record.isUnchanged
    }

    private func temporary(of record: ExportRecord) -> String {
        let name = AtomicFile.temporaryName(for: record.path, of: record.process)
        return "\(AtomicFile.split(record.path).directory)/\(name)"
    }

    /// Whether there was one. That of another machine is its own affair.
    private func deleteTemporary(of record: ExportRecord) throws -> Bool {
        let path = temporary(of: record)
        guard record.host == Environment.hostName, access(path, F_OK) == 0 else { return false }
        if record.isFolder {
            try FileManager.default.removeItem(atPath: path)
        } else if unlink(path) != 0, errno != ENOENT {
            throw SystemError.last("delete", path)
        }
        return true
    }

    /// Of exports to one place only the last is there. One that was cut off after its file had its
    /// name has not told of those before it.
    private func dropReplaced() throws {
        let done = try ExportRecord.all(in: service).filter { $0.status == .done }
        for (_, records) in Dictionary(grouping: done, by: \.path) where records.count > 1 {
            guard let last = records.last(where: \.isUnchanged) ?? records.last else { continue }
            try dropReplaced(by: last)
        }
    }

    /// What had the same name before is gone.
    func dropReplaced(by record: ExportRecord) throws {
        for other in try ExportRecord.all(in: service)
        where other.path == record.path && other.id != record.id && other.status == .done {
            var details = other.details
            details["rule"] = .text("replaced by export \(record.id)")
            try unlessSettled {
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
