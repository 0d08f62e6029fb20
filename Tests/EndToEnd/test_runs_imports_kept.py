"""What a workspace keeps of imports: records, files, and nothing else."""

import fcntl
import hashlib
import json
import os
import random
import time

import memvid_files
import support
import trees
from runs import ExportTest

NAME = "S1-r1"


class KeptTest(ExportTest):
    """A test with an export and another machine."""

    def setUp(self):
        super().setUp()
        self.machine = self.machine_b()

    def made(self, *more, name="x.mv2e"):
        """A capsule with a run."""
        if not self.facts("run", "list")["runs"]:
            self.recorded()
        return self.export(name, *more)[0]

    def checks(self, of):
        """{check: results} of a record or an event."""
        found = {}
        for row in of["checks"]:
            found.setdefault(row["check"], []).append(row["result"])
        return found

    def path_of(self, name=NAME):
        """The file of an import."""
        return f"{self.machine.ws}/imports/{self.machine.facts('imports', 'show', name)['file']}"

    def doctor(self, *more, rc=0):
        """The findings of doctor: {check: (message, remedy)}."""
        result = self.capsule("doctor", self.machine.ws, "--key-file", self.machine.key, "--json",
                              *more, rc=rc)
        return {row["check"]: (row["message"], row.get("remedy") or "")
                for row in json.loads(result.stdout)["findings"]}


@support.needs_root
@support.needs_fuse
class Records(KeptTest):
    """What is known of an import."""

    def test_source(self):
        """The source is recorded with its whole path, however it was named."""
        capsule = self.made()
        base, directory = os.path.basename(capsule), os.path.dirname(capsule)
        os.symlink(capsule, self.path("link.mv2e"))
        for number, (word, cwd) in enumerate((
                (base, directory), (f"./{base}", directory), (capsule, "/"),
                (self.path("link.mv2e"), "/"))):
            self.machine.take(word, "--mount-as", f"n{number}", cwd=cwd)
            shown = self.machine.facts("imports", "show", f"n{number}")
            self.assertEqual(shown["source"], os.path.realpath(capsule))
        self.assertEqual({event["source"] for event in
                          self.machine.of_kind("import.CapsuleImported")},
                         {os.path.realpath(capsule)})

    def test_refusal(self):
        """A refusal is recorded with the digest of what came, and the checks so far."""
        capsule = self.made()
        damaged = bytearray(support.read(capsule))
        start, _ = trees.blocks(bytes(damaged))
        damaged[start + 100] ^= 1
        wrong = support.write(self.path("wrong"), b"wrong\n")
        cases = [
            (support.write(self.path("d.mv2e"), bytes(damaged)), [], self.pw, "blocks"),
            (support.write(self.path("n.mv2e"), trees.noise(9000)), [], self.pw, "structure"),
            (capsule, [], wrong, "secret"), (capsule, ["--require-verified"], self.pw, "trust"),
            (capsule, ["--mount-as", "a b"], self.pw, "run"),
            (support.write(self.path("m.mv2"), memvid_files.content(memvid_files.NAMES[0])[:-10]),
             [], self.pw, "structure"),
        ]
        for path, more, secret, check in cases:
            with self.subTest(os.path.basename(path), check=check):
                self.assertNotEqual(self.machine.take(path, *more, pw=secret, rc=None).returncode,
                                    0)
                event = self.machine.of_kind("import.refused")[-1]
                self.assertEqual(event["source"], os.path.realpath(path))
                self.assertEqual(event["source_sha256"],
                                 hashlib.sha256(support.read(path)).hexdigest())
                self.assertIn("error", self.checks(event)[check])
                if check in ("secret", "trust", "run"):
                    self.assertEqual(self.checks(event)["structure"], ["ok"])
        self.machine.take(self.path("none"), rc=1)
        event = self.machine.of_kind("import.refused")[-1]
        self.assertEqual(event["source"], self.path("none"))
        self.assertNotIn("source_sha256", event)

    def test_verified_later(self):
        """The same content, signed now: source, digests, checks and file are those of that file."""
        plain = self.made()
        first = self.machine.taken(plain)
        key = self.key()
        signed = self.made("--sign", key, name="signed.mv2e")
        self.assertTrue(self.machine.taken(
            signed, "--require-verified", "--allowed-signers", self.allowed(key))["already_there"])
        (row,) = self.machine.facts("imports", "list")["imports"]
        self.assertEqual(row["trust"], "verified")
        self.assertEqual(row["source"], os.path.realpath(signed))
        content = support.read(signed)
        for name in ("source_sha256", "file_sha256"):
            self.assertEqual(row[name], hashlib.sha256(content).hexdigest())
        self.assertEqual(self.checks(row)["origin"], ["ok"])
        self.assertNotEqual(row["file"], first["file"])
        self.assertEqual(self.machine.files(), [row["file"]])
        self.assertEqual(support.read(self.path_of()), content)
        self.machine.run("imports", "verify")
        # What comes again without its signature takes nothing away.
        self.machine.take(plain)
        self.assertEqual(self.machine.facts("imports", "list")["imports"], [row])
        event = self.machine.of_kind("import.CapsuleImported")[-1]
        self.assertEqual((event["trust"], event["already_there"]), ("unverified", True))

    def test_verified_while_mounted(self):
        """A mount goes on with what it has open, and shows the same."""
        plain = self.made()
        self.machine.take(plain)
        point = self.machine.attach("timeline=0")
        view = f"{point}/.capsule/imports/{NAME}"
        key = self.key()
        with open(f"{view}/events.jsonl", "rb") as file:
            start = file.read(10)
            self.machine.take(self.made("--sign", key, name="signed.mv2e"), "--require-verified",
                              "--allowed-signers", self.allowed(key))
            text = start + file.read()
        self.assertTrue(support.wait_until(lambda: os.path.isdir(view)))
        self.assertEqual(support.read(f"{view}/events.jsonl"), text)
        self.machine.run("imports", "verify")
        self.machine.detach()

    def test_version(self):
        """A run of an unknown version is refused, with the remedy; other folders are not."""
        for number, version in enumerate((999, 0, "1", None)):
            folder = self.path(f"v{number}")
            support.write(f"{folder}/manifest.json", json.dumps({
                "schema_version": version, "workspace_id": "w", "spec_id": "S", "run_id": "R",
                "checkpoints": []}))
            capsule = self.seal(folder, f"v{number}.mv2e")
            code, message = self.machine.refused(capsule, rc=2)
            self.assertEqual(code, "unsupported_version")
            self.assertIn("version 1:", message)
            self.assertEqual(self.checks(self.machine.of_kind("import.refused")[-1])["run"],
                             ["error"])
        self.assertEqual(self.machine.files(), [])
        support.write(self.path("other/manifest.json"), b'{"schema_version": 999}')
        self.machine.take(self.seal(self.path("other"), "other.mv2e"))
        shown = self.machine.taken(self.made())
        self.assertEqual(self.checks(shown)["version"], ["ok"])


@support.needs_root
@support.needs_fuse
class Files(KeptTest):
    """The files of imports."""

    def test_every_byte(self):
        """verify and doctor --deep find a change of any byte of a file, in use or not."""
        self.machine.take(self.made("--sign", self.key()))
        path = self.path_of()
        good = support.read(path)
        one = random.Random(3)
        places = [0, 60, 70, 4095, 4100, 5000, len(good) - 1, len(good) - 700]
        places += [offset + 300 for offset, _ in trees.signature_areas(good)]
        places += [one.randrange(len(good)) for _ in range(10)]
        for place in places:
            support.write(path, good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1:])
            with self.subTest(place, length=len(good)):
                result = self.machine.facts("imports", "verify", rc=2)
                self.assertIn("SHA-256", result["imports"][0]["problem"])
                found = self.doctor("--deep", rc=2)["import_changed"]
                self.assertIn(NAME, found[0])
                self.assertIn("import", found[1])
        support.write(path, good)
        self.assertIsNone(self.machine.facts("imports", "verify")["imports"][0].get("problem"))
        self.doctor("--deep")

    def test_quickly(self):
        """doctor alone sees that a file is missing, shorter or longer."""
        self.machine.take(self.made())
        path = self.path_of()
        good = support.read(path)
        self.assertNotIn("import_changed", self.doctor())
        for content in (good[:-1], good + b"\0", b""):
            support.write(path, content)
            self.assertIn(str(len(good)), self.doctor(rc=2)["import_changed"][0])
        os.remove(path)
        self.assertIn(NAME, self.doctor(rc=2)["import_missing"][0])
        self.assertIn("missing or changed: its file cannot be read",
                      self.machine.run("imports", "verify", rc=2).stdout.decode())

    def test_memvid(self):
        """What was sealed anew is compared with what was sealed, not with what came."""
        source = support.write(self.path("m.mv2"), memvid_files.content(memvid_files.NAMES[0]))
        self.machine.take(source)
        shown = self.machine.facts("imports", "show", "m")
        stored = support.read(self.path_of("m"))
        self.assertEqual(shown["file_sha256"], hashlib.sha256(stored).hexdigest())
        self.assertEqual(shown["source_sha256"], hashlib.sha256(support.read(source)).hexdigest())
        self.machine.run("imports", "verify")
        support.write(self.path_of("m"), stored[:90] + b"\xff" + stored[91:])
        self.machine.run("imports", "verify", rc=2)


@support.needs_root
@support.needs_fuse
class Orphans(KeptTest):
    """What is left of imports that were cut off."""

    def left(self, number):
        """A file that an import leaves when it is killed before it is registered."""
        return support.write(f"{self.machine.ws}/imports/{number:032x}.mv2e", b"left")

    def collected(self, *more):
        """What gc says."""
        return self.machine.facts("gc", *more)

    def test_collected(self):
        """gc deletes them, each with its intent; not what is somebody else's, nor an import's."""
        self.machine.take(self.made())
        orphans = [self.left(1), support.write(
            f"{self.machine.ws}/imports/.{2:032x}.mv2e.4000000.tmp", b"left")]
        other = support.write(f"{self.machine.ws}/imports/notes.txt", b"mine")
        found = self.doctor()["import_orphan"]
        self.assertTrue(found[0] and found[1])
        dry = self.collected("--dry-run")
        self.assertEqual((dry["temp_files_deleted"], dry["bytes_freed"]), (2, 8))
        self.assertTrue(all(map(os.path.exists, orphans)))
        done = self.collected()
        self.assertEqual({row["path"] for row in done["exports"]}, set(orphans))
        self.assertFalse(any(map(os.path.exists, orphans)))
        self.assertTrue(os.path.exists(other))
        for kind in ("gc.intended", "gc.deleted"):
            events = self.machine.of_kind(kind)
            self.assertEqual({event["destination"] for event in events}, set(orphans))
            for event in events:
                self.assertIn("no import", event["rule"])
                self.assertEqual((event["bytes"], event["sha256"]),
                                 (4, hashlib.sha256(b"left").hexdigest()))
        self.machine.run("imports", "verify")
        self.assertEqual(self.collected()["temp_files_deleted"], 0)

    def test_repaired(self):
        """doctor --repair deletes them, too, mounted or not."""
        self.machine.take(self.made())
        for mounted in (False, True):
            orphan = self.left(7)
            self.assertIn("--repair", self.doctor()["import_orphan"][1])
            if mounted:
                self.machine.attach("timeline=0")
            self.assertNotIn("import_orphan", self.doctor("--repair"))
            self.assertFalse(os.path.exists(orphan))
            if mounted:
                self.machine.detach()
        self.assertEqual(len(self.machine.of_kind("gc.deleted")), 2)
        self.machine.run("imports", "verify")

    def test_under_way(self):
        """While somebody imports, no file is one that was left; afterwards it is."""
        self.machine.take(self.made())
        orphan = self.left(3)
        handle = os.open(f"{self.machine.ws}/imports", os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_SH)
        self.assertNotIn("import_orphan", self.doctor("--repair"))
        self.assertEqual(self.collected()["temp_files_deleted"], 0)
        self.assertTrue(os.path.exists(orphan))
        os.close(handle)
        self.assertEqual(self.collected()["temp_files_deleted"], 1)
        self.assertFalse(os.path.exists(orphan))

    def test_together(self):
        """Imports and collections at once: every import that succeeds has its file."""
        capsule = self.made()
        self.machine.attach("timeline=0")
        taken = []
        for number in range(12):
            taken.append(self.start(
                [support.CAPSULE, "import", capsule, "--passphrase-file", self.pw, "--mount-as",
                 f"n{number}", *self.machine.where()], env=self.machine.env))
            if number % 4 == 3:
                while any(process.poll() is None for process in taken[-4:]):
                    self.collected()
        for process in taken:
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0)
        self.machine.run("imports", "verify")
        self.assertEqual(len(self.machine.names()), 12)
        self.machine.detach()

    def test_killed(self):
        """kill -9 at any moment: after gc, the files are those of the imports that are there."""
        capsule = self.made()
        self.machine.attach("timeline=0")
        begun = time.monotonic()
        self.machine.take(capsule, "--mount-as", "whole")
        whole = time.monotonic() - begun
        one = random.Random(5)
        for number in range(15):
            process = self.start(
                [support.CAPSULE, "import", capsule, "--passphrase-file", self.pw, "--mount-as",
                 f"n{number}", *self.machine.where()], env=self.machine.env)
            time.sleep(whole * (0.6 + 0.4 * one.random()))
            process.kill()
            process.communicate(timeout=30)
        self.collected()
        rows = self.machine.facts("imports", "list")["imports"]
        self.assertEqual(self.machine.files(), sorted(row["file"] for row in rows))
        self.machine.run("imports", "verify")
        self.machine.detach()


if __name__ == "__main__":
    import unittest

    unittest.main()
