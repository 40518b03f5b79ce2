"""Files that are whole or absent: written under a hidden name, fsynced, renamed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

HASH_CHUNK_BYTES = 1 << 22


def sync(path: Path) -> None:
    """Flushes a file or a folder's entries to the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish_folder(final: Path, write: Callable[[Path], None]) -> None:
    """Lets `write` fill a hidden folder beside `final`, then renames it there. On failure nothing is left behind."""
    staged = final.parent / f".{final.name}.part"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    try:
        write(staged)
        for path in staged.iterdir():
            path.chmod(0o600)
            sync(path)
        sync(staged)
        if final.exists():
            shutil.rmtree(final)
        staged.rename(final)
        sync(final.parent)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def publish_file(final: Path, data: bytes) -> None:
    """Writes a file in the same way."""
    staged = final.parent / f".{final.name}.part"
    try:
        staged.write_bytes(data)
        staged.chmod(0o600)
        sync(staged)
        staged.rename(final)
        sync(final.parent)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
