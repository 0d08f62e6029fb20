"""The live workspace after kill -9, with changed bytes, and on a full medium."""

import errno
import os
import random
import shutil
import signal
import stat
import time
import unittest

import support
import trees
import workspaces
from workspaces import PAGE_LENGTH, WorkspaceTest

# Seconds in which a driver with some hundred changes stores them.
KILL_DELAY = 0.008


@support.needs_root
@support.needs_fuse
class Crashes(WorkspaceTest):
    """kill -9 of the driver."""

    def test_flushed_is_there(self):
        """What was fsynced is there, whole; the mount works and can be killed again."""
        point = self.attach()
        for turn in range(4):
            for number in range(turn):
                self.assertEqual(
                    support.read(f"{point}/dir{number}/file"), trees.noise(500_000, number))
            support.write(f"{point}/dir{turn}/file", trees.noise(500_000, turn))
            os.setxattr(f"{point}/dir{turn}/file", "user.turn", str(turn).encode())
            workspaces.sync(f"{point}/dir{turn}/file")
            support.write(f"{point}/unflushed{turn}", trees.noise(100_000, 9))
            self.kill(point)
            self.attach(point=point)
            self.assertEqual(os.getxattr(f"{point}/dir{turn}/file", "user.turn"),
                             str(turn).encode())
            lost = f"{point}/unflushed{turn}"
            if os.path.exists(lost):
                self.assertIn(support.read(lost), (b"", trees.noise(100_000, 9)))
        self.umount(point)

    def test_flush_of_a_directory(self):
        """fsync of a directory makes names durable, and renames are whole."""
        point = self.attach()
        os.mkdir(f"{point}/dir")
        for number in range(100):
            os.symlink("x", f"{point}/dir/{number}")
        os.rename(f"{point}/dir", f"{point}/new")
        workspaces.sync(point)
        self.kill(point)
        self.attach(point=point)
        self.assertEqual(os.listdir(point), ["new"])
        self.assertEqual(len(os.listdir(f"{point}/new")), 100)
        self.umount(point)

    def test_timer(self):
        """Without any flush, a change is stored after some seconds."""
        point = self.attach()
        support.write(f"{point}/a", b"by itself")
        time.sleep(7)
        self.kill(point)
        self.attach(point=point)
        self.assertEqual(support.read(f"{point}/a"), b"by itself")
        self.umount(point)

    def test_dead_mount_point(self):
        """The dead mount answers nothing; a new one on it is refused until it is taken away."""
        point = self.attach()
        os.kill(self.driver(point), signal.SIGKILL)
        self.assertTrue(support.wait_until(lambda: not support.processes_with(point)))
        with self.assertRaises(OSError) as caught:
            os.listdir(point)
        # The kernel's word for a driver that went while it was needed, and for one that is gone.
        self.assertIn(caught.exception.errno, (errno.ECONNABORTED, errno.ENOTCONN))
        self.run_command(
            [support.CAPSULEFS, self.ws, point, "-o", f"key-file={self.key_file}"], rc=1)
        self.run_command(["umount", "-l", point])
        self.assertEqual(support.mounts_below(point), [])
        self.attach(point=point)
        self.umount(point)

    def test_orphans_go(self):
        """A file that was open without a name when the driver died does not come back."""
        point = self.attach()
        handle = os.open(f"{point}/open", os.O_CREAT | os.O_RDWR)
        try:
            os.write(handle, b"x" * 100_000)
            os.unlink(f"{point}/open")
            os.fsync(handle)
            self.kill(point)
        finally:
            try:
                os.close(handle)
            except OSError:
                pass
        self.attach(point=point)
        self.assertEqual(os.listdir(point), [])
        support.write(f"{point}/new", b"new")
        self.remount(point)
        self.assertEqual(support.read(f"{point}/new"), b"new")
        self.umount(point)

    def test_killed_while_unmounting(self):
        """Killed at any moment of an orderly end: what was flushed before is there."""
        point = self.attach()
        one = random.Random(3)
        for turn in range(16):
            for number in range(300):
                support.write(f"{point}/{turn}/{number}", trees.noise(200, number))
            workspaces.sync(point)
            for number in range(300, 600):
                os.symlink("unflushed", f"{point}/{turn}/{number}")
            pid = self.driver(point)
            os.kill(pid, signal.SIGTERM)
            time.sleep(one.uniform(0, KILL_DELAY))
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.assertTrue(support.wait_until(lambda: not support.processes_with(point)))
            support.detach(point)
            self.attach(point=point)
            found = os.listdir(f"{point}/{turn}")
            self.assertIn(len(found), (300, 600), "half of what was not flushed is there")
        for turn in range(16):
            for number in range(300):
                self.assertEqual(
                    support.read(f"{point}/{turn}/{number}"), trees.noise(200, number))
        self.umount(point)

    def test_long_log(self):
        """When the log has become long, it goes into the database; a kill then is harmless."""
        point = self.attach()
        values = [trees.noise(60_000, number) for number in range(20)]
        for number in range(400):
            path = support.write(f"{point}/{number}", b"x")
            os.setxattr(path, "user.large", values[number % 20])
            if number % 100 == 99:
                workspaces.sync(path)
        support.write(f"{point}/last", b"last")
        workspaces.sync(f"{point}/last")
        self.assertGreater(os.path.getsize(f"{self.ws}/metadata"), 12 << 20)
        self.kill(point)
        self.attach(point=point)
        for number in range(400):
            self.assertEqual(os.getxattr(f"{point}/{number}", "user.large"), values[number % 20])
        self.assertEqual(support.read(f"{point}/last"), b"last")
        self.umount(point)

    def test_killed_while_busy(self):
        """Files written with fsync by two processes: each that was reported done is whole."""
        script = """
import os, random, sys
number = 0
while True:
    path = f"{sys.argv[1]}/{sys.argv[2]}-{number}"
    handle = os.open(path + ".tmp", os.O_CREAT | os.O_WRONLY)
    os.write(handle, random.Random(path).randbytes(20000 + number))
    os.fsync(handle)
    os.close(handle)
    os.rename(path + ".tmp", path)
    folder = os.open(sys.argv[1], os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    print(number)
    number += 1
"""
        point = self.attach()
        for turn in range(3):
            writers = [self.python(script, point, f"{turn}{who}") for who in "ab"]
            time.sleep(0.8)
            self.kill(point)
            self.attach(point=point)
            for who, writer in zip("ab", writers):
                done = writer.communicate(timeout=20)[0].split()
                self.assertGreater(len(done), 3)
                for number in map(int, done):
                    path = f"{point}/{turn}{who}-{number}"
                    expected = random.Random(path).randbytes(20000 + number)
                    self.assertEqual(support.read(path), expected, path)
        self.umount(point)


@support.needs_root
@support.needs_fuse
class Damage(WorkspaceTest):
    """Files of a workspace that somebody changed."""

    def segment(self):
        """The only segment."""
        place = f"{self.ws}/segments"
        names = os.listdir(place)
        self.assertEqual(len(names), 1)
        return f"{place}/{names[0]}"

    def two_files(self):
        """Two files in one segment; returns the mount point and where the second begins."""
        point = self.attach()
        support.write(f"{point}/one", trees.noise(300_000, 1))
        workspaces.sync(f"{point}/one")
        border = os.path.getsize(self.segment())
        support.write(f"{point}/two", trees.noise(300_000, 2))
        self.umount(point)
        return point, border

    def test_segment(self):
        """One changed byte: EIO for the file that has it, and the other reads well."""
        point, border = self.two_files()
        for offset, bad, good in [(100_000, "one", "two"), (border + 250_000, "two", "one")]:
            self.damage(self.segment(), offset)
            self.attach(point=point)
            self.fails_with(errno.EIO, lambda: support.read(f"{point}/{bad}"))
            self.assertEqual(
                support.read(f"{point}/{good}"), trees.noise(300_000, 1 if good == "one" else 2))
            self.umount(point)
            self.damage(self.segment(), offset)
        self.attach(point=point)
        self.assertEqual(support.read(f"{point}/one"), trees.noise(300_000, 1))
        self.umount(point)

    def test_segment_cut_or_gone(self):
        """A segment that is too short, or not there: EIO for its files, and new ones work."""
        point, border = self.two_files()
        os.truncate(self.segment(), border + 1000)
        result = self.capsule("doctor", self.ws, "--key-file", self.key_file, rc=2)
        self.assertIn(b"has %d bytes, and its blocks" % (border + 1000), result.stdout)
        self.attach(point=point)
        self.fails_with(errno.EIO, lambda: support.read(f"{point}/two"))
        self.assertEqual(support.read(f"{point}/one"), trees.noise(300_000, 1))
        self.umount(point)
        os.remove(self.segment())
        self.attach(point=point)
        for name in ("one", "two"):
            with self.assertRaises(OSError):
                support.read(f"{point}/{name}")
        support.write(f"{point}/new", b"new")
        self.remount(point)
        self.assertEqual(support.read(f"{point}/new"), b"new")
        self.umount(point)

    def test_blocks_do_not_move(self):
        """A block is only good at its place: two equally long ones that change places are EIO."""
        point = self.attach()
        support.write(f"{point}/one", trees.noise(100_000, 1))
        workspaces.sync(f"{point}/one")
        first = os.path.getsize(self.segment())
        support.write(f"{point}/two", trees.noise(100_000, 2))
        self.umount(point)
        content = support.read(self.segment())
        length = len(content) - first
        head = first - length
        self.assertLessEqual(head, 64, "the files are not stored alike")
        swapped = content[:head] + content[first:] + content[head:first]
        support.write(self.segment(), swapped)
        self.attach(point=point)
        for name in ("one", "two"):
            self.fails_with(errno.EIO, lambda: support.read(f"{point}/{name}"))
        self.umount(point)

    def outcome(self, point, codes=(2, 3)):
        """What a mount shows of the tree: {name: content}, or None where anything fails."""
        words = [support.CAPSULEFS, self.ws, point, "-o", f"key-file={self.key_file},ro"]
        log = support.read(f"{self.ws}/metadata-wal")
        result = self.run_command(words, rc=None, timeout=20)
        if result.returncode != 0:
            # A failed mount must not touch it; see ReadOnly.test_failure_changes_nothing.
            support.write(f"{self.ws}/metadata-wal", log)
            self.assertIn(result.returncode, codes, result.stderr)
            self.assertNotEqual(result.stderr, b"")
            self.assertEqual(support.mounts_below(point), [])
            return None
        found = {}
        try:
            for path in trees.paths(point):
                full = os.path.join(os.fsencode(point), path)
                facts = os.lstat(full)
                content = (support.read(full) if stat.S_ISREG(facts.st_mode)
                           else os.readlink(full) if stat.S_ISLNK(facts.st_mode) else None)
                attributes = {name: os.getxattr(full, name, follow_symlinks=False)
                              for name in os.listxattr(full, follow_symlinks=False)}
                found[path] = (facts.st_mode, facts.st_size, facts.st_mtime_ns, content, attributes)
            # os.walk is silent about a directory that cannot be read.
            for path, facts in list(found.items()) + [(b"", (stat.S_IFDIR,))]:
                if stat.S_ISDIR(facts[0]):
                    os.listdir(os.path.join(os.fsencode(point), path))
        except OSError as error:
            self.assertEqual(error.errno, errno.EIO)
            found = None
        self.umount(point)
        return found

    def small_tree(self, point):
        """A tree that uses every table, in some tens of pages."""
        for number in range(150):
            path = support.write(f"{point}/dir{number % 5}/{number:03}", trees.noise(900, number))
            os.setxattr(path, "user.note", b"note %d" % number)
        for number in range(150):
            os.symlink(f"target {number}" * 8, f"{point}/link{number}")

    def test_every_page_of_the_database(self):
        """A changed byte in any page: an error, or, where nobody needs it, what was there."""
        point = self.attach()
        self.small_tree(point)
        self.umount(point)
        expected = self.outcome(point)
        self.assertEqual(len(expected), 305)
        path = f"{self.ws}/metadata"
        size = os.path.getsize(path)
        self.assertEqual(size % PAGE_LENGTH, 0)
        count = size // PAGE_LENGTH
        self.assertGreater(count, 20)
        failed = 0
        for page in range(count):
            offset = page * PAGE_LENGTH + random.Random(page).randrange(PAGE_LENGTH)
            self.damage(path, offset)
            found = self.outcome(point)
            failed += found is None
            if found is not None:
                self.assertEqual(found, expected, f"page {page} gives something else")
            self.damage(path, offset)
        # Without an error: the tables of the past, of runs, exports and imports, and the few
        # that a mount does not read.
        self.assertGreaterEqual(failed, count - 28)
        self.assertEqual(self.outcome(point), expected)

    def test_salvage_around_a_page(self):
        """Where a page is damaged that a mount goes on without, doctor saves what it can."""
        point = self.attach()
        self.small_tree(point)
        self.umount(point)
        expected = self.outcome(point)
        path, saved = f"{self.ws}/metadata", []
        for page in range(os.path.getsize(path) // PAGE_LENGTH):
            self.damage(path, page * PAGE_LENGTH + 1000)
            mounted = self.run_command([support.CAPSULEFS, self.ws, point, "-o",
                                        f"key-file={self.key_file},ro"], rc=None).returncode == 0
            if mounted:
                self.umount(point)
                target = self.path(f"saved{page}")
                result = self.capsule("doctor", self.ws, "--salvage", target,
                                      "--key-file", self.key_file, rc=2)
                self.assertIn(b"page %d of the database" % page, result.stdout)
                names = {os.path.relpath(os.path.join(place, name), target)
                         for place, below, files in os.walk(target) for name in below + files}
                self.assertLessEqual(names, {os.fsdecode(name) for name in expected})
                saved.append(len(names))
            self.damage(path, page * PAGE_LENGTH + 1000)
        # A leaf of inodes or of names takes some of them with it; many pages take none.
        self.assertTrue(any(0 < count < len(expected) for count in saved), saved)
        self.assertGreater(saved.count(len(expected)), 3)

    def test_small_files(self):
        """A changed byte in `pages` or in the head of `workspace` keeps the mount from coming."""
        self.umount(self.attach())
        point = self.path("mnt")
        for name, offsets, codes in [
                ("pages", [0, 30, 100, os.path.getsize(f"{self.ws}/pages") - 1], (2, 3)),
                # Without its magic, it is none; with another id or salt, no key fits.
                ("workspace", [0, 5, 10, 20, 40], (1, 2, 3))]:
            for offset in offsets:
                with self.subTest(name=name, offset=offset):
                    self.damage(f"{self.ws}/{name}", offset)
                    found = self.outcome(point, codes)
                    self.damage(f"{self.ws}/{name}", offset)
                    self.assertIsNone(found)
        self.assertEqual(self.outcome(point), {})

    def test_one_copy_of_the_slots(self):
        """It opens with the other copy, doctor tells, and a change of slots mends it."""
        self.umount(self.attach())
        key = ["--key-file", self.key_file]
        for offset in (4096 + 100, 12288 + 100):
            self.damage(f"{self.ws}/workspace", offset)
            result = self.capsule("doctor", self.ws, *key, rc=2)
            self.assertIn(b"the spare copy of the slot area", result.stdout)
            self.capsule("slot", "add", self.ws, *key, "--new-key-file", self.path(f"new{offset}"))
            self.capsule("doctor", self.ws, *key)

    def test_older_database(self):
        """`metadata` from before a later unmount is refused, or gives EIO; so are its pages."""
        point = self.attach()
        self.small_tree(point)
        self.umount(point)
        path = f"{self.ws}/metadata"
        shutil.copy(path, self.path("older"))
        self.attach(point=point)
        os.truncate(f"{point}/dir1/001", 0)
        workspaces.write_at(f"{point}/dir1/001", 0, b"changed")
        self.umount(point)
        older, newer = support.read(self.path("older")), support.read(path)
        support.write(path, older)
        self.assertIsNone(self.outcome(point))
        different = [page for page in range(min(len(older), len(newer)) // PAGE_LENGTH)
                     if older[page * PAGE_LENGTH:][:48] != newer[page * PAGE_LENGTH:][:48]]
        self.assertGreater(len(different), 1)
        for page in different:
            place = page * PAGE_LENGTH
            support.write(path, newer[:place] + older[place:place + PAGE_LENGTH]
                          + newer[place + PAGE_LENGTH:])
            # Nobody needs all of the audit log to mount; doctor reads it.
            self.capsule("doctor", self.ws, "--key-file", self.key_file, rc=2)
            tree = self.outcome(point)
            if tree is not None:
                self.assertEqual(tree[b"dir1/001"][3], b"changed", f"page {page}")
        support.write(path, newer)
        self.assertEqual(self.outcome(point)[b"dir1/001"][3], b"changed")

    def test_pages_do_not_move(self):
        """Two pages of the database that change places are not taken."""
        point = self.attach()
        self.small_tree(point)
        self.umount(point)
        path = f"{self.ws}/metadata"
        content = support.read(path)
        for one, two in ((0, 1), (1, 2), (2, 3)):
            pages = [content[at:at + PAGE_LENGTH] for at in range(0, len(content), PAGE_LENGTH)]
            pages[one], pages[two] = pages[two], pages[one]
            support.write(path, b"".join(pages))
            self.assertIsNone(self.outcome(point), (one, two))

    def test_every_block_of_the_log(self):
        """A changed byte in the log: an error, or a state that was once there, and never a mix."""
        point = self.attach()
        for number in range(12):
            support.write(f"{point}/{number:02}", trees.noise(2000, number))
            workspaces.sync(f"{point}/{number:02}")
        self.kill(point)
        path = f"{self.ws}/metadata-wal"
        count = os.path.getsize(path) // PAGE_LENGTH
        self.assertGreater(count, 20)
        failed = 0
        for block in range(count):
            offset = block * PAGE_LENGTH + random.Random(block).randrange(PAGE_LENGTH)
            self.damage(path, offset)
            found = self.outcome(point)
            failed += found is None
            if found is not None:
                names = [f"{number:02}".encode() for number in range(len(found))]
                self.assertEqual(sorted(found), names, f"block {block}")
                for number, name in enumerate(names):
                    self.assertEqual(found[name][3], trees.noise(2000, number), name)
            self.damage(path, offset)
        self.assertGreater(failed, count // 2)
        self.assertEqual(len(self.outcome(point)), 12)

    def test_log_of_another_time(self):
        """A log from before the last checkpoint is no log any more."""
        point = self.attach()
        support.write(f"{point}/a", b"old")
        workspaces.sync(f"{point}/a")
        shutil.copy(f"{self.ws}/metadata-wal", self.path("older"))
        support.write(f"{point}/a", b"new")
        self.umount(point)
        shutil.copy(self.path("older"), f"{self.ws}/metadata-wal")
        found = self.outcome(point)
        self.assertTrue(found is None or found[b"a"][3] == b"new")

    def test_another_workspace(self):
        """The database of another workspace with the same key file is refused."""
        self.umount(self.attach())
        other = self.path("ws2")
        self.capsule("init", other, "--new-key-file", self.path("key2"))
        for names in (["metadata"], ["pages"], ["metadata", "pages"]):
            for name in names:
                os.rename(f"{self.ws}/{name}", self.path(name))
                shutil.copy(f"{other}/{name}", f"{self.ws}/{name}")
            found = self.outcome(self.path("mnt"))
            for name in names:
                os.rename(self.path(name), f"{self.ws}/{name}")
            self.assertIsNone(found, names)
        self.assertEqual(self.outcome(self.path("mnt")), {})


@support.needs_root
@support.needs_fuse
class FullMedium(WorkspaceTest):
    """The workspace on a file system without room."""

    def setUp(self):
        super().setUp()
        self.small = self.path("small")
        os.mkdir(self.small)
        self.addCleanup(support.detach, self.small)
        self.run_command(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", self.small])
        self.ws = f"{self.small}/ws"
        self.point = self.attach()

    def end(self):
        """Unmounts everything."""
        self.umount(self.point)
        self.run_command(["umount", self.small])

    def fill(self, length, most=10_000):
        """Flushed files until there is no room; returns the numbers of those that succeeded."""
        for number in range(most):
            path = f"{self.point}/fill{number}"
            handle = None
            try:
                handle = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
                os.write(handle, trees.noise(length, number))
                os.fsync(handle)
            except OSError as error:
                self.assertEqual(error.errno, errno.ENOSPC, f"file {number}: {error}")
                return number
            finally:
                if handle is not None:
                    try:
                        os.close(handle)
                    except OSError as error:
                        self.assertEqual(error.errno, errno.ENOSPC, error)
        self.fail("it does not fill up")

    def check(self, count, length):
        """All flushed files read back right."""
        for number in range(count):
            self.assertEqual(
                support.read(f"{self.point}/fill{number}"), trees.noise(length, number), number)

    def test_statfs(self):
        """df shows the medium's room."""
        facts = os.statvfs(self.point)
        self.assertLess(facts.f_bavail * facts.f_frsize, 25 << 20)
        self.assertGreater(facts.f_bavail * facts.f_frsize, 20 << 20)
        self.assertEqual(facts.f_namemax, 255)
        self.end()

    def test_large_files(self):
        """ENOSPC, not EIO; what was flushed reads back, after a new mount, too."""
        count = self.fill(1_000_000)
        self.assertGreater(count, 15)
        self.check(count, 1_000_000)
        self.remount(self.point)
        self.check(count, 1_000_000)
        self.end()

    def test_deleting(self):
        """On a full medium, files can be deleted, durably."""
        self.fill(1_000_000)
        os.remove(f"{self.point}/fill0")
        self.assertFalse(os.path.exists(f"{self.point}/fill0"))
        workspaces.sync(self.point)
        self.remount(self.point)
        self.assertFalse(os.path.exists(f"{self.point}/fill0"))
        self.end()

    def test_deleting_much(self):
        """Thousands of names go at once, durably, although their log alone fills the rest."""
        os.mkdir(f"{self.point}/many")
        for number in range(4000):
            support.write(f"{self.point}/many/a-name-that-is-not-short-{number}", b"")
        workspaces.sync(self.point)
        self.fill(1_000_000)
        self.run_command(["rm", "-r", f"{self.point}/many"], timeout=60)
        workspaces.sync(self.point)
        os.remove(f"{self.point}/fill0")
        workspaces.sync(self.point)
        self.remount(self.point)
        self.assertEqual(
            [name for name in os.listdir(self.point) if not name.startswith("fill")], [])
        self.end()

    def leave(self, room):
        """Takes all of the medium but `room` bytes, the reserve too; the path of what takes it."""
        reserve = f"{self.ws}/reserve"
        if os.path.exists(reserve):
            os.remove(reserve)
        path = f"{self.small}/ballast"
        facts = os.statvfs(self.small)
        support.write(path, b"x" * (facts.f_bavail * facts.f_frsize - room))
        return path

    def test_failed_commit(self):
        """Room neither for contents nor for the log: what is flushed later can be read later."""
        support.write(f"{self.point}/first", b"first")
        workspaces.sync(self.point)
        for number, room in enumerate((4096, 8192, 12288)):
            self.remount(self.point)
            ballast = self.leave(room)
            self.fails_with(errno.ENOSPC, lambda: support.write(
                f"{self.point}/no-room{number}", trees.noise(1000, number)))
            os.mkdir(f"{self.point}/made{number}")
            self.fails_with(errno.ENOSPC, lambda: workspaces.sync(self.point), f"room of {room}")
            os.remove(ballast)
            path = support.write(f"{self.point}/later{number}", trees.noise(1000, number + 100))
            workspaces.sync(path)
            self.assertEqual(support.read(path), trees.noise(1000, number + 100))
            self.remount(self.point)
            self.assertEqual(
                support.read(f"{self.point}/later{number}"), trees.noise(1000, number + 100))
            self.assertEqual(support.read(f"{self.point}/first"), b"first")
        self.end()

    def test_failed_commit_is_made_up_for(self):
        """What could not be stored is stored by the next flush that finds room."""
        support.write(f"{self.point}/first", b"first")
        workspaces.sync(self.point)
        ballast = self.leave(4096)
        os.mkdir(f"{self.point}/made")
        os.rename(f"{self.point}/first", f"{self.point}/made/first")
        self.fails_with(errno.ENOSPC, lambda: workspaces.sync(self.point))
        self.assertEqual(support.read(f"{self.point}/made/first"), b"first")
        os.remove(ballast)
        workspaces.sync(self.point)
        self.remount(self.point)
        self.assertEqual(os.listdir(self.point), ["made"])
        self.assertEqual(support.read(f"{self.point}/made/first"), b"first")
        self.end()

    def test_small_files(self):
        """The same with files so small that the database fills up the rest."""
        self.fill(1_000_000, 40)
        count = 0
        failure = None
        for number in range(3000):
            try:
                path = support.write(f"{self.point}/small{number}", trees.noise(300, number))
                workspaces.sync(path)
                count += 1
            except OSError as error:
                failure = error
                break
        self.assertIsNotNone(failure, "it does not fill up")
        self.assertEqual(failure.errno, errno.ENOSPC, failure)
        for again in range(2):
            for number in range(count):
                self.assertEqual(support.read(f"{self.point}/small{number}"),
                                 trees.noise(300, number), (again, number))
            self.remount(self.point)
        self.end()

    def test_after_room_was_made(self):
        """When somebody makes room on the medium, work goes on, and nothing of it is lost."""
        count = self.fill(500_000)
        self.run_command(["mount", "-o", "remount,size=64m", self.small])
        for number in range(20):
            path = support.write(f"{self.point}/after{number}", trees.noise(200_000, number))
            workspaces.sync(path)
        self.check(count, 500_000)
        self.remount(self.point)
        self.check(count, 500_000)
        for number in range(20):
            self.assertEqual(
                support.read(f"{self.point}/after{number}"), trees.noise(200_000, number), number)
        self.end()

    def test_no_room_for_a_checkpoint(self):
        """Unmounted without room to put the log into the database: the log goes on counting."""
        values = [trees.noise(60_000, number) for number in range(10)]
        for number in range(100):
            path = support.write(f"{self.point}/{number}", b"x")
            os.setxattr(path, "user.large", values[number % 10])
        workspaces.sync(path)
        ballast = self.leave(500_000)
        for turn in range(3):
            if turn == 2:
                os.remove(ballast)
            self.remount(self.point)
            for number in range(100):
                self.assertEqual(
                    os.getxattr(f"{self.point}/{number}", "user.large"), values[number % 10])
        self.umount(self.point)
        self.assertEqual(os.path.getsize(f"{self.ws}/metadata-wal"), 0)
        self.run_command(["umount", self.small])

    def test_nothing_is_half_there(self):
        """After a full medium, every name that is listed can be looked at and read, or removed."""
        self.fill(700_000)
        for number in range(200):
            try:
                os.mkdir(f"{self.point}/d{number}")
                support.write(f"{self.point}/d{number}/f", b"f" * 200)
                workspaces.sync(f"{self.point}/d{number}")
            except OSError as error:
                self.assertEqual(error.errno, errno.ENOSPC, error)
        for _ in range(2):
            for directory, names, files in os.walk(self.point, onerror=self.raise_error):
                for name in names + files:
                    facts = os.lstat(f"{directory}/{name}")
                    self.assertGreater(facts.st_nlink, 0, name)
                    if name in files:
                        self.assertEqual(
                            len(support.read(f"{directory}/{name}")), facts.st_size, name)
            self.run_command(["mount", "-o", "remount,size=64m", self.small])
            self.remount(self.point)
        self.run_command(["find", self.point, "-mindepth", "1", "-delete"])
        self.assertEqual(os.listdir(self.point), [])
        self.end()

    @staticmethod
    def raise_error(error):
        """For os.walk, which is silent otherwise."""
        raise error


if __name__ == "__main__":
    unittest.main()
