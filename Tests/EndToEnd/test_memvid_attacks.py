"""Memvid files that were damaged, or made to deceive: refused with a reason, never other bytes."""

import errno
import os
import struct
import time

import zstandard

import memvid_files as files
import support
import trees
from memvid_files import CHUNK, FOOTER, UNIT
from support import CAPSULE

MIB = 1 << 20


class AttackCase(files.MemvidCase):
    """A test with files that nobody should trust."""

    def refused(self, path, says, code=None, rc=2, secret=True):
        """ls, extract and doctor refuse the file, with the reason, and write nothing."""
        words = self.open_pw if secret else []
        found, message = self.error_of("ls", path, *words, rc=rc)
        self.assertRegex(message, says or ".")
        if code:
            self.assertEqual(found, code, message)
        out = self.path("refused")
        self.capsule("extract", path, out, *words, rc=rc)
        self.assertFalse(os.path.exists(out) and os.listdir(out))
        self.capsule("doctor", path, *words, rc=rc)
        return message

    def salvage(self, path, *more, rc=2, timeout=60):
        """What `doctor --salvage` saves, as {path: bytes} of the documents, and its report."""
        self.count = getattr(self, "count", 0) + 1
        out = self.path(f"saved{self.count}")
        result = self.capsule(
            "doctor", path, "--salvage", out, *self.open_pw, *more, rc=rc, timeout=timeout)
        saved = support.tree_bytes(out) if os.path.exists(out) else {}
        saved = {name: one for name, one in saved.items() if not name.startswith(".memvid/")}
        return saved, result.stdout.decode()

    def shown(self, path, *more, rc=None):
        """What extract writes, as {path: bytes} of the documents, and the exit code."""
        self.count = getattr(self, "count", 0) + 1
        out = self.path(f"shown{self.count}")
        result = self.capsule("extract", path, out, *self.open_pw, *more, rc=rc)
        self.assertIn(result.returncode, (0, 1, 2), result.stderr)
        found = support.tree_bytes(out) if os.path.exists(out) else {}
        self.run_command(["rm", "-rf", out])
        return (
            {name: one for name, one in found.items() if not name.startswith(".memvid/")},
            result.returncode)

    def large(self):
        """Six documents in four chunks: {path: bytes} and the plaintext."""
        contents = {f"d/{at}": trees.noise(700_000, at) for at in range(5)}
        contents["d/5"] = trees.noise(5_000, 5)
        plain = files.file_of([(f"mv2://{name}", one) for name, one in contents.items()])
        self.assertEqual((len(plain) - 1) // CHUNK, 3)
        return contents, plain


class Encrypted(AttackCase):
    """What Memvid takes, and we do not."""

    def test_truncated_at_a_chunk(self):
        """Whole chunks are missing, with and without a piece of the next."""
        _, plain = self.large()
        whole = files.sealed(plain)
        for count in (1, 2, 3):
            for stray in (0, 3):
                path = self.file("cut.mv2e", whole[:64 + count * UNIT + stray])
                self.refused(path, r"the file has \d+ bytes of the \d+", "truncated")
        saved, report = self.salvage(path)
        self.assertEqual(saved, {})
        self.assertIn("nothing can be saved", report)

    def test_truncated_and_hidden(self):
        """The length in the header is made to fit: the table is where it was said to be, or not."""
        _, plain = self.large()
        whole = files.sealed(plain)
        for count in (1, 2, 3):
            head = whole[:52] + struct.pack("<Q", count * CHUNK) + whole[60:64]
            path = self.file("hidden.mv2e", head + whole[64:64 + count * UNIT])
            self.refused(path, "place is out of range|ends before|commit footer", rc=2)

    def test_planted_table(self):
        """A document holds a table and a footer; what follows it is cut off."""
        evil = files.frame(0, "mv2://planted", search="planted text")
        toc = files.table([evil])
        # The planted footer ends with the first chunk.
        start = 4096 + 65536
        plant = toc + files.footer(toc)
        body = trees.noise(CHUNK - start - len(plant), 1) + plant
        plain = files.file_of([("mv2://upload", body), ("mv2://secret", trees.noise(CHUNK, 2))])
        self.assertEqual(plain[CHUNK - FOOTER:CHUNK - FOOTER + 8], b"MV2FOOT!")
        whole = files.sealed(plain)
        for head in (whole[:64], whole[:52] + struct.pack("<Q", CHUNK) + whole[60:64]):
            path = self.file("planted.mv2e", head + whole[64:64 + UNIT])
            self.refused(path, "bytes of the|out of range|ends before")
            saved, report = self.salvage(path)
            # Salvage may show it, but never as if it were what was asked for.
            if saved:
                self.assertRegex(report, "warning +salvage: an older commit|unproven|planted")
        # The same in a file that is not encrypted.
        path = self.file("planted.mv2", plain[:CHUNK])
        self.refused(path, "out of range|ends before|commit footer")

    def test_header_alone(self):
        """64 bytes open under no passphrase."""
        path = self.file("bare.mv2e", files.header(0))
        self.refused(path, "nothing in it", "damaged")
        path = self.file("bare2.mv2e", files.header(5000))
        self.refused(path, "64 bytes of the 5084", "truncated")
        path = self.file("bare3.mv2e", files.header(0, one_shot=True))
        self.refused(path, "nothing in it", "damaged")
        for length in range(6, 64):
            result = self.capsule(
                "ls", self.file("short.mv2e", files.header(0)[:length]), *self.open_pw, rc=None)
            self.assertIn(result.returncode, (1, 2))

    def test_header_fields(self):
        """Each field of the header, changed."""
        whole = files.twin("tiny")
        cases = {
            4: ("", None), 5: ("", None), 6: ("key derivation", "unsupported_version"),
            7: ("cipher", "unsupported_version"), 52: ("bytes", None), 59: ("length|bytes", None),
            60: ("bytes after the end", "damaged"), 61: ("reserved", None), 62: ("reserved", None),
            63: ("reserved", None)}
        for place, (says, code) in cases.items():
            path = self.file("field.mv2e", files.flipped(whole, place))
            # Another version is for the reader of capsules to refuse.
            found, message = self.any_error(path) if place < 6 else self.error_of(
                "ls", path, *self.open_pw, rc=2)
            self.assertRegex(message, says or ".", place)
            if code:
                self.assertEqual(found, code, place)
        for place in (8, 39, 40, 43):
            path = self.file("field.mv2e", files.flipped(whole, place))
            code, message = self.error_of("ls", path, *self.open_pw, rc=1)
            self.assertEqual(code, "wrong_secret")
            self.assertIn("cannot tell which", message)

    def any_error(self, path):
        """The error of ls, with either code."""
        result = self.capsule("ls", path, *self.open_pw, "--json", rc=None)
        self.assertIn(result.returncode, (1, 2))
        value = self.checked_json(result.stderr)
        return value["error_code"], value["error"]

    def test_unused_nonce(self):
        """Eight bytes of the nonce are used by nothing: doctor says that they are not protected."""
        whole = files.twin("tiny")
        for place in (44, 51):
            path = self.file("nonce.mv2e", files.flipped(whole, place))
            self.assertEqual(self.shown(path)[0], self.shown(self.stored("tiny"))[0])
        value = self.capsule_json("doctor", path, *self.open_pw)
        found = {item["check"]: item for item in value["findings"]}
        self.assertEqual(found["protection"]["severity"], "warning")
        self.assertIn("8 bytes of its nonce can be changed", found["protection"]["message"])
        self.assertIn("header is not authenticated", found["protection"]["message"])
        self.assertIn("version 2", found["protection"]["remedy"])

    def test_stray_bytes(self):
        """One to three bytes at the end, and more; salvage saves everything before them."""
        expected = self.shown(self.stored("tiny"))[0]
        for count in (1, 2, 3, 5, 100):
            path = self.file("stray.mv2e", files.twin("tiny") + bytes(count))
            self.refused(path, f"{count} bytes after the end", "damaged")
        saved, _ = self.salvage(path)
        self.assertEqual(saved, expected)

    def test_forged_length(self):
        """Only the length in the header is changed: salvage saves everything."""
        expected = self.shown(self.stored("tiny"))[0]
        whole = files.twin("tiny")
        for change in (-1, 1, 100_000):
            length = len(files.content("tiny")) + change
            path = self.file("f.mv2e", whole[:52] + struct.pack("<Q", length) + whole[60:])
            self.refused(path, "bytes")
            saved, _ = self.salvage(path)
            self.assertEqual(saved, expected, change)

    def test_moved_chunks(self):
        """Chunks in another order, twice, or missing: nothing of them is shown."""
        contents, plain = self.large()
        whole = files.sealed(plain)
        head, (one, two, three, four) = whole[:64], files.units(whole)
        # The chunks in the middle are swapped: documents in them are lost, others are not.
        path = self.file("swapped.mv2e", head + one + three + two + four)
        found, rc = self.shown(path)
        self.assertEqual(rc, 2)
        self.assertEqual(found, {name: contents[name] for name in ("d/0", "d/5")})
        value = self.capsule_json("doctor", "--deep", path, *self.open_pw, rc=2)
        lost = [item["message"] for item in value["findings"] if item["check"] == "documents"]
        # Each document, and its frame.
        self.assertEqual(len(lost), 8, lost)
        self.assertRegex(" ".join(lost), "chunk [12] is not authentic")
        saved, report = self.salvage(path)
        self.assertEqual(saved, found)
        for name in ("d/1", "d/2", "d/3", "d/4"):
            self.assertIn(name, report)
        self.refused(
            self.file("twice.mv2e", head + one + two + two + three + four), "after the end")
        self.refused(self.file("dropped.mv2e", head + one + three + four), "bytes of the")
        self.refused(self.file("first.mv2e", head + two + one + three + four), "", rc=1)
        self.refused(self.file("last.mv2e", head + one + two + four + three), "chunk")

    def test_lying_chunk(self):
        """A chunk says that it has 4 GiB: no memory is taken for it."""
        _, plain = self.large()
        whole = files.sealed(plain)
        for index in (0, 3):
            for length in (0xffffffff, 0, 15, 16, CHUNK + 17):
                place = 64 + index * UNIT
                lie = whole[:place] + struct.pack("<I", length) + whole[place + 4:]
                path = self.file("lie.mv2e", lie)
                self.run_command(
                    ["prlimit", f"--as={900 * MIB}", CAPSULE, "ls", path, *self.open_pw], rc=2)
                _, message = self.error_of("ls", path, *self.open_pw, rc=2)
                self.assertRegex(message, f"chunk {index} says it has {length} bytes")

    def test_one_shot_too_large(self):
        """A single tag over more than 256 MiB is refused with the remedy, unread."""
        path = self.file("huge.mv2e", files.header(300 * MIB, one_shot=True))
        os.truncate(path, 64 + 300 * MIB + 16)
        start = time.monotonic()
        self.refused(path, "larger than 256 MiB", "limit_exceeded")
        self.assertLess(time.monotonic() - start, 5)

    def test_flipped_chunk(self):
        """A byte of a chunk: EIO or exit 2 for the documents in it, others read on."""
        contents, plain = self.large()
        whole = files.sealed(plain)
        path = self.file("flip.mv2e", files.flipped(whole, 64 + UNIT + 500_000))
        found, rc = self.shown(path)
        self.assertEqual(rc, 2)
        lost = set(contents) - set(found)
        self.assertTrue(lost)
        self.assertLessEqual(lost, {"d/1", "d/2"})
        for name, one in found.items():
            self.assertEqual(one, contents[name])
        if support.IS_ROOT and support.HAS_FUSE:
            point = self.mount(path)
            for name, one in contents.items():
                if name in lost:
                    with self.assertRaises(OSError) as caught:
                        support.read(f"{point}/{name}")
                    self.assertEqual(caught.exception.errno, errno.EIO)
                else:
                    self.assertEqual(support.read(f"{point}/{name}"), one)


class Plain(AttackCase):
    """Damage of a `.mv2`."""

    def test_flipped_payload(self):
        """Only that document is lost, by cat, extract and the mount; doctor names it."""
        plain = files.content("tiny_raw")
        folder = self.extract(self.stored("tiny_raw"))
        frames, documents = self.frames(folder), self.documents(folder)
        victim = next(
            at for at, one in frames.items() if one["uri"] == "mv2://notes/third")
        name = documents[victim][0]
        for place in (0, frames[victim]["payload_length"] - 1):
            path = self.file("flip.mv2", files.flipped(
                plain, frames[victim]["payload_offset"] + place))
            result = self.capsule("cat", path, name, rc=2)
            self.assertEqual(result.stdout, b"")
            self.assertIn(b"does not fit its checksum", result.stderr)
            expected = {one: shown for one, shown, _ in documents.values() if one != name}
            self.assertEqual(self.shown(path), (expected, 2))
            saved, report = self.salvage(path)
            self.assertEqual(saved, expected)
            self.assertIn(name, report)
            value = self.capsule_json("doctor", "--deep", path, rc=2)
            lost = [item["message"] for item in value["findings"]
                    if item["check"] == "documents" and item["severity"] == "error"]
            self.assertTrue(lost and all(
                name in one or f"frames/{victim}" in one for one in lost), lost)
            self.capsule("doctor", "--sample", "100%", path, rc=2)

    @support.needs_root
    @support.needs_fuse
    def test_flipped_payload_mounted(self):
        """EIO, and one line in the log."""
        plain = files.file_of([("mv2://a", b"aaa" * 99), ("mv2://b", b"bbb" * 99)])
        point = self.mount(self.file("m.mv2", files.flipped(plain, 4096 + 65536 + 7)))
        self.assertEqual(os.stat(f"{point}/a").st_size, 297)
        with self.assertRaises(OSError) as caught:
            support.read(f"{point}/a")
        self.assertEqual(caught.exception.errno, errno.EIO)
        with self.assertRaises(OSError):
            support.read(f"{point}/.memvid/frames/0")
        self.assertEqual(support.read(f"{point}/b"), b"bbb" * 99)

    def test_flipped_table(self):
        """A byte of the table is refused; salvage saves what its own checksums prove."""
        plain = files.content("tiny_raw")
        expected = self.shown(self.stored("tiny_raw"))[0]
        start, end = files.toc_place(plain)
        for place in (start + 3, start + 200, (start + end) // 2, end - 40, end - 1):
            path = self.file("toc.mv2", files.flipped(plain, place, 1))
            self.refused(path, "table of contents|count|version|true nor false|UTF-8|beyond")
            saved, _ = self.salvage(path)
            for name, one in saved.items():
                self.assertIn(one, expected.values(), name)
        # In the indexes, after the frames: all of them are intact.
        path = self.file("toc.mv2", files.flipped(plain, end - 1, 1))
        self.assertEqual(self.salvage(path)[0], expected)

    def test_cut(self):
        """The last byte is missing: the table is whole, so salvage saves everything."""
        plain = files.content("tiny_raw")
        expected = self.shown(self.stored("tiny_raw"))[0]
        for count in (1, 20, FOOTER):
            path = self.file("cut.mv2", plain[:-count])
            self.refused(path, "footer|ends before")
            saved, _ = self.salvage(path)
            self.assertEqual(saved, expected, count)

    def test_stray_bytes(self):
        """Bytes after the footer; salvage saves everything before them."""
        expected = self.shown(self.stored("tiny_raw"))[0]
        path = self.file("more.mv2", files.content("tiny_raw") + b"xyz")
        self.refused(path, "does not end with a commit footer", "damaged")
        saved, report = self.salvage(path)
        self.assertEqual(saved, expected)
        self.assertRegex(report, "warning +salvage")

    def test_flipped_header(self):
        """The header names other places: refused, or still right; salvage finds the footer."""
        plain = files.content("tiny_raw")
        expected = self.shown(self.stored("tiny_raw"))[0]
        for place, value in ((8, 0), (8, 4096), (8, 1 << 40), (8, (1 << 64) - 20), (16, 0),
                             (16, (1 << 64) - 1), (24, 0), (24, (1 << 64) - 1), (24, 1 << 20)):
            path = self.file(
                "head.mv2", plain[:place] + struct.pack("<Q", value) + plain[place + 8:])
            self.refused(path, "out of range|ends before|does not belong")
            saved, _ = self.salvage(path)
            self.assertEqual(saved, expected, (place, value))

    def test_older_commit(self):
        """Salvage shows the commit before, and says that later ones are lost."""
        first = files.file_of([("mv2://a", b"old")])
        later = files.table([files.frame(0, "mv2://b", search="new")])
        whole = files.plain_header(len(first)) + first[4096:] + later + files.footer(later)
        path = self.file("two.mv2", whole)
        self.assertEqual(self.shown(path)[0], {"b": b"new"})
        path = self.file("cut.mv2", files.flipped(whole, len(first) + 30)[:-90])
        self.refused(path, "footer|ends before")
        saved, report = self.salvage(path)
        self.assertEqual(saved, {"a": b"old"})
        self.assertRegex(report, "found by search.*lost")

    def test_newest_commit(self):
        """With its footer cut, the newest table is still the one that the header names."""
        first = files.file_of([("mv2://a", b"old")])
        later = files.table([files.frame(0, "mv2://b", search="new")])
        whole = files.plain_header(len(first)) + first[4096:] + later + files.footer(later)
        for count in (1, FOOTER):
            saved, _ = self.salvage(self.file("cut.mv2", whole[:-count]))
            self.assertEqual(saved, {"b": b"new"}, count)

    def test_flipped_log(self):
        """An old record: Memvid refuses the file, we read it, and doctor tells."""
        plain = files.content("tiny_raw")
        expected = self.shown(self.stored("tiny_raw"))[0]
        for place, says in ((4096 + 60, "record 1 of the log is damaged"),
                            (4096 + 11, "impossible length")):
            path = self.file("log.mv2", files.flipped(plain, place))
            self.assertEqual(self.shown(path), (expected, 0))
            result = self.capsule("doctor", path)
            self.assertRegex(result.stdout.decode(), says)
            self.assertIn(b"Memvid refuses", result.stdout)

    def test_flipped_pending(self):
        """A record that is not committed: refused with --recover, shown without."""
        plain = files.content("killed")
        start, length, _, committed = struct.unpack_from("<4Q", plain, 16)
        place = start
        while struct.unpack_from("<Q", plain, place)[0] <= committed:
            place += 48 + struct.unpack_from("<I", plain, place + 8)[0]
        self.assertLess(place, start + length)
        path = self.file("pending.mv2", files.flipped(plain, place + 70))
        self.capsule("ls", path)
        code, message = self.error_of("ls", path, "--recover", rc=2)
        self.assertEqual(code, "damaged")
        self.assertIn("of the log is damaged", message)

    def test_overlapping(self):
        """Payloads of active documents must not overlap, lie in the log or beyond the table."""
        good = files.file_of([("mv2://a", b"A" * 100), ("mv2://b", b"B" * 100)])
        start = 4096 + 65536
        for name, offset in (("overlap", start + 50), ("log", 5000), ("table", start + 190),
                             ("wrap", (1 << 64) - 50)):
            frames = [files.frame(0, "mv2://a", start, b"A" * 100),
                      files.frame(1, "mv2://b", offset, b"B" * 100)]
            toc = files.table(frames)
            path = self.file(f"{name}.mv2", good[:start + 200] + toc + files.footer(toc))
            found, rc = self.shown(path)
            self.assertEqual(rc, 2, name)
            self.assertNotIn("b", found, name)
            self.assertLessEqual(set(found.values()), {b"A" * 100})

    def test_chunks_missing(self):
        """A document whose chunks are not all there is damaged, not shorter."""
        frames = [("mv2://doc", b"", {"chunks": 3, "search": "one"})] + [
            (f"mv2://doc#page-{at}", f"part {at}".encode(),
             {"role": 1, "parent": 0, "index": at, "status": 2 if at == 1 else 0})
            for at in range(3)]
        path = self.file("c.mv2", files.file_of([*frames, ("mv2://other", b"whole")]))
        result = self.capsule("cat", path, "doc", rc=2)
        self.assertEqual(result.stdout, b"")
        self.assertIn(b"2 chunks and not the 3", result.stderr)
        self.assertEqual(self.shown(path), ({"other": b"whole"}, 2))

    def test_compressed(self):
        """A payload that does not decode, or to another length, is an error."""
        good = zstandard.ZstdCompressor(write_content_size=False).compress(b"text " * 50)
        for payload, length in ((good, 249), (good, 251), (good, None), (good[:-1], 250),
                                (b"no zstd at all", 250), (b"", 250)):
            path = self.file("z.mv2", files.file_of([
                ("mv2://z", payload, {"encoding": 1, "canonical": length}), ("mv2://o", b"o")]))
            found, rc = self.shown(path)
            self.assertEqual(found.get("o"), b"o", length)
            if payload:
                self.assertEqual((rc, "z" in found), (2, False), length)
        path = self.file("z.mv2", files.file_of([
            ("mv2://z", good, {"encoding": 1, "canonical": 250})]))
        self.assertEqual(self.shown(path), ({"z": b"text " * 50}, 0))


class Hostile(AttackCase):
    """Files made to crash, to hang or to eat memory."""

    def limited(self, words, rc=(0, 1, 2), memory=700, seconds=30):
        """Runs within bounds of memory and time; a crash is a failure."""
        start = time.monotonic()
        result = self.run_command(
            ["prlimit", f"--as={memory * MIB}", CAPSULE, *words], rc=None, timeout=seconds)
        self.assertIn(result.returncode, rc, result.stderr[-800:])
        self.assertLess(time.monotonic() - start, seconds)
        return result

    def survives(self, name, plain, rc=(0, 1, 2), **more):
        """Every verb survives the file, also with --recover and --salvage."""
        path = self.file(f"{name}.mv2", plain)
        for words in (["ls", "-lR", path], ["extract", path, self.path(f"{name}-x")],
                      ["ls", "-lR", "--recover", path], ["inspect", path],
                      ["doctor", "--deep", path],
                      ["doctor", path, "--salvage", self.path(f"{name}-s")]):
            with self.subTest(f"{name}: {words[0]} {words[-1].rsplit('/', 1)[-1]}"):
                self.limited(words, rc, **more)
        return path

    def test_counts(self):
        """Counts and lengths that no file can have."""
        huge = [1 << 63, (1 << 64) - 1, 1 << 32, 10_000_001, 1 << 20]
        start = 4096 + 65536
        for value in huge:
            for name, toc in (
                    ("frames", files.table([], count=value)),
                    ("segments", files.number(0) + files.number(value) + bytes(500)),
                    ("string", files.table([files.frame(0, "mv2://x", search="s").replace(
                        files.text("mv2://x"), files.number(value) + b"mv2://x")]))):
                whole = files.plain_header(start) + bytes(65536) + toc + files.footer(toc)
                path = self.file(f"{name}.mv2", whole)
                self.limited(["ls", path], rc=(2,))

    def test_lengths(self):
        """Lengths that overflow when they are added."""
        big = (1 << 64) - 1
        chunks = [("mv2://doc", b"", {"chunks": 2, "search": "x"})] + [
            (f"mv2://doc#{at}", b"zz", {
                "role": 1, "parent": 0, "index": at, "encoding": 1, "canonical": big})
            for at in range(2)]
        self.survives("chunks", files.file_of(chunks))
        self.survives("canonical", files.file_of(
            [("mv2://a", b"zz", {"encoding": 1, "canonical": big}),
             ("mv2://b", b"zz", {"encoding": 1, "canonical": 1 << 62})]))
        self.survives("stored", files.file_of(
            [("mv2://a", b"zz", {"stored_length": big}),
             ("mv2://b", b"zz", {"stored_length": 1 << 62})]))

    def test_times(self):
        """The ends of time."""
        self.survives("times", files.file_of(
            [(f"mv2://{at}", b"x", {"time": at}) for at in (
                -1, 0, -(1 << 63), (1 << 63) - 1, 1 << 40, -(1 << 40))]))

    def test_places(self):
        """Places in the header that overflow."""
        good = files.file_of([("mv2://a", b"x")])
        places = (
            (8, (1 << 64) - 1), (8, (1 << 64) - 57), (8, (1 << 64) - 20), (16, (1 << 64) - 1),
            (24, (1 << 64) - 4096), (24, 1 << 63), (40, (1 << 64) - 1))
        for at, value in places:
            self.survives(f"p{at}-{value}", good[:at] + struct.pack("<Q", value) + good[at + 8:])

    def test_names(self):
        """Names that take every name that a document could be given next."""
        tildes = ["mv2://a~0" + "~" * at for at in range(253)] + ["mv2://~0" + "~" * 253]
        numbers = [f"mv2://a~0~{at}" for at in range(1, 300)]
        taken = ["mv2://a", *tildes, *numbers, "mv2://a"]
        path = self.survives("names", files.file_of([(uri, b"x") for uri in taken]))
        listed = self.capsule("ls", "-0", path).stdout.split(b"\0")
        self.assertEqual(len(listed) - 1, len(taken) + 1)
        self.assertEqual(len(set(listed)), len(listed))
        self.assertLessEqual(max(map(len, listed)), 255)

    def test_long_names_clash(self):
        """A name that is cut to make room for its number is still whole characters."""
        for uri in ("mv2://" + "ü" * 127, "mv2://" + "x" * 255,
                    "mv2://" + "é" * 120 + "." + "p" * 14):
            path = self.file("long.mv2", files.file_of([(uri, b"x")] * 3))
            names = self.capsule("ls", "-0", path).stdout.split(b"\0")[:-1]
            self.assertEqual(len(set(names)), 4)
            for name in names:
                self.assertLessEqual(len(name), 255)
                name.decode()

    def test_log(self):
        """Records that refer to what is not there, and to themselves."""
        bodies = {
            "target": files.change(None, target=99), "nothing": files.change("mv2://n", reuses=7),
            "self": files.change("mv2://s", supersedes=1), "big": files.change(
                "mv2://s", supersedes=(1 << 64) - 1), "kind": struct.pack("<I", 9),
            "short": b"\0\0\0\0\1", "stray": files.change("mv2://s") + b"x",
            "lex": struct.pack("<I", 1) + bytes(60)}
        for name, body in bodies.items():
            log = files.record(1, body)
            self.survives(f"log-{name}", files.file_of([("mv2://a", b"a")], log=log))
        log = b"".join(
            files.record((1 << 64) - 1 - at, files.change(f"mv2://{at}")) for at in range(9))
        self.survives("log-order", files.file_of([("mv2://a", b"a")], log=log))
        log = files.record(5, files.change("mv2://x"))[:12] + b"\xff" * 200
        self.survives("log-length", files.file_of([("mv2://a", b"a")], log=log))

    def test_compression_bomb(self):
        """A kilobyte that would be a gigabyte is refused; a quarter of one stays bounded."""
        bomb = zstandard.ZstdCompressor().compress(bytes(300 * MIB))
        for length in (300 * MIB, 1000, 256 * MIB):
            path = self.file("bomb.mv2", files.file_of(
                [("mv2://z", bomb, {"encoding": 1, "canonical": length})]))
            result = self.limited(["cat", path, "z"], rc=(2,))
            self.assertEqual(result.stdout, b"")

    def test_fake_footers(self):
        """A file full of footers: the search for a real one ends in seconds."""
        size = 24 * MIB
        one = files.content("tiny")[:4096]
        for name, piece in {
                "short": files.footer(b"", length=1), "letters": b"M",
                "long": files.footer(b"", length=20 * MIB),
                "magic": b"MV2FOOT!"}.items():
            whole = one + (piece * (size // len(piece) + 1))[:size]
            path = self.file(f"{name}.mv2", whole)
            start = time.monotonic()
            saved, _ = self.salvage(path, timeout=60)
            self.assertEqual(saved, {})
            self.assertLess(time.monotonic() - start, 10, name)
        start = time.monotonic()
        self.salvage(self.file("s.mv2e", files.sealed(whole[:8 * MIB])), timeout=60)
        self.assertLess(time.monotonic() - start, 10)

    def test_many_of_one_name(self):
        """Thousands of documents with one name, and with many tags: no quadratic work."""
        frames = [("mv2://same.txt", b"", {"search": "x", "tags": [f"t{at % 50}", "all"]})
                  for at in range(20_000)]
        path = self.file("same.mv2", files.file_of(frames))
        result = self.limited(["ls", "-0", path], memory=1500, seconds=20)
        self.assertEqual(result.stdout.count(b"\0"), 20_001)


class Sweep(AttackCase):
    """Every byte of a small file, one after the other."""

    def setUp(self):
        super().setUp()
        log = files.record(1, files.change("mv2://old", b"long committed"))
        self.plain = files.file_of(
            [("mv2://a.txt", b"alpha content"), ("mv2://d/b", b"beta content", {"tags": ["t"]}),
             ("mv2://c", b"", {"search": "text alone", "pairs": [("k", "v")]})],
            log=log, log_length=512)
        self.plain = self.plain[:40] + struct.pack("<Q", 1) + self.plain[48:]
        self.payload = 4096 + 512
        self.toc, self.end = files.toc_place(self.plain)
        self.expected = {"a.txt": b"alpha content", "d/b": b"beta content", "c": b"text alone"}
        self.assertEqual(self.shown(self.file("good.mv2", self.plain)), (self.expected, 0))

    def kind(self, place):
        """What must happen when a byte of the plaintext changes."""
        if place < 8 or 8 <= place < 16:
            return "refused"
        if 16 <= place < 32:
            return "either"
        if place < self.payload:
            # The place and number of the log, the copy of a checksum, old locks, the log itself.
            return "same"
        if place < self.toc:
            return "one lost"
        return "same" if place >= len(self.plain) - 8 else "refused"

    def check(self, place, found, rc, kind):
        """No other bytes, and an error wherever not all are shown."""
        for name, one in found.items():
            self.assertEqual(one, self.expected.get(name), f"{place}: {name}")
        if kind == "same":
            self.assertEqual((found, rc), (self.expected, 0), place)
        elif kind == "one lost":
            self.assertEqual((len(found), rc), (2, 2), place)
        elif kind == "refused":
            self.assertEqual(found, {}, place)
            self.assertIn(rc, (1, 2), place)
        else:
            self.assertEqual(rc == 0, found == self.expected, place)

    def places(self, step):
        """Every byte that means something; of others, a few."""
        return [
            *range(0, 80, max(1, step // 4)), *range(80, 4096, 401),
            *range(4096, 4096 + 512, 8 * step), *range(self.payload, self.toc),
            *range(self.toc, self.end, step), *range(self.end, len(self.plain), max(1, step // 4))]

    def sweep_plain(self, step):
        """The file as it is."""
        for place in self.places(step):
            path = self.file("flip.mv2", files.flipped(self.plain, place, 1 << place % 8))
            self.check(place, *self.shown(path), self.kind(place))

    def test_plain(self):
        """A stride over the table, every byte of the rest."""
        self.sweep_plain(8)

    @support.heavy
    def test_plain_everywhere(self):
        """Every byte that means something."""
        self.sweep_plain(1)

    def sweep_sealed(self, step):
        """The encrypted twin: the tag leaves nothing to chance but eight bytes of the nonce."""
        whole = files.sealed(self.plain)
        places = [*range(0, 68), *range(68, len(whole), step), *range(len(whole) - 16, len(whole))]
        for place in places[::1 if step < 100 else 2]:
            path = self.file("flip.mv2e", files.flipped(whole, place, 1 << place % 8))
            self.check(place, *self.shown(path), "same" if 44 <= place < 52 else "refused")

    def test_sealed(self):
        """The header, the ends, and a stride between them."""
        self.sweep_sealed(350)

    @support.heavy
    def test_sealed_everywhere(self):
        """More of it."""
        self.sweep_sealed(60)

    def test_every_length(self):
        """Cut anywhere, nothing is shown."""
        for whole, name in ((self.plain, "cut.mv2"), (files.sealed(self.plain), "cut.mv2e")):
            for length in [*range(0, 100, 9), 4095, 4096, *range(4097, len(whole), 211),
                           len(whole) - 57, len(whole) - 56, len(whole) - 1]:
                found, rc = self.shown(self.file(name, whole[:length]))
                self.assertEqual(found, {}, length)
                self.assertIn(rc, (1, 2), length)


if __name__ == "__main__":
    import unittest
    unittest.main()
