import CapsuleAccess
import CapsuleSystem
import Glibc
import Synchronization

/// Tells whoever waits that the mount answers; and the waiting side of it.
///
/// `capsulefs` without `-f` runs itself again in the background with a pipe, and returns when the
/// child says that it is ready or ends: so its exit code is the child's, and no thread is ever
/// forked. The child keeps the terminal until then, to ask for a passphrase.
final class Readiness: Sendable {
    private static let variable = "CAPSULEFS_READY_FD"
    private let notifyDescriptor: Int32?
    private let readyDescriptor: Int32?
    private let isDone = Atomic(false)

    init(_ options: DriverOptions) {
        notifyDescriptor = options.notifyDescriptor
        readyDescriptor = Self.inherited
    }

    private static var inherited: Int32? {
        guard let value = Environment.variable(variable) else { return nil }
        return Int32(String(decoding: value, as: UTF8.self))
    }

    /// Whether this process is the background child.
    static var isChild: Bool { inherited != nil }

    /// Says once that the mount answers, and lets go of the terminal.
    func announce() {
        guard !isDone.exchange(true, ordering: .acquiringAndReleasing) else { return }
        notifySupervisor()
        if let notifyDescriptor {
            write(notifyDescriptor, "READY=1\n", 8)
            close(notifyDescriptor)
        }
        guard let readyDescriptor else { return }
        // Not the leader of its process group, so this succeeds and detaches from the terminal.
        setsid()
        chdir("/")
        let null = open("/dev/null", O_RDWR)
        if null >= 0 {
            for target in Int32(0)...2 { dup2(null, target) }
            if null > 2 { close(null) }
        }
        write(readyDescriptor, "1", 1)
        close(readyDescriptor)
    }

    /// sd_notify(3): a datagram to the socket that systemd names.
    private func notifySupervisor() {
        guard let path = Environment.variable("NOTIFY_SOCKET"), !path.isEmpty else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.count < room else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            target.copyBytes(from: path)
            // A name that begins with @ is abstract: its first byte is NUL.
            if path[0] == UInt8(ascii: "@") { target[0] = 0 }
        }
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = sendto(socket, "READY=1", 7, 0, generic, length)
            }
        }
    }

    /// The program's own file, by the name that ps shall show.
    private static var executablePath: String {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        guard count > 0 else { return "/proc/self/exe" }
        let name = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // A program replaced while it runs has no name any more.
        return access(name, X_OK) == 0 ? name : "/proc/self/exe"
    }

    /// Runs this program again in the background and waits until it is ready or has ended.
    static func runInBackground(_ arguments: [String]) throws(AccessError) -> Int32 {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw AccessError(SystemError.last("make", "a pipe")) }
        defer { close(ends[0]) }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        let words = CommandLine.arguments.prefix(1) + arguments
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        setenv(variable, "\(ends[1])", 1)
        // A crash must not print what is in memory, and least of all on a terminal.
        setenv("SWIFT_BACKTRACE", "enable=no", 1)
        var child = pid_t()
        let status = posix_spawn(&child, executablePath, nil, nil, &argv, environ)
        close(ends[1])
        guard status == 0 else {
            throw AccessError(
                SystemError(errno: status, operation: "start", object: "the driver"))
        }
        var byte: UInt8 = 0
        var count = 0
        repeat { count = read(ends[0], &byte, 1) } while count < 0 && errno == EINTR
        if count == 1 { return 0 }
        var exit: Int32 = 0
        while waitpid(child, &exit, 0) < 0 && errno == EINTR {}
        // The two macros of wait(2) that do not import.
        let signal = exit & 0x7f
        return signal == 0 ? (exit >> 8) & 0xff : 2
    }
}
