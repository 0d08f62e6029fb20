"""Listings: owners by name and by number, and the first look at a large root of a mount."""

import os
import stat
import unittest

import support

DIRECTORIES, FILES = 1000, 300


class Owners(support.EndToEnd):
    """`ls -l` shows the names of owners where the capsule was sealed."""

    def columns(self, *words):
        """{name: (user, group)} of a long listing."""
        rows = [line.split() for line in self.capsule("ls", *words).stdout.decode().splitlines()]
        return {row[-1]: (row[2], row[3]) for row in rows}

    @support.needs_root
    def test_names_and_numbers(self):
        """Names with -l, numbers with -n, numbers where nobody has the number."""
        base = self.path("src")
        for name, user, group in (("root", 0, 0), ("odd", 54321, 54322), ("mixed", 0, 54322)):
            os.chown(support.write(f"{base}/{name}"), user, group)
        sealed = self.seal(base)
        named = {"root": ("root", "root"), "odd": ("54321", "54322"), "mixed": ("root", "54322")}
        numbered = {"root": ("0", "0"), "odd": ("54321", "54322"), "mixed": ("0", "54322")}
        self.assertEqual(self.columns(sealed, "-l", *self.open_pw), named)
        self.assertEqual(self.columns(sealed, "--long", *self.open_pw), named)
        for words in (["-n"], ["--numeric-ids"], ["-ln"], ["-l", "-n"]):
            self.assertEqual(self.columns(sealed, *words, *self.open_pw), numbered, words)
        rows = self.capsule_json("ls", sealed, *self.open_pw)["entries"]
        self.assertEqual(
            {row["name"]: (str(row["uid"]), str(row["gid"])) for row in rows}, numbered)

    @support.needs_root
    def test_names_are_those_of_the_sealer(self):
        """The names come from the machine that sealed, and are escaped."""
        base = self.path("src")
        os.chown(support.write(f"{base}/file"), 54321, 54322)
        users = support.read("/etc/passwd") + b"olga:x:54321:0::/:/bin/sh\n"
        groups = support.read("/etc/group") + b"re\x1b[2Jd:x:54322:\n"
        support.write(self.path("passwd"), users)
        support.write(self.path("group"), groups)
        words = f"{support.CAPSULE} seal {base} {self.path('c.mv2e')}"
        self.run_command(
            ["unshare", "--mount", "sh", "-c",
             f"mount --bind {self.path('passwd')} /etc/passwd &&"
             f" mount --bind {self.path('group')} /etc/group &&"
             f" exec {words} --new-passphrase-file {self.pw} {' '.join(support.CHEAP)}"])
        sealed = self.path("c.mv2e")
        self.assertEqual(
            self.columns(sealed, "-l", *self.open_pw), {"file": ("olga", "re\\x1b[2Jd")})
        self.assertEqual(
            self.columns(sealed, "-n", *self.open_pw), {"file": ("54321", "54322")})


@support.needs_root
@support.needs_fuse
class FirstLook(support.EndToEnd):
    """What is asked first of a fresh mount whose root has many entries."""

    def setUp(self):
        super().setUp()
        self.base = self.path("src")
        for number in range(DIRECTORIES):
            os.makedirs(f"{self.base}/directory-{number:04}")
            if number % 100 == 0:
                support.write(f"{self.base}/directory-{number:04}/inner", b"inner" * number)
        for number in range(FILES):
            path = support.write(f"{self.base}/file-{number:04}", b"x" * (number * 7))
            os.chmod(path, 0o600 | number & 0o77)
            os.chown(path, number % 3, number % 5)
            os.utime(path, ns=(number * 10**9 + number, number * 10**9 + number))
        os.symlink("file-0001", f"{self.base}/link")
        os.link(f"{self.base}/file-0002", f"{self.base}/second-name")
        self.sealed = self.seal(self.base)

    def fresh(self):
        """A mount that nobody has looked at."""
        if support.mounts_below(self.path("mnt")):
            self.umount(self.path("mnt"))
        return self.mount(self.sealed)

    @staticmethod
    def facts(path):
        """What stat tells and a mount keeps."""
        found = os.lstat(path)
        size = None if stat.S_ISDIR(found.st_mode) else found.st_size
        links = None if stat.S_ISDIR(found.st_mode) else found.st_nlink
        return found.st_mode, found.st_uid, found.st_gid, size, links, found.st_mtime_ns

    def test_programs(self):
        """ls -l, find -size, find -type and du agree with the source, each as the first."""
        for words in (
                ["ls", "-lA", "--time-style=full-iso"], ["ls", "-A"], ["ls", "-AF"],
                ["find", ".", "-size", "+1k", "-type", "f"],
                ["find", ".", "-size", "-200c", "-type", "f"],
                ["find", ".", "-type", "d"], ["find", ".", "-maxdepth", "1", "-perm", "-040"],
                ["find", ".", "-links", "2", "-type", "f"], ["find", ".", "-type", "l", "-ls"],
                ["du", "--apparent-size", "-b", "file-0299"]):
            with self.subTest(words=words):
                point = self.fresh()
                # Directories have sizes, and every file inodes and blocks, of their own.
                mask = r"s/^([dl]\S+ +[0-9]+ +\S+ +\S+) +[0-9]+/\1/; s/^(total) .*/\1/"
                if "-ls" in words:
                    mask = r"s/^ *[0-9]+ +[0-9]+//"
                line = f"{' '.join(words)} | sed -E '{mask}' | LC_ALL=C sort"
                found = [self.run_command(["sh", "-c", line], cwd=place).stdout
                         for place in (point, self.base)]
                self.assertGreater(len(found[1]), 0)
                self.assertEqual(found[0], found[1])

    def test_lookup_of_each(self):
        """A list of names, then every entry by its name: attributes, kinds, inode numbers."""
        point = self.fresh()
        names = os.listdir(point)
        self.assertEqual(sorted(names), sorted(os.listdir(self.base)))
        self.assertEqual(len(names), DIRECTORIES + FILES + 2)
        for name in names:
            self.assertEqual(self.facts(f"{point}/{name}"), self.facts(f"{self.base}/{name}"), name)

    def test_lookup_without_a_list(self):
        """Entries that are asked for before anything was listed, in an order of their own."""
        point = self.fresh()
        for name in sorted(os.listdir(self.base), key=lambda name: name[::-1]):
            self.assertEqual(self.facts(f"{point}/{name}"), self.facts(f"{self.base}/{name}"), name)
        self.assertFalse(os.path.lexists(f"{point}/file-0300"))

    def test_kinds_and_numbers_in_the_list(self):
        """What a listing says by itself, the kind and the inode number, is what stat says."""
        for _ in range(2):
            point = self.fresh()
            for _ in range(2):
                with os.scandir(point) as entries:
                    listed = {entry.name: (entry.inode(), entry.is_dir(follow_symlinks=False),
                                           entry.is_symlink()) for entry in entries}
                for name, (inode, is_directory, is_link) in listed.items():
                    found = os.lstat(f"{point}/{name}")
                    self.assertEqual(
                        (inode, is_directory, is_link),
                        (found.st_ino, stat.S_ISDIR(found.st_mode), stat.S_ISLNK(found.st_mode)),
                        name)
            self.assertEqual(listed["second-name"][0], listed["file-0002"][0])

    def test_an_interrupted_first_listing(self):
        """A listing that ends after some entries, rewinds, and begins again."""
        point = self.fresh()
        with os.scandir(point) as entries:
            first = [next(entries).name for _ in range(10)]
        self.assertEqual(len(set(first)), 10)
        for name in first:
            self.assertEqual(self.facts(f"{point}/{name}"), self.facts(f"{self.base}/{name}"), name)
        self.assertEqual(sorted(os.listdir(point)), sorted(os.listdir(self.base)))
        self.assertEqual(self.rsync(self.base, point), b"")

    def test_contents(self):
        """What lies below is all there, and nothing of it is mixed up."""
        point = self.fresh()
        os.listdir(point)
        self.assertEqual(support.tree_bytes(point), support.tree_bytes(self.base))
        self.assertEqual(self.rsync(self.base, self.fresh()), b"")


if __name__ == "__main__":
    unittest.main()
