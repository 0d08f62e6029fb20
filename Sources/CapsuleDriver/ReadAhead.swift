import CapsuleAccess
import Glibc

/// The kernel reads 128 KiB ahead on FUSE unless root asks for more.
///
/// A request has at most 1 MiB. With several of them under way at once all cores decrypt while the
/// reader copies; measured in `tools/bench`.
enum ReadAhead {
    private static let kibibytes = 4096

    /// Raises the read-ahead of the mount, where this process may.
    static func raise(mountPoint: String) {
        guard let device = MountTable.device(of: mountPoint) else { return }
        let file = open("/sys/class/bdi/\(device)/read_ahead_kb", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let text = "\(kibibytes)\n"
        _ = write(file, text, text.utf8.count)
    }
}
