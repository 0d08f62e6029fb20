import CFuse3
import CapsuleSystem
import Glibc
import Synchronization

/// Takes requests out of the kernel: one thread at a time, the others stand by.
///
/// To wake a thread costs several times as much as most requests, above all in a virtual machine,
/// whose processor must first be given back to it. So the thread that receives looks for the next
/// request for a moment before it sleeps in the kernel, and it serves short requests itself; only
/// when one may take long does it let another thread receive meanwhile. A small transfer of bytes
/// or names counts as short while those before it were, and nobody waits for another request.
final class RequestReceiver: @unchecked Sendable {
    // Sendable because what follows is only used by the thread that has the turn, but for what is
    // atomic.
    private let raw: OpaquePointer
    private let turn = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    /// Looks in a row that were for nothing.
    private var missCount = 0
    /// Small transfers to come that are taken for long ones, because one was.
    private let slowTransfers = Atomic(0)

    private static let busySeconds = 50e-6
    /// After so many, it only looks now and then.
    private static let missCountMax = 8
    private static let missesPerLook = 32
    /// A transfer of at most so many bytes is small.
    private static let smallBytes: UInt32 = 64 << 10
    /// A small one that takes longer waits for a disk.
    private static let slowSeconds = 200e-6
    private static let slowTransfersAfterOne = 32

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
            let kind = Self.kind(of: buffer, Int(result))
            if kind == .long || kind == .smallTransfer && shallHandOver() {
                hasTurn = false
                sem_post(turn)
            }
            if kind == .smallTransfer {
                processTransfer(&buffer)
            } else {
                fuse_session_process_buf(raw, &buffer)
            }
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
        let end = Environment.monotonicSeconds() + Self.busySeconds
        repeat {
            if isAnyWaiting() {
                missCount = 0
                return
            }
        } while Environment.monotonicSeconds() < end
        missCount += 1
    }

    private func isAnyWaiting() -> Bool {
        var device = pollfd(fd: fuse_session_fd(raw), events: Int16(POLLIN), revents: 0)
        return poll(&device, 1, 0) != 0
    }

    /// Whether another thread receives the next request while a small transfer is served.
    private func shallHandOver() -> Bool {
        slowTransfers.load(ordering: .relaxed) > 0 || isAnyWaiting()
    }

    /// Serves a small transfer, and remembers whether it was short.
    private func processTransfer(_ buffer: inout fuse_buf) {
        let start = Environment.monotonicSeconds()
        fuse_session_process_buf(raw, &buffer)
        if Environment.monotonicSeconds() - start > Self.slowSeconds {
            slowTransfers.store(Self.slowTransfersAfterOne, ordering: .relaxed)
        } else if slowTransfers.load(ordering: .relaxed) > 0 {
            slowTransfers.subtract(1, ordering: .relaxed)
        }
    }

    private enum Kind {
        /// None of these waits for another request: others may wait for it.
        case short
        case smallTransfer
        case long
    }

    private static func kind(of buffer: fuse_buf, _ length: Int) -> Kind {
        guard let memory = buffer.mem, length >= 8 else { return .long }
        // The head of a request: its length, then the number of the operation.
        let operation = memory.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        if transfers.contains(operation), length >= transferSizeOffset + 4 {
            let size = memory.loadUnaligned(fromByteOffset: transferSizeOffset, as: UInt32.self)
            return size <= smallBytes ? .smallTransfer : .long
        }
        return shortOperations.contains(operation) ? .short : .long
    }

    /// By the same numbers: read, write, readdir and readdirplus.
    private static let transfers: Set<UInt32> = [15, 16, 28, 44]
    /// Of the number of bytes wanted: after the head (40 bytes), the handle and the offset.
    private static let transferSizeOffset = 56

    /// By the numbers of the kernel's fuse.h: lookup, forget, getattr, setattr, symlink, mknod,
    /// mkdir, unlink, rmdir, rename, link, open, release, setxattr, getxattr, listxattr,
    /// removexattr, opendir, releasedir, access, create, batch forget and rename2.
    private static let shortOperations: Set<UInt32> = [
        1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 13, 14, 18, 21, 22, 23, 24, 27, 29, 34, 35, 42, 45,
    ]
}
