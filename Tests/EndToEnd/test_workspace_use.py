"""System calls on the files of a live workspace."""

import errno
import mmap
import os
import random
import signal
import stat
import subprocess
import sys
import time
import unittest

import support
import trees
import workspaces
from workspaces import EXCHANGE, KEEP_SIZE, NOREPLACE, PUNCH_HOLE, ZERO_RANGE, WorkspaceTest


@support.needs_root
@support.needs_fuse
class Files(WorkspaceTest):
    """System calls on files."""

    def setUp(self):
        super().setUp()
        self.point = self.attach()
        self.name = f"{self.point}/file"

    def tearDown(self):
        if support.mounts_below(self.point):
            self.umount(self.point)

    def opened(self, path, flags, mode=0o644):
        """A descriptor that is closed before the mount goes."""
        handle = os.open(path, flags, mode)
        return os.fdopen(handle, "r+b" if flags & os.O_RDWR else "rb", buffering=0)

    def test_open_without_a_name(self):
        """An unlinked file is read and written until it is closed; then its room is forgotten."""
        content = trees.noise(300_000)
        support.write(self.name, content)
        with self.opened(self.name, os.O_RDWR) as file:
            os.unlink(self.name)
            self.assertEqual(os.fstat(file.fileno()).st_nlink, 0)
            workspaces.sync(self.point)
            self.assertEqual(os.pread(file.fileno(), 400_000, 0), content)
            os.pwrite(file.fileno(), b"more", 300_000)
            os.fsync(file.fileno())
            self.assertEqual(os.pread(file.fileno(), 10, 299_998), content[-2:] + b"more")
            self.assertEqual(os.listdir(self.point), [])
            support.write(self.name, b"another")
            self.assertEqual(os.fstat(file.fileno()).st_size, 300_004)
        self.assertEqual(support.read(self.name), b"another")

    def test_replaced_while_open(self):
        """So is one that a rename replaces."""
        support.write(self.name, b"old")
        support.write(f"{self.point}/new", b"new")
        with self.opened(self.name, os.O_RDONLY) as file:
            os.rename(f"{self.point}/new", self.name)
            self.assertEqual(file.read(), b"old")
            self.assertEqual(support.read(self.name), b"new")

    def test_truncating_open(self):
        """O_TRUNC on a file that is there, also when the kernel has forgotten the file."""
        support.write(self.name, b"x" * 5000)
        support.write(self.name, b"short")
        self.assertEqual(support.read(self.name), b"short")
        self.remount(self.point)
        self.assertEqual(support.read(self.name), b"short")

    def test_truncating_open_alone(self):
        """O_TRUNC without a write: the file is empty, for another descriptor and later, too."""
        support.write(self.name, b"x" * 5000)
        os.close(os.open(self.name, os.O_WRONLY | os.O_TRUNC))
        self.assertEqual(os.stat(self.name).st_size, 0)
        self.remount(self.point)
        self.assertEqual(os.stat(self.name).st_size, 0)

    def test_copy_of_what_another_process_writes(self):
        """cp of a file whose writer lives in a process of its own, which no close here flushes."""
        code = ("import sys; f = open(sys.argv[1], 'wb', 0); f.write(b'A' * 100000); "
                "print(flush=True); sys.stdin.readline(); f.write(b'B' * 900000); "
                "print(flush=True); sys.stdin.readline()")
        process = subprocess.Popen(
            [sys.executable, "-c", code, self.name], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, start_new_session=True)
        support.started.append(process)
        self.addCleanup(support.stop, process)
        copy = self.path("copy")
        for expected in (b"A" * 100000, b"A" * 100000 + b"B" * 900000):
            process.stdout.readline()
            self.run_command(["cp", "--sparse=always", self.name, copy])
            self.assertEqual(support.read(copy), expected)
            process.stdin.write(b"\n")
            process.stdin.flush()
        process.stdin.close()
        process.stdout.close()
        process.wait(10)

    def test_link_counts(self):
        """Of files and directories, through link, unlink, rename and rmdir, and after a remount."""
        support.write(self.name, b"x")
        for number in range(3):
            os.mkdir(f"{self.point}/d{number}")
            os.link(self.name, f"{self.point}/d{number}/l")
        self.assertEqual(os.stat(self.name).st_nlink, 4)
        os.unlink(f"{self.point}/d0/l")
        os.rename(f"{self.point}/d1/l", f"{self.point}/d2/m")
        # Two names of one file: nothing happens.
        os.rename(f"{self.point}/d2/m", f"{self.point}/d2/l")
        self.assertEqual(sorted(os.listdir(f"{self.point}/d2")), ["l", "m"])
        os.rename(f"{self.point}/d1", f"{self.point}/d2/d1")
        os.rmdir(f"{self.point}/d0")
        for _ in range(2):
            self.assertEqual(os.stat(self.name).st_nlink, 3)
            self.assertEqual(os.stat(f"{self.point}/d2/l").st_ino, os.stat(self.name).st_ino)
            self.assertEqual(os.stat(self.point).st_nlink, 3)
            self.assertEqual(os.stat(f"{self.point}/d2").st_nlink, 3)
            self.assertEqual(os.stat(f"{self.point}/d2/d1").st_nlink, 2)
            self.remount(self.point)

    def test_rename_without_replacing(self):
        """RENAME_NOREPLACE: EEXIST where something is there, and nothing moves."""
        support.write(self.name, b"one")
        other = support.write(f"{self.point}/other", b"two")
        self.fails_with(errno.EEXIST, lambda: workspaces.rename(self.name, other, NOREPLACE))
        self.assertEqual((support.read(self.name), support.read(other)), (b"one", b"two"))
        workspaces.rename(self.name, f"{self.point}/third", NOREPLACE)
        self.assertEqual(sorted(os.listdir(self.point)), ["other", "third"])

    def test_rename_by_exchange(self):
        """RENAME_EXCHANGE of a file and a full directory, in different directories."""
        support.write(self.name, b"one")
        support.write(f"{self.point}/d/e/inner", b"two")
        workspaces.rename(self.name, f"{self.point}/d/e", EXCHANGE)
        self.fails_with(
            errno.ENOENT, lambda: workspaces.rename(self.name, f"{self.point}/no", EXCHANGE))
        for _ in range(2):
            self.assertEqual(support.read(f"{self.point}/d/e"), b"one")
            self.assertEqual(support.read(f"{self.name}/inner"), b"two")
            self.assertEqual(os.stat(f"{self.point}/d").st_nlink, 2)
            self.assertEqual(os.stat(self.point).st_nlink, 4)
            self.assertEqual(os.stat(f"{self.name}/..").st_ino, os.stat(self.point).st_ino)
            self.remount(self.point)

    def test_no_loops(self):
        """A directory does not go below itself, renamed or exchanged."""
        os.makedirs(f"{self.point}/a/b/c")
        self.fails_with(
            errno.EINVAL, lambda: os.rename(f"{self.point}/a", f"{self.point}/a/b/c/a"))
        self.fails_with(
            errno.EINVAL,
            lambda: workspaces.rename(f"{self.point}/a", f"{self.point}/a/b/c", EXCHANGE))
        self.assertTrue(os.path.isdir(f"{self.point}/a/b/c"))

    def test_append_of_two_processes(self):
        """O_APPEND from two processes at once: every line once, whole."""
        script = """
import os, sys
handle = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
for number in range(3000):
    os.write(handle, f"{sys.argv[2]} {number}\\n".encode())
    if number % 500 == 0:
        os.fsync(handle)
"""
        processes = [self.python(script, self.name, who) for who in "ab"]
        for process in processes:
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, err)
        self.remount(self.point)
        lines = support.read(self.name).decode().splitlines()
        for who in "ab":
            self.assertEqual([line for line in lines if line[0] == who],
                             [f"{who} {number}" for number in range(3000)])
        self.assertEqual(len(lines), 6000)

    def test_truncate(self):
        """Down and up again: what was cut off is zeros, at any border, after a remount, too."""
        content = trees.noise(400_000)
        cuts = [0, 1, 4095, 4096, 4097, 131_071, 131_072, 131_073, 262_144, 399_999]
        for cut in cuts:
            path = support.write(f"{self.point}/{cut}", content)
            os.truncate(path, cut)
            os.truncate(path, 500_000)
        for _ in range(2):
            for cut in cuts:
                self.assertEqual(support.read(f"{self.point}/{cut}"),
                                 content[:cut] + b"\0" * (500_000 - cut), cut)
            self.remount(self.point)

    def test_overwriting(self):
        """Writes over parts of what is there: each byte is the last that was written."""
        expected = bytearray(trees.noise(700_000))
        support.write(self.name, expected)
        one = random.Random(5)
        for turn in range(300):
            offset, length = one.randrange(690_000), one.choice((1, 10, 4096, 70_000, 140_000))
            piece = one.randbytes(length)
            with self.opened(self.name, os.O_RDWR) as file:
                os.pwrite(file.fileno(), piece, offset)
                if turn % 10 == 0:
                    os.fsync(file.fileno())
            expected[offset:offset + length] = piece
        self.assertEqual(support.read(self.name), expected)
        self.remount(self.point)
        self.assertEqual(support.read(self.name), expected)

    def test_allocate(self):
        """fallocate: more size, no more size, a hole, zeros; what is around stays."""
        content = trees.noise(400_000)
        support.write(self.name, content)
        with self.opened(self.name, os.O_RDWR) as file:
            handle = file.fileno()
            workspaces.fallocate(handle, KEEP_SIZE, 400_000, 100_000)
            self.assertEqual(os.fstat(handle).st_size, 400_000)
            workspaces.fallocate(handle, PUNCH_HOLE | KEEP_SIZE, 1000, 200_000)
            workspaces.fallocate(handle, ZERO_RANGE | KEEP_SIZE, 300_000, 10)
            workspaces.fallocate(handle, PUNCH_HOLE | KEEP_SIZE, 399_990, 1_000_000)
            self.assertEqual(os.fstat(handle).st_size, 400_000)
            workspaces.fallocate(handle, ZERO_RANGE, 399_000, 2000)
            self.assertEqual(os.fstat(handle).st_size, 401_000)
            workspaces.fallocate(handle, 0, 0, 450_000)
            self.assertEqual(os.fstat(handle).st_size, 450_000)
            self.fails_with(
                errno.EOPNOTSUPP, lambda: workspaces.fallocate(handle, 8, 0, 4096))
        expected = bytearray(content) + b"\0" * 50_000
        for start, stop in ((1000, 201_000), (300_000, 300_010), (399_000, 401_000)):
            expected[start:stop] = b"\0" * (stop - start)
        for _ in range(2):
            self.assertEqual(support.read(self.name), expected)
            self.remount(self.point)
        self.assertLessEqual(os.stat(self.name).st_blocks * 512, 200_000)

    def test_holes(self):
        """SEEK_HOLE and SEEK_DATA tell the holes of a closed file, at once and later."""
        trees.sparse(self.name, 10 << 20, [(1 << 20, b"x" * 4096), (5 << 20, b"y" * 131_072)])
        expected = [("hole", 0, 1 << 20), ("data", 1 << 20, (1 << 20) + 4096),
                    ("hole", (1 << 20) + 4096, 5 << 20), ("data", 5 << 20, (5 << 20) + 131_072),
                    ("hole", (5 << 20) + 131_072, 10 << 20)]
        self.assertTrue(
            support.wait_until(lambda: trees.segments(self.name) == expected),
            trees.segments(self.name))
        with self.opened(self.name, os.O_RDONLY) as file:
            self.fails_with(
                errno.ENXIO, lambda: os.lseek(file.fileno(), 6 << 20, os.SEEK_DATA))
            self.fails_with(
                errno.ENXIO, lambda: os.lseek(file.fileno(), 10 << 20, os.SEEK_HOLE))
        self.remount(self.point)
        self.assertEqual(trees.segments(self.name), expected)

    def test_copy_of_unflushed_data(self):
        """cp of a file that a writer holds open: the data that nobody flushed, and no zeros."""
        content = trees.noise(3 << 20)
        copied = self.path("copied")
        with self.opened(self.name, os.O_CREAT | os.O_RDWR) as file:
            for offset in (0, 8 << 20, 30 << 20):
                os.pwrite(file.fileno(), content, offset)
                for words in (["cp"], ["cp", "--sparse=always"], ["rsync", "-S"]):
                    self.run_command([*words, self.name, copied])
                    found = support.read(copied)
                    self.assertEqual(len(found), offset + len(content), words)
                    self.assertTrue(found.endswith(content), words)
                    self.assertTrue(found.startswith(content), words)
                self.run_command(["cp", self.name, f"{self.point}/inside"])
                self.assertTrue(support.read(f"{self.point}/inside").endswith(content))
                os.unlink(f"{self.point}/inside")

    def test_copied_range_shares_blocks(self):
        """copy_file_range stores nothing again, and the copies are independent."""
        content = trees.noise(8 << 20)
        support.write(self.name, content)
        workspaces.sync(self.name)
        before = self.stored_length()
        self.assertGreater(before, 8 << 20)
        with (self.opened(self.name, os.O_RDONLY) as source,
              self.opened(f"{self.point}/copy", os.O_CREAT | os.O_RDWR) as target):
            done = 0
            while done < len(content):
                done += os.copy_file_range(source.fileno(), target.fileno(), 3 << 20)
            # In the midst of things, not at borders of blocks.
            count = os.copy_file_range(source.fileno(), target.fileno(), 200_000, 12_345, 777)
            self.assertEqual(count, 200_000)
        expected = bytearray(content)
        expected[777:200_777] = content[12_345:212_345]
        self.assertLess(self.stored_length() - before, 100_000)
        self.remount(self.point)
        self.assertEqual(support.read(f"{self.point}/copy"), expected)
        workspaces.write_at(self.name, 5000, b"changed")
        self.assertEqual(support.read(f"{self.point}/copy"), expected)
        os.unlink(self.name)
        self.remount(self.point)
        self.assertEqual(support.read(f"{self.point}/copy"), expected)
        self.assertLess(self.stored_length() - before, 300_000)

    def test_copied_range_of_holes(self):
        """copy_file_range over holes and over the end: holes stay, what was there goes."""
        trees.sparse(self.name, 1 << 20, [(300_000, b"data")])
        support.write(f"{self.point}/copy", b"z" * 500_000)
        with (self.opened(self.name, os.O_RDONLY) as source,
              self.opened(f"{self.point}/copy", os.O_RDWR) as target):
            self.assertEqual(os.copy_file_range(
                source.fileno(), target.fileno(), 2 << 20, 100_000, 50_000), (1 << 20) - 100_000)
            self.assertEqual(os.copy_file_range(
                source.fileno(), target.fileno(), 100, 1 << 20, 0), 0)
        expected = bytearray(b"z" * 50_000 + b"\0" * ((1 << 20) - 100_000))
        expected[250_000:250_004] = b"data"
        self.assertEqual(support.read(f"{self.point}/copy"), expected)

    def test_shared_map(self):
        """A shared writable map: seen by read at once, by another process, and after a remount."""
        support.write(self.name, b"a" * 300_000)
        with self.opened(self.name, os.O_RDWR) as file, mmap.mmap(file.fileno(), 0) as view:
            view[100_000:100_006] = b"mapped"
            self.assertEqual(os.pread(file.fileno(), 6, 100_000), b"mapped")
            os.pwrite(file.fileno(), b"written", 200_000)
            self.assertEqual(view[200_000:200_007], b"written")
            words = ["tail", "-c", "+100001", self.name]
            self.assertTrue(self.run_command(words).stdout.startswith(b"mapped"))
            view.flush()
        expected = bytearray(b"a" * 300_000)
        expected[100_000:100_006] = b"mapped"
        expected[200_000:200_007] = b"written"
        self.remount(self.point)
        self.assertEqual(support.read(self.name), expected)
        # Nobody flushes this one, and the descriptor goes before the map.
        handle = os.open(self.name, os.O_RDWR)
        view = mmap.mmap(handle, 0)
        os.close(handle)
        view[5:10] = b"later"
        view.close()
        expected[5:10] = b"later"
        self.remount(self.point)
        self.assertEqual(support.read(self.name), expected)

    def test_times(self):
        """Times to the nanosecond, before 1970 and far ahead, kept when nothing is flushed."""
        moments = [0, 1, -1, -1_000_000_001, 123456789_123456789, 9_999_999_999_999_999_999 // 2]
        for moment in moments:
            path = support.write(f"{self.point}/{moment}", b"x")
            with self.opened(path, os.O_RDWR) as file:
                file.write(b"y")
                os.utime(file.fileno(), ns=(moment + 3, moment))
        os.utime(self.point, ns=(5, 7))
        for _ in range(2):
            for moment in moments:
                facts = os.stat(f"{self.point}/{moment}")
                self.assertEqual((facts.st_atime_ns, facts.st_mtime_ns), (moment + 3, moment))
            self.assertEqual(os.stat(self.point).st_mtime_ns, 7)
            self.remount(self.point)

    def test_changes_set_times(self):
        """A write sets mtime and ctime, chmod only ctime, a new entry those of its directory."""
        support.write(self.name, b"x")
        os.mkdir(f"{self.point}/d")
        for path in (self.name, f"{self.point}/d"):
            os.utime(path, ns=(10, 10))
        before = os.stat(self.name).st_ctime_ns
        # More than a tick of the kernel's clock.
        time.sleep(0.05)
        os.chmod(self.name, 0o600)
        self.assertEqual(os.stat(self.name).st_mtime_ns, 10)
        self.assertGreater(os.stat(self.name).st_ctime_ns, before)
        workspaces.write_at(self.name, 0, b"y")
        support.write(f"{self.point}/d/new", b"")
        self.remount(self.point)
        for path in (self.name, f"{self.point}/d"):
            self.assertGreater(os.stat(path).st_mtime_ns, before, path)

    def test_inherited_group(self):
        """What is made in a setgid directory has its group; directories are setgid, too."""
        os.mkdir(f"{self.point}/d")
        os.chown(f"{self.point}/d", 12345, 23456)
        os.chmod(f"{self.point}/d", 0o2775)
        support.write(f"{self.point}/d/e/file", b"x")
        os.symlink("x", f"{self.point}/d/link")
        self.remount(self.point)
        for name in ("d/e", "d/e/file", "d/link"):
            found = os.lstat(f"{self.point}/{name}")
            self.assertEqual((found.st_uid, found.st_gid), (0, 23456), name)
        self.assertEqual(stat.S_IMODE(os.stat(f"{self.point}/d/e").st_mode) & 0o2000, 0o2000)
        self.assertEqual(os.stat(f"{self.point}/d/e/file").st_mode & 0o2000, 0)

    def test_inherited_access_list(self):
        """A default ACL: files and directories get it, without the umask; setfacl sets modes."""
        os.mkdir(f"{self.point}/d")
        self.run_command(
            ["setfacl", "-m", "d:u:12345:rwx,d:g::r-x,d:o::---,d:m::rwx", f"{self.point}/d"])
        script = f"umask 077; mkdir {self.point}/d/e; touch {self.point}/d/e/f; " \
                 f"setfacl -m u:23456:r {self.point}/d/e/f"
        self.run_command(["sh", "-c", script])
        self.remount(self.point)
        found = self.run_command(
            ["getfacl", "-n", "-p", "--omit-header", f"{self.point}/d/e/f"]).stdout.decode()
        self.assertEqual(found.split(), [
            "user::rw-", "user:12345:rwx", "user:23456:r--", "group::r-x", "mask::rwx",
            "other::---"])
        found = self.run_command(
            ["getfacl", "-n", "-p", "--omit-header", f"{self.point}/d/e"]).stdout.decode()
        self.assertIn("default:user:12345:rwx", found.split())
        self.assertIn("user:12345:rwx", found.split())
        self.assertEqual(stat.S_IMODE(os.stat(f"{self.point}/d/e/f").st_mode), 0o670)
        os.chmod(f"{self.point}/d/e/f", 0o600)
        found = self.run_command(["getfacl", "-n", "-p", f"{self.point}/d/e/f"]).stdout
        self.assertIn(b"mask::---", found)

    def test_attributes(self):
        """Flags of setxattr, large values, many names, removal; all there after a remount."""
        support.write(self.name, b"x")
        self.fails_with(
            errno.ENODATA,
            lambda: os.setxattr(self.name, "user.a", b"1", os.XATTR_REPLACE))
        os.setxattr(self.name, "user.a", b"1", os.XATTR_CREATE)
        self.fails_with(
            errno.EEXIST, lambda: os.setxattr(self.name, "user.a", b"2", os.XATTR_CREATE))
        os.setxattr(self.name, "user.a", b"3", os.XATTR_REPLACE)
        large = trees.noise(65_536)
        os.setxattr(self.name, "user.large", large)
        for number in range(200):
            os.setxattr(self.name, f"user.{number}", str(number).encode())
        for number in range(0, 200, 2):
            os.removexattr(self.name, f"user.{number}")
        self.fails_with(errno.ENODATA, lambda: os.getxattr(self.name, "user.0"))
        for _ in range(2):
            self.assertEqual(os.getxattr(self.name, "user.a"), b"3")
            self.assertEqual(os.getxattr(self.name, "user.large"), large)
            self.assertEqual(
                sorted(os.listxattr(self.name)),
                sorted(["user.a", "user.large", *(f"user.{n}" for n in range(1, 200, 2))]))
            self.remount(self.point)

    def test_privileges_are_dropped(self):
        """A write takes setuid and capabilities away, as everywhere."""
        support.write(self.name, b"x", 0o6755)
        os.setxattr(self.name, "security.capability", trees.CAPABILITY)
        os.chmod(self.name, 0o4777)
        self.remount(self.point, "allow_other")
        self.run_command(["sh", "-c", f"echo y >> {self.name}"], user=support.NOBODY)
        for _ in range(2):
            self.assertEqual(stat.S_IMODE(os.stat(self.name).st_mode), 0o777)
            self.assertNotIn("security.capability", os.listxattr(self.name))
            self.remount(self.point)

    def test_allocating_drops_privileges(self):
        """fallocate by a stranger does too, also where nobody of the group may execute."""
        for mode in (0o2666, 0o6666, 0o2676):
            support.write(self.name, b"x", mode)
            os.chmod(self.name, mode)
            self.remount(self.point, "allow_other")
            self.assertEqual(stat.S_IMODE(os.stat(self.name).st_mode), mode)
            self.run_command(["fallocate", "-l", "8192", self.name], user=support.NOBODY)
            for _ in range(2):
                self.assertEqual(stat.S_IMODE(os.stat(self.name).st_mode), mode & 0o777)
                self.remount(self.point)

    LOCKER = """
import fcntl, os, sys
kind, path = sys.argv[1:]
handle = os.open(path, os.O_RDWR)
if kind == "flock":
    fcntl.flock(handle, fcntl.LOCK_EX)
else:
    fcntl.lockf(handle, fcntl.LOCK_EX, 100, 50)
print("ready")
sys.stdin.read()
"""

    def test_locks(self):
        """POSIX and flock locks exclude another process, and go with it."""
        import fcntl
        support.write(self.name, b"x" * 1000)
        for kind in ("flock", "posix"):
            holder = self.python(self.LOCKER, kind, self.name, stdin=subprocess.PIPE)
            self.wait_for_line(holder, b"ready")
            with self.opened(self.name, os.O_RDWR) as file:
                def attempt(start=120):
                    flags = fcntl.LOCK_EX | fcntl.LOCK_NB
                    if kind == "flock":
                        fcntl.flock(file, flags)
                    else:
                        fcntl.lockf(file, flags, 10, start)

                with self.assertRaises(BlockingIOError, msg=kind):
                    attempt()
                if kind == "posix":
                    attempt(500)
                os.kill(holder.pid, signal.SIGKILL)
                holder.wait(10)
                attempt()

    def test_larger_than_4_gib(self):
        """Offsets beyond 32 bits, sparse; and the longest offset there is."""
        places = [0, (4 << 30) - 5, (4 << 30) + 4096, (5 << 30) + 1, (1 << 40) + 3]
        with self.opened(self.name, os.O_CREAT | os.O_RDWR) as file:
            for place in places:
                os.pwrite(file.fileno(), b"at %d" % place, place)
        self.remount(self.point)
        self.assertEqual(os.stat(self.name).st_size, places[-1] + len(b"at %d" % places[-1]))
        self.assertLess(os.stat(self.name).st_blocks, 1000)
        with self.opened(self.name, os.O_RDWR) as file:
            for place in places:
                text = b"at %d" % place
                self.assertEqual(os.pread(file.fileno(), len(text), place), text)
            self.assertEqual(os.pread(file.fileno(), 10, 2 << 30), b"\0" * 10)
            os.ftruncate(file.fileno(), (4 << 30) + 1)
        self.remount(self.point)
        self.assertEqual(os.stat(self.name).st_size, (4 << 30) + 1)
        with self.opened(self.name, os.O_RDONLY) as file:
            self.assertEqual(os.pread(file.fileno(), 100, (4 << 30) - 5), b"at 429")

    def test_names(self):
        """255 bytes are a name, 256 are not; any bytes but / and NUL; no normalisation."""
        place = os.fsencode(self.point) + b"/"
        names = [b"n" * 255, b"\xff\xfe\x80", b"new\nline", b"\xc3\xa4", b"a\xcc\x88", b" ", b"-",
                 bytes(range(1, 47)) + bytes(range(48, 256)), b"A", b"a"]
        for name in names:
            with open(place + name, "wb") as file:
                file.write(name)
        self.fails_with(errno.ENAMETOOLONG, lambda: os.mkdir(place + b"n" * 256))
        self.fails_with(errno.ENAMETOOLONG, lambda: os.stat(place + b"n" * 256))
        for _ in range(2):
            self.assertEqual(sorted(os.listdir(place)), sorted(names))
            for name in names:
                self.assertEqual(support.read(place + name), name)
            self.remount(self.point)

    def test_long_path(self):
        """A path of 4095 bytes is made, read and removed; a target of 4095 bytes, too."""
        trees.long_path(self.point, trees.PATH_LENGTH)
        os.symlink("t" * 4095, f"{self.point}/link")
        self.remount(self.point)
        path = os.fsencode(self.point) + b"/" + max(trees.paths(self.point), key=len)
        self.assertEqual(len(path), trees.PATH_LENGTH)
        self.assertEqual(support.read(path), b"deep")
        self.assertEqual(os.readlink(f"{self.point}/link"), "t" * 4095)
        self.run_command(["find", self.point, "-mindepth", "1", "-delete"])
        self.assertEqual(os.listdir(self.point), [])


if __name__ == "__main__":
    unittest.main()
