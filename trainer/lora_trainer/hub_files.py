"""Files of a repository of the Hub as its listing names them, and what can be wrong with them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 1 << 20
FILES_MAX = 2000
# What src/domain/hub-fetch.ts reads, in its units: those of UTF-16.
NAME_UNITS_MAX = 300
MESSAGE_UNITS_MAX = 1000
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class FetchFailure(Exception):
    """A fetch that cannot go on: a code of src/domain/hub-fetch.ts and a sentence with the way out.

    The sentence may quote what the Hub says: it is cut, and what cannot be stored or shown in it is replaced.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        units = CONTROL.sub("\ufffd", message).encode("utf-16-le", "replace")
        self.message = units[: 2 * MESSAGE_UNITS_MAX].decode("utf-16-le", "ignore")


def check_name(what: str, name: str) -> None:
    """The one rule for names of configurations, splits and files, which are somebody's: short, one line, well-formed.

    Raises FetchFailure(invalid_name); `what` says whose name it is.
    """
    try:
        units = len(name.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        units = None
    if units is None or units > NAME_UNITS_MAX or CONTROL.search(name) is not None:
        raise FetchFailure(
            "invalid_name",
            f"its {what} {name[:80]!r} has a name that is not taken here: it may have {NAME_UNITS_MAX} characters "
            "at most, without NUL or other control characters; rename it there or choose another",
        )


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a commit. `oid` is its SHA-256 in large file storage, else git's name of the blob (SHA-1)."""

    path: str
    bytes: int
    oid: str


def is_sound(path: Path, file: HubFile) -> bool:
    """True when a file has the bytes that the Hub's listing names."""
    if not path.is_file() or path.stat().st_size != file.bytes:
        return False
    digest = hashlib.sha256() if len(file.oid) == 64 else hashlib.sha1(b"blob %d\0" % file.bytes, usedforsecurity=False)
    with path.open("rb") as content:
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest() == file.oid
