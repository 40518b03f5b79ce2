"""A zip of pictures, read by its central directory and never unpacked: what it may hold, how much of it is read."""

from __future__ import annotations

import contextlib
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lora_trainer.image_check.faults import DatasetFault, PictureFault

ENTRIES_MAX = 50_000
DIRECTORY_BYTES_MAX = 16 << 20
UNPACKED_BYTES_MAX = 4 * 10**9
# Of one file: the pixels of the largest picture that is decoded, without any packing.
ENTRY_BYTES_MAX = 256 * 10**6
# A picture hardly shrinks at all; only short texts and flat drawings do, and those are small.
RATIO_MAX = 100
RATIO_FREE_BYTES = 1 << 20
NAME_BYTES_MAX = 300
DEPTH_MAX = 16
# Sizes of the records: APPNOTE.TXT of PKWARE, 4.3.7, 4.3.12 and 4.3.16.
LOCAL_HEADER_BYTES = 30
END_BYTES = 22
COMMENT_BYTES_MAX = 65_535
END_SIGN = b"PK\x05\x06"
LOCAL_SIGN = b"PK\x03\x04"
MISPLACED = "The directory of the archive does not lie where its end says."
IS_ENCRYPTED = 0x1
IS_UTF8 = 0x800
FROM_UNIX = 3
ARCHIVE_NAME = re.compile(r"\.(zip|tar|tgz|gz|bz2|xz|zst|7z|rar|cbz|cbr|jar)$", re.IGNORECASE)
# What systems leave in folders: nobody means it.
LITTER = re.compile(r"(^|/)(__MACOSX/|\.[^/]*(/|$)|Thumbs\.db$|ehthumbs\.db$|desktop\.ini$|Icon\r$)", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What zipfile throws at an archive that breaks a rule of the format.
READ_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error, RuntimeError)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive: its name as it is shown and matched, and its place."""

    name: str
    info: zipfile.ZipInfo

    @property
    def bytes(self) -> int:
        return self.info.file_size


class Archive:
    """An open archive whose directory holds to the rules. Raises DatasetFault for one that does not."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")
        try:
            directory_at = _directory(self._file)
            self._zip = zipfile.ZipFile(self._file)
            if self._zip.start_dir != directory_at:
                raise DatasetFault("inconsistent_archive", MISPLACED)
            infos = self._zip.infolist()
            _refuse_overlaps(infos, directory_at)
            self.entries = _entries(infos)
        except READ_FAULTS as error:
            self._file.close()
            raise DatasetFault("type_mismatch", "This is no zip archive that can be read.") from error
        except DatasetFault:
            self._file.close()
            raise

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def read(self, entry: Entry, bytes_max: int = ENTRY_BYTES_MAX) -> bytes:
        """All bytes of a file. Raises PictureFault for one that is too large, or not what its headers say."""
        if entry.bytes > bytes_max:
            raise PictureFault("file_too_large", f"The file is larger than {bytes_max:,} bytes.")
        try:
            with self._zip.open(entry.info) as file:
                data = file.read(entry.bytes + 1)
        except READ_FAULTS as error:
            raise PictureFault("crc_mismatch", "The file is damaged in the archive: its sum is another.") from error
        if len(data) != entry.bytes:
            raise PictureFault("crc_mismatch", "The file is damaged in the archive: its size is another.")
        return data


def _directory(file: BinaryIO) -> int:
    """Where the central directory begins, by the one end record that reaches the end of the file."""
    size = file.seek(0, 2)
    file.seek(max(0, size - END_BYTES - COMMENT_BYTES_MAX))
    tail_at, tail = file.tell(), file.read()
    file.seek(0)
    if file.read(4) not in (LOCAL_SIGN, END_SIGN):
        raise DatasetFault("type_mismatch", "This is no zip archive: something else stands before its first file.")
    ends, at = [], tail.find(END_SIGN)
    while at >= 0:
        if at + END_BYTES <= len(tail):
            record = struct.unpack_from("<4s4H2LH", tail, at)
            if at + END_BYTES + record[7] == len(tail):
                ends.append((tail_at + at, record))
        at = tail.find(END_SIGN, at + 1)
    if not ends:
        raise DatasetFault("type_mismatch", "This is no whole zip archive: its end is missing. Was it cut off?")
    if len(ends) > 1:
        raise DatasetFault("inconsistent_archive", "The archive has two ends: readers disagree on what it holds.")
    end_at, (_, disk, start_disk, here, in_all, directory_bytes, directory_at, _) = ends[0]
    if disk or start_disk or here != in_all:
        raise DatasetFault("inconsistent_archive", "The archive is one part of several: pack it into one file.")
    # A zip64 for its many files only (their count is 0xFFFF here) is told below that they are too many.
    if 0xFFFFFFFF in (directory_bytes, directory_at):
        raise DatasetFault("unsupported_method", "The archive is a zip64, for files beyond 4 GB: use plain zip.")
    if in_all > ENTRIES_MAX or directory_bytes > DIRECTORY_BYTES_MAX:
        raise DatasetFault("too_many_files", f"The archive lists more than {ENTRIES_MAX} files: split it.")
    if directory_at + directory_bytes != end_at:
        raise DatasetFault("inconsistent_archive", MISPLACED)
    return directory_at


def _refuse_overlaps(infos: list[zipfile.ZipInfo], directory_at: int) -> None:
    """Files that share bytes unpack to many times what the archive has."""
    ends = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < ends:
            raise DatasetFault("inconsistent_archive", "Files of the archive lie over each other.")
        name = info.orig_filename.encode("utf-8" if info.flag_bits & IS_UTF8 else "cp437")
        ends = info.header_offset + LOCAL_HEADER_BYTES + len(name) + info.compress_size
    if ends > directory_at:
        raise DatasetFault("inconsistent_archive", "Files of the archive lie over its directory.")


def _entries(infos: list[zipfile.ZipInfo]) -> list[Entry]:
    """The files that somebody meant, by name. Raises DatasetFault for an archive that no reader should trust."""
    seen: set[str] = set()
    entries, total = [], 0
    for info in infos:
        name = name_of(info)
        shown = CONTROL.sub("?", name)[:100]
        _refuse_name(name, info, shown)
        total += info.file_size
        if total > UNPACKED_BYTES_MAX:
            raise DatasetFault(
                "archive_too_large", f"The archive unpacks to more than {UNPACKED_BYTES_MAX // 10**9} GB."
            )
        if info.file_size > RATIO_FREE_BYTES and info.file_size > RATIO_MAX * max(1, info.compress_size):
            raise DatasetFault("decompression_ratio", f"{shown} unpacks to more than {RATIO_MAX} times its size.")
        if name.endswith("/"):
            continue
        if info.flag_bits & IS_ENCRYPTED:
            raise DatasetFault("encrypted_archive", f"{shown} is encrypted: pack the pictures without a password.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DatasetFault("unsupported_method", f"{shown} is packed in a way that is not read: use plain zip.")
        # macOS writes letters and their accents apart; what names a picture elsewhere has them in one.
        name = unicodedata.normalize("NFC", name)
        key = name.casefold()
        if key in seen:
            raise DatasetFault("duplicate_path", f"The archive has {shown} twice, or in two spellings.")
        seen.add(key)
        if not LITTER.search(name):
            entries.append(Entry(name, info))
    return sorted(entries, key=lambda entry: entry.name)


def name_of(info: zipfile.ZipInfo) -> str:
    """A file's name: as UTF-8 where that is said or true, else as the format has it without a word (CP437)."""
    name = info.orig_filename
    if not info.flag_bits & IS_UTF8:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    # Some archivers for Windows write its separator.
    return name.replace("\\", "/")


def _refuse_name(name: str, info: zipfile.ZipInfo, shown: str) -> None:
    path = name.removesuffix("/")
    parts = path.split("/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path) or any(part in ("", ".", "..") for part in parts):
        raise DatasetFault("unsafe_path", f"The archive names {shown!r}, which would lie outside of its folder.")
    if CONTROL.search(name.replace("Icon\r", "")) or len(name.encode("utf-8", "replace")) > NAME_BYTES_MAX:
        long = f"The archive names {shown!r}: control characters, or longer than {NAME_BYTES_MAX} bytes."
        raise DatasetFault("unsafe_path", long)
    if len(parts) > DEPTH_MAX:
        raise DatasetFault("unsafe_path", f"The archive nests {shown!r} deeper than {DEPTH_MAX} folders.")
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == FROM_UNIX else 0
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DatasetFault("links_not_allowed", f"{shown} is a link or a device: pack the files themselves.")
