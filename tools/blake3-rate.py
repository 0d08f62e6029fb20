#!/usr/bin/env python3
"""Compares the rate of Sources/CBlake3 with that of PyPI's blake3 package, one thread each.

Compiles the C sources with clang into a temporary directory together with a small timing loop,
then prints gigabytes a second for each kernel the processor has and each input size. The package
picks its fastest kernel, so the ratio that counts is the one of the last line.

The package's time is given net of what an empty hash through Python takes, which favours the
package a little: that time includes one compression. The raw rate is printed beside it.

usage: blake3-rate.py [--clang PATH] [--seconds S]     (needs: pip install blake3)
"""

import argparse
import ctypes
import pathlib
import subprocess
import sys
import tempfile
import time

SIZES = (16 * 1024, 32 * 1024 + 16, 64 * 1024, 128 * 1024)
KERNEL_COUNT = 5
SOURCES = pathlib.Path(__file__).resolve().parent.parent / "Sources" / "CBlake3"

# The loop is compiled too, as a call through ctypes takes as long as a few kilobytes of hashing.
TIMING_LOOP = r"""
#include "CBlake3.h"
#include <time.h>

// Seconds for `rounds` hashes of one block of `size` bytes followed by one of `suffix` bytes.
double time_hashes(const unsigned char *data, size_t size, size_t suffix, long rounds) {
    struct timespec start, end;
    unsigned char out[32];
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (long i = 0; i < rounds; i++) {
        cblake3_hasher hasher;
        cblake3_init(&hasher);
        cblake3_update(&hasher, data, size);
        cblake3_update(&hasher, data, suffix);
        cblake3_finalize(&hasher, out, sizeof out);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
}
"""


def build(clang, directory):
    loop = pathlib.Path(directory) / "time_hashes.c"
    loop.write_text(TIMING_LOOP)
    library = pathlib.Path(directory) / "libcblake3.so"
    sources = sorted(str(path) for path in SOURCES.glob("*.c"))
    subprocess.run(
        [clang, "-std=gnu11", "-O2", "-fPIC", "-shared", "-I", str(SOURCES / "include"),
         "-o", str(library), str(loop), *sources],
        check=True,
    )
    loaded = ctypes.CDLL(str(library))
    loaded.time_hashes.restype = ctypes.c_double
    loaded.time_hashes.argtypes = (
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_long)
    loaded.cblake3_kernel_name.restype = ctypes.c_char_p
    return loaded


def best_time(run, seconds):
    """Shortest time of one hash over several short batches; `run(n)` times n hashes."""
    count = 1
    while run(count) < 0.002:
        count *= 2
    shortest = float("inf")
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        shortest = min(shortest, run(count) / count)
    return shortest


def package_runner(blake3, data):
    def run(count):
        start = time.perf_counter()
        for _ in range(count):
            blake3(data).digest()
        return time.perf_counter() - start
    return run


def main():
    parser = argparse.ArgumentParser(description="CBlake3 against PyPI's blake3")
    parser.add_argument("--clang", default="clang", help="the compiler to build with")
    parser.add_argument("--seconds", type=float, default=0.5, help="time for each number")
    options = parser.parse_args()
    try:
        from blake3 import blake3
    except ImportError:
        sys.exit("blake3-rate.py: the Python module blake3 is not installed")

    with tempfile.TemporaryDirectory() as directory:
        library = build(options.clang, directory)
        inputs = {size: bytes(i % 251 for i in range(size)) for size in SIZES}
        print("GB/s".ljust(22) + "".join(f"{size:>16}" for size in SIZES))

        empty = best_time(package_runner(blake3, b""), options.seconds)
        raw, net = [], []
        for size in SIZES:
            taken = best_time(package_runner(blake3, inputs[size]), options.seconds)
            raw.append(size / taken / 1e9)
            net.append(size / (taken - empty) / 1e9)
        print("package, raw".ljust(22) + "".join(f"{rate:16.2f}" for rate in raw))
        print("package, net".ljust(22) + "".join(f"{rate:16.2f}" for rate in net))

        for kernel in range(KERNEL_COUNT):
            if not library.cblake3_select_kernel(kernel):
                continue
            name = library.cblake3_kernel_name(kernel).decode()
            for suffix in (0, 16):
                cells = ""
                for size, package_rate in zip(SIZES, net):
                    data = inputs[size]
                    taken = best_time(
                        lambda count: library.time_hashes(data, size, suffix, count),
                        options.seconds)
                    rate = size / taken / 1e9
                    cells += f"{rate:9.2f} ({rate / package_rate:4.2f})"
                label = name if suffix == 0 else f"{name}, +{suffix} bytes"
                print(label.ljust(22) + cells)


if __name__ == "__main__":
    main()
