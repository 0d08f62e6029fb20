"""Slots and rekeying; pinned signers and the newest version seen."""

import os
import shutil
import stat
import unittest

import support
import trees
from support import CHEAP


class Slots(support.EndToEnd):
    """slot list, add, remove; rekey."""

    def numbers(self, capsule):
        """{kind: number} of the slots."""
        rows = self.capsule_json("slot", "list", capsule, *self.open_pw)["slots"]
        return {row["kind"]: row["number"] for row in rows}

    def test_every_kind(self):
        """Added slots open; a removed one does not, and the others still do."""
        capsule = self.seal()
        identity, key, phrase = self.path("id"), self.path("key"), self.path("phrase")
        second = support.write(self.path("second"), b"another passphrase\n")
        self.run_command(["age-keygen", "-o", identity])
        public = support.read(identity).decode().split("public key: ")[1].split()[0]
        added = [
            (["--new-passphrase-file", second], ["--passphrase-file", second]),
            (["--recipient", public], ["--identity", identity]),
            (["--new-key-file", key], ["--key-file", key]),
            (["--new-recovery-phrase-file", phrase], ["--recovery-phrase-file", phrase])]
        for count, (creating, opening) in enumerate(added):
            self.capsule("ls", capsule, *opening, rc=1 if os.path.exists(opening[1]) else None)
            self.capsule("slot", "add", capsule, *self.open_pw, *creating, *CHEAP)
            self.capsule("ls", capsule, *opening)
            self.assertEqual(len(self.slots(capsule)), count + 2)
        for _, opening in added:
            self.capsule("slot", "remove", capsule, "2", *self.open_pw)
            self.capsule("ls", capsule, *opening, rc=1)
            self.capsule("ls", capsule, *self.open_pw)
        self.capsule("verify", capsule)

    def slots(self, capsule):
        """The rows of slot list."""
        return self.capsule_json("slot", "list", capsule)["slots"]

    def test_labels_are_sealed(self):
        """Labels show only to whoever can open the capsule."""
        capsule = self.seal(None, "c.mv2e", "--new-key-file", self.path("key"))
        self.assertFalse([row for row in self.slots(capsule) if row.get("label")])
        rows = self.capsule_json("slot", "list", capsule, *self.open_pw)["slots"]
        self.assertEqual([row["label"] for row in rows], ["passphrase", "key file"])

    def test_last_slot_is_kept(self):
        """The last slot cannot be removed; a number that is not there neither."""
        capsule = self.seal()
        before = support.read(capsule)
        result = self.capsule("slot", "remove", capsule, "1", *self.open_pw, rc=1)
        self.assertIn(b"last", result.stderr)
        self.capsule("slot", "remove", capsule, "7", *self.open_pw, rc=1)
        self.capsule("slot", "remove", capsule, "0", *self.open_pw, rc=1)
        self.assertEqual(support.read(capsule), before)

    def test_changes_need_a_secret(self):
        """Without the secret nothing is added or removed."""
        capsule = self.seal(None, "c.mv2e", "--new-key-file", self.path("key"))
        before = support.read(capsule)
        wrong = ["--passphrase-file", support.write(self.path("w"), b"wrong")]
        self.capsule(
            "slot", "add", capsule, *wrong, "--new-key-file", self.path("k2"), *CHEAP, rc=1)
        self.capsule("slot", "remove", capsule, "1", *wrong, rc=1)
        self.assertEqual(support.read(capsule), before)

    def test_a_mount_survives_slot_changes(self):
        """A capsule that is mounted can get a slot; the mount reads on."""
        if not (support.IS_ROOT and support.HAS_FUSE):
            self.skipTest(support.ON_MISSING_FUSE)
        capsule = self.seal()
        point = self.mount(capsule)
        self.capsule("slot", "add", capsule, *self.open_pw, "--new-key-file", self.path("k"))
        self.assertEqual(support.read(f"{point}/sub/b.bin"), bytes(range(256)) * 300)

    def test_rekey(self):
        """The new capsule has the same content and opens with the new secret only."""
        old = self.seal(None, "old.mv2e", "--label", "name")
        new, secret = self.path("new.mv2e"), support.write(self.path("n"), b"the new one\n")
        opens_new = ["--passphrase-file", secret]
        result = self.capsule(
            "rekey", old, new, *self.open_pw, "--new-passphrase-file", secret, *CHEAP)
        self.assertIn(b"still open with the old secrets", result.stderr)
        self.capsule("ls", new, *self.open_pw, rc=1)
        self.capsule("ls", old, *opens_new, rc=1)
        self.capsule("verify", new)
        for pair in ([old, new], [new, self.path("src")]):
            result = self.capsule("diff", *pair, *self.open_pw, *opens_new, "--exit-code")
            self.assertEqual(result.stdout, b"")
        one, two = (self.capsule_json("inspect", path) for path in (old, new))
        self.assertNotEqual(one["capsule_id"], two["capsule_id"])
        self.assertEqual(two["claimed"]["label"], "name")

    def test_rekey_refuses_damage(self):
        """What cannot be read whole is not sealed again, and nothing is left."""
        old = self.seal()
        self.damage(old, trees.blocks(support.read(old))[0] + 20)
        self.capsule(
            "rekey", old, self.path("new"), *self.open_pw, "--new-passphrase-file", self.pw,
            *CHEAP, rc=2)
        self.assertFalse(os.path.exists(self.path("new")))

    def test_rekey_does_not_overwrite(self):
        """An existing file, or the capsule itself, is not replaced."""
        old = self.seal()
        before = support.read(old)
        self.capsule(
            "rekey", old, old, *self.open_pw, "--new-passphrase-file", self.pw, *CHEAP, rc=1)
        self.assertEqual(support.read(old), before)


class Versions(support.EndToEnd):
    """The newest version seen per signer and lineage."""

    def setUp(self):
        super().setUp()
        self.sample()
        self.one = self.version("v1")
        self.two = self.version("v2", self.one)

    def version(self, name, parent=None, key=None):
        """A signed version."""
        more = ["--parent", parent, *self.open_pw] if parent else []
        support.write(self.path("src", "a.txt"), name)
        return self.seal(
            self.path("src"), name, "--sign", key or self.key(), *more,
            env={"HOME": self.path("sealer"), "XDG_STATE_HOME": self.path("sealer")})

    def ls(self, capsule, rc=0):
        """Opens a capsule."""
        if rc == 3:
            return self.error_of("ls", capsule, *self.open_pw, rc=3)
        return self.capsule("ls", capsule, *self.open_pw, rc=rc)

    def test_rollback_is_refused(self):
        """After version 2, version 1 is refused with 3; accept takes it."""
        self.ls(self.one)
        self.ls(self.two)
        self.ls(self.two)
        code, message = self.ls(self.one, rc=3)
        self.assertEqual(code, "rollback")
        self.assertIn("trust accept", message)
        self.capsule("trust", "accept", self.one, *self.open_pw)
        self.ls(self.one)
        self.ls(self.two)
        self.assertEqual(self.ls(self.one, rc=3)[0], "rollback")

    def test_fork_is_refused(self):
        """Another version 2 of the same lineage is a fork, its own answer."""
        fork = self.version("fork", self.one)
        self.ls(self.two)
        code, _ = self.ls(fork, rc=3)
        self.assertEqual(code, "fork")
        self.capsule("trust", "accept", fork, *self.open_pw)
        self.ls(fork)
        self.assertEqual(self.ls(self.two, rc=3)[0], "fork")

    def test_other_lineages_and_signers_are_apart(self):
        """Another lineage, and another signer's versions, are not compared."""
        self.ls(self.two)
        self.ls(self.version("apart"))
        self.ls(self.version("foreign", key=self.key("other")))

    def test_nothing_is_remembered_too_early(self):
        """Neither a wrong passphrase nor a refused demand leaves a trace."""
        wrong = support.write(self.path("w"), b"wrong")
        self.capsule("ls", self.two, "--passphrase-file", wrong, rc=1)
        self.capsule("ls", self.two, *self.open_pw, "--root", "0" * 64, rc=3)
        self.assertEqual(self.capsule_json("trust", "list")["seen"], [])
        self.ls(self.one)

    def test_mount_refuses_rollback(self):
        """A mount asks the same question."""
        if not (support.IS_ROOT and support.HAS_FUSE):
            self.skipTest(support.ON_MISSING_FUSE)
        self.ls(self.two)
        os.mkdir(self.path("mnt"))
        self.mount(self.one, rc=3)

    def test_state_is_private(self):
        """The files of the store are 0600, their directories 0700."""
        self.ls(self.one)
        self.capsule("trust", "add", "me@example", self.key() + ".pub")
        files = [os.path.join(place, name) for place, _, names in os.walk(self.home)
                 for name in names]
        self.assertGreaterEqual(len(files), 2)
        for path in files:
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
            directory = os.path.dirname(path)
            self.assertEqual(stat.S_IMODE(os.stat(directory).st_mode), 0o700, directory)
        listed = self.capsule_json("trust", "list")
        self.assertEqual([row["name"] for row in listed["signers"]], ["me@example"])
        self.assertEqual(listed["seen"][0]["newest"]["version"], 1)

    def test_pins(self):
        """Pinning from a capsule, unpinning, and a name that is none."""
        self.capsule("trust", "add", "a name", self.key() + ".pub", rc=1)
        self.capsule("trust", "add", "me@example", self.one, "--from-capsule")
        self.capsule("ls", self.one, *self.open_pw, "--require-verified")
        self.capsule("trust", "remove", "me@example")
        self.capsule("trust", "remove", "me@example", rc=1)
        self.capsule("ls", self.one, *self.open_pw, "--require-verified", rc=3)

    @support.needs_root
    def test_unwritable_home_only_warns(self):
        """A home that cannot be written to does not keep anybody from reading."""
        for path in (self.one, self.two):
            os.chmod(path, 0o644)
        os.chmod(self.home, 0o555)
        result = self.capsule("ls", self.two, *self.open_pw, user=support.NOBODY)
        self.assertIn(b"warning", result.stderr)
        self.assertIn(b"a.txt", result.stdout)

    def test_damaged_state_is_reported(self):
        """A store that cannot be read is an error that says what to do, not a silent restart."""
        self.ls(self.two)
        found = [os.path.join(place, name) for place, _, names in os.walk(self.home)
                 for name in names if name.endswith(".json")]
        self.assertEqual(len(found), 1)
        support.write(found[0], b"{ not json")
        code, message = self.error_of("ls", self.one, *self.open_pw, rc=2)
        self.assertEqual(code, "damaged_state")
        self.assertIn(found[0], message)
        shutil.rmtree(self.home)


if __name__ == "__main__":
    unittest.main()
