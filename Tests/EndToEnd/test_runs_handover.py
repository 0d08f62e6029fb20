"""How exports are sealed, signed, written in the clear, cut off, and completed."""

import json
import os
import random
import shutil
import signal
import time

import memvid_files
import support
from runs import ERROR, ExportTest, secrets


@support.needs_root
@support.needs_fuse
class Secrets(ExportTest):
    """Who can open an export."""

    def test_order(self):
        """Options before SPECKIT_MEMVID_PASSPHRASE; without any, an error that names the file."""
        self.recorded()
        other = support.write(self.path("other"), b"from the environment\n")
        environment = {"SPECKIT_MEMVID_PASSPHRASE": "from the environment"}
        words = ["export", "-r", "r1", *support.CHEAP, *self.named]
        self.capsule(*words, "-o", self.path("e.mv2e"), env=environment)
        self.capsule("ls", self.path("e.mv2e"), "--passphrase-file", other)
        self.export("o.mv2e", env=environment)
        self.capsule("ls", self.path("o.mv2e"), "--passphrase-file", other, rc=1)
        self.capsule("ls", self.path("o.mv2e"), *self.open_pw)
        self.capsule(*words, "-o", self.path("c.mv2e"), "--capsule-passphrase-command",
                     f"cat {other}")
        self.capsule("ls", self.path("c.mv2e"), "--passphrase-file", other)
        for empty in ({}, {"SPECKIT_MEMVID_PASSPHRASE": ""}):
            result = self.capsule(*words, "-o", self.path("n.mv2e"), env=empty, rc=1)
            self.assertFalse(os.path.exists(self.path("n.mv2e")))
            if not empty:
                self.assertIn(self.path("n.mv2e").encode(), result.stderr)
        self.assertEqual(len(self.of_kind("export.CapsuleExported")), 3)

    def test_not_the_workspace(self):
        """The workspace's own secret does not open the export."""
        self.recorded()
        path, _ = self.export("x.mv2e")
        self.capsule("ls", path, *self.opened, rc=1)

    def test_recipient(self):
        """An age recipient opens it with the identity, and nobody else does."""
        self.recorded()
        identity = self.path("age.txt")
        self.run_command(["age-keygen", "-o", identity])
        recipient = self.run_command(["age-keygen", "-y", identity]).stdout.decode().strip()
        path = self.path("x.mv2e")
        self.verb("export", "-r", "r1", "-o", path, "--recipient", recipient)
        self.capsule("cat", path, "manifest.json", "--identity", identity)
        self.capsule("ls", path, *self.open_pw, rc=1)
        machine = self.machine_b()
        machine.run("import", path, "--identity", identity)
        self.assertEqual(machine.names(), ["S1-r1"])
        self.verb("export", "-r", "r1", "-o", self.path("y.mv2e"), "--recipient", "age1x", rc=1)

    def test_signed(self):
        """--sign signs, also a capsule made through a driver; the verifier knows the signer."""
        self.recorded()
        key = self.key()
        point = self.attach("timeline=0")
        path, _ = self.export("x.mv2e", "--sign", key, at=point)
        self.umount(point)
        self.capsule("verify", path, *self.open_pw, "--allowed-signers",
                     self.allowed(key))
        self.assertTrue(self.of_kind("export.CapsuleExported")[0]["signed"])
        self.export("y.mv2e", "--sign", self.path("none"), rc=1)
        self.assertFalse(os.path.exists(self.path("y.mv2e")))


@support.needs_root
@support.needs_fuse
class Plain(ExportTest):
    """Exports in the clear."""

    def texts(self):
        """A run with texts to be found and one to be masked."""
        self.begin()
        self.put_text("notes.txt", "The quick brown fox jumps over the lazy dog near Potsdam\n")
        self.put_text("log.txt", f"token {secrets()['github']}\n")
        self.add("ErrorEvent", {**ERROR, "message": f"mail {secrets()['github']}"})
        self.finish()

    def test_folder(self):
        """json-dir: the same tree as in the capsule, masked alike."""
        self.texts()
        folder, facts = self.export("folder", "--no-encrypt", "-f", "json-dir")
        out = self.unpacked(self.export("x.mv2e")[0])
        self.assertEqual(support.tree_bytes(folder), support.tree_bytes(out))
        self.nowhere(secrets(), folder)
        self.assertNotEqual(facts, {})

    def test_memvid(self):
        """.mv2: our own readers open it, and nothing planted is in it, even decompressed."""
        self.texts()
        path, _ = self.export("x.mv2", "--no-encrypt")
        listed = self.capsule("ls", "-R", path).stdout.decode()
        self.assertIn("notes.txt", listed)
        machine = self.machine_b()
        machine.run("import", path, "--mount-as", "plain")
        point = machine.attach()
        self.nowhere(secrets(), f"{point}/.capsule/imports/plain", support.read(path))
        machine.detach()

    @support.heavy
    def test_memvid_sdk(self):
        """Memvid's own SDK opens, lists and searches it."""
        if not memvid_files.SDK:
            self.skipTest("CAPSULE_TEST_MEMVID_PYTHON names no interpreter")
        self.texts()
        path, _ = self.export("x.mv2", "--no-encrypt")
        code = """
import json, sys, memvid_sdk
memory = memvid_sdk.use("basic", sys.argv[1], mode="open", read_only=True)
print(json.dumps([memory.stats()["frame_count"], memory.find("Potsdam", k=5)["hits"],
                  memory.find("token", k=5)["hits"]], default=str))
"""
        result = self.run_command([memvid_files.SDK, "-c", code, path], timeout=180,
                                  env={"MEMVID_TELEMETRY": "0"})
        count, hits, tokens = json.loads(result.stdout.splitlines()[-1])
        self.assertGreater(count, 3)
        self.assertIn("notes.txt", json.dumps(hits))
        self.assertFalse(secrets()["github"] in json.dumps(tokens))


@support.needs_root
@support.needs_fuse
class CutOff(ExportTest):
    """kill -9 at any moment."""

    ATTEMPTS = 14

    def large(self, at=None):
        """A run that takes a moment to export."""
        self.begin(at=at)
        self.add_lines([("ErrorEvent", {**ERROR, "message": f"failed {number}"})
                        for number in range(4000)], at=at)
        base = self.path("many")
        one = random.Random(3)
        for number in range(300):
            support.write(f"{base}/{number}.txt",
                          "".join(f"{one.random()}\n" for _ in range(300)))
        self.put(base, at=at)
        self.mark("one", at=at)

    def check(self, path, opened=None):
        """Demands nothing or a whole file, and a log that says which."""
        directory = os.path.dirname(path)
        left = [name for name in os.listdir(directory) if name != os.path.basename(path)]
        self.assertEqual(left, [], "something was left beside the export")
        done = [data for data in self.of_kind("export.CapsuleExported")
                if data["destination"] == path]
        intents = {data["export_id"] for data in self.of_kind("export.intended")
                   if data["destination"] == path}
        failed = {data.get("export_id") for data in self.of_kind("export.ExportFailed")
                  if data.get("destination") == path}
        self.assertEqual(intents, {data["export_id"] for data in done} | failed)
        self.assertEqual(len(done), 1 if os.path.exists(path) else 0)
        if done:
            found = self.run_command(["sha256sum", path]).stdout.split()[0].decode()
            self.assertEqual(done[0]["sha256"], found)
            self.capsule("verify", path, *(self.open_pw if opened is None else opened))

    def check_states(self, before):
        """Demands that no state which an export kept for itself is left."""
        self.assertEqual([name for name, _ in self.states()], [name for name, _ in before])

    def attempts(self, settle, *more, at=None):
        """Kills exports at random moments, runs a verb, and looks."""
        one = random.Random(11)
        os.mkdir(self.path("outs"))
        before = self.states(at)
        begun = time.monotonic()
        self.export("first.mv2e", *more, at=at)
        whole = time.monotonic() - begun
        results = []
        for number in range(self.ATTEMPTS):
            os.mkdir(self.path("outs", str(number)))
            path = self.path("outs", str(number), "x.mv2e")
            process = self.start([support.CAPSULE, "export", "-r", "r1", "-o", path, *self.new_pw,
                                  *more, *self.where(at)])
            time.sleep(whole * (one.random() if number % 2 else 1 - one.random() ** 3 * 0.5))
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
            there = os.path.exists(path)
            intents = [data for data in self.of_kind("export.intended", at)
                       if data["destination"] == path]
            self.assertTrue(intents or not there, "a file without an intent")
            settle()
            results.append((path, there))
        return before, results

    def test_not_mounted(self):
        """Nothing or a whole file, with its events; the next verb settles it."""
        self.large()
        before, results = self.attempts(lambda: self.verb("gc", "--dry-run"))
        for path, _ in results:
            with self.subTest(os.path.relpath(path, self.root)):
                self.check(path)
        self.healthy()
        self.check_states(before)

    def test_at_a_driver(self):
        """The same with a driver, which goes on."""
        point = self.attach("timeline=0")
        self.large(point)
        before, results = self.attempts(
            lambda: self.capsule("gc", "--dry-run", "-w", point), at=point)
        self.umount(point)
        for path, _ in results:
            with self.subTest(os.path.relpath(path, self.root)):
                self.check(path)
        self.healthy()
        self.check_states(before)

    def test_in_the_clear(self):
        """The same for a .mv2."""
        self.large()
        before, results = self.attempts(lambda: self.verb("gc", "--dry-run"), "--no-encrypt")
        for path, _ in results:
            with self.subTest(os.path.relpath(path, self.root)):
                self.check(path, opened=[])
        self.check_states(before)

    def test_folder(self):
        """A folder is whole, or is not there."""
        self.large()
        one = random.Random(6)
        whole, _ = self.export("whole", "--no-encrypt", "-f", "json-dir")
        for number in range(8):
            path = self.path(f"folder-{number}")
            process = self.start([support.CAPSULE, "export", "-r", "r1", "-o", path,
                                  "--no-encrypt", "-f", "json-dir", *self.named])
            time.sleep(one.uniform(0.2, 1.0))
            process.kill()
            process.communicate(timeout=30)
            self.verb("gc", "--dry-run")
            if os.path.lexists(path):
                self.assertEqual(support.tree_bytes(path).keys(),
                                 support.tree_bytes(whole).keys(), "a part of a folder")

    def test_settling_during(self):
        """What settles cut-off exports leaves one alone that is under way."""
        point = self.attach("timeline=0")
        self.large(point)
        process = self.start([support.CAPSULE, "export", "-r", "r1", "-o", self.path("x.mv2e"),
                              *self.new_pw, "-w", point])
        while process.poll() is None:
            self.capsule("gc", "-w", point)
        out, err = process.communicate()
        self.assertEqual(process.returncode, 0, out + err)
        self.assertEqual(self.of_kind("export.ExportFailed", at=point), [])
        self.assertEqual([row["status"] for row in
                          self.facts("exports", at=point)["exports"]], ["done"])
        self.umount(point)

    def test_driver_killed(self):
        """kill -9 of the driver during an export: nothing, or a whole file with its events."""
        point = self.attach("timeline=0")
        self.large(point)
        before = self.states(point)
        one = random.Random(4)
        for number in range(6):
            os.makedirs(self.path("outs", str(number)))
            path = self.path("outs", str(number), "x.mv2e")
            process = self.start([support.CAPSULE, "export", "-r", "r1", "-o", path, *self.new_pw,
                                  "-w", point])
            time.sleep(one.uniform(0.05, 1.0))
            self.kill(point)
            process.communicate(timeout=60)
            self.verb("gc", "--dry-run")
            with self.subTest(number):
                self.check(path)
            self.attach("timeline=0", point=point)
        self.umount(point)
        self.healthy()
        self.check_states(before)

    def test_any_open_settles(self):
        """The next open settles what was cut off: a listing, a snapshot, a mount."""
        self.large()
        for number, verb in enumerate((
                lambda: self.verb("exports"), lambda: self.verb("snapshot", "create", "x"),
                lambda: self.verb("run", "list"),
                lambda: self.umount(self.attach("timeline=0")))):
            process = self.start([support.CAPSULE, "export", "-r", "r1", "-o",
                                  self.path(f"{number}.mv2e"), *self.new_pw, *self.named])
            self.assertTrue(support.wait_until(
                lambda: len(self.of_kind("export.intended")) > 2 * number
                or process.poll() is not None, 20))
            process.kill()
            process.communicate(timeout=30)
            verb()
            with self.subTest(number):
                for record in self.facts("exports")["exports"]:
                    self.assertEqual(record["status"], "done")

    def test_larger_than_memory(self):
        """A file that no memory holds: safe leaves it out; unsafe and a URI need not hold it."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        path = support.write(f"{point}/runs/S1/r1/artifacts/core", b"begin")
        os.truncate(path, 20 << 30)
        self.finish(at=point)
        self.umount(point)
        limited = ["prlimit", f"--as={6 << 30}", support.CAPSULE]
        words = ["export", "-r", "r1", *self.new_pw, *self.named]
        self.run_command([*limited, *words, "-o", self.path("s.mv2e")])
        result = self.run_command([*limited, *words, "--unsafe", "-o", self.path("u.mv2e")],
                                  rc=None, timeout=200)
        self.assertIn(result.returncode, (0, 1, 2, 3), "it crashed")
        uri = f"mv2://{self.origin()}/S1/r1/artifact/core"
        with open("/dev/null", "wb") as nothing:
            result = self.run_command([*limited, "resolve-uri", uri, *self.named], rc=None,
                                      stdout=nothing, timeout=200)
        self.assertIn(result.returncode, (0, 1, 2, 3), "it crashed")

    def test_crafted(self):
        """A file of the announced name with other content is no export, and is not touched."""
        self.large()
        path = self.path("x.mv2e")
        process = self.start([support.CAPSULE, "export", "-r", "r1", "-o", path, *self.new_pw,
                              *self.named])
        time.sleep(0.2)
        process.kill()
        process.communicate(timeout=30)
        if not os.path.exists(path):
            support.write(path, b"something else of the user's")
            self.verb("gc")
            self.assertEqual(support.read(path), b"something else of the user's")
            self.assertEqual(self.of_kind("export.CapsuleExported"), [])

    def test_full_disk(self):
        """A full disk leaves nothing but the event of the failure."""
        self.large()
        small = self.path("small")
        os.mkdir(small)
        self.run_command(["mount", "-t", "tmpfs", "-o", "size=64k", "none", small])
        self.addCleanup(support.detach, small)
        for more in ([], ["--no-encrypt"], ["--no-encrypt", "-f", "json-dir"]):
            secret = [] if more else self.new_pw
            self.capsule("export", "-r", "r1", "-o", f"{small}/x", *more, *secret, *self.named,
                         rc=2)
            if "json-dir" not in more:
                self.assertEqual(os.listdir(small), [])
            shutil.rmtree(f"{small}/x", ignore_errors=True)
        self.assertEqual(self.of_kind("export.CapsuleExported"), [])
        self.assertEqual(len(self.of_kind("export.ExportFailed")), 3)
        self.run_command(["umount", small])


if __name__ == "__main__":
    import unittest

    unittest.main()
