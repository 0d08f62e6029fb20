import ArgumentParser
import CapsuleAccess
import CapsuleSystem
import CapsuleWorkspace

/// `capsule snapshot`.
struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Keep, list and forget states of a workspace.",
        discussion: "@NAME is a state wherever a folder is read. See capsule-snapshot(1).",
        subcommands: [
            SnapshotCreateCommand.self, SnapshotListCommand.self, SnapshotDeleteCommand.self,
        ])
}

/// A state as it is shown.
private struct StateRow: Encodable {
    let name: String
    let createdAt: String

    init(_ state: WorkspaceState) {
        name = state.name
        createdAt = Timestamp(seconds: state.seconds).rfc3339
    }

    private enum CodingKeys: String, CodingKey {
        case name
        case createdAt = "created_at"
    }
}

private struct StatesResult: Encodable {
    let states: [StateRow]

    init(_ states: [WorkspaceState]) { self.states = states.map(StateRow.init) }
}

struct SnapshotCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Keep the present state under a name.")

    @Argument(help: "The name; the present time if none is given.") var name: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        let path = try WorkspaceLocator.find(place.workspace)
        let state = try WorkspaceOpener.withStates(path: path, secrets: opening.secrets) {
            try $0.keepState(as: name ?? Timestamp.now.rfc3339)
        }
        if outputOptions.json { return Output.json(StatesResult([state])) }
        Output.line("@\(state.name)")
    }
}

struct SnapshotListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the states, oldest first.")

    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        let path = try WorkspaceLocator.find(place.workspace)
        let states = try WorkspaceOpener.withStates(path: path, secrets: opening.secrets) {
            try $0.states()
        }
        if outputOptions.json { return Output.json(StatesResult(states)) }
        var table = Table()
        for row in states.map(StateRow.init) { table.add("@\(row.name)", row.createdAt) }
        table.print()
    }
}

struct SnapshotDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Forget a state; the present one and others stay.")

    @Argument(help: "The name.") var name: String
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions

    func run() throws {
        let path = try WorkspaceLocator.find(place.workspace)
        let plain = name.hasPrefix("@") ? String(name.dropFirst()) : name
        try WorkspaceOpener.withStates(path: path, secrets: opening.secrets) {
            try $0.dropState(named: plain)
        }
        Output.line("forgot @\(plain)")
    }
}
