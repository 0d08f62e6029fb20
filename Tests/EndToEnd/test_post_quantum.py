"""Post-quantum recipients of age, whose key pairs are computed here from FIPS 203 and RFC 7748."""

import hashlib
import os
import pathlib
import sys
import unittest

from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

import support

READER = pathlib.Path(__file__).resolve().parents[2] / "tools" / "capsule-reader.py"
ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(prefix, content):
    """BIP 173, without its limit of length, as age uses it."""
    bits = "".join(f"{byte:08b}" for byte in content)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[place:place + 5], 2) for place in range(0, len(bits), 5)]
    check = 1
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    for value in spread + values + [0] * 6:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(
                (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= term if top >> bit & 1 else 0
    check ^= 1
    values += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(ALPHABET[value] for value in values)


def pair(seed):
    """(identity, recipient) of a seed of 32 bytes: X-Wing, ML-KEM-768 with X25519."""
    expanded = hashlib.shake_256(seed).digest(96)
    lattice = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).public_key()
    curve = x25519.X25519PrivateKey.from_private_bytes(expanded[64:]).public_key()
    public = lattice.public_bytes_raw() + curve.public_bytes_raw()
    return bech32("age-secret-key-pq-", seed).upper(), bech32("age1pq", public)


class PostQuantum(support.EndToEnd):
    """Sealing to `age1pq1…` and opening with `AGE-SECRET-KEY-PQ-1…`."""

    def setUp(self):
        super().setUp()
        identity, self.recipient = pair(b"a seed of a test, 32 bytes long.")
        self.identity = support.write(
            self.path("identity"), f"# public key: {self.recipient}\n{identity}\n", 0o600)
        self.assertTrue(self.recipient.startswith("age1pq1"))

    def sealed(self, *more, name="c.mv2e"):
        """A capsule sealed to the recipient and to what `more` names."""
        return self.seal(
            self.sample(), name, "--recipient", self.recipient, *more, secret=False)

    def classical(self, name="classical"):
        """(identity file, recipient) of age-keygen."""
        path = self.path(name)
        self.run_command(["age-keygen", "-o", path])
        return path, support.read(path).decode().split("public key: ")[1].split()[0]

    def test_round_trip(self):
        """What is sealed to the recipient opens with the identity, also among others."""
        capsule = self.sealed()
        other, _ = self.classical()
        both = support.write(
            self.path("both"), support.read(other) + b"\n" + support.read(self.identity))
        for path in (self.identity, both):
            self.assertEqual(
                self.capsule("cat", capsule, "a.txt", "--identity", path).stdout, b"alpha\n")
        self.capsule(
            "rekey", capsule, self.path("new"), "--identity", self.identity, "--recipient",
            self.recipient)
        self.assertEqual(
            self.capsule(
                "diff", self.path("new"), self.path("src"), "--identity", self.identity).stdout,
            b"")

    def test_wrong_identity(self):
        """Another post-quantum identity, and a classical one, do not open it."""
        capsule = self.sealed()
        wrong = support.write(self.path("wrong"), pair(b"another seed, also 32 bytes long")[0])
        for path in (wrong, self.classical()[0]):
            code, _ = self.error_of("ls", capsule, "--identity", path, rc=1)
            self.assertEqual(code, "wrong_secret")

    def test_inspect(self):
        """`post-quantum yes` without a classical recipient, and only then."""
        _, classical = self.classical()
        for more, is_safe in (
                ([], True), (["--new-key-file", self.path("key")], True),
                (["--new-passphrase-file", self.pw], True), (["--recipient", classical], False)):
            capsule = self.sealed(*more, name=f"{len(more)}{is_safe}{more[:1]}.mv2e")
            facts = self.capsule_json("inspect", capsule)
            self.assertEqual(facts["post_quantum"], is_safe, more)
            text = self.capsule("inspect", capsule).stdout.decode()
            self.assertRegex(text, rf"(?m)^post-quantum +{'yes$' if is_safe else 'no'}")
            found = self.capsule("doctor", capsule).stdout
            self.assertEqual(b"not post-quantum" in found, not is_safe)
            self.assertIn("age-mlkem768x25519", [slot["kind"] for slot in facts["slots"]])
            self.capsule("ls", capsule, "--identity", self.identity)

    def test_slots(self):
        """A recipient can be added to a capsule and be taken away again."""
        capsule = self.seal()
        self.capsule("ls", capsule, "--identity", self.identity, rc=1)
        self.capsule("slot", "add", capsule, *self.open_pw, "--recipient", self.recipient)
        self.capsule("ls", capsule, "--identity", self.identity)
        rows = self.capsule_json("slot", "list", capsule, *self.open_pw)["slots"]
        self.assertEqual(rows[1]["label"], self.recipient)
        self.capsule("slot", "remove", capsule, "2", *self.open_pw)
        self.capsule("ls", capsule, "--identity", self.identity, rc=1)

    def test_mistyped_recipient(self):
        """One wrong character, or a key of another length, is refused."""
        last = "q" if self.recipient[-1] != "q" else "p"
        short = bech32("age1pq", bytes(1215))
        for text in (self.recipient[:-1] + last, self.recipient[:-1], short):
            code, _ = self.error_of(
                "seal", self.sample(), self.path("no"), "--recipient", text, rc=1)
            self.assertEqual(code, "malformed_key")
            self.assertFalse(os.path.exists(self.path("no")))

    def test_independent_reader(self):
        """Another implementation opens it with the same identity."""
        capsule, target = self.sealed(), self.path("out")
        python = os.environ.get("CAPSULE_TEST_PYTHON", sys.executable)
        self.run_command(
            [python, str(READER), "extract", capsule, target, "--identity", self.identity])
        self.run_command(["diff", "-r", "--no-dereference", self.path("src"), target])

    @support.needs_root
    @support.needs_fuse
    def test_mount(self):
        """The driver takes the identity as well."""
        point = self.mount(self.sealed(), f"identity={self.identity}", secret=False)
        self.assertEqual(support.read(f"{point}/a.txt"), b"alpha\n")


if __name__ == "__main__":
    unittest.main()
