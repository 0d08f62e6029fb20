"""What doctor says of damage: which file it is in, and of what is beside the database."""

import os

import support
import trees
import workspaces
from workspaces import WorkspaceTest


@support.needs_root
@support.needs_fuse
class Told(WorkspaceTest):
    """Damage, and what doctor calls it."""

    def test_blocks_name_their_files(self):
        """doctor says of a bad block which file it is a part of, and of one that is in an earlier
        state alone that it is."""
        point = self.attach("timeline=0")
        os.mkdir(f"{point}/d")
        support.write(f"{point}/d/now\tthere", trees.noise(30_000, 1))
        support.write(f"{point}/gone", trees.noise(30_000, 2))
        workspaces.sync(point)
        self.capsule("snapshot", "create", "one", "-w", point)
        os.remove(f"{point}/gone")
        self.umount(point)
        (name,) = os.listdir(f"{self.ws}/segments")
        segment = f"{self.ws}/segments/{name}"
        with open(segment, "r+b") as file:
            file.seek(64)
            file.write(bytes(os.path.getsize(segment) - 64))
        text = self.capsule("doctor", self.ws, "--deep", "--key-file", self.key_file,
                            rc=2).stdout.decode()
        self.assertIn(r"a part of d/now\x09there", text)
        self.assertIn("a part of 1 file of earlier states", text)

    def test_beside(self):
        """What is beside the database is looked at, too, and made anew."""
        self.umount(self.attach("timeline=0"))
        for name, offset in (("reports", 3), ("reports", 30), ("reserve", 500_000)):
            self.damage(f"{self.ws}/{name}", offset)
            report = self.capsule_json("doctor", self.ws, "--key-file", self.key_file)
            found = [(one["check"], one["object"], one["severity"])
                     for one in report["findings"] if one["severity"] != "ok"]
            self.assertEqual(found, [("files", name, "warning")])
            if name == "reserve":
                os.remove(f"{self.ws}/{name}")
            self.umount(self.attach("timeline=0"))
            report = self.capsule_json("doctor", self.ws, "--key-file", self.key_file)
            self.assertEqual(report["warnings"], 0)
        self.assertEqual(os.path.getsize(f"{self.ws}/reserve"), 1 << 20)


if __name__ == "__main__":
    import unittest

    unittest.main()
