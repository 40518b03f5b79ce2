"""Runs a Python program that must not outlive the worker: `run_bounded.py PID DATA_BYTES_MAX CPU_S_MAX PYTHON ARGS…`.

The kernel kills the program when its parent ends, however it ends, and the program leads a process group of its own so
that the worker can end whatever it started along with it.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Replaces this process by the program; raises OSError when it cannot be started."""
    parent = int(sys.argv[1])
    data_bytes_max = int(sys.argv[2])
    cpu_s_max = int(sys.argv[3])
    command = sys.argv[4:]
    os.setsid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have ended before the line above took hold.
    if os.getppid() != parent:
        sys.exit(1)
    # What it writes to, not its address space: threads reserve much of that and use little.
    if data_bytes_max > 0:
        resource.setrlimit(resource.RLIMIT_DATA, (data_bytes_max, data_bytes_max))
    if cpu_s_max > 0:
        # XCPU first, which tells the reason; then KILL.
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s_max, cpu_s_max + 5))
    os.execv(command[0], command)


main()
