"""What the tests of the live workspace share: making one, mounting it, ending its driver."""

import ctypes
import hashlib
import json
import os
import signal
import struct
import sys

import support

# A stored block of the database: 4096 bytes and what sealing adds; see Sources/CapsuleStore.
PAGE_LENGTH = 4144
# What a state is called that nobody named.
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(\.\d+)?"
NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


def _checked(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def rename(old, new, flags):
    """renameat2(2)."""
    _checked(_libc.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), flags))


def fallocate(handle, mode, offset, length):
    """fallocate(2)."""
    _checked(_libc.fallocate(handle, mode, offset, length))


def write_at(path, offset, content):
    """Writes into the middle of a file, and makes it durable."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(handle, content, offset)
        os.fsync(handle)
    finally:
        os.close(handle)


def sync(path):
    """fsync(2) of a file or directory by name."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest(path):
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def access_list(*entries):
    """An ACL as the kernel takes it, from (tag, permissions, id); see acl(5)."""
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, bits, number) for tag, bits, number in entries)


class WorkspaceTest(support.EndToEnd):
    """A test with a workspace."""

    def setUp(self):
        super().setUp()
        self.ws = self.path("ws")
        self.key_file = self.path("key")

    def init(self, path=None):
        """Makes a workspace with a key file; returns its path."""
        path = path or self.ws
        self.capsule("init", path, "--new-key-file", self.key_file)
        return path

    def attach(self, *options, ws=None, point=None, rc=0, **more):
        """Mounts a workspace, and makes it first where it is not there."""
        ws = ws or self.ws
        if not os.path.lexists(ws):
            self.init(ws)
        return self.mount(
            ws, f"key-file={self.key_file}", *options, secret=False, point=point, rc=rc, **more)

    def remount(self, point, *options):
        """Unmounts and mounts again."""
        self.umount(point)
        return self.attach(*options, point=point)

    def kill(self, point):
        """Kills the driver and takes the dead mount away."""
        pid = self.driver(point)
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(support.wait_until(lambda: not support.processes_with(point)))
        self.run_command(["umount", "-l", point])

    def stored(self, ws=None):
        """{relative path: SHA-256} of all files of a workspace, but for the lock."""
        ws = ws or self.ws
        return {name: hashlib.sha256(content).hexdigest()
                for name, content in support.tree_bytes(ws).items()}

    def stored_length(self):
        """Bytes of all segments."""
        place = f"{self.ws}/segments"
        return sum(os.path.getsize(f"{place}/{name}") for name in os.listdir(place))

    def python(self, script, *words, **options):
        """Starts a Python program, which says `ready` on a line of its own where it wants to."""
        return self.start([sys.executable, "-u", "-c", script, *words], **options)

    def wait_for_line(self, process, text):
        """Waits for a line of a process's output."""
        line = process.stdout.readline()
        if line.strip() != text:
            process.wait(10)
            self.fail(f"not {text} but {line}: {process.stderr.read().decode()[-1500:]}")

    def fails_with(self, number, body, message=None):
        """Demands that `body` fails with an errno."""
        with self.assertRaises(OSError, msg=message) as caught:
            body()
        self.assertEqual(caught.exception.errno, number, message or caught.exception)


class VerbTest(WorkspaceTest):
    """A test with a workspace that is there, and whose verbs work on it mounted or not."""

    def setUp(self):
        super().setUp()
        self.opened = ["--key-file", self.key_file]
        self.named = ["-w", self.ws, *self.opened]
        self.init()

    def where(self, point):
        """The options that name the workspace: at its driver, or with the secret."""
        return self.named if point is None else ["-w", point]

    def verb(self, *words, at=None, rc=0):
        """What a verb prints, on the workspace or, if it is mounted there, at a mount point."""
        return self.capsule(*words, *self.where(at), rc=rc).stdout.decode()

    def facts(self, *words, at=None):
        """The object that a verb prints with --json."""
        return self.capsule_json(*words, *self.where(at))

    def states(self, at=None):
        """[(name, kind)] of all states, oldest first."""
        return [(row["name"], row["kind"]) for row in self.facts("timeline", at=at)["states"]]

    def events(self, at=None):
        """The events of the audit log."""
        text = self.verb("audit", "list", "--json", at=at)
        return [json.loads(line) for line in text.splitlines()]

    def kinds(self, at=None):
        """The types of the events, without what they have in common."""
        return [event["type"].removeprefix("capsulefs.") for event in self.events(at)]

    def copied(self, source, point):
        """Copies a tree into a mount and makes it durable."""
        self.run_command(["cp", "-a", f"{source}/.", point])
        sync(point)

    def healthy(self):
        """Demands that doctor finds nothing wrong in any block."""
        self.capsule("doctor", self.ws, "--deep", *self.opened)
