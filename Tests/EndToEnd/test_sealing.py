"""Sealing: whole or nothing, full disks, changing files, what is left out, output."""

import glob
import os
import random
import signal
import stat
import threading
import time
import unittest

import support
import terminal
import trees
from support import CAPSULE, CHEAP, NOBODY


class Atomic(support.EndToEnd):
    """A capsule appears whole or not at all."""

    @support.needs_root
    def test_full_disk(self):
        """A full destination is 2 with a message, and nothing is left."""
        small = self.path("small")
        os.mkdir(small)
        self.run_command(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small])
        self.addCleanup(support.detach, small)
        support.write(self.path("src", "large"), trees.noise(3 << 20))
        result = self.capsule(
            "seal", self.path("src"), f"{small}/c.mv2e", *self.open_pw, *CHEAP, rc=2)
        self.assertIn(b"no space", result.stderr.lower())
        self.assertEqual(os.listdir(small), [])
        self.assertGreater(os.statvfs(small).f_bavail, 200)

    def test_into_the_folder_itself(self):
        """The capsule is no part of itself, neither new nor replaced."""
        base = self.sample()
        sealed = self.seal(base, f"{base}/c.mv2e")
        self.seal(base, f"{base}/c.mv2e", "--force")
        rows = self.capsule_json("ls", sealed, "-R", *self.open_pw)["entries"]
        self.assertNotIn("c.mv2e", [row["name"] for row in rows])
        self.assertEqual(len(rows), 6)

    def test_destination_exists(self):
        """Refused with 1 and left alone; --force replaces it."""
        base = self.sample()
        taken = support.write(self.path("c.mv2e"), b"precious")
        code, message = self.error_of(
            "seal", base, taken, *self.open_pw, *CHEAP, rc=1)
        self.assertIn("c.mv2e", message)
        self.assertEqual(support.read(taken), b"precious")
        self.seal(base, "c.mv2e", "--force")
        self.capsule("verify", taken)
        os.symlink("nowhere", self.path("link.mv2e"))
        self.capsule("seal", base, self.path("link.mv2e"), *self.open_pw, *CHEAP, rc=1)
        self.assertFalse(os.path.exists(self.path("nowhere")))

    def test_mode(self):
        """A new capsule is its owner's alone."""
        self.assertEqual(stat.S_IMODE(os.stat(self.seal()).st_mode), 0o600)

    def test_killed(self):
        """SIGKILL at random moments: no file, or a whole one, and nothing beside it."""
        base = self.path("src")
        for number in range(40):
            support.write(f"{base}/{number}", trees.noise(400_000, number))
        place = self.path("out")
        os.mkdir(place)
        chance = random.Random(5)
        words = [CAPSULE, "seal", base, f"{place}/c.mv2e", *self.open_pw, *CHEAP, "--force"]
        started = time.monotonic()
        self.run_command(words)
        usual = time.monotonic() - started
        os.remove(f"{place}/c.mv2e")
        whole = 0
        for _ in range(20):
            process = self.start(words)
            time.sleep(chance.random() * usual * 1.1)
            process.kill()
            process.wait(10)
            self.assertLessEqual(set(os.listdir(place)), {"c.mv2e"})
            if os.path.exists(f"{place}/c.mv2e"):
                self.capsule("verify", f"{place}/c.mv2e", "--quiet")
                whole += 1
                if whole % 2:
                    os.remove(f"{place}/c.mv2e")

    def test_terminated(self):
        """SIGTERM and SIGINT end it, and leave nothing that is not whole."""
        base = self.path("src")
        support.write(f"{base}/large", trees.noise(60 << 20))
        # A shell's background job ignores SIGINT, and its children inherit that.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        for number in (signal.SIGTERM, signal.SIGINT):
            for _ in range(10):
                process = self.start([CAPSULE, "seal", base, "c.mv2e", *self.open_pw, *CHEAP])
                time.sleep(0.1)
                process.send_signal(number)
                status = process.wait(20)
                if os.path.exists(self.path("c.mv2e")):
                    self.capsule("verify", self.path("c.mv2e"), "--quiet")
                    os.remove(self.path("c.mv2e"))
                # On a busy machine the signal may come too late.
                if status != 0:
                    break
            self.assertNotEqual(status, 0)


class Sources(support.EndToEnd):
    """What is read, what is left out, what changes meanwhile."""

    def test_changing_files_are_reported(self):
        """A file that grows while it is sealed is named in a warning and in the manifest."""
        base = self.sample()
        large = support.write(f"{base}/growing", trees.noise(40 << 20))
        done = threading.Event()

        def change():
            while not done.is_set():
                with open(large, "ab") as file:
                    file.write(b"more")
                time.sleep(0.001)

        worker = threading.Thread(target=change)
        worker.start()
        try:
            result = self.capsule("seal", base, self.path("c"), *self.open_pw, *CHEAP)
        finally:
            done.set()
            worker.join()
        self.assertIn(b"warning", result.stderr)
        self.assertIn(b"growing", result.stderr)
        self.capsule("verify", self.path("c"))
        self.capsule("doctor", "--deep", self.path("c"), *self.open_pw)

    @support.needs_root
    def test_unreadable_file(self):
        """A file that this user may not read: an error that names it, and no capsule."""
        base = self.sample()
        support.write(f"{base}/sub/secret", b"x", 0o600)
        place = self.path("free")
        os.mkdir(place)
        os.chmod(place, 0o777)
        code, message = self.error_of(
            "seal", base, f"{place}/c", *self.open_pw, *CHEAP, rc=1, user=NOBODY)
        self.assertIn("sub/secret", message)
        self.assertIn("permission denied", message.lower())
        self.assertEqual(os.listdir(place), [])

    def test_excludes(self):
        """Names anywhere, paths from the root, directories only, and globs."""
        base = self.path("src")
        for name in ("keep", "a.o", "sub/b.o", "sub/keep", "build/x", "sub/build/y", "top",
                     "sub/top", "doc/a.txt", "doc/deep/b.txt", "sub/file/build"):
            support.write(f"{base}/{name}", b"")
        cases = [
            (["*.o"], {"a.o", "sub/b.o"}), (["/top"], {"top"}), (["top"], {"top", "sub/top"}),
            (["build/"], {"build/x", "sub/build/y"}), (["/build/"], {"build/x"}),
            (["doc/*.txt"], {"doc/a.txt"}), (["sub"], {
                "sub/b.o", "sub/keep", "sub/build/y", "sub/top", "sub/file/build"}),
            (["[a-b].o", "kee?"], {"a.o", "sub/b.o", "keep", "sub/keep"})]
        everything = set(support.tree_bytes(base))
        for number, (globs, gone) in enumerate(cases):
            words = [word for text in globs for word in ("--exclude", text)]
            sealed = self.seal(base, f"{number}.mv2e", *words)
            rows = self.capsule_json("ls", sealed, "-R", *self.open_pw)["entries"]
            files = {row["name"] for row in rows if row["type"] == "file"}
            self.assertEqual(everything - files, gone, globs)

    def test_one_file_system_objects(self):
        """A mount point below the folder does not end the sealing."""
        if not support.IS_ROOT:
            self.skipTest(support.ON_MISSING_ROOT)
        base = self.sample()
        os.mkdir(f"{base}/mounted")
        self.run_command(["mount", "-t", "tmpfs", "tmpfs", f"{base}/mounted"])
        self.addCleanup(support.detach, f"{base}/mounted")
        support.write(f"{base}/mounted/inside", b"x")
        sealed = self.seal(base)
        self.assertEqual(
            self.capsule("cat", sealed, "mounted/inside", *self.open_pw).stdout, b"x")


class Forms(support.EndToEnd):
    """What the result looks like, and what is printed on the way."""

    def content_stream(self, sealed):
        """What inspect tells of the content stream."""
        streams = self.capsule_json("inspect", sealed)["streams"]
        return [stream for stream in streams if stream["name"].startswith("content")][0]

    def test_pad(self):
        """With --pad, what compresses and what does not look the same; lengths are rounded."""
        for name, content in [("zero", b"\0" * 1_000_000), ("noise", trees.noise(1_000_000)),
                              ("more", trees.noise(1_003_000))]:
            support.write(self.path(name, "file"), content)
            self.seal(self.path(name), f"{name}.mv2e", "--pad")
        found = [self.content_stream(self.path(f"{name}.mv2e"))
                 for name in ("zero", "noise", "more")]
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0]["plaintext"], found[2]["plaintext"])
        self.assertEqual(found[0]["stored"], found[2]["stored"])
        for name in ("zero", "noise"):
            self.assertEqual(
                self.capsule("diff", self.path(f"{name}.mv2e"), self.path(name),
                             *self.open_pw).stdout, b"")

    def test_pad_hides_everything(self):
        """With --pad every stream and the file are as long for other contents."""
        facts = []
        for name in ("a", "b", "c", "d"):
            support.write(self.path(name, "file"), trees.noise(100_000, ord(name)))
            sealed = self.seal(self.path(name), f"{name}.mv2e", "--pad")
            facts.append(self.capsule_json("inspect", sealed))
        for fact in facts[1:]:
            self.assertEqual(fact["streams"], facts[0]["streams"])
            self.assertEqual(fact["file_length"], facts[0]["file_length"])

    def test_levels_and_block_sizes(self):
        """Every level and block size gives the same tree back."""
        base = self.sample()
        support.write(f"{base}/text", b"some text to be compressed " * 30_000)
        lengths = []
        for number, words in enumerate([
                ["--level", "0"], ["--level", "1"], ["--level", "19"], ["--block-size", "4096"],
                ["--block-size", "1048576"]]):
            sealed = self.seal(base, f"{number}.mv2e", *words)
            self.assertEqual(
                self.capsule("diff", sealed, base, *self.open_pw).stdout, b"", words)
            lengths.append(os.path.getsize(sealed))
        self.assertGreater(lengths[0], lengths[1])

    def test_reproducible(self):
        """The same folder and secret give the same bytes; another secret shares no key."""
        base = self.sample()
        one, two = (self.seal(base, name, "--reproducible") for name in ("1", "2"))
        self.assertEqual(support.read(one), support.read(two))
        support.write(f"{base}/a.txt", b"alphb\n")
        three = self.seal(base, "3", "--reproducible")
        ids = [self.capsule_json("inspect", path)["capsule_id"] for path in (one, three)]
        self.assertNotEqual(ids[0], ids[1])

    def test_quiet(self):
        """--quiet prints nothing at all, on neither stream."""
        base, sealed = self.sample(), self.path("c")
        for words in (
                ["seal", base, sealed, *self.open_pw, *CHEAP], ["verify", sealed],
                ["extract", sealed, self.path("out"), *self.open_pw],
                ["rekey", sealed, self.path("d"), *self.open_pw, "--new-passphrase-file",
                 self.pw, *CHEAP]):
            result = self.capsule(*words, "--quiet")
            self.assertEqual((result.stdout, result.stderr), (b"", b""), words)

    def slow(self):
        """A folder that takes some seconds to be sealed with --level 19."""
        chance = random.Random(1)
        words = [trees.noise(6, number) for number in range(500)]
        for number in range(6):
            text = b" ".join(chance.choices(words, k=500_000))
            support.write(self.path("slow", f"text{number}"), text)
        return ["seal", self.path("slow"), self.path("c"), *self.open_pw, *CHEAP, "--level", "19"]

    def test_sigusr1(self):
        """SIGUSR1 prints one status line, also with --quiet, and does no harm."""
        words = self.slow()
        for more in ([], ["--quiet"]):
            process = self.start([CAPSULE, *words, "--force", *more])
            time.sleep(0.3)
            self.assertIsNone(process.poll(), (
                "it ended too soon for this test", process.returncode))
            process.send_signal(signal.SIGUSR1)
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0)
            lines = [line for line in err.splitlines() if b"sealing" in line or b"check" in line]
            self.assertEqual(len(lines), 1, err)
            self.assertNotIn(b"\x1b", err)
            self.assertEqual(out == b"", bool(more))

    def test_progress_on_a_terminal(self):
        """A line that is rewritten and cleared on a terminal; none with --quiet or dumb ones."""
        words = self.slow()
        for variables, more, shows in [
                ({"TERM": "xterm"}, [], True), ({"TERM": "dumb"}, [], False),
                ({"TERM": "xterm"}, ["--quiet"], False)]:
            code, shown = terminal.talk(
                [CAPSULE, *words, "--force", *more], [], {**self.env, **variables},
                self.root, timeout=60)
            self.assertEqual(code, 0, shown)
            self.assertEqual(b"\r\x1b[K" in shown, shows, shown)

    def test_nothing_beside_the_capsule(self):
        """After all of it the directory holds the capsule and nothing hidden."""
        os.mkdir(self.path("out"))
        self.seal(None, self.path("out", "c.mv2e"))
        self.capsule("slot", "add", self.path("out/c.mv2e"), *self.open_pw, "--new-key-file",
                     self.path("key"))
        self.capsule("sign", self.path("out/c.mv2e"), "--key", self.key())
        self.assertEqual(glob.glob("*", root_dir=self.path("out"), include_hidden=True),
                         ["c.mv2e"])


if __name__ == "__main__":
    unittest.main()
