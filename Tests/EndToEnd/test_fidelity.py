"""What comes out of a capsule is what went in: mounted, extracted, and through other programs."""

import os
import stat
import unittest

import support
import trees


def described(path):
    """What stat tells of an object, without what a copy cannot have."""
    found = os.lstat(path)
    size = found.st_size if not stat.S_ISDIR(found.st_mode) else 0
    return (found.st_mode, found.st_uid, found.st_gid, size, found.st_mtime_ns, found.st_rdev,
            found.st_nlink if not stat.S_ISDIR(found.st_mode) else 0)


def sorted_attributes(listing):
    """A listing of tar, with the indented lines below each entry sorted: xattrs have no order."""
    entries = []
    for line in listing.splitlines():
        if line.startswith(b"  ") and entries:
            entries[-1].append(line)
        else:
            entries.append([line])
    return [(entry[0], sorted(entry[1:])) for entry in entries]


@support.needs_root
@support.needs_fuse
class MountedTree(support.EndToEnd):
    """The tree with everything, mounted."""

    def setUp(self):
        super().setUp()
        self.source, capsule, secret = trees.shared()
        self.point = os.path.join(os.path.dirname(self.source), "mnt")
        os.makedirs(self.point, exist_ok=True)
        self.mount(capsule, f"passphrase-file={secret}", secret=False, point=self.point)

    def test_rsync_finds_no_difference(self):
        """The rsync of the contract prints nothing; and would print, were there a difference."""
        self.assertEqual(self.rsync(self.source, self.point), b"")
        self.assertNotEqual(self.rsync(self.source + "/sizes", self.point + "/links"), b"")

    def test_every_object_is_the_same(self):
        """Names, modes, owners, sizes, times to the nanosecond, devices, link counts, targets."""
        names = trees.paths(self.source)
        self.assertEqual(trees.paths(self.point), names)
        self.assertGreater(len(names), 3050)
        for name in [b""] + names:
            one = os.path.join(os.fsencode(self.source), name)
            two = os.path.join(os.fsencode(self.point), name)
            if len(one) > 4090 or len(two) > 4090:
                continue
            self.assertEqual(described(two), described(one), name)
            if os.path.islink(one):
                self.assertEqual(os.readlink(two), os.readlink(one), name)

    def test_path_of_4095_bytes(self):
        """The longest path that a system call takes can be opened."""
        name = max(trees.paths(self.source), key=len)
        path = os.fsencode(self.point) + b"/" + name
        self.assertEqual(len(path), trees.PATH_LENGTH)
        self.assertEqual(support.read(path), b"deep")

    def test_holes_are_where_they_were(self):
        """A walk with SEEK_DATA and SEEK_HOLE gives the same on both sides."""
        for name in os.listdir(f"{self.source}/sparse"):
            with self.subTest(name=name):
                one = f"{self.source}/sparse/{name}"
                two = f"{self.point}/sparse/{name}"
                self.assertEqual(trees.segments(two), trees.segments(one))
                self.assertLessEqual(os.stat(two).st_blocks, os.stat(one).st_blocks + 8)
        for name in ("sizes/4097", "sizes/random-3m"):
            self.assertEqual(
                trees.segments(f"{self.point}/{name}"), trees.segments(f"{self.source}/{name}"))

    def test_hard_links_share_inodes(self):
        """Names of one inode have one number, and different files have different ones."""
        def groups(base):
            found = {}
            for name in trees.paths(base):
                path = os.path.join(os.fsencode(base), name)
                if len(path) < 4090:
                    found.setdefault(os.lstat(path).st_ino, set()).add(name)
            return sorted(sorted(group) for group in found.values())

        self.assertEqual(groups(self.point), groups(self.source))
        self.assertEqual(os.stat(f"{self.point}/links/first").st_nlink, 3)

    def test_inode_numbers_are_stable(self):
        """The numbers of readdir and stat agree."""
        for entry in os.scandir(f"{self.point}/many"):
            self.assertEqual(entry.inode(), os.lstat(entry.path).st_ino)

    def test_attributes_dump_is_equal(self):
        """getfattr prints the same of both trees, in every name space."""
        words = ["getfattr", "-R", "-h", "-d", "-m", "-", "-e", "hex"]
        places = ["attributes", "modes", "links", "special", "names"]
        one = self.run_command(words + places, cwd=self.source).stdout
        two = self.run_command(words + places, cwd=self.point).stdout
        self.assertEqual(sorted(two.split(b"\n\n")), sorted(one.split(b"\n\n")))
        for word in (b"user.note", b"trusted.note", b"security.capability", b"trusted.link"):
            self.assertIn(word, two)

    def test_acl_dump_is_equal(self):
        """getfacl prints the same of both trees, default ACLs too."""
        words = ["getfacl", "-R", "-P", "-n", "attributes", "modes"]
        one = self.run_command(words, cwd=self.source).stdout
        two = self.run_command(words, cwd=self.point).stdout
        self.assertEqual(sorted(two.split(b"\n\n")), sorted(one.split(b"\n\n")))
        self.assertIn(b"default:user:12345:rwx", two)

    def test_tar_lists_are_equal(self):
        """tar of both trees lists the same, with xattrs and ACLs."""
        places = sorted(set(os.listdir(self.source)) - {"sparse"})
        lists = []
        for number, base in enumerate((self.source, self.point)):
            archive = self.path(f"{number}.tar")
            self.run_command(
                ["tar", "-C", base, "--sort=name", "--numeric-owner", "--xattrs",
                 "--xattrs-include=*", "--acls", "-cf", archive, "--", *places], rc=None)
            listing = self.run_command(
                ["tar", "--numeric-owner", "--full-time", "--xattrs", "--acls", "-tvvf",
                 archive]).stdout
            lists.append(sorted_attributes(listing))
        self.assertEqual(lists[1], lists[0])
        self.assertEqual(
            os.path.getsize(self.path("0.tar")), os.path.getsize(self.path("1.tar")))

    def test_diff_agrees(self):
        """`capsule diff` finds nothing between the capsule and its source."""
        _, capsule, secret = trees.shared()
        result = self.capsule(
            "diff", capsule, self.source, "--passphrase-file", secret, "--exit-code")
        self.assertEqual(result.stdout, b"")


@support.needs_root
class Extracted(support.EndToEnd):
    """`capsule extract`."""

    def setUp(self):
        super().setUp()
        self.source, self.capsule_path, secret = trees.shared()
        self.secret = ["--passphrase-file", secret]

    def extract(self, *more, target=None, capsule=None, **options):
        """Extracts the tree; returns the target."""
        target = target or self.path("out")
        self.capsule(
            "extract", capsule or self.capsule_path, target, *more, *self.secret, **options)
        return target

    def test_trusted_extraction_is_equal(self):
        """With --trust-special as root everything is restored, holes included."""
        place = os.path.join(os.path.dirname(self.source), "ext")
        self.addCleanup(self.run_command, ["rm", "-rf", "--", place])
        self.extract("--trust-special", target=place)
        self.assertEqual(self.rsync(self.source, place), b"")
        for name in os.listdir(f"{self.source}/sparse"):
            self.assertEqual(
                trees.segments(f"{place}/sparse/{name}"),
                trees.segments(f"{self.source}/sparse/{name}"), name)
        self.assertEqual(os.stat(f"{place}/links/first").st_nlink, 3)
        self.assertTrue(os.stat(f"{place}/modes/setuid").st_mode & stat.S_ISUID)

    def test_untrusted_extraction_restores_nothing_dangerous(self):
        """No setuid or setgid program, no device, no security.* or trusted.overlay.*."""
        place = self.extract()
        self.assertEqual(
            sorted(os.listdir(f"{place}/special")), ["fifo", "fifo-again", "socket"])
        for name in trees.paths(place):
            path = os.path.join(os.fsencode(place), name)
            if len(path) > 4090:
                continue
            found = os.lstat(path)
            self.assertFalse(stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode), name)
            if stat.S_ISREG(found.st_mode):
                self.assertFalse(found.st_mode & 0o6000, name)
            for word in os.listxattr(path, follow_symlinks=False):
                self.assertFalse(word.startswith(("security.", "trusted.overlay.")), name)
        changed = self.rsync(self.source, place, "--no-X", "--no-perms", "--no-A")
        left_out = {line.split(b" ", 1)[1] for line in changed.splitlines()
                    if not line.startswith(b".d")}
        self.assertEqual(left_out, {b"special/char", b"special/block"})

    def test_attributes_of_oddly_named_special_files(self):
        """Attributes of links and fifos whose names are not UTF-8 come back."""
        trees.odd_special(self.path("odd"))
        capsule = self.seal(self.path("odd"))
        result = self.capsule("extract", capsule, self.path("out"), *self.open_pw)
        for name in (b"/link-\xff", b"/fifo-\xfe"):
            self.assertEqual(
                os.listxattr(os.fsencode(self.path("out")) + name, follow_symlinks=False),
                ["trusted.note"], result.stderr)

    def deep(self):
        """A capsule of a file with two names below a path longer than PATH_MAX."""
        base = self.path("deep")
        os.mkdir(base)
        trees.long_path(base, 6000)
        self.run_command(
            ["sh", "-c", "cd -P deep; while d=$(ls -d p* 2>/dev/null); do cd -P ./$d; done; "
             "ln f* other"])
        return self.seal(base)

    def test_path_longer_than_path_max(self):
        """Objects deeper than any path can say are sealed and extracted."""
        self.capsule("extract", self.deep(), self.path("out"), *self.open_pw)
        words = ["find", ".", "-printf", "%f %y %s\\n"]
        self.assertEqual(
            self.run_command(words, cwd=self.path("out")).stdout,
            self.run_command(words, cwd=self.path("deep")).stdout)

    def test_hard_link_deeper_than_path_max(self):
        """Two names of one file below a path longer than PATH_MAX stay one file."""
        self.capsule("extract", self.deep(), self.path("out"), *self.open_pw)
        found = self.run_command(["find", "out", "-links", "2", "-type", "f"]).stdout
        self.assertEqual(found.count(b"\n"), 2)

    def test_diff_deeper_than_path_max(self):
        """`diff` with a directory reaches as deep as `seal` does."""
        capsule = self.deep()
        result = self.capsule("diff", capsule, self.path("deep"), *self.open_pw)
        self.assertEqual(result.stdout, b"")

    def test_never_through_a_symlink(self):
        """Links that wait in the target are not followed, neither for files nor directories."""
        base = self.sample()
        capsule = self.seal(base)
        outside = self.path("outside")
        os.mkdir(outside)
        for name, target in [("sub", outside), ("a.txt", f"{outside}/file")]:
            place = self.path("out-" + name)
            os.mkdir(place)
            os.symlink(target, f"{place}/{name}")
            result = self.capsule("extract", capsule, place, *self.open_pw, rc=None)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(name.encode(), result.stderr)
            self.assertEqual(os.listdir(outside), [])
            self.assertTrue(os.path.islink(f"{place}/{name}"))

    def test_second_extraction_fails_and_damages_nothing(self):
        """What is there stays as it is, and the message names it."""
        capsule = self.seal()
        place = self.path("out")
        self.capsule("extract", capsule, place, *self.open_pw)
        support.write(f"{place}/a.txt", b"changed by hand")
        before = support.tree_bytes(place)
        result = self.capsule("extract", capsule, place, *self.open_pw, rc=1)
        self.assertIn(b"a.txt", result.stderr)
        self.assertEqual(support.tree_bytes(place), before)

    def test_single_paths(self):
        """Only what is named is extracted."""
        capsule = self.seal()
        self.capsule("extract", capsule, self.path("out"), "sub/b.bin", "a.txt", *self.open_pw)
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["a.txt", "b.bin"])
        self.capsule(
            "extract", capsule, self.path("out2"), "../etc", *self.open_pw, rc=1)

    def test_missing_path(self):
        """A path that is not in the capsule is the user's mistake, as it is for ls and cat."""
        capsule = self.seal()
        self.capsule("cat", capsule, "no/such", *self.open_pw, rc=1)
        for words in (["ls", capsule], ["extract", capsule, self.path("o")]):
            code, _ = self.error_of(*words, "no/such", *self.open_pw, rc=1)
            self.assertEqual(code, "not_found")

    def test_as_ordinary_user(self):
        """Somebody without privileges gets contents, modes, times, user attributes."""
        base = self.sample()
        os.chmod(f"{base}/a.txt", 0o440)
        os.setxattr(f"{base}/a.txt", b"user.note", b"x")
        os.chmod(f"{base}/sub/deep", 0o555)
        capsule = self.seal(base)
        os.chmod(capsule, 0o644)
        place = self.path("free")
        os.mkdir(place)
        os.chmod(place, 0o777)
        result = self.capsule(
            "extract", capsule, f"{place}/out", *self.open_pw, user=support.NOBODY)
        self.assertEqual(
            self.rsync(base, f"{place}/out", "--no-o", "--no-g"), b"", result.stderr)


@support.needs_root
@support.needs_fuse
class ManyEntries(support.EndToEnd):
    """Large directories."""

    @support.heavy
    def test_directory_of_200000(self):
        """A directory of 200,000 entries lists, looks up and compares."""
        trees.many(self.path("src"), 200_000)
        capsule = self.seal(self.path("src"))
        point = self.mount(capsule)
        self.assertEqual(len(os.listdir(point)), 200_000)
        self.assertEqual(self.rsync(self.path("src"), point), b"")
        self.assertFalse(os.path.exists(f"{point}/entry-200000"))
        self.assertTrue(os.path.exists(f"{point}/entry-199999"))


if __name__ == "__main__":
    unittest.main()
