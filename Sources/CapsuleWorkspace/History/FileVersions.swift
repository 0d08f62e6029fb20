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
    /// The states that show it, oldest first; an empty name is the present one.
    public var states: [String]

    /// A version.
    public init(mode: UInt32, size: UInt64, modified: FileTime, states: [String]) {
        self.mode = mode
        self.size = size
        self.modified = modified
        self.states = states
    }
}

extension LiveTree {
    /// What was at a path in each state and is there now: neighbours that show the same version
    /// count as one. Of a directory, its own attributes and names.
    public func versions(of path: [[UInt8]]) throws(WorkspaceError) -> [FileVersion] {
        let present = try presentState()
        return try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                var versions: [FileVersion] = []
                var last: (number: UInt64, born: Int64)?
                for state in try listStates() + [present] {
                    let tables = try StateTables(database, epoch: state.epoch)
                    let found = try Self.resolve(path, in: tables)
                    let key = (number: found?.number ?? 0, born: found?.born ?? 0)
                    if let last, last == key {
                        versions[versions.count - 1].states.append(state.name)
                    } else {
                        let none = FileTime(seconds: 0, nanoseconds: 0)
                        versions.append(
                            FileVersion(
                                mode: found?.mode ?? 0, size: found?.size ?? 0,
                                modified: found?.modified ?? none, states: [state.name]))
                    }
                    last = key
                }
                return versions
            }
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
