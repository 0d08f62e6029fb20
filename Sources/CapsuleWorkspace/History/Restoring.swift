import CapsuleStore
import CapsuleSystem
import Glibc

/// What a restore did.
public struct RestoreReport: Equatable, Sendable {
    /// Inodes that were made.
    public internal(set) var inodes: Int64 = 0
    /// The sum of the sizes of the files among them, in bytes. Their blocks are shared.
    public internal(set) var bytes: UInt64 = 0
    /// The state that keeps what was there before.
    public internal(set) var before = ""

    /// Nothing done.
    public init() {}
}

/// Putting something of a state back into the present tree.
extension LiveTree {
    /// Replaces what is at `path` by what was there in a state. The present tree is kept first, in
    /// a state of its own. Throws ENOENT, EINVAL for the root.
    public func restore(
        _ path: [[UInt8]], from name: String
    ) throws(WorkspaceError) -> RestoreReport {
        guard let last = path.last else {
            throw WorkspaceError.refusal(
                EINVAL, "the whole tree is no path: make a branch at the state")
        }
        var replaced = ReplacedNames()
        let report = try changing { () throws(WorkspaceError) in
            try refuseRuns(at: path)
            let state = try keptState(name)
            let tables = try stored { () throws(StoreError) in
                try StateTables(database, epoch: state.epoch)
            }
            let trail = try trail(of: path, in: tables, name)
            let before = try insertState(nil, kind: .automatic)
            var copy = TreeCopy(live: self, source: tables)
            let parent = try copy.makeDirectories(trail.dropLast(), path)
            do throws(WorkspaceError) {
                if let present = try child(last, of: parent) {
                    copy.replaced.inodes += try removeTree(present, named: last, in: parent)
                }
                try copy.run(trail[trail.count - 1], named: last, in: parent)
            } catch {
                // What is missing now is damage, and half of it is done.
                throw WorkspaceError(error.errno, "cannot restore: \(error.message)")
            }
            replaced = copy.replaced
            replaced.names.append(ReplacedNames.Name(parent: parent, name: last))
            replaced.inodes.append(parent)
            frozen.forget()
            copy.report.before = before.name
            let subject = try disclose(path)
            try record(
                .restored,
                [
                    "state": .text(name), "path_sha256": .text(subject),
                    "inodes": .number(copy.report.inodes),
                ])
            return copy.report
        }
        try commit()
        tellReplaced(replaced)
        return report
    }

    /// What the URIs of a run stand for does not change. Throws EROFS for a path above, at or below
    /// the folder of a run that has ended, EBUSY for that of one that goes on.
    private func refuseRuns(at path: [[UInt8]]) throws(WorkspaceError) {
        let met = try stored(listRuns).filter {
            path.starts(with: $0.name.directory) || $0.name.directory.starts(with: path)
        }
        guard let run = met.first(where: { $0.outcome != nil }) ?? met.first else { return }
        let isEnded = run.outcome != nil
        throw WorkspaceError.refusal(
            isEnded ? EROFS : EBUSY,
            "'\(Self.shown(path))': the run '\(run.name.run)' of '\(run.name.spec)' "
                + (isEnded ? "has ended" : "goes on")
                + ", and its files are not replaced: restore elsewhere, with --to DIR")
    }

    /// The inodes of a state along a path, without the root.
    private func trail(
        of path: [[UInt8]], in tables: StateTables, _ name: String
    ) throws(WorkspaceError) -> [Inode] {
        var trail: [Inode] = []
        var number = Inode.root
        for component in path {
            let found = try stored { () throws(StoreError) -> Inode? in
                guard let child = try tables.child(component, of: number) else { return nil }
                return try tables.inode(child)
            }
            guard let found else {
                throw WorkspaceError.refusal(
                    ENOENT, "there is no '\(Self.shown(path))' in '@\(name)'")
            }
            trail.append(found)
            number = found.number
        }
        return trail
    }

    static func shown(_ path: [[UInt8]]) -> String {
        String(decoding: Array(path.joined(separator: [0x2f])), as: UTF8.self)
    }

    /// Removes a name and everything below it. Returns the inodes that have further names.
    @discardableResult
    func removeTree(
        _ inode: Inode, named name: [UInt8], in parent: UInt64
    ) throws(WorkspaceError) -> [UInt64] {
        var named: [UInt64] = []
        // Directories are emptied from below; a stack of our own, as trees may be deep.
        var stack: [(number: UInt64, name: [UInt8], parent: UInt64)] = []
        if inode.isDirectory { stack.append((inode.number, name, parent)) }
        while let top = stack.last {
            let children = try stored { () throws(StoreError) in
                try names.entries(of: top.number, after: 0, count: 256)
            }
            var isEmpty = true
            for child in children {
                let found = try self.inode(child.child)
                if found.isDirectory {
                    stack.append((found.number, child.name, top.number))
                    isEmpty = false
                    break
                }
                if found.linkCount > 1 { named.append(found.number) }
                try removeName(child.name, of: found, in: top.number)
            }
            guard isEmpty, children.isEmpty else { continue }
            stack.removeLast()
            try removeName(top.name, of: try self.inode(top.number), in: top.parent)
        }
        if !inode.isDirectory {
            if inode.linkCount > 1 { named.append(inode.number) }
            try removeName(name, of: inode, in: parent)
        }
        return named
    }
}

/// Copies a part of a state into the present tree: new inodes, the old blocks.
private struct TreeCopy {
    let live: LiveTree
    let source: StateTables
    var report = RestoreReport()
    var replaced = ReplacedNames()
    /// The new number of each inode that has several names.
    private var copies: [UInt64: UInt64] = [:]
    /// The times of the directories that were made.
    private var times: [UInt64: FileTime] = [:]

    init(live: LiveTree, source: StateTables) {
        self.live = live
        self.source = source
    }

    /// Goes down a path of directories, and makes those that are missing as they were.
    mutating func makeDirectories(
        _ directories: ArraySlice<Inode>, _ path: [[UInt8]]
    ) throws(WorkspaceError) -> UInt64 {
        var parent = Inode.root
        for (directory, name) in zip(directories, path) {
            if let present = try live.child(name, of: parent) {
                guard present.isDirectory else {
                    throw WorkspaceError.refusal(
                        ENOTDIR, "'\(String(decoding: name, as: UTF8.self))' is no directory now")
                }
                parent = present.number
            } else {
                replaced.names.append(ReplacedNames.Name(parent: parent, name: name))
                replaced.inodes.append(parent)
                parent = try make(directory, named: name, in: parent)
            }
        }
        return parent
    }

    /// Copies an inode and all that was below it.
    mutating func run(
        _ top: Inode, named name: [UInt8], in parent: UInt64
    ) throws(WorkspaceError) {
        var waiting: [(old: Inode, name: [UInt8], parent: UInt64)] = [(top, name, parent)]
        while let next = waiting.popLast() {
            if let present = copies[next.old.number] {
                try live.addName(next.name, to: present, in: next.parent)
                continue
            }
            let number = try make(next.old, named: next.name, in: next.parent)
            if next.old.isDirectory {
                let children = try stored { () throws(StoreError) in
                    try source.children(of: next.old.number).map {
                        child throws(StoreError) -> (old: Inode, name: [UInt8], parent: UInt64) in
                        guard let inode = try source.inode(child.child) else {
                            throw StoreError(
                                .damaged, "inode \(child.child) of a state is not there",
                                errno: EIO)
                        }
                        return (inode, child.name, number)
                    }
                }
                waiting += children
                times[number] = next.old.modified
            } else if next.old.linkCount > 1 {
                copies[next.old.number] = number
            }
        }
        // Adding its entries has changed each directory's time.
        for (number, time) in times {
            var made = try live.inode(number)
            made.modified = time
            live.inodes.put(made)
        }
    }

    private mutating func make(
        _ old: Inode, named name: [UInt8], in parent: UInt64
    ) throws(WorkspaceError) -> UInt64 {
        var new = old
        new.number = live.inodes.takeNumber()
        new.born = live.epoch
        new.linkCount = old.isDirectory ? 2 : 0
        new.parent = old.isDirectory ? parent : 0
        new.changed = FileTime.now
        live.inodes.put(new)
        let number = new.number
        try stored { () throws(StoreError) in
            if old.isRegular, old.storedSize > 0 {
                let whole = 0..<UInt64(Int64.max)
                for var extent in try source.extents(of: old.number, in: whole) {
                    extent.born = live.epoch
                    try live.extents.add(extent, to: number)
                }
            }
            if old.hasAttributes {
                for (name, value) in try source.attributes(of: old.number) {
                    try live.attributes.set(name, value, of: number, epoch: live.epoch)
                }
            }
            if old.isSymbolicLink {
                try live.attributes.setTarget(
                    try live.attributes.target(of: old.number), of: number)
            }
        }
        if old.isDirectory {
            try live.addDirectory(name, number, in: parent)
        } else {
            try live.addName(name, to: number, in: parent)
        }
        report.inodes += 1
        if old.isRegular { report.bytes += old.size }
        return number
    }
}
