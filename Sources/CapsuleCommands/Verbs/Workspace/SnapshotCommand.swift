import ArgumentParser
import CapsuleAccess
import CapsuleRuns
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
struct StateRow: Encodable {
    let name: String
    let createdAt: String
    let kind: String
    let tag: String?
    let branch: String

    init(_ state: WorkspaceState) {
        name = state.name
        createdAt = Timestamp(seconds: state.seconds).rfc3339
        kind = "\(state.kind)"
        tag = state.tag.isEmpty ? nil : state.tag
        branch = state.branch
    }

    /// An import, which came at its time.
    init(_ record: ImportRecord) {
        name = Workspace.importPrefix + record.name
        createdAt = Timestamp(seconds: record.seconds).rfc3339
        kind = "import"
        tag = record.trust.rawValue
        branch = ""
    }

    private enum CodingKeys: String, CodingKey {
        case name, kind, tag, branch
        case createdAt = "created_at"
    }
}

/// States as they are shown.
struct StatesResult: Encodable {
    let states: [StateRow]

    init(_ states: [WorkspaceState], _ imports: [ImportRecord] = []) {
        let rows = states.map { StateRow($0) } + imports.map { StateRow($0) }
        self.states = imports.isEmpty ? rows : rows.sorted { $0.createdAt < $1.createdAt }
    }

    func show(asJSON: Bool) {
        if asJSON { return Output.json(self) }
        var table = Table()
        for row in states {
            let tag = row.tag.map { "\(row.kind) (\($0))" } ?? row.kind
            table.add(
                row.kind == "import" ? row.name : "@\(row.name)", row.createdAt, row.branch, tag)
        }
        table.print()
    }
}

struct SnapshotCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Keep the present state.")

    @Argument(help: "The name; without one, the retention rule may let it go.") var name: String?
    @Option(name: .long, help: "A word by which the retention rule can keep it.") var tag = ""
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    /// Names of states that exports keep for themselves, and drop, begin so.
    private static func checked(_ operand: String) throws(AccessError) -> String {
        let name = StateOperand.name(operand)
        guard !name.hasPrefix("export:") else {
            throw AccessError(
                .usage, code: "bad_name",
                "'\(name)' would name the state of an export that goes on: choose another name")
        }
        return name
    }

    func run() throws {
        let state = try place.withService(opening) {
            try $0.keepState(as: try name.map(Self.checked), tag: tag)
        }
        if outputOptions.json { return Output.json(StatesResult([state])) }
        Output.line("@\(state.name)")
    }
}

struct SnapshotListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the states that somebody kept, oldest first.")

    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        let states = try place.withService(opening, isReadOnly: true) { try $0.states() }
        StatesResult(states.filter { $0.kind != .automatic }).show(asJSON: outputOptions.json)
    }
}

struct SnapshotDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Forget a state; the present one and others stay.")

    @Argument(help: "The name.") var name: String
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions

    func run() throws {
        let plain = StateOperand.name(name)
        try place.withService(opening) { try $0.dropState(named: plain) }
        Output.line("forgot @\(plain)")
    }
}

/// `capsule timeline`.
struct TimelineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timeline", abstract: "List every state of a workspace, oldest first.",
        discussion: "See capsule-timeline(1).")

    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        let (states, imports) = try place.withService(opening, isReadOnly: true) {
            (try $0.states(), try ImportRecord.all(in: $0))
        }
        StatesResult(states, imports).show(asJSON: outputOptions.json)
    }
}
