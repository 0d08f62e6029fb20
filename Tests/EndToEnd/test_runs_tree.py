"""The files of runs in the tree: nobody takes them away, changes them, or makes them anew."""

import errno
import json
import os
import subprocess

import support
from runs import RunTest
from workspaces import EXCHANGE, rename


@support.needs_root
@support.needs_fuse
class Branches(RunTest):
    """A run belongs to the branch on which it began."""

    def test_switch(self):
        """No switch while a run goes on, mounted or not; what was put is in its export."""
        source = support.write(self.path("text"), b"kept\n")
        self.verb("branch", "create", "other")
        self.verb("branch", "switch", "other")
        for is_mounted in (False, True):
            point = self.attach("timeline=0") if is_mounted else None
            run = f"b{int(is_mounted)}"
            self.begin(run, at=point)
            self.put(source, "--as", "first", run=run, at=point)
            result = self.capsule("branch", "switch", "main", *self.where(point), rc=2)
            for text in (f"'{run}'", "'S1'", "'other'", "run finish"):
                self.assertIn(text, result.stderr.decode())
            self.assertRegex( self.verb("branch", "list", at=point), r"\*\s+other")
            self.put(source, "--as", "second", run=run, at=point)
            self.finish(run, at=point)
            self.verb("branch", "switch", "main", at=point)
            path, _ = self.export(f"{run}.mv2e", run=run, at=point)
            found = self.unpacked(path, f"out-{run}")
            self.assertEqual(support.tree_bytes(f"{found}/artifacts"),
                             {"first": b"kept\n", "second": b"kept\n"})
            self.verb("branch", "switch", "other", at=point)
            if is_mounted:
                self.umount(point)

    def test_many(self):
        """Of several runs that go on, one is named, and how many there are."""
        for run in ("r1", "r2", "r3"):
            self.begin(run)
        self.verb("branch", "create", "other")
        result = self.capsule("branch", "switch", "other", *self.named, rc=2)
        self.assertIn(b"2 others", result.stderr)
        for run in ("r1", "r2", "r3"):
            self.finish(run)
        self.verb("branch", "switch", "other")

    def test_other_branch(self):
        """Where a branch has no folder of a run that has ended, nobody can make one."""
        self.verb("branch", "create", "empty")
        self.begin("r1")
        self.put_text("a", b"one\n")
        self.finish("r1")
        uri = f"mv2://{self.origin()}/S1/r1/artifact/a"
        self.verb("branch", "switch", "empty")
        point = self.attach("timeline=0")
        forged = f"{point}/forged"
        support.write(f"{forged}/r1/artifacts/a", b"other\n")
        self.fails_with(errno.EBUSY, lambda: os.rename(f"{point}/forged", f"{point}/runs"))
        self.fails_with(errno.EBUSY, lambda: os.symlink("forged", f"{point}/runs"))
        os.mkdir(f"{point}/runs")
        self.fails_with(errno.EBUSY, lambda: os.rename(forged, f"{point}/runs/S1"))
        self.fails_with(errno.EBUSY, lambda: os.symlink("../forged", f"{point}/runs/S1"))
        os.mkdir(f"{point}/runs/S1")
        place = f"{point}/runs/S1/r1"
        for attempt in (lambda: os.mkdir(place), lambda: os.rename(f"{forged}/r1", place),
                        lambda: os.symlink("../../forged/r1", place),
                        lambda: support.write(place, b"x"),
                        lambda: os.link(f"{forged}/r1/artifacts/a", place)):
            self.fails_with(errno.EROFS, attempt)
        self.begin("r2", at=point)
        support.write(f"{point}/runs/S1/r2/artifacts/b", b"two\n")
        self.finish("r2", at=point)
        self.assertEqual(self.verb("resolve-uri", uri, at=point), "one\n")
        self.umount(point)
        self.healthy()


@support.needs_root
@support.needs_fuse
class Restoring(RunTest):
    """What a URI stands for does not change by a restore."""

    def test_restore(self):
        """Nothing is restored onto, into or above the folder of a run; elsewhere it is."""
        self.begin("r1")
        self.put_text("dir/a", b"one\n")
        self.mark("A")
        self.put_text("dir/b", b"two\n")
        self.finish("r1")
        self.begin("r2", spec="S2")
        point = self.attach("timeline=0")
        support.write(f"{point}/runs/S2/r2/artifacts/mine", b"mine\n")
        support.write(f"{point}/runs/notes", b"old\n")
        support.write(f"{point}/runs/S3/file", b"old\n")
        self.verb("snapshot", "create", "before", at=point)
        self.umount(point)
        for is_mounted in (False, True):
            point = self.attach("timeline=0") if is_mounted else None
            for path in ("runs", "runs/S1", "runs/S1/r1", "runs/S1/r1/artifacts",
                         "runs/S1/r1/artifacts/dir/a", "/runs/S1/r1"):
                with self.subTest(path, mounted=is_mounted):
                    code, message = self.error_of(
                        "restore", "@run:S1:r1:A", path, *self.where(point), rc=1)
                    self.assertEqual(code, "usage")
                    for text in (path.strip("/"), "'r1'", "has ended", "--to DIR"):
                        self.assertIn(text, message)
            for path in ("runs/S2", "runs/S2/r2", "runs/S2/r2/artifacts/mine"):
                with self.subTest(path, mounted=is_mounted):
                    code, message = self.error_of(
                        "restore", "@before", path, *self.where(point), rc=2)
                    self.assertIn("goes on", message)
            for path in ("runs/notes", "runs/S3", "runs/S3/file"):
                self.verb("restore", "@before", path, at=point)
            if is_mounted:
                self.assertEqual(
                    support.tree_bytes(f"{point}/runs/S1/r1"),
                    {"artifacts/dir/a": b"one\n", "artifacts/dir/b": b"two\n"})
                self.umount(point)
        out = self.path("out")
        self.verb("restore", "@run:S1:r1:A", "runs/S1/r1", "--to", out)
        self.assertIn(b"one\n", support.tree_bytes(out).values())
        self.finish("r2", spec="S2")


@support.needs_root
@support.needs_fuse
class Places(RunTest):
    """The directories in which runs have their files keep their places."""

    def test_moved(self):
        """They are not renamed, exchanged or removed; others beside them are."""
        point = self.attach("timeline=0")
        self.begin("r1", at=point)
        self.begin("r2", spec="S2", at=point)
        support.write(f"{point}/runs/S1/r1/artifacts/a", b"one\n")
        os.mkdir(f"{point}/empty")
        for is_remounted in (False, True):
            for path in ("runs", "runs/S1", "runs/S2", "runs/S2/r2", "runs/S2/r2/artifacts",
                         "runs/S2/r2/evidence", "runs/S1/r1", "runs/S1/r1/artifacts"):
                with self.subTest(path, remounted=is_remounted):
                    place, empty = f"{point}/{path}", f"{point}/empty"
                    number = errno.EROFS if is_remounted and "r1" in path else errno.EBUSY
                    self.fails_with(number, lambda: os.rename(place, f"{point}/x"))
                    self.fails_with(number, lambda: rename(place, empty, EXCHANGE))
                    self.fails_with(number, lambda: rename(empty, place, EXCHANGE))
            for path in ("runs/S2/r2/artifacts", "runs/S1/r1/evidence"):
                place = f"{point}/{path}"
                number = errno.EROFS if is_remounted and "r1" in path else errno.EBUSY
                self.fails_with(number, lambda: os.rmdir(place))
                self.fails_with(number, lambda: os.rename(f"{point}/empty", place))
            if not is_remounted:
                self.finish("r1", at=point)
                point = self.remount(point, "timeline=0")
                # Its own folder is as it stays.
                self.fails_with(
                    errno.EROFS, lambda: os.rename(f"{point}/runs/S1/r1/artifacts/a",
                                                   f"{point}/a"))
                self.begin("r1", spec="S3", at=point)
        support.write(f"{point}/runs/S4/notes", b"x")
        os.rename(f"{point}/runs/S4", f"{point}/runs/S5")
        os.rename(f"{point}/runs/S5", f"{point}/elsewhere")
        support.write(f"{point}/runs/S2/r2/artifacts/sub/b", b"two\n")
        os.rename(f"{point}/runs/S2/r2/artifacts/sub", f"{point}/runs/S2/r2/evidence/moved")
        support.write(f"{point}/runs/S1/readme", b"x")
        os.remove(f"{point}/runs/S1/readme")
        self.finish("r2", spec="S2", at=point)
        self.assertEqual(support.tree_bytes(f"{point}/.capsule/runs/S2/r2/evidence"),
                         {"moved/b": b"two\n"})
        self.umount(point)
        self.healthy()

    def test_forgotten(self):
        """After a run's folder was forgotten, there is none, and nobody makes one."""
        point = self.attach("timeline=0")
        self.begin("r1", at=point)
        support.write(f"{point}/runs/S1/r1/artifacts/a", b"one\n")
        self.finish("r1", at=point)
        self.verb("forget", "runs/S1", "--all-states", at=point)
        self.assertFalse(os.path.exists(f"{point}/runs/S1"))
        os.mkdir(f"{point}/runs/S1")
        self.fails_with(errno.EROFS, lambda: os.mkdir(f"{point}/runs/S1/r1"))
        self.umount(point)

    def test_what_was_forgotten(self):
        """A URI of a file that was forgotten says so, as far as is known; others do not."""
        for run in ("r1", "r10"):
            self.begin(run)
            self.put_text("dir/a", b"one\n", run=run)
            self.put_text("b", b"two\n", run=run)
            self.mark("c", run=run)
            self.finish(run)
        top = f"mv2://{self.origin()}/S1"
        self.verb("resolve-uri", f"{top}/r1/artifact/dir/a")
        self.verb("forget", "runs/S1/r1/artifacts/dir", "--all-states")
        for is_mounted in (False, True):
            point = self.attach("timeline=0") if is_mounted else None
            for more in ([], ["--as-of", "c"]):
                code, message = self.error_of(
                    "resolve-uri", f"{top}/r1/artifact/dir/a", *more, *self.where(point), rc=1)
                self.assertEqual(code, "forgotten")
                self.assertIn("forgotten", message)
            self.assertEqual(self.verb("resolve-uri", f"{top}/r1/artifact/b", at=point), "two\n")
            self.assertEqual(
                self.verb("resolve-uri", f"{top}/r10/artifact/dir/a", at=point), "one\n")
            for uri in (f"{top}/r10/artifact/none", f"{top}/r1/event/7"):
                code, _ = self.error_of("resolve-uri", uri, *self.where(point), rc=1)
                self.assertEqual(code, "unknown_uri")
            if is_mounted:
                self.umount(point)
        (data,) = self.of_kind("path.forgotten")
        self.assertEqual(data["runs"], "S1/r1")
        self.assertNotIn("dir", json.dumps(data))
        self.verb("forget", "runs", "--all-states")
        code, _ = self.error_of("resolve-uri", f"{top}/r10/artifact/b", *self.named, rc=1)
        self.assertEqual(code, "forgotten")


WRITER = """
import errno, os, sys
handle = os.open(sys.argv[1], os.O_RDWR)
os.write(handle, b"before\\n")
os.fsync(handle)
print("ready")
sys.stdin.readline()
failures = []
for call in (lambda: os.pwrite(handle, b"forged and longer\\n" * 1000, 0),
             lambda: os.fsync(handle), lambda: os.close(handle)):
    try:
        call()
        failures.append("ok")
    except OSError as error:
        failures.append(errno.errorcode[error.errno])
print(" ".join(failures))
"""

MAPPER = """
import mmap, os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
handle = os.open(sys.argv[1], os.O_RDWR)
view = mmap.mmap(handle, 8192)
view[0] = 0x62
view.flush()
print("ready")
sys.stdin.readline()
view[1] = 0x63
view.flush()
print("ok")
"""


@support.needs_root
@support.needs_fuse
class OpenFiles(RunTest):
    """Files of a run that are open for writing when it ends."""

    def test_open_descriptor(self):
        """What is written after the end is refused, and what is read is what is stored."""
        point = self.attach("timeline=0")
        self.begin("r1", at=point)
        path = f"{point}/runs/S1/r1/artifacts/dir/log"
        support.write(path, b"")
        support.write(f"{point}/runs/S1/r1/artifacts/other", b"other\n")
        writer = self.python(WRITER, path, stdin=subprocess.PIPE)
        self.wait_for_line(writer, b"ready")
        self.finish("r1", at=point)
        results = writer.communicate(b"\n", timeout=30)[0].decode().split()
        self.assertEqual(results[:2], ["EIO", "EIO"])
        for _ in range(2):
            self.assertEqual(support.read(path), b"before\n")
            self.assertEqual(os.stat(path).st_size, 7)
            self.assertEqual(
                support.read(f"{point}/.capsule/runs/S1/r1/artifacts/dir/log"), b"before\n")
            point = self.remount(point, "timeline=0")
        self.umount(point)
        self.healthy()

    def test_unreachable(self):
        """Where the driver cannot reach its own mount, fsync fails, and nothing else is shown."""
        point = self.attach("timeline=0")
        self.begin("r1", at=point)
        path = support.write(f"{point}/runs/S1/r1/artifacts/log", b"")
        writer = self.python(WRITER, path, stdin=subprocess.PIPE)
        self.wait_for_line(writer, b"ready")
        reader = os.open(path, os.O_RDONLY)
        self.run_command(["mount", "-t", "tmpfs", "none", point])
        try:
            self.finish("r1")
        finally:
            self.run_command(["umount", point])
        results = writer.communicate(b"\n", timeout=30)[0].decode().split()
        self.assertEqual(results[0], "ok")
        self.assertIn(results[1], ("EROFS", "EIO"))
        # The same inode as the writer's, as nobody has looked up the name since.
        self.assertTrue(support.wait_until(lambda: os.pread(reader, 7, 0) == b"before\n"))
        self.assertEqual(support.read(path), b"before\n")
        self.assertRaises(OSError, os.pread, reader, 7, 0)
        self.assertRaises(OSError, os.close, reader)
        self.umount(point)

    def test_mapping(self):
        """Nor does a mapping of a file show others what was never stored."""
        point = self.attach("timeline=0")
        self.begin("r1", at=point)
        path = support.write(f"{point}/runs/S1/r1/artifacts/map", b"a" * 8192)
        mapper = self.python(MAPPER, path, stdin=subprocess.PIPE)
        self.wait_for_line(mapper, b"ready")
        self.finish("r1", at=point)
        self.assertNotIn(b"ok", mapper.communicate(b"\n", timeout=30)[0])
        # As a write to a file does that was cut short.
        self.assertNotEqual(mapper.returncode, 0)
        self.assertEqual(support.read(path), b"b" + b"a" * 8191)
        self.umount(point)

    def test_opened_later(self):
        """A file of a run that has ended cannot be opened for writing, but for reading."""
        point = self.attach("timeline=0")
        self.begin("r1", at=point)
        path = support.write(f"{point}/runs/S1/r1/artifacts/a", b"one\n")
        other = f"{point}/alias"
        os.link(path, other)
        self.finish("r1", at=point)
        for name in (path, other):
            for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND):
                self.fails_with(errno.EROFS, lambda: os.close(os.open(name, flags)))
            self.assertEqual(support.read(name), b"one\n")
        self.umount(point)


if __name__ == "__main__":
    import unittest

    unittest.main()
