import CapsuleStore
import CapsuleSystem
import Glibc

/// What was at a path from one state on.
public struct FileVersion: Equatable, Sendable {
    /// Type and permission bits; 0 where nothing was there.
    public var mode: UInt32
    /// Bytes of a file or of a link's target.
    public var size: UInt64
    /// When the content changed last.
    public var modified: FileTime
    /// The path under which it lay then, where that is another one, from the root.
    public var path: [UInt8]?
    /// The states that show it, oldest first; an empty name is the present one.
    public var states: [String]

    /// A version.
    public init(
        mode: UInt32, size: UInt64, modified: FileTime, path: [UInt8]?, states: [String]
    ) {
        self.mode = mode
        self.size = size
        self.modified = modified
        self.path = path
        self.states = states
    }
}

extension LiveTree {
    /// What was at a path in each state and is there now: neighbours that show the same version
    /// count as one. In states from before a file was renamed to the path, it is what lay under its
    /// earlier name. Of a directory, its own attributes and names.
    public func versions(of path: [[UInt8]]) throws(WorkspaceError) -> [FileVersion] {
        let present = try presentState()
        return try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                var versions: [FileVersion] = []
                var last: Shown?
                var names = NamesOfInodes()
                // From the newest to the oldest: what is found in one is looked for in the next.
                for state in (try listStates() + [present]).reversed() {
                    let tables = try StateTables(database, epoch: state.epoch)
                    var found = Shown(inode: try Self.resolve(path, in: tables), path: nil)
                    if found.inode == nil, let later = last?.inode,
                        let inode = try tables.inode(later.number),
                        let former = try names.path(of: inode.number, in: tables)
                    {
                        found = Shown(inode: inode, path: former)
                    }
                    if let last, last.isSame(as: found) {
                        versions[versions.count - 1].states.append(state.name)
                    } else {
                        versions.append(found.version(in: state.name))
                    }
                    last = found
                }
                return versions.reversed().map { version in
                    var version = version
                    version.states.reverse()
                    return version
                }
            }
        }
    }

    /// What a state shows of a file.
    private struct Shown {
        let inode: Inode?
        /// Its name then, where that is another one.
        let path: [UInt8]?

        func isSame(as other: Shown) -> Bool {
            inode?.number == other.inode?.number && inode?.born == other.inode?.born
                && path == other.path
        }

        func version(in state: String) -> FileVersion {
            FileVersion(
                mode: inode?.mode ?? 0, size: inode?.size ?? 0,
                modified: inode?.modified ?? FileTime(seconds: 0, nanoseconds: 0), path: path,
                states: [state])
        }
    }

    private static func resolve(
        _ path: [[UInt8]], in tables: StateTables
    ) throws(StoreError) -> Inode? {
        var number = Inode.root
        for component in path {
            guard let child = try tables.child(component, of: number) else { return nil }
            number = child
        }
        return try tables.inode(number)
    }
}
