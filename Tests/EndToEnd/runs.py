"""What the tests of runs share: recording one, handing it over, a second machine that takes it."""

import base64
import json
import os
import pathlib
import random
import string
import subprocess
import sys

import support
from workspaces import VerbTest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
GATE = {"gate_name": "g", "outcome": "Pass", "stage": "Unlock", "blocking": True}
ERROR = {"error_code": "E", "message": "m", "severity": "Error", "recoverable": True}
CALL = {"call_id": "c", "model": "m", "routing_mode": "Cloud", "success": True,
        "prompt": "what was asked", "response": "what was answered"}
# Of every type, a payload with what it must have.
PAYLOADS = {
    "StageTransition": {"stage": "Plan"},
    "PolicySnapshotRef": {"policy_uri": "mv2://w/policy/p"},
    "IntakeCompleted": {"note": 1}, "RoutingDecision": {"note": 1}, "DebugTrace": {"note": 1},
    "BranchMerged": {"from_branch": "run/r", "to_branch": "main", "mode": "curated",
                     "merge_checkpoint_id": "m", "uris_merged": 1, "events_merged": 2},
    "RetrievalRequest": {"request_id": "q", "query": "words", "source": "capsule"},
    "RetrievalResponse": {"request_id": "q", "hit_uris": ["mv2://w/S/r/artifact/a"]},
    "ToolCall": {"call_id": "c", "tool_name": "t", "input": {"a": [1]}},
    "ToolResult": {"call_id": "c", "tool_name": "t", "success": True},
    "PatchApply": {"patch_id": "p", "file_path": "f", "patch_type": "modify", "success": True},
    "GateDecision": GATE, "ErrorEvent": ERROR, "ModelCallEnvelope": CALL,
    "ExportRequested": {"by": "User", "reason": "why"},
    "CapsuleExported": {"destination_type": "file", "format": "mv2e-v2"},
    "CapsuleImported": {"source_type": "file", "format": "mv2e-v2"},
    "MilestoneMarked": {"name": "first"},
    "BreakerStateChanged": {}, "LocalMemorySunsetPhaseResolved": {}, "FallbackActivated": {},
    "CaptureGapAcknowledged": {"reason": "why"},
}
# What a safe export has of them.
SAFE = {"PolicySnapshotRef", "RetrievalRequest", "RetrievalResponse", "GateDecision", "ErrorEvent",
        "StageTransition", "BranchMerged", "MilestoneMarked"}


def word(seed, length, letters=string.ascii_letters + string.digits):
    """Letters that look like those of a secret, always the same for a seed."""
    one = random.Random(f"planted {seed}")
    return "".join(one.choice(letters) for _ in range(length))


def secrets():
    """{kind: value}: made here and real nowhere; put together, so that no scanner finds them."""
    upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    claims = base64.urlsafe_b64encode(b'{"sub":"1234567890","iat":1516239022}').decode().strip("=")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().strip("=")
    return {
        "aws": "AK" + "IA" + word("aws", 16, upper),
        "github": "gh" + "p_" + word("github", 36),
        "gitlab": "gl" + "pat-" + word("gitlab", 20),
        "stripe": "sk" + "_live_" + word("stripe", 24),
        "google": "AI" + "za" + word("google", 35),
        "slack": "xo" + "xb-" + "123456789012-1234567890123-" + word("slack", 24),
        "jwt": f"{head}.{claims}." + word("jwt", 43),
    }


def personal():
    """{kind: value}: personal data that belongs to nobody."""
    return {
        "email": "zoltan.quillfeather" + "@" + "mail-host.net",
        "card": "4539 " + "1488 0343 " + "6467",
        "iban": "DE89" + " 3704 0044 " + "0532 0130 00",
        "ipv4": "198." + "51.100." + "77",
        "ipv6": "2001:" + "db8:85a3::8a2e:" + "370:7334",
        "phone": "+49 " + "30 901820" + "114",
        "home": "/ho" + "me/quillfeather" + "/wo" + "rk/secret-project",
    }


class RunTest(VerbTest):
    """A test with a workspace in which runs are recorded."""

    def setUp(self):
        super().setUp()
        self.new_pw = ["--capsule-passphrase-file", self.pw, *support.CHEAP]
        self.key_b = self.path("keyB")

    # Recording

    def begin(self, run="r1", *more, spec="S1", at=None):
        """Starts a run."""
        self.assertEqual(self.verb("run", "start", "-s", spec, "-r", run, *more, at=at),
                         f"{run}\n")
        return run

    def add(self, kind, payload=None, *more, run="r1", spec="S1", at=None, rc=0):
        """Records one event; returns the result."""
        value = PAYLOADS[kind] if payload is None else payload
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.capsule("event", "add", "-s", spec, "-r", run, "-t", kind, *more,
                            *self.where(at), data=data, rc=rc)

    def add_lines(self, lines, *more, run="r1", spec="S1", at=None, rc=0, **options):
        """Records many events: (type, payload) each."""
        data = b"".join(
            line if isinstance(line, bytes) else
            json.dumps({"event_type": line[0], "payload": line[1]}).encode() + b"\n"
            for line in lines)
        return self.capsule("event", "add", "-s", spec, "-r", run, "--lines", *more,
                            *self.where(at), data=data, rc=rc, **options)

    def put(self, path, *more, run="r1", spec="S1", at=None, rc=0):
        """Puts a file or a folder among a run's files."""
        return self.capsule("run", "put", "-s", spec, "-r", run, path, *more, *self.where(at),
                            rc=rc)

    def put_text(self, name, content, *more, run="r1", at=None, rc=0):
        """Puts a text as an artifact of a name."""
        source = support.write(self.path("put", name.replace("/", "_")[:100]), content)
        return self.put(source, "--as", name, *more, run=run, at=at, rc=rc)

    def mark(self, label, *more, run="r1", spec="S1", at=None, rc=0):
        """Makes a checkpoint."""
        return self.capsule("checkpoint", "-s", spec, "-r", run, "-l", label, *more,
                            *self.where(at), rc=rc)

    def finish(self, run="r1", outcome="abandon", *more, spec="S1", at=None, rc=0, **options):
        """Ends a run."""
        return self.capsule("run", "finish", "-s", spec, "-r", run, "--outcome", outcome,
                            *support.CHEAP, *more, *self.where(at), rc=rc, **options)

    def lines(self, run="r1", spec="S1", at=None, raw=True):
        """The stored events of a run."""
        more = ["--raw"] if raw else []
        text = self.verb("event", "list", "-s", spec, "-r", run, *more, at=at)
        return [json.loads(line) for line in text.split("\n") if line]

    def found_run(self, run="r1", at=None):
        """What the list of runs says of one."""
        found = [row for row in self.facts("run", "list", at=at)["runs"] if row["run_id"] == run]
        self.assertEqual(len(found), 1)
        return found[0]

    def origin(self, at=None):
        """The workspace's id, as it stands in URIs."""
        return self.verb("audit", "key", at=at).split("+")[0].split("/")[1]

    # Handing over

    def export(self, name, *more, run="r1", at=None, rc=0, **options):
        """Exports a run; returns the path and what the verb says."""
        path = name if name.startswith("/") else self.path(name)
        secrets_of_it = [] if "--no-encrypt" in more else self.new_pw
        words = ["export", "-r", run, "-o", path, *secrets_of_it, *more, *self.where(at)]
        if rc:
            return path, self.error_of(*words, rc=rc, **options)
        return path, self.capsule_json(*words, **options)

    def unpacked(self, capsule, name=None):
        """A folder with what is in a capsule."""
        target = self.path(name or f"out-{len(os.listdir(self.root))}")
        self.capsule("extract", capsule, target, *self.open_pw)
        return target

    def manifest(self, folder):
        """What a run's folder says of itself."""
        return json.loads(support.read(f"{folder}/manifest.json"))

    def exported_events(self, folder):
        """The events in a run's folder."""
        return [json.loads(line)
                for line in support.read(f"{folder}/events.jsonl").splitlines()]

    def sealed_manifest(self, capsule):
        """The manifest of a capsule as the independent reader has it."""
        return json.loads(self.tool(
            "capsule-reader.py", "manifest", capsule, "--passphrase-file", self.pw).stdout)

    def tool(self, name, *words, rc=0):
        """Runs a tool with the interpreter that has its libraries."""
        python = os.environ.get("CAPSULE_TEST_PYTHON", sys.executable)
        return self.run_command([python, str(TOOLS / name), *words], rc=rc)

    def of_kind(self, kind, at=None):
        """The data of all audit events of a kind."""
        return [event["data"] for event in self.events(at)
                if event["type"] == f"capsulefs.{kind}"]

    def nowhere(self, values, folder, *more):
        """Demands that no value is in any file, name or link target below a folder."""
        everything = b"".join(support.tree_bytes(folder).values())
        for directory, directories, names in os.walk(folder):
            for name in directories + names:
                everything += name.encode() + b"\n"
                if os.path.islink(f"{directory}/{name}"):
                    everything += os.fsencode(os.readlink(f"{directory}/{name}")) + b"\n"
        everything += b"".join(more)
        found = [kind for kind, value in values.items()
                 if any(text in everything for text in forms(value))]
        self.assertEqual(found, [], "these are in what came out")

    def config(self, text):
        """Settles something for all verbs of the test."""
        self.env["CAPSULE_CONFIG"] = support.write(self.path("config.toml"), text)

    # The second machine

    def machine_b(self, name="b"):
        """Another machine: another home and another workspace; returns what calls it takes."""
        home = self.path(name, "home")
        os.makedirs(home)
        found = MachineB(self, self.path(name, "ws"), self.path(name, "key"), {
            "HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "XDG_STATE_HOME": f"{home}/state"})
        self.capsule("init", found.ws, "--new-key-file", found.key, env=found.env)
        return found


class ExportTest(RunTest):
    """A test with a run that has something of everything."""

    def recorded(self, run="r1", *more, at=None, ends=True, capture="prompts_only"):
        """Records a run and ends it."""
        policy = support.write(self.path("p.toml"), b"rule = 1\n")
        self.begin(run, "--policy", policy, "--capture", capture, *more, at=at)
        self.put_text("log.txt", f"log of {run}\n", run=run, at=at)
        self.put_text("dir/data.bin", bytes(range(256)) * 20, run=run, at=at)
        # A milestone would pin every export.
        self.add_lines([pair for pair in PAYLOADS.items() if pair[0] != "MilestoneMarked"],
                       run=run, at=at)
        self.mark("one", "--stage", "Plan", run=run, at=at)
        self.put_text("late.txt", b"late\n", "--track", "evidence", run=run, at=at)
        self.add("ErrorEvent", run=run, at=at)
        if ends:
            self.finish(run, at=at)


class MachineB:
    """A workspace of somebody else, and how verbs reach it."""

    def __init__(self, test, ws, key, env):
        self.test, self.ws, self.key, self.env = test, ws, key, env
        self.point = None

    def where(self):
        """The options that name it."""
        return ["-w", self.point] if self.point else ["-w", self.ws, "--key-file", self.key]

    def run(self, *words, rc=0, **options):
        """Runs a verb there."""
        options["env"] = {**self.env, **options.get("env", {})}
        return self.test.capsule(*words, *self.where(), rc=rc, **options)

    def facts(self, *words, rc=0, **options):
        """The object that a verb prints there."""
        return self.test.checked_json(self.run(*words, "--json", rc=rc, **options).stdout)

    def take(self, capsule, *more, rc=0, pw=None, **options):
        """Imports a capsule."""
        return self.run("import", capsule, "--passphrase-file", pw or self.test.pw, *more, rc=rc,
                        **options)

    def taken(self, capsule, *more, **options):
        """Imports a capsule; returns what the verb says."""
        return self.facts("import", capsule, "--passphrase-file", self.test.pw, *more, **options)

    def refused(self, capsule, *more, rc, pw=None):
        """An import that must fail; returns (error_code, message)."""
        result = self.take(capsule, *more, "--json", rc=rc, pw=pw)
        value = self.test.checked_json(result.stderr)
        return value["error_code"], value["error"]

    def attach(self, *options):
        """Mounts it; returns the mount point."""
        point = self.test.path(f"mnt-{os.path.basename(os.path.dirname(self.ws))}")
        self.point = self.test.mount(
            self.ws, f"key-file={self.key}", *options, secret=False, point=point, env=self.env)
        return self.point

    def detach(self):
        """Unmounts it."""
        point, self.point = self.point, None
        self.test.umount(point)

    def of_kind(self, kind):
        """The data of all audit events of a kind."""
        text = self.run("audit", "list", "--json").stdout
        events = [json.loads(line) for line in text.splitlines()]
        return [event["data"] for event in events if event["type"] == f"capsulefs.{kind}"]

    def files(self):
        """The files of its imports."""
        try:
            return sorted(os.listdir(f"{self.ws}/imports"))
        except FileNotFoundError:
            return []

    def names(self):
        """The names of its imports."""
        return [row["mount_name"] for row in self.facts("imports", "list")["imports"]]


def forms(value):
    """A text, and how it looks escaped or encoded."""
    raw = value.encode()
    percent = "".join(f"%{byte:02x}" for byte in raw)
    return [raw, json.dumps(value)[1:-1].encode(), raw.hex().encode(), raw.hex().upper().encode(),
            value.encode("utf-16-le"), value.encode("utf-16-be"), percent.encode(),
            percent.upper().encode(), base64.b64encode(raw).rstrip(b"=")[:-1],
            base64.urlsafe_b64encode(raw).rstrip(b"=")[:-1]]


def git(*words, cwd):
    """Runs git, as nobody in particular."""
    return subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@invalid", *words], cwd=cwd, check=True,
        capture_output=True, timeout=30,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"}).stdout.decode()
