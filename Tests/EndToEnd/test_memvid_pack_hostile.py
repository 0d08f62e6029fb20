"""Packed files of strangers: an error or a safe folder, never a crash, nothing outside."""

import base64
import json
import os

import memvid_files as files
import support
import test_memvid_pack as pack
from support import CAPSULE


def b64(value):
    """As entries have paths."""
    return base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()


def entry(path, mode=0o100644, **more):
    """A line of the tree record, or what a document has in its extra metadata."""
    return json.dumps({
        "path": b64(path), "mode": mode, "uid": 0, "gid": 0, "seconds": 1, "nanoseconds": 0,
        **more}, sort_keys=True)


ROOT = entry("", 0o40755)


def packed(documents, lines):
    """A file as `pack` writes it, of [(uri, bytes, entry)] and lines of the record."""
    listed = [(uri, content, {"pairs": [("capsulefs.entry", line)]})
              for uri, content, line in documents]
    record = "\n".join(lines).encode()
    listed.append(("mv2://.capsulefs/tree", record, {"pairs": [("capsulefs.tree", "1")]}))
    return files.file_of(listed)


class Hostile(pack.PackCase):
    """Packed files of strangers: an error or a safe folder, never a crash, nothing outside."""

    def attempt(self, whole, name="h"):
        """Every way to read it; the extracted tree, or None."""
        path, out = self.file(f"{name}.mv2", whole), self.path(name, "out")
        os.mkdir(self.path(name))
        outside = {"before": sorted(os.listdir(self.root))}
        codes = []
        for words in (["ls", path, "-R"], ["verify", path], ["doctor", path, "--deep"],
                      ["extract", path, out, "--trust-special"]):
            result = self.capsule(*words, rc=None, timeout=30)
            self.assertIn(result.returncode, (0, 1, 2, 3), (name, words, result.stderr[-300:]))
            codes.append(result.returncode)
        self.assertEqual(sorted(os.listdir(self.root)), outside["before"], name)
        self.assertLessEqual(set(os.listdir(self.path(name))), {"out"}, name)
        return out if codes[-1] == 0 else None

    def test_paths(self):
        """`..`, absolute, empty and NUL components in the record and in documents."""
        paths = ["../up", "a/../../up", "/abs", "a//b", ".", "..", "a/", b"a\0b", "x" * 256,
                 "/".join(["d"] * 5000)]
        for at, path in enumerate(paths):
            with self.subTest(path=path[:20]):
                self.attempt(packed([], [ROOT, entry(path, 0o40755)]), f"r{at}")
                self.attempt(
                    packed([("mv2://f", b"x", entry(path, size=1))], [ROOT]), f"d{at}")
                self.attempt(packed(
                    [("mv2://f", b"x", entry("f", size=1))],
                    [ROOT, entry("l", link=b64(path)), entry(path, link=b64("f")),
                     entry("s", 0o120777, target=b64("../../up"))]), f"l{at}")

    def test_through_a_link(self):
        """A symbolic link, and files below its name."""
        out = self.attempt(packed(
            [("mv2://l/x", b"x", entry("l/x", size=1))],
            [ROOT, entry("l", 0o120777, target=b64(self.root))]))
        self.assertFalse(os.path.exists(self.path("x")))
        self.assertTrue(out is None or not os.path.lexists(f"{out}/l/x/x"))

    def test_duplicates(self):
        """One path several times, as whatever."""
        kinds = [entry("a", 0o40755), entry("a", 0o120777, target=b64("/")),
                 entry("a", 0o10644), entry("a", link=b64("b")), entry("a", 0o20666, device=1)]
        for at in range(len(kinds)):
            lines = kinds[at:] + kinds[:at]
            self.attempt(packed(
                [("mv2://a", b"x", entry("a", size=1)), ("mv2://b", b"y", entry("b", size=1)),
                 ("mv2://a2", b"z", entry("a", size=1))], [ROOT, *lines, ROOT]), f"h{at}")

    def test_links(self):
        """Further names of directories, of themselves, of each other, of nothing."""
        self.attempt(packed(
            [("mv2://f", b"x", entry("f", size=1))],
            [ROOT, entry("d", 0o40755), entry("1", link=b64("d")), entry("2", link=b64("2")),
             entry("3", link=b64("4")), entry("4", link=b64("3")), entry("5", link=b64("")),
             entry("6", link=b64("f")), entry("7", link=b64("6")), entry("8", link="%%"),
             entry("9", 0o40755, link=b64("f")), entry("d/1", 0o120777, link=b64("f")),
             entry(".memvid/x", link=b64("f")), entry(".memvid", 0o40755)]))

    def test_link_to_link(self):
        """A further name of a further name has the size of the file."""
        path = self.file("x.mv2", packed(
            [("mv2://f", b"xyz", entry("f", size=3))],
            [ROOT, entry("g", link=b64("f")), entry("h", link=b64("g"))]))
        for line in self.capsule("ls", path, "-n").stdout.splitlines():
            self.assertEqual(line.split()[4], b"3", line)

    def test_parts(self):
        """Parts that do not add up are documents like any, or an error."""
        for at, parts in enumerate([
                [(1, 0)], [(1, None)], [(-1, -5)], [(0, 1)], [(2, 1)], [(1, 2)], [(1, 1), (1, 1)],
                [(1, 2), (2, 2)], [(1, 10**10)], [(1, 10**18)], [(2**62, 2**63 - 1)],
                [(1, 3), (3, 3)], [(None, 2)]]):
            with self.subTest(parts=parts):
                documents = []
                for number, count in parts:
                    more = {"part": number, "partCount": count}
                    more = {key: value for key, value in more.items() if value is not None}
                    documents.append((
                        f"mv2://f.part-{len(documents)}", b"x",
                        entry("f", size=len(parts), **more)))
                self.attempt(packed(documents, [ROOT]), f"p{at}")

    def test_sizes(self):
        """Sizes and runs that lie."""
        huge = 2**63 - 1
        for at, more in enumerate([
                {"size": 2}, {"size": 0}, {"size": huge}, {"size": 2**63}, {"size": -1}, {},
                {"size": 9, "extents": [[0, 1], [0, 1]]}, {"size": 9, "extents": [[8, 2]]},
                {"size": 9, "extents": [[8, 1, 1]]}, {"size": 9, "extents": [[8, 0]]},
                {"size": 9, "extents": [[2**64 - 1, 2]]}, {"size": 9, "extents": []},
                {"size": huge, "extents": [[0, huge]]}, {"extents": [[0, 1]]}]):
            with self.subTest(more=more):
                self.attempt(packed([("mv2://f", b"x", entry("f", **more))], [ROOT]), f"s{at}")

    def test_fields(self):
        """Modes, owners, times, devices and attributes that no file system has."""
        for at, more in enumerate([
                {"mode": 0}, {"mode": 2**32 - 1}, {"mode": 0o177777}, {"nanoseconds": 10**9},
                {"seconds": 2**63 - 1}, {"seconds": -2**63}, {"uid": 2**32 - 1, "gid": 2**32 - 1},
                {"mode": 0o20666, "device": 2**64 - 1}, {"mode": 0o120777, "target": b64(b"\0")},
                {"mode": 0o120777, "target": ""}, {"mode": 0o120777},
                {"attributes": [{"name": b64("user.\0"), "value": ""}]},
                {"attributes": [{"name": "", "value": "*"}] * 3},
                {"attributes": [{"name": b64("nospace"), "value": b64(b"x" * 70000)}]}]):
            with self.subTest(more=more):
                line = json.loads(entry("f"))
                line.update(more)
                self.attempt(packed([], [ROOT, json.dumps(line)]), f"f{at}")

    def test_records(self):
        """Lines that are no entries, no line at all, two records."""
        for at, lines in enumerate([[], ["{"], ["null"], ["[" * 100_000], [ROOT, ""], ["\xff"]]):
            self.attempt(packed([], lines), f"t{at}")

    def test_below_a_file(self):
        """A document whose URI goes through a packed file is shown all the same."""
        listed = [("mv2://a", b"x", {"pairs": [("capsulefs.entry", entry("a", size=1))]}),
                  ("mv2://a/b.txt", b"added"),
                  ("mv2://.capsulefs/tree", ROOT.encode(), {"pairs": [("capsulefs.tree", "1")]})]
        path = self.file("x.mv2", files.file_of(listed))
        self.assertEqual(self.capsule("cat", path, "a").stdout, b"x")
        self.assertIn(b"b.txt", self.capsule("ls", path, "-R").stdout)

    @support.heavy
    def test_a_million_lines(self):
        """A record of 1e6 lines is read in bounded time and memory."""
        path = self.file("x.mv2", packed(
            [], [ROOT, *(entry(f"d{at % 1000}/{at}", 0o10644) for at in range(1_000_000))]))
        result = self.run_command(
            ["/bin/sh", "-c", f"ulimit -v 8000000; exec {CAPSULE} ls {path} d7"], timeout=120)
        self.assertEqual(result.stdout.count(b"\n"), 1000)

    def test_many_runs(self):
        """A file of many runs is read in a time that does not grow with their square."""
        runs = 50_000
        path = self.file("x.mv2", packed(
            [("mv2://f", b"x" * runs,
              entry("f", size=2 * runs, extents=[[2 * at, 1] for at in range(runs)]))], [ROOT]))
        self.capsule("extract", path, self.path("out"), timeout=20)
        self.assertEqual(support.read(self.path("out/f")), b"x\0" * runs)


if __name__ == "__main__":
    import unittest
    unittest.main()
