"""gc, pins and their settings: what goes, what stays, and what the log says of it."""

import json
import os
import random
import time

import support
from runs import ExportTest

DAY = 86400


class RetentionTest(ExportTest):
    """A test with exports and a clock."""

    def at_day(self, days, seconds=0):
        """The environment some days from now."""
        return {"SOURCE_DATE_EPOCH": str(int(time.time()) + days * DAY + seconds)}

    def collected(self, *more, days=0, seconds=0, at=None):
        """Runs gc some days from now; returns what it says."""
        return self.capsule_json("gc", *more, *self.where(at), env=self.at_day(days, seconds))

    def exports(self, *names, run="r1"):
        """Records a run, if need be, and exports it to several files."""
        if not self.facts("run", "list")["runs"]:
            self.recorded(run)
        return [self.export(name, run=run)[0] for name in names]


@support.needs_root
@support.needs_fuse
class Collection(RetentionTest):
    """capsule gc."""

    def test_age(self):
        """Strictly older than 30 days goes, by the time of the export, not the file's."""
        (path,) = self.exports("x.mv2e")
        os.utime(path, (0, 0))
        for days, seconds in ((0, 0), (29, 0), (30, -30)):
            found = self.collected(days=days, seconds=seconds)
            self.assertEqual((found["exports_deleted"], found["exports_preserved"]), (0, 1))
            self.assertTrue(os.path.exists(path))
        size = os.path.getsize(path)
        found = self.collected(days=30, seconds=30)
        self.assertEqual((found["exports_deleted"], found["bytes_freed"]), (1, size))
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.facts("exports")["exports"], [])
        self.assertEqual(self.collected(days=90)["exports"], [])

    def test_events(self):
        """Each deletion has an intent before it and an event of its own, with all particulars."""
        paths = self.exports("x.mv2e", "y.mv2e")
        digests = [self.run_command(["sha256sum", path]).stdout.split()[0].decode()
                   for path in paths]
        self.collected(days=45)
        kinds = [kind for kind in self.kinds() if kind.startswith("gc.")]
        self.assertEqual(kinds, ["gc.intended", "gc.deleted"] * 2)
        for kind in ("gc.intended", "gc.deleted"):
            events = {data["destination"]: data for data in self.of_kind(kind)}
            for path, digest in zip(paths, digests):
                self.assertEqual(events[path]["sha256"], digest)
                self.assertEqual(events[path]["age_days"], 45)
                self.assertIn("30", events[path]["rule"])

    def test_dry_run(self):
        """--dry-run says the same and does nothing."""
        (path,) = self.exports("x.mv2e")
        found = self.collected("--dry-run", days=31)
        self.assertEqual((found["dry_run"], found["exports_deleted"]), (True, 1))
        self.assertIs(found["exports"][0]["deleted"], False)
        self.assertTrue(os.path.exists(path))
        self.assertNotIn("gc.intended", self.kinds())
        done = self.collected(days=31)
        self.assertEqual(done["bytes_freed"], found["bytes_freed"])
        self.assertEqual(done["exports"][0]["reason"], found["exports"][0]["reason"])

    def test_everywhere(self):
        """Exports are found wherever they were written, in each format."""
        self.recorded()
        os.makedirs(self.path("far/away"))
        paths = [self.export("far/away/x.mv2e")[0], self.export("y.mv2", "--no-encrypt")[0]]
        folder, _ = self.export("folder", "--no-encrypt", "-f", "json-dir")
        stranger = support.write(self.path("far/away/z.mv2e"), support.read(paths[0]))
        found = self.collected(days=31)
        self.assertEqual(found["exports_deleted"], 3)
        self.assertEqual([os.path.exists(path) for path in [*paths, folder]], [False] * 3)
        self.assertTrue(os.path.exists(stranger))

    def test_changed(self):
        """A file that changed since its export is not deleted, nor what took its place."""
        changed, replaced, gone, linked = self.exports("a.mv2e", "b.mv2e", "c.mv2e", "d.mv2e")
        self.damage(changed, 5000)
        os.remove(replaced)
        os.mkdir(replaced)
        os.remove(gone)
        os.rename(linked, linked + ".moved")
        other = support.write(self.path("other"), b"precious")
        os.symlink(other, linked)
        found = self.collected(days=31)
        reasons = {item["path"]: item["reason"] for item in found["exports"]}
        self.assertIn("changed", reasons[changed])
        self.assertTrue(os.path.exists(changed))
        self.assertTrue(os.path.isdir(replaced))
        self.assertTrue(os.path.lexists(linked))
        self.assertEqual(support.read(other), b"precious")
        self.assertTrue(os.path.exists(linked + ".moved"))
        self.assertIn("gone", reasons[gone])

    def test_overwritten(self):
        """Of an export that a later one has replaced, the file stays as long as the later one."""
        (path,) = self.exports("x.mv2e")
        time.sleep(2.1)
        self.export("x.mv2e", "--force")
        first, second = self.of_kind("export.CapsuleExported")
        self.assertNotEqual(first["sha256"], second["sha256"])
        rows = self.facts("exports")["exports"]
        ages = [row["seconds"] for row in rows]
        moment = {"SOURCE_DATE_EPOCH": str(ages[0] + 30 * DAY + 1)}
        if len(rows) == 2:
            self.capsule_json("gc", *self.named, env=moment)
        self.assertTrue(os.path.exists(path), "the younger export is gone")
        self.collected(days=31)
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.facts("exports")["exports"], [])

    def test_milestone(self):
        """An export of a run that is called a milestone is pinned by itself."""
        self.begin()
        self.add("MilestoneMarked", {"name": "released"})
        path = self.export("m.mv2e")[0]
        found = self.collected(days=400)
        self.assertEqual([item["reason"] for item in found["exports"]], ["it is pinned"])
        self.assertTrue(os.path.exists(path))

    def test_unreachable(self):
        """What cannot be read or deleted does not keep the others from going."""
        self.recorded()
        os.mkdir(self.path("d"))
        first, second = self.export("d/a.mv2e")[0], self.export("b.mv2e")[0]
        self.run_command(["chattr", "+i", first], rc=None)
        is_fixed = self.run_command(["rm", "-f", first], rc=None).returncode != 0
        try:
            if is_fixed:
                self.capsule("gc", *self.named, rc=None, env=self.at_day(31))
                self.assertFalse(os.path.exists(second), "one that fails keeps the rest")
                self.assertTrue(os.path.exists(first))
        finally:
            self.run_command(["chattr", "-i", first], rc=None)

    def test_bad_clock(self):
        """A clock that says nonsense is an error; a day long past deletes nothing."""
        (path,) = self.exports("x.mv2e")
        for text in ("soon", "", "1e9", "9" * 30):
            self.capsule("gc", *self.named, rc=1, env={"SOURCE_DATE_EPOCH": text})
        self.capsule("gc", *self.named, env={"SOURCE_DATE_EPOCH": "0"})
        self.capsule("gc", *self.named, env={"SOURCE_DATE_EPOCH": str(2**62)}, rc=None)
        if os.path.exists(path):
            self.healthy()

    def test_orphans(self):
        """A temporary file that a killed export left beside its place goes, with its events."""
        (path,) = self.exports("x.mv2e")
        directory = os.path.dirname(path)
        orphan = support.write(f"{directory}/.x.mv2e.4000000.tmp", b"left")
        mine = support.write(f"{directory}/.x.mv2e.{os.getpid()}.tmp", b"under way")
        strange = support.write(f"{directory}/.y.mv2e.4000000.tmp", b"somebody else's")
        plain = support.write(f"{directory}/x.mv2e.tmp", b"the user's")
        self.collected()
        try:
            self.assertTrue(all(map(os.path.exists, (mine, strange, plain, path))))
            if not os.path.exists(orphan):
                self.assertIn("gc.deleted", self.kinds())
        finally:
            for name in (orphan, mine, strange, plain):
                if os.path.exists(name):
                    os.remove(name)

    def test_killed(self):
        """kill -9 of gc: a deletion that was announced is completed by the next."""
        paths = self.exports(*(f"{number}.mv2e" for number in range(6)))
        one = random.Random(1)
        for _ in range(4):
            process = self.start([support.CAPSULE, "gc", *self.named], env=self.at_day(31))
            time.sleep(one.uniform(0.005, 0.12))
            process.kill()
            process.communicate(timeout=30)
        self.collected(days=31)
        self.assertFalse(any(map(os.path.exists, paths)))
        deleted = [data["destination"] for data in self.of_kind("gc.deleted")]
        self.assertEqual(sorted(deleted), sorted(paths))
        intended = {data["destination"] for data in self.of_kind("gc.intended")}
        self.assertEqual(intended, set(paths))
        self.healthy()

    def test_mounted(self):
        """The same at a driver."""
        point = self.attach("timeline=0")
        self.recorded(at=point)
        path, _ = self.export("x.mv2e", at=point)
        self.assertEqual(self.collected(days=31, at=point)["exports_deleted"], 1)
        self.assertFalse(os.path.exists(path))
        self.umount(point)
        self.verb("audit", "verify")


    def test_gone(self):
        """One that is gone is forgotten and not deleted; what a link leads to stays."""
        gone, moved = self.exports("x.mv2e", "y.mv2e")
        os.remove(gone)
        os.rename(moved, self.path("elsewhere"))
        os.symlink(self.path("elsewhere"), moved)
        found = self.collected("--dry-run", days=31)
        self.assertEqual((found["exports_deleted"], found["exports_forgotten"]), (0, 1))
        found = self.collected(days=31)
        self.assertEqual((found["exports_deleted"], found["exports_forgotten"],
                          found["exports_preserved"]), (0, 1, 1))
        self.assertTrue(os.path.islink(moved))
        self.assertTrue(os.path.exists(self.path("elsewhere")))
        (event,) = self.of_kind("gc.deleted")
        self.assertTrue(event["already_gone"])
        self.assertEqual(self.of_kind("gc.intended"), [])

    def test_through_a_link(self):
        """A directory that became a link leads to somebody else's file, which stays."""
        os.mkdir(self.path("arch"))
        self.recorded()
        self.export("arch/x.mv2e")
        os.rename(self.path("arch"), self.path("arch2"))
        os.symlink(self.path("arch2"), self.path("arch"))
        self.assertEqual(self.collected(days=31)["exports_preserved"], 1)
        self.assertTrue(os.path.exists(self.path("arch2", "x.mv2e")))

    def test_odd_temporary(self):
        """A folder that is called like a temporary file keeps nothing else from going."""
        (path,) = self.exports("x.mv2e")
        os.mkdir(self.path(".x.mv2e.4000000.tmp"))
        support.write(self.path(".x.mv2e.4000001.tmp"), b"left")
        self.assertEqual(self.collected()["temp_files_deleted"], 1)
        self.assertTrue(os.path.isdir(self.path(".x.mv2e.4000000.tmp")))
        self.assertFalse(os.path.exists(self.path(".x.mv2e.4000001.tmp")))
        self.assertTrue(os.path.exists(path))

    def test_folder(self):
        """A folder in the clear goes in its time, unless something in it changed."""
        self.recorded()
        for name in ("kept", "plain"):
            self.export(name, "--no-encrypt", "-f", "json-dir")
        support.write(self.path("kept", "more.txt"), b"mine")
        self.assertEqual(len(self.facts("exports")["exports"]), 2)
        found = self.collected(days=31)
        self.assertEqual((found["exports_deleted"], found["exports_preserved"]), (1, 1))
        self.assertFalse(os.path.exists(self.path("plain")))
        self.assertTrue(os.path.exists(self.path("kept", "manifest.json")))
        self.assertEqual(len(self.of_kind("gc.intended")), 1)


@support.needs_root
@support.needs_fuse
class Pins(RetentionTest):
    """pin and unpin."""

    def test_not_replaced(self):
        """Nothing takes the place of a pinned export, before it is unpinned."""
        (path,) = self.exports("x.mv2e")
        before = support.read(path)
        self.verb("pin", path)
        self.assertEqual(self.export("x.mv2e", "--force", rc=1)[1][0], "pinned_export")
        for more in (["--force"], ["-f", "json-dir"]):
            self.export("x.mv2e", "--no-encrypt", *more, rc=1)
        self.assertEqual(support.read(path), before)
        self.assertIs(self.facts("exports")["exports"][0]["pinned"], True)
        self.verb("unpin", path)
        self.export("x.mv2e", "--force")
        replaced = self.of_kind("export.intended")[-1]["replaces"]
        self.assertEqual(replaced, [self.of_kind("gc.deleted")[0]["export_id"]])

    def test_pinned(self):
        """A pinned export stays whatever its age, until it is unpinned; both are events."""
        path, other = self.exports("x.mv2e", "y.mv2e")
        self.verb("pin", path)
        found = self.collected(days=1000)
        self.assertEqual((found["exports_deleted"], found["exports_preserved"]), (1, 1))
        self.assertTrue(os.path.exists(path))
        self.assertFalse(os.path.exists(other))
        self.verb("unpin", path)
        self.assertEqual(self.collected(days=1000)["exports_deleted"], 1)
        self.assertFalse(os.path.exists(path))
        self.assertEqual(len(self.of_kind("export.pinned")), 1)
        self.assertEqual(len(self.of_kind("export.unpinned")), 1)

    def test_names(self):
        """By path, by a relative one, through a link, by id; an unknown one is an error."""
        (path,) = self.exports("x.mv2e")
        os.symlink(path, self.path("link"))
        identity = self.facts("exports")["exports"][0]["id"]
        for name in (path, "x.mv2e", "./x.mv2e", self.path("link"), identity):
            self.verb("pin", name)
            self.assertIs(self.facts("exports")["exports"][0]["pinned"], True)
            self.verb("unpin", name)
        for name in ("none", self.pw, "", identity[:-1]):
            self.capsule("pin", name, *self.named, rc=1)

    def test_settings(self):
        """retention_days and keep_pinned come from the settings; options come before them."""
        pinned, plain = self.exports("x.mv2e", "y.mv2e")
        self.verb("pin", pinned)
        self.config("[capsule.export]\nretention_days = 5\nkeep_pinned = false\n")
        self.assertEqual(self.collected("--dry-run", days=4)["exports_deleted"], 0)
        self.assertEqual(self.collected("--dry-run", days=6)["exports_deleted"], 2)
        self.assertEqual(
            self.collected("--dry-run", "--retention-days", "7", days=6)["exports_deleted"], 0)
        self.config("[capsule.export]\nretention_days = 0\n")
        self.assertEqual(self.collected("--dry-run", seconds=5)["exports_deleted"], 1)
        self.assertEqual(
            self.collected("--dry-run", "--no-keep-pinned", seconds=5)["exports_deleted"], 2)
        for bad in ("-1", "x", "99999999999"):
            self.capsule("gc", f"--retention-days={bad}", *self.named, rc=1)
        self.assertTrue(os.path.exists(pinned) and os.path.exists(plain))

    def test_milestones(self):
        """An export of a run with a milestone is pinned by itself, and can be unpinned."""
        self.begin()
        self.add("MilestoneMarked")
        self.finish()
        path, _ = self.export("x.mv2e")
        self.assertEqual(self.collected(days=1000)["exports_deleted"], 0)
        self.verb("unpin", path)
        self.assertEqual(self.collected(days=1000)["exports_deleted"], 1)

    def test_not_content(self):
        """Exports, pins and collections leave the content of a later export as it was."""
        self.recorded()
        before = self.export("x.mv2e")[1]["content_digest"]
        self.verb("pin", self.path("x.mv2e"))
        self.export("y.mv2e")
        self.collected(days=31)
        self.assertEqual(self.export("z.mv2e")[1]["content_digest"], before)
        self.assertEqual(json.loads(json.dumps(self.found_run()))["outcome"], "abandon")


if __name__ == "__main__":
    import unittest

    unittest.main()
