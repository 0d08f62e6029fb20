import CapsuleBytes
import CapsuleStore
import CapsuleSystem
import Glibc

/// The files of runs, which lie in the tree.
extension LiveTree {
    /// As `RunService` says.
    public func makeFile(
        _ path: [[UInt8]], mode: UInt32, in track: RunTrack, of name: RunName
    ) throws(WorkspaceError) -> any RunFileSink {
        _ = try locked { () throws(WorkspaceError) in try unfinished(name) }
        let last = try Self.lastName(of: path)
        for part in path where RunFile.isTemporary(part) {
            throw WorkspaceError.refusal(
                EINVAL,
                "'\(Self.shown(path))': names like '\(Self.shown([part]))' are those of files on "
                    + "their way: give it another one with --as")
        }
        let parent = try makeDirectories(
            name.directory + [Array(track.rawValue.utf8)] + path.dropLast())
        return try RunFile(self, last, mode: mode, in: parent)
    }

    /// The last part of a path that can be that of a file of a run. Throws EINVAL.
    public static func lastName(of path: [[UInt8]]) throws(WorkspaceError) -> [UInt8] {
        let isPlain = path.allSatisfy {
            !$0.isEmpty && $0 != [0x2e] && $0 != [0x2e, 0x2e] && !$0.contains(0)
                && !$0.contains(0x2f)
        }
        guard isPlain, let last = path.last else {
            throw WorkspaceError.refusal(
                EINVAL,
                "'\(shown(path))': a file of a run has a name without '.' and '..': give it one "
                    + "with --as")
        }
        return last
    }

    /// Goes down a path, and makes the directories that are missing. Returns the last one.
    func makeDirectories(_ path: [[UInt8]]) throws(WorkspaceError) -> UInt64 {
        var replaced = ReplacedNames()
        var parent = Inode.root
        for name in path {
            if let present = try lookup(name, in: parent) {
                guard present.isDirectory else {
                    throw WorkspaceError.refusal(
                        ENOTDIR, "'\(Self.shown(path))': something on the way is no directory")
                }
                parent = present.number
                continue
            }
            replaced.names.append(ReplacedNames.Name(parent: parent, name: name))
            replaced.inodes.append(parent)
            let new = NewInode(
                mode: Inode.Kind.directory | 0o755, umask: 0,
                uid: Requester.userID ?? geteuid(), gid: getegid())
            do throws(WorkspaceError) {
                parent = try make(new, named: name, in: parent).number
            } catch {
                // Somebody else was faster.
                guard error.errno == EEXIST, let other = try lookup(name, in: parent),
                    other.isDirectory
                else { throw error }
                parent = other.number
            }
        }
        if !replaced.names.isEmpty { tellReplaced(replaced) }
        return parent
    }
}
