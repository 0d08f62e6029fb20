"""Exports: where they go, what is in them, what they say of their origin, and how they end."""

import base64
import json
import os
import socket
import time
import zipfile

import support
from runs import CALL, ERROR, PAYLOADS, SAFE, ExportTest, git, secrets


@support.needs_root
@support.needs_fuse
class Place(ExportTest):
    """Where an export goes."""

    def test_default(self):
        """docs/specs/SPEC/runs/RUN/capsule.mv2e below the git top, out of git's sight."""
        self.recorded()
        project = self.path("project")
        os.makedirs(f"{project}/deep/down")
        git("init", "-q", ".", cwd=project)
        self.capsule("export", "-r", "r1", *self.new_pw, *self.named, cwd=f"{project}/deep/down")
        path = f"{project}/docs/specs/S1/runs/r1/capsule.mv2e"
        self.assertEqual(os.listdir(os.path.dirname(path)), ["capsule.mv2e"])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(git("status", "--porcelain", "-uall", cwd=project), "")
        self.assertEqual(os.listdir(f"{project}/deep/down"), [])
        exclude = support.read(f"{project}/.git/info/exclude")
        self.capsule("export", "-r", "r1", "--force", *self.new_pw, *self.named, cwd=project)
        self.assertEqual(support.read(f"{project}/.git/info/exclude"), exclude)

    def test_without_git(self):
        """Without git, below the current directory."""
        self.recorded()
        os.mkdir(self.path("plain"))
        self.capsule("export", "-r", "r1", *self.new_pw, *self.named, cwd=self.path("plain"))
        self.assertTrue(os.path.exists(self.path("plain/docs/specs/S1/runs/r1/capsule.mv2e")))

    def test_plain_out_of_git(self):
        """A .mv2 in the clear is kept out of git, too."""
        self.recorded()
        project = self.path("project")
        os.mkdir(project)
        git("init", "-q", ".", cwd=project)
        self.capsule("export", "-r", "r1", "--no-encrypt", *self.named, cwd=project)
        self.assertTrue(os.path.exists(f"{project}/docs/specs/S1/runs/r1/capsule.mv2"))
        self.assertEqual(git("status", "--porcelain", "-uall", cwd=project), "")

    def test_workspace_out_of_git(self):
        """A workspace in the work tree is kept out of git with the first export."""
        project = self.path("project")
        os.mkdir(project)
        git("init", "-q", ".", cwd=project)
        self.init(f"{project}/ws2")
        self.ws = f"{project}/ws2"
        self.named = ["-w", self.ws, *self.opened]
        self.recorded()
        self.capsule("export", "-r", "r1", *self.new_pw, *self.named, cwd=project)
        self.assertEqual(git("status", "--porcelain", "-uall", cwd=project), "")

    def test_other_names_out_of_git(self):
        """Whatever an export is called, git does not see it."""
        self.recorded()
        project = self.path("project")
        os.makedirs(f"{project}/sub dir")
        git("init", "-q", ".", cwd=project)
        for name in ("handed.bin", "sub dir/[odd]*", "a#b!", "!c", "#d", "sub dir/e\\f"):
            self.export(f"{project}/{name}", cwd=project)
        self.export(f"{project}/sub dir/folder", "--no-encrypt", "-f", "json-dir", cwd=project)
        self.assertEqual(git("status", "--porcelain", "-uall", cwd=project), "")
        support.write(f"{project}/sub dir/odd", b"mine")
        self.assertIn("odd", git("status", "--porcelain", "-uall", cwd=project))

    def test_linked_work_tree(self):
        """A linked work tree, whose .git is a file, is a git work tree."""
        self.recorded()
        project, linked = self.path("project"), self.path("linked")
        os.mkdir(project)
        git("init", "-q", ".", cwd=project)
        git("commit", "-q", "--allow-empty", "-m", "x", cwd=project)
        git("worktree", "add", "-q", linked, cwd=project)
        self.capsule("export", "-r", "r1", *self.new_pw, *self.named, cwd=linked)
        self.assertEqual(git("status", "--porcelain", "-uall", cwd=linked), "")

    def test_committed(self):
        """With capsule.export.commit = true, git sees it."""
        self.recorded()
        self.config("[capsule.export]\ncommit = true\n")
        project = self.path("project")
        os.mkdir(project)
        git("init", "-q", ".", cwd=project)
        self.capsule("export", "-r", "r1", *self.new_pw, *self.named, cwd=project)
        self.assertIn("capsule.mv2e", git("status", "--porcelain", "-uall", cwd=project))

    def test_destination(self):
        """capsule.export.destination is the default's top."""
        self.recorded()
        self.config(f'[capsule.export]\ndestination = "{self.path("exports")}"\n')
        self.verb("export", "-r", "r1", *self.new_pw)
        self.assertTrue(os.path.exists(self.path("exports/S1/runs/r1/capsule.mv2e")))

    def test_own_mount(self):
        """Refused inside the workspace, its mount, and by any detour; nothing is left there."""
        point = self.attach("timeline=0")
        self.recorded(at=point)
        os.mkdir(f"{point}/dir")
        os.symlink(f"{point}/dir", self.path("detour"))
        before = sorted(os.listdir(point))
        for out in (f"{point}/x.mv2e", f"{point}/dir/x.mv2e", self.path("detour/x.mv2e"),
                    f"{point}/runs/S1/r1/artifacts/x.mv2e", f"{self.ws}/x.mv2e",
                    f"{self.ws}/segments/x.mv2e"):
            for more in ([], ["--no-encrypt"], ["--no-encrypt", "-f", "json-dir"]):
                with self.subTest(out.replace(self.root, ""), more=more):
                    _, (code, _) = self.export(out, *more, at=point, rc=1)
                    self.assertEqual(code, "inside_workspace")
                    self.assertFalse(os.path.lexists(out))
        code, _ = self.error_of(
            "export", "-r", "r1", *self.new_pw, "-w", point, rc=1, cwd=point)
        self.assertEqual(code, "inside_workspace")
        self.assertEqual(sorted(os.listdir(point)), before, "the default place was made")
        self.umount(point)

    def test_existing(self):
        """A file that is there is not replaced without --force; a bad place leaves nothing."""
        self.recorded()
        path = support.write(self.path("x.mv2e"), b"precious")
        for more in ([], ["--no-encrypt"], ["--no-encrypt", "-f", "json-dir"]):
            result = self.capsule("export", "-r", "r1", "-o", path, *self.new_pw, *more,
                                  *self.named, rc=None)
            self.assertIn(result.returncode, (1, 2))
            self.assertEqual(support.read(path), b"precious")
        self.capsule("export", "-r", "r1", "-o", self.path("no/such/x.mv2e"), *self.new_pw,
                     *self.named, rc=1)
        self.assertFalse(os.path.exists(self.path("no")))
        self.export("x.mv2e", "--force")
        self.assertNotEqual(support.read(path), b"precious")

    def test_no_sidecars(self):
        """One file and nothing else, in every format."""
        self.recorded()
        for number, (more, name) in enumerate((
                ([], "x.mv2e"), (["--no-encrypt"], "x.mv2"), (["--unsafe"], "u.mv2e"))):
            os.mkdir(self.path(f"d{number}"))
            self.export(f"d{number}/{name}", *more)
            self.assertEqual(os.listdir(self.path(f"d{number}")), [name])
        self.export("dir", "--no-encrypt", "-f", "json-dir")
        self.capsule("export", "-r", "r1", "-f", "json-dir", "-o", self.path("y"), *self.named,
                     rc=1)
        self.capsule("export", "-r", "r1", "-f", "json-dir", "--no-encrypt", *self.named, rc=1)


@support.needs_root
@support.needs_fuse
class Content(ExportTest):
    """What is in an export."""

    def test_listed(self):
        """Only the listed kinds of record leave a safe one, and the manifest says so."""
        self.recorded()
        path, facts = self.export("x.mv2e")
        out = self.unpacked(path)
        kinds = [row["event_type"] for row in self.exported_events(out)]
        self.assertEqual(set(kinds), SAFE - {"MilestoneMarked"})
        manifest = self.manifest(out)
        export = manifest["export"]
        self.assertTrue(export["safe_mode"])
        self.assertEqual(export["included_tracks"], facts["included_tracks"])
        self.assertEqual(export["included_tracks"]["events"], len(kinds))
        self.assertEqual(export["withheld"]["model_io"], 1)
        self.assertIn("--include model-io", export["withheld_rules"]["model_io"])
        self.assertEqual(len(export["withheld_events"]), 1 + len(PAYLOADS) - 1 + 1 - len(kinds))
        self.assertFalse(os.path.exists(f"{out}/artifacts/dir/data.bin"))
        self.assertEqual(support.read(f"{out}/artifacts/log.txt"), b"log of r1\n")
        self.assertEqual(support.read(f"{out}/evidence/late.txt"), b"late\n")
        self.assertFalse(os.path.exists(f"{out}/as-of/one/evidence/late.txt"))
        self.assertEqual(len(os.listdir(f"{out}/policy")), 1)
        for key in ("output_path", "bytes_written", "artifact_count", "checkpoint_count",
                    "event_count", "content_hash", "encrypted", "safe_mode", "redactions"):
            self.assertIn(key, facts)

    def test_binaries(self):
        """Binaries and archives stay, unless they are asked for; then they are as they were."""
        self.recorded(ends=False)
        value = secrets()["github"]
        with zipfile.ZipFile(self.path("a.zip"), "w") as archive:
            archive.writestr("inner.txt", value)
        self.run_command(["gzip", "-k", support.write(self.path("g.txt"), value)])
        for name in ("a.zip", "g.txt.gz"):
            self.put(self.path(name))
        out = self.unpacked(self.export("x.mv2e")[0])
        names = set(support.tree_bytes(out))
        for name in ("a.zip", "g.txt.gz", "dir/data.bin"):
            self.assertFalse(any(found.endswith(name) for found in names), name)
        self.assertIn("artifacts/a.zip", self.manifest(out)["export"]["withheld_files"])
        out = self.unpacked(self.export("y.mv2e", "--include", "binaries")[0])
        self.assertEqual(support.read(f"{out}/artifacts/dir/data.bin"), bytes(range(256)) * 20)
        self.assertTrue(self.manifest(out)["export"]["includes_binaries"])

    def test_model_io(self):
        """In every combination of capture mode and options, calls leave only as they may."""
        asked, answered = "ask-" + "needle-one", "say-" + "needle-two"
        call = {**CALL, "prompt": f"{asked} {secrets()['aws']}",
                "response": f"{answered} {secrets()['aws']}"}
        for mode in ("none", "prompts_only", "full_io"):
            run = f"r-{mode}"
            self.begin(run, "--capture", mode)
            self.add("ModelCallEnvelope", call, run=run)
            self.finish(run)
            for scope in ([], ["--safe"], ["--unsafe"]):
                for include in ([], ["--include", "model-io"]):
                    words = scope + include
                    name = f"{mode}{''.join(words)}.mv2e"
                    with self.subTest(mode, words=words):
                        out = self.unpacked(self.export(name, *words, run=run)[0])
                        rows = self.exported_events(out)
                        leaves = mode == "full_io" and ("--unsafe" in words or include != [])
                        self.assertEqual(len(rows), 1 if leaves else 0)
                        everything = b"".join(support.tree_bytes(out).values()).decode()
                        for text in (asked, answered):
                            self.assertEqual(text in everything, leaves)
                        self.assertEqual(secrets()["aws"] in everything,
                                         leaves and "--unsafe" in words)
                        if not leaves and mode != "none":
                            self.assertEqual(
                                self.manifest(out)["export"]["withheld"], {"model_io": 1})

    def test_said(self):
        """The manifest of an unsafe export says that calls of models are in it."""
        self.recorded(capture="full_io")
        for name, more, includes in (("a", ["--unsafe"], True), ("b", [], False),
                                     ("c", ["--include", "model-io"], True)):
            out = self.unpacked(self.export(f"{name}.mv2e", *more)[0])
            self.assertIs(self.manifest(out)["export"]["includes_model_io"], includes)
            calls = [row for row in self.exported_events(out)
                     if row["event_type"] == "ModelCallEnvelope"]
            self.assertEqual(bool(calls), includes)

    def test_not_recorded(self):
        """Who asks for calls of models that the run does not record is told."""
        self.recorded()
        result = self.capsule("export", "-r", "r1", "-o", self.path("x.mv2e"), "--include",
                              "model-io", *self.new_pw, *self.named)
        self.assertIn(b"prompts_only", result.stderr)

    def test_useless_secrets(self):
        """An export in the clear takes no secret, and says so."""
        self.recorded()
        for more in (self.new_pw[:2], ["--recipient", "age1x"]):
            self.capsule("export", "-r", "r1", "-o", self.path("x.mv2"), "--no-encrypt", *more,
                         *self.named, rc=1)
        self.assertFalse(os.path.exists(self.path("x.mv2")))

    def test_model_hashes(self):
        """A masked call does not leave with a hash by which what was masked can be guessed."""
        value = "4539 " + "1488 0343 " + "6467"
        self.begin("r1", "--capture", "full_io")
        self.add("ModelCallEnvelope", {**CALL, "prompt": value})
        out = self.unpacked(self.export("x.mv2e", "--include", "model-io")[0])
        row = self.exported_events(out)[0]["payload"]
        self.assertFalse(value in json.dumps(row))
        stored = self.lines()[0]["payload"]["prompt_hash"]
        self.assertNotEqual(row.get("prompt_hash"), stored, "the hash of 16 digits can be guessed")

    def test_runs_apart(self):
        """r1 takes nothing of r10, nor of another spec's r1, nor does a second export."""
        for spec, run in (("S1", "r1"), ("S1", "r10"), ("S10", "r1"), ("S1", "r")):
            self.begin(run, spec=spec)
            needle = f"needle-{spec}-{run}-end"
            source = support.write(self.path(f"{needle}.txt"), needle)
            self.put(source, run=run, spec=spec)
            self.add("ErrorEvent", {**ERROR, "message": needle}, run=run, spec=spec)
            self.mark("c", run=run, spec=spec)
        for spec, run in (("S1", "r1"), ("S1", "r10"), ("S10", "r1"), ("S1", "r")):
            out = self.unpacked(self.export(f"{spec}-{run}.mv2e", "-s", spec, run=run)[0])
            text = self.run_command(["grep", "-rohE", "needle-[A-Za-z0-9-]*", out]).stdout.decode()
            names = " ".join(support.tree_bytes(out))
            self.assertEqual(set(text.split()), {f"needle-{spec}-{run}-end"})
            self.assertEqual(names.count("needle-"), names.count(f"needle-{spec}-{run}-end"))

    def test_same_state(self):
        """Two exports of one state have one content digest, running or ended; pins do no harm."""
        for ends, run in ((False, "r1"), (True, "r2")):
            self.recorded(run, ends=ends)
            digests = []
            for number in range(3):
                path, facts = self.export(f"{run}-{number}.mv2e", run=run)
                digests.append(facts["content_digest"])
                self.verb("pin", path)
                time.sleep(1.1 if number == 0 else 0)
            self.assertEqual(len(set(digests)), 1)
            trees = [support.tree_bytes(self.unpacked(self.path(f"{run}-{number}.mv2e")))
                     for number in range(2)]
            self.assertEqual(*trees)
            self.assertNotEqual(support.read(self.path(f"{run}-0.mv2e")),
                                support.read(self.path(f"{run}-1.mv2e")))
        point = self.attach("timeline=0")
        self.assertEqual(self.export("m.mv2e", run="r2", at=point)[1]["content_digest"],
                         digests[0])
        self.umount(point)

    def test_running(self):
        """An export while the run goes on succeeds, leaves no state behind, and is a prefix."""
        point = self.attach("timeline=0")
        self.recorded(at=point, ends=False)
        states = self.states(point)
        support.write(f"{point}/runs/S1/r1/artifacts/now.txt", b"just written\n")
        out = self.unpacked(self.export("x.mv2e", at=point)[0])
        self.assertEqual(support.read(f"{out}/artifacts/now.txt"), b"just written\n")
        self.assertNotIn("outcome", self.manifest(out))
        self.assertEqual(self.states(point), states)
        self.add("ErrorEvent", at=point)
        self.finish(at=point)
        self.umount(point)

    def test_nothing_dangles(self):
        """Every URI in what leaves resolves in the capsule: to bytes, masked, or withheld."""
        self.recorded(ends=False)
        value = secrets()["github"]
        self.put_text("masked.txt", f"token {value}\n")
        self.add("ErrorEvent", {**ERROR, "message": f"token {value}"})
        self.mark("two")
        self.finish()
        path, _ = self.export("x.mv2e")
        out = self.unpacked(path)
        opened = ["--in", path, *self.open_pw]
        events = self.exported_events(out)
        statuses = set()
        for row in events:
            shown = self.capsule("resolve-uri", row["uri"], *opened).stdout
            self.assertEqual(json.loads(shown), row)
            stored = self.verb("resolve-uri", row["uri"]).encode()
            found = self.capsule_json("resolve-uri", row["uri"], *opened)
            self.assertEqual(found["status"], "found" if shown == stored else "masked")
            statuses.add(found["status"])
        self.assertEqual(statuses, {"found", "masked"})
        statuses = {}
        for label in ("one", "two", "final"):
            point = json.loads(support.read(f"{out}/checkpoints/{label}.json"))
            for row in point["uri_index"]:
                statuses[row["uri"].rsplit("/", 1)[1]] = row["status"]
                words = ["resolve-uri", row["uri"], "--as-of", label]
                stored = self.capsule(*words, *self.named).stdout
                rc = 3 if row["status"] == "withheld" else 0
                result = self.capsule(*words, *opened, rc=rc)
                if rc:
                    self.assertIn(row["rule"].encode(), result.stderr)
                    found = json.loads(self.capsule(*words, *opened, "--json", rc=3).stdout)
                    self.assertEqual(found["status"], "withheld")
                else:
                    self.assertEqual(result.stdout == stored, row["status"] == "same")
                    found = json.loads(self.capsule(*words, *opened, "--json").stdout)
                    self.assertEqual(
                        found["status"], "found" if row["status"] == "same" else "masked")
                    self.assertEqual(found["size_bytes"], len(result.stdout))
        self.assertEqual(statuses["masked.txt"], "masked")
        self.assertEqual(statuses["data.bin"], "withheld")
        self.assertEqual(statuses["log.txt"], "same")
        for row in self.lines():
            if row["event_type"] not in SAFE:
                self.capsule("resolve-uri", row["uri"], *opened, rc=3)
        for row in events:
            if row["event_type"] == "PolicySnapshotRef" and "policy_id" in row["payload"]:
                self.capsule("resolve-uri", row["payload"]["policy_uri"], *opened)


@support.needs_root
@support.needs_fuse
class Origin(ExportTest):
    """What an export says of the machine it comes from, and what it proves."""

    def own(self):
        """Texts that name this machine, its user or a place on it."""
        return {"root": self.root, "home": self.home, "workspace": self.ws,
                "host": f'"{socket.gethostname()}"', "destination": "somewhere-odd"}

    def decoded(self, text):
        """A text with what its base64 words say."""
        found = [text.encode()]
        for piece in text.split():
            try:
                found.append(base64.b64decode(piece, validate=True))
            except ValueError:
                pass
        return b"\n".join(found)

    def test_nothing_of_the_machine(self):
        """Neither files nor the sealed manifest, decoded, name a path, the host or the user."""
        point = self.attach("timeline=0")
        self.recorded(at=point)
        os.mkdir(self.path("somewhere-odd"))
        path, _ = self.export("somewhere-odd/x.mv2e", at=point)
        self.umount(point)
        sealed = self.sealed_manifest(path)
        everything = self.decoded(json.dumps(sealed))
        for value in sealed.values():
            if isinstance(value, str):
                everything += self.decoded(value)
        everything += b"".join(support.tree_bytes(self.unpacked(path)).values())
        for kind, text in self.own().items():
            with self.subTest(kind):
                self.assertFalse(text.encode() in everything)
        for word in (b'"uid"', b'"pid"', b'"host"'):
            with self.subTest(word):
                self.assertNotIn(word, everything)

    def test_nothing_in_plain_formats(self):
        """Nor do a .mv2 in the clear and a folder."""
        self.recorded()
        os.mkdir(self.path("somewhere-odd"))
        path, _ = self.export("somewhere-odd/x.mv2", "--no-encrypt")
        self.export("folder", "--no-encrypt", "-f", "json-dir")
        everything = support.read(path) + b"".join(
            support.tree_bytes(self.path("folder")).values())
        for kind, text in self.own().items():
            with self.subTest(kind):
                self.assertFalse(text.encode() in everything)

    def test_proof(self):
        """The capsule proves its own intent with the workspace's public key alone."""
        self.recorded()
        path, facts = self.export("x.mv2e")
        key = support.write(self.path("pub"), self.verb("audit", "key"))
        manifest = self.sealed_manifest(path)
        proof = support.write(self.path("proof"), manifest["audit_proof"])
        event = json.loads(self.tool("capsule-audit.py", "proof", proof, "--key", key).stdout)
        self.assertEqual(event["type"], "capsulefs.export.announced")
        self.assertEqual(event["data"]["content_digest"], facts["content_digest"])
        self.assertEqual(event["data"]["sealed_digest"], manifest["content_digest"])
        self.assertEqual(self.machine_b().taken(path)["content_digest"], facts["content_digest"])
        forged = manifest["audit_proof"].replace("index ", "index 1")
        self.tool("capsule-audit.py", "proof", support.write(self.path("bad"), forged),
                  "--key", key, rc=3)
        point = support.write(self.path("point"), manifest["audit_checkpoint"])
        self.verb("audit", "verify", "--against", point)
        log = support.write(self.path("log"), self.verb("audit", "list", "--json"))
        self.tool("capsule-audit.py", "log", log, "--key", key, "--checkpoint", point)

    def test_log(self):
        """An intent with place and digest stands before the export, which says all of it."""
        self.recorded()
        path, facts = self.export("x.mv2e")
        kinds = self.kinds()
        self.assertLess(kinds.index("export.intended"), kinds.index("export.CapsuleExported"))
        done = self.of_kind("export.CapsuleExported")[0]
        self.assertEqual(done["destination"], path)
        self.assertEqual(done["sha256"], self.digest_of(path))
        self.assertEqual(done["content_digest"], facts["content_digest"])
        self.assertEqual((done["spec_id"], done["run_id"]), ("S1", "r1"))
        self.assertEqual((done["safe_mode"], done["encrypted"]), (True, True))
        self.assertEqual(done["included_tracks"], facts["included_tracks"])
        self.assertEqual(done["checkpoints_included"], ["one", "final"])
        for key in ("actor", "redactions", "format", "destination_type"):
            self.assertIn(key, done)
        for intent in self.of_kind("export.intended"):
            self.assertEqual(intent["destination"], path)
            self.assertEqual(intent["content_digest"], facts["content_digest"])
            self.assertIn("temporary", intent)

    def digest_of(self, path):
        """SHA-256, by another program."""
        return self.run_command(["sha256sum", path]).stdout.split()[0].decode()

    def test_log_of_plain_formats(self):
        """A .mv2 in the clear and a folder are logged alike, as what they are."""
        self.recorded()
        path, _ = self.export("x.mv2", "--no-encrypt")
        folder, _ = self.export("folder", "--no-encrypt", "-f", "json-dir")
        first, second = self.of_kind("export.CapsuleExported")
        self.assertEqual(first["content_digest"], second["content_digest"])
        self.assertEqual(self.export("x.mv2e")[1]["content_digest"], first["content_digest"])
        self.assertEqual(first["sha256"], self.digest_of(path))
        for event, place in ((first, path), (second, folder)):
            self.assertEqual((event["destination"], event["encrypted"], event["safe_mode"]),
                             (place, False, True))
            for key in ("included_tracks", "redactions", "checkpoints_included",
                        "destination_type", "format"):
                with self.subTest(key, place=os.path.basename(place)):
                    self.assertIn(key, event)


if __name__ == "__main__":
    import unittest

    unittest.main()
