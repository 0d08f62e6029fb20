"""Search, golden queries and replay: the same results here, later, and on the other machine."""

import json
import os
import re

import support
from runs import ERROR, ExportTest, personal, secrets, word

QUERIES = {"first": "alpha gamma3", "rare": "omega", "common": "delta words", "none": "nowhere",
           "mail": "wrote " + personal()["email"]}


class SearchTest(ExportTest):
    """A test with documents to be found."""

    def documents(self, run="r1", at=None):
        """A run with some texts; golden queries; ended."""
        self.begin(run, at=at)
        for number in range(1, 7):
            self.put_text(f"g/{number}.txt", f"alpha beta{number} gamma{number} delta words\n"
                          * number, run=run, at=at)
        self.put_text("late.txt", f"omega wrote {personal()['email']} and "
                      f"{secrets()['github']}\n", "--track", "evidence", run=run, at=at)
        self.add("ErrorEvent", {**ERROR, "message": "alpha failed in gamma3"}, run=run, at=at)
        self.mark("one", run=run, at=at)
        self.add("DebugTrace", {"note": "alpha gamma3 delta"}, run=run, at=at)
        self.finish(run, at=at)

    def golden(self, at=None):
        """Adds the queries."""
        for name, query in QUERIES.items():
            self.verb("golden", "add", "-r", "r1", name, query, at=at)

    def hits(self, *words, at=None):
        """[(uri, score)] of a search."""
        return [(hit["uri"], hit["score"])
                for hit in self.facts("search", *words, at=at)["hits"]]

    def same(self, one, two):
        """Demands the same URIs in the same order, with scores that differ by 1e-6 at most."""
        self.assertEqual([uri for uri, _ in one], [uri for uri, _ in two])
        for (uri, first), (_, second) in zip(one, two):
            self.assertLessEqual(abs(first - second), 1e-6, uri)


@support.needs_root
@support.needs_fuse
class Search(SearchTest):
    """capsule search."""

    def test_order(self):
        """Best first; what is equal goes by its URI, in whatever order it was recorded."""
        self.begin()
        for name in ("c", "a", "d", "b"):
            self.put_text(f"{name}.txt", b"equal words\n")
        self.put_text("z.txt", b"equal words words words\n")
        self.finish()
        found = self.hits("words")
        self.assertEqual([uri.rsplit("/", 1)[1] for uri, _ in found],
                         ["z.txt", "a.txt", "b.txt", "c.txt", "d.txt"])
        scores = [score for _, score in found]
        self.assertEqual(scores, sorted(scores, reverse=True))

    def test_later(self):
        """Scores do not depend on the clock, nor on a mount."""
        self.documents()
        before = self.hits("alpha", "gamma3")
        self.assertGreater(len(before), 3)
        self.env["SOURCE_DATE_EPOCH"] = "4000000000"
        point = self.attach("timeline=0")
        self.same(before, self.hits("alpha", "gamma3", at=point))
        self.umount(point)

    def test_as_of(self):
        """At a checkpoint, what came later is not there."""
        self.documents()
        self.assertEqual(len(self.hits("debugtrace")), 1)
        self.assertEqual(self.hits("debugtrace", "--as-of", "one"), [])
        self.verb("search", "alpha", "--as-of", "none", rc=None)

    def test_filters(self):
        """--run, --type, --limit; bad values are errors of the user's."""
        self.documents("r1")
        self.documents("r10")
        for uri, _ in self.hits("alpha", "-r", "r1", "-n", "100"):
            self.assertIn("/S1/r1/", uri)
        for kind in ("event", "artifact"):
            found = self.hits("alpha", "--type", kind)
            self.assertTrue(all(f"/{kind}/" in uri for uri, _ in found))
        self.assertEqual(len(self.hits("alpha", "-n", "2")), 2)
        for words in (["-n", "-1"], ["-n", "x"], ["--type", "nonsense"]):
            self.verb("search", "alpha", *words, rc=1)

    def test_hostile(self):
        """Words that mean something to a query language mean nothing."""
        self.documents()
        for query in ('"', "alpha\"", "alpha*", "NEAR(alpha beta)", "text:alpha", "-alpha", "NOT",
                      "alpha AND", "(alpha", "' OR 1=1 --", "^alpha", "{a b}: c", "%", "\\", "ä",
                      "\u202e", "x" * 100_000, "alpha " * 5000, "*", ".", "a.b.c", "+"):
            with self.subTest(query[:20]):
                result = self.capsule("search", *self.named, "--", query, rc=None)
                self.assertIn(result.returncode, (0, 1), result.stderr[:200])
                self.assertNotIn(b"SQL", result.stderr)
                self.assertNotIn(b"syntax", result.stderr)

    def test_masked(self):
        """Snippets mask; --raw shows, and is logged."""
        self.documents()
        for words in ([], ["--json"]):
            text = self.verb("search", "omega", *words)
            self.assertFalse(secrets()["github"] in text)
            self.assertFalse(personal()["email"] in text)
        before = len(self.events())
        self.assertTrue(secrets()["github"] in self.verb("search", "omega", "--raw"))
        self.assertGreater(len(self.events()), before)

    def test_masked_names(self):
        """So does a name that is a secret, wherever a URI of it is shown."""
        value = secrets()["github"]
        self.begin()
        self.put_text(f"{value}.txt", "zeta zeta\n")
        self.add("RetrievalRequest", {"request_id": "q", "query": "zeta", "source": "capsule"})
        uri = self.verb("search", "zeta", "--raw").split()[1]
        self.assertTrue(value in uri)
        self.add("RetrievalResponse", {"request_id": "q", "hit_uris": [uri]})
        self.verb("golden", "add", "-r", "r1", "q", "zeta")
        for words in (["search", "zeta"], ["search", "zeta", "--json"], ["replay", "run", "r1"],
                      ["replay", "run", "r1", "--json"], ["golden", "list", "--json"]):
            with self.subTest(words):
                text = self.verb(*words)
                self.assertTrue("zeta" in text or "r1" in text)
                self.assertFalse(value in text)

    def test_turned_off(self):
        """features.search = false turns it off, and every other verb that searches."""
        self.documents()
        self.golden()
        self.config("[features]\nsearch = false\n")
        for words in (["search", "alpha"], ["golden", "run", "r1"], ["replay", "run", "r1"],
                      ["golden", "compare", "r1", "r1"],
                      ["golden", "add", "-r", "r1", "more", "alpha"]):
            with self.subTest(words):
                code, message = self.error_of(*words, *self.named, rc=1)
                self.assertEqual(code, "turned_off")
        self.verb("golden", "list")
        self.verb("golden", "remove", "-r", "r1", "first")

    def test_nothing_of_the_name(self):
        """A run or a work item that is not there is an error that names it, not an empty list."""
        self.documents()
        path, _ = self.export("x.mv2e")
        for words, name in ((["-r", "NOPE"], "NOPE"), (["-s", "NIX"], "NIX"),
                            (["-s", "NIX", "-r", "r1"], "NIX"),
                            (["--in", path, "-r", "NOPE", "--passphrase-file", self.pw], "NOPE")):
            with self.subTest(words):
                code, message = self.error_of("search", "alpha", *words, *self.named, rc=1)
                self.assertEqual(code, "unknown_run")
                self.assertIn(name, message)
        self.assertNotEqual(self.hits("alpha", "-s", "S1", "-r", "r1"), [])
        self.assertEqual(self.hits("nowhere", "-s", "S1", "-r", "r1"), [])

    def test_snippets(self):
        """What is shown is the text as it was written, whatever it looks like."""
        self.begin()
        self.put_text("a.txt", "zeta unmaskedABC maskedTOKEN42 maskedEMAIL\n")
        self.put_text("b.txt", "eta /home/[HOME_DIRECTORY:1]/x [EMAIL:7] [X:y]\n")
        self.finish()
        for more in ([], ["--raw"]):
            for word, text in (("zeta", "zeta unmaskedABC maskedTOKEN42 maskedEMAIL"),
                               ("eta", "eta /home/[HOME_DIRECTORY:1]/x [EMAIL:7] [X:y]")):
                (hit,) = self.facts("search", word, *more)["hits"]
                self.assertEqual(hit["snippet"].strip(), text)
        # A placeholder is one word for its kind.
        found = [uri.rsplit("/", 1)[1] for uri, _ in self.hits("[EMAIL:1]")]
        self.assertEqual(found, ["b.txt"])

    def test_part_of_a_secret(self):
        """A part of a text does not show what the whole text would not."""
        body = "\n".join(word(f"pem{line}", 64) for line in range(80))
        key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n"
        self.begin()
        self.put_text("a.txt", f"zeta\n{key}")
        self.finish()
        middle = body.split("\n")[40]
        text = self.verb("search", middle)
        self.assertIn("a.txt", text)
        for line in body.split("\n"):
            self.assertFalse(line in text)


@support.needs_root
@support.needs_fuse
class Origins(SearchTest):
    """Whose document a hit is."""

    def forged(self, name="forged.mv2e"):
        """A capsule that calls itself a run of the workspace, with an artifact of its own."""
        folder = self.path(f"folder-{name}")
        support.write(f"{folder}/manifest.json", json.dumps({
            "schema_version": 1, "workspace_id": self.origin(), "spec_id": "S1", "run_id": "r1",
            "checkpoints": []}))
        support.write(f"{folder}/artifacts/a.txt", b"alpha beta\n")
        return self.seal(folder, name)

    def test_shown(self):
        """Each hit says which import, or which file, it is of; equal ones go by that."""
        self.begin()
        self.put_text("a.txt", b"alpha beta\n")
        self.finish()
        capsule = self.forged()
        for name in ("zz", "forged"):
            self.verb("import", capsule, "--passphrase-file", self.pw, "--mount-as", name)
        hits = [hit for hit in self.facts("search", "alpha")["hits"]
                if hit["uri"].endswith("/artifact/a.txt")]
        self.assertEqual(len({(hit["uri"], hit["score"]) for hit in hits}), 1)
        self.assertEqual([hit.get("in") for hit in hits], [None, "forged", "zz"])
        lines = [line for line in self.verb("search", "alpha").split("\n") if "/a.txt" in line]
        self.assertEqual([line.split("a.txt")[1].split() for line in lines],
                         [[], ["in", "forged"], ["in", "zz"]])
        (hit, *_) = self.facts("search", "alpha", "--in", "zz")["hits"]
        self.assertEqual(hit["in"], "zz")
        hits = self.facts("search", "alpha", "--in", capsule, "--passphrase-file", self.pw)["hits"]
        self.assertEqual({hit["in"] for hit in hits}, {capsule})
        shares = [hit["words"] for hit in self.facts("search", "alpha", "--explain")["hits"]
                  if hit["uri"].endswith("/artifact/a.txt")]
        self.assertEqual(len(shares), 3)
        self.assertTrue(all(row["alpha"] > 0 for row in shares))


@support.needs_root
@support.needs_fuse
class Golden(SearchTest):
    """capsule golden, and its way to the other machine."""

    def test_agree(self):
        """What the export sealed is what the import finds: URIs, order, scores."""
        self.documents()
        self.golden()
        path, facts = self.export("x.mv2e")
        self.assertIn("first", facts["golden_changed_by_scope"])
        out = self.unpacked(path)
        sealed = {row["name"]: row for row in json.loads(support.read(f"{out}/golden.json"))}
        self.assertEqual(set(sealed), set(QUERIES))
        machine = self.machine_b()
        machine.take(path)
        shown = machine.facts("imports", "show", "S1-r1")
        (check,) = [row for row in shown["checks"] if row["check"] == "golden"]
        self.assertEqual(check["result"], "ok")
        machine.run("golden", "run", "S1-r1")
        for name, row in sealed.items():
            found = machine.facts("search", row["query"], "--in", "S1-r1")["hits"]
            with self.subTest(name):
                self.same([(hit["uri"], hit["score"]) for hit in row["results"]],
                          [(hit["uri"], hit["score"]) for hit in found])
        self.assertNotEqual(sealed["first"]["results"], [])
        self.assertNotEqual(sealed["rare"]["results"], [])
        self.nowhere({**secrets(), **personal()}, out)

    def test_changed(self):
        """A capsule whose results are not what it says is taken with a warning."""
        self.documents()
        self.golden()
        out = self.unpacked(self.export("x.mv2e")[0])
        text = support.read(f"{out}/golden.json").decode()
        os.chmod(f"{out}/golden.json", 0o644)
        support.write(f"{out}/golden.json", re.sub(r'"score":(\d)\.', r'"score":9\1.', text))
        machine = self.machine_b()
        machine.take(self.seal(out, "changed.mv2e"))
        shown = machine.facts("imports", "show", "S1-r1")
        self.assertEqual([row["result"] for row in shown["checks"] if row["check"] == "golden"],
                         ["warning"])
        machine.run("golden", "run", "S1-r1", rc=3)

    def test_nonsense(self):
        """Nonsense in golden.json is no crash: a warning, or a refusal."""
        self.documents()
        out = self.unpacked(self.export("x.mv2e")[0])
        machine = self.machine_b()
        for number, text in enumerate((
                b"", b"nonsense", b"{}", b"[1]", b'[{"name":1}]', b'[{"query":"x"}]',
                b'[{"name":"n","query":"\\"*","expected":[],"results":[{"uri":1,"score":"x"}]}]',
                b'[{"name":"n","query":"x","expected":["a"],"results":[],"as_of":"../x"}]')):
            if os.path.exists(f"{out}/golden.json"):
                os.remove(f"{out}/golden.json")
            support.write(f"{out}/golden.json", text)
            with self.subTest(number):
                result = machine.take(self.seal(out, f"n{number}.mv2e"), "--mount-as",
                                      f"n{number}", rc=None)
                self.assertIn(result.returncode, (0, 1, 2, 3))
        machine.run("imports", "verify")

    def test_stalling(self):
        """A capsule's golden query that says one word very often does not stall its import."""
        self.documents()
        self.golden()
        out = self.unpacked(self.export("x.mv2e")[0])
        rows = json.loads(support.read(f"{out}/golden.json"))
        rows[0]["query"] = "alpha " * 12_000
        os.remove(f"{out}/golden.json")
        support.write(f"{out}/golden.json", json.dumps(rows))
        machine = self.machine_b()
        machine.take(self.seal(out, "slow.mv2e"), rc=None, timeout=20)

    def test_names(self):
        """A name is taken once; a query that the run does not know of is still kept."""
        self.documents()
        self.golden()
        self.verb("golden", "add", "-r", "r1", "first", "other", rc=1)
        self.verb("golden", "add", "-r", "none", "x", "other", rc=1)
        self.verb("golden", "add", "-r", "r1", "x", "other", "--as-of", "none", rc=1)
        for name in ("", "a/b", "a b", "\x1b[0m"):
            self.verb("golden", "add", "-r", "r1", name, "other", rc=1)
        self.verb("golden", "run", "r1")
        self.assertFalse(personal()["email"] in self.verb("golden", "list"))

    def test_removed(self):
        """remove takes a query away, and is an event; what is not there is an error."""
        self.documents()
        self.golden()
        self.verb("golden", "remove", "-r", "r1", "first")
        self.assertNotIn("first", [row["name"] for row in
                                   self.facts("golden", "list")["queries"]])
        event = self.of_kind("golden.changed")[-1]
        self.assertEqual((event["name"], event["removed"]), ("first", True))
        for words in (["r1", "first"], ["none", "rare"]):
            self.verb("golden", "remove", "-r", *words, rc=1)
        self.verb("golden", "add", "-r", "r1", "first", "omega")

    def test_secret(self):
        """An export that a query keeps back names the query and the remedy, and no value."""
        self.documents()
        value = secrets()["github"]
        uri = f"mv2://{self.origin()}/S1/r1/artifact/{value}"
        for name, more in (("expecting", ["--expect", uri]), (value, [])):
            self.verb("golden", "add", "-r", "r1", name, "alpha", *more)
            _, (code, message) = self.export("x.mv2e", rc=3)
            self.assertEqual(code, "secret_in_golden")
            self.assertIn("capsule golden remove", message)
            self.assertFalse(value in message)
            if name != value:
                self.assertIn(f"'{name}'", message)
            self.verb("golden", "remove", "-r", "r1", name)
        self.export("x.mv2e")


@support.needs_root
@support.needs_fuse
class Replay(SearchTest):
    """capsule replay."""

    def test_report(self):
        """What was retrieved is searched again and compared; models are not asked again."""
        self.begin("r2", "--capture", "full_io")
        self.put_text("a.txt", b"alpha gamma3\n", run="r2")
        self.put_text("b.txt", b"alpha and more\n", run="r2")
        self.mark("c", run="r2")
        ours = [uri for uri, _ in self.hits("alpha", "gamma3", "-r", "r2", "--as-of", "c")]
        self.assertEqual([uri.rsplit("/", 1)[1] for uri in ours], ["a.txt", "b.txt"])
        other = [f"mv2://{self.origin()}/S1/r2/artifact/none"]
        for name, hits in (("same", ours), ("order", ours[::-1]), ("documents", other)):
            self.add_lines([
                ("RetrievalRequest", {"request_id": name, "query": "alpha gamma3",
                                      "source": "capsule", "as_of": "c"}),
                ("RetrievalResponse", {"request_id": name, "hit_uris": hits})], run="r2")
        self.add("RetrievalRequest", {"request_id": "open", "query": "alpha",
                                      "source": "capsule"}, run="r2")
        self.add("ModelCallEnvelope", run="r2")
        self.finish("r2")
        report = self.facts("replay", "run", "r2")
        self.assertEqual([step["verdict"] for step in report["steps"]],
                         ["same", "order", "documents", "not recorded"])
        self.assertNotEqual(report["model_steps_not_replayed"], [])
        text = self.verb("replay", "run", "r2")
        self.assertIn("#", text)
        self.verb("replay", "run", "none", rc=1)

    def test_withheld_calls(self):
        """Calls of models that an export leaves out are still named as not replayed."""
        self.begin("r1")
        self.add("ErrorEvent")
        self.add("ModelCallEnvelope")
        self.add("DebugTrace")
        self.add("ModelCallEnvelope")
        self.finish("r1")
        here = self.facts("replay", "run", "r1")["model_steps_not_replayed"]
        self.assertEqual([uri.rsplit("/", 1)[1] for uri in here], ["2", "4"])
        machine = self.machine_b()
        machine.take(self.export("x.mv2e")[0])
        there = machine.facts("replay", "run", "S1-r1")["model_steps_not_replayed"]
        self.assertEqual(there, here)
        self.assertIn(here[0], machine.run("replay", "run", "S1-r1").stdout.decode())

    def test_ambiguous(self):
        """An id that several work items have needs --spec, and the error says which there are."""
        for spec in ("S1", "S2"):
            self.begin("r1", spec=spec)
            self.add("RetrievalRequest", {"request_id": spec, "query": f"only {spec}",
                                          "source": "capsule"}, spec=spec)
            self.verb("golden", "add", "-s", spec, "-r", "r1", f"of{spec}", "only")
        for words in (["replay", "run", "r1"], ["golden", "run", "r1"],
                      ["golden", "compare", "r1", "r1"]):
            with self.subTest(words):
                code, message = self.error_of(*words, *self.named, rc=1)
                self.assertEqual(code, "ambiguous_run")
                self.assertIn("S1, S2", message)
        for spec in ("S1", "S2"):
            (step,) = self.facts("replay", "run", "r1", "-s", spec)["steps"]
            self.assertEqual(step["query"], f"only {spec}")
            (row,) = self.facts("golden", "run", "r1", "--spec", spec)["queries"]
            self.assertEqual(row["name"], f"of{spec}")
        self.verb("golden", "compare", "r1", "r1", "--spec", "S2")
        self.verb("replay", "run", "r1", "-s", "none", rc=1)

    def test_after_import(self):
        """The report on the other machine is the same, and masked."""
        self.begin("r1")
        self.put_text("a.txt", f"alpha {secrets()['github']}\n")
        self.mark("c")
        query = f"alpha {personal()['email']}"
        self.add_lines([
            ("RetrievalRequest", {"request_id": "q", "query": query, "source": "capsule",
                                  "as_of": "c"}),
            ("RetrievalResponse", {"request_id": "q", "hit_uris": [
                f"mv2://{self.origin()}/S1/r1/artifact/a.txt"]})])
        self.finish("r1")
        here = self.facts("replay", "run", "r1")
        machine = self.machine_b()
        path, _ = self.export("x.mv2e")
        machine.take(path)
        there = machine.facts("replay", "run", "S1-r1")
        self.assertEqual([step["verdict"] for step in here["steps"]],
                         [step["verdict"] for step in there["steps"]])
        for report in (here, there, machine.facts("replay", "run", path, "--passphrase-file",
                                                  self.pw)):
            self.assertFalse(personal()["email"] in json.dumps(report))
            self.assertEqual([hit["uri"] for hit in report["steps"][0]["found"]][:1],
                             report["steps"][0]["recorded"])


if __name__ == "__main__":
    import unittest

    unittest.main()
