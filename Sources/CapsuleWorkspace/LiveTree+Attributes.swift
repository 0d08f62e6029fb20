import CapsuleStore
import CapsuleSystem
import Glibc

/// What chmod(2), chown(2), truncate(2) and utimensat(2) change.
public struct AttributeChanges: Sendable {
    /// Permission bits.
    public var mode: UInt32?
    /// The owner.
    public var uid: UInt32?
    /// The group.
    public var gid: UInt32?
    /// The size of a file.
    public var size: UInt64?
    /// The time of access.
    public var accessed: FileTime?
    /// The time of the content's change.
    public var modified: FileTime?
    /// The time of the inode's change, where the kernel keeps it.
    public var changed: FileTime?

    /// No changes.
    public init() {}
}

/// What setxattr(2) does where a name is there, or is not.
public enum AttributeCondition {
    /// Sets it either way.
    public static let none: Int32 = 0
    /// EEXIST where it is there.
    public static let create: Int32 = 1
    /// ENODATA where it is not.
    public static let replace: Int32 = 2
}

extension LiveTree {
    private static let permissionMask: UInt32 = 0o7777
    /// Linux's own limit.
    private static let valueLengthMax = 65536

    /// Changes an inode. Who may do that is the kernel's decision.
    public func change(
        _ number: UInt64, _ changes: AttributeChanges
    ) throws(WorkspaceError) -> Inode {
        try changing { () throws(WorkspaceError) in
            try refuseFrozen(number)
            var inode = try inode(number)
            let now = FileTime.now
            if let size = changes.size {
                if isReplacing { throw WorkspaceError(EBUSY) }
                try truncate(&inode, to: size)
                inode.modified = now
            }
            if let mode = changes.mode {
                inode.mode = inode.mode & Inode.Kind.mask | mode & Self.permissionMask
                try adaptAccessList(of: inode)
            }
            inode.uid = changes.uid ?? inode.uid
            inode.gid = changes.gid ?? inode.gid
            inode.accessed = changes.accessed ?? inode.accessed
            inode.modified = changes.modified ?? inode.modified
            inode.changed = changes.changed ?? now
            inodes.put(inode)
            return inode
        }
    }

    // MARK: Access control lists

    private func accessList(
        _ name: [UInt8], of inode: Inode
    ) throws(WorkspaceError) -> AccessControlList? {
        guard inode.hasAttributes else { return nil }
        let value = try stored { () throws(StoreError) in
            try attributes.value(name, of: inode.number)
        }
        return value.flatMap { AccessControlList($0) }
    }

    private func adaptAccessList(of inode: Inode) throws(WorkspaceError) {
        guard var list = try accessList(AccessControlList.accessName, of: inode) else { return }
        list.set(mode: inode.mode)
        try set(AccessControlList.accessName, list.encoded, of: inode)
    }

    private func set(
        _ name: [UInt8], _ value: [UInt8], of inode: Inode
    ) throws(WorkspaceError) {
        try stored { () throws(StoreError) in
            try attributes.set(name, value, of: inode.number, epoch: epoch)
        }
    }

    /// Gives a new inode the permissions that its directory's default list, or else the umask,
    /// leaves it (acl(5), "OBJECT CREATION AND DEFAULT ACLs").
    func inheritAccess(
        _ inode: inout Inode, from directory: Inode, umask: UInt32
    ) throws(WorkspaceError) {
        if inode.isSymbolicLink { return }
        guard var list = try accessList(AccessControlList.defaultName, of: directory) else {
            inode.mode &= ~(umask & 0o777)
            return
        }
        if inode.isDirectory {
            try set(AccessControlList.defaultName, list.encoded, of: inode)
            inode.hasAttributes = true
        }
        list.limit(to: inode.mode)
        inode.mode = inode.mode & ~0o777 | list.mode
        if !list.isMinimal {
            try set(AccessControlList.accessName, list.encoded, of: inode)
            inode.hasAttributes = true
        }
    }

    // MARK: Extended attributes

    /// The value of an extended attribute. Throws ENODATA.
    public func attribute(
        _ name: [UInt8], of number: UInt64
    ) throws(WorkspaceError) -> [UInt8] {
        try locked { () throws(WorkspaceError) in
            guard try inode(number).hasAttributes else { throw WorkspaceError(ENODATA) }
            let value = try stored { () throws(StoreError) in
                try attributes.value(name, of: number)
            }
            guard let value else { throw WorkspaceError(ENODATA) }
            return value
        }
    }

    /// The names of the extended attributes.
    public func attributeNames(of number: UInt64) throws(WorkspaceError) -> [[UInt8]] {
        try locked { () throws(WorkspaceError) in
            guard try inode(number).hasAttributes else { return [] }
            return try stored { () throws(StoreError) in try attributes.names(of: number) }
        }
    }

    /// Sets an extended attribute; an access list also sets the mode that it amounts to.
    public func setAttribute(
        _ name: [UInt8], to value: [UInt8], of number: UInt64, condition: Int32,
        keepsSetGroupID: Bool = true
    ) throws(WorkspaceError) {
        try changing(grows: true) { () throws(WorkspaceError) in
            try refuseFrozen(number)
            var inode = try inode(number)
            guard value.count <= Self.valueLengthMax else { throw WorkspaceError(E2BIG) }
            let present = try stored { () throws(StoreError) in
                inode.hasAttributes ? try attributes.value(name, of: number) : nil
            }
            if condition == AttributeCondition.create, present != nil {
                throw WorkspaceError(EEXIST)
            }
            if condition == AttributeCondition.replace, present == nil {
                throw WorkspaceError(ENODATA)
            }
            inode.changed = FileTime.now
            if name == AccessControlList.accessName {
                guard let list = AccessControlList(value) else { throw WorkspaceError(EINVAL) }
                inode.mode = inode.mode & ~0o777 | list.mode
                // As chmod(2) does for a caller who is not in the group.
                if !keepsSetGroupID { inode.mode &= ~0o2000 }
                if list.isMinimal {
                    inodes.put(inode)
                    if present != nil { try remove(name, from: inode) }
                    return
                }
            }
            try set(name, value, of: inode)
            inode.hasAttributes = true
            inodes.put(inode)
        }
    }

    private func remove(_ name: [UInt8], from inode: Inode) throws(WorkspaceError) {
        try stored { () throws(StoreError) in
            try attributes.remove(name, of: inode.number, epoch: epoch)
        }
    }

    /// Removes an extended attribute. Throws ENODATA.
    public func removeAttribute(
        _ name: [UInt8], of number: UInt64
    ) throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in
            try refuseFrozen(number)
            var inode = try inode(number)
            let present = try stored { () throws(StoreError) in
                inode.hasAttributes ? try attributes.value(name, of: number) : nil
            }
            guard present != nil else { throw WorkspaceError(ENODATA) }
            try remove(name, from: inode)
            let left = try stored { () throws(StoreError) in
                try attributes.names(of: number)
            }
            inode.hasAttributes = !left.isEmpty
            inode.changed = FileTime.now
            inodes.put(inode)
        }
    }
}
