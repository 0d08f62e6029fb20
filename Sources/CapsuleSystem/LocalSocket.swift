import CLinux
import Glibc

/// A stream socket between processes of this machine (unix(7)).
public struct LocalSocket: ~Copyable, Sendable {
    private let raw: Int32
    private let name: String

    private init(owning raw: Int32, name: String) {
        self.raw = raw
        self.name = name
    }

    deinit { close(raw) }

    private static func make(_ path: [UInt8]) throws(SystemError) -> LocalSocket {
        let name = String(decoding: path, as: UTF8.self)
        let raw = try retrying("create", name) {
            socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        return LocalSocket(owning: raw, name: name)
    }

    /// Calls bind(2) or connect(2) with an address. Throws ENAMETOOLONG for a path of more than 107
    /// bytes.
    private func withAddress(
        _ path: [UInt8], _ operation: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(errno: ENAMETOOLONG, operation: operation, object: name)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        _ = try retrying(operation, name) {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }

    /// A connection to whoever listens at `path`. Throws `SystemError`.
    public static func connect(to path: [UInt8]) throws(SystemError) -> LocalSocket {
        let made = try make(path)
        let raw = made.raw
        try made.withAddress(path, "connect") { Glibc.connect(raw, $0, $1) }
        return made
    }

    /// Listens at `path`, where nothing may be; only the owner may connect. Throws `SystemError`.
    public static func listen(at path: [UInt8]) throws(SystemError) -> LocalSocket {
        let made = try make(path)
        let raw = made.raw
        let mask = umask(0o177)
        defer { umask(mask) }
        try made.withAddress(path, "bind") { Glibc.bind(raw, $0, $1) }
        _ = try retrying("listen", made.name) { Glibc.listen(raw, 8) }
        return made
    }

    /// The next connection, or nil when there are no more.
    public func accept() -> LocalSocket? {
        while true {
            let next = Glibc.accept(raw, nil, nil)
            if next >= 0 { return LocalSocket(owning: next, name: name) }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EMFILE, ENFILE, ENOMEM, ENOBUFS: usleep(Self.pauseMicroseconds)
            default: return nil
            }
        }
    }

    /// When there is no room for a connection, until it is tried again.
    private static let pauseMicroseconds: UInt32 = 50_000
    /// Bytes that are received at once.
    private static let pieceLengthMax = 64 << 10

    /// Ends `accept` and whatever else waits in another thread.
    public func shutDown() { _ = shutdown(raw, Int32(SHUT_RDWR)) }

    /// The user of the process at the other side, as it was when the two were connected.
    public var peerUserID: UInt32? { UInt32(exactly: clinux_peer_uid(raw)) }

    /// Sends all of `bytes`.
    public func send(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try retrying("send", name) {
                rest.withUnsafeBytes {
                    Glibc.send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Says that nothing more will be sent.
    public func endSending() { _ = shutdown(raw, Int32(SHUT_WR)) }

    /// Exactly `count` bytes, or nil where the other side ends before.
    public func receive(_ count: Int) throws(SystemError) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = try receiveSome(count - bytes.count) else { return nil }
            bytes += more
        }
        return bytes
    }

    /// Everything that the other side sends. Throws EFBIG for more than `limit` bytes.
    public func receiveAll(limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try receiveSome(4096) {
            bytes += more
            guard bytes.count <= limit else {
                throw SystemError(errno: EFBIG, operation: "receive", object: name)
            }
        }
        return bytes
    }

    private func receiveSome(_ count: Int) throws(SystemError) -> [UInt8]? {
        let count = min(count, Self.pieceLengthMax)
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try retrying("receive", name) { read(raw, &bytes, count) }
        return got == 0 ? nil : Array(bytes[..<got])
    }
}
