"""Reads a dataset file row by row in bounded memory and refuses what is not strict JSON, with line number and code."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from lora_trainer.json_array import split_array

CHUNK_BYTES = 1 << 20
ROW_BYTES_MAX = 4_000_000
DEPTH_MAX = 64
DIGITS_MAX = 300
EXCERPT_MAX = 80
HEAD_BYTES = 1 << 16
TABLE_ROWS = 5

UTF8_BOM = b"\xef\xbb\xbf"
# What people upload by mistake: first bytes to name.
FOREIGN = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"<": "an HTML or XML page",
}
TABLES = {",": "a CSV table", ";": "a CSV table with semicolons", "\t": "a table with tabs"}
ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
SURROGATE = re.compile("[\ud800-\udfff]")
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class RowFault(Exception):
    """A rule that one row breaks; `column` is the one that it lacks, where that is the rule."""

    def __init__(self, code: str, message: str, column: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.column = column


class DatasetFault(RowFault):
    """A rule that the file as a whole breaks; no row of it can be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line (in a JSON array its place, from 1) and its object, or the fault and an excerpt."""

    line: int
    value: dict | None
    fault: RowFault | None
    excerpt: str


class StrictDecoder:
    """JSON as the standard has it: no NaN, no key twice, no number out of range, no bottomless nesting."""

    def __init__(self) -> None:
        self._faults: list[RowFault] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._pairs,
            parse_constant=self._constant,
            parse_float=self._float,
            parse_int=self._int,
        )

    def _pairs(self, pairs: list[tuple[str, object]]) -> dict:
        value = dict(pairs)
        if len(value) != len(pairs):
            seen: set[str] = set()
            twice = next(name for name, _ in pairs if name in seen or seen.add(name))
            self._faults.append(RowFault("duplicate_key", f"The key {twice[:40]!r} stands twice in one object."))
        return value

    def _constant(self, text: str) -> None:
        self._faults.append(RowFault("invalid_json_line", f"{text} is not JSON."))

    def _float(self, text: str) -> float:
        value = float(text)
        if value in (float("inf"), float("-inf")):
            self._faults.append(RowFault("number_out_of_range", f"The number {text[:20]} is out of range."))
        return value

    def _int(self, text: str) -> int:
        if len(text) > DIGITS_MAX:
            self._faults.append(RowFault("number_out_of_range", f"A number has {len(text)} digits."))
            return 0
        return int(text)

    def decode(self, text: str) -> dict:
        """The object of a row. Raises RowFault."""
        self._faults.clear()
        try:
            value = self._decoder.decode(text)
        except RecursionError:
            raise RowFault("json_too_deep", f"Nested more than {DEPTH_MAX} levels deep.") from None
        except ValueError as error:
            at = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
            reason = error.msg.removesuffix(" at") if isinstance(error, json.JSONDecodeError) else str(error)
            raise RowFault("invalid_json_line", f"Not JSON: {reason}{at}.") from None
        if self._faults:
            raise self._faults[0]
        if text.count("[") + text.count("{") > DEPTH_MAX and depth_of(value) > DEPTH_MAX:
            raise RowFault("json_too_deep", f"Nested more than {DEPTH_MAX} levels deep.")
        if not isinstance(value, dict):
            raise RowFault("not_an_object", "A row must be an object like {…}.")
        if "\\u" in text:
            check_text(value)
        return value


def depth_of(value: object) -> int:
    """Levels of nesting of a parsed value; 0 for a scalar."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def check_text(value: object) -> None:
    """Raises RowFault where an escape has put a NUL or half a surrogate pair into a string."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str):
            if "\x00" in item:
                raise RowFault("nul_character", "A text holds the character U+0000.")
            if SURROGATE.search(item):
                raise RowFault("lone_surrogate", "A text holds half of a surrogate pair, which is no character.")


def excerpt_of(raw: bytes | str) -> str:
    """At most EXCERPT_MAX printable characters from the start of a row."""
    text = raw[: EXCERPT_MAX * 4].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[: EXCERPT_MAX * 4]
    text = CONTROL.sub("\ufffd", text.strip())
    return text if len(text) <= EXCERPT_MAX else text[: EXCERPT_MAX - 1] + "…"


class RowReader:
    """Iterates over the rows of a file. `sha256` and `bytes_read` are those of the bytes read so far."""

    def __init__(self, path: Path, container: str) -> None:
        """`container`: jsonl, json or auto. Raises OSError and DatasetFault."""
        self.path = path
        self.bytes_read = 0
        self._digest = hashlib.sha256()
        self._decoder = StrictDecoder()
        with path.open("rb") as file:
            self.container = sniff(file.read(HEAD_BYTES), container)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Row]:
        with self.path.open("rb") as file:
            yield from self._lines(file) if self.container == "jsonl" else self._elements(file)

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        first = True
        while chunk := file.read(CHUNK_BYTES):
            self._digest.update(chunk)
            self.bytes_read += len(chunk)
            yield chunk.removeprefix(UTF8_BOM) if first else chunk
            first = False

    def _lines(self, file: BinaryIO) -> Iterator[Row]:
        line, rest, too_long = 0, b"", False
        for chunk in self._chunks(file):
            *whole, tail = chunk.split(b"\n")
            for piece in whole:
                line += 1
                row = self._line(line, rest if too_long else rest + piece, too_long)
                rest, too_long = b"", False
                if row is not None:
                    yield row
            if not too_long:
                rest += tail
            if len(rest) > ROW_BYTES_MAX:
                rest, too_long = rest[: EXCERPT_MAX * 4], True
        if (rest or too_long) and (row := self._line(line + 1, rest, too_long)) is not None:
            yield row

    def _line(self, line: int, raw: bytes, too_long: bool) -> Row | None:
        """The row of one line; None for an empty one."""
        try:
            if too_long or len(raw) > ROW_BYTES_MAX:
                raise RowFault("line_too_long", f"Longer than {ROW_BYTES_MAX // 1_000_000} MB.")
            raw = raw.removesuffix(b"\r")
            if not raw.strip():
                return None
            if b"\r" in raw:
                raise RowFault("line_separator", "Lines must end in LF or CRLF, not in CR alone.")
            if b"\x00" in raw:
                raise RowFault("nul_character", "Holds a NUL byte.")
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise RowFault("invalid_utf8", f"Not UTF-8 at byte {error.start + 1} of the line.") from None
            return Row(line, self._decoder.decode(text), None, "")
        except RowFault as fault:
            return Row(line, None, fault, excerpt_of(raw))

    def _elements(self, file: BinaryIO) -> Iterator[Row]:
        for place, (text, fault) in enumerate(split_array(self._chunks(file), ROW_BYTES_MAX), start=1):
            try:
                if fault is not None:
                    raise RowFault(*fault)
                if "\x00" in text:
                    raise RowFault("nul_character", "Holds a NUL byte.")
                if not text.isascii() and (bad := ESCAPED_BYTE.search(text)):
                    raise RowFault("invalid_utf8", f"Not UTF-8 at character {bad.start() + 1} of the element.")
                yield Row(place, self._decoder.decode(text), None, "")
            except RowFault as error:
                yield Row(place, None, error, excerpt_of(text))


def sniff(head: bytes, container: str) -> str:
    """The container of a file by its first bytes. Raises DatasetFault where it is another kind of file."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DatasetFault("invalid_utf8", "The file is UTF-16: save it as UTF-8.")
    start = head.removeprefix(UTF8_BOM).lstrip()
    for magic, name in FOREIGN.items():
        if start.startswith(magic):
            raise DatasetFault("type_mismatch", f"The file is {name}, not JSON Lines or JSON.")
    whole = start if len(head) < HEAD_BYTES else start[: start.rfind(b"\n") + 1]
    if (table := table_of(whole)) is not None:
        message = f"The file is {table}, not JSON Lines or JSON: convert it to one object like {{…}} a line."
        raise DatasetFault("type_mismatch", message)
    found = "json" if start.startswith(b"[") else "jsonl"
    if container not in ("auto", found) and start:
        raise DatasetFault("type_mismatch", f"The file is read as {container}, but it begins like {found}.")
    return found if start else "jsonl"


def table_of(head: bytes) -> str | None:
    """The kind of table that a file begins like: equally many cells, at least two, in its first rows; else None."""
    lines = head.decode("utf-8", "replace").splitlines(keepends=True)
    # A line that is meant as an object or an array is told its own fault.
    if any(line.lstrip().startswith(("{", "[")) for line in lines):
        return None
    for delimiter, name in TABLES.items():
        try:
            cells = [len(row) for row in islice(filter(None, csv.reader(lines, delimiter=delimiter)), TABLE_ROWS)]
        except csv.Error:
            continue
        if len(cells) > 1 and cells[0] > 1 and len(set(cells)) == 1:
            return name
    return None
