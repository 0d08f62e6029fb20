import CapsuleFormat
import MemvidFormat

/// One object of the folder as which a Memvid file is shown.
struct FolderNode {
    enum Kind {
        case directory
        case document(UInt64)
        /// A symbolic link to another node.
        case link(Ordinal)
        case info
        case timeline
        /// The directory of all frames, whose entries have no nodes.
        case frames
    }

    var name: [UInt8]
    var parent: Ordinal
    var kind: Kind
    /// Of a directory: its children, by name once the folder is finished.
    var children: [Ordinal] = []
    var isDirectory: Bool {
        switch kind {
        case .directory, .frames: true
        case .document, .link, .info, .timeline: false
        }
    }
}

/// Lays out the folder: documents where their URIs say, the rest below `.memvid`.
struct FolderBuilder {
    private(set) var nodes = [FolderNode(name: [], parent: 0, kind: .directory)]
    private var taken: [Key: Ordinal] = [:]

    private struct Key: Hashable {
        let parent: Ordinal
        let name: [UInt8]
    }

    /// The folder of a file's documents.
    init(_ file: MemvidFile) {
        addDocuments(file, .active, under: 0)
        let base = add(MemvidNames.reserved, to: 0, .directory)
        _ = add(Array("frames".utf8), to: base, .frames)
        _ = add(Array("info.json".utf8), to: base, .info)
        _ = add(Array("timeline.jsonl".utf8), to: base, .timeline)
        let deleted = add(Array("deleted".utf8), to: base, .directory)
        addDocuments(file, .deleted, under: deleted)
        let superseded = add(Array("superseded".utf8), to: base, .directory)
        addDocuments(file, .superseded, under: superseded)
        addTags(file, under: add(Array("tags".utf8), to: base, .directory))
        for index in nodes.indices {
            let sorted = nodes[index].children.sorted {
                nodes[Int($0)].name.lexicographicallyPrecedes(nodes[Int($1)].name)
            }
            nodes[index].children = sorted
        }
        taken = [:]
    }

    private mutating func add(
        _ name: [UInt8], to parent: Ordinal, _ kind: FolderNode.Kind
    ) -> Ordinal {
        let ordinal = Ordinal(nodes.count)
        nodes.append(FolderNode(name: name, parent: parent, kind: kind))
        nodes[Int(parent)].children.append(ordinal)
        taken[Key(parent: parent, name: name)] = ordinal
        return ordinal
    }

    private mutating func directory(_ path: ArraySlice<[UInt8]>, under root: Ordinal) -> Ordinal {
        var current = root
        for name in path {
            current =
                taken[Key(parent: current, name: name)] ?? add(name, to: current, .directory)
        }
        return current
    }

    /// Directories come first, so that a document gives way to a directory of its name; then the
    /// newest document of a URI gets the plain name, as it is what Memvid's lookup finds.
    private mutating func addDocuments(
        _ file: MemvidFile, _ status: MemvidFrame.Status, under root: Ordinal
    ) {
        let documents = file.frames.filter { $0.role == .document && $0.status == status }
        let paths = documents.map { MemvidNames.path(of: $0) }
        let parents = paths.map { directory($0.dropLast(), under: root) }
        for index in documents.indices.reversed() {
            guard let last = paths[index].last else { continue }
            var name = last
            var round = 0
            while taken[Key(parent: parents[index], name: name)] != nil {
                name = MemvidNames.distinguished(last, id: documents[index].id, round: round)
                round += 1
            }
            let ordinal = add(name, to: parents[index], .document(documents[index].id))
            if status == .active { places[documents[index].id] = ordinal }
        }
    }

    /// The nodes of active documents.
    private var places: [UInt64: Ordinal] = [:]

    private mutating func addTags(_ file: MemvidFile, under root: Ordinal) {
        for frame in file.frames where frame.role == .document && frame.status == .active {
            guard let document = places[frame.id] else { continue }
            for tag in Set(frame.tags) where !tag.isEmpty {
                let directory = directory([MemvidNames.safe(Array(tag.utf8))], under: root)
                let last = nodes[Int(document)].name
                var name = last
                var round = 0
                while taken[Key(parent: directory, name: name)] != nil {
                    name = MemvidNames.distinguished(last, id: frame.id, round: round)
                    round += 1
                }
                _ = add(name, to: directory, .link(document))
            }
        }
    }
}
