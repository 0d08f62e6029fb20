import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import MemvidFormat

/// Writes a tree as a Memvid file: a document per file, and one record for everything that Memvid
/// has no words for. Reading it back gives the same tree; Memvid's client finds what is text.
public final class MemvidPacker {
    /// What was packed.
    public struct Report: Sendable {
        /// Documents written.
        public var documentCount = 0
        /// Bytes of files written.
        public var byteCount: UInt64 = 0
        /// The hash over the packed tree.
        public var root = Digest32.zero

        /// Nothing packed yet.
        public init() {}
    }

    private let tree: any ReadableTree
    private let writer: MemvidWriter
    private let createdAt: String
    private let toolVersion: String
    private let progress: (UInt64) -> Void
    private var report = Report()
    private var record: [UInt8] = []
    private var rootHash = PackRoot()
    private var entryCount: UInt64 = 0
    private var firstPaths: [Ordinal: [UInt8]] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 1 << 20, alignment: 4096)

    /// Bytes of text that Memvid takes into its index.
    private static let searchTextLength = 32768
    /// Bytes of one frame; a longer file becomes several.
    public static let partLength: UInt64 = 256 << 20

    /// A packer of `tree` that writes to `sink`.
    public init(
        _ tree: any ReadableTree, to sink: any MemvidSink, createdAt: String, toolVersion: String,
        progress: @escaping (UInt64) -> Void = { _ in }
    ) throws {
        self.tree = tree
        self.createdAt = createdAt
        self.toolVersion = toolVersion
        self.progress = progress
        writer = try MemvidWriter(sink)
    }

    deinit { buffer.deallocate() }

    /// Packs everything. `sign` gets the statement and returns SSHSIG blobs.
    public func pack(sign: ([UInt8]) throws -> [[UInt8]]) throws -> Report {
        let root = try tree.entry(0)
        try addRecord(root, 0, path: [])
        try packChildren(of: 0, root, path: [])
        try writeTreeRecord(sign: sign)
        try writer.finish()
        return report
    }

    private func packChildren(of ordinal: Ordinal, _ entry: Entry, path: [UInt8]) throws {
        var children: [(Ordinal, Entry, [UInt8])] = []
        try tree.forEach(in: ordinal, entry, from: 0) { child, record, name in
            children.append((child, record, [UInt8](name)))
            return true
        }
        for (child, record, name) in children {
            // What a Memvid file shows besides its documents is made from them.
            if path.isEmpty, name == MemvidNames.reserved { continue }
            let childPath = path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
            try pack(record, child, path: childPath)
        }
    }

    private func pack(_ entry: Entry, _ ordinal: Ordinal, path: [UInt8]) throws {
        entryCount += 1
        let inode = try tree.inode(of: entry, ordinal)
        if inode.entry.linkCount > 1, !inode.entry.isDirectory {
            if let first = firstPaths[inode.ordinal] {
                var further = PackedEntry(path: path, inode.entry, attributes: [])
                further.link = Text.base64(first)
                return addLine(further)
            }
            firstPaths[inode.ordinal] = path
        }
        if inode.entry.isRegular { return try packFile(inode.entry, path: path) }
        try addRecord(inode.entry, inode.ordinal, path: path)
        if inode.entry.isDirectory {
            try packChildren(of: inode.ordinal, inode.entry, path: path)
        }
    }

    private func addRecord(_ entry: Entry, _ ordinal: Ordinal, path: [UInt8]) throws {
        var packed = PackedEntry(
            path: path, entry, attributes: try tree.attributes(of: entry))
        switch entry.kind {
        case .symbolicLink: packed.target = Text.base64(try tree.target(of: entry))
        case .characterDevice, .blockDevice: packed.device = entry.place
        case .directory, .fifo, .socket, .regular: break
        }
        addLine(packed)
    }

    private func addLine(_ entry: PackedEntry) {
        record += Array(entry.json.utf8) + [UInt8(ascii: "\n")]
    }

    // MARK: Files

    private func packFile(_ entry: Entry, path: [UInt8]) throws {
        let attributes = try tree.attributes(of: entry)
        let extents = try tree.extents(of: entry)
        let isWhole = extents.count == 1 && extents[0].length == entry.size || entry.size == 0
        var packed = PackedEntry(
            path: path, entry, attributes: attributes)
        packed.size = entry.size
        if !isWhole { packed.extents = extents.map { [$0.fileOffset, $0.length] } }
        let stored = extents.reduce(0) { $0 + $1.length }
        let partCount = max(1, Int((stored + Self.partLength - 1) / Self.partLength))
        var cursor = ExtentCursor(extents)
        for part in 1...partCount {
            if partCount > 1 {
                packed.part = part
                packed.partCount = partCount
            }
            writer.beginPayload()
            var head: [UInt8] = []
            var rest =
                min(stored, Self.partLength * UInt64(part)) - Self.partLength * UInt64(part - 1)
            while rest > 0, let run = cursor.next(upTo: min(rest, UInt64(buffer.count))) {
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<run.count])
                let count = try tree.read(entry, at: run.offset, into: room)
                guard count == run.count else {
                    throw FormatError(.system, "\(Text.escaped(path)): it became shorter")
                }
                let bytes = UnsafeRawBufferPointer(room)
                if head.count <= Self.searchTextLength {
                    head += bytes.prefix(Self.searchTextLength + 1 - head.count)
                }
                try writer.append(bytes)
                rest -= UInt64(count)
                progress(UInt64(count))
            }
            let payload = writer.endPayload()
            let description = DocumentDescription(
                path: path, entry, attributes: attributes, head: head, isFirst: part == 1)
            var frame = description.frame
            if partCount > 1 { frame.uri = (frame.uri ?? "") + ".part-\(part)" }
            frame.extraMetadata[PackedEntry.key] = packed.json
            rootHash.add(packed.json, payload.checksum)
            writer.add(frame, payload: payload)
            report.documentCount += 1
        }
        report.byteCount += entry.size
    }

    // MARK: The record

    private struct Manifest: Encodable {
        let createdAt: String
        let entryCount: UInt64
        let totalSize: UInt64
        let toolVersion: String

        private enum CodingKeys: String, CodingKey {
            case createdAt = "created_at"
            case entryCount = "entry_count"
            case totalSize = "total_size"
            case toolVersion = "tool_version"
        }
    }

    private func writeTreeRecord(sign: ([UInt8]) throws -> [[UInt8]]) throws {
        let manifest = JSONText.encode(
            Manifest(
                createdAt: createdAt, entryCount: entryCount, totalSize: report.byteCount,
                toolVersion: toolVersion), isPretty: false)
        writer.beginPayload()
        try record.withUnsafeBytes { try writer.append($0) }
        let payload = writer.endPayload()
        let manifestText = String(decoding: manifest.dropLast(), as: UTF8.self)
        report.root = rootHash.root(record: payload.checksum, manifest: manifestText)
        var frame = MemvidFrame()
        frame.timestamp = try tree.entry(0).seconds
        frame.uri = PackedTree.uri
        frame.title = "capsulefs tree record"
        frame.metadata = DocumentMetadata()
        frame.metadata?.mime = "application/x-capsulefs-tree"
        frame.extraMetadata[PackedTree.markKey] = PackedTree.mark
        frame.extraMetadata[PackedTree.manifestKey] = manifestText
        frame.extraMetadata[PackedTree.rootKey] = report.root.hex
        for (index, blob) in try sign(PackRoot.statement(report.root)).enumerated() {
            frame.extraMetadata["\(PackedTree.signatureKey)\(index + 1)"] = Text.base64(blob)
        }
        writer.add(frame, payload: payload)
    }
}

/// The runs of a file's data, in pieces.
private struct ExtentCursor {
    private let extents: [Extent]
    private var index = 0
    private var done: UInt64 = 0

    init(_ extents: [Extent]) { self.extents = extents }

    mutating func next(upTo limit: UInt64) -> (offset: UInt64, count: Int)? {
        while index < extents.count {
            let extent = extents[index]
            if done == extent.length {
                index += 1
                done = 0
                continue
            }
            let count = min(limit, extent.length - done)
            defer { done += count }
            return (extent.fileOffset + done, Int(count))
        }
        return nil
    }
}

/// The hash over a packed tree: what its signatures are made over.
struct PackRoot {
    private var lines: [String] = []

    /// Adds a document: its entry and the checksum of its payload.
    mutating func add(_ entry: String, _ checksum: Digest32) {
        lines.append("\(checksum.hex) \(entry)")
    }

    /// BLAKE3 over a line for each document, sorted by its bytes, then the tree record's checksum
    /// and the manifest.
    func root(record: Digest32, manifest: String) -> Digest32 {
        var hasher = Blake3Context("capsulefs 2 memvid pack").stream()
        for line in lines.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            hasher.update(Array(line.utf8) + [UInt8(ascii: "\n")])
        }
        hasher.update(Array("\(record.hex) \(manifest)\n".utf8))
        return hasher.digest()
    }

    /// Two lines, each ended by a line feed.
    static func statement(_ root: Digest32) -> [UInt8] {
        Array("capsulefs memvid statement\nroot: \(root.hex)\n".utf8)
    }
}
