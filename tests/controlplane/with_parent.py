"""Turns itself into another program that the kernel ends when the process that started it does.

Run as a script, `with_parent.py PARENT_PID PROGRAM ARGUMENT...`: however a test run dies, no server stays behind. It
stands between `subprocess` and the program because `preexec_fn`, which could do the same, runs Python in a fork of the
test process; that is unsafe when it has threads, and newer Pythons warn of it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Become `command`, to be killed with the process `parent`; on other systems than Linux just become it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # A parent that died before the call above sends no signal any more.
        if os.getppid() != parent:
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
