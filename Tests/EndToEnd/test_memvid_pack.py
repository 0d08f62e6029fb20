"""Memvid files, written: packed trees, locked files, conversion, signatures.

Tests that have Memvid's own SDK on the other side run only with --full.
"""

import base64
import json
import os
import re
import signal
import struct
import subprocess
import time
import unittest

import memvid_files as files
import support
import trees
from support import CAPSULE

EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}
# What the SDK sees: the file opened in a mode, changed by `steps`, and what it then returns.
CLIENT = r"""
import json, os, sys
os.environ["MEMVID_TELEMETRY"] = "0"
import memvid_sdk
path, mode, words, steps = sys.argv[1], sys.argv[2], *map(json.loads, sys.argv[3:])
mem = memvid_sdk.use("basic", path, mode="open", read_only=mode == "ro")
for verb, *rest in steps:
    if verb == "put":
        uri, text = rest
        mem._core.put({"title": "added", "label": "note", "uri": uri, "text": text,
                       "no_raw": False, "enable_embedding": False, "auto_tag": False,
                       "extract_dates": False, "timestamp": 1700000000})
    else:
        mem.remove(mem.frame(rest[0])["id"])
if steps:
    mem.close()
    mem = memvid_sdk.use("basic", path, mode="open", read_only=mode == "ro")
timeline = [entry["uri"] for entry in mem.timeline(limit=100000)]
blobs = {uri: mem.blob(uri).hex() for uri in timeline}
finds = {word: [hit["uri"] for hit in mem.find(word, k=100)["hits"]] for word in words}
mem.close()
check = memvid_sdk.Memvid.verify(path, deep=True)["overall_status"]
print(json.dumps({"timeline": timeline, "blobs": blobs, "finds": finds, "verify": check}))
"""


class PackCase(files.MemvidCase):
    """A test that packs."""

    def pack(self, source=None, name="p.mv2", *more, rc=0, **options):
        """Packs a folder (the sample, if none); returns the path of the file."""
        output = name if name.startswith("/") else self.path(name)
        self.capsule("memvid", "pack", source or self.sample(), output, *more, rc=rc, **options)
        return output

    def unpack(self, path, name="out", *more):
        """Extracts everything that was packed; returns the directory."""
        out = self.path(name)
        self.capsule("extract", path, out, "--trust-special", *self.open_pw, *more)
        return out

    def same(self, one, two):
        """rsync finds nothing to do."""
        self.assertEqual(self.rsync(one, two), b"")

    def temporaries(self):
        """Hidden files in the sandbox."""
        return [name for name in os.listdir(self.root) if name.startswith(".")]


class RoundTrip(PackCase):
    """A tree comes back."""

    @support.needs_root
    @support.needs_fuse
    def test_everything(self):
        """The tree with every kind of object, extracted and mounted, plain and encrypted."""
        source = trees.shared()[0]
        # A place beside the source, so that the longest path is as long.
        place = os.path.dirname(source)
        packed_file = self.pack(source, "all.mv2")
        locked = self.path("all.mv2e")
        self.capsule("memvid", "lock", packed_file, locked, "--new-passphrase-file", self.pw)
        for name, path in (("mvp", packed_file), ("mve", locked)):
            out = os.path.join(place, name)
            self.addCleanup(subprocess.run, ["rm", "-rf", "--", out], timeout=60)
            self.capsule("extract", path, out, "--trust-special", *self.open_pw)
            self.same(source, out)
            for hole in os.listdir(f"{source}/sparse"):
                self.assertEqual(
                    trees.segments(f"{out}/sparse/{hole}"),
                    trees.segments(f"{source}/sparse/{hole}"), hole)
            self.assertEqual(os.stat(f"{out}/links/first").st_nlink, 3)
            point = os.path.join(place, "mmv")
            os.makedirs(point, exist_ok=True)
            self.mount(path, point=point)
            self.same(source, point)
            self.assertEqual(os.stat(f"{point}/links/first").st_nlink, 3)
            self.assertNotIn(".memvid", os.listdir(point))
            self.assertIn("info.json", os.listdir(f"{point}/.memvid"))
            self.umount(point)
        result = self.capsule("diff", packed_file, source, "--exit-code")
        self.assertEqual(result.stdout, b"")

    @support.needs_root
    def test_untrusted(self):
        """Nothing dangerous is restored without --trust-special."""
        out = self.path("out")
        self.capsule("extract", self.pack(trees.shared()[0]), out)
        self.assertEqual(sorted(os.listdir(f"{out}/special")), ["fifo", "fifo-again", "socket"])
        self.assertFalse(os.stat(f"{out}/modes/setuid").st_mode & 0o6000)

    def test_small_things(self):
        """Empty files and directories, names that are not UTF-8, hard links, a file of holes."""
        base = self.path("src")
        support.write(f"{base}/empty-file")
        os.mkdir(f"{base}/empty")
        odd = os.fsdecode(b"odd-\xff\n")
        support.write(f"{base}/{odd}", b"odd")
        os.link(f"{base}/{odd}", f"{base}/again")
        trees.sparse(f"{base}/holes", 3 << 20, [(1 << 20, b"data")])
        path = self.pack(base)
        out = self.unpack(path)
        self.same(base, out)
        self.assertEqual(os.stat(f"{out}/again").st_nlink, 2)
        self.assertEqual(trees.segments(f"{out}/holes"), trees.segments(f"{base}/holes"))
        # Only the data of a file with holes is stored.
        self.assertLess(os.path.getsize(path), 200_000)

    def test_empty_folder(self):
        """A folder with nothing in it."""
        os.mkdir(self.path("src"))
        out = self.unpack(self.pack(self.path("src")))
        self.same(self.path("src"), out)

    def test_attributes_of_memvid(self):
        """Attributes user.memvid.* become fields, and come back as they were."""
        base = self.sample()
        os.setxattr(f"{base}/a.txt", "user.memvid.title", b"A title")
        os.setxattr(f"{base}/a.txt", "user.memvid.tags", b"one\ntwo")
        path = self.pack(base)
        fields = json.loads(self.capsule("cat", path, ".memvid/frames/0.json").stdout)
        self.assertEqual((fields["title"], fields["tags"]), ("A title", ["one", "two"]))
        self.same(base, self.unpack(path))

    def test_reserved_key(self):
        """A file cannot pass for the tree record by its attributes."""
        base = self.sample()
        os.setxattr(f"{base}/a.txt", "user.memvid.extra_metadata", b'{"capsulefs.tree":"1"}')
        path = self.pack(base)
        self.assertIn(b"a.txt\n", self.capsule("ls", path).stdout)
        self.assertTrue(self.capsule_json("verify", path)["intact"])

    def test_reserved_name(self):
        """`.memvid` in the root is left out, as the manual says; below it is a name like any."""
        base = self.sample()
        support.write(f"{base}/.memvid/x", b"x")
        support.write(f"{base}/sub/.memvid/y", b"y")
        listed = self.capsule("ls", self.pack(base), "-R").stdout.splitlines()
        self.assertNotIn(b".memvid/x", listed)
        self.assertIn(b"sub/.memvid/y", listed)

    def test_exclude(self):
        """What matches is left out."""
        listed = self.capsule("ls", self.pack(None, "p.mv2", "--exclude", "*.bin"), "-R").stdout
        self.assertNotIn(b"b.bin", listed)
        self.assertIn(b"sub/deep/c", listed)

    def test_output_within(self):
        """The file may lie in the folder; it is no part of itself."""
        base = self.sample()
        path = self.pack(base, f"{base}/self.mv2")
        self.assertNotIn(b"self.mv2", self.capsule("ls", path, "-R").stdout)

    @support.heavy
    def test_large_file(self):
        """More than 256 MiB become numbered documents of Memvid's size, and one file again."""
        base = self.path("src")
        block = trees.noise(1 << 20)
        os.mkdir(base)
        with open(f"{base}/large", "wb") as file:
            for at in range(258):
                file.write(struct.pack("<Q", at) + block[8:])
        path = self.pack(base)
        uris = re.findall(rb'"uri":"([^"]*)"', self.capsule(
            "cat", path, ".memvid/timeline.jsonl").stdout.replace(b"\\/", b"/"))
        self.assertEqual(
            sorted(uris)[1:], [b"mv2://large.part-1", b"mv2://large.part-2"])
        self.same(base, self.unpack(path))
        self.assertEqual(self.capsule_json("verify", path)["origin"], "unsigned")


class Writing(PackCase):
    """How files are written."""

    def test_deterministic(self):
        """The same bytes again; encrypted, never."""
        base = self.sample()
        one = support.read(self.pack(base, "1.mv2", env=EPOCH))
        two = support.read(self.pack(base, "2.mv2", env=EPOCH))
        self.assertEqual(one, two)
        lock = ["--new-passphrase-file", self.pw]
        sealed = [support.read(self.pack(base, f"{at}.mv2e", "--lock", *lock, env=EPOCH))
                  for at in range(2)]
        for at in (0, 1):
            output = self.path(f"l{at}.mv2e")
            self.capsule("memvid", "lock", self.path("1.mv2"), output, *lock, env=EPOCH)
            sealed.append(support.read(output))
        self.assertEqual(len({whole[8:40] for whole in sealed}), 4, "a salt came twice")
        self.assertEqual(len({whole[40:52] for whole in sealed}), 4, "a nonce came twice")
        for whole in sealed:
            self.assertEqual(files.opened(whole), one)

    def test_lock_and_unlock(self):
        """Byte for byte, at chunk boundaries too; every stored file of the SDK's."""
        base = len(files.file_of([("mv2://a", b"x")])) - 1
        plain = {name: files.content(name) for name in ("tiny", "many", "updated")}
        for length in (files.CHUNK, files.CHUNK + 1, 2 * files.CHUNK):
            plain[str(length)] = files.file_of([("mv2://a", b"\xff" * (length - base))])
            self.assertEqual(len(plain[str(length)]), length)
        for name, whole in plain.items():
            with self.subTest(name):
                path, locked = self.file(f"{name}.mv2", whole), self.path(f"{name}.mv2e")
                self.capsule("memvid", "lock", path, locked, "--new-passphrase-file", self.pw)
                self.assertEqual(files.opened(support.read(locked)), whole)
                again = self.path(f"{name}.again")
                self.capsule("memvid", "unlock", locked, again, *self.open_pw)
                self.assertEqual(support.read(again), whole)
        sdks = self.stored("tiny", True)
        self.capsule("memvid", "unlock", sdks, self.path("tiny.sdk"), *self.open_pw)
        self.assertEqual(support.read(self.path("tiny.sdk")), plain["tiny"])

    def test_passphrases(self):
        """One passphrase, no other secret, never an empty one; wrong states are usage errors."""
        plain, locked = self.stored("tiny"), self.stored("tiny", True)
        other, empty = support.write(self.path("other"), b"x"), support.write(self.path("no"), b"")
        new = ["--new-passphrase-file", self.pw]
        for words in (
                ["lock", plain, "x", *new, "--new-passphrase-file", other],
                ["lock", plain, "x", "--key-file", other], ["lock", locked, "x", *new],
                ["unlock", plain, "x", *self.open_pw],
                ["unlock", locked, "x", "--passphrase-file", other],
                ["unlock", locked, "x", "--key-file", other],
                ["lock", plain, "x", "--new-passphrase-file", empty],
                ["lock", other, "x", *new], ["unlock", self.seal(), "x", *self.open_pw]):
            with self.subTest(words=words):
                self.capsule("memvid", *words, rc=1)
                self.assertFalse(os.path.exists(self.path("x")))
        self.capsule("memvid", "lock", plain, "x", *self.open_pw)
        self.capsule("memvid", "lock", plain, "y", env={
            "CAPSULE_PASSPHRASE": support.SECRET.decode()})
        for name in "xy":
            self.assertEqual(files.opened(support.read(self.path(name))), support.read(plain))

    def test_existing_output(self):
        """An existing file stays, unless --force is given."""
        base, mine = self.sample(), support.write(self.path("mine"), b"mine")
        plain, locked = self.stored("tiny"), self.stored("tiny", True)
        for words in (
                ["memvid", "pack", base, mine],
                ["memvid", "lock", plain, mine, "--new-passphrase-file", self.pw],
                ["memvid", "unlock", locked, mine, *self.open_pw],
                ["convert", plain, mine, "--new-passphrase-file", self.pw, *support.CHEAP]):
            with self.subTest(words=words[:2]):
                support.write(mine, b"mine")
                self.capsule(*words, rc=1)
                self.assertEqual(support.read(mine), b"mine")
                self.capsule(*words, "--force")
                self.assertNotEqual(support.read(mine), b"mine")
                self.assertEqual(os.stat(mine).st_mode & 0o077, 0)

    def test_nothing_half_written(self):
        """Failures leave no file: a damaged source, and SIGKILL in the middle."""
        whole = files.twin("chunked")
        damaged = self.file("d.mv2e", files.flipped(files.sealed(
            files.file_of([("mv2://a", b"\xff" * (3 << 20))])), 64 + 2 * files.UNIT + 9))
        self.capsule("memvid", "unlock", damaged, self.path("x"), *self.open_pw, rc=2)
        self.assertFalse(os.path.exists(self.path("x")))
        self.assertTrue(whole)
        base = self.path("src")
        os.mkdir(base)
        trees.sparse(f"{base}/big", 250 << 20, [(0, trees.noise(200 << 20))])
        for wait in (0.05, 0.2):
            process = self.start([CAPSULE, "memvid", "pack", base, self.path("x")])
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
            if process.wait(10) == -signal.SIGKILL:
                self.assertFalse(os.path.exists(self.path("x")))
            self.assertEqual(self.temporaries(), [])

    @support.needs_root
    def test_full_disk(self):
        """Output into a full tmpfs: an error of the system, and nothing stays."""
        small = self.path("small")
        os.mkdir(small)
        self.run_command(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small])
        try:
            base = self.path("src")
            support.write(f"{base}/big", trees.noise(1 << 20))
            plain = self.pack(base, "fits.mv2")
            locked = self.path("fits.mv2e")
            new = ["--new-passphrase-file", self.pw]
            self.capsule("memvid", "lock", plain, locked, *new)
            for words in (
                    ["memvid", "pack", base, f"{small}/x"],
                    ["memvid", "lock", plain, f"{small}/x", *new],
                    ["memvid", "unlock", locked, f"{small}/x", *self.open_pw],
                    ["convert", plain, f"{small}/x", *new, *support.CHEAP]):
                with self.subTest(words=words[:2]):
                    self.capsule(*words, rc=2)
                    self.assertEqual(os.listdir(small), [])
        finally:
            self.run_command(["umount", small])

    def test_verbs_that_need_a_capsule(self):
        """sign, slot and rekey say that it is a Memvid file."""
        for path in (self.pack(), self.stored("tiny", True)):
            for words in (["slot", "list", path], ["rekey", path, self.path("x"), *self.open_pw]):
                self.assertEqual(self.error_of(*words, rc=1)[0], "memvid_file")
            result = self.capsule("sign", path, "--key", self.key(), rc=1)
            self.assertIn(b"Memvid", result.stderr)


class Verify(PackCase):
    """The answers about packed files."""

    def verdict(self, path, *more, rc=0):
        """(origin, error code) and whether it is intact."""
        value = self.capsule_json("verify", path, *self.open_pw, *more, rc=rc)
        self.assertEqual(value["exit_code"], rc)
        return value["origin"], value.get("error_code"), value["intact"]

    def signed(self, name="s.mv2", *more):
        """A packed and signed sample."""
        return self.pack(None, name, "--sign", self.key(), *more)

    def test_origins(self):
        """Unsigned, unknown, known; plain and encrypted."""
        mine, other = self.allowed(self.key()), self.allowed(self.key("b"), name="foreign")
        self.assertEqual(self.verdict(self.pack()), ("unsigned", None, True))
        self.assertEqual(
            self.verdict(self.path("p.mv2"), "--allowed-signers", mine, rc=3),
            ("unsigned", "unsigned", True))
        lock = ["--lock", "--new-passphrase-file", self.pw]
        for path in (self.signed(), self.signed("s.mv2e", *lock)):
            self.assertEqual(self.verdict(path), ("unknown", None, True))
            self.assertEqual(
                self.verdict(path, "--allowed-signers", mine), ("known", None, True))
            self.assertEqual(
                self.verdict(path, "--allowed-signers", other, rc=3),
                ("unknown", "unknown_signer", True))
        code, _ = self.error_of("verify", self.path("s.mv2e"), rc=1)
        self.assertEqual(code, "missing_secret")
        self.capsule("trust", "add", "me@example", self.key() + ".pub")
        self.assertEqual(self.verdict(self.path("s.mv2")), ("known", None, True))

    def test_root(self):
        """--root takes one root and no other."""
        path = self.signed()
        root = self.capsule_json("verify", path)["root"]
        self.verdict(path, "--root", root)
        self.assertEqual(self.verdict(path, "--root", "0" * 64, rc=3)[1], "wrong_root")

    def tampered(self, path, old, new):
        """The file with bytes of its table replaced, and every checksum made good again."""
        whole = support.read(path)
        start, end = files.toc_place(whole)
        toc = whole[start:end - 0]
        self.assertEqual((toc.count(old), len(old)), (1, len(new)))
        toc = toc.replace(old, new)[:-32]
        toc += files.digest(toc + bytes(32))
        return self.file("t.mv2", whole[:start] + toc + files.footer(toc))

    def test_tampering(self):
        """A changed root, signature, entry or payload, with all of Memvid's checksums fitting."""
        path = self.signed()
        root = self.capsule_json("verify", path)["root"].encode()
        self.assertEqual(
            self.verdict(self.tampered(path, root, root[::-1]), rc=2)[1:], ("changed", False))
        fields = self.frames(self.unpack_all(path))
        record = fields[max(fields)]["extra_metadata"]
        blob = base64.b64decode(record["capsulefs.signature.1"])
        worse = base64.b64encode(blob[:-1] + bytes([blob[-1] ^ 1]))
        self.assertEqual(
            self.verdict(
                self.tampered(path, record["capsulefs.signature.1"].encode(), worse), rc=3),
            ("wrong", "wrong_signature", True))
        entry_of = fields[0]["extra_metadata"]["capsulefs.entry"].encode()
        mode = entry_of.replace(b'"mode":33188', b'"mode":35309')
        self.assertEqual(
            self.verdict(self.tampered(path, entry_of, mode), rc=2)[1:], ("changed", False))
        whole = support.read(path)
        self.file("d.mv2", files.flipped(whole, fields[0]["payload_offset"]))
        self.assertEqual(self.verdict(self.path("d.mv2"), rc=2)[1:], ("damaged", False))

    def test_forged(self):
        """Contents and root replaced together: the old signature does not fit the new root."""
        one = self.signed()
        root = self.capsule_json("verify", one)["root"].encode()
        support.write(self.path("src/a.txt"), b"ALPHA\n")
        two = self.signed("two.mv2")
        second = self.capsule_json("verify", two)["root"].encode()
        fields = [self.frames(self.unpack_all(path, name))
                  for path, name in ((one, "all1"), (two, "all2"))]
        marks = [at[max(at)]["extra_metadata"]["capsulefs.signature.1"].encode() for at in fields]
        self.assertNotEqual(root, second)
        self.assertEqual(
            self.verdict(self.tampered(two, marks[1], marks[0]), rc=3),
            ("wrong", "wrong_signature", True))

    def unpack_all(self, path, name="all"):
        """Extracts `.memvid` of a packed file, which is shown only if it is named."""
        out = self.path(name)
        self.capsule("extract", path, out, ".memvid")
        return out

    def test_ssh_keygen(self):
        """OpenSSH agrees, for each of two signatures."""
        path = self.signed("two.mv2", "--sign", self.key("second"))
        for number, key in (("1", self.key()), ("2", self.key("second"))):
            self.capsule(
                "verify", path, "--quiet", "--extract-statement", self.path("st"),
                "--extract-signature", self.path("sig"), "--signature", number)
            root = self.capsule_json("verify", path)["root"]
            self.assertEqual(
                support.read(self.path("st")).decode(),
                f"capsulefs memvid statement\nroot: {root}\n")
            for signer, rc in ((key, 0), (self.key("third"), 255)):
                with open(self.path("st"), "rb") as statement:
                    self.run_command(
                        ["ssh-keygen", "-Y", "verify", "-f", self.allowed(signer), "-I",
                         "signer@example", "-n", "capsule.capsulefs", "-s", self.path("sig")],
                        stdin=statement, rc=rc)
        code, _ = self.error_of(
            "verify", path, "--extract-signature", self.path("sig"), "--signature", "3", rc=1)
        self.assertEqual(code, "not_found")

    def test_not_packed(self):
        """Any other file: its payloads are checked, it has no root."""
        self.assertEqual(self.verdict(self.stored("tiny_raw")), ("unsigned", None, True))
        value = self.capsule_json("verify", self.path("tiny_raw.mv2"))
        self.assertEqual(value["root"], "0" * 64)
        self.assertEqual(value["blocks"], 5)


class Convert(PackCase):
    """`capsule convert`."""

    def converted(self, path, name, *more):
        """Converts to a capsule or back."""
        secret = ["--new-passphrase-file", self.pw] if name.endswith("e") else []
        cost = support.CHEAP if "--lock" not in more and name.endswith("e") else []
        output = self.path(name)
        self.capsule("convert", path, output, *self.open_pw, *secret, *cost, *more)
        return output

    def fields(self, path):
        """{(uri, time): what has to survive} of the active documents."""
        out = self.path("fields")
        self.capsule("extract", path, out, ".memvid", *self.open_pw)
        found = {}
        for one in self.frames(out).values():
            if one["role"] != "document" or one["status"] != "active":
                continue
            extra = {key: value for key, value in dict(one["extra_metadata"]).items()
                     if not key.startswith("capsulefs.")}
            if "capsulefs.tree" in one["extra_metadata"]:
                continue
            kept = ("title", "tags", "labels", "kind", "track", "timestamp", "metadata")
            found[one["uri"], one["timestamp"]] = {
                **{key: one[key] for key in kept}, "extra": extra}
        self.run_command(["rm", "-rf", out])
        return found

    def test_there_and_back(self):
        """Everything that was promised survives both ways, and the whole way again."""
        for name in ("tiny_raw", "files_raw", "notes", "unicode", "updated"):
            with self.subTest(name):
                source = self.stored(name)
                first = self.extract(source, f"{name}-1")
                sealed = self.converted(source, f"{name}.v2e")
                back = self.converted(sealed, f"{name}-back.mv2")
                self.assertEqual(self.fields(back), self.fields(source))
                second = self.unpack(back, f"{name}-2")
                one, two = support.tree_bytes(first), support.tree_bytes(second)
                one = {path: text for path, text in one.items() if path[:8] != ".memvid/"}
                self.assertEqual(two, one)
                for path in one:
                    self.assertEqual(
                        int(os.stat(f"{second}/{path}").st_mtime),
                        int(os.stat(f"{first}/{path}").st_mtime))

    def test_twice(self):
        """The second round keeps as much as the first."""
        source = self.stored("tiny_raw")
        path = source
        for at in range(2):
            path = self.converted(self.converted(path, f"{at}.v2e"), f"{at}.mv2")
        self.assertEqual(self.fields(path), self.fields(source))

    def test_dropped(self):
        """What was deleted or superseded, and `.memvid`, does not come along."""
        sealed = self.converted(self.stored("deleted"), "d.v2e")
        listed = self.capsule("ls", sealed, "-R", *self.open_pw).stdout
        self.assertNotIn(b".memvid", listed)
        active = self.capsule("ls", self.path("deleted.mv2"), "-R").stdout.splitlines()
        active = [line for line in active if not line.startswith(b".memvid")]
        self.assertEqual(listed.splitlines(), active)

    def test_packed_tree(self):
        """A packed tree becomes a capsule of the same tree, and back."""
        base = self.sample()
        sealed = self.converted(self.pack(base), "p.v2e")
        self.capsule("diff", sealed, base, *self.open_pw, "--exit-code")
        back = self.converted(sealed, "back.mv2")
        self.same(base, self.unpack(back))

    def test_encrypted(self):
        """Encrypted on either side, with the same passphrase where none is named."""
        source = self.stored("tiny_raw", True)
        self.capsule("convert", source, self.path("c.v2e"), *self.open_pw, *support.CHEAP)
        self.capsule("verify", self.path("c.v2e"))
        self.capsule("convert", self.path("c.v2e"), self.path("b.mv2e"), "--lock", *self.open_pw)
        self.assertEqual(support.read(self.path("b.mv2e"))[:6], b"MV2E\1\0")
        self.assertEqual(self.fields(self.path("b.mv2e")), self.fields(source))
        wrong = support.write(self.path("wrong"), b"wrong")
        self.assertEqual(
            self.error_of("convert", source, self.path("x"), "--passphrase-file", wrong, rc=1)[0],
            "wrong_secret")
        for words in ([source, "x", "--lock"], [self.path("c.v2e"), "x", "--lock",
                                                 "--new-key-file", self.path("k")]):
            self.assertEqual(self.error_of("convert", *words, *self.open_pw, rc=1)[0], "usage")
        self.assertFalse(os.path.exists(self.path("x")))

    def test_recover(self):
        """What is only in the log comes along on request."""
        source = self.stored("wal_first_put")
        plain = self.capsule("ls", self.converted(source, "p.v2e"), *self.open_pw).stdout
        more = self.capsule(
            "ls", self.converted(source, "r.v2e", "--recover"), *self.open_pw).stdout
        self.assertGreater(len(more), len(plain))

    def test_signed(self):
        """--sign signs what is written, either way."""
        sealed = self.converted(self.pack(), "c.v2e", "--sign", self.key())
        back = self.converted(sealed, "b.mv2", "--sign", self.key())
        mine = self.allowed(self.key())
        for path in (sealed, back):
            value = self.capsule_json("verify", path, "--allowed-signers", mine)
            self.assertEqual(value["origin"], "known")


@support.heavy
class Client(PackCase):
    """Memvid's own SDK on packed files."""

    def setUp(self):
        super().setUp()
        if not files.SDK:
            self.skipTest("CAPSULE_TEST_MEMVID_PYTHON names no interpreter")

    def sdk(self, path, mode="rw", words=(), steps=()):
        """What the SDK returns."""
        result = self.run_command(
            [files.SDK, "-B", "-c", CLIENT, path, mode, json.dumps(words), json.dumps(steps)],
            timeout=180)
        return json.loads(result.stdout.splitlines()[-1])

    def folder(self):
        """A folder with text, binary, empty and odd files."""
        base = self.sample()
        support.write(f"{base}/words.txt", b"A needle lies in this haystack.\n" * 20)
        support.write(f"{base}/sub/long.md", b"# Zebra\n\n" + b"stripes  and\tmore\n" * 9000)
        support.write(f"{base}/noise.bin", trees.noise(300_000))
        support.write(os.fsdecode(os.fsencode(base) + b"/odd-\xff"), b"odd")
        trees.sparse(f"{base}/holes", 1 << 20, [(65536, b"data")])
        os.mkdir(f"{base}/empty-dir")
        return base

    def test_open(self):
        """Read-only and read-write: verify, timeline, find, blob; the file is not changed."""
        base = self.folder()
        path = self.pack(base)
        before = support.read(path)
        for mode in ("ro", "rw"):
            seen = self.sdk(path, mode, ["needle", "zebra", "absent"])
            self.assertEqual(seen["verify"], "passed")
            expected = {f"mv2://{os.path.relpath(name, base)}": support.read(name)
                        for name in (f"{base}/{part}" for part in (
                            "a.txt", "sub/b.bin", "sub/deep/c", "words.txt", "sub/long.md",
                            "noise.bin"))}
            for uri, content in expected.items():
                self.assertEqual(bytes.fromhex(seen["blobs"][uri]), content, uri)
            self.assertEqual(len(seen["timeline"]), len(expected) + 3)
            self.assertIn("mv2://words.txt", seen["finds"]["needle"])
            self.assertIn("mv2://sub/long.md", seen["finds"]["zebra"])
            self.assertEqual(seen["finds"]["absent"], [])
            if mode == "ro":
                self.assertEqual(support.read(path), before)
        self.same(base, self.unpack(path))

    def test_changed(self):
        """After the SDK has put and removed documents, the result is shown, and verify says so."""
        base = self.folder()
        path = self.pack(base, "p.mv2", "--sign", self.key())
        seen = self.sdk(path, "rw", (), [
            ["put", "mv2://new/note.txt", "A walrus was added."], ["remove", "mv2://words.txt"],
            ["remove", "mv2://sub/deep/c"]])
        self.assertEqual(seen["verify"], "passed")
        self.assertIn("mv2://new/note.txt", seen["timeline"])
        out = self.unpack(path)
        self.assertEqual(support.read(f"{out}/new/note.txt"), b"A walrus was added.")
        os.unlink(f"{base}/words.txt")
        os.unlink(f"{base}/sub/deep/c")
        os.utime(f"{base}", ns=(1, 1))
        changes = self.rsync(base, out, "--exclude", "/new").splitlines()
        self.assertEqual(
            [line for line in changes if not re.match(rb"\.d\.\.t", line)], [], changes)
        value = self.capsule_json("verify", path, rc=2)
        self.assertEqual(value["error_code"], "changed")
        self.assertFalse(value["intact"])

    @unittest.expectedFailure  # the client's word search does not take in what it adds
    def test_found_after_adding(self):
        """What the SDK adds to a packed file, it finds."""
        path = self.pack()
        seen = self.sdk(path, "rw", ["walrus"], [["put", "mv2://x.txt", "A walrus was added."]])
        self.assertEqual(seen["finds"]["walrus"], ["mv2://x.txt"])

    def test_added_to_the_root(self):
        """Only an addition is a change, too."""
        path = self.pack()
        self.sdk(path, "rw", (), [["put", "mv2://x.txt", "x"]])
        self.assertEqual(self.capsule_json("verify", path, rc=2)["error_code"], "changed")

    def test_lock_both_ways(self):
        """The SDK unlocks ours; we read and unlock what the SDK locked."""
        path = self.pack(self.folder())
        locked, theirs = self.path("l.mv2e"), self.path("t.mv2e")
        self.capsule("memvid", "lock", path, locked, "--new-passphrase-file", self.pw)
        run = [files.SDK, "-B", str(files.MAKER)]
        self.run_command([*run, "unlock", locked, self.path("u.mv2")], timeout=180)
        self.assertEqual(support.read(self.path("u.mv2")), support.read(path))
        self.run_command([*run, "lock", path, theirs], timeout=180)
        self.capsule("memvid", "unlock", theirs, self.path("v.mv2"), *self.open_pw)
        self.assertEqual(support.read(self.path("v.mv2")), support.read(path))
        self.same(self.path("src"), self.unpack(theirs))

    def test_converted(self):
        """A file of the SDK's, converted to a capsule and back, opens there again."""
        source = self.stored("tiny_raw")
        self.capsule("convert", source, self.path("c.v2e"), "--new-passphrase-file", self.pw,
                     *support.CHEAP)
        self.capsule("convert", self.path("c.v2e"), self.path("b.mv2"), *self.open_pw)
        one, two = self.sdk(source), self.sdk(self.path("b.mv2"))
        self.assertEqual(two["verify"], "passed")
        for uri, content in one["blobs"].items():
            self.assertEqual(two["blobs"][uri], content, uri)


if __name__ == "__main__":
    import unittest
    unittest.main()
