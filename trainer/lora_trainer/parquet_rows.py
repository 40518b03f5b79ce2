"""The rows of a Parquet file as JSON Lines, in bounded memory, and what of such files is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lora_trainer.hub_files import FetchFailure
from lora_trainer.rows import ROW_BYTES_MAX

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

MAGIC = b"PAR1"
ENCRYPTED_MAGIC = b"PARE"
FOOTER_BYTES_MAX = 16_000_000
ROW_GROUPS_MAX = 10_000
COLUMNS_MAX = 1_000
# Text in columns is packed 3 to 50 times; what claims far more is made to fill memory.
UNPACKED_RATIO_MAX = 1_000
UNPACKED_BYTES_FREE = 100_000_000
# Rows of text take bytes each, however they are packed; what claims far more is made to keep a machine busy.
ROWS_PER_BYTE_MAX = 10
ROWS_FREE = 100_000
# What one step holds of a file, by its own word; one row at least.
BATCH_BYTES = 16_000_000
BATCH_ROWS_MAX = 1_024
READ_AHEAD_BYTES = 1 << 20


def table_lines(part: Path, path: str) -> Iterator[bytes]:
    """Each row as a JSON object with a line's end: texts, numbers, truth values, lists and objects as they are;
    instants, dates and decimals as texts; what is no number (NaN, infinite) as null.

    `path` is the name in messages. Raises FetchFailure(invalid_parquet) where the file is broken, larger in memory than
    its size allows, or holds what JSON cannot.
    """
    import pyarrow as pa

    check_footer(part, path)
    try:
        with open_table(part) as table:
            check_table(table, path, part.stat().st_size)
            row = 0
            for batch in table.iter_batches(batch_size=batch_rows(table.metadata), use_threads=False):
                for cells in plain_rows(batch):
                    row += 1
                    yield row_line(cells, path, row)
            if row != table.metadata.num_rows:
                raise refusal(f"{path} promises {table.metadata.num_rows} rows and holds {row}")
    except (MemoryError, pa.ArrowMemoryError):
        raise refusal(f"{path} takes more memory to read than it may have: store it in smaller row groups") from None
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        said = " ".join(str(error).split())[:200]
        raise refusal(f"{path} is no Parquet file that can be read: {said}") from None


def refusal(message: str) -> FetchFailure:
    return FetchFailure("invalid_parquet", message)


def check_footer(part: Path, path: str) -> None:
    """Looks at the frame before a parser does: the magic at both ends, and a footer of a sane size."""
    with part.open("rb") as content:
        start = content.read(4)
        size = content.seek(0, 2)
        content.seek(max(0, size - 8))
        end = content.read(8)
    if ENCRYPTED_MAGIC in (start, end[4:]):
        raise refusal(f"{path} is encrypted")
    if size < 12 or start != MAGIC or end[4:] != MAGIC:
        raise refusal(f"{path} is no Parquet file, or was cut off")
    footer = int.from_bytes(end[:4], "little")
    if footer > min(FOOTER_BYTES_MAX, size - 12):
        raise refusal(
            f"{path} has a footer of {footer} bytes; at most {FOOTER_BYTES_MAX} are read, and no more than it has"
        )


def open_table(part: Path) -> pq.ParquetFile:
    import pyarrow.parquet as pq

    return pq.ParquetFile(
        part,
        pre_buffer=False,
        buffer_size=READ_AHEAD_BYTES,
        thrift_string_size_limit=FOOTER_BYTES_MAX,
        thrift_container_size_limit=ROW_GROUPS_MAX * 100,
        coerce_int96_timestamp_unit="us",
        arrow_extensions_enabled=False,
    )


def check_table(table: pq.ParquetFile, path: str, size: int) -> None:
    """Refuses by what the footer says, before a row is read."""
    facts, schema = table.metadata, table.schema_arrow
    if facts.num_row_groups > ROW_GROUPS_MAX or facts.num_columns > COLUMNS_MAX:
        raise refusal(
            f"{path} has {facts.num_row_groups} row groups and {facts.num_columns} columns; "
            f"at most {ROW_GROUPS_MAX} and {COLUMNS_MAX} are read"
        )
    if len(set(schema.names)) != len(schema.names):
        raise refusal(f"{path} has two columns of one name")
    for field in schema:
        if holds_bytes(field.type):
            raise refusal(
                f"{path} holds bytes (images, sounds) in the column {field.name[:80]}; rows of text are read here"
            )
    groups = sum(facts.row_group(group).num_rows for group in range(facts.num_row_groups))
    if max(groups, facts.num_rows) > max(ROWS_FREE, size * ROWS_PER_BYTE_MAX):
        raise refusal(f"{path} claims {max(groups, facts.num_rows)} rows in {size} bytes, which no rows of text take")
    unpacked = sum(facts.row_group(group).total_byte_size for group in range(facts.num_row_groups))
    if unpacked > max(UNPACKED_BYTES_FREE, size * UNPACKED_RATIO_MAX):
        raise refusal(f"{path} unpacks to more than {UNPACKED_RATIO_MAX} times its size")


def holds_bytes(kind: pa.DataType) -> bool:
    """True where a type is bytes, or has bytes within."""
    import pyarrow.types as types

    if types.is_dictionary(kind):
        return holds_bytes(kind.value_type)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return True
    return any(holds_bytes(kind.field(place).type) for place in range(kind.num_fields))


def batch_rows(facts: pq.FileMetaData) -> int:
    """How many rows one step takes: as many as the largest row group's mean allows."""
    rows = 1
    for group in range(facts.num_row_groups):
        told = facts.row_group(group)
        rows = max(rows, math.ceil(told.total_byte_size / max(1, told.num_rows)))
    return max(1, min(BATCH_ROWS_MAX, BATCH_BYTES // rows))


def plain_rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """A batch's rows, with instants and decimals as texts."""
    import pyarrow as pa
    import pyarrow.types as types

    columns = [
        (column.cast(pa.string()) if types.is_temporal(column.type) or types.is_decimal(column.type) else column)
        for column in batch.columns
    ]
    names = batch.schema.names
    for cells in zip(*(column.to_pylist(maps_as_pydicts="strict") for column in columns), strict=True):
        yield dict(zip(names, cells, strict=True))


def row_line(cells: dict[str, Any], path: str, row: int) -> bytes:
    """One row as a line. Raises FetchFailure where it is longer than a row may be."""
    try:
        text = json.dumps(cells, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        text = json.dumps(without_nan(cells), ensure_ascii=False, allow_nan=False, default=str)
    line = text.encode("utf-8") + b"\n"
    if len(line) > ROW_BYTES_MAX:
        raise refusal(f"{path} has a row longer than {ROW_BYTES_MAX // 1_000_000} MB: row {row}")
    return line


def without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_nan(one) for one in value]
    return value
