"""The log of a run: what its trainer prints, bounded."""

import contextlib
import os

from host_folders import HostFolders


class Log:
    """
    train.log: the run's first bytes and its last, at most `bytes_max` of them in all, and a line on what lies between.
    Folders of the host are written by their names here, so that an offset is the same for all who read.
    """

    def __init__(self, path: str, bytes_max: int, tail_bytes: int, folders: dict[str, str]) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.folders = HostFolders(folders)
        self.head_left = bytes_max - tail_bytes
        self.tail_bytes = tail_bytes
        self.tail: list[bytes] = []
        self.tail_size = 0
        self.seen_past_head = 0
        self.unwritten = 0

    def write(self, data: bytes) -> None:
        """Takes output; a full disk costs the output, never the run."""
        if self.head_left > 0:
            head, data = data[: self.head_left], data[self.head_left :]
            self.head_left -= len(head)
            self.put(self.folders.take(head))
            if self.head_left <= 0:
                data = self.folders.give_back() + data
                self.put(b"" if head.endswith(b"\n") else b"\n")
                self.put(b"[lowrank] The log is full: of what follows only the end is kept.\n")
        if data:
            self.seen_past_head += len(data)
            self.tail.append(data)
            self.tail_size += len(data)
            while self.tail_size - len(self.tail[0]) >= self.tail_bytes:
                self.tail_size -= len(self.tail.pop(0))

    def put(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self.file, data) :]
            except OSError:
                self.unwritten += len(data)
                return

    def finish(self) -> int:
        """Writes the end; returns the bytes of output that the log does not hold."""
        end = b"".join(self.tail)[-self.tail_bytes :]
        dropped = self.seen_past_head - len(end)
        if dropped > 0:
            cut = end.find(b"\n") + 1
            dropped += cut
            end = end[cut:]
            self.put(f"[lowrank] {dropped} bytes of output were left out here.\n".encode())
        self.put(self.folders.take(end))
        self.put(self.folders.rest())
        with contextlib.suppress(OSError):
            os.fsync(self.file)
        os.close(self.file)
        return dropped + self.unwritten
