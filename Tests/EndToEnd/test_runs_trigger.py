"""Exports that happen by themselves when a run ends, and the settings that govern them."""

import json
import os
import time

import support
from runs import GATE, ExportTest

HANDOFF = {**GATE, "audit_handoff_required": True}


class TriggerTest(ExportTest):
    """A test whose runs end with unlock, in a directory of their own."""

    def setUp(self):
        super().setUp()
        self.project = self.path("project")
        os.mkdir(self.project)
        self.secret = {"SPECKIT_MEMVID_PASSPHRASE": support.SECRET.decode()}

    def settle(self, text):
        """Writes the project's settings."""
        support.write(f"{self.project}/.capsule.toml", text)

    def verb_here(self, *words, rc=0, env=None, at=None):
        """Runs a verb in the project."""
        return self.capsule(*words, *self.where(at), rc=rc, cwd=self.project,
                            env=env if env is not None else self.secret)

    def run_of(self, run, *events, start=(), spec="S1"):
        """Records a run that is ready to end."""
        self.verb_here("run", "start", "-s", spec, "-r", run, *start)
        for kind, payload in events:
            self.capsule("event", "add", "-s", spec, "-r", run, "-t", kind, *self.named,
                         data=json.dumps(payload).encode())

    def unlock(self, run, *more, outcome="unlock", rc=0, spec="S1", env=None, at=None):
        """Ends a run; returns (what the verb says, whether there is a file)."""
        result = self.verb_here("run", "finish", "-s", spec, "-r", run, "--outcome", outcome,
                                "--json", *support.CHEAP, *more, rc=rc, env=env, at=at)
        return result, os.path.exists(self.file(run, spec))

    def file(self, run, spec="S1"):
        """Where the export of a run goes."""
        return f"{self.project}/docs/specs/{spec}/runs/{run}/capsule.mv2e"

    def decided(self, run):
        """What the log says of the decision."""
        return [data for data in self.of_kind("export.decided") if data["run_id"] == run]


@support.needs_root
@support.needs_fuse
class Risk(TriggerTest):
    """capsule.export.mode = risk, which is the default."""

    def test_conditions(self):
        """Each of the conditions exports, and says why; none of them gives no file, and says so."""
        judge = {"by": "Judge", "reason": "the change is large"}
        cases = [
            ("start", [], ["--risk", "high"], "S1", True),
            ("spec", [], [], "HR", True),
            ("judge", [("ExportRequested", judge)], [], "S1", True),
            ("gate", [("GateDecision", HANDOFF)], [], "S1", True),
            ("small", [("GateDecision", {**HANDOFF, "stage": "unlock"})], [], "S1", True),
            ("large", [("GateDecision", {**HANDOFF, "stage": "UNLOCK"})], [], "S1", True),
            ("none", [("GateDecision", GATE)], [], "S1", False),
            ("user", [("ExportRequested", {**judge, "by": "User"})], [], "S1", False),
            ("early", [("GateDecision", {**HANDOFF, "stage": "Plan"})], [], "S1", False),
            ("off", [("GateDecision", {**HANDOFF, "audit_handoff_required": False})], [], "S1",
             False),
            ("text", [("ErrorEvent", {"error_code": "E", "message": '"by":"Judge"',
                                      "severity": "Error", "recoverable": True})], [], "S1",
             False)]
        self.settle("[specs.HR]\nhigh_risk = true\n[specs.S1]\nhigh_risk = false\n")
        for run, events, start, spec, expected in cases:
            with self.subTest(run):
                self.run_of(run, *events, start=start, spec=spec)
                result, there = self.unlock(run, spec=spec)
                value = self.checked_json(result.stdout)
                self.assertEqual((there, value["export_due"]), (expected, expected))
                self.assertNotEqual(value["reasons"], [])
                (data,) = self.decided(run)
                self.assertEqual(data["export"], expected)
                self.assertEqual(data["reasons"], value["reasons"])
                self.assertEqual(self.found_run(run)["outcome"], "unlock")

    def test_handoff_at_unlock(self):
        """A gate event that was recorded with --stage Unlock counts as one at Unlock."""
        self.verb_here("run", "start", "-s", "S1", "-r", "r1")
        self.add("GateDecision", HANDOFF, "--stage", "Unlock")
        self.assertTrue(self.unlock("r1")[1])

    def test_several_reasons(self):
        """All reasons are named."""
        self.run_of("r1", ("ExportRequested", {"by": "Judge", "reason": "r"}),
                    ("GateDecision", HANDOFF), start=["--risk", "high"])
        self.unlock("r1")
        self.assertEqual(len(self.decided("r1")[0]["reasons"]), 3)

    def test_other_outcomes(self):
        """fail and abandon export nothing, whatever the risk."""
        for outcome in ("fail", "abandon"):
            self.run_of(outcome, start=["--risk", "high"])
            self.assertFalse(self.unlock(outcome, outcome=outcome)[1])
        self.assertEqual(self.of_kind("export.CapsuleExported"), [])

    def test_many_events(self):
        """The conditions are found among very many events."""
        self.run_of("r1")
        self.add_lines([("DebugTrace", {})] * 5000)
        self.add("ExportRequested", {"by": "Judge", "reason": "r"})
        self.add_lines([("DebugTrace", {})] * 5000)
        self.assertTrue(self.unlock("r1")[1])


@support.needs_root
@support.needs_fuse
class Modes(TriggerTest):
    """The settings."""

    def test_manual(self):
        """manual: never; the decision and its reason are an event all the same."""
        self.settle('[capsule.export]\nmode = "manual"\n')
        self.run_of("r1", start=["--risk", "high"])
        self.assertFalse(self.unlock("r1")[1])
        self.assertIn("manual", self.decided("r1")[0]["reasons"][0])

    def test_always(self):
        """always: every run that ends with unlock; encrypted and safe."""
        self.settle('[capsule.export]\nmode = "always"\n')
        self.run_of("r1")
        self.assertTrue(self.unlock("r1")[1])
        (data,) = self.of_kind("export.CapsuleExported")
        self.assertEqual((data["safe_mode"], data["encrypted"]), (True, True))
        self.assertIn("always", data["trigger"])

    def test_mounted(self):
        """The same through a driver."""
        point = self.attach("timeline=0")
        self.begin("r1", "--risk", "high", at=point)
        self.assertTrue(self.unlock("r1", at=point)[1])
        self.umount(point)

    def test_turned_off(self):
        """features.export_triggers = false, and says so."""
        self.settle('[capsule.export]\nmode = "always"\n[features]\nexport_triggers = false\n')
        self.run_of("r1", start=["--risk", "high"])
        self.assertFalse(self.unlock("r1")[1])
        self.assertIn("export_triggers", self.decided("r1")[0]["reasons"][0])

    def test_how(self):
        """Recipients, signing key and destination of automatic exports come from the settings."""
        identity, key = self.path("age.txt"), self.key()
        self.run_command(["age-keygen", "-o", identity])
        recipient = self.run_command(["age-keygen", "-y", identity]).stdout.decode().strip()
        self.settle(f"""[capsule.export]
mode = "always"
recipients = ["{recipient}"]
sign_key = "{key}"
destination = "handed/over"
""")
        self.run_of("r1")
        self.unlock("r1", env={})
        path = f"{self.project}/handed/over/S1/runs/r1/capsule.mv2e"
        self.capsule("cat", path, "manifest.json", "--identity", identity, "--require-verified",
                     "--allowed-signers", self.allowed(key))

    def test_relative_key(self):
        """A signing key's path counts from the settings, not from where the verb runs."""
        key = self.key()
        for suffix in ("", ".pub"):
            os.rename(key + suffix, f"{self.project}/release{suffix}")
        os.makedirs(f"{self.project}/deep/down")
        self.run_command(["git", "init", "-q", self.project])
        self.settle('[capsule.export]\nmode = "always"\nsign_key = "release"\n')
        self.run_of("r1")
        self.capsule("run", "finish", "-r", "r1", "--outcome", "unlock", *support.CHEAP,
                     *self.named, cwd=f"{self.project}/deep/down", env=self.secret)
        self.assertTrue(self.of_kind("export.CapsuleExported")[0]["signed"])

    def test_unknown(self):
        """Unknown values, keys and broken files are errors of every verb that asks them."""
        self.run_of("r1", start=["--risk", "high"])
        for text in ('[capsule.export]\nmode = "sometimes"\n', '[capsule.export]\nmode = 1\n',
                     '[capsule.export]\nmodes = "risk"\n', '[capsule]\nexports = 1\n',
                     "[capsule.export]\nretention_days = -1\n", "x = 1\n", "[features]\nx = 1\n",
                     '[capsule.export]\nretention_days = "30"\n', '[capsule.export\nmode = "risk"',
                     '[capsule.export]\nkeep_pinned = "yes"\n', '[capture]\nmode = "full"\n',
                     '[capture]\nsanitize = true\n', "[specs.S1]\nhigh_risk = 1\n",
                     '[capsule.export]\nmode = "risk"\nmode = "always"\n', "\0", '[capture]\nx=""'):
            self.settle(text)
            with self.subTest(text):
                for words in (["config"], ["run", "start", "-s", "S2", *self.named],
                              ["export", "-r", "r1", *self.named], ["gc", *self.named],
                              ["run", "finish", "-r", "r1", "--outcome", "unlock", *self.named]):
                    result = self.capsule(*words, rc=1, cwd=self.project, env=self.secret)
                    self.assertIn(b".capsule.toml", result.stderr)
        self.assertEqual(self.found_run("r1").get("outcome"), None)
        self.assertEqual(len(self.facts("run", "list")["runs"]), 1)
        self.env["CAPSULE_CONFIG"] = self.path("none.toml")
        self.capsule("config", rc=1)

    def test_config(self):
        """config shows what is settled and where: the named file, the project's, the user's."""
        self.assertEqual(self.capsule_json("config")["settings"]["capsule.export.mode"], "risk")
        support.write(self.path("home/config/capsulefs/config.toml"),
                      "[capsule.export]\nretention_days = 7\n")
        self.assertEqual(self.capsule_json("config")["settings"]["capsule.export.retention_days"],
                         7)
        self.settle("[capsule.export]\nretention_days = 8\n")
        os.makedirs(f"{self.project}/deep")
        self.run_command(["git", "init", "-q", self.project])
        found = self.capsule_json("config", cwd=f"{self.project}/deep")
        self.assertEqual(found["settings"]["capsule.export.retention_days"], 8)
        self.assertEqual(found["path"], f"{self.project}/.capsule.toml")
        self.config("[capsule.export]\nretention_days = 9\n")
        found = self.capsule_json("config", cwd=self.project)
        self.assertEqual(found["settings"]["capsule.export.retention_days"], 9)


@support.needs_root
@support.needs_fuse
class Failing(TriggerTest):
    """An automatic export that fails."""

    def failed(self, run, *more, env=None):
        """Ends a run whose export must fail; demands all that follows."""
        begun = time.monotonic()
        result, there = self.unlock(run, *more, rc=None, env=env)
        self.assertLess(time.monotonic() - begun, 20)
        self.assertNotEqual(result.returncode, 0)
        self.assertFalse(there)
        self.assertEqual(self.found_run(run)["outcome"], "unlock")
        events = [data for data in self.of_kind("export.ExportFailed") if data["run_id"] == run]
        self.assertEqual(len(events), 1, "one failure, one event")
        self.assertNotEqual(events[0]["reason"], "")
        self.assertIn(b"has ended", result.stderr)
        self.assertEqual(self.of_kind("export.CapsuleExported"), [])
        self.assertEqual([row for row in self.facts("exports")["exports"]
                          if row["run_id"] == run], [])

    def test_reasons(self):
        """No secret, a key that is gone, a bad recipient, bad rules, no place: each fails."""
        for name, text, env in (
                ("secret", "", {}), ("key", f'sign_key = "{self.path("gone")}"\n', None),
                ("recipient", 'recipients = ["age1nonsense"]\n', None),
                ("rules", 'rules = "gone.toml"\n', None),
                ("place", f'destination = "{self.pw}/x"\n', None),
                ("inside", f'destination = "{self.ws}/x"\n', None)):
            self.settle("")
            self.run_of(name)
            self.settle('[capsule.export]\nmode = "always"\n' + text)
            with self.subTest(name):
                self.failed(name, env=env)

    def test_secret_in_a_name(self):
        """So does a name that may not leave."""
        self.run_of("r1", start=["--risk", "high"])
        self.put_text("AK" + "IAQX7PL2MZ4RT6WN3K.txt", b"x")
        self.failed("r1")

    def test_full(self):
        """So does a full disk, after the intent: still one event."""
        small = self.path("small")
        os.mkdir(small)
        self.run_command(["mount", "-t", "tmpfs", "-o", "size=32k", "none", small])
        self.addCleanup(support.detach, small)
        self.settle(f'[capsule.export]\nmode = "always"\ndestination = "{small}"\n')
        self.run_of("r1")
        self.put_text("a.txt", "".join(f"{number}\n" for number in range(100_000)))
        self.failed("r1")
        self.run_command(["umount", small])

    def test_afterwards(self):
        """What was mended can be exported by hand."""
        self.run_of("r1", start=["--risk", "high"])
        self.failed("r1", env={})
        self.verb_here("export", "-r", "r1", *support.CHEAP)
        self.assertTrue(os.path.exists(self.file("r1")))

    def test_after_an_export_by_hand(self):
        """An export to the default place while the run went on is no obstacle at its end."""
        self.run_of("r1", start=["--risk", "high"])
        self.verb_here("export", "-r", "r1", *support.CHEAP)
        self.unlock("r1")
        self.assertEqual(len(self.of_kind("export.CapsuleExported")), 2)

    def test_rehearsed(self):
        """It tells of all that an export would fail for: recipients, keys, rules, places."""
        locked = self.key("locked")
        self.run_command(["ssh-keygen", "-q", "-p", "-P", "", "-N", "phrase", "-f", locked])
        garbage = support.write(self.path("garbage"), b"no key\n")
        for name, text, word in (
                ("r", 'recipients = ["age1bogus"]', "age1bogus"),
                ("f", f'recipients = ["@{self.path("gone")}"]', "gone"),
                ("l", f'sign_key = "{locked}"', "locked"),
                ("g", f'sign_key = "{garbage}"', "garbage"),
                ("p", 'destination = "/proc/nope"', "/proc/nope"),
                ("w", f'destination = "{self.ws}/x"', "workspace"),
                ("u", 'rules = "nope.toml"', "nope.toml")):
            self.settle(f'[capsule.export]\nmode = "always"\n{text}\n')
            with self.subTest(name):
                result = self.verb_here("run", "start", "-s", "S1", "-r", name)
                self.assertIn(b"would fail", result.stderr)
                self.assertIn(word.encode(), result.stderr)
                self.failed(name)
        self.assertFalse(os.path.exists(f"{self.ws}/x"))

    def test_warned(self):
        """run start warns where an automatic export could not work unattended, and only there."""
        self.settle('[capsule.export]\nmode = "always"\n')
        result = self.verb_here("run", "start", "-s", "S1", "-r", "r1", env={})
        self.assertIn(b"warning", result.stderr)
        result = self.verb_here("run", "start", "-s", "S1", "-r", "r2")
        self.assertNotIn(b"warning", result.stderr)
        self.settle(f'[capsule.export]\nmode = "always"\nsign_key = "{self.path("gone")}"\n')
        result = self.verb_here("run", "start", "-s", "S1", "-r", "r3")
        self.assertIn(b"warning", result.stderr)
        self.settle('[capsule.export]\nmode = "manual"\n')
        result = self.verb_here("run", "start", "-s", "S1", "-r", "r4", env={})
        self.assertNotIn(b"warning", result.stderr)


if __name__ == "__main__":
    import unittest

    unittest.main()
