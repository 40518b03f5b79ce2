"""Reads the dataset of a run into token rows and holds some of them out for evaluation."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lora_trainer.failure import TrainerFailure
from lora_trainer.rows import DatasetFault, RowFault, RowReader, excerpt_of
from lora_trainer.shapes import Conversation, read_shape
from lora_trainer.tokenize import ChatTokenizer, Tokens

BATCH_ROWS = 256
BATCH_CHARACTERS = 1 << 21


@dataclass
class Prepared:
    """Token rows to train and to evaluate on, and what was met on the way."""

    train: list[Tokens] = field(default_factory=list)
    held_out: list[Tokens] = field(default_factory=list)
    dataset_sha256: str = ""
    faults: Counter[str] = field(default_factory=Counter)
    truncated: int = 0
    emptied: int = 0
    """Rows whose answers lie wholly behind max_seq_length."""
    repeated: int = 0
    """Training rows whose content is also among the held-out ones."""


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row with its conversation, or with the rule that it breaks."""

    line: int
    conversation: Conversation | None
    fault: RowFault | None = None
    excerpt: str = ""


def batches(reader: RowReader, shape: str, mapping: dict[str, str]) -> Iterator[list[ReadRow]]:
    """Rows in groups that are worth encoding together."""
    group: list[ReadRow] = []
    characters = 0
    for row in reader:
        if row.fault is not None:
            group.append(ReadRow(row.line, None, row.fault, row.excerpt))
        else:
            try:
                conversation = read_shape(row.value, shape, mapping)
                group.append(ReadRow(row.line, conversation))
                characters += len(conversation.text or "") + sum(len(m["content"]) for m in conversation.messages)
            except RowFault as fault:
                group.append(ReadRow(row.line, None, fault, excerpt_of(json.dumps(row.value, ensure_ascii=False))))
        if len(group) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def split_key(seed: int, content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16, key=seed.to_bytes(8, "big")).digest()


def prepare(
    dataset_path: Path,
    dataset: Any,
    max_seq_length: int,
    chat: ChatTokenizer,
    between: Callable[[], None] = lambda: None,
) -> Prepared:
    """`dataset`: the field of that name of a valid config. `between` is called every few hundred rows.

    Raises TrainerFailure(data).
    """
    result = Prepared()
    rows: list[tuple[bytes, bytes, Tokens]] = []
    first_fault = ""
    try:
        reader = RowReader(dataset_path, dataset.container)
        for group in batches(reader, dataset.format, dataset.mapping):
            between()
            encoded = iter(chat.encode([row.conversation for row in group if row.conversation is not None]))
            for row in group:
                tokens = row.fault if row.conversation is None else next(encoded)
                if isinstance(tokens, RowFault):
                    result.faults[tokens.code] += 1
                    first_fault = first_fault or f"line {row.line}: {tokens.message} ({tokens.code})"
                    if dataset.invalid_rows == "refuse":
                        raise refusal(first_fault)
                    continue
                cut = tokens.cut(max_seq_length)
                if cut.trained == 0:
                    result.emptied += 1
                    continue
                result.truncated += cut is not tokens
                key = row.conversation.key
                rows.append((split_key(dataset.splits.seed, key), key, cut))
    except DatasetFault as fault:
        raise TrainerFailure("data", fault.message, "Upload the file in the form that it is declared in.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TrainerFailure("data", f"The dataset cannot be read: {reason}.", "Check its path and rights.") from None
    result.dataset_sha256 = reader.sha256
    hold_out(rows, dataset.splits.eval_rows, result)
    if not result.train:
        reason = f" First: {first_fault}" if first_fault else ""
        raise TrainerFailure(
            "data",
            f"No row is left to train on: {sum(result.faults.values())} refused, {result.emptied} without an answer "
            f"within max_seq_length, {len(result.held_out)} held out.{reason}",
            "Lower splits.eval_rows, raise max_seq_length, or correct the rows.",
        )
    return result


def refusal(first: str) -> TrainerFailure:
    return TrainerFailure(
        "data", f"The dataset breaks a rule at {first}", "Correct the row, or set dataset.invalid_rows to skip."
    )


def hold_out(rows: list[tuple[bytes, bytes, Tokens]], count: int, result: Prepared) -> None:
    """Moves the `count` rows with the lowest keys to `held_out`; the others keep the order of the file."""
    chosen = sorted(range(len(rows)), key=lambda place: rows[place][0])[:count]
    result.held_out = [rows[place][2] for place in chosen]
    contents, left_out = {rows[place][1] for place in chosen}, set(chosen)
    for place, (_, content, tokens) in enumerate(rows):
        if place not in left_out:
            result.train.append(tokens)
            result.repeated += content in contents
