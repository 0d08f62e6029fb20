"""The mount: options, readiness, signals, unmounting, messages."""

import errno
import os
import signal
import socket
import stat
import threading
import time
import unittest

import support
import trees
from support import BIN, CAPSULEFS, NOBODY


@support.needs_root
@support.needs_fuse
class Options(support.EndToEnd):
    """Options of -o."""

    def flags(self, point):
        """The options in /proc/mounts."""
        return support.mounts_below(point)[0][2].split(",")

    def test_safe_flags(self):
        """ro, nosuid and nodev, whatever mount.fuse3 adds."""
        capsule = self.seal()
        for options in ([], ["suid,dev"], ["rw,suid,dev,exec,user"], ["defaults"]):
            point = self.mount(capsule, *options)
            for flag in ("ro", "nosuid", "nodev"):
                self.assertIn(flag, self.flags(point), options)
            self.umount(point)
        point = self.mount(capsule, "allow-suid", "allow-dev", "noexec")
        self.assertNotIn("nosuid", self.flags(point))
        self.assertNotIn("nodev", self.flags(point))
        self.assertIn("noexec", self.flags(point))
        self.assertIn("ro", self.flags(point))

    WORDS = ("nofail,noauto,_netdev,x-systemd.automount,x-systemd.idle-timeout=60,x-gvfs-show,"
             "user,comment=x,relatime,strictatime,nodiratime,lazytime")

    def test_mount_helper(self):
        """mount.fuse3 finds the driver in PATH; the words of fstab and systemd are ignored."""
        capsule, point = self.seal(), self.path("mnt")
        os.mkdir(point)
        self.addCleanup(support.detach, point)
        words = f"passphrase-file={self.pw},{self.WORDS}"
        self.run_command(["mount.fuse3", capsule, point, "-t", "fuse.capsulefs", "-o", words])
        self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
        for flag in ("ro", "nosuid", "nodev"):
            self.assertIn(flag, self.flags(point))
        self.umount(point)

    def test_mount_command(self):
        """`mount -t fuse.capsulefs`, in a mount name space where the driver is installed."""
        capsule, point = self.seal(), self.path("mnt")
        os.mkdir(point)
        words = f"passphrase-file={self.pw},{self.WORDS}"
        script = (f"mount --bind {BIN} /usr/local/bin && mount -t fuse.capsulefs {capsule} {point}"
                  f" -o {words} && cat {point}/a.txt && grep {point} /proc/mounts"
                  f" && umount {point}")
        result = self.run_command(["unshare", "--mount", "sh", "-c", script])
        lines = result.stdout.decode().splitlines()
        self.assertEqual(lines[0], "alpha")
        for flag in ("ro", "nosuid", "nodev"):
            self.assertIn(flag, lines[1].split()[3].split(","))

    def test_shown_owner_and_mode(self):
        """uid=, gid= and umask= change what is shown."""
        point = self.mount(self.seal(), "uid=12345,gid=23456,umask=027")
        for path in (point, f"{point}/a.txt", f"{point}/sub"):
            found = os.stat(path)
            self.assertEqual((found.st_uid, found.st_gid), (12345, 23456))
            self.assertEqual(stat.S_IMODE(found.st_mode) & 0o027, 0)

    def test_subdir(self):
        """subdir= shows a directory as the root; what is none is refused with 1."""
        capsule = self.seal()
        point = self.mount(capsule, "subdir=/sub/")
        self.assertEqual(sorted(os.listdir(point)), ["b.bin", "deep"])
        self.assertEqual(os.stat(f"{point}/..").st_ino, os.stat(self.root).st_ino)
        self.umount(point)
        for name in ("no", "a.txt", "../etc"):
            result = self.mount(capsule, f"subdir={name}", rc=1)
            self.assertIn(b"directory", result.stderr)

    def test_root_and_signers(self):
        """root=, require-verified and allowed-signers=; refusals are 3."""
        capsule = self.seal(None, "c.mv2e", "--sign", self.key())
        root = self.capsule_json("inspect", capsule)["root"]
        mine, other = self.allowed(self.key()), self.allowed(self.key("o"), name="foreign")
        for options, code in [
                (f"root={root}", 0), (f"root={'0' * 64}", 3), ("require-verified", 3),
                (f"allowed-signers={mine}", 0), (f"allowed-signers={other}", 3),
                (f"require-verified,allowed-signers={mine}", 0)]:
            with self.subTest(options=options):
                self.mount(capsule, options, rc=code)
                if code == 0:
                    self.umount(self.path("mnt"))
        self.capsule("trust", "add", "me@example", self.key() + ".pub")
        self.mount(capsule, "require-verified")

    def test_threads_and_cache(self):
        """Contents do not depend on threads= or cache=."""
        source, capsule, secret = trees.shared()
        for options in ("threads=1,cache=0", "threads=16,cache=256K", "cache=1M"):
            point = self.mount(capsule, f"passphrase-file={secret}", options, secret=False)
            for name in ("random-3m", "text-5m", "131073"):
                self.assertEqual(
                    support.read(f"{point}/sizes/{name}"),
                    support.read(f"{source}/sizes/{name}"), options)
            self.umount(point)

    def test_idle_timeout(self):
        """timeout= unmounts when idle, and not while a file is open."""
        capsule = self.seal()
        point = self.mount(capsule, "timeout=1")
        with open(f"{point}/a.txt", "rb") as file:
            time.sleep(3.5)
            self.assertEqual(len(support.mounts_below(point)), 1, "unmounted while in use")
            self.assertEqual(file.read(), b"alpha\n")
        self.assertTrue(support.wait_until(lambda: not support.mounts_below(point), 6))
        self.assertTrue(support.wait_until(lambda: not support.processes_with(point), 6))

    def test_odd_paths(self):
        """Commas, spaces, #, backslashes and line feeds in every path."""
        source = self.sample()
        for name in ("a,b", "a b", "#a#b", "a\\b", "a\\,b", "new\nline", "-dash", "a=b", "é"):
            place = self.path("odd", name)
            os.makedirs(place)
            capsule = self.seal(source, f"{place}/{name}.mv2e")
            secret = support.write(f"{place}/{name}.pw", support.SECRET)
            option = secret.replace("\\", "\\\\").replace(",", "\\,")
            point = self.mount(
                capsule, f"passphrase-file={option}", secret=False, point=f"{place}/{name}")
            self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n", name)
            self.umount(point)
            self.addCleanup(support.detach, point)
            self.capsule("mount", capsule, point, "--passphrase-file", secret)
            self.umount(point)

    def test_relative_paths(self):
        """Relative paths and words that begin with a dash."""
        self.seal(None, "-c.mv2e")
        os.mkdir(self.path("-m"))
        self.addCleanup(support.detach, self.path("-m"))
        self.run_command(
            [CAPSULEFS, "-o", "passphrase-file=pw", "--", "-c.mv2e", "-m"])
        self.assertEqual(support.read(self.path("-m/a.txt")), b"alpha\n")
        self.capsule("umount", "--", "-m")


@support.needs_root
@support.needs_fuse
class Permissions(support.EndToEnd):
    """Who may read what."""

    def setUp(self):
        super().setUp()
        base = self.sample()
        for name, mode in [("open", 0o644), ("private", 0o600), ("acl", 0o600)]:
            support.write(f"{base}/{name}", name.encode(), mode)
        self.run_command(["setfacl", "-m", f"u:{NOBODY}:r--", f"{base}/acl"])
        self.sealed = self.seal(base)
        os.chmod(self.sealed, 0o644)
        # Where udev does not run, the device is root's own.
        self.addCleanup(os.chmod, "/dev/fuse", stat.S_IMODE(os.stat("/dev/fuse").st_mode))
        os.chmod("/dev/fuse", 0o666)

    def readable(self, point, user=NOBODY):
        """Which of the three files an ordinary user can read."""
        return [name for name in ("open", "private", "acl") if self.run_command(
            ["cat", f"{point}/{name}"], user=user, rc=None).returncode == 0]

    def test_others_are_kept_out(self):
        """Without allow_other nobody else sees anything."""
        point = self.mount(self.sealed)
        self.assertEqual(self.readable(point), [])

    def test_allow_other_enforces(self):
        """allow_other lets others in, and turns enforcement on."""
        point = self.mount(self.sealed, "allow_other")
        self.assertEqual(self.readable(point), ["open", "acl"])

    def test_default_permissions(self):
        """Modes and ACLs decide."""
        point = self.mount(self.sealed, "allow_other,default_permissions")
        self.assertEqual(self.readable(point), ["open", "acl"])
        self.assertEqual(self.readable(point, 12345), ["open"])

    def test_ordinary_user(self):
        """Somebody without privileges mounts, reads everything, unmounts."""
        point = self.path("mine")
        os.mkdir(point)
        os.chown(point, NOBODY, NOBODY)
        home = {"HOME": self.path("nohome"), "XDG_STATE_HOME": "", "XDG_CONFIG_HOME": ""}
        self.mount(self.sealed, point=point, user=NOBODY, env=home)
        self.assertEqual(self.readable(point), ["open", "private", "acl"])
        flags = support.mounts_below(point)[0][2].split(",")
        self.assertIn("nosuid", flags)
        with self.assertRaises(PermissionError):
            os.listdir(point)
        self.umount(point, user=NOBODY)

    def test_secrets_of_the_driver(self):
        """Not dumpable, and no core files: not even the user's own programs look inside."""
        point = self.path("mine")
        os.mkdir(point)
        os.chown(point, NOBODY, NOBODY)
        self.mount(self.sealed, point=point, user=NOBODY)
        pid = self.driver(point)
        limits = support.read(f"/proc/{pid}/limits").decode()
        line = [x for x in limits.splitlines() if x.startswith("Max core file size")][0]
        self.assertEqual(line.split()[4:6], ["0", "0"])
        self.assertEqual(os.stat(f"/proc/{pid}/maps").st_uid, 0, "it is dumpable")
        self.run_command(["cat", f"/proc/{pid}/environ"], user=NOBODY, rc=1)
        os.kill(pid, signal.SIGSEGV)
        self.assertTrue(support.wait_until(lambda: not support.processes_with(point)))
        self.assertFalse(os.path.exists("/core"))


@support.needs_root
@support.needs_fuse
class Life(support.EndToEnd):
    """From readiness to the end."""

    def in_front(self, capsule, *words, **options):
        """A driver that stays in front, mounted."""
        point = self.path("mnt")
        os.makedirs(point, exist_ok=True)
        self.addCleanup(support.detach, point)
        process = self.start(
            [CAPSULEFS, "-f", capsule, point, "-o", f"passphrase-file={self.pw}", *words],
            **options)
        mounted = support.wait_until(
            lambda: support.mounts_below(point) or process.poll() is not None)
        self.assertTrue(mounted and process.poll() is None)
        return process, point

    def test_front(self):
        """-f stays in front; SIGINT and SIGTERM end it with 0 and unmount."""
        capsule = self.seal()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process, point = self.in_front(capsule)
            self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
            process.send_signal(number)
            self.assertEqual(process.wait(5), 0)
            self.assertEqual(support.mounts_below(point), [])
            self.assertEqual(process.stderr.read(), b"")

    def test_returns_when_it_answers(self):
        """When the command returns, the mount answers; the driver holds nothing of ours."""
        capsule = self.seal()
        for _ in range(5):
            point = self.mount(capsule)
            self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
            pid = self.driver(point)
            for number in "012":
                self.assertEqual(os.readlink(f"/proc/{pid}/fd/{number}"), "/dev/null")
            self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/")
            self.umount(point)

    def test_name_in_the_process_table(self):
        """ps and pgrep know it as capsulefs."""
        point = self.mount(self.seal())
        self.assertEqual(support.read(f"/proc/{self.driver(point)}/comm"), b"capsulefs\n")

    def test_notify_descriptor(self):
        """--notify-fd gets READY=1 when the mount answers, in front and in the background."""
        capsule = self.seal()
        for in_front in (True, False):
            ends = os.pipe()
            words = ["--notify-fd", str(ends[1])]
            if in_front:
                process, point = self.in_front(capsule, *words, pass_fds=[ends[1]])
            else:
                point = self.mount(capsule, words=words, pass_fds=[ends[1]])
            os.close(ends[1])
            with open(ends[0], "rb") as file:
                self.assertEqual(file.read(), b"READY=1\n")
            self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
            self.umount(point)

    def test_notify_socket(self):
        """sd_notify: READY=1 to a path and to an abstract name."""
        capsule = self.seal()
        for name in (self.path("notify"), f"@capsule-e2e-{os.getpid()}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
                server.bind(name.replace("@", "\0"))
                server.settimeout(5)
                self.in_front(capsule, env={"NOTIFY_SOCKET": name})
                self.assertIn(b"READY=1", server.recv(100))
            self.umount(self.path("mnt"))

    def test_sigterm_detaches(self):
        """The name is free at once, the open file can be read to its end, then it ends."""
        base = self.sample()
        content = trees.noise(6 << 20)
        support.write(f"{base}/large", content)
        point = self.mount(self.seal(base))
        pid = self.driver(point)
        with open(f"{point}/large", "rb", buffering=0) as file:
            first = file.read(4096)
            os.kill(pid, signal.SIGTERM)
            self.assertTrue(support.wait_until(lambda: not support.mounts_below(point)))
            self.assertEqual(os.listdir(point), [])
            rest = b"".join(iter(lambda: file.read(1 << 20), b""))
            self.assertEqual(first + rest, content)
        self.assertTrue(support.wait_until(lambda: not support.processes_with(point), 12))

    def test_busy(self):
        """A mount in use is not unmounted; --lazy does it; what is open reads on."""
        point = self.mount(self.seal())
        with open(f"{point}/sub/b.bin", "rb", buffering=0) as file:
            result = self.umount(point, rc=2)
            self.assertIn(b"--lazy", result.stderr)
            self.assertIn(point.encode(), result.stderr)
            self.assertEqual(len(support.mounts_below(point)), 1)
            self.capsule("umount", "--lazy", point)
            self.assertEqual(support.mounts_below(point), [])
            self.assertEqual(file.read(), bytes(range(256)) * 300)
        self.assertTrue(support.wait_until(lambda: not support.processes_with(point)))

    def test_umount_of_what_is_no_mount(self):
        """A clear message, and no exit code 0."""
        os.mkdir(self.path("plain"))
        for name in ("plain", "missing"):
            result = self.capsule("umount", self.path(name), rc=None)
            self.assertIn(result.returncode, (1, 2))
            self.assertIn(name.encode(), result.stderr)

    def test_bad_mount_points(self):
        """Missing, or a file: exit code 1 and a message that names it."""
        capsule = self.seal()
        result = self.mount(capsule, point=self.path("missing"), rc=1)
        self.assertIn(b"missing: cannot", result.stderr)
        result = self.mount(capsule, point=self.pw, rc=1)
        self.assertIn(b"not a directory", result.stderr)

    def test_dead_mount(self):
        """After SIGKILL the mount errs instead of looking empty; the next message says so."""
        capsule = self.seal()
        point = self.mount(capsule)
        self.addCleanup(support.detach, point)
        os.kill(self.driver(point), signal.SIGKILL)
        self.assertTrue(support.wait_until(lambda: not support.processes_with(point)))
        with self.assertRaises(OSError) as caught:
            os.listdir(point)
        self.assertIn(caught.exception.errno, (errno.ENOTCONN, errno.ECONNABORTED))
        result = self.run_command(
            [CAPSULEFS, capsule, point, "-o", f"passphrase-file={self.pw}"], rc=1)
        self.assertIn(b"dead mount", result.stderr)
        self.umount(point)
        self.mount(capsule)

    def test_capsule_may_be_removed(self):
        """The file may be replaced or removed while it is mounted."""
        capsule = self.seal()
        point = self.mount(capsule)
        os.remove(capsule)
        self.assertEqual(support.read(f"{point}/sub/b.bin"), bytes(range(256)) * 300)

    def test_many_mounts_at_once(self):
        """Ten mounts of one capsule, started together."""
        capsule = self.seal()
        points = [self.path(f"mnt{number}") for number in range(10)]
        threads = [
            threading.Thread(target=self.mount, args=(capsule,), kwargs={"point": point})
            for point in points]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for point in points:
            self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
            self.umount(point)


if __name__ == "__main__":
    unittest.main()
