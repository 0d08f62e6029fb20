import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsulePolicy
import CapsuleRuns
import CapsuleSystem
import CapsuleWorkspace
import Crypto
import Glibc

/// `capsule run`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Record the runs of an agent, or of anybody.",
        discussion: "See capsule-run(1) and capsule-runs(7).",
        subcommands: [
            RunStartCommand.self, RunPutCommand.self, RunFinishCommand.self,
            RunListCommand.self, RunShowCommand.self,
        ])
}

struct RunStartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Begin a run; prints its id.")

    @Option(name: [.customShort("s"), .long], help: "The work item that it is for.")
    var spec: String
    @Option(
        name: [.customShort("r"), .customLong("run")],
        help: "Its id; without, the time and a chance part.")
    var id: String?
    @Option(name: .long, help: "Record FILE as a policy that the run is under.")
    var policy: [String] = []
    @Option(name: .long, help: "The risk: high, or normal.") var risk = "normal"
    @Option(name: .long, help: "Of models, record: none, prompts_only or full_io.")
    var capture: String?
    @Option(name: .long, help: "Mask what is recorded before it is stored: on, or off.")
    var sanitize: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    mutating func validate() throws {
        guard ["high", "normal"].contains(risk) else {
            throw ValidationError("--risk takes high or normal")
        }
        if let capture, Run.Capture(rawValue: capture) == nil {
            throw ValidationError("--capture takes none, prompts_only or full_io")
        }
        guard ["on", "off", nil].contains(sanitize) else {
            throw ValidationError("--sanitize takes on or off")
        }
    }

    func run() throws {
        let file = try SettingsFile.find()
        let settings = file.settings
        var start = RunStart(try RunName(spec: spec, run: id ?? Self.newID()))
        start.isHighRisk = risk == "high"
        start.capture = Run.Capture(rawValue: capture ?? settings.captureMode) ?? .prompts
        start.isSanitized = sanitize.map { $0 == "on" } ?? settings.sanitizes
        let masker = start.isSanitized ? TextMasker.forRecording(try file.rules()) : nil
        start.policies = try policy.map { path in
            let body = try SmallFile.read(
                path,
                remedy: "record the part that applies, and put the whole among the files of the "
                    + "run, with 'capsule run put'")
            let name = path.split(separator: "/").last.map(String.init) ?? path
            return RunPolicy(
                name: masker?.mask(name) ?? name, body: masker?.mask(body, path: name) ?? body)
        }
        if ExportRehearsal.isLikely(start, settings) {
            let rehearsal = ExportRehearsal(
                start.name, settings: file, workspace: try place.path())
            for fault in rehearsal.faults() {
                Output.warn("an automatic export of this run would fail: \(fault)")
            }
        }
        let started = try place.withRuns(opening) { try $0.startRun(start) }
        if outputOptions.json { return Output.json(RunRow(started)) }
        Output.line(started.name.run)
    }

    /// The time and something that two runs of one second do not share.
    private static func newID() -> String {
        let digits = Timestamp.now.rfc3339.filter(\.isNumber)
        let chance = Text.hex(Environment.random(2))
        return "\(digits.prefix(8))-\(digits.dropFirst(8).prefix(6))-\(chance)"
    }
}

struct RunListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the runs of a workspace, oldest first.")

    @Option(name: [.customShort("s"), .long], help: "Only those for this work item.")
    var spec: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable { let runs: [RunRow] }

    func run() throws {
        let runs = try place.withRuns(opening, isReadOnly: true) { try $0.runs() }
            .filter { spec == nil || $0.name.spec == spec }
        let masker = TextMasker(rules: try SettingsFile.find().rules())
        let rows = runs.map { RunRow($0, masker) }
        if outputOptions.json { return Output.json(Result(runs: rows)) }
        var table = Table()
        for row in rows {
            table.add(
                row.specID, row.runID, row.startedAt, row.outcome ?? "running",
                "\(row.eventCount) events", "\(row.checkpoints.count) checkpoints")
        }
        table.print()
    }
}
