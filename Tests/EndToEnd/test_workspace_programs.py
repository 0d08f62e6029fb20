"""What programs do with a live workspace: many files, git, SQLite, overlays; and random work."""

import errno
import os
import random
import resource
import signal
import sqlite3
import stat
import unittest

import support
import trees
import workspaces
from workspaces import KEEP_SIZE, PUNCH_HOLE, WorkspaceTest


@support.needs_root
@support.needs_fuse
class Directories(WorkspaceTest):
    """Large directories, and many files."""

    def test_listing_while_removing(self):
        """20,000 entries listed while some go and come: none twice, none of the others missing."""
        self.list_while_removing(20_000)

    @support.heavy
    def test_directory_of_a_million(self):
        """The same of a million entries."""
        self.list_while_removing(1_000_000)

    def list_while_removing(self, entry_count):
        """Lists a directory, of which every second entry may go, and others come."""
        point = self.attach("timeline=0")
        place = f"{point}/many"
        trees.many(place, entry_count)
        stable = {f"entry-{number:06}" for number in range(0, entry_count, 2)}
        self.assertEqual(len(os.listdir(place)), entry_count)
        self.remount(point)
        found = []
        going = iter(range(1, entry_count, 2))
        with os.scandir(place) as entries:
            for count, entry in enumerate(entries):
                found.append(entry.name)
                if count % 3 == 0:
                    number = next(going, None)
                    if number is not None:
                        os.unlink(f"{place}/entry-{number:06}")
                        os.close(os.open(f"{place}/new-{number}", os.O_CREAT | os.O_WRONLY))
        self.assertEqual(len(found), len(set(found)), "an entry came twice")
        self.assertEqual(stable - set(found), set())
        self.run_command(["rm", "-rf", place], timeout=600)
        self.assertEqual(os.listdir(point), [])
        self.umount(point)

    def test_removed_in_one_go(self):
        """rm -r of a listing that is under way, by unlinking each entry as it comes."""
        point = self.attach()
        trees.many(f"{point}/many", 5000)
        self.remount(point)
        with os.scandir(f"{point}/many") as entries:
            for entry in entries:
                os.unlink(entry.path)
        self.assertEqual(os.listdir(f"{point}/many"), [])
        os.rmdir(f"{point}/many")
        self.umount(point)

    def test_numbers(self):
        """readdir and stat give one inode number, which stays and is not given again."""
        point = self.attach()
        trees.many(f"{point}/d", 300)
        numbers = {entry.name: entry.inode() for entry in os.scandir(f"{point}/d")}
        self.assertEqual(len(set(numbers.values())), 300)
        workspaces.sync(point)
        os.unlink(f"{point}/d/entry-000299")
        gone = numbers.pop("entry-000299")
        self.remount(point)
        support.write(f"{point}/d/new", b"")
        self.assertNotIn(os.stat(f"{point}/d/new").st_ino, [gone, *numbers.values()])
        for name, number in numbers.items():
            self.assertEqual(os.stat(f"{point}/d/{name}").st_ino, number)
        self.umount(point)

    def test_forgotten_inodes(self):
        """When the kernel drops its caches, open files without names stay, and everything else."""
        point = self.attach()
        content = trees.noise(100_000)
        with open(support.write(f"{point}/open", content), "rb") as file:
            os.unlink(f"{point}/open")
            for number in range(500):
                support.write(f"{point}/d{number % 7}/{number}", b"content %d" % number)
            for number in range(0, 500, 2):
                os.unlink(f"{point}/d{number % 7}/{number}")
            os.sync()
            support.write("/proc/sys/vm/drop_caches", b"3\n")
            self.assertEqual(file.read(), content)
            for number in range(1, 500, 2):
                self.assertEqual(
                    support.read(f"{point}/d{number % 7}/{number}"), b"content %d" % number)
            self.assertEqual(os.fstat(file.fileno()).st_nlink, 0)
        self.assertEqual(len(trees.paths(point)), 257)
        self.umount(point)

    def test_thousand_open_files(self):
        """A thousand files open for writing at the same time, then read."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        point = self.attach()
        handles = []
        try:
            for number in range(1000):
                handles.append(os.open(f"{point}/{number}", os.O_CREAT | os.O_RDWR))
                os.write(handles[-1], b"content %d" % number)
            for number, handle in enumerate(handles):
                self.assertEqual(os.pread(handle, 100, 0), b"content %d" % number)
        finally:
            for handle in handles:
                os.close(handle)
        self.remount(point)
        for number in range(1000):
            self.assertEqual(support.read(f"{point}/{number}"), b"content %d" % number)
        self.umount(point)

    def test_many_processes(self):
        """Eight processes make, fill, rename and remove at once; what each left is whole."""
        script = """
import os, random, sys
base, who = sys.argv[1:]
one = random.Random(who)
os.mkdir(f"{base}/{who}")
for number in range(400):
    path = f"{base}/{who}/{number % 40}"
    kind = one.randrange(4)
    if kind < 2:
        with open(path + ".tmp", "wb") as file:
            file.write(f"{who} {number % 40} ".encode() * one.randrange(1, 9000))
        os.rename(path + ".tmp", path)
    elif kind == 2 and os.path.exists(path):
        os.unlink(path)
    elif os.path.exists(path):
        os.rename(path, f"{base}/{who}-{number}")
"""
        point = self.attach()
        processes = [self.python(script, point, str(who)) for who in range(8)]
        for process in processes:
            _, err = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, err)
        before = support.tree_bytes(point)
        self.assertGreater(len(before), 300)
        for name, content in before.items():
            who = name[0]
            word = content.split(b" ", 2)[:2]
            self.assertEqual(word[0].decode(), who, name)
            unit = b" ".join(word) + b" "
            self.assertEqual(content, unit * (len(content) // len(unit)), name)
        self.remount(point)
        self.assertEqual(support.tree_bytes(point), before)
        self.umount(point)


@support.needs_root
@support.needs_fuse
class Programs(WorkspaceTest):
    """Ordinary programs."""

    def test_git(self):
        """git init, add, commit, clone, gc and fsck inside; all is well after a remount."""
        point = self.attach()
        base, clone = f"{point}/repo", f"{point}/clone"
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@example"]
        self.run_command(["git", "init", "-q", base])
        for number in range(6):
            for name in ("a", "b/c", f"f{number}"):
                path = f"{base}/{name}"
                if os.path.exists(path):
                    os.unlink(path)
                support.write(path, trees.noise(20_000, number))
            self.run_command([*git, "-C", base, "add", "."])
            self.run_command([*git, "-C", base, "commit", "-q", "-m", f"change {number}"])
        self.run_command(["git", "clone", "-q", base, clone])
        self.run_command([*git, "-C", base, "gc", "-q", "--prune=now"])
        head = self.run_command(["git", "-C", base, "rev-parse", "HEAD"]).stdout
        for _ in range(2):
            for place in (base, clone):
                self.run_command(["git", "-C", place, "fsck", "--full", "--strict"])
                self.assertEqual(
                    self.run_command(["git", "-C", place, "status", "--short"]).stdout, b"")
                self.assertEqual(
                    self.run_command(["git", "-C", place, "rev-parse", "HEAD"]).stdout, head)
            self.remount(point)
        self.umount(point)

    SQLITE = """
import sqlite3, sys
data = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
data.execute("pragma journal_mode=wal")
data.execute("pragma synchronous=full")
number = 0
while number < int(sys.argv[3]):
    data.execute("begin immediate")
    for _ in range(5):
        data.execute("insert into t(who, number, text) values (?, ?, ?)",
                     (sys.argv[2], number, f"text {number} " * 30))
    data.execute("commit")
    print(number)
    number += 1
"""

    def test_sqlite(self):
        """A database in WAL mode, written by two processes, one of which is killed."""
        point = self.attach()
        path = f"{point}/data.db"
        data = sqlite3.connect(path)
        self.assertEqual(data.execute("pragma journal_mode=wal").fetchone(), ("wal",))
        with data:
            data.execute("create table t (id integer primary key, who, number, text)")
            data.execute("create index i on t (who, number)")
        data.close()
        killed = self.python(self.SQLITE, path, "killed", "100000")
        other = self.python(self.SQLITE, path, "other", "150")
        for _ in range(30):
            self.assertNotEqual(killed.stdout.readline(), b"")
        os.kill(killed.pid, signal.SIGKILL)
        told = 30 + len(killed.stdout.read().split())
        _, err = other.communicate(timeout=60)
        self.assertEqual(other.returncode, 0, err)
        for turn in range(2):
            data = sqlite3.connect(path)
            try:
                self.assertEqual(data.execute("pragma integrity_check").fetchall(), [("ok",)])
                count = dict(data.execute("select who, count(*) from t group by who").fetchall())
                self.assertEqual(count["other"], 750)
                self.assertEqual(count["killed"] % 5, 0)
                self.assertGreaterEqual(count["killed"], told * 5)
            finally:
                data.close()
            self.remount(point)
        self.umount(point)

    def test_sqlite_when_the_driver_dies(self):
        """What SQLite committed is there after kill -9 of the driver, and the database is whole."""
        point = self.attach()
        path = f"{point}/data.db"
        data = sqlite3.connect(path)
        with data:
            data.execute("create table t (id integer primary key, who, number, text)")
        data.close()
        writer = self.python(self.SQLITE, path, "writer", "100000")
        for _ in range(40):
            self.assertNotEqual(writer.stdout.readline(), b"")
        self.kill(point)
        last = max([39, *map(int, writer.stdout.read().split())])
        writer.wait(10)
        self.attach(point=point)
        data = sqlite3.connect(path)
        try:
            self.assertEqual(data.execute("pragma integrity_check").fetchall(), [("ok",)])
            self.assertGreaterEqual(data.execute("select max(number) from t").fetchone()[0], last)
        finally:
            data.close()
        self.umount(point)

    def test_overlay(self):
        """An overlay with its upper and work directories in the mount, with whiteouts."""
        point = self.attach()
        lower, merged = self.sample("lower"), self.path("merged")
        for name in (f"{point}/upper", f"{point}/work", merged):
            os.mkdir(name)
        self.addCleanup(support.detach, merged)
        self.run_command([
            "mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={lower},upperdir={point}/upper,workdir={point}/work", merged])
        workspaces.write_at(f"{merged}/a.txt", 0, b"changed")
        os.remove(f"{merged}/sub/b.bin")
        support.write(f"{merged}/sub/new", b"new")
        os.rename(f"{merged}/link", f"{merged}/renamed")
        self.assertEqual(sorted(os.listdir(f"{merged}/sub")), ["deep", "new"])
        self.assertEqual(support.read(f"{point}/upper/a.txt"), b"changed")
        self.run_command(["umount", merged])
        self.umount(point)

    def test_temporary_files(self):
        """O_TMPFILE gives a file that has no name, or says that it is not supported."""
        point = self.attach()
        try:
            handle = os.open(point, os.O_TMPFILE | os.O_RDWR, 0o600)
        except OSError as error:
            self.assertEqual(error.errno, errno.EOPNOTSUPP)
        else:
            os.write(handle, b"x")
            os.link(f"/proc/self/fd/{handle}", f"{point}/named", follow_symlinks=True)
            os.close(handle)
            self.assertEqual(support.read(f"{point}/named"), b"x")
        self.umount(point)

    def test_programs_run_from_it(self):
        """A program is copied in, executed, and replaced while it runs."""
        point = self.attach()
        self.run_command(["cp", "/usr/bin/sleep", f"{point}/program"])
        process = self.start([f"{point}/program", "30"])
        self.assertTrue(support.wait_until(
            lambda: os.readlink(f"/proc/{process.pid}/exe") == f"{point}/program"))
        self.fails_with(errno.ETXTBSY, lambda: os.open(f"{point}/program", os.O_WRONLY))
        self.run_command(["cp", "/usr/bin/true", f"{point}/new"])
        os.rename(f"{point}/new", f"{point}/program")
        self.run_command([f"{point}/program"])
        self.assertIsNone(process.poll())
        support.stop(process)
        self.umount(point)

    def test_editors(self):
        """sed -i, sort -o, dd conv=notrunc and >> leave what they leave elsewhere."""
        point = self.attach()
        path = support.write(f"{point}/text", b"b\na\nc\n")
        script = (f"sed -i s/a/x/ {path} && sort -o {point}/sorted {path} && echo end >> {path}"
                  f" && printf YY | dd of={path} bs=1 seek=1 conv=notrunc status=none")
        self.run_command(["sh", "-c", script])
        self.remount(point)
        self.assertEqual(support.read(path), b"bYY\nc\nend\n")
        self.assertEqual(support.read(f"{point}/sorted"), b"b\nc\nx\n")
        self.umount(point)

    def test_no_descriptor_leaks(self):
        """Work does not make the driver's descriptors more."""
        point = self.attach()
        support.write(f"{point}/file", b"x" * 200_000)
        workspaces.sync(f"{point}/file")
        pid = self.driver(point)
        before = len(os.listdir(f"/proc/{pid}/fd"))
        for number in range(200):
            support.read(f"{point}/file")
            support.write(f"{point}/d/{number}", b"y" * 5000)
            os.unlink(f"{point}/d/{number}")
        workspaces.sync(point)
        self.assertEqual(len(os.listdir(f"/proc/{pid}/fd")), before)
        self.umount(point)


@support.needs_root
@support.needs_fuse
class Model(WorkspaceTest):
    """Random operations, on the mount and on a plain directory side by side."""

    RECENT = 1_500_000_000

    def setUp(self):
        super().setUp()
        self.plain = self.path("plain")
        os.mkdir(self.plain)

    def described(self, base):
        """{name: what must be equal} of a tree."""
        found = {}
        for name in trees.paths(base):
            path = os.path.join(os.fsencode(base), name)
            facts = os.lstat(path)
            # A time that was not set is only known to be recent.
            mtime = facts.st_mtime_ns if facts.st_mtime < self.RECENT else "recent"
            content = None
            if stat.S_ISREG(facts.st_mode):
                content = support.read(path)
            elif stat.S_ISLNK(facts.st_mode):
                content = os.readlink(path)
            size = 0 if stat.S_ISDIR(facts.st_mode) else facts.st_size
            found[name] = (facts.st_mode, facts.st_nlink, size, mtime, content)
        return found

    def groups(self, base):
        """The sets of names with one inode."""
        found = {}
        for name in trees.paths(base):
            found.setdefault(
                os.lstat(os.path.join(os.fsencode(base), name)).st_ino, set()).add(name)
        return sorted(sorted(group) for group in found.values())

    def assert_same(self, point):
        """Both trees are equal; the report is short."""
        one, two = self.described(self.plain), self.described(point)
        self.assertEqual(sorted(two), sorted(one))
        for name, expected in one.items():
            self.assertEqual(two[name][:4], expected[:4], name)
            self.assertTrue(two[name][4] == expected[4], f"the content of {name} differs")
        self.assertEqual(self.groups(point), self.groups(self.plain))

    KINDS = {"create": 8, "write": 14, "append": 4, "truncate": 5, "punch": 4, "zero": 2,
             "rename": 6, "exchange": 2, "link": 4, "unlink": 3, "mkdir": 6, "rmdir": 2,
             "symlink": 2, "chmod": 4, "utime": 5, "copy": 4}

    @staticmethod
    def step(random_one, base, known, kinds):
        """One operation, the same for each base; returns (errno or 0, result)."""
        names = ["/".join(random_one.choices("abcd", k=random_one.choice((1, 2, 2, 3))))
                 for _ in range(2)]
        if known:
            names = [random_one.choice((name, random_one.choice(known))) for name in names]
        path, other = (f"{base}/{name}" for name in names)
        offset = random_one.choice((0, 1, 4095, 4096, 100_000, 131_072, 131_073, 300_000, 700_000))
        length = random_one.choice((1, 100, 4096, 5000, 131_072, 200_000))
        kind = random_one.choices(list(kinds), kinds.values())[0]
        value = random_one.randrange(1 << 30)
        handle = None
        try:
            if kind == "create":
                handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, value & 0o777)
            elif kind == "write":
                handle = os.open(path, os.O_RDWR)
                return 0, os.pwrite(handle, trees.noise(length, value), offset)
            elif kind == "rewrite":
                handle = os.open(path, os.O_WRONLY | os.O_TRUNC)
                return 0, os.write(handle, trees.noise(length, value))
            elif kind == "append":
                handle = os.open(path, os.O_WRONLY | os.O_APPEND)
                return 0, os.write(handle, bytes([value & 255]) * length)
            elif kind == "truncate":
                os.truncate(path, offset)
            elif kind in ("punch", "zero"):
                handle = os.open(path, os.O_RDWR)
                mode = PUNCH_HOLE if kind == "punch" else workspaces.ZERO_RANGE
                workspaces.fallocate(handle, mode | KEEP_SIZE, offset, length)
            elif kind == "rename":
                os.rename(path, other)
            elif kind == "exchange":
                workspaces.rename(path, other, workspaces.EXCHANGE)
            elif kind == "link":
                os.link(path, other, follow_symlinks=False)
            elif kind == "unlink":
                os.unlink(path)
            elif kind == "mkdir":
                os.mkdir(path, 0o755)
            elif kind == "rmdir":
                os.rmdir(path)
            elif kind == "symlink":
                os.symlink(f"t{value}", path)
            elif kind == "chmod":
                # The owner, root, may do everything anyway.
                os.chmod(path, value & 0o1777)
            elif kind == "utime":
                os.utime(path, ns=(value, value + 7), follow_symlinks=False)
            elif kind == "copy":
                handle = os.open(path, os.O_RDONLY)
                target = os.open(other, os.O_WRONLY)
                try:
                    return 0, os.copy_file_range(handle, target, length, offset // 2, offset)
                finally:
                    os.close(target)
        except OSError as error:
            return error.errno, kind
        finally:
            if handle is not None:
                os.close(handle)
        return 0, kind

    def play(self, count, kinds):
        """Operations on both sides, with comparisons and new mounts in between."""
        point = self.attach()
        outcomes = {}
        known = []
        for number in range(count):
            if number % 10 == 0:
                known = [os.fsdecode(name) for name in trees.paths(self.plain)]
            one, two = (self.step(random.Random(number), base, known, kinds)
                        for base in (self.plain, point))
            self.assertEqual(two, one, f"operation {number}")
            outcomes.setdefault(one[0], []).append(one[1])
            if number % 1000 == 500:
                self.assert_same(point)
            elif number % 1000 == 900:
                self.remount(point)
                self.assert_same(point)
            elif number % 1000 == 200:
                workspaces.sync(point)
        self.assert_same(point)
        self.remount(point)
        self.assert_same(point)
        self.umount(point)
        return outcomes

    def test_random_operations(self):
        """Eight thousand operations have the same outcome each, and leave the same trees."""
        outcomes = self.play(8000, self.KINDS)
        # It did something.
        self.assertGreater(len(outcomes[0]), 1600)
        for kind in ("rename", "exchange", "link", "punch", "zero", "truncate", "rmdir", "unlink"):
            self.assertGreater(outcomes[0].count(kind), 5, kind)
        self.assertGreater(len(self.described(self.plain)), 15)

    def test_with_truncating_opens(self):
        """The same where files are also opened with O_TRUNC."""
        self.play(1000, {**self.KINDS, "rewrite": 6})


if __name__ == "__main__":
    unittest.main()
