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
        return run(["fusermount3", "-u"] + (lazily ? ["-z"] : []) + ["--", path]) == 0
    }

    private static func run(_ words: [String]) -> Int32 {
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        var child = pid_t()
        guard posix_spawnp(&child, words[0], nil, nil, &argv, environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status
    }
}
