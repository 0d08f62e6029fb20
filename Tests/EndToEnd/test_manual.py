"""The manual pages say what the programs do: options both ways, and every example runs."""

import json
import os
import pathlib
import re

import support

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANUAL = ROOT / "man"
# Verbs that share a page.
SHARED = {
    "umount": "mount", "exports": "gc", "pin": "gc", "unpin": "gc", "imports": "import"}


def page_of(verb):
    """The page of a verb."""
    return MANUAL / f"capsule-{SHARED.get(verb, verb)}.1"


def options_in(page):
    """Long options that a page lists."""
    text = page.read_text().replace("\\-", "-")
    return set(re.findall(r"^\.It .*?Fl -([a-z][a-z0-9-]+)", text, re.M)) | set(
        re.findall(r"Fl -([a-z][a-z0-9-]+)", "\n".join(re.findall(r"^\.It .*$", text, re.M))))


KINDS = {"usage": 1, "system": 2, "validation": 3}
# AccessError(_: FormatError), AccessError(_: MemvidError): the user named what is no capsule,
# or a wrong secret.
FORMAT_KINDS = {"not_a_capsule": 1, "wrong_secret": 1}
# How a code may be given other than as a literal; each is looked for below.
KNOWN_FORMS = {
    "code", "error.code.rawValue", "$0.code.rawValue", "code(of: error)",
    'isUsage ? "unusable_path" : "system"'}
DECLARATION = r"\b(?:let|var|func) |(?<!\.)\binit\("


def codes_in_sources():
    """{(error code, exit code)} of everything that the sources can report."""
    found, forms = set(), set()
    for path in sorted((ROOT / "Sources").rglob("*.swift")):
        text = path.read_text()
        for kind, code in re.findall(r"\.(\w+),\s*code:\s*\"(\w+)\"", text):
            found.add((code, KINDS[kind]))
        # RunError(_:_:_:) has no label.
        for kind, code in re.findall(r"\bRunError\(\s*\.(\w+),\s*\"(\w+)\"", text):
            found.add((code, KINDS[kind]))
        for line in text.splitlines():
            if not re.search(DECLARATION, line):
                forms |= set(re.findall(r"\bcode:\s*([^\s\"](?:[^,()]|\(.*?\))*)", line))
        found |= {(code, 3) for code in re.findall(r"\brefusal\(\s*\"(\w+)\"", text)}
        if path.name == "AccessError.swift":
            found |= {("unusable_path", 1), ("system", 2)}
        if path.name in ("FormatError.swift", "MemvidError.swift"):
            for code in re.findall(r"case \w+ = \"(\w+)\"", text):
                found.add((code, FORMAT_KINDS.get(code, 2)))
        if path.name == "Failure.swift":
            body = re.search(r"func code\(of.*?\n    }", text, re.S)[0]
            for name, code in re.findall(r"(?:case (\w+)|default): \"(\w+)\"", body):
                # Errors of a call have the exit code of the errno.
                found |= {(code, 1)} if name else {(code, 1), (code, 2)}
        if path.name == "VerifyResult.swift":
            found |= {(code, int(exit)) for exit, code in re.findall(r"\((\d), \"(\w+)\"", text)}
            found |= {(code, 3) for code in re.findall(r"\? \"(\w+)\" : nil", text)}
    return found, forms


def codes_in_manual():
    """{(error code, exit code)} of the list in capsule(1)."""
    text = (MANUAL / "capsule.1").read_text()
    listed = text.split(".Va error_code\ngives the reason:")[1].split(".El")[0]
    found = set()
    for item in re.split(r"^\.It ", listed, flags=re.M)[1:]:
        number, rest = item.split("\n", 1)
        found |= {(code, int(number)) for code in re.findall(r"^\.Va (\w+)", rest, re.M)}
    return found


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

    def test_error_codes(self):
        """The error codes of capsule(1) are those that the sources have, with their exit codes."""
        found, forms = codes_in_sources()
        self.assertLessEqual(forms, KNOWN_FORMS, "a code in a form that this test does not know")
        self.assertGreater(len(found), 30)
        self.assertEqual(codes_in_manual(), found)

    def test_event_types(self):
        """capsule-runs(7) has every type of event with its fields and their shapes."""
        shapes = {"string": "text", "boolean": "true or false", "integer": "whole number",
                  "number": "number", None: "anything"}

        def shape(schema):
            if "enum" in schema:
                return " , ".join(schema["enum"])
            if schema.get("type") == "array":
                return f"list of {shapes[schema['items']['type']]}s"
            return shapes[schema.get("type")]

        page = (MANUAL / "capsule-runs.7").read_text()
        listed = {}
        for item in re.split(r"^\.It ", page.split("\n.Sh EVENTS\n")[1].split("\n.El")[0],
                             flags=re.M)[1:]:
            name, rest = item.removeprefix("Va ").split("\n", 1)
            must, _, may = rest.partition("may have\n")
            listed[name] = tuple(
                {name: one or more for name, one, more in re.findall(
                    r"^\.Va (\w+) (?:Pq (.*?)|Po (.*) Pc)(?: [,;])?$", part, re.M)}
                for part in (must, may))
        found = {}
        for name in self.run_command(["capsule", "event", "schema"]).stdout.decode().split():
            schema = json.loads(self.run_command(["capsule", "event", "schema", name]).stdout)
            fields = {field: shape(kind) for field, kind in schema["properties"].items()}
            found[name] = tuple(
                {field: kind for field, kind in fields.items()
                 if (field in schema["required"]) == is_required} for is_required in (True, False))
        self.assertGreater(len(found), 19)
        self.assertEqual(listed, found)

    def test_shown_by(self):
        """Every test that capsule-runs(7) names for a decision is there."""
        text = (MANUAL / "capsule-runs.7").read_text()
        named = set(re.findall(r"^\.It D\d+ Ta (\S+)", text, re.M)) - {"none"}
        self.assertGreater(len(named), 5)
        for name in named:
            self.assertTrue((ROOT / "Tests" / "EndToEnd" / name).exists(), name)

    def test_settings(self):
        """capsule-config(1) has every setting with what holds without it."""
        values = json.loads(self.run_command(["capsule", "config", "--json"]).stdout)["settings"]
        page = (MANUAL / "capsule-config.1").read_text()
        listed = dict(re.findall(
            r"^\.It Va (\S+)\n(?:(?!\.It).*\n)*?Without the setting:\n\.Ql (.*) \.$", page, re.M))
        # One for each work item.
        self.assertEqual(listed.pop("specs.SPEC.high_risk"), "false")
        self.assertEqual(values.pop("specs.high_risk"), [])
        self.assertEqual(listed, {
            key: "none" if value == "" else json.dumps(value) for key, value in values.items()})

    def test_findings_of_doctor(self):
        """The names of the checks in capsule-doctor(1) are those of the sources."""
        verbs = ROOT / "Sources" / "CapsuleCommands" / "Verbs"
        found = set()
        for path in (*verbs.rglob("*Examination.swift"), verbs / "DoctorCommand.swift"):
            text = path.read_text()
            found |= set(re.findall(r"\badd\(\s*(?:\.\w+,\s*)?\"(\w+)\"", text))
        records = ROOT / "Sources" / "CapsuleRuns" / "RecordsExamination.swift"
        found |= set(re.findall(r"severity: \.\w+, check: \"(\w+)\"", records.read_text()))
        page = (MANUAL / "capsule-doctor.1").read_text()
        listed = page.split("The checks are\n")[1].split("\n.Sh")[0]
        self.assertEqual(set(re.findall(r"^\.Va (\w+)", listed, re.M)), found)

    def test_driver_options(self):
        """Every mount option that the driver's help names is in capsulefs(8)."""
        text = self.run_command(["capsulefs", "--help"]).stdout.decode()
        page = (MANUAL / "capsulefs.8").read_text().replace("\\-", "-")
        names = re.findall(r"\b([a-z][a-z_-]+)=[A-Z]", text) + [
            "allow_other", "default_permissions", "require-verified", "allow-suid", "allow-dev",
            "recover"]
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
                    if page == page_of("mount") and not support.HAS_FUSE:
                        self.skipTest(support.ON_MISSING_FUSE)
                    self.run_command(["sh", "-c", line], cwd=box)
            for mount in support.mounts_below(box):
                support.detach(mount)
                self.fail(f"{page.name} leaves {mount}")


if not os.path.isdir(MANUAL):
    raise SystemExit("the manual pages are not beside the tests")
