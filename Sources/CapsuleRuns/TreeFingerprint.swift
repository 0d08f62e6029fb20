import CapsuleBytes
import CapsuleFormat
import Crypto

/// A digest of all names and contents of a tree, made by reading them: it believes nothing that the
/// tree says of itself, and depends on neither times nor owners.
public enum TreeFingerprint {
    private static let pieceLength = 1 << 20

    /// The SHA-256 of the tree, in hex, without what lies under a name of the root. Throws
    /// `FormatError` for what cannot be read.
    public static func of(
        _ tree: any ReadableTree, leavingOut leftOut: [UInt8]? = nil
    ) throws -> String {
        var hasher = SHA256()
        var stack: [(path: [UInt8], ordinal: Ordinal, entry: Entry)] = [([], 0, try tree.entry(0))]
        while let next = stack.popLast() {
            let (entry, ordinal) = try tree.inode(of: next.entry, next.ordinal)
            var head = ByteWriter()
            head.integer(UInt32(next.path.count))
            head.append(next.path)
            head.integer(entry.mode)
            head.integer(UInt16(entry.flags.contains(.sparse) ? 1 : 0))
            head.integer(entry.isRegular || entry.kind == .symbolicLink ? entry.size : 0)
            hasher.update(data: head.bytes)
            switch entry.kind {
            case .directory:
                var children: [(path: [UInt8], ordinal: Ordinal, entry: Entry)] = []
                try tree.forEach(in: ordinal, entry, from: 0) { child, found, name in
                    if !next.path.isEmpty || leftOut.map({ name.elementsEqual($0) }) != true {
                        children.append((next.path + [0x2f] + Array(name), child, found))
                    }
                    return true
                }
                stack += children.sorted { $1.path.lexicographicallyPrecedes($0.path) }
            case .symbolicLink: hasher.update(data: try tree.target(of: entry))
            case .regular: try add(entry, of: tree, to: &hasher)
            case .fifo, .socket, .characterDevice, .blockDevice: break
            }
        }
        return Text.hex(hasher.finalize())
    }

    /// Holes are not read: a file can have more of them than anybody can wait for.
    private static func add(
        _ entry: Entry, of tree: any ReadableTree, to hasher: inout SHA256
    ) throws {
        var piece = [UInt8](repeating: 0, count: Int(min(UInt64(pieceLength), entry.size)))
        for extent in try tree.extents(of: entry) {
            if entry.flags.contains(.sparse) {
                var head = ByteWriter()
                head.integer(extent.fileOffset)
                head.integer(extent.length)
                hasher.update(data: head.bytes)
            }
            var done: UInt64 = 0
            while done < extent.length {
                let wanted = Int(min(UInt64(piece.count), extent.length - done))
                let count = try piece.withUnsafeMutableBytes {
                    try tree.read(
                        entry, at: extent.fileOffset + done,
                        into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
                }
                guard count > 0 else { break }
                hasher.update(data: piece[..<count])
                done += UInt64(count)
            }
        }
    }
}
