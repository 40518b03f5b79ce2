"""Folders of the host in a run's output, by the names that everybody may know."""

import os
import re


class HostFolders:
    """Puts names in the place of folders in a stream that is cut anywhere: what may be the beginning of one waits."""

    def __init__(self, named: dict[str, str]) -> None:
        """`named`: absolute folders, each with its name."""
        self.named = {os.fsencode(folder): name.encode() for folder, name in named.items() if len(folder) > 1}
        # The longest first: a folder may lie in another one.
        self.folders = sorted(self.named, key=len, reverse=True)
        self.longest = len(self.folders[0]) if self.folders else 0
        # Neither end is in the midst of a longer name; a full stop ends a sentence or goes on in one.
        ways = b"|".join(re.escape(folder) for folder in self.folders)
        self.pattern = re.compile(rb"(?<![\w\x80-\xff-])(?:" + ways + rb")(?![\w\x80-\xff-]|\.\w)")
        self.held = b""
        self.before = b""

    def take(self, data: bytes) -> bytes:
        """What can be said of the stream so far."""
        if not self.folders:
            return data
        data = self.held + data
        cut = self.undecided(data)
        self.held = data[cut:]
        return self.put(data[:cut])

    def rest(self) -> bytes:
        """What waited, at the end of the stream."""
        held, self.held = self.held, b""
        return self.put(held)

    def give_back(self) -> bytes:
        """What waited, as it came: it comes again, after something else."""
        held, self.held, self.before = self.held, b"", b""
        return held

    def undecided(self, data: bytes) -> int:
        """Where a folder may begin whose end has not come yet."""
        at = data.find(b"/", max(0, len(data) - self.longest - 1))
        while at >= 0:
            end = data[at:].removesuffix(b".")
            if any(folder.startswith(end) for folder in self.folders):
                return at
            at = data.find(b"/", at + 1)
        return len(data)

    def put(self, data: bytes) -> bytes:
        if not self.folders or data == b"":
            return data
        said = self.pattern.sub(lambda found: self.named[found[0]], self.before + data)[len(self.before) :]
        self.before = data[-1:]
        return said
