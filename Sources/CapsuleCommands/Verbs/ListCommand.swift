import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleFormat
import CapsuleSystem

/// `capsule ls`.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List a directory of a capsule.",
        discussion: "See capsule-ls(1).")

    @Argument(help: "The capsule.") var file: String
    @Argument(help: "Paths in it; the root, if none.") var paths: [String] = []
    @Flag(name: [.customShort("l"), .long], help: "Modes, owners, sizes and times.") var long =
        false
    @Flag(name: [.customShort("R"), .long], help: "Directories below, too.") var recursive = false
    @Flag(name: [.customShort("n"), .long], help: "Owners as numbers, as well as with -l.")
    var numericIds = false
    @Flag(name: .customShort("0"), help: "End every path with NUL; no escapes.") var null = false
    @Flag(name: .long, help: "Of a Memvid file, also show what is only in its log.")
    var recover = false
    @OptionGroup var session: SessionOptions
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Listing: Encodable {
        let entries: [EntryJSON]
    }

    func run() throws {
        let tree = try session.openTree(file, recoversLog: recover, of: place).tree
        var rows: [EntryJSON] = []
        let starts = paths.isEmpty ? [""] : paths
        do {
            for text in starts {
                let path = try CapsulePath.components(text)
                guard let found = try tree.resolve(path) else {
                    throw AccessError(
                        .usage, code: "not_found", "\(file): there is no '\(text)' in it")
                }
                let prefix = Array(path.joined(separator: [47]))
                if found.entry.isDirectory {
                    try DeepStack.run {
                        try list(tree, found.ordinal, found.entry, prefix, &rows)
                    }
                } else {
                    rows.append(try EntryJSON(tree, found.entry, found.ordinal, path: prefix))
                }
            }
        } catch let error as FormatError {
            throw AccessError(error, path: file)
        }
        do throws(FormatError) {
            let owners = numericIds ? OwnerNames() : try tree.ownerNames()
            show(rows, owners)
        } catch {
            throw AccessError(error, path: file)
        }
    }

    private func list(
        _ tree: any ReadableTree, _ ordinal: Ordinal, _ directory: Entry, _ prefix: [UInt8],
        _ rows: inout [EntryJSON]
    ) throws {
        // A path cannot be longer than its components are many.
        guard prefix.count(where: { $0 == 47 }) <= Limits.depth else {
            throw AccessError(
                .system, code: "limit_exceeded",
                "\(file): a directory lies deeper than \(Limits.depth)")
        }
        var children: [(Ordinal, Entry, [UInt8])] = []
        try tree.forEach(in: ordinal, directory, from: 0) { child, entry, name in
            children.append((child, entry, [UInt8](name)))
            return true
        }
        for (child, entry, name) in children {
            let path = prefix.isEmpty ? name : prefix + [47] + name
            rows.append(try EntryJSON(tree, entry, child, path: path))
            if recursive, entry.isDirectory { try list(tree, child, entry, path, &rows) }
        }
    }

    private func show(_ rows: [EntryJSON], _ owners: OwnerNames) {
        if outputOptions.json { return Output.json(Listing(entries: rows)) }
        if null {
            for row in rows {
                Output.bytes(row.path + [0])
            }
            return
        }
        guard long || numericIds else {
            for row in rows { Output.line(Text.escaped(row.path)) }
            return
        }
        var table = Table(rightAligned: [1, 4])
        for row in rows {
            let target = row.target.map { " -> " + Text.escaped($0) } ?? ""
            let user = owners.users[row.uid].map { Text.escaped(Array($0.utf8)) }
            let group = owners.groups[row.gid].map { Text.escaped(Array($0.utf8)) }
            table.add(
                Human.mode(row.mode), "\(row.links)", user ?? "\(row.uid)",
                group ?? "\(row.gid)", "\(row.size)",
                Timestamp(seconds: row.seconds).short, Text.escaped(row.path) + target)
        }
        table.print()
    }
}

/// An entry as `ls` shows it.
struct EntryJSON: Encodable {
    let path: [UInt8]
    let mode: UInt32
    let links: UInt32
    let uid: UInt32
    let gid: UInt32
    let size: UInt64
    let seconds: Int64
    let nanoseconds: UInt32
    let target: [UInt8]?
    private let inode: UInt64

    init(_ tree: any ReadableTree, _ entry: Entry, _ ordinal: Ordinal, path: [UInt8]) throws {
        let found = try tree.inode(of: entry, ordinal)
        self.path = path
        mode = found.entry.mode
        links = found.entry.linkCount
        uid = found.entry.uid
        gid = found.entry.gid
        let hasSize = found.entry.isRegular || found.entry.kind == .symbolicLink
        size = hasSize ? found.entry.size : 0
        seconds = found.entry.seconds
        nanoseconds = found.entry.nanoseconds
        inode = UInt64(found.ordinal) + 1
        target =
            found.entry.kind == .symbolicLink ? try tree.target(of: found.entry) : nil
    }

    private enum CodingKeys: String, CodingKey {
        case mode, links, uid, gid, size, inode, type
        case mtime
        case mtimeNanoseconds = "mtime_ns"
    }

    private static let types: [UInt32: String] = [
        0o010000: "fifo", 0o020000: "character_device", 0o040000: "directory",
        0o060000: "block_device", 0o100000: "file", 0o120000: "symlink", 0o140000: "socket",
    ]

    func encode(to encoder: any Encoder) throws {
        try NameJSON("name", path).encode(to: encoder)
        if let target { try NameJSON("target", target).encode(to: encoder) }
        var container = encoder.container(keyedBy: CodingKeys.self)
        let octal = String(mode & 0o7777, radix: 8)
        let padding = String(repeating: "0", count: max(0, 4 - octal.count))
        try container.encode(padding + octal, forKey: .mode)
        try container.encode(Self.types[mode & 0o170000] ?? "unknown", forKey: .type)
        try container.encode(links, forKey: .links)
        try container.encode(uid, forKey: .uid)
        try container.encode(gid, forKey: .gid)
        try container.encode(size, forKey: .size)
        try container.encode(inode, forKey: .inode)
        try container.encode(Timestamp(seconds: seconds).rfc3339, forKey: .mtime)
        try container.encode(nanoseconds, forKey: .mtimeNanoseconds)
    }
}
