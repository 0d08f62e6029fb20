"""Source trees for the tests: one with every kind of object, and tools to compare trees."""

import os
import random
import stat
import struct
import subprocess

import support

SIZES = [0, 1, 4095, 4096, 4097, 32767, 32768, 131072, 131073]
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")
NAMES = [
    b"not-utf8-\xff\xfe\x80", b"new\nline", b"-leading-dash", b"trailing space ", b"quote\"'quote",
    b"back\\slash", b"\xc3\xa4-umlaut", b"a\xcc\x88-decomposed", b"n" * 255, b"\x1b[31mred",
    b"tab\there", b"*glob?[x]", b"#hash", b"comma,name"]
PATH_LENGTH = 4095


def noise(length, seed=1):
    """Bytes that do not compress."""
    return random.Random(seed).randbytes(length)


def build(base):
    """Makes the tree with every kind of object at `base`."""
    os.makedirs(base)
    _files(base)
    _sparse(base)
    _links(base)
    _special(base)
    _names(base)
    _attributes(base)
    _many(f"{base}/many", 3000)
    long_path(base, PATH_LENGTH)
    _times(base)


def _files(base):
    for size in SIZES:
        support.write(f"{base}/sizes/{size}", noise(size, size))
    support.write(f"{base}/sizes/random-3m", noise(3 << 20))
    line = b"".join(b"line %d of a text that compresses well\n" % n for n in range(1000))
    support.write(f"{base}/sizes/text-5m", (line * (1 + (5 << 20) // len(line)))[:5 << 20])
    support.write(f"{base}/sizes/copy-of-random-3m", noise(3 << 20))
    os.makedirs(f"{base}/nested/one/two/three/four/five")
    support.write(f"{base}/nested/one/two/three/four/five/leaf", b"leaf")
    os.mkdir(f"{base}/empty")


def sparse(path, size, pieces):
    """A file with data at the pieces' offsets and holes everywhere else."""
    with open(path, "wb") as file:
        for offset, content in pieces:
            file.seek(offset)
            file.write(content)
        file.truncate(size)


def _sparse(base):
    os.mkdir(f"{base}/sparse")
    pieces = [(0, noise(4096, 7)), (1 << 20, noise(8192, 8)), (5 << 20, noise(70000, 9)),
              (5 << 20 | 1 << 18, b"\0" * 4096)]
    sparse(f"{base}/sparse/several-holes", 6 << 20, pieces)
    sparse(f"{base}/sparse/hole-at-start", (1 << 20) + 10, [(1 << 20, b"0123456789")])
    sparse(f"{base}/sparse/hole-at-end", 3 << 20, [(0, noise(5000, 10))])
    sparse(f"{base}/sparse/all-hole", 9 << 20, [])
    sparse(f"{base}/sparse/large-hole", 64 << 20, [(1 << 25, b"middle" * 1000)])
    support.write(f"{base}/sparse/written-zeros", b"\0" * 65536)


def _links(base):
    os.makedirs(f"{base}/links/other/deep")
    first = support.write(f"{base}/links/first", b"three names")
    os.link(first, f"{base}/links/second")
    os.link(first, f"{base}/links/other/deep/third")
    os.symlink("nowhere/at/all", f"{base}/links/dangling")
    os.symlink("first", f"{base}/links/symlink")
    os.link(f"{base}/links/symlink", f"{base}/links/other/symlink", follow_symlinks=False)
    os.symlink(b"x" * 4095, os.fsencode(f"{base}/links/target-4095"))
    os.symlink(b"\xff\n target", os.fsencode(f"{base}/links/odd-target"))


def _special(base):
    os.mkdir(f"{base}/special")
    os.mknod(f"{base}/special/fifo", stat.S_IFIFO | 0o640)
    os.mknod(f"{base}/special/socket", stat.S_IFSOCK | 0o755)
    os.mknod(f"{base}/special/char", stat.S_IFCHR | 0o620, os.makedev(1, 3))
    os.mknod(f"{base}/special/block", stat.S_IFBLK | 0o660, os.makedev(259, 70000))
    os.link(f"{base}/special/fifo", f"{base}/special/fifo-again")
    for name, mode in [("setuid", 0o4755), ("setgid", 0o2755), ("both", 0o6711), ("none", 0)]:
        path = support.write(f"{base}/modes/{name}", name)
        os.chown(path, 12345, 23456)
        os.chmod(path, mode)
    for name, mode in [("sticky", 0o1777), ("setgid-dir", 0o2770), ("closed", 0)]:
        os.mkdir(f"{base}/modes/{name}")
        os.chmod(f"{base}/modes/{name}", mode)
    os.chown(f"{base}/links/dangling", 12345, 12346, follow_symlinks=False)
    os.chown(f"{base}/special/fifo", 12345, 4294967294)


def _names(base):
    os.mkdir(f"{base}/names")
    for name in NAMES:
        path = os.fsencode(f"{base}/names/") + name
        with open(path, "wb") as file:
            file.write(name)
    os.mkdir(os.fsencode(f"{base}/names/") + b"dir-\xff\n")
    support.write(os.fsdecode(os.fsencode(f"{base}/names/") + b"dir-\xff\n/inner"), b"inner")


def _attributes(base):
    place = f"{base}/attributes"
    for name in ("user", "trusted", "security", "capability", "acl", "mask", "large"):
        support.write(f"{place}/{name}", name)
    os.setxattr(f"{place}/user", b"user.note", b"hello")
    os.setxattr(f"{place}/user", b"user.empty", b"")
    os.setxattr(f"{place}/user", b"user.binary\xff", bytes(range(256)))
    os.setxattr(f"{place}/trusted", b"trusted.note", b"for root")
    os.setxattr(f"{place}/trusted", b"trusted.overlay.opaque", b"y")
    os.setxattr(f"{place}/security", b"security.note", b"label")
    os.setxattr(f"{place}/capability", b"security.capability", CAPABILITY)
    os.setxattr(f"{place}/large", b"user.large", noise(3000))
    os.symlink("x", f"{place}/symlink")
    os.setxattr(f"{place}/symlink", b"trusted.link", b"on a link", follow_symlinks=False)
    os.mkdir(f"{place}/directory")
    os.setxattr(f"{place}/directory", b"user.note", b"of a directory")
    for words in (["u:12345:rwx,g:23456:r--", f"{place}/acl"],
                  ["u:12345:rw-,m::r--", f"{place}/mask"],
                  ["u:12345:r-x,d:u:12345:rwx,d:g::r-x,d:o::---", f"{place}/directory"]):
        subprocess.run(["setfacl", "-m", *words], check=True, timeout=10)


def odd_special(base):
    """Special files whose names are not UTF-8 or long, with attributes of their own."""
    os.makedirs(base)
    place = os.fsencode(base)
    os.symlink("t", place + b"/link-\xff")
    os.mknod(place + b"/fifo-\xfe", stat.S_IFIFO | 0o600)
    for name in (b"/link-\xff", b"/fifo-\xfe"):
        os.setxattr(place + name, b"trusted.note", b"kept", follow_symlinks=False)


def _many(base, count):
    os.makedirs(base)
    handle = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    for number in range(count):
        os.close(os.open(f"entry-{number:06}", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=handle))
    os.close(handle)


def many(base, count):
    """A directory with `count` empty files."""
    _many(base, count)


def long_path(base, length):
    """A file whose path, with `base` before it, is `length` bytes long."""
    rest = length - len(os.fsencode(base)) - 1
    handle = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    while rest > 255:
        name = "p" * min(200, rest - 2)
        os.mkdir(name, dir_fd=handle)
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=handle)
        os.close(handle)
        handle = below
        rest -= len(name) + 1
    file = os.open("f" * rest, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=handle)
    os.write(file, b"deep")
    os.close(file)
    os.close(handle)


def _times(base):
    for number, moment in enumerate([
            123456789_123456789, 1, 0, -1, -1_000_000_001, -86400 * 365 * 10**9 + 999_999_999,
            4_000_000_000_000_000_001]):
        path = support.write(f"{base}/times/{number}", str(moment))
        os.utime(path, ns=(moment, moment))
    moment = -77_000_000_007
    os.utime(f"{base}/links/dangling", ns=(moment, moment), follow_symlinks=False)
    os.utime(f"{base}/special/fifo", ns=(moment, moment))
    os.utime(f"{base}/times", ns=(5_000_000_005, 5_000_000_005))
    os.utime(base, ns=(6_000_000_006, 6_000_000_006))


def paths(base):
    """Relative paths of everything below `base`, as bytes, in one order on every machine."""
    found = []
    for directory, directories, names in os.walk(os.fsencode(base)):
        prefix = directory[len(os.fsencode(base)) + 1:]
        for name in directories + names:
            found.append(prefix + b"/" + name if prefix else name)
    return sorted(found)


def segments(path):
    """[(kind, start, end)] as SEEK_DATA and SEEK_HOLE tell."""
    found = []
    handle = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(handle).st_size
        position = 0
        while position < size:
            try:
                start = os.lseek(handle, position, os.SEEK_DATA)
            except OSError:
                start = size
            if start > position:
                found.append(("hole", position, start))
            if start < size:
                end = os.lseek(handle, start, os.SEEK_HOLE)
                found.append(("data", start, end))
                start = end
            position = start
    finally:
        os.close(handle)
    return found


_shared = []


def shared():
    """(source, capsule, passphrase file) of the tree with everything, made once per run.

    The directory is called `src`, so that a mount point `mnt` beside it has paths just as long.
    """
    if not _shared:
        place = os.path.join(support.run_root(), "shared")
        os.mkdir(place, 0o755)
        source = f"{place}/src"
        build(source)
        secret = support.write(f"{place}/pw", support.SECRET + b"\n")
        capsule = f"{place}/all.mv2e"
        subprocess.run(
            [support.CAPSULE, "seal", source, capsule, "--new-passphrase-file", secret,
             *support.CHEAP], check=True, capture_output=True, timeout=120, cwd=place,
            env={"HOME": place, "PATH": os.environ["PATH"]})
        _shared.append((source, capsule, secret))
    return _shared[0]


def signature_areas(content):
    """[(offset, length)] of the two signature areas of a capsule; see capsule-format(5)."""
    slots, signatures = struct.unpack_from("<II", content, 88)
    first = 4096 + 2 * slots
    return [(first, signatures), (first + signatures, signatures)]


def blocks(content):
    """(offset of the first content block, offset after its last) of a capsule."""
    start, end = struct.unpack_from("<QQ", content, len(content) - 1024 + 64 + 16)
    return start, end
