"""The files of runs in the tree: nobody takes them away, changes them, or makes them anew."""


import support
from runs import RunTest


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


if __name__ == "__main__":
    import unittest

    unittest.main()
