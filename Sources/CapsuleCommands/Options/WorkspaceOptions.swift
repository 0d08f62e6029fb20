import ArgumentParser
import CapsuleAccess
import CapsulePolicy
import CapsuleRuns
import CapsuleWorkspace

/// Which workspace a verb is about, or a state belongs to.
struct WorkspaceOptions: ParsableArguments {
    @Option(
        name: [.customShort("w"), .long],
        help: "The workspace: its directory, or a mount of it.")
    var workspace: String?

    @Option(name: .long, help: "Wait so many seconds for another verb.")
    var lockTimeout = WorkspaceOpener.patience

    mutating func validate() throws {
        guard (0...86400).contains(lockTimeout) else {
            throw ValidationError("--lock-timeout takes seconds, at most a day")
        }
    }

    /// The directory of the workspace.
    func path() throws -> String { try WorkspaceLocator.find(workspace) }

    /// Runs `body` on the workspace, through the driver that has it or by opening it. Whoever may
    /// write completes or gives up exports that were cut off.
    func withService<Result>(
        _ opening: OpeningOptions, isReadOnly: Bool = false,
        _ body: (any WorkspaceService) throws -> Result
    ) throws -> Result {
        try WorkspaceOpener.withService(
            path: try path(), secrets: opening.secrets, isReadOnly: isReadOnly,
            patience: lockTimeout
        ) { service in
            if !isReadOnly { Self.settle(service) }
            return try body(service)
        }
    }

    /// Runs `body` on what records runs: the workspace, or a folder of plain files where the
    /// settings say so.
    func withRuns<Result>(
        _ opening: OpeningOptions, isReadOnly: Bool = false,
        _ body: (any RunRecorder) throws -> Result
    ) throws -> Result {
        let file = try SettingsFile.find()
        let memory = try MemoryBackend(file)
        if let folder = memory.folder { return try body(try LocalMemory(folder)) }
        return try withService(opening, isReadOnly: isReadOnly) { service in
            if !isReadOnly { try memory.noteSwitch(service) }
            return try body(service)
        }
    }

    /// The same, for whoever reads states besides.
    func withAccess<Result>(
        _ opening: OpeningOptions, isReadOnly: Bool = false,
        _ body: (WorkspaceAccess) throws -> Result
    ) throws -> Result {
        try WorkspaceOpener.withAccess(
            path: try path(), secrets: opening.secrets, isReadOnly: isReadOnly,
            patience: lockTimeout
        ) { access in
            if !isReadOnly { Self.settle(access.service) }
            return try body(access)
        }
    }

    private static func settle(_ service: any WorkspaceService) {
        RunExporter.settle(service) {
            Output.warn("an export that was cut off is not settled yet: \(Failure.message(of: $0))")
        }
    }

    /// The components of a path in the workspace. Throws for the root and for `..`.
    func components(_ text: String) throws -> [[UInt8]] {
        let inside = WorkspaceLocator.pathInside(
            RawArgument.bytes(of: text), of: try path())
        var components: [[UInt8]] = []
        for part in inside.split(separator: 47).map(Array.init) {
            switch part {
            case [46]: continue
            case [46, 46]:
                guard components.popLast() != nil else {
                    throw AccessError(
                        .usage, code: "usage", "\(text): it leads out of the workspace")
                }
            default: components.append(part)
            }
        }
        guard !components.isEmpty else {
            throw AccessError(.usage, code: "usage", "give a path below the root of the workspace")
        }
        return components
    }
}

/// The operand `@NAME`.
enum StateOperand {
    /// The name of a state, with or without its `@`.
    static func name(_ text: String) -> String {
        text.hasPrefix("@") ? String(text.dropFirst()) : text
    }
}
