import CapsuleSystem
import Glibc

/// Where the driver of a mounted workspace is spoken to.
///
/// The socket lies in the workspace's directory, mode 0600, and only the driver's user and root are
/// heard. Paths of sockets are short, so the directory is named by its descriptor.
enum ControlSocket {
    static let fileName = "control"

    private static func withPath<Result: ~Copyable>(
        in directory: String, _ body: ([UInt8]) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let directory = try Descriptor.open(directory, O_RDONLY | O_DIRECTORY)
        return try body(Array("/proc/self/fd/\(directory.raw)/\(fileName)".utf8))
    }

    /// Throws ENOENT and ECONNREFUSED where no driver is.
    static func connect(to path: String) throws(SystemError) -> LocalSocket {
        try withPath(in: path) { address throws(SystemError) in
            try LocalSocket.connect(to: address)
        }
    }

    /// Listens, in place of a dead driver whose socket is still there.
    static func listen(in path: String) throws(SystemError) -> LocalSocket {
        unlink("\(path)/\(fileName)")
        return try withPath(in: path) { address throws(SystemError) in
            try LocalSocket.listen(at: address)
        }
    }
}
