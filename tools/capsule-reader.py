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
            self.label.decode(), self.hint.decode()
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
        self.differ = len(copies) == 2 and copies[0][16:-64] != copies[1][16:-64]

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
    offset: int
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
        return Node(*numbers, offset, end, entries, starts)

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
        what = f"{self.entry.name}, node at offset {offset}: "
        if i + 1 == len(node.entries):
            need(below.end == node.offset, what + "does not end where its parent begins")
        else:
            need(len(below.entries) == 256, what + "is not full")
        return below

    def load_block(self, index=None, offset=None):
        """Plaintext and start of the block with an index, or of the one with an offset."""
        e = self.entry
        need(index is None or index < e.blocks, f"{e.name}: there is no block {index}")
        need(offset is None or offset < e.plain, f"{e.name}: there is no byte {offset}")
        node = self.root()
        for level in range(e.level, -1, -1):
            i = (bisect_right(node.starts, offset) - 1 if index is None
                 else (index - node.first) // 256 ** level)
            need(0 <= i < len(node.entries), f"{e.name}: block {index} is not in its node")
            if level:
                node = self.child(node, level, i)
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


def inflate(payload, plain, what):
    """Decompress exactly one zstd frame to exactly so many bytes, and never write more."""
    try:
        frame = zstandard.get_frame_parameters(payload)
        unknown = frame.content_size == zstandard.CONTENTSIZE_UNKNOWN
        need(payload[:4] == zstandard.FRAME_HEADER and frame.dict_id == 0
             and (unknown or frame.content_size == plain), what + "wrong zstd frame")
        data = zstandard.ZstdDecompressor().decompress(
            payload, max_output_size=plain, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Damage(what + f"zstd: {error}") from None
    need(len(data) == plain, what + "decompresses to another length")
    return data


class Verifier:
    """Checks every block and node of one stream without a key."""

    def __init__(self, file, header, entry, problems):
        self.stream, self.file, self.entry = Stream(file, header.id, entry), file, entry
        self.problems, self.blocks, self.position, self.plain = problems, 0, entry.begin, 0

    def run(self):
        """Walk the tree; damage goes to the list of problems."""
        e = self.entry
        try:
            if e.blocks:
                self.walk(e.root, e.hash, e.level, e.plain)
            need((self.position, self.blocks, self.plain) == (e.end, e.blocks, e.plain),
                 f"{e.name}: ends at offset {self.position} after {self.blocks} blocks, "
                 f"not as the trailer says")
        except Damage as error:
            self.problems.append(str(error))

    def walk(self, offset, digest, level, plain):
        """One node with all that is below it, in post-order."""
        expected = (self.blocks, self.position, self.plain)
        node = self.stream.node(offset, digest, level, expected, plain)
        for i, (value, number, length) in enumerate(node.entries):
            if level == 0:
                where = f"{self.entry.name}, block {self.blocks} at offset {self.position}"
                raw = self.file.read(self.position, number, where)
                if self.stream.leaf(raw, self.plain) != value:
                    self.problems.append(f"{where}: wrong leaf ({number} bytes)")
                self.blocks += 1
                self.position += number
                self.plain += length
            else:
                need(self.blocks == node.first + 256 ** level * i,
                     f"{self.entry.name}, node at offset {offset}: a child is not full")
                self.walk(number, value, level - 1, length)
        need(self.position == offset, f"{self.entry.name}: offset {self.position} is not the "
             f"begin of the node at {offset}")
        self.position = node.end


# ------------------------------------------------------------------ signatures

class Blob:
    """Big-endian fields of an SSHSIG blob or of a key in it."""

    def __init__(self, raw):
        self.raw = raw

    def take(self, length):
        """The next bytes."""
        if length > len(self.raw):
            raise ValueError("too short")
        out, self.raw = self.raw[:length], self.raw[length:]
        return out

    def string(self):
        """The next string."""
        return self.take(int.from_bytes(self.take(4), "big"))

    def done(self):
        """Nothing may follow."""
        if self.raw:
            raise ValueError("something follows the last field")


def wire(text):
    """A string with its length."""
    return struct.pack(">I", len(text)) + text


def check_signature(raw, statement):
    """SHA-256 of the public key blob that signed the statement; ValueError if none did."""
    blob = Blob(raw)
    if blob.take(6) != b"SSHSIG" or blob.take(4) != b"\0\0\0\1":
        raise ValueError("not an SSHSIG of version 1")
    key_blob, namespace, reserved, algorithm = (blob.string() for _ in range(4))
    signature = Blob(blob.string())
    blob.done()
    if (namespace, reserved, algorithm) != (b"capsule.capsulefs", b"", b"sha512"):
        raise ValueError("made for another purpose")
    key = Blob(key_blob)
    kind = key.string()
    if kind not in (b"ssh-ed25519", b"sk-ssh-ed25519@openssh.com"):
        raise ValueError(f"a key of the kind {escape(kind)}, which counts for nothing")
    point, hardware = key.string(), kind.startswith(b"sk-")
    application = key.string() if hardware else b""
    key.done()
    if signature.string() != kind:
        raise ValueError("the signature is of another kind than the key")
    value = signature.string()
    message = b"SSHSIG" + b"".join(map(wire, (
        namespace, b"", algorithm, hashlib.sha512(statement).digest())))
    if hardware:
        tail = signature.take(5)
        if not tail[0] & 1:
            raise ValueError("nobody touched the security key")
        message = (hashlib.sha256(application).digest() + tail
                   + hashlib.sha256(message).digest())
    signature.done()
    try:
        Ed25519PublicKey.from_public_bytes(point).verify(value, message)
    except InvalidSignature:
        raise ValueError("wrong signature") from None
    return hashlib.sha256(key_blob).digest()


# ------------------------------------------------------------------ secrets

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(text):
    """Human-readable part and bytes of a Bech32 text of any length."""
    if text not in (text.lower(), text.upper()):
        raise Refusal("identity: mixed case")
    part, _, data = text.lower().rpartition("1")
    if not part or len(data) < 6 or any(c not in CHARSET for c in data) or not all(
            33 <= ord(c) <= 126 for c in part):
        raise Refusal("identity: not Bech32")
    values, check = [CHARSET.index(c) for c in data], 1
    for value in [ord(c) >> 5 for c in part] + [0] + [ord(c) & 31 for c in part] + values:
        top, check = check >> 25, (check & 0x1ffffff) << 5 ^ value
        for i, generator in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                       0x2a1462b3)):
            check ^= generator if top >> i & 1 else 0
    bits = "".join(f"{value:05b}" for value in values[:-6])
    rest = bits[len(bits) // 8 * 8:]
    if check != 1 or len(rest) > 4 or "1" in rest:
        raise Refusal("identity: wrong checksum or padding")
    return part, bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits) - len(rest), 8))


def hpke_export(kem, shared, capsule_id):
    """The slot key of a recipient: HPKE, base mode, HKDF-SHA256, AES-256-GCM, export."""
    suite = b"HPKE" + struct.pack(">HHH", kem, 1, 2)

    def extract(salt, label, data):
        return mac(salt, b"HPKE-v1" + suite + label + data)

    def expand_labeled(prk, label, info):
        return expand(prk, b"\0\x20HPKE-v1" + suite + label + info, 32)

    context = (b"\0" + extract(b"", b"psk_id_hash", b"")
               + extract(b"", b"info_hash", b"capsulefs 2 recipient" + capsule_id))
    exporter = expand_labeled(extract(shared, b"secret", b""), b"exp", context)
    return expand_labeled(exporter, b"sec", b"capsulefs 2 slot key")


def x25519(private, public):
    """Shared secret and our public key."""
    ours = X25519PrivateKey.from_private_bytes(private)
    return (ours.exchange(X25519PublicKey.from_public_bytes(public)),
            ours.public_key().public_bytes_raw())


def decapsulate(kind, private, enc):
    """The shared secret of the KEM of a slot of kind 4 or 5."""
    if kind == 4:
        dh, public = x25519(private, enc)
        suite = b"HPKE-v1KEM\0\x20"
        prk = mac(b"", suite + b"eae_prk" + dh)
        return expand(prk, b"\0\x20" + suite + b"shared_secret" + enc + public, 32)
    if MLKEM768PrivateKey is None:
        raise Refusal("this reader does not open X-Wing slots: no ML-KEM in cryptography")
    seed = hashlib.shake_256(private).digest(96)
    lattice = MLKEM768PrivateKey.from_seed_bytes(seed[:64]).decapsulate(enc[:1088])
    curve, public = x25519(seed[64:], enc[1088:])
    return hashlib.sha3_256(lattice + curve + enc[1088:] + public + b"\\.//^\\").digest()


def slurp(path, limit=1 << 30):
    """A file with a secret."""
    with open(path, "rb") as file:
        return file.read(limit)


def passphrase_secret(path):
    """The bytes of a passphrase, without one line end."""
    raw = slurp(path)
    raw = raw[:-2] if raw.endswith(b"\r\n") else raw[:-1] if raw.endswith(b"\n") else raw
    if not raw or b"\0" in raw:
        raise Refusal("passphrase: empty, or with a NUL byte")
    return raw


def phrase_secret(path):
    """The entropy of a recovery phrase."""
    try:
        from mnemonic import Mnemonic
    except ImportError:
        raise Refusal("a recovery phrase needs the package mnemonic for its words") from None
    index = {word: i for i, word in enumerate(Mnemonic("english").wordlist)}
    words = slurp(path).decode("ascii", "replace").lower().split()
    if len(words) != 24 or any(word not in index for word in words):
        raise Refusal("recovery phrase: not 24 words of the list")
    number = sum(index[word] << 11 * (23 - i) for i, word in enumerate(words))
    raw = number.to_bytes(33, "big")
    if hashlib.sha256(raw[:32]).digest()[0] != raw[32]:
        raise Refusal("recovery phrase: wrong checksum")
    return raw[:32]


def identity_secrets(path):
    """Kind and private key of every identity in a file."""
    out = []
    kinds = {"age-secret-key-": 4, "age-secret-key-pq-": 5}
    for line in slurp(path).decode("ascii", "replace").splitlines():
        if line and not line.startswith("#"):
            part, raw = bech32(line)
            if part not in kinds or len(raw) != 32:
                raise Refusal("identity: not an age identity")
            out.append((kinds[part], raw))
    if not out:
        raise Refusal("identity: there is none in the file")
    return out


def slot_keys(options, slots, capsule_id):
    """Each slot that the secret may open, with the slot key it gives."""
    if options.identity:
        for kind, private in identity_secrets(options.identity):
            for slot in (slot for slot in slots if slot.kind == kind):
                try:
                    shared = decapsulate(kind, private, slot.parameters)
                except ValueError:             # a point of low order: nobody's slot
                    continue
                yield slot, hpke_export(0x20 if kind == 4 else 0x647a, shared, capsule_id)
        return
    if options.key_file:
        kind, secret = 3, slurp(options.key_file)
    elif options.passphrase_file:
        kind, secret = 1, passphrase_secret(options.passphrase_file)
    else:
        kind, secret = 2, phrase_secret(options.recovery_phrase_file)
    for slot in (slot for slot in slots if slot.kind == kind):
        if kind == 3:
            yield slot, secret
        else:
            passes, memory, lanes = struct.unpack("<III", slot.parameters)
            yield slot, hash_secret_raw(secret, slot.salt, passes, memory, lanes, 32,
                                        Argon2Type.ID, 0x13)


def unwrap(options, slots, capsule_id):
    """The file key, out of the first slot whose commitment is right."""
    for slot, slot_key in slot_keys(options, slots, capsule_id):
        info = b"capsulefs 2 slot" + capsule_id + struct.pack("<H", slot.kind)
        keys = hkdf(slot_key, slot.salt, info, 64)
        if hmac.compare_digest(keys[32:], slot.commitment):
            key = unseal(keys[:32], 0, slot.head + slot.parameters, slot.wrapped)
            need(key is not None, f"slot {slot.number}: damaged or tampered with")
            return key
    raise Refusal("the secret opens no slot of this capsule")


# ------------------------------------------------------------------ the opened capsule

class Entry(NamedTuple):
    """One entry of the index."""
    ordinal: int
    name: bytes
    mode: int
    flags: int
    parent: int
    uid: int
    gid: int
    links: int
    nsec: int
    sec: int
    size: int
    place: int
    count: int
    xattrs: int
    last: int

    @property
    def type(self):
        """The type bits of the mode."""
        return stat.S_IFMT(self.mode)

    @property
    def what(self):
        """For messages."""
        return f"entry {self.ordinal}: "


class Public:
    """What can be read and checked without a key, in the order of the page."""

    def __init__(self, path):
        self.file = File(path)
        self.header = header = Header(self.file)
        need(self.file.length >= header.streams_begin + 1024, "the file is too short")
        self.trailer = Trailer(self.file, header)
        self.slot_area = Area(self.file, b"SLOT", 4096, header.slot_area)
        self.sign_area = Area(self.file, b"SIGN", 4096 + 2 * header.slot_area, header.sign_area)
        self.slots, self.blobs = self.slot_area.slots(), self.sign_area.signatures()

    def signatures(self):
        """A line for each signature, and those that are wrong or missing."""
        statement = ("capsulefs capsule statement\nversion: 2\ncapsule: %s\nheader: %s\n"
                     "root: %s\n" % (self.header.id.hex(), self.header.checksum.hex(),
                                     self.trailer.root.hex())).encode()
        lines, wrong, signers = [], [], set()
        for number, blob in enumerate(self.blobs):
            try:
                signer = check_signature(blob, statement)
                signers.add(signer)
                lines.append(f"signature {number}: valid, key {signer.hex()}, not known here")
            except ValueError as error:
                lines.append(f"signature {number}: {error}")
                wrong.append(lines[-1])
        for signer in set(self.header.signers) - signers:
            wrong.append(f"signature missing: expected of the key {signer.hex()}")
        return lines or ["unsigned"], wrong


class Capsule(Public):
    """An opened capsule."""

    def __init__(self, options):
        super().__init__(options.file)
        header, trailer = self.header, self.trailer
        self.key = unwrap(options, self.slots, header.id)
        need(hmac.compare_digest(self.derive("key commitment"), header.commitment),
             "header: the file key is not the one it is committed to")
        need(hmac.compare_digest(mac(self.derive("trailer mac"), trailer.raw[:960]),
                                 trailer.raw[960:992]), "trailer: wrong MAC")
        area = self.slot_area.raw
        need(hmac.compare_digest(mac(self.derive("slot area mac"), area[:-64]),
                                 area[-64:-32]), "slot area: wrong MAC")
        need(all(number in trailer.streams for number in STREAMS), "trailer: a stream is missing")
        self.content, self.index, self.manifest_stream = (
            Stream(self.file, header.id, trailer.streams[number], self.derive("stream " + name))
            for number, name in STREAMS.items())
        for stream in (self.content, self.index, self.manifest_stream):
            if stream.entry.blocks:
                stream.root()
        self.page = lru_cache(64)(self.load_page)
        self.read_table()

    def derive(self, name):
        """A key of the capsule."""
        return hkdf(self.key, self.header.salt, b"capsulefs 2 " + name.encode(), 32)

    def read_table(self):
        """Block 0 of the index."""
        raw, _ = self.index.block(index=0)
        need(len(raw) == 112, "index table: has not 112 bytes")
        (magic, layout, self.count, page, self.pages, *places, inodes, self.total, flags,
         zero) = struct.unpack("<4sIQII8QQQII", raw)
        need(magic == b"INDX" and layout == 1 and page == PAGE_ENTRIES and flags <= 1
             and zero == 0, "index table: wrong fields")
        need(1 <= self.count <= 2 ** 32 - 2 and self.pages == -(-self.count // PAGE_ENTRIES)
             and inodes <= self.count, "index table: wrong number of entries, pages or inodes")
        self.sections, block = {}, 1 + self.pages
        for i, name in enumerate(("extents", "heap", "fences", "owner names")):
            need(places[2 * i] == block, f"index table: the {name} begin in the wrong place")
            self.sections[name] = (block, places[2 * i + 1])
            block += -(-places[2 * i + 1] // SECTION_BLOCK)
        need(block == self.index.entry.blocks, "index table: sections do not end with the stream")
        need(self.sections["owner names"][1] <= 1 << 22, "index table: too many owner names")

    def section(self, name, offset, length, what=""):
        """Bytes of a section of the index."""
        first, size = self.sections[name]
        need(offset + length <= size, what + f"reaches out of the section of {name}")
        out = b""
        while length:
            k, at = divmod(offset, SECTION_BLOCK)
            data, _ = self.index.block(index=first + k)
            need(len(data) == min(SECTION_BLOCK, size - k * SECTION_BLOCK),
                 f"index, {name}: block {k} has the wrong length")
            part = data[at:at + length]
            out, offset, length = out + part, offset + len(part), length - len(part)
        return out

    def load_page(self, number):
        """All entries of a page, after every rule that can be seen in it."""
        raw, _ = self.index.block(index=1 + number)
        first = number * PAGE_ENTRIES
        records = min(PAGE_ENTRIES, self.count - first)
        need(80 * records <= len(raw) <= 336 * records, f"page {number}: wrong length")
        entries = []
        for i in range(records):
            (mode, flags, nlen, noff, parent, uid, gid, links, nsec, sec, size, place, count,
             zero, xattrs, last) = struct.unpack_from("<IHHIIIIIIqQQIIQQ", raw, 80 * i)
            name = raw[noff:noff + nlen]
            entry = Entry(first + i, name, mode, flags, parent, uid, gid, links, nsec, sec,
                          size, place, count, xattrs, last)
            need(80 * records <= noff and noff + nlen < len(raw) and raw[noff + nlen] == 0,
                 entry.what + "its name lies outside")
            need(zero == 0, entry.what + "reserved bytes are not zero")
            self.check_entry(entry)
            if entries and entries[-1].ordinal and entries[-1].parent == parent:
                need(entries[-1].name < name, entry.what + "the names do not ascend")
            entries.append(entry)
        return entries

    def check_entry(self, e):
        """The rules for one entry."""
        def rule(condition, message):
            need(condition, e.what + message)
        rule(e.mode <= 0o177777 and e.type in TYPES and e.flags <= 3, "mode or flags")
        rule(e.nsec < 10 ** 9 and e.links >= 1 and e.size < 1 << 63, "time, links or size")
        rule(e.xattrs == 0 or e.xattrs < self.sections["heap"][1], "attributes outside")
        if e.ordinal == 0:
            rule(e.type == stat.S_IFDIR and e.parent == 0 and not e.name, "is no root")
        else:
            rule(e.parent < e.ordinal and 1 <= len(e.name) <= 255
                 and e.name not in (b".", b"..") and not {0, 47} & set(e.name), "name or parent")
        if e.type == stat.S_IFDIR:
            rule(e.flags == 0, "a directory with flags")
            rule(e.count == 0 or e.ordinal < e.place and e.place + e.count <= self.count,
                 "its entries are outside")
            rule(e.last == 0 or e.last < self.sections["fences"][1], "its fence is outside")
        elif e.flags & ALIAS:
            rule(e.flags == ALIAS and e.place < self.count and e.place != e.ordinal, "bad alias")
        elif e.type == stat.S_IFLNK:
            rule(e.flags == 0 and 1 <= e.size <= 4095
                 and e.place + e.size <= self.sections["heap"][1], "its target is outside")
        elif e.type == stat.S_IFREG:
            rule(not e.flags or e.last <= e.size and
                 24 * (e.place + e.count) <= self.sections["extents"][1], "extents outside")
        else:
            rule(e.flags == 0 and e.size == 0, "flags or size")

    def entry(self, ordinal):
        """An entry by its ordinal."""
        return self.page(ordinal // PAGE_ENTRIES)[ordinal % PAGE_ENTRIES]

    def inode(self, entry):
        """The inode of an entry."""
        if not entry.flags & ALIAS:
            return entry
        target = self.entry(entry.place)
        need(not target.flags & ALIAS and target.type == entry.type,
             entry.what + "refers to an alias or to another type")
        return target

    def listing(self, directory):
        """The entries of a directory, each checked to be its own and in order."""
        before = b""
        for ordinal in range(directory.place, directory.place + directory.count):
            entry = self.reached(ordinal, directory)
            need(before < entry.name, entry.what + "the names do not ascend")
            before = entry.name
            yield entry

    def reached(self, ordinal, directory):
        """An entry that is reached through a directory."""
        entry = self.entry(ordinal)
        need(ordinal != 0 and entry.parent == directory.ordinal,
             entry.what + f"is not in directory {directory.ordinal}")
        return entry

    def walk(self):
        """Path (a list of names) and entry of everything, in the order of the walk."""
        root = self.entry(0)
        yield [], root
        stack, path = [self.listing(root)], []
        while stack:
            entry = next(stack[-1], None)
            if entry is None:
                stack.pop()
                path = path[:-1]
                continue
            yield path + [entry.name], entry
            if entry.type == stat.S_IFDIR:
                need(len(stack) <= MAX_DEPTH, entry.what + "the directories are too deep")
                stack.append(self.listing(entry))
                path = path + [entry.name]

    def fence(self, directory, name):
        """The pages that may hold a name, counted from the directory's first: from, to."""
        what = directory.what + "fence: "
        length, stride, n = struct.unpack(
            "<III", self.section("fences", directory.last, 12, what))
        need(length <= 61440 and stride >= 1 and n >= 1 and 8 + 4 * n <= length, what + "head")
        raw = self.section("fences", directory.last + 12, length - 8, what)
        ends, separators = struct.unpack_from(f"<{n}I", raw), raw[4 * n:]
        need(all(a <= b for a, b in zip(ends, ends[1:])) and ends[-1] == len(separators),
             what + "separators")
        less = sum(separators[a:b] <= name for a, b in zip((0,) + ends, ends))
        return (1 + (less - 1) * stride if less else 0,
                1 + less * stride if less < n else self.pages)

    def lookup(self, directory, name):
        """The entry with a name in a directory, or None: fence, then bisection."""
        low, high = directory.place, directory.place + directory.count
        if directory.last and directory.count:
            start, stop = self.fence(directory, name)
            first = low // PAGE_ENTRIES
            low = min(high, max(low, (first + start) * PAGE_ENTRIES))
            high = max(low, min(high, (first + stop) * PAGE_ENTRIES))
        end = high
        while low < high:
            middle = (low + high) // 2
            if self.reached(middle, directory).name < name:
                low = middle + 1
            else:
                high = middle
        found = self.reached(low, directory) if low < end else None
        return found if found and found.name == name else None

    def find(self, path):
        """The entry of a path."""
        entry = self.entry(0)
        for depth, name in enumerate(name for name in path.split(b"/") if name):
            need(depth <= MAX_DEPTH, entry.what + "the directories are too deep")
            entry = self.lookup(entry, name) if entry.type == stat.S_IFDIR else None
            if entry is None:
                raise Refusal(f"not in the capsule: {escape(path)}")
        return self.inode(entry)

    def extents(self, e):
        """Offset in the file, length and offset in the content of each extent."""
        if not e.flags & SPARSE:
            return [(0, e.size, e.place)] if e.size else []
        raw = self.section("extents", 24 * e.place, 24 * e.count, e.what)
        extents, end = list(struct.iter_unpack("<QQQ", raw)), 0
        for offset, length, _ in extents:
            need(length >= 1 and offset >= end, e.what + "its extents do not ascend")
            end = offset + length
        need(end <= e.size and sum(x[1] for x in extents) == e.last, e.what + "its extents")
        return extents

    def target(self, e):
        """The target of a symbolic link."""
        raw = self.section("heap", e.place, e.size, e.what)
        need(b"\0" not in raw, e.what + "its target has a NUL")
        return raw

    def xattrs(self, e):
        """The extended attributes of an inode."""
        if not e.xattrs:
            return []
        what = e.what + "attributes: "
        length, = struct.unpack("<I", self.section("heap", e.xattrs, 4, what))
        need(2 <= length <= 1 << 22, what + "length")
        raw, at, out = self.section("heap", e.xattrs + 4, length, what), 2, []
        for _ in range(int.from_bytes(raw[:2], "little")):
            need(at + 6 <= length, what + "they do not fill the length")
            nlen, vlen = struct.unpack_from("<HI", raw, at)
            need(1 <= nlen <= 255 and vlen <= 65536 and at + 6 + nlen + vlen <= length,
                 what + "length of a name or value")
            name = raw[at + 6:at + 6 + nlen]
            need(b"\0" not in name, what + "a name with NUL")
            out.append((name, raw[at + 6 + nlen:at + 6 + nlen + vlen]))
            at += 6 + nlen + vlen
        need(at == length, what + "they do not fill the length")
        return out

    def owners(self):
        """The names of user and group ids: (kind, id) to name."""
        size = self.sections["owner names"][1]
        raw, at, out = self.section("owner names", 0, size), 0, {}
        while at < size:
            need(at + 6 <= size and raw[at] <= 1, "owner names: wrong fields")
            kind, length, number = struct.unpack_from("<BBI", raw, at)
            need(at + 6 + length <= size, "owner names: a name reaches out")
            out[kind, number] = raw[at + 6:at + 6 + length]
            at += 6 + length
        return out

    def manifest(self):
        """The manifest, with its required fields checked."""
        stream, head = self.manifest_stream, self.header
        need(1 <= stream.entry.plain <= 1 << 24, "manifest: empty or too long")
        try:
            fields = json.loads(b"".join(stream.read(0, stream.entry.plain)).decode())
        except (ValueError, RecursionError) as error:
            raise Damage(f"manifest: {error}") from None
        kinds = {"capsule_id": str, "content_digest": str, "created_at": str, "creator": str,
                 "entry_count": int, "excluded": list, "kind": str, "lineage": dict,
                 "remarks": list, "schema_version": int, "tool_version": str, "total_size": int}
        need(isinstance(fields, dict), "manifest: not an object")
        for name, kind in kinds.items():
            need(type(fields.get(name)) is kind, f"manifest: {name} is missing or wrong")
        lineage = fields["lineage"]
        need(fields["capsule_id"] == head.id.hex(), "manifest: belongs to another capsule")
        need(type(lineage.get("id")) is str and type(lineage.get("version")) is int
             and lineage["version"] >= 1, "manifest: lineage is wrong")
        need(not head.has_lineage or (lineage["id"], lineage["version"])
             == (head.lineage.hex(), head.lineage_version), "manifest: not the header's lineage")
        return fields

    def digest(self):
        """The content digest."""
        state = blake3(derive_key_context="capsulefs 2 content digest")
        for _, entry in self.walk():
            inode = self.inode(entry)
            detail, xattrs = self.detail(entry), []
            if entry is inode:
                xattrs = sorted(self.xattrs(entry))
            state.update(struct.pack("<IH", entry.parent, len(entry.name)) + entry.name
                         + struct.pack("<II", inode.mode, len(xattrs)))
            for name, value in xattrs:
                state.update(struct.pack("<HI", len(name), len(value)) + name + value)
            state.update(struct.pack("<I", len(detail)) + detail)
        return state.digest()

    def detail(self, entry):
        """The last field of an entry's record in the content digest."""
        if entry.flags & ALIAS:
            return struct.pack("<I", entry.place)
        if entry.type == stat.S_IFLNK:
            return self.target(entry)
        if entry.type in (stat.S_IFCHR, stat.S_IFBLK):
            return struct.pack("<Q", entry.place)
        if entry.type != stat.S_IFREG:
            return b""
        extents = self.extents(entry)
        state = blake3(derive_key_context="capsulefs 2 file content")
        for _, length, place in extents:
            for data in self.content.read(place, length):
                state.update(data)
        holes = extents if entry.flags & SPARSE else []
        return (struct.pack("<QI", entry.size, len(holes))
                + b"".join(struct.pack("<QQ", *extent[:2]) for extent in holes) + state.digest())


# ------------------------------------------------------------------ extraction

class Extractor:
    """Writes everything below one new directory and follows no symbolic link."""

    FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

    def __init__(self, capsule, target):
        try:
            os.mkdir(target, 0o700)
        except FileExistsError:
            if os.listdir(target):
                raise Refusal(f"{target} is not empty") from None
        self.capsule, self.root = capsule, os.open(target, self.FLAGS)
        self.last, self.made, self.directories = (0, os.dup(self.root)), {}, []

    def directory(self, ordinal):
        """A descriptor of a directory that was made, good until the next call."""
        if self.last[0] != ordinal:
            names, at = [], self.capsule.entry(ordinal)
            while at.ordinal:
                names.append(at.name)
                at = self.capsule.entry(at.parent)
            os.close(self.last[1])
            fd = os.dup(self.root)
            self.last = (-1, fd)
            for name in reversed(names):
                below = os.open(name, self.FLAGS, dir_fd=fd)
                os.close(fd)
                self.last, fd = (-1, below), below
            self.last = (ordinal, fd)
        return self.last[1]

    def run(self):
        """Make everything, then give the directories their attributes, deepest first."""
        for path, entry in self.capsule.walk():
            if not entry.ordinal:
                continue
            inode, where = self.capsule.inode(entry), b"/".join(path)
            if inode.ordinal in self.made:
                parent, name = self.made[inode.ordinal]
                source = os.dup(self.directory(parent))
                os.link(name, entry.name, src_dir_fd=source, follow_symlinks=False,
                        dst_dir_fd=self.directory(entry.parent))
                os.close(source)
            elif self.make(inode, entry.name, self.directory(entry.parent), where):
                self.made[inode.ordinal] = (entry.parent, entry.name)
        for entry, where in reversed(self.directories):
            fd = self.directory(entry.ordinal)
            self.attributes(entry, f"/proc/self/fd/{fd}".encode(), True, where)
        self.attributes(self.capsule.entry(0), f"/proc/self/fd/{self.root}".encode(), True, b".")

    def make(self, inode, name, parent, where):
        """Make one inode under a name; False if it was left out."""
        if inode.type == stat.S_IFDIR:
            os.mkdir(name, 0o700, dir_fd=parent)
            self.directories.append((inode, where))
            return True
        if inode.type == stat.S_IFREG:
            fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600,
                         dir_fd=parent)
            try:
                os.ftruncate(fd, inode.size)
                for offset, length, place in self.capsule.extents(inode):
                    for data in self.capsule.content.read(place, length):
                        while data:
                            done = os.pwrite(fd, data, offset)
                            data, offset = data[done:], offset + done
            except BaseException:
                os.unlink(name, dir_fd=parent)
                raise
            finally:
                os.close(fd)
        elif inode.type == stat.S_IFLNK:
            os.symlink(self.capsule.target(inode), name, dir_fd=parent)
        elif inode.type in (stat.S_IFIFO, stat.S_IFSOCK):
            os.mknod(name, inode.type | 0o600, dir_fd=parent)
        else:
            warn(f"{escape(where)}: a device, left out")
            return False
        self.attributes(inode, b"/proc/self/fd/%d/%s" % (parent, name), False, where)
        return True

    def attributes(self, inode, path, follow, where):
        """Extended attributes, permissions without set-id bits, times."""
        for name, value in self.capsule.xattrs(inode):
            if name == b"security.capability":
                warn(f"{escape(where)}: left out: security.capability")
                continue
            try:
                os.setxattr(path, name, value, follow_symlinks=follow)
            except OSError as error:
                warn(f"{escape(where)}: {escape(name)}: {error.strerror}")
        if inode.type != stat.S_IFLNK:
            if inode.mode & 0o6000:
                warn(f"{escape(where)}: left out: set-id bits")
            os.chmod(path, inode.mode & 0o1777)
        try:
            os.utime(path, ns=(time.time_ns(), inode.sec * 10 ** 9 + inode.nsec),
                     follow_symlinks=follow)
        except (OverflowError, OSError) as error:
            warn(f"{escape(where)}: time: {error}")


# ------------------------------------------------------------------ commands

def warn(text):
    """A line for people."""
    print(text, file=sys.stderr)


def notes(public):
    """What a program should say about the areas and the slots."""
    for area in (public.slot_area, public.sign_area):
        if area.differ:
            print(f"note: the copies of the {area.name} differ; a change was cut off")
    if any(slot.kind == 4 for slot in public.slots):
        print("note: a slot of kind 4 does not resist a quantum computer")


def do_inspect(options):
    """Show what everyone can read."""
    public = Public(options.file)
    head, trailer = public.header, public.trailer
    print(f"capsule {head.id.hex()}, {public.file.length} bytes\nroot    {trailer.root.hex()}")
    print(f"claimed label {escape(head.label)!r}, hint {escape(head.hint)!r}")
    if head.has_lineage:
        print(f"claimed lineage {head.lineage.hex()}, version {head.lineage_version}")
    for signer in head.signers:
        print(f"expected signer {signer.hex()}")
    for slot in public.slots:
        cost = ""
        if slot.kind in (1, 2):
            cost = ", Argon2id t=%d m=%d p=%d" % struct.unpack("<III", slot.parameters)
        print(f"slot {slot.number}: {KINDS.get(slot.kind, (f'kind {slot.kind}',))[0]}{cost}")
    for s in trailer.streams.values():
        print(f"{s.name}: {s.begin} to {s.end}, {s.blocks} blocks, {s.plain} bytes of "
              f"plaintext, root node of level {s.level} at {s.root}")
    lines, wrong = public.signatures()
    print("\n".join(lines + [line for line in wrong if line not in lines]))
    for line in public.slot_area.problems + public.sign_area.problems:
        print("damage: " + line)
    notes(public)


def do_verify(options):
    """Check every byte without a key."""
    public = Public(options.file)
    problems = public.slot_area.problems + public.sign_area.problems
    for entry in public.trailer.streams.values():
        Verifier(public.file, public.header, entry, problems).run()
    lines, wrong = public.signatures()
    print("\n".join(lines))
    notes(public)
    need(not problems, "\n".join(problems + wrong))
    print(f"intact, root {public.trailer.root.hex()}")
    for line in wrong:
        warn("intact, but " + line)
    return 2 if wrong else 0


def do_ls(options):
    """One line for each entry."""
    capsule = Capsule(options)
    owners = {key: escape(name) for key, name in capsule.owners().items()}
    for path, entry in capsule.walk():
        inode = capsule.inode(entry)
        when = f"{inode.sec}.{inode.nsec:09d}"
        line = [stat.filemode(inode.mode), inode.links, owners.get((0, inode.uid), inode.uid),
                owners.get((1, inode.gid), inode.gid), inode.size, when,
                "/".join(map(escape, path)) or "."]
        if inode.type == stat.S_IFLNK:
            line += ["->", escape(capsule.target(inode))]
        print(*line)


def do_extract(options):
    """Write everything to a new or empty directory."""
    Extractor(Capsule(options), options.directory).run()


def do_manifest(options):
    """Print the manifest."""
    print(json.dumps(Capsule(options).manifest(), indent=2, sort_keys=True))


def do_digest(options):
    """Compute the content digest and compare it."""
    capsule = Capsule(options)
    said, found = capsule.manifest()["content_digest"], capsule.digest().hex()
    need(said == found, f"content digest: {found}, but the manifest says {said}")
    print(found)


def do_cat(options):
    """Write one file to standard output."""
    capsule = Capsule(options)
    entry, at = capsule.find(os.fsencode(options.path)), 0
    if entry.type != stat.S_IFREG:
        raise Refusal(f"not a regular file: {escape(os.fsencode(options.path))}")
    out = sys.stdout.buffer
    for offset, length, place in capsule.extents(entry) + [(entry.size, 0, 0)]:
        while at < offset:
            at += out.write(bytes(min(offset - at, 1 << 20)))
        for data in capsule.content.read(place, length):
            at += out.write(data)
    out.flush()


class Parser(argparse.ArgumentParser):
    """A parser whose errors have the exit code 1."""

    def error(self, message):
        """Print the usage and the message."""
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def main():
    """Parse the command line and run the command."""
    parser = Parser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, more in (("inspect", []), ("verify", []), ("ls", None), ("manifest", None),
                       ("digest", None), ("extract", "directory"), ("cat", "path")):
        run = globals()["do_" + name]
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("file")
        if more == []:
            continue
        if more:
            command.add_argument(more)
        secret = command.add_mutually_exclusive_group(required=True)
        for option in ("passphrase-file", "key-file", "identity", "recovery-phrase-file"):
            secret.add_argument("--" + option, metavar="FILE")
    options = parser.parse_args()
    try:
        return options.run(options) or 0
    except Damage as error:
        warn("\n".join("damaged: " + line for line in str(error).split("\n")))
        return 2
    except (Refusal, OSError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno == errno.EIO:
            warn(f"damaged: {error}")
            return 2
        warn(f"error: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
