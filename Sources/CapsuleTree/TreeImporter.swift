import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Synchronization

/// Fills index and content stream of a new capsule from another tree: `capsule convert`.
final class TreeImporter {
    private let tree: any ReadableTree
    private let stream: StreamSealer
    private let leavesOut: (_ path: [UInt8]) -> Bool
    private let progress: SealProgress
    private(set) var index = IndexBuilder()
    private var digest = ContentDigest()
    /// The new ordinals of inodes with several names.
    private var primaries: [Ordinal: Ordinal] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 1 << 20, alignment: 4096)

    init(
        _ tree: any ReadableTree, stream: StreamSealer, progress: SealProgress,
        leavesOut: @escaping (_ path: [UInt8]) -> Bool
    ) {
        self.tree = tree
        self.stream = stream
        self.progress = progress
        self.leavesOut = leavesOut
    }

    deinit { buffer.deallocate() }

    /// The hash of what was imported.
    var contentDigest: Digest32 { digest.digest }

    private struct Child {
        let ordinal: Ordinal
        let entry: Entry
        let name: [UInt8]
    }

    /// Imports everything. Throws `FormatError`.
    func run() throws {
        let root = try tree.entry(0)
        try index.append(Self.blank(root, parent: 0), name: [])
        try importDirectory(root, 0, as: 0, name: [], path: [])
        index.owners = try tree.ownerNames()
    }

    /// What of an entry does not depend on where it lies.
    private static func blank(_ entry: Entry, parent: Ordinal) -> Entry {
        var copy = Entry()
        copy.mode = entry.mode
        copy.parent = parent
        copy.uid = entry.uid
        copy.gid = entry.gid
        copy.seconds = entry.seconds
        copy.nanoseconds = entry.nanoseconds
        if entry.isDirectory { copy.linkCount = 2 }
        return copy
    }

    private func importDirectory(
        _ entry: Entry, _ old: Ordinal, as new: Ordinal, name: [UInt8], path: [UInt8]
    ) throws {
        var children: [Child] = []
        try tree.forEach(in: old, entry, from: 0) { ordinal, entry, name in
            children.append(Child(ordinal: ordinal, entry: entry, name: [UInt8](name)))
            return true
        }
        func below(_ child: Child) -> [UInt8] {
            path.isEmpty ? child.name : path + [UInt8(ascii: "/")] + child.name
        }
        children.removeAll { leavesOut(below($0)) }
        let first = Ordinal(index.count)
        index[new].place = UInt64(first)
        index[new].count = UInt32(children.count)
        try finish(new, entry, name: name, detail: [])
        for child in children {
            let inode = try tree.inode(of: child.entry, child.ordinal)
            try index.append(Self.blank(inode.entry, parent: new), name: child.name)
        }
        progress.entries.add(children.count, ordering: .relaxed)
        for (position, child) in children.enumerated() {
            if stream.hasFailed { return }
            try visit(child, first + Ordinal(position), path: below(child))
        }
    }

    private func visit(_ child: Child, _ new: Ordinal, path: [UInt8]) throws {
        let inode = try tree.inode(of: child.entry, child.ordinal)
        let entry = inode.entry
        if entry.isDirectory {
            index[index[new].parent].linkCount += 1
            return try importDirectory(
                entry, inode.ordinal, as: new, name: child.name, path: path)
        }
        if entry.linkCount > 1 {
            if let primary = primaries[inode.ordinal] {
                index[primary].linkCount += 1
                var alias = Entry()
                alias.mode = entry.mode
                alias.flags = .alias
                alias.parent = index[new].parent
                alias.place = UInt64(primary)
                index[new] = alias
                let detail = withUnsafeBytes(of: primary.littleEndian) { [UInt8]($0) }
                return digest.add(index[new], name: child.name, attributes: [], detail: detail)
            }
            primaries[inode.ordinal] = new
        }
        switch entry.kind {
        case .regular: try importFile(entry, new, name: child.name)
        case .symbolicLink:
            let target = try tree.target(of: entry)
            index[new].size = UInt64(target.count)
            index[new].place = index.addTarget(target)
            try finish(new, entry, name: child.name, detail: target)
        case .characterDevice, .blockDevice:
            index[new].place = entry.place
            let detail = withUnsafeBytes(of: entry.place.littleEndian) { [UInt8]($0) }
            try finish(new, entry, name: child.name, detail: detail)
        case .fifo, .socket, .directory:
            try finish(new, entry, name: child.name, detail: [])
        }
    }

    private func importFile(_ entry: Entry, _ new: Ordinal, name: [UInt8]) throws {
        var hasher = ContentDigest.fileContext.stream()
        var extents = try tree.extents(of: entry)
        let start = stream.logicalOffset
        for index in extents.indices {
            extents[index].streamOffset = stream.logicalOffset
            var done: UInt64 = 0
            while done < extents[index].length, !stream.hasFailed {
                let room = UnsafeMutableRawBufferPointer(
                    rebasing: buffer[
                        ..<Int(min(extents[index].length - done, UInt64(buffer.count)))])
                let count = try tree.read(entry, at: extents[index].fileOffset + done, into: room)
                guard count == room.count else {
                    throw FormatError(.damaged, "\(Text.escaped(name)): it ends early")
                }
                let bytes = UnsafeRawBufferPointer(room)
                hasher.update(bytes)
                stream.append(bytes)
                done += UInt64(count)
                progress.bytesRead.add(UInt64(count), ordering: .relaxed)
            }
        }
        index[new].size = entry.size
        if entry.flags.contains(.sparse) {
            index[new].flags = .sparse
            index[new].place = index.addExtents(extents)
            index[new].count = UInt32(extents.count)
            index[new].extra = extents.reduce(0) { $0 + $1.length }
        } else {
            extents = []
            index[new].place = start
        }
        let detail = ContentDigest.detail(
            size: entry.size, extents: extents, hash: hasher.digest())
        try finish(new, entry, name: name, detail: detail)
    }

    private func finish(
        _ new: Ordinal, _ entry: Entry, name: [UInt8], detail: [UInt8]
    ) throws {
        let attributes = try tree.attributes(of: entry)
        index[new].attributes = index.addAttributes(attributes)
        digest.add(index[new], name: name, attributes: attributes, detail: detail)
    }
}

extension TreeSealer {
    /// Seals another tree instead of the request's folder, without what `leavesOut` says of a path.
    public func seal(
        _ tree: any ReadableTree, leavesOut: @escaping (_ path: [UInt8]) -> Bool = { _ in false },
        hooks: SealHooks = SealHooks(), sign: ([UInt8]) throws -> [[UInt8]]
    ) throws -> SealResult {
        try publish(hooks: hooks, sign: sign) { [self] writer, id, _ in
            let level = request.level
            let stream = writer.contentStream(
                StreamSealer.Shape(
                    unitLength: request.blockSize, rawBlockLength: SealRequest.rawBlockSize,
                    level: level))
            let importer = TreeImporter(
                tree, stream: stream, progress: progress, leavesOut: leavesOut)
            try DeepStack.run { try importer.run() }
            try writer.finish(stream)
            var index = importer.index
            try writer.writeIndex(&index, uniform: level == 0)
            var manifest = Manifest(
                capsuleID: Text.hex(id), creator: request.creator,
                toolVersion: request.toolVersion, createdAt: request.createdAt,
                lineage: lineage(id), contentDigest: importer.contentDigest.hex,
                entryCount: UInt64(index.count - 1), totalSize: index.totalSize, excluded: [],
                remarks: [])
            manifest.auditCheckpoint = request.auditCheckpoint
            if let witness = try hooks.witness(manifest.contentDigest) {
                manifest.auditCheckpoint = witness.checkpoint
                manifest.auditProof = witness.proof
            }
            try writer.writeManifest(manifest.encoded, uniform: level == 0)
            return manifest
        }
    }
}
