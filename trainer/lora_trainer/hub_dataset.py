"""Which files of a dataset's repository are fetched, and how they become the one file that is checked and trained on.

Configurations and splits are found as the Hub's own library finds them: by the card's `configs`, else by the names of
files (https://huggingface.co/docs/hub/datasets-file-names-and-splits). A script of the repository is never run.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from lora_trainer.hub_files import CHUNK_BYTES, FILES_MAX, FetchFailure, HubFile
from lora_trainer.parquet_rows import table_lines
from lora_trainer.rows import ROW_BYTES_MAX, UTF8_BOM

READABLE = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
READABLE_WORDS = "JSON Lines, JSON, CSV, TSV and Parquet"
# Data in containers that are not read here: told apart from a repository that has no data at all.
UNREAD = re.compile(
    r"\.(arrow|feather|orc|avro|h5|hdf5|npz?|txt|xml|xlsx?|lance|duckdb|sqlite3?|db|pkl|pickle|tar|zip|7z|rar|bz2|gz|xz|zst|lz4|tgz)$",
    re.IGNORECASE,
)
# What the library itself writes beside data.
NO_DATA = {"dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json", "package.json"}
SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
NAMED_MAX = 12
# Each one multiplies the ways in which a path can be matched.
WILDCARDS_MAX = 4
DATA = "data"


@dataclass(frozen=True, slots=True)
class DatasetWish:
    """What of a repository is wanted: a configuration and a split by name, or files by a pattern of their path."""

    config: str | None = None
    split: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class DataChoice:
    """The files that hold the rows, all of one kind (jsonl, json, csv, parquet), and what they were chosen as."""

    config: str | None
    split: str | None
    kind: str
    files: list[HubFile]


def named(names: Any) -> str:
    """A few names for a sentence."""
    listed = sorted(str(name)[:80] for name in names)
    more = f" and {len(listed) - NAMED_MAX} more" if len(listed) > NAMED_MAX else ""
    return ", ".join(listed[:NAMED_MAX]) + more


def pattern(glob: str) -> re.Pattern[str]:
    """A path pattern of a card: `*` and `?` within a folder, `**` across folders; a folder means all below it."""
    if len(re.findall(r"\*\*/|\*\*|[*?]", glob)) > WILDCARDS_MAX:
        raise FetchFailure("data_files_missing", f"{glob[:80]} has more than {WILDCARDS_MAX} wildcards: name its files")
    text = ""
    for piece in re.split(r"(\*\*/|\*\*|\*|\?)", glob.removeprefix("./").rstrip("/")):
        text += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece))
    return re.compile(f"{text}(?:/.*)?")


def matching(files: list[HubFile], globs: list[str]) -> list[HubFile]:
    patterns = [pattern(glob) for glob in globs]
    return [file for file in files if any(one.fullmatch(file.path) for one in patterns)]


def is_data(file: HubFile) -> bool:
    *folders, name = file.path.split("/")
    hidden = any(part.startswith((".", "__")) for part in (*folders, name))
    return not hidden and name not in NO_DATA and (kind_of(file) is not None or UNREAD.search(name) is not None)


def kind_of(file: HubFile) -> str | None:
    name = file.path.rsplit("/", 1)[-1].lower()
    return READABLE.get("." + name.rsplit(".", 1)[-1]) if "." in name else None


def splits_by_name(files: list[HubFile]) -> dict[str, list[HubFile]]:
    """Files by the split that their path names as a word of its own; all are `train` where none names one."""
    found: dict[str, list[HubFile]] = {}
    for split, words in SPLIT_WORDS.items():
        word = re.compile(rf"(?:^|[/._ -])(?:{'|'.join(words)})(?=$|[/._ 0-9-])", re.IGNORECASE)
        if chosen := [file for file in files if word.search(file.path)]:
            found[split] = chosen
    return found or ({"train": files} if files else {})


def splits_of_card(data_files: Any, files: list[HubFile]) -> dict[str, list[HubFile]]:
    """Files by split, as a configuration of the card lists them."""
    found: dict[str, list[HubFile]] = {}
    entries: list[tuple[str, Any]] = []
    if isinstance(data_files, dict):
        entries = [(str(split), paths) for split, paths in data_files.items()]
    elif isinstance(data_files, list) and all(isinstance(one, dict) for one in data_files):
        entries = [(str(one.get("split", "train")), one.get("path")) for one in data_files]
    else:
        entries = [("train", data_files)]
    for split, paths in entries:
        globs = [paths] if isinstance(paths, str) else paths if isinstance(paths, list) else []
        found[split] = matching(files, [glob for glob in globs if isinstance(glob, str)])
    return {split: chosen for split, chosen in found.items() if chosen}


def configs_of_card(card: Any) -> dict[str, dict]:
    configs = card.get("configs") if isinstance(card, dict) else None
    listed = [one for one in configs if isinstance(one, dict)] if isinstance(configs, list) else []
    return {str(one.get("config_name", "default")): one for one in listed}


def choose_config(configs: dict[str, dict], wanted: str | None) -> str | None:
    """The configuration's name; None where the card lists none and none is wanted."""
    if wanted is not None:
        if wanted in configs:
            return wanted
        has = f"it has {named(configs)}" if configs else "its card lists none: leave it out, or name files"
        raise FetchFailure("config_not_found", f"it has no configuration {wanted}; {has}")
    if not configs:
        return None
    default = [name for name, one in configs.items() if one.get("default") is True]
    if default or "default" in configs:
        return default[0] if default else "default"
    if len(configs) > 1:
        raise FetchFailure("config_required", f"it has several configurations: name one of {named(configs)}")
    return next(iter(configs))


def choose_split(splits: dict[str, list[HubFile]], wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in splits:
            raise FetchFailure("split_not_found", f"it has no split {wanted}; it has {named(splits)}")
        return wanted
    if "train" in splits:
        return "train"
    if len(splits) > 1:
        raise FetchFailure(
            "split_required", f"it has several splits and none is called train: name one of {named(splits)}"
        )
    return next(iter(splits))


def choose_data_files(files: list[HubFile], card: Any, wish: DatasetWish) -> DataChoice:
    """The files of the wish. Raises FetchFailure, naming what there is, where none or several would do."""
    data = [file for file in files if is_data(file)]
    if wish.file is not None:
        chosen = matching(files, [wish.file])
        if not chosen:
            there = named(file.path for file in data) or "no data file at all"
            raise FetchFailure("data_files_missing", f"it has no file {wish.file}; it has {there}")
        return DataChoice(None, None, one_kind(chosen), in_order(chosen))
    if not data:
        if any(file.path.endswith(".py") for file in files):
            raise FetchFailure(
                "remote_code_not_allowed",
                "its rows are made by a Python script that comes with it; such code is never run here: "
                "choose a dataset whose rows are files",
            )
        raise FetchFailure("data_files_missing", f"it has no data files ({READABLE_WORDS} are read)")
    configs = configs_of_card(card)
    config = choose_config(configs, wish.config)
    listed = configs.get(config or "", {})
    folder = listed.get("data_dir")
    within = matching(data, [folder]) if isinstance(folder, str) else data
    by_card = splits_of_card(listed["data_files"], within) if "data_files" in listed else {}
    splits = by_card or ({} if "data_files" in listed else splits_by_name(within))
    if not splits:
        raise FetchFailure("data_files_missing", f"the files that its card lists for {config} are not there")
    split = choose_split(splits, wish.split)
    return DataChoice(config, split, one_kind(splits[split]), in_order(splits[split]))


def in_order(files: list[HubFile]) -> list[HubFile]:
    if len(files) > FILES_MAX:
        raise FetchFailure("too_large", f"it has more than {FILES_MAX} files")
    return sorted(files, key=lambda file: file.path)


def one_kind(files: list[HubFile]) -> str:
    """The kind of all files. Raises FetchFailure where it is not one, or none that is read here."""
    kinds = {kind_of(file) for file in files}
    unread = [file.path for file in files if kind_of(file) is None]
    if kinds == {None}:
        raise FetchFailure(
            "unsupported_format",
            f"its rows are in {named(unread[:1])}, which is not read here ({READABLE_WORDS} are): "
            "choose other files of it, or export it as JSON Lines and upload that",
        )
    if len(kinds) > 1:
        raise FetchFailure(
            "ambiguous_files",
            f"its rows are in files of several kinds ({named(file.path for file in files)}): name those to take as "
            "file, such as data/*.jsonl",
        )
    if kinds == {"json"} and len(files) > 1:
        return "json_parts"
    return next(kind for kind in kinds if kind is not None)


def assemble(choice: DataChoice, parts: list[Path], into: Path, bytes_max: int) -> Path:
    """Makes one file of the parts, which stand in the order of the choice's files: JSON as it is, tables as JSON Lines.

    Raises FetchFailure where a table is none or the whole is larger than `bytes_max`.
    """
    whole = into / DATA
    with whole.open("wb") as out:
        for part, file in zip(parts, choice.files, strict=True):
            for piece in pieces_of(part, file, choice.kind):
                out.write(piece)
                if out.tell() > bytes_max:
                    raise FetchFailure(
                        "too_large",
                        f"as JSON Lines it is larger than the {bytes_max / 1_000_000:.0f} MB that may be stored: "
                        "name fewer files",
                    )
    return whole


def pieces_of(part: Path, file: HubFile, kind: str) -> Iterator[bytes]:
    if kind == "csv":
        return table_rows(part, file.path)
    return table_lines(part, file.path) if kind == "parquet" else raw_pieces(part, file, kind)


def raw_pieces(part: Path, file: HubFile, kind: str) -> Iterator[bytes]:
    """The bytes of a file of JSON or JSON Lines, with an end to its last line where others follow."""
    with part.open("rb") as content:
        first = content.read(CHUNK_BYTES)
        if kind == "json_parts" and first.removeprefix(UTF8_BOM).lstrip().startswith(b"["):
            raise FetchFailure(
                "ambiguous_files",
                f"its rows are in several JSON arrays, {file.path} among them, which do not make one: name one as file",
            )
        chunk, last = first.removeprefix(UTF8_BOM) if kind != "json" else first, b"\n"
        while chunk:
            last = chunk[-1:]
            yield chunk
            chunk = content.read(CHUNK_BYTES)
        if last != b"\n" and kind != "json":
            yield b"\n"


def decoded_lines(content: BinaryIO, path: str) -> Iterator[str]:
    """Lines of a table, each at most as long as a row may be."""
    number = 0
    while raw := content.readline(ROW_BYTES_MAX + 1):
        number += 1
        if len(raw) > ROW_BYTES_MAX:
            raise FetchFailure(
                "invalid_csv", f"{path} has a line longer than {ROW_BYTES_MAX // 1_000_000} MB: line {number}"
            )
        try:
            yield (raw.removeprefix(UTF8_BOM) if number == 1 else raw).decode("utf-8")
        except UnicodeDecodeError:
            raise FetchFailure("invalid_csv", f"{path} is not UTF-8 in line {number}") from None


def table_rows(part: Path, path: str) -> Iterator[bytes]:
    """The rows of a CSV or TSV file with a header, each as a JSON object of texts."""
    csv.field_size_limit(ROW_BYTES_MAX)
    with part.open("rb") as content:
        table = csv.reader(
            decoded_lines(content, path), delimiter="\t" if path.lower().endswith(".tsv") else ",", strict=True
        )
        try:
            header = next(table, None)
            if not header or any(not name.strip() for name in header) or len(set(header)) != len(header):
                raise FetchFailure("invalid_csv", f"the first line of {path} must name each column once")
            for cells in table:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise FetchFailure(
                        "invalid_csv",
                        f"{path} has {len(cells)} cells in line {table.line_num}, and {len(header)} columns",
                    )
                yield json.dumps(dict(zip(header, cells, strict=True)), ensure_ascii=False).encode("utf-8") + b"\n"
        except csv.Error as error:
            raise FetchFailure("invalid_csv", f"{path} is no CSV file in line {table.line_num}: {error}") from None
