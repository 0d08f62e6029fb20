import ArgumentParser
import CapsuleAccess
import CapsuleRuns
import CapsuleWorkspace
import Glibc

/// `capsule event`.
struct EventCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event", abstract: "Record and list the events of a run.",
        discussion: "See capsule-event(1).",
        subcommands: [EventAddCommand.self, EventListCommand.self, EventSchemaCommand.self])
}

struct EventAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Record what standard input says.",
        discussion: """
            Standard input is the payload, one JSON object. With --lines each line is an event of \
            its own: a payload, or without --type an object with event_type, payload and perhaps \
            stage. They are recorded in batches; a line that does not fit ends it, and what came \
            before stays.
            """)

    @OptionGroup var which: RunOptions
    @Option(name: [.customShort("t"), .long], help: "The type: see 'capsule event schema'.")
    var type: String?
    @Option(name: .long, help: "The stage of the work.") var stage = ""
    @Flag(name: .long, help: "One event a line.") var lines = false
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private static let batchCount = 1000
    private static let batchLength = 4 << 20

    private struct Result: Encodable {
        let recorded: Int
        let notCaptured: Int
        let first: Int64?

        private enum CodingKeys: String, CodingKey {
            case recorded, first
            case notCaptured = "not_captured"
        }
    }

    mutating func validate() throws {
        guard lines || type != nil else {
            throw ValidationError("one event needs --type; --lines takes events that name theirs")
        }
    }

    func run() throws {
        // Whoever writes to us may use the workspace, too.
        try StandardInput.waitForData()
        let result = try place.withRuns(opening) { service in
            let run = try which.find(in: service)
            let masker =
                run.isSanitized
                ? TextMasker.forRecording(try SettingsFile.find().rules()) : nil
            let reader = EventReader(run, type: type, stage: stage, masker: masker)
            return try lines
                ? addLines(reader, to: run.name, service) : addOne(reader, to: run.name, service)
        }
        if outputOptions.json { return Output.json(result) }
        let left = result.notCaptured > 0 ? ", \(result.notCaptured) not captured" : ""
        Output.line("recorded \(result.recorded)\(left)")
    }

    private func addOne(
        _ reader: EventReader, to name: RunName, _ service: any RunRecorder
    ) throws -> Result {
        let bytes = try StandardInput.all()
        guard let event = try reader.event(bytes, "standard input") else {
            return Result(recorded: 0, notCaptured: 1, first: nil)
        }
        return Result(
            recorded: 1, notCaptured: 0, first: try service.addEvents([event], to: name))
    }

    private func addLines(
        _ reader: EventReader, to name: RunName, _ service: any RunRecorder
    ) throws -> Result {
        var batch: [RunEvent] = []
        var length = 0
        var (recorded, notCaptured, number) = (0, 0, 0)
        var first: Int64?
        func store() throws {
            guard !batch.isEmpty else { return }
            // Gone first: what failed half way is not tried again.
            let taken = batch
            batch = []
            length = 0
            let sequence = try service.addEvents(taken, to: name)
            first = first ?? sequence
            recorded += taken.count
        }
        do {
            try StandardInput.forEachLine { line in
                number += 1
                guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x0d }) else { return }
                guard let event = try reader.event(line, "line \(number)") else {
                    notCaptured += 1
                    return
                }
                batch.append(event)
                length += event.payload.count
                if batch.count >= Self.batchCount || length >= Self.batchLength { try store() }
            }
        } catch {
            // What came before the fault is in order, and the error says where to go on.
            try store()
            throw error
        }
        try store()
        return Result(recorded: recorded, notCaptured: notCaptured, first: first)
    }
}

struct EventListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the events of a run, masked, one a line.")

    @OptionGroup var which: RunOptions
    @Option(name: [.customShort("t"), .long], help: "Only those of this type.") var type: String?
    @Option(name: [.customShort("n"), .long], help: "Only the last N.") var last: Int?
    @Flag(name: .long, help: "Show what is stored, which is recorded.") var raw = false
    @Flag(name: .long, help: "Lines of JSON, as without it.") var json = false
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions

    private static let batchCount = 1000

    mutating func validate() throws {
        guard (last ?? 0) >= 0 else { throw ValidationError("--last takes a number of events") }
    }

    func run() throws {
        let masker = raw ? nil : TextMasker(rules: try SettingsFile.find().rules())
        func show(_ line: [UInt8]) throws {
            Output.bytes(try (masker?.maskJSON(line) ?? line) + [10])
        }
        var kept: [[UInt8]] = []
        try place.withRuns(opening, isReadOnly: !raw) { service in
            let run = try which.find(in: service)
            if raw { try RawView.note(run, "events", service) }
            var next: Int64 = 1
            while true {
                let lines = try service.eventLines(
                    of: run.name, from: next, count: Self.batchCount)
                if lines.isEmpty { break }
                next += Int64(lines.count)
                for line in lines {
                    if let type {
                        let head = Array("{\"event_type\":\"\(type)\",".utf8)
                        guard line.starts(with: head) else { continue }
                    }
                    guard let last else {
                        try show(line)
                        continue
                    }
                    kept.append(line)
                    // Rarely, as what is in front moves all that is behind it.
                    if kept.count > 2 * last { kept.removeFirst(kept.count - last) }
                }
            }
        }
        for line in kept.suffix(last ?? 0) { try show(line) }
    }
}

struct EventSchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Name the event types, or print the schema of one.")

    @Argument(help: "The type.") var type: String?

    func run() throws {
        guard let type else {
            for schema in EventSchema.all { Output.line(schema.type) }
            return
        }
        Output.bytes(try EventSchema.named(type).schema.line + [10])
    }
}
