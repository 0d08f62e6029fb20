import ArgumentParser
import CapsuleAccess
import CapsuleRuns
import CapsuleWorkspace

/// `capsule checkpoint`.
struct CheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "Keep the present moment of a run.",
        discussion: "See capsule-checkpoint(1).")

    @OptionGroup var which: RunOptions
    @Option(name: [.customShort("l"), .long], help: "Its label, one of its kind in the run.")
    var label: String
    @Option(name: .long, help: "The stage of the work.") var stage = ""
    @Option(name: .long, help: "The commit that the work is at.") var commit = ""
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        let checkpoint = try place.withRuns(opening) { service in
            let run = try which.find(in: service)
            return try service.markRun(run.name, label: label, stage: stage, commit: commit)
        }
        if outputOptions.json { return Output.json(CheckpointRow(checkpoint)) }
        Output.line("\(checkpoint.label): \(checkpoint.sequence) events")
    }
}
