#!/usr/bin/env python3
"""An independent reader of sealed capsules (.mv2e, version 2).

Written from the manual page capsule-format(5) alone, to show that the page is sufficient.
Needs cryptography, argon2-cffi, zstandard and blake3; for recovery phrases also mnemonic,
for its list of words.  Exit codes: 0 all is well, 1 usage, wrong secret or a file that is
no capsule of version 2, 2 damage.
"""

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
from functools import lru_cache
from typing import NamedTuple

import zstandard
from argon2.low_level import Type as Argon2Type, hash_secret_raw
from blake3 import blake3
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

try:
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
except ImportError:
    MLKEM768PrivateKey = None

KINDS = {1: ("passphrase", 12), 2: ("recovery phrase", 12), 3: ("key file", 0),
         4: ("age X25519", 32), 5: ("age X-Wing hybrid", 1120)}
STREAMS = {1: "content", 2: "index", 3: "manifest"}
SECTION_BLOCK, PAGE_ENTRIES, MAX_DEPTH = 65536, 256, 4096
ALIAS, SPARSE = 1, 2
TYPES = (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR, stat.S_IFBLK, stat.S_IFREG, stat.S_IFLNK,
         stat.S_IFSOCK)


class Damage(Exception):
    """The capsule, or a part of it, is damaged."""


class Refusal(Exception):
    """Wrong usage, a wrong secret, or a file that this reader does not open."""


def need(condition, message):
    """Refuse as damaged, with this message, unless the condition holds."""
    if not condition:
        raise Damage(message)


def b3(context, *parts):
    """BLAKE3 in the context "capsulefs 2 <context>"."""
    state = blake3(derive_key_context="capsulefs 2 " + context)
    for part in parts:
        state.update(part)
    return state.digest()


def mac(key, data):
    """HMAC-SHA-256."""
    return hmac.digest(key, data, "sha256")


def expand(prk, info, length):
    """HKDF-Expand with SHA-256."""
    out, last = b"", b""
    for count in range(1, -(-length // 32) + 1):
        last = mac(prk, last + info + bytes([count]))
        out += last
    return out[:length]


def hkdf(key, salt, info, length):
    """HKDF-SHA-256, extract and expand."""
    return expand(mac(salt, key), info, length)


def unseal(key, counter, associated, sealed):
    """Open SEAL(key, counter, associated, P); None if it does not open."""
    try:
        return AESGCM(key).decrypt(bytes(4) + struct.pack("<Q", counter), sealed, associated)
    except InvalidTag:
        return None


def escape(raw):
    """Bytes as text with C-style escapes; printable UTF-8 stays as it is."""
    out = []
    named = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b"}
    for char in raw.decode("utf-8", "surrogateescape"):
        if char in named:
            out.append(named[char])
        elif char.isprintable():
            out.append(char)
        else:
            out += ["\\%03o" % byte for byte in char.encode("utf-8", "surrogateescape")]
    return "".join(out)


# ------------------------------------------------------------------ header, areas, trailer

class File:
    """The capsule file: reads of exactly the bytes that were asked for."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.length = os.fstat(self.fd).st_size

    def read(self, offset, length, what):
        """Read all of a range; a shorter file is damage."""
        parts = []
        while length:
            part = os.pread(self.fd, length, offset)
            need(part, f"{what}: the file ends at {offset}, {length} bytes too early")
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)


class Header:
    """The first 4096 bytes."""

    def __init__(self, file):
        raw = file.read(0, min(file.length, 6), "header")
        if raw[:4] != b"MV2E":
            raise Refusal("not a capsule: the file does not begin with MV2E")
        need(len(raw) == 6, "header: the file is too short")
        if raw[4:6] != b"\2\0":
            raise Refusal(f"unsupported version {int.from_bytes(raw[4:6], 'little')}")
        raw = file.read(0, 4096, "header")
        self.checksum = raw[4064:]
        need(b3("header checksum", raw[:4064]) == self.checksum, "header: wrong checksum")
        (flags, self.id, self.salt, self.commitment, self.slot_area, self.sign_area, signers,
         label, hint, reserved, self.lineage, self.lineage_version) = struct.unpack_from(
             "<H16s32s32sIIHHHH16sQ", raw, 6)
        need(flags <= 1 and reserved == 0, "header: unknown flags or reserved bytes")
        self.has_lineage = flags == 1
        for length in (self.slot_area, self.sign_area):
            need(length % 4096 == 0 and 4096 <= length <= 1 << 20, "header: length of an area")
        need(signers <= 16 and label <= 255 and hint <= 255, "header: a length is too great")
        self.signers = [raw[128 + 32 * i:160 + 32 * i] for i in range(signers)]
        need(all(a < b for a, b in zip(self.signers, self.signers[1:])),
             "header: the expected signers do not ascend")
        self.label, self.hint = raw[640:640 + label], raw[896:896 + hint]
        for start, end in ((128 + 32 * signers, 640), (640 + label, 896), (896 + hint, 1152),
                           (1152, 4064)):
            need(not any(raw[start:end]), f"header: bytes {start} to {end - 1} are not zero")
        try:
            (self.label + b"\n").decode(), self.hint.decode()
        except UnicodeDecodeError:
            raise Damage("header: the label or the hint is not UTF-8") from None
        need(self.lineage_version >= 1 if self.has_lineage else
             self.lineage_version == 0 and not any(self.lineage), "header: lineage fields")
        self.streams_begin = 4096 + 2 * self.slot_area + 2 * self.sign_area


class Area:
    """Both copies of a slot area or a signature area, and the one that counts."""

    def __init__(self, file, magic, start, length):
        self.name = "slot area" if magic == b"SLOT" else "signature area"
        self.problems, copies = [], []
        for number in (0, 1):
            where = f"{self.name}, copy {number}, at offset {start + number * length}"
            raw = file.read(start + number * length, length, where)
            fault = self.fault(raw, magic)
            if fault:
                self.problems.append(f"{where}: {fault}")
            else:
                copies.append(raw)
        need(copies, "; ".join(self.problems))
        self.raw = max(copies, key=lambda raw: raw[8:16][::-1])   # the first of equal ones
        self.count, self.sequence, size = struct.unpack_from("<H2xQI", self.raw, 4)
        self.records = self.raw[24:24 + size]
        self.differ = len(copies) == 2 and copies[0][4:-64] != copies[1][4:-64] and (
            copies[0][24:-64] != copies[1][24:-64])

    @staticmethod
    def fault(raw, magic):
        """What keeps this copy from being whole, or None."""
        if b3("area checksum", raw[:-32]) != raw[-32:]:
            return "wrong checksum"
        found, _, zero, sequence, size, zero2 = struct.unpack_from("<4sHHQII", raw)
        if found != magic or zero or zero2 or sequence < 1 or size > len(raw) - 88:
            return "wrong fields"
        if any(raw[24 + size:-64 if magic == b"SLOT" else -32]):
            return "bytes after the records are not zero"
        return None

    def slots(self):
        """The key slots, with every limit of Argon2id checked over all of them."""
        need(self.count <= 256, "slot area: more than 256 slots")
        slots, at = [], 0
        for number in range(self.count):
            what = f"slot {number}"
            need(len(self.records) - at >= 160, what + ": the records are too short")
            kind, flags, size, salt, commitment, wrapped, plen, llen, zero = struct.unpack_from(
                "<HHI32s32s48sHHI", self.records, at)
            need(160 <= size <= 4096 and size == 160 + plen + llen
                 and size <= len(self.records) - at, what + ": wrong length")
            raw = self.records[at:at + size]
            need(b3("slot checksum", raw[:-32]) == raw[-32:], what + ": wrong checksum")
            need(flags == 0 and zero == 0, what + ": reserved bytes are not zero")
            need(kind not in KINDS or plen == KINDS[kind][1], what + ": length of parameters")
            slots.append(Slot(number, kind, salt, commitment, wrapped, raw[:40],
                              raw[128:128 + plen], raw[128 + plen:-32]))
            at += size
        need(at == len(self.records), "slot area: the slots do not fill the records")
        hard = [slot for slot in slots if slot.kind in (1, 2)]
        need(len(hard) <= 16, "slot area: more than 16 slots with Argon2id")
        for slot in hard:
            passes, memory, lanes = struct.unpack("<III", slot.parameters)
            need(1 <= passes <= 64 and 1 <= lanes <= 16 and 8 * lanes <= memory <= 1 << 22
                 and passes * memory <= 1 << 23, f"slot {slot.number}: Argon2id out of limits")
        need(sum(t * m for t, m, _ in (struct.unpack("<III", s.parameters) for s in hard))
             <= 1 << 23, "slot area: the slots together ask too much of Argon2id")
        return slots

    def signatures(self):
        """The signature blobs, not yet looked into."""
        need(self.count <= 64, "signature area: more than 64 signatures")
        blobs, at = [], 0
        for number in range(self.count):
            size = int.from_bytes(self.records[at:at + 4], "little")
            need(at + 4 <= len(self.records) and size <= 16384
                 and size <= len(self.records) - at - 4, f"signature {number}: wrong length")
            blobs.append(self.records[at + 4:at + 4 + size])
            at += 4 + size
        need(at == len(self.records), "signature area: signatures do not fill the records")
        return blobs


class Slot(NamedTuple):
    """One key slot."""
    number: int
    kind: int
    salt: bytes
    commitment: bytes
    wrapped: bytes
    head: bytes
    parameters: bytes
    label: bytes


class StreamEntry(NamedTuple):
    """One entry of the trailer's table of streams."""
    number: int
    level: int
    blocks: int
    begin: int
    end: int
    plain: int
    root: int
    hash: bytes

    @property
    def name(self):
        """For messages."""
        return f"{STREAMS.get(self.number, self.number)} stream"


class Trailer:
    """The last 1024 bytes."""

    def __init__(self, file, header):
        self.offset = file.length - 1024
        raw = self.raw = file.read(self.offset, 1024, "trailer")
        need(raw[:4] == b"MV2T", "trailer: the file was cut short or added to")
        need(b3("trailer checksum", raw[:992]) == raw[992:], "trailer: wrong checksum")
        version, count, length = struct.unpack_from("<HHQ", raw, 4)
        need(version == 2 and count <= 8, "trailer: version or number of streams")
        need(not any(raw[64 + 80 * count:928]), "trailer: reserved bytes are not zero")
        self.root = raw[928:960]
        need(b3("root", raw[:928]) == self.root, "trailer: wrong root")
        need(length == file.length, f"trailer: says {length} bytes, the file has {file.length}")
        need(raw[16:32] == header.id and raw[32:64] == header.checksum,
             "trailer: belongs to another header")
        self.streams, position = {}, header.streams_begin
        for i in range(count):
            number, level, z1, z2, *rest = struct.unpack_from("<HBBI5Q32s", raw, 64 + 80 * i)
            blocks, begin, end, plain, root, digest = rest
            s = StreamEntry(number, level, blocks, begin, end, plain, root, digest)
            what = f"trailer, {s.name}: "
            need(z1 == 0 and z2 == 0, what + "reserved bytes are not zero")
            need(number != 0 and number not in self.streams, what + "number 0 or twice")
            need(begin == position and begin <= end, what + "begins in the wrong place")
            need(level <= 5 and blocks <= 1 << 40 and plain <= 1 << 60, what + "out of limits")
            if blocks:
                need(begin < root < end, what + "the root node is outside")
            else:
                need(begin == end and level == plain == root == 0 and not any(digest),
                     what + "it has no blocks but other fields")
            self.streams[number], position = s, end
        need(position == self.offset, "trailer: the last stream does not end at the trailer")


# ------------------------------------------------------------------ the hash tree

class Node(NamedTuple):
    """A node whose hash and fields are right."""
    first: int
    position: int
    plain: int
    end: int
    entries: list        # (hash, stored length or child offset, plaintext length)
    starts: list         # offset of each entry in the plaintext of the stream


class Stream:
    """One stream: its tree, and with a key its blocks."""

    def __init__(self, file, capsule_id, entry, key=None):
        self.file, self.id, self.entry, self.key = file, capsule_id, entry, key
        self.node, self.block = lru_cache(256)(self.load_node), lru_cache(16)(self.load_block)

    def load_node(self, offset, digest, level, expected, plain):
        """Read the node at an offset: its hash first, then that its head says what is
        expected (index, file offset and plaintext offset of the first block below), that its
        plaintext is as long as said, and every rule that can be seen in it."""
        what = f"{self.entry.name}, node at offset {offset}: "
        need(self.entry.begin < offset <= self.entry.end - 40, what + "outside the stream")
        head = self.file.read(offset, 40, what)
        magic, found, z1, n, number, z2, *numbers = struct.unpack("<4sBBHH6s3Q", head)
        size = 40 if level == 0 else 48
        need(1 <= n <= 256, what + "number of entries")
        end = offset + 40 + size * n
        need(end <= self.entry.end, what + "reaches out of the stream")
        raw = head + self.file.read(offset + 40, size * n, what)
        need(b3("node", raw) == digest, what + "wrong hash")
        need(magic == b"NODE" and z1 == 0 and not any(z2), what + "wrong fields")
        need(found == level and number == self.entry.number, what + "wrong level or stream")
        need(tuple(numbers) == expected, what + "is not in its place")
        pattern = "<32sII" if level == 0 else "<32sQQ"
        entries = list(struct.iter_unpack(pattern, raw[40:]))
        starts, at = [], numbers[2]
        for _, _, length in entries:
            starts.append(at)
            at += length
        need(at - numbers[2] == plain, what + "the plaintext below has another length")
        if level == 0:
            for _, stored, length in entries:
                need(1 <= length <= 1 << 20 and 17 <= stored <= length + 16,
                     what + "length of a block")
            need(numbers[1] + sum(e[1] for e in entries) == offset,
                 what + "the blocks do not end where it begins")
        else:
            places = [e[1] for e in entries] + [offset]
            need(all(a < b for a, b in zip(places, places[1:])), what + "children not in order")
        return Node(*numbers, end, entries, starts)

    def root(self):
        """The root node."""
        e = self.entry
        node = self.node(e.root, e.hash, e.level, (0, e.begin, 0), e.plain)
        unit = 256 ** e.level
        need(node.end == e.end and -(-e.blocks // unit) == len(node.entries),
             f"{e.name}, root node: is not what the trailer says")
        return node

    def child(self, node, level, i):
        """Child i of a node of this level: all children before it are full."""
        digest, offset, plain = node.entries[i]
        position = node.position
        if i:
            position = node.entries[i - 1][1] + 40 + 256 * (40 if level == 1 else 48)
        expected = (node.first + 256 ** level * i, position, node.starts[i])
        below = self.node(offset, digest, level - 1, expected, plain)
        if i + 1 < len(node.entries):
            need(len(below.entries) == 256, f"{self.entry.name}, node at {offset}: not full")
        else:
            own = node.position if level == 0 else None
            need(own is None or below.end == own, f"{self.entry.name}, node at {offset}: gap")
        return below

    def load_block(self, index=None, offset=None):
        """Plaintext and start of the block with an index, or of the one with an offset."""
        e = self.entry
        need(index is None or index < e.blocks, f"{e.name}: there is no block {index}")
        need(offset is None or offset < e.plain, f"{e.name}: there is no byte {offset}")
        node, node_at = self.root(), e.root
        for level in range(e.level, -1, -1):
            if index is None:
                i = bisect_right(node.starts, offset) - 1
            else:
                i = (index - node.first) // 256 ** level
            need(0 <= i < len(node.entries), f"{e.name}: there is no block {index}")
            if level:
                last, node_at = i == len(node.entries) - 1, node.entries[i][1]
                parent_at, node = node_at_of(node, i), self.child(node, level, i)
                need(not last or parent_at is None, "unreachable")
        position = node.position + sum(entry[1] for entry in node.entries[:i])
        return self.open_block(position, node.starts[i], *node.entries[i]), node.starts[i]

    def open_block(self, position, start, leaf, stored, plain):
        """Read one block, compare its leaf, open it, and only then decompress it."""
        e, what = self.entry, f"{self.entry.name}, block at offset {position}: "
        raw = self.file.read(position, stored, what)
        need(self.leaf(raw, start) == leaf, what + "wrong leaf")
        associated = self.id + struct.pack("<QQII", e.number, start, plain, stored)
        payload = unseal(self.key, start, associated, raw)
        need(payload is not None, what + "does not open")
        return payload if stored == plain + 16 else inflate(payload, plain, what)

    def leaf(self, raw, start):
        """The leaf of a stored block."""
        return b3("block", raw, struct.pack("<QQ", self.entry.number, start))

    def read(self, offset, length):
        """The bytes of a range of the plaintext, block by block."""
        need(offset + length <= self.entry.plain, f"{self.entry.name}: a range lies outside")
        while length:
            data, start = self.block(offset=offset)
            data = data[offset - start:offset - start + length]
            yield data
            offset, length = offset + len(data), length - len(data)
