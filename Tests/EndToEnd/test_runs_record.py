"""Recording runs: what is accepted, what is stored, and that nothing is lost or changed."""

import hashlib
import json
import os
import re

import support
from runs import CALL, ERROR, GATE, PAYLOADS, RunTest, personal, secrets


@support.needs_root
@support.needs_fuse
class Starting(RunTest):
    """A run, its policies, its checkpoints and its end."""

    def test_ids(self):
        """An id is chosen or given; it is one of its kind within its work item only."""
        chosen = self.verb("run", "start", "-s", "S1").strip()
        self.assertRegex(chosen, r"^\d{8}-\d{6}-[0-9a-f]{4}$")
        self.begin("r1")
        self.begin("r1", spec="S2")
        self.capsule("run", "start", "-s", "S1", "-r", "r1", *self.named, rc=1)
        code, _ = self.error_of("run", "show", "-r", "r1", *self.named, rc=1)
        self.assertEqual(code, "ambiguous_run")
        self.verb("run", "show", "-r", "r1", "-s", "S2")
        for bad in ("", ".x", "-x", "a/b", "a b", "a" * 65, "ä", "..", "a\n", "a:b", "a%2fb"):
            with self.subTest(bad):
                self.capsule("run", "start", f"--spec={bad}", *self.named, rc=1)
                self.capsule("run", "start", "-s", "S1", f"--run={bad}", *self.named, rc=1)
        self.assertEqual(len(self.facts("run", "list")["runs"]), 3)
        self.verb("run", "start", "-s", "s" * 64, "-r", "r" * 64)

    def test_unknown_run(self):
        """Every verb about a run that is not there fails with 1 and names the remedy."""
        for words in (["run", "put", "-r", "no", self.pw], ["run", "show", "-r", "no"],
                      ["checkpoint", "-r", "no", "-l", "x"], ["event", "list", "-r", "no"],
                      ["run", "finish", "-r", "no", "--outcome", "fail"],
                      ["export", "-r", "no", "-o", self.path("x.mv2e"), *self.new_pw],
                      ["event", "add", "-r", "no", "-t", "DebugTrace"]):
            with self.subTest(words[:2]):
                result = self.capsule(*words, *self.named, rc=1, data=b"{}")
                self.assertIn(b"run list", result.stderr)
        self.assertFalse(os.path.exists(self.path("x.mv2e")))

    def test_options(self):
        """Unknown words for risk, capture, sanitize, track and outcome are usage errors."""
        for words in (["--risk", "low"], ["--capture", "all"], ["--sanitize", "yes"]):
            self.capsule("run", "start", "-s", "S1", *words, *self.named, rc=1)
        self.begin()
        self.put(self.pw, "--track", "events", rc=1)
        self.finish("r1", "done", rc=1)
        self.assertEqual(self.found_run().get("outcome"), None)

    def test_hostile_settings(self):
        """Settings that nest without end, or are a pipe, are errors and nothing worse."""
        for number, text in enumerate((
                "[" + "a." * 100_000 + "a]\n", "a = " + "[" * 100_000,
                '"a"' + '."b"' * 100_000 + " = 1\n", "a={" + "b.c={" * 50_000,
                "x = [\n" + "{a.a.a.a=[\n" * 30_000, "[=\n", "[\0]", "[[[a")):
            self.env["CAPSULE_CONFIG"] = support.write(self.path(f"c{number}"), text)
            with self.subTest(number):
                result = self.capsule("config", rc=1)
                self.assertIn(self.path(f"c{number}").encode(), result.stderr)
        os.mkfifo(self.path("pipe"))
        self.env["CAPSULE_CONFIG"] = self.path("pipe")
        self.assertIn(b"pipe", self.capsule("config", rc=1, timeout=20).stderr)

    def test_terminal(self):
        """A terminal has nothing to obey in what is found, replayed and put."""
        self.begin()
        evil = "needle \x1b[31mred \x1b]0;title\x07 \u202e\u009b"
        self.put_text("a.txt", evil)
        source = support.write(self.path("plain"), b"x")
        shown = self.put(source, "--as", "n\x1b[32m").stdout
        self.add("RetrievalRequest", {"request_id": "q", "query": evil, "source": "capsule"})
        for words in (["search", "needle"], ["search", "needle", "--raw"], ["replay", "run", "r1"],
                      ["run", "show", "-r", "r1", "-s", "S1"]):
            shown += self.capsule(*words, *self.named).stdout
        text = shown.decode()
        self.assertIn("needle", text)
        for evil in ("\x1b", "\x07", "\u202e", "\u009b"):
            self.assertNotIn(evil, text)

    def test_policies(self):
        """A policy is stored with the run, and an event refers to it; its URI resolves."""
        one = support.write(self.path("dir", "p.toml"), b"rule = 1\n")
        two = support.write(self.path("q.toml"), b"rule = 2\n")
        self.begin("r1", "--policy", one, "--policy", two)
        self.begin("r2", "--policy", one)
        rows = [row for row in self.lines() if row["event_type"] == "PolicySnapshotRef"]
        ids = {row["payload"]["policy_id"] for row in rows}
        self.assertEqual(len(ids), 2)
        other = [row["payload"]["policy_id"] for row in self.lines("r2")]
        self.assertTrue(set(other) < ids, "equal texts have equal ids")
        # A hash that anybody can make would let anybody check a guess.
        self.assertFalse(ids & {hashlib.sha256(support.read(path)).hexdigest()
                                for path in (one, two)})
        for row in rows:
            text = self.verb("resolve-uri", row["payload"]["policy_uri"])
            self.assertIn(text, ("rule = 1\n", "rule = 2\n"))
            self.assertNotIn("/", row["payload"]["name"])
        self.capsule("run", "start", "-s", "S1", "--policy", self.path("none"), *self.named, rc=1)
        long = support.write(self.path("long.toml"), b"#" * ((1 << 20) + 1))
        code, message = self.error_of("run", "start", "-s", "S1", "--policy", long, *self.named,
                                      rc=1)
        self.assertEqual(code, "limit_exceeded")
        for text in (long, "1048577", "1048576", "run put"):
            self.assertIn(text, message)
        support.write(long, b"#" * (1 << 20))
        self.begin("r3", "--policy", long, spec="S2")
        self.assertEqual(len(self.facts("run", "list")["runs"]), 3)

    def test_end(self):
        """A run that has ended takes nothing more, and has a last checkpoint."""
        self.begin()
        self.add("DebugTrace")
        self.mark("one", "--stage", "Plan", "--commit", "0123abc")
        self.mark("one", rc=1)
        self.mark("a/b", rc=1)
        self.mark("", rc=1)
        self.finish()
        row = self.found_run()
        self.assertEqual((row["outcome"], row["event_count"]), ("abandon", 1))
        self.assertEqual([point["label"] for point in row["checkpoints"]], ["one", "final"])
        self.assertEqual(row["checkpoints"][0]["commit_hash"], "0123abc")
        for attempt in (lambda: self.add("DebugTrace", rc=None), lambda: self.mark("x", rc=None),
                        lambda: self.put(self.pw, rc=None), lambda: self.finish(rc=None)):
            result = attempt()
            self.assertIn(result.returncode, (1, 2))
            self.assertIn(b"has ended", result.stderr)
        self.assertEqual(self.found_run(), row)
        kinds = self.kinds()
        for kind in ("run.started", "run.checkpoint", "run.finished"):
            self.assertIn(kind, kinds)

    def test_end_in_the_mount(self):
        """Nor can files be written into an ended run in the mount."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        place = f"{point}/runs/S1/r1"
        support.write(f"{place}/artifacts/a", b"one")
        self.finish(at=point)
        for attempt in (lambda: support.write(f"{place}/artifacts/a", b"two"),
                        lambda: support.write(f"{place}/artifacts/b", b"new"),
                        lambda: support.write(f"{place}/evidence/deep/b", b"new"),
                        lambda: os.remove(f"{place}/artifacts/a"),
                        lambda: os.rename(f"{place}/artifacts", f"{place}/other")):
            with self.subTest():
                self.assertRaises(OSError, attempt)
        self.assertEqual(support.read(f"{point}/.capsule/runs/S1/r1/artifacts/a"), b"one")
        self.umount(point)

    def test_always_ends(self):
        """No label and no snapshot can keep a run from ending."""
        self.begin("r1")
        self.mark("final", rc=None)
        self.finish("r1")
        self.capsule("snapshot", "create", "run:S1:r2:final", *self.named, rc=None)
        self.begin("r2")
        self.finish("r2")

    def test_masked_labels(self):
        """A listing masks labels, too."""
        value = secrets()["aws"]
        self.begin()
        self.mark(value)
        for words in (["run", "show", "-r", "r1"], ["run", "show", "-r", "r1", "--json"],
                      ["run", "list", "--json"]):
            self.assertFalse(value in self.verb(*words))

    def test_checkpoints_stay(self):
        """The states of a run's checkpoints cannot be deleted or forged as snapshots."""
        self.begin()
        self.mark("one")
        for name in ("run:S1:r1:one", "@run:S1:r1:one"):
            self.capsule("snapshot", "delete", name, *self.named, rc=1)
        self.verb("retention", "--keep-last", "1")
        self.verb("reclaim")
        self.verb("ls", "@run:S1:r1:one")


@support.needs_root
@support.needs_fuse
class Events(RunTest):
    """Types, fields and what is made of them."""

    def test_types(self):
        """Every type of the list is accepted, has a schema, and misses each field by name."""
        self.begin("r1", "--capture", "full_io")
        types = self.capsule("event", "schema").stdout.decode().split()
        # A milestone pins exports, so runs have none unless a test is about it.
        self.assertEqual(sorted(types), sorted(PAYLOADS))
        for kind, payload in PAYLOADS.items():
            with self.subTest(kind):
                schema = json.loads(self.capsule("event", "schema", kind).stdout)
                self.assertLessEqual(set(schema["required"]), set(payload))
                self.add(kind)
        self.assertEqual([row["event_type"] for row in self.lines()], list(PAYLOADS))
        missing = [(kind, field) for kind in PAYLOADS
                   for field in json.loads(
                       self.capsule("event", "schema", kind).stdout)["required"]]
        for kind, field in missing:
            payload = {key: value for key, value in PAYLOADS[kind].items() if key != field}
            with self.subTest(kind, field=field):
                result = self.add(kind, payload, rc=3)
                self.assertIn(f"'{field}'".encode(), result.stderr)
                self.assertIn(kind.encode(), result.stderr)
        self.assertEqual(self.found_run()["event_count"], len(PAYLOADS))

    def test_unknown(self):
        """An unknown type, a wrong shape, or what is no JSON is named, and nothing is stored."""
        self.begin()
        result = self.capsule("event", "add", "-r", "r1", "-t", "Nonsense", *self.named,
                              data=b"{}", rc=3)
        self.assertIn(b"Nonsense", result.stderr)
        self.capsule("event", "schema", "Nonsense", rc=3)
        for kind, payload in (
                ("GateDecision", {**GATE, "outcome": "pass"}), ("ErrorEvent", b"[1]"),
                ("GateDecision", {**GATE, "blocking": 1}), ("DebugTrace", b"nonsense"),
                ("GateDecision", {**GATE, "gate_name": None}), ("DebugTrace", b""),
                ("ModelCallEnvelope", {**CALL, "answer": "hidden"}), ("DebugTrace", b"{} {}"),
                ("RetrievalResponse", {"request_id": "q", "hit_uris": ["a", 1]}),
                ("ErrorEvent", {**ERROR, "severity": "fatal"}), ("DebugTrace", b'{"a":\xff}'),
                ("DebugTrace", b'{"a":NaN}'), ("DebugTrace", b"[" * 100_000)):
            with self.subTest(kind, payload=payload[:20] if isinstance(payload, bytes) else 0):
                is_json = isinstance(payload, dict) or payload == b"[1]"
                self.add(kind, payload, rc=3 if is_json else 1)
        self.assertEqual(self.found_run()["event_count"], 0)

    def test_values(self):
        """What was said is what is stored: odd texts, numbers, nesting."""
        self.begin()
        payloads = [
            {"text": "line\nbreak\ttab \u2028 \u0000 \U0001f600 \\ \" / \x7f"},
            {"": {"": [[], {}, None, True, False]}, "seq": 99, "uri": "mine"},
            {"whole": [0, -1, 2**53, 2**63 - 1, -2**63]}, {"real": [0.5, -1e-300, 1e300, 0.1]},
            {"many": list(range(5000))}, {"deep": json.loads("[" * 60 + "]" * 60)},
            {"long": "x" * 1_000_000}]
        for payload in payloads:
            self.add("DebugTrace", payload)
        self.assertEqual([row["payload"] for row in self.lines()], payloads)

    def test_large_numbers(self):
        """A number that no machine word holds is stored as it was said, or refused."""
        self.begin()
        for text in (b"18446744073709551615", b"-12345678901234567890", b"1e999"):
            with self.subTest(text):
                if self.add("DebugTrace", b'{"n":' + text + b"}", rc=None).returncode == 0:
                    stored = self.verb("event", "list", "-r", "r1", "--raw").splitlines()[-1]
                    self.assertIn(text.decode(), stored)

    def test_duplicate_keys(self):
        """A field that is given twice cannot hide what a reader would see."""
        self.begin("r1", "--capture", "prompts_only")
        head = json.dumps({key: CALL[key] for key in CALL if key != "response"})[:-1]
        for tail in ('"response":"hidden","response":""', '"response":"","response":"hidden"',
                     '"respon\\u0073e":"hidden"', '"response":null,"response":"hidden"'):
            self.add("ModelCallEnvelope", f"{head},{tail}}}".encode(), rc=None)
        self.assertNotIn("hidden", self.verb("event", "list", "-r", "r1", "--raw"))

    def test_envelope(self):
        """Each event has its place, its time, its stage and a URI that resolves to it."""
        self.begin()
        self.add("DebugTrace", None, "--stage", "Plan")
        self.add_lines([("ErrorEvent", ERROR), b"\n", (
            b'{"event_type":"GateDecision","stage":"Unlock","payload":'
            + json.dumps(GATE).encode() + b"}\n")])
        rows = self.lines()
        self.assertEqual([row["seq"] for row in rows], [1, 2, 3])
        self.assertEqual([row.get("stage") for row in rows], ["Plan", None, "Unlock"])
        for row in rows:
            self.assertEqual(row["uri"], f"mv2://{self.origin()}/S1/r1/event/{row['seq']}")
            self.assertRegex(row["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
            self.assertEqual(json.loads(self.verb("resolve-uri", row["uri"])), row)

    def test_lines_with_a_fault(self):
        """A bad line is named by its number; what the error says is stored is stored, no more."""
        self.begin()
        lines = [("DebugTrace", {"n": number}) for number in range(2500)]
        lines[2200] = ("Nonsense", {})
        result = self.add_lines(lines, rc=3)
        self.assertIn(b"line 2201", result.stderr)
        rows = self.lines()
        self.assertEqual([row["payload"]["n"] for row in rows], list(range(len(rows))))
        self.assertLessEqual(len(rows), 2200)
        text = self.capsule("event", "add", "--help").stdout.decode()
        if "checked before any is recorded" in re.sub(r"\s+", " ", text):
            self.assertEqual(len(rows), 0, "the help says that nothing is recorded")

    def test_no_line_end(self):
        """The last line needs no line end; no lines at all are no fault."""
        self.begin()
        self.add_lines([b'{"event_type":"DebugTrace","payload":{}}'])
        self.add_lines([b""])
        self.add_lines([b"\r\n\r\n"])
        self.assertEqual(self.found_run()["event_count"], 1)


@support.needs_root
@support.needs_fuse
class Capture(RunTest):
    """What of models is recorded."""

    def test_modes(self):
        """none stores no call, prompts_only no response, full_io both; with hashes."""
        for mode, run in (("none", "r0"), ("prompts_only", "r1"), ("full_io", "r2")):
            self.begin(run, "--capture", mode)
            self.add("ModelCallEnvelope", run=run)
            self.add_lines([("ModelCallEnvelope", CALL)] * 3, run=run)
            self.add("ModelCallEnvelope", {**CALL, "capture_mode": "full_io"}, run=run)
            rows = [row["payload"] for row in self.lines(run)]
            self.assertEqual(len(rows), 0 if mode == "none" else 5)
            self.assertEqual(self.found_run(run)["capture_mode"], mode)
            for row in rows:
                self.assertEqual(row["capture_mode"], mode)
                self.assertEqual(row.get("response"),
                                 CALL["response"] if mode == "full_io" else None)
                self.assertEqual(row["prompt"], CALL["prompt"])
                for side in ("prompt", "response"):
                    self.assertEqual(row[f"{side}_hash"],
                                     hashlib.sha256(CALL[side].encode()).hexdigest())

    def test_smuggled(self):
        """prompts_only stores no answer under the name of its hash."""
        self.begin()
        answer = "the whole answer of the model, in words"
        self.add("ModelCallEnvelope", {**CALL, "response": "", "response_hash": answer}, rc=None)
        self.assertNotIn(answer, self.verb("event", "list", "-r", "r1", "--raw"))

    def test_settled(self):
        """The settings give the mode of new runs; a run keeps its own."""
        self.begin("r1")
        self.assertEqual(self.found_run("r1")["capture_mode"], "prompts_only")
        self.config('[capture]\nmode = "none"\nsanitize = "on"\n')
        self.begin("r2")
        row = self.found_run("r2")
        self.assertEqual((row["capture_mode"], row["sanitized"]), ("none", True))
        self.add("ModelCallEnvelope", run="r1")
        self.add("ModelCallEnvelope", run="r2")
        self.assertEqual((len(self.lines("r1")), len(self.lines("r2"))), (1, 0))
        self.config('[capture]\nmode = "sometimes"\n')
        self.capsule("run", "start", "-s", "S1", *self.named, rc=1)

    def test_sanitized(self):
        """With sanitize on, events are masked before they are stored, and tagged so."""
        planted = {**secrets(), **personal()}
        self.begin("r1", "--sanitize", "on", "--capture", "full_io")
        text = " ; ".join(planted.values())
        self.add("ErrorEvent", {**ERROR, "message": text, "more": {text: [text]}})
        self.add_lines([("ModelCallEnvelope", {**CALL, "prompt": text, "response": text})])
        stored = self.verb("event", "list", "-r", "r1", "--raw")
        for kind, value in planted.items():
            with self.subTest(kind):
                self.assertFalse(value in stored)
        for row in self.lines():
            self.assertEqual(row["payload"]["redaction_state"], "sanitized_on_ingest")

    def test_sanitized_policies(self):
        """So are policies, their names, and the names of files."""
        value = personal()["email"]
        policy = support.write(self.path(f"policy of {value}.toml"), f"owner = '{value}'\n")
        self.begin("r1", "--sanitize", "on", "--policy", policy)
        (row,) = self.lines()
        self.assertEqual(row["payload"]["redaction_state"], "sanitized_on_ingest")
        self.assertNotIn(value, json.dumps(row))
        self.assertNotIn(value, self.verb("resolve-uri", row["payload"]["policy_uri"]))
        result = self.put_text(f"{value}.txt", "x", rc=1)
        self.assertIn(b"--as", result.stderr)
        self.put_text("plain.txt", "x")

    def test_sanitized_files(self):
        """With sanitize on, files are masked before they are stored, too."""
        value = secrets()["github"]
        self.begin("r1", "--sanitize", "on")
        self.put_text("log.txt", f"token {value}\n")
        text = self.verb("resolve-uri", f"mv2://{self.origin()}/S1/r1/artifact/log.txt",
                         "--as-of", self.mark("c") and "c")
        self.assertFalse(value in text)

    def test_shown(self):
        """Listings mask; --raw shows, and is logged; the mount has what is stored."""
        value = secrets()["aws"]
        self.begin()
        self.add("ErrorEvent", {**ERROR, "message": f"key {value}"})
        for words in (["run", "show", "-r", "r1"], ["run", "show", "-r", "r1", "--json"],
                      ["event", "list", "-r", "r1"]):
            self.assertFalse(value in self.verb(*words))
        self.assertEqual(self.of_kind("run.shown.raw"), [])
        for words in (["run", "show", "-r", "r1", "--raw"], ["event", "list", "-r", "r1", "--raw"]):
            self.assertTrue(value in self.verb(*words))
        self.assertEqual(len(self.of_kind("run.shown.raw")), 2)
        point = self.attach()
        text = support.read(f"{point}/.capsule/runs/S1/r1/events.jsonl").decode()
        self.assertTrue(value in text)
        self.umount(point)


@support.needs_root
@support.needs_fuse
class Files(RunTest):
    """Artifacts and evidence."""

    def test_json(self):
        """put prints the URIs of what it put, which resolve-uri takes; pin and golden say what."""
        self.begin()
        source = self.sample("source")
        found = self.facts("run", "put", "-s", "S1", "-r", "r1", source, "--as", "odd/n ä")
        self.assertIn(f"mv2://{self.origin()}/S1/r1/artifact/odd/n%20%C3%A4/a.txt", found["uris"])
        for uri in found["uris"]:
            self.capsule("resolve-uri", uri, *self.named)
        listed = self.capsule("event", "list", "-r", "r1", "--json", *self.named).stdout
        self.assertEqual([json.loads(line)["seq"] for line in listed.splitlines()], [])
        query = self.facts("golden", "add", "-r", "r1", "q", "a")
        self.assertEqual((query["name"], query["query"]), ("q", "a"))
        path, _ = self.export("x.mv2e")
        self.assertTrue(self.facts("pin", path)["pinned"])
        self.assertFalse(self.facts("unpin", path)["pinned"])
        machine = self.machine_b()
        machine.take(path)
        self.assertEqual(machine.facts("imports", "verify")["imports"],
                         [{"name": "S1-r1", "intact": True}])
        self.assertEqual(machine.facts("imports", "remove", "S1-r1")["removed"], "S1-r1")

    def test_put(self):
        """A file, a folder, standard input; a name is taken once, and what it has stays."""
        self.begin()
        source = self.sample("source")
        self.put(source)
        self.put(f"{source}/a.txt", "--track", "evidence", "--as", "deep/er/a.txt")
        self.capsule("run", "put", "-r", "r1", "-", "--as", "stdin", *self.named, data=b"piped")
        self.capsule("run", "put", "-r", "r1", "-", *self.named, data=b"piped", rc=1)
        for name in ("source/a.txt", "stdin", "source/sub"):
            result = self.put_text(name, b"other", rc=None)
            self.assertIn(result.returncode, (1, 2), name)
        for name in ("../x", "a/../../x", "a/./b", ".", "", ".put-0123456789abcdef/x"):
            with self.subTest(name):
                result = self.put_text("x", b"x", "--as", name, rc=1)
                self.assertIn(f"'{name}'", result.stderr.decode())
                self.assertIn(b"--as", result.stderr)
        self.put_text("x", b"x", "--as", "/abs")
        self.put(self.path("none"), rc=None)
        self.finish()
        point = self.attach("timeline=0")
        place = f"{point}/.capsule/runs/S1/r1"
        self.assertEqual(support.read(f"{place}/artifacts/stdin"), b"piped")
        self.assertEqual(support.read(f"{place}/evidence/deep/er/a.txt"), b"alpha\n")
        found = support.tree_bytes(f"{place}/artifacts/source")
        self.assertEqual(found, {name: content for name, content in
                                 support.tree_bytes(source).items() if name != "link"})
        self.umount(point)

    def test_odd_tree(self):
        """A folder with hidden files and names of any bytes is put as it is, mounted or not."""
        names = [".gitignore", ".git/config", ".venv/lib/.x/y", ".put-notes", "..data", "...",
                 "a b", "new\nline", "\udcff\udcfe", "sub\udce4/%41", "\U0001f600"]
        source = self.path("tree")
        for name in names:
            support.write(f"{source}/{name}", os.fsencode(name))
        expected = {name: os.fsencode(name) for name in names}
        for is_mounted in (False, True):
            run = f"r{int(is_mounted)}"
            point = self.attach("timeline=0") if is_mounted else None
            self.begin(run, at=point)
            found = self.facts("run", "put", "-r", run, source, "--as", "t", at=point)
            self.assertEqual(len(found["uris"]), len(names))
            self.put(source, "--as", "\udcfc", "--track", "evidence", run=run, at=point)
            if is_mounted:
                self.assertEqual(support.tree_bytes(f"{point}/runs/S1/{run}/artifacts/t"), expected)
            self.finish(run, at=point)
            for uri in found["uris"]:
                self.capsule("resolve-uri", uri, *self.where(point))
            uri = f"mv2://{self.origin(at=point)}/S1/{run}/artifact/t/%FF%FE"
            self.assertIn(uri, found["uris"])
            self.assertEqual(self.capsule("resolve-uri", uri, *self.where(point)).stdout,
                             b"\xff\xfe")
            path, _ = self.export(f"{run}.mv2e", run=run, at=point)
            out = self.unpacked(path, f"out-{run}")
            for folder in [out] + ([f"{point}/.capsule/runs/S1/{run}"] if is_mounted else []):
                self.assertEqual(support.tree_bytes(f"{folder}/artifacts/t"), expected)
                self.assertEqual(support.tree_bytes(f"{folder}/evidence/\udcfc"), expected)
            if is_mounted:
                self.umount(point)

    def test_no_regular_file(self):
        """What may never end is refused, and standard input named; in a folder it is left out."""
        self.begin()
        folder = self.path("odd")
        support.write(f"{folder}/plain", b"plain")
        os.mkfifo(f"{folder}/pipe")
        os.symlink("odd/pipe", self.path("link"))
        for path in (f"{folder}/pipe", self.path("link"), "/dev/zero", "/dev/null"):
            code, message = self.error_of("run", "put", "-r", "r1", path, *self.named, rc=1,
                                          timeout=20)
            self.assertEqual(code, "not_regular")
            self.assertIn(path, message)
            self.assertIn("--as NAME", message)
        result = self.put(folder)
        self.assertIn(b"pipe", result.stderr)
        self.assertEqual([row for row in self.facts("run", "put", "-r", "r1", folder, "--as",
                                                    "again")["uris"]],
                         [f"mv2://{self.origin()}/S1/r1/artifact/again/plain"])
        reader, writer = os.pipe()
        os.write(writer, b"piped")
        os.close(writer)
        with open(reader, "rb") as pipe:
            self.capsule("run", "put", "-r", "r1", "-", "--as", "piped", *self.named, stdin=pipe)
        self.finish()
        self.assertEqual(
            self.verb("resolve-uri", f"mv2://{self.origin()}/S1/r1/artifact/piped"), "piped")

    def test_written(self):
        """Files written through the mount are in the run, as at each checkpoint."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        place, view = f"{point}/runs/S1/r1", f"{point}/.capsule/runs/S1/r1"
        support.write(f"{place}/artifacts/log", b"one\n")
        self.mark("c1", at=point)
        with open(f"{place}/artifacts/log", "ab") as file:
            file.write(b"two\n")
        support.write(f"{place}/evidence/more", b"x" * 300_000)
        self.mark("c2", at=point)
        os.remove(f"{place}/evidence/more")
        self.finish(at=point)
        uri = f"mv2://{self.origin(point)}/S1/r1/artifact/log"
        for is_mounted in (True, False):
            at = point if is_mounted else None
            for label, text in (("c1", "one\n"), ("c2", "one\ntwo\n"), ("final", "one\ntwo\n")):
                self.assertEqual(self.verb("resolve-uri", uri, "--as-of", label, at=at), text)
                if is_mounted:
                    self.assertEqual(support.read(f"{view}/as-of/{label}/artifacts/log").decode(),
                                     text)
            self.assertEqual(self.verb("resolve-uri", uri, at=at), "one\ntwo\n")
            gone = uri.replace("artifact/log", "evidence/more")
            self.verb("resolve-uri", gone, "--as-of", "c2", at=at)
            self.verb("resolve-uri", gone, "--as-of", "c1", at=at, rc=1)
            self.verb("resolve-uri", gone, at=at, rc=1)
            self.verb("resolve-uri", uri, "--as-of", "none", at=at, rc=1)
            if is_mounted:
                self.umount(point)

    def test_uris(self):
        """What is no URI, or names nothing, is an error of the user's; odd names are encoded."""
        self.begin()
        self.put_text("dir/a b%ü#?", b"odd")
        self.put_text("plain", b"plain")
        self.mark("c")
        self.finish()
        ws = self.origin()
        self.assertEqual(self.verb(
            "resolve-uri", f"mv2://{ws}/S1/r1/artifact/dir/a%20b%25%C3%BC%23%3F"), "odd")
        point = json.loads(self.verb("resolve-uri", f"mv2://{ws}/S1/r1/checkpoint/c"))
        self.assertEqual([row["uri"] for row in point["uri_index"]], [
            f"mv2://{ws}/S1/r1/artifact/dir/a%20b%25%C3%BC%23%3F",
            f"mv2://{ws}/S1/r1/artifact/plain"])
        good = f"mv2://{ws}/S1/r1/artifact/plain"
        self.verb("resolve-uri", good)
        for bad in ("", "plain", good[6:], good.replace("mv2", "mv3"), good + "/", good + "/..",
                    good.replace("plain", "dir/../plain"), good.replace("plain", "%2e%2e/x"),
                    good.replace("plain", "dir%2fa"), good.replace("plain", "dir"),
                    good.replace(ws, "0" * 32), good.replace("S1", "S2"),
                    good.replace("r1", "r"), good.replace("r1", "r10"),
                    good.replace("artifact", "artifacts"), good.replace("artifact", "card"),
                    f"mv2://{ws}/S1/r1/event/0", f"mv2://{ws}/S1/r1/event/1",
                    f"mv2://{ws}/S1/r1/event/x", f"mv2://{ws}/policy/none",
                    good.replace("plain", "pl%61in%"), good.replace("plain", "plain%00")):
            with self.subTest(bad):
                self.capsule("resolve-uri", bad, *self.named, rc=1)


if __name__ == "__main__":
    import unittest

    unittest.main()
