import ArgumentParser
import CapsuleAccess

/// The command `capsule`: one subcommand a verb.
public struct CapsuleCommand: ParsableCommand {
    /// The verbs, in groups.
    public static let configuration = CommandConfiguration(
        commandName: "capsule",
        abstract: "Seal a folder into one encrypted, signed, verifiable file.",
        discussion: "See capsule(1), and capsule-VERB(1) for each verb.",
        version: ToolVersion.text,
        groupedSubcommands: [
            CommandGroup(
                name: "Make",
                subcommands: [SealCommand.self]),
        ])

    /// The command without a verb.
    public init() {}
}

/// The program `capsule`.
public enum CapsuleProgram {
    /// Runs with the process's arguments; does not return where the exit code is not 0.
    public static func main() {
        CapsuleCommand.main()
    }
}
