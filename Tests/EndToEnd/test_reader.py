"""The independent reader, written from capsule-format(5) alone, on what we seal."""

import os
import pathlib
import sys

import support
from support import CHEAP

READER = pathlib.Path(__file__).resolve().parents[2] / "tools" / "capsule-reader.py"


class Independent(support.EndToEnd):
    """Another implementation opens, verifies, lists and extracts our capsules."""

    def reader(self, *words, rc=0):
        """Runs the reader with the interpreter that has its libraries."""
        python = os.environ.get("CAPSULE_TEST_PYTHON", sys.executable)
        return self.run_command([python, str(READER), *words], rc=rc)

    def test_every_secret(self):
        """Each kind of secret opens; the digest is the manifest's; the tree is equal."""
        source = self.sample()
        identity, key, phrase = self.path("id"), self.path("key"), self.path("phrase")
        passphrase = support.write(self.path("pass"), b"an open secret\n")
        self.run_command(["age-keygen", "-o", identity])
        public = support.read(identity).decode().split("public key: ")[1].split()[0]
        capsule = self.path("c.mv2e")
        self.capsule(
            "seal", source, capsule, "--new-passphrase-file", passphrase, "--recipient", public,
            "--new-key-file", key, "--new-recovery-phrase-file", phrase, *CHEAP)
        self.reader("verify", capsule)
        secrets = [["--passphrase-file", passphrase], ["--identity", identity],
                   ["--key-file", key], ["--recovery-phrase-file", phrase]]
        for secret in secrets:
            self.reader("digest", capsule, *secret)
        target = self.path("out")
        self.reader("extract", capsule, target, "--key-file", key)
        self.run_command(["diff", "-r", "--no-dereference", source, target])

    def test_every_shape(self):
        """Levels, block sizes, padding and trees of several levels are read the same way."""
        source, key = self.sample(), self.path("key")
        support.write(os.path.join(source, "large"), os.urandom(3 << 20))
        for name, words in {"plain": [], "stored": ["--level", "0"], "padded": ["--pad"],
                            "small": ["--block-size", "4096"]}.items():
            capsule = self.path(f"{name}.mv2e")
            self.capsule("seal", source, capsule, "--new-key-file", key, *words)
            self.reader("verify", capsule)
            self.reader("digest", capsule, "--key-file", key)

    def test_damage(self):
        """What we call damaged, it calls damaged."""
        key, capsule = self.path("key"), self.path("c.mv2e")
        self.capsule("seal", self.sample(), capsule, "--new-key-file", key)
        size = os.path.getsize(capsule)
        for offset in (100, 4200, 13000, size // 2, size - 2000, size - 500):
            self.damage(capsule, offset)
            self.reader("verify", capsule, rc=2)
            self.capsule("verify", capsule, rc=2)
            self.damage(capsule, offset)
        self.reader("verify", capsule)
