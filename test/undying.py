"""Becomes the command that follows. To it and all that it starts, a signal KILL that one of them sends does nothing.

So what they want to kill is, for them, like a process that waits in the kernel for good; who stands outside can still
end it. Usage: `undying.py COMMAND...`
"""

import ctypes
import os
import platform
import signal
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ANSWER_SUCCESS = 0x7FFF0000, 0x00050000
# Of each architecture: its name in the filter, and its number of kill(2).
KILL = {"x86_64": (0xC000003E, 62), "aarch64": (0xC00000B7, 129)}
# Where the filter finds number, architecture and the low half of the second argument, the signal.
NUMBER, ARCHITECTURE, SIGNAL = 0, 4, 24


def swallow_kill() -> None:
    """Puts a filter on this process and its children: kill(anybody, SIGKILL) answers 0 and is not done."""
    architecture, number = KILL[platform.machine()]
    # Each jump that fails goes to the last line.
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_IF_EQUAL, 0, 5, architecture),
        (LOAD, 0, 0, NUMBER),
        (JUMP_IF_EQUAL, 0, 3, number),
        (LOAD, 0, 0, SIGNAL),
        (JUMP_IF_EQUAL, 0, 1, signal.SIGKILL),
        (RETURN, 0, 0, ANSWER_SUCCESS),
        (RETURN, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    filter_program = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_program, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


swallow_kill()
os.execvp(sys.argv[1], sys.argv[1:])
