"""Damage: errors for what is damaged and nothing else, never other bytes, never a crash."""

import errno
import os
import random
import unittest

import support
import trees

PAGE = 4096
# The largest run of a file that one block can hold.
BLOCK = 128 << 10


@support.needs_root
@support.needs_fuse
class OneBlock(support.EndToEnd):
    """One byte in the middle of one file is flipped."""

    def setUp(self):
        super().setUp()
        base = self.path("src")
        self.contents = {
            "aaa": trees.noise(200_000, 1), "dir/victim": trees.noise(1 << 20, 2),
            "zzz": trees.noise(200_000, 3)}
        for name, content in self.contents.items():
            support.write(f"{base}/{name}", content)
        self.sealed = self.seal(base)
        content = support.read(self.sealed)
        # Sealed bytes differ from the contents, so the place is found by proportion.
        start, end = trees.blocks(content)
        self.damage(self.sealed, start + (end - start) // 2)

    def test_mount(self):
        """EIO for the pages of one block; every other page and file reads on."""
        point = self.mount(self.sealed)
        content = self.contents["dir/victim"]
        bad = []
        handle = os.open(f"{point}/dir/victim", os.O_RDONLY)
        try:
            for offset in range(0, len(content), PAGE):
                try:
                    self.assertEqual(
                        os.pread(handle, PAGE, offset), content[offset:offset + PAGE])
                except OSError as error:
                    self.assertEqual(error.errno, errno.EIO)
                    bad.append(offset)
        finally:
            os.close(handle)
        self.assertTrue(bad)
        self.assertLessEqual(bad[-1] - bad[0], BLOCK)
        self.assertEqual(bad, list(range(bad[0], bad[-1] + 1, PAGE)))
        for name in ("aaa", "zzz"):
            self.assertEqual(support.read(f"{point}/{name}"), self.contents[name])
        self.assertEqual(sorted(os.listdir(point)), ["aaa", "dir", "zzz"])

    def test_one_large_read(self):
        """A large read gives what is before the damage, and never zeros or other bytes."""
        point = self.mount(self.sealed)
        content = self.contents["dir/victim"]
        got = bytearray()
        handle = os.open(f"{point}/dir/victim", os.O_RDONLY)
        try:
            while True:
                got += os.pread(handle, 1 << 20, len(got))
                if len(got) == len(content):
                    self.fail("the damage was not noticed")
        except OSError as error:
            self.assertEqual(error.errno, errno.EIO)
        finally:
            os.close(handle)
        self.assertEqual(bytes(got), content[:len(got)])

    def test_log_line(self):
        """One structured line in front; redact leaves the name out."""
        for more in ([], ["redact"]):
            os.makedirs(self.path("mnt"), exist_ok=True)
            self.addCleanup(support.detach, self.path("mnt"))
            options = ",".join([f"passphrase-file={self.pw}", *more])
            process = self.start(
                [support.CAPSULEFS, "-f", self.sealed, self.path("mnt"), "-o", options])
            support.wait_until(lambda: support.mounts_below(self.path("mnt")))
            self.run_command(["cat", self.path("mnt/dir/victim")], rc=1)
            self.umount(self.path("mnt"))
            text = process.communicate(timeout=10)[1].decode()
            self.assertIn("operation=read", text)
            self.assertIn("code=damaged", text)
            self.assertEqual("victim" in text, not more, text)

    def test_doctor_names_the_file(self):
        """doctor --deep names the file and nothing else, and ends with 2."""
        value = self.capsule_json("doctor", self.sealed, "--deep", *self.open_pw, rc=2)
        named = [item["message"] for item in value["findings"] if item["check"] == "files"]
        self.assertEqual(len(named), 1, named)
        self.assertIn("dir/victim", named[0])
        text = self.capsule("doctor", self.sealed, "--deep", *self.open_pw, rc=2).stdout
        self.assertIn(b"dir/victim", text)
        self.capsule("doctor", self.sealed, "--deep", rc=2)
        self.capsule("doctor", self.sealed, "--sample", "100%", rc=2)
        self.capsule("verify", self.sealed, rc=2)

    def test_salvage(self):
        """doctor --salvage saves the rest and names what is lost; so does extract."""
        result = self.capsule(
            "doctor", self.sealed, "--salvage", self.path("saved"), *self.open_pw, rc=2)
        self.assertIn(b"dir/victim", result.stdout)
        result = self.capsule("extract", self.sealed, self.path("out"), *self.open_pw, rc=2)
        self.assertIn(b"dir/victim", result.stderr)
        rest = {name: self.contents[name] for name in ("aaa", "zzz")}
        for place in ("saved", "out"):
            self.assertEqual(support.tree_bytes(self.path(place)), rest)

    def test_cat(self):
        """cat gives nothing of the damaged block and ends with 2."""
        result = self.capsule("cat", self.sealed, "dir/victim", *self.open_pw, rc=2)
        content = self.contents["dir/victim"]
        self.assertEqual(result.stdout, content[:len(result.stdout)])
        self.assertIn(b"dir/victim", result.stderr)
        result = self.capsule("cat", self.sealed, "zzz", *self.open_pw)
        self.assertEqual(result.stdout, self.contents["zzz"])


@support.needs_root
@support.needs_fuse
class Truncated(support.EndToEnd):
    """The file shrinks or vanishes underneath."""

    def test_truncated_underneath(self):
        """EIO for what is gone, the driver lives, what is still there reads."""
        base = self.path("src")
        first, last = trees.noise(300_000, 1), trees.noise(8 << 20, 2)
        support.write(f"{base}/a-first", first)
        support.write(f"{base}/z-last", last)
        sealed = self.seal(base)
        point = self.mount(sealed, "cache=1M")
        pid = self.driver(point)
        handle = os.open(f"{point}/z-last", os.O_RDONLY)
        try:
            self.assertEqual(os.pread(handle, PAGE, 0), last[:PAGE])
            os.truncate(sealed, os.path.getsize(sealed) // 2)
            with self.assertRaises(OSError) as caught:
                os.pread(handle, PAGE, len(last) - PAGE)
            self.assertEqual(caught.exception.errno, errno.EIO)
            os.truncate(sealed, 0)
            with self.assertRaises(OSError) as caught:
                os.pread(handle, PAGE, 6 << 20)
            self.assertEqual(caught.exception.errno, errno.EIO)
        finally:
            os.close(handle)
        self.assertEqual(self.driver(point), pid)
        self.assertEqual(sorted(os.listdir(point)), ["a-first", "z-last"])

    def test_every_length(self):
        """Cut anywhere, a capsule is refused with a message, and never mounts."""
        content = support.read(self.seal())
        chance = random.Random(3)
        cut = self.path("cut.mv2e")
        os.mkdir(self.path("mnt"))
        for length in [0, 1, 5, 4095, 4096, len(content) - 1, *(
                chance.randrange(len(content)) for _ in range(10))]:
            support.write(cut, content[:length])
            result = self.capsule("ls", cut, *self.open_pw, rc=None)
            self.assertIn(result.returncode, (1, 2), length)
            self.assertIn(b"cut.mv2e", result.stderr)
        self.mount(cut, rc=2)


class Flips(support.EndToEnd):
    """Single bits, anywhere."""

    def test_flips(self):
        """Each flip is noticed by verify, and reading gives errors or the right bytes."""
        self.flips(30)

    @support.heavy
    def test_many_flips(self):
        """More of them."""
        self.flips(300)

    def flips(self, count):
        """Flips one bit, `count` times."""
        base = self.sample()
        support.write(f"{base}/text", b"text " * 20_000)
        support.write(f"{base}/noise", trees.noise(40_000))
        content = support.read(self.seal(base))
        expected = support.tree_bytes(base)
        chance = random.Random(11)
        for number in range(count):
            offset, bit = chance.randrange(len(content)), chance.randrange(8)
            changed = bytearray(content)
            changed[offset] ^= 1 << bit
            path = support.write(self.path("flip.mv2e"), bytes(changed))
            place = f"offset {offset}, bit {bit}"
            result = self.capsule("verify", path, rc=None)
            self.assertIn(result.returncode, (1, 2), place)
            out = self.path(f"out{number}")
            self.capsule("extract", path, out, *self.open_pw, rc=None)
            for name, found in support.tree_bytes(out).items():
                self.assertEqual(found, expected[name], f"{place}: {name}")


if __name__ == "__main__":
    unittest.main()
