"""Signing with keys that need a person: encrypted ones, and security keys."""

import base64
import json
import os
import struct
import unittest

import blake3

import sshagent
import support
import terminal
import trees
from support import CAPSULE, CHEAP

PASSPHRASE = b"open sesame"


class EncryptedKey(support.EndToEnd):
    """A private key under a passphrase, which ssh-keygen asks for on the terminal."""

    def setUp(self):
        super().setUp()
        self.locked = self.path("locked")
        self.run_command(
            ["ssh-keygen", "-q", "-t", "ed25519", "-a", "1", "-N", os.fsdecode(PASSPHRASE), "-f",
             self.locked])
        os.mkdir(self.path("out"))
        self.output = self.path("out", "c.mv2e")
        self.sealing = [
            "seal", self.sample(), self.output, "--new-passphrase-file", self.pw, *CHEAP,
            "--sign", self.locked]

    def talk(self, words, answer, **options):
        """Runs `capsule` on a terminal and gives the key's passphrase; it must not be shown."""
        code, shown = terminal.talk(
            [CAPSULE, *words], [(b"assphrase", answer)], self.env, self.root, **options)
        self.assertNotIn(answer, shown)
        return code, shown

    def origin(self, capsule):
        """The origin that verify reports where the key is the only one allowed."""
        return self.capsule_json(
            "verify", capsule, "--allowed-signers", self.allowed(self.locked))["origin"]

    def test_seal(self):
        """Sealing asks for the passphrase and signs; the header commits to the key."""
        code, shown = self.talk(self.sealing, PASSPHRASE)
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.origin(self.output), "known")
        self.assertEqual(
            len(self.capsule_json("inspect", self.output)["expected_signers"]), 1)

    def test_seal_and_prompt_for_the_capsule(self):
        """Both passphrases are asked for, each by its own prompt."""
        words = ["seal", self.path("src"), self.output, *CHEAP, "--sign", self.locked]
        code, shown = terminal.talk(
            [CAPSULE, *words],
            [(b"c.mv2e: ", support.SECRET), (b"again: ", support.SECRET),
             (self.locked.encode() + b": Enter passphrase", PASSPHRASE)], self.env, self.root)
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.origin(self.output), "known")
        self.capsule("ls", self.output, *self.open_pw)

    def test_countersign(self):
        """`sign` asks, too."""
        capsule = self.seal()
        code, shown = self.talk(["sign", capsule, "--key", self.locked], PASSPHRASE)
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.origin(capsule), "known")

    def test_wrong_passphrase(self):
        """Exit code 1 and a message; no capsule, or the old one as it was."""
        code, shown = self.talk(self.sealing, b"open barley")
        self.assertEqual(code, 1, shown)
        self.assertIn(os.fsencode(self.locked), shown)
        self.assertEqual(os.listdir(self.path("out")), [])
        capsule = self.seal()
        before = support.read(capsule)
        code, shown = self.talk(["sign", capsule, "--key", self.locked], b"open barley")
        self.assertEqual(code, 1, shown)
        self.assertEqual(support.read(capsule), before)

    def test_without_a_terminal(self):
        """Nobody can be asked: exit code 1 at once, and what to do instead."""
        capsule = self.seal()
        before = support.read(capsule)
        for words in (self.sealing, ["sign", capsule, "--key", self.locked]):
            with self.subTest(verb=words[0]):
                result = self.capsule(*words, "--json", rc=1, timeout=20)
                # ssh-keygen may have said something of its own before.
                value = json.loads(result.stderr.splitlines()[-1])
                self.assertIn(value["error_code"], ("signing_failed", "missing_terminal"))
                self.assertIn(self.locked, value["error"])
                self.assertIn("agent", value["error"])
        self.assertEqual(os.listdir(self.path("out")), [])
        self.assertEqual(support.read(capsule), before)

    def test_without_a_terminal_as_json(self):
        """With --json the error is one object, and nothing else, on standard error."""
        code, message = self.error_of("sign", self.seal(), "--key", self.locked, rc=1, timeout=20)
        self.assertEqual(code, "missing_terminal")
        self.assertIn("terminal", message)

    def test_encrypted_key_in_the_agent(self):
        """Nobody is asked for the passphrase of a key that the agent holds."""
        agent = self.start(["ssh-agent", "-D", "-a", self.path("agent")])
        self.assertTrue(support.wait_until(lambda: os.path.exists(self.path("agent"))))
        variables = {**self.env, "SSH_AUTH_SOCK": self.path("agent")}
        code, shown = terminal.talk(
            ["ssh-add", self.locked], [(b"assphrase", PASSPHRASE)], variables, self.root)
        self.assertEqual(code, 0, shown)
        self.capsule(*self.sealing, env=variables, timeout=20)
        support.stop(agent)
        self.assertEqual(self.origin(self.output), "known")

    def test_progress_leaves_the_question_alone(self):
        """While ssh-keygen waits for an answer, no line of progress overwrites the question."""
        code, shown = self.talk(self.sealing, PASSPHRASE, delay=1.0)
        self.assertEqual(code, 0, shown)
        asked = shown[shown.index(b"assphrase"):]
        self.assertNotIn(b"\x1b[K", asked.split(b"\n")[0], shown)


class SecurityKeys(support.EndToEnd):
    """sk-ssh-ed25519 keys, without hardware."""

    def setUp(self):
        super().setUp()
        self.held = sshagent.SecurityKey()
        self.public = self.public_half(self.held)
        self.sealed = self.seal()
        self.capsule(
            "verify", self.sealed, "--quiet", "--extract-statement", self.path("statement"))
        self.statement = support.read(self.path("statement"))

    def public_half(self, key, name="sk"):
        """Writes a `.pub` file; returns its path without the ending."""
        text = base64.b64encode(key.blob).decode()
        support.write(self.path(name + ".pub"), f"{sshagent.KIND.decode()} {text} a test's key\n")
        return self.path(name)

    def signed_through_agent(self, *words, rc=0, **options):
        """Runs `capsule` with an agent that holds the key."""
        with sshagent.Agent(self.path("agent"), self.held, **options):
            result = self.capsule(*words, rc=rc, env={"SSH_AUTH_SOCK": self.path("agent")})
        os.remove(self.path("agent"))
        return result

    def test_sign_through_the_agent(self):
        """Sealing and countersigning with a `.pub` file; verify and OpenSSH agree."""
        capsule = self.path("s.mv2e")
        self.signed_through_agent(
            "seal", self.path("src"), capsule, "--new-passphrase-file", self.pw, *CHEAP, "--sign",
            self.public + ".pub")
        self.signed_through_agent("sign", self.sealed, "--key", self.public + ".pub")
        signers = self.allowed(self.public)
        other = self.allowed(self.public_half(sshagent.SecurityKey(), "other"), name="foreign")
        for path in (capsule, self.sealed):
            value = self.capsule_json("verify", path, "--allowed-signers", signers)
            self.assertEqual(value["origin"], "known")
            self.capsule("verify", path, "--allowed-signers", other, rc=3)
            self.capsule(
                "verify", path, "--quiet", "--extract-statement", self.path("statement"),
                "--extract-signature", self.path("signature"))
            with open(self.path("statement"), "rb") as file:
                result = self.run_command(
                    ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", "signer@example", "-n",
                     sshagent.NAMESPACE.decode(), "-s", self.path("signature")], stdin=file)
            self.assertIn(b"Good", result.stdout)

    def test_untouched_key_does_not_sign(self):
        """What nobody touched the key for is not added."""
        before = support.read(self.sealed)
        result = self.signed_through_agent(
            "sign", self.sealed, "--key", self.public + ".pub", rc=2, flags=0)
        self.assertIn(b"not valid", result.stderr)
        self.assertEqual(support.read(self.sealed), before)

    def with_signature(self, blob):
        """A copy of the capsule with this one signature, as anybody can make it."""
        content = bytearray(support.read(self.sealed))
        for start, length in trees.signature_areas(content):
            records = struct.pack("<I", len(blob)) + blob
            area = b"SIGN" + struct.pack("<HHQII", 1, 0, 2, len(records), 0) + records
            area = area.ljust(length - 32, b"\0")
            check = blake3.blake3(area, derive_key_context="capsulefs 2 area checksum").digest()
            content[start:start + length] = area + check
        return support.write(self.path("forged.mv2e"), bytes(content))

    def test_flags_and_counter(self):
        """Flags and counter are signed, too; of the flags, somebody's touch is demanded."""
        signers = self.allowed(self.public)
        touched, verified = sshagent.TOUCHED, sshagent.VERIFIED
        cases = [
            ({}, "known"), ({"counter": 0}, "known"), ({"counter": 0xFFFFFFFF}, "known"),
            ({"flags": touched | verified}, "known"),
            ({"flags": 0}, "wrong"), ({"flags": verified}, "wrong"),
            ({"shown": (touched, 8)}, "wrong"), ({"shown": (touched | verified, 7)}, "wrong"),
            ({"flags": 0, "shown": (touched, 7)}, "wrong"), ({"more": b"\0"}, "wrong")]
        for options, origin in cases:
            with self.subTest(options=options):
                capsule = self.with_signature(
                    self.held.sign_statement(self.statement, **options))
                rc = 0 if origin == "known" else 3
                value = self.capsule_json(
                    "verify", capsule, "--allowed-signers", signers, rc=rc)
                self.assertEqual(value["origin"], origin)
                self.assertTrue(value["intact"])
                self.capsule("ls", capsule, *self.open_pw, rc=rc)

    def test_other_statements_and_applications(self):
        """A signature of another statement, or by the key for another application, is wrong."""
        capsule = self.with_signature(self.held.sign_statement(self.statement + b"\n"))
        self.capsule("verify", capsule, rc=3)
        blob = self.held.sign_statement(self.statement)
        self.assertEqual(blob.count(b"ssh:"), 1)
        self.capsule("verify", self.with_signature(blob))
        self.capsule("verify", self.with_signature(blob.replace(b"ssh:", b"ssg:")), rc=3)


if __name__ == "__main__":
    unittest.main()
