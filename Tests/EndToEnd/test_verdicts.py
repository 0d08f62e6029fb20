"""Exit codes, JSON, messages, and what `verify` says of signatures."""

import base64
import os
import unittest

import support
from support import CAPSULE, CAPSULEFS


class ExitCodes(support.EndToEnd):
    """0 done, 1 the user, 2 the system, 3 validation."""

    def test_usage_errors(self):
        """Whatever cannot be understood is 1 and says where help is."""
        capsule = self.seal()
        for words in (
                ["nonsense"], ["seal"], ["seal", self.path("src")], ["ls"], ["ls", "--bogus"],
                ["seal", self.path("src"), "x", "--level", "20"],
                ["seal", self.path("src"), "x", "--level", "three"],
                ["seal", self.path("src"), "x", "--block-size", "5000"],
                ["doctor", capsule, "--sample", "0%"], ["verify", capsule, "--root", "xyz"],
                ["slot"], ["slot", "add"], ["slot", "remove", capsule, "x"], ["trust", "what"]):
            with self.subTest(words=words):
                result = self.capsule(*words, rc=None)
                if words == ["slot"]:
                    continue
                self.assertEqual(result.returncode, 1)
                self.assertEqual(result.stdout, b"")
                self.assertTrue(result.stderr)

    def test_usage_errors_name_the_help(self):
        """The hint is the help of the verb, if there is one."""
        capsule = self.seal()
        for words, hint in (
                (["nonsense"], "capsule --help"), (["--bogus"], "capsule --help"),
                (["ls"], "capsule ls --help"), (["ls", capsule, "--bogus"], "capsule ls --help"),
                (["seal", self.path("src"), "x", "--level", "20"], "capsule seal --help"),
                (["doctor", capsule, "--sample", "0%"], "capsule doctor --help"),
                (["slot", "add"], "capsule slot --help"),
                (["trust", "what"], "capsule trust --help")):
            with self.subTest(words=words):
                result = self.capsule(*words, rc=1)
                self.assertTrue(result.stderr.endswith(f"See '{hint}'.\n".encode()), result.stderr)

    def test_usage_errors_as_json(self):
        """With --json also what cannot be parsed is reported as JSON on stderr."""
        code, _ = self.error_of("seal", "--bogus", rc=1)
        self.assertEqual(code, "usage")

    def test_driver_usage_errors(self):
        """capsulefs, too."""
        capsule, point = self.seal(), self.path("mnt")
        os.mkdir(point)
        for words in (
                [], [capsule], ["--bogus", capsule, point], [capsule, point, "-o"],
                [capsule, point, "-o", "bogus"], [capsule, point, "-o", "bogus=1"],
                [capsule, point, "-o", "umask=999"], [capsule, point, "-o", "threads=0"],
                [capsule, point, "-o", "cache=many"], [capsule, point, "-o", "root=12"],
                [capsule, point, "--notify-fd", "x"], [capsule, point, "third"]):
            with self.subTest(words=words):
                result = self.run_command([CAPSULEFS, *words], rc=1)
                self.assertTrue(result.stderr)
        self.assertEqual(support.mounts_below(self.root), [])

    def test_help(self):
        """--help of every verb is a result: exit code 0, on stdout, one screen, names the page."""
        verbs = ["", "seal", "sign", "rekey", "ls", "cat", "extract", "diff", "mount", "umount",
                 "inspect", "verify", "doctor", "trust", "slot"]
        for verb in verbs:
            result = self.capsule(*filter(None, [verb, "--help"]))
            self.assertEqual(result.stderr, b"")
            page = {"umount": "mount"}.get(verb, verb)
            name = f"capsule-{page}(1)" if verb else "capsule-seal(1)"
            self.assertIn(name.encode(), result.stdout)
            self.assertLess(result.stdout.count(b"\n"), 80)

    def test_help_of_the_driver(self):
        """capsulefs --help fits a screen."""
        result = self.run_command([CAPSULEFS, "--help"])
        self.assertLess(result.stdout.count(b"\n"), 40)
        self.assertIn(b"capsulefs(8)", result.stdout)

    def test_version(self):
        """--version prints the name and the version."""
        for program in (CAPSULE, CAPSULEFS):
            result = self.run_command([program, "--version"])
            name = os.path.basename(program)
            self.assertRegex(result.stdout.decode(), rf"\A{name} \d+\.\d+\.\d+\n\Z")

    def test_missing_and_unsuitable_files(self):
        """A missing file, a directory, something else: 1; every message names the object."""
        other = support.write(self.path("other.mv2e"), b"this is no capsule " * 5000)
        empty = support.write(self.path("empty.mv2e"))
        for verb in ("ls", "inspect", "verify", "doctor"):
            for path in (self.path("missing.mv2e"), other, empty, self.home):
                with self.subTest(verb=verb, path=path):
                    secret = [] if verb in ("inspect", "verify") else self.open_pw
                    code, message = self.error_of(verb, path, *secret, rc=1)
                    self.assertIn(os.path.basename(path), message)
        code, _ = self.error_of("verify", other, rc=1)
        self.assertEqual(code, "not_a_capsule")
        self.capsule("seal", self.path("missing"), self.path("x"), *self.open_pw, rc=1)
        self.capsule("seal", other, self.path("x"), *self.open_pw, rc=1)
        self.capsule("seal", self.sample(), self.path("no/dir/x"), *self.open_pw, rc=1)

    def test_unsupported_version(self):
        """Another version of the format is an answer of its own; version 1 is Memvid's."""
        capsule = self.seal()
        for version in (b"\x01\x00", b"\x03\x00"):
            content = bytearray(support.read(capsule))
            content[4:6] = version
            path = support.write(self.path("v.mv2e"), bytes(content))
            code, message = self.error_of("inspect", path, rc=2)
            self.assertEqual(code, "unsupported_version", message)

    def test_damage_is_2(self):
        """Damaged and truncated capsules: 2, each with its own code."""
        capsule = self.seal()
        size = os.path.getsize(capsule)
        content = support.read(capsule)
        cut = support.write(self.path("cut.mv2e"), content[:size - 100])
        code, _ = self.error_of("ls", cut, *self.open_pw, rc=2)
        self.assertIn(code, ("truncated", "damaged"))
        longer = support.write(self.path("longer.mv2e"), content + b"\0")
        self.capsule("verify", longer, rc=2)
        support.write(self.path("bad.mv2e"), content)
        self.damage(self.path("bad.mv2e"), size - 50)
        self.capsule("verify", self.path("bad.mv2e"), rc=2)

    def test_diff(self):
        """0 although there are differences; 1 with --exit-code."""
        one = self.seal()
        support.write(self.path("src", "a.txt"), b"other\n")
        support.write(self.path("src", "new"), b"")
        os.remove(self.path("src", "sub/b.bin"))
        two = self.seal(self.path("src"), "d.mv2e")
        for second in (two, self.path("src")):
            self.capsule("diff", one, second, *self.open_pw)
            result = self.capsule("diff", one, second, *self.open_pw, "--exit-code", rc=1)
            lines = result.stdout.decode().splitlines()
            self.assertIn("added  new", lines)
            self.assertIn("removed  sub/b.bin", lines)
            self.assertTrue([x for x in lines if x.startswith("changed  a.txt (content")], lines)
        self.capsule("diff", one, one, *self.open_pw, "--exit-code")


class Json(support.EndToEnd):
    """--json of every reading verb."""

    def test_every_reading_verb(self):
        """Parses, has the version fields, sorted keys, and nothing on stderr."""
        capsule = self.seal()
        facts = self.capsule_json("inspect", capsule)
        self.assertEqual(facts["format_version"], 2)
        checked = self.capsule_json("verify", capsule)
        self.assertTrue(checked["intact"])
        self.assertEqual(checked["root"], facts["root"])
        for words in (
                ["ls", "-R"], ["doctor", "--deep"], ["slot", "list"],
                ["extract"], ["diff"], ["trust", "list"]):
            more = {"extract": [self.path("o")], "diff": [capsule]}.get(words[0], [])
            where = [] if words[0] == "trust" else [capsule, *more, *self.open_pw]
            with self.subTest(words=words):
                self.capsule_json(*words, *where)

    def test_writing_verbs(self):
        """seal, sign and rekey report as JSON, too."""
        sealed = self.capsule_json(
            "seal", self.sample(), self.path("c"), *self.open_pw, *support.CHEAP)
        self.assertEqual(sealed["manifest"]["entry_count"], 6)
        signed = self.capsule_json("sign", self.path("c"), "--key", self.key())
        self.assertEqual(signed["root"], sealed["root"])
        again = self.capsule_json(
            "rekey", self.path("c"), self.path("d"), *self.open_pw, "--new-passphrase-file",
            self.pw, *support.CHEAP)
        self.assertNotEqual(again["root"], sealed["root"])

    def test_ls_tells_everything(self):
        """Types, modes, sizes, times to the nanosecond, targets."""
        base = self.sample()
        os.utime(f"{base}/a.txt", ns=(1, 1_500_000_000_123_456_789))
        rows = self.capsule_json("ls", self.seal(base), "-R", *self.open_pw)["entries"]
        found = {row["name"]: row for row in rows}
        self.assertEqual(
            sorted(found), ["a.txt", "link", "sub", "sub/b.bin", "sub/deep", "sub/deep/c"])
        self.assertEqual(found["link"]["target"], "a.txt")
        self.assertEqual(found["a.txt"]["mtime_ns"], 123_456_789)
        self.assertEqual(found["a.txt"]["size"], 6)
        self.assertEqual(found["sub"]["type"], "directory")
        self.assertTrue(found["a.txt"]["mtime"].startswith("2017-07-14T02:40:00"))

    def test_names_that_are_not_utf8(self):
        """name_b64 in JSON; -0 gives the bytes; tables escape what a terminal would obey."""
        base = self.sample()
        odd = [b"bad-\xff\xfe", b"esc-\x1b[2J\x1b]0;title\x07", b"new\nline", b"\xc2\x9b31m"]
        for name in odd:
            with open(os.fsencode(base) + b"/" + name, "wb"):
                pass
        capsule = self.seal(base)
        rows = self.capsule_json("ls", capsule, *self.open_pw)["entries"]
        coded = [base64.b64decode(row["name_b64"]) for row in rows if "name_b64" in row]
        self.assertEqual(coded, [odd[0]])
        plain = {row["name"].encode() for row in rows if "name" in row}
        self.assertLess(set(odd[1:]), plain)
        raw = self.capsule("ls", capsule, "-0", *self.open_pw).stdout.split(b"\0")
        self.assertLess(set(odd), set(raw))
        for words in (["ls"], ["ls", "-l"], ["ls", "-R"], ["diff"]):
            more = [self.home] if words == ["diff"] else []
            text = self.capsule(words[0], capsule, *more, *words[1:], *self.open_pw).stdout
            self.assert_tame(text)

    def assert_tame(self, text):
        """No control character of C0 or C1 but the line feed."""
        for character in text.decode():
            code = ord(character)
            self.assertFalse((code < 32 and code != 10) or 127 <= code < 160, repr(text))

    def test_labels_are_escaped(self):
        """What a stranger wrote into the clear header cannot drive the terminal."""
        capsule = self.seal(None, "c.mv2e", "--label", "evil\x1b[2J", "--hint", "a\nb")
        self.assert_tame(self.capsule("inspect", capsule).stdout)
        facts = self.capsule_json("inspect", capsule)
        self.assertEqual(facts["claimed"]["label"], "evil\x1b[2J")

    def test_errors_name_files_tamely(self):
        """A file name with escapes on the command line is shown escaped in messages."""
        path = self.path("no\x1b[2Jsuch")
        result = self.run_command([CAPSULE, "inspect", path], rc=1)
        self.assertNotIn(b"\x1b", result.stderr)

    def test_doctor_fields(self):
        """Findings have severity, check and message; warnings do not change the exit code."""
        found = self.capsule_json("doctor", self.seal(), *self.open_pw, "--sample", "50%")
        self.assertEqual(found["errors"], 0)
        self.assertGreater(found["warnings"], 0)
        for item in found["findings"]:
            self.assertIn(item["severity"], ("ok", "warning"))
            self.assertTrue(item["check"] and item["message"])

    def test_stdout_closed(self):
        """A reader that goes away does not make a crash."""
        capsule = self.seal()
        line = f"'{CAPSULE}' ls {capsule} -R --passphrase-file {self.pw} | true"
        self.run_command(["bash", "-c", f"set -o pipefail; {line}; test $? -lt 126"])


if __name__ == "__main__":
    unittest.main()
