import CapsuleSystem
import Glibc

/// Takes mounts away: by system call as root, else through fusermount3.
public enum Unmounter {
    private static let retryCount = 10
    private static let retryPauseMicroseconds: UInt32 = 20_000

    /// Returns whether it is gone. `lazily` detaches a mount that is in use.
    @discardableResult
    public static func unmount(_ path: String, lazily: Bool) -> Bool {
        if Environment.isRoot {
            // Whoever looked at it a moment ago may not have let go of it yet.
            for _ in 0..<retryCount {
                // UMOUNT_NOFOLLOW (8): a mount point is never a link. MNT_DETACH is 2.
                if umount2(path, lazily ? 2 | 8 : 8) == 0 { return true }
                guard errno == EBUSY else { return false }
                usleep(retryPauseMicroseconds)
            }
            return false
        }
        let words = ["fusermount3", "-u"] + (lazily ? ["-z"] : []) + ["--", path]
        return (try? ChildProcess.run(words)) == 0
    }

    /// Whether a capsule is mounted at a path, by the table of mounts: a mount whose driver has
    /// died answers no other question.
    public static func isCapsule(at path: String) -> Bool {
        guard let table = fopen("/proc/self/mountinfo", "re") else { return false }
        defer { fclose(table) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        // A dead mount cannot be resolved, but its directory can.
        let (parent, base) = AtomicFile.split(
            path.count > 1 && path.hasSuffix("/")
                ? String(path.dropLast()) : path)
        var place = path
        if let resolved = realpath(parent, nil) {
            place = String(cString: resolved) + "/" + base
            free(resolved)
        }
        let wanted = MountTable.escape(place)
        // Where mounts lie over each other, the last line is the one that can be seen.
        var isCapsule = false
        while getline(&line, &capacity, table) > 0, let line {
            let fields = String(cString: line).split(separator: " ")
            guard fields.count > 4, fields[4] == wanted,
                let separator = fields.firstIndex(of: "-"), fields.count > separator + 1
            else { continue }
            isCapsule = fields[separator + 1] == "fuse.capsulefs"
        }
        return isCapsule
    }
}
