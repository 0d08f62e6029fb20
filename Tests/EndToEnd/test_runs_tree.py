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


if __name__ == "__main__":
    import unittest

    unittest.main()
