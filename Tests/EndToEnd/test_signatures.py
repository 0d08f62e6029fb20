"""Signatures: the answers of `verify`, OpenSSH's own check, agents, countersigning."""

import base64
import os
import unittest

import support
import terminal
import trees
from support import CAPSULE


class Verify(support.EndToEnd):
    """The matrix of answers."""

    def verdict(self, capsule, *more, rc=0):
        """The origin that verify reports, and its error code."""
        value = self.capsule_json("verify", capsule, *more, rc=rc)
        self.assertEqual(value["exit_code"], rc)
        self.assertTrue(value["intact"])
        return value["origin"], value.get("error_code")

    def signed(self, key=None, name="s.mv2e"):
        """A capsule sealed with a signature."""
        return self.seal(self.sample(), name, "--sign", key or self.key())

    def test_unsigned(self):
        """Intact and unsigned is 0 and proves no origin; 3 where a signer is demanded."""
        capsule = self.seal()
        self.assertEqual(self.verdict(capsule), ("unsigned", None))
        self.assertIn(b"proves no origin", self.capsule("verify", capsule).stdout)
        signers = self.allowed(self.key())
        self.assertEqual(
            self.verdict(capsule, "--allowed-signers", signers, rc=3), ("unsigned", "unsigned"))

    def test_known_and_unknown(self):
        """Known by a list or by a pin; unknown is 0 unless a list is named."""
        capsule = self.signed()
        self.assertEqual(self.verdict(capsule), ("unknown", None))
        mine, other = self.allowed(self.key()), self.allowed(self.key("other"), name="foreign")
        self.assertEqual(self.verdict(capsule, "--allowed-signers", mine), ("known", None))
        self.assertEqual(
            self.verdict(capsule, "--allowed-signers", other, rc=3),
            ("unknown", "unknown_signer"))
        self.capsule("trust", "add", "me@example", self.key() + ".pub")
        self.assertEqual(self.verdict(capsule), ("known", None))
        self.capsule("trust", "remove", "me@example")
        self.assertEqual(self.verdict(capsule), ("unknown", None))

    def test_validity_dates(self):
        """valid-before and valid-after of allowed_signers count."""
        capsule = self.signed()
        cases = [('valid-before="20200101"', 3), ('valid-after="20990101"', 3),
                 ('valid-after="20200101",valid-before="20990101"', 0),
                 ('namespaces="somebody-else"', 3), ('valid-before="20200101Z"', 3),
                 ('valid-after="202001010101",valid-before="20990101010101Z"', 0)]
        for options, code in cases:
            with self.subTest(options=options):
                signers = self.allowed(self.key(), options=options)
                self.capsule("verify", capsule, "--allowed-signers", signers, rc=code)

    def test_wrong_signature(self):
        """A signature of other bytes is 3, also without a demand."""
        self.assertEqual(
            self.verdict(self.moved(into_signed=False), rc=3), ("wrong", "wrong_signature"))

    def test_missing_signature(self):
        """The header commits to its signers: one without its signature is 3."""
        self.assertEqual(
            self.verdict(self.moved(into_signed=True), rc=3), ("missing", "missing_signature"))

    def moved(self, into_signed):
        """A capsule whose signature areas come from another one of the same layout."""
        unsigned, signed = self.seal(self.sample(), "u.mv2e"), self.signed()
        donor, target = (unsigned, signed) if into_signed else (signed, unsigned)
        content, source = bytearray(support.read(target)), support.read(donor)
        places = trees.signature_areas(content), trees.signature_areas(source)
        for (start, length), (other, count) in zip(*places):
            self.assertEqual(length, count)
            content[start:start + length] = source[other:other + count]
        return support.write(self.path("moved.mv2e"), bytes(content))

    def test_root(self):
        """--root accepts one root and refuses every other with 3."""
        capsule = self.seal()
        root = self.capsule_json("verify", capsule)["root"]
        self.verdict(capsule, "--root", root)
        other = root[::-1] if root != root[::-1] else "0" * 64
        self.assertEqual(self.verdict(capsule, "--root", other, rc=3)[1], "wrong_root")
        code, _ = self.error_of("ls", capsule, *self.open_pw, "--root", other, rc=3)
        self.assertEqual(code, "wrong_root")

    def test_damage_comes_first(self):
        """A damaged capsule with a good signature is 2."""
        capsule = self.signed()
        self.damage(capsule, trees.blocks(support.read(capsule))[0] + 20)
        value = self.capsule_json("verify", capsule, rc=2)
        self.assertFalse(value["intact"])
        self.assertTrue(value["faults"])

    def test_demands_of_other_verbs(self):
        """--allowed-signers and --require-verified work wherever a capsule is opened."""
        capsule, mine = self.signed(), self.allowed(self.key())
        other = self.allowed(self.key("other"), name="foreign")
        unsigned = self.seal(self.path("src"), "u.mv2e")
        self.capsule("ls", capsule, *self.open_pw, "--allowed-signers", mine)
        for path, words, expected in [
                (capsule, ["--allowed-signers", other], "unknown_signer"),
                (capsule, ["--require-verified"], "unknown_signer"),
                (unsigned, ["--require-verified"], "unsigned"),
                (unsigned, ["--allowed-signers", mine], "unsigned")]:
            code, _ = self.error_of("ls", path, *self.open_pw, *words, rc=3)
            self.assertEqual(code, expected)


class OpenSSH(support.EndToEnd):
    """OpenSSH's own tools agree."""

    def extracted(self, capsule, *more):
        """Paths of statement and signature."""
        self.capsule(
            "verify", capsule, "--extract-statement", self.path("statement"),
            "--extract-signature", self.path("signature"), *more)
        return self.path("statement"), self.path("signature")

    def namespace(self, signature):
        """The namespace inside an armoured signature."""
        lines = support.read(signature).decode().splitlines()
        blob = base64.b64decode("".join(lines[1:-1]))
        key_length = int.from_bytes(blob[10:14], "big")
        start = 14 + key_length
        length = int.from_bytes(blob[start:start + 4], "big")
        return blob[start + 4:start + 4 + length].decode()

    def ssh_verify(self, capsule, key, *more, rc=0):
        """ssh-keygen -Y verify."""
        statement, signature = self.extracted(capsule, *more)
        with open(statement, "rb") as file:
            return self.run_command(
                ["ssh-keygen", "-Y", "verify", "-f", self.allowed(key), "-I", "signer@example",
                 "-n", self.namespace(signature), "-s", signature], stdin=file, rc=rc)

    def test_ssh_keygen_verifies(self):
        """ssh-keygen accepts our signature, and not for another key."""
        key = self.key()
        capsule = self.seal(None, "c.mv2e", "--sign", key)
        self.assertIn(b"Good", self.ssh_verify(capsule, key).stdout)
        self.ssh_verify(capsule, self.key("other"), rc=255)

    def test_countersign_without_secret(self):
        """Anybody with a key can countersign; each signature verifies."""
        first, second = self.key(), self.key("second")
        capsule = self.seal(None, "c.mv2e", "--sign", first)
        content = support.read(capsule)
        self.capsule("sign", capsule, "--key", second)
        self.assertEqual(len(support.read(capsule)), len(content))
        self.ssh_verify(capsule, first, "--signature", "1")
        self.ssh_verify(capsule, second, "--signature", "2")
        code, _ = self.error_of("sign", capsule, "--key", second, rc=1)
        self.assertEqual(code, "already_signed")
        value = self.capsule_json("verify", capsule)
        self.assertEqual(len(value["signatures"]), 2)
        self.capsule("ls", capsule, *self.open_pw)

    def test_countersign_refuses_damage(self):
        """A damaged capsule is not signed, and not changed."""
        capsule = self.seal(self.sample(), "c.mv2e")
        self.damage(capsule, trees.blocks(support.read(capsule))[0] + 20)
        before = support.read(capsule)
        code, _ = self.error_of("sign", capsule, "--key", self.key(), rc=2)
        self.assertEqual(code, "damaged")
        self.assertEqual(support.read(capsule), before)

    def test_agent(self):
        """A .pub file signs through the agent; without one it says what is missing."""
        key = self.key()
        socket = self.path("agent")
        agent = self.start(["ssh-agent", "-D", "-a", socket])
        self.assertTrue(support.wait_until(lambda: os.path.exists(socket)))
        with_agent = {"SSH_AUTH_SOCK": socket}
        self.run_command(["ssh-add", "-q", key], env=with_agent)
        os.rename(key, self.path("hidden"))
        capsule = self.seal(None, "c.mv2e", "--sign", key + ".pub", env=with_agent)
        support.stop(agent)
        self.assertEqual(
            self.capsule_json("verify", capsule, "--allowed-signers", self.allowed(key))["origin"],
            "known")
        self.capsule("sign", self.seal(self.path("src"), "d.mv2e"), "--key", key + ".pub", rc=1)

    def test_encrypted_key(self):
        """An encrypted private key asks for its passphrase on the terminal."""
        key = self.path("locked")
        self.run_command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", key])
        capsule = self.seal()
        code, shown = terminal.talk(
            [CAPSULE, "sign", capsule, "--key", key], [(b"assphrase", b"open sesame")], self.env,
            self.root)
        self.assertEqual(code, 0, shown)
        self.ssh_verify(capsule, key)

    def test_other_kinds_of_keys_are_refused(self):
        """RSA is refused with a message that names the file."""
        key = self.path("rsa")
        self.run_command(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", key])
        code, message = self.error_of("sign", self.seal(), "--key", key, rc=1)
        self.assertIn("rsa", message)
        self.assertEqual(code, "malformed_key")

    def test_failed_signing_leaves_nothing(self):
        """Sealing with a key that cannot sign leaves no capsule."""
        key = self.key()
        os.remove(key)
        self.capsule(
            "seal", self.sample(), self.path("c"), *self.open_pw, *support.CHEAP, "--sign",
            key + ".pub", rc=1)
        self.assertFalse(os.path.exists(self.path("c")))


if __name__ == "__main__":
    unittest.main()
