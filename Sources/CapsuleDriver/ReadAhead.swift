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
        guard let device = device(of: mountPoint) else { return }
        let file = open("/sys/class/bdi/\(device)/read_ahead_kb", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let text = "\(kibibytes)\n"
        _ = write(file, text, text.utf8.count)
    }

    /// `major:minor` of the mount, from the table of mounts: stat(2) would ask the file system,
    /// which does not answer yet. The last line counts where mounts lie over each other.
    private static func device(of mountPoint: String) -> Substring? {
        guard let table = fopen("/proc/self/mountinfo", "re") else { return nil }
        defer { fclose(table) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        var found: Substring?
        while getline(&line, &capacity, table) > 0, let line {
            let fields = String(cString: line).split(separator: " ")
            if fields.count > 4, MountTable.unescape(fields[4]) == mountPoint { found = fields[2] }
        }
        return found
    }
}
