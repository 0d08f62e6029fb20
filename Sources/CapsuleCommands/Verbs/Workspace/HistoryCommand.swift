import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleSystem
import CapsuleWorkspace

/// `capsule history`.
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "List the versions of what is at a path.",
        discussion: "See capsule-history(1).")

    @Argument(help: "The path in the workspace.") var path: String
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Row: Encodable {
        let mode: String?
        let size: UInt64?
        let modifiedAt: String?
        /// The name that it had then, where that is another one.
        let path: [UInt8]?
        let states: [String]
        let isPresent: Bool

        init(_ version: FileVersion) {
            let isThere = version.mode != 0
            mode = isThere ? Human.mode(version.mode) : nil
            size = isThere ? version.size : nil
            modifiedAt =
                isThere ? Timestamp(seconds: version.modified.seconds).rfc3339 : nil
            path = version.path
            states = version.states.filter { !$0.isEmpty }
            isPresent = version.states.contains("")
        }

        private enum CodingKeys: String, CodingKey {
            case mode, size, states
            case modifiedAt = "modified_at"
            case isPresent = "present"
        }

        func encode(to encoder: any Encoder) throws {
            if let path { try NameJSON("path", path).encode(to: encoder) }
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(mode, forKey: .mode)
            try container.encodeIfPresent(size, forKey: .size)
            try container.encodeIfPresent(modifiedAt, forKey: .modifiedAt)
            try container.encode(states, forKey: .states)
            try container.encode(isPresent, forKey: .isPresent)
        }

        /// The first state that shows it, and the last if there are several.
        var shown: String {
            var names = states.map { "@\($0)" }
            if isPresent { names.append("present") }
            guard names.count > 1 else { return names.first ?? "" }
            return "\(names[0]) to \(names[names.count - 1])"
        }
    }

    private struct Result: Encodable {
        let path: [UInt8]
        let versions: [Row]

        private enum CodingKeys: String, CodingKey { case versions }

        func encode(to encoder: any Encoder) throws {
            try NameJSON("path", path).encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(versions, forKey: .versions)
        }
    }

    func run() throws {
        let components = try place.components(path)
        let rows = try place.withService(opening, isReadOnly: true) {
            try $0.versions(of: components)
        }.map(Row.init)
        guard rows.contains(where: { $0.mode != nil }) else {
            throw AccessError(
                .usage, code: "not_found", "no state shows '\(path)', and it is not there now")
        }
        if outputOptions.json {
            let path = Array(components.joined(separator: [47]))
            return Output.json(Result(path: path, versions: rows))
        }
        var table = Table(rightAligned: [1])
        for row in rows {
            table.add(
                row.mode ?? "-", row.size.map(String.init) ?? "", row.modifiedAt ?? "not there",
                row.path.map { "\(row.shown), as \(Text.escaped($0))" } ?? row.shown)
        }
        table.print()
    }
}

/// `capsule restore`.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Bring back what was at a path in a state.",
        discussion: "See capsule-restore(1).")

    @Argument(help: "@STATE.") var state: String
    @Argument(help: "The path in the workspace.") var path: String
    @Option(name: .long, help: "Write it into DIR instead, outside of the workspace.")
    var to: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    private struct Result: Encodable {
        let inodes: Int64
        let bytes: UInt64
        let before: String
    }

    func run() throws {
        guard state.hasPrefix("@"), state.count > 1 else {
            throw AccessError(.usage, code: "usage", "a state is named by '@' and its name")
        }
        let components = try place.components(path)
        if let to { return try extract(components, to: to) }
        let report = try place.withService(opening) {
            try $0.restore(components, from: StateOperand.name(state))
        }
        if outputOptions.json {
            return Output.json(
                Result(inodes: report.inodes, bytes: report.bytes, before: report.before))
        }
        if !quiet {
            Output.line(
                "restored \(report.inodes) entries, \(Human.bytes(report.bytes)); what was there "
                    + "before is in @\(report.before)")
        }
    }

    private func extract(_ components: [[UInt8]], to directory: String) throws {
        let tree = try WorkspaceOpener.tree(
            path: try place.path(), state: StateOperand.name(state), secrets: opening.secrets,
            patience: place.lockTimeout)
        try Extraction.run(
            tree, paths: [components], to: directory, trustsSpecial: true, source: state,
            asJSON: outputOptions.json, isQuiet: quiet)
    }
}
