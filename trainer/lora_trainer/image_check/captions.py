"""What is said of the pictures: sidecar texts, metadata.jsonl or metadata.csv, and the folders of Kohya's layout."""

from __future__ import annotations

import csv
import io
import json
import posixpath
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from lora_trainer.image_check.archive import CONTROL, Archive, Entry
from lora_trainer.image_check.faults import PictureFault
from lora_trainer.rows import SURROGATE

SIDECAR_BYTES_MAX = 64 << 10
METADATA_BYTES_MAX = 64 << 20
METADATA_ROWS_MAX = 50_000
CAPTION_CHARACTERS_MAX = 4_000
REPEATS_MAX = 1_000
SIDECAR_ENDINGS = (".txt", ".caption")
METADATA_NAMES = ("metadata.jsonl", "metadata.csv")
# `image`: the column of a picture in a table that datasets wrote with another name for it.
FILE_COLUMNS = ("file_name", "file", "image")
# `text` is the name in Hugging Face's guides; the others are what tools beside it write.
CAPTION_COLUMNS = ("text", "caption", "prompt", "additional_feature")
# `10_sks dog`: kohya-ss/sd-scripts, library/config_util.py, generate_dreambooth_subsets_config_by_subdirs.
KOHYA_FOLDER = re.compile(r"(\d{1,9})_(.*)")
CLASS_FOLDERS = {"reg", "reg_data", "regularization", "regularisation", "class_images"}
BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Pieces that CLIP's tokenizer never joins (openai/CLIP, clip/simple_tokenizer.py): each is one token or more.
CLIP_PIECE = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)
# Of 77 places the beginning and the end of the text take two.
CLIP_TOKENS_MAX = 75


@dataclass(frozen=True, slots=True)
class Folder:
    """What the folder of a picture says: how often an epoch takes it, its caption, and if it shows the class only."""

    repeats: int
    caption: str | None
    is_class: bool


def folder_of(name: str) -> Folder:
    """Raises PictureFault for a folder that repeats its pictures more often than is done."""
    parts = name.split("/")[:-1]
    is_class = any(part.casefold() in CLASS_FOLDERS for part in parts)
    for part in reversed(parts):
        if match := KOHYA_FOLDER.fullmatch(part):
            repeats = int(match[1])
            if not 1 <= repeats <= REPEATS_MAX:
                raise PictureFault("invalid_repeats", f"Its folder says {repeats} repeats: 1 to {REPEATS_MAX:,} go.")
            return Folder(repeats, cleaned(match[2]), is_class)
    return Folder(1, None, is_class)


def cleaned(text: str) -> str | None:
    """A caption as it is kept: in one line, without control characters; None for one that says nothing."""
    text = BREAKS.sub(" ", unicodedata.normalize("NFC", text)).strip()
    text = "".join(one for one in text if not 0xD800 <= ord(one) <= 0xDFFF)
    if len(text) > CAPTION_CHARACTERS_MAX:
        raise PictureFault("caption_too_long", f"Its caption has more than {CAPTION_CHARACTERS_MAX:,} characters.")
    return text or None


def clip_tokens_at_least(caption: str) -> int:
    """CLIP tokens that a caption has at least, beginning and end not counted."""
    return sum(1 for _ in CLIP_PIECE.finditer(caption))


class Captions:
    """All that the archive says of its pictures, read before them."""

    def __init__(self, archive: Archive) -> None:
        self.sidecars = {entry.name: entry for entry in archive.entries if is_sidecar(entry.name)}
        self.unread: list[tuple[str, str]] = []
        """Metadata files that cannot be read, with the reason."""
        self.rows: dict[str, str | None] = {}
        """Captions by the name of their picture, as metadata files have them."""
        self._used: set[str] = set()
        for entry in archive.entries:
            if is_metadata(entry.name):
                self._read_metadata(archive, entry)

    def of(self, archive: Archive, name: str, folder: Folder) -> tuple[str | None, str | None]:
        """A picture's caption, and where it stands: metadata, sidecar or folder. Raises PictureFault."""
        stem = posixpath.splitext(name)[0]
        places = [place + ending for ending in SIDECAR_ENDINGS for place in (stem, name)]
        sidecars = [self.sidecars[place] for place in places if place in self.sidecars]
        self._used.update(entry.name for entry in sidecars)
        if name in self.rows:
            self._used.add(name)
            if (caption := cleaned(self.rows[name] or "")) is not None:
                return caption, "metadata"
        if sidecars:
            return cleaned(_text(archive.read(sidecars[0], SIDECAR_BYTES_MAX))), "sidecar"
        return folder.caption, None if folder.caption is None else "folder"

    def left_over(self) -> list[str]:
        """Captions whose picture is not there: sidecars, and pictures that metadata names."""
        return sorted(name for name in (*self.sidecars, *self.rows) if name not in self._used)

    def _read_metadata(self, archive: Archive, entry: Entry) -> None:
        try:
            text = _text(archive.read(entry, METADATA_BYTES_MAX))
            rows = _json_rows(text) if entry.name.lower().endswith(".jsonl") else _csv_rows(text)
            for count, (line, row) in enumerate(rows):
                if count >= METADATA_ROWS_MAX:
                    raise PictureFault("invalid_metadata", f"It has more than {METADATA_ROWS_MAX:,} rows.")
                self._keep_row(posixpath.dirname(entry.name), line, row)
        except PictureFault as fault:
            self.unread.append((entry.name, fault.message))

    def _keep_row(self, folder: str, line: int, row: dict) -> None:
        file = next((row[column] for column in FILE_COLUMNS if isinstance(row.get(column), str)), None)
        if file is None:
            raise PictureFault("invalid_metadata", f"Line {line} of it has no column file_name.")
        # No archive that is read has a picture of such a name, and no database a text of it.
        if CONTROL.search(file) or SURROGATE.search(file):
            message = f"Line {line} of it names a file with control characters or halves of characters."
            raise PictureFault("invalid_metadata", message)
        name = unicodedata.normalize("NFC", posixpath.normpath(posixpath.join(folder, file.replace("\\", "/"))))
        caption = next((row[column] for column in CAPTION_COLUMNS if isinstance(row.get(column), str)), None)
        # The texts that are kept here are as many as the file has, and no longer.
        self.rows[name] = caption if caption is None else caption[: CAPTION_CHARACTERS_MAX + 1]


def is_metadata(name: str) -> bool:
    return posixpath.basename(name).lower() in METADATA_NAMES


def is_sidecar(name: str) -> bool:
    return name.lower().endswith(SIDECAR_ENDINGS)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise PictureFault("invalid_utf8", "Its caption is not UTF-8: save it as that.") from error


def _json_rows(text: str) -> Iterator[tuple[int, dict]]:
    """Rows with their lines."""
    # str.splitlines would also split at U+0085 and U+2028, which JSON has in texts as they are.
    for line, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        try:
            value = json.loads(row)
        except (ValueError, RecursionError) as error:
            raise PictureFault("invalid_metadata", f"Line {line} of it is not JSON.") from error
        if not isinstance(value, dict):
            raise PictureFault("invalid_metadata", f"Line {line} of it is no JSON object.")
        yield line, value


def _csv_rows(text: str) -> Iterator[tuple[int, dict]]:
    """Rows with their lines, of several the last."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise PictureFault("invalid_metadata", f"It cannot be read as CSV: {str(error)[:200]}.") from error
