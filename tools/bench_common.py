"""What both sides of tools/bench use: processes, mounts, and the work of a reader."""

import collections
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

SUDO = [] if os.geteuid() == 0 else ["sudo"]
OURS, PLAIN = "capsulefs", "plain"
MIB = 1 << 20
RANDOM_SECONDS = 5


class Failed(Exception):
    """Something the run cannot go on without."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


# --- Processes and mounts ---------------------------------------------------------------------

Ended = collections.namedtuple("Ended", "seconds busy memory output")


def processor_ticks():
    ticks = [int(word) for word in open("/proc/stat").readline().split()[1:9]]
    # Neither idle, nor waiting for a disk, nor taken by another machine on the same host.
    return sum(ticks) - ticks[3] - ticks[4] - ticks[7], sum(ticks)


def run(command, capture=False):
    """Runs a command to its end. `busy` is the share of all processors that was in use."""
    command = [str(word) for word in command]
    # Peers warn about what is meant here; what they say is of use only when they fail.
    errors = tempfile.TemporaryFile()
    busy, total = processor_ticks()
    start = time.monotonic()
    # Without a pipe unless asked for one: a driver that goes to the background would hold it open.
    child = subprocess.Popen(command, start_new_session=True, stderr=errors,
                             stdout=subprocess.PIPE if capture else subprocess.DEVNULL)
    try:
        output = child.stdout.read() if capture else b""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    seconds = time.monotonic() - start
    busy, total = (now - then for now, then in zip(processor_ticks(), (busy, total)))
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip()
    errors.close()
    if child.returncode != 0:
        raise Failed(f"status {child.returncode}: {' '.join(command)}\n{said[-2000:]}")
    return Ended(seconds, busy / max(total, 1), usage.ru_maxrss * 1024, output)


def shell(text, *words, capture=False):
    """A pipeline; `words` are its $1, $2 and so on, so that no path needs quoting."""
    return run(["bash", "-o", "pipefail", "-c", text, "bench", *words], capture)


def drivers(mount_point):
    """The processes that were given this mount point. Its name holds our id, so they are ours."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if str(mount_point).encode() in words:
                found.append(int(entry.name))
    return found


def unmount(mount_point, by_kernel, patience=2):
    """Unmounts and waits for the driver to end; one that does not within `patience` is killed."""
    processes = drivers(mount_point)
    command = SUDO + ["umount"] if by_kernel else ["fusermount3", "-u"]
    for _ in range(50):
        if not os.path.ismount(mount_point):
            break
        subprocess.run([*command, mount_point], stderr=subprocess.DEVNULL)
        if os.path.ismount(mount_point):
            time.sleep(0.1)
    for wanted in (None, signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            with contextlib.suppress(OSError):
                if wanted:
                    os.kill(process, wanted)
        for _ in range(50 * patience):
            processes = [process for process in processes if process in drivers(mount_point)]
            if not processes:
                break
            time.sleep(0.02)
    if os.path.ismount(mount_point) or processes:
        raise Failed(f"{mount_point} cannot be unmounted")


@contextlib.contextmanager
def mounted(command, mount_point, patience=2):
    """A mount for the length of a `with`; its value is the time the command took."""
    mount_point.mkdir(exist_ok=True)
    try:
        run(command)
        for _ in range(100):  # securefs returns before it is there
            if os.path.ismount(mount_point):
                break
            time.sleep(0.05)
        else:
            raise Failed(f"nothing is mounted: {' '.join(map(str, command))}")
        yield mount_point
    finally:
        unmount(mount_point, "-t" in command, patience)


# --- What is measured -------------------------------------------------------------------------

def sequential(at):
    command = ["dd", f"if={at}/random/random.bin", "of=/dev/null", "bs=1M", "status=none"]
    size = os.path.getsize(at / "random" / "random.bin")
    first, second = run(command), run(command)
    return {"sequential": size / first.seconds, "sequential busy": first.busy,
            "second": size / second.seconds}


def random_reads(at):
    # Each block at most once, and the same order for all. Nothing is invalidated: the mount is new,
    # and with the plain file that would empty the page cache of the input. A thread, because the
    # process fio would start instead leaves the group that is ended when the run is.
    done = run(["fio", "--name=random", f"--filename={at}/random/random.bin", "--readonly",
                "--ioengine=psync", "--rw=randread", "--bs=4k", "--iodepth=1", "--randrepeat=1",
                "--norandommap=0", "--invalidate=0", f"--runtime={RANDOM_SECONDS}", "--thread",
                "--output-format=json"], True)
    return {"random": json.loads(done.output)["jobs"][0]["read"]["iops"]}


def find(at):
    done = shell('find "$1" -type f -size +0 | wc -l', at / "tree", capture=True)
    if int(done.output) == 0:
        raise Failed(f"no file in {at}/tree")
    return {"find": done.seconds}


def tar(at):
    # Through cat, as tar reads no contents when it writes to /dev/null itself.
    return {"tar": shell('tar cf - -C "$1" tree | cat >/dev/null', at).seconds}


def warm(store):
    shell('find "$1" -type f -print0 | xargs -0 -r cat >/dev/null', store)


def make_many(directory, count):
    """Files of a line each, a thousand to a directory."""
    for number in range(count):
        above = directory / f"{number // 1000:04}"
        if number % 1000 == 0:
            above.mkdir(parents=True)
        descriptor = os.open(f"{above}/{number:07}.txt", os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, b"file number %d\n" % number)
        os.close(descriptor)


def memory_of(processes):
    sizes = {"VmHWM": 0, "VmRSS": 0}
    for process in processes:
        for line in open(f"/proc/{process}/status"):
            name, _, value = line.partition(":")
            if name in sizes:
                sizes[name] += int(value.split()[0]) * 1024
    return sizes


def find_many(at, many):
    """The seconds that find takes for `many` files."""
    done = shell('find "$1" -type f -size +0 | wc -l', at, capture=True)
    if int(done.output) != many:
        raise Failed(f"{int(done.output)} files found of {many}")
    return done.seconds
