"""What programs do with a mount: read, map, list, copy, stack, and try to write."""

import errno
import hashlib
import mmap
import os
import random
import resource
import signal
import sqlite3
import subprocess
import unittest

import support
import trees


@support.needs_root
@support.needs_fuse
class Reading(support.EndToEnd):
    """System calls on a mount."""

    def setUp(self):
        super().setUp()
        base = self.sample()
        self.large = trees.noise(5 << 20)
        support.write(f"{base}/large", self.large)
        self.text = b"a line that compresses\n" * 100_000
        support.write(f"{base}/text", self.text)
        self.base = base
        self.sealed = self.seal(base)
        self.point = self.mount(self.sealed)

    def test_writes_are_refused(self):
        """Every change is EROFS."""
        name = f"{self.point}/a.txt"
        attempts = [
            lambda: os.open(name, os.O_WRONLY), lambda: os.open(name, os.O_RDWR),
            lambda: os.open(f"{self.point}/new", os.O_CREAT | os.O_WRONLY),
            lambda: os.mkdir(f"{self.point}/new"), lambda: os.unlink(name),
            lambda: os.rmdir(f"{self.point}/sub/deep"), lambda: os.rename(name, name + "2"),
            lambda: os.link(name, name + "2"), lambda: os.symlink("x", name + "2"),
            lambda: os.chmod(name, 0o777), lambda: os.chown(name, 1, 1),
            lambda: os.utime(name, (1, 1)), lambda: os.truncate(name, 0),
            lambda: os.setxattr(name, "user.x", b""), lambda: os.removexattr(name, "user.x"),
            lambda: os.mknod(f"{self.point}/fifo", 0o010644)]
        for number, attempt in enumerate(attempts):
            with self.assertRaises(OSError, msg=f"attempt {number}") as caught:
                attempt()
            self.assertEqual(caught.exception.errno, errno.EROFS, f"attempt {number}")

    def test_statfs(self):
        """Sizes that make sense, nothing free, names of 255 bytes."""
        facts = os.statvfs(self.point)
        self.assertEqual(facts.f_namemax, 255)
        self.assertEqual((facts.f_bfree, facts.f_bavail, facts.f_ffree), (0, 0, 0))
        self.assertGreaterEqual(
            facts.f_blocks * facts.f_frsize, len(self.large) + len(self.text))
        self.assertGreaterEqual(facts.f_files, 8)
        self.assertTrue(facts.f_flag & os.ST_RDONLY)

    def test_errors(self):
        """The errors that programs expect."""
        for path, expected, call in [
                ("none", errno.ENOENT, os.stat), ("a.txt/x", errno.ENOTDIR, os.stat),
                ("a.txt", errno.ENOTDIR, os.listdir), ("a.txt", errno.EINVAL, os.readlink)]:
            with self.assertRaises(OSError) as caught:
                call(f"{self.point}/{path}")
            self.assertEqual(caught.exception.errno, expected, path)

    def test_random_reads(self):
        """Reads at random places, of random lengths, across the end."""
        chance = random.Random(7)
        for name, content in (("large", self.large), ("text", self.text)):
            handle = os.open(f"{self.point}/{name}", os.O_RDONLY)
            try:
                for _ in range(400):
                    start = chance.randrange(len(content) + 5000)
                    length = chance.randrange(1, 300_000)
                    self.assertEqual(
                        os.pread(handle, length, start), content[start:start + length])
            finally:
                os.close(handle)

    def test_mapped(self):
        """mmap, also of the last page."""
        with open(f"{self.point}/text", "rb") as file:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                self.assertEqual(len(view), len(self.text))
                self.assertEqual(view[-10_000:], self.text[-10_000:])
                self.assertEqual(hashlib.sha256(view).digest(), hashlib.sha256(self.text).digest())

    def test_direct(self):
        """O_DIRECT reads the same bytes."""
        handle = os.open(f"{self.point}/large", os.O_RDONLY | os.O_DIRECT)
        try:
            with mmap.mmap(-1, 1 << 20) as buffer:
                for start in (0, 4096, 3 << 20, (5 << 20) - 4096):
                    count = os.preadv(handle, [buffer], start)
                    self.assertEqual(buffer[:count], self.large[start:start + count])
                    self.assertGreater(count, 0)
        finally:
            os.close(handle)

    def test_name_too_long(self):
        """A name of 256 bytes is ENAMETOOLONG, as on every local file system."""
        with self.assertRaises(OSError) as caught:
            os.stat(f"{self.point}/{'n' * 256}")
        self.assertEqual(caught.exception.errno, errno.ENAMETOOLONG)

    def test_attributes_where_there_are_none(self):
        """No attributes are an empty list and ENODATA, not a file system that has none."""
        self.assertEqual(os.listxattr(f"{self.point}/a.txt"), [])
        with self.assertRaises(OSError) as caught:
            os.getxattr(f"{self.point}/a.txt", "user.x")
        self.assertEqual(caught.exception.errno, errno.ENODATA)

    def while_stopped(self, words):
        """Runs a command while the driver is stopped; returns its output."""
        pid = self.driver(self.point)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        os.kill(pid, signal.SIGSTOP)
        try:
            process = self.start(words)
            self.assertTrue(
                support.wait_until(lambda: process.poll() is not None, 3), f"it waits: {words}")
            return process.stdout.read()
        finally:
            os.kill(pid, signal.SIGCONT)

    def test_attributes_need_no_driver(self):
        """A second stat and a second readlink are answered by the kernel."""
        script = f"test -s {self.point}/large && readlink {self.point}/link"
        self.run_command(["sh", "-c", script])
        self.assertEqual(self.while_stopped(["sh", "-c", script]), b"a.txt\n")

    def test_second_read_needs_no_driver(self):
        """What was read once is in the page cache: it is served while the driver is stopped."""
        words = ["sha256sum", f"{self.point}/large"]
        first = self.run_command(words).stdout
        self.assertIn(hashlib.sha256(self.large).hexdigest().encode(), first)
        self.assertEqual(self.while_stopped(words), first)

    def test_ten_readers(self):
        """Ten processes read everything at once, in different orders, with cold caches."""
        names = ["large", "text", "sub/b.bin", "a.txt"]
        expected = {name: hashlib.sha256(support.read(f"{self.base}/{name}")).hexdigest()
                    for name in names}
        processes = []
        for number in range(10):
            order = random.Random(number).sample(names, len(names))
            processes.append((order, self.start(["sha256sum", *order], cwd=self.point)))
        for order, process in processes:
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, err)
            found = [line.split()[0].decode() for line in out.splitlines()]
            self.assertEqual(found, [expected[name] for name in order])

    def test_no_descriptor_leaks(self):
        """Work does not make the driver's descriptors more."""
        pid = self.driver(self.point)
        before = len(os.listdir(f"/proc/{pid}/fd"))
        for _ in range(200):
            support.read(f"{self.point}/a.txt")
            os.listdir(f"{self.point}/sub")
        self.assertEqual(len(os.listdir(f"/proc/{pid}/fd")), before)


@support.needs_root
@support.needs_fuse
class Programs(support.EndToEnd):
    """Ordinary programs."""

    def test_thousand_open_files(self):
        """A thousand files open at the same time; ten thousand with --full."""
        self.open_files(1000)

    @support.heavy
    def test_ten_thousand_open_files(self):
        """Ten thousand."""
        self.open_files(10_000)

    def open_files(self, count):
        """Opens `count` files, then reads every one."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        os.mkdir(self.path("src"))
        for number in range(count):
            with open(self.path("src", str(number)), "w") as file:
                file.write(f"content {number}")
        point = self.mount(self.seal(self.path("src")))
        handles = []
        try:
            for number in range(count):
                handles.append(os.open(f"{point}/{number}", os.O_RDONLY))
            for number, handle in enumerate(handles):
                self.assertEqual(os.read(handle, 100), f"content {number}".encode())
        finally:
            for handle in handles:
                os.close(handle)

    def test_overlay(self):
        """A writable overlay over the mount; what is below does not change."""
        base = self.sample()
        point = self.mount(self.seal(base))
        for name in ("upper", "work", "merged"):
            os.mkdir(self.path(name))
        merged = self.path("merged")
        self.addCleanup(support.detach, merged)
        self.run_command([
            "mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={point},upperdir={self.path('upper')},workdir={self.path('work')}", merged])
        support.write(f"{merged}/a.txt", b"changed")
        os.remove(f"{merged}/sub/b.bin")
        support.write(f"{merged}/sub/new", b"new")
        os.rename(f"{merged}/link", f"{merged}/renamed")
        self.assertEqual(self.rsync(base, point), b"")
        self.assertEqual(support.read(f"{merged}/a.txt"), b"changed")
        self.assertEqual(sorted(os.listdir(f"{merged}/sub")), ["deep", "new"])
        self.run_command(["umount", merged])

    def test_git(self):
        """git fsck in the mount, git clone from it, git log."""
        base = self.path("src")
        os.mkdir(base)
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@example"]
        self.run_command(["git", "init", "-q", base])
        for number in range(5):
            support.write(f"{base}/file{number}", trees.noise(20_000, number))
            self.run_command([*git, "-C", base, "add", "."])
            self.run_command([*git, "-C", base, "commit", "-q", "-m", f"change {number}"])
        self.run_command(["git", "-C", base, "gc", "-q"])
        point = self.mount(self.seal(base))
        self.run_command(["git", "-C", point, "fsck", "--full", "--strict"])
        self.assertEqual(self.run_command(["git", "-C", point, "status", "--short"]).stdout, b"")
        self.run_command(["git", "clone", "-q", "--no-hardlinks", point, self.path("clone")])
        log = ["log", "--format=%H"]
        self.assertEqual(
            self.run_command(["git", "-C", self.path("clone"), *log]).stdout,
            self.run_command(["git", "-C", base, *log]).stdout)

    def test_sqlite(self):
        """A database is queried in the mount, immutable."""
        os.mkdir(self.path("src"))
        rows = [(number, f"text {number}" * 20) for number in range(20_000)]
        data = sqlite3.connect(self.path("src/data.db"))
        with data:
            data.execute("create table t (id integer primary key, text)")
            data.executemany("insert into t values (?, ?)", rows)
            data.execute("create index i on t (text)")
        data.close()
        point = self.mount(self.seal(self.path("src")))
        sealed = sqlite3.connect(f"file:{point}/data.db?mode=ro&immutable=1", uri=True)
        try:
            self.assertEqual(sealed.execute("pragma integrity_check").fetchall(), [("ok",)])
            self.assertEqual(sealed.execute("select * from t order by id").fetchall(), rows)
            with self.assertRaises(sqlite3.OperationalError):
                sealed.execute("delete from t")
        finally:
            sealed.close()

    def test_copies(self):
        """cp -a, tar and rsync copies of a mount equal the source."""
        base = self.sample()
        trees.sparse(f"{base}/holes", 1 << 20, [(500_000, b"data")])
        point = self.mount(self.seal(base))
        self.run_command(["cp", "-a", point, self.path("cp")])
        self.run_command(["rsync", "-aHAXS", "--numeric-ids", point + "/", self.path("rsync")])
        os.mkdir(self.path("tar"))
        self.run_command(
            ["sh", "-c", f"tar -C {point} -Scf - . | tar -C {self.path('tar')} -xpf -"])
        for name in ("cp", "rsync", "tar"):
            self.assertEqual(self.rsync(base, self.path(name)), b"", name)

    def test_find(self):
        """find sees types, sizes and link counts as on the source."""
        source, capsule, secret = trees.shared()
        point = self.mount(capsule, f"passphrase-file={secret}", secret=False)
        for words in (["-size", "+100k"], ["-type", "f", "-links", "+1"], ["-perm", "-4000"],
                      ["-newermt", "2020-01-01", "-type", "l"], ["-empty", "-type", "f"]):
            found = [sorted(self.run_command(
                ["find", ".", *words, "-print0"], cwd=place).stdout.split(b"\0"))
                for place in (source, point)]
            self.assertEqual(found[1], found[0], words)
            self.assertGreater(len(found[0]), 1, words)

    def test_programs_run_from_it(self):
        """A program in the mount can be executed."""
        base = self.sample()
        with open("/usr/bin/true", "rb") as file:
            support.write(f"{base}/program", file.read(), 0o755)
        point = self.mount(self.seal(base))
        self.assertEqual(subprocess.run([f"{point}/program"], timeout=20).returncode, 0)


if __name__ == "__main__":
    unittest.main()
