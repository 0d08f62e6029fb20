import CFuse3
import Glibc

/// The functions that libfuse calls to change something.
extension FuseOperations {
    static func addChanges(_ table: inout fuse_lowlevel_ops) {
        table.forget = { request, node, count in
            guard let request else { return }
            writable(fuse_req_userdata(request)).forget(node: UInt64(node), count: count)
            fuse_reply_none(request)
        }
        table.forget_multi = { request, count, list in
            guard let request, let list else { return }
            let target = writable(fuse_req_userdata(request))
            for item in UnsafeBufferPointer(start: list, count: count) {
                target.forget(node: UInt64(item.ino), count: item.nlookup)
            }
            fuse_reply_none(request)
        }
        table.setattr = { request, node, status, mask, _ in
            guard let status else { return }
            let changes = FuseChanges(status.pointee, mask: mask)
            serve(request) { $0.change($1, node: UInt64(node), changes) }
        }
        addNameChanges(&table)
        addContentChanges(&table)
        addAttributeChanges(&table)
    }

    private static func addNameChanges(_ table: inout fuse_lowlevel_ops) {
        table.mknod = { request, parent, name, mode, device in
            serve(request) {
                $0.makeNode(
                    $1, parent: UInt64(parent), name: bytes(name), mode: mode,
                    device: UInt64(device))
            }
        }
        table.mkdir = { request, parent, name, mode in
            serve(request) {
                $0.makeDirectory($1, parent: UInt64(parent), name: bytes(name), mode: mode)
            }
        }
        table.symlink = { request, target, parent, name in
            serve(request) {
                $0.makeLink(
                    $1, parent: UInt64(parent), name: bytes(name), target: bytes(target))
            }
        }
        table.link = { request, node, parent, name in
            serve(request) {
                $0.link($1, node: UInt64(node), parent: UInt64(parent), name: bytes(name))
            }
        }
        table.unlink = { request, parent, name in
            serve(request) { $0.unlink($1, parent: UInt64(parent), name: bytes(name)) }
        }
        table.rmdir = { request, parent, name in
            serve(request) { $0.removeDirectory($1, parent: UInt64(parent), name: bytes(name)) }
        }
        table.rename = { request, parent, name, newParent, newName, flags in
            serve(request) {
                $0.rename(
                    $1, parent: UInt64(parent), name: bytes(name), newParent: UInt64(newParent),
                    newName: bytes(newName), flags: flags)
            }
        }
    }

    private static func addContentChanges(_ table: inout fuse_lowlevel_ops) {
        table.create = { request, parent, name, mode, info in
            let flags = info?.pointee.flags ?? 0
            serve(request) {
                $0.create(
                    $1, parent: UInt64(parent), name: bytes(name), mode: mode, flags: flags)
            }
        }
        table.open = { request, node, info in
            let flags = info?.pointee.flags ?? 0
            serve(request) { $0.open($1, node: UInt64(node), flags: flags) }
        }
        table.release = { request, node, info in
            let flags = info?.pointee.flags ?? 0
            serve(request) { $0.release($1, node: UInt64(node), flags: flags) }
        }
        table.write = { request, node, start, count, offset, info in
            let isFromCache = capsule_fuse_is_from_cache(info) != 0
            serve(request) {
                $0.write(
                    $1, node: UInt64(node),
                    bytes: UnsafeRawBufferPointer(start: start, count: count),
                    offset: UInt64(offset), isFromCache: isFromCache)
            }
        }
        table.fsync = { request, node, _, _ in
            serve(request) { $0.flush($1, node: UInt64(node)) }
        }
        table.fsyncdir = { request, node, _, _ in
            serve(request) { $0.flush($1, node: UInt64(node)) }
        }
        table.fallocate = { request, node, mode, offset, length, _ in
            serve(request) {
                $0.allocate(
                    $1, node: UInt64(node), mode: mode, offset: UInt64(offset),
                    length: UInt64(length))
            }
        }
        table.copy_file_range = { request, from, offset, _, to, targetOffset, _, length, _ in
            serve(request) {
                $0.copyRange(
                    $1, from: UInt64(from), at: UInt64(offset), to: UInt64(to),
                    at: UInt64(targetOffset), length: UInt64(length))
            }
        }
    }

    private static func addAttributeChanges(_ table: inout fuse_lowlevel_ops) {
        table.setxattr = { request, node, name, value, size, flags in
            serve(request) {
                $0.setAttribute(
                    $1, node: UInt64(node), name: bytes(name),
                    value: UnsafeRawBufferPointer(start: value, count: size), flags: flags)
            }
        }
        table.removexattr = { request, node, name in
            serve(request) {
                $0.removeAttribute($1, node: UInt64(node), name: bytes(name))
            }
        }
    }
}

extension FuseChanges {
    fileprivate init(_ status: stat, mask: Int32) {
        func has(_ bit: Int32) -> Bool { mask & bit != 0 }
        func time(_ value: timespec) -> FuseTime {
            .at(Int64(value.tv_sec), UInt32(value.tv_nsec))
        }
        if has(FUSE_SET_ATTR_MODE) { mode = status.st_mode }
        if has(FUSE_SET_ATTR_UID) { uid = status.st_uid }
        if has(FUSE_SET_ATTR_GID) { gid = status.st_gid }
        if has(FUSE_SET_ATTR_SIZE) { size = UInt64(status.st_size) }
        if has(FUSE_SET_ATTR_ATIME) { accessed = time(status.st_atim) }
        if has(FUSE_SET_ATTR_MTIME) { modified = time(status.st_mtim) }
        if has(FUSE_SET_ATTR_ATIME_NOW) { accessed = .now }
        if has(FUSE_SET_ATTR_MTIME_NOW) { modified = .now }
        if has(FUSE_SET_ATTR_CTIME) { changed = time(status.st_ctim) }
    }
}

// Free functions: a C function pointer cannot carry the context that a method is.

private func writable(_ userdata: UnsafeMutableRawPointer?) -> any WritableFileSystem {
    guard let target = fileSystem(userdata) as? any WritableFileSystem else {
        preconditionFailure("the table of a writable file system serves one")
    }
    return target
}

private func serve(
    _ raw: fuse_req_t?, _ body: (any WritableFileSystem, consuming FuseRequest) -> Void
) {
    guard let raw else { preconditionFailure("a callback has its request") }
    let target = writable(fuse_req_userdata(raw))
    target.willServe()
    body(target, FuseRequest(raw))
}
