import CapsuleSystem
import CapsuleWorkspace
import FoundationEssentials
import Glibc

/// What is still to be done for a run that has ended: to decide whether it is exported, and to do
/// so. It is owed from the moment of the end, so that no crash loses it.
public enum OwedExport {
    /// Who is at it.
    private struct Holder: Codable {
        let process: Int32
        let host: String
    }

    /// Whether nobody has decided yet, or what was decided is not done yet.
    public static func isOwed(_ run: RunName, in service: any RunService) throws -> Bool {
        let name = LedgerEntry.owedDecision(on: run).name
        return try service.ledger(.decision).contains { $0.name == name }
    }

    /// Whether another process, which lives, is at it.
    public static func isUnderWay(_ run: RunName, in service: any RunService) throws -> Bool {
        let name = LedgerEntry.owedDecision(on: run).name
        guard let entry = try service.ledger(.decision).first(where: { $0.name == name }),
            let holder = try? JSONDecoder().decode(Holder.self, from: Data(entry.body))
        else { return false }
        return holder.host == Environment.hostName && ExportRecord.isAlive(holder.process)
    }

    /// The runs for which something is owed.
    static func runs(in service: any RunService) throws -> [Run] {
        let names = Set(try service.ledger(.decision).map(\.name))
        guard !names.isEmpty else { return [] }
        return try service.runs().filter {
            names.contains(LedgerEntry.owedDecision(on: $0.name).name)
        }
    }

    /// It was decided that there is an export, and this process makes it.
    public static func taken(_ run: RunName) -> LedgerChange {
        let holder = Holder(process: getpid(), host: Environment.hostName)
        guard let body = try? JSONEncoder().encode(holder) else {
            preconditionFailure("a number and a name can be encoded")
        }
        return .replace(
            LedgerEntry(
                .decision, LedgerEntry.owedDecision(on: run).name, body: Array(body)))
    }

    /// Nothing is owed any more.
    public static func conclusion(_ run: RunName) -> LedgerChange {
        .remove(.decision, LedgerEntry.owedDecision(on: run).name)
    }
}
