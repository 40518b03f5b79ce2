"""Stands over the trainer of a container, and ends it when no worker answers for it any more: by then another host may
start its job again.

    python -I -S fence.py CONTACT WORD SECONDS GRACE PROGRAM...

CONTACT is the worker's sign of life, whose content changes while it answers; WORD is the file that tells of such an
end. It needs no engine and no worker. What it ends with is what the program ended with, as a shell tells it; the
container's init ends with it, and then the kernel all that is left inside. An image brings its own Python: from 3.7 on.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TICK_S = 1.0
PASSED_ON = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
AWAITED = {signal.SIGCHLD, *PASSED_ON}


def sign_of_life(path: str) -> str | None:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


def start(argv: tuple[str, ...]) -> int:
    """Forks the program into a process group of its own; returns its pid."""
    pid = os.fork()
    if pid != 0:
        return pid
    try:
        os.setpgid(0, 0)
        # What Python ignores its children would ignore, too.
        for name in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(name, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvp(argv[0], argv)
    except OSError as error:
        print(f"[lowrank] The program could not be started: {error}", file=sys.stderr, flush=True)
    finally:  # nothing may return from the child
        os._exit(127)


def leave_word(path: str) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except OSError as error:
        print(f"[lowrank] {error}", file=sys.stderr, flush=True)


def main(contact_path: str, word_path: str, fence_s: str, grace_s: str, *argv: str) -> int:
    # Blocked, they wait for sigtimedwait: none is lost between two looks.
    signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    program = start(argv)
    contact, contact_at = sign_of_life(contact_path), time.monotonic()
    kill_at: float | None = None
    while True:
        came = signal.sigtimedwait(AWAITED, TICK_S)
        if came is not None and came.si_signo in PASSED_ON:
            os.kill(program, came.si_signo)
        ended, status = os.waitpid(program, os.WNOHANG)
        if ended == program:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        now, seen = time.monotonic(), sign_of_life(contact_path)
        # A worker that stopped in order leaves its runs to themselves, and nobody takes them over.
        if seen is not None and (seen != contact or '"stopped"' in seen):
            contact, contact_at = seen, now
        elif kill_at is None and now - contact_at > float(fence_s):
            leave_word(word_path)
            words = f"[lowrank] No worker has answered for this training for {fence_s} seconds: it is ended."
            print(words, file=sys.stderr, flush=True)
            kill_at = now + float(grace_s)
            os.kill(program, signal.SIGTERM)
            os.kill(program, signal.SIGCONT)
        if kill_at is not None and now >= kill_at:
            os.kill(program, signal.SIGKILL)


sys.exit(main(*sys.argv[1:]))
