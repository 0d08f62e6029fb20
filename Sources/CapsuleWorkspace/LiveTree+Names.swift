import CapsuleStore
import CapsuleSystem
import Glibc

/// What a new inode shall be.
public struct NewInode: Sendable {
    /// Type and permission bits, before the umask.
    public var mode: UInt32
    /// The umask of the caller.
    public var umask: UInt32
    /// The owner.
    public var uid: UInt32
    /// The group, where the directory does not say another.
    public var gid: UInt32
    /// The device number of a device.
    public var device: UInt64 = 0
    /// The target of a symbolic link.
    public var target: [UInt8] = []

    /// An inode of a type and mode for a caller.
    public init(mode: UInt32, umask: UInt32, uid: UInt32, gid: UInt32) {
        self.mode = mode
        self.umask = umask
        self.uid = uid
        self.gid = gid
    }
}

extension LiveTree {
    private static let nameLengthMax = 255
    /// Directories above each other: more than any path can name.
    private static let depthMax = 1 << 20
    private static let setGroupID: UInt32 = 0o2000

    func child(_ name: [UInt8], of parent: UInt64) throws(WorkspaceError) -> Inode? {
        guard name.count <= Self.nameLengthMax else { throw WorkspaceError(ENAMETOOLONG) }
        let number = try stored { () throws(StoreError) in try names.find(name, in: parent) }
        guard let number else { return nil }
        return try inode(number)
    }

    /// The inode behind a name, or nil.
    public func lookup(_ name: [UInt8], in parent: UInt64) throws(WorkspaceError) -> Inode? {
        try locked { () throws(WorkspaceError) in
            // Whoever opens by a handle asks for an inode itself (name_to_handle_at(2)).
            if name == Array(".".utf8) { return try inode(parent) }
            let directory = try directory(parent)
            if name == Array("..".utf8) { return try inode(directory.parent) }
            return try child(name, of: parent)
        }
    }

    /// Makes an inode under a name. Throws EEXIST, ENOENT for a directory that was removed.
    public func make(
        _ new: NewInode, named name: [UInt8], in parent: UInt64
    ) throws(WorkspaceError) -> Inode {
        try changing(grows: true) { () throws(WorkspaceError) in
            try refuseFrozen(parent)
            var directory = try directory(parent)
            guard directory.linkCount > 0 else { throw WorkspaceError(ENOENT) }
            guard try child(name, of: parent) == nil else { throw WorkspaceError(EEXIST) }
            let now = FileTime.now
            let inherits = directory.mode & Self.setGroupID != 0
            let isDirectory = new.mode & Inode.Kind.mask == Inode.Kind.directory
            try refuseForged(name, in: parent, isNewDirectory: isDirectory)
            var inode = Inode(
                number: inodes.takeNumber(), born: epoch, mode: new.mode, uid: new.uid,
                gid: inherits ? directory.gid : new.gid, linkCount: isDirectory ? 2 : 1,
                size: UInt64(new.target.count), storedSize: 0, device: new.device,
                parent: isDirectory ? parent : 0, accessed: now, modified: now, changed: now,
                hasAttributes: false)
            if inherits, isDirectory { inode.mode |= Self.setGroupID }
            try inheritAccess(&inode, from: directory, umask: new.umask)
            try add(name, child: inode.number, to: &directory, now: now)
            if isDirectory { directory.linkCount += 1 }
            if inode.isSymbolicLink {
                try stored { () throws(StoreError) in
                    try attributes.setTarget(new.target, of: inode.number)
                }
            }
            inodes.put(directory)
            inodes.put(inode)
            try recordFile(.fileCreated, inode, in: parent)
            return inode
        }
    }

    private func add(
        _ name: [UInt8], child: UInt64, to directory: inout Inode, now: FileTime
    ) throws(WorkspaceError) {
        let parent = directory.number
        try stored { () throws(StoreError) in
            try names.add(name, in: parent, child: child, epoch: epoch, in: database)
        }
        directory.modified = now
        directory.changed = now
    }

    private func take(
        _ name: [UInt8], from directory: inout Inode, now: FileTime
    ) throws(WorkspaceError) {
        let parent = directory.number
        try stored { () throws(StoreError) in
            try names.remove(name, in: parent, epoch: epoch)
        }
        directory.modified = now
        directory.changed = now
    }

    /// Gives an inode that is no directory one more name.
    func addName(
        _ name: [UInt8], to number: UInt64, in parent: UInt64
    ) throws(WorkspaceError) {
        var directory = try directory(parent)
        var target = try inode(number)
        try add(name, child: number, to: &directory, now: FileTime.now)
        target.linkCount += 1
        inodes.put(directory)
        inodes.put(target)
    }

    /// Gives a directory its name.
    func addDirectory(
        _ name: [UInt8], _ number: UInt64, in parent: UInt64
    ) throws(WorkspaceError) {
        var directory = try directory(parent)
        try add(name, child: number, to: &directory, now: FileTime.now)
        directory.linkCount += 1
        inodes.put(directory)
    }

    /// Removes a name that is there; a directory's must be the last of it.
    func removeName(
        _ name: [UInt8], of target: Inode, in parent: UInt64
    ) throws(WorkspaceError) {
        var directory = try directory(parent)
        let now = FileTime.now
        try take(name, from: &directory, now: now)
        if target.isDirectory { directory.linkCount &-= 1 }
        inodes.put(directory)
        try dropName(of: target, now: now)
        try recordFile(.fileRemoved, target, in: parent)
    }

    /// Gives an inode one more name.
    public func link(
        _ number: UInt64, as name: [UInt8], in parent: UInt64
    ) throws(WorkspaceError) -> Inode {
        try changing(grows: true) { () throws(WorkspaceError) in
            try refuseFrozen(number, parent)
            var target = try inode(number)
            var directory = try directory(parent)
            guard !target.isDirectory else { throw WorkspaceError(EPERM) }
            guard directory.linkCount > 0, target.linkCount > 0 else {
                throw WorkspaceError(ENOENT)
            }
            guard target.linkCount < UInt32.max >> 1 else { throw WorkspaceError(EMLINK) }
            guard try child(name, of: parent) == nil else { throw WorkspaceError(EEXIST) }
            try refuseForged(name, in: parent, isNewDirectory: false)
            let now = FileTime.now
            try add(name, child: number, to: &directory, now: now)
            target.linkCount += 1
            target.changed = now
            inodes.put(directory)
            inodes.put(target)
            return target
        }
    }

    /// Removes a name that is no directory's.
    public func unlink(_ name: [UInt8], in parent: UInt64) throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in
            // A file that the end of its run overtook goes.
            if !RunFile.isTemporary(name) { try refuseFrozen(parent) }
            _ = try directory(parent)
            guard let target = try child(name, of: parent) else { throw WorkspaceError(ENOENT) }
            guard !target.isDirectory else { throw WorkspaceError(EISDIR) }
            try removeName(name, of: target, in: parent)
        }
    }

    private func dropName(of inode: Inode, now: FileTime) throws(WorkspaceError) {
        var inode = inode
        inode.linkCount = inode.isDirectory ? 0 : inode.linkCount &- 1
        inode.changed = now
        inodes.put(inode)
        try eraseIfUnused(inode)
    }

    /// Removes an empty directory.
    public func removeDirectory(_ name: [UInt8], in parent: UInt64) throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in
            _ = try directory(parent)
            guard let target = try child(name, of: parent) else { throw WorkspaceError(ENOENT) }
            try refuseFrozen(parent, target.number)
            guard target.isDirectory else { throw WorkspaceError(ENOTDIR) }
            try refuseFixed(target.number)
            try requireEmpty(target)
            try removeName(name, of: target, in: parent)
        }
    }

    private func requireEmpty(_ directory: Inode) throws(WorkspaceError) {
        let isEmpty = try stored { () throws(StoreError) in
            try names.isEmpty(directory.number)
        }
        guard isEmpty else { throw WorkspaceError(ENOTEMPTY) }
    }

    // MARK: Renaming

    /// A name in a directory.
    public struct Place: Sendable {
        let name: [UInt8]
        let parent: UInt64

        /// The place.
        public init(_ name: [UInt8], in parent: UInt64) {
            self.name = name
            self.parent = parent
        }
    }

    /// Flags of renameat2(2).
    public enum RenameFlag {
        /// Nothing is replaced.
        public static let noReplace: UInt32 = 1
        /// Both exist and change places.
        public static let exchange: UInt32 = 2
        /// A whiteout stays under the old name: what overlayfs takes for "deleted".
        public static let whiteout: UInt32 = 4
    }

    /// Renames, as renameat2(2) says.
    public func rename(
        _ source: Place, to destination: Place, flags: UInt32
    ) throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in
            let leavesWhiteout = flags & RenameFlag.whiteout != 0
            let flags = flags & ~RenameFlag.whiteout
            guard flags <= RenameFlag.exchange, !leavesWhiteout || flags != RenameFlag.exchange
            else { throw WorkspaceError(EINVAL) }
            try refuseFrozen(source.parent, destination.parent)
            _ = try directory(source.parent)
            guard try directory(destination.parent).linkCount > 0 else {
                throw WorkspaceError(ENOENT)
            }
            guard let moved = try child(source.name, of: source.parent) else {
                throw WorkspaceError(ENOENT)
            }
            let replaced = try child(destination.name, of: destination.parent)
            try refuseFrozen(moved.number, replaced?.number ?? 0)
            try refuseFixed(moved.number, replaced?.number ?? 0)
            if replaced == nil {
                try refuseForged(
                    destination.name, in: destination.parent, isNewDirectory: false)
            }
            try requireNoLoop(moved, under: destination.parent)
            if flags == RenameFlag.exchange {
                guard let replaced else { throw WorkspaceError(ENOENT) }
                try requireNoLoop(replaced, under: source.parent)
                return try exchange(source, moved, destination, replaced)
            }
            if let replaced {
                if flags == RenameFlag.noReplace { throw WorkspaceError(EEXIST) }
                // POSIX: two names of one file stay as they are.
                if replaced.number == moved.number { return }
                if replaced.isDirectory {
                    guard moved.isDirectory else { throw WorkspaceError(EISDIR) }
                    try requireEmpty(replaced)
                } else if moved.isDirectory {
                    throw WorkspaceError(ENOTDIR)
                }
            }
            try move(source, moved, destination, replacing: replaced)
            if leavesWhiteout { try makeWhiteout(at: source, like: moved) }
        }
    }

    /// A character device of number 0:0 (overlayfs's documentation, "whiteouts and opaque
    /// directories").
    private func makeWhiteout(at place: Place, like moved: Inode) throws(WorkspaceError) {
        let now = FileTime.now
        var directory = try directory(place.parent)
        let whiteout = Inode(
            number: inodes.takeNumber(), born: epoch, mode: 0o020000, uid: moved.uid,
            gid: moved.gid, linkCount: 1, size: 0, storedSize: 0, device: 0, parent: 0,
            accessed: now, modified: now, changed: now, hasAttributes: false)
        try add(place.name, child: whiteout.number, to: &directory, now: now)
        inodes.put(directory)
        inodes.put(whiteout)
    }

    private func requireNoLoop(_ moved: Inode, under parent: UInt64) throws(WorkspaceError) {
        guard moved.isDirectory else { return }
        var current = parent
        for _ in 0..<Self.depthMax {
            if current == moved.number { throw WorkspaceError(EINVAL) }
            if current == Inode.root { return }
            current = try inode(current).parent
        }
        throw WorkspaceError(ELOOP, "directory \(parent) does not lead to the root")
    }

    private func move(
        _ source: Place, _ moved: Inode, _ destination: Place, replacing replaced: Inode?
    ) throws(WorkspaceError) {
        let now = FileTime.now
        var from = try directory(source.parent)
        try take(source.name, from: &from, now: now)
        if moved.isDirectory { from.linkCount &-= 1 }
        inodes.put(from)
        var to = try directory(destination.parent)
        if let replaced {
            try take(destination.name, from: &to, now: now)
            if replaced.isDirectory { to.linkCount &-= 1 }
        }
        try add(destination.name, child: moved.number, to: &to, now: now)
        if moved.isDirectory { to.linkCount += 1 }
        inodes.put(to)
        var moved = moved
        moved.changed = now
        if moved.isDirectory { moved.parent = destination.parent }
        inodes.put(moved)
        if let replaced {
            try dropName(of: replaced, now: now)
            try recordFile(.fileRemoved, replaced, in: destination.parent)
        }
    }

    private func exchange(
        _ source: Place, _ first: Inode, _ destination: Place, _ second: Inode
    ) throws(WorkspaceError) {
        let now = FileTime.now
        for (place, old, new) in [(source, first, second), (destination, second, first)] {
            var directory = try directory(place.parent)
            try take(place.name, from: &directory, now: now)
            try add(place.name, child: new.number, to: &directory, now: now)
            if old.isDirectory { directory.linkCount &-= 1 }
            if new.isDirectory { directory.linkCount += 1 }
            inodes.put(directory)
            var inode = try inode(new.number)
            inode.changed = now
            if inode.isDirectory { inode.parent = place.parent }
            inodes.put(inode)
        }
    }

    // MARK: Listing

    /// An entry of a directory as it is listed.
    public struct Listed: Sendable {
        /// The name.
        public let name: [UInt8]
        /// The inode.
        public let inode: Inode
        /// From where a later call goes on after this entry.
        public let next: Int64
    }

    /// Up to `count` entries after the one whose `next` is `cookie`; 0 is the beginning.
    public func entries(
        of number: UInt64, after cookie: Int64, count: Int
    ) throws(WorkspaceError) -> [Listed] {
        try locked { () throws(WorkspaceError) in
            let directory = try directory(number)
            var list: [Listed] = []
            if cookie < 1 { list.append(Listed(name: [0x2e], inode: directory, next: 1)) }
            if cookie < 2 {
                let parent = try inode(directory.parent)
                list.append(Listed(name: [0x2e, 0x2e], inode: parent, next: 2))
            }
            let children = try stored { () throws(StoreError) in
                try names.entries(of: number, after: cookie, count: count)
            }
            for child in children {
                let found = try stored { () throws(StoreError) in try inodes.find(child.child) }
                guard let found else {
                    noteDangling(child, in: number)
                    continue
                }
                list.append(Listed(name: child.name, inode: found, next: child.cookie))
            }
            return list
        }
    }

    /// The target of a symbolic link.
    public func target(of number: UInt64) throws(WorkspaceError) -> [UInt8] {
        try locked { () throws(WorkspaceError) in
            guard try inode(number).isSymbolicLink else { throw WorkspaceError(EINVAL) }
            return try stored { () throws(StoreError) in try attributes.target(of: number) }
        }
    }
}
