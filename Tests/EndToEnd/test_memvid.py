"""Memvid files, read: names, bytes and facts, encrypted or not, beside what the SDK returned."""

import hashlib
import json
import os
import re
import stat
import unicodedata

import memvid_files as files
import support
from support import CAPSULE, CAPSULEFS

# Stored fixtures whose log holds more than their table.
PENDING = ["killed", "killed_removing", "wal_first_put", "wal_many"]


class Stored(files.MemvidCase):
    """What the SDK made, in the repository: our view beside the SDK's."""

    def test_fixtures(self):
        """All kinds are there and are what they were when they were made."""
        self.assertGreaterEqual(len(files.NAMES), 20)
        for name in files.NAMES:
            whole, known = files.content(name), files.facts(name)
            self.assertEqual(hashlib.sha256(whole).hexdigest(), known["sha256"], name)
            self.assertEqual(known["view"]["verify"], "passed", name)
            self.assertEqual(files.opened(files.twin(name)), whole, name)

    def test_the_sdks_view(self):
        """The same documents, fields, bytes, timeline and words, in each of them."""
        for name in files.NAMES:
            with self.subTest(name):
                more = ["--recover"] if name in PENDING else []
                folder = self.extract(self.stored(name), f"out-{name}", *more)
                self.compare(folder, files.facts(name), bool(more))

    def test_encrypted_is_the_same(self):
        """The encrypted twin of each shows the same tree, to the byte."""
        for name in files.NAMES:
            with self.subTest(name):
                plain = self.extract(self.stored(name), f"plain-{name}")
                other = self.extract(self.stored(name, True), f"sealed-{name}")
                one, two = support.tree_bytes(plain), support.tree_bytes(other)
                # It says how it is encrypted.
                info = json.loads(two.pop(".memvid/info.json"))
                self.assertEqual(info.pop("form"), "chunked")
                expected = json.loads(one.pop(".memvid/info.json"))
                self.assertEqual(expected.pop("form"), "plain")
                self.assertEqual(info, expected)
                self.assertEqual(one, two)
                self.assertEqual(self.rsync(plain, other, "--exclude", "info.json"), b"")
                self.assertTrue(one)

    def test_one_shot(self):
        """The legacy form with a single tag."""
        plain = files.content("tiny")
        path = self.file("one.mv2e", files.sealed(plain, one_shot=True))
        self.assertEqual(os.path.getsize(path), 64 + len(plain) + 16)
        folder = self.extract(path)
        self.compare(folder, files.facts("tiny"))
        form = json.loads(support.read(f"{folder}/.memvid/info.json"))["form"]
        self.assertEqual(form, "one-shot")
        self.file("bad.mv2e", files.flipped(support.read(path), 70_000))
        code, _ = self.error_of("ls", self.path("bad.mv2e"), *self.open_pw, rc=1)
        self.assertEqual(code, "wrong_secret")

    def test_several_chunks(self):
        """A file of several chunks reads at every place, in every order."""
        documents = [(f"mv2://big/{at}.bin", files.digest(bytes([at])) * 20_000)
                     for at in range(5)]
        plain = files.file_of(documents)
        self.assertGreater(len(plain), 3 * files.CHUNK)
        path = self.file("big.mv2e", files.sealed(plain))
        folder = self.extract(path)
        for uri, payload in documents:
            self.assertEqual(support.read(f"{folder}/{uri[6:]}"), payload)
        for uri, payload in reversed(documents):
            self.assertEqual(
                self.capsule("cat", path, uri[6:], *self.open_pw).stdout, payload)

    def test_exact_chunk(self):
        """A plaintext of exactly two chunks has no empty third."""
        base = len(files.file_of([("mv2://a", b"")]))
        plain = files.file_of([("mv2://a", b"\xff" * (2 * files.CHUNK - base))])
        # The table says a length instead of no text, which takes as many bytes.
        missing = 2 * files.CHUNK - len(plain)
        plain = files.file_of([("mv2://a", b"\xff" * (2 * files.CHUNK - base + missing))])
        self.assertEqual(len(plain), 2 * files.CHUNK)
        whole = files.sealed(plain)
        self.assertEqual(len(files.units(whole)), 2)
        folder = self.extract(self.file("exact.mv2e", whole))
        self.assertEqual(len(support.read(f"{folder}/a")), 2 * files.CHUNK - base + missing)

    def test_by_magic(self):
        """The first bytes say what a file is, not its name."""
        self.capsule("ls", self.file("x.jpg", files.content("tiny")))
        self.capsule("ls", self.file("y", files.twin("tiny")), *self.open_pw)
        self.capsule("ls", self.file("z.mv2", files.twin("tiny")), *self.open_pw)
        code, _ = self.error_of("ls", self.file("t.mv2", b"no such thing" * 50), rc=1)
        self.assertEqual(code, "not_a_capsule")


class Folder(files.MemvidCase):
    """Names, attributes and what lies in `.memvid`."""

    def test_names(self):
        """Every document has one name, safe and unique; nothing leaves the folder."""
        folder = self.extract(self.stored("names"))
        frames = self.frames(folder)
        documents = self.documents(folder)
        self.assertEqual(len(documents), len(frames))
        found = {frames[at]["uri"]: path for at, (path, _, _) in documents.items()}
        for uri, path in {
                "mv2://../../etc/passwd": "%2E%2E/%2E%2E/etc/passwd",
                "mv2://a/../b": "a/%2E%2E/b", "mv2://./dot": "%2E/dot",
                "mv2://new\nline/and\ttab": "new%0Aline/and%09tab",
                "mv2://  spaces  / in it ": "  spaces  / in it ",
                "mv2://clash/below/more": "clash/below/more", "mv2://.memvid": None,
                "mv2://.memvid/info.json": "%2Ememvid/info.json", "mv2://a//b///c/": "a/b/c",
                "http://example.org/x?y=1#z": "http:/example.org/x?y=1#z",
                "plain words": "plain words", "/absolute": "absolute",
                "mv2://back\\slash": "back\\slash", "mv2://nul\0byte": "nul%00byte",
                "mv2://esc\x1b[31m": "esc%1B[31m", "mv2://dots...": "dots...",
                "mv2://...": "...", "mv2://-dash": "-dash", "mv2://~": "~"}.items():
            if path is not None:
                self.assertEqual(found[uri], path, repr(uri))
        # A directory keeps its name, a document of the same name gives way.
        for uri, pattern in {
                "mv2://clash": r"clash~\d+", "mv2://clash/below": r"clash/below~\d+",
                "mv2://.memvid": r"%2Ememvid~\d+", "mv2://%2E%2E": r"%2E%2E~\d+"}.items():
            self.assertRegex(found[uri], f"^{pattern}$")
        # Of several with one URI, the newest has the plain name.
        same = [at for at, one in frames.items() if one["uri"] == "mv2://same"]
        self.assertEqual(len(same), 3)
        self.assertEqual(documents[max(same)][0], "same")
        for at, (path, shown, _) in documents.items():
            self.assertIn(f"document number {at} alpha", shown.decode())
            for name in os.fsencode(path).split(b"/"):
                self.assertLessEqual(len(name), 255)
                self.assertNotIn(name, (b"", b".", b".."))
                name.decode()
        self.assertFalse(os.path.exists(os.path.join(self.root, "etc")))

    def test_unicode_names(self):
        """Composed and decomposed characters are different names, tags and keys."""
        folder = self.extract(self.stored("unicode"))
        both = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
        frame = self.frames(folder)[4]
        self.assertEqual(frame["tags"], both)
        self.assertEqual(
            dict(frame["extra_metadata"]), {both[0]: '"composed"', both[1]: '"decomposed"'})
        tags = os.listdir(f"{folder}/.memvid/tags")
        for tag in both:
            self.assertIn(tag, tags)
        self.assertEqual(len(os.listdir(f"{folder}/same")), 2)

    def test_attributes(self):
        """What getfattr shows; the same on a mount and extracted."""
        folder = self.extract(self.stored("notes"))
        frames = self.frames(folder)
        self.check_attributes(folder, frames)
        qualities = {
            at: quality for at, (_, _, quality) in self.documents(folder).items()}
        self.assertEqual(qualities[0], "text" if frames[0]["source_blake3"] is None else "proven")
        self.assertEqual(qualities[3], "stored")
        names = {
            name[12:] for name in os.listxattr(f"{folder}/notes/first")
            if name.startswith("user.memvid.")}
        self.assertLessEqual(
            {"uri", "title", "tags", "labels", "extra_metadata", "frame_id", "quality"}, names)
        self.assertEqual(
            os.getxattr(f"{folder}/notes/first", "user.memvid.tags"), b"t1\ntwo words")

    def check_attributes(self, folder, frames):
        """Each attribute is what the frame says; times are the frame's."""
        for at, (path, shown, quality) in self.documents(folder).items():
            full, one = os.path.join(folder, path), frames[at]
            self.assertEqual(os.stat(full).st_mtime, one["timestamp"])
            self.assertIn(quality, ("stored", "proven", "text", "none"))

            def value(name):
                try:
                    return os.getxattr(full, f"user.memvid.{name}").decode()
                except OSError:
                    return None
            self.assertEqual(value("uri"), one["uri"])
            self.assertEqual(value("title"), one["title"])
            self.assertEqual(value("kind"), one["kind"])
            self.assertEqual(value("track"), one["track"])
            self.assertEqual((value("tags") or "").split("\n"), one["tags"] or [""])
            self.assertEqual((value("labels") or "").split("\n"), one["labels"] or [""])
            self.assertEqual(json.loads(value("extra_metadata") or "{}"), one["extra_metadata"])
            if quality == "stored":
                self.assertEqual(value("checksum"), one["checksum"])
            if quality == "proven":
                self.assertEqual(value("checksum"), files.digest(shown).hex())

    def test_frames(self):
        """frames/ID are the stored bytes, which fit the checksum; frames/ID.json every field."""
        fields = {
            "id", "timestamp", "anchor_timestamp", "anchor_source", "kind", "track",
            "payload_offset", "payload_length", "checksum", "uri", "title", "encoding",
            "canonical_length", "metadata", "search_text", "tags", "labels", "extra_metadata",
            "content_dates", "chunk_manifest", "role", "parent_id", "chunk_index", "chunk_count",
            "status", "supersedes", "superseded_by", "source_blake3", "source_path",
            "enrichment_state"}
        for name in ("notes", "chunked", "files", "superseded"):
            plain = files.content(name)
            folder = self.extract(self.stored(name), f"out-{name}")
            for at, one in self.frames(folder).items():
                self.assertLessEqual(set(one), fields)
                self.assertLessEqual(
                    {"id", "timestamp", "payload_length", "checksum", "encoding", "tags", "role",
                     "status", "extra_metadata"}, set(one))
                stored = support.read(f"{folder}/.memvid/frames/{at}")
                start = one["payload_offset"]
                self.assertEqual(len(stored), one["payload_length"])
                if stored:
                    self.assertEqual(stored, plain[start:start + len(stored)])
                self.assertEqual(files.digest(stored).hex(), one["checksum"])
                if one["encoding"] == "zstd" and stored:
                    self.assertEqual(len(self.payload_text(stored)), one["canonical_length"])

    def test_every_field_is_there(self):
        """A field without a value is null, and not left out."""
        folder = self.extract(self.stored("notes"))
        for one in self.frames(folder).values():
            self.assertEqual(len(one), 30, sorted(one))

    def test_deleted_and_superseded(self):
        """They are out of sight, and in directories of their own."""
        for name in ("deleted", "vacuumed"):
            folder = self.extract(self.stored(name), f"out-{name}")
            frames = self.frames(folder)
            gone = {
                at for at, one in frames.items()
                if one["status"] == "deleted" and one["role"] == "document"}
            self.assertEqual(len(gone), 3)
            deleted = self.documents(folder, ".memvid/deleted")
            self.assertEqual(set(deleted), gone)
            self.assertNotIn("del/1", {path for path, _, _ in self.documents(folder).values()})
        folder = self.extract(self.stored("superseded"))
        frames = self.frames(folder)
        old = self.documents(folder, ".memvid/superseded")
        self.assertEqual(
            set(old), {at for at, one in frames.items() if one["status"] == "superseded"})
        self.assertEqual(len(old), 2)
        for at in old:
            self.assertEqual(frames[frames[at]["superseded_by"]]["supersedes"], at)

    def test_tags_and_timeline(self):
        """Links in tags lead to the documents; the timeline is in the order of time."""
        for name in ("notes", "names", "tiny"):
            folder = self.extract(self.stored(name), f"out-{name}")
            frames = self.frames(folder)
            expected = {(tag, at) for at, one in frames.items() for tag in set(one["tags"])
                        if one["status"] == "active" and one["role"] == "document" and tag}
            found = 0
            base = f"{folder}/.memvid/tags"
            for tag in os.listdir(base):
                for link in os.listdir(f"{base}/{tag}"):
                    path = f"{base}/{tag}/{link}"
                    self.assertTrue(os.path.islink(path))
                    self.assertTrue(os.path.realpath(path).startswith(os.path.realpath(folder)))
                    self.assertTrue(os.path.isfile(path), path)
                    found += 1
            self.assertEqual(found, len(expected), name)
            times = [
                (line["timestamp"], line["id"]) for line in map(
                    json.loads, support.read(f"{folder}/.memvid/timeline.jsonl").splitlines())]
            self.assertEqual(times, sorted(times))
            info = json.loads(support.read(f"{folder}/.memvid/info.json"))
            self.assertEqual(info["frames"], len(frames))
            self.assertEqual(info["documents"], len(times))

    def test_files_are_their_sources(self):
        """A PDF and a picture come out as they went in; nothing of what was not stored."""
        known = files.facts("files")
        folder = self.extract(self.stored("files"))
        puts = {put["uri"]: put for put in known["inputs"]}
        for name in ("page.pdf", "picture.png"):
            whole = support.read(f"{folder}/files/{name}")
            self.assertEqual(whole.hex(), puts[f"mv2://files/{name}"]["hex"])
        self.assertTrue(support.read(f"{folder}/files/page.pdf").startswith(b"%PDF"))
        for at, (path, shown, quality) in self.documents(folder).items():
            if quality == "none":
                self.assertEqual(shown, b"", (at, path))

    def test_extension(self):
        """A name without an extension gets that of its type."""
        folder = self.extract(self.stored("files_raw"))
        frames = self.frames(folder)
        for at, (path, _, quality) in self.documents(folder).items():
            last = frames[at]["uri"].rsplit("/", 1)[-1]
            if "." in last[1:]:
                self.assertTrue(os.path.basename(path).startswith(last.split(".")[0]))
            elif frames[at]["metadata"] and quality == "stored":
                self.assertIn(".", os.path.basename(path), frames[at]["metadata"]["mime"])


@support.needs_root
@support.needs_fuse
class Mounted(files.MemvidCase):
    """The same through the mount."""

    def test_mount_is_extract(self):
        """Bytes, times, links and attributes on a mount are those that extract writes."""
        for name, encrypted in (("notes", True), ("names", False), ("chunked", True)):
            path = self.stored(name, encrypted)
            point = self.mount(path, point=self.path(f"mnt-{name}"))
            folder = self.extract(path, f"out-{name}")
            self.assertEqual(support.tree_bytes(point), support.tree_bytes(folder))
            self.assertEqual(self.rsync(point, folder), b"")
            frames = self.frames(point)
            for at, (one, shown, quality) in self.documents(point).items():
                full = os.path.join(point, one)
                self.assertEqual(os.stat(full).st_mtime, frames[at]["timestamp"])
                self.assertEqual(os.stat(full).st_size, len(shown))
                self.assertEqual(
                    os.getxattr(os.path.join(folder, one), "user.memvid.quality").decode(), quality)
                if at % 7 == 0 or one.startswith("-"):
                    self.assertEqual(
                        self.capsule("cat", path, *self.open_pw, "--", one).stdout, shown)
            self.umount(point)

    def test_read_only(self):
        """Nothing can be written, whoever asks."""
        point = self.mount(self.stored("tiny"))
        for act in (
                lambda: open(f"{point}/new", "wb"), lambda: os.mkdir(f"{point}/d"),
                lambda: open(f"{point}/notes/first", "r+b"), lambda: os.unlink(
                    f"{point}/notes/first")):
            with self.assertRaises(OSError):
                act().close()

    def test_seeks(self):
        """Reads anywhere in a chunked document give the same bytes as one read."""
        point = self.mount(self.stored("chunked", True))
        whole = support.read(f"{point}/long/prose")
        handle = os.open(f"{point}/long/prose", os.O_RDONLY)
        try:
            for offset in range(0, len(whole) + 10, 997):
                self.assertEqual(os.pread(handle, 1500, offset), whole[offset:offset + 1500])
        finally:
            os.close(handle)

    def test_many(self):
        """Each of many names is listed once and can be looked up."""
        point = self.mount(self.stored("many", True))
        names = os.listdir(f"{point}/.memvid/frames")
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len(names), 2 * 180)
        for name in names:
            os.stat(f"{point}/.memvid/frames/{name}")
        self.assertEqual(len(os.listdir(f"{point}/many")), 180)
        for name in ("180", "180.json", "00", "0.jso", "-1", "1 "):
            self.assertFalse(os.path.exists(f"{point}/.memvid/frames/{name}"), name)

    def test_no_plaintext_on_disk(self):
        """The driver opens nothing for writing, and makes no file."""
        path, point, log = self.stored("notes", True), self.path("mnt"), self.path("strace.log")
        os.mkdir(point)
        self.addCleanup(support.detach, point)
        before = self.everything()
        process = self.start(
            ["strace", "-f", "-qq", "-e", "trace=open,openat,creat,memfd_create,mkdir,rename", "-o",
             log, CAPSULEFS, "-f", path, point, "-o", f"passphrase-file={self.pw}"])
        self.assertTrue(support.wait_until(lambda: support.mounts_below(point), 10))
        marker = b"The first note: alpha and needle."
        self.assertIn(marker, support.read(f"{point}/notes/first"))
        self.assertTrue(support.tree_bytes(point))
        self.capsule("umount", point)
        self.assertEqual(process.wait(10), 0)
        self.no_writes(support.read(log).decode(errors="replace"), [])
        self.assertLessEqual(self.everything() - before, {log})
        self.no_marker(marker, [log])

    def test_no_plaintext_from_extract(self):
        """extract writes below its target alone; cat and ls nowhere."""
        path, log, out = self.stored("notes", True), self.path("strace.log"), self.path("out")
        for words, allowed in (
                (["extract", path, out], [out]), (["cat", path, "notes/first"], []),
                (["ls", "-lR", path], []), (["doctor", "--deep", path], [])):
            self.run_command(
                ["strace", "-f", "-qq", "-e", "trace=open,openat,creat,memfd_create", "-o", log,
                 CAPSULE, *words, *self.open_pw])
            self.no_writes(support.read(log).decode(errors="replace"), allowed)
        self.run_command(["rm", "-rf", out])
        self.no_marker(b"The first note: alpha and needle.", [log])

    def everything(self):
        """All paths in the sandbox, where TMPDIR is, but below mount points."""
        found = set()
        for directory, below, names in os.walk(self.root):
            below[:] = [
                name for name in below if not os.path.ismount(os.path.join(directory, name))]
            found |= {os.path.join(directory, name) for name in [*below, *names]}
        return found

    def no_writes(self, trace, allowed):
        """No call of a trace opens a file for writing, outside some directories and devices."""
        self.assertIn("open", trace)
        for line in trace.splitlines():
            if not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|creat\(|memfd_create", line):
                continue
            path = re.search(r'"([^"]*)"', line)
            name = path.group(1) if path else line
            # The driver asks the kernel to read further ahead.
            if name.endswith("/read_ahead_kb") or name.startswith("/dev/") or any(
                    part in name for part in allowed):
                continue
            # Relative to a directory below the target.
            if allowed and re.search(r"openat\(\d+, ", line):
                continue
            self.fail(line)

    def no_marker(self, marker, but):
        """No file in the sandbox holds the text of a document."""
        for path in self.everything() - set(but):
            if os.path.isfile(path) and stat.S_ISREG(os.lstat(path).st_mode):
                self.assertNotIn(marker, support.read(path), path)


class Secrets(files.MemvidCase):
    """Passphrases for encrypted files."""

    def setUp(self):
        super().setUp()
        self.capsule_path = self.stored("tiny", True)

    def opens(self, *words, rc=0, **options):
        """Lists the file."""
        result = self.capsule("ls", self.capsule_path, *words, rc=rc, **options)
        if rc == 0:
            self.assertIn(b"notes\n", result.stdout)

    def test_wrong(self):
        """A wrong passphrase is the user's mistake."""
        wrong = support.write(self.path("w"), b"correct horse battery stapler")
        for verb in ("ls", "extract", "doctor"):
            words = [verb, self.capsule_path, *([self.path("o")] if verb == "extract" else [])]
            code, message = self.error_of(*words, "--passphrase-file", wrong, rc=1)
            self.assertEqual(code, "wrong_secret", message)
        self.assertFalse(os.path.exists(self.path("o")))

    @support.needs_root
    @support.needs_fuse
    def test_wrong_mount(self):
        """So it is when mounting."""
        wrong = support.write(self.path("w"), b"another")
        result = self.mount(
            self.capsule_path, f"passphrase-file={wrong}", secret=False, rc=1,
            point=self.home)
        self.assertIn(b"passphrase is wrong", result.stderr)

    def test_missing(self):
        """Without a secret and a terminal there is an error, and no waiting."""
        code, _ = self.error_of("ls", self.capsule_path, rc=1)
        self.assertEqual(code, "missing_secret")
        other = support.write(self.path("key"), b"k" * 32)
        code, message = self.error_of("ls", self.capsule_path, "--key-file", other, rc=1)
        self.assertEqual(code, "missing_secret")
        self.assertIn("passphrase", message)
        self.capsule("ls", self.stored("tiny"))

    def test_every_source(self):
        """A file, a descriptor, a command, the environment; line ends do not count."""
        secret = support.SECRET
        for end in (b"", b"\n", b"\r\n"):
            self.opens("--passphrase-file", support.write(self.path("p"), secret + end))
        for other in (secret + b"\n\n", secret + b" ", b" " + secret):
            self.opens("--passphrase-file", support.write(self.path("p"), other), rc=1)
        self.opens("--passphrase-fd", "0", data=secret + b"\n")
        self.opens("--passphrase-command", f"cat '{self.pw}'")
        self.opens("--passphrase-command", "false", rc=1)
        for name in ("CAPSULE_PASSPHRASE", "SPECKIT_MEMVID_PASSPHRASE"):
            self.opens(env={name: os.fsdecode(secret)})
        wrong = support.write(self.path("w"), b"wrong")
        self.opens("--passphrase-file", wrong, *self.open_pw)
        self.opens(*self.open_pw, env={"CAPSULE_PASSPHRASE": "wrong"})
        self.opens("--passphrase-file", wrong, env={"CAPSULE_PASSPHRASE": "x"}, rc=1)

    def test_unicode_passphrase(self):
        """Bytes count: composed and decomposed characters differ."""
        forms = [unicodedata.normalize(form, "pässwörd é").encode() for form in ("NFC", "NFD")]
        path = self.file(
            "u.mv2e", files.sealed(files.content("tiny"), files.header(
                len(files.content("tiny"))), secret=forms[0]))
        for form, rc in zip(forms, (0, 1)):
            self.capsule(
                "ls", path, "--passphrase-file", support.write(self.path("p"), form), rc=rc)

    def test_demands(self):
        """A file without root and signature meets no demand."""
        for words in (
                ["--require-verified"], ["--root", "0" * 64],
                ["--allowed-signers", support.write(self.path("a"), b"")]):
            result = self.capsule("ls", self.capsule_path, *self.open_pw, *words, rc=None)
            self.assertNotEqual(result.returncode, 0, words)
            self.assertEqual(result.stdout, b"")

    def test_other_verbs(self):
        """Verbs for capsules say what the file is."""
        for words in (
                ["slot", "list"],
                ["rekey", self.path("n"), *self.open_pw, "--new-passphrase-file", self.pw]):
            if words[0] != "slot":
                words = [words[0], self.capsule_path, *words[1:]]
            else:
                words = [*words, self.capsule_path]
            code, message = self.error_of(*words, rc=1)
            self.assertEqual(code, "memvid_file", words)
            self.assertIn("convert", message)

    def test_inspect(self):
        """inspect needs no secret and says whose word it is."""
        value = self.capsule_json("inspect", self.capsule_path)
        self.assertEqual(value["format"], "memvid")
        self.assertEqual(value["claimed_length"], len(files.content("tiny")))
        text = self.capsule("inspect", self.capsule_path).stdout
        self.assertIn(b"Nothing here is verified", text)
        value = self.capsule_json("inspect", self.stored("tiny"))
        self.assertEqual(value["info"]["documents"], 5)


class Recovery(files.MemvidCase):
    """Records of the log that were not committed."""

    def test_recover(self):
        """--recover shows what the SDK shows after its own recovery; the file stays as it was."""
        for name in PENDING:
            for encrypted in (False, True):
                path = self.stored(name, encrypted)
                before = (support.read(path), os.stat(path).st_mtime_ns)
                without = self.frames(self.extract(path, f"{name}-{encrypted}-no"))
                folder = self.extract(path, f"{name}-{encrypted}", "--recover")
                self.assertEqual((support.read(path), os.stat(path).st_mtime_ns), before)
                self.compare(folder, files.facts(name), True)
                self.assertNotEqual(without, self.frames(folder), name)

    def test_without(self):
        """Without the option only the committed documents are there, and doctor says so."""
        folder = self.extract(self.stored("killed"))
        paths = {path for path, _, _ in self.documents(folder).values()}
        self.assertIn("kill/base", paths)
        self.assertNotIn("kill/pending", paths)
        result = self.capsule("doctor", self.stored("killed"))
        self.assertRegex(result.stdout.decode(), r"\d+ records were accepted and not committed")
        self.assertIn(b"--recover", result.stdout)
        self.assertNotIn(b"not committed", self.capsule("doctor", self.stored("tiny")).stdout)

    def test_removed_in_the_log(self):
        """A deletion that is only in the log hides the document once recovered."""
        path = self.stored("killed_removing")
        self.assertIn(b"doomed\n", self.capsule("ls", path, "kill").stdout)
        self.assertNotIn(b" doomed\n", self.capsule("ls", path, "kill", "--recover").stdout)
        folder = self.extract(path, "out", "--recover")
        self.assertEqual(
            [path for path, _, _ in self.documents(folder, ".memvid/deleted").values()],
            ["kill/doomed"])

    def test_superseded_in_the_log(self):
        """A new version that is only in the log takes the place of the old, on both sides."""
        log = files.record(1, files.change("mv2://doc", b"new", supersedes=0)) + files.record(
            2, files.change("mv2://renamed", b"", supersedes=1, reuses=1))
        path = self.file("s.mv2", files.file_of(
            [("mv2://doc", b"old"), ("mv2://kept", b"kept")], log=log))
        folder = self.extract(path, "out", "--recover")
        documents = {path: shown for path, shown, _ in self.documents(folder).values()}
        self.assertEqual(documents, {"doc": b"new", "renamed": b"kept"})
        frames = self.frames(folder)
        self.assertEqual([frames[at]["status"] for at in range(4)],
                         ["superseded", "superseded", "active", "active"])
        self.assertEqual(
            [frames[at]["supersedes"] for at in range(4)], [None, None, 0, 1])
        self.assertEqual(
            [frames[at]["superseded_by"] for at in range(4)], [2, 3, None, None])

    @support.needs_root
    @support.needs_fuse
    def test_mount(self):
        """-o recover."""
        point = self.mount(self.stored("killed", True), "recover")
        self.assertEqual(support.read(f"{point}/kill/pending"), b"pending needle")
        self.umount(point)

    def test_only_memvid(self):
        """Capsules have no log."""
        capsule = self.seal()
        code, _ = self.error_of("ls", capsule, "--recover", *self.open_pw, rc=1)
        self.assertEqual(code, "usage")


if __name__ == "__main__":
    import unittest
    unittest.main()
