"""What the end-to-end tests share: a sandbox for every test, commands with timeouts, clean ends.

Every test gets a directory of its own, a HOME of its own and an environment without secrets. When
it ends, everything it mounted is unmounted and every process it started is ended, by path and by
pid; whatever the programs under test left behind by themselves fails the test.
"""

import atexit
import ctypes
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SECRET = b"correct horse battery staple"
CHEAP = ["--argon-passes", "1", "--argon-memory", "8"]
NOBODY = 65534
IS_ROOT = os.geteuid() == 0
HAS_FUSE = os.access("/dev/fuse", os.R_OK | os.W_OK)
ON_MISSING_ROOT = "needs root"
ON_MISSING_FUSE = "needs /dev/fuse"
needs_root = unittest.skipUnless(IS_ROOT, ON_MISSING_ROOT)
needs_fuse = unittest.skipUnless(HAS_FUSE, ON_MISSING_FUSE)

BIN = os.environ.get("CAPSULE_E2E_BIN", "")
CAPSULE = os.path.join(BIN, "capsule")
CAPSULEFS = os.path.join(BIN, "capsulefs")
_libc = ctypes.CDLL(None, use_errno=True)
_run_root = None
# Every process of the run, for an end by interruption.
started = []


def heavy(test):
    """Marks a test that only runs with --full."""
    test.is_heavy = True
    return test


def run_root():
    """The directory of this run; everything lies below it."""
    global _run_root
    if _run_root is None:
        given = os.environ.get("CAPSULE_E2E_ROOT")
        _run_root = given or tempfile.mkdtemp(prefix="capsule-e2e-")
        os.chmod(_run_root, 0o755)
        if not given:
            atexit.register(shutil.rmtree, _run_root, True)
    return _run_root


def unescape(field):
    """A field of /proc/mounts with its octal escapes resolved, as bytes."""
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), field)


def mounts_below(path):
    """[(mount point, type, options)] below `path`, the innermost first."""
    found = []
    below = os.fsencode(path)
    with open("/proc/mounts", "rb") as table:
        for line in table:
            fields = line.split(b" ")
            point = unescape(fields[1])
            if point == below or point.startswith(below + b"/"):
                found.append((os.fsdecode(point), fields[2].decode(), fields[3].decode()))
    return found[::-1]


def processes_with(text):
    """Pids of our two programs whose command line or environment names `text`."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            # Not `comm`: that is a thread's name.
            if not os.path.basename(os.readlink(f"/proc/{name}/exe")).startswith("capsule"):
                continue
            words = b""
            for part in ("cmdline", "environ"):
                with open(f"/proc/{name}/{part}", "rb") as file:
                    words += file.read()
            with open(f"/proc/{name}/stat", "rb") as file:
                is_zombie = file.read().rsplit(b") ", 1)[1][:1] == b"Z"
        except OSError:
            continue
        if os.fsencode(text) in words and not is_zombie:
            found.append(int(name))
    return found


def wait_until(condition, seconds=5.0, step=0.02):
    """Whether `condition` came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


def detach(path):
    """Takes whatever is mounted at `path` away, now."""
    _libc.umount2(os.fsencode(path), 2 | 8)


def tree_bytes(path):
    """{relative path: content} of the regular files below `path`."""
    found = {}
    for directory, _, names in os.walk(path):
        for name in names:
            full = os.path.join(directory, name)
            if os.path.isfile(full) and not os.path.islink(full):
                with open(full, "rb") as file:
                    found[os.path.relpath(full, path)] = file.read()
    return found


def write(path, content=b"", mode=None):
    """Writes a file, with the directories above it; returns the path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    if mode is not None:
        os.chmod(path, mode)
    return path


def read(path):
    """The content of a file."""
    with open(path, "rb") as file:
        return file.read()


def stop(process):
    """Ends a process that a test started, with its group, and reaps it."""
    if process.poll() is None:
        for number in (signal.SIGCONT, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                break
    process.wait(10)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


class EndToEnd(unittest.TestCase):
    """A test with a sandbox; `self.root` is its directory and the working directory of commands."""

    maxDiff = 4000
    longMessage = True

    def setUp(self):
        self._descriptors = len(os.listdir("/proc/self/fd"))
        self.root = tempfile.mkdtemp(prefix="t-", dir=run_root())
        os.chmod(self.root, 0o755)
        self.addCleanup(self._end)
        self.home = self.path("home")
        os.mkdir(self.home)
        self.env = {
            "HOME": self.home, "PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin",
            "XDG_CONFIG_HOME": self.path("home", "config"),
            "XDG_STATE_HOME": self.path("home", "state"), "TMPDIR": self.root,
            "LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1", "CAPSULE_E2E_TEST": self.root,
        }
        self.pw = write(self.path("pw"), SECRET + b"\n", 0o644)
        self.open_pw = ["--passphrase-file", self.pw]

    # Ends

    def _end(self):
        """Runs after all other cleanups: takes away what is left, and fails because of it."""
        problems = []
        for point, kind, _ in mounts_below(self.root):
            problems.append(f"left mounted: {point} ({kind})")
            detach(point)
        if not wait_until(lambda: not processes_with(self.root)):
            for pid in processes_with(self.root):
                problems.append(f"left running: {pid}")
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGKILL)
        for directory, _, names in os.walk(self.root):
            for name in names:
                if re.fullmatch(r"\..*\.tmp", name):
                    problems.append(f"left temporary file: {directory}/{name}")
                if re.fullmatch(r"core(\.\d+)?", name):
                    problems.append(f"core file: {directory}/{name}")
        shutil.rmtree(self.root, onerror=lambda *_: None)
        if os.path.exists(self.root):
            subprocess.run(["rm", "-rf", "--", self.root], capture_output=True, timeout=120)
        if len(os.listdir("/proc/self/fd")) > self._descriptors:
            problems.append("the test left a descriptor open")
        if problems:
            self.fail("; ".join(problems))

    def path(self, *parts):
        """A path in the sandbox."""
        return os.path.join(self.root, *parts)

    # Commands

    @staticmethod
    def as_user(words, user=NOBODY):
        """The command, run by an ordinary user."""
        return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *words]

    def start(self, words, *, env=None, user=None, cwd=None, **options):
        """A process in a session of its own, which ends with the test at the latest."""
        if user is not None:
            words = self.as_user(words, user)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("stdin", subprocess.DEVNULL)
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        process = subprocess.Popen(
            words, env={**self.env, **(env or {})}, cwd=cwd or self.root, start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)), **options)
        self.addCleanup(stop, process)
        started.append(process)
        return process

    def run_command(self, words, *, rc=0, timeout=60, data=None, **options):
        """Runs a command and demands its exit code, unless `rc` is None. Returns the result."""
        if data is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(words, **options)
        try:
            out, err = process.communicate(data, timeout)
        except subprocess.TimeoutExpired:
            stop(process)
            self.fail(f"no end within {timeout} s: {words}")
        result = subprocess.CompletedProcess(words, process.returncode, out or b"", err or b"")
        if rc is not None and result.returncode != rc:
            text = (result.stdout[-1500:] + result.stderr[-1500:]).decode(errors="replace")
            self.fail(f"exit code {result.returncode}, not {rc}: {words}\n{text}")
        return result

    def capsule(self, *words, **options):
        """Runs `capsule`; no output may contain the secret or, as it is no terminal, escapes."""
        result = self.run_command([CAPSULE, *words], **options)
        for text in (result.stdout, result.stderr):
            self.assertNotIn(SECRET, text, "the secret is in the output")
        self.assertNotIn(b"\x1b", result.stderr, "escape characters on stderr")
        return result

    def capsule_json(self, *words, **options):
        """Runs a verb with --json, checks the envelope and returns the object."""
        result = self.capsule(*words, "--json", **options)
        return self.checked_json(result.stdout)

    def checked_json(self, text):
        """The object of one line of JSON with sorted keys and the two version fields."""
        self.assertEqual(text.count(b"\n"), 1, text[:200])
        pairs = []
        value = json.loads(text, object_pairs_hook=lambda found: pairs.append(found) or dict(found))
        for found in pairs:
            keys = [key for key, _ in found]
            self.assertEqual(keys, sorted(keys), "keys are not sorted")
        self.assertIsInstance(value.get("schema_version"), int)
        self.assertIsInstance(value.get("tool_version"), str)
        return value

    def error_of(self, *words, rc, **options):
        """Runs a verb with --json that must fail with `rc`; returns (error_code, message)."""
        result = self.capsule(*words, "--json", rc=rc, **options)
        value = self.checked_json(result.stderr)
        self.assertEqual(value["exit_code"], rc)
        return value["error_code"], value["error"]

    # Capsules

    def sample(self, name="src"):
        """A small folder."""
        base = self.path(name)
        write(f"{base}/a.txt", b"alpha\n")
        write(f"{base}/sub/b.bin", bytes(range(256)) * 300)
        write(f"{base}/sub/deep/c", b"")
        if not os.path.lexists(f"{base}/link"):
            os.symlink("a.txt", f"{base}/link")
        return base

    def seal(self, source=None, name="c.mv2e", *more, secret=True, rc=0, **options):
        """Seals a folder (the sample, if none) with the passphrase; returns the capsule's path."""
        source = source or self.sample()
        output = name if name.startswith("/") else self.path(name)
        secrets = ["--new-passphrase-file", self.pw, *CHEAP] if secret else CHEAP
        self.capsule("seal", source, output, *secrets, *more, rc=rc, **options)
        return output

    def key(self, name="id"):
        """An Ed25519 SSH key; returns the path of its private half."""
        path = self.path(name)
        if not os.path.exists(path):
            self.run_command(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path])
        return path

    def allowed(self, *keys, options="", name="allowed"):
        """An allowed_signers file with the public halves of `keys`."""
        lines = []
        for key in keys:
            kind, blob = read(key + ".pub").decode().split()[:2]
            lines.append(" ".join(filter(None, ["signer@example", options, kind, blob])))
        return write(self.path(name), "\n".join(lines) + "\n")

    # Mounts

    def mount(self, capsule, *options, point=None, secret=True, user=None, rc=0, words=(), **more):
        """Mounts a capsule; unmounts it when the test ends. Returns the mount point."""
        point = point or self.path("mnt")
        if rc == 0:
            os.makedirs(point, exist_ok=True)
        listed = ([f"passphrase-file={self.pw}"] if secret else []) + list(options)
        self.addCleanup(detach, point)
        tail = ["-o", ",".join(listed)] if listed else []
        result = self.run_command(
            [CAPSULEFS, capsule, point, *words, *tail], rc=rc, user=user, **more)
        self.assertNotIn(SECRET, result.stdout + result.stderr)
        if rc != 0:
            self.assertEqual(mounts_below(point), [], "a failed mount left something mounted")
            self.assertEqual(processes_with(self.root), [], "a failed mount left a process")
            return result
        self.assertEqual([kind for _, kind, _ in mounts_below(point)], ["fuse.capsulefs"])
        return point

    def driver(self, point=None):
        """The pid of the driver; without a mount point, of the only one in this sandbox."""
        pids = processes_with(point or self.root)
        pids = [pid for pid in pids if "capsulefs" in os.readlink(f"/proc/{pid}/exe")]
        self.assertEqual(len(pids), 1, f"drivers: {pids}")
        return pids[0]

    def umount(self, point, *words, rc=0, **options):
        """Unmounts with the program and demands that the driver ends."""
        result = self.capsule("umount", *words, point, rc=rc, **options)
        if rc == 0:
            self.assertTrue(wait_until(lambda: not processes_with(point)), "the driver stays")
            self.assertEqual(mounts_below(point), [])
        return result

    def rsync(self, source, target, *more, rc=0):
        """What rsync would change to make `target` equal to `source`; nothing, if all is well."""
        words = ["rsync", "-aHAXc", "--numeric-ids", "-n", "-i", "--delete", *more]
        return self.run_command([*words, source + "/", target + "/"], rc=rc, timeout=300).stdout

    def damage(self, path, offset, count=1):
        """Changes bytes of a file."""
        with open(path, "r+b") as file:
            file.seek(offset)
            old = file.read(count)
            file.seek(offset)
            file.write(bytes(byte ^ 0x55 for byte in old))


if sys.version_info < (3, 11):
    raise SystemExit("the end-to-end tests need Python 3.11")
