"""Secrets: every source, their order, refusals, and that they never show."""

import os
import stat
import threading
import unittest

import support
import terminal
from support import CAPSULE, CAPSULEFS, CHEAP, SECRET

WRONG = b"not the passphrase"


class Sources(support.EndToEnd):
    """Each source of a secret opens the capsule."""

    def opens(self, capsule, *words, rc=0, **options):
        """Lists the capsule with the secret that `words` name."""
        result = self.capsule("ls", capsule, *words, rc=rc, **options)
        if rc == 0:
            self.assertIn(b"a.txt\n", result.stdout)
        return result

    def test_passphrase_file_line_ends(self):
        """Exactly one LF or CRLF at the end does not count; everything else does."""
        capsule = self.seal()
        for end in (b"", b"\n", b"\r\n"):
            self.opens(capsule, "--passphrase-file", support.write(self.path("p"), SECRET + end))
        for text in (SECRET + b"\n\n", SECRET + b" \n", b" " + SECRET, SECRET + b"\r"):
            path = support.write(self.path("p"), text)
            self.opens(capsule, "--passphrase-file", path, rc=1)

    def test_binary_passphrase(self):
        """Bytes are taken as they are; a passphrase need not be UTF-8."""
        secret = support.write(self.path("binary"), b"\xff\xfe\x01\n\x80x\n")
        capsule = self.seal(None, "b.mv2e", "--new-passphrase-file", secret, secret=False)
        self.opens(capsule, "--passphrase-file", secret)

    def test_descriptor(self):
        """--passphrase-fd reads an inherited descriptor, a file's or a pipe's."""
        capsule = self.seal()
        with open(self.pw, "rb") as file:
            number = file.fileno()
            self.opens(capsule, "--passphrase-fd", str(number), pass_fds=[number])
        self.opens(capsule, "--passphrase-fd", "0", data=SECRET + b"\n")
        self.opens(capsule, "--passphrase-fd", "77", rc=1)

    def test_command(self):
        """--passphrase-command takes what a command prints; its failure is one."""
        capsule = self.seal()
        self.opens(capsule, "--passphrase-command", f"cat '{self.pw}'")
        self.opens(capsule, "--passphrase-command", "false", rc=1)
        self.opens(capsule, "--passphrase-command", f"cat '{self.pw}'; exit 3", rc=1)

    def test_environment_and_its_order(self):
        """CAPSULE_PASSPHRASE comes before SPECKIT_MEMVID_PASSPHRASE; both after options."""
        capsule = self.seal()
        good, bad = os.fsdecode(SECRET), os.fsdecode(WRONG)
        one, two = "CAPSULE_PASSPHRASE", "SPECKIT_MEMVID_PASSPHRASE"
        self.opens(capsule, env={one: good})
        self.opens(capsule, env={two: good})
        self.opens(capsule, env={one: good, two: bad})
        self.opens(capsule, env={one: bad, two: good}, rc=1)
        self.opens(capsule, *self.open_pw, env={one: bad})
        self.opens(
            capsule, "--passphrase-file", support.write(self.path("w"), WRONG), env={one: good},
            rc=1)

    def test_environment_seals(self):
        """Without --new-…, the opening sources make the slot."""
        source = self.sample()
        good = os.fsdecode(SECRET)
        self.capsule(
            "seal", source, self.path("e"), *CHEAP, env={"SPECKIT_MEMVID_PASSPHRASE": good})
        self.capsule("seal", source, self.path("f"), *CHEAP, *self.open_pw)
        for name in ("e", "f"):
            self.opens(self.path(name), *self.open_pw)

    def test_command_line_warns(self):
        """--passphrase works, as the seeds show it, and warns."""
        capsule = self.seal()
        result = self.opens(capsule, "--passphrase", os.fsdecode(SECRET))
        self.assertIn(b"warning", result.stderr)

    def test_several_sources(self):
        """Any one of the named secrets is enough."""
        capsule = self.seal()
        wrong = support.write(self.path("w"), WRONG)
        self.opens(capsule, "--passphrase-file", wrong, *self.open_pw)

    def test_key_file(self):
        """--new-key-file makes a 0600 file of 32 bytes or more, which opens; others do not."""
        key = self.path("key")
        capsule = self.seal(None, "k.mv2e", "--new-key-file", key, secret=False)
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        self.assertGreaterEqual(os.path.getsize(key), 32)
        self.opens(capsule, "--key-file", key)
        other = support.write(self.path("other"), b"y" * 32)
        self.opens(capsule, "--key-file", other, rc=1)
        self.opens(capsule, "--key-file", support.write(self.path("s"), b"short"), rc=1)
        again = self.seal(self.path("src"), "k2.mv2e", "--new-key-file", other, secret=False)
        self.assertEqual(support.read(other), b"y" * 32)
        self.opens(again, "--key-file", other)

    def test_identity(self):
        """age's recipients and identity files, as age-keygen writes them."""
        identity = self.path("identity")
        self.run_command(["age-keygen", "-o", identity])
        text = support.read(identity).decode()
        public = text.split("public key: ")[1].split()[0]
        direct = self.seal(None, "r.mv2e", "--recipient", public, secret=False)
        listed = support.write(self.path("list"), f"# a comment\n\n{public}\n")
        through = self.seal(
            self.path("src"), "l.mv2e", "--recipient", "@" + listed, secret=False)
        other = self.path("other")
        self.run_command(["age-keygen", "-o", other])
        for capsule in (direct, through):
            self.opens(capsule, "--identity", identity)
            self.opens(capsule, "--identity", other, rc=1)
        code, message = self.error_of("ls", direct, rc=1)
        self.assertEqual(code, "missing_secret", message)
        self.seal(self.path("src"), "x.mv2e", "--recipient", "age1junk", secret=False, rc=1)

    def test_recovery_phrase(self):
        """24 words in a 0600 file, which open; nowhere else."""
        phrase = self.path("phrase")
        result = self.capsule(
            "seal", self.sample(), self.path("c"), "--new-recovery-phrase-file", phrase, *CHEAP,
            "--json")
        self.assertEqual(stat.S_IMODE(os.stat(phrase).st_mode), 0o600)
        words = support.read(phrase).split()
        self.assertEqual(len(words), 24)
        for text in (result.stdout, result.stderr):
            self.assertNotIn(b" ".join(words[:3]), text)
        self.opens(self.path("c"), "--recovery-phrase-file", phrase)
        self.opens(self.path("c"), "--recovery-phrase-fd", "0", data=support.read(phrase))
        words[0], words[1] = b"abandon", b"zoo"
        bad = support.write(self.path("bad"), b" ".join(words))
        self.opens(self.path("c"), "--recovery-phrase-file", bad, rc=1)

    def test_recovery_phrase_needs_a_terminal(self):
        """Without a terminal or a file no phrase is made, and no capsule."""
        self.capsule(
            "seal", self.sample(), self.path("c"), "--recovery-phrase", *CHEAP, rc=1)
        self.assertFalse(os.path.exists(self.path("c")))

    def test_empty_and_nul_are_refused(self):
        """From every source, for opening and for creating."""
        source, capsule = self.sample(), self.seal()
        for number, text in enumerate([b"", b"\n", b"\r\n", b"a\0b\n", b"\0"]):
            bad = support.write(self.path(f"bad{number}"), text)
            self.opens(capsule, "--passphrase-file", bad, rc=1)
            self.opens(capsule, "--passphrase-fd", "0", data=text, rc=1)
            self.opens(capsule, "--passphrase-command", f"cat {bad}", rc=1)
            self.capsule(
                "seal", source, self.path("no"), "--new-passphrase-file", bad, *CHEAP, rc=1)
            self.assertFalse(os.path.exists(self.path("no")))
        self.opens(capsule, env={"CAPSULE_PASSPHRASE": ""}, rc=1)

    def test_missing_secret(self):
        """Without a source and without a terminal the message says what to use."""
        code, message = self.error_of("ls", self.seal(), rc=1)
        self.assertEqual(code, "missing_secret")
        self.assertIn("--passphrase-file", message)

    def test_wrong_secret(self):
        """A wrong passphrase is exit code 1 and has its own error code."""
        capsule = self.seal()
        wrong = support.write(self.path("w"), WRONG)
        for verb in ("ls", "extract", "doctor", "diff"):
            more = [self.path("src")] if verb in ("extract", "diff") else []
            code, message = self.error_of(
                verb, capsule, *more, "--passphrase-file", wrong, rc=1)
            self.assertEqual(code, "wrong_secret")
            self.assertIn(capsule, message)
            self.assertNotIn(WRONG.decode(), message)


class Prompts(support.EndToEnd):
    """Prompts at a terminal."""

    def talk(self, words, answers):
        """Runs on a terminal; what is typed must not be shown."""
        code, shown = terminal.talk(words, answers, self.env, self.root)
        for _, answer in answers:
            self.assertNotIn(answer, shown)
        return code, shown

    def test_prompt_opens(self):
        """The prompt names the file; what is typed is not shown."""
        capsule = self.seal()
        code, shown = self.talk([CAPSULE, "ls", capsule], [(b"c.mv2e: ", SECRET)])
        self.assertEqual(code, 0, shown)
        self.assertIn(b"a.txt", shown)
        code, shown = self.talk([CAPSULE, "ls", capsule], [(b"c.mv2e: ", WRONG)])
        self.assertEqual(code, 1, shown)

    def test_prompt_twice_for_a_new_one(self):
        """Creating asks twice."""
        source = self.sample()
        words = [CAPSULE, "seal", source, self.path("c"), *CHEAP]
        code, shown = self.talk(words, [(b": ", SECRET), (b"again: ", SECRET)])
        self.assertEqual(code, 0, shown)
        self.capsule("ls", self.path("c"), *self.open_pw)

    def test_prompt_mismatch(self):
        """Two different answers are exit code 1, and nothing is written."""
        words = [CAPSULE, "seal", self.sample(), self.path("c"), *CHEAP]
        code, shown = self.talk(words, [(b": ", SECRET), (b"again: ", WRONG)])
        self.assertEqual(code, 1, shown)
        self.assertFalse(os.path.exists(self.path("c")))

    def test_recovery_phrase_on_the_terminal(self):
        """Shown once, on the terminal, also where stdout goes elsewhere."""
        source = self.sample()
        line = f"'{CAPSULE}' seal {source} c --recovery-phrase {' '.join(CHEAP)} --json >out"
        code, shown = self.talk(["sh", "-c", line], [])
        self.assertEqual(code, 0, shown)
        words = shown.split(b"again.")[1].split()
        self.assertEqual(len(words), 24)
        self.assertNotIn(words[0] + b" " + words[1], support.read(self.path("out")))
        phrase = support.write(self.path("phrase"), b" ".join(words))
        self.capsule("ls", self.path("c"), "--recovery-phrase-file", phrase)

    @support.needs_root
    @support.needs_fuse
    def test_mount_prompts(self):
        """capsulefs asks at the terminal, too, and mounts."""
        capsule = self.seal()
        os.mkdir(self.path("mnt"))
        self.addCleanup(support.detach, self.path("mnt"))
        words = [CAPSULEFS, capsule, self.path("mnt")]
        code, shown = self.talk(words, [(b"c.mv2e: ", SECRET)])
        self.assertEqual(code, 0, shown)
        self.assertEqual(support.read(self.path("mnt", "a.txt")), b"alpha\n")
        self.umount(self.path("mnt"))


@support.needs_root
@support.needs_fuse
class MountSecrets(support.EndToEnd):
    """Secrets of a mount, and that they never show."""

    def test_wrong_passphrase_mounts_nothing(self):
        """Exit code 1, no mount, no process, a message that names the capsule."""
        capsule = self.seal()
        os.mkdir(self.path("mnt"))
        wrong = support.write(self.path("w"), WRONG)
        result = self.mount(capsule, f"passphrase-file={wrong}", secret=False, rc=1)
        self.assertIn(b"c.mv2e", result.stderr)

    def test_every_source_mounts(self):
        """File, descriptor, command, environment, key file, identity, recovery phrase."""
        key, phrase, identity = self.path("key"), self.path("phrase"), self.path("id")
        self.run_command(["age-keygen", "-o", identity])
        public = support.read(identity).decode().split("public key: ")[1].split()[0]
        capsule = self.seal(
            None, "c.mv2e", "--new-key-file", key, "--new-recovery-phrase-file", phrase,
            "--recipient", public)
        good = {"CAPSULE_PASSPHRASE": os.fsdecode(SECRET)}
        for option, more in [
                (f"passphrase-file={self.pw}", {}), ("passphrase-fd=0", {"data": SECRET}),
                (f"passphrase-command=cat {self.pw}", {}), (None, {"env": good}),
                (f"key-file={key}", {}), (f"identity={identity}", {}),
                (f"recovery-phrase-file={phrase}", {})]:
            with self.subTest(option=option):
                options = [option] if option else []
                point = self.mount(capsule, *options, secret=False, **more)
                self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
                self.umount(point)

    def test_capsule_mount_passes_everything_on(self):
        """`capsule mount` takes the options of the other verbs."""
        phrase = self.path("phrase")
        capsule = self.seal(None, "c.mv2e", "--new-recovery-phrase-file", phrase)
        point = self.path("mnt")
        os.mkdir(point)
        self.addCleanup(support.detach, point)
        for words, data in [
                (self.open_pw, None), (["--recovery-phrase-file", phrase], None),
                (["--recovery-phrase-fd", "0"], support.read(phrase))]:
            self.capsule("mount", capsule, point, *words, data=data)
            self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")
            self.umount(point)

    def test_no_secret_in_any_command_line(self):
        """Neither the programs nor their children show the secret in /proc/PID/cmdline."""
        capsule = self.seal()
        seen, done = set(), threading.Event()

        def watch():
            while not done.is_set():
                for name in filter(str.isdigit, os.listdir("/proc")):
                    try:
                        seen.add(support.read(f"/proc/{name}/cmdline"))
                    except OSError:
                        pass

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            environment = {"CAPSULE_PASSPHRASE": os.fsdecode(SECRET)}
            for _ in range(3):
                self.mount(capsule, secret=False, env=environment)
                self.umount(self.path("mnt"))
                self.mount(capsule, f"passphrase-command=sleep 0.1; cat {self.pw}", secret=False)
                self.umount(self.path("mnt"))
        finally:
            done.set()
            watcher.join()
        self.assertTrue(any(b"sleep 0.1" in line for line in seen), "the watcher saw nothing")
        self.assertFalse([line for line in seen if SECRET in line])


if __name__ == "__main__":
    unittest.main()
