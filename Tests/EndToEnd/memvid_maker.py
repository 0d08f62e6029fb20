#!/usr/bin/env python3
"""Makes Memvid files with Memvid's own SDK, and tells what the SDK sees in one.

Runs under an interpreter that has `memvid-sdk`, not under that of the tests:

    memvid_maker.py make KIND FILE      writes FILE; prints what was put in, as JSON
    memvid_maker.py view FILE [WORD…]   prints what the SDK's calls return, as JSON
    memvid_maker.py lock FILE OUT       encrypts with the passphrase of the tests
    memvid_maker.py unlock FILE OUT
    memvid_maker.py fixtures DIR [FILE…]  writes the stored fixtures, also of given files
"""

import hashlib
import json
import lzma
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unicodedata
import zlib

os.environ["MEMVID_TELEMETRY"] = "0"

import memvid_sdk  # noqa: E402

PASSPHRASE = "correct horse battery staple"
EPOCH = 1700000000
WORDS = ["alpha", "needle", "zebra"]
PLAIN = {"enable_embedding": False, "auto_tag": False, "extract_dates": False}


def png(width, height):
    """A picture, as small as pictures are."""
    rows = b"".join(
        b"\0" + bytes((x * 7 + y * 13) % 256 for x in range(width * 3)) for y in range(height))

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def pdf(lines):
    """A PDF of one page with `lines` of text."""
    text = "BT /F1 9 Tf 40 780 Td 11 TL\n" + "".join(f"({line}) '\n" for line in lines) + "ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    # The second line says that a PDF is no text.
    out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    return out + (f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} "
                  f"/Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n").encode()


def prose(count):
    """Plain text of so many paragraphs."""
    return "\n\n".join(
        f"Paragraph {number} of the alpha text says a little of the number {number * 37 % 101}."
        for number in range(count))


class Maker:
    """A file being made, and what was put into it."""

    def __init__(self, path, **options):
        self.path = path
        self.inputs = []
        self.mem = memvid_sdk.create(path, **options)
        self.time = EPOCH

    def put(self, uri, text, raw=False, **more):
        """Puts text or bytes; `raw` stores them as they are."""
        self.time += 60
        item = {"title": None, "label": "note", "uri": uri, "timestamp": self.time, **PLAIN, **more}
        if item["title"] is None:
            item["title"] = f"title {len(self.inputs)}"
        note = {"uri": uri, "raw": raw}
        with tempfile.TemporaryDirectory() as place:
            if isinstance(text, bytes):
                name = os.path.join(place, uri.rsplit("/", 1)[-1])
                with open(name, "wb") as file:
                    file.write(text)
                item["file"] = name
                note["hex"] = text.hex()
            else:
                item["text"] = note["text"] = text
            item["no_raw"] = not raw
            identifier = self.mem._core.put(item)
        self.inputs.append(note)
        return int(identifier)

    def reopen(self):
        """Commits, closes, opens again."""
        self.mem.close()
        self.mem = memvid_sdk.use("basic", self.path, mode="open")

    def close(self):
        """Commits and closes."""
        self.mem.close()


def make_notes(path):
    """Notes with everything a note can have."""
    one = Maker(path)
    one.put("mv2://notes/first", "The first note: alpha and needle.", tags=["t1", "two words"],
            labels=["l1", "l2"], metadata={"k": "v", "n": 1, "deep": {"a": [1, 2]}},
            kind="memo", track="main")
    one.put("mv2://notes/second.txt", "a  b\tc\r\nd\n\n\ne needle", title="Second")
    one.put("mv2://notes/exact", "exactly this line", title="Exact")
    one.put("mv2://notes/raw.txt", "raw  text\twith  blanks\n\n\nalpha\n", raw=True)
    one.put("mv2://notes/tricky", "body\ntitle: title 4\nuri: mv2://notes/tricky")
    one.mem.put(title="Tagged by itself", label="auto", uri="mv2://notes/auto", timestamp=EPOCH,
                text="Zebra crossings and more zebra crossings near Paris on 2024-05-06.")
    one.close()
    return one.inputs


def make_chunked(path):
    """Text that Memvid cuts into chunks, with and without its bytes."""
    one = Maker(path)
    one.put("mv2://long/prose", prose(120), tags=["long"])
    one.put("mv2://long/kept.txt", prose(90), raw=True)
    table = "\n".join(f"| {row} | needle {row * 3} | {row % 7} |" for row in range(160))
    one.put("mv2://long/table.md",
            f"# Tables\n\nBefore.\n\n| a | b | c |\n|---|---|---|\n{table}\n\nAfter.\n\n"
            "```python\n" + "\n".join(f"print({row})" for row in range(120)) + "\n```\n\nEnd.")
    one.put("mv2://long/short", "short alpha")
    one.close()
    return one.inputs


def make_files(path):
    """A PDF and a picture, with their bytes and without."""
    one = Maker(path)
    page = pdf([f"Line {number} of a page with alpha and zebra in it" for number in range(66)])
    one.put("mv2://files/page.pdf", page, raw=True)
    one.put("mv2://files/picture.png", png(40, 30), raw=True)
    one.put("mv2://files/blank", png(9, 9), raw=True)
    one.put("mv2://files/lost.pdf", pdf(["One line with needle"]))
    one.close()
    return one.inputs


def make_unicode(path):
    """Names, titles, tags and texts in several forms of the same characters."""
    one = Maker(path)
    for form in ("NFC", "NFD"):
        word = unicodedata.normalize(form, "Ångström é 한")
        one.put(f"mv2://{form}/{word}", f"{word} alpha ﬁ ①", title=word, tags=[word],
                metadata={word: form})
        one.put(f"mv2://same/{word}.txt", f"{word}\n", raw=True)
    both = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
    one.put("mv2://both", "alpha 🦓 عربي ‮x", tags=both, labels=both,
            metadata={both[0]: "composed", both[1]: "decomposed"})
    one.close()
    return one.inputs


def make_names(path):
    """URIs that are no paths."""
    one = Maker(path)
    uris = [
        "mv2://../../etc/passwd", "mv2://a/../b", "mv2://./dot", "mv2://new\nline/and\ttab",
        "mv2://  spaces  / in it ", "mv2://same", "mv2://same", "mv2://same", "mv2://clash",
        "mv2://clash/below", "mv2://clash/below/more", "mv2://" + "long" * 100,
        "mv2://" + "ü" * 200, "mv2://.memvid/info.json", "mv2://.memvid", "", "mv2://", "mv2:///",
        "mv2://a//b///c/", "http://example.org/x?y=1#z", "plain words", "/absolute",
        "mv2://" + "/".join("d" * 90), "mv2://back\\slash", "mv2://nul\0byte", "mv2://esc\x1b[31m",
        "mv2://same~5", "mv2://dots...", "mv2://...", "mv2://%2E%2E", "mv2://-dash", "mv2://~"]
    for number, uri in enumerate(uris):
        one.put(uri, f"document number {number} alpha", raw=number % 2 == 0,
                tags=["t/a", "..", "x"])
    one.close()
    return one.inputs


def make_many(path):
    """Hundreds of frames."""
    one = Maker(path)
    requests = []
    for number in range(180):
        text = f"frame {number} alpha"
        requests.append({"title": f"T{number}", "label": "m", "uri": f"mv2://many/{number:03}",
                         "text": text, "timestamp": EPOCH + number})
        one.inputs.append({"uri": f"mv2://many/{number:03}", "raw": False, "text": text})
    one.mem.put_many(requests)
    one.close()
    return one.inputs


def make_deleted(path):
    """Some of the documents are gone, one of them with chunks."""
    one = Maker(path)
    for number in range(5):
        identifier = one.put(f"mv2://del/{number}", f"note {number} alpha", raw=number % 2 == 0)
        if number in (1, 2):
            doomed = identifier
            one.mem.commit()
            one.mem.remove(doomed)
    parent = one.put("mv2://del/long", prose(60))
    one.mem.commit()
    one.mem.remove(parent)
    one.close()
    return one.inputs


def make_vacuumed(path):
    """The same, with the holes closed by Memvid's doctor."""
    inputs = make_deleted(path)
    memvid_sdk.Memvid.doctor(path, vacuum=True, quiet=True)
    return inputs


def make_updated(path):
    """The same URI twice; the newest counts."""
    one = Maker(path)
    one.put("mv2://up/date", "old text alpha", raw=True)
    one.put("mv2://up/other", "another needle")
    one.reopen()
    one.put("mv2://up/date", "new text zebra", raw=True)
    one.close()
    return one.inputs


def make_empty(path):
    """Nothing in it."""
    Maker(path).close()
    return []


def make_vectors(path):
    """Documents with vectors."""
    one = Maker(path, enable_vec=True)
    requests = []
    for number in range(12):
        text = f"vector {number} alpha"
        requests.append({"title": f"V{number}", "label": "v", "uri": f"mv2://vec/{number}",
                         "text": text, "timestamp": EPOCH + number})
        one.inputs.append({"uri": f"mv2://vec/{number}", "raw": False, "text": text})
    one.mem.put_many(
        requests, embeddings=[[(number * 7 + at) % 11 / 11 for at in range(32)]
                              for number in range(12)])
    one.close()
    return one.inputs


def make_sessions(path):
    """Written in several sessions, and with one recorded for replay."""
    one = Maker(path)
    for number in range(4):
        one.put(f"mv2://session/{number}", f"session {number} alpha", raw=number == 2)
        one.reopen()
    one.mem.session_start("recorded")
    one.put("mv2://session/recorded", "while recording, needle")
    one.mem.find("alpha")
    one.mem.session_end()
    one.close()
    return one.inputs


def pending(path):
    """Whether the log of a file has records that are not committed."""
    with open(path, "rb") as file:
        content = file.read()
    start, length, _, committed = struct.unpack_from("<4Q", content, 16)
    place = start
    while place + 48 <= start + length:
        sequence, size = struct.unpack_from("<QI", content, place)
        if sequence == 0 and size == 0:
            return False
        if sequence > committed:
            return True
        place += 48 + size
    return False


def killed(path, change):
    """A file whose writer is killed when it begins to commit `change`: it copies the file then."""
    place = os.path.dirname(os.path.abspath(path))
    for _ in range(50):
        for name in os.listdir(place):
            if os.path.basename(path).removesuffix(".mv2") in name:
                os.unlink(os.path.join(place, name))
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            one = Maker(path)
            one.put("mv2://kill/base", "committed alpha", raw=True)
            one.put("mv2://kill/doomed", "doomed alpha", raw=True, tags=["doom"])
            one.put("mv2://kill/long-doomed", prose(60))
            one.reopen()
            os.write(write_end, json.dumps(one.inputs).encode())
            os.close(write_end)
            time.sleep(0.05)
            change(one)
            os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            inputs = json.load(pipe)
        end = time.monotonic() + 5
        while time.monotonic() < end and os.waitpid(child, os.WNOHANG) == (0, 0):
            if any(name.startswith("." + os.path.basename(path)) for name in os.listdir(place)):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                break
        for name in os.listdir(place):
            if name.startswith("." + os.path.basename(path)):
                os.unlink(os.path.join(place, name))
        if pending(path):
            return inputs
    raise SystemExit("the writer was never killed in time")


def make_killed(path):
    """New documents, one of them long, are only in the log."""
    added = [
        {"uri": "mv2://kill/pending", "raw": False, "text": "pending needle"},
        {"uri": "mv2://kill/long", "raw": False, "text": prose(60)},
        {"uri": "mv2://kill/last", "raw": False, "text": "last  zebra"}]
    requests = [{"title": f"T {item['uri'][-4:]}", "label": "k", "uri": item["uri"],
                 "text": item["text"], "tags": ["log"]} for item in added]
    return killed(path, lambda one: one.mem.put_many(requests)) + added


def make_killed_removing(path):
    """A deletion is only in the log."""
    return killed(path, lambda one: one.mem.remove(1))


def make_large(path):
    """More than one chunk of encryption; incompressible, so not stored as a fixture."""
    one = Maker(path)
    state = hashlib.shake_256(b"large").digest(900_000)
    one.put("mv2://large/a.bin", b"\x89\xff" + state, raw=True)
    one.put("mv2://large/b.bin", b"\x89\xfe" + state[::-1], raw=True)
    one.put("mv2://large/note", "needle in a large file", raw=True)
    one.close()
    return one.inputs


KINDS = {name[5:]: value for name, value in list(globals().items()) if name.startswith("make_")}
STORED = [name for name in KINDS if name != "large"]


def view(path, words=None):
    """What the SDK's own calls return of a copy of the file."""
    with tempfile.TemporaryDirectory() as place:
        copy = os.path.join(place, "copy.mv2")
        shutil.copyfile(path, copy)
        mem = memvid_sdk.use("basic", copy, mode="open")
        timeline = [dict(entry) for entry in mem.timeline(limit=1_000_000)]
        frames, blobs, finds = {}, {}, {}
        for uri in sorted({entry["uri"] for entry in timeline}):
            try:
                frames[uri] = dict(mem.frame(uri))
                blobs[uri] = mem.blob(uri).hex()
            except memvid_sdk.FrameNotFoundError:
                frames[uri] = None
        try:
            for word in words or WORDS:
                hits = mem.find(word, k=1000)["hits"]
                finds[word] = [
                    {key: hit[key] for key in ("frame_id", "uri", "text")} for hit in hits]
        except memvid_sdk.LexIndexDisabledError:
            # So it is with some files that the SDK itself has written.
            finds = None
        stats = mem.stats()
        mem.close()
        check = memvid_sdk.Memvid.verify(copy, deep=True)
        return {"timeline": timeline, "frames": frames, "blobs": blobs, "finds": finds,
                "frame_count": stats["frame_count"], "verify": check["overall_status"]}


def fixture(directory, name, path, inputs):
    """Stores a file with what the SDK says of it, and the head of its encrypted twin."""
    with open(path, "rb") as file:
        content = file.read()
    with tempfile.TemporaryDirectory() as place:
        locked = os.path.join(place, "locked.mv2e")
        memvid_sdk.lock(path, password=PASSPHRASE, output=locked, force=True)
        with open(locked, "rb") as file:
            sealed = file.read()
    with open(os.path.join(directory, name + ".mv2.xz"), "wb") as file:
        file.write(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    facts = {"inputs": inputs, "view": view(path), "sha256": hashlib.sha256(content).hexdigest(),
             "capsule_header": sealed[:64].hex(),
             "capsule_sha256": hashlib.sha256(sealed).hexdigest()}
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True).encode()
    with open(os.path.join(directory, name + ".json.xz"), "wb") as file:
        file.write(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))


def make(kind, path):
    """Makes a file of a kind; returns what was put in."""
    return KINDS[kind](path)


def main(words):
    """Does what the first word says."""
    verb, *rest = words
    if verb == "make":
        print(json.dumps(make(*rest)))
    elif verb == "view":
        print(json.dumps(view(rest[0], rest[1:])))
    elif verb == "lock":
        memvid_sdk.lock(rest[0], password=PASSPHRASE, output=rest[1], force=True)
    elif verb == "unlock":
        memvid_sdk.unlock(rest[0], password=PASSPHRASE, output=rest[1], force=True)
    elif verb == "fixtures":
        for name in STORED:
            with tempfile.TemporaryDirectory() as place:
                path = os.path.join(place, name + ".mv2")
                output = subprocess.run(
                    [sys.executable, __file__, "make", name, path], check=True,
                    stdout=subprocess.PIPE).stdout
                fixture(rest[0], name, path, json.loads(output))
        for path in rest[1:]:
            fixture(rest[0], os.path.basename(path).removesuffix(".mv2"), path, None)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
