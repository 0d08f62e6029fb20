"""Progress of long work: on a terminal, on SIGUSR1, and not at all with --quiet."""

import concurrent.futures
import os
import re
import signal
import unittest

import support
import terminal
import trees
from support import CAPSULE, CHEAP

# What the line of each verb looks like.
SIZE = rb"\d+(\.\d)? [KMGTPE]?i?B"
LINES = {
    "verify": rb"verifying: " + SIZE + rb" of " + SIZE,
    "extract": rb"extracting: " + SIZE,
    "doctor": rb"examining: " + SIZE,
    "rekey": rb"(sealing: \d+ entries, " + SIZE + rb"|checking " + SIZE + rb" of " + SIZE + rb")",
    "seal": rb"(sealing: \d+ entries, " + SIZE + rb"|checking " + SIZE + rb" of " + SIZE + rb")"}
# How long every read and write takes, in microseconds: a slow disk, whatever the machine. verify
# reads little in one thread, and what it shares among many must be slow as well.
DELAYS = {"verify": 150_000, "extract": 60_000, "doctor": 40_000, "rekey": 60_000, "seal": 30_000}


class Progress(support.EndToEnd):
    """Each verb that can take long, on a slow disk; all of them at once."""

    def setUp(self):
        super().setUp()
        support.write(self.path("src", "large"), trees.noise(12 << 20))
        self.sealed = self.seal(self.path("src"))
        support.write(self.path("small", "file"), trees.noise(1 << 20))
        self.small = self.seal(self.path("small"), "small.mv2e")
        self.count = 0

    def slow(self, verb, *more):
        """A command line of the verb under strace, which delays its reads and writes."""
        self.count += 1
        out = self.path(f"out{self.count}")
        words = {
            "verify": [self.sealed], "extract": [self.sealed, out, *self.open_pw],
            "doctor": [self.sealed, "--deep", *self.open_pw],
            # It reads one block after the other.
            "rekey": [self.small, out, *self.open_pw, *CHEAP],
            "seal": [self.path("src"), out, *self.open_pw, *CHEAP]}[verb]
        calls = "pread64,pwrite64"
        return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e",
                f"inject={calls}:delay_enter={DELAYS[verb]}", CAPSULE, verb, *words, *more]

    def test_signal(self):
        """SIGUSR1 prints one line, also with --quiet, and the work ends as it would have."""
        cases = [(verb, more) for verb in LINES for more in ([], ["--quiet"])]
        running = [self.start(self.slow(verb, *more)) for verb, more in cases]
        ready = set()

        def signal_the_ready():
            for (verb, _), process in zip(cases, running):
                count = 400_000 if verb == "rekey" else 3_000_000
                child = process not in ready and self.reporting_child(process, count)
                if child:
                    os.kill(child, signal.SIGUSR1)
                    ready.add(process)
            return len(ready) == len(running) or all(one.poll() is not None for one in running)

        support.wait_until(signal_the_ready, 20)
        for (verb, more), process in zip(cases, running):
            with self.subTest(verb=verb, more=more):
                out, err = process.communicate(timeout=60)
                self.assertIn(process, ready, "it ended too soon for this test")
                self.assertEqual(process.returncode, 0, err)
                lines = [text for text in err.splitlines() if b"old secrets" not in text]
                self.assertEqual(len(lines), 1, err)
                self.assertRegex(lines[0], rb"\Acapsule: (" + LINES[verb] + rb")\Z")
                if verb != "doctor":
                    self.assertEqual(out == b"", bool(more))

    @staticmethod
    def reporting_child(strace, count):
        """The traced process, if it has blocked SIGUSR1, as to report, and read `count` bytes."""
        try:
            text = support.read(f"/proc/{strace.pid}/task/{strace.pid}/children")
            for pid in map(int, text.split()):
                status = support.read(f"/proc/{pid}/status")
                blocked = int(re.search(rb"SigBlk:\s*(\w+)", status)[1], 16)
                begun = int(re.search(rb"rchar: (\d+)", support.read(f"/proc/{pid}/io"))[1])
                if begun > count and blocked >> signal.SIGUSR1 - 1 & 1:
                    return pid
        except OSError:
            pass
        return None

    def shown(self, cases):
        """[(verb, options, what a terminal shows)] of runs at the same time."""
        lines = [self.slow(verb, *more) for verb, more in cases]
        variables = {**self.env, "TERM": "xterm"}
        with concurrent.futures.ThreadPoolExecutor(len(lines)) as pool:
            results = list(pool.map(
                lambda words: terminal.talk(words, [], variables, self.root, timeout=60), lines))
        for (verb, more), (code, shown) in zip(cases, results):
            self.assertEqual(code, 0, (verb, more, shown))
        return [(*case, shown) for case, (_, shown) in zip(cases, results)]

    def test_terminal(self):
        """A line that is rewritten and cleared; none with --quiet or --json, only results."""
        cases = [(verb, more) for verb in LINES for more in ([], ["--quiet"], ["--json"])]
        for verb, more, shown in self.shown(cases):
            with self.subTest(verb=verb, more=more):
                self.assertEqual(
                    bool(re.search(rb"\r\x1b\[K(" + LINES[verb] + rb")", shown)), not more, shown)
                self.assertEqual(b"\x1b" in shown, not more, shown)
                if verb == "doctor":
                    self.assertIn(b"can be read to the last byte", shown)


class Quiet(support.EndToEnd):
    """doctor --quiet."""

    def test_doctor_quiet(self):
        """The findings and the exit code are the same with and without."""
        sealed = self.seal()
        for rc in (0, 2):
            loud, quiet = (
                self.capsule("doctor", sealed, "--deep", *self.open_pw, *more, rc=rc)
                for more in ([], ["--quiet"]))
            self.assertEqual(loud.stdout, quiet.stdout)
            self.assertTrue(quiet.stdout)
            self.damage(sealed, trees.blocks(support.read(sealed))[0] + 20)


if __name__ == "__main__":
    unittest.main()
