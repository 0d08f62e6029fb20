"""A driver that is killed at one system call after another while a program works in its mount.

What the program has flushed is told outside of the mount; after the kill all of that must be there,
the workspace must open, and doctor must find nothing.
"""

import os
import sys

import kills
import support
from workspaces import WorkspaceTest

# Each step is flushed before it is told.
WORK = r"""
import os, sys
point, told = sys.argv[1:3]

def tell(text):
    with open(told, "a") as file:
        file.write(text + "\n")

def flush(path):
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)

for number in range(6):
    place = f"{point}/d{number}"
    os.mkdir(place)
    with open(f"{place}/a", "wb") as file:
        file.write(bytes([65 + number]) * (150_000 + number))
        file.flush()
        os.fsync(file.fileno())
    flush(place)
    flush(point)
    tell(f"made {number}")
    os.rename(f"{place}/a", f"{place}/b")
    flush(place)
    tell(f"renamed {number}")
    if number % 2:
        os.unlink(f"{point}/d{number - 1}/b")
        flush(f"{point}/d{number - 1}")
        tell(f"removed {number - 1}")
"""
STEPS = [(kind, number) for step in range(6) for kind, number in (
    [("made", step), ("renamed", step)] + ([("removed", step - 1)] if step % 2 else []))]


@support.needs_root
@support.needs_fuse
class Killed(kills.InTurn, WorkspaceTest):
    """SIGKILL at each call by which the driver changes what is stored."""

    def work(self, call, number):
        """Whether the driver was killed at a call while the program worked in its mount."""
        point = self.path("mnt")
        os.makedirs(point, exist_ok=True)
        self.addCleanup(support.detach, point)
        driver = self.start(
            kills.at(call, number, support.CAPSULEFS, "-f", self.ws, point, "-o",
                     f"key-file={self.key_file}"))
        support.wait_until(
            lambda: support.mounts_below(point) or driver.poll() is not None, seconds=20)
        if driver.poll() is None:
            self.run_command([sys.executable, "-c", WORK, point, self.told], rc=None, timeout=60)
            if driver.poll() is None and not support.wait_until(
                    lambda: driver.poll() is not None, seconds=0.3):
                self.run_command(["umount", point], rc=None)
        driver.wait(30)
        killed = driver.returncode in kills.KILLED
        if not killed:
            self.assertEqual(driver.returncode, 0, driver.stderr.read()[-500:])
        support.detach(point)
        return killed

    def expected(self, point):
        """Demands what was told, and of the step after it either nothing or all."""
        text = support.read(self.told).decode() if os.path.exists(self.told) else ""
        told = [tuple(line.split()) for line in text.splitlines()]
        told = [(kind, int(number)) for kind, number in told]
        self.assertEqual(told, STEPS[:len(told)])
        following = STEPS[len(told):len(told) + 1]
        for kind, number in told:
            if kind != "made":
                continue
            content = bytes([65 + number]) * (150_000 + number)
            found = {name: support.read(f"{point}/d{number}/{name}")
                     for name in os.listdir(f"{point}/d{number}")}
            allowed = [{"a": content}]
            if ("renamed", number) in told:
                allowed = [{"b": content}]
            elif ("renamed", number) in following:
                allowed.append({"b": content})
            if ("removed", number) in told:
                allowed = [{}]
            elif ("removed", number) in following:
                allowed.append({})
            self.assertIn(found, allowed, f"after {told[-1]}")

    def killed(self, call, number):
        """Whether the driver was killed at a call; nothing is told yet."""
        if os.path.exists(self.told):
            os.remove(self.told)
        return self.work(call, number)

    def examine(self):
        """Demands what was told, and that doctor and the log find nothing."""
        point = self.attach("timeline=0")
        self.expected(point)
        self.umount(point)
        self.capsule("doctor", self.ws, "--deep", "--key-file", self.key_file)
        self.capsule("audit", "verify", "-w", self.ws, "--key-file", self.key_file)

    def every(self, calls):
        """Kills at the calls in turn; returns how often."""
        self.init()
        self.told = self.path("told")
        return self.kill_in_turn(calls, self.killed, self.examine)

    def test_some(self):
        """Every few writes and flushes, and every name that is given or taken."""
        count = self.every([("pwrite64", 3), ("fsync", 2), ("unlinkat", 1),
                            ("renameat", 1), ("ftruncate", 1)])
        self.assertGreater(count, 12)

    @support.heavy
    def test_all(self):
        """Every one."""
        count = self.every([(call, 1) for call in (
            "pwrite64", "pwritev", "fdatasync", "fsync", "unlinkat", "renameat", "renameat2",
            "linkat", "ftruncate", "fallocate", "mkdirat", "openat")])
        self.assertGreater(count, 60)


if __name__ == "__main__":
    import unittest

    unittest.main()
