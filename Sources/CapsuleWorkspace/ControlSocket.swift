import CLinux
import CapsuleSystem
import Glibc

/// A connected stream socket of this machine, for one request and its answer.
///
/// The socket lies in the workspace's directory, mode 0600, and only the driver's user and root are
/// heard. Paths of sockets are short, so the directory is named by its descriptor.
struct ControlSocket: ~Copyable {
    static let fileName = "control"
    /// A request or an answer, in bytes.
    private static let messageLengthMax = 1 << 20

    private let raw: Int32

    private init(owning raw: Int32) { self.raw = raw }

    deinit { close(raw) }

    private static func make() throws(SystemError) -> Int32 {
        try retrying("create", "a socket") {
            socket(
                AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
    }

    /// Calls bind(2) or connect(2) with the address of the socket in a directory.
    private static func withAddress(
        in path: String, _ operation: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SystemError) {
        let directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let text = Array("/proc/self/fd/\(directory.raw)/\(fileName)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: text) }
        _ = try retrying(operation, "\(path)/\(fileName)") {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }

    /// A connection to the driver of a workspace. Throws ENOENT and ECONNREFUSED where there is
    /// none.
    static func connect(to path: String) throws(SystemError) -> ControlSocket {
        let made = ControlSocket(owning: try make())
        let raw = made.raw
        try withAddress(in: path, "connect") { Glibc.connect(raw, $0, $1) }
        return made
    }

    /// A socket that hears connections, in place of one that a dead driver left.
    static func listen(in path: String) throws(SystemError) -> ControlSocket {
        unlink("\(path)/\(fileName)")
        let made = ControlSocket(owning: try make())
        let raw = made.raw
        let mask = umask(0o177)
        defer { umask(mask) }
        try withAddress(in: path, "bind") { Glibc.bind(raw, $0, $1) }
        _ = try retrying("listen", "\(path)/\(fileName)") { Glibc.listen(raw, 8) }
        return made
    }

    /// The next connection, or nil when there are no more.
    func accept() -> ControlSocket? {
        while true {
            let next = Glibc.accept(raw, nil, nil)
            if next >= 0 { return ControlSocket(owning: next) }
            if errno != EINTR && errno != ECONNABORTED { return nil }
        }
    }

    /// Ends `accept` in another thread.
    func shutDown() { _ = shutdown(raw, Int32(SHUT_RDWR)) }

    /// Whether the other side is the same user as this process, or root.
    var isTrusted: Bool {
        let uid = clinux_peer_uid(raw)
        return uid == 0 || uid == Int64(geteuid())
    }

    /// Sends a message and says that it was the last.
    func send(_ message: [UInt8]) throws(SystemError) {
        var rest = message[...]
        while !rest.isEmpty {
            let count = try retrying("send", "the control socket") {
                rest.withUnsafeBytes {
                    Glibc.send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            }
            rest = rest.dropFirst(count)
        }
        _ = shutdown(raw, Int32(SHUT_WR))
    }

    /// Everything that the other side sends. Throws EFBIG for more than a mebibyte.
    func receive() throws(SystemError) -> [UInt8] {
        var message: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try retrying("receive", "the control socket") {
                read(raw, &chunk, chunk.count)
            }
            if count == 0 { return message }
            guard message.count + count <= Self.messageLengthMax else {
                throw SystemError(errno: EFBIG, operation: "receive", object: "the control socket")
            }
            message += chunk[..<count]
        }
    }
}
