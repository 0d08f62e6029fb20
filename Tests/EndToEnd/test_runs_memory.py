"""Runs in a workspace and as plain files: both keep the same contract."""

import json
import os
import unittest

import support
import workspaces

PAYLOAD = {"request_id": "q1", "query": "what", "source": "capsule"}


class Contract(workspaces.WorkspaceTest):
    """What a recorder of runs has to do, wherever it keeps them."""

    def setUp(self):
        super().setUp()
        support.write(self.path("settings.toml"), b"")
        self.env["CAPSULE_CONFIG"] = self.path("settings.toml")
        self.init()

    def verb(self, *words, rc=0, data=None):
        """Runs a verb on the workspace."""
        return self.capsule(*words, "-w", self.ws, "--key-file", self.key_file, rc=rc,
                            data=data)

    def add(self, payload, kind="RetrievalRequest", rc=0):
        """Records one event."""
        return self.verb("event", "add", "-s", "S", "-r", "r1", "--type", kind, rc=rc,
                         data=json.dumps(payload).encode())

    def shown(self):
        """What is shown of the run, without times and ids."""
        shown = json.loads(self.verb("run", "show", "-s", "S", "-r", "r1", "--json").stdout)
        run = shown["run"]
        labels = [(item["label"], item["event_count"]) for item in run["checkpoints"]]
        events = [(event["seq"], event["event_type"], event["payload"].get("query"),
                   event["uri"].split("/", 3)[3]) for event in shown["events"]]
        return run.get("outcome"), run["event_count"], labels, events

    def test_contract(self):
        """Events in their order, names that stay, checkpoints, and an end after which all stays."""
        policy = support.write(self.path("policy.toml"), b"rule = 1\n")
        self.verb("run", "start", "--spec", "S", "--run", "r1", "--policy", policy)
        self.verb("run", "start", "--spec", "S", "--run", "r1", rc=1)
        self.add(PAYLOAD)
        self.add({}, rc=3)
        self.add(PAYLOAD, kind="Surprise", rc=3)
        file = support.write(self.path("log.txt"), b"all is well\n")
        self.verb("run", "put", "-s", "S", "-r", "r1", file, "--as", "d/log.txt")
        self.verb("run", "put", "-s", "S", "-r", "r1", file, "--as", "d/log.txt", rc=1)
        self.verb("run", "put", "-s", "S", "-r", "r1", file, "--as", "../x", rc=1)
        tree = self.path("tree")
        for name in (".gitignore", ".git/config", "a b/.env"):
            support.write(f"{tree}/{name}", name.encode())
        self.verb("run", "put", "-s", "S", "-r", "r1", tree, "--as", ".tree")
        os.mkfifo(self.path("pipe"))
        self.verb("run", "put", "-s", "S", "-r", "r1", self.path("pipe"), rc=1)
        self.verb("checkpoint", "-s", "S", "-r", "r1", "-l", "one", "--stage", "Plan")
        self.verb("checkpoint", "-s", "S", "-r", "r1", "-l", "one", rc=1)
        lines = b"".join(
            json.dumps({"event_type": "RetrievalRequest", "payload": {**PAYLOAD, "query": f"{n}"}})
            .encode() + b"\n" for n in range(2500))
        self.verb("event", "add", "-s", "S", "-r", "r1", "--lines", data=lines)
        self.verb("run", "finish", "-s", "S", "-r", "r1", "--outcome", "fail")
        self.add(PAYLOAD, rc=1)
        self.verb("run", "finish", "-s", "S", "-r", "r1", "--outcome", "fail", rc=1)
        outcome, count, labels, events = self.shown()
        self.assertEqual((outcome, count), ("fail", 2502))
        self.assertEqual(labels, [("one", 2), ("final", 2502)])
        self.assertEqual(
            events, [(number, "RetrievalRequest", f"{number - 3}", f"S/r1/event/{number}")
                     for number in range(2493, 2503)])
        listed = json.loads(self.verb("run", "list", "--json").stdout)["runs"]
        self.assertEqual([(run["spec_id"], run["run_id"]) for run in listed], [("S", "r1")])
        self.verb("run", "show", "-r", "r2", rc=1)


class InFiles(Contract):
    """The same as plain files."""

    def setUp(self):
        super().setUp()
        folder = self.path("memory")
        support.write(
            self.path("settings.toml"),
            f'memory_backend = "local-memory"\nmemory_folder = "{folder}"\n'.encode())

    def test_plain(self):
        """Any program reads them, and what a checkpoint saw stays as it was."""
        self.verb("run", "start", "--spec", "S", "--run", "r1")
        self.add(PAYLOAD)
        self.verb("checkpoint", "-s", "S", "-r", "r1", "-l", "one")
        place = self.path("memory", "runs", "S", "r1")
        file = support.write(f"{place}/artifacts/note", b"later\n")
        self.assertFalse(os.path.exists(f"{place}/as-of/one/artifacts/note"))
        self.put_hidden(place)
        self.verb("checkpoint", "-s", "S", "-r", "r1", "-l", "two")
        support.write(file, b"changed\n")
        with open(f"{place}/as-of/two/artifacts/note", "rb") as kept:
            self.assertEqual(kept.read(), b"later\n")
        with open(f"{place}/as-of/two/artifacts/.git/.x", "rb") as kept:
            self.assertEqual(kept.read(), b"hidden")
        with open(f"{place}/events.jsonl", "rb") as events:
            self.assertEqual(json.loads(events.read())["payload"], PAYLOAD)

    def put_hidden(self, place):
        """Puts hidden files, and tries names that a run of plain files cannot have."""
        hidden = support.write(self.path("x"), b"hidden")
        self.verb("run", "put", "-r", "r1", hidden, "--as", ".git/.x")
        for name in (".x.tmp", "a/\udcff"):
            result = self.verb("run", "put", "-r", "r1", hidden, "--as", name, rc=1)
            self.assertIn(b"--as", result.stderr)
        odd = support.write(f"{place}/artifacts/\udcff", b"x")
        result = self.verb("checkpoint", "-s", "S", "-r", "r1", "-l", "odd", rc=1)
        self.assertIn(b"rename", result.stderr)
        os.remove(odd)

    def test_capsules_are_off(self):
        """What makes or takes capsules says that it is turned off, and where."""
        self.verb("run", "start", "--spec", "S", "--run", "r1")
        for words in (["export", "-r", "r1"], ["search", "x"], ["import", "nothing"],
                      ["golden", "list"], ["replay", "run", "r1"]):
            result = self.verb(*words, rc=1)
            self.assertIn(b"memory_backend is local-memory", result.stderr)
        self.verb("run", "finish", "-r", "r1", "--outcome", "unlock")

    def test_a_line_that_was_cut_off(self):
        """What a kill left of a line goes with the next event."""
        self.verb("run", "start", "--spec", "S", "--run", "r1")
        self.add(PAYLOAD)
        path = self.path("memory", "runs", "S", "r1", "events.jsonl")
        with open(path, "ab") as events:
            events.write(b'{"event_type":"Retr')
        self.add({**PAYLOAD, "query": "next"})
        with open(path, "rb") as events:
            lines = [json.loads(line) for line in events.read().splitlines()]
        self.assertEqual([line["seq"] for line in lines], [1, 2])

    def test_switch(self):
        """Neither way loses anything, and each is recorded once."""
        self.verb("run", "start", "--spec", "S", "--run", "r1")
        self.add(PAYLOAD)
        local = self.path("settings.toml")
        support.write(self.path("workspace.toml"),
                      f'memory_folder = "{self.path("memory")}"\n'.encode())
        self.env["CAPSULE_CONFIG"] = self.path("workspace.toml")
        self.assertEqual(json.loads(self.verb("run", "list", "--json").stdout)["runs"], [])
        for run in ("w1", "w2"):
            self.verb("run", "start", "--spec", "S", "--run", run)
        self.env["CAPSULE_CONFIG"] = local
        listed = json.loads(self.verb("run", "list", "--json").stdout)["runs"]
        self.assertEqual([run["run_id"] for run in listed], ["r1"])
        self.env["CAPSULE_CONFIG"] = self.path("workspace.toml")
        listed = json.loads(self.verb("run", "list", "--json").stdout)["runs"]
        self.assertEqual([run["run_id"] for run in listed], ["w1", "w2"])
        log = self.verb("audit", "list").stdout
        self.assertEqual(log.count(b"capsulefs.memory.switched"), 1)
        with open(self.path("memory", "backend.jsonl"), "rb") as marks:
            kinds = [json.loads(line)["memory_backend"] for line in marks]
        self.assertEqual(kinds, ["local-memory", "memvid", "local-memory"])


if __name__ == "__main__":
    unittest.main()
