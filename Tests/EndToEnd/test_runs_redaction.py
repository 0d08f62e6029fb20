"""Safe exports: planted secrets and personal data, wherever they hide, do not leave."""

import base64
import gzip
import hashlib
import json
import os
import time
import urllib.parse

import support
from runs import CALL, ERROR, RunTest, forms, personal, secrets, word


class PlantedTest(RunTest):
    """A test with values that must not leave."""

    def setUp(self):
        super().setUp()
        self.planted = {**secrets(), **personal()}

    def shipped(self, *more, run="r1", name="x.mv2e"):
        """Exports; returns the folder of what has left."""
        return self.unpacked(self.export(name, *more, run=run)[0])

    def private_key(self):
        """A real key of many lines, made now."""
        return support.read(self.key("planted-key")).decode()


@support.needs_root
@support.needs_fuse
class InFiles(PlantedTest):
    """Artifacts and evidence."""

    def test_plain(self):
        """In a text among other words, in every track; equal values get equal placeholders."""
        self.begin()
        for kind, value in self.planted.items():
            self.put_text(f"a/{kind}.txt", f"first {value} and {value}.\n")
            self.put_text(f"b/{kind}.log", f"again: {value}\n", "--track", "evidence")
        out = self.shipped()
        self.nowhere(self.planted, out)
        text = support.read(f"{out}/artifacts/a/email.txt").decode()
        self.assertEqual(text, "first [EMAIL:1] and [EMAIL:1].\n")
        self.assertEqual(support.read(f"{out}/evidence/b/email.log"), b"again: [EMAIL:1]\n")
        counts = self.manifest(out)["export"]["redactions"]
        self.assertEqual(counts["EMAIL"], 3)
        self.assertFalse(any(value in json.dumps(self.manifest(out))
                             for value in self.planted.values()))

    def test_in_code(self):
        """In sources, settings and shell scripts, as people write them."""
        github, aws, email = (self.planted[key] for key in ("github", "aws", "email"))
        texts = {
            "a.py": f'TOKEN = "{github}"  # ask {email}\n', "b.env": f"export GH={github}\n",
            "c.json": json.dumps({"auth": {"token": github, "who": [email]}}),
            "d.yaml": f"aws:\n  access_key_id: {aws}\n", "e.xml": f"<k id='{aws}'>{github}</k>",
            "f.toml": f'key = """\n{github}\n"""\n', "g.csv": f"1,{email},{aws}\n",
            "h.diff": f"-old\n+curl -H 'Authorization: Bearer {github}' https://x.invalid\n",
            "i.md": f"[mail](mailto:{email}) `{aws}`\n", "j": f"\ufeff{github}\r\n{aws}\r\n",
            "k.tf": f'provider "aws" {{\n  access_key = "{aws}"\n}}\n'}
        self.begin()
        for name, text in texts.items():
            self.put_text(name, text)
        self.nowhere({"github": github, "aws": aws, "email": email}, self.shipped())

    def test_command_lines(self):
        """A password on a command line, as a setting's value, and in a container's environment."""
        value = word("password", 14)
        self.begin()
        for name, text in {
                "equals": f"mysql --user=root --password={value} db",
                "apart": f"mysql --password {value} db", "curl": f"curl -u bob:{value} x.invalid",
                "pairs": json.dumps([{"name": "DB_PASSWORD", "value": value}]),
                "list": json.dumps(["env", f"DB_PASSWORD={value}"]),
                "xml": f"<password>{value}</password>",
                "netrc": f"machine h.invalid login bob password {value}"}.items():
            self.put_text(name, text + "\n")
        out = self.shipped()
        found = [name for name, content in support.tree_bytes(f"{out}/artifacts").items()
                 if value.encode() in content]
        self.assertEqual(found, [])

    def test_encoded(self):
        """In base64, base64url, hex and percent-encoding, alone and within a line."""
        self.begin()
        values = {kind: self.planted[kind] for kind in ("aws", "github", "gitlab", "stripe",
                                                        "google", "slack")}
        for kind, value in values.items():
            raw = f'{{"token": "{value}", "x": 1}}'.encode()
            encodings = {
                "base64": base64.b64encode(raw), "url64": base64.urlsafe_b64encode(raw),
                "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode(),
                "percent": urllib.parse.quote(raw.decode()).encode(),
                "every-percent": b"".join(b"%%%02X" % byte for byte in raw),
                "lone64": base64.b64encode(value.encode()),
                "lonehex": value.encode().hex().encode()}
            for name, text in encodings.items():
                self.put_text(f"{kind}/{name}.txt", b"data=" + text + b"\n")
        out = self.shipped()
        for name, content in support.tree_bytes(out).items():
            if not name.startswith("artifacts"):
                continue
            kind, value = name.split("/")[1], values[name.split("/")[1]]
            with self.subTest(name):
                text = content.removeprefix(b"data=").strip()
                self.assertFalse(any(form in content for form in forms(value)))
                for decode in (base64.b64decode, base64.urlsafe_b64decode,
                               lambda text: bytes.fromhex(text.decode()),
                               urllib.parse.unquote_to_bytes):
                    try:
                        self.assertFalse(value.encode() in decode(text), kind)
                    except ValueError:
                        pass

    def test_wide(self):
        """In UTF-16 of either order, with a mark and without; what leaves is UTF-16 again."""
        self.begin()
        text = "".join(f"{kind}: {value}\r\n" for kind, value in self.planted.items())
        for name, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
            self.put_text(f"{name}.txt", mark + text.encode(name))
            self.put_text(f"{name}-bare.txt", text.encode(name))
        out = self.shipped()
        self.nowhere(self.planted, out)
        kept = support.read(f"{out}/artifacts/utf-16-le.txt")
        self.assertIn("email: [EMAIL:1]\r\n", kept.decode("utf-16"))

    def test_other_texts(self):
        """In a text that is no UTF-8, in one with a few odd bytes, in a very long line."""
        self.begin()
        values = " ".join(self.planted.values())
        self.put_text("latin1.txt", f"Grüße ä ö ü: {values}\n".encode("latin-1"))
        self.put_text("odd.txt", b"\xfe\x81\xfd\x81" * 3 + f"\n{values}\n".encode())
        self.put_text("nul-late.txt", b"x" * 100_000 + f"\n{values}\n".encode() + b"\0\0")
        self.put_text("long.txt", b"y " * 3_000_000 + values.encode() + b" z" * 3_000_000)
        self.nowhere(self.planted, self.shipped())

    def test_coloured(self):
        """In a log with colours, right between two escape sequences."""
        self.begin()
        self.put_text("ansi.log", "".join(
            f"\x1b[31m{value}\x1b[0m done \x1b[1;32m{value}\x1b[m\n"
            for value in self.planted.values()))
        for value in self.planted.values():
            self.add("ErrorEvent", {**ERROR, "message": f"\x1b[31m{value}\x1b[0m"})
        self.nowhere(self.planted, self.shipped())

    def test_false_mark(self):
        """A byte order mark before a text that is no UTF-16, or not to its end, hides nothing."""
        self.begin()
        values = "\n".join(self.planted.values()).encode()
        self.put_text("little.txt", b"\xff\xfe" + values)
        self.put_text("big.txt", b"\xfe\xff" + values)
        self.put_text("appended.txt", "begun by one program\r\n".encode("utf-16") + values)
        self.put_text("shifted.txt", "\ufeffx".encode("utf-16-le") + b"\n" + "\n".join(
            self.planted.values()).encode("utf-16-le"))
        self.nowhere(self.planted, self.shipped())

    def test_binary_tail(self):
        """A file that begins like a text and goes on as a binary is no way out."""
        self.begin()
        value = self.planted["github"].encode()
        self.put_text("mixed.txt", b"text\n" * 4000 + bytes(range(256)) * 100 + value
                      + bytes(range(256)) * 100)
        self.nowhere({"github": self.planted["github"]}, self.shipped())

    def test_archive_tail(self):
        """Nor is one that goes on as an archive, which cannot be scanned."""
        self.begin()
        packed = gzip.compress(b"z" * 99 + self.planted["github"].encode())
        self.put_text("packed.txt", b"text\n" * 4000 + packed)
        out = self.shipped()
        self.assertFalse(packed[10:40] in b"".join(support.tree_bytes(out).values()))

    def test_address_before_a_suffix(self):
        """An address is found when a dot and more letters follow it."""
        email = self.planted["email"]
        self.begin()
        self.put_text("a.txt", f"wrote {email}.txt, {email}.log, {email}.. and <{email}>.\n")
        self.nowhere({"email": email}, self.shipped())

    def test_key_of_many_lines(self):
        """A private key over many lines: as it is, indented, in JSON, in base64, with CRLF."""
        key = self.private_key()
        body = [line for line in key.splitlines() if not line.startswith("-")]
        self.begin()
        self.put_text("id", key)
        self.put_text("crlf.pem", key.replace("\n", "\r\n"))
        self.put_text("in.yaml", "key: |\n" + "".join(f"    {line}\n" for line in key.split("\n")))
        self.put_text("in.json", json.dumps({"key": key}))
        self.put_text("in.c", "".join(f'  "{line}\\n"\n' for line in key.splitlines()))
        self.put_text("in.b64", base64.b64encode(key.encode()))
        self.put_text("wrapped.b64", base64.encodebytes(key.encode()))
        self.add("ErrorEvent", {**ERROR, "stack_trace": f"at x\n{key}\nat y"})
        out = self.shipped()
        planted = {f"line {number}": line for number, line in enumerate(body)}
        self.nowhere(planted, out)
        for name in ("in.b64", "wrapped.b64"):
            text = support.read(f"{out}/artifacts/{name}")
            self.assertFalse(base64.b64encode(key.encode())[200:260] in text.replace(b"\n", b""))

    def test_policies(self):
        """A policy is masked, and nothing that leaves is a hash of what it said."""
        value = f"contact phone {personal()['phone']}\n".encode()
        policy = support.write(self.path("p.toml"), value)
        self.begin("r1", "--policy", policy)
        self.finish()
        out = self.unpacked(self.export("x.mv2e")[0])
        (name,) = os.listdir(f"{out}/policy")
        self.assertEqual(support.read(f"{out}/policy/{name}"), b"contact phone [PHONE:1]\n")
        everything = b"".join(support.tree_bytes(out).values()) + name.encode()
        for made in (hashlib.sha256, hashlib.blake2b, hashlib.sha1, hashlib.md5):
            for text in (value, value.strip()):
                self.assertNotIn(made(text).hexdigest().encode(), everything)

    def test_places_of_the_machine(self):
        """Where the workspace, its mount, the project and the home are does not leave in a text."""
        point = self.attach("timeline=0")
        home = self.env.get("HOME", os.environ.get("HOME", "/root"))
        self.begin(at=point)
        places = [self.ws, f"{self.ws}/x.db", point, f"{point}/runs", self.root, home,
                  f"{home}/.cache/thing"]
        self.put_text("log.txt", "".join(f"at {place}: {place},\n" for place in places), at=point)
        self.add("ErrorEvent", {**ERROR, "message": " ".join(places)}, at=point)
        for number, place in enumerate((f"file://{self.ws}/y", f"a={home};", "/usr/rootless")):
            self.put_text(f"n{number}.txt", place, at=point)
        self.finish(at=point)
        path, facts = self.export("x.mv2e", at=point, cwd=self.root)
        out = self.unpacked(path)
        self.assertGreater(facts["redactions"]["MACHINE_PATH"], 4)
        everything = b"".join(support.tree_bytes(out).values())
        for place in (self.ws, point, self.root):
            left = [name for name, text in support.tree_bytes(out).items()
                    if place.encode() in text]
            self.assertEqual(left, [], place)
        self.assertEqual(support.read(f"{out}/artifacts/n2.txt"), b"/usr/rootless")
        self.assertNotIn(home.encode() + b"/.cache", everything)
        self.umount(point)

    def test_links_and_attributes(self):
        """Link targets are masked; attributes and owners do not leave."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        place = f"{point}/runs/S1/r1/artifacts"
        value, home = self.planted["github"], self.planted["home"]
        os.symlink(f"{home}/x", f"{place}/to-home")
        os.symlink(f"../{value}", f"{place}/to-secret")
        support.write(f"{place}/file", b"x")
        os.setxattr(f"{place}/file", "user.note", value.encode())
        os.chown(f"{place}/file", 12345, 12345)
        out = self.unpacked(self.export("x.mv2e", at=point)[0])
        self.nowhere({"github": value, "home": home}, out)
        self.assertEqual(os.listxattr(f"{out}/artifacts/file"), [])
        self.assertNotEqual(os.stat(f"{out}/artifacts/file").st_uid, 12345)
        self.umount(point)

    def test_policies(self):
        """A policy is masked, and its stored hash is no way back to what was masked."""
        value = self.planted["github"]
        policy = support.write(self.path("p.toml"), f'token = "{value}"\n')
        self.begin("r1", "--policy", policy)
        out = self.shipped()
        self.nowhere({"github": value}, out)
        self.assertEqual(len(os.listdir(f"{out}/policy")), 1)

    def test_own_rules(self):
        """Rules of the user's in gitleaks' schema are used; bad ones are an error."""
        rules = support.write(self.path("rules.toml"), """
title = "ours"
[extend]
useDefault = true
[[rules]]
id = "badge"
description = "badge numbers"
regex = '''badge-[0-9]{6}'''
keywords = ["badge-"]
[[rules.allowlists]]
regexes = ['''badge-000000''']
""")
        self.config(f'[capsule.export]\nrules = "{rules}"\n')
        self.begin()
        self.put_text("a.txt", f"badge-123456 badge-000000 {self.planted['github']}\n")
        out = self.shipped()
        text = support.read(f"{out}/artifacts/a.txt").decode()
        self.assertNotIn("badge-123456", text)
        self.assertIn("badge-000000", text)
        support.write(rules, "[[rules]]\nid = 'x'\nregex = '('\n")
        self.export("y.mv2e", rc=1)
        self.config('[capsule.export]\nrules = "none.toml"\n')
        self.export("y.mv2e", rc=1)
        self.assertFalse(os.path.exists(self.path("y.mv2e")))


@support.needs_root
@support.needs_fuse
class InEvents(PlantedTest):
    """Events, their keys and what is around them."""

    def test_everywhere(self):
        """As a value, a key, in lists, numbers and texts that hold JSON; of every type."""
        everything = " ; ".join(self.planted.values())
        self.begin("r1", "--capture", "full_io")
        for value in [everything, *self.planted.values()]:
            nested = {"more": {value: [value, {"deep": value}]}, value: 1}
            inner = json.dumps({"token": value, "list": [value]})
            self.add_lines([
                ("ErrorEvent", {**ERROR, "message": value, "stack_trace": inner,
                                "component": json.dumps(inner), **nested}),
                ("RetrievalRequest", {"request_id": value, "query": value, "source": "capsule",
                                      "config": nested}),
                ("RetrievalResponse", {"request_id": "q", "hit_uris": [f"mv2://w/{value}"],
                                       "explainability": nested, "error": value}),
                ("GateDecision", {"gate_name": value, "outcome": "Pass", "stage": "Plan",
                                  "blocking": False, "reason": value, "details": nested}),
                ("ModelCallEnvelope", {**CALL, "prompt": value, "response": inner}),
                ("BranchMerged", {"from_branch": value, "to_branch": "m", "mode": "full",
                                  "merge_checkpoint_id": value, "uris_merged": 0,
                                  "events_merged": 0})])
        self.mark("c")
        self.finish()
        out = self.shipped("--include", "model-io")
        self.nowhere(self.planted, out)
        rows = self.exported_events(out)
        self.assertEqual(len(rows), 6 * (1 + len(self.planted)))
        self.assertEqual(len(self.exported_events(f"{out}/as-of/c")), len(rows))

    def test_encoded(self):
        """In base64, hex and percent-encoding within a text of an event, and with escapes."""
        values = {kind: self.planted[kind] for kind in ("aws", "github", "stripe")}
        self.begin()
        for value in values.values():
            raw = f"token={value}&x=1".encode()
            for text in (base64.b64encode(raw).decode(), raw.hex(),
                         urllib.parse.quote(raw.decode(), safe=""),
                         "data:text/plain;base64," + base64.b64encode(raw).decode()):
                self.add("ErrorEvent", {**ERROR, "message": f"sent {text} to them"})
            escaped = "".join(f"\\u{ord(letter):04x}" for letter in value)
            body = json.dumps({**ERROR, "message": "HERE"}).replace("HERE", f"see {escaped}")
            self.add("ErrorEvent", body.encode())
        out = self.shipped()
        self.nowhere(values, out)
        for row in self.exported_events(out):
            for text in row["payload"]["message"].split():
                for decode in (base64.b64decode, bytes.fromhex, urllib.parse.unquote_to_bytes):
                    try:
                        found = decode(text.rsplit(",", 1)[-1])
                    except ValueError:
                        continue
                    for kind, value in values.items():
                        self.assertFalse(value.encode() in found, kind)

    def test_number(self):
        """A card's number as a JSON number, and one that is split over two fields' names."""
        digits = self.planted["card"].replace(" ", "")
        self.begin()
        self.add("ErrorEvent", {**ERROR, "card": int(digits), "cards": [int(digits)]})
        out = self.shipped()
        self.assertFalse(digits in json.dumps(self.exported_events(out)))

    def test_assigned(self):
        """A field whose name says that it is a password gives nothing away."""
        value = "Tr0ub4dor" + "&3xKq9" + "vTz"
        self.begin()
        self.add("ErrorEvent", {**ERROR, "password": value, "db_password": value,
                                "message": f"login with password={value} failed",
                                "url": f"postgres://svc:{value.replace('&', '')}@db.invalid/x"})
        out = self.shipped()
        self.nowhere({"password": value, "in url": value.replace("&", "")}, out)

    def test_stage_and_commit(self):
        """A commit's hash is no secret, and stays what it is in checkpoints."""
        commit = "d9822ac5" + "0f4be1c7a93e62b8" + "5d3017fe29c84ab6"
        self.begin()
        self.add("GateDecision", None, "--stage", "Unlock")
        self.mark("one", "--commit", commit, "--stage", "Plan")
        out = self.shipped()
        point = json.loads(support.read(f"{out}/checkpoints/one.json"))
        self.assertEqual((point["commit_hash"], point["stage"]), (commit, "Plan"))
        self.assertEqual(self.exported_events(out)[0]["stage"], "Unlock")

    def test_harmless(self):
        """What is no secret stays as it is: ids, hashes, versions, times, URIs, plain code."""
        text = ("run 20261121-195428-ab12 took 12.5 s at 2026-11-21T19:54:28Z\n"
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
                "version 1.22.333 of libfoo-dev_4.5.6-7ubuntu8\n"
                "for (int i = 0; i < count; i++) token = next(tokens[i]);\n"
                "see mv2://0123456789abcdef0123456789abcdef/S1/r1/artifact/log.txt\n")
        self.begin()
        self.put_text("log.txt", text)
        self.add("ErrorEvent", {**ERROR, "message": text})
        out = self.shipped()
        self.assertEqual(support.read(f"{out}/artifacts/log.txt").decode(), text)
        self.assertEqual(self.exported_events(out)[0]["payload"]["message"], text)

    def test_hostile(self):
        """Texts that stall a backtracking engine do not stall an export."""
        self.begin()
        for number, text in enumerate((
                "a" * 3_000_000 + "!", "@" * 1_000_000, "a.a" * 700_000 + "@",
                "AKIA" * 500_000, "%41" * 700_000, "QUtJ" * 500_000, "4" * 2_000_000,
                "-----BEGIN " * 200_000, "password=" * 200_000, ":" * 1_000_000,
                '{"a":' * 100_000, "/ho" * 10 + "me/" * 500_000)):
            self.put_text(f"{number}.txt", text)
        start = time.monotonic()
        self.shipped()
        self.assertLess(time.monotonic() - start, 45)


@support.needs_root
@support.needs_fuse
class Names(PlantedTest):
    """Names are parts of URIs, which do not change."""

    def refused(self, *more, run="r1", name="x.mv2e"):
        """Demands that the export fails, says what to do, gives nothing away, and leaves none."""
        path, (code, message) = self.export(name, *more, run=run, rc=3)
        self.assertEqual(code, "secret_in_name")
        self.assertRegex(message, "another name|--unsafe")
        for value in self.planted.values():
            self.assertFalse(value in message)
        self.assertFalse(os.path.lexists(path))
        return message

    def test_of_files(self):
        """A secret or an address in the name of a file or a folder fails the export."""
        for number, name in enumerate((
                f"dump-{self.planted['github']}.txt", f"{self.planted['aws']}/log.txt",
                f"mail of {self.planted['email']}.txt", f"deep/{self.planted['gitlab']}",
                base64.urlsafe_b64encode(self.planted["github"].encode()).decode() + ".txt")):
            run = f"r{number}"
            self.begin(run)
            self.put_text(name, b"x", run=run)
            self.mark("c", run=run)
            with self.subTest(number):
                self.export(f"u{number}.mv2e", "--unsafe", run=run)
                self.refused(name=f"{number}.mv2e", run=run)
                self.refused("--no-encrypt", name=f"{number}.mv2", run=run)

    def test_of_checkpoints(self):
        """So does one in a checkpoint's label."""
        self.begin()
        self.mark(self.planted["aws"])
        self.refused()

    def test_of_runs(self):
        """So does one in the id of the run or the work item, which is in every URI."""
        for number, (spec, run) in enumerate((
                ("S1", self.planted["aws"]), (self.planted["github"][:64], f"r{1}"))):
            self.begin(run, spec=spec)
            self.add("ErrorEvent", run=run, spec=spec)
            with self.subTest(number):
                path = self.path(f"{number}.mv2e")
                words = ["export", "-r", run, "-o", path, *self.new_pw, *self.named]
                code, message = self.error_of(*words, rc=3)
                self.assertEqual(code, "secret_in_name")
                self.assertFalse(os.path.lexists(path))

    def test_removed_before_the_end(self):
        """A name that is only in an earlier checkpoint counts, too."""
        point = self.attach("timeline=0")
        self.begin(at=point)
        path = support.write(
            f"{point}/runs/S1/r1/artifacts/{self.planted['github']}.txt", b"x")
        self.mark("c", at=point)
        os.remove(path)
        self.finish(at=point)
        self.umount(point)
        self.refused()


@support.needs_root
@support.needs_fuse
class Preview(PlantedTest):
    """--preview and --explain."""

    def test_writes_nothing(self):
        """It shows kinds and counts and never values, and writes nothing anywhere."""
        self.begin()
        self.put_text("a.txt", " ".join(self.planted.values()))
        self.put_text("b.bin", bytes(range(256)))
        self.add("ModelCallEnvelope")
        self.finish()
        work = self.path("work")
        os.mkdir(work)
        before, kinds = self.stored(), self.kinds()
        for more in ([], ["--explain"], ["--no-encrypt"], ["-o", self.path("x.mv2e")]):
            text = self.capsule("export", "-r", "r1", "--preview", *more, *self.named,
                                cwd=work).stdout.decode()
            self.assertRegex(text, r"masked +EMAIL +1")
            self.assertRegex(text, r"stays +unscannable +1")
            self.assertEqual("--include model-io" in text, "--explain" in more)
            for value in self.planted.values():
                self.assertFalse(value in text)
        found = self.facts("export", "-r", "r1", "--preview")
        self.assertEqual(os.listdir(work), [])
        self.assertFalse(os.path.exists(self.path("x.mv2e")))
        self.assertEqual([kind for kind in self.kinds() if kind != "workspace.opened"],
                         [kind for kind in kinds if kind != "workspace.opened"])
        facts = self.export("x.mv2e")[1]
        for key in ("included_tracks", "redactions", "withheld"):
            self.assertEqual(found[key], facts[key])
        self.assertNotEqual(before, {})
        self.capsule("export", "-r", "r1", "--explain", *self.named, rc=1)

    def test_unsafe(self):
        """--unsafe masks nothing and says so everywhere."""
        self.begin("r1", "--capture", "full_io")
        text = " ".join(self.planted.values())
        self.put_text("a.txt", text)
        self.add("DebugTrace", {"text": text})
        path, facts = self.export("x.mv2e", "--unsafe")
        out = self.unpacked(path)
        self.assertEqual(support.read(f"{out}/artifacts/a.txt").decode(), text)
        self.assertEqual(self.exported_events(out), self.lines())
        self.assertFalse(facts["safe_mode"])
        self.assertFalse(self.manifest(out)["export"]["safe_mode"])
        self.assertFalse(self.of_kind("export.CapsuleExported")[0]["safe_mode"])
        self.capsule("export", "-r", "r1", "--safe", "--unsafe", *self.named, rc=1)


if __name__ == "__main__":
    import unittest

    unittest.main()
