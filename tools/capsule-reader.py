#!/usr/bin/env python3
"""An independent reader of sealed capsules (.mv2e, version 2).

Written from the manual page capsule-format(5) alone, to show that the page is sufficient.
Needs cryptography, argon2-cffi, zstandard and blake3; for recovery phrases also mnemonic.
Exit codes: 0 all is well; 1 usage, wrong secret or no capsule of version 2; 2 damage.
"""
# pylint: disable=not-callable,import-outside-toplevel,unbalanced-tuple-unpacking,R0902,R0904,R0914

import argparse
import errno
import hashlib
import hmac
import json
import os
import stat
import struct
import sys
import time
from bisect import bisect_right
from collections import namedtuple
from functools import lru_cache, partial

import zstandard
from argon2.low_level import Type as Argon2Type, hash_secret_raw
from blake3 import blake3
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

KINDS = {1: 12, 2: 12, 3: 0, 4: 32, 5: 1120}        # of slots, and the length of the parameters
STREAMS = {1: "content", 2: "index", 3: "manifest"}
SECTION_BLOCK, PAGE_ENTRIES, MAX_DEPTH, ALIAS, SPARSE = 65536, 256, 4096, 1, 2
HEADER = """magic:4s version:H flags:H id:16s salt:32s commitment:32s slot_area:I sign_area:I
    signers:H label:H hint:H zero:2s lineage:16s lineage_version:Q signers_room:512s
    label_room:256s hint_room:256s zero:2912s checksum:32s"""
AREA = "magic:4s count:H zero:2s sequence:Q size:I zero:4s"
SLOT = "kind:H zero:2s size:I salt:32s commitment:32s wrapped:48s plen:H llen:H zero:4s"
TRAILER = """magic:4s version:H count:H length:Q id:16s header:32s table:640s zero:224s
    root:32s mac:32s checksum:32s"""
STREAM = "number:H level:B zero:s zero:4s blocks:Q begin:Q end:Q plain:Q root:Q hash:32s"
NODE = "magic:4s level:B zero:s n:H number:H zero:6s index:Q position:Q start:Q"
TABLE = """magic:4s layout:I count:Q page:I pages:I extents:Q extents_size:Q heap:Q
    heap_size:Q fences:Q fences_size:Q owners:Q owners_size:Q inodes:Q total:Q flags:I zero:4s"""
ENTRY = """mode:I flags:H nlen:H name_at:I parent:I uid:I gid:I links:I nsec:I sec:q
    size:Q place:Q count:I zero:4s xattrs:Q last:Q"""
# What a parent says of the first block below it, and of a child; place: of a block, its length.
Below = namedtuple("Below", "index position start hash place plain blocks")
warn = partial(print, file=sys.stderr)


class Damage(Exception):
    """The capsule, or a part of it, is damaged."""


class Refusal(Exception):
    """Wrong usage, a wrong secret, or a file that this reader does not open."""


def need(condition, message):
    """Refuse as damaged, with this message, unless the condition holds."""
    if not condition:
        raise Damage(message)


def parse(table, raw, what, at=0, context=None):
    """The fields of a table; what is named zero is zero; in a context, a checksum ends it."""
    if context:
        need(b3(context + " checksum", raw[:-32]) == raw[-32:], what + "wrong checksum")
    names, codes = zip(*(field.split(":") for field in table.split()))
    pairs = list(zip(names, struct.unpack_from("<" + "".join(codes), raw, at)))
    need(not any(any(value) for name, value in pairs if name == "zero"), what + "not zero")
    return argparse.Namespace(**dict(pairs))


def b3(context, data):
    """BLAKE3 in the context "capsulefs 2 <context>"."""
    return blake3(data, derive_key_context="capsulefs 2 " + context).digest()


def pieces(raw, order):
    """The pieces of a text, each behind its length in 4 bytes."""
    out, at = [], 0
    while at < len(raw):
        start, at = at + 4, at + 4 + int.from_bytes(raw[at:at + 4], order)
        need(start <= at <= len(raw), "a piece reaches over the end")
        out.append(raw[start:at])
    return out


def escape(raw):
    """Bytes as text; what cannot be printed, and backslashes, as escapes of Python."""
    return "".join(char if char.isprintable() and char != "\\" else ascii(char)[1:-1]
                   for char in raw.decode("utf-8", "surrogateescape"))


def read(fd, offset, length, what):
    """Read all of a range of the file; a shorter file is damage."""
    raw = os.pread(fd, length, offset)
    need(len(raw) == length, what + "the file ends too early")
    return raw


def node_size(level, blocks):
    """Length of a node of a level with so many blocks below: all nodes but the last are full."""
    return 40 + (48 if level else 40) * -(-blocks // 256 ** level)


class Stream:
    """One stream: its tree, and with a key its blocks."""

    def __init__(self, fd, capsule_id, entry, key=None):
        self.fd, self.id, self.entry, self.key = fd, capsule_id, entry, key
        self.node, self.block = lru_cache(256)(self.load_node), lru_cache(16)(self.load_block)
        self.root = Below(0, entry.begin, 0, entry.hash, entry.root, entry.plain, entry.blocks)

    def load_node(self, level, this):
        """What is below a node, after every rule: hash, place, full nodes, tiling, lengths."""
        e, what = self.entry, f"{self.entry.name}, node at offset {this.place}: "
        size, out, (index, position, start) = node_size(level, this.blocks), [], this[:3]
        need(e.begin < this.place <= e.end - size and (this is not self.root or
             this.place + size == e.end), what + "is outside, or the root is not the last node")
        raw = read(self.fd, this.place, 40, what)
        n = int.from_bytes(raw[6:8], "little")
        need(1 <= n <= 256 and size == 40 + n * (48 if level else 40), what + "number of entries")
        raw += read(self.fd, this.place + 40, size - 40, what)
        need(b3("node", raw) == this.hash, what + "wrong hash")
        head = parse(NODE, raw, what)
        need((head.magic, head.level, head.number) == (b"NODE", level, e.number)
             and (head.index, head.position, head.start) == this[:3], what + "wrong fields")
        for value, place, plain in struct.iter_unpack("<32sQQ" if level else "<32sII", raw[40:]):
            blocks = min(256 ** level, this.index + this.blocks - index)
            out.append(Below(index, position, start, value, place, plain, blocks))
            if level:
                need(position < place, what + "a child is not behind what is below it")
                position = place + node_size(level - 1, blocks)
            else:
                need(1 <= plain <= 1 << 20 and 17 <= place <= plain + 16, what + "block length")
                position += place
            index, start = index + blocks, start + plain
        need((position, start) == (this.place, this.start + this.plain), what + "wrong lengths")
        return out

    def stored(self, field, value):
        """The block of an index, or by "start" that of an offset; its bytes; what to call it."""
        e, this = self.entry, self.root
        need(value < (e.blocks if field == "index" else e.plain), f"{e.name}: no such block")
        for level in range(e.level, -1, -1):
            below = self.node(level, this)
            this = below[bisect_right(below, value, key=lambda x: getattr(x, field)) - 1]
        what = f"{e.name}, block {this.index} at offset {this.position}: "
        raw = read(self.fd, this.position, this.place, what)
        leaf = b3("block", raw + struct.pack("<QQ", e.number, this.start))
        need(leaf == this.hash, what + "wrong leaf")
        return this, raw, what

    def load_block(self, field, value):
        """Plaintext and start of a block: leaf first, then tag, and only then decompression."""
        b, raw, what = self.stored(field, value)
        data = AESGCM(self.key).decrypt(struct.pack("<4xQ", b.start), raw, self.id + struct.pack(
            "<QQII", self.entry.number, b.start, b.plain, b.place))
        if b.place < b.plain + 16:    # exactly one frame, and never more bytes than allocated
            frame, maximum = zstandard.get_frame_parameters(data), b.plain
            need(data[:4] == zstandard.FRAME_HEADER and not frame.dict_id and frame.content_size
                 in (maximum, zstandard.CONTENTSIZE_UNKNOWN), what + "wrong zstd frame")
            data = zstandard.ZstdDecompressor().decompress(data, maximum, allow_extra_data=False)
            need(len(data) == b.plain, what + "decompresses to another length")
        return data, b.start

    def read(self, offset, length):
        """The bytes of a range of the plaintext, block by block."""
        need(offset + length <= self.entry.plain, f"{self.entry.name}: a range lies outside")
        while length:
            data, start = self.block("start", offset)
            data = data[offset - start:offset - start + length]
            yield data
            offset, length = offset + len(data), length - len(data)


def identity(text):
    """Kind and private key of an identity: Bech32 of any length."""
    chars, check = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", 1
    part, _, data = text.lower().rpartition("1")
    values = [chars.find(c) for c in data]
    for value in [ord(c) >> 5 for c in part] + [0] + [ord(c) & 31 for c in part] + values:
        top, check = check >> 25, (check & 0x1ffffff) << 5 ^ value
        for i, term in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
            check ^= term * (top >> i & 1)
    bits = "".join(f"{value:05b}" for value in values[:-6])
    kind = {"age-secret-key-": 4, "age-secret-key-pq-": 5}.get(part)
    if not kind or text not in (text.lower(), text.upper()) or -1 in values or (
            check, len(bits), bits[256:]) != (1, 260, "0000"):
        raise Refusal("identity: not an age identity in Bech32, or with a wrong checksum")
    return kind, int(bits[:256], 2).to_bytes(32, "big")


def secrets(options):
    """Kind and bytes of every secret in the file that was named."""
    kind, path = options.secret
    with open(path, "rb") as file:
        raw = file.read()
    text, good = raw.decode("ascii", "replace"), True
    if kind == 4:
        lines = (line for line in text.replace("\r\n", "\n").split("\n") if line[:1] != "#")
        words = [line.replace("\t", " ").lstrip(" ").partition(" ")[0] for line in lines]
        return [identity(word) for word in words if word]
    if kind == 2:
        from mnemonic import Mnemonic
        words, table = text.lower().split(), Mnemonic("english")
        good = len(words) == 24 and table.check(" ".join(words))
        raw = bytes(table.to_entropy(words)) if good else b""
    elif kind == 1:
        raw = raw[:-2] if raw.endswith(b"\r\n") else raw.removesuffix(b"\n")
        good = raw and b"\0" not in raw
    if not good:
        raise Refusal("an empty passphrase or one with a NUL, or no recovery phrase of 24 words")
    return [(kind, raw)]


def hpke(kind, private, enc, capsule_id):
    """The slot key of a recipient: HPKE, base mode, HKDF-SHA256, AES-256-GCM, export."""
    def extract(suite, salt, label, data):
        return hmac.digest(salt, b"HPKE-v1" + suite + label + data, "sha256")
    def expand(suite, prk, label, info):
        return HKDFExpand(SHA256(), 32, b"\0\x20HPKE-v1" + suite + label + info).derive(prk)
    kem, lattice, curve = b"KEM\0\x20", b"", private
    if kind == 5:
        from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey as KEM
        seed = hashlib.shake_256(private).digest(96)
        lattice, curve = KEM.from_seed_bytes(seed[:64]).decapsulate(enc[:1088]), seed[64:]
    ours = x25519.X25519PrivateKey.from_private_bytes(curve)
    shared = ours.exchange(x25519.X25519PublicKey.from_public_bytes(enc[-32:]))
    public = enc[-32:] + ours.public_key().public_bytes_raw()
    if kind == 5:
        shared = hashlib.sha3_256(lattice + shared + public + b"\\.//^\\").digest()
    else:
        shared = expand(kem, extract(kem, b"", b"eae_prk", shared), b"shared_secret", public)
    suite = b"HPKE" + struct.pack(">HHH", 0x20 if kind == 4 else 0x647a, 1, 2)
    context = (b"\0" + extract(suite, b"", b"psk_id_hash", b"")
               + extract(suite, b"", b"info_hash", b"capsulefs 2 recipient" + capsule_id))
    exporter = expand(suite, extract(suite, shared, b"secret", b""), b"exp", context)
    return expand(suite, exporter, b"sec", b"capsulefs 2 slot key")


class Public:
    """What can be read and checked without a key, in the order of the page."""

    def __init__(self, options):
        self.fd, self.problems = os.open(options.file, os.O_RDONLY | os.O_CLOEXEC), []
        raw, what, size = os.pread(self.fd, 4096, 0), "header: ", os.fstat(self.fd).st_size
        if raw[:4] != b"MV2E" or len(raw) >= 6 and raw[4:6] != b"\2\0":
            raise Refusal("not a capsule" if raw[:4] != b"MV2E" else "unsupported version")
        need(len(raw) == 4096, what + "the file is too short")
        self.header = h = parse(HEADER, raw, what, 0, "header")
        need(all(4096 <= x <= 1 << 20 and x % 4096 == 0 for x in (h.slot_area, h.sign_area))
             and (h.flags == 1 and h.lineage_version or h.flags == h.lineage_version == 0
                  and not any(h.lineage)), what + "flags, lineage or length of an area")
        for used, part, limit in ((32 * h.signers, h.signers_room, 512),
                                  (h.label, h.label_room, 255), (h.hint, h.hint_room, 255)):
            need(used <= limit and not any(part[used:]), what + "signers, label or hint")
        h.signers = [h.signers_room[32 * i:32 * i + 32] for i in range(h.signers)]
        need(h.signers == sorted(set(h.signers)), what + "the expected signers do not ascend")
        h.label, h.hint = h.label_room[:h.label].decode(), h.hint_room[:h.hint].decode()
        middle = 4096 + 2 * h.slot_area
        need(size >= middle + 2 * h.sign_area + 1024, "the file is too short")
        self.trailer = self.read_trailer(size, middle + 2 * h.sign_area)
        self.area = self.read_area(b"SLOT", 4096, h.slot_area)
        area = self.read_area(b"SIGN", middle, h.sign_area)
        self.slots, self.blobs = self.read_slots(self.area), pieces(area.records, "little")
        need(len(self.blobs) == area.count <= 64 and all(len(x) <= 16384 for x in self.blobs),
             "SIGN area: number or length of signatures")

    def read_area(self, magic, start, length):
        """The copy of an area that counts; a copy that is not whole goes to the problems."""
        copies = []
        for offset in (start, start + length):
            what = f"{magic.decode()} area at offset {offset}: "
            raw = read(self.fd, offset, length, what)
            try:
                a = parse(AREA, raw, what, 0, "area")
                need(a.magic == magic and 0 < a.sequence < 2 ** 32 - 1 and a.size <= length - 88 and
                     not any(raw[24 + a.size:-64 if magic == b"SLOT" else -32]), what + "fields")
                a.raw, a.records = raw, raw[24:24 + a.size]
                copies.append(a)
            except Damage as error:
                self.problems.append(str(error))
        need(copies, "\n".join(self.problems))
        if len({a.records + a.raw[-64:-32] for a in copies}) == 2:
            warn(f"note: the copies of the {magic.decode()} area differ; a change was cut off")
        return max(copies, key=lambda a: a.sequence)    # the first of equal ones

    def read_slots(self, area):
        """The key slots, with every limit of Argon2id checked over all of them."""
        slots, at, hard, work = [], 0, 0, 0
        for number in range(area.count):
            what = f"slot {number}: "
            raw = area.records[at:at + int.from_bytes(area.records[at + 4:at + 8], "little")]
            slot, at = parse(SLOT, raw, what, 0, "slot"), at + len(raw)
            need(160 <= len(raw) == slot.size == 160 + slot.plen + slot.llen <= 4096
                 and KINDS.get(slot.kind, slot.plen) == slot.plen, what + "wrong length")
            slot.parameters, slot.cost = raw[128:128 + slot.plen], None
            slot.associated = raw[:40] + slot.parameters
            if slot.kind in (1, 2):
                slot.cost = passes, memory, lanes = struct.unpack("<III", slot.parameters)
                hard, work = hard + 1, work + passes * memory
                need(1 <= passes <= 64 and 1 <= lanes <= 16 and 8 * lanes <= memory <= 1 << 22
                     and work <= 1 << 23 and hard <= 16, what + "Argon2id is out of limits")
            slots.append(slot)
        need(at == len(area.records) and area.count <= 256, "SLOT area: number or length of slots")
        return slots

    def read_trailer(self, end, position):
        """The 1024 bytes before the end; the streams begin at a position."""
        raw, h = read(self.fd, end - 1024, 1024, "trailer: "), self.header
        need(raw[:4] == b"MV2T", "trailer: the file was cut short or added to")
        t = parse(TRAILER, raw, "trailer: ", 0, "trailer")
        need(t.version == 2 and t.count <= 8 and not any(t.table[80 * t.count:]), "trailer: fields")
        need(b3("root", raw[:928]) == t.root, "trailer: wrong root")
        need((t.length, t.id, t.header) == (end, h.id, h.checksum), "trailer: of another file")
        t.raw, t.streams = raw, {}
        for i in range(t.count):
            s = parse(STREAM, t.table, "trailer: ", 80 * i)
            s.name = f"{STREAMS.get(s.number, s.number)} stream"
            need(s.number not in (0, *t.streams) and position == s.begin <= s.end and s.level <= 5
                 and s.blocks <= 1 << 40 and s.plain <= 1 << 60 and
                 (s.begin < s.root < s.end if s.blocks else s.begin == s.end and not any(s.hash)
                  and s.level == s.plain == s.root == 0), f"trailer: {s.name}")
            t.streams[s.number], position = s, s.end
        need(position == end - 1024, "trailer: the last stream does not end at the trailer")
        return t

    def signatures(self):
        """Print a line for each signature; the number of those that are wrong or missing."""
        statement = (f"capsulefs capsule statement\nversion: 2\ncapsule: {self.header.id.hex()}\n"
                     f"header: {self.header.checksum.hex()}\nroot: {self.trailer.root.hex()}\n")
        wrong, absent = 0, set(self.header.signers)
        for number, blob in enumerate(self.blobs):
            try:
                need(blob[:10] == b"SSHSIG\0\0\0\1", "not an SSHSIG of version 1")
                public, space, _, method, signature = pieces(blob[10:], "big")
                need((space, method) == (b"capsule.capsulefs", b"sha512"), "of another purpose")
                (kind, point, *application), tail = pieces(public, "big"), b""
                message = b"SSHSIG" + b"".join(struct.pack(">I", len(text)) + text for text in (
                    space, b"", method, hashlib.sha512(statement.encode()).digest()))
                if kind == b"sk-ssh-ed25519@openssh.com":
                    signature, tail = signature[:-5], signature[-5:]
                    need(tail[0] & 1, "nobody touched the security key")
                    message = (hashlib.sha256(application.pop()).digest() + tail
                               + hashlib.sha256(message).digest())
                found, value = pieces(signature, "big")
                need((kind == b"ssh-ed25519" or tail) and found == kind and not application,
                     f"a key of another kind, or not of the signature's: {escape(kind)}")
                ed25519.Ed25519PublicKey.from_public_bytes(point).verify(value, message)
                absent.discard(hashlib.sha256(public).digest())
                print(f"signature {number}: valid, key {hashlib.sha256(public).hexdigest()}")
            except (Damage, InvalidSignature, ValueError, IndexError) as error:
                print(f"signature {number}: wrong: {error}")
                wrong += 1
        for s in [f"signature missing: {x.hex()}" for x in absent] or ["unsigned"][:not self.blobs]:
            print(s)
        return wrong + len(absent)

    def inspect(self, _):
        """Show what everyone can read."""
        parts = self.header, *self.slots, self.trailer, *self.trailer.streams.values()
        for name, value in (pair for part in parts for pair in vars(part).items()):
            if name not in ("raw", "table", "streams", "zero", "associated", "wrapped"):
                print(f"{name:16}", value.hex() if isinstance(value, bytes) else repr(value))
        self.signatures()
        print("damage:", self.problems or "none was looked for in the streams")

    def verify(self, _):
        """Check every byte without a key; after damage nothing more of the same stream."""
        for entry in self.trailer.streams.values():
            stream = Stream(self.fd, self.header.id, entry)
            try:
                for index in range(entry.blocks):
                    stream.stored("index", index)
            except Damage as error:
                self.problems.append(str(error))
        need(not self.problems, "\n".join(self.problems))
        print(f"intact, root {self.trailer.root.hex()}")
        if self.signatures():
            warn("intact, but a signature is wrong or missing")
            sys.exit(2)


class Capsule(Public):
    """An opened capsule."""

    def __init__(self, options):
        super().__init__(options)
        header, trailer, area, key = self.header, self.trailer, self.area.raw, self.unwrap(options)
        def derive(name):
            return HKDF(SHA256(), 32, header.salt, b"capsulefs 2 " + name.encode()).derive(key)
        need(hmac.compare_digest(derive("key commitment"), header.commitment), "wrong commitment")
        for n, raw, said in (("trailer mac", trailer.raw[:960], trailer.mac),
                             ("slot area mac", area[:-64], area[-64:-32])):
            need(hmac.compare_digest(hmac.digest(derive(n), raw, "sha256"), said), "wrong " + n)
        need(set(STREAMS) <= set(trailer.streams), "trailer: a stream is missing")
        self.content, self.index, self.about = (
            Stream(self.fd, header.id, trailer.streams[number], derive("stream " + name))
            for number, name in STREAMS.items())
        self.page = lru_cache(64)(self.load_page)
        raw, _ = self.index.block("index", 0)
        self.table = t = parse(TABLE, raw, "index table: ")
        need((t.magic, t.layout, t.page, len(raw)) == (b"INDX", 1, PAGE_ENTRIES, 112)
             and t.inodes <= t.count and t.count in range(1, 2 ** 32 - 1) and t.flags <= 1
             and t.pages == -(-t.count // PAGE_ENTRIES) and t.owners_size <= 1 << 22, "index table")
        block = 1 + t.pages
        for name in ("extents", "heap", "fences", "owners"):
            need(getattr(t, name) == block, f"index table: the {name} begin in the wrong place")
            block += -(-getattr(t, name + "_size") // SECTION_BLOCK)
        need(block == self.index.entry.blocks and t.extents_size % 24 == 0, "index table: sections")

    def unwrap(self, options):
        """The file key, out of the first slot whose commitment is right."""
        for slot, key in ((slot, secret) for kind, secret in secrets(options)
                          for slot in self.slots if slot.kind == kind):
            try:
                if slot.cost:
                    key = hash_secret_raw(key, slot.salt, *slot.cost, 32, Argon2Type.ID, 0x13)
                elif slot.kind != 3:
                    key = hpke(slot.kind, key, slot.parameters, self.header.id)
                info = b"capsulefs 2 slot" + self.header.id + bytes([slot.kind, 0])
                keys = HKDF(SHA256(), 64, slot.salt, info).derive(key)
                if hmac.compare_digest(keys[32:], slot.commitment):
                    return AESGCM(keys[:32]).decrypt(bytes(12), slot.wrapped, slot.associated)
            except (ValueError, InvalidTag):     # a refused point, or a commitment that was copied
                continue
        raise Refusal("no secret, or one that opens no slot of this capsule")

    def section(self, name, offset, length, what):
        """Bytes of a section of the index."""
        first, size, out = getattr(self.table, name), getattr(self.table, name + "_size"), []
        need(offset + length <= size, what + f"reaches out of the {name}")
        while length:
            k, at = divmod(offset, SECTION_BLOCK)
            data, _ = self.index.block("index", first + k)
            need(len(data) == min(SECTION_BLOCK, size - k * SECTION_BLOCK), f"index: {name}")
            out.append(data[at:at + length])
            offset, length = offset + len(out[-1]), length - len(out[-1])
        return b"".join(out)

    def load_page(self, number):
        """All entries of a page, after every rule that can be seen in it."""
        (raw, _), t, entries = self.index.block("index", 1 + number), self.table, []
        names = 80 * min(PAGE_ENTRIES, t.count - number * PAGE_ENTRIES)
        for at in range(0, names, 80):
            ordinal = number * PAGE_ENTRIES + at // 80
            e, what = parse(ENTRY, raw, "entry: ", at), f"entry {ordinal}: "
            e.ordinal, e.what, e.type, stop = ordinal, what, stat.S_IFMT(e.mode), e.name_at + e.nlen
            e.name = raw[e.name_at:stop]
            need(names <= e.name_at and raw[stop:stop + 1] == b"\0", what + "its name is outside")
            need(e.mode >> 12 in (1, 2, 4, 6, 8, 10, 12) and e.flags <= 3 and e.nsec < 10 ** 9 and
                 e.links and e.size < 1 << 63 and e.xattrs < max(1, t.heap_size), what + "fields")
            need(e.type == stat.S_IFDIR and e.parent == 0 and not e.name if ordinal == 0 else
                 e.parent < ordinal and 1 <= len(e.name) <= 255 and e.name not in (b".", b"..")
                 and not {0, 47} & set(e.name), what + "name or parent")
            rule = {stat.S_IFDIR: e.flags == 0 and e.last < max(1, t.fences_size) and (
                        e.count == 0 or ordinal < e.place and e.place + e.count <= t.count),
                    ALIAS: e.flags == ALIAS and e.place < t.count and e.place != ordinal
                        and e.type != stat.S_IFDIR,
                    stat.S_IFLNK: e.flags == 0 < e.size < 4096 and e.place + e.size <= t.heap_size,
                    stat.S_IFREG: e.last <= e.size and 24 * (e.place + e.count) <= t.extents_size
                        if e.flags else e.place + e.size < 1 << 64}
            need(rule.get(e.flags & ALIAS or e.type, e.flags == e.size == 0), what + "of its type")
            need(at == 0 or entries[-1].parent != e.parent or entries[-1].ordinal == 0
                 or entries[-1].name < e.name, what + "the names do not ascend")
            entries.append(e)
        return entries

    def entry(self, ordinal):
        """An entry by its ordinal."""
        return self.page(ordinal // PAGE_ENTRIES)[ordinal % PAGE_ENTRIES]

    def inode(self, entry):
        """The inode of an entry."""
        inode = self.entry(entry.place) if entry.flags & ALIAS else entry
        need(not inode.flags & ALIAS and inode.type == entry.type, entry.what + "a wrong alias")
        return inode

    def listing(self, directory):
        """The entries of a directory, each checked to be its own and in order."""
        before = b""
        for ordinal in range(directory.place, directory.place + directory.count):
            e = self.entry(ordinal)
            need(ordinal and e.parent == directory.ordinal and before < e.name, e.what + "not here")
            before = e.name
            yield e

    def walk(self):
        """Path (a tuple of names) and entry of everything, in the order of the walk."""
        stack = [((), iter([self.entry(0)]))]
        while stack:
            above, entries = stack[-1]
            for e in entries:
                path = above + (e.name,) if e.ordinal else ()
                yield path, e
                if e.type == stat.S_IFDIR:
                    need(len(path) <= MAX_DEPTH, e.what + "the directories are too deep")
                    stack.append((path, self.listing(e)))
                    break
            else:
                stack.pop()

    def extents(self, e):
        """Offset in the file, length and offset in the content of each extent."""
        if not e.flags & SPARSE:
            return [(0, e.size, e.place)] if e.size else []
        raw, end = self.section("extents", 24 * e.place, 24 * e.count, e.what), 0
        extents = list(struct.iter_unpack("<QQQ", raw))
        for offset, length, _ in extents:
            need(length >= 1 and end <= offset <= e.size - length, e.what + "its extents")
            end = offset + length
        return extents

    def data(self, e):
        """Offset and bytes of every piece of a file that is not a hole; nothing at its end."""
        for offset, length, place in self.extents(e):
            for piece in self.content.read(place, length):
                yield offset, piece
                offset += len(piece)
        yield e.size, b""

    def target(self, e):
        """The target of a symbolic link."""
        raw = self.section("heap", e.place, e.size, e.what)
        need(b"\0" not in raw, e.what + "its target has a NUL")
        return raw

    def xattrs(self, e):
        """The extended attributes of an inode."""
        if not e.xattrs:
            return []
        out, at, what = [], 2, e.what + "attributes"
        length, count = struct.unpack("<IH", self.section("heap", e.xattrs, 6, what))
        need(length <= 1 << 22, what)
        raw = self.section("heap", e.xattrs + 4, length, what)
        for _ in range(count):
            (names, values), start = struct.unpack_from("<HI", raw, at), at + 6
            at = start + names + values
            out.append((raw[start:start + names], raw[start + names:at]))
            need(0 < names < 256 and values <= 65536 and at <= length and 0 not in out[-1][0], what)
        need(at == length, what)
        return out

    def manifest(self, options):
        """The manifest, its id and lineage checked."""
        head, plain = self.header, self.about.entry.plain
        need(1 <= plain <= 1 << 24, "manifest: empty or too long")
        fields = json.loads(b"".join(self.about.read(0, plain)).decode())
        need(isinstance(fields, dict) and isinstance(fields.get("lineage"), dict), "manifest: type")
        lineage = fields["lineage"].get("id"), fields["lineage"].get("version")
        need(isinstance(lineage[1], int) and lineage[1] >= 1
             and (not head.flags or lineage == (head.lineage.hex(), head.lineage_version))
             and fields.get("capsule_id") == head.id.hex(), "manifest: other capsule or lineage")
        if options.command == "manifest":
            print(json.dumps(fields, indent=2, sort_keys=True))
        return fields

    def ls(self, _):
        """One line for each entry."""
        for path, entry in self.walk():
            e = self.inode(entry)
            print(stat.filemode(e.mode), e.links, e.uid, e.gid, e.size, f"{e.sec}.{e.nsec:09d}",
                  escape(b"/".join(path)) or ".",
                  *(("->", escape(self.target(e))) if e.type == stat.S_IFLNK else ()))

    def digest(self, options):
        """Compute the content digest and compare it with that in the manifest."""
        state = blake3(derive_key_context="capsulefs 2 content digest")
        for _, entry in self.walk():
            inode, detail = self.inode(entry), b""
            xattrs = sorted(self.xattrs(inode)) if inode is entry else []
            if entry.flags & ALIAS:
                detail = struct.pack("<I", entry.place)
            elif entry.type in (stat.S_IFCHR, stat.S_IFBLK):
                detail = struct.pack("<Q", entry.place)
            elif entry.type == stat.S_IFLNK:
                detail = self.target(entry)
            elif entry.type == stat.S_IFREG:
                content = blake3(derive_key_context="capsulefs 2 file content")
                for _, piece in self.data(entry):
                    content.update(piece)
                extents = self.extents(entry) if entry.flags & SPARSE else []
                detail = struct.pack("<QI", entry.size, len(extents)) + b"".join(
                    struct.pack("<QQ", *extent[:2]) for extent in extents) + content.digest()
            state.update(struct.pack("<IH", entry.parent, len(entry.name)) + entry.name
                         + struct.pack("<II", inode.mode, len(xattrs)))
            for name, value in xattrs:
                state.update(struct.pack("<HI", len(name), len(value)) + name + value)
            state.update(struct.pack("<I", len(detail)) + detail)
        said, found = self.manifest(options).get("content_digest"), state.digest().hex()
        need(said == found, f"content digest: {found}, but the manifest says {said}")
        print(found)

    def cat(self, options):
        """Write one file to standard output."""
        entry, at, out = self.entry(0), 0, sys.stdout.buffer
        for name in filter(None, os.fsencode(options.argument).split(b"/")):
            entries = self.listing(entry) if entry and entry.type == stat.S_IFDIR else ()
            entry = next((e for e in entries if e.name == name), None)
        if entry is None or entry.type != stat.S_IFREG:
            raise Refusal(f"no regular file in the capsule: {options.argument!r}")
        for offset, piece in self.data(self.inode(entry)):
            while at < offset:
                at += out.write(bytes(min(offset - at, 1 << 20)))
            at += out.write(piece)
        out.flush()

    def extract(self, options):
        """Write everything to a new or empty directory."""
        os.makedirs(options.argument, 0o700, exist_ok=True)
        os.umask(0o077)
        top, made, directories = os.open(options.argument, os.O_RDONLY | os.O_DIRECTORY), {}, []
        if os.listdir(top):
            raise Refusal(f"{options.argument} is not empty")
        def enter(path):      # each part is a directory that was made here: a name occurs once
            os.fchdir(top)    # in its directory, nothing is below a link, and making is exclusive
            for name in path[:-1]:
                os.chdir(name)
        for path, entry in self.walk():
            inode, name = self.inode(entry), entry.name
            enter(path)
            if inode.type == stat.S_IFDIR:
                directories.append((path, inode))
                os.makedirs(name or b".", exist_ok=not path)
                continue
            if inode.ordinal in made:
                os.link(made[inode.ordinal], name, src_dir_fd=top, follow_symlinks=False)
                continue
            if inode.type == stat.S_IFREG:
                with open(name, "xb", buffering=0) as file:
                    file.truncate(inode.size)
                    try:
                        for offset, piece in self.data(inode):
                            file.seek(offset)
                            need(file.write(piece) == len(piece), "a write was cut short")
                    except BaseException:
                        os.unlink(name)
                        raise
            elif inode.type == stat.S_IFLNK:
                os.symlink(self.target(inode), name)
            elif inode.type in (stat.S_IFIFO, stat.S_IFSOCK):
                os.mknod(name, inode.type | 0o600)
            else:
                warn(f"{escape(b'/'.join(path))}: a device, left out")
                continue
            made[inode.ordinal] = b"/".join(path)
            self.attributes(inode, name)
        for path, inode in reversed(directories):
            enter(path)
            self.attributes(inode, path[-1] if path else b".")

    def attributes(self, e, name):
        """Extended attributes, permissions without set-id bits, time; no link is followed."""
        for attribute, value in self.xattrs(e):
            try:
                need(attribute != b"security.capability", "left out by default")
                os.setxattr(name, attribute, value, follow_symlinks=False)
            except (Damage, OSError) as error:
                warn(f"{e.what}{escape(e.name)}: {escape(attribute)}: {error}")
        if e.type != stat.S_IFLNK:
            os.chmod(name, e.mode & 0o1777)
            if e.mode & 0o6000:
                warn(f"{e.what}{escape(e.name)}: set-id bits left out")
        os.utime(name, ns=(time.time_ns(), e.sec * 10 ** 9 + e.nsec), follow_symlinks=False)


def main():
    """Parse the command line and run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("command", choices="inspect verify ls cat extract manifest digest".split())
    parser.add_argument("file")
    parser.add_argument("argument", nargs="?", default="", help="cat: a path; extract: a directory")
    group = parser.add_mutually_exclusive_group()
    for n, name in enumerate("passphrase-file recovery-phrase-file key-file identity".split(), 1):
        group.add_argument("--" + name, metavar="FILE", dest="secret", default=(0, os.devnull),
                           type=lambda path, kind=n: (kind, path))
    try:
        options = parser.parse_args()
    except SystemExit as error:
        return 1 if error.code else 0
    try:
        kind = Public if options.command in ("inspect", "verify") else Capsule
        getattr(kind(options), options.command)(options)
        return 0
    except (Damage, InvalidTag, struct.error, zstandard.ZstdError, ValueError, RecursionError) as e:
        warn(f"damaged: {str(e) or repr(e)}")
        return 2
    except (Refusal, OSError, MemoryError, ImportError) as error:
        warn(f"error: {error}")
        return 2 if getattr(error, "errno", None) == errno.EIO else 1


if __name__ == "__main__":
    sys.exit(main())
