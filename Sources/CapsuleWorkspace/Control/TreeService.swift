import CapsuleFormat
import Glibc

/// Reads a state, or an import, for a connection.
final class TreeService {
    private let tree: any ReadableTree
    private static let readLengthMax = 4 << 20
    private static let listCountMax = 4096

    init(_ workspace: Workspace, at name: String?) throws(WorkspaceError) {
        if let name {
            tree = try workspace.readableTree(at: name)
        } else {
            tree = try StateTree(workspace, at: try workspace.tree.presentState())
        }
    }

    /// Another name of an inode looks like the inode: nothing but the tree knows what it means.
    private func resolved(_ entry: Entry, _ ordinal: Ordinal) throws(FormatError) -> Entry {
        guard entry.isAlias else { return entry }
        var inode = try tree.inode(of: entry, ordinal).entry
        inode.parent = entry.parent
        return inode
    }

    func reply(
        to operation: ControlOperation, _ request: inout ControlMessage,
        _ answer: inout ControlMessage
    ) throws(WorkspaceError) {
        do {
            try reply(operation, &request, &answer)
        } catch let error as WorkspaceError {
            throw error
        } catch let error as FormatError {
            throw WorkspaceError(error)
        } catch {
            throw WorkspaceError(EIO, "\(error)")
        }
    }

    private func reply(
        _ operation: ControlOperation, _ request: inout ControlMessage,
        _ answer: inout ControlMessage
    ) throws {
        switch operation {
        case .treeCounts:
            answer.add(tree.entryCount)
            answer.add(tree.inodeCount)
            answer.add(tree.totalSize)
        case .treeEntry:
            let ordinal = try request.ordinal()
            answer.add(try resolved(try tree.entry(ordinal), ordinal))
        case .treeNamedEntry:
            let ordinal = try request.ordinal()
            let found = try tree.namedEntry(ordinal)
            answer.add(try resolved(found.entry, ordinal))
            answer.add(found.name)
        case .treeLookup:
            let directory = try request.ordinal()
            let name = try request.bytes()
            let entry = try tree.entry(directory)
            let found = try name.withUnsafeBytes { try tree.lookup($0, in: directory, entry) }
            answer.add(found != nil)
            if let found {
                answer.add(Int64(found.ordinal))
                answer.add(try resolved(found.entry, found.ordinal))
            }
        case .treeList: try list(&request, &answer)
        case .treeTarget: answer.add(try tree.target(of: try request.entry()))
        case .treeAttributes:
            let attributes = try tree.attributes(of: try request.entry())
            answer.add(attributes.flatMap { [$0.name, $0.value] })
        case .treeExtents:
            let extents = try tree.extents(of: try request.entry())
            answer.add(Int64(extents.count))
            for extent in extents {
                answer.add(extent.fileOffset)
                answer.add(extent.length)
            }
        case .treeRead:
            let entry = try request.entry()
            let offset = try request.unsigned()
            let count = Int(min(try request.unsigned(), UInt64(Self.readLengthMax)))
            var bytes = [UInt8](repeating: 0, count: count)
            let done = try bytes.withUnsafeMutableBytes {
                try tree.read(entry, at: offset, into: $0)
            }
            answer.add(Array(bytes.prefix(done)))
        default: preconditionFailure("every other operation has its own place")
        }
    }

    private func list(
        _ request: inout ControlMessage, _ answer: inout ControlMessage
    ) throws {
        let directory = try request.ordinal()
        let start = Int(clamping: try request.number())
        guard start >= 0 else { throw WorkspaceError.refusal(EINVAL, "a negative position") }
        var found: [(ordinal: Ordinal, entry: Entry, name: [UInt8])] = []
        let record = try tree.entry(directory)
        do throws(FormatError) {
            try tree.forEach(in: directory, record, from: start) {
                found.append(($0, $1, Array($2)))
                return found.count < Self.listCountMax
            }
        } catch {
            // Whoever asks for what follows is told.
            if found.isEmpty { throw error }
        }
        answer.add(Int64(found.count))
        for item in found {
            answer.add(Int64(item.ordinal))
            answer.add(try resolved(item.entry, item.ordinal))
            answer.add(item.name)
        }
    }
}

extension ControlMessage {
    mutating func ordinal() throws(WorkspaceError) -> Ordinal {
        Ordinal(truncatingIfNeeded: try number())
    }

    mutating func add(_ entry: Entry) {
        let numbers: [UInt64] = [
            UInt64(entry.mode), UInt64(entry.flags.rawValue), UInt64(entry.parent),
            UInt64(entry.uid), UInt64(entry.gid), UInt64(entry.linkCount),
            UInt64(bitPattern: entry.seconds), UInt64(entry.nanoseconds), entry.size, entry.place,
            UInt64(entry.count), entry.attributes, entry.extra,
        ]
        for number in numbers { add(number) }
    }

    mutating func entry() throws(WorkspaceError) -> Entry {
        func short(_ number: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: number) }
        var entry = Entry()
        entry.mode = short(try unsigned())
        guard Entry.Kind(rawValue: entry.mode & 0o170000) != nil else {
            throw WorkspaceError.refusal(EPROTO, "an entry has no known type")
        }
        entry.flags = Entry.Flags(rawValue: UInt16(truncatingIfNeeded: try unsigned()))
        entry.parent = short(try unsigned())
        entry.uid = short(try unsigned())
        entry.gid = short(try unsigned())
        entry.linkCount = short(try unsigned())
        entry.seconds = try number()
        entry.nanoseconds = short(try unsigned())
        entry.size = try unsigned()
        entry.place = try unsigned()
        entry.count = short(try unsigned())
        entry.attributes = try unsigned()
        entry.extra = try unsigned()
        return entry
    }
}
