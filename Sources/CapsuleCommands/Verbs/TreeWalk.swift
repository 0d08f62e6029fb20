import CapsuleBytes
import CapsuleFormat

/// Reads everything in a tree and names what cannot be read.
struct TreeWalk {
    private let tree: any ReadableTree
    /// Something that cannot be read.
    struct Fault {
        /// Its path, or which entries.
        let object: String
        /// The same with the reason.
        let text: String
    }

    private(set) var faults: [Fault] = []
    private(set) var entryCount = 0
    private let progress: ByteProgress

    init(_ tree: any ReadableTree, _ progress: ByteProgress) {
        self.tree = tree
        self.progress = progress
    }

    /// Adds a fault that was found elsewhere.
    mutating func note(_ object: String, _ error: FormatError) {
        faults.append(Fault(object: object, text: "\(object): \(error)"))
    }

    mutating func run() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var ordinal: UInt64 = 0
        while ordinal < tree.entryCount {
            do throws(FormatError) {
                let entry = try tree.entry(Ordinal(ordinal))
                entryCount += 1
                try read(entry, Ordinal(ordinal), buffer)
                ordinal += 1
            } catch {
                let path = try? tree.path(of: Ordinal(ordinal))
                if let path {
                    note(Text.escaped(path), error)
                    ordinal += 1
                } else {
                    // A whole page of the index is gone, and its names with it.
                    let perPage = UInt64(Limits.entriesPerPage)
                    let next = min((ordinal / perPage + 1) * perPage, tree.entryCount)
                    note("entries \(ordinal) to \(next - 1)", error)
                    ordinal = next
                }
            }
        }
    }

    private func read(
        _ entry: Entry, _ ordinal: Ordinal, _ buffer: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        if entry.isAlias {
            _ = try tree.inode(of: entry, ordinal)
            return
        }
        _ = try tree.attributes(of: entry)
        switch entry.kind {
        case .symbolicLink: _ = try tree.target(of: entry)
        case .directory:
            try tree.forEach(in: ordinal, entry, from: 0) { _, _, _ in true }
        case .regular:
            for extent in try tree.extents(of: entry) {
                var done: UInt64 = 0
                while done < extent.length {
                    let room = UnsafeMutableRawBufferPointer(
                        rebasing: buffer[..<Int(min(extent.length - done, UInt64(buffer.count)))])
                    let count = UInt64(
                        try tree.read(entry, at: extent.fileOffset + done, into: room))
                    done += count
                    progress.add(count)
                }
            }
        case .fifo, .socket, .characterDevice, .blockDevice: break
        }
    }
}
