import ArgumentParser
import CapsuleBytes
import CapsuleRuns
import CapsuleWorkspace

struct RunPutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Put a file, or a folder, among the files of a run.")

    @OptionGroup var which: RunOptions
    @Argument(help: "The file or folder; '-' is standard input and needs --as.") var path: String
    @Option(name: .customLong("as"), help: "Its name in the run, which may have folders.")
    var name: String?
    @Option(name: .long, help: "artifacts or evidence.") var track = RunTrack.artifacts.rawValue
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable { let uris: [String] }

    mutating func validate() throws {
        guard RunTrack(rawValue: track) != nil else {
            throw ValidationError("--track takes artifacts or evidence")
        }
        guard path != "-" || name != nil else {
            throw ValidationError("standard input needs a name: --as NAME")
        }
    }

    func run() throws {
        let track = RunTrack(rawValue: track) ?? .artifacts
        let plain = path.split(separator: "/").last.map(String.init) ?? path
        let top = RawArgument.bytes(of: name ?? plain)
        let parts = top.split(separator: 0x2f).map(Array.init)
        let isStandardInput = path == "-"
        let sources =
            try isStandardInput
            ? [RunSource(standardInputAs: parts)]
            : RunSource.all(at: RawArgument.bytes(of: path), as: parts)
        if isStandardInput { try StandardInput.waitForData() }
        let uris = try place.withRuns(opening) { service in
            let (run, workspace) = (try which.find(in: service), try service.workspaceID())
            let masker =
                run.isSanitized
                ? TextMasker.forRecording(try SettingsFile.find().rules()) : nil
            for source in sources { try source.put(into: track, of: run.name, service, masker) }
            return sources.compactMap {
                let path = [Array(track.rawValue.utf8)] + $0.name
                return RunURI.file(path, of: run.name, in: workspace)?.text
            }
        }
        if outputOptions.json { return Output.json(Result(uris: uris)) }
        let count = sources.count == 1 ? "" : "\(sources.count) files below "
        Output.line("put \(count)\(track.rawValue)/\(Text.escaped(top))")
    }
}
