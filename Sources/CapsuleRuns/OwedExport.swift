import CapsuleSystem
import CapsuleWorkspace
import FoundationEssentials
import Glibc

/// What is still to be done for a run that has ended: to decide whether it is exported, and to do
/// so. It is owed from the moment of the end, so that no crash loses it, and one process at a time
/// has it.
public enum OwedExport {
    /// The mark of this process, for `finishRun`.
    public static var holder: [UInt8] {
        guard let body = try? JSONEncoder().encode(ProcessMark.own) else {
            preconditionFailure("numbers and words can be encoded")
        }
        return Array(body)
    }

    private static func entry(_ run: RunName, in service: any RunService) throws -> LedgerEntry? {
        try service.ledger(
            .decision, named: LedgerEntry.owedDecision(on: run, holder: []).name
        ).first
    }

    /// Whether nobody has decided yet, or what was decided is not done yet.
    public static func isOwed(_ run: RunName, in service: any RunService) throws -> Bool {
        try entry(run, in: service) != nil
    }

    /// Whether another process, which lives, is at it.
    public static func isUnderWay(_ run: RunName, in service: any RunService) throws -> Bool {
        guard let entry = try entry(run, in: service),
            let holder = try? JSONDecoder().decode(ProcessMark.self, from: Data(entry.body))
        else { return false }
        return holder.isAlive
    }

    /// The runs for which something is owed.
    static func runs(in service: any RunService) throws -> [Run] {
        let names = Set(try service.ledger(.decision).map(\.name))
        guard !names.isEmpty else { return [] }
        return try service.runs().filter {
            names.contains(LedgerEntry.owedDecision(on: $0.name, holder: []).name)
        }
    }

    /// This process takes over what another has left, unless somebody else was faster.
    public static func takeOver(_ run: RunName, in service: any RunService) throws -> LedgerChange?
    {
        guard let entry = try entry(run, in: service) else { return nil }
        return .exchange(.owedDecision(on: run, holder: holder), from: entry.body)
    }

    /// Nothing is owed any more.
    public static func conclusion(_ run: RunName) -> LedgerChange {
        .drop(.decision, LedgerEntry.owedDecision(on: run, holder: []).name)
    }
}
