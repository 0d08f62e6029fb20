import CFuse3
import CapsuleSystem
import Glibc

/// Takes requests out of the kernel: one thread at a time, the others stand by.
///
/// To wake a thread costs several times as much as most requests, above all in a virtual machine,
/// whose processor must first be given back to it. So the thread that receives looks for the next
/// request for a moment before it sleeps in the kernel, and it serves short requests itself; only
/// when one may take long does it let another thread receive meanwhile.
final class RequestReceiver: @unchecked Sendable {
    // Sendable because what follows is only used by the thread that has the turn.
    private let raw: OpaquePointer
    private let turn = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    /// Looks in a row that were for nothing.
    private var missCount = 0

    private static let busySeconds = 50e-6
    /// After so many, it only looks now and then.
    private static let missCountMax = 8
    private static let missesPerLook = 32

    init(_ session: OpaquePointer) {
        raw = session
        sem_init(turn, 0, 1)
    }

    deinit {
        sem_destroy(turn)
        turn.deallocate()
    }

    /// Serves requests until the file system is unmounted.
    func serve() {
        var buffer = fuse_buf()
        defer { free(buffer.mem) }
        var hasTurn = false
        while fuse_session_exited(raw) == 0 {
            if !hasTurn {
                takeTurn()
                hasTurn = true
                continue
            }
            lookBusily()
            let result = fuse_session_receive_buf(raw, &buffer)
            if result == -EINTR { continue }
            if result <= 0 { break }
            if Self.mayTakeLong(buffer, Int(result)) {
                hasTurn = false
                sem_post(turn)
            }
            fuse_session_process_buf(raw, &buffer)
        }
        fuse_session_exit(raw)
        if hasTurn { sem_post(turn) }
    }

    private func takeTurn() {
        while sem_wait(turn) != 0 {}
    }

    private func lookBusily() {
        guard missCount < Self.missCountMax || missCount % Self.missesPerLook == 0 else {
            missCount += 1
            return
        }
        var device = pollfd(fd: fuse_session_fd(raw), events: Int16(POLLIN), revents: 0)
        let end = Environment.monotonicSeconds() + Self.busySeconds
        repeat {
            if poll(&device, 1, 0) != 0 {
                missCount = 0
                return
            }
        } while Environment.monotonicSeconds() < end
        missCount += 1
    }

    /// Whether others shall not wait for a request: of the rest none waits for another request.
    private static func mayTakeLong(_ buffer: fuse_buf, _ length: Int) -> Bool {
        guard let memory = buffer.mem, length >= 8 else { return true }
        // The head of a request: its length, then the number of the operation.
        let operation = memory.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        return !shortOperations.contains(operation)
    }

    /// By the numbers of the kernel's fuse.h: lookup, forget, getattr, setattr, symlink, mknod,
    /// mkdir, unlink, rmdir, rename, link, open, release, setxattr, getxattr, listxattr,
    /// removexattr, opendir, releasedir, access, create, batch forget and rename2.
    private static let shortOperations: Set<UInt32> = [
        1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 13, 14, 18, 21, 22, 23, 24, 27, 29, 34, 35, 42, 45,
    ]
}
