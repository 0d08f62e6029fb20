import ArgumentParser
import CapsuleAccess
import CapsuleCrypto
import CapsuleTree

/// `capsule init`.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a live workspace: an encrypted folder to work in.",
        discussion: "'capsulefs WORKSPACE MOUNTPOINT' mounts it. See capsule-init(1).")

    @Argument(help: "The directory to be made.") var workspace: String
    @OptionGroup(title: "Secrets to create") var newSlots: NewSlotOptions
    @OptionGroup(title: "Passphrases, where no slot is named") var opening: OpeningOptions
    @OptionGroup(title: "Cost") var cost: CostOptions
    @Option(name: .long, help: "A public name for people.") var label = ""
    @Flag(name: .long, help: "Record opens, creations and removals of files in the audit log.")
    var auditFiles = false
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    func run() throws {
        if opening.secrets.hasOtherSource {
            throw AccessError(
                .usage, code: "usage",
                "a new workspace takes --recipient, --new-key-file and --recovery-phrase")
        }
        try WorkspaceOpener.checkNew(path: workspace)
        let slots = try newSlots.slots(
            orPassphraseOf: opening.secrets, cost: try cost.cost, object: workspace)
        try WorkspaceOpener.create(
            path: workspace, label: label, recordsFiles: auditFiles,
            secrets: slots.map { ($0.secret, $0.label) })
        if !quiet { Output.line("made the workspace \(workspace)") }
    }
}
