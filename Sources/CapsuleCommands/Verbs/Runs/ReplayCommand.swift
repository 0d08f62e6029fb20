import ArgumentParser
import CapsuleAccess
import CapsuleRuns
import CapsuleWorkspace

/// `capsule replay`.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Run the retrievals of a run again, and compare.",
        discussion: "See capsule-replay(1).", subcommands: [ReplayRunCommand.self])
}

struct ReplayRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Replay a run, an import of one, or an exported capsule.",
        discussion: "Prints Markdown, or JSON with --json. What it shows is masked.")

    @Argument(help: "A run's id, an import's name, or a capsule's file.") var subject: String
    @Option(name: [.customShort("s"), .long], help: "The work item of the run.") var spec: String?
    @Option(name: .long, help: "As of a checkpoint, whatever each retrieval says.")
    var asOf: String?
    @Flag(name: .long, help: "Show what is stored, which is recorded.") var raw = false
    @OptionGroup var workspace: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        let file = try SettingsFile.find()
        try SearchPlaces.requireSearch(file)
        let masker = raw ? nil : TextMasker(rules: try file.rules())
        let report = try workspace.withAccess(opening, isReadOnly: !raw) { access in
            let places = SearchPlaces(access: access)
            let (tree, found) = try places.folder(named: subject, of: spec, opening)
            if raw, let found { try RawView.note(found, "replay", access.service) }
            return try RetrievalReplay(tree, asOf: asOf, masker: masker)
        }
        if outputOptions.json { return Output.json(report) }
        Output.text(report.markdown(subject))
    }
}
