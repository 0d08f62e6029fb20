import ArgumentParser
import CapsuleAccess
import CapsuleSystem
import Glibc

/// The command `capsule`: one subcommand a verb.
public struct CapsuleCommand: ParsableCommand {
    /// The verbs, in groups.
    public static let configuration = CommandConfiguration(
        commandName: "capsule",
        abstract: "Seal a folder into one encrypted, signed, verifiable file.",
        discussion: "Each verb has a manual page: capsule-seal(1), capsule-verify(1) and so on.",
        version: "capsule \(ToolVersion.text)",
        groupedSubcommands: [
            CommandGroup(
                name: "Make", subcommands: [SealCommand.self, SignCommand.self, RekeyCommand.self]),
            CommandGroup(
                name: "Read",
                subcommands: [
                    ListCommand.self, CatCommand.self, ExtractCommand.self, DiffCommand.self,
                    MountCommand.self, UnmountCommand.self,
                ]),
            CommandGroup(
                name: "Check",
                subcommands: [
                    InspectCommand.self, VerifyCommand.self, DoctorCommand.self, TrustCommand.self,
                ]),
            CommandGroup(name: "Keys", subcommands: [SlotCommand.self]),
        ])

    /// The command without a verb.
    public init() {}
}

/// The program `capsule`.
public enum CapsuleProgram {
    /// Runs with the process's arguments; ends the process.
    public static func main() -> Never {
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        let asJSON = arguments.contains("--json")
        var command: any ParsableCommand
        do {
            command = try CapsuleCommand.parseAsRoot(arguments)
        } catch {
            exit(Failure.reportParsing(error, asJSON: asJSON))
        }
        do {
            try command.run()
            exit(0)
        } catch {
            if error is CleanExit || error is ValidationError {
                exit(Failure.reportParsing(error, asJSON: asJSON))
            }
            exit(Failure.report(error, asJSON: asJSON))
        }
    }
}
