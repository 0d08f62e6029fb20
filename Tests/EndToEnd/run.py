#!/usr/bin/env python3
"""Runs the end-to-end tests on the two programs in a directory.

One line per test with its time; at the end what was skipped and why, known bugs, leftovers, and a
line `N passed, N failed, N skipped`. Exit code 1 on a failure, a leftover or an unexpected skip.
Some tests need the libraries of `python_environment` in tools/common.sh.
"""

import argparse
import fnmatch
import os
import shutil
import signal
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


class Report(unittest.TestResult):
    """Prints a line per test; keeps what the summary needs."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.known = []
        self.details = []
        self._start = 0.0
        self._state = "pass"
        self._reason = ""

    def startTest(self, test):
        super().startTest(test)
        self._start = time.monotonic()
        self._state = "pass"
        self._reason = ""

    def _note(self, state, test, error=None, reason=""):
        if self._state != "FAIL":
            self._state = state
            self._reason = reason
        if error is not None:
            self.details.append((short_name(test), self._exc_info_to_string(error, test)))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note("FAIL", test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._note("FAIL", test, err)
        if not isinstance(test, unittest.TestCase):
            print(f"FAIL           {test}", flush=True)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note("FAIL", test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note("skip", test, reason=reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.known.append((short_name(test), str(err[1]).strip().splitlines()[0][:150]))
        self._note("bug", test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.details.append((short_name(test), "marked as a known bug, but it passes\n"))
        self._note("FAIL", test)

    def stopTest(self, test):
        super().stopTest(test)
        self.passed += self._state == "pass"
        tail = f"  ({self._reason})" if self._reason else ""
        seconds = time.monotonic() - self._start
        print(f"{self._state:4} {seconds:8.2f} s  {short_name(test)}{tail}", flush=True)

    @property
    def failed(self):
        """How many tests failed."""
        return len({name for name, _ in self.details})


def short_name(test):
    """module.Class.method, without a subtest's parameters."""
    return test.id() if hasattr(test, "id") else str(test)


def flatten(suite):
    """The single tests of a suite."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def is_heavy(test):
    """Whether a test, or its class, is only meant for --full."""
    method = getattr(test, getattr(test, "_testMethodName", ""), None)
    return getattr(method, "is_heavy", False) or getattr(type(test), "is_heavy", False)


def chosen(patterns, full):
    """The tests whose names match one of the patterns (globs or parts of names)."""
    tests = list(flatten(unittest.TestLoader().discover(HERE, pattern="test_*.py")))
    if patterns:
        tests = [
            test for test in tests
            if any(text in test.id() or fnmatch.fnmatch(test.id(), text) for text in patterns)]
    return [test for test in tests if full or not is_heavy(test)]


def expected_skip(reason):
    """Whether this machine explains a skip; as root with /dev/fuse, nothing does."""
    import support
    return (
        reason == support.ON_MISSING_ROOT and not support.IS_ROOT
        or reason == support.ON_MISSING_FUSE and not support.HAS_FUSE)


def leftovers(root):
    """What the run as a whole left behind; takes it away."""
    import support
    problems = []
    for point, kind, _ in support.mounts_below(root):
        problems.append(f"left mounted: {point} ({kind})")
        support.detach(point)
    for pid in support.processes_with(root):
        problems.append(f"left running: {pid}")
        os.kill(pid, 9)
    return problems


def end_everything(root):
    """Ends what the tests started and takes every mount away."""
    import support
    for process in support.started:
        support.stop(process)
    leftovers(root)


def prepare(directory):
    """Copies the programs to a place that every user can reach; returns the run's directory."""
    root = tempfile.mkdtemp(prefix="capsule-e2e-")
    os.chmod(root, 0o755)
    os.mkdir(os.path.join(root, "bin"), 0o755)
    for name in ("capsule", "capsulefs"):
        shutil.copy2(os.path.join(directory, name), os.path.join(root, "bin", name))
        os.chmod(os.path.join(root, "bin", name), 0o755)
    os.environ["CAPSULE_E2E_BIN"] = os.path.join(root, "bin")
    os.environ["CAPSULE_E2E_ROOT"] = root
    return root


def summarize(report, problems, seconds):
    """Prints the end of the run; returns the exit code."""
    for name, text in report.details:
        print(f"\n=== {name}\n{text.rstrip()}")
    if report.details:
        print()
    reasons = {}
    for test, reason in report.skipped:
        reasons.setdefault(reason, []).append(short_name(test))
    bad_skips = 0
    for reason, names in sorted(reasons.items()):
        is_expected = expected_skip(reason)
        bad_skips += 0 if is_expected else len(names)
        kind = "skipped" if is_expected else "UNEXPECTEDLY skipped"
        print(f"{len(names)} {kind}: {reason}: {', '.join(names)}")
    for name, reason in report.known:
        print(f"known bug: {name}: {reason}")
    for problem in problems:
        print(f"LEFTOVER: {problem}")
    print(f"{report.testsRun} tests in {seconds:.0f} s, {len(report.known)} of them known bugs")
    print(f"{report.passed} passed, {report.failed} failed, {len(report.skipped)} skipped")
    return 1 if report.failed or bad_skips or problems else 0


def main():
    """Parses the arguments and runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", metavar="DIR", required=True, help="where the programs are")
    parser.add_argument("--full", action="store_true", help="heavier tests, too")
    parser.add_argument("--list", action="store_true", help="print the names only")
    parser.add_argument("patterns", nargs="*", help="globs or parts of test names")
    options = parser.parse_args()
    # SIGTERM ends a run as ^C does, with all cleanups; unittest would keep other exceptions.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    root = prepare(options.bin)
    sys.path.insert(0, HERE)
    sys.dont_write_bytecode = True
    try:
        tests = chosen(options.patterns, options.full)
        if options.list:
            print("\n".join(short_name(test) for test in tests))
            return 0
        if not tests:
            print("no test has such a name", file=sys.stderr)
            return 1
        report = Report()
        start = time.monotonic()
        unittest.TestSuite(tests).run(report)
        return summarize(report, leftovers(root), time.monotonic() - start)
    finally:
        # Only finds something after an interruption, or where a problem has been reported.
        end_everything(root)
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
