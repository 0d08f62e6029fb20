import CapsuleWorkspace
import FuseKit
import Glibc

extension WorkspaceFileSystem {
    static func isWriting(_ flags: Int32) -> Bool { flags & O_ACCMODE != O_RDONLY }

    /// As `WritableFileSystem` says.
    public func open(_ request: consuming FuseRequest, node: UInt64, flags: Int32) {
        if StateViews.owns(node), Self.isWriting(flags) { return request.fail(EROFS) }
        if !StateViews.owns(node) {
            // What cannot be recorded must not happen.
            do throws(WorkspaceError) {
                try tree.noteOpened(node, isWriting: Self.isWriting(flags))
            } catch {
                return request.fail(error.errno)
            }
        }
        tree.didOpen(node, isWriting: Self.isWriting(flags))
        request.replyOpened(flags: flags)
    }

    /// As `WritableFileSystem` says.
    public func release(_ request: consuming FuseRequest, node: UInt64, flags: Int32) {
        tree.didClose(node, isWriting: Self.isWriting(flags))
        request.fail(0)
    }

    /// As `FuseFileSystem` says.
    public func read(_ request: consuming FuseRequest, node: UInt64, size: Int, offset: UInt64) {
        if let view = views.view(of: node) {
            return view.read(request, node: node, size: size, offset: offset)
        }
        if StateViews.owns(node) {
            do throws(WorkspaceError) {
                guard
                    let bytes = try views.generated.read(node, size: size, offset: offset)
                else { return request.fail(ESTALE) }
                return request.reply(value: bytes)
            } catch {
                return request.fail(error.errno)
            }
        }
        let buffer = buffers.take(size)
        defer { buffers.give(buffer) }
        do throws(WorkspaceError) {
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
            let count = try tree.read(node, at: offset, into: target)
            request.reply(UnsafeRawBufferPointer(rebasing: target[..<count]))
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `WritableFileSystem` says.
    public func write(
        _ request: consuming FuseRequest, node: UInt64, bytes: UnsafeRawBufferPointer,
        offset: UInt64, isFromCache: Bool
    ) {
        do throws(WorkspaceError) {
            try tree.write(node, at: offset, bytes, keepsTimes: isFromCache)
            request.reply(written: bytes.count)
        } catch {
            request.fail(error.errno)
            if error.errno == EROFS { dropPages(of: node) }
        }
    }

    /// As `WritableFileSystem` says.
    public func flush(_ request: consuming FuseRequest, node: UInt64) {
        do throws(WorkspaceError) {
            try tree.commit()
            request.fail(0)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `WritableFileSystem` says.
    public func allocate(
        _ request: consuming FuseRequest, node: UInt64, mode: Int32, offset: UInt64,
        length: UInt64
    ) {
        do throws(WorkspaceError) {
            let (end, isTooLong) = offset.addingReportingOverflow(length)
            guard !isTooLong else { return request.fail(EFBIG) }
            let inode = try tree.attributes(of: node)
            // The kernel drops the bits of programs only where a group may run them.
            let isStranger =
                inode.mode & 0o2010 == 0o2000 && !request.isCallerPrivileged(in: inode.gid)
            // What is behind the present end is new for certain.
            let added = end - min(end, max(offset, inode.size))
            if mode & LiveTree.AllocationFlag.anyHole == 0, try freeSpace() < added {
                return request.fail(ENOSPC)
            }
            try tree.allocate(
                node, mode: mode, range: offset..<end, dropsSetGroupID: isStranger)
            if isStranger { forgetAttributes(of: node) }
            request.fail(0)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `WritableFileSystem` says.
    public func copyRange(
        _ request: consuming FuseRequest, from: UInt64, at offset: UInt64, to: UInt64,
        at targetOffset: UInt64, length: UInt64
    ) {
        // The caller copies by itself then.
        if StateViews.owns(from) { return request.fail(EOPNOTSUPP) }
        do throws(WorkspaceError) {
            let count = try tree.share(
                from, at: offset, with: to, at: targetOffset, count: length)
            request.reply(written: Int(count))
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `FuseFileSystem` says.
    public func seek(
        _ request: consuming FuseRequest, node: UInt64, offset: Int64, whence: Int32
    ) {
        if let view = views.view(of: node) {
            return view.seek(request, node: node, offset: offset, whence: whence)
        }
        // The caller takes all of it for data then.
        if StateViews.owns(node) { return request.fail(EINVAL) }
        guard whence == SeekKind.data || whence == SeekKind.hole else {
            return request.fail(EINVAL)
        }
        guard offset >= 0 else { return request.fail(ENXIO) }
        // The kernel does not write back before it asks. Who is told that this does not work reads
        // everything.
        if tree.mayBeDirty(node), !writeBack(node) { return request.fail(EINVAL) }
        do throws(WorkspaceError) {
            let place = try tree.seek(
                node, from: UInt64(offset), toHole: whence == SeekKind.hole)
            guard let place else { return request.fail(ENXIO) }
            request.reply(offset: Int64(place))
        } catch {
            request.fail(error.errno)
        }
    }

    // MARK: Extended attributes

    /// As `FuseFileSystem` says.
    public func attribute(
        _ request: consuming FuseRequest, node: UInt64, name: UnsafeRawBufferPointer, size: Int
    ) {
        if let view = views.view(of: node) {
            return view.attribute(request, node: node, name: name, size: size)
        }
        if StateViews.owns(node) { return request.fail(ENODATA) }
        do throws(WorkspaceError) {
            let value = try tree.attribute(Array(name), of: node)
            Self.reply(request, value, room: size)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `FuseFileSystem` says.
    public func listAttributes(_ request: consuming FuseRequest, node: UInt64, size: Int) {
        if let view = views.view(of: node) {
            return view.listAttributes(request, node: node, size: size)
        }
        if StateViews.owns(node) { return Self.reply(request, [], room: size) }
        do throws(WorkspaceError) {
            let names = try tree.attributeNames(of: node)
            Self.reply(request, names.flatMap { $0 + [0] }, room: size)
        } catch {
            request.fail(error.errno)
        }
    }

    private static func reply(_ request: consuming FuseRequest, _ bytes: [UInt8], room: Int) {
        if room == 0 { return request.reply(attributeSize: bytes.count) }
        if room < bytes.count { return request.fail(ERANGE) }
        request.reply(value: bytes)
    }

    /// As `WritableFileSystem` says.
    public func setAttribute(
        _ request: consuming FuseRequest, node: UInt64, name: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer, flags: Int32
    ) {
        if StateViews.owns(node) { return request.fail(EROFS) }
        do throws(WorkspaceError) {
            let owner = try tree.attributes(of: node).gid
            try tree.setAttribute(
                Array(name), to: Array(value), of: node, condition: flags,
                keepsSetGroupID: request.isCallerPrivileged(in: owner))
            request.fail(0)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `WritableFileSystem` says.
    public func removeAttribute(
        _ request: consuming FuseRequest, node: UInt64, name: UnsafeRawBufferPointer
    ) {
        if StateViews.owns(node) { return request.fail(EROFS) }
        do throws(WorkspaceError) {
            try tree.removeAttribute(Array(name), of: node)
            request.fail(0)
        } catch {
            request.fail(error.errno)
        }
    }
}
