import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleFormat
import CapsuleTree
import CapsuleWorkspace
import Glibc

/// `capsule diff`.
struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Compare capsules, states of a workspace and directories.",
        discussion: "The secrets are tried on both. See capsule-diff(1).")

    @Argument(
        help: "Two of: a capsule, @STATE, a directory. One: a state, against the present one.")
    var operands: [String] = []
    @Argument(parsing: .postTerminator, help: "Only what is at or below these paths.")
    var paths: [String] = []
    @Flag(name: .long, help: "Show how texts differ, in the unified format.") var patch = false
    @Flag(name: .long, help: "Exit with 1 when there is a difference.") var exitCode = false
    @OptionGroup var session: SessionOptions
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Item: Encodable {
        let difference: TreeDiff.Difference

        private enum CodingKeys: String, CodingKey { case change, aspects }

        func encode(to encoder: any Encoder) throws {
            try NameJSON("name", difference.path).encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(difference.kind.rawValue, forKey: .change)
            try container.encode(difference.aspects, forKey: .aspects)
        }
    }

    private struct Result: Encodable {
        let differences: [Item]
    }

    func validate() throws {
        guard operands.count <= 2 else { throw ValidationError("give at most two operands") }
        guard !patch || !outputOptions.json else {
            throw ValidationError("--patch is for people, and --json for programs")
        }
    }

    /// Both operands: without the second, the present state; without the first, the newest one.
    private func both(_ secrets: OpeningSecrets) throws -> (String, String) {
        if operands.count == 2 { return (operands[0], operands[1]) }
        let path = try place.path()
        if let first = operands.first { return (first, path) }
        let states = try WorkspaceOpener.withService(
            path: path, secrets: secrets, isReadOnly: true, patience: place.lockTimeout
        ) { try $0.states() }
        guard let newest = states.last else {
            throw AccessError(
                .usage, code: "not_found", "\(path): it has no state to compare with")
        }
        return ("@\(newest.name)", path)
    }

    func run() throws {
        var differences: [TreeDiff.Difference] = []
        let secrets = try session.opening.secrets.withPassphrasesRead()
        let (first, second) = try both(secrets)
        let sides = (try side(first, secrets), try side(second, secrets))
        let wanted = try paths.map { Array(try CapsulePath.components($0).joined(separator: [47])) }
            .filter { !$0.isEmpty }
        do {
            try TreeDiff.compare(sides.0, sides.1, paths: wanted) { differences.append($0) }
            if patch { try show(differences, sides, (first, second)) }
        } catch let error as FormatError {
            throw AccessError(error, path: "\(first), \(second)")
        }
        if patch {
            if exitCode, !differences.isEmpty { throw ExitCode(1) }
            return
        }
        if outputOptions.json {
            Output.json(Result(differences: differences.map { Item(difference: $0) }))
        } else {
            for item in differences { Output.line(Self.line(item)) }
        }
        if exitCode, !differences.isEmpty { throw ExitCode(1) }
    }

    private static func line(_ item: TreeDiff.Difference) -> String {
        let path = item.path.isEmpty ? "." : Text.escaped(item.path)
        let aspects = item.aspects.isEmpty ? "" : " (\(item.aspects.joined(separator: ", ")))"
        return "\(item.kind.rawValue)  \(path)\(aspects)"
    }

    /// Bytes of a text of which differences are shown.
    private static let textLengthMax = 16 << 20

    /// A line for each difference, and below it how the text differs if it is one.
    private func show(
        _ differences: [TreeDiff.Difference], _ sides: (TreeDiff.Side, TreeDiff.Side),
        _ names: (String, String)
    ) throws {
        for item in differences {
            Output.line(Self.line(item))
            if item.kind == .changed, !item.aspects.contains("content") { continue }
            let path = item.path.split(separator: 47).map { Array($0) }
            let limit = Self.textLengthMax
            let old = item.kind == .added ? [] : try sides.0.content(of: path, limit: limit)
            let new = item.kind == .removed ? [] : try sides.1.content(of: path, limit: limit)
            guard let old, let new, LineDiff.isText(old), LineDiff.isText(new) else { continue }
            let text = LineDiff(old, new).unified(
                from: Array("\(names.0)/".utf8) + item.path,
                to: Array("\(names.1)/".utf8) + item.path)
            Output.bytes(text)
        }
    }

    private func side(_ path: String, _ secrets: OpeningSecrets) throws -> TreeDiff.Side {
        var status = stat()
        let isState = path.hasPrefix("@") || Workspace.isWorkspace(path)
        if !isState, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            return .directory(path)
        }
        return .sealed(try session.openTree(path, secrets: secrets, of: place).tree)
    }
}
