"""What doctor says of locks, of what can be returned to, and what each finding is about."""

import os
import signal
import subprocess

import support
from runs import RunTest


class DoctorTest(RunTest):
    """A test that looks at findings."""

    def findings(self, target, *words, rc=0):
        """{check: [finding]} of doctor, each of which is whole."""
        result = self.capsule("doctor", target, *words, "--json", rc=rc)
        value = self.checked_json(result.stdout)
        found = {}
        for row in value["findings"]:
            self.assertEqual(row["code"], row["check"])
            for key in ("object", "message"):
                self.assertTrue(row[key], row)
            if row["severity"] != "ok":
                self.assertTrue(row.get("remedy"), row)
            found.setdefault(row["check"], []).append(row)
        return found


@support.needs_root
@support.needs_fuse
class Locks(DoctorTest):
    """Who has a workspace: somebody, nobody, or somebody who is gone."""

    def lock(self):
        """The finding about the lock."""
        (found,) = self.findings(self.ws, *self.opened)["lock"]
        self.assertEqual(found["object"], f"{self.ws}/lock")
        return found["severity"], found["message"]

    def test_lock(self):
        """Live with its holder, stale after a kill, free after a clean end or a repair."""
        severity, message = self.lock()
        self.assertEqual(severity, "ok")
        self.assertIn("free", message)
        point = self.attach("timeline=0")
        pid = self.driver(point)
        severity, message = self.lock()
        self.assertEqual(severity, "ok")
        self.assertRegex(message, rf"^live: .*process {pid} .*since \d{{4}}-")
        self.umount(point)
        self.assertTrue(support.wait_until(lambda: self.lock()[1].startswith("free")))
        self.assertIn(f"process {pid} ", self.lock()[1])
        for words in ([], ["--repair"]):
            point = self.attach("timeline=0", point=point)
            pid = self.driver(point)
            self.kill(point)
            for _ in range(2):
                severity, message = self.lock()
                self.assertEqual(severity, "warning")
                self.assertRegex(message, rf"^stale: process {pid} .*since \d{{4}}-")
            if words:
                self.capsule("doctor", self.ws, "--repair", *self.opened)
            else:
                self.verb("snapshot", "create", "x")
            self.assertEqual(self.lock()[0], "ok")
            self.assertTrue(self.lock()[1].startswith("free"))

    def test_failed_verb(self):
        """A verb that fails leaves a free lock."""
        self.capsule("snapshot", "delete", "none", *self.named, rc=1)
        self.assertTrue(self.lock()[1].startswith("free"))

    def test_killed_verb(self):
        """A verb that is killed leaves a stale one, which keeps nobody out."""
        self.begin()
        process = self.start(
            [support.CAPSULE, "event", "add", "-r", "r1", "--lines", *self.named],
            stdin=subprocess.PIPE)
        process.stdin.write(b'{"event_type":"DebugTrace","payload":{}}\n' * 5000)
        process.stdin.flush()
        note = f"process {process.pid} ".encode()
        self.assertTrue(support.wait_until(
            lambda: support.read(f"{self.ws}/lock").startswith(note)))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        self.assertEqual(self.lock()[0], "warning")
        self.add("DebugTrace")
        self.assertEqual(self.lock()[0], "ok")


@support.needs_root
@support.needs_fuse
class Objects(DoctorTest):
    """Every finding says what it is about."""

    def test_workspace(self):
        """Of a workspace: the last good checkpoints, segments, imports; mounted or not."""
        self.assertNotIn("last_checkpoint", self.findings(self.ws, *self.opened))
        self.begin("r1")
        self.put_text("a", b"x" * 100_000)
        self.mark("one")
        self.finish("r1")
        self.begin("r2")
        path, _ = self.export("r1.mv2e")
        self.capsule("import", path, "--passphrase-file", self.pw, *self.named)
        support.write(f"{self.ws}/segments/stray", b"")
        for is_mounted in (False, True):
            point = self.attach("timeline=0") if is_mounted else None
            found = self.findings(point or self.ws, *self.opened)
            (last,) = found["last_checkpoint"]
            self.assertEqual((last["severity"], last["object"]), ("ok", "S1/r1 @final"))
            (audit,) = found["audit"]
            self.assertIn(self.origin(point), audit["object"])
            self.assertRegex(audit["message"], r"of its \d+ events")
            if is_mounted:
                self.umount(point)
        (name,) = os.listdir(f"{self.ws}/imports")
        os.remove(f"{self.ws}/imports/{name}")
        support.write(f"{self.ws}/imports/orphan", b"")
        found = self.findings(self.ws, *self.opened, rc=2)
        self.assertEqual([row["object"] for row in found["import_missing"]], ["S1-r1"])
        self.assertIn("/imports/orphan", found["import_orphan"][0]["object"])
        for name in os.listdir(f"{self.ws}/segments"):
            os.remove(f"{self.ws}/segments/{name}")
        found = self.findings(self.ws, *self.opened, "--deep", rc=2)
        self.assertRegex(found["segments"][0]["object"], "^segments/")
        self.assertRegex(found["blocks"][0]["object"], "^segment ")

    def test_capsules(self):
        """Of capsules and Memvid files: the file, or what in it cannot be read."""
        source = self.sample()
        support.write(f"{source}/sub/noise", os.urandom(1 << 20))
        capsule = self.seal(source)
        found = self.findings(capsule, "--deep", *self.open_pw)
        self.assertEqual({row["object"] for rows in found.values() for row in rows}, {capsule})
        packed = self.path("p.mv2")
        self.capsule("memvid", "pack", source, packed)
        for words in ([], ["--deep"]):
            found = self.findings(packed, *words)
            self.assertEqual({row["object"] for rows in found.values() for row in rows}, {packed})
        data = bytearray(support.read(capsule))
        middle = len(data) // 2
        data[middle:middle + 4096] = bytes(4096)
        damaged = support.write(self.path("damaged.mv2e"), bytes(data))
        found = self.findings(damaged, "--deep", *self.open_pw, rc=2)
        self.assertIn("sub/noise", [row["object"] for row in found.get("files", [])])


if __name__ == "__main__":
    import unittest

    unittest.main()
