import CapsulePolicy
import CapsuleWorkspace

/// Reads from a run's events what the risk rule asks.
public enum RunFacts {
    private static let batchCount = 4096

    /// The facts of a run.
    public static func of(
        _ run: Run, in service: any RunService
    ) throws -> ExportTrigger.Facts {
        var facts = ExportTrigger.Facts(
            spec: run.name.spec, wasStartedAsHighRisk: run.isHighRisk, judgeRequested: false,
            gateRequiresHandoff: false)
        var next: Int64 = 1
        while true {
            let lines = try service.eventLines(of: run.name, from: next, count: batchCount)
            if lines.isEmpty { return facts }
            next += Int64(lines.count)
            for line in lines { note(line, &facts) }
        }
    }

    /// Whether somebody called the run a milestone: its exports are kept.
    static func isMilestone(_ run: Run, in service: any RunService) throws -> Bool {
        let head = Array("{\"event_type\":\"MilestoneMarked\"".utf8)
        var next: Int64 = 1
        while true {
            let lines = try service.eventLines(of: run.name, from: next, count: batchCount)
            if lines.isEmpty { return false }
            if lines.contains(where: { $0.starts(with: head) }) { return true }
            next += Int64(lines.count)
        }
    }

    private static func note(_ line: [UInt8], _ facts: inout ExportTrigger.Facts) {
        // Most events say nothing of it, and need not be parsed.
        let head = Array("{\"event_type\":\"".utf8)
        let rest = line.dropFirst(head.count)
        guard rest.starts(with: "ExportRequested".utf8) || rest.starts(with: "GateDecision".utf8),
            let event = try? JSONValue(parsing: line, "event"), let payload = event["payload"]
        else { return }
        switch event["event_type"]?.text {
        case "ExportRequested":
            if payload["by"]?.text == "Judge" { facts.judgeRequested = true }
        case "GateDecision":
            // The schema leaves it open how a gate spells its stage.
            if payload["stage"]?.text?.lowercased() == "unlock",
                payload["audit_handoff_required"] == .flag(true)
            {
                facts.gateRequiresHandoff = true
            }
        default: break
        }
    }
}
