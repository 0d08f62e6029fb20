"""What the programs ask of the system: no network, no traces of secrets."""

import os
import re
import unittest

import support
from support import CAPSULE, CAPSULEFS, CHEAP


@support.needs_root
@support.needs_fuse
class Network(support.EndToEnd):
    """No verb opens a network socket."""

    def traced(self, words, rc=0):
        """Runs a command under strace; no socket may be of another family than AF_UNIX."""
        log = self.path("strace.log")
        self.run_command(
            ["strace", "-f", "-qq", "-e", "trace=socket,connect,execve", "-o", log, *words],
            rc=rc, timeout=120)
        return self.checked(log)

    def checked(self, log):
        """Reads the log."""
        text = support.read(log).decode(errors="replace")
        self.assertIn("execve", text)
        families = set(re.findall(r"socket\((\w+)", text))
        self.assertLessEqual(families, {"AF_UNIX"}, text[-2000:])
        return text

    def test_every_verb(self):
        """All of them, one after the other."""
        base, sealed, other = self.sample(), self.path("c"), self.path("d")
        key = self.key()
        new = ["--new-passphrase-file", self.pw, *CHEAP]
        for words in (
                ["seal", base, sealed, *new, "--sign", key], ["inspect", sealed],
                ["ls", "-l", sealed, *self.open_pw], ["cat", sealed, "a.txt", *self.open_pw],
                ["extract", sealed, self.path("out"), *self.open_pw],
                ["verify", sealed, "--allowed-signers", self.allowed(key)],
                ["doctor", "--deep", sealed, *self.open_pw],
                ["rekey", sealed, other, *self.open_pw, *new],
                ["diff", sealed, other, *self.open_pw],
                ["slot", "list", sealed], ["slot", "remove", sealed, "2", *self.open_pw],
                ["slot", "add", sealed, *self.open_pw, "--new-key-file", self.path("key")],
                ["sign", other, "--key", key],
                ["trust", "add", "me@example", key + ".pub"], ["trust", "list"],
                ["trust", "accept", other, *self.open_pw], ["trust", "remove", "me@example"]):
            self.traced([CAPSULE, *words], rc=1 if words[:2] == ["slot", "remove"] else 0)

    def test_mount(self):
        """Mounting, reading, unmounting."""
        sealed, point, log = self.seal(), self.path("mnt"), self.path("strace.log")
        os.mkdir(point)
        self.addCleanup(support.detach, point)
        process = self.start(
            ["strace", "-f", "-qq", "-e", "trace=socket,execve", "-o", log, CAPSULEFS, "-f",
             sealed, point, "-o", f"passphrase-file={self.pw}"])
        self.assertTrue(support.wait_until(lambda: support.mounts_below(point), 10))
        self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
        self.capsule("umount", point)
        self.assertEqual(process.wait(10), 0)
        self.checked(log)


if __name__ == "__main__":
    unittest.main()
