"""tools/install on a copy of this machine that is thrown away: as root, and as a user with sudo.

The copy is an overlay over the root directory, in a mount name space of its own, so the real
/usr/local, /sbin, /etc/fstab and /etc/passwd are not touched. Where sudo is not installed, a
program that does what the tools ask of it stands in; CAPSULE_E2E_SUDO=1 installs Debian's.
"""

import os
import pathlib
import shlex
import unittest

import support

PROJECT = pathlib.Path(__file__).resolve().parents[2]
DEVICES = "null zero full random urandom tty"

# Becomes the copy and runs $2 there; $1 is an empty directory, $3 the project, $4 what else to
# see.
ENTER = f"""
set -eu
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
root=$1/root
mkdir -p "$root/srv/project" "$root$4"
mount --bind "$3" "$root/srv/project"
mount --bind "$4" "$root$4"
mount --rbind /proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in {DEVICES}; do cp -a "/dev/$name" "$root/dev/$name"; done
mknod -m 666 "$root/dev/fuse" c 10 229
ln -s /proc/self/fd "$root/dev/fd"
cp -L /etc/resolv.conf "$root/etc/resolv.conf.now" 2>/dev/null &&
    mv "$root/etc/resolv.conf.now" "$root/etc/resolv.conf" || true
exec chroot "$root" /bin/sh -euc "$2"
"""

# A user called tester who may use sudo, without a password.
TESTER = """
useradd --create-home --shell /bin/bash tester
if [ "${CAPSULE_E2E_SUDO:-}" = 1 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq sudo >/dev/null
fi
if command -v sudo >/dev/null; then
    echo 'tester ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/tester
else
    install -m 4755 /usr/bin/setpriv /usr/lib/as-root
    printf '%s\\n' '#!/bin/sh' \\
        'exec /usr/lib/as-root --reuid=0 --regid=0 --clear-groups -- "$@"' >/usr/bin/sudo
    chmod 755 /usr/bin/sudo
fi
as_tester() { setpriv --reuid=tester --regid=tester --init-groups env HOME=/home/tester "$@"; }
"""


@support.needs_root
@support.needs_fuse
class Install(support.EndToEnd):
    """Programs, helper, pages and completions are in place and work."""

    def setUp(self):
        super().setUp()
        self.sealed = self.seal()
        os.chmod(self.sealed, 0o644)
        self.bin = shlex.quote(support.BIN)
        os.mkdir(self.path("copy"))
        self.env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        self.env["TMPDIR"] = "/tmp"
        if os.environ.get("CAPSULE_E2E_SUDO"):
            self.env["CAPSULE_E2E_SUDO"] = os.environ["CAPSULE_E2E_SUDO"]

    def in_copy(self, script, **options):
        """Runs a script as root in the copy, where the project is /srv/project."""
        result = self.run_command(
            ["unshare", "--mount", "sh", "-c", ENTER, "sh", self.path("copy"), script,
             str(PROJECT), support.run_root()], timeout=180, **options)
        self.assertEqual(os.listdir(self.path("copy")), [])
        return result

    def mount_every_way(self):
        """A script that mounts the capsule by mount(8) in each way and reads from it."""
        options = f"passphrase-file={self.pw},nofail,noauto,x-systemd.automount,allow_other"
        return f"""
            mkdir /mnt/plan
            reads() {{
                grep ' /mnt/plan ' /proc/mounts
                cat /mnt/plan/a.txt
                umount /mnt/plan
            }}
            mount -t capsulefs {self.sealed} /mnt/plan -o {options}
            reads
            mount -t fuse.capsulefs {self.sealed} /mnt/plan -o {options}
            reads
            mount.capsulefs {self.sealed} /mnt/plan -o {options}
            reads
            echo '{self.sealed} /mnt/plan fuse.capsulefs {options} 0 0' >>/etc/fstab
            mount /mnt/plan
            reads
            sed -i 's/fuse[.]capsulefs/capsulefs/' /etc/fstab
            mount /mnt/plan
            reads
        """

    def assert_mounted_five_times(self, output):
        """What `mount_every_way` printed: five mounts, all safe, all readable."""
        lines = output.decode().splitlines()
        mounts = [line.split() for line in lines if " /mnt/plan fuse.capsulefs " in line]
        self.assertEqual(len(mounts), 5, lines)
        for fields in mounts:
            self.assertEqual(fields[0], self.sealed)
            self.assertLessEqual({"ro", "nosuid", "nodev"}, set(fields[3].split(",")))
        self.assertEqual(lines.count("alpha"), 5, lines)

    def assert_all_ended(self):
        """Every driver ended with its mount."""
        self.assertTrue(support.wait_until(lambda: not support.processes_with(self.root)))

    def test_as_root(self):
        """Into /usr/local by root; mount(8) and fstab find the driver, man finds the pages."""
        result = self.in_copy(f"""
            cd /srv/project
            tools/install --bin {self.bin}
            test -L /sbin/mount.capsulefs
            for page in man/*; do
                cmp "$page" "/usr/local/share/man/man${{page##*.}}/${{page##*/}}"
            done
            bash -n /usr/local/share/bash-completion/completions/capsule
            test -s /usr/local/share/zsh/site-functions/_capsule
            test -s /usr/local/share/fish/vendor_completions.d/capsule.fish
            test "$(command -v capsule)" = /usr/local/bin/capsule
            capsule --version
            capsulefs --version
            {self.mount_every_way()}
        """)
        self.assertIn(b"installed into /usr/local", result.stdout)
        self.assert_mounted_five_times(result.stdout)
        self.assert_all_ended()

    def test_as_user_with_sudo(self):
        """Into /usr/local by a user: root owns what is there, and the user mounts."""
        result = self.in_copy(f"""{TESTER}
            cd /srv/project
            as_tester tools/install --bin {self.bin}
            test -z "$(find /usr/local /sbin/mount.capsulefs -user tester)"
            {self.mount_every_way()}
            as_tester sh -euc '
                mkdir ~/mine
                capsule mount {self.sealed} ~/mine --passphrase-file {self.pw}
                cat ~/mine/a.txt
                capsule umount ~/mine
            ' | sed s/alpha/beta/
        """)
        self.assert_mounted_five_times(result.stdout)
        self.assertEqual(result.stdout.splitlines()[-1], b"beta")
        self.assert_all_ended()

    def test_into_the_users_own_directory(self):
        """Into a prefix of the user's own, given relative and deep, without any use of sudo."""
        result = self.in_copy(f"""{TESTER}
            printf '#!/bin/sh\\necho "sudo was used: $*" >&2\\nexit 9\\n' >/usr/bin/sudo
            cd /home/tester
            as_tester /srv/project/tools/install --prefix deep/er/prefix --bin {self.bin}
            test -z "$(find deep ! -user tester)"
            test ! -e /sbin/mount.capsulefs
            test -f deep/er/prefix/share/man/man8/capsulefs.8
            cd /
            mkdir /mnt/plan
            /home/tester/deep/er/prefix/sbin/mount.capsulefs {self.sealed} /mnt/plan \\
                -o passphrase-file={self.pw}
            cat /mnt/plan/a.txt
            umount /mnt/plan
        """)
        self.assertEqual(result.stdout.splitlines()[-1], b"alpha")
        self.assertIn(b"installed into /home/tester/deep/er/prefix", result.stdout)
        self.assert_all_ended()

    def test_speckit_and_uninstall(self):
        """speckit capsule VERB is capsule VERB, and --uninstall leaves what was there before."""
        result = self.in_copy(f"""
            cd /srv/project
            files() {{ find /usr/local /usr/sbin /sbin/ ! -type d | sort; }}
            files >/tmp/before
            tools/install --bin {self.bin} --speckit
            speckit capsule cat {self.sealed} a.txt --passphrase-file {self.pw}
            status=0
            speckit other 2>/tmp/message || status=$?
            test "$status" = 1
            grep 'usage: speckit capsule VERB' /tmp/message
            tools/install --uninstall
            files >/tmp/after
            cmp /tmp/before /tmp/after
            echo "somebody else's" >/usr/local/bin/speckit
            ! tools/install --bin {self.bin} --speckit
            ! test -e /usr/local/bin/capsule
            tools/install --uninstall
            cat /usr/local/bin/speckit
        """)
        lines = result.stdout.splitlines()
        self.assertIn(b"alpha", lines)
        self.assertEqual(lines[-1], b"somebody else's")
        self.assertIn(b"speckit is another program; it is not replaced", result.stderr)

    def test_without_root_and_sudo(self):
        """A user without sudo is told what it would have been for."""
        result = self.in_copy(f"""
            useradd --create-home tester
            rm -f /usr/bin/sudo
            cd /srv/project
            exec setpriv --reuid=tester --regid=tester --init-groups tools/install --bin {self.bin}
        """, rc=1)
        self.assertIn(b"needs root, and there is no sudo: install -D", result.stderr)


if __name__ == "__main__":
    unittest.main()
