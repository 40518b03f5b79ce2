"""Runs a Python program that must not outlive the worker: `run_bounded.py PARENT_PID PYTHON ARGS…`.

The kernel kills the program when its parent ends, however it ends, and the program leads a process group of its own so
that the worker can end whatever it started along with it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Replaces this process by the program; raises OSError when it cannot be started."""
    parent = int(sys.argv[1])
    command = sys.argv[2:]
    os.setsid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have ended before the line above took hold.
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(command[0], command)


main()
