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

    @Argument(help: "A capsule, a state or a directory.") var first: String
    @Argument(help: "A capsule, a state or a directory.") var second: String
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

    func run() throws {
        var differences: [TreeDiff.Difference] = []
        let secrets = try session.opening.secrets.withPassphrasesRead()
        let sides = (try side(first, secrets), try side(second, secrets))
        do {
            try TreeDiff.compare(sides.0, sides.1) { differences.append($0) }
        } catch let error as FormatError {
            throw AccessError(error, path: "\(first), \(second)")
        }
        if outputOptions.json {
            Output.json(Result(differences: differences.map { Item(difference: $0) }))
        } else {
            for item in differences {
                let path = item.path.isEmpty ? "." : Text.escaped(item.path)
                let aspects =
                    item.aspects.isEmpty ? "" : " (\(item.aspects.joined(separator: ", ")))"
                Output.line("\(item.kind.rawValue)  \(path)\(aspects)")
            }
        }
        if exitCode, !differences.isEmpty { throw ExitCode(1) }
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
