"""Imports: what is taken, what is refused, and that nothing can be changed in what was taken."""

import concurrent.futures
import hashlib
import json
import os
import random
import shutil
import subprocess
import time

import memvid_files
import support
import trees
from runs import ERROR, PAYLOADS, SAFE, ExportTest, personal, secrets
from test_runs_together import mutations

NAME = "S1-r1"


class ImportTest(ExportTest):
    """A test with an export and another machine."""

    def setUp(self):
        super().setUp()
        self.machine = self.machine_b()

    def made(self, *more, name="x.mv2e", run="r1"):
        """A capsule with a run."""
        if not any(row["run_id"] == run for row in self.facts("run", "list")["runs"]):
            self.recorded(run)
        return self.export(name, *more, run=run)[0]

    def nothing(self, refusals=None):
        """Demands that nothing is imported, and how many refusals are in the log."""
        self.assertEqual(self.machine.names(), [])
        self.assertEqual(self.machine.files(), [])
        self.assertEqual(self.machine.of_kind("import.CapsuleImported"), [])
        if refusals is not None:
            self.assertEqual(len(self.machine.of_kind("import.refused")), refusals)


@support.needs_root
@support.needs_fuse
class Taken(ImportTest):
    """What comes of an import."""

    def test_shown(self):
        """At once in a mount that is there, with everything that is in the capsule."""
        capsule = self.made()
        point = self.machine.attach("timeline=0")
        self.assertEqual(os.listdir(f"{point}/.capsule/imports"), [])
        facts = self.machine.taken(capsule)
        self.assertTrue(facts["imported"])
        self.assertEqual(facts["mount_name"], NAME)
        view = f"{point}/.capsule/imports/{NAME}"
        self.assertTrue(support.wait_until(lambda: os.path.isdir(view)))
        out = self.unpacked(capsule)
        self.run_command(["diff", "-r", view, out])
        self.run_command(["rsync", "-a", f"{view}/", self.path("copy/")])
        self.run_command(["diff", "-r", out, self.path("copy")])
        with open(self.path("t.tar"), "wb") as tar:
            self.run_command(["tar", "-C", view, "-c", "."], stdout=tar)
        os.mkdir(self.path("untar"))
        self.run_command(["tar", "-C", self.path("untar"), "-xf", self.path("t.tar")])
        self.run_command(["diff", "-r", out, self.path("untar")])
        self.run_command(["grep", "-rq", "log of r1", view])
        self.machine.detach()
        # Again without anybody giving its passphrase.
        self.machine.attach("ro")
        self.run_command(["diff", "-r", view, out])
        self.machine.detach()

    def test_alone(self):
        """-o import=NAME mounts only that; another name is an error."""
        capsule = self.made()
        self.machine.take(capsule)
        point = self.machine.attach(f"import={NAME}")
        self.run_command(["diff", "-r", point, self.unpacked(capsule)])
        for name, call in mutations(point, f"{point}/manifest.json", f"{point}/artifacts"):
            with self.subTest(name):
                self.assertRaises(OSError, call)
        self.machine.detach()
        self.mount(self.machine.ws, f"key-file={self.machine.key}", "import=none", secret=False,
                   rc=1)

    def test_encrypted(self):
        """What is kept is the file as it came, with its own key; nothing of it is in the clear."""
        capsule = self.made()
        self.machine.take(capsule)
        (name,) = self.machine.files()
        path = f"{self.machine.ws}/imports/{name}"
        self.assertEqual(support.read(path), support.read(capsule))
        self.assertEqual(os.stat(path).st_mode & 0o077, 0)
        self.assertEqual(os.stat(f"{self.machine.ws}/imports").st_mode & 0o077, 0)
        everything = b"".join(support.tree_bytes(self.machine.ws).values())
        self.assertNotIn(b"log of r1", everything)
        self.assertNotIn(b"S1-r1", everything)

    def test_source_goes(self):
        """What becomes of the file afterwards does not matter."""
        capsule = self.made()
        self.machine.take(capsule)
        support.write(capsule, b"other")
        self.machine.run("imports", "verify")
        point = self.machine.attach("ro")
        support.read(f"{point}/.capsule/imports/{NAME}/events.jsonl")
        self.machine.detach()

    def test_event(self):
        """CapsuleImported has all that is asked of it."""
        capsule = self.made()
        facts = self.machine.taken(capsule)
        (event,) = self.machine.of_kind("import.CapsuleImported")
        found = hashlib.sha256(support.read(capsule)).hexdigest()
        self.assertEqual(event["source_sha256"], found)
        self.assertTrue(event["source"].endswith("x.mv2e"))
        self.assertEqual(event["mount_name"], NAME)
        self.assertEqual(event["checkpoints_imported"], ["one", "final"])
        self.assertEqual(len(event["policy_version"]), 1)
        self.assertIs(event["verification_passed"], False)
        self.assertGreater(len(event["checks"]), 3)
        for key in ("content_digest", "actor", "source_type", "format", "trust"):
            self.assertIn(key, event)
        self.assertEqual(event["content_digest"], facts["content_digest"])
        shown = self.machine.facts("imports", "show", NAME)
        self.assertEqual(shown["content_digest"], facts["content_digest"])
        self.machine.run("imports", "show", "none", rc=1)

    def test_names(self):
        """--mount-as, else SPEC-RUN, else the stem; a name that is none is refused."""
        capsule = self.made()
        self.machine.take(capsule, "--mount-as", "other.name_1")
        folder = self.seal(self.sample(), "plain.v1.mv2e")
        self.machine.take(folder)
        odd = shutil.copy(folder, self.path("odd name.mv2e"))
        self.assertEqual(self.machine.refused(odd, rc=1)[0], "bad_name")
        for name in ("", ".", "..", "a/b", "../x", ".x", "-x", "a b", "x" * 65, "a\n", "ä"):
            with self.subTest(name):
                self.machine.take(capsule, f"--mount-as={name}", rc=1)
        self.assertEqual(self.machine.names(), ["other.name_1", "plain.v1"])
        self.assertEqual(len(self.machine.files()), 2)

    def test_again(self):
        """The same again, or a re-export of the same state: a success, logged, and one file."""
        capsule = self.made()
        self.assertFalse(self.machine.taken(capsule).get("already_there"))
        self.assertTrue(self.machine.taken(capsule)["already_there"])
        self.assertTrue(self.machine.taken(self.made(name="y.mv2e"))["already_there"])
        self.assertIn(b"already", self.machine.take(capsule).stdout)
        self.assertEqual(len(self.machine.files()), 1)
        self.assertEqual(len(self.machine.of_kind("import.CapsuleImported")), 4)

    def test_at_once(self):
        """The same by several at once: one takes it, and to the others it is there already."""
        capsule = self.made()
        self.machine.attach("timeline=0")
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            facts = list(pool.map(lambda _: self.machine.taken(capsule), range(6)))
        self.machine.detach()
        self.assertEqual(len([one for one in facts if not one.get("already_there")]), 1)
        self.assertEqual(self.machine.names(), [NAME])
        self.assertEqual(len(self.machine.files()), 1)
        self.assertEqual(len(self.machine.of_kind("import.CapsuleImported")), 6)

    def test_other_content(self):
        """The same name with other content is an error, which changes nothing."""
        capsule = self.made()
        self.machine.take(capsule)
        other = self.made("--unsafe", name="u.mv2e")
        code, message = self.machine.refused(other, rc=1)
        self.assertEqual(code, "mount_conflict")
        self.assertIn("--mount-as", message)
        self.assertEqual(len(self.machine.files()), 1)
        self.assertEqual(len(self.machine.of_kind("import.refused")), 1)
        self.machine.take(other, "--mount-as", "second")
        self.machine.run("imports", "remove", NAME)
        self.machine.take(other)
        self.assertEqual(self.machine.names(), [NAME, "second"])

    def test_removed(self):
        """remove takes away the folder, the file and the key, and is an event."""
        capsule = self.made()
        self.machine.take(capsule)
        point = self.machine.attach("timeline=0")
        view = f"{point}/.capsule/imports/{NAME}"
        with open(f"{view}/events.jsonl", "rb") as file:
            self.assertNotEqual(file.read(10), b"")
            self.machine.run("imports", "remove", NAME)
        self.assertTrue(support.wait_until(lambda: not os.path.exists(view)))
        self.assertEqual(self.machine.files(), [])
        self.machine.run("imports", "remove", NAME, rc=1)
        self.machine.detach()
        self.assertEqual(len(self.machine.of_kind("import.removed")), 1)
        self.capsule("doctor", self.machine.ws, "--deep", "--key-file", self.machine.key)

    def test_verify(self):
        """verify finds a damaged, a cut and a missing file; a mount answers with an error."""
        capsule = self.made()
        self.machine.take(capsule)
        self.machine.take(self.made("--unsafe", name="u.mv2e"), "--mount-as", "other")
        self.machine.run("imports", "verify")
        record = self.machine.facts("imports", "show", NAME)
        path = f"{self.machine.ws}/imports/{record['file']}"
        good = support.read(path)
        start, end = trees.blocks(good)
        for content in (good[:start + 100] + b"\0" * 64 + good[start + 164:], good[:-2000],
                        good[:4096], b"", None):
            if content is None:
                os.remove(path)
            else:
                support.write(path, content)
            shown = self.machine.run("imports", "verify", rc=2).stdout.decode()
            self.assertRegex(shown, rf"{NAME}: missing or changed")
            self.assertRegex(shown, "other: intact")
            self.machine.run("imports", "verify", "other")
            self.machine.run("imports", "list")
            point = self.machine.attach("ro")
            view = f"{point}/.capsule/imports"
            self.run_command(["find", view, "-type", "f"], rc=None)
            self.run_command(["cat", f"{view}/{NAME}/events.jsonl"], rc=None)
            self.run_command(["diff", "-r", f"{view}/other", f"{view}/other"])
            self.assertEqual(len(support.mounts_below(point)), 1, "the driver is gone")
            self.machine.detach()
        support.write(path, good)
        self.machine.run("imports", "verify")
        self.assertGreater(end, start)

    def test_uris(self):
        """After import, URIs of the run resolve in the other workspace, at each checkpoint."""
        capsule = self.made()
        origin = self.origin()
        self.machine.take(capsule)
        uri = f"mv2://{origin}/S1/r1/artifact/log.txt"
        event = [row for row in self.lines() if row["event_type"] in SAFE][0]
        self.assertEqual(self.machine.run("resolve-uri", uri).stdout, b"log of r1\n")
        self.assertEqual(self.machine.run("resolve-uri", uri, "--as-of", "one").stdout,
                         b"log of r1\n")
        late = f"mv2://{origin}/S1/r1/evidence/late.txt"
        self.machine.run("resolve-uri", late, "--as-of", "one", rc=1)
        self.assertEqual(self.machine.run("resolve-uri", late).stdout, b"late\n")
        self.assertEqual(json.loads(self.machine.run("resolve-uri", event["uri"]).stdout), event)
        self.machine.run("resolve-uri", uri.replace("log.txt", "dir/data.bin"), rc=3)

    def test_masked(self):
        """A URI of what was masked resolves to the masked bytes, and says so; others do not."""
        self.recorded(ends=False)
        self.put_text("secret.txt", f"token {secrets()['github']}\n")
        self.add("ErrorEvent", {**ERROR, "message": personal()["email"]})
        number = self.lines()[-1]["seq"]
        self.mark("two")
        for running in (True, False):
            if not running:
                self.finish()
            self.machine.take(self.export(f"{running}.mv2e")[0], "--mount-as", f"n{running}")
            for path, status in (("artifact/secret.txt", "masked"), ("artifact/log.txt", "found"),
                                 (f"event/{number}", "masked"), (f"event/{number - 1}", "found")):
                uri = f"mv2://{self.origin()}/S1/r1/{path}"
                for more in ([], ["--as-of", "two"]):
                    with self.subTest(path, running=running, more=more):
                        found = self.machine.facts("resolve-uri", uri, *more)
                        self.assertEqual(found["status"], status)
                        text = self.machine.run("resolve-uri", uri, *more).stdout
                        self.assertEqual(b"[" in text and b":1]" in text, status == "masked")
                        self.assertEqual(found["size_bytes"], len(text.rstrip(b"\n"))
                                         if path.startswith("event") else len(text))
            self.machine.run("imports", "remove", f"n{running}")


@support.needs_root
@support.needs_fuse
class ReadOnly(ImportTest):
    """Nothing in an import can be changed."""

    def test_every_call(self):
        """Every mutating request is answered EROFS, whoever asks."""
        capsule = self.made()
        point = self.machine.attach("timeline=0", "allow_other")
        self.machine.take(capsule)
        view = f"{point}/.capsule/imports/{NAME}"
        for name, call in mutations(view, f"{view}/manifest.json", f"{view}/artifacts"):
            with self.subTest(name):
                with self.assertRaises(OSError) as caught:
                    call()
                self.assertEqual(caught.exception.errno, 30, name)
        for words in (["touch", f"{view}/new"], ["rm", "-f", f"{view}/manifest.json"],
                      ["mv", f"{view}/manifest.json", f"{view}/m"], ["mkdir", f"{view}/d"],
                      ["cp", self.pw, f"{view}/events.jsonl"]):
            result = self.run_command(words, rc=1, user=support.NOBODY)
            self.assertRegex(result.stderr, b"[Rr]ead-only|[Pp]ermission")
        for source, target in ((f"{view}/manifest.json", f"{point}/stolen"),
                               (f"{point}/own", f"{view}/own")):
            support.write(f"{point}/own", b"x")
            self.assertRaises(OSError, os.rename, source, target)
            self.assertRaises(OSError, os.link, source, target)
        handle = os.open(f"{view}/manifest.json", os.O_RDONLY)
        for call in (lambda: os.ftruncate(handle, 0), lambda: os.fchmod(handle, 0o777),
                     lambda: os.fchown(handle, 1, 1), lambda: os.write(handle, b"x"),
                     lambda: os.posix_fallocate(handle, 0, 10)):
            self.assertRaises(OSError, call)
        os.close(handle)
        self.machine.run("imports", "verify")
        self.machine.detach()


@support.needs_root
@support.needs_fuse
class Refused(ImportTest):
    """What is not taken leaves nothing but an event."""

    def test_wrong_passphrase(self):
        """A wrong passphrase, or none, mounted and not."""
        capsule = self.made()
        wrong = support.write(self.path("wrong"), b"wrong\n")
        self.machine.take(capsule, rc=1, pw=wrong)
        self.nothing(1)
        point = self.machine.attach("timeline=0")
        self.machine.take(capsule, rc=1, pw=wrong)
        self.machine.run("import", capsule, rc=1)
        self.assertEqual(os.listdir(f"{point}/.capsule/imports"), [])
        self.machine.detach()
        self.nothing(3)

    def test_no_capsule(self):
        """What is no capsule: missing, empty, a folder, a pipe, noise, a device."""
        os.mkfifo(self.path("pipe"))
        cases = [self.path("none"), support.write(self.path("empty.mv2e"), b""),
                 self.path("home"), self.path("pipe"), "/dev/null",
                 support.write(self.path("noise.mv2e"), trees.noise(20_000)),
                 support.write(self.path("short.mv2e"), b"MV2E"),
                 support.write(self.path("text.mv2"), b"just a text\n" * 1000)]
        for case in cases:
            with self.subTest(os.path.basename(case)):
                result = self.machine.take(case, rc=None, timeout=20)
                self.assertIn(result.returncode, (1, 2, 3))
        self.nothing(len(cases))

    def test_damaged(self):
        """Damage at random bytes, and at each part, is found before anything is taken."""
        good = support.read(self.made())
        one = random.Random(2)
        places = [0, 5, 70, 100, 4100, 4200, len(good) - 1, len(good) - 500, len(good) - 1000]
        places += [one.randrange(len(good)) for _ in range(25)]
        refused = 0
        for place in places:
            path = support.write(self.path("bad.mv2e"),
                                 good[:place] + bytes([good[place] ^ 0x41]) + good[place + 1:])
            result = self.machine.take(path, rc=None)
            with self.subTest(place, length=len(good)):
                if result.returncode == 0:
                    # Nothing but padding between the parts may be free; then it is all there.
                    self.machine.run("imports", "verify")
                    self.machine.run("imports", "remove", NAME)
                    self.fail(f"byte {place} is not covered")
                self.assertIn(result.returncode, (1, 2, 3))
                refused += 1
        self.nothing(refused)

    def test_cut(self):
        """So is every kind of truncation, and what was appended."""
        good = support.read(self.made())
        for number, content in enumerate((good[:-1], good[:-1024], good[:len(good) // 2],
                                          good[:4096], good[:64], good + b"\0", good + good,
                                          good + b"x" * 5000)):
            path = support.write(self.path("bad.mv2e"), content)
            with self.subTest(number):
                result = self.machine.take(path, rc=None)
                self.assertIn(result.returncode, (1, 2, 3))
        self.nothing(8)

    def test_other_version(self):
        """A version that nobody knows is refused, by name."""
        good = support.read(self.made())
        for version in (0, 3, 255, 65535):
            path = support.write(self.path("v.mv2e"),
                                 good[:4] + version.to_bytes(2, "little") + good[6:])
            result = self.machine.take(path, rc=None)
            self.assertIn(result.returncode, (1, 2, 3))
            self.assertIn(b"version", result.stderr)
        self.nothing(4)

    def test_killed(self):
        """kill -9 of an import leaves nothing, or the whole import; no file without an owner."""
        capsule = self.made()
        begun = time.monotonic()
        self.machine.take(capsule)
        whole = time.monotonic() - begun
        self.machine.run("imports", "remove", NAME)
        one = random.Random(8)
        for _ in range(10):
            process = self.start(
                [support.CAPSULE, "import", capsule, "--passphrase-file", self.pw,
                 *self.machine.where()], env=self.machine.env)
            time.sleep(whole * one.random())
            process.kill()
            process.communicate(timeout=30)
            names = self.machine.names()
            if names:
                self.machine.run("imports", "verify")
                self.machine.run("imports", "remove", NAME)
            self.machine.run("gc")
        self.assertEqual(self.machine.files(), [])

    def test_turned_off(self):
        """features.import = false turns imports off."""
        capsule = self.made()
        self.config("[features]\nimport = false\n")
        self.machine.take(capsule, rc=1)
        self.machine.refused(capsule, rc=1)
        del self.env["CAPSULE_CONFIG"]
        self.nothing()


@support.needs_root
@support.needs_fuse
class Trust(ImportTest):
    """Who vouches for a capsule."""

    def test_unsigned(self):
        """Unsigned: taken with a warning; with --require-verified refused with 3."""
        capsule = self.made()
        self.assertEqual(self.machine.refused(capsule, "--require-verified", rc=3)[0], "unsigned")
        self.nothing(1)
        result = self.machine.take(capsule)
        self.assertIn(b"warning", result.stderr)
        self.assertIs(self.machine.facts("imports", "show", NAME)["verification_passed"], False)

    def test_signers(self):
        """A known signer is verified; an unknown one is unverified, and refused on demand."""
        key, other = self.key(), self.key("other")
        capsule = self.made("--sign", key)
        mine, theirs = self.allowed(key), self.allowed(other, name="theirs")
        self.machine.refused(capsule, "--require-verified", rc=3)
        self.machine.refused(capsule, "--require-verified", "--allowed-signers", theirs, rc=3)
        self.nothing(2)
        self.assertIn(b"warning", self.machine.take(capsule, "--mount-as", "unknown").stderr)
        result = self.machine.take(
            capsule, "--require-verified", "--allowed-signers", mine, "--mount-as", "known")
        self.assertNotIn(b"warning", result.stderr)
        rows = {row["mount_name"]: row for row in self.machine.facts("imports", "list")["imports"]}
        self.assertEqual([rows[name]["trust"] for name in ("known", "unknown")],
                         ["verified", "unverified"])
        self.assertIn("signer@example", rows["known"]["signer"])
        self.assertIn("signer", self.machine.of_kind("import.CapsuleImported")[-1])

    def test_pinned(self):
        """A signer that the user of the other machine has pinned is known."""
        key = self.key()
        capsule = self.made("--sign", key)
        self.capsule("trust", "add", key + ".pub", "--as", "signer@example", rc=None,
                     env=self.machine.env)
        listed = self.capsule("trust", "list", env=self.machine.env).stdout
        if b"signer" in listed:
            self.machine.take(capsule, "--require-verified")

    def test_allowed_alone(self):
        """--allowed-signers says who is known, and demands nothing."""
        capsule = self.made("--sign", self.key())
        theirs = self.allowed(self.key("other"), name="theirs")
        result = self.machine.take(capsule, "--allowed-signers", theirs)
        self.assertIn(b"warning", result.stderr)

    def test_verified_later(self):
        """What is imported again, now verified, is shown as verified."""
        key = self.key()
        capsule = self.made("--sign", key)
        self.machine.take(capsule)
        self.machine.take(capsule, "--require-verified", "--allowed-signers", self.allowed(key))
        (row,) = self.machine.facts("imports", "list")["imports"]
        self.assertEqual(row["trust"], "verified")

    def test_revoked(self):
        """A revoked signer is never known."""
        key = self.key()
        capsule = self.made("--sign", key)
        gone = self.allowed(key, options='valid-before="20200101"', name="gone")
        result = self.machine.take(capsule, "--require-verified", "--allowed-signers", gone,
                                   rc=None)
        self.assertEqual(result.returncode, 3)
        self.nothing(1)

    def test_wrong_signature(self):
        """A wrong signature is refused, always: changed, cut, or of another capsule."""
        key = self.key()
        capsule, second = self.made("--sign", key), self.made("--unsafe", "--sign", key,
                                                              name="y.mv2e")
        good, other = support.read(capsule), support.read(second)
        mine = self.allowed(key)
        refused = 0
        for number in range(3):
            content = bytearray(good)
            for (offset, length), (start, _) in zip(
                    trees.signature_areas(good), trees.signature_areas(other)):
                if number == 0:
                    content[offset + 200] ^= 1
                elif number == 1:
                    content[offset:offset + length] = other[start:start + length]
                else:
                    content[offset + 100:offset + 300] = bytes(200)
            path = support.write(self.path("bad.mv2e"), bytes(content))
            for more in ([], ["--allowed-signers", mine], ["--require-verified"]):
                with self.subTest(number, more=more[:1]):
                    result = self.machine.take(path, *more, rc=None)
                    self.assertIn(result.returncode, (2, 3))
                    refused += 1
        self.nothing(refused)


@support.needs_root
@support.needs_fuse
class Crafted(ImportTest):
    """Capsules whose manifests are not what we write."""

    def crafted(self, manifest, name="h.mv2e"):
        """A capsule with such a manifest.json."""
        folder = self.path(f"folder-{name}")
        support.write(f"{folder}/manifest.json", manifest)
        support.write(f"{folder}/policy/\x1b[31mp", b"x")
        return self.seal(folder, name)

    def test_shown(self):
        """No escape sequence of a capsule's reaches the terminal."""
        capsule = self.crafted(json.dumps({
            "spec_id": "\x1b[31mS", "run_id": "\x1b]0;x\x07R", "workspace_id": "\x1b[0m",
            "checkpoints": ["\x1b[31m"]}))
        self.machine.take(capsule, "--mount-as", "h")
        for words in (["imports", "show", "h"], ["imports", "list"], ["imports", "verify"],
                      ["audit", "list"]):
            self.assertNotIn(b"\x1b", self.machine.run(*words).stdout, words)

    def test_odd(self):
        """Wrong types, nonsense and places elsewhere: a plain import or a refusal."""
        for number, manifest in enumerate((
                b"[]", b"nonsense", b"", b'{"spec_id":1,"run_id":2}', b"[" * 200_000,
                b'{"spec_id":"..","run_id":".."}', b'{"spec_id":"a/../../b","run_id":"x"}',
                b'{"spec_id":"' + b"s" * 100_000 + b'","run_id":"x"}',
                b'{"spec_id":"S","run_id":"R","checkpoints":[1,{},null],"export":[]}')):
            capsule = self.crafted(manifest, f"c{number}.mv2e")
            with self.subTest(number):
                result = self.machine.take(capsule, rc=None)
                self.assertIn(result.returncode, (0, 1, 2, 3))
                self.machine.run("imports", "verify")
        self.machine.attach()
        self.machine.run("imports", "list")
        self.machine.detach()

    def test_endless(self):
        """A small capsule with an endless file of holes does not stall: taken, or refused."""
        path = support.write(self.path("holes/f"), b"x")
        os.truncate(path, 4 << 40)
        capsule = self.seal(self.path("holes"), "holes.mv2e")
        self.assertLess(os.path.getsize(capsule), 1 << 20)
        self.assertIn(self.machine.take(capsule, rc=None, timeout=45).returncode, (0, 1, 2, 3))

    def test_special(self):
        """Devices, set-ID bits, odd names and links of a capsule do no harm."""
        source, capsule, _ = trees.shared()
        self.machine.take(capsule, "--mount-as", "all")
        point = self.machine.attach("ro")
        view = f"{point}/.capsule/imports/all"
        self.assertEqual(self.rsync(source, view), b"")
        options = [words for place, _, words in support.mounts_below(point)][0]
        self.assertIn("nosuid", options)
        self.assertIn("nodev", options)
        self.machine.detach()


@support.needs_root
@support.needs_fuse
class Foreign(ImportTest):
    """Files of Memvid's."""

    def test_memvid(self):
        """A .mv2 and its encrypted twin of version 1 are taken, and stay encrypted."""
        name = "notes" if "notes" in memvid_files.NAMES else memvid_files.NAMES[0]
        plain = support.write(self.path("plain.mv2"), memvid_files.content(name))
        twin = support.write(self.path("twin.mv2e"), memvid_files.sealed(support.read(plain)))
        shown = self.path("shown")
        self.capsule("extract", plain, shown)
        for path in (plain, twin):
            self.machine.take(path)
        self.assertEqual(self.machine.names(), ["plain", "twin"])
        point = self.machine.attach("ro")
        for stem in ("plain", "twin"):
            self.run_command(["diff", "-r", "-x", "info.json", shown,
                              f"{point}/.capsule/imports/{stem}"])
        self.machine.detach()
        self.machine.run("imports", "verify")
        stored = b"".join(support.read(f"{self.machine.ws}/imports/{file}")
                          for file in self.machine.files())
        for content in support.tree_bytes(shown).values():
            if len(content) > 30:
                self.assertFalse(content in stored)
        self.assertTrue(self.machine.taken(plain)["already_there"])
        self.machine.refused(plain, "--require-verified", rc=3)

    def test_damaged(self):
        """A damaged one, or a wrong passphrase, is refused."""
        plain = memvid_files.content(memvid_files.NAMES[0])
        twin = memvid_files.sealed(plain)
        for number, content in enumerate((
                plain[:len(plain) // 2], plain[:-10], twin[:-10], twin[:100] + b"x" + twin[101:],
                twin[:64])):
            path = support.write(self.path(f"bad{number}.mv2"), content)
            with self.subTest(number):
                self.assertIn(self.machine.take(path, rc=None).returncode, (1, 2, 3))
        wrong = support.write(self.path("wrong"), b"wrong\n")
        self.machine.take(support.write(self.path("t.mv2e"), twin), rc=1, pw=wrong)
        self.nothing(6)

    def test_exported(self):
        """A run exported as .mv2 is taken with its name and its facts."""
        path = self.made("--no-encrypt", name="x.mv2")
        facts = self.machine.taken(path)
        self.assertEqual((facts["mount_name"], facts["format"]), (NAME, "memvid"))


@support.needs_root
@support.needs_fuse
class Programs(ImportTest):
    """Every type of event, after the journey."""

    def test_jq(self):
        """jq reads what came out, and finds what went in."""
        self.recorded(ends=False)
        self.add_lines([("ErrorEvent", {**ERROR, "error_code": f"E{number}"})
                        for number in range(300)])
        self.finish()
        point = self.machine.attach("timeline=0")
        self.machine.take(self.export("x.mv2e")[0])
        view = f"{point}/.capsule/imports/{NAME}"
        text = subprocess.run(
            ["jq", "-r", "select(.event_type == \"ErrorEvent\") | .payload.error_code",
             f"{view}/events.jsonl"], check=True, capture_output=True, timeout=30).stdout
        self.assertEqual(text.split()[-300:], [f"E{number}".encode() for number in range(300)])
        found = {row["event_type"] for row in self.exported_events(view)}
        self.assertEqual(found, (SAFE & set(PAYLOADS)) - {"MilestoneMarked"})
        self.machine.detach()


if __name__ == "__main__":
    import unittest

    unittest.main()
