import CapsuleSystem
import Glibc

/// Takes mounts away: by system call as root, else through fusermount3.
public enum Unmounter {
    /// Returns whether it is gone. `lazily` detaches a mount that is in use.
    @discardableResult
    public static func unmount(_ path: String, lazily: Bool) -> Bool {
        if Environment.isRoot {
            // UMOUNT_NOFOLLOW (8): a mount point is never a link. MNT_DETACH is 2.
            return umount2(path, lazily ? 2 | 8 : 8) == 0
        }
        let words = ["fusermount3", "-u"] + (lazily ? ["-z"] : []) + ["--", path]
        return (try? ChildProcess.run(words)) == 0
    }
}
