"""What capsule history lists: the versions of a path, and of a file under its earlier names."""

import os

import support
from workspaces import VerbTest


@support.needs_root
@support.needs_fuse
class Versions(VerbTest):
    """What history lists."""

    def versions(self, path, at=None):
        """[(size, states, whether present)] of a path; without size where it was not there."""
        rows = self.facts("history", path, at=at)["versions"]
        return [(row.get("size"), row["states"], row["present"]) for row in rows]

    def test_file(self):
        """Equal states are one version; a file that went and came is several."""
        point = self.attach("timeline=0")
        self.capsule("snapshot", "create", "s0", "-w", point)
        for number, content in enumerate((b"1", b"1", b"22", None, b"333"), 1):
            if content is None:
                os.remove(f"{point}/f")
            elif number != 2:
                support.write(f"{point}/f", content)
            self.capsule("snapshot", "create", f"s{number}", "-w", point)
        os.chmod(f"{point}/f", 0o700)
        expected = [(None, ["s0"], False), (1, ["s1", "s2"], False), (2, ["s3"], False),
                    (None, ["s4"], False), (3, ["s5"], False), (3, [], True)]
        self.assertEqual(self.versions("f", point), expected)
        text = self.verb("history", "f", at=point).splitlines()
        self.assertEqual(len(text), 6)
        self.assertRegex(text[1], r"@s1 to @s2")
        self.assertRegex(text[5], r"-rwx------ .*present")
        os.remove(f"{point}/f")
        self.assertEqual(self.versions("f", point)[:5], expected[:5])
        self.umount(point)
        self.assertEqual(self.versions("f")[:5], expected[:5])
        self.assertEqual(self.verb("history", "f").splitlines()[:5], text[:5])

    def test_renamed(self):
        """A file is followed to the names that it had, also when a directory above it had another,
        and what had the name before or has it later is another file."""
        point = self.attach("timeline=0")
        support.write(f"{point}/old name", b"1")
        self.capsule("snapshot", "create", "s1", "-w", point)
        os.mkdir(f"{point}/d")
        os.rename(f"{point}/old name", f"{point}/d/f")
        self.capsule("snapshot", "create", "s2", "-w", point)
        os.rename(f"{point}/d", f"{point}/e")
        support.write(f"{point}/old name", b"333")
        self.capsule("snapshot", "create", "s3", "-w", point)
        support.write(f"{point}/e/f", b"22")
        expected = [("old name", 1, ["s1"]), ("d/f", 1, ["s2"]), (None, 1, ["s3"]), (None, 2, [])]
        for at in (point, None):
            rows = self.facts("history", "e/f", at=at)["versions"]
            self.assertEqual(
                [(row.get("path"), row["size"], row["states"]) for row in rows], expected)
            text = self.verb("history", "e/f", at=at).splitlines()
            self.assertRegex(text[0], r"@s1, as old name$")
            self.assertRegex(text[2], r"@s3$")
            # What is at a name is followed from there, and so is what was there last.
            self.assertEqual(
                self.versions("old name", at),
                [(1, ["s1"], False), (None, ["s2"], False), (3, ["s3"], True)])
            self.assertEqual(self.versions("d/f", at)[0], (1, ["s1"], False))
            if at:
                self.umount(point)

    def test_nothing_there(self):
        """A path that no state shows is a mistake, with the same words mounted or not."""
        code = self.error_of("history", "none/at/all", *self.named, rc=1)[0]
        point = self.attach()
        support.write(f"{point}/f", b"x")
        self.assertEqual(self.error_of("history", "none", "-w", point, rc=1)[0], code)
        self.error_of("history", "f/below", "-w", point, rc=1)
        self.assertEqual(self.versions("f", point), [(1, [], True)])
        self.umount(point)

    def test_place(self):
        """A path is relative to the working directory in the mount, else to the root."""
        point = self.attach()
        support.write(f"{point}/sub/f", b"below")
        support.write(f"{point}/f", b"f")
        self.capsule("snapshot", "create", "one", "-w", point)
        for cwd, path, size in ((f"{point}/sub", "f", 5), (point, "f", 1), ("/", "f", 1),
                                (f"{point}/sub", "../f", 1), ("/", f"{point}/sub/f", 5),
                                ("/", "sub/f", 5), (f"{point}/sub", f"{point}/f", 1)):
            with self.subTest(cwd=cwd, path=path):
                rows = self.capsule_json("history", path, "-w", point, cwd=cwd)["versions"]
                self.assertEqual([row["size"] for row in rows], [size])
        self.capsule("history", "f", cwd=f"{point}/sub")
        support.write(f"{point}/sub/f", b"changed")
        self.capsule("restore", "@one", "f", cwd=f"{point}/sub")
        self.assertEqual(support.read(f"{point}/sub/f"), b"below")
        self.capsule("forget", "f", "--all-states", cwd=f"{point}/sub")
        self.assertFalse(os.path.exists(f"{point}/sub/f"))
        self.assertEqual(support.read(f"{point}/f"), b"f")
        self.umount(point)

    def test_directory(self):
        """Of a directory: its attributes and names, and nothing of what lies in it."""
        point = self.attach("timeline=0")
        os.mkdir(f"{point}/d")
        support.write(f"{point}/d/f", b"1")
        self.capsule("snapshot", "create", "s1", "-w", point)
        support.write(f"{point}/d/f", b"changed")
        self.capsule("snapshot", "create", "s2", "-w", point)
        support.write(f"{point}/d/g", b"another name")
        self.capsule("snapshot", "create", "s3", "-w", point)
        os.chmod(f"{point}/d", 0o700)
        rows = self.facts("history", "d", at=point)["versions"]
        self.assertEqual([row.get("states", []) for row in rows], [["s1", "s2"], ["s3"], []])
        self.assertEqual([row["mode"] for row in rows], ["drwxr-xr-x"] * 2 + ["drwx------"])
        self.umount(point)


if __name__ == "__main__":
    import unittest

    unittest.main()
