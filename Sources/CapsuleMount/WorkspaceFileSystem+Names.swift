import CapsuleWorkspace
import FuseKit
import Glibc

extension WorkspaceFileSystem: WritableFileSystem {
    private func new(_ mode: UInt32, for request: borrowing FuseRequest) -> NewInode {
        let caller = request.caller
        return NewInode(mode: mode, umask: caller.umask, uid: caller.uid, gid: caller.gid)
    }

    private func make(
        _ request: consuming FuseRequest, _ new: NewInode, parent: UInt64,
        name: UnsafeRawBufferPointer
    ) {
        if isFixed(name, in: parent) { return request.fail(EROFS) }
        do throws(WorkspaceError) {
            let inode = try tree.make(new, named: Array(name), in: parent)
            tell(request, inode)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `WritableFileSystem` says.
    public func forget(node: UInt64, count: UInt64) { tree.forget(node, count: count) }

    /// As `WritableFileSystem` says.
    public func makeNode(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer,
        mode: UInt32, device: UInt64
    ) {
        var new = new(mode, for: request)
        new.device = device
        make(request, new, parent: parent, name: name)
    }

    /// As `WritableFileSystem` says.
    public func makeDirectory(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer,
        mode: UInt32
    ) {
        let new = new(mode & ~Inode.Kind.mask | Inode.Kind.directory, for: request)
        make(request, new, parent: parent, name: name)
    }

    /// As `WritableFileSystem` says.
    public func makeLink(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer,
        target: UnsafeRawBufferPointer
    ) {
        var new = new(Inode.Kind.symbolicLink | 0o777, for: request)
        new.target = Array(target)
        make(request, new, parent: parent, name: name)
    }

    /// As `WritableFileSystem` says.
    public func create(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer,
        mode: UInt32, flags: Int32
    ) {
        if isFixed(name, in: parent) { return request.fail(EROFS) }
        let new = new(mode & ~Inode.Kind.mask | Inode.Kind.regular, for: request)
        do throws(WorkspaceError) {
            let inode = try tree.make(new, named: Array(name), in: parent)
            tree.didTell(inode.number)
            tree.didOpen(inode.number, isWriting: Self.isWriting(flags))
            request.reply(created: entry(inode), flags: flags)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `WritableFileSystem` says.
    public func link(
        _ request: consuming FuseRequest, node: UInt64, parent: UInt64,
        name: UnsafeRawBufferPointer
    ) {
        if isFixed(name, in: parent) || StateViews.owns(node) { return request.fail(EROFS) }
        do throws(WorkspaceError) {
            let inode = try tree.link(node, as: Array(name), in: parent)
            tell(request, inode)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `WritableFileSystem` says.
    public func unlink(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer
    ) {
        if isFixed(name, in: parent) { return request.fail(EROFS) }
        do throws(WorkspaceError) {
            try tree.unlink(Array(name), in: parent)
            request.fail(0)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `WritableFileSystem` says.
    public func removeDirectory(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer
    ) {
        if isFixed(name, in: parent) { return request.fail(EROFS) }
        do throws(WorkspaceError) {
            try tree.removeDirectory(Array(name), in: parent)
            request.fail(0)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `WritableFileSystem` says.
    public func rename(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer,
        newParent: UInt64, newName: UnsafeRawBufferPointer, flags: UInt32
    ) {
        if isFixed(name, in: parent) || isFixed(newName, in: newParent) {
            return request.fail(EROFS)
        }
        do throws(WorkspaceError) {
            try tree.rename(
                LiveTree.Place(Array(name), in: parent),
                to: LiveTree.Place(Array(newName), in: newParent), flags: flags)
            request.fail(0)
        } catch {
            request.fail(error.errno)
        }
    }
}
