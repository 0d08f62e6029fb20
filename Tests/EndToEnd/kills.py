"""Programs that are killed at one system call after another, and what each kill leaves."""

import shutil
import signal

KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)


def at(call, number, *words):
    """The command with which a program is killed where it makes a call for the `number`th time."""
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
            f"inject={call}:signal=SIGKILL:when={number}", *words]


class InTurn:
    """What a test with a workspace gains."""

    def kill_in_turn(self, calls, killed, examine):
        """Kills at the calls in turn, each time in a new copy of the workspace; returns how often.

        `calls` are names of calls, each with how many of them lie between two kills;
        `killed(call, number)` runs what is killed and says whether it was, and `examine()` what it
        leaves.
        """
        kept, count = self.path("kept"), 0
        shutil.copytree(self.ws, kept)
        for call, step in calls:
            number = 1
            while True:
                shutil.rmtree(self.ws)
                shutil.copytree(kept, self.ws)
                with self.subTest(call=call, number=number):
                    if not killed(call, number):
                        break
                    examine()
                number += step
                count += 1
                self.assertLess(number, 2000)
        return count
