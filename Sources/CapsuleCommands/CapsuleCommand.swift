import ArgumentParser
import CLinux
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
                name: "Make",
                subcommands: [
                    SealCommand.self, SignCommand.self, RekeyCommand.self,
                    ConvertCommand.self, MigrateCommand.self,
                    MemvidCommand.self,
                ]),
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
            CommandGroup(
                name: "Work",
                subcommands: [
                    InitCommand.self, SnapshotCommand.self, TimelineCommand.self,
                    HistoryCommand.self, RestoreCommand.self, BranchCommand.self,
                    ForgetCommand.self, ReclaimCommand.self, RetentionCommand.self,
                    AuditCommand.self,
                ]),
            CommandGroup(
                name: "Record and hand over",
                subcommands: [
                    RunCommand.self, EventCommand.self, CheckpointCommand.self,
                    ResolveURICommand.self, ExportCommand.self, ExportsCommand.self,
                    SearchCommand.self, GoldenCommand.self, ReplayCommand.self,
                    ImportCommand.self, ImportsCommand.self, PinCommand.self, UnpinCommand.self,
                    CollectCommand.self, ConfigCommand.self,
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
        let arguments = RawArgument.all
        let asJSON = arguments.contains("--json")
        // Before any thread is started: SIGUSR1 is for whoever reports progress.
        clinux_block_signals([SIGUSR1], 1)
        exit(run(arguments, asJSON: asJSON))
    }

    private static func run(_ arguments: [String], asJSON: Bool) -> Int32 {
        var command: any ParsableCommand
        do {
            command = try CapsuleCommand.parseAsRoot(arguments)
        } catch {
            return Failure.reportParsing(error, asJSON: asJSON)
        }
        do {
            try command.run()
            return Output.hasFailed ? Failure.brokenOutput : 0
        } catch {
            return Failure.report(error, asJSON: asJSON)
        }
    }
}
