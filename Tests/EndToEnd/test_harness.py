"""The harness itself: what a test leaves behind makes it fail."""

import os
import subprocess
import unittest

import support


class Careless(support.EndToEnd):
    """Leaves things behind; only run by the tests below."""

    def leave_mount(self):
        """A mount that nobody takes away."""
        os.mkdir(self.path("left"))
        self.run_command(["mount", "-t", "tmpfs", "tmpfs", self.path("left")])

    def leave_driver(self):
        """A driver whose mount was detached while a file is open elsewhere."""
        capsule = self.seal()
        os.mkdir(self.path("left"))
        self.run_command(
            [support.CAPSULEFS, capsule, self.path("left"), "-o", f"passphrase-file={self.pw}"])

    def leave_temporary_file(self):
        """A temporary file beside an output."""
        support.write(self.path("out", ".c.mv2e.123.tmp"), b"x")

    def leave_descriptor(self):
        """An open descriptor."""
        self.descriptor = os.open(self.pw, os.O_RDONLY)

    def leave_core(self):
        """A core file."""
        support.write(self.path("core"), b"x")

    def leave_nothing(self):
        """Nothing."""
        self.seal()


@support.needs_root
@support.needs_fuse
class Leftovers(unittest.TestCase):
    """Each kind of leftover is noticed."""

    def outcome(self, name):
        """Runs one careless test; returns what it failed with."""
        test = Careless(name)
        result = unittest.TestResult()
        test.run(result)
        if name == "leave_descriptor":
            os.close(test.descriptor)
        self.assertFalse(os.path.exists(test.root))
        return "".join(text for _, text in result.failures + result.errors)

    def test_leftovers(self):
        """Mounts, processes, temporary files, descriptors, core files."""
        for name, word in [
                ("leave_mount", "left mounted"), ("leave_driver", "left mounted"),
                ("leave_temporary_file", "left temporary file"),
                ("leave_descriptor", "descriptor open"), ("leave_core", "core file")]:
            with self.subTest(name=name):
                self.assertIn(word, self.outcome(name))
        self.assertEqual(self.outcome("leave_nothing"), "")
        self.assertEqual(support.processes_with(support.run_root() + "/t-"), [])

    def test_processes_are_seen(self):
        """A driver in the background is recognised by its sandbox."""
        test = Careless("leave_nothing")
        seen = []

        def look():
            test.leave_driver()
            seen.extend(support.processes_with(test.root))
            subprocess.run(["umount", test.path("left")], check=True, timeout=20)

        test.leave_nothing = look
        result = unittest.TestResult()
        test.run(result)
        self.assertTrue(result.wasSuccessful(), result.failures + result.errors)
        self.assertEqual(len(seen), 1)


def load_tests(loader, _tests, _pattern):
    """Only the tests of the harness; `Careless` is material."""
    return loader.loadTestsFromTestCase(Leftovers)


if __name__ == "__main__":
    unittest.main()
