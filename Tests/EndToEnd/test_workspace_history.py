"""The past of a workspace: the timeline, versions, restored paths, branches and retention."""

import os
import random
import stat
import time

import support
import workspaces
from workspaces import TIME, VerbTest


def odd_tree(base):
    """A small tree with one of everything."""
    support.write(f"{base}/a.txt", b"alpha\n", 0o640)
    os.setxattr(f"{base}/a.txt", "user.note", b"kept")
    os.setxattr(f"{base}/a.txt", "system.posix_acl_access", workspaces.access_list(
        (1, 6, 0xffffffff), (2, 4, 12345), (4, 4, 0xffffffff), (16, 4, 0xffffffff),
        (32, 0, 0xffffffff)))
    support.write(f"{base}/sub/b.bin", bytes(range(256)) * 1500)
    os.link(f"{base}/sub/b.bin", f"{base}/sub/same")
    os.symlink("../a.txt", f"{base}/sub/link")
    os.mkfifo(f"{base}/sub/fifo", 0o600)
    os.mknod(f"{base}/sub/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    support.write(f"{base}/sub/deep/c", b"")
    with open(os.fsencode(base) + b"/odd-\xff\n", "wb") as file:
        file.write(b"odd")
    with open(f"{base}/sparse", "wb") as file:
        file.seek(3 << 20)
        file.write(b"end")
    os.chown(f"{base}/sub/deep/c", 12345, 23456)
    os.chmod(f"{base}/sub/deep", 0o2750)
    os.utime(f"{base}/sub", ns=(1, 1_234_567_890_123_456_789))


@support.needs_root
@support.needs_fuse
class Timeline(VerbTest):
    """States that come by themselves."""

    def automatic(self, at=None):
        """The names of these states."""
        return [name for name, kind in self.states(at) if kind == "automatic"]

    def test_after_a_change(self):
        """A state comes that long after the first change, and shows what there was."""
        point = self.attach("timeline=1")
        place = f"{point}/.capsule/timeline"
        self.assertEqual(os.listdir(place), [])
        support.write(f"{point}/note", b"first")
        self.assertTrue(support.wait_until(lambda: os.listdir(place), 10))
        support.write(f"{point}/note", b"second")
        name = self.automatic(point)[0]
        self.assertRegex(name, f"^{TIME}$")
        self.assertIn(name, os.listdir(place))
        self.assertEqual(os.listdir(f"{point}/.capsule/snapshots"), [])
        self.assertEqual(support.read(f"{place}/{name}/note"), b"first")
        self.assertEqual(self.verb("cat", f"@{name}", "note", at=point), "first")
        self.umount(point)
        self.assertEqual(self.verb("cat", f"@{name}", "note"), "first")
        self.attach("ro", f"at=@{name}", point=point)
        self.assertEqual(support.read(f"{point}/note"), b"first")
        self.umount(point)

    def test_nothing_changed(self):
        """Without a change none comes, not at the end of the mount either; reading is none."""
        point = self.attach("timeline=1")
        support.write(f"{point}/note", b"first")
        self.capsule("snapshot", "create", "one", "-w", point)
        support.read(f"{point}/note")
        time.sleep(1.6)
        self.umount(point)
        self.assertEqual(self.states(), [("one", "named")])

    def test_none_at_all(self):
        """With timeline=0 none comes, not at the end of the mount either."""
        point = self.attach("timeline=0")
        support.write(f"{point}/note", b"first")
        self.umount(point)
        self.assertEqual(self.states(), [])
        words = f"key-file={self.key_file},timeline=x"
        self.run_command([support.CAPSULEFS, self.ws, point, "-o", words], rc=1)

    def test_end_of_the_mount(self):
        """One comes at the end of the mount, but not if the newest state is young."""
        point = self.attach("timeline=3600")
        support.write(f"{point}/note", b"first")
        self.capsule("snapshot", "create", "young", "-w", point)
        support.write(f"{point}/note", b"second")
        self.umount(point)
        self.assertEqual(self.states(), [("young", "named")])
        time.sleep(1.1)
        self.attach("timeline=1", point=point)
        support.write(f"{point}/note", b"third")
        self.umount(point)
        names = self.automatic()
        self.assertEqual(len(names), 1)
        self.assertEqual(self.verb("cat", f"@{names[0]}", "note"), "third")

    def test_list(self):
        """Oldest first, each with time, branch, kind and tag; named ones are in both lists."""
        point = self.attach()
        self.capsule("snapshot", "create", "zulu", "-w", point)
        made = self.capsule_json("snapshot", "create", "-w", point, "--tag", "nightly")["states"]
        self.capsule("snapshot", "create", "alpha", "-w", point)
        support.write(f"{point}/note", b"first")
        self.capsule("restore", "@alpha", "note", "-w", point, rc=1)
        self.capsule("snapshot", "create", "last", "-w", point)
        self.capsule("restore", "@last", "note", "-w", point)
        rows = self.facts("timeline", at=point)["states"]
        kinds = [row["kind"] for row in rows]
        self.assertEqual(kinds, ["named", "unnamed", "named", "named", "automatic"])
        self.assertEqual(rows[1]["name"], made[0]["name"])
        self.assertEqual(rows[1]["tag"], "nightly")
        self.assertEqual({row["branch"] for row in rows}, {"main"})
        times = [row["created_at"] for row in rows]
        self.assertEqual(times, sorted(times))
        kept = [row["name"] for row in self.facts("snapshot", "list", at=point)["states"]]
        self.assertEqual(kept, [row["name"] for row in rows[:4]])
        self.assertEqual(sorted(os.listdir(f"{point}/.capsule/snapshots")), sorted(kept))
        self.assertEqual(os.listdir(f"{point}/.capsule/timeline"), [rows[4]["name"]])
        text = self.verb("timeline", at=point).splitlines()
        self.assertEqual([line.split()[0] for line in text], ["@" + row["name"] for row in rows])
        self.assertIn("nightly", text[1])
        self.umount(point)
        self.assertEqual(self.facts("timeline")["states"], rows)


@support.needs_root
@support.needs_fuse
class Restored(VerbTest):
    """What restore brings back."""

    def kept(self, *options):
        """A mount of the odd tree, kept as @one; returns the source and the mount point."""
        source = self.path("source")
        odd_tree(source)
        point = self.attach(*options)
        self.copied(source, point)
        self.capsule("snapshot", "create", "one", "-w", point)
        return source, point

    def same(self, source, point, *more):
        """Demands that a mount, but for its .capsule, is the source."""
        self.assertEqual(self.rsync(source, point, "--exclude=/.capsule", *more), b"")

    def test_file(self):
        """Content and attributes are those of the state; what was there is kept first."""
        source, point = self.kept()
        support.write(f"{point}/a.txt", b"changed")
        os.removexattr(f"{point}/a.txt", "user.note")
        number = os.stat(f"{point}/a.txt").st_ino
        found = self.facts("restore", "@one", "a.txt", at=point)
        self.assertEqual((found["inodes"], found["bytes"]), (1, 6))
        # The directory got another entry, and has the time of that.
        self.same(source, point, "--omit-dir-times")
        self.assertNotEqual(os.stat(f"{point}/a.txt").st_ino, number)
        self.assertIn((found["before"], "automatic"), self.states(point))
        before = f"@{found['before']}"
        self.assertEqual(self.verb("cat", before, "a.txt", at=point), "changed")
        self.capsule("restore", before, "a.txt", "-w", point, "--quiet")
        self.assertEqual(support.read(f"{point}/a.txt"), b"changed")
        self.umount(point)
        self.healthy()

    def test_tree(self):
        """A directory with all below it; what was added since goes, links stay together."""
        for is_mounted in (True, False):
            with self.subTest(is_mounted=is_mounted):
                self.ws = self.path(f"ws{is_mounted}")
                self.named = ["-w", self.ws, *self.opened]
                self.run_command(["rm", "-rf", self.path("source")])
                source, point = self.kept()
                times = os.stat(source)
                self.run_command(["rm", "-rf", f"{point}/sub/deep", f"{point}/sub/link"])
                os.mkdir(f"{point}/sub/link")
                support.write(f"{point}/sub/added/file", b"added")
                workspaces.write_at(f"{point}/sub/b.bin", 100, b"changed")
                os.remove(f"{point}/sub/same")
                if not is_mounted:
                    self.umount(point)
                found = self.facts("restore", "@one", "sub", at=point if is_mounted else None)
                self.assertEqual(found["inodes"], 7)
                if not is_mounted:
                    self.attach(point=point)
                os.utime(point, ns=(times.st_atime_ns, times.st_mtime_ns))
                self.same(source, point)
                self.umount(point)
                self.healthy()

    def test_missing_above(self):
        """Directories that are gone are made as they were; only the path comes back."""
        source, point = self.kept()
        self.run_command(["rm", "-rf", f"{point}/sub"])
        self.capsule("restore", "@one", "sub/deep/c", "-w", point)
        self.assertEqual(os.listdir(f"{point}/sub"), ["deep"])
        for path in ("sub", "sub/deep", "sub/deep/c"):
            one, two = os.stat(f"{source}/{path}"), os.stat(f"{point}/{path}")
            self.assertEqual((one.st_mode, one.st_uid, one.st_gid),
                             (two.st_mode, two.st_uid, two.st_gid), path)
        self.umount(point)
        self.healthy()

    def test_other_types(self):
        """A file where a directory is, and the other way; the kernel sees it at once."""
        _, point = self.kept()
        os.remove(f"{point}/a.txt")
        support.write(f"{point}/a.txt/inner", b"inner")
        self.run_command(["rm", "-rf", f"{point}/sub"])
        support.write(f"{point}/sub", b"a file")
        self.capsule("restore", "@one", "a.txt", "-w", point)
        self.capsule("restore", "@one", "sub", "-w", point)
        self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
        self.assertEqual(support.read(f"{point}/sub/b.bin"), bytes(range(256)) * 1500)
        self.umount(point)
        self.healthy()

    def test_open_files(self):
        """Who has the replaced file open goes on with the old one, reading and writing."""
        _, point = self.kept()
        with open(f"{point}/a.txt", "r+b", buffering=0) as file:
            file.write(b"ALPHA and more")
            self.capsule("restore", "@one", "a.txt", "-w", point)
            self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
            file.write(b", still")
            os.fsync(file.fileno())
            self.assertEqual(os.pread(file.fileno(), 100, 0), b"ALPHA and more, still")
        self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
        self.remount(point)
        self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
        self.umount(point)
        self.healthy()

    def test_to_a_directory(self):
        """--to writes elsewhere and leaves the workspace alone, mounted or not."""
        source, point = self.kept()
        os.remove(f"{point}/a.txt")
        states = self.states(point)
        self.capsule("restore", "@one", "sub", "--to", self.path("out"), "-w", point)
        self.assertEqual(self.states(point), states)
        self.assertFalse(os.path.exists(f"{point}/a.txt"))
        self.umount(point)
        stored = self.stored()
        self.verb("restore", "@one", "sub", "--to", self.path("out2"))
        self.assertEqual(self.stored(), stored)
        for target in ("out", "out2"):
            places = [at for at in (self.path(target), f"{self.path(target)}/sub")
                      if os.path.exists(f"{at}/b.bin")]
            self.assertEqual(len(places), 1, os.listdir(self.path(target)))
            self.assertEqual(self.rsync(f"{source}/sub", places[0]), b"")

    def test_refused(self):
        """No such state, no such path in it, nothing changed."""
        _, point = self.kept()
        support.write(f"{point}/later", b"later")
        states = self.states(point)
        for words in (["@none", "a.txt"], ["@one", "later"], ["@one", "a.txt/x"], ["one", "a.txt"],
                      ["@one", ""], ["@one", "../outside"]):
            self.capsule("restore", *words, "-w", point, rc=1)
        self.assertEqual(support.read(f"{point}/later"), b"later")
        self.assertEqual(self.states(point), states)
        self.umount(point)


@support.needs_root
@support.needs_fuse
class Branches(VerbTest):
    """Lines of states."""

    def branches(self, at=None):
        """{name: (state, whether it is the present one)}."""
        return {row["name"]: (row.get("state"), row["current"])
                for row in self.facts("branch", "list", at=at)["branches"]}

    def test_switch(self):
        """There and back, the tree, inode numbers included, is what was left."""
        source = self.path("source")
        odd_tree(source)
        point = self.attach()
        self.copied(source, point)
        self.assertEqual(self.branches(point), {"main": (None, True)})
        self.capsule("snapshot", "create", "one", "-w", point)
        numbers = {path: os.lstat(f"{point}/{path}").st_ino for path in ("a.txt", "sub/b.bin")}
        support.write(f"{point}/a.txt", b"of main")
        self.run_command(["rm", "-rf", f"{point}/sub"])
        support.write(f"{point}/sub", b"a file now")
        self.capsule("branch", "create", "try", "--at", "@one", "-w", point)
        self.assertEqual(self.branches(point), {"main": (None, True), "try": ("one", False)})
        self.capsule("branch", "switch", "try", "-w", point)
        self.assertEqual(self.rsync(source, point, "--exclude=/.capsule"), b"")
        for path, number in numbers.items():
            self.assertEqual(os.lstat(f"{point}/{path}").st_ino, number, path)
        support.write(f"{point}/only", b"of try")
        self.capsule("branch", "switch", "main", "-w", point)
        self.assertEqual(support.read(f"{point}/a.txt"), b"of main")
        self.assertEqual(support.read(f"{point}/sub"), b"a file now")
        self.assertFalse(os.path.exists(f"{point}/only"))
        self.umount(point)
        self.verb("branch", "switch", "try")
        self.attach(point=point)
        self.assertEqual(support.read(f"{point}/only"), b"of try")
        self.assertEqual(self.rsync(f"{source}/sub", f"{point}/sub"), b"")
        self.umount(point)
        self.healthy()

    def test_written_before(self):
        """A file that was written just before a switch reads, grows and flushes right after it."""
        point = self.attach()
        for name, old, new in (("grown", b"old", b"a longer one"), ("cut", b"long" * 5000, b"s")):
            support.write(f"{point}/{name}", old)
        workspaces.sync(point)
        self.capsule("branch", "create", "try", "-w", point)
        for name, old, new in (("grown", b"old", b"a longer one"), ("cut", b"long" * 5000, b"s")):
            support.write(f"{point}/{name}", new)
        self.capsule("branch", "switch", "try", "-w", point)
        for name, old, new in (("grown", b"old", b"a longer one"), ("cut", b"long" * 5000, b"s")):
            with self.subTest(name):
                self.assertEqual(os.stat(f"{point}/{name}").st_size, len(old))
                self.assertEqual(support.read(f"{point}/{name}"), old)
                with open(f"{point}/{name}", "ab") as file:
                    file.write(b"+")
                self.remount(point)
                self.assertEqual(support.read(f"{point}/{name}"), old + b"+")
        self.capsule("branch", "switch", "main", "-w", point)
        self.assertEqual(support.read(f"{point}/grown"), b"a longer one")
        self.umount(point)

    def test_new_files_of_two_branches(self):
        """Files that came on one branch and files that came on another are never mixed up."""
        point = self.attach()
        self.capsule("branch", "create", "try", "-w", point)
        for turn in range(3):
            for branch in ("main", "try"):
                self.capsule("branch", "switch", branch, "-w", point, rc=None)
                for number in range(5):
                    name = f"{branch}{turn}{number}"
                    support.write(f"{point}/{name}", name * (number + turn + 1))
        for branch in ("main", "try", "main"):
            self.capsule("branch", "switch", branch, "-w", point, rc=None)
            names = os.listdir(point)
            self.assertEqual(len(names), 15)
            for name in names:
                count = int(name[-1]) + int(name[-2]) + 1
                self.assertEqual(support.read(f"{point}/{name}"), (name * count).encode(), branch)
        numbers = {os.stat(f"{point}/{name}").st_ino for name in names}
        self.assertEqual(len(numbers), 15)
        self.umount(point)
        self.healthy()

    def test_busy(self):
        """Refused with 2 while a file is open and written, deleted or different; else not."""
        point = self.attach()
        support.write(f"{point}/f", b"first")
        self.capsule("branch", "create", "try", "-w", point)
        states = self.states(point)
        with open(f"{point}/f", "ab"):
            self.capsule("branch", "switch", "try", "-w", point, rc=2)
        with open(f"{point}/gone", "w+b") as file:
            os.remove(f"{point}/gone")
            self.capsule("branch", "switch", "try", "-w", point, rc=2)
            file.write(b"still")
        self.assertTrue(self.branches(point)["main"][1])
        self.assertEqual(self.states(point), states)
        support.write(f"{point}/g", b"differs")
        with open(f"{point}/g", "rb"):
            self.capsule("branch", "switch", "try", "-w", point, rc=2)
        with open(f"{point}/f", "rb") as file:
            self.capsule("branch", "switch", "try", "-w", point)
            self.assertEqual(file.read(), b"first")
        self.assertTrue(self.branches(point)["try"][1])
        self.umount(point)

    def test_refused(self):
        """What a branch cannot be called, what cannot be deleted, what is not there."""
        point = self.attach()
        self.capsule("snapshot", "create", "one", "-w", point)
        self.capsule("branch", "create", "try", "--at", "@one", "-w", point)
        for words in (["create", "try"], ["create", "main"], ["create", "new", "--at", "@none"],
                      ["create", ""], ["create", "a/b"], ["delete", "none"], ["delete", "main"],
                      ["switch", "none"]):
            self.capsule("branch", *words, "-w", point, rc=1)
        self.assertEqual(sorted(self.branches(point)), ["main", "try"])
        self.capsule("snapshot", "delete", "one", "-w", point, rc=1)
        self.capsule("branch", "delete", "try", "-w", point)
        self.assertIn(("one", "named"), self.states(point))
        self.capsule("snapshot", "delete", "one", "-w", point)
        self.umount(point)
        for words in (["delete", "main"], ["switch", "none"], ["create", "main"]):
            self.verb("branch", *words, rc=1)

    def test_states_of_a_branch(self):
        """States are listed with the branch on which they came."""
        point = self.attach()
        self.capsule("branch", "create", "try", "-w", point)
        self.capsule("snapshot", "create", "m", "-w", point)
        self.capsule("branch", "switch", "try", "-w", point)
        self.capsule("snapshot", "create", "t", "-w", point)
        rows = {row["name"]: row["branch"] for row in self.facts("timeline", at=point)["states"]}
        self.assertEqual((rows["m"], rows["t"]), ("main", "try"))
        text = self.verb("branch", "list", at=point).splitlines()
        self.assertEqual([line.split()[0] for line in text if "present" in line], ["*"])
        self.umount(point)

    def test_killed_after_a_switch(self):
        """A switch that was reported is there after kill -9, whole."""
        point = self.attach()
        for number in range(50):
            support.write(f"{point}/d/{number}", b"%d" % number * 100)
        self.capsule("snapshot", "create", "full", "-w", point)
        self.run_command(["rm", "-rf", f"{point}/d"])
        self.capsule("branch", "create", "back", "--at", "@full", "-w", point)
        self.capsule("branch", "switch", "back", "-w", point)
        self.kill(point)
        self.attach(point=point)
        self.assertEqual(len(os.listdir(f"{point}/d")), 50)
        self.assertEqual(support.read(f"{point}/d/7"), b"7" * 100)
        self.capsule("branch", "switch", "main", "-w", point)
        self.assertEqual(os.listdir(point), [])
        self.umount(point)
        self.healthy()


    def test_killed_while_switching(self):
        """kill -9 in the middle of a switch: one branch or the other, whole."""
        point = self.attach("timeline=0")
        for number in range(400):
            support.write(f"{point}/d{number % 7}/{number}", b"%d" % number)
        self.capsule("snapshot", "create", "full", "-w", point)
        self.capsule("branch", "create", "full", "--at", "@full", "-w", point)
        self.run_command(["sh", "-c", f"rm -rf {point}/d*"])
        workspaces.sync(point)
        for delay in (0.005, 0.02, 0.04, 0.08):
            target = "full" if self.branches(point)["main"][1] else "main"
            running = self.start([support.CAPSULE, "branch", "switch", target, "-w", point])
            time.sleep(delay)
            self.kill(point)
            running.communicate(timeout=20)
            self.healthy()
            self.attach("timeline=0", point=point)
            is_full = self.branches(point)["full"][1]
            count = sum(len(names) for _, _, names in os.walk(point))
            self.assertEqual(count, 400 if is_full else 0)
        self.umount(point)


@support.needs_root
@support.needs_fuse
class Retention(VerbTest):
    """Which states stay."""

    def test_of_a_new_workspace(self):
        """4, hourly for 24 hours, daily for 30 days; and it changes only as a whole."""
        rule = self.facts("retention")
        self.assertEqual([rule[f"keep_{word}"] for word in
                          ("last", "hourly", "daily", "weekly", "monthly", "yearly", "tags")],
                         [4, 24, 30, 0, 0, 0, []])
        stored = self.stored()
        self.verb("retention")
        self.assertEqual(self.stored(), stored, "showing the rule writes")
        self.verb("retention", "--keep-weekly", "2", "--keep-tag", "a", "--keep-tag", "b")
        rule = self.facts("retention")
        self.assertEqual([rule[f"keep_{word}"] for word in ("last", "hourly", "daily", "weekly")],
                         [0, 0, 0, 2])
        self.assertEqual(sorted(rule["keep_tags"]), ["a", "b"])
        for words in (["--keep-last", "-1"], ["--keep-last", "x"], ["--keep-tag", ""]):
            self.verb("retention", *words, rc=1)

    def test_what_stays(self):
        """Names, branches, tags and the newest stay; the rest is forgotten, and its place too."""
        point = self.attach()
        self.capsule("snapshot", "create", "named", "-w", point)
        self.capsule("snapshot", "create", "--tag", "keep", "-w", point)
        self.capsule("snapshot", "create", "--tag", "other", "-w", point)
        self.capsule("branch", "create", "try", "-w", point)
        at_branch = self.facts("branch", "list", at=point)["branches"][1]["state"]
        for _ in range(3):
            self.capsule("snapshot", "create", "-w", point)
        names = [name for name, _ in self.states(point)]
        found = self.facts(
            "retention", "--keep-last", "1", "--keep-tag", "keep", at=point)
        expected = ["named", names[1], at_branch, names[-1]]
        self.assertEqual([name for name, _ in self.states(point)], expected)
        self.assertEqual(sorted(found["forgotten"]), sorted(set(names) - set(expected)))
        for place in ("snapshots", "timeline"):
            for name in found["forgotten"]:
                self.assertFalse(os.path.exists(f"{point}/.capsule/{place}/{name}"))
        self.umount(point)
        self.assertEqual([name for name, _ in self.states()], expected)
        self.healthy()

    def test_by_the_driver(self):
        """The driver applies the rule when it keeps a state: a year then has one."""
        self.verb("retention", "--keep-yearly", "1")
        point = self.attach("timeline=1")
        for _ in range(3):
            self.capsule("snapshot", "create", "-w", point)
        support.write(f"{point}/note", b"note")
        self.assertTrue(
            support.wait_until(lambda: os.listdir(f"{point}/.capsule/timeline"), 10))
        self.assertEqual([kind for _, kind in self.states(point)], ["automatic"])
        self.assertEqual(os.listdir(f"{point}/.capsule/snapshots"), [])
        self.umount(point)


@support.needs_root
@support.needs_fuse
class Compared(VerbTest):
    """One state, seen in every way, is one tree."""

    def test_sealed_is_mounted(self):
        """Mounted, sealed, extracted, in .capsule, by the driver and without: the same tree."""
        source = self.path("source")
        odd_tree(source)
        point = self.attach()
        self.copied(source, point)
        self.capsule("snapshot", "create", "one", "-w", point)
        self.run_command(["rm", "-rf", f"{point}/sub"])
        support.write(f"{point}/a.txt", b"later")
        new = self.path("new-key")
        sealed = [self.path("a.mv2e"), self.path("b.mv2e")]
        self.capsule("seal", "@one", sealed[0], "--new-key-file", new, "-w", point)
        view = self.mount(sealed[0], f"key-file={new}", secret=False, point=self.path("view"))
        kept = f"{point}/.capsule/snapshots/one"
        for one, two in ((source, kept), (source, view), (view, kept)):
            self.assertEqual(self.rsync(one, two), b"")
        self.capsule("extract", "@one", self.path("out1"), "-w", point, "--trust-special")
        self.umount(view)
        self.umount(point)
        self.capsule("seal", "@one", sealed[1], "--new-key-file", new, *self.named)
        self.capsule("extract", "@one", self.path("out2"), *self.named, "--trust-special")
        for target in ("out1", "out2"):
            self.assertEqual(self.rsync(source, self.path(target)), b"", target)
        same = self.capsule("diff", *sealed, "--key-file", new, "--exit-code")
        self.assertEqual(same.stdout, b"")
        same = self.capsule("diff", "@one", sealed[0], *self.named, "--key-file", new,
                            "--exit-code")
        self.assertEqual(same.stdout, b"")

    def test_difference(self):
        """Between two states, and back, mounted or not, by name and by time."""
        point = self.attach()
        support.write(f"{point}/gone", b"1")
        support.write(f"{point}/changed", b"1")
        self.capsule("snapshot", "create", "one", "-w", point)
        os.remove(f"{point}/gone")
        support.write(f"{point}/changed", b"2")
        support.write(f"{point}/came", b"1")
        name = self.capsule_json("snapshot", "create", "-w", point)["states"][0]["name"]
        expected = {("removed", "gone"), ("changed", "changed"), ("added", "came")}
        turned = {("added", "gone"), ("changed", "changed"), ("removed", "came")}
        for is_mounted in (True, False):
            at = point if is_mounted else None
            for words, answer in ((["@one", f"@{name}"], expected), ([f"@{name}", "@one"], turned),
                                  (["@one", self.ws], expected), ([self.ws, f"@{name}"], set())):
                found = self.facts("diff", *words, at=at)["differences"]
                self.assertLessEqual(answer, {(row["change"], row["name"]) for row in found})
                rest = {row["name"] for row in found} - {name for _, name in answer}
                self.assertLessEqual(rest, {"", "."}, words)
            if is_mounted:
                self.umount(point)

    def test_fewer_sides(self):
        """Without sides it is the newest state and the present; paths restrict it."""
        point = self.attach("timeline=0")
        for name in ("one", "two"):
            support.write(f"{point}/d/{name}", name)
            self.capsule("snapshot", "create", name, "-w", point)
        support.write(f"{point}/d/three", b"three")
        support.write(f"{point}/e/four", b"four")
        for is_mounted in (True, False):
            at = point if is_mounted else None
            for words, expected in (
                    ([], {"d/three", "e"}), (["@one"], {"d/two", "d/three", "e"}),
                    (["@one", "@two"], {"d/two"}), (["--", "d"], {"d/three"}),
                    (["@one", "--", "d/two", "e"], {"d/two", "e"}), (["--", "d/one"], set())):
                border = words.index("--") if "--" in words else len(words)
                result = self.checked_json(self.capsule(
                    "diff", *words[:border], *self.where(at), "--json", *words[border:]).stdout)
                found = {row["name"] for row in result["differences"] if row["change"] == "added"}
                self.assertEqual(found, expected, words)
            if is_mounted:
                self.umount(point)

    def test_patch(self):
        """A patch of a text is one that patch(1) takes; what is no text has none."""
        point, one = self.attach("timeline=0"), random.Random(5)
        old = [b"line %d\n" % one.randrange(40) for _ in range(300)]
        new = list(old)
        for _ in range(25):
            place = one.randrange(len(new))
            new[place:place + one.randrange(4)] = [b"new\n"] * one.randrange(3)
        cases = {"many": (old, new), "end": ([b"a\n", b"b"], [b"a\n", b"b\n", b"c"]),
                 "emptied": ([b"a\n"] * 9, []), "same": ([b"a"], [b"a"])}
        for name, (before, _) in cases.items():
            support.write(f"{point}/{name}", b"".join(before))
        support.write(f"{point}/binary", bytes(range(256)))
        self.capsule("snapshot", "create", "one", "-w", point)
        for name, (_, after) in cases.items():
            support.write(f"{point}/{name}", b"".join(after))
        support.write(f"{point}/binary", bytes(range(255)))
        for name, (before, after) in cases.items():
            result = self.capsule("diff", "@one", "--patch", "-w", point, "--", name).stdout
            copy = support.write(self.path("copy"), b"".join(before))
            if before != after:
                text = result.partition(b"\n")[2]
                self.run_command(["patch", copy], data=text)
            self.assertEqual(support.read(copy) if os.path.exists(copy) else b"",
                             b"".join(after), name)
        result = self.capsule("diff", "@one", "--patch", "-w", point, "--", "binary").stdout
        self.assertEqual(result.count(b"\n"), 1, result)
        self.umount(point)


if __name__ == "__main__":
    import unittest

    unittest.main()
