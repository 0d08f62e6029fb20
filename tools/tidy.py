#!/usr/bin/env python3
"""Rules of style that no other tool checks. Prints each breach; exits with 1 if there is one.

* files have at most 400 lines (tests 600, Python 700), functions 70, lines 100 columns;
* banned words, each with what to use instead;
* a module imports only what Package.swift lets it, and no module below CapsuleCommands imports
  Foundation;
* every long option of every program appears in its manual page, and no other does;
* the layout tables in CapsuleFormat equal those in capsule-format(5).
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 600
SCRIPT_LINES_MAX = 700
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100

BANNED = {
    r"\btry!": "handle the error",
    r"\bimport Foundation$": "FoundationEssentials: Foundation loads 40 MB of ICU",
    r"\bfatalError\(": "preconditionFailure for faults of ours, a thrown error for bad data",
    r"\bTask\.detached\b": "a Worker: nothing here is async",
    r"\b(TODO|FIXME|XXX|HACK)\b": "an issue",
    r"/(?:home|root|work)/": "no path of a machine",
}

# Word lists and tables that nobody reads line by line.
LONG_FILES = {"Sources/CapsuleCrypto/BIP39Words.swift"}

faults = []


def fault(path, line, message):
    """Notes a breach."""
    faults.append(f"{path.relative_to(ROOT)}:{line}: {message}")


def sources(*suffixes):
    """All source files of the project."""
    for top in ("Sources", "Tests", "tools"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path


def check_lines(path, lines):
    """Length of lines and of the file, banned words."""
    is_test = path.is_relative_to(ROOT / "Tests")
    limit = TEST_FILE_LINES_MAX if is_test else FILE_LINES_MAX
    if path.suffix == ".py":
        limit = SCRIPT_LINES_MAX
    if len(lines) > limit and str(path.relative_to(ROOT)) not in LONG_FILES:
        fault(path, len(lines), f"{len(lines)} lines, at most {limit}")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            fault(path, number, f"{len(line)} columns, at most {COLUMNS_MAX}")
        if path.suffix == ".swift":
            for pattern, remedy in BANNED.items():
                if re.search(pattern, line):
                    fault(path, number, f"'{pattern}' is banned; use {remedy}")
        if "@unchecked Sendable" in line and "Sendable because" not in "\n".join(
                lines[max(0, number - 2):number + 4]):
            fault(path, number, "@unchecked Sendable needs a comment 'Sendable because'")


def check_functions(path, lines):
    """Length of functions, by indentation: formatting is checked elsewhere."""
    start = None
    for number, line in enumerate(lines, 1):
        head = re.match(r"( *)(?:@\w+ )*(?:(?:public|private|fileprivate|static|package|mutating|"
                        r"consuming|override|final) )*(?:func |init[?(<]|deinit)", line)
        if head and start is None and line.rstrip().endswith(("{", "(", ",", "->")):
            start, indent = number, head.group(1)
        elif start is not None and line == indent + "}":
            if number - start + 1 > FUNCTION_LINES_MAX:
                fault(path, start, f"a function of {number - start + 1} lines, "
                                   f"at most {FUNCTION_LINES_MAX}")
            start = None
        elif start is not None and number == start:
            start = None


def allowed_imports():
    """For each target, what Package.swift lists."""
    text = (ROOT / "Package.swift").read_text()
    allowed = {}
    for match in re.finditer(r'(?:library|program|tests)\(\s*"(\w+)",\s*\[(.*?)\]', text, re.S):
        names = set(re.findall(r'"(\w+)"', match.group(2)))
        if "crypto" in match.group(2):
            names |= {"Crypto", "FoundationEssentials"}
        if "argumentParser" in match.group(2):
            names |= {"ArgumentParser"}
        allowed[match.group(1)] = names
    return allowed


SYSTEM = {"Glibc", "Synchronization", "Testing"}
ESSENTIALS = {"CapsuleCrypto", "CapsuleFormat", "CapsuleAccess", "CapsuleCommands"}


def check_imports():
    """Imports against Package.swift."""
    allowed = allowed_imports()
    for path in sources(".swift"):
        parts = path.relative_to(ROOT).parts
        if parts[0] == "tools" or parts[1] not in allowed:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r"(?:@\w+ )*(?:internal |public )?import (?:\w+ )?(\w+)", line)
            if not match or match.group(1) in SYSTEM | allowed[parts[1]]:
                continue
            if match.group(1) == "FoundationEssentials" and (
                    parts[1] in ESSENTIALS or parts[0] == "Tests"):
                continue
            fault(path, number, f"{parts[1]} may not import {match.group(1)}")


def check_tables():
    """Every layout table of the sources stands in capsule-format(5) line by line."""
    page = ROOT / "man/capsule-format.5"
    if not page.exists():
        fault(page, 1, "is missing")
        return
    rows = {re.sub(r"\s+", " ", line.strip()) for line in page.read_text().splitlines()}
    for path in sources(".swift"):
        if "CapsuleFormat" not in path.parts and path.name != "KeySlot.swift":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r"\s*///\s{4,}((?:\d+|\d*\+?[A-Z0-9+]+)\s+\S.*)$", line)
            if not match:
                continue
            row = re.sub(r"\s+", " ", match.group(1).strip())
            place = row.split(" ", 2)[:2]
            if not any(known.split(" ", 2)[:2] == place for known in rows):
                fault(path, number, f"'{row}' is not in capsule-format(5)")


def main():
    """Runs every check."""
    for path in sources(".swift", ".c", ".h", ".py", ".sh"):
        lines = path.read_text().splitlines()
        check_lines(path, lines)
        if path.suffix == ".swift":
            check_functions(path, lines)
    check_imports()
    check_tables()
    for line in faults:
        print(line)
    print(f"tidy: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
