"""The walk through of a run's life on two machines, on real files: this repository's."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.parse

import support
from runs import ERROR, GATE, PAYLOADS, SAFE, ExportTest, MachineB, personal, secrets

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PARTS = ["Sources/CapsuleTree", "Sources/CapsuleBytes", "Tests/EndToEnd", "man"]
# Another user, where that one can mount.
USER = 54321 if os.path.exists("/dev/fuse") and os.stat("/dev/fuse").st_mode & 0o6 == 0o6 else 0
NAME = "W974-walk1"


@support.needs_root
@support.needs_fuse
class WalkThrough(ExportTest):
    """Machine A records and hands over, machine B takes, looks and finds nothing planted."""

    def setUp(self):
        super().setUp()
        self.planted = {**secrets(), **personal()}
        self.project = self.path("project")
        self.tree = f"{self.project}/tree"
        for part in PARTS:
            shutil.copytree(REPOSITORY / part, f"{self.tree}/{part}", ignore=(
                lambda _, names: [name for name in names if name.startswith("__")
                                  or name in ("Memvid", "test_post_quantum.py")]))
        self.run_command(["git", "init", "-q", self.project])
        log = subprocess.run(
            [sys.executable, "-m", "compileall", "-f", "Tests"], cwd=self.tree, check=True,
            capture_output=True, timeout=120).stdout
        self.assertIn(b"Compiling", log)
        for directory, names, _ in os.walk(self.tree):
            for name in [name for name in names if name == "__pycache__"]:
                shutil.rmtree(f"{directory}/{name}")
        self.log = support.write(f"{self.project}/build.log", log + self.planted_lines())
        with open(f"{self.tree}/Sources/CapsuleTree/Planted.swift", "w") as file:
            file.write("".join(f'let {kind} = "{value}"\n'
                               for kind, value in self.planted.items()))
        self.sign_key = self.key()
        support.write(f"{self.project}/.capsule.toml",
                      f'[capsule.export]\nsign_key = "{self.sign_key}"\n')
        self.secret = {"SPECKIT_MEMVID_PASSPHRASE": support.SECRET.decode()}

    def planted_lines(self):
        """Lines of a log with what must not leave."""
        return "".join(f"[warn] step used {kind}: {value}\n"
                       for kind, value in self.planted.items()).encode()

    def here(self, *words, at, rc=0):
        """Runs a verb in the project of machine A."""
        return self.capsule(*words, *self.where(at), cwd=self.project, env=self.secret, rc=rc,
                            timeout=200)

    def events_with_secrets(self, count):
        """A few thousand events of every type, with something planted in many."""
        values = list(self.planted.items())
        # A milestone would pin the export, which is to go.
        types = [pair for pair in PAYLOADS.items() if pair[0] != "MilestoneMarked"]
        lines = []
        for number in range(count):
            kind, payload = types[number % len(types)]
            field, value = values[number % len(values)]
            more = {} if kind == "ModelCallEnvelope" else {f"note-{number}": value, "f": field}
            if kind == "ModelCallEnvelope":
                more = {"prompt": f"use {value}", "response": f"used {value}"}
            lines.append((kind, {**payload, **more}))
        return lines

    def record(self, point):
        """Machine A: a run with three checkpoints, of high risk, which is exported by itself."""
        policy = support.write(f"{self.project}/policy.toml", "limit = 7 # walk-policy-needle\n")
        self.here("run", "start", "-s", "W974", "-r", "walk1", "--risk", "high", "--policy",
                  policy, at=point)
        self.here("run", "put", "-r", "walk1", self.tree, at=point)
        self.add_lines(self.events_with_secrets(2100), run="walk1", spec="W974", at=point,
                       timeout=120)
        self.mark("planned", "--stage", "Plan", run="walk1", spec="W974", at=point)
        place = f"{point}/runs/W974/walk1"
        shutil.copy(self.log, f"{place}/evidence/build.log")
        os.symlink("build.log", f"{place}/evidence/latest")
        self.mark("built", "--stage", "Implement", run="walk1", spec="W974", at=point)
        with open(f"{place}/evidence/build.log", "ab") as file:
            file.write(b"second build, walk-late-needle\n" + self.planted_lines())
        self.add_lines(self.events_with_secrets(2100), run="walk1", spec="W974", at=point,
                       timeout=120)
        self.add("GateDecision", {**GATE, "audit_handoff_required": True}, run="walk1",
                 spec="W974", at=point)
        self.mark("validated", "--stage", "Validate", run="walk1", spec="W974", at=point)
        for name, query in (("log", "compiling tests"), ("code", "ordinal entry tree"),
                            ("planted", "step used email " + self.planted["email"])):
            self.here("golden", "add", "-r", "walk1", name, query, "--as-of", "validated",
                      at=point)
        self.here("run", "finish", "-r", "walk1", "--outcome", "unlock", *support.CHEAP, at=point)
        capsule = f"{self.project}/docs/specs/W974/runs/walk1/capsule.mv2e"
        self.assertEqual(os.listdir(os.path.dirname(capsule)), ["capsule.mv2e"])
        (done,) = self.of_kind("export.CapsuleExported", at=point)
        self.assertEqual((done["signed"], done["safe_mode"], done["encrypted"]), (True,) * 3)
        self.assertEqual(done["checkpoints_included"], ["planned", "built", "validated", "final"])
        return capsule

    def other_user(self):
        """Machine B: another user id, another home, another workspace."""
        base = self.path("b")
        os.makedirs(f"{base}/home")
        machine = Other(self, f"{base}/ws", f"{base}/key", {
            "HOME": f"{base}/home", "XDG_CONFIG_HOME": f"{base}/home/c",
            "XDG_STATE_HOME": f"{base}/home/s", "TMPDIR": base, "CAPSULE_CONFIG": "/dev/null"})
        for path in (base, f"{base}/home"):
            os.chown(path, USER, USER)
        self.capsule("init", machine.ws, "--new-key-file", machine.key, env=machine.env, user=USER)
        return machine

    def take(self, machine, capsule):
        """Machine B: imports the file, mounted, and copies everything out; returns the copy."""
        arrived = shutil.copy(capsule, self.path("b/arrived.mv2e"))
        os.chown(arrived, USER, USER)
        signers = self.allowed(self.sign_key)
        point = machine.attach_as(USER)
        machine.refused(arrived, "--require-verified", rc=3)
        facts = machine.taken(arrived, "--require-verified", "--allowed-signers", signers)
        self.assertEqual((facts["mount_name"], facts["trust"]), (NAME, "verified"))
        view, out = f"{point}/.capsule/imports/{NAME}", self.path("b/out")
        self.run_command(["rsync", "-a", f"{view}/", f"{out}/"], user=USER, timeout=120)
        self.run_command(["diff", "-r", view, out], user=USER, timeout=120)
        os.mkdir(self.path("b/untar"))
        os.chown(self.path("b/untar"), USER, USER)
        self.run_command(["sh", "-c", f"tar -C '{view}' -c . | tar -C '{self.path('b/untar')}' -x"],
                         user=USER, timeout=120)
        self.run_command(["diff", "-r", view, self.path("b/untar")], user=USER, timeout=120)
        found = self.run_command(["find", view, "-type", "f"], user=USER).stdout.splitlines()
        self.assertGreater(len(found), 100)
        self.run_command(["ls", "-laR", view], user=USER)
        return view, out

    def search(self, out):
        """Demands that grep finds none of the planted values in what came out."""
        for kind, value in self.planted.items():
            for words in (["-rF"], ["-rFi"], ["-raF"]):
                result = self.run_command(["grep", "-l", *words, "--", value, out], rc=None)
                self.assertEqual((kind, result.stdout), (kind, b""))
        self.nowhere(self.planted, out)
        for text in (self.root, self.home, self.ws):
            result = self.run_command(["grep", "-rlaF", "--", text, out], rc=None)
            self.assertEqual(result.stdout, b"", "a path of machine A")

    def agree(self, machine, view):
        """Machine B finds what the export has found: URIs, order and scores."""
        shown = machine.facts("imports", "show", NAME)
        self.assertEqual([row["result"] for row in shown["checks"] if row["check"] == "golden"],
                         ["ok"])
        machine.run("golden", "run", NAME)
        for row in json.loads(support.read(f"{view}/golden.json")):
            self.assertNotEqual(row["results"], [])
            found = machine.facts("search", row["query"], "--in", NAME, "--as-of", "validated")
            self.assertEqual([hit["uri"] for hit in found["hits"]],
                             [hit["uri"] for hit in row["results"]])
            for hit, other in zip(found["hits"], row["results"]):
                self.assertLessEqual(abs(hit["score"] - other["score"]), 1e-6)

    def compare(self, view, point):
        """Machine B sees at each checkpoint what machine A has, but for what was masked."""
        own = f"{point}/.capsule/runs/W974/walk1"
        text = self.run_command(
            ["jq", "-r", ".event_type", f"{view}/events.jsonl"], timeout=60).stdout.decode()
        self.assertEqual(set(text.split()), SAFE - {"MilestoneMarked"})
        for label in ("planned", "built", "validated", "final"):
            here, there = f"{own}/as-of/{label}", f"{view}/as-of/{label}"
            events = [row for row in self.exported_events(here) if row["event_type"] in SAFE]
            taken = self.exported_events(there)
            self.assertEqual([row["uri"] for row in events], [row["uri"] for row in taken])
            index = json.loads(support.read(f"{view}/checkpoints/{label}.json"))["uri_index"]
            self.assertGreater(len(index), 100)
            prefix = index[0]["uri"].split("/artifact/")[0].split("/evidence/")[0]
            for row in index:
                name = urllib.parse.unquote(row["uri"].removeprefix(prefix + "/"))
                name = name.replace("artifact/", "artifacts/", 1)
                if row["status"] == "withheld":
                    self.assertFalse(os.path.lexists(f"{there}/{name}"))
                    continue
                same = support.read(f"{here}/{name}") == support.read(f"{there}/{name}")
                self.assertEqual(same, row["status"] == "same", name)
        self.assertNotIn(b"walk-late-needle",
                         support.read(f"{view}/as-of/built/evidence/build.log"))
        self.assertIn(b"walk-late-needle",
                      support.read(f"{view}/as-of/validated/evidence/build.log"))
        self.assertEqual(os.listdir(f"{view}/as-of/planned/evidence"), [])

    def verified(self, where, name, **options):
        """The log is whole by our own verb and by the independent verifier."""
        self.capsule("audit", "verify", *where, **options)
        files = {}
        for verb, words in (("key", []), ("checkpoint", []), ("list", ["--json"])):
            files[verb] = support.write(
                self.path(f"{name}-{verb}"),
                self.capsule("audit", verb, *words, *where, **options).stdout)
        self.tool("capsule-audit.py", "log", files["list"], "--key", files["key"],
                  "--checkpoint", files["checkpoint"])

    def second(self, point):
        """Another run from the same workspace: nothing of the first is in its export."""
        self.here("run", "start", "-s", "W974", "-r", "walk10", at=point)
        other = support.write(self.path("other.txt"), b"other content\n")
        self.here("run", "put", "-r", "walk10", other, at=point)
        self.add("ErrorEvent", ERROR, run="walk10", spec="W974", at=point)
        self.here("run", "finish", "-r", "walk10", "--outcome", "unlock", at=point)
        self.assertEqual(self.of_kind("export.decided", at=point)[-1]["export"], False)
        path, _ = self.export("second.mv2e", run="walk10", at=point)
        everything = b"".join(support.tree_bytes(self.unpacked(path)).values())
        for text in (b"walk1/", b'"walk1"', b"walk-policy-needle", b"Compiling", b"CapsuleTree",
                     b"planned", b"note-"):
            self.assertFalse(text in everything, text)
        return path

    def test_walk_through(self):
        """From the recording on A to the look on B, and the collection a month later."""
        point = self.attach()
        capsule = self.record(point)
        machine = self.other_user()
        view, out = self.take(machine, capsule)
        self.search(out)
        self.compare(view, point)
        self.agree(machine, view)
        self.verified(["-w", point], "a")
        self.verified(["-w", machine.point], "b", user=USER, env=machine.env)
        kept = self.second(point)
        self.here("pin", kept, at=point)
        month = {**self.secret, "SOURCE_DATE_EPOCH": str(int(time.time()) + 31 * 86400)}
        self.capsule("gc", "-w", point, cwd=self.project, env=month)
        self.assertFalse(os.path.exists(capsule))
        self.assertTrue(os.path.exists(kept))
        (deleted,) = self.of_kind("gc.deleted", at=point)
        self.assertEqual(deleted["destination"], capsule)
        kinds = self.kinds(point)
        self.assertLess(kinds.index("gc.intended"), kinds.index("gc.deleted"))
        self.verified(["-w", point], "late")
        machine.run("imports", "verify")
        self.umount(machine.point)
        self.umount(point)
        self.healthy()


class Other(MachineB):
    """Machine B with a user of its own."""

    def run(self, *words, rc=0, **options):
        """Runs a verb there, as that user."""
        options.setdefault("user", USER)
        return super().run(*words, rc=rc, timeout=120, **options)

    def attach_as(self, user):
        """Mounts it as that user; returns the mount point."""
        point = self.test.path("b/mnt")
        os.mkdir(point)
        os.chown(point, user, user)
        self.test.mount(self.ws, f"key-file={self.key}", secret=False, point=point, user=user,
                        env=self.env)
        self.point = point
        return point


if __name__ == "__main__":
    import unittest

    unittest.main()
