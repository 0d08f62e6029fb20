import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleFormat
import CapsuleSystem
import CapsuleWorkspace
import FoundationEssentials

/// `capsule audit`.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Read, check and prove what was done with a workspace.",
        discussion: "See capsule-audit(1).",
        subcommands: [
            AuditListCommand.self, AuditShowCommand.self, AuditVerifyCommand.self,
            AuditCheckpointCommand.self, AuditProveCommand.self, AuditKeyCommand.self,
        ])
}

/// An event as far as lists show it.
private struct EventSummary: Decodable {
    let id: String
    let time: String
    let type: String
    let data: [String: Field]

    /// A text, a number, a flag, or more.
    enum Field: Decodable {
        case plain(String)
        case nested

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .plain(Text.tame(text))
            } else if let number = try? container.decode(Int64.self) {
                self = .plain("\(number)")
            } else if let flag = try? container.decode(Bool.self) {
                self = .plain(flag ? "yes" : "no")
            } else {
                self = .nested
            }
        }
    }

    init?(_ line: [UInt8]) {
        guard let made = try? JSONDecoder().decode(Self.self, from: Data(line)) else { return nil }
        self = made
    }

    var particulars: String {
        data.sorted { $0.key < $1.key }.compactMap { key, field in
            guard case .plain(let text) = field, !text.isEmpty else { return nil }
            return "\(key)=\(text)"
        }.joined(separator: " ")
    }
}

struct AuditListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the events, oldest first.")

    @Option(name: .long, help: "Begin with event N.") var from: UInt64 = 0
    @Option(name: .long, help: "Only events whose type contains TEXT.") var type: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @Flag(name: .long, help: "Print each event as it is in the log, one line each.") var json =
        false

    func run() throws {
        var lines: [[UInt8]] = []
        try place.withService(opening, isReadOnly: true) { service in
            var next = from
            while true {
                let more = try service.auditLines(from: next, count: 1024)
                if more.isEmpty { return }
                lines += more
                next += UInt64(more.count)
            }
        }
        var table = Table(rightAligned: [0])
        for line in lines {
            guard let event = EventSummary(line) else {
                throw AccessError(
                    .system, code: "damaged", "an event of the audit log cannot be read")
            }
            if let type, !event.type.contains(type) { continue }
            if json {
                Output.bytes(line + [10])
            } else {
                table.add(event.id, event.time, event.type, event.particulars)
            }
        }
        table.print()
    }
}

struct AuditShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print one event, and the path that it stands for.")

    @Argument(help: "The number of the event.") var number: UInt64
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let event: String
        let salt: String?
        let path: [UInt8]?

        private enum CodingKeys: String, CodingKey {
            case event
            case salt = "path_salt"
        }

        func encode(to encoder: any Encoder) throws {
            if let path { try NameJSON("path", path).encode(to: encoder) }
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(event, forKey: .event)
            try container.encodeIfPresent(salt, forKey: .salt)
        }
    }

    func run() throws {
        let (line, name) = try place.withService(opening, isReadOnly: true) { service in
            guard let line = try service.auditLines(from: number, count: 1).first else {
                throw AccessError(
                    .usage, code: "not_found",
                    "there is no event \(number): 'capsule audit list' shows those that there are")
            }
            var name: (salt: [UInt8], path: [UInt8])?
            if case .plain(let hex) = EventSummary(line)?.data["path_sha256"],
                let digest = Text.unhex(hex)
            {
                name = try service.disclosed(digest)
            }
            return (line, name)
        }
        let event = String(decoding: line, as: UTF8.self)
        if outputOptions.json {
            return Output.json(
                Result(event: event, salt: name.map { Text.hex($0.salt) }, path: name?.path))
        }
        Output.bytes(line + [10])
        if let name { Output.line("path \(Text.escaped(name.path))") }
    }
}

struct AuditVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every event, and that the log continues a checkpoint.")

    @Option(name: .long, help: "A checkpoint of this log that was kept elsewhere.")
    var against: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let events: UInt64
        let faults: [String]
    }

    func run() throws {
        let checkpoint = try against.map { String(decoding: try SmallFile.read($0), as: UTF8.self) }
        let (count, faults) = try place.withService(opening, isReadOnly: true) {
            (try $0.auditEnd().count, try $0.auditFaults(against: checkpoint))
        }
        if outputOptions.json { Output.json(Result(events: count, faults: faults)) }
        if !faults.isEmpty {
            if !outputOptions.json { for fault in faults { Output.note(fault) } }
            throw ExitCode(3)
        }
        if !outputOptions.json {
            let continues = against.map { "; it continues \($0)" } ?? ""
            Output.line("\(count) events, each as it was recorded\(continues)")
        }
    }
}

struct AuditCheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Print the signed size and root of the log, to be kept elsewhere.")

    @Option(name: .long, help: "Print the one that CAPSULE carries; the secrets open it.")
    var of: String?
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions

    /// The checkpoint in a capsule that was sealed from a workspace.
    private func carried(by path: String) throws -> String {
        let session = try CapsuleSession.open(path: path, secrets: opening.secrets)
        let manifest: Manifest
        do throws(FormatError) {
            manifest = try session.capsule.manifest()
        } catch {
            throw AccessError(error, path: path)
        }
        guard let text = manifest.auditCheckpoint else {
            throw AccessError(
                .usage, code: "not_found", "\(path): it was not sealed from a workspace")
        }
        return text
    }

    func run() throws {
        if let of { return Output.text(try carried(by: of)) }
        Output.text(try place.withService(opening, isReadOnly: true) { try $0.checkpointText() })
    }
}

struct AuditProveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Print a proof that an event is in the log, for whoever has the public key.")

    @Argument(help: "The number of the event.") var number: UInt64
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions

    func run() throws {
        Output.text(
            try place.withService(opening, isReadOnly: true) { try $0.auditProof(of: number) })
    }
}

struct AuditKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Print the public key of checkpoints and proofs.")

    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions

    func run() throws {
        Output.line(try place.withService(opening, isReadOnly: true) { try $0.auditKey() })
    }
}
