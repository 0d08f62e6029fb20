"""The verbs of a workspace: mounted or not, two at once, and where nothing can be written."""

import os
import re
import shutil
import time

import support
import trees
import workspaces
from workspaces import TIME, VerbTest


@support.needs_root
@support.needs_fuse
class MountedOrNot(VerbTest):
    """Every verb gives the same result at the driver and without it."""

    def scenario(self, at):
        """The results of many verbs in a row, with what differs by nature left out."""
        results = []
        for words in (
                ["snapshot", "create", "one"], ["snapshot", "create", "one"],
                ["snapshot", "list"], ["timeline"], ["history", "a.txt"], ["history", "none"],
                ["branch", "create", "try", "--at", "@one"], ["branch", "create", "try"],
                ["branch", "list"], ["branch", "switch", "try"], ["branch", "switch", "try"],
                ["branch", "delete", "try"], ["branch", "switch", "main"],
                ["branch", "delete", "try"], ["restore", "@one", "a.txt"],
                ["restore", "@one", "none"], ["restore", "@none", "a.txt"],
                ["snapshot", "create", "two", "--tag", "t"], ["snapshot", "delete", "none"],
                ["snapshot", "delete", "one"], ["retention"], ["retention", "--keep-last", "1"],
                ["retention", "--keep-last", "x"], ["forget", "none"], ["forget", "link"],
                ["forget", "sub", "--all-states"], ["history", "sub"], ["timeline"],
                ["reclaim", "--dry-run"], ["reclaim"], ["audit", "verify"],
                ["audit", "show", "1000"], ["audit", "prove", "1000"],
                ["cat", "@two", "a.txt"], ["ls", "@two"], ["ls", "@none"], ["cat", "@two", "none"],
                ["diff", "@two", self.ws], ["audit", "list", "--type", "path"]):
            result = self.capsule(*words, *self.where(at), rc=None)
            text = (result.stdout + result.stderr).decode()
            for pattern, short in ((TIME, "TIME"), (r"\d+ events", "N events"),
                                   (r"only \d+", "only N"), (r"(?m)^ *\d+  ", "N  "),
                                   (r"path_sha256=\w+", "HASH"), (r" +", " ")):
                text = re.sub(pattern, short, text)
            text = text.replace(self.ws, "WS").replace(str(at), "WS")
            name = " ".join(words).replace(self.ws, "WS")
            results.append((name, result.returncode, text))
        return results

    def test_same(self):
        """The same lines, messages and statuses."""
        source = self.sample("source")
        found = []
        for name in ("wsA", "wsB"):
            self.ws = self.path(name)
            self.named = ["-w", self.ws, *self.opened]
            point = self.attach("timeline=0")
            self.copied(source, point)
            if name == "wsB":
                self.umount(point)
            found.append(self.scenario(point if name == "wsA" else None))
            if name == "wsA":
                self.umount(point)
            self.healthy()
        for one, two in zip(*found):
            with self.subTest(one[0]):
                self.assertEqual(one, two)

    def test_two_at_once(self):
        """Verbs that come at once wait for each other; all are done."""
        for at in (None, self.path("mnt")):
            if at:
                self.attach(point=at)
            running = [self.start(
                [support.CAPSULE, "snapshot", "create", f"{'m' if at else 'u'}{number}",
                 *self.where(at), "--lock-timeout", "30"]) for number in range(8)]
            for process in running:
                out, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 0, out + err)
        self.umount(at)
        self.assertEqual(len(self.states()), 16)

    def test_patience(self):
        """Behind a reader a writer waits as long as it is told to, and then says so."""
        self.umount(self.attach())
        point = self.attach("ro", point=self.path("mnt"))
        start = time.monotonic()
        code, message = self.error_of(
            "snapshot", "create", "one", *self.named, "--lock-timeout", "1", rc=2)
        self.assertEqual(code, "locked")
        # The writer that left its note is gone.
        self.assertIn("a process that reads it", message)
        self.assertGreater(time.monotonic() - start, 0.9)
        self.verb("timeline")
        waiting = self.start(
            [support.CAPSULE, "snapshot", "create", "one", *self.named, "--lock-timeout", "30"])
        time.sleep(0.5)
        self.assertIsNone(waiting.poll())
        self.umount(point)
        out, err = waiting.communicate(timeout=30)
        self.assertEqual(waiting.returncode, 0, out + err)
        self.assertEqual(self.states(), [("one", "named")])


@support.needs_root
@support.needs_fuse
class Together(VerbTest):
    """Many verbs on a workspace in which programs write."""

    def worker(self, seed, point, seconds):
        """A process that runs verbs at random, until its time is over or one fails badly."""
        script = """
import random, subprocess, sys, time
seed, point, end = int(sys.argv[1]), sys.argv[2], time.monotonic() + float(sys.argv[3])
one, failed = random.Random(seed), 0
while time.monotonic() < end:
    name = f"n{one.randrange(4)}"
    words = one.choice([
        ["snapshot", "create", name], ["snapshot", "delete", name], ["reclaim"],
        ["snapshot", "create"], ["retention", "--keep-last", "2"], ["audit", "verify"],
        ["restore", f"@{name}", f"d{one.randrange(3)}"], ["branch", "create", name],
        ["forget", f"d{one.randrange(3)}/f{one.randrange(9)}"], ["branch", "delete", name],
        ["forget", f"d{one.randrange(3)}", "--all-states"], ["timeline"], ["history", "d1/f1"],
        ["branch", "switch", name], ["ls", f"@{name}"], ["diff", f"@{name}", point]])
    found = subprocess.run(["capsule", *words, "-w", point], capture_output=True)
    # 1: not there, or there already; 2: a switch, or what forgets, while files are open, and what
    # reads a state that somebody deletes, or of which somebody forgets a part.
    busy = (words[1:2] == ["switch"] or b"deleted meanwhile" in found.stderr
            or b"forgotten meanwhile" in found.stderr
            or (words[0] == "forget" and b"is open" in found.stderr))
    if found.returncode not in (0, 1) and not busy:
        print(words[:2], found.returncode, found.stderr.decode().replace(point, "MNT"))
        failed = 1
sys.exit(failed)
"""
        return self.python(script, str(seed), point, str(seconds))

    def writer(self, seed, point, seconds):
        """A process that writes, reads back and removes files."""
        script = """
import os, random, sys, time
one, point, end = random.Random(sys.argv[1]), sys.argv[2], time.monotonic() + float(sys.argv[3])
while time.monotonic() < end:
    path = f"{point}/d{one.randrange(3)}/f{one.randrange(9)}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(one.randbytes(one.choice([10, 5000, 300000])))
            if one.random() < 0.3:
                os.fsync(file.fileno())
        if one.random() < 0.3:
            os.remove(path)
    except (FileNotFoundError, FileExistsError, NotADirectoryError):
        pass
    except OSError as error:
        # While branches are switched, nothing is opened for writing.
        if error.errno != 16:
            raise
"""
        return self.python(script, str(seed), point, str(seconds))

    def test_at_random(self):
        """Whatever comes together, the tree, the states and the log are right at the end."""
        point = self.attach("timeline=1")
        running = [self.worker(seed, point, 1.5) for seed in range(3)]
        running += [self.writer(seed, point, 1.5) for seed in range(2)]
        failures = []
        for process in running:
            out, err = process.communicate(timeout=60)
            if process.returncode != 0:
                failures.append((out + err).decode())
        # No state comes or goes by itself while they are looked at.
        self.remount(point, "timeline=0")
        self.check_all(point)
        self.assertEqual(failures, [])

    def test_killed_at_random(self):
        """kill -9 in the middle of it: everything is right, and the log continues the old one."""
        point = self.attach("timeline=1")
        checkpoint = support.write(
            self.path("checkpoint"), self.verb("audit", "checkpoint", at=point))
        for turn in range(2):
            running = [self.worker(seed + turn * 9, point, 30) for seed in range(3)]
            running.append(self.writer(turn, point, 30))
            time.sleep(0.6)
            for process in running:
                support.stop(process)
            self.kill(point)
            self.healthy()
            self.verb("audit", "verify", "--against", checkpoint)
            support.write(checkpoint, self.verb("audit", "checkpoint"))
            self.attach("timeline=0", point=point)
        self.check_all(point)

    def check_all(self, point):
        """Demands that everything can be read, and that nothing is damaged."""
        self.verb("audit", "verify", at=point)
        for directory, _, names in os.walk(point):
            for name in names:
                facts = os.stat(f"{directory}/{name}")
                self.assertEqual(len(support.read(f"{directory}/{name}")), facts.st_size)
        for name, _ in self.states(point):
            self.verb("ls", f"@{name}", at=point)
        for place in ("snapshots", "timeline"):
            support.tree_bytes(f"{point}/.capsule/{place}")
        self.umount(point)
        self.healthy()
        self.verb("audit", "verify")
        self.verb("reclaim")
        self.healthy()


@support.needs_root
@support.needs_fuse
class Operands(VerbTest):
    """What stands for a workspace, a state or a file."""

    def test_states_are_no_files(self):
        """Where a file is wanted, a state and a workspace are mistakes; './@x' is a file."""
        point = self.attach("timeline=0")
        support.write(f"{point}/f", b"x")
        self.capsule("snapshot", "create", "one", "-w", point)
        capsule = self.path("c.mv2e")
        self.verb("seal", "@one", capsule, "--new-key-file", self.path("new"), at=point)
        shutil.copy(capsule, self.path("@one"))
        new = ("--key-file", self.path("new"))
        out = self.path("out.mv2e")
        for words in (["verify"], ["inspect"], ["doctor"], ["slot", "list"], ["migrate"],
                      ["rekey", out, *new, "--new-key-file", self.path("other")]):
            verb = [word for word in words[:2] if word in ("slot", "list")] or words[:1]
            more = words[len(verb):]
            text = self.capsule(*verb, "@one", *more, rc=1, cwd=self.root).stderr
            self.assertIn(b"'./@one' is a file", text)
            self.capsule(*verb, "./@one", *more, cwd=self.root)
        for verb in ("verify", "inspect", "migrate"):
            self.assertIn(b"capsule doctor", self.capsule(verb, self.ws, rc=1).stderr)
            self.assertIn(b"capsule seal", self.capsule(verb, self.root, rc=1).stderr)
        self.assertEqual(self.capsule("slot", "list", point).stdout,
                         self.capsule("slot", "list", self.ws).stdout)
        added = self.capsule("slot", "add", point, "--key-file", self.key_file, "--new-key-file",
                             self.path("third"))
        self.assertIn(self.ws.encode(), added.stdout)
        self.umount(point)
        self.capsule("timeline", "-w", self.ws, "--key-file", self.path("third"))

    def test_workspace_within_a_workspace(self):
        """The directory of a workspace takes no other."""
        for place in (f"{self.ws}/sub", f"{self.ws}/segments/sub"):
            told = self.capsule("init", place, "--new-key-file", self.path("new"), rc=1).stderr
            self.assertIn(b"outside", told)
            self.assertFalse(os.path.exists(place))
        self.assertFalse(os.path.exists(self.path("new")))

    def test_no_workspace(self):
        """An empty variable names none."""
        text = self.capsule("timeline", rc=1, cwd=self.root, env=dict(
            os.environ, CAPSULE_WORKSPACE="")).stderr
        self.assertIn(b"no workspace is named", text)


class ReadOnlyTest(VerbTest):
    """A test of what reads."""

    def past(self, is_killed):
        """A workspace with a past; after kill -9, part of it is in the log only."""
        point = self.attach("timeline=0")
        support.write(f"{point}/dir/file", trees.noise(100_000))
        support.write(f"{point}/other", b"other")
        self.capsule("snapshot", "create", "one", "-w", point)
        self.capsule("branch", "create", "try", "-w", point)
        support.write(f"{point}/dir/file", b"changed")
        self.capsule("restore", "@one", "other", "-w", point)
        support.write(f"{point}/new", b"new")
        workspaces.sync(f"{point}/new")
        if is_killed:
            self.kill(point)
        else:
            self.umount(point)
        return point

    def read_all(self, point):
        """Every verb that only reads, and a mount for reading."""
        checkpoint = self.path("checkpoint")
        support.write(checkpoint, self.verb("audit", "checkpoint"))
        for words in (["timeline"], ["snapshot", "list"], ["history", "other"], ["branch", "list"],
                      ["retention"], ["reclaim", "--dry-run"], ["audit", "list"],
                      ["audit", "show", "0"], ["audit", "verify"], ["audit", "prove", "1"],
                      ["audit", "verify", "--against", checkpoint], ["audit", "key"],
                      ["ls", "@one"], ["ls", self.ws], ["diff", "@one", self.ws]):
            self.assertTrue(self.verb(*words), words)
        self.assertEqual(self.verb("cat", self.ws, "new"), "new")
        self.verb("extract", "@one", self.path("out"))
        self.assertEqual(support.read(self.path("out/dir/file")), trees.noise(100_000))
        self.verb("restore", "@one", "dir", "--to", self.path("restored"))
        self.attach("ro", point=point)
        self.assertEqual(support.read(f"{point}/dir/file"), b"changed")
        self.assertEqual(os.listdir(f"{point}/.capsule/snapshots/one/dir"), ["file"])
        self.assertEqual(
            support.read(f"{point}/.capsule/audit.jsonl").decode(),
            self.verb("audit", "list", "--json"))
        self.umount(point)
        self.attach("ro", "at=@one", point=point)
        self.assertEqual(support.read(f"{point}/dir/file"), trees.noise(100_000))
        self.umount(point)
        for name in ("out", "restored"):
            self.run_command(["rm", "-rf", self.path(name)])


@support.needs_root
@support.needs_fuse
class Reading(ReadOnlyTest):
    """Where something could be written."""

    def unchanged(self, is_killed):
        """Reads everything and compares the directory."""
        point = self.past(is_killed)
        stored, facts = self.stored(), self.times()
        self.read_all(point)
        self.assertEqual(self.stored(), stored)
        self.assertEqual(self.times(), facts)

    def times(self):
        """When each file was changed, but for the lock."""
        return {name: os.stat(f"{self.ws}/{name}").st_mtime_ns
                for name in support.tree_bytes(self.ws) if name != "lock"}

    def test_writes_nothing(self):
        """After an orderly end."""
        self.unchanged(False)

    def test_writes_nothing_after_a_kill(self):
        """After kill -9, when the log has the newest."""
        self.unchanged(True)


@support.needs_root
@support.needs_fuse
class ReadOnlyMedium(ReadOnlyTest):
    """Where nothing can be written."""

    def burned(self, is_killed):
        """Everything that reads works from a squashfs; what writes says that it cannot."""
        point = self.past(is_killed)
        expected = self.verb("audit", "checkpoint")
        image, place = self.path("image"), self.path("burned")
        self.run_command(["mksquashfs", self.ws, image, "-quiet", "-no-progress"])
        os.mkdir(place)
        self.addCleanup(support.detach, place)
        self.run_command(["mount", "-o", "loop,ro", image, place])
        self.named = ["-w", place, *self.opened]
        original, self.ws = self.ws, place
        self.assertEqual(self.verb("audit", "checkpoint"), expected)
        self.read_all(point)
        self.capsule("doctor", place, "--deep", *self.opened)
        for words in (["snapshot", "create", "x"], ["snapshot", "delete", "one"], ["reclaim"],
                      ["restore", "@one", "other"], ["branch", "create", "x"],
                      ["branch", "switch", "try"], ["forget", "other"],
                      ["retention", "--keep-last", "1"]):
            result = self.capsule(*words, *self.named, rc=2)
            self.assertIn(b"ead-only", result.stderr, words)
        words = f"key-file={self.key_file}"
        self.run_command([support.CAPSULEFS, place, point, "-o", words], rc=2)
        self.assertEqual(support.mounts_below(point), [])
        wrong = support.write(self.path("wrong"), b"w" * 40)
        self.capsule("timeline", "-w", place, "--key-file", wrong, rc=1)
        self.run_command(["umount", place])
        self.ws = original

    def test_everything(self):
        """After an orderly end."""
        self.burned(False)

    def test_everything_after_a_kill(self):
        """After kill -9."""
        self.burned(True)

    def test_bound(self):
        """The same through a read-only bind of a directory that could be written to."""
        point = self.past(False)
        self.run_command(["mount", "--bind", self.ws, self.ws])
        self.addCleanup(support.detach, self.ws)
        self.run_command(["mount", "-o", "remount,bind,ro", self.ws])
        stored = self.stored()
        self.read_all(point)
        sealed = self.capsule("seal", "@one", self.path("one.mv2e"), "--new-key-file",
                              self.path("new"), *self.named, rc=None)
        # It is recorded, so it cannot be; but a capsule that is there is whole.
        self.assertIn(sealed.returncode, (0, 2), sealed.stderr)
        if os.path.exists(self.path("one.mv2e")):
            self.capsule("verify", self.path("one.mv2e"))
        refused = self.capsule("snapshot", "create", "two", *self.named, rc=2)
        self.assertIn(b"read-only medium", refused.stderr)
        self.assertEqual(self.stored(), stored)
        self.run_command(["umount", self.ws])


if __name__ == "__main__":
    import unittest

    unittest.main()
