"""Memvid's own SDK on the other side: what it writes, we read as it does.

Only with --full, and with an interpreter that has the SDK in CAPSULE_TEST_MEMVID_PYTHON.
"""

import hashlib
import json
import os
import re
import struct

import memvid_files as files
import support

VERSION = "2.0.160"
KINDS = [
    "notes", "chunked", "files", "unicode", "names", "many", "deleted", "vacuumed", "updated",
    "empty", "vectors", "sessions", "killed", "killed_removing", "large"]


@support.heavy
class Live(files.MemvidCase):
    """Files made now."""

    def setUp(self):
        super().setUp()
        if not files.SDK:
            self.skipTest("CAPSULE_TEST_MEMVID_PYTHON names no interpreter")

    def sdk(self, *words, rc=0):
        """Runs the maker; what it prints, if it is JSON."""
        result = self.run_command(
            [files.SDK, "-B", str(files.MAKER), *words], rc=rc, timeout=180,
            env={"MEMVID_TELEMETRY": "0"})
        return json.loads(result.stdout) if result.stdout else None

    def made(self, kind):
        """A new file of a kind, and what is known of it."""
        path = self.path(f"{kind}.mv2")
        inputs = self.sdk("make", kind, path)
        return path, {"inputs": inputs, "view": self.sdk("view", path)}

    def test_version(self):
        """The version that these tests are about."""
        code = "import importlib.metadata as m; print(m.version('memvid-sdk'))"
        found = self.run_command([files.SDK, "-c", code]).stdout.decode().strip()
        self.assertEqual(found, VERSION)

    def test_kinds(self):
        """The maker's list of kinds is ours."""
        made = re.findall(r"^def make_(\w+)", files.MAKER.read_text(), re.M)
        self.assertEqual(sorted(made), sorted(KINDS))

    def test_every_kind(self):
        """Made by the SDK, shown by us as by the SDK; locked by the SDK, the same."""
        for kind in KINDS:
            with self.subTest(kind):
                path, known = self.made(kind)
                is_pending = kind.startswith("killed")
                more = ["--recover"] if is_pending else []
                before = hashlib.sha256(support.read(path)).digest()
                folder = self.extract(path, f"out-{kind}", *more)
                self.assertEqual(hashlib.sha256(support.read(path)).digest(), before)
                self.compare(folder, known, is_pending)
                locked = self.path(f"{kind}.mv2e")
                self.sdk("lock", path, locked)
                other = self.extract(locked, f"locked-{kind}", *more)
                self.assertEqual(self.rsync(folder, other, "--exclude", "info.json"), b"")
                self.capsule("doctor", "--deep", locked, *self.open_pw)
                self.run_command(["rm", "-rf", folder, other])

    def test_recovered(self):
        """A log of an update and a deletion, replayed by both."""
        path = self.path("notes.mv2")
        self.sdk("make", "notes", path)
        plain = support.read(path)
        # Memvid starts again at the beginning of the log when nothing in it is pending.
        start, length, _, committed = struct.unpack_from("<4Q", plain, 16)
        log = b"".join([
            files.record(committed + 1, files.change(
                "mv2://notes/exact", b"", search="a newer line", supersedes=2)),
            files.record(committed + 2, files.change(
                "mv2://notes/raw-again.txt", b"", search="raw", reuses=3, supersedes=3,
                encoding=1, canonical=31)),
            files.record(committed + 3, files.change(None, target=1)),
            files.record(committed + 4, files.change(None, search="without a name"))])
        path = self.file("log.mv2", plain[:start] + log.ljust(length, b"\0")
                         + plain[start + length:])
        view = self.sdk("view", path)
        folder = self.extract(path, "out", "--recover")
        self.compare(folder, {"inputs": None, "view": view}, True)
        frames = self.frames(folder)
        self.assertEqual(
            [frames[at]["status"] for at in (1, 2, 3)], ["deleted", "superseded", "superseded"])
        self.assertEqual(len(frames), view["frame_count"])

    def test_written_by_hand(self):
        """The SDK takes the files that the other tests write by hand: they are real."""
        documents = [
            ("mv2://a.txt", b"alpha", {"search": "alpha", "title": "A", "tags": ["t"]}),
            ("mv2://b.bin", bytes(range(256)), {"search": "needle"}),
            ("mv2://c", b"", {"search": "zebra", "pairs": [("k", "v")]})]
        path = self.file("hand.mv2", files.file_of(documents))
        view = self.sdk("view", path)
        self.assertEqual(view["frame_count"], 3)
        self.compare(self.extract(path), {"inputs": None, "view": view}, True)
        locked = self.file("hand.mv2e", files.sealed(support.read(path)))
        self.sdk("unlock", locked, self.path("unlocked.mv2"))
        self.assertEqual(support.read(self.path("unlocked.mv2")), support.read(path))

    def test_attacks_that_the_sdk_takes(self):
        """Truncated, bare and relabelled files that the SDK unlocks without an error."""
        path = self.path("large.mv2")
        self.sdk("make", "large", path)
        locked = self.path("large.mv2e")
        self.sdk("lock", path, locked)
        whole = support.read(locked)
        cases = {
            "cut": (whole[:64 + files.UNIT], 2), "cut3": (whole[:64 + files.UNIT + 3], 2),
            "bare": (whole[:64], 2), "length": (files.flipped(whole, 54), 2),
            "reserved": (files.flipped(whole, 62), 2)}
        for name, (content, rc) in cases.items():
            attack, unlocked = self.file(f"{name}.mv2e", content), self.path(f"{name}.mv2")
            self.sdk("unlock", attack, unlocked)
            self.assertTrue(os.path.exists(unlocked))
            self.capsule("ls", attack, *self.open_pw, rc=rc)


if __name__ == "__main__":
    import unittest
    unittest.main()
