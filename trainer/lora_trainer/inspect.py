"""Reads a dataset as training would and reports on it, without torch and in bounded memory.

Exit 0: the report is written, whatever it says of the dataset; 2: bad arguments; 3: unreadable file; 4: bad model.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from array import array
from collections import Counter
from pathlib import Path

from lora_trainer.durable import publish_file
from lora_trainer.failure import TrainerFailure
from lora_trainer.prepare import batches
from lora_trainer.rows import DatasetFault, RowFault, RowReader
from lora_trainer.shapes import READERS, SIGNS, Conversation, detect_shape
from lora_trainer.tokenize import ChatTokenizer, Tokens

REJECTED_SHOWN = 100
SAMPLES = 3
SAMPLE_CHARACTERS = 4000
PEEK_ROWS = 100
COLUMNS_SHOWN = 50
LINES_NAMED = 5
COLUMNS_NAMED = 3
COLUMNS_LISTED = 10
FEW_ROWS = 10
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bhf_[A-Za-z0-9]{30,}|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{36}"
)
# Without one of these there is no secret to search for; looking for them alone takes a tenth of the time.
SECRET_SIGNS = ("-----BEGIN ", "AKIA", "hf_", "sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_")
# Columns that often mean a field of ours, for a mapping to suggest.
SYNONYMS = {
    "prompt": ("question", "query", "input", "source", "request"),
    "completion": ("answer", "response", "output", "target", "reply"),
    "text": ("content", "document", "body"),
}


class Inspection:
    """What is learned of a dataset, row by row, and the report of it."""

    def __init__(self, shape: str | None, mapping: dict[str, str], max_seq_length: int | None) -> None:
        self.shape = shape
        self.mapping = mapping
        self.max_seq_length = max_seq_length
        self.rows = self.valid = self.turns = self.trained_turns = 0
        self.rejected: list[dict] = []
        self.by_code: Counter[str] = Counter()
        self.lacking: Counter[str] = Counter()
        """Rows that were refused for want of a column, by that column."""
        self.keys = array("Q")
        self.lengths = array("I")
        self.trained_tokens = self.over = self.emptied = 0
        self.samples: list[dict] = []
        self.secrets: list[int] = []
        self.special: list[int] = []

    def reject(self, line: int, fault: RowFault, excerpt: str) -> None:
        self.by_code[fault.code] += 1
        if fault.column is not None:
            self.lacking[fault.column] += 1
        if len(self.rejected) < REJECTED_SHOWN:
            self.rejected.append({"line": line, "code": fault.code, "message": fault.message, "excerpt": excerpt})

    def accept(self, line: int, conversation: Conversation, tokens: Tokens | None, chat: ChatTokenizer | None) -> None:
        self.valid += 1
        self.turns += conversation.turns
        self.trained_turns += sum(conversation.trained) or 1
        self.keys.append(int.from_bytes(conversation.key[:8], "big"))
        contents = [conversation.text or "", *(message["content"] for message in conversation.messages)]
        if has_secret("\n".join(contents)):
            self.secrets.append(line)
        if len(self.samples) < SAMPLES:
            self.samples.append(sample_of(line, conversation, chat))
        if tokens is None or chat is None:
            return
        if any(map(chat.special_pattern.search, contents)):
            self.special.append(line)
        self.lengths.append(len(tokens.ids))
        self.trained_tokens += tokens.trained
        if self.max_seq_length is not None and len(tokens.ids) > self.max_seq_length:
            self.over += 1
            self.emptied += tokens.cut(self.max_seq_length).trained == 0

    def duplicates(self) -> int:
        """Rows whose content stood in an earlier row. 64-bit hashes, sorted in place: 8 bytes a row."""
        import numpy as np

        keys = np.frombuffer(self.keys, dtype=np.uint64) if self.keys else np.empty(0, np.uint64)
        keys.sort()
        return int(np.count_nonzero(keys[1:] == keys[:-1]))

    def histogram(self) -> dict | None:
        """Percentiles of the rows' tokens and counts by powers of two. Sorts the lengths."""
        if not self.lengths:
            return None
        import numpy as np

        lengths = np.frombuffer(self.lengths, dtype=np.uint32)
        lengths.sort()
        buckets, lower = [], 0
        for power in range(33):
            upper = int(np.searchsorted(lengths, 2**power, side="right"))
            if upper > lower:
                buckets.append({"up_to": 2**power, "rows": upper - lower})
            lower = upper
        at = {f"p{share}": int(lengths[-(-len(lengths) * share // 100) - 1]) for share in (50, 95, 99)}
        return at | {"max": int(lengths[-1]), "total": int(lengths.sum(dtype=np.uint64)), "buckets": buckets}


def has_secret(text: str) -> bool:
    return any(sign in text for sign in SECRET_SIGNS) and SECRET.search(text) is not None


def sample_of(line: int, conversation: Conversation, chat: ChatTokenizer | None) -> dict:
    """A row to show: its messages and, with a model, the text that the model sees in trained and untrained pieces."""
    messages = [
        {"role": message["role"], "content": message["content"][:SAMPLE_CHARACTERS]}
        for message in conversation.messages
    ]
    text = None if conversation.text is None else conversation.text[:SAMPLE_CHARACTERS]
    segments = None if chat is None else chat.segments(conversation, SAMPLE_CHARACTERS)
    return {"line": line, "messages": messages[:20], "text": text, "segments": segments}


def warnings_of(found: Inspection, duplicates: int, chat: ChatTokenizer | None) -> list[dict]:
    warnings = []

    def warn(code: str, count: int, message: str) -> None:
        if count:
            warnings.append({"code": code, "count": count, "message": message})

    def lines(where: list[int]) -> str:
        return ", ".join(map(str, where[:LINES_NAMED])) + (" …" if len(where) > LINES_NAMED else "")

    few = found.valid if 0 < found.valid < FEW_ROWS else 0
    warn("few_rows", few, f"Only {found.valid} rows: hardly enough to learn from.")
    warn("duplicates", duplicates, f"{duplicates} of {found.valid} rows repeat an earlier one.")
    warn("rows_truncated", found.over, f"{found.over} rows are longer than {found.max_seq_length} tokens and are cut.")
    warn("rows_emptied", found.emptied, f"{found.emptied} of them lose their whole answer and are left out.")
    warn("possible_secret", len(found.secrets), f"What looks like a key stands in lines {lines(found.secrets)}.")
    warn(
        "special_token_in_text",
        len(found.special),
        f"Control tokens of the model stand in the text of lines {lines(found.special)}.",
    )
    if chat is not None and chat.template is None:
        warn("no_chat_template", 1, "The model has no chat template: prompt and completion are joined as they are.")
    return warnings


def peek(path: Path, container: str, mapping: dict[str, str]) -> tuple[str | None, list[str]]:
    """The shape of the first row that has one, and the columns of the first rows. Raises DatasetFault, OSError."""
    shape, columns = None, {}
    for count, row in enumerate(RowReader(path, container)):
        if count >= PEEK_ROWS:
            break
        if row.value is not None:
            columns |= dict.fromkeys(row.value)
            shape = shape or detect_shape(row.value, mapping)
    return shape, [name[:60] for name in columns][:COLUMNS_SHOWN]


def suggestion_of(columns: list[str]) -> dict | None:
    """A format and mapping that the columns' names speak for, where they fit no format by themselves."""
    lower = {name.lower(): name for name in columns}

    def column(field: str) -> str | None:
        return next((lower[name] for name in (field, *SYNONYMS[field]) if name in lower), None)

    pair = {field: found for field in ("prompt", "completion") if (found := column(field))}
    if len(pair) == 2 and pair["prompt"] != pair["completion"]:
        return {"format": "prompt_completion", "mapping": pair}
    return {"format": "text", "mapping": {"text": text}} if (text := column("text")) else None


def inspect_dataset(
    path: Path,
    shape: str = "auto",
    container: str = "auto",
    mapping: dict[str, str] | None = None,
    invalid_rows: str = "refuse",
    model: Path | None = None,
    max_seq_length: int | None = None,
    progress: bool = False,
) -> dict:
    """The report. Raises OSError where the file cannot be read, TrainerFailure where the model cannot be used."""
    mapping = mapping or {}
    chat = ChatTokenizer(model) if model is not None else None
    problem, columns = None, []
    found = Inspection(None if shape == "auto" else shape, mapping, max_seq_length)
    reader = None
    try:
        reader = RowReader(path, container)
        detected, columns = peek(path, container, mapping)
        found.shape = found.shape or detected
        if found.shape is None and columns:
            raise DatasetFault("unknown_shape", unknown_shape(columns))
        read_rows(reader, found, chat, progress, path.stat().st_size)
        if found.rows == 0:
            raise DatasetFault("empty_dataset", "The file holds no rows.")
        if found.valid == 0:
            raise DatasetFault("no_valid_row", f"Not one row of the file can be used.{lacks(found, columns)}")
        if found.by_code and invalid_rows == "refuse":
            broken = f"{sum(found.by_code.values())} of {found.rows} rows break a rule."
            raise DatasetFault("rows_rejected", broken + lacks(found, columns))
    except DatasetFault as fault:
        problem = {"code": fault.code, "message": fault.message}
    duplicates, histogram = found.duplicates(), found.histogram()
    total = histogram.pop("total") if histogram else None
    return {
        "ready": problem is None,
        "problem": problem,
        "format": found.shape,
        "container": None if reader is None else reader.container,
        "columns": columns,
        "suggestion": suggestion_of(columns) if found.shape is None or (found.lacking and not found.valid) else None,
        "sha256": reader.sha256 if reader and reader.bytes_read == path.stat().st_size else None,
        "bytes": path.stat().st_size,
        "rows_total": found.rows,
        "rows_valid": found.valid,
        "rows_rejected": sum(found.by_code.values()),
        "rejected": found.rejected,
        "rejected_by_code": dict(found.by_code.most_common()),
        "lacking": dict(found.lacking.most_common()),
        # One valid row is one training pair: what a batch is counted in.
        "total_training_pairs": found.valid,
        "turns": found.turns,
        "trained_turns": found.trained_turns,
        "avg_turns_per_conversation": ratio(found.turns, found.valid),
        "total_tokens": total,
        "trained_tokens": found.trained_tokens if histogram else None,
        "avg_tokens_per_turn": ratio(total, found.turns) if histogram else None,
        "tokens": histogram,
        "max_seq_length": max_seq_length,
        "rows_over_max_seq_length": found.over if histogram and max_seq_length is not None else None,
        "duplicates": duplicates,
        "samples": found.samples,
        "warnings": warnings_of(found, duplicates, chat),
    }


def ratio(total: int, count: int) -> float | None:
    return round(total / count, 3) if count else None


def unknown_shape(columns: list[str]) -> str:
    known = "; ".join(" and ".join(signs) for _, signs in SIGNS)
    return f"The columns {', '.join(columns[:COLUMNS_LISTED])} fit no known form ({known}): map them."


def lacks(found: Inspection, columns: list[str]) -> str:
    """What to add where rows were refused for want of a column: which, in how many rows, and which the file has."""
    if not found.lacking:
        return ""
    field_of = {column: field for field, column in found.mapping.items()}
    # A row is refused at the first column that it lacks; what else the mapping names in vain is told without a count.
    rest = [column for column in found.mapping.values() if column not in found.lacking]
    unknown = [column for column in rest if column[:60] not in columns]
    told = [
        f" The column {column[:60]!r}{mapped(column, field_of)} is missing in {count} of {found.rows} rows."
        for column, count in found.lacking.most_common(COLUMNS_NAMED)
    ]
    told += [f" Nor is there {column[:60]!r}{mapped(column, field_of)}." for column in unknown[:COLUMNS_NAMED]]
    more = " …" if len(columns) > COLUMNS_LISTED else ""
    return "".join(told) + f" The file has the columns {', '.join(columns[:COLUMNS_LISTED])}{more}."


def mapped(column: str, field_of: dict[str, str]) -> str:
    return f" (mapped to {field_of[column]!r})" if field_of.get(column, column) != column else ""


def read_rows(reader: RowReader, found: Inspection, chat: ChatTokenizer | None, progress: bool, size: int) -> None:
    told = time.monotonic()
    for group in batches(reader, found.shape or "text", found.mapping):
        tokens: list[Tokens | RowFault] | None = None
        if chat is not None:
            tokens = chat.encode([row.conversation for row in group if row.conversation is not None])
        encoded = iter(tokens or [])
        for row in group:
            found.rows += 1
            fault = row.fault
            item = next(encoded) if chat is not None and row.conversation is not None else None
            if isinstance(item, RowFault):
                fault = item
            if fault is not None:
                found.reject(row.line, fault, row.excerpt)
            else:
                found.accept(row.line, row.conversation, item, chat)
        if progress and time.monotonic() - told >= 1:
            told = time.monotonic()
            print(json.dumps({"bytes": reader.bytes_read, "of": size, "rows": found.rows}), flush=True)


def mapping_of(text: str) -> dict[str, str]:
    value = json.loads(text)
    if not isinstance(value, dict) or not all(isinstance(column, str) for column in value.values()):
        raise argparse.ArgumentTypeError('must be JSON like {"prompt": "question"}')
    return value


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m lora_trainer.inspect", description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--format", choices=("auto", *READERS), default="auto")
    parser.add_argument("--container", choices=("auto", "jsonl", "json"), default="auto")
    parser.add_argument("--mapping", type=mapping_of, default={}, help="JSON: canonical field to column")
    parser.add_argument("--invalid-rows", choices=("refuse", "skip"), default="refuse")
    parser.add_argument(
        "--model", type=Path, help="folder of a base model: counts tokens with its tokenizer and template"
    )
    parser.add_argument("--max-seq-length", type=int)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--progress", action="store_true", help="a JSON line with the bytes read, about once a second")
    args = parser.parse_args(argv)
    try:
        report = inspect_dataset(
            args.dataset,
            args.format,
            args.container,
            args.mapping,
            args.invalid_rows,
            args.model,
            args.max_seq_length,
            args.progress,
        )
        publish_file(args.report, json.dumps(report, indent=2).encode() + b"\n")
    except TrainerFailure as failure:
        print(f"{failure.code}: {failure.message} {failure.hint}", file=sys.stderr)
        return failure.exit_code
    except OSError as error:
        print(f"data: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
