import CapsuleFormat
import Glibc
import Synchronization

/// A state of a workspace that a driver has, read through its socket.
public final class RemoteTree: ReadableTree {
    let connection: ControlConnection
    private let counts: (entries: UInt64, inodes: UInt64, bytes: UInt64)
    /// The last part of a directory that was listed.
    private let listed = Mutex<Listing?>(nil)

    private struct Listing {
        let directory: Ordinal
        let start: Int
        let items: [(ordinal: Ordinal, entry: Entry, name: [UInt8])]
    }

    private static let readLengthMax = 1 << 20

    init(_ connection: ControlConnection, at state: String?) throws(WorkspaceError) {
        self.connection = connection
        _ = try connection.ask(.openTree) { $0.add([state].compactMap(\.self)) }
        var answer = try connection.ask(.treeCounts)
        counts = (try answer.unsigned(), try answer.unsigned(), try answer.unsigned())
    }

    private func ask<Result>(
        _ operation: ControlOperation, _ fill: (inout ControlMessage) -> Void,
        _ read: (inout ControlMessage) throws(WorkspaceError) -> Result
    ) throws(FormatError) -> Result {
        do throws(WorkspaceError) {
            var answer = try connection.ask(operation, fill)
            return try read(&answer)
        } catch  where [EPIPE, ECONNRESET].contains(error.errno) {
            throw FormatError(
                .system, "the driver that has the workspace has ended; try again", errno: EIO)
        } catch {
            throw FormatError(
                error.errno == EIO ? .damaged : .system, error.message, errno: error.errno)
        }
    }

    // MARK: Names

    /// As `NamedTree` says.
    public func entry(_ ordinal: Ordinal) throws(FormatError) -> Entry {
        try ask(.treeEntry, { $0.add(Int64(ordinal)) }) { answer throws(WorkspaceError) in
            try answer.entry()
        }
    }

    /// As `NamedTree` says.
    public func namedEntry(
        _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, name: [UInt8]) {
        try ask(.treeNamedEntry, { $0.add(Int64(ordinal)) }) { answer throws(WorkspaceError) in
            (try answer.entry(), try answer.bytes())
        }
    }

    /// As `NamedTree` says.
    public func lookup(
        _ name: UnsafeRawBufferPointer, in directory: Ordinal, _ record: Entry
    ) throws(FormatError) -> (ordinal: Ordinal, entry: Entry)? {
        try ask(
            .treeLookup,
            {
                $0.add(Int64(directory))
                $0.add(Array(name))
            }
        ) { answer throws(WorkspaceError) -> (ordinal: Ordinal, entry: Entry)? in
            guard try answer.flag() else { return nil }
            return (try answer.ordinal(), try answer.entry())
        }
    }

    private func list(
        _ directory: Ordinal, from start: Int
    ) throws(FormatError) -> [(ordinal: Ordinal, entry: Entry, name: [UInt8])] {
        let known = listed.withLock { $0 }
        if let known, known.directory == directory, known.start == start { return known.items }
        let items = try ask(
            .treeList,
            {
                $0.add(Int64(directory))
                $0.add(Int64(start))
            }
        ) { answer throws(WorkspaceError) in
            try answer.list { item throws(WorkspaceError) in
                (ordinal: try item.ordinal(), entry: try item.entry(), name: try item.bytes())
            }
        }
        listed.withLock { $0 = Listing(directory: directory, start: start, items: items) }
        return items
    }

    /// As `ReadableTree` says.
    public func position(
        beyondDamageAt position: Int, in directory: Ordinal, _ record: Entry
    ) -> Int { position + 1 }

    /// As `ReadableTree` says.
    public func forEach(
        in directory: Ordinal, _ record: Entry, from start: Int,
        _ body: (_ ordinal: Ordinal, _ entry: Entry, _ name: UnsafeRawBufferPointer) -> Bool
    ) throws(FormatError) {
        var position = start
        while true {
            let items = try list(directory, from: position)
            if items.isEmpty { return }
            for item in items {
                let goesOn = (item.name + [0]).withUnsafeBytes { text in
                    body(
                        item.ordinal, item.entry,
                        UnsafeRawBufferPointer(rebasing: text[..<item.name.count]))
                }
                if !goesOn { return }
            }
            position += items.count
        }
    }

    /// As `ReadableTree` says: every name of an inode has its ordinal.
    public func inode(
        of entry: Entry, _ ordinal: Ordinal
    ) throws(FormatError) -> (entry: Entry, ordinal: Ordinal) { (entry, ordinal) }

    // MARK: The whole

    /// As `ReadableTree` says: one more than the highest ordinal.
    public var entryCount: UInt64 { counts.entries }
    /// As `ReadableTree` says.
    public var inodeCount: UInt64 { counts.inodes }
    /// As `ReadableTree` says.
    public var totalSize: UInt64 { counts.bytes }
    /// As `ReadableTree` says: nobody counts them.
    public var hasAttributes: Bool { true }

    /// As `ReadableTree` says: a workspace keeps numbers only.
    public func ownerNames() throws(FormatError) -> OwnerNames { OwnerNames() }

    // MARK: Contents

    /// As `ReadableTree` says.
    public func target(of entry: Entry) throws(FormatError) -> [UInt8] {
        try ask(.treeTarget, { $0.add(entry) }) { answer throws(WorkspaceError) in
            try answer.bytes()
        }
    }

    /// As `ReadableTree` says.
    public func attributes(of entry: Entry) throws(FormatError) -> [ExtendedAttribute] {
        guard entry.attributes != 0 else { return [] }
        let fields = try ask(.treeAttributes, { $0.add(entry) }) { answer throws(WorkspaceError) in
            try answer.lists()
        }
        return stride(from: 0, to: fields.count - 1, by: 2).map {
            ExtendedAttribute(name: fields[$0], value: fields[$0 + 1])
        }
    }

    /// As `ReadableTree` says.
    public func extents(of entry: Entry) throws(FormatError) -> [Extent] {
        try ask(.treeExtents, { $0.add(entry) }) { answer throws(WorkspaceError) in
            try answer.list { item throws(WorkspaceError) in
                Extent(
                    fileOffset: try item.unsigned(), length: try item.unsigned(), streamOffset: 0)
            }
        }
    }

    /// As `ReadableTree` says.
    public func read(
        _ entry: Entry, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Int {
        var done = 0
        while done < buffer.count, offset + UInt64(done) < entry.size {
            let count = min(buffer.count - done, Self.readLengthMax)
            let bytes = try ask(
                .treeRead,
                {
                    $0.add(entry)
                    $0.add(offset + UInt64(done))
                    $0.add(UInt64(count))
                }
            ) { answer throws(WorkspaceError) in try answer.bytes() }
            guard !bytes.isEmpty, bytes.count <= count else { break }
            UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).copyBytes(from: bytes)
            done += bytes.count
        }
        return done
    }
}
