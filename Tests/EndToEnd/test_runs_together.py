"""Runs that many programs record at once, mounted and not, fast; and the view of them."""

import errno
import json
import os
import random
import re
import subprocess
import time

import support
import workspaces
from runs import ERROR, PAYLOADS, RunTest


@support.needs_root
@support.needs_fuse
class AtOnce(RunTest):
    """Several processes at once."""

    WRITERS = 6

    def numbered(self, writer, count):
        """Lines that say who wrote them, and which each is."""
        return b"".join(b'{"event_type":"DebugTrace","payload":{"w":%d,"n":%d}}\n' % (writer, n)
                        for n in range(count))

    def check_order(self, rows, count):
        """Demands every event of every writer once, each writer's own in their order."""
        self.assertEqual([row["seq"] for row in rows], list(range(1, len(rows) + 1)))
        seen = {}
        for row in rows:
            seen.setdefault(row["payload"]["w"], []).append(row["payload"]["n"])
        self.assertEqual(seen, {writer: list(range(count)) for writer in range(self.WRITERS)})

    def test_lines(self):
        """Long streams of many writers: none is lost, each in its order; at a driver and not."""
        for is_mounted in (True, False):
            run = f"r{is_mounted}"
            point = self.attach("timeline=0") if is_mounted else None
            self.begin(run, at=point)
            running = []
            for writer in range(self.WRITERS):
                source = support.write(self.path(f"in{writer}"), self.numbered(writer, 3000))
                with open(source, "rb") as data:
                    running.append(self.start(
                        [support.CAPSULE, "event", "add", "-r", run, "--lines",
                         "--lock-timeout", "60", *self.where(point)], stdin=data))
            for process in running:
                out, err = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 0, out + err)
            self.check_order(self.lines(run, at=point), 3000)
            if is_mounted:
                self.umount(point)

    def test_single(self):
        """Single events, files and checkpoints of many processes, with an export between."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        script = """
w=$1; for n in $(seq 0 7); do
  echo "{\\"w\\":$w,\\"n\\":$n}" |
    capsule event add -r r1 -t DebugTrace -w "$0" >/dev/null || exit 1
  echo "$w $n" | capsule run put -r r1 - --as "d$w/f$n" -w "$0" >/dev/null || exit 2
  echo "$w $n" > "$0/runs/S1/r1/evidence/e$w-$n" || exit 3
  capsule checkpoint -r r1 -l "c$w-$n" -w "$0" >/dev/null || exit 4
done"""
        running = [self.start(["sh", "-c", script, point, str(writer)])
                   for writer in range(self.WRITERS)]
        for number in range(2):
            self.export(f"x{number}.mv2e", at=point)
        for process in running:
            out, err = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, out + err)
        self.check_order(self.lines(at=point), 8)
        row = self.found_run(at=point)
        counts = [check["event_count"] for check in row["checkpoints"]]
        self.assertEqual(len(counts), self.WRITERS * 8)
        self.assertEqual(counts, sorted(counts))
        self.finish(at=point)
        view = f"{point}/.capsule/runs/S1/r1"
        for writer in range(self.WRITERS):
            for number in range(8):
                expected = f"{writer} {number}\n".encode()
                for path in (f"artifacts/d{writer}/f{number}", f"evidence/e{writer}-{number}",
                             f"as-of/c{writer}-{number}/artifacts/d{writer}/f{number}",
                             f"as-of/c{writer}-{number}/evidence/e{writer}-{number}"):
                    self.assertEqual(support.read(f"{view}/{path}"), expected, path)
        self.umount(point)
        self.healthy()

    def test_one_name(self):
        """Of many that put a file under one name at once, one wins, and its content stays."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        running = []
        for writer in range(self.WRITERS):
            source = support.write(self.path(f"in{writer}"), f"{writer}" * 300_000)
            running.append(self.start([support.CAPSULE, "run", "put", "-r", "r1", source, "--as",
                                       "same", "-w", point]))
        codes = []
        for process in running:
            process.communicate(timeout=60)
            codes.append(process.returncode)
        self.assertEqual(codes.count(0), 1, codes)
        content = support.read(f"{point}/runs/S1/r1/artifacts/same")
        self.assertEqual(content, f"{codes.index(0)}".encode() * 300_000)
        self.assertEqual(os.listdir(f"{point}/runs/S1/r1/artifacts"), ["same"])
        self.umount(point)

    def slow_put(self, point, name):
        """A `run put` from standard input, which has begun and waits for more."""
        process = self.start(
            [support.CAPSULE, "run", "put", "-r", "r1", "-", "--as", name, "-w", point],
            stdin=subprocess.PIPE)
        process.stdin.write(b"x" * 3_000_000)
        process.stdin.flush()
        place = f"{point}/runs/S1/r1/artifacts"
        self.assertTrue(support.wait_until(lambda: os.listdir(place)), "it has not begun")
        return process

    def test_killed_put(self):
        """kill -9 of a put leaves nothing in the run, and nothing beside it."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        process = self.slow_put(point, "half")
        self.mark("during", at=point)
        process.kill()
        process.communicate(timeout=30)
        place = f"{point}/runs/S1/r1/artifacts"
        self.assertTrue(support.wait_until(lambda: os.listdir(place) == []), "it is left")
        self.finish(at=point)
        view = f"{point}/.capsule/runs/S1/r1"
        self.assertEqual(os.listdir(f"{view}/as-of/during/artifacts"), [])
        self.assertEqual(os.listdir(f"{view}/artifacts"), [])
        self.umount(point)
        self.healthy()

    def test_put_over_the_end(self):
        """A put that the end of the run overtakes fails, or its file is in the run."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        process = self.slow_put(point, "late")
        self.finish(at=point, rc=None)
        process.communicate(b"", timeout=30)
        is_there = os.path.exists(f"{point}/.capsule/runs/S1/r1/artifacts/late")
        self.assertEqual(process.returncode == 0, is_there)
        self.umount(point)

    def test_open_file_over_the_end(self):
        """What is written to a file that stays open over the end is refused, or in the run."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        expected = b"before\n"
        try:
            with open(f"{point}/runs/S1/r1/artifacts/log", "wb", buffering=0) as file:
                file.write(b"before\n")
                self.finish(at=point)
                file.write(b"after\n")
                os.fsync(file.fileno())
                expected = b"before\nafter\n"
        except OSError:
            pass
        self.assertEqual(
            support.read(f"{point}/.capsule/runs/S1/r1/artifacts/log"), expected)
        self.umount(point)

    def test_odd_names(self):
        """Files of any name that programs write in the mount are in the run."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        place = f"{point}/runs/S1/r1/artifacts"
        names = [".put-notes", ".hidden", "a b", "new\nline", "\udcff\udcfe", "%41", "~", "-x",
                 "as-of", "n" * 255]
        for name in names:
            support.write(f"{place}/{name}", name.encode(errors="surrogateescape"))
        self.finish(at=point)
        view = f"{point}/.capsule/runs/S1/r1/artifacts"
        self.assertEqual(sorted(os.listdir(view)), sorted(names))
        self.umount(point)
        out = self.unpacked(self.export("x.mv2e")[0])
        self.assertEqual(sorted(os.listdir(f"{out}/artifacts")), sorted(names))

    def test_events_during_an_export(self):
        """A long export holds up no event: each is stored within moments."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        one = random.Random(9)
        for number in range(3):
            self.put(support.write(self.path(f"{number}.log"), "".join(
                f"{one.random()} of user{number} in {one.random()} s\n"
                for _ in range(300_000))), at=point)
        process = self.start([support.CAPSULE, "export", "-r", "r1", "-o", self.path("x.mv2e"),
                              *self.new_pw, "-w", point])
        slowest = 0
        while process.poll() is None:
            begun = time.monotonic()
            self.add("DebugTrace", at=point)
            slowest = max(slowest, time.monotonic() - begun)
        out, err = process.communicate()
        self.assertEqual(process.returncode, 0, out + err)
        self.assertLess(slowest, 2)
        self.umount(point)

    def test_fast(self):
        """5000 events a second with --lines, mounted and not."""
        line = json.dumps({"event_type": "ErrorEvent", "payload": ERROR}).encode() + b"\n"
        for is_mounted in (True, False):
            run = f"r{is_mounted}"
            point = self.attach() if is_mounted else None
            self.begin(run, at=point)
            start = time.monotonic()
            self.add_lines([line] * 20_000, run=run, at=point)
            seconds = time.monotonic() - start
            self.assertLess(seconds, 4 * 3, "20000 events")
            self.assertEqual(self.found_run(run, at=point)["event_count"], 20_000)
            if is_mounted:
                self.umount(point)

    def test_killed_writer(self):
        """kill -9 of the writer: what is there is a beginning of what it sent, in batches."""
        self.begin()
        source = support.write(self.path("in"), self.numbered(0, 60_000))
        one = random.Random(5)
        for attempt in range(3):
            with open(source, "rb") as data:
                process = self.start([support.CAPSULE, "event", "add", "-r", "r1", "--lines",
                                      *self.named], stdin=data)
            time.sleep(one.uniform(0.05, 0.5))
            process.kill()
            process.communicate(timeout=30)
            rows = self.lines()
            self.assertEqual([row["seq"] for row in rows], list(range(1, len(rows) + 1)))
            numbers = [row["payload"]["n"] for row in rows]
            starts = [index for index, number in enumerate(numbers) if number == 0]
            for begin, end in zip(starts, [*starts[1:], len(numbers)]):
                self.assertEqual(numbers[begin:end], list(range(end - begin)), attempt)
        self.add("DebugTrace")
        self.healthy()

    def test_killed_driver(self):
        """kill -9 of the driver takes back no event that a verb has reported."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        self.add_lines([("DebugTrace", {"n": number}) for number in range(500)], at=point)
        self.put_text("kept", b"text", at=point)
        self.mark("c", at=point)
        self.kill(point)
        self.assertEqual([row["payload"]["n"] for row in self.lines()], list(range(500)))
        self.assertEqual([row["label"] for row in self.found_run()["checkpoints"]], ["c"])
        uri = f"mv2://{self.origin()}/S1/r1/artifact/kept"
        self.verb("resolve-uri", uri, "--as-of", "c")
        self.healthy()


@support.needs_root
@support.needs_fuse
class Same(RunTest):
    """The same with a mount as without."""

    def scenario(self, at):
        """What many verbs say, without what differs by nature."""
        results = []
        for words, data in (
                (["run", "start", "-s", "S1", "-r", "r1"], None),
                (["run", "start", "-s", "S1", "-r", "r1"], None),
                (["run", "put", "-r", "r1", self.pw, "--as", "a"], None),
                (["run", "put", "-r", "r1", self.pw, "--as", "a"], None),
                (["run", "put", "-r", "r1", self.pw, "--as", "a/b"], None),
                (["run", "put", "-r", "r1", self.pw, "--as", ".a"], None),
                (["event", "add", "-r", "r1", "-t", "DebugTrace"], b"{}"),
                (["event", "add", "-r", "r1", "-t", "ErrorEvent"], b"{}"),
                (["event", "add", "-r", "r1", "-t", "Foo"], b"{}"),
                (["event", "add", "-r", "r9", "-t", "DebugTrace"], b"{}"),
                (["event", "list", "-r", "r1"], None), (["run", "show", "-r", "r1"], None),
                (["checkpoint", "-r", "r1", "-l", "one", "--stage", "Plan"], None),
                (["checkpoint", "-r", "r1", "-l", "one"], None), (["run", "list"], None),
                (["export", "-r", "r1", "--preview", "--explain"], None),
                (["export", "-r", "none", "--preview"], None),
                (["run", "finish", "-r", "r1", "--outcome", "fail"], None),
                (["run", "finish", "-r", "r1", "--outcome", "fail"], None),
                (["event", "add", "-r", "r1", "-t", "DebugTrace"], b"{}"),
                (["run", "list", "--json"], None), (["run", "show", "-r", "r1", "--json"], None),
                (["export", "-r", "r1", "--preview", "--json"], None), (["exports"], None),
                (["imports", "list"], None), (["gc", "--dry-run"], None),
                (["imports", "show", "x"], None), (["pin", "x"], None), (["golden", "list"], None)):
            result = self.capsule(*words, *self.where(at), rc=None, data=data)
            text = (result.stdout + result.stderr).decode()
            for pattern, short in ((workspaces.TIME, "TIME"), (r"[0-9a-f]{32}", "ID"),
                                   (r" +", " ")):
                text = re.sub(pattern, short, text)
            text = text.replace(self.ws, "WS").replace(str(at), "WS")
            results.append((" ".join(words), result.returncode, text))
        return results

    def test_same(self):
        """The same lines, messages and statuses."""
        found = []
        for name in ("wsA", "wsB"):
            self.ws = self.path(name)
            self.named = ["-w", self.ws, *self.opened]
            self.init()
            point = self.attach("timeline=0") if name == "wsA" else None
            found.append(self.scenario(point))
            if point:
                self.umount(point)
            self.healthy()
        for one, two in zip(*found):
            with self.subTest(one[0]):
                self.assertEqual(one, two)


@support.needs_root
@support.needs_fuse
class View(RunTest):
    """`.capsule/runs` in the mount."""

    def recorded(self, point):
        """A run with something of everything, ended; returns its folder in the view."""
        policy = support.write(self.path("p.toml"), b"rule = 1\n")
        self.begin("r1", "--policy", policy, at=point)
        self.put(self.sample("source"), at=point)
        self.add_lines([(kind, payload) for kind, payload in PAYLOADS.items()], at=point)
        self.mark("one", at=point)
        self.put(self.pw, "--track", "evidence", at=point)
        self.finish(at=point)
        return f"{point}/.capsule/runs/S1/r1"

    def test_programs(self):
        """ls, grep, find, jq, tar, diff -r and rsync read it, and agree."""
        point = self.attach("timeline=0")
        view = self.recorded(point)
        self.run_command(["ls", "-laR", view])
        found = self.run_command(["grep", "-rl", "alpha", view]).stdout.decode().split()
        self.assertEqual(sorted(found), sorted(
            f"{view}/{top}artifacts/source/a.txt" for top in ("", "as-of/one/", "as-of/final/")))
        out = self.path("copy")
        self.run_command(["rsync", "-a", f"{view}/", f"{out}/"])
        self.run_command(["diff", "-r", view, out])
        self.assertEqual(self.rsync(view, out), b"")
        with open(self.path("t.tar"), "wb") as tar:
            self.run_command(["tar", "-C", view, "-c", "."], stdout=tar)
        os.mkdir(self.path("untar"))
        self.run_command(["tar", "-C", self.path("untar"), "-xf", self.path("t.tar")])
        self.run_command(["diff", "-r", view, self.path("untar")])
        self.assertEqual(sorted(os.listdir(view)), sorted([
            "artifacts", "as-of", "checkpoints", "events.jsonl", "evidence", "manifest.json",
            "policy"]))
        manifest = self.manifest(view)
        self.assertEqual(manifest["outcome"], "abandon")
        self.assertEqual(manifest["checkpoints"], ["one", "final"])
        events = self.exported_events(view)
        self.assertEqual(events, self.lines(at=point))
        then = self.exported_events(f"{view}/as-of/one")
        self.assertEqual(then, events[:self.found_run(at=point)["checkpoints"][0]["event_count"]])
        for row in json.loads(support.read(f"{view}/checkpoints/final.json"))["uri_index"]:
            if "b.bin" not in row["uri"] and not row["uri"].endswith("/pw"):
                self.verb("resolve-uri", row["uri"], at=point)
        self.umount(point)

    def test_read_only(self):
        """Nothing in it can be changed, by anybody."""
        point = self.attach("timeline=0")
        view = self.recorded(point)
        for attempt in mutations(view, f"{view}/manifest.json", f"{view}/artifacts"):
            with self.subTest(attempt[0]):
                with self.assertRaises(OSError) as caught:
                    attempt[1]()
                self.assertIn(caught.exception.errno, (30, 1, 13), attempt[0])
        self.umount(point)

    def test_live(self):
        """A run that goes on is in the view with its latest events, without a remount."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        events = f"{point}/.capsule/runs/S1/r1/events.jsonl"
        for number in range(5):
            self.add("DebugTrace", {"n": number}, at=point)
            self.assertTrue(support.wait_until(
                lambda: support.read(events).count(b"\n") == number + 1), number)
            size = os.stat(events).st_size
            self.assertEqual(size, len(support.read(events)))
        self.begin("r2", at=point)
        self.assertTrue(support.wait_until(
            lambda: sorted(os.listdir(f"{point}/.capsule/runs/S1")) == ["r1", "r2"]))
        subprocess.run(["tail", "-n1", events], check=True, timeout=10, capture_output=True)
        self.umount(point)

    def test_for_reading(self):
        """A mount for reading has the runs, too."""
        point = self.attach("timeline=0")
        self.recorded(point)
        self.umount(point)
        self.attach("ro", point=point)
        self.assertEqual(self.manifest(f"{point}/.capsule/runs/S1/r1")["outcome"], "abandon")
        self.umount(point)


def mutations(top, file, directory):
    """[(name, call)]: what must be refused in a folder for reading."""
    def opened(flags):
        os.close(os.open(file, flags))

    return [
        ("open for writing", lambda: opened(os.O_WRONLY)),
        ("open for both", lambda: opened(os.O_RDWR)),
        ("open and cut", lambda: opened(os.O_RDONLY | os.O_TRUNC)),
        ("append", lambda: opened(os.O_WRONLY | os.O_APPEND)),
        ("create", lambda: support.write(f"{top}/new", b"x")),
        ("create below", lambda: support.write(f"{directory}/new", b"x")),
        ("truncate", lambda: os.truncate(file, 0)), ("unlink", lambda: os.unlink(file)),
        ("rmdir", lambda: os.rmdir(directory)), ("mkdir", lambda: os.mkdir(f"{top}/d")),
        ("mkfifo", lambda: os.mkfifo(f"{top}/p")),
        ("mknod", lambda: os.mknod(f"{top}/n", 0o600)),
        ("symlink", lambda: os.symlink("x", f"{top}/l")),
        ("link", lambda: os.link(file, f"{top}/h")),
        ("rename", lambda: os.rename(file, f"{file}.new")),
        ("rename over", lambda: os.replace(file, f"{top}/events.jsonl")),
        ("chmod", lambda: os.chmod(file, 0o777)), ("chown", lambda: os.chown(file, 1, 1)),
        ("utime", lambda: os.utime(file, (1, 1))),
        ("utime of the top", lambda: os.utime(top, (1, 1))),
        ("chmod of the top", lambda: os.chmod(top, 0o777)),
        ("setxattr", lambda: os.setxattr(file, "user.x", b"y")),
        ("removexattr", lambda: os.removexattr(file, "user.x"))]


if __name__ == "__main__":
    import unittest

    unittest.main()
