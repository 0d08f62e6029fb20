"""A person at a terminal: runs a command on a pseudo-terminal and answers its prompts."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time


def talk(words, answers, env, cwd, timeout=30, delay=0.1):
    """Runs a command with a terminal of its own.

    `answers` is [(what to wait for, what to type)]; each is typed `delay` seconds after its
    question. Returns (exit code, everything shown). Nothing that was typed is shown where the
    program turned echo off.
    """
    leader, follower = pty.openpty()

    def take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        words, stdin=follower, stdout=follower, stderr=follower, env=env, cwd=cwd,
        preexec_fn=take_terminal)
    os.close(follower)
    shown = b""
    searched = 0
    end = time.monotonic() + timeout
    waiting = list(answers)
    try:
        while time.monotonic() < end:
            ready, _, _ = select.select([leader], [], [], 0.1)
            if ready:
                try:
                    part = os.read(leader, 65536)
                except OSError:
                    part = b""
                if not part:
                    break
                shown += part
            elif process.poll() is not None:
                break
            if waiting and waiting[0][0] in shown[searched:]:
                prompt, answer = waiting.pop(0)
                searched = shown.index(prompt, searched) + len(prompt)
                # The prompt is shown before echo is off; typing at once would be flushed away.
                time.sleep(delay)
                os.write(leader, answer + b"\n")
        else:
            raise AssertionError(f"no end within {timeout} s; shown: {shown!r}")
        if waiting:
            raise AssertionError(f"never asked {waiting[0][0]!r}; shown: {shown!r}")
        return process.wait(10), shown
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        os.close(leader)
