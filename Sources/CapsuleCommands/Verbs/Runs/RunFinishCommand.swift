import ArgumentParser
import CapsuleAccess
import CapsulePolicy
import CapsuleRuns
import CapsuleWorkspace
import Glibc

struct RunFinishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finish", abstract: "End a run; exports it where a rule says so.")

    @OptionGroup var which: RunOptions
    @Option(name: .long, help: "How it ended: unlock, fail or abandon.") var outcome: String
    @OptionGroup(title: "Secrets of an automatic export") var capsuleSecrets: ExportSecretOptions
    @OptionGroup(title: "Cost") var cost: CostOptions
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let run: RunRow
        let exportDue: Bool
        let reasons: [String]
        let export: ExportResult?

        private enum CodingKeys: String, CodingKey {
            case run, reasons, export
            case exportDue = "export_due"
        }
    }

    mutating func validate() throws {
        guard Run.Outcome(rawValue: outcome) != nil else {
            throw ValidationError("--outcome takes unlock, fail or abandon")
        }
    }

    func run() throws {
        let outcome = Run.Outcome(rawValue: outcome) ?? .abandon
        let settings = try SettingsFile.find()
        if settings.settings.memoryBackend == .localMemory {
            let run = try place.withRuns(opening) { memory in
                try memory.finishRun(try which.find(in: memory).name, outcome, holder: [])
            }
            return show(
                Result(
                    run: RunRow(run), exportDue: false,
                    reasons: ["memory_backend is local-memory"], export: nil))
        }
        try place.withAccess(opening) { access in
            let run = try finished(try which.find(in: access.service), outcome, access)
            // After the end, so that nothing is accepted that is not looked at.
            let facts = try RunFacts.of(run, in: access.service)
            guard outcome == .unlock else {
                return show(Result(run: RunRow(run), exportDue: false, reasons: [], export: nil))
            }
            let trigger = ExportTrigger(facts, settings: settings.settings)
            try access.service.changeLedger(
                trigger.isDue ? [] : [OwedExport.conclusion(run.name)], .exportDecided,
                [
                    "spec_id": .text(run.name.spec), "run_id": .text(run.name.run),
                    "export": .flag(trigger.isDue),
                    "reasons": .list(trigger.reasons.map { .text($0) }),
                ])
            let export = trigger.isDue ? try self.export(run, trigger, settings, access) : nil
            show(
                Result(
                    run: RunRow(run), exportDue: trigger.isDue, reasons: trigger.reasons,
                    export: export))
        }
    }

    /// Ends a run; one whose end was cut off before its export goes on from there.
    private func finished(
        _ run: Run, _ outcome: Run.Outcome, _ access: WorkspaceAccess
    ) throws -> Run {
        guard run.outcome == outcome, try OwedExport.isOwed(run.name, in: access.service) else {
            return try access.service.finishRun(run.name, outcome, holder: OwedExport.holder)
        }
        let inUse = AccessError(
            .system, code: "export_under_way",
            "the run '\(run.name.run)' has ended, and another process exports it right now")
        guard try !OwedExport.isUnderWay(run.name, in: access.service),
            let change = try OwedExport.takeOver(run.name, in: access.service)
        else { throw inUse }
        do throws(WorkspaceError) {
            try access.service.changeLedger(
                change, .exportTakenOver,
                ["spec_id": .text(run.name.spec), "run_id": .text(run.name.run)])
        } catch {
            let isTaken = error.errno == EEXIST || error.errno == ENOENT
            throw isTaken ? inUse : AccessError(error, path: access.path)
        }
        return run
    }

    /// The run has ended, whatever becomes of its export.
    private func export(
        _ run: Run, _ trigger: ExportTrigger, _ settings: SettingsFile, _ access: WorkspaceAccess
    ) throws -> ExportResult {
        do {
            var job = ExportJob(access: access, settings: settings)
            job.isOwed = true
            job.trigger = trigger.reasons.joined(separator: "; ")
            job.signers = try Signers(paths: settings.signKey.map { [$0] } ?? [])
            job.path = try ExportPlace(run.name, out: nil, settings: settings).checked(
                against: access.path)
            // What was exported there before is of an earlier state, unless somebody keeps it.
            let before = try ExportRecord.all(in: access.service).last { $0.path == job.path }
            job.replaces = before.map { !$0.isPinned && $0.isUnchanged } ?? false
            let slots = try capsuleSecrets.slots(
                settings.settings.recipients, cost: try cost.cost, object: job.path,
                mayAsk: false)
            return ExportResult(try job.export(run, slots: slots))
        } catch {
            let reason = Failure.message(of: error)
            if !(error is RecordedFailure) {
                // What failed first is what is told.
                try? access.service.changeLedger(
                    OwedExport.conclusion(run.name), .exportFailed,
                    [
                        "spec_id": .text(run.name.spec), "run_id": .text(run.name.run),
                        "reason": .text(reason),
                    ])
            }
            throw AccessError(
                .system, code: "export_failed",
                "the run '\(run.name.run)' has ended, but its export failed: \(reason); mend that "
                    + "and use 'capsule export'")
        }
    }

    private func show(_ result: Result) {
        if outputOptions.json { return Output.json(result) }
        Output.line("\(result.run.runID) ended: \(result.run.outcome ?? "")")
        if !result.reasons.isEmpty {
            let verdict = result.exportDue ? "exported" : "not exported"
            Output.line("\(verdict): \(result.reasons.joined(separator: "; "))")
        }
        result.export?.show(asJSON: false)
    }
}
