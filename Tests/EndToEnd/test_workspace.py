"""The live workspace: what it keeps, what it hides, what it survives."""

import errno
import os
import signal
import stat
import unittest

import support
import trees
import workspaces
from workspaces import PAGE_LENGTH, WorkspaceTest


@support.needs_root
class Init(WorkspaceTest):
    """capsule init."""

    def test_modes(self):
        """What is made is for the owner only, whatever the umask."""
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        self.init()
        for directory, names, files in os.walk(self.ws):
            self.assertEqual(stat.S_IMODE(os.stat(directory).st_mode), 0o700, directory)
            for name in files:
                mode = os.stat(f"{directory}/{name}").st_mode
                self.assertEqual(stat.S_IMODE(mode), 0o600, name)
        self.assertEqual(
            sorted(set(os.listdir(self.ws)) | {"lock"}),
            ["lock", "metadata", "pages", "reports", "segments", "workspace"])
        self.assertEqual(stat.S_IMODE(os.stat(self.key_file).st_mode), 0o600)

    @support.needs_fuse
    def test_modes_after_use(self):
        """So are the log, the lock and the segments that a mount makes."""
        point = self.attach()
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        support.write(f"{point}/a", b"content")
        workspaces.sync(f"{point}/a")
        found = support.tree_bytes(self.ws)
        self.assertIn("metadata-wal", found)
        self.assertIn("lock", found)
        self.assertEqual(len([name for name in found if name.startswith("segments/")]), 1)
        for name in found:
            self.assertEqual(stat.S_IMODE(os.stat(f"{self.ws}/{name}").st_mode), 0o600, name)
        self.umount(point)

    def test_not_empty(self):
        """A directory with something in it is refused with 1 and stays as it is."""
        support.write(f"{self.ws}/mine", b"mine")
        self.capsule("init", self.ws, "--new-key-file", self.key_file, rc=1)
        self.assertEqual(support.tree_bytes(self.ws), {"mine": b"mine"})
        self.assertEqual(os.listdir(self.ws), ["mine"])

    def test_twice(self):
        """A workspace is not made over another."""
        self.init()
        before = self.stored()
        self.capsule("init", self.ws, "--new-key-file", self.path("key2"), rc=1)
        self.assertEqual(self.stored(), before)

    def test_empty_directory(self):
        """An empty directory that is there is taken."""
        os.mkdir(self.ws)
        self.init()
        self.assertIn("workspace", os.listdir(self.ws))

    def test_failure_leaves_nothing(self):
        """An init that fails leaves neither the workspace nor files in a directory it was given."""
        for words in (["--new-passphrase-file", self.path("absent"), *support.CHEAP],
                      ["--recipient", "age1nothing"], ["--new-key-file", "/proc/nothing/key"]):
            with self.subTest(words=words):
                result = self.capsule("init", self.ws, *words, rc=None)
                self.assertIn(result.returncode, (1, 2))
                self.assertFalse(os.path.lexists(self.ws), "a workspace is left")
        os.mkdir(self.ws)
        self.capsule("init", self.ws, "--recipient", "age1nothing", rc=1)
        self.assertEqual(os.listdir(self.ws), [])
        self.capsule("init", self.path("no", "such", "ws"), "--new-key-file", self.key_file, rc=1)
        self.assertFalse(os.path.lexists(self.path("no")))

    def test_full_medium_leaves_nothing(self):
        """Where there is no room, it fails with 2 and leaves nothing."""
        small = self.path("small")
        os.mkdir(small)
        self.addCleanup(support.detach, small)
        self.run_command(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", small])
        self.capsule("init", f"{small}/ws", "--new-key-file", self.key_file, rc=2)
        self.assertEqual(os.listdir(small), [])
        self.run_command(["umount", small])

    @support.needs_fuse
    def test_every_kind_of_secret(self):
        """A passphrase, a key file and an age recipient in one workspace; each opens it alone."""
        self.capsule("init", self.ws, "--new-passphrase-file", self.pw, *support.CHEAP,
                     "--new-key-file", self.key_file)
        point = self.attach()
        support.write(f"{point}/a", b"both")
        self.umount(point)
        point = self.mount(self.ws)
        self.assertEqual(support.read(f"{point}/a"), b"both")
        self.umount(point)


@support.needs_root
@support.needs_fuse
class Mounting(WorkspaceTest):
    """Who gets it, and how it ends."""

    def test_wrong_secret(self):
        """A wrong key is 1; no mount and no process is left, and nothing is written."""
        self.capsule("init", self.ws, "--new-passphrase-file", self.pw, *support.CHEAP)
        before = self.stored()
        wrong = support.write(self.path("wrong"), b"not that\n")
        self.mount(self.ws, f"passphrase-file={wrong}", secret=False, rc=1)
        self.assertEqual(self.stored(), before)
        self.umount(self.mount(self.ws))

    def test_second_mount(self):
        """Only one driver has it: the second gets 2 and the name of the first."""
        point = self.attach()
        pid = self.driver(point)
        other = self.path("other")
        os.mkdir(other)
        result = self.run_command(
            [support.CAPSULEFS, self.ws, other, "-o", f"key-file={self.key_file}"], rc=2)
        self.assertIn(f"process {pid} on ".encode(), result.stderr)
        self.assertEqual(support.mounts_below(other), [])
        self.assertEqual(support.processes_with(other), [])
        support.write(f"{point}/a", b"still works")
        self.umount(point)
        self.attach(point=other)
        self.assertEqual(support.read(f"{other}/a"), b"still works")
        self.umount(other)

    def test_mounted_again_at_once(self):
        """`umount` and then a new mount, as a script would do it, without waiting for anything."""
        point = self.attach()
        for number in range(3):
            trees.many(f"{point}/{number}", 10_000)
            self.run_command(["umount", point])
            self.attach(point=point)
            self.assertEqual(len(os.listdir(f"{point}/{number}")), 10_000)
        self.umount(point)

    def test_read_only_beside_a_writer(self):
        """A read-only mount while somebody writes is refused, or shows a state that was there."""
        point = self.attach()
        for number in range(500):
            support.write(f"{point}/{number}", trees.noise(300, number))
        workspaces.sync(point)
        other = self.path("other")
        os.mkdir(other)
        self.addCleanup(support.detach, other)
        result = self.run_command(
            [support.CAPSULEFS, self.ws, other, "-o", f"key-file={self.key_file},ro"], rc=None)
        if result.returncode == 0:
            for number in range(500):
                os.unlink(f"{point}/{number}")
                support.write(f"{point}/new{number}", trees.noise(100_000, 1))
            self.umount(point)
            for number in range(500):
                self.assertEqual(support.read(f"{other}/{number}"), trees.noise(300, number))
            self.umount(other)
        else:
            self.assertEqual(result.returncode, 2)
            self.assertEqual(support.mounts_below(other), [])
            self.umount(point)

    def test_termination_stores_everything(self):
        """SIGTERM and SIGINT unmount, and what was written but not flushed is there afterwards."""
        for number in (signal.SIGTERM, signal.SIGINT):
            point = self.attach()
            content = trees.noise(1 << 20, number)
            support.write(f"{point}/dir/{number}", content)
            os.symlink("x", f"{point}/link{number}")
            os.kill(self.driver(point), number)
            self.assertTrue(support.wait_until(lambda: not support.processes_with(point), 12))
            self.assertEqual(support.mounts_below(point), [])
            self.attach(point=point)
            self.assertEqual(support.read(f"{point}/dir/{number}"), content)
            self.assertEqual(os.readlink(f"{point}/link{number}"), "x")
            self.umount(point)

    def test_both_umounts(self):
        """umount(8) and fusermount3 -u end the driver and store everything."""
        for words in (["umount"], ["fusermount3", "-u"]):
            point = self.attach()
            support.write(f"{point}/{words[0]}", b"kept")
            self.run_command([*words, point])
            self.assertTrue(support.wait_until(lambda: not support.processes_with(point)))
            self.attach(point=point)
            self.assertEqual(support.read(f"{point}/{words[0]}"), b"kept")
            self.umount(point)

    def test_allow_other(self):
        """Without allow_other nobody else gets in; with it, modes decide."""
        self.addCleanup(os.chmod, "/dev/fuse", stat.S_IMODE(os.stat("/dev/fuse").st_mode))
        os.chmod("/dev/fuse", 0o666)
        point = self.attach()
        support.write(f"{point}/open", b"open", 0o644)
        support.write(f"{point}/private", b"private", 0o600)
        os.mkdir(f"{point}/shared")
        os.chmod(f"{point}/shared", 0o1777)
        nobody = support.NOBODY
        self.run_command(["cat", f"{point}/open"], user=nobody, rc=1)
        self.remount(point, "allow_other")
        self.assertEqual(
            self.run_command(["cat", f"{point}/open"], user=nobody).stdout, b"open")
        self.run_command(["cat", f"{point}/private"], user=nobody, rc=1)
        self.run_command(["touch", f"{point}/mine"], user=nobody, rc=1)
        self.run_command(["touch", f"{point}/shared/mine"], user=nobody)
        self.assertEqual(os.stat(f"{point}/shared/mine").st_uid, nobody)
        self.run_command(["rm", "-f", f"{point}/open"], user=nobody, rc=1)
        self.umount(point)


@support.needs_root
@support.needs_fuse
class Fidelity(WorkspaceTest):
    """The tree with every kind of object, copied in."""

    def setUp(self):
        super().setUp()
        self.source = trees.shared()[0]
        # As long a path as the source's, for the one with 4095 bytes.
        self.point = os.path.join(os.path.dirname(self.source), "mnt")
        os.makedirs(self.point, exist_ok=True)

    def copy_in(self, *options):
        """Mounts a new workspace and copies the tree with everything into it."""
        self.attach(*options, point=self.point)
        self.run_command(
            ["rsync", "-aHAXS", "--inplace", "--numeric-ids", f"{self.source}/", f"{self.point}/"])

    def assert_equal(self):
        """No difference that rsync or stat sees; and rsync would see one."""
        self.assertEqual(self.rsync(self.source, self.point), b"")
        names = trees.paths(self.source)
        self.assertEqual(trees.paths(self.point), names)
        self.assertGreater(len(names), 3050)
        for name in [b""] + names:
            one = os.path.join(os.fsencode(self.source), name)
            two = os.path.join(os.fsencode(self.point), name)
            if len(one) > 4090:
                self.assertEqual(support.read(two), support.read(one))
                continue
            old, new = os.lstat(one), os.lstat(two)
            for field in ("st_mode", "st_uid", "st_gid", "st_mtime_ns", "st_rdev", "st_nlink"):
                self.assertEqual(getattr(new, field), getattr(old, field), (name, field))
            if stat.S_ISLNK(old.st_mode):
                self.assertEqual(os.readlink(two), os.readlink(one), name)
            if not stat.S_ISDIR(old.st_mode):
                self.assertEqual(new.st_size, old.st_size, name)

    def attribute_dump(self, base):
        """All extended attributes of a tree, and what getfacl prints."""
        found = {}
        for name in trees.paths(base):
            path = os.path.join(os.fsencode(base), name)
            if len(path) < 4090:
                for attribute in os.listxattr(path, follow_symlinks=False):
                    found[name, attribute] = os.getxattr(path, attribute, follow_symlinks=False)
        self.assertGreater(len(found), 12)
        lists = self.run_command(["getfacl", "-R", "-P", "-n", "attributes"], cwd=base).stdout
        self.assertIn(b"default:user:12345:rwx", lists)
        return found, sorted(lists.split(b"\n\n"))

    def test_rsync(self):
        """rsync in: equal at once, after a new mount, and read-only, where nothing is written."""
        self.copy_in()
        self.assert_equal()
        self.assertNotEqual(self.rsync(self.source + "/sizes", self.point + "/links"), b"")
        self.remount(self.point)
        self.assert_equal()
        self.assertEqual(self.attribute_dump(self.point), self.attribute_dump(self.source))
        self.umount(self.point)
        before = self.stored()
        self.attach("ro", point=self.point)
        self.assert_equal()
        self.umount(self.point)
        self.assertEqual(self.stored(), before)

    def test_cp(self):
        """cp -a in: equal at once and after a new mount; sparse files take no room."""
        self.attach(point=self.point)
        self.run_command(["cp", "-aT", "--sparse=always", self.source, self.point])
        self.assert_equal()
        self.remount(self.point)
        self.assert_equal()
        self.assertEqual(self.attribute_dump(self.point), self.attribute_dump(self.source))
        found = os.stat(f"{self.point}/sparse/large-hole")
        self.assertLess(found.st_blocks * 512, 1 << 20)
        self.assertEqual(trees.segments(f"{self.point}/sparse/all-hole"), [("hole", 0, 9 << 20)])
        self.umount(self.point)

    def test_second_rsync_moves_nothing(self):
        """A real rsync of what is there already changes nothing; after a change, only that."""
        self.copy_in()
        self.remount(self.point)
        words = ["rsync", "-aHAXi", "--inplace", "--numeric-ids", "--delete", "--stats",
                 f"{self.source}/", f"{self.point}/"]
        before = self.stored_length()
        lines = self.run_command(words).stdout.decode().splitlines()
        self.assertEqual(lines[0], "", lines[:5])
        self.assertIn("Number of regular files transferred: 0", lines)
        self.assertEqual(self.stored_length(), before)
        support.write(f"{self.point}/sizes/4096", b"changed")
        lines = self.run_command(words).stdout.decode().splitlines()
        self.assertTrue(lines[0].endswith(" sizes/4096"), lines[:5])
        self.assertIn("Number of regular files transferred: 1", lines)
        self.umount(self.point)

    def test_tar(self):
        """tar in and out again gives the same tree, with ACLs, attributes and holes."""
        self.attach(point=self.point)
        flags = ["--acls", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-S"]
        places = ["sizes", "links", "modes", "attributes", "sparse", "times", "names"]
        archives = [self.path("in.tar"), self.path("out.tar")]
        out = self.path("out")
        os.mkdir(out)
        for archive, source, target in [
                (archives[0], self.source, self.point), (archives[1], self.point, out)]:
            self.run_command(["tar", *flags, "-C", source, "--format=posix", "-cf", archive,
                              *places])
            self.run_command(["tar", *flags, "-C", target, "-xpf", archive])
        for name in places:
            for target in (self.point, out):
                self.assertEqual(
                    self.rsync(f"{self.source}/{name}", f"{target}/{name}"), b"", name)
        self.umount(self.point)


@support.needs_root
@support.needs_fuse
class ReadOnly(WorkspaceTest):
    """-o ro."""

    def test_writes_are_refused(self):
        """Every change is EROFS, and no file of the workspace changes."""
        point = self.attach()
        support.write(f"{point}/a.txt", b"alpha")
        os.makedirs(f"{point}/sub/deep")
        self.umount(point)
        before = self.stored()
        self.attach("ro", point=point)
        self.assertIn("ro", support.mounts_below(point)[0][2].split(","))
        name = f"{point}/a.txt"
        attempts = [
            lambda: os.open(name, os.O_WRONLY), lambda: os.open(name, os.O_RDWR),
            lambda: os.open(f"{point}/new", os.O_CREAT | os.O_WRONLY),
            lambda: os.mkdir(f"{point}/new"), lambda: os.unlink(name),
            lambda: os.rmdir(f"{point}/sub/deep"), lambda: os.rename(name, name + "2"),
            lambda: os.link(name, name + "2"), lambda: os.symlink("x", name + "2"),
            lambda: os.chmod(name, 0o777), lambda: os.chown(name, 1, 1),
            lambda: os.utime(name, (1, 1)), lambda: os.truncate(name, 0),
            lambda: os.setxattr(name, "user.x", b""), lambda: os.removexattr(name, "user.x"),
            lambda: os.mknod(f"{point}/fifo", 0o010644),
            lambda: workspaces.rename(name, name + "2", workspaces.NOREPLACE)]
        for number, attempt in enumerate(attempts):
            self.fails_with(errno.EROFS, attempt, f"attempt {number}")
        self.assertEqual(support.read(name), b"alpha")
        self.umount(point)
        self.assertEqual(self.stored(), before)

    def test_new_workspace(self):
        """One that was never mounted can be, and is empty."""
        self.init()
        before = self.stored()
        point = self.attach("ro")
        self.assertEqual(os.listdir(point), [])
        self.umount(point)
        self.assertEqual(self.stored(), before)

    def test_after_a_crash(self):
        """What was flushed before the driver was killed is there, and nothing is written."""
        point = self.attach()
        support.write(f"{point}/a", b"in the log")
        workspaces.sync(f"{point}/a")
        self.kill(point)
        before = self.stored()
        self.assertGreater(os.path.getsize(f"{self.ws}/metadata-wal"), 0)
        self.attach("ro", point=point)
        self.assertEqual(support.read(f"{point}/a"), b"in the log")
        self.umount(point)
        self.assertEqual(self.stored(), before)

    def test_failure_changes_nothing_after_a_crash(self):
        """Where the mount is refused for damage, what is in the log stays."""
        point = self.attach()
        support.write(f"{point}/a", b"a")
        self.remount(point)
        support.write(f"{point}/b", b"b")
        workspaces.sync(f"{point}/b")
        self.kill(point)
        for page in range(os.path.getsize(f"{self.ws}/metadata") // PAGE_LENGTH):
            self.damage(f"{self.ws}/metadata", page * PAGE_LENGTH + 50)
        before = self.stored()
        self.attach("ro", point=point, rc=2)
        self.assertEqual(self.stored(), before)

    def test_failure_changes_nothing(self):
        """So it is after a clean end: SQLite does not remove the log either."""
        point = self.attach()
        support.write(f"{point}/a", b"a")
        self.umount(point)
        for page in range(os.path.getsize(f"{self.ws}/metadata") // PAGE_LENGTH):
            self.damage(f"{self.ws}/metadata", page * PAGE_LENGTH + 50)
        before = self.stored()
        self.attach("ro", point=point, rc=2)
        self.assertEqual(self.stored(), before)

    def test_on_a_medium_that_cannot_be_written(self):
        """A read-only file system underneath is enough."""
        point = self.attach()
        support.write(f"{point}/a", b"alpha")
        self.umount(point)
        bound = self.path("bound")
        os.mkdir(bound)
        self.addCleanup(support.detach, bound)
        self.run_command(["mount", "--bind", self.ws, bound])
        self.run_command(["mount", "-o", "remount,bind,ro", bound])
        self.attach("ro", ws=bound, point=point)
        self.assertEqual(support.read(f"{point}/a"), b"alpha")
        self.umount(point)
        self.run_command(["umount", bound])


@support.needs_root
@support.needs_fuse
class AtRest(WorkspaceTest):
    """Nothing of what is inside can be read outside."""

    MARKS = [b"NAME-MARK-tulip", b"CONTENT-MARK-tulip", b"XATTR-MARK-tulip", b"VALUE-MARK-tulip",
             b"TARGET-MARK-tulip", b"DIR-MARK-tulip", b"GONE-MARK-tulip", b"INCOMPRESSIBLE-tulip"]

    def plant(self, point):
        """Puts every mark into the mount."""
        name, content, attribute, value, target, directory, gone, packed = self.MARKS
        place = f"{point}/{directory.decode()}"
        path = support.write(f"{place}/{name.decode()}", content * 50)
        support.write(f"{place}/packed", packed + trees.noise(300_000) + packed)
        os.setxattr(path, b"user." + attribute, value * 10)
        os.symlink(target, f"{place}/link")
        support.write(f"{place}/{gone.decode()}", gone)
        os.rename(f"{place}/{gone.decode()}", f"{place}/{gone.decode()}-2")
        os.remove(f"{place}/{gone.decode()}-2")
        workspaces.sync(f"{place}/packed")

    def assert_hidden(self, ws=None):
        """No mark in any file or name of the workspace; but there is something."""
        found = support.tree_bytes(ws or self.ws)
        self.assertGreater(sum(map(len, found.values())), 300_000)
        for name, content in found.items():
            for mark in [*self.MARKS, b"tulip", b"SQLite format", b"user."]:
                self.assertNotIn(mark, content, name)
                self.assertNotIn(mark, os.fsencode(name))

    def test_while_mounted_and_after(self):
        """After a flush, after the timer's commit, after unmounting."""
        point = self.attach()
        self.plant(point)
        self.assert_hidden()
        os.sync()
        log = os.path.getsize(f"{self.ws}/metadata-wal")
        support.write(f"{point}/later", self.MARKS[1] * 1000)
        self.assertTrue(support.wait_until(
            lambda: os.path.getsize(f"{self.ws}/metadata-wal") > log, 8), "no commit by itself")
        self.assert_hidden()
        self.umount(point)
        self.assert_hidden()
        self.assertEqual(os.path.getsize(f"{self.ws}/metadata-wal"), 0)

    def test_after_a_kill(self):
        """After kill -9, and after the mount that repairs it."""
        point = self.attach()
        self.plant(point)
        self.kill(point)
        self.assert_hidden()
        self.attach(point=point)
        self.umount(point)
        self.assert_hidden()

    def test_no_plaintext_elsewhere(self):
        """The driver keeps no file open, and makes none, outside of the workspace."""
        before = {name for name in os.listdir("/tmp")}
        point = self.attach()
        self.plant(point)
        pid = self.driver(point)
        for number in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{number}")
            if target.startswith("/") and not target.startswith("/dev/"):
                self.assertTrue(target.startswith(self.ws), target)
                self.assertFalse(target.endswith("(deleted)"), target)
        made = {name for name in set(os.listdir("/tmp")) - before if "capsule" in name}
        self.assertEqual(made, set())
        self.umount(point)


if __name__ == "__main__":
    unittest.main()
