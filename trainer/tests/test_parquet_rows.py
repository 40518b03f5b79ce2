"""Rows of Parquet files: as JSON has them, in bounded memory, and refused by name where they cannot be."""

import json
import random
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lora_trainer.hub_files import FetchFailure
from lora_trainer.parquet_rows import table_lines


@pytest.fixture
def file(tmp_path):
    """Writes a table as Parquet, or bytes as they are."""
    path = tmp_path / "part"

    def write(content, **options):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            table = content if isinstance(content, pa.Table) else pa.table(content)
            pq.write_table(table, path, **options)
        return path

    return write


def rows(path):
    return [json.loads(line) for line in table_lines(path, "t.parquet")]


def refusal(path):
    with pytest.raises(FetchFailure) as caught:
        list(table_lines(path, "t.parquet"))
    assert caught.value.code == "invalid_parquet"
    assert "t.parquet" in caught.value.message
    return caught.value.message


def test_every_kind_of_cell_becomes_what_json_has(file):
    table = pa.table(
        {
            "text": ["Grüße 🌍\n", None],
            "number": pa.array([2**62, None], pa.int64()),
            "part": [0.5, float("nan")],
            "truth": [True, None],
            "turns": [[{"role": "user", "content": "Hi"}], []],
            "map": pa.array([[("a", 1.5)], None], pa.map_(pa.string(), pa.float64())),
            "word": pa.array(["x", "x"]).dictionary_encode(),
            "day": [date(2026, 11, 22), None],
            "instant": pa.array([datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC), None], pa.timestamp("ns", "UTC")),
            "price": [Decimal("1.50"), None],
        }
    )
    first, second = rows(file(table))
    assert first == {
        "text": "Grüße 🌍\n",
        "number": 2**62,
        "part": 0.5,
        "truth": True,
        "turns": [{"role": "user", "content": "Hi"}],
        "map": {"a": 1.5},
        "word": "x",
        "day": "2026-11-22",
        "instant": "2026-11-22 01:02:03.000000000Z",
        "price": "1.50",
    }
    assert second == {name: {"turns": [], "word": "x"}.get(name) for name in first}


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
def test_every_codec_and_many_row_groups_keep_the_rows_in_order(file, codec):
    path = file({"n": list(range(5_000))}, compression=codec, row_group_size=700, use_dictionary=False)
    assert [row["n"] for row in rows(path)] == list(range(5_000))


def test_a_table_without_rows_has_none(file):
    assert rows(file({"text": pa.array([], pa.string())})) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cut off"),
        (b"PAR1", "cut off"),
        (b"PAR1" + b"\0" * 20, "cut off"),
        (b"PARE" + b"\0" * 8 + b"PARE", "encrypted"),
        (b"PAR1" + b"\0" * 20 + (17_000_000).to_bytes(4, "little") + b"PAR1", "footer of 17000000 bytes"),
        (b"PAR1" + b"\0" * 20 + (20).to_bytes(4, "little") + b"PAR1", "can be read"),
    ],
)
def test_what_is_no_parquet_file_is_refused(file, content, said):
    assert said in refusal(file(content))


def test_a_file_that_was_cut_off_is_refused(file):
    whole = file({"text": [f"row {n}" for n in range(1000)]}).read_bytes()
    assert "cut off" in refusal(file(whole[: len(whole) * 9 // 10]))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pa.table({"image": [b"\x89PNG"]}), "the column image"),
        (pa.table({"image": [{"bytes": b"\x89PNG", "path": "a"}]}), "the column image"),
        (pa.table([["a"], ["b"]], names=["text", "text"]), "two columns of one name"),
        (pa.table({f"c{n}": [1] for n in range(1_001)}), "1001 columns"),
        (pa.table({"text": ["x" * 4_000_000]}), "longer than 4 MB: row 1"),
        (pa.table({"map": pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64()))}), "can be read"),
    ],
)
def test_what_rows_of_text_cannot_hold_is_refused_with_its_place(file, table, said):
    assert said in refusal(file(table))


def test_a_file_that_unpacks_a_thousandfold_is_refused_before_it_is_unpacked(file):
    zeros = pa.table({"text": ["\0" * 3_000_000] * 60})
    assert "1000 times its size" in refusal(file(zeros, compression="zstd", compression_level=19, use_dictionary=False))


def test_rows_far_beyond_the_bytes_are_refused_before_one_is_read(file):
    assert "200000 rows in" in refusal(file({"text": pa.nulls(200_000, pa.string())}))
    assert len(rows(file({"text": pa.nulls(90_000, pa.string())}))) == 90_000
    assert len(rows(file({"text": [f"{n:x}" for n in range(150_000)]}))) == 150_000


def test_no_byte_flipped_brings_anything_but_rows_or_a_refusal(file):
    """A broken value may pass as another value: Parquet has no sums. Nothing else may."""
    whole = file({"text": [f"row {n}" for n in range(200)], "turns": [[{"a": n}] for n in range(200)]}).read_bytes()
    order = random.Random(42)
    codes = set()
    for _ in range(300):
        broken = bytearray(whole)
        broken[order.randrange(len(whole))] ^= 1 << order.randrange(8)
        try:
            rows(file(bytes(broken)))
        except FetchFailure as failure:
            codes.add(failure.code)
    assert codes == {"invalid_parquet"}


def test_a_large_file_is_read_in_bounded_memory(file):
    """120 MB of text that does not repeat, in one row group, with 200 MB of memory beside what the library takes."""
    order = random.Random(1)
    path = file({"text": [order.randbytes(1_000).hex() for _ in range(60_000)]}, use_dictionary=False)
    program = (
        "import resource, sys; from pathlib import Path; import pyarrow.parquet;"
        "from lora_trainer.parquet_rows import table_lines;"
        "used = int(next(l for l in open('/proc/self/status') if l.startswith('VmData')).split()[1]) * 1024;"
        "resource.setrlimit(resource.RLIMIT_DATA, (used + 200_000_000, used + 200_000_000));"
        "print(sum(len(line) for line in table_lines(Path(sys.argv[1]), 't')))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode, ended.stdout) == (0, f"{60_000 * 2_013}\n"), ended.stderr
