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
        /// event, artifact, evidence or file.
        public let kind: String
        /// Its text.
        public let text: [UInt8]
    }

    /// The documents.
    public let documents: [Document]

    /// The longest text that is searched, in bytes.
    private static let textLengthMax: UInt64 = 8 << 20

    /// The documents of a folder at a checkpoint, or at its end. What is no run has files only,
    /// named after `name`.
    public init(
        _ tree: any ReadableTree, asOf checkpoint: String? = nil, name: String = ""
    ) throws {
        guard let found = try tree.resolve([Array("manifest.json".utf8)]), found.entry.isRegular,
            let manifest = try? JSONValue(
                parsing: URIResolver.read(found.entry, in: tree), "manifest.json"),
            let workspace = manifest["workspace_id"]?.text,
            let spec = manifest["spec_id"]?.text, let run = manifest["run_id"]?.text
        else {
            documents = try Self.files(below: [], in: tree).map { path, text in
                let path = Text.escaped(Array(path.joined(separator: [0x2f])))
                return Document(uri: "capsule://\(name)/\(path)", kind: "file", text: text)
            }
            return
        }
        let runName = try RunName(spec: spec, run: run)
        let top = checkpoint.map { [Array("as-of".utf8), Array($0.utf8)] } ?? []
        if let checkpoint, try tree.resolve(top) == nil {
            throw RunError(
                .usage, "unknown_checkpoint", "the run '\(run)' has no checkpoint '\(checkpoint)'")
        }
        var documents = try Self.events(top, in: tree)
        for track in RunTrack.allCases {
            let folder = top + [Array(track.rawValue.utf8)]
            for (path, text) in try Self.files(below: folder, in: tree) {
                let inside = Array(path.dropFirst(top.count))
                guard let uri = RunURI.file(inside, of: runName, in: workspace) else { continue }
                documents.append(
                    Document(uri: uri.text, kind: uri.kind.rawValue, text: text))
            }
        }
        self.documents = documents
    }

    private static func events(
        _ top: [[UInt8]], in tree: any ReadableTree
    ) throws -> [Document] {
        guard let found = try tree.resolve(top + [Array("events.jsonl".utf8)]) else { return [] }
        let entry = try tree.inode(of: found.entry, found.ordinal).entry
        return try URIResolver.read(entry, in: tree).split(separator: 10).compactMap { line in
            let event = try JSONValue(parsing: Array(line), "event")
            guard let uri = event["uri"]?.text, let payload = event["payload"] else { return nil }
            let type = event["event_type"]?.text ?? ""
            return Document(uri: uri, kind: "event", text: Array("\(type) ".utf8) + payload.line)
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

    /// The index of several corpora.
    public static func index(_ corpora: [RunCorpus], kind: String? = nil) throws -> TextIndex {
        let index = try TextIndex()
        for document in corpora.flatMap(\.documents) where kind == nil || document.kind == kind {
            try index.add(
                document.uri, kind: document.kind, text: Self.withoutOrdinals(document.text))
        }
        return index
    }

    /// A placeholder counts as one word, whatever its number: which value it stands for is nobody's
    /// business, and the number depends on what else was masked.
    static func withoutOrdinals(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(0x5b) else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var rest = text[...]
        while let start = rest.firstIndex(of: 0x5b) {
            result += rest[..<start]
            rest = rest[start...]
            let kind = rest.dropFirst().prefix {
                (0x41...0x5a).contains($0) || $0 == 0x5f || (0x30...0x39).contains($0)
            }
            let colon = kind.endIndex
            let digits = rest[min(colon + 1, rest.endIndex)...].prefix {
                (0x30...0x39).contains($0)
            }
            let isPlaceholder =
                !kind.isEmpty && colon < rest.endIndex && rest[colon] == 0x3a && !digits.isEmpty
                && digits.endIndex < rest.endIndex && rest[digits.endIndex] == 0x5d
            if isPlaceholder {
                result += Array("masked".utf8) + kind.filter { $0 != 0x5f }
                rest = rest[(digits.endIndex + 1)...]
            } else {
                result.append(0x5b)
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    /// A part of an indexed text as it is shown: with placeholders, which have lost their numbers.
    public static func withPlaceholders(_ snippet: String) -> [UInt8] {
        var words: [String] = []
        for part in snippet.split(separator: " ", omittingEmptySubsequences: false) {
            let word = String(part)
            let rest = word.firstRange(of: "masked").map { word[$0.upperBound...] } ?? ""
            let kind = rest.prefix { $0.isUppercase || $0.isNumber }
            words.append(
                kind.isEmpty ? word : word.replacing("masked\(kind)", with: "[\(kind)]"))
        }
        return Array(words.joined(separator: " ").utf8)
    }

    /// The words of a query.
    public static func words(_ query: String) -> [String] {
        String(decoding: withoutOrdinals(Array(query.utf8)), as: UTF8.self)
            .split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
