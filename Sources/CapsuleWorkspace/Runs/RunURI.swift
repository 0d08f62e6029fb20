import CapsuleBytes

/// The name of something in a run, wherever that is: `mv2://WORKSPACE/SPEC/RUN/TYPE/PATH`, or
/// `mv2://WORKSPACE/policy/ID`.
///
/// The path is percent-encoded (RFC 3986): what is unreserved stands for itself.
public struct RunURI: Equatable, Sendable {
    /// What it names.
    public enum Kind: String, Sendable {
        case artifact, evidence, event, checkpoint, policy
    }

    /// The workspace's id.
    public let workspace: String
    /// The run; nil for a policy, which runs share.
    public let name: RunName?
    /// What it names.
    public let kind: Kind
    /// The names below the kind.
    public let path: [[UInt8]]

    private static let scheme = "mv2://"

    /// The text of it.
    public var text: String {
        let run = name.map { "\($0.spec)/\($0.run)/" } ?? ""
        let path = path.map(Self.encoded).joined(separator: "/")
        return "\(Self.scheme)\(workspace)/\(run)\(kind.rawValue)/\(path)"
    }

    /// The URI of a file, whose path begins with the directory of its track.
    public static func file(_ path: [[UInt8]], of name: RunName, in workspace: String) -> RunURI? {
        let kinds = ["artifacts": Kind.artifact, "evidence": Kind.evidence]
        guard let first = path.first, let kind = kinds[String(decoding: first, as: UTF8.self)]
        else { return nil }
        return RunURI(
            workspace: workspace, name: name, kind: kind, path: Array(path.dropFirst()))
    }

    /// The URI of an event.
    public static func event(_ sequence: Int64, of name: RunName, in workspace: String) -> RunURI {
        RunURI(workspace: workspace, name: name, kind: .event, path: [Array("\(sequence)".utf8)])
    }

    private init(workspace: String, name: RunName?, kind: Kind, path: [[UInt8]]) {
        self.workspace = workspace
        self.name = name
        self.kind = kind
        self.path = path
    }

    /// The URI that a text spells, or nil.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.scheme) else { return nil }
        let parts = text.dropFirst(Self.scheme.count).split(
            separator: "/", omittingEmptySubsequences: false
        ).map(String.init)
        let isShared = parts.count == 3 && parts[1] == Kind.policy.rawValue
        let first = isShared ? 2 : 4
        guard parts.count > first, RunName.isValid(parts[0]),
            let kind = Kind(rawValue: parts[first - 1])
        else { return nil }
        let name = isShared ? nil : try? RunName(spec: parts[1], run: parts[2])
        guard isShared || name != nil else { return nil }
        var path: [[UInt8]] = []
        for part in parts[first...] {
            guard let plain = Self.decoded(part), !plain.isEmpty, plain != [0x2e],
                plain != [0x2e, 0x2e], !plain.contains(0x2f), !plain.contains(0)
            else { return nil }
            path.append(plain)
        }
        self.init(workspace: parts[0], name: name, kind: kind, path: path)
    }

    /// Where it is in the folder of its run, at a checkpoint or at the end; nil for an event, which
    /// is a line of a file.
    public func place(asOf checkpoint: String?) -> [[UInt8]]? {
        let top = checkpoint.map { [Array("as-of".utf8), Array($0.utf8)] } ?? []
        switch kind {
        case .artifact: return top + [Array("artifacts".utf8)] + path
        case .evidence: return top + [Array("evidence".utf8)] + path
        case .event: return nil
        case .checkpoint: return [Array("checkpoints".utf8)] + path.map { $0 + Array(".json".utf8) }
        case .policy: return [Array("policy".utf8)] + path
        }
    }

    private static func encoded(_ name: [UInt8]) -> String {
        var text = ""
        for byte in name {
            let isUnreserved =
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                || (0x61...0x7a).contains(byte) || Array("-._~".utf8).contains(byte)
            text += isUnreserved ? String(UnicodeScalar(byte)) : "%" + Text.hex([byte]).uppercased()
        }
        return text
    }

    private static func decoded(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let plain = Text.unhex(digits.lowercased()) else {
                return nil
            }
            bytes += plain
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
