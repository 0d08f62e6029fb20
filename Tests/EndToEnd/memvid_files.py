"""Memvid files for the tests: stored ones that the SDK has made, encrypted and damaged ones, and
ones written by hand; and what our view of them must have in common with the SDK's.

The stored fixtures lie in `Memvid`: `NAME.mv2.xz`, and `NAME.json.xz` with what was put in, what
the SDK's own calls return, and the header of the encrypted twin. As AES-GCM is deterministic, the
header and the passphrase give back that twin to the byte, which its digest proves.
"""

import hashlib
import json
import lzma
import os
import pathlib
import re
import struct
import unicodedata

import argon2.low_level
import blake3
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import support

HERE = pathlib.Path(__file__).resolve().parent
STORE = HERE / "Memvid"
MAKER = HERE / "memvid_maker.py"
CHUNK = 1 << 20
UNIT = CHUNK + 20
FOOTER = 56
NAMES = sorted(path.name[:-7] for path in STORE.glob("*.mv2.xz"))
SDK = os.environ.get("CAPSULE_TEST_MEMVID_PYTHON", "")
_keys = {}


def digest(content):
    """BLAKE3."""
    return blake3.blake3(content).digest()


def content(name):
    """The bytes of a stored `.mv2`."""
    return lzma.decompress((STORE / f"{name}.mv2.xz").read_bytes())


def facts(name):
    """What is known of a stored file."""
    return json.loads(lzma.decompress((STORE / f"{name}.json.xz").read_bytes()))


# Encryption, as facts of the format have it


def key(salt, secret=support.SECRET):
    """Argon2id as version 1 fixes it; kept, as it takes long."""
    if (salt, secret) not in _keys:
        _keys[salt, secret] = argon2.low_level.hash_secret_raw(
            secret, salt, 3, 65536, 4, 32, argon2.low_level.Type.ID)
    return _keys[salt, secret]


SALT, NONCE = bytes(range(32)), bytes(range(100, 112))


def header(plain_length, salt=SALT, nonce=NONCE, one_shot=False):
    """The 64 bytes in front."""
    return (b"MV2E" + struct.pack("<HBB", 1, 1, 1) + salt + nonce
            + struct.pack("<QBBBB", plain_length, 0 if one_shot else 1, 0, 0, 0))


def sealed(plain, head=None, one_shot=False, secret=support.SECRET):
    """The encrypted file; with the SDK's header, the SDK's own bytes."""
    head = head or header(len(plain), one_shot=one_shot)
    cipher, nonce = AESGCM(key(head[8:40], secret)), head[40:52]
    if head[60] != 1:
        return head + cipher.encrypt(nonce, plain, None)
    parts = [head]
    for index, start in enumerate(range(0, len(plain), CHUNK)):
        number = nonce[:4] + struct.pack(">Q", index)
        box = cipher.encrypt(number, plain[start:start + CHUNK], None)
        parts.append(struct.pack("<I", len(box)) + box)
    return b"".join(parts)


def opened(whole):
    """The plaintext of an encrypted file of chunks, by Memvid's own lenient rules."""
    cipher, nonce, place, plain, index = AESGCM(key(whole[8:40])), whole[40:52], 64, b"", 0
    while place + 4 <= len(whole):
        length = struct.unpack_from("<I", whole, place)[0]
        try:
            plain += cipher.decrypt(
                nonce[:4] + struct.pack(">Q", index), whole[place + 4:place + 4 + length], None)
        except (InvalidTag, ValueError):
            raise AssertionError(f"chunk {index} does not open") from None
        place, index = place + 4 + length, index + 1
    return plain


def twin(name):
    """The encrypted file that the SDK made of a stored one."""
    known = facts(name)
    whole = sealed(content(name), bytes.fromhex(known["capsule_header"]))
    assert hashlib.sha256(whole).hexdigest() == known["capsule_sha256"], name
    return whole


def units(whole):
    """The chunks of an encrypted file, each with its length in front."""
    return [whole[place:place + UNIT] for place in range(64, len(whole), UNIT)]


# Files written by hand


def text(value):
    """A string."""
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(value)) + value


def maybe(value, encode):
    """An optional value."""
    return b"\0" if value is None else b"\1" + encode(value)


def number(value):
    """Eight bytes."""
    return struct.pack("<Q", value & (1 << 64) - 1)


def strings(values):
    """A list of strings."""
    return number(len(values)) + b"".join(map(text, values))


def frame(identifier, uri, offset=0, payload=b"", **more):
    """A frame of the table; `more` overrides what a plain document has."""
    stored = more.get("stored_length", len(payload))
    search = more.get("search", None if payload else "")
    pairs = more.get("pairs", [])
    chunks = more.get("chunks")
    return b"".join([
        number(more.get("id", identifier)), struct.pack("<q", more.get("time", 1700000000)),
        b"\0\0\0\0", number(offset), number(stored), more.get("checksum", digest(payload)),
        maybe(uri, text), maybe(more.get("title"), text),
        struct.pack("<I", more.get("encoding", 0)),
        maybe(more.get("canonical", len(payload)), number), b"\0", maybe(search, text),
        strings(more.get("tags", [])), strings(more.get("labels", [])),
        number(len(pairs)), b"".join(text(one) + text(two) for one, two in pairs), number(0),
        maybe(chunks, lambda count: number(1200) + number(count) + bytes(16 * count)),
        struct.pack("<I", more.get("role", 0)), maybe(more.get("parent"), number),
        maybe(more.get("index"), lambda value: struct.pack("<I", value)), b"\0",
        struct.pack("<I", more.get("status", 0)), b"\0\0\0\0", struct.pack("<I", 1)])


def table(frames, count=None):
    """A table of contents with its checksum."""
    body = b"".join([
        number(0), number(0), number(len(frames) if count is None else count), b"".join(frames),
        b"\0", number(0), b"\0\0", b"\0\0\0\0\0",
        number(0), struct.pack("<IB", 1, 1), number(0) * 6,
        text("free-tier"), number(1), number(0), number(50 << 20), b"\0", b"\0", b"\0",
        number(0), number(0), bytes(32)])
    return body + digest(body + bytes(32))


def footer(toc, **more):
    """What follows a table."""
    return (b"MV2FOOT!" + number(more.get("length", len(toc)))
            + more.get("hash", digest(toc)) + number(1))


def plain_header(toc_offset, log_length=65536, **more):
    """The first 4096 bytes."""
    head = b"MV2\0" + bytes([1, 2, 2, 1]) + b"".join(
        number(value) for value in (
            toc_offset, more.get("log_offset", 4096), log_length, 0, more.get("committed", 0)))
    return head.ljust(4096, b"\0")


def file_of(documents, log=b"", log_length=65536, frames=None):
    """A whole file of [(uri, payload, {more})]; `frames` replaces the table's frames."""
    place = 4096 + log_length
    listed, payloads = [], b""
    for index, (uri, payload, *more) in enumerate(documents):
        options = more[0] if more else {}
        listed.append(frame(index, uri, place + len(payloads), payload, **options))
        payloads += payload
    toc = table(listed if frames is None else frames)
    return (plain_header(place + len(payloads), log_length) + log.ljust(log_length, b"\0")
            + payloads + toc + footer(toc))


def record(sequence, payload):
    """A record of the log."""
    return struct.pack("<QII", sequence, len(payload), 0) + digest(payload) + payload


def change(uri, payload=b"", **more):
    """The payload of a record: an insertion, or with `target` a deletion."""
    return b"".join([
        struct.pack("<Iq", 0, more.get("time", 1700000000)), b"\0\0", text(payload), b"\0",
        maybe(uri, text), maybe(more.get("title"), text),
        struct.pack("<I", more.get("encoding", 0)), maybe(more.get("canonical"), number), b"\0",
        maybe(more.get("search", ""), text), number(0), number(0), number(0), number(0), b"\0",
        struct.pack("<I", 0), b"\0\0\0", struct.pack("<I", 1 if "target" in more else 0),
        maybe(more.get("target"), number), maybe(more.get("supersedes"), number),
        maybe(more.get("reuses"), number), b"\0\0", struct.pack("<I", 1)])


def toc_place(plain):
    """(start, end) of the table of contents."""
    return struct.unpack_from("<Q", plain, 8)[0], len(plain) - FOOTER


def flipped(whole, place, mask=0x55):
    """The bytes with one changed."""
    return whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1:]


def normalised(value):
    """What Memvid makes of a text before it indexes it."""
    value = unicodedata.normalize("NFKC", value).replace("\r", "\n").replace("\t", " ")
    value = "".join(
        sign for sign in value if sign == "\n" or unicodedata.category(sign) != "Cc")
    value = re.sub(r" +", " ", value)
    return re.sub(r"\n+", "\n", re.sub(r" +\n", "\n", value)).strip()


class MemvidCase(support.EndToEnd):
    """A test with Memvid files."""

    def stored(self, name, encrypted=False):
        """The path of a stored file, written out."""
        if encrypted:
            return support.write(self.path(f"{name}.mv2e"), twin(name))
        return support.write(self.path(f"{name}.mv2"), content(name))

    def file(self, name, whole):
        """Writes a file into the sandbox."""
        return support.write(self.path(name), whole)

    def extract(self, path, name="out", *more, rc=0):
        """Extracts the whole of a file; returns the directory."""
        out = self.path(name)
        return_code = self.capsule("extract", path, out, *self.open_pw, *more, rc=rc).returncode
        self.assertEqual(return_code, rc)
        return out

    def frames(self, folder):
        """{id: fields} of an extracted file, as `.memvid/frames/ID.json` says."""
        place = os.path.join(folder, ".memvid", "frames")
        found = {}
        for name in os.listdir(place):
            if name.endswith(".json"):
                found[int(name[:-5])] = json.loads(support.read(os.path.join(place, name)))
        self.assertEqual(sorted(found), list(range(len(found))))
        return found

    def documents(self, folder, part=""):
        """{frame id: (path, bytes, quality)} of the documents below a part of the folder."""
        found = {}
        base = os.path.join(folder, part) if part else folder
        for directory, below, names in os.walk(base):
            if directory == folder:
                below[:] = [name for name in below if name != ".memvid"]
            for name in names:
                path = os.path.join(directory, name)
                identifier = int(os.getxattr(path, "user.memvid.frame_id"))
                self.assertNotIn(identifier, found)
                quality = os.getxattr(path, "user.memvid.quality").decode()
                found[identifier] = (os.path.relpath(path, base), support.read(path), quality)
        return found

    # Our view beside the SDK's

    def compare(self, folder, known, is_recovered=False):
        """An extracted file shows what the SDK returned, and what was put in."""
        view = known["view"]
        frames, documents = self.frames(folder), self.documents(folder)
        self.assertEqual(len(frames), view["frame_count"])
        self.assertEqual(view["verify"], "passed")
        active = {
            at for at, one in frames.items()
            if one["role"] == "document" and one["status"] == "active"}
        self.assertEqual(set(documents), active)
        self.compare_frames(frames, documents, view)
        self.compare_timeline(folder, frames, view)
        self.compare_finds(frames, view, is_recovered)
        deleted = self.documents(folder, ".memvid/deleted")
        for put in known["inputs"] or []:
            self.compare_input(put, frames, {**documents, **deleted}, known["inputs"])

    def compare_frames(self, frames, documents, view):
        """Fields and bytes of each document."""
        for uri, theirs in view["frames"].items():
            if theirs is None:
                continue
            ours = frames[theirs["id"]]
            # Pairs, where two keys differ only in how they are composed.
            ours["extra_metadata"] = dict(ours["extra_metadata"])
            for field, value in theirs.items():
                self.assertEqual(ours[field], value, f"{uri}: {field}")
            self.assertEqual(ours["extra_metadata"], theirs.get("extra_metadata", {}), uri)
            payload = bytes.fromhex(view["blobs"][uri])
            _, shown, quality = documents[theirs["id"]]
            self.assertEqual(quality == "stored", bool(theirs["payload_length"]), uri)
            if quality == "stored":
                self.assertEqual(shown, payload, uri)

    def compare_timeline(self, folder, frames, view):
        """Order, times and chunks."""
        lines = support.read(os.path.join(folder, ".memvid/timeline.jsonl")).splitlines()
        ours = [json.loads(line) for line in lines]
        theirs = view["timeline"]
        # Without a time index the SDK lists chunks, too.
        theirs = [
            entry for entry in theirs if frames[entry["frame_id"]]["role"] == "document"]
        self.assertEqual(
            [(line["id"], line["timestamp"], line["uri"]) for line in ours],
            [(entry["frame_id"], entry["timestamp"], entry["uri"]) for entry in theirs])
        for entry in theirs:
            chunks = [
                at for at, one in frames.items()
                if one["parent_id"] == entry["frame_id"] and one["role"] == "documentChunk"
                and one["status"] == "active"]
            self.assertEqual(sorted(entry["child_frames"]), sorted(chunks))

    def compare_finds(self, frames, view, is_recovered):
        """Each hit is a frame of ours with that text; each frame with the word is a hit."""
        for word, hits in (view["finds"] or {}).items():
            for hit in hits:
                ours = frames[hit["frame_id"]]
                self.assertEqual(ours["uri"], hit["uri"])
                found = " ".join(hit["text"].split())[:60]
                self.assertIn(found, " ".join((ours["search_text"] or "").split()))
            expected = {
                at for at, one in frames.items() if one["status"] == "active"
                and re.search(rf"\b{word}\b", one["search_text"] or "", re.I)}
            # A hit is a document: the SDK gives at most one of its frames per URI.
            found = {hit["frame_id"] for hit in hits}
            self.assertLessEqual(found, expected | self.children(frames, expected), word)
            # What the SDK has just recovered from the log, it does not find yet.
            if not is_recovered:
                self.assertEqual(bool(found), bool(expected), word)

    @staticmethod
    def children(frames, parents):
        """Frames above or below those given."""
        return {at for at, one in frames.items() if one["parent_id"] in parents} | {
            frames[at]["parent_id"] for at in parents if frames[at]["parent_id"] is not None}

    def compare_input(self, put, frames, documents, every):
        """What was put in under a URI is what is shown there, as exactly as Memvid kept it."""
        if sum(one["uri"] == put["uri"] for one in every) > 1:
            return
        found = [
            at for at, one in frames.items()
            if one["role"] == "document" and one["uri"] == put["uri"]]
        if not put["uri"]:
            return
        self.assertEqual(len(found), 1, put["uri"])
        _, shown, quality = documents[found[0]]
        if "hex" in put:
            self.assertIn(quality, ["stored"] if put["raw"] else ["proven", "text", "none"])
            if quality == "stored":
                self.assertEqual(shown, bytes.fromhex(put["hex"]), put["uri"])
            return
        is_chunked = frames[found[0]]["chunk_manifest"] is not None
        # Vacuuming takes away the bytes of what was deleted, and leaves its text.
        is_gone = (
            frames[found[0]]["status"] == "deleted" and not frames[found[0]]["payload_length"])
        if put["raw"] and not is_chunked and not is_gone:
            self.assertEqual((quality, shown), ("stored", put["text"].encode()), put["uri"])
        elif quality == "proven":
            self.assertEqual(shown, put["text"].encode(), put["uri"])
        elif is_chunked and "|---|" in put["text"]:
            # The splitter for tables repeats their heads: no more than the words can be expected.
            self.assertEqual(set(shown.decode().split()), set(normalised(put["text"]).split()))
        else:
            self.assertEqual(quality, "text", put["uri"])
            self.assertEqual(shown.decode(), normalised(put["text"]), put["uri"])

    def payload_text(self, stored):
        """Stored bytes without their compression."""
        return zstandard.ZstdDecompressor().decompress(stored, max_output_size=1 << 28)
