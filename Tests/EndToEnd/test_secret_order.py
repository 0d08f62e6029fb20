"""The order in which secrets are tried, that each is read once, and that none is a fallback."""

import os
import unittest

import support
import terminal
from support import CAPSULE, CHEAP, SECRET

WRONG = b"not the passphrase"
FIRST, SECOND = "CAPSULE_PASSPHRASE", "SPECKIT_MEMVID_PASSPHRASE"


class EverySecret(support.EndToEnd):
    """A capsule with a slot of every kind."""

    def setUp(self):
        super().setUp()
        self.key, self.phrase = self.path("key"), self.path("phrase")
        self.identity = self.path("identity")
        self.run_command(["age-keygen", "-o", self.identity])
        public = support.read(self.identity).decode().split("public key: ")[1].split()[0]
        self.sealed = self.seal(
            None, "c.mv2e", "--recipient", public, "--new-key-file", self.key,
            "--new-recovery-phrase-file", self.phrase)

    def good(self):
        """[(option, value)] of every source, in the order of capsule(1)."""
        return [
            ("--passphrase-file", self.pw), ("--passphrase-fd", "0"),
            ("--passphrase-command", f"cat '{self.pw}'"), ("--identity", self.identity),
            ("--key-file", self.key), ("--recovery-phrase-file", self.phrase)]

    @staticmethod
    def broken():
        """[(option, value, what the message then names)], in the same order."""
        return [
            ("--passphrase-file", "no-passphrase", "no-passphrase"),
            ("--passphrase-fd", "771", "771"),
            ("--passphrase-command", "exit 9", "passphrase command"),
            ("--identity", "no-identity", "no-identity"), ("--key-file", "no-key", "no-key"),
            ("--recovery-phrase-file", "no-phrase", "no-phrase"),
            ("--recovery-phrase-fd", "772", "772")]

    def wrong(self):
        """[(option, value)] of sources that can be read and do not fit."""
        other = self.path("other")
        self.run_command(["age-keygen", "-o", other])
        self.seal(self.path("src"), "d.mv2e", "--new-recovery-phrase-file", self.path("words"))
        return [
            ("--passphrase-file", support.write(self.path("w"), WRONG)),
            ("--passphrase-command", f"echo {WRONG.decode()}"), ("--identity", other),
            ("--key-file", support.write(self.path("k"), b"k" * 32)),
            ("--recovery-phrase-file", self.path("words"))]

    @staticmethod
    def words(sources):
        """Options of a command line, in the reverse order: the place there must not count."""
        return [word for source in reversed(sources) for word in source[:2]]


class Order(EverySecret):
    """capsule(1), Secrets that open a capsule."""

    def test_first_of_the_broken(self):
        """Of sources that cannot be read, the error names the one that comes first."""
        broken = self.broken()
        for place, (option, _, name) in enumerate(broken):
            with self.subTest(option=option):
                _, message = self.error_of("ls", self.sealed, *self.words(broken[place:]), rc=1)
                self.assertIn(name, message)

    def test_what_comes_later_is_not_read(self):
        """A source that fits ends the search: what comes after it may be broken."""
        broken = self.broken()
        for place, source in enumerate(self.good()):
            # All passphrases are read before the first is tried; so are all recovery phrases.
            later = broken[max(place + 1, 3):] if place < 5 else []
            with self.subTest(option=source[0]):
                self.capsule(
                    "ls", self.sealed, *self.words([source, *later]), data=SECRET)
        self.capsule(
            "ls", self.sealed, "--recovery-phrase-fd", "0", data=support.read(self.phrase))

    def test_what_does_not_fit_is_passed_over(self):
        """A wrong secret of any kind does not keep a right one of any kind from fitting."""
        for bad in self.wrong():
            for source in self.good():
                with self.subTest(wrong=bad[0], right=source[0]):
                    for pair in ([bad, source], [source, bad]):
                        self.capsule("ls", self.sealed, *self.words(pair), data=SECRET)

    def test_variables_come_after_options(self):
        """A right option wins over wrong variables, without a question."""
        variables = {FIRST: os.fsdecode(WRONG), SECOND: os.fsdecode(WRONG)}
        for source in self.good():
            with self.subTest(option=source[0]):
                self.capsule(
                    "ls", self.sealed, *self.words([source]), data=SECRET, env=variables)


class NoFallback(EverySecret):
    """What was named is used, or it is an error."""

    def test_options_do_not_fall_back(self):
        """A wrong secret that was named is an error although a variable has the right one."""
        variables = {FIRST: os.fsdecode(SECRET), SECOND: os.fsdecode(SECRET)}
        for source in self.wrong():
            with self.subTest(option=source[0]):
                code, _ = self.error_of(
                    "ls", self.sealed, *self.words([source]), rc=1, env=variables)
                self.assertEqual(code, "wrong_secret")
        for source in self.broken():
            with self.subTest(broken=source[0]):
                self.capsule("ls", self.sealed, *self.words([source]), rc=1, env=variables)

    def test_first_variable_hides_the_second(self):
        """CAPSULE_PASSPHRASE, wrong or empty, is not passed over."""
        good = os.fsdecode(SECRET)
        for value, expected in ((os.fsdecode(WRONG), "wrong_secret"), ("", "missing_secret")):
            code, _ = self.error_of(
                "ls", self.sealed, rc=1, env={FIRST: value, SECOND: good})
            self.assertEqual(code, expected)
        self.capsule("ls", self.sealed, env={FIRST: good, SECOND: os.fsdecode(WRONG)})
        self.capsule("ls", self.sealed, env={SECOND: good})

    def shown(self, *words, env=None, answers=(), rc=1):
        """Runs `capsule ls` on a terminal; returns what it shows."""
        code, shown = terminal.talk(
            [CAPSULE, "ls", self.sealed, *words], answers, {**self.env, **(env or {})}, self.root)
        self.assertEqual(code, rc, shown)
        return shown

    def test_prompt_comes_last(self):
        """The terminal is asked only if nothing else was named; the question names the file."""
        for source in self.wrong():
            with self.subTest(option=source[0]):
                self.assertNotIn(b"Passphrase for", self.shown(*source))
        for name in (FIRST, SECOND):
            for value in (WRONG, b""):
                with self.subTest(variable=name, value=value):
                    shown = self.shown(env={name: os.fsdecode(value)})
                    self.assertNotIn(b"Passphrase for", shown)
        question = b"Passphrase for " + os.fsencode(self.sealed)
        self.assertIn(b"a.txt", self.shown(answers=[(question, SECRET)], rc=0))
        self.shown(answers=[(question, WRONG)])

    @support.needs_root
    @support.needs_fuse
    def test_mount(self):
        """The driver does as the other verbs do."""
        variables = {FIRST: os.fsdecode(SECRET)}
        for option, value in self.wrong():
            if option == "--passphrase-command":
                continue
            with self.subTest(option=option):
                os.makedirs(self.path("mnt"), exist_ok=True)
                self.mount(
                    self.sealed, f"{option[2:]}={value}", secret=False, rc=1, env=variables)
        point = self.mount(
            self.sealed, "key-file=no-key", f"passphrase-file={self.pw}", secret=False)
        self.umount(point)
        self.mount(
            self.sealed, f"recovery-phrase-file={self.phrase}", "key-file=no-key", secret=False,
            rc=1)


class ReadOnce(support.EndToEnd):
    """A command or a descriptor is read once, also where its passphrase is needed twice."""

    def counting(self):
        """A passphrase command that counts its runs."""
        return ["--passphrase-command", f"echo run >>'{self.path('runs')}'; cat '{self.pw}'"]

    def runs(self):
        """How often it ran since the last time."""
        count = support.read(self.path("runs")).count(b"run\n")
        os.remove(self.path("runs"))
        return count

    def cases(self, secret):
        """Command lines that need the passphrase for two things."""
        new = self.path("new.mv2e")
        return {
            "rekey": ["rekey", self.path("a.mv2e"), new, *secret, *CHEAP],
            "diff": ["diff", self.path("a.mv2e"), self.path("b.mv2e"), *secret],
            "seal": ["seal", self.path("src"), new, "--parent", self.path("a.mv2e"), *secret,
                     *CHEAP]}

    def check(self, verb):
        """What was written opens with the passphrase."""
        if verb != "diff":
            self.capsule("ls", self.path("new.mv2e"), *self.open_pw)
            os.remove(self.path("new.mv2e"))

    def test_command(self):
        """rekey, diff and seal --parent run the command once."""
        self.seal(None, "a.mv2e")
        self.seal(self.path("src"), "b.mv2e")
        for verb, words in self.cases(self.counting()).items():
            with self.subTest(verb=verb):
                self.capsule(*words)
                self.assertEqual(self.runs(), 1)
                self.check(verb)
        self.capsule("ls", self.path("a.mv2e"), *self.counting())
        self.assertEqual(self.runs(), 1)

    def test_descriptor(self):
        """The same with a pipe, which gives what is in it only once."""
        self.seal(None, "a.mv2e")
        self.seal(self.path("src"), "b.mv2e")
        for verb, words in self.cases(["--passphrase-fd", "0"]).items():
            with self.subTest(verb=verb):
                self.capsule(*words, data=SECRET + b"\n")
                self.check(verb)


if __name__ == "__main__":
    unittest.main()
