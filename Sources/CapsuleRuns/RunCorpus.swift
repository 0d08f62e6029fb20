import CapsuleBytes
import CapsuleFormat
import CapsulePolicy
import CapsuleStore
import CapsuleWorkspace

/// The documents of a run, or of any folder, in which is searched: its events and its texts.
public struct RunCorpus {
    /// A document.
    public struct Document: Equatable, Sendable {
        /// Its URI.
        public let uri: String
        /// The import, or the capsule's file, that it is of; nil: the workspace's own.
        public let origin: String?
        /// event, artifact, evidence or file.
        public let kind: String
        /// Its text.
        public let text: [UInt8]
    }

    /// The documents.
    public let documents: [Document]
    /// The run, if it is one.
    public let run: RunName?

    /// The longest text that is searched, in bytes.
    private static let textLengthMax: UInt64 = 8 << 20

    /// The documents of a folder at a checkpoint, or at its end. The folder is that of `origin`, an
    /// import or a capsule, or the workspace's own. What is no run has files only, named after it.
    public init(
        _ tree: any ReadableTree, asOf checkpoint: String? = nil, origin: String? = nil
    ) throws {
        guard let found = try tree.resolve([Array("manifest.json".utf8)]), found.entry.isRegular,
            let manifest = try? JSONValue(
                parsing: URIResolver.read(found.entry, in: tree), "manifest.json"),
            let workspace = manifest["workspace_id"]?.text,
            let spec = manifest["spec_id"]?.text, let run = manifest["run_id"]?.text
        else {
            documents = try Self.files(below: [], in: tree).map { path, text in
                let path = Text.escaped(Array(path.joined(separator: [0x2f])))
                return Document(
                    uri: "capsule://\(origin ?? "")/\(path)", origin: origin, kind: "file",
                    text: text)
            }
            self.run = nil
            return
        }
        let runName = try RunName(spec: spec, run: run)
        let top = checkpoint.map { [Array("as-of".utf8), Array($0.utf8)] } ?? []
        if let checkpoint, try tree.resolve(top) == nil {
            throw RunError(
                .usage, "unknown_checkpoint", "the run '\(run)' has no checkpoint '\(checkpoint)'")
        }
        var documents = try Self.events(top, in: tree, origin)
        for track in RunTrack.allCases {
            let folder = top + [Array(track.rawValue.utf8)]
            for (path, text) in try Self.files(below: folder, in: tree) {
                let inside = Array(path.dropFirst(top.count))
                guard let uri = RunURI.file(inside, of: runName, in: workspace) else { continue }
                documents.append(
                    Document(
                        uri: uri.text, origin: origin, kind: uri.kind.rawValue, text: text))
            }
        }
        self.documents = documents
        self.run = runName
    }

    private static func events(
        _ top: [[UInt8]], in tree: any ReadableTree, _ origin: String?
    ) throws -> [Document] {
        guard let found = try tree.resolve(top + [Array("events.jsonl".utf8)]) else { return [] }
        let entry = try tree.inode(of: found.entry, found.ordinal).entry
        return try URIResolver.read(entry, in: tree).split(separator: 10).compactMap { line in
            let event = try JSONValue(parsing: Array(line), "event")
            guard let uri = event["uri"]?.text, let payload = event["payload"] else { return nil }
            let type = event["event_type"]?.text ?? ""
            return Document(
                uri: uri, origin: origin, kind: "event",
                text: Array("\(type) ".utf8) + payload.line)
        }
    }

    private static func files(
        below top: [[UInt8]], in tree: any ReadableTree
    ) throws -> [(path: [[UInt8]], text: [UInt8])] {
        guard let found = try tree.resolve(top), found.entry.isDirectory else { return [] }
        var files: [(path: [[UInt8]], text: [UInt8])] = []
        var stack = [(path: top, ordinal: found.ordinal, entry: found.entry)]
        while let next = stack.popLast() {
            let (entry, ordinal) = try tree.inode(of: next.entry, next.ordinal)
            if entry.isDirectory {
                try tree.forEach(in: ordinal, entry, from: 0) { child, below, name in
                    stack.append((next.path + [Array(name)], child, below))
                    return true
                }
            } else if entry.isRegular, entry.size <= textLengthMax {
                let bytes = try URIResolver.read(entry, in: tree)
                switch ContentKind.classify(bytes.prefix(ContentKind.prefixSize)) {
                case .utf8, .otherText: files.append((next.path, bytes))
                case .empty, .archive, .binary, .utf16LittleEndian, .utf16BigEndian: break
                }
            }
        }
        return files
    }
}
