"""The audit log of a workspace: what is in it, what is not, and what it proves."""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import sys

import support
import workspaces
from workspaces import VerbTest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"


class AuditTest(VerbTest):
    """A test with the independent verifier."""

    def tool(self, name, *words, rc=0):
        """Runs a tool with the interpreter that has its libraries."""
        python = os.environ.get("CAPSULE_TEST_PYTHON", sys.executable)
        return self.run_command([python, str(TOOLS / name), *words], rc=rc)

    def checker(self, *words, rc=0):
        """Runs the independent verifier."""
        return self.tool("capsule-audit.py", *words, rc=rc)

    def kept(self, verb, *words, at=None):
        """A file with what a verb of audit prints."""
        name = self.path(f"{verb}-{len(os.listdir(self.root))}")
        return support.write(name, self.verb("audit", verb, *words, at=at))

    def log(self, at=None):
        """A file with the log."""
        return support.write(self.path("log"), self.verb("audit", "list", "--json", at=at))

    def of_kind(self, kind, at=None):
        """The data of all events of a kind."""
        return [event["data"] for event in self.events(at)
                if event["type"] == f"capsulefs.{kind}"]

    def wrong(self, length=40):
        """A key file that opens nothing."""
        return support.write(self.path("wrong"), b"w" * length)


@support.needs_root
@support.needs_fuse
class Recorded(AuditTest):
    """What is recorded, and how."""

    def test_without_a_mount(self):
        """Verbs on a workspace that is not mounted: each leaves its event, with particulars."""
        self.assertEqual(self.kinds(), ["workspace.created"])
        self.verb("snapshot", "create", "one")
        self.verb("snapshot", "create", "--tag", "t")
        self.verb("branch", "create", "try", "--at", "@one")
        self.verb("branch", "switch", "try")
        self.verb("branch", "switch", "main")
        self.verb("branch", "delete", "try")
        self.verb("retention", "--keep-last", "7", "--keep-tag", "precious")
        self.verb("retention", "--keep-last", "0")
        self.capsule("slot", "add", self.ws, *self.opened, "--new-key-file", self.path("second"))
        self.capsule("slot", "remove", self.ws, "2", *self.opened)
        self.verb("snapshot", "delete", "one")
        self.verb("snapshot", "create", "two")
        found = self.facts("seal", "@two", self.path("two.mv2e"), "--new-key-file",
                           self.path("new"))
        kinds = self.kinds()
        self.assertEqual([kind for kind in kinds if kind != "workspace.opened"], [
            "workspace.created", "snapshot.created", "snapshot.created", "branch.created",
            "branch.switched", "branch.switched", "branch.deleted", "retention.changed",
            "retention.changed", "timeline.thinned", "slot.added", "slot.removed",
            "snapshot.deleted", "snapshot.created", "capsule.sealed"])
        self.assertGreaterEqual(kinds.count("workspace.opened"), 12)
        sealed = self.of_kind("capsule.sealed")[0]
        self.assertEqual(sealed["root"], found["root"])
        public = self.capsule_json("inspect", self.path("two.mv2e"))
        self.assertEqual(sealed["capsule_id"], public["capsule_id"])
        self.assertIs(sealed["masked"], False)
        self.assertEqual(sealed["state"], "two")
        switched = self.of_kind("branch.switched")
        self.assertEqual([(data["from"], data["to"]) for data in switched],
                         [("main", "try"), ("try", "main")])
        self.assertEqual(self.of_kind("retention.changed")[0]["keep_last"], 7)
        self.assertIn("precious", json.dumps(self.of_kind("retention.changed")[0]))
        self.assertGreater(sum(data["count"] for data in self.of_kind("timeline.thinned")), 0)
        self.assertEqual([self.of_kind(kind)[0]["kind"] for kind in
                          ("slot.added", "slot.removed")], ["key-file"] * 2)

    def test_in_a_mount(self):
        """A mount, what is done at its driver, what that does by itself, and its end."""
        point = self.attach("timeline=1")
        pid = self.driver(point)
        support.write(f"{point}/dir/file", b"x" * 100_000)
        self.capsule("snapshot", "create", "one", "-w", point)
        self.capsule("restore", "@one", "dir", "-w", point)
        self.capsule("forget", "dir", "--all-states", "-w", point)
        self.capsule("reclaim", "-w", point)
        self.capsule("seal", "@one", self.path("c.mv2e"), "--new-key-file", self.path("new"),
                     "-w", point)
        self.umount(point)
        kinds = self.kinds()
        for kind in ("mount.started", "snapshot.created", "path.restored", "path.forgotten",
                     "space.reclaimed", "capsule.sealed", "mount.ended"):
            self.assertIn(kind, kinds)
        self.assertEqual(kinds[-1], "mount.ended")
        self.assertEqual(kinds.index("mount.started"), kinds.index("workspace.opened") + 1)
        for event in self.events()[1:]:
            actor = event["data"]["actor"]
            self.assertEqual(actor["uid"], os.getuid())
            self.assertEqual(actor["host"], os.uname().nodename)
            if event["type"].startswith("capsulefs.mount."):
                self.assertEqual((actor["pid"], actor["program"]), (pid, "capsulefs"))
        self.assertEqual(self.of_kind("path.forgotten")[0]["inodes"], 4)
        self.assertEqual(self.of_kind("path.restored")[0]["state"], "one")

    def test_what_doctor_found(self):
        """Comes into the log at the next open for writing, as spooled."""
        self.capsule("doctor", self.ws, "--deep", *self.opened)
        self.verb("snapshot", "create", "one")
        found = self.of_kind("doctor.finished")
        self.assertEqual([data["spooled"] for data in found], [True])
        self.assertIn('"errors":0', found[0]["report"])

    def test_reading_is_not(self):
        """Neither reading verbs, a mount for reading, nor reading and writing files is."""
        point = self.attach("timeline=0")
        support.write(f"{point}/file", b"x")
        self.capsule("snapshot", "create", "one", "-w", point)
        self.umount(point)
        kinds = self.kinds()
        for words in (["ls", "@one"], ["cat", "@one", "file"], ["history", "file"], ["timeline"],
                      ["audit", "verify"], ["audit", "checkpoint"], ["branch", "list"],
                      ["extract", "@one", self.path("out")], ["diff", "@one", self.ws]):
            self.verb(*words)
        self.attach("ro", point=point)
        support.read(f"{point}/file")
        self.umount(point)
        self.assertEqual(self.kinds(), kinds)
        self.attach("timeline=0", point=point)
        for number in range(10):
            support.write(f"{point}/more{number}", b"y")
            os.remove(f"{point}/more{number}")
        self.umount(point)
        self.assertEqual(self.kinds(), kinds + ["workspace.opened", "mount.started", "mount.ended"])

    def test_files(self):
        """With --audit-files opens, creations and removals are, by inode number; by -o ro none."""
        self.ws = self.path("watched")
        self.capsule("init", self.ws, "--new-key-file", self.key_file, "--audit-files")
        self.named = ["-w", self.ws, *self.opened]
        point = self.attach("timeline=0")
        name = f"{point}/a-private-name"
        support.write(name, b"x")
        number = os.stat(name).st_ino
        support.read(name)
        with open(name, "ab"):
            pass
        os.remove(name)
        support.write(name, b"replaced")
        support.write(f"{point}/new", b"new")
        replaced = os.stat(name).st_ino
        os.replace(f"{point}/new", name)
        self.umount(point)
        found = [(event["type"].removeprefix("capsulefs.file."), event["data"])
                 for event in self.events() if ".file." in event["type"]]
        own = [(kind, data.get("writing")) for kind, data in found if data["inode"] == number]
        self.assertEqual(own[0][0], "created")
        self.assertIn(("opened", False), own)
        self.assertIn(("opened", True), own)
        self.assertEqual(own[-1][0], "removed")
        self.assertIn("removed", [kind for kind, data in found if data["inode"] == replaced])
        self.assertNotIn("a-private-name", self.verb("audit", "list", "--json"))
        count = len(self.events())
        self.attach("ro", point=point)
        support.read(name)
        self.umount(point)
        self.assertEqual(len(self.events()), count)
        self.verb("audit", "verify")

    def test_unclean_unmount(self):
        """A mount that did not end is noticed at the next open for writing, once."""
        point = self.attach()
        self.kill(point)
        kinds = self.kinds()
        self.assertNotIn("UncleanUnmount", json.dumps(kinds))
        self.verb("snapshot", "create", "one")
        self.verb("snapshot", "create", "two")
        added = self.kinds()[len(kinds):]
        self.assertEqual(len([kind for kind in added if "unclean" in kind.lower()]), 1, added)
        self.assertLess([("unclean" in kind.lower()) for kind in added].index(True),
                        added.index("snapshot.created"))
        self.assertTrue(any("UncleanUnmount" in kind for kind in added), added)

    def test_wrong_secret(self):
        """An open that failed, by a verb or a mount, is spooled, and absorbed once."""
        self.capsule("timeline", "-w", self.ws, "--key-file", self.wrong(), rc=1)
        self.capsule("snapshot", "create", "-w", self.ws, "--key-file", self.wrong(), rc=1)
        point = self.path("mnt")
        os.mkdir(point)
        for options in ("", ",ro"):
            words = f"key-file={self.wrong()}{options}"
            self.run_command([support.CAPSULEFS, self.ws, point, "-o", words], rc=1)
        self.assertEqual(self.of_kind("workspace.open.failed"), [])
        for turn in range(2):
            self.verb("snapshot", "create", f"s{turn}")
            found = self.of_kind("workspace.open.failed")
            self.assertEqual([data["spooled"] for data in found], [True] * 4)
        programs = [json.loads(data["report"])["details"]["program"] for data in found]
        self.assertEqual(programs, ["capsule", "capsule", "capsulefs", "capsulefs"])
        self.assertEqual(self.kinds()[1:5], ["workspace.open.failed"] * 4)
        self.verb("audit", "verify")

    def test_reports_of_others(self):
        """Whatever somebody does to `reports` keeps nobody from opening; most 256 are kept."""
        path = f"{self.ws}/reports"
        public = support.read(path)
        self.capsule("timeline", "-w", self.ws, "--key-file", self.wrong(), rc=1)
        one = support.read(path)[len(public):]
        self.assertGreater(len(one), 0)
        count = 0
        for content in (public + one * 400, public + b"\0" * len(one), public + one[:-10],
                        public[:-1], b"", os.urandom(5000), None, public + os.urandom(5000)):
            if content is None:
                os.remove(path)
            else:
                support.write(path, content)
            self.verb("snapshot", "create", f"s{count}")
            self.capsule("timeline", "-w", self.ws, "--key-file", self.wrong(), rc=1)
            self.assertLess(len(self.of_kind("workspace.open.failed")), 280)
            count += 1
        self.assertEqual(len(self.states()), 8)
        before = len(self.of_kind("workspace.open.failed"))
        self.capsule("timeline", "-w", self.ws, "--key-file", self.wrong(), rc=1)
        self.verb("snapshot", "create", "last")
        self.assertGreater(len(self.of_kind("workspace.open.failed")), before)
        self.verb("audit", "verify")

    def test_no_secret(self):
        """Neither a secret nor the name of a file is in the log, or in a report."""
        point = self.attach("timeline=0")
        support.write(f"{point}/very-private-name/inner", b"x")
        self.capsule("snapshot", "create", "one", "-w", point)
        self.capsule("restore", "@one", "very-private-name/inner", "-w", point)
        self.capsule("restore", "@one", "very-private-name", "-w", point)
        self.umount(point)
        self.capsule("slot", "add", self.ws, *self.opened, "--new-passphrase-file", self.pw,
                     *support.CHEAP)
        self.capsule("timeline", "-w", self.ws, "--passphrase", "a-mistyped-secret", rc=1)
        self.capsule("timeline", "-w", self.ws, "--key-file", self.wrong(), rc=1)
        self.attach("timeline=0", point=point)
        self.capsule("forget", "very-private-name", "--all-states", "-w", point)
        text = support.read(f"{point}/.capsule/audit.jsonl")
        self.umount(point)
        key = support.read(self.key_file)
        texts = [text, self.verb("audit", "list", "--json").encode()]
        texts += [self.verb("audit", "show", event["id"], "--json").encode()
                  for event in self.events()]
        for text in texts:
            for secret in (support.SECRET, b"a-mistyped-secret", b"wwwwwwww", key,
                           key.hex().encode(), base64.b64encode(key), b"private-name"):
                self.assertNotIn(secret, text)


@support.needs_root
@support.needs_fuse
class Shown(AuditTest):
    """list, show and the file in the mount."""

    def test_list(self):
        """--from, --type and their lines; the file in the mount is the same."""
        point = self.attach("timeline=0")
        for number in range(3):
            self.capsule("snapshot", "create", f"s{number}", "-w", point)
        lines = self.verb("audit", "list", "--json", at=point).splitlines()
        self.assertEqual(support.read(f"{point}/.capsule/audit.jsonl").decode().splitlines(), lines)
        self.assertEqual([json.loads(line)["id"] for line in lines],
                         [str(number) for number in range(6)])
        for words, expected in ((["--from", "4"], lines[4:]), (["--from", "99"], []),
                                (["--type", "snapshot"], lines[3:]), (["--type", "none"], []),
                                (["--from", "5", "--type", "snapshot"], lines[5:])):
            found = self.verb("audit", "list", "--json", *words, at=point).splitlines()
            self.assertEqual(found, expected, words)
            self.assertEqual(
                len(self.verb("audit", "list", *words, at=point).splitlines()), len(expected))
        with self.assertRaises(OSError):
            support.write(f"{point}/.capsule/audit.jsonl", b"x")
        self.umount(point)
        self.assertEqual(self.verb("audit", "list", "--json").splitlines()[:6], lines)
        self.verb("audit", "list", "--from", "-1", rc=1)

    def test_path(self):
        """show has the path and the salt that make the digest, until the path is forgotten."""
        point = self.attach("timeline=0")
        support.write(f"{point}/dir/file", b"x")
        self.capsule("snapshot", "create", "one", "-w", point)
        self.capsule("restore", "@one", "dir/file", "-w", point)
        number = next(event["id"] for event in self.events(point)
                      if event["type"].endswith("path.restored"))
        digest = self.of_kind("path.restored", point)[0]["path_sha256"]
        for is_mounted in (True, False):
            at = point if is_mounted else None
            found = self.facts("audit", "show", number, at=at)
            self.assertEqual(found["path"], "dir/file")
            salt = bytes.fromhex(found["path_salt"])
            self.assertEqual(len(salt), 16)
            self.assertEqual(hashlib.sha256(salt + b"dir/file").hexdigest(), digest)
            self.assertIn("dir/file", self.verb("audit", "show", number, at=at))
            if is_mounted:
                self.umount(point)
        self.verb("forget", "dir")
        found = self.facts("audit", "show", number)
        self.assertNotIn("path", found)
        self.assertNotIn("path_salt", found)
        self.assertIn(digest, found["event"])
        self.verb("audit", "show", "99", rc=1)
        self.verb("audit", "prove", "99", rc=1)
        self.verb("audit", "verify")


@support.needs_root
@support.needs_fuse
class Proven(AuditTest):
    """What checkpoints and proofs show, to us and to the independent verifier."""

    def test_checkpoints(self):
        """Of every age, mounted and not, each is of the first events."""
        key = self.kept("key")
        checkpoints = [self.kept("checkpoint")]
        point = self.attach("timeline=0")
        for number in range(5):
            self.capsule("snapshot", "create", f"s{number}", "-w", point)
            checkpoints.append(self.kept("checkpoint", at=point))
            self.capsule("audit", "verify", "--against", checkpoints[0], "-w", point)
        self.assertEqual(self.verb("audit", "key", at=point).encode(), support.read(key))
        self.umount(point)
        checkpoints.append(self.kept("checkpoint"))
        sizes = [int(support.read(path).split(b"\n")[1]) for path in checkpoints]
        self.assertEqual(sizes, sorted(set(sizes)))
        for path in checkpoints:
            self.verb("audit", "verify", "--against", path)
        words = [word for path in checkpoints for word in ("--checkpoint", path)]
        self.checker("log", self.log(), "--key", key, *words)
        self.checker("log", self.log(), "--key", support.read(key).decode().strip(), *words)
        self.checker("log", self.path("none"), "--key", key, rc=1)
        self.checker("log", self.log(), "--key", self.path("none"), rc=1)
        self.checker("log", self.log(), rc=1)
        lines = support.read(self.log()).splitlines(keepends=True)
        for content in (b"".join(lines[:-1]), b"".join(lines)[:-1],
                        b"".join(lines).replace(b'"s1"', b'"s9"'),
                        b"".join(lines[:3] + lines[4:])):
            changed = support.write(self.path("changed"), content)
            self.checker("log", changed, "--key", key, *words, rc=3)

    def test_proofs(self):
        """Every event is proven; nothing else is."""
        point = self.attach("timeline=0")
        for number in range(4):
            self.capsule("snapshot", "create", f"s{number}", "-w", point)
        key = self.kept("key", at=point)
        events = self.events(point)
        for event in events[:4]:
            proof = self.kept("prove", event["id"], at=point)
            shown = self.checker("proof", proof, "--key", key).stdout
            self.assertEqual(json.loads(shown), event)
        self.umount(point)
        for number in (4, len(events)):
            proof = self.kept("prove", str(number))
            self.checker("proof", proof, "--key", key)
        lines = support.read(proof).splitlines(keepends=True)
        self.assertIn(b"index 7\n", lines)
        forged = base64.b64encode(base64.b64decode(lines[1].split()[1]).replace(b"root", b"toor"))
        for content in (lines[:2] + [b"index 6\n"] + lines[3:], lines[:3] + lines[4:],
                        lines[:1] + [b"extra " + base64.b64encode(b"{}") + b"\n"] + lines[2:],
                        lines[:1] + [b"extra " + forged + b"\n"] + lines[2:], lines[:-1]):
            if content == lines:
                continue
            changed = support.write(self.path("changed"), b"".join(content))
            self.checker("proof", changed, "--key", key, rc=3)

    def test_of_another_workspace(self):
        """Its checkpoint is refused, as is a changed one."""
        other = self.path("other")
        self.capsule("init", other, "--new-key-file", self.key_file)
        foreign = self.capsule("audit", "checkpoint", "-w", other, *self.opened).stdout
        own = self.verb("audit", "checkpoint").encode()
        self.verb("audit", "verify", "--against", support.write(self.path("own"), own))
        lines = own.split(b"\n")
        tampered = b"\n".join([lines[0], b"2"] + lines[2:])
        swapped = b"\n".join(foreign.split(b"\n")[:3] + lines[3:])
        for content in (foreign, tampered, swapped, b"\n".join(lines[:4]) + b"\n"):
            path = support.write(self.path("bad"), content)
            words = ["audit", "verify", "--against", path, *self.named]
            self.assertNotEqual(self.capsule(*words, rc=3).stderr, b"")
            found = self.checked_json(self.capsule(*words, "--json", rc=3).stdout)
            self.assertEqual(len(found["faults"]), 1)
            self.checker("log", self.log(), "--key", self.kept("key"), "--checkpoint", path, rc=3)
        self.verb("audit", "verify", "--against", self.path("none"), rc=1)

    def test_rolled_back(self):
        """An older copy of the directory is found by a newer checkpoint, and by nothing else."""
        self.verb("snapshot", "create", "one")
        shutil.copytree(self.ws, self.path("copy"))
        old = self.kept("checkpoint")
        self.verb("snapshot", "create", "two")
        new = self.kept("checkpoint")
        named = ["-w", self.path("copy"), *self.opened]
        self.capsule("audit", "verify", *named)
        self.capsule("audit", "verify", "--against", old, *named)
        result = self.capsule("audit", "verify", "--against", new, *named, rc=3)
        self.assertNotEqual(result.stdout + result.stderr, b"")
        # As long again, but another past.
        self.capsule("snapshot", "create", "other", *named)
        self.capsule("audit", "verify", "--against", new, *named, rc=3)
        self.capsule("snapshot", "create", "third", *named)
        self.capsule("audit", "verify", "--against", new, *named, rc=3)
        self.capsule("audit", "verify", "--against", old, *named)

    def test_in_a_capsule(self):
        """A sealed capsule has the checkpoint of its moment in its manifest."""
        point = self.attach("timeline=0")
        support.write(f"{point}/f", b"x")
        self.capsule("snapshot", "create", "one", "-w", point)
        for is_mounted in (True, False):
            at = point if is_mounted else None
            sealed, new = self.path(f"{is_mounted}.mv2e"), self.path("new")
            before = len(self.kinds(at))
            self.verb("seal", "@one", sealed, "--new-key-file", new, at=at)
            fields = json.loads(
                self.tool("capsule-reader.py", "manifest", sealed, "--key-file", new).stdout)
            found = fields["audit_checkpoint"]
            self.assertGreaterEqual(int(found.split("\n")[1]), before)
            path = support.write(self.path("found"), found)
            words = ["audit", "checkpoint", "--of", sealed, "--key-file", new]
            self.assertEqual(self.capsule(*words).stdout.decode(), found)
            self.capsule(*words[:-1], self.wrong(), rc=1)
            self.verb("audit", "verify", "--against", path, at=at)
            self.checker("log", self.log(at), "--key", self.kept("key", at=at),
                         "--checkpoint", path)
            if is_mounted:
                self.umount(point)

    def test_of_folders(self):
        """A folder in a mount is sealed from the workspace, too; of a mount for reading it is told
        that nothing can vouch for it."""
        point = self.attach("timeline=0")
        os.mkdir(f"{point}/sub dir")
        support.write(f"{point}/sub dir/f", b"x")
        self.capsule("snapshot", "create", "one", "-w", point)
        new = self.path("new")
        for number, (folder, inside) in enumerate((
                (point, "/"), (f"{point}/sub dir", "/sub dir"),
                (f"{point}/.capsule/snapshots/one", "/.capsule/snapshots/one"))):
            sealed = self.path(f"{number}.mv2e")
            self.capsule("seal", os.path.basename(folder), sealed, "--new-key-file",
                         self.path(f"new{number}"), cwd=os.path.dirname(folder))
            path = support.write(self.path("found"), self.capsule(
                "audit", "checkpoint", "--of", sealed, "--key-file",
                self.path(f"new{number}")).stdout)
            self.capsule("audit", "verify", "--against", path, "-w", point)
            self.assertEqual(self.of_kind("capsule.sealed", point)[-1]["path"], inside)
        same = [self.path("same1.mv2e"), self.path("same2.mv2e")]
        for sealed in same:
            self.capsule("seal", f"{point}/sub dir", sealed, "--reproducible", "--passphrase-file",
                         support.write(self.path("pw"), b"a passphrase"))
        self.assertEqual(support.read(same[0]), support.read(same[1]))
        self.umount(point)
        self.attach("ro", point=point)
        told = self.capsule("seal", point, self.path("ro.mv2e"), "--new-key-file", new).stderr
        self.assertIn(b"seal @STATE", told)
        self.capsule("audit", "checkpoint", "--of", self.path("ro.mv2e"), "--key-file", new, rc=1)

    def test_survives_a_kill(self):
        """What a checkpoint says is durable: kill -9 takes no event back."""
        point = self.attach("timeline=0")
        for number in range(3):
            self.capsule("snapshot", "create", f"s{number}", "-w", point)
        path = self.kept("checkpoint", at=point)
        self.kill(point)
        self.verb("audit", "verify", "--against", path)
        self.attach(point=point)
        self.capsule("audit", "verify", "--against", path, "-w", point)
        self.umount(point)
        self.verb("audit", "verify", "--against", path)
        self.healthy()

    def test_many(self):
        """A log of some hundred events, with proofs at the borders of the tree."""
        point = self.attach("timeline=0")
        script = ('for n in $(seq 1 "$1"); do capsule retention --keep-last "$n" -w "$0" '
                  '>/dev/null || exit 1; done')
        self.run_command(["sh", "-c", script, point, "62"])
        key, events = self.kept("key", at=point), self.events(point)
        self.assertGreater(len(events), 64)
        checkpoint = self.kept("checkpoint", at=point)
        self.checker("log", self.log(point), "--key", key, "--checkpoint", checkpoint)
        for number in (0, 31, 32, 63, 64, len(events) - 1):
            proof = self.kept("prove", str(number), at=point)
            self.checker("proof", proof, "--key", key)
        self.umount(point)
        workspaces.sync(self.ws)


if __name__ == "__main__":
    import unittest

    unittest.main()
