import CFuse3
import CapsuleSystem
import Glibc

/// The functions that libfuse calls: each turns raw arguments into a call of the file system.
enum FuseOperations {
    static func table(for target: any FuseFileSystem) -> fuse_lowlevel_ops {
        var table = fuse_lowlevel_ops()
        table.`init` = { userdata, connection in
            guard let connection else { return }
            let target = fileSystem(userdata)
            target.start(FuseConnection(connection))
            target.didStart()
        }
        addNames(&table)
        addContents(&table)
        if target is any WritableFileSystem { addChanges(&table) }
        return table
    }

    private static func addNames(_ table: inout fuse_lowlevel_ops) {
        table.lookup = { request, parent, name in
            serve(request) { $0.lookup($1, parent: UInt64(parent), name: bytes(name)) }
        }
        table.getattr = { request, node, _ in
            serve(request) { $0.attributes($1, node: UInt64(node)) }
        }
        table.readlink = { request, node in
            serve(request) { $0.readLink($1, node: UInt64(node)) }
        }
        table.readdir = { request, node, size, offset, _ in
            serve(request) {
                $0.readDirectory(
                    $1, node: UInt64(node), size: size, offset: Int64(offset), isPlus: false)
            }
        }
        table.readdirplus = { request, node, size, offset, _ in
            serve(request) {
                $0.readDirectory(
                    $1, node: UInt64(node), size: size, offset: Int64(offset), isPlus: true)
            }
        }
        table.statfs = { request, _ in serve(request) { $0.facts($1) } }
    }

    private static func addContents(_ table: inout fuse_lowlevel_ops) {
        // libfuse answers both with success where they are missing.
        table.open = { request, node, _ in serve(request) { $0.open($1, node: UInt64(node)) } }
        table.opendir = { request, node, _ in serve(request) { $0.open($1, node: UInt64(node)) } }
        table.read = { request, node, size, offset, _ in
            serve(request) {
                $0.read($1, node: UInt64(node), size: size, offset: UInt64(offset))
            }
        }
        table.getxattr = { request, node, name, size in
            serve(request) {
                $0.attribute($1, node: UInt64(node), name: bytes(name), size: size)
            }
        }
        table.listxattr = { request, node, size in
            serve(request) { $0.listAttributes($1, node: UInt64(node), size: size) }
        }
        table.lseek = { request, node, offset, whence, _ in
            serve(request) {
                $0.seek($1, node: UInt64(node), offset: Int64(offset), whence: whence)
            }
        }
    }
}

// Free functions: a C function pointer cannot carry the context that a method is.

func fileSystem(_ userdata: UnsafeMutableRawPointer?) -> any FuseFileSystem {
    guard let userdata else { preconditionFailure("a session has its file system") }
    return Unmanaged<FuseSession.FileSystemBox>.fromOpaque(userdata)
        .takeUnretainedValue().fileSystem
}

private func serve(
    _ raw: fuse_req_t?, _ body: (any FuseFileSystem, consuming FuseRequest) -> Void
) {
    guard let raw else { preconditionFailure("a callback has its request") }
    let target = fileSystem(fuse_req_userdata(raw))
    target.willServe()
    body(target, FuseRequest(raw))
}

func bytes(_ text: UnsafePointer<CChar>?) -> UnsafeRawBufferPointer {
    guard let text else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: text, count: strlen(text))
}
