"""Exports and ends of runs that are killed at one system call after another, and what the next verb
makes of it. The calls are those of a capsule that has the workspace open itself."""

import concurrent.futures
import os
import shutil

import kills
import support
from runs import ERROR, ExportTest
from test_runs_trigger import TriggerTest
from workspaces import digest


class KilledAt(kills.InTurn, TriggerTest):
    """Kills a verb at a call."""

    def killed(self, call, number, *words, env=None):
        """Whether the verb came to that call, and was killed there."""
        result = self.run_command(
            kills.at(call, number, support.CAPSULE, *words),
            rc=None, cwd=self.project, env=env if env is not None else self.secret)
        self.assertIn(result.returncode, (0, *kills.KILLED), result.stderr)
        return result.returncode != 0

    def every_call(self, calls, *words, prepare, examine):
        """Kills at every call in turn, in a fresh copy of the workspace each; returns how many."""
        def killed(call, number):
            prepare()
            return self.killed(call, number, *words)

        return self.kill_in_turn(calls, killed, examine)

    def untouched(self, folder):
        """Demands that no temporary file is in a folder."""
        self.assertEqual([name for _, _, names in os.walk(folder) for name in names
                          if name.endswith(".tmp")], [])

    def clean(self):
        """Demands that doctor finds nothing, and the log is whole."""
        report = self.capsule_json("doctor", self.ws, *self.opened)
        self.assertEqual([found for found in report["findings"]
                          if found["severity"] != "ok"], [])
        self.verb("audit", "verify")


@support.needs_root
@support.needs_fuse
class Ends(KilledAt):
    """The end of a run with its export."""

    def prepare(self):
        """Nothing was exported yet."""
        shutil.rmtree(f"{self.project}/docs", ignore_errors=True)

    def examine(self):
        """Whatever the moment: ended again, the run is exported once, and everything is told."""
        again = self.unlock("r1", rc=None)[0]
        path = self.file("r1")
        self.assertTrue(os.path.exists(path), again.stderr)
        self.assertEqual(self.found_run("r1")["outcome"], "unlock")
        if again.returncode != 0:
            # Its file had its name already: there was nothing left but to say so.
            self.assertIn(b"has ended", again.stderr)
        exported = self.of_kind("export.CapsuleExported")
        self.assertEqual(len(exported), 1)
        self.assertEqual(exported[0]["sha256"], digest(path))
        announced = sorted({data["export_id"] for data in self.of_kind("export.intended")})
        self.assertIn(exported[0]["export_id"], announced)
        # Every other attempt failed, and says so.
        failed = [data["export_id"] for data in self.of_kind("export.ExportFailed")]
        self.assertEqual(sorted(failed + [exported[0]["export_id"]]), announced)
        self.untouched(self.project)
        self.capsule("verify", path)
        self.clean()

    def test_killed(self):
        """Killed at any flush, write or name: no decision is lost, no file without its intent."""
        self.run_of("r1", start=["--risk", "high"])
        self.put_text("a.txt", "content\n")
        count = self.every_call(
            [("fsync", 1), ("linkat", 1), ("pwrite64", 4), ("mkdir", 2)],
            "run", "finish", "-r", "r1", "--outcome", "unlock", *support.CHEAP, *self.named,
            prepare=self.prepare, examine=self.examine)
        self.assertGreater(count, 20)

    def test_owed(self):
        """doctor tells of an end without a decision, and only the same outcome goes on."""
        self.run_of("r1", start=["--risk", "high"])
        # The first commit after the end is that of the decision.
        number = 1
        while True:
            if not self.killed("fsync", number, "run", "finish", "-r", "r1", "--outcome",
                               "unlock", *support.CHEAP, *self.named):
                self.fail("the end of the run was never to be seen without its export")
            if self.found_run("r1").get("outcome") == "unlock":
                break
            number += 1
        report = self.capsule_json("doctor", self.ws, *self.opened)
        owed = [found for found in report["findings"] if found["check"] == "export_owed"]
        self.assertEqual(len(owed), 1, report)
        self.assertEqual(owed[0]["severity"], "warning")
        self.assertIn("run finish", owed[0]["remedy"])
        for outcome in ("fail", "abandon"):
            self.assertIn(b"has ended", self.unlock("r1", outcome=outcome, rc=None)[0].stderr)
        self.assertTrue(self.unlock("r1")[1])
        self.clean()


@support.needs_root
@support.needs_fuse
class Plain(KilledAt):
    """Exports in the clear."""

    def prepare(self):
        """Nothing is there."""
        shutil.rmtree(self.path("out"), ignore_errors=True)
        os.mkdir(self.path("out"))

    def examine(self):
        """The next verb that writes leaves the whole folder or nothing, and says which."""
        self.verb("golden", "list")
        self.verb("gc", "--dry-run")
        self.untouched(self.path("out"))
        there = os.listdir(self.path("out"))
        self.assertIn(there, ([], ["folder"]))
        exported, failed = (len(self.of_kind(f"export.{kind}"))
                            for kind in ("CapsuleExported", "ExportFailed"))
        intents = {data["export_id"] for data in self.of_kind("export.intended")}
        self.assertEqual(exported + failed, len(intents))
        self.assertEqual(exported, len(there))
        if there:
            self.assertEqual(support.read(self.path("out", "folder", "artifacts", "a.txt")),
                             b"content\n")
        self.clean()

    def test_folder(self):
        """A folder of JSON, killed: nothing in the clear stays that nobody asked for."""
        self.run_of("r1")
        self.put_text("a.txt", "content\n")
        self.finish()
        count = self.every_call(
            [("mkdir", 1), ("rename", 1), ("mkdirat", 1), ("utimensat", 3), ("syncfs", 1),
             ("fsync", 1)],
            "export", "-r", "r1", "--format", "json-dir", "--no-encrypt", "-o",
            self.path("out", "folder"), *self.named, prepare=self.prepare, examine=self.examine)
        self.assertGreater(count, 8)

    def test_folder_fails(self):
        """A folder that cannot be written is gone again."""
        self.run_of("r1")
        self.put_text("a.txt", "".join(f"{number}\n" for number in range(100_000)))
        self.finish()
        small = self.path("small")
        os.mkdir(small)
        self.run_command(["mount", "-t", "tmpfs", "-o", "size=64k", "none", small])
        self.addCleanup(support.detach, small)
        code, message = self.error_of("export", "-r", "r1", "--format", "json-dir",
                                      "--no-encrypt", "-o", f"{small}/folder", *self.named, rc=2)
        self.assertEqual(os.listdir(small), [], (code, message))
        self.assertEqual(len(self.of_kind("export.ExportFailed")), 1)
        self.run_command(["umount", small])


@support.needs_root
@support.needs_fuse
class Together(ExportTest):
    """Several verbs that find the same remains."""

    def test_settled_once(self):
        """Of many at once one settles what was cut off, and all do their work."""
        self.recorded()
        point = self.attach("timeline=0")
        result = self.run_command(
            kills.at("linkat", 1, support.CAPSULE, "export", "-r", "r1", "-o",
                     self.path("x.mv2e"), *self.new_pw, *self.where(point)), rc=None)
        self.assertIn(result.returncode, kills.KILLED)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for result in pool.map(
                    lambda _: self.capsule("gc", "--dry-run", *self.where(point)), range(8)):
                self.assertEqual(result.returncode, 0)
        self.assertEqual(len(self.of_kind("export.ExportFailed", point)), 1)
        self.assertEqual(self.of_kind("export.CapsuleExported", point), [])
        self.assertEqual(os.path.exists(self.path("x.mv2e")), False)
        self.umount(point)

    def test_ended_by_two(self):
        """Of two that end a run at once one exports it; the other says so, or that it has ended."""
        self.begin("r1", "--risk", "high")
        self.add_lines([("ErrorEvent", ERROR)] * 20_000)
        point = self.attach("timeline=0")
        env = {"SPECKIT_MEMVID_PASSPHRASE": support.SECRET.decode()}
        words = ["run", "finish", "-s", "S1", "-r", "r1", "--outcome", "unlock", *support.CHEAP,
                 *self.where(point)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            results = list(pool.map(
                lambda _: self.capsule(*words, env=env, rc=None), range(4)))
        self.assertEqual(sorted(result.returncode == 0 for result in results),
                         [False, False, False, True])
        for result in results:
            if result.returncode:
                self.assertRegex(result.stderr, b"has ended")
        self.assertEqual(len(self.of_kind("export.announced", point)), 1)
        self.assertEqual(len(self.of_kind("export.CapsuleExported", point)), 1)
        self.umount(point)

    def test_user_states(self):
        """A name that looks like that of an export's state is not given, and not dropped."""
        self.verb("snapshot", "create", "export:mine", rc=1)
        self.verb("snapshot", "create", "exported")
        self.recorded()
        self.export("x.mv2e")
        self.assertIn("exported", [name for name, _ in self.states()])
        self.assertEqual([name for name, _ in self.states() if name.startswith("export:")], [])

    def test_other_namespace(self):
        """An export that another process namespace cannot see goes on, whoever settles there."""
        self.recorded(ends=False)
        self.add_lines([("ErrorEvent", ERROR)] * 20_000)
        point = self.attach("timeline=0")
        export = self.start([support.CAPSULE, "export", "-r", "r1", "-o", self.path("x.mv2e"),
                             *self.new_pw, *self.where(point)])
        while export.poll() is None:
            self.run_command(["unshare", "--fork", "--pid", "--mount-proc", "--uts", "sh", "-c",
                              "hostname elsewhere; exec \"$@\"", "-", support.CAPSULE, "gc",
                              "--dry-run", *self.where(point)])
        self.assertEqual(export.returncode, 0, export.stderr.read())
        self.assertEqual(self.of_kind("export.ExportFailed", point), [])
        self.umount(point)

    def test_cannot_be_settled(self):
        """What cannot be settled is told, and keeps nobody from recording."""
        self.recorded()
        place = self.path("place")
        os.mkdir(place)
        result = self.run_command(
            kills.at("rename", 1, support.CAPSULE, "export", "-r", "r1", "-o", f"{place}/x",
                     "--no-encrypt", "-f", "json-dir", *self.named), rc=None)
        self.assertIn(result.returncode, kills.KILLED)
        (left,) = os.listdir(place)
        self.run_command(["mount", "--bind", f"{place}/{left}", f"{place}/{left}"])
        self.addCleanup(support.detach, f"{place}/{left}")
        told = self.capsule("run", "start", "-s", "S1", "-r", "r2", *self.named).stderr
        self.assertIn(b"not settled", told)
        self.assertNotIn(b"Cocoa", told)
        self.run_command(["umount", f"{place}/{left}"])
        self.verb("gc", "--dry-run")
        self.assertEqual(os.listdir(place), [])
        self.assertEqual(len(self.of_kind("export.ExportFailed")), 1)


if __name__ == "__main__":
    import unittest

    unittest.main()
