"""What the kernel tells of processes: who they are, who lives below whom, who carries a marker, who died for memory."""

import contextlib
import ctypes
import os
import zlib

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# Places in /proc/PID/stat after the name.
STATE, PARENT, THREADS, START = 0, 1, 17, 19

LIBC = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> None:
    if LIBC.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def stat_fields(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the process's name, which may hold anything; None for no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            text = file.read()
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split(" ")


def start_time(pid: int) -> int | None:
    """Clock ticks between boot and the process's start: with pid and boot id it names a process for ever."""
    fields = stat_fields(pid)
    return None if fields is None else int(fields[START])


def is_living(fields: list[str]) -> bool:
    """False for what only waits to be reaped. A killed process whose first thread is gone lives on in one that cannot
    die yet, for example in a driver: until then its device is not free."""
    return fields[STATE] not in "ZX" or int(fields[THREADS]) > 1


def process_ids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(root: int) -> set[int]:
    """Every living process below `root`."""
    children: dict[int, list[int]] = {}
    living: set[int] = set()
    for pid in process_ids():
        fields = stat_fields(pid)
        if fields is None:
            continue
        children.setdefault(int(fields[PARENT]), []).append(pid)
        if is_living(fields):
            living.add(pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        for pid in children.get(waiting.pop(), []):
            if pid not in found:
                found.add(pid)
                waiting.append(pid)
    return found & living


def environment(pid: int) -> bytes:
    """The environment that a process was started with, as the kernel keeps it; b"" where it cannot be read."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        return file.read()
    return b""


def carriers(marker: str) -> set[int]:
    """Every living process, other than this one, whose environment holds the attempt's marker."""
    wanted = f"LOWRANK_ATTEMPT_ID={marker}".encode()
    found = {pid for pid in process_ids() if pid != os.getpid() and wanted in environment(pid).split(b"\0")}
    return {pid for pid in found if (fields := stat_fields(pid)) is not None and is_living(fields)}


def hold_to_cpus(count: int, marker: str) -> None:
    """Lets this process and its children compute on `count` processors, chosen by marker, so that runs spread."""
    ours = sorted(os.sched_getaffinity(0))
    if count >= len(ours):
        return
    first = zlib.crc32(marker.encode()) % len(ours)
    os.sched_setaffinity(0, {ours[(first + place) % len(ours)] for place in range(count)})


def kilobytes(path: str, names: tuple[str, ...]) -> int:
    """The sum of these lines of a file of /proc; 0 for a process that is gone."""
    found = 0
    with contextlib.suppress(OSError), open(path) as file:
        for line in file:
            name, _, value = line.partition(":")
            if name in names:
                found += int(value.split()[0])
    return found


def memory_over(root: int, bytes_max: int) -> bool:
    """If the processes below `root` take more than so much memory that is no copy of a file."""
    tree = descendants(root)
    # Quick to read, but pages that processes share count for each of them: only what is over is looked at closely.
    if 1024 * sum(kilobytes(f"/proc/{pid}/status", ("RssAnon", "RssShmem")) for pid in tree) <= bytes_max:
        return False
    return 1024 * sum(kilobytes(f"/proc/{pid}/smaps_rollup", ("Pss_Anon", "Pss_Shmem")) for pid in tree) > bytes_max


def disk_over(folders: list[str], bytes_max: int) -> bool:
    """If the files below some folders take more than so much of their disk; no link is followed."""
    found = 0
    waiting = [*folders]
    while waiting:
        # What is renamed or removed under the walk is counted the next time.
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        found += 512 * entry.stat(follow_symlinks=False).st_blocks
    return found > bytes_max


def memory_kills() -> int:
    """Processes that the kernel killed for memory: of our own cgroup, or of the host where no cgroup counts them."""
    paths = []
    with contextlib.suppress(OSError), open("/proc/self/cgroup") as file:
        for line in file:
            _, controllers, path = line.strip().split(":", 2)
            if controllers == "":
                paths.append(f"/sys/fs/cgroup{path}/memory.events")
            elif "memory" in controllers.split(","):
                paths.append(f"/sys/fs/cgroup/memory{path}/memory.oom_control")
    # The host's count is the last resort: it also tells of others' limits.
    for path in [*paths, "/proc/vmstat"]:
        with contextlib.suppress(OSError), open(path) as file:
            for line in file:
                name, _, value = line.partition(" ")
                if name == "oom_kill":
                    return int(value)
    return 0
