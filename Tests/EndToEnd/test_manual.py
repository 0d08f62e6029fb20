"""The manual pages say what the programs do: options both ways, and every example runs."""

import json
import os
import pathlib
import re

import support

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "man"
# Verbs that share a page.
SHARED = {"umount": "mount"}


def page_of(verb):
    """The page of a verb."""
    return MANUAL / f"capsule-{SHARED.get(verb, verb)}.1"


def options_in(page):
    """Long options that a page lists."""
    text = page.read_text().replace("\\-", "-")
    return set(re.findall(r"^\.It .*?Fl -([a-z][a-z0-9-]+)", text, re.M)) | set(
        re.findall(r"Fl -([a-z][a-z0-9-]+)", "\n".join(re.findall(r"^\.It .*$", text, re.M))))


class Manual(support.EndToEnd):
    """Pages against programs."""

    def verbs(self):
        """{verb: its long options}, with those of its subcommands."""
        dump = json.loads(self.run_command(["capsule", "--experimental-dump-help"]).stdout)

        def options(command):
            found = set()
            for argument in command.get("arguments", []):
                for name in argument.get("names", []):
                    if name["kind"] == "long":
                        found.add(name["name"])
            for child in command.get("subcommands", []):
                found |= options(child)
            return found - {"help", "version"}

        commands = dump["command"]["subcommands"]
        return {c["commandName"]: options(c) for c in commands if c["commandName"] != "help"}

    def test_options(self):
        """Every long option of every verb is in its page, and no other."""
        verbs = self.verbs()
        for page in {page_of(verb) for verb in verbs}:
            expected = set().union(
                *(options for verb, options in verbs.items() if page_of(verb) == page))
            with self.subTest(page=page.name):
                self.assertEqual(options_in(page) - {"help", "version"}, expected)

    def test_driver_options(self):
        """Every mount option that the driver's help names is in capsulefs(8)."""
        text = self.run_command(["capsulefs", "--help"]).stdout.decode()
        page = (MANUAL / "capsulefs.8").read_text().replace("\\-", "-")
        names = re.findall(r"\b([a-z][a-z_-]+)=[A-Z]", text) + [
            "allow_other", "default_permissions", "require-verified", "allow-suid", "allow-dev"]
        for name in names:
            with self.subTest(option=name):
                self.assertIn(name, page)

    def test_examples(self):
        """The lines that begin with `$ ` run, in order, without a terminal."""
        for page in sorted(MANUAL.glob("capsule*.1")):
            lines = re.findall(r"^\$ (.*)$", page.read_text(), re.M)
            box = self.path(page.stem)
            for name in ("folder/report.txt", "folder/data/table.csv"):
                support.write(f"{box}/{name}", b"some text\n" * 100)
            support.write(f"{box}/pass", b"a passphrase for examples\n")
            self.run_command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                              f"{box}/id_ed25519"])
            for line in lines:
                line = line.replace("\\e", "\\").replace("\\-", "-").replace("\\&", "")
                with self.subTest(page=page.name, line=line):
                    self.run_command(["sh", "-c", line], cwd=box)
            for mount in support.mounts_below(box):
                support.detach(mount)
                self.fail(f"{page.name} leaves {mount}")


if not os.path.isdir(MANUAL):
    raise SystemExit("the manual pages are not beside the tests")
