import CapsuleBytes
import CapsuleFormat
import CapsuleWorkspace

/// Finds what a URI stands for in the folder of a run, wherever that is: in a workspace, or in a
/// capsule that was made of it.
public struct URIResolver {
    /// What a URI stands for.
    public enum Answer: Sendable {
        /// These bytes; whether an export has masked them.
        case bytes([UInt8], isMasked: Bool)
        /// A file, however long; whether an export has masked it.
        case file(any ReadableTree, Entry, isMasked: Bool)
        /// Something that was left out of an export, by a rule.
        case withheld(rule: String)
    }

    private let tree: any ReadableTree

    /// The folder of a run.
    public init(_ tree: any ReadableTree) { self.tree = tree }

    /// Resolves. Throws `RunError` for what is not there.
    public func resolve(_ uri: RunURI, asOf checkpoint: String?) throws -> Answer {
        let manifest = try JSONValue(parsing: bytes(["manifest.json"]) ?? [], "manifest.json")
        guard manifest["workspace_id"]?.text == uri.workspace,
            uri.name == nil || manifest["run_id"]?.text == uri.name?.run,
            uri.name == nil || manifest["spec_id"]?.text == uri.name?.spec
        else { throw missing(uri, "it is of another run") }
        if let checkpoint {
            let labels = manifest["checkpoints"]?.items?.compactMap(\.text) ?? []
            guard labels.contains(checkpoint) else {
                throw RunError(
                    .usage, "unknown_checkpoint",
                    "the run has no checkpoint '\(checkpoint)', only \(labels)")
            }
        }
        if uri.kind == .event { return try event(uri, checkpoint, manifest) }
        guard let place = uri.place(asOf: checkpoint) else { throw missing(uri, "no place") }
        let text = Text.escaped(Array(place.joined(separator: [0x2f])))
        func isListed(_ list: String) -> Bool {
            (manifest["export"]?[list]?.items ?? []).contains { $0.text == text }
        }
        if let found = try tree.resolve(place) {
            let entry = try tree.inode(of: found.entry, found.ordinal).entry
            if entry.isRegular {
                return .file(tree, entry, isMasked: isListed("masked_files"))
            }
        }
        if isListed("withheld_files") {
            return .withheld(rule: ExportScope.Rule.unscannable.rawValue)
        }
        throw missing(uri, checkpoint.map { "as of '\($0)'" } ?? "in the run")
    }

    private func missing(_ uri: RunURI, _ reason: String) -> RunError {
        RunError(.usage, "unknown_uri", "\(uri.text): there is no such thing \(reason)")
    }

    private func event(
        _ uri: RunURI, _ checkpoint: String?, _ manifest: JSONValue
    ) throws -> Answer {
        guard uri.path.count == 1,
            let sequence = Int64(String(decoding: uri.path[0], as: UTF8.self))
        else { throw missing(uri, "among the events") }
        let place = (checkpoint.map { ["as-of", $0] } ?? []) + ["events.jsonl"]
        func listed(_ list: String) -> JSONValue? {
            (manifest["export"]?[list]?.items ?? []).first {
                $0.items?.first?.integer == sequence
            }
        }
        for line in (try bytes(place) ?? []).split(separator: 10) {
            let event = try JSONValue(parsing: Array(line), "event")
            if event["seq"]?.integer == sequence {
                return .bytes(Array(line), isMasked: listed("masked_events") != nil)
            }
        }
        if let entry = listed("withheld_events") {
            return .withheld(rule: entry.items?.last?.text ?? "")
        }
        throw missing(uri, "among the events")
    }

    private func bytes(_ path: [String]) throws -> [UInt8]? {
        guard let found = try tree.resolve(path.map { Array($0.utf8) }) else { return nil }
        return try Self.read(try tree.inode(of: found.entry, found.ordinal).entry, in: tree)
    }

    /// The longest record of a run that is read at once, in bytes.
    public static let lengthMax: UInt64 = 1 << 30

    /// All bytes of a file. Throws `RunError` for one that is longer than `limit`.
    public static func read(
        _ entry: Entry, in tree: any ReadableTree, limit: UInt64 = URIResolver.lengthMax
    ) throws -> [UInt8] {
        guard entry.isRegular, entry.size <= limit else {
            throw RunError(
                .system, "limit_exceeded",
                "a record of the run has \(entry.size) bytes, more than \(limit)")
        }
        return try [UInt8](unsafeUninitializedCapacity: Int(entry.size)) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            while count < raw.count {
                let part = UnsafeMutableRawBufferPointer(rebasing: raw[count...])
                let got = try tree.read(entry, at: UInt64(count), into: part)
                if got == 0 { break }
                count += got
            }
        }
    }
}
