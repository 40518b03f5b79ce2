"""The one archive that pictures are trained from, and their thumbnails: the same bytes for the same pictures."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from lora_trainer.durable import sync
from lora_trainer.image_check.faults import DatasetFault
from lora_trainer.image_check.picture import Picture

COPY_BYTES = 1 << 20
# The first instant that a zip can tell: an archive says nothing of when it was made.
EPOCH = (1980, 1, 1, 0, 0, 0)
PRIVATE_FILE = 0o100600 << 16


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture of the dataset. `source` is the name that it came with."""

    source: str
    file: str
    caption: str | None
    width: int
    height: int
    repeats: int
    is_class: bool
    bytes: int
    sha256: str
    thumbnail_offset: int
    thumbnail_length: int

    def manifest_line(self) -> str:
        line = {"file": self.file, "caption": self.caption, "width": self.width, "height": self.height}
        line |= {"repeats": self.repeats, "sha256": self.sha256, "class": self.is_class}
        return json.dumps(line, ensure_ascii=False)

    def row(self, n: int) -> str:
        """What the studio keeps of it: `n` counts from 1."""
        row = {"n": n, "file": self.source, "caption": self.caption, "width": self.width, "height": self.height}
        row |= {"bytes": self.bytes, "repeats": self.repeats, "is_class": self.is_class, "sha256": self.sha256}
        row |= {"thumbnail_offset": self.thumbnail_offset, "thumbnail_length": self.thumbnail_length}
        return json.dumps(row, ensure_ascii=False)


class PictureStore:
    """Takes pictures one by one, and writes `images.zip`, `thumbnails.bin` and `rows.jsonl` into a folder."""

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._pictures = (folder / "pictures.part").open("w+b")
        self._thumbnails = (folder / "thumbnails.bin").open("wb")
        self.kept: list[Kept] = []

    def add(self, picture: Picture, source: str, caption: str | None, repeats: int, is_class: bool) -> None:
        """Raises DatasetFault where all pictures together become larger than a dataset may be."""
        n = len(self.kept) + 1
        taken = self._pictures.tell() + self._thumbnails.tell() + len(picture.data) + len(picture.thumbnail)
        if taken > self._bytes_max:
            most = f"more than the {self._bytes_max // 10**6:,} MB of a dataset"
            raise DatasetFault("dataset_too_large", f"Written anew, its pictures take {most}: split it.")
        self.kept.append(
            Kept(
                source=source,
                file=f"images/{n:06}.{picture.ending}",
                caption=caption,
                width=picture.width,
                height=picture.height,
                repeats=repeats,
                is_class=is_class,
                bytes=len(picture.data),
                sha256=hashlib.sha256(picture.data).hexdigest(),
                thumbnail_offset=self._thumbnails.tell(),
                thumbnail_length=len(picture.thumbnail),
            )
        )
        self._pictures.write(picture.data)
        self._thumbnails.write(picture.thumbnail)

    def publish(self) -> Path:
        """Writes the archive with its manifest first, and the rows. Answers the archive."""
        self._thumbnails.close()
        target = self._folder / "images.zip"
        self._pictures.seek(0)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_entry("manifest.jsonl"), "".join(kept.manifest_line() + "\n" for kept in self.kept))
            for kept in self.kept:
                with archive.open(_entry(kept.file), "w") as file:
                    left = kept.bytes
                    while left > 0:
                        left -= file.write(self._pictures.read(min(left, COPY_BYTES)))
        self.discard()
        rows = "".join(kept.row(n) + "\n" for n, kept in enumerate(self.kept, 1))
        (self._folder / "rows.jsonl").write_text(rows, "utf-8")
        for name in ("images.zip", "thumbnails.bin", "rows.jsonl"):
            sync(self._folder / name)
        return target

    def discard(self) -> None:
        """Lets go of what stands between."""
        self._pictures.close()
        self._thumbnails.close()
        (self._folder / "pictures.part").unlink(missing_ok=True)


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.create_system = 3
    info.external_attr = PRIVATE_FILE
    return info
