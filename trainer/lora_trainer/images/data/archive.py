"""A stored image dataset: one zip of uncompressed entries, manifest.jsonl and the images it names, read in place."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora_trainer.failure import TrainerFailure

MANIFEST = "manifest.jsonl"
# Nothing is unpacked, so a name is never a path; one that is no plain name still is no work of the studio's.
NAME = re.compile(r"images/[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SHA256 = re.compile(r"[0-9a-f]{64}")
FIELDS = ("file", "caption", "width", "height", "repeats", "sha256", "class")
# Bits 0, 6 and 13 of an entry's flags: encrypted, strongly encrypted, names hidden (PKWARE's APPNOTE.TXT, 4.4.4).
ENCRYPTED = 0x1 | 0x40 | 0x2000
MANIFEST_BYTES_MAX = 256 << 20
IMAGES_MAX = 1_000_000
IMAGE_BYTES_MAX = 256 << 20
PIXELS_MAX = 89_478_485
"""Pillow's own Image.MAX_IMAGE_PIXELS: what decodes to a quarter of a gigabyte."""
REPEATS_MAX = 10_000
CAPTION_MAX = 20_000
HINT = "Upload the images again: the studio's check writes this file anew."


def refused(code: str, message: str, hint: str = HINT) -> TrainerFailure:
    """A dataset that is not trained on: the rule that it breaks stands behind the sentence, as it does for rows."""
    return TrainerFailure("data", f"{message} ({code})", hint, "dataset_path")


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One image as its manifest line tells it; sizes in pixels, as it is looked at."""

    file: str
    caption: str | None
    width: int
    height: int
    repeats: int
    sha256: str
    of_class: bool
    """A regularisation image: of the class, not of what is taught."""
    path: Path | None = None
    """Where it lies if not in the archive."""


class ImageArchive:
    """The images of a dataset. Reading from several threads is safe."""

    def __init__(self, path: Path) -> None:
        """Checks every name and size, but no image yet. Raises TrainerFailure(data)."""
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            message = f"The dataset cannot be read: {error.strerror or type(error).__name__}."
            raise refused("unreadable", message, "Check its path and rights.") from None
        except (zipfile.BadZipFile, ValueError, NotImplementedError, IndexError):
            raise refused("type_mismatch", "The dataset is no zip of images, or it is cut off.") from None
        self._entries = check_entries(self._zip.infolist(), path.stat().st_size)
        if MANIFEST not in self._entries:
            raise refused("missing_entry", f"The dataset lacks {MANIFEST}.")
        self.images = read_manifest(self._read(MANIFEST))
        named = {image.file for image in self.images}
        for name in named - self._entries.keys():
            raise refused("missing_entry", f"The dataset lacks {name}, which its manifest names.")
        for name in self._entries.keys() - named - {MANIFEST}:
            raise refused("unlisted_entry", f"The dataset holds {name}, which its manifest does not name.")

    def read(self, image: StoredImage) -> bytes:
        """The bytes of an image, which are those that were checked. Raises TrainerFailure(data)."""
        data = self._read(image.file) if image.path is None else image.path.read_bytes()
        if hashlib.sha256(data).hexdigest() != image.sha256:
            raise refused("sha256_mismatch", f"{image.file} is not the image that was checked.")
        return data

    def close(self) -> None:
        self._zip.close()

    def _read(self, name: str) -> bytes:
        try:
            return self._zip.read(self._entries[name])
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            if getattr(error, "errno", None) is not None:
                raise
            raise refused("corrupt_entry", f"{name} cannot be read from the dataset: {error}"[:500]) from None


def check_entries(infos: list[zipfile.ZipInfo], size: int) -> dict[str, zipfile.ZipInfo]:
    """The entries by name. `size`: bytes of the whole file. Raises TrainerFailure(data)."""
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        # `filename` ends at a NUL; `orig_filename` is what the file says.
        name = info.orig_filename
        shown = ascii(name[:120])
        if name != MANIFEST and not NAME.fullmatch(name):
            raise refused("unsafe_path", f"The dataset has an entry with the name {shown}, which is no image's.")
        if name in entries:
            raise refused("duplicate_path", f"The dataset holds {name} twice.")
        if info.flag_bits & ENCRYPTED:
            raise refused("encrypted", f"{name} is encrypted.")
        # Uncompressed, an entry cannot be larger than the file that it lies in: there is no bomb to defuse.
        if info.compress_type != zipfile.ZIP_STORED:
            raise refused("compressed", f"{name} is compressed; images are stored as they are.")
        if info.file_size != info.compress_size:
            raise refused("size_mismatch", f"{name} says two sizes of itself.")
        if info.file_size > (MANIFEST_BYTES_MAX if name == MANIFEST else IMAGE_BYTES_MAX):
            raise refused("too_large", f"{name} has {info.file_size:,} bytes.")
        entries[name] = info
    if sum(info.file_size for info in entries.values()) > size:
        raise refused("overlapping_entries", "The dataset's entries say more bytes than the file has.")
    return entries


def read_manifest(data: bytes) -> list[StoredImage]:
    """The images in the order of their lines. Raises TrainerFailure(data), which names the line."""
    images: list[StoredImage] = []
    seen: set[str] = set()
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            image = read_line(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise refused("bad_manifest", f"Line {number} of {MANIFEST}: {error}"[:300]) from None
        if image.file in seen:
            raise refused("duplicate_path", f"Line {number} of {MANIFEST} names {image.file} again.")
        if image.width * image.height > PIXELS_MAX:
            message = f"{image.file} has {image.width} by {image.height} pixels, more than {PIXELS_MAX:,}."
            raise refused("too_many_pixels", message)
        seen.add(image.file)
        images.append(image)
    if len(images) > IMAGES_MAX:
        raise refused("too_many_images", f"The dataset has {len(images):,} images; {IMAGES_MAX:,} are read at most.")
    return images


def read_line(line: Any) -> StoredImage:
    """One manifest line. Raises ValueError."""
    if not isinstance(line, dict) or set(line) != set(FIELDS):
        raise ValueError(f"not exactly the fields {', '.join(FIELDS)}")
    file, caption = line["file"], line["caption"]
    if not isinstance(file, str) or not NAME.fullmatch(file):
        raise ValueError("file is no name of an image below images/ (unsafe_path)")
    if caption is not None and (not isinstance(caption, str) or len(caption) > CAPTION_MAX):
        raise ValueError(f"caption is neither null nor text of at most {CAPTION_MAX:,} characters")
    for name, largest in (("width", PIXELS_MAX), ("height", PIXELS_MAX), ("repeats", REPEATS_MAX)):
        if type(line[name]) is not int or not 1 <= line[name] <= largest:
            raise ValueError(f"{name} is no whole number from 1 to {largest:,}")
    if not isinstance(line["sha256"], str) or not SHA256.fullmatch(line["sha256"]):
        raise ValueError("sha256 is no SHA-256 in lower-case hexadecimal digits")
    if type(line["class"]) is not bool:
        raise ValueError("class is neither true nor false")
    numbers = (line["width"], line["height"], line["repeats"])
    return StoredImage(file, caption, *numbers, line["sha256"], line["class"])
