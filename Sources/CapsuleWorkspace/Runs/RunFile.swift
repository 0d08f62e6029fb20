import CapsuleBytes
import CapsuleSystem
import Glibc

/// A new file of a run on its way into the tree.
///
/// It has a name of its own until it is whole; whoever lists the files of a run passes over those.
final class RunFile: RunFileSink {
    private static let prefix = Array(".put-".utf8)
    private static let randomCount = 8

    /// Whether a name is that of a file on its way.
    static func isTemporary(_ name: some Collection<UInt8>) -> Bool {
        name.count == prefix.count + 2 * randomCount && name.starts(with: prefix)
            && name.dropFirst(prefix.count).allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
            }
    }

    private let tree: LiveTree
    private let parent: UInt64
    private let name: [UInt8]
    private let temporary: [UInt8]
    private let inode: UInt64
    private var length: UInt64 = 0
    private var isFinished = false

    init(
        _ tree: LiveTree, _ name: [UInt8], mode: UInt32, in parent: UInt64
    ) throws(WorkspaceError) {
        self.tree = tree
        self.parent = parent
        self.name = name
        temporary = Self.prefix + Array(Text.hex(Environment.random(Self.randomCount)).utf8)
        if try tree.lookup(name, in: parent) != nil { throw Self.taken(name) }
        let new = NewInode(
            mode: Inode.Kind.regular | mode & 0o777, umask: 0,
            uid: Requester.userID ?? geteuid(), gid: getegid())
        inode = try tree.make(new, named: temporary, in: parent).number
        tell(temporary)
    }

    deinit {
        guard !isFinished, (try? tree.unlink(temporary, in: parent)) != nil else { return }
        tell(temporary)
    }

    /// The kernel may have listed the directory.
    private func tell(_ name: [UInt8]) {
        var replaced = ReplacedNames()
        replaced.names = [ReplacedNames.Name(parent: parent, name: name)]
        replaced.inodes = [parent]
        tree.tellReplaced(replaced)
    }

    private static func taken(_ name: [UInt8]) -> WorkspaceError {
        WorkspaceError.refusal(
            EEXIST,
            "the run has a '\(String(decoding: name, as: UTF8.self))' already, and what a URI "
                + "stands for does not change: put it under another name with --as")
    }

    func append(_ bytes: [UInt8]) throws(WorkspaceError) {
        guard !bytes.isEmpty else { return }
        var failure: WorkspaceError?
        bytes.withUnsafeBytes { bytes in
            do throws(WorkspaceError) {
                try tree.write(inode, at: length, bytes)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        length += UInt64(bytes.count)
    }

    func finish() throws(WorkspaceError) {
        do throws(WorkspaceError) {
            try tree.rename(
                LiveTree.Place(temporary, in: parent), to: LiveTree.Place(name, in: parent),
                flags: LiveTree.RenameFlag.noReplace)
        } catch {
            throw error.errno == EEXIST ? Self.taken(name) : error
        }
        isFinished = true
        try tree.commit()
        tell(temporary)
        tell(name)
    }
}
