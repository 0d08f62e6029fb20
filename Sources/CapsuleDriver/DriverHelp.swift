/// What `capsulefs --help` prints: one screen.
enum DriverHelp {
    static let text = """
        usage: capsulefs SOURCE MOUNTPOINT [-f] [-d] [-o OPTION[,OPTION...]]

        Mounts a sealed capsule or a Memvid file as a read-only folder, a workspace as a live one.

          -f               stay in front       -d   print libfuse's trace, and stay in front
          --notify-fd N    write READY=1 to descriptor N when the mount answers
          -h, --help       this text           -V, --version

        Options:
          passphrase-file=F, passphrase-fd=N, passphrase-command=C
          identity=F       age identity file
          key-file=F, recovery-phrase-file=F, recovery-phrase-fd=N
          root=HEX         refuse any other root
          allowed-signers=F, require-verified
          allow_other, default_permissions, uid=N, gid=N, umask=OCTAL
          allow-suid, allow-dev
          subdir=PATH      show a directory of the capsule as the root
          recover          of a Memvid file, also show what is only in its log
          ro, at=@STATE    show a workspace, or a state of it, and write nothing
          import=NAME      show an import of a workspace alone
          timeline=SECONDS keep a state of a workspace after so long a change (900; 0: none)
          cache=SIZE       memory for contents (64M)    threads=N
          timeout=SECONDS  unmount when idle            redact   no names in the log

        Without a secret: CAPSULE_PASSPHRASE, SPECKIT_MEMVID_PASSPHRASE, then a prompt.
        Exit codes: 0 mounted, 1 usage or secret, 2 system or damage, 3 not verified.
        See capsulefs(8), capsule(1).
        """
}
