import CapsuleBytes
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
        /// A packed file: its frames in order, and its runs of data where it has holes.
        case file([UInt64], [Extent]?)
        /// A packed symbolic link.
        case symbolicLink([UInt8])
        /// A packed fifo, socket or device.
        case special
        /// A further name of a packed object.
        case alias(Ordinal)
    }

    var name: [UInt8]
    var parent: Ordinal
    var kind: Kind
    /// What a packed object was, beyond what Memvid has words for.
    var packed: PackedEntry?
    /// Names of the object besides this one.
    var aliasCount: UInt32 = 0
    /// Of a directory: its children, by name once the folder is finished.
    var children: [Ordinal] = []
    var isDirectory: Bool {
        switch kind {
        case .directory, .frames: true
        case .document, .link, .info, .timeline, .file, .symbolicLink, .special, .alias: false
        }
    }
}

/// Lays out the folder: documents where their URIs say, the rest below `.memvid`.
struct FolderBuilder {
    private(set) var nodes = [FolderNode(name: [], parent: 0, kind: .directory)]
    /// `.memvid`: of a packed file it can be entered and is not listed, so that the folder is as it
    /// was packed.
    private(set) var hidden: Ordinal?
    private var taken: [Key: Ordinal] = [:]

    private struct Key: Hashable {
        let parent: Ordinal
        let name: [UInt8]
    }

    /// The folder of a file's documents.
    init(_ file: MemvidFile) throws(FormatError) {
        let pack = try PackedFolder(file)
        if let pack { add(pack, file) }
        addDocuments(file, .active, under: 0, except: pack?.documents ?? [])
        let base = add(MemvidNames.reserved, to: 0, .directory)
        if pack != nil {
            hidden = base
            nodes[0].children.removeLast()
        }
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

    /// Puts everything that was packed where it was. Directories come first, and links last, as
    /// they lead to others.
    private mutating func add(_ pack: PackedFolder, _ file: MemvidFile) {
        for entry in pack.entries where entry.mode & 0o170000 == Entry.Kind.directory.rawValue {
            let path = Self.split(entry.pathBytes)
            let ordinal = directory(path[...], under: 0)
            nodes[Int(ordinal)].packed = entry
        }
        for (entry, kind) in pack.objects {
            guard let ordinal = place(entry, kind) else { continue }
            if case .file(let ids, _) = kind { for id in ids { places[id] = ordinal } }
        }
        for entry in pack.entries {
            guard let link = entry.link.flatMap(Text.unbase64),
                let primary = find(Self.split(link)), isPrimary(primary),
                place(entry, .alias(primary)) != nil
            else { continue }
            nodes[Int(primary)].aliasCount += 1
        }
    }

    /// Whether further names may lead to a node: it is neither a directory nor one of them.
    private func isPrimary(_ ordinal: Ordinal) -> Bool {
        if case .alias = nodes[Int(ordinal)].kind { return false }
        return !nodes[Int(ordinal)].isDirectory
    }

    private static func split(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).map { Array($0) }
    }

    private func find(_ path: [[UInt8]]) -> Ordinal? {
        var current: Ordinal = 0
        for name in path {
            guard let next = taken[Key(parent: current, name: name)] else { return nil }
            current = next
        }
        return current
    }

    private mutating func place(_ entry: PackedEntry, _ kind: FolderNode.Kind) -> Ordinal? {
        let path = Self.split(entry.pathBytes)
        guard let last = path.last else { return nil }
        let parent = directory(path.dropLast(), under: 0)
        guard nodes[Int(parent)].isDirectory, taken[Key(parent: parent, name: last)] == nil else {
            return nil
        }
        let ordinal = add(last, to: parent, kind)
        nodes[Int(ordinal)].packed = entry
        return ordinal
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
            current = directory(name, in: current)
        }
        return current
    }

    /// The directory of a name, made if need be; beside an object of that name that is none.
    private mutating func directory(_ name: [UInt8], in parent: Ordinal) -> Ordinal {
        var free = name
        var round = 0
        while let present = taken[Key(parent: parent, name: free)] {
            if nodes[Int(present)].isDirectory { return present }
            free = MemvidNames.distinguished(name, id: UInt64(present), round: round)
            round += 1
        }
        return add(free, to: parent, .directory)
    }

    /// Directories come first, so that a document gives way to a directory of its name; then the
    /// newest document of a URI gets the plain name, as it is what Memvid's lookup finds.
    private mutating func addDocuments(
        _ file: MemvidFile, _ status: MemvidFrame.Status, under root: Ordinal,
        except packed: Set<UInt64> = []
    ) {
        let documents = file.frames.filter {
            $0.role == .document && $0.status == status && !packed.contains($0.id)
        }
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
            // By bytes: texts that differ only in how they are composed are two tags.
            let tags = Set(frame.tags.map { Array($0.utf8) })
            for tag in tags.sorted(by: { $0.lexicographicallyPrecedes($1) }) where !tag.isEmpty {
                let directory = directory([MemvidNames.safe(tag)], under: root)
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
