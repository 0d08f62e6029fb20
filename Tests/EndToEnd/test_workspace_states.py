"""States of a workspace: kept, listed, read, compared, sealed, mounted and forgotten."""

import errno
import json
import os
import time

import support
import workspaces
from workspaces import WorkspaceTest


@support.needs_root
@support.needs_fuse
class States(WorkspaceTest):
    """Snapshots, while the workspace is mounted and while it is not."""

    def setUp(self):
        super().setUp()
        self.opened = ["--key-file", self.key_file]
        self.named = ["-w", self.ws, *self.opened]
        self.init()

    def changed(self, point):
        """Changes something of every kind below a mount of the sample."""
        os.remove(f"{point}/a.txt")
        workspaces.write_at(f"{point}/sub/b.bin", 10, b"changed")
        os.rename(f"{point}/sub/deep", f"{point}/moved")
        support.write(f"{point}/new", b"new")
        os.chmod(f"{point}/sub", 0o700)

    def kept(self):
        """The sample in a state @one, then changes; returns the sample."""
        source = self.sample("source")
        point = self.attach()
        self.run_command(["cp", "-a", f"{source}/.", point])
        self.umount(point)
        self.capsule("snapshot", "create", "one", *self.named)
        self.attach(point=point)
        self.changed(point)
        self.umount(point)
        return source

    def states(self, *more):
        """The names of the states."""
        return [row["name"] for row in self.capsule_json("snapshot", "list", *more)["states"]]

    def test_read_later(self):
        """A state is what the tree was, whatever came later: compared, extracted, listed."""
        source = self.kept()
        self.assertEqual(self.states(*self.named), ["one"])
        self.assertEqual(self.capsule("diff", "@one", source, *self.named).stdout, b"")
        self.capsule("extract", "@one", self.path("out"), *self.named)
        self.assertEqual(self.rsync(source, self.path("out")), b"")
        listed = self.capsule("ls", "@one", *self.named).stdout.decode().split()
        self.assertEqual(listed, sorted(os.listdir(source)))
        text = self.capsule("cat", "@one", "a.txt", *self.named).stdout
        self.assertEqual(text, support.read(f"{source}/a.txt"))

    def test_compared_with_the_present(self):
        """The directory of the workspace stands for its present state."""
        self.kept()
        found = self.capsule("diff", "@one", self.ws, *self.named).stdout.decode().splitlines()
        words = {tuple(line.split()[:2]) for line in found}
        for expected in (("removed", "a.txt"), ("changed", "sub/b.bin"), ("added", "new"),
                         ("removed", "sub/deep"), ("added", "moved")):
            self.assertIn(expected, words)
        same = self.capsule("diff", self.ws, self.ws, "--exit-code", *self.named)
        self.assertEqual(same.stdout, b"")

    def test_mounted(self):
        """-o ro,at=@one shows it; without ro, or of no such state, nothing is mounted."""
        source = self.kept()
        point = self.attach("ro", "at=@one")
        self.assertEqual(self.rsync(source, point), b"")
        self.umount(point)
        for options in ("at=@one", "ro,at=@none", "ro,at=one"):
            words = f"key-file={self.key_file},{options}"
            self.run_command(["capsulefs", self.ws, point, "-o", words], rc=1)
        self.assertEqual(support.mounts_below(point), [])

    def test_mounted_by_its_name_alone(self):
        """`@one` is that state of the workspace that the environment names, in both programs."""
        source, point = self.kept(), self.path("mnt")
        env = {"CAPSULE_WORKSPACE": self.ws}
        for words in (["capsulefs", "@one", point, "-o", f"key-file={self.key_file}"],
                      ["capsule", "mount", "@one", point, *self.opened]):
            self.run_command(words, env=env)
            self.assertEqual(self.rsync(source, point), b"")
            self.umount(point)
        self.run_command(["capsulefs", "@none", point, "-o", f"key-file={self.key_file}"], rc=1,
                         env=env)
        self.capsule("mount", "@one", point, "-w", self.ws, *self.opened)
        self.assertEqual(self.rsync(source, point), b"")
        self.umount(point)
        self.capsule("mount", self.ws, point, "-w", self.ws, *self.opened, rc=1)
        told = self.run_command(["capsulefs", "@one", point], rc=1, cwd=self.root).stderr
        self.assertIn(b"-o ro,at=@one", told)

    def test_converted(self):
        """A state becomes a Memvid file without a mount."""
        source = self.kept()
        self.capsule("convert", "@one", self.path("x.mv2"), *self.named)
        text = self.capsule("cat", self.path("x.mv2"), "a.txt").stdout
        self.assertEqual(text, support.read(f"{source}/a.txt"))

    def test_mounted_beside_its_driver(self):
        """A state is read through the driver; when that has ended, reads give EIO."""
        point = self.attach("timeline=0")
        support.write(f"{point}/file", b"content")
        self.capsule("snapshot", "create", "one", "-w", point)
        other = self.path("other")
        os.mkdir(other)
        self.run_command(["capsulefs", self.ws, other, "-o", "ro,at=@one"])
        self.assertEqual(os.listdir(other), ["file"])
        self.umount(point)
        with self.assertRaises(OSError) as caught:
            support.read(f"{other}/file")
        self.assertEqual(caught.exception.errno, errno.EIO)
        self.umount(other)

    def test_sealed(self):
        """A capsule sealed from a state is that state; the directory itself is refused."""
        source = self.kept()
        sealed = self.path("one.mv2e")
        new = ["--new-key-file", self.path("new-key")]
        self.capsule("seal", "@one", sealed, *self.named, *new)
        self.capsule("extract", sealed, self.path("out"), "--key-file", self.path("new-key"))
        self.assertEqual(self.rsync(source, self.path("out")), b"")
        result = self.capsule("seal", self.ws, self.path("other.mv2e"), *new, rc=1)
        self.assertIn(b"is a workspace", result.stderr)

    def test_while_mounted(self):
        """The driver answers without a secret, and what was written but not flushed is in it."""
        point = self.attach()
        for number in range(5):
            support.write(f"{point}/file", b"%d" % number * 1000)
            self.capsule("snapshot", "create", f"s{number}", "-w", point)
        self.assertEqual(self.states("-w", self.ws), [f"s{number}" for number in range(5)])
        self.capsule("snapshot", "delete", "s1", "-w", point)
        result = self.capsule("snapshot", "create", "s2", "-w", point, rc=1)
        self.assertIn(b"already", result.stderr)
        self.umount(point)
        for number in (0, 2, 3, 4):
            found = self.capsule("cat", f"@s{number}", "file", *self.named).stdout
            self.assertEqual(found, b"%d" % number * 1000)
        self.capsule("cat", "@s1", "file", *self.named, rc=1)

    def test_name_that_is_not_utf8(self):
        """It can be named on the command line like any other."""
        point = self.attach("timeline=0")
        name = b"odd-\xff\xc3-\xc3\xa4"
        support.write(os.path.join(os.fsencode(point), name), b"first")
        self.capsule("snapshot", "create", "one", "-w", point)
        os.remove(os.path.join(os.fsencode(point), name))
        self.capsule("history", name, "-w", point)
        self.capsule("restore", "@one", name, "-w", point)
        self.assertEqual(self.capsule("cat", "@one", name, "-w", point).stdout, b"first")
        self.assertEqual(os.listdir(os.fsencode(point)), [name])
        self.capsule("forget", name, "--all-states", "-w", point)
        self.assertEqual(os.listdir(os.fsencode(point)), [])

    def test_within_odd_directories(self):
        """A path is taken from the working directory, whatever that is called, bound or not."""
        point = os.fsencode(self.attach("timeline=0"))
        bound = self.path("bound")
        os.mkdir(bound)
        for name in (b"odd-\xff", b"\xcc\x81accent", b"plain"):
            support.write(os.path.join(point, name, b"file"), b"12345")
        self.capsule("snapshot", "create", "one", "-w", os.fsdecode(point))
        self.run_command(["mount", "--bind", os.path.join(point, name), bound])
        self.addCleanup(support.detach, bound)
        for place in (*(os.path.join(point, name) for name in os.listdir(point)), bound):
            rows = self.capsule_json("history", "file", cwd=place)["versions"]
            self.assertEqual([row["size"] for row in rows], [5])
        self.run_command(["umount", bound])
        self.umount(os.fsdecode(point))

    def test_deleted_while_open(self):
        """A file of a state that goes cannot be read any more: an error, and never zeros."""
        point = self.attach("timeline=0")
        content = bytes(range(256)) * 12000
        support.write(f"{point}/file", content)
        self.capsule("snapshot", "create", "one", "-w", point)
        os.remove(f"{point}/file")
        with open(f"{point}/.capsule/snapshots/one/file", "rb", buffering=0) as file:
            self.capsule("snapshot", "delete", "one", "-w", point)
            with self.assertRaises(OSError) as caught:
                file.read(100)
            self.assertIn(caught.exception.errno, (errno.ESTALE, errno.EIO))
        self.assertEqual(os.listdir(f"{point}/.capsule/snapshots"), [])

    def test_no_point_too_early(self):
        """A point comes so long after the first change as was asked for, and not before."""
        point = self.attach("timeline=60")
        end = time.monotonic() + 7
        while time.monotonic() < end:
            support.write(f"{point}/file", os.urandom(1000))
            time.sleep(0.02)
        listed = self.capsule("timeline", "--json", "-w", point).stdout
        self.assertEqual(json.loads(listed)["states"], [])

    def test_shown_in_the_mount(self):
        """.capsule/snapshots/NAME is the tree as it was: for rsync, diff, cp; and for no change."""
        source, point = self.sample("source"), self.attach()
        self.run_command(["cp", "-a", f"{source}/.", point])
        os.setxattr(f"{point}/a.txt", "user.note", b"kept")
        os.setxattr(f"{source}/a.txt", "user.note", b"kept")
        place = f"{point}/.capsule/snapshots"
        self.assertEqual(os.listdir(place), [])
        self.capsule("snapshot", "create", "one", "-w", point)
        self.changed(point)
        self.capsule("snapshot", "create", "two", "-w", point)
        self.assertEqual(sorted(os.listdir(place)), ["one", "two"])
        self.assertNotIn(".capsule", os.listdir(point))
        self.assertEqual(
            os.listdir(f"{point}/.capsule"),
            ["snapshots", "timeline", "imports", "runs", "audit.jsonl", "stats.json"])
        self.assertEqual(self.rsync(source, f"{place}/one"), b"")
        self.assertEqual(self.rsync(point, f"{place}/two", "--exclude=/.capsule"), b"")
        listed = self.run_command(["ls", "-lAR", f"{point}/.capsule"])
        self.assertEqual(listed.stderr, b"")
        numbers = {os.stat(f"{at}/sub").st_ino for at in (point, f"{place}/one", f"{place}/two")}
        self.assertEqual(len(numbers), 3)
        for change in (lambda: os.remove(f"{place}/one/a.txt"),
                       lambda: os.mkdir(f"{place}/three"),
                       lambda: os.rmdir(f"{point}/.capsule"),
                       lambda: os.mkdir(f"{point}/.capsule/other"),
                       lambda: os.rename(f"{point}/new", f"{point}/.capsule/new"),
                       lambda: os.rename(f"{place}/one/a.txt", f"{point}/taken"),
                       lambda: os.link(f"{place}/one/a.txt", f"{point}/linked"),
                       lambda: os.chmod(f"{place}/one/a.txt", 0o777),
                       lambda: os.setxattr(f"{place}/one/a.txt", "user.x", b"x"),
                       lambda: open(f"{place}/one/a.txt", "ab")):
            with self.assertRaises(OSError) as caught:
                change()
            self.assertIn(caught.exception.errno, (errno.EROFS, errno.EXDEV, errno.EPERM))
        self.run_command(["cp", "-a", f"{place}/one/a.txt", f"{point}/a.txt"])
        self.assertEqual(support.read(f"{point}/a.txt"), support.read(f"{source}/a.txt"))
        self.capsule("snapshot", "delete", "one", "-w", point)
        self.assertEqual(os.listdir(place), ["two"])
        self.assertFalse(os.path.exists(f"{place}/one"))
        self.umount(point)

    def test_after_a_kill(self):
        """A state that was reported survives the driver."""
        point = self.attach()
        support.write(f"{point}/file", b"before")
        self.capsule("snapshot", "create", "kept", "-w", point)
        support.write(f"{point}/file", b"after")
        self.kill(point)
        self.assertEqual(
            self.capsule("cat", "@kept", "file", *self.named).stdout, b"before")

    def test_only_the_owner(self):
        """Another user cannot reach the driver's socket."""
        point = self.attach("allow_other")
        mode = os.stat(f"{self.ws}/control").st_mode
        self.assertEqual(mode & 0o777, 0o600)
        self.umount(point)
        self.assertFalse(os.path.exists(f"{self.ws}/control"))

    def test_names(self):
        """What cannot name a state; a state without a name gets the time."""
        for name in ("", ".hidden", "-x", "a/b", "a b", "x" * 256, "tab\there"):
            self.capsule("snapshot", "create", *self.named, "--", name, rc=1)
        self.capsule("snapshot", "create", *self.named)
        self.assertRegex(self.states(*self.named)[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_workspace_by_environment_and_directory(self):
        """-w, then CAPSULE_WORKSPACE, then the working directory."""
        env = {"CAPSULE_WORKSPACE": self.ws}
        self.run_command(["capsule", "snapshot", "create", "a", *self.opened], env=env)
        self.run_command(["capsule", "snapshot", "create", "b", *self.opened], cwd=self.ws)
        self.assertEqual(self.states(*self.named), ["a", "b"])
        result = self.run_command(["capsule", "snapshot", "list"], rc=1, cwd="/")
        self.assertIn(b"no workspace is named", result.stderr)

    def test_doctor(self):
        """Doctor finds nothing wrong in a workspace with a past, and a damaged block in it."""
        self.kept()
        self.capsule("doctor", self.ws, "--deep", *self.opened)
        segment = sorted(os.listdir(f"{self.ws}/segments"))[0]
        path = f"{self.ws}/segments/{segment}"
        with open(path, "r+b") as file:
            file.seek(100)
            byte = file.read(1)
            file.seek(100)
            file.write(bytes([byte[0] ^ 1]))
        self.capsule("doctor", self.ws, *self.opened)
        result = self.capsule("doctor", self.ws, "--deep", *self.opened, rc=2)
        self.assertIn(b"is damaged", result.stdout)

    def test_slots(self):
        """Secrets are added and removed as a capsule's are."""
        new = self.path("second")
        self.capsule("slot", "add", self.ws, *self.opened, "--new-key-file", new)
        self.capsule("snapshot", "list", "-w", self.ws, "--key-file", new)
        self.capsule("slot", "remove", self.ws, "1", "--key-file", new)
        result = self.capsule("snapshot", "list", "-w", self.ws, *self.opened, rc=1)
        self.assertIn(b"'capsule slot list'", result.stderr)
        self.capsule("snapshot", "list", "-w", self.ws, "--key-file", new)

    def test_patch_of_odd_names(self):
        """No name ends a line above a hunk: patch(1) finds each file, and changes no other."""
        point, copy = os.fsencode(self.attach("timeline=0")), os.fsencode(self.path("copy"))
        names = [b"a blank", b"tab\there", b"line\n+++ end", b'"quoted\\"', b"\xff\xe9", b"plain"]
        for place in (point, copy):
            for name in names:
                support.write(os.path.join(place, name), b"old\n")
        self.capsule("snapshot", "create", "one", "-w", point)
        for name in names:
            support.write(os.path.join(point, name), b"new\n")
        text = self.capsule("diff", "@one", "--patch", "-w", point).stdout
        self.run_command(["patch", "-p1", "--force", "-d", copy], data=text)
        self.assertEqual(sorted(os.listdir(copy)), sorted(names))
        for name in names:
            self.assertEqual(support.read(os.path.join(copy, name)), b"new\n", name)
        self.umount(os.fsdecode(point))

    def test_slots_added_at_once(self):
        """Of secrets that are added at the same time, each opens the workspace afterwards."""
        names = [self.path(f"new{number}") for number in range(6)]
        running = [self.start([support.CAPSULE, "slot", "add", self.ws, *self.opened,
                               "--new-key-file", name]) for name in names]
        self.assertEqual([process.wait(30) for process in running], [0] * 6)
        for name in names:
            self.capsule("timeline", "-w", self.ws, "--key-file", name)


if __name__ == "__main__":
    import unittest

    unittest.main()
