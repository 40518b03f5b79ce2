"""Files of a repository of the Hub as its listing names them, and what can be wrong with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 1 << 20
FILES_MAX = 2000


class FetchFailure(Exception):
    """A fetch that cannot go on: a code of src/domain/hub-fetch.ts and a sentence with the way out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


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
