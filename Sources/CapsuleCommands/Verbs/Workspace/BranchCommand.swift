import ArgumentParser
import CapsuleAccess
import CapsuleWorkspace

/// `capsule branch`.
struct BranchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "branch", abstract: "Go on from another state, and come back.",
        discussion: "See capsule-branch(1).",
        subcommands: [
            BranchCreateCommand.self, BranchListCommand.self, BranchDeleteCommand.self,
            BranchSwitchCommand.self,
        ])
}

struct BranchCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a branch; 'switch' goes to it.")

    @Argument(help: "The name.") var name: String
    @Option(name: .long, help: "Begin at @STATE, not at the present one.") var at: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions

    func run() throws {
        try place.withService(opening) {
            try $0.makeBranch(name, at: at.map(StateOperand.name))
        }
        Output.line("made the branch \(name)")
    }
}

struct BranchListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the branches; * marks the present one.")

    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Row: Encodable {
        let name: String
        let current: Bool
        let state: String?
    }

    private struct Result: Encodable { let branches: [Row] }

    func run() throws {
        let rows = try place.withService(opening, isReadOnly: true) { try $0.branches() }
            .map {
                Row(
                    name: $0.name, current: $0.isCurrent,
                    state: $0.state.isEmpty ? nil : $0.state)
            }
        if outputOptions.json { return Output.json(Result(branches: rows)) }
        var table = Table()
        for row in rows {
            table.add(row.current ? "*" : " ", row.name, row.state.map { "@\($0)" } ?? "present")
        }
        table.print()
    }
}

struct BranchDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Forget a branch; its states stay.")

    @Argument(help: "The name.") var name: String
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions

    func run() throws {
        try place.withService(opening) { try $0.dropBranch(name) }
        Output.line("forgot the branch \(name)")
    }
}

struct BranchSwitchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switch",
        abstract: "Leave the present branch as it is and go on with another.")

    @Argument(help: "The name.") var name: String
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions

    func run() throws {
        try place.withService(opening) { try $0.switchBranch(name) }
        Output.line("on the branch \(name)")
    }
}
