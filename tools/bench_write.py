"""The write side of tools/bench: a live workspace beside what else can be written to.

Each system gets an empty store on ext4 in every repetition, and each step a mount of its own,
after a sync and with the page cache dropped. Only memfs, which keeps nothing, stays mounted
through a repetition: dropping the cache takes from the kernel what a new mount would not have.
"""

import collections
import contextlib
import json
import os
import shutil
import sys
import time

from bench_common import (MIB, OURS, PLAIN, RANDOM_SECONDS, SUDO, Failed, drivers, find, find_many,
                          make_many, memory_of, mounted, random_reads, run, say, sequential, shell,
                          tar, unmount, warm)

MEMFS = "memfs"
WRITERS = (PLAIN, OURS, "gocryptfs", "securefs", MEMFS)
ROWS_OF_STEPS = ("write", "copy", "overwrite", "files", "git", "live-sequential", "live-random",
                 "live-find", "live-tar", "live-size")
ROWS_OF_MANY = ("live-mount", "live-memory")
ROWS = ROWS_OF_STEPS + ROWS_OF_MANY
# A driver that has to write out what it holds is not killed for it.
PATIENCE = 120


# --- Steps ------------------------------------------------------------------------------------

Place = collections.namedtuple("Place", "at store sources options")


def until_on_disk(place):
    """What was written reaches the driver, the driver's store, and the disk below."""
    below = place.store or place.at
    return shell('sync -f "$1" && sync "$1" && sync -f "$2"', place.at, below).seconds


def copy(place):
    done = run(["cp", "-a", place.sources["tree"], place.at / "tree"])
    return {"copy": done.seconds + until_on_disk(place), "copy until exit": done.seconds}


def write(place):
    # Through dd, which reads and writes: contents that neither compress nor repeat, no hole.
    (place.at / "random").mkdir()
    source = place.sources["random"] / "random.bin"
    done = run(["dd", f"if={source}", f"of={place.at}/random/random.bin", "bs=1M", "conv=fsync",
                "status=none"])
    return {"write": source.stat().st_size / done.seconds, "write busy": done.busy}


def prepare_overwrite(place):
    run(["dd", f"if={place.sources['random']}/random.bin", f"of={place.at}/overwrite.bin", "bs=1M",
         f"count={16 if place.options.quick else 256}", "conv=fsync", "status=none"])
    return {}


def overwrite(place):
    # Each block at most once, and the same order for all; new random bytes for every block.
    done = run(["fio", "--name=overwrite", f"--filename={place.at}/overwrite.bin",
                "--ioengine=psync", "--rw=randwrite", "--bs=4k", "--fsync=64", "--end_fsync=1",
                "--fallocate=none", "--refill_buffers", "--randrepeat=1", "--norandommap=0",
                "--invalidate=0", f"--runtime={2 * RANDOM_SECONDS}", "--thread",
                "--output-format=json"], True)
    return {"overwrite": json.loads(done.output)["jobs"][0]["write"]["iops"]}


# A process of its own, so that the time it takes to start is no part of it.
FILES_SCRIPT = """
import json, os, sys, time
top, count = sys.argv[1], int(sys.argv[2])
names = [f"{top}/{number // 1000:03}/{number:06}" for number in range(count)]
above = sorted({os.path.dirname(name) for name in names})
os.mkdir(top)
start = time.monotonic()
for directory in above:
    os.mkdir(directory)
for name in names:
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
created = time.monotonic()
for name in names:
    os.unlink(name)
for directory in above:
    os.rmdir(directory)
deleted = time.monotonic()
print(json.dumps({"files": deleted - start, "files create": created - start,
                  "files delete": deleted - created}))
"""


def files(place):
    count = 2_000 if place.options.quick else 100_000
    done = run([sys.executable, "-c", FILES_SCRIPT, place.at / "files", count], True)
    return json.loads(done.output)


def git_clone(place):
    # Without hard links, which only the plain directory could have: it would copy nothing.
    done = run(["git", "clone", "--quiet", "--no-hardlinks", place.sources["repository"],
                place.at / "clone"])
    return {"git clone": done.seconds}


def git_status(place):
    done = run(["git", "-C", place.at / "clone", "status", "--porcelain"], True)
    if done.output:
        raise Failed(f"the clone in {place.at} differs: {done.output[:200]!r}")
    return {"git status": done.seconds}


def as_live(work):
    """The work of a reader under names of its own: sealed and live are two figures."""
    def done(place):
        return {f"live {metric}": value for metric, value in work(place.at).items()}
    return done


# What is done in this order in one store, for which rows, with what of the input in the page cache.
# A reader finds the store there, as with sealed capsules.
Step = collections.namedtuple("Step", "work rows source reads", defaults=(None, False))
STEPS = (
    Step(copy, {"copy", "live-find", "live-tar", "live-size"}, "tree"),
    Step(as_live(find), {"live-find"}, reads=True),
    Step(as_live(tar), {"live-tar"}, reads=True),
    Step(write, {"write", "live-sequential", "live-random"}, "random"),
    Step(as_live(sequential), {"live-sequential"}, reads=True),
    Step(as_live(random_reads), {"live-random"}, reads=True),
    Step(prepare_overwrite, {"overwrite"}, "random"),
    Step(overwrite, {"overwrite"}),
    Step(files, {"files"}),
    Step(git_clone, {"git"}, "repository"),
    Step(git_status, {"git"}),
)


# --- Stores and mounts ------------------------------------------------------------------------

PROGRAMS = "bash cat cp dd find fio git sync tar wc".split()


def settle():
    """Nothing is left to write, and the kernel remembers nothing but the programs."""
    run([*SUDO, "sh", "-c", "sync && echo 3 >/proc/sys/vm/drop_caches"])
    for program in PROGRAMS:
        # Read as a whole, and started once for the sake of its libraries.
        shell('cat "$(command -v "$1")" >/dev/null && "$1" --version', program)


def make_workspace(bench, store):
    run([bench.binaries / "capsule", "init", store / "workspace", "--new-key-file", store / "key",
         "--quiet"])


def mount_workspace(bench, store):
    return [bench.binaries / "capsulefs", store / "workspace", bench.mount_point, "-o",
            f"key-file={store / 'key'}"]


@contextlib.contextmanager
def opened(bench, system, store):
    """An empty store; the value is what gives a mount of it for the length of a `with`."""
    at = bench.mount_point
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir(parents=True)
    try:
        if system == MEMFS:
            with mounted([bench.scratch / "memfs", at, memory_for(bench)], at, PATIENCE):
                yield lambda: contextlib.nullcontext(at)
        elif system == PLAIN:
            yield lambda: contextlib.nullcontext(store)
        elif system == OURS:
            make_workspace(bench, store)
            yield lambda: mounted(mount_workspace(bench, store), at, PATIENCE)
        else:
            bench.make_peer(system, store)
            command = bench.mount_command(system, store, at, writable=True)
            yield lambda: mounted(command, at, PATIENCE)
    finally:
        shutil.rmtree(store)


def allocated(store):
    """The bytes that the files and directories of a store take on the disk."""
    paths = [os.path.join(above, name) for above, directories, names in os.walk(store)
             for name in directories + names]
    return sum(os.lstat(path).st_blocks * 512 for path in paths)


def memory_for(bench):
    """The MiB that memfs needs; a chunk is up to twice as large as what is in it."""
    written = 2 * allocated(bench.input / "tree") + 2 * allocated(bench.input / "random")
    return written // MIB


def clone_repository(bench):
    """What is cloned: packed, complete, and the same for the whole run."""
    repository = bench.scratch / "repository"
    run(["git", "clone", "--quiet", "--bare", "--no-hardlinks", bench.options.repository,
         repository])
    return repository


def measure_steps(bench):
    steps = [step for step in STEPS if step.rows & set(bench.options.only)]
    if not steps:
        return
    sources = {"tree": bench.input / "tree", "random": bench.input / "random",
               "repository": clone_repository(bench)}
    for repetition in range(bench.options.repetitions):
        for system in WRITERS:
            if system not in bench.systems:
                continue
            say(f"writing, repetition {repetition + 1}: {system}")
            store = bench.scratch / "live"
            with opened(bench, system, store) as mount:
                measure_system(bench, system, store, mount, steps, sources)


def measure_system(bench, system, store, mount, steps, sources):
    for step in steps:
        settle()
        if step.source:
            warm(sources[step.source])
        if step.reads:
            warm(store)
        with mount() as at:
            place = Place(at, None if system == MEMFS else store, sources, bench.options)
            bench.record("ext4", system, step.work(place))
        if step.work is copy and system != MEMFS:
            os.sync()
            bench.record("ext4", system, {"live size tree": allocated(store)})


# --- A million files --------------------------------------------------------------------------

def measure_many_live(bench, directory):
    """A workspace of a million files and one of ten, both on tmpfs, as with sealed capsules."""
    many = 10_000 if bench.options.quick else 1_000_000
    stores = {"many": directory / "live-many", "ten": directory / "live-ten"}
    at = bench.mount_point
    for name, count in (("many", many), ("ten", 10)):
        say(f"a workspace of {count} files")
        stores[name].mkdir()
        make_workspace(bench, stores[name])
        with mounted(mount_workspace(bench, stores[name]), at, PATIENCE):
            start = time.monotonic()
            make_many(at, count)
            shell('sync -f "$1" && sync "$1"', at)
            bench.record("tmpfs", OURS, {f"live build {name}": time.monotonic() - start})
            done = run([bench.binaries / "capsule", "snapshot", "create", "first", "-w", at])
            bench.record("tmpfs", OURS, {f"live snapshot {name}": done.seconds})
            for kind, size in memory_of(drivers(at)).items():
                bench.record("tmpfs", OURS, {f"live build {name} {kind}": size})
    for _ in range(2 if bench.options.quick else 10):
        for name, store in stores.items():
            try:
                # Two commands from here and not a shell's, whose own start is no part of it.
                mounting = run(mount_workspace(bench, store)).seconds
                bench.record("tmpfs", OURS, {
                    f"live mount {name}": mounting,
                    f"live first ls {name}": mounting + run(["ls", at]).seconds})
            finally:
                unmount(at, False, PATIENCE)
    for _ in range(bench.options.repetitions):
        with mounted(mount_workspace(bench, stores["many"]), at, PATIENCE):
            bench.record("tmpfs", OURS, {"live find many": find_many(at, many)})
            for kind, size in memory_of(drivers(at)).items():
                bench.record("tmpfs", OURS, {f"live find many {kind}": size})


def measure(bench, tmpfs):
    """All that the rows of the write side ask for."""
    if "ext4" in bench.options.backing:
        measure_steps(bench)
    if set(ROWS_OF_MANY) & set(bench.options.only) and OURS in bench.systems:
        measure_many_live(bench, tmpfs)


# --- Bars -------------------------------------------------------------------------------------

def against(row, metric, level, sense, factor, system, other=None):
    return row, ("ext4",), metric, level, sense, factor, (None, system, other or metric)


# As in tools/bench. The bars of sealed capsules hold for reading; memfs stands for the empty FUSE.
BARS = [
    against("write", "write", "must", ">=", 1.2, "gocryptfs"),
    against("write", "write", "aim", ">=", 0.9, PLAIN),
    against("copy", "copy", "must", "<=", 0.65, "gocryptfs"),
    against("copy", "copy", "aim", "<=", 1.2, MEMFS),
    against("overwrite", "overwrite", "must", ">=", 0.8, "gocryptfs"),
    against("overwrite", "overwrite", "aim", ">=", 1, "gocryptfs"),
    against("files", "files", "must", "<=", 0.6, "gocryptfs"),
    against("files", "files", "aim", "<=", 1.2, MEMFS),
    against("git", "git clone", "must", "<=", 0.8, "gocryptfs"),
    against("git", "git clone", "aim", "<=", 1.2, MEMFS),
    against("git", "git status", "must", "<=", 0.8, "gocryptfs"),
    against("git", "git status", "aim", "<=", 1.2, MEMFS),
    against("live-sequential", "live sequential", "must", ">=", 1.5, "gocryptfs"),
    against("live-sequential", "live sequential", "aim", ">=", 1, "squashfuse_ll", "sequential"),
    against("live-sequential", "live sequential", "aim", ">=", 0.7, MEMFS),
    against("live-random", "live random", "must", ">=", 1, "gocryptfs"),
    against("live-random", "live random", "aim", ">=", 1, "securefs"),
    against("live-random", "live random", "aim", ">=", 1, "squashfs", "random"),
    against("live-find", "live find", "must", "<=", 0.6, "gocryptfs"),
    against("live-find", "live find", "aim", "<=", 1.15, MEMFS),
    against("live-tar", "live tar", "must", "<=", 0.8, "gocryptfs"),
    against("live-tar", "live tar", "aim", "<=", 1.15, MEMFS),
    against("live-size", "live size tree", "must", "<=", 0.6, "gocryptfs"),
    ("live-mount", ("tmpfs",), "live mount many", "must", "<=", 0.100, None),
    ("live-mount", ("tmpfs",), "live mount many", "aim", "<=", 0.020, None),
    ("live-memory", ("tmpfs",), "live find many VmHWM", "must", "<=", 192 * MIB, None),
]


def reasons_not_to_count(bench):
    """A ceiling that something is clearly above is none."""
    for metric, more_is_better in (("write", True), ("overwrite", True), ("copy", False),
                                   ("files", False), ("git clone", False), ("git status", False),
                                   ("live find", False), ("live tar", False)):
        ceiling = bench.median(("ext4", MEMFS, metric))
        for system in (OURS, "gocryptfs", "securefs"):
            other = bench.median(("ext4", system, metric))
            if ceiling and other and (1.1 * ceiling < other if more_is_better
                                      else ceiling > 1.1 * other):
                yield f"{metric} in {MEMFS} is {ceiling / other:.2f} x {system}"
