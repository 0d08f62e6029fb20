#!/usr/bin/env python3
"""An independent verifier of the audit log of a workspace, with nothing but its public key.

Written from the manual page capsule-audit(1) alone, to show that the page is sufficient.
Needs cryptography. KEY is the line that `capsule audit key` prints, or a file with it.

log FILE: the lines of .capsule/audit.jsonl, or of `capsule audit list --json`. Each is a proper
event, their numbers have no gap, and each checkpoint given is signed and is the root of the
first events: so two checkpoints of different ages show that the log only grew between them.
proof FILE: what `capsule audit prove` prints. The event is in the log that the key signed.

Exit codes: 0 all is well; 1 usage, or a file that cannot be read; 3 something is not as signed.
"""

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import sys
from collections import namedtuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ORIGIN = "capsulefs.workspace/"
SOURCE = "urn:capsulefs.workspace:"
PROOF_HEAD = "c2sp.org/tlog-proof@v1"
ED25519 = b"\x01"
DECIMAL = r"0|[1-9][0-9]{0,18}"
RFC_3339 = (r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)"
            r"(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)")
REQUIRED = {"specversion", "id", "source", "type", "time", "datacontenttype", "data"}
ACTOR = {"uid": int, "pid": int, "program": str, "host": str}

Key = namedtuple("Key", "origin number public")
Checkpoint = namedtuple("Checkpoint", "size root")


class Fault(Exception):
    """Something is not what was signed, or not what the page says."""


class Refusal(Exception):
    """Wrong usage, or a file that cannot be read."""


def need(condition, message):
    """Fails with this message, unless the condition holds."""
    if not condition:
        raise Fault(message)


def unbase64(text, what, length=None):
    """The bytes of strict base64, of this length if one is given."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Fault(f"{what}: not base64") from None
    need(base64.b64encode(raw).decode() == text, f"{what}: not the only base64 of its bytes")
    need(length is None or len(raw) == length, f"{what}: {len(raw)} bytes, not {length}")
    return raw


def read_lines(path):
    """The lines of a text file; every one of them must have an end."""
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8")
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Fault(f"{path}: not UTF-8") from None
    need(text.endswith("\n"), f"{path}: the last line has no end")
    return text.split("\n")[:-1]


# Hashes


def leaf_hash(line):
    """The hash of a leaf, RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left, right):
    """The hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A hash tree that grows by leaves: its full subtrees, the largest first."""

    def __init__(self):
        self.size = 0
        self.full = []

    def append(self, line):
        """Adds a leaf, and joins what has become full."""
        value = leaf_hash(line)
        self.size += 1
        rest = self.size
        while rest % 2 == 0:
            value = node_hash(self.full.pop(), value)
            rest //= 2
        self.full.append(value)

    def root(self):
        """The root of the leaves so far."""
        if not self.full:
            return hashlib.sha256(b"").digest()
        value = self.full[-1]
        for left in reversed(self.full[:-1]):
            value = node_hash(left, value)
        return value


def root_of_path(value, index, size, path):
    """The root of a tree of `size` leaves in which a leaf has this place and audit path."""
    need(index < size, f"event {index} of a log of {size}")
    rest = list(path)
    last = size - 1
    while last > 0:
        # At an even place that is the last of its level there is no sibling: it moves up.
        if index % 2 == 1 or index < last:
            need(rest, "the audit path is too short")
            sibling = rest.pop(0)
            value = node_hash(sibling, value) if index % 2 else node_hash(value, sibling)
        index //= 2
        last //= 2
    need(not rest, "the audit path is too long")
    return value


# Keys, checkpoints, events


def parse_key(text):
    """The public key: origin+id+key."""
    if os.path.isfile(text):
        with open(text, "r", encoding="utf-8") as file:
            text = file.read()
    parts = text.strip("\n").split("+", 2)
    if len(parts) != 3 or not re.fullmatch(ORIGIN + "[0-9a-f]{32}", parts[0]):
        raise Refusal("the key is neither a file nor 'capsulefs.workspace/ID+ID+KEY'")
    try:
        raw = unbase64(parts[2], "the key", 33)
        need(raw[:1] == ED25519, "the key is not one of Ed25519")
        number = hashlib.sha256(parts[0].encode() + b"\n" + raw).digest()[:4]
        need(number.hex() == parts[1], "the id of the key is not that of its bytes")
    except Fault as error:
        raise Refusal(str(error)) from None
    return Key(parts[0], number, raw[1:])


def parse_checkpoint(lines, key, what):
    """Size and root of a checkpoint, after its signature."""
    need(len(lines) >= 5 and lines[3] == "", f"{what}: not a checkpoint")
    origin, size, root = lines[:3]
    need(origin == key.origin, f"{what}: of another workspace, {origin!r}")
    need(re.fullmatch(DECIMAL, size), f"{what}: {size!r} is not a number of events")
    text = "".join(line + "\n" for line in lines[:3]).encode()
    is_signed = False
    for line in lines[4:]:
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014", f"{what}: not a line of a signature")
        raw = unbase64(parts[2], f"{what}: signature")
        # Others, such as witnesses, may have signed as well.
        if parts[1] != key.origin or raw[:4] != key.number:
            continue
        need(len(raw) == 68, f"{what}: a signature of {len(raw) - 4} bytes")
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], text)
        except InvalidSignature:
            raise Fault(f"{what}: the signature is wrong") from None
        is_signed = True
    need(is_signed, f"{what}: not signed with this key")
    return Checkpoint(int(size), unbase64(root, f"{what}: root", 32))


def unique(pairs):
    """An object of JSON, refused if it names a member twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member is there twice")
    return found


def check_event(line, number, key):
    """Fails unless a line is the event of this number, as the page and CloudEvents 1.0 say."""
    what = f"event {number}"
    try:
        event = json.loads(line, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise Fault(f"{what}: not JSON: {error}") from None
    need(isinstance(event, dict), f"{what}: not an object")
    missing = REQUIRED - set(event)
    need(not missing, f"{what}: without {', '.join(sorted(missing))}")
    for name, value in event.items():
        need(re.fullmatch("[a-z0-9]+", name), f"{what}: a member {name!r}")
        need(name == "data" or isinstance(value, (str, int, bool)), f"{what}: type of {name}")
    need(event["specversion"] == "1.0", f"{what}: specversion {event['specversion']!r}")
    need(event["id"] == str(number), f"{what}: its id is {event['id']!r}")
    need(event["source"] == SOURCE + key.origin[len(ORIGIN):],
         f"{what}: its source is {event['source']!r}")
    need(isinstance(event["type"], str) and event["type"], f"{what}: no type")
    need(isinstance(event["time"], str) and re.fullmatch(RFC_3339, event["time"], re.ASCII),
         f"{what}: {event['time']!r} is not a time")
    need(event["datacontenttype"] == "application/json", f"{what}: datacontenttype")
    actor = event["data"].get("actor") if isinstance(event["data"], dict) else None
    if event["type"] == "capsulefs.export.announced":
        # It leaves in a capsule, and says neither who nor where.
        need(actor is None, f"{what}: it names an actor")
        return
    need(isinstance(actor, dict), f"{what}: no actor")
    for name, kind in ACTOR.items():
        value = actor.get(name)
        need(isinstance(value, kind) and not isinstance(value, bool), f"{what}: actor's {name}")
    digest = event["data"].get("path_sha256")
    need(digest is None or isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest),
         f"{what}: path_sha256")


# Commands


def check_log(options, key):
    """Every event, and every checkpoint against the first events."""
    checkpoints = [(parse_checkpoint(read_lines(path), key, path), path)
                   for path in options.checkpoint]
    lines = read_lines(options.file) if os.path.getsize(options.file) else []
    waiting = sorted(checkpoints)
    tree = Tree()
    for number in range(len(lines) + 1):
        while waiting and waiting[0][0].size == number:
            checkpoint, path = waiting.pop(0)
            need(tree.root() == checkpoint.root,
                 f"{path}: the first {number} events are not those that were signed")
        if number < len(lines):
            check_event(lines[number], number, key)
            tree.append(lines[number].encode())
    for checkpoint, path in waiting:
        raise Fault(f"{path}: of {checkpoint.size} events, but there are {len(lines)}")
    newest = max((checkpoint.size for checkpoint, _ in checkpoints), default=0)
    print(f"{len(lines)} events, {len(checkpoints)} checkpoints")
    print(f"root {base64.b64encode(tree.root()).decode()}")
    if newest < len(lines):
        print(f"no checkpoint vouches for the events from {newest} on")


def check_proof(options, key):
    """The event of a proof is in the log of its checkpoint."""
    lines = read_lines(options.file)
    what = options.file
    need(len(lines) > 3 and lines[0] == PROOF_HEAD and "" in lines, f"{what}: not a proof")
    border = lines.index("")
    need(border >= 3 and lines[1].startswith("extra ") and lines[2].startswith("index "),
         f"{what}: without extra and index")
    event = unbase64(lines[1].removeprefix("extra "), f"{what}: extra")
    number = lines[2].removeprefix("index ")
    need(re.fullmatch(DECIMAL, number), f"{what}: index {number!r}")
    path = [unbase64(line, f"{what}: hash", 32) for line in lines[3:border]]
    checkpoint = parse_checkpoint(lines[border + 1:], key, what)
    root = root_of_path(leaf_hash(event), int(number), checkpoint.size, path)
    need(root == checkpoint.root, f"{what}: the event is not in the log that was signed")
    check_event(event, int(number), key)
    print(event.decode("utf-8"))


def main():
    """Parses the command line and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in (("log", check_log), ("proof", check_proof)):
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("file")
        command.add_argument("--key", required=True, help="what 'capsule audit key' prints")
        if name == "log":
            command.add_argument("--checkpoint", action="append", default=[], metavar="FILE",
                                 help="what 'capsule audit checkpoint' printed; may be repeated")
    try:
        options = parser.parse_args()
    except SystemExit as error:
        return 1 if error.code else 0
    try:
        options.run(options, parse_key(options.key))
        return 0
    except Fault as error:
        print(f"wrong: {error}", file=sys.stderr)
        return 3
    except (Refusal, OSError, UnicodeDecodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
