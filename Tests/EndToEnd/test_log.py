"""The system's log: what a driver in the background writes there, and at which level."""

import os
import signal
import socket
import unittest

import support
import trees

# Facility daemon, with the levels error and info.
ERROR, INFO = b"<27>", b"<30>"


@support.needs_root
@support.needs_fuse
class SystemLog(support.EndToEnd):
    """A driver in a mount name space whose /dev/log is the test's own."""

    def setUp(self):
        super().setUp()
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.server.close)
        self.server.bind(self.path("log"))
        self.server.settimeout(10)
        self.point, self.device = self.path("mnt"), self.path("dev")
        os.mkdir(self.point)
        os.mkdir(self.device)

    def mounted(self, capsule, more):
        """Mounts in the background and runs `more` there; returns the driver's pid."""
        devices = " ".join(f"/dev/{name}" for name in ("null", "zero", "random", "urandom", "fuse"))
        script = (f"mount -t tmpfs tmpfs {self.device} && cp -a {devices} {self.device}/ &&"
                  f" ln -s {self.path('log')} {self.device}/log &&"
                  f" mount --bind {self.device} /dev &&"
                  f" capsulefs {capsule} {self.point} -o passphrase-file={self.pw} && {more}")
        self.run_command(["unshare", "--mount", "sh", "-c", script])
        return self.driver()

    def end(self, pid):
        """Ends the driver, and with it the mount and its name space."""
        os.kill(pid, signal.SIGTERM)
        self.assertTrue(support.wait_until(lambda: not support.processes_with(self.root), 12))

    def test_status_is_no_error(self):
        """SIGUSR1 writes one line at the level info, and the mount lives on."""
        pid = self.mounted(self.seal(), "true")
        for _ in range(2):
            os.kill(pid, signal.SIGUSR1)
            line = self.server.recv(1000)
            self.assertTrue(line.startswith(INFO), line)
            self.assertRegex(
                line, rb"capsulefs\[%d\]: mounted at %s, last request \d+ s ago"
                % (pid, os.fsencode(self.point)))
        self.end(pid)

    def test_failed_read_is_an_error(self):
        """What could not be read is one line at the level error."""
        support.write(self.path("src", "victim"), trees.noise(20_000))
        sealed = self.seal(self.path("src"))
        self.damage(sealed, trees.blocks(support.read(sealed))[0] + 20)
        pid = self.mounted(sealed, f"! cat {self.point}/victim >/dev/null 2>&1")
        line = self.server.recv(1000)
        self.assertTrue(line.startswith(ERROR), line)
        self.assertRegex(line, rb"capsulefs\[%d\]: read failed: operation=read" % pid)
        self.assertIn(b'path="victim"', line)
        self.end(pid)


if __name__ == "__main__":
    unittest.main()
