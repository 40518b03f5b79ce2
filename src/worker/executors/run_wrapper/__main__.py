"""Owns one run: `python run_wrapper ATTEMPT_FOLDER`. Starts what run.json there says, and outlives the worker.

It leaves in the folder: `lock` (made once, so a second launch of the attempt does nothing), `started.json`,
`heartbeat`, `train.log` and, when the whole process tree is gone, `exit.json`. It reads there: `stop.json`, the wish
that the run ends. Started in isolation (-I): it imports the files beside it and the standard library, and nothing that
is slow, for every run waits for it.
"""

import contextlib
import errno
import fcntl
import json
import os
import resource
import select
import signal
import sys
import time

from processes import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_PDEATHSIG,
    boot_id,
    carriers,
    descendants,
    disk_over,
    hold_to_cpus,
    memory_kills,
    memory_over,
    prctl,
    start_time,
)
from train_log import Log

F_SETPIPE_SZ = 1031
PIPE_BYTES = 1 << 20
TICK_S = 0.2
LIMITS_TICK_S = 1.0
# Room for exit.json is taken at the start: the run's end must be told on a full disk, too.
EXIT_RECORD_BYTES = 4096


def write_durably(path: str, record: dict) -> None:
    """Writes a JSON file that is there whole or not at all."""
    temporary = f"{path}.tmp"
    data = json.dumps(record).encode()
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, data)
        os.ftruncate(file, len(data))
        os.fsync(file)
    finally:
        os.close(file)
    os.rename(temporary, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_json(path: str) -> dict | None:
    try:
        with open(path) as file:
            value = json.load(file)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def failpoint(name: str) -> None:
    """For fault tests (see failpoint.ts): dies here in a job's first attempt if the environment says so."""
    if f"{name}:kill" in os.environ.get("LOWRANK_FAILPOINTS", "").split(",") and os.environ[
        "LOWRANK_ATTEMPT_ID"
    ].endswith(":1"):
        os.kill(os.getpid(), signal.SIGKILL)


def start_child(run: dict, output: int, go: int) -> int:
    """Forks the trainer, which waits for a byte on `go` before it becomes the program; returns its pid."""
    wrapper = os.getpid()
    pid = os.fork()
    if pid != 0:
        return pid
    try:
        os.setpgid(0, 0)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != wrapper or os.read(go, 1) != b"g":
            os._exit(126)
        signal.set_wakeup_fd(-1)
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(name, signal.SIG_DFL)
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if run.get("cpus") is not None:
            hold_to_cpus(run["cpus"], run["marker"])
        os.chdir(run["cwd"])
        os.execve(run["argv"][0], run["argv"], run["env"])
    except BaseException as error:  # nothing may return from the child
        with contextlib.suppress(OSError):
            os.write(output, f"[lowrank] The program could not be started: {error}\n".encode())
    os._exit(127)


class Run:
    """One attempt from its lock to its exit record."""

    def __init__(self, folder: str, run: dict) -> None:
        self.folder = folder
        # What the job's attempts share.
        self.cache = os.path.join(os.path.dirname(folder), "cache")
        self.run = run
        self.marker: str = run["marker"]
        self.child = 0
        self.status: int | None = None
        self.stop_reason: str | None = None
        self.fenced = False
        self.kill_at: float | None = None
        self.termed = False
        self.orphans: set[int] = set()
        self.last_wish: str | None = None
        self.contact: str | None = None
        self.contact_at = time.monotonic()
        self.began_at = time.monotonic()
        self.beat = 0
        self.beat_at = 0.0
        self.limits_at = 0.0
        self.kills_before = memory_kills()

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def lock(self) -> bool:
        """Takes the attempt, once and for all; the lock is there with its content or not at all."""
        mine = self.path(f"lock.{os.getpid()}")
        record = {"wrapper": {"pid": os.getpid(), "start": start_time(os.getpid())}, "boot_id": boot_id()}
        with open(mine, "w") as file:
            file.write(json.dumps(record))
        try:
            os.link(mine, self.path("lock"))
        except FileExistsError:
            return False
        finally:
            os.unlink(mine)
        return True

    def heartbeat(self, now: float) -> None:
        if now - self.beat_at < self.run["heartbeat_ms"] / 1000:
            return
        self.beat_at = now
        self.beat += 1
        with contextlib.suppress(OSError), open(self.path("heartbeat"), "w") as file:
            file.write(str(self.beat))

    def look_for_stop(self, now: float) -> None:
        """Follows stop.json; a later one may shorten the grace, never lengthen it."""
        try:
            with open(self.path("stop.json")) as file:
                text = file.read()
            wish = json.loads(text)
        except (OSError, ValueError):
            return
        if text == self.last_wish:
            return
        self.last_wish = text
        self.stop(str(wish["reason"]), wish["grace_ms"] / 1000, now)

    def look_for_contact(self, now: float) -> None:
        """Ends the run when no worker has answered for it for so long that another host may start it again."""
        try:
            with open(self.run["contact_path"]) as file:
                text = file.read()
        except OSError:
            text = self.contact
        if text != self.contact or (text is not None and '"stopped"' in text):
            self.contact = text
            self.contact_at = now
        elif now - self.contact_at > self.run["self_fence_ms"] / 1000 and self.stop_reason is None:
            self.fenced = True
            self.stop("fenced", self.run["grace_ms"] / 1000, now)

    def look_at_limits(self, now: float) -> None:
        """Ends the run when it takes more than it was given; of memory at once: there is no time to save anything."""
        if now - self.limits_at < LIMITS_TICK_S:
            return
        self.limits_at = now
        memory_max, disk_max = self.run.get("memory_bytes_max"), self.run.get("disk_bytes_max")
        if memory_max is not None and memory_over(os.getpid(), memory_max):
            self.stop("memory_limit", 0.0, now)
        if disk_max is not None and self.stop_reason is None and disk_over([self.folder, self.cache], disk_max):
            self.stop("disk_limit", self.run["grace_ms"] / 1000, now)

    def stop(self, reason: str, grace_s: float, now: float) -> None:
        if self.stop_reason is None:
            self.stop_reason = reason
        self.kill_at = now + grace_s if self.kill_at is None else min(self.kill_at, now + grace_s)

    def press(self, now: float) -> None:
        """TERM for the trainer alone, who knows its children; KILL for the whole tree when the grace is over."""
        if self.kill_at is None or self.status is not None:
            return
        if not self.termed:
            self.termed = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child, signal.SIGTERM)
                os.kill(self.child, signal.SIGCONT)
        if now >= self.kill_at:
            self.kill_tree()

    def kill_tree(self) -> set[int]:
        """KILL for everything below this process and everything that carries the marker; returns whom."""
        tree = descendants(os.getpid()) | carriers(self.marker)
        for pid in tree:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        return tree

    def reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.child:
                self.status = status

    def drain(self, output: int, log: Log, rounds_max: int) -> bool:
        """Reads what is there; returns False at the end of the output."""
        for _ in range(rounds_max):
            try:
                data = os.read(output, PIPE_BYTES)
            except BlockingIOError:
                return True
            if data == b"":
                return False
            log.write(data)
        return True

    def watch(self, output: int, wake: int, log: Log) -> None:
        """Until the trainer has exited: reads its output, beats, and follows the wishes of the worker."""
        poll = select.poll()
        poll.register(output, select.POLLIN)
        poll.register(wake, select.POLLIN)
        is_open = True
        looked_at = 0.0
        while self.status is None:
            ready = poll.poll(TICK_S * 1000)
            if any(fd == wake for fd, _ in ready):
                with contextlib.suppress(BlockingIOError):
                    os.read(wake, 4096)
                looked_at = 0.0
            if is_open and any(fd == output for fd, _ in ready) and not self.drain(output, log, 16):
                is_open = False
                poll.unregister(output)
            now = time.monotonic()
            self.heartbeat(now)
            if now - looked_at >= TICK_S:
                looked_at = now
                self.look_for_stop(now)
                self.look_for_contact(now)
                self.look_at_limits(now)
                self.press(now)
            self.reap()

    def clear(self, output: int, log: Log) -> None:
        """Ends what the trainer left behind. Goes on for as long as something is left: only then is the device free."""
        pause_s = 0.01
        while tree := self.kill_tree():
            self.orphans |= tree
            self.reap()
            self.drain(output, log, 16)
            self.heartbeat(time.monotonic())
            time.sleep(pause_s)
            # What does not die at once may never: looking through every process all the time helps nobody.
            pause_s = min(2 * pause_s, TICK_S)
        self.reap()
        while self.drain(output, log, 64):
            # Somebody outside the tree holds the pipe: what is in it has been read.
            if not select.select([output], [], [], 0)[0]:
                break

    def exit_record(self, dropped: int) -> dict:
        assert self.status is not None
        signaled = os.WIFSIGNALED(self.status)
        return {
            "code": None if signaled else os.WEXITSTATUS(self.status),
            "signal": signal.Signals(os.WTERMSIG(self.status)).name if signaled else None,
            "stop_requested": self.stop_reason,
            "fenced": self.fenced,
            "orphans_killed": len(self.orphans),
            "oom_kills": memory_kills() - self.kills_before,
            "log_bytes_dropped": dropped,
            # What its user pays for: no worker that was away and no clock that was set changes it.
            "ran_ms": round((time.monotonic() - self.began_at) * 1000),
        }

    def go(self) -> None:
        sizes = self.run["log_bytes_max"], self.run["log_tail_bytes"]
        log = Log(self.path("train.log"), *sizes, self.run["host_folders"])
        with contextlib.suppress(OSError), open(self.path("exit.json.tmp"), "wb") as file:
            file.write(b" " * EXIT_RECORD_BYTES)
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        wake, wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        output, output_in = os.pipe2(os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            fcntl.fcntl(output, F_SETPIPE_SZ, PIPE_BYTES)
        os.set_blocking(output, False)
        waiting, go = os.pipe2(os.O_CLOEXEC)
        # A signal without stop.json is the host going down, or a person's kill: the run may be taken up again.
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self.on_signal)
        self.child = start_child(self.run, output_in, waiting)
        os.close(output_in)
        os.close(waiting)
        failpoint("wrapper_before_started")
        write_durably(
            self.path("started.json"),
            {
                "marker": self.marker,
                "boot_id": boot_id(),
                "wrapper": {"pid": os.getpid(), "start": start_time(os.getpid())},
                "child": {"pid": self.child, "start": start_time(self.child)},
            },
        )
        failpoint("wrapper_after_started")
        self.heartbeat(time.monotonic())
        self.contact_at = time.monotonic()
        self.began_at = time.monotonic()
        os.write(go, b"g")
        os.close(go)
        self.watch(output, wake, log)
        self.clear(output, log)
        record = self.exit_record(log.finish())
        failpoint("wrapper_before_exit")
        while True:
            try:
                write_durably(self.path("exit.json"), record)
                failpoint("wrapper_after_exit")
                return
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                self.heartbeat(time.monotonic())
                time.sleep(TICK_S)

    def on_signal(self, *_: object) -> None:
        now = time.monotonic()
        self.look_for_stop(now)
        if self.stop_reason is None:
            self.stop("signal", self.run["grace_ms"] / 1000, now)


def main() -> int:
    os.umask(0o077)
    folder = os.path.abspath(sys.argv[1])
    run = read_json(os.path.join(folder, "run.json"))
    if run is None:
        print("run.json is missing or is no JSON", file=sys.stderr)
        return 2
    attempt = Run(folder, run)
    if not attempt.lock():
        return 3
    attempt.go()
    return 0


sys.exit(main())
