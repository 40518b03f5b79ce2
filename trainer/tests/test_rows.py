import hashlib
import json
import random
import subprocess
import sys

import pytest

from lora_trainer.json_array import split_array
from lora_trainer.rows import DatasetFault, RowReader
from plant_faults import good, plant
from protocol import TRAINER


def read(path, container="auto"):
    return list(RowReader(path, container))


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}\n{"a": 2}\n',
        b'{"a": 1}\n{"a": 2}',
        b'{"a": 1}\r\n{"a": 2}\r\n',
        b'\xef\xbb\xbf{"a": 1}\n\n  \n{"a": 2}\n',
        b'[{"a": 1}, {"a": 2}]',
        b'\xef\xbb\xbf \n[\n{"a": 1}\n,\n{"a": 2}\n]\n\n',
    ],
)
def test_two_rows_are_read_from_every_way_of_writing_them(tmp_path, data):
    path = tmp_path / "rows"
    path.write_bytes(data)
    reader = RowReader(path, "auto")
    assert [row.value for row in reader] == [{"a": 1}, {"a": 2}]
    assert reader.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("container", ["jsonl", "json"])
@pytest.mark.parametrize("seed", range(3))
def test_every_planted_fault_is_found_at_its_line_with_its_code(tmp_path, container, seed):
    data, codes = plant(200, seed, container)
    path = tmp_path / "rows"
    path.write_bytes(data)
    shapes = {"missing_field", "wrong_type", "empty_text"}
    found = {row.line: row.fault.code for row in read(path) if row.fault is not None}
    assert found == {line: code for line, code in codes.items() if code not in shapes}
    assert sum(row.fault is None for row in read(path)) == 200 - len(found)


def test_excerpts_are_short_and_printable(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(b'{"a": "\x1b[31m' + b"x" * 500 + b"\n\xff\xfe\x00 binary\n")
    for row in read(path, "jsonl"):
        assert len(row.excerpt) <= 80
        assert row.excerpt.isprintable()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04rest", "type_mismatch"),
        (b"\x1f\x8brest", "type_mismatch"),
        (b"PAR1rest", "type_mismatch"),
        (b"<!doctype html><p>Not found", "type_mismatch"),
        ('{"a": 1}\n'.encode("utf-16"), "invalid_utf8"),
    ],
)
def test_another_kind_of_file_is_refused_as_a_whole(tmp_path, data, code):
    path = tmp_path / "rows"
    path.write_bytes(data)
    with pytest.raises(DatasetFault) as caught:
        read(path)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("prompt,completion\nWhat is 2 and 2?,4.", "a CSV table,"),
        ('"prompt","completion"\r\n"Well, what?","On two\r\nlines, so."\r\n"b","c"\r\n', "a CSV table,"),
        ("\ufeffq;a\n1,5;2\n1;2\n", "a CSV table with semicolons"),
        ("q\ta\nb, c\td\n", "a table with tabs"),
        pytest.param("q,a\n" + f"{'x' * 20_000},y\n" * 9, "a CSV table,", id="rows longer than what is looked at"),
    ],
)
@pytest.mark.parametrize("container", ["auto", "jsonl"])
def test_a_table_is_refused_once_by_its_name(tmp_path, data, kind, container):
    path = tmp_path / "rows"
    path.write_bytes(data.encode())
    with pytest.raises(DatasetFault, match=f"The file is {kind}.* convert it") as caught:
        read(path, container)
    assert caught.value.code == "type_mismatch"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1, "b": 2},\n{"a": 3, "b": 4},\n',
        b'no, row\nnor, this\n{"a": 1}\n',
        b'"a, b"\n"c, d"\n',
        b"a,b\nc,d,e\n",
    ],
)
def test_broken_rows_that_are_no_table_are_told_one_by_one(tmp_path, data):
    path = tmp_path / "rows"
    path.write_bytes(data)
    assert sum(row.fault is not None for row in read(path, "jsonl")) == 2


def test_a_json_fault_says_at_which_character_in_whole_words(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(b'{"prompt": "never closed\n')
    assert read(path)[0].fault.message == "Not JSON: Unterminated string starting at character 12."


def test_a_container_that_the_file_is_not_in_is_refused(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(b'[{"a": 1}]')
    with pytest.raises(DatasetFault, match="begins like json"):
        read(path, "jsonl")


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'[{"a": 1}, {"a": 2}', 2),
        (b'[{"a": 1}, {"a": "never closed}]', 2),
        (b'[{"a": 1}] [2]', 2),
        (b"[1,,2]", 3),
        (b'[{"a": 1},]', 2),
        (b"[", 1),
    ],
)
def test_a_broken_array_is_told_and_its_good_rows_are_read(tmp_path, data, rows):
    path = tmp_path / "rows"
    path.write_bytes(data)
    found = read(path)
    assert len(found) == rows
    assert any(row.fault is not None and row.fault.code in ("invalid_json_line", "not_an_object") for row in found)


def test_elements_do_not_depend_on_where_the_chunks_are_cut():
    values = [{"a": 'q"\\', "b": [1, {"c": "],}"}]}, {"d": "é🕷"}, {}, {"e": "\\\\"}]
    data = json.dumps(values, ensure_ascii=False, indent=1).encode()
    for seed in range(300):
        draw = random.Random(seed)
        cuts = sorted(draw.sample(range(1, len(data)), draw.randrange(1, 12)))
        chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert [json.loads(text) for text, fault in split_array(chunks, 1000) if fault is None] == values


MEASURE = """
import json, sys
sys.path.insert(0, {home!r})
from pathlib import Path
from lora_trainer.memory import peak_resident_mb
import lora_trainer.inspect
import numpy
before = peak_resident_mb()
report = lora_trainer.inspect.inspect_dataset(Path(sys.argv[1]), "prompt_completion")
print(json.dumps([peak_resident_mb() - before, report["rows_total"], report["rejected_by_code"]]))
"""


@pytest.mark.parametrize("container", ["jsonl", "json"])
def test_a_line_of_100_mb_costs_no_memory(tmp_path, container):
    path = tmp_path / "rows"
    first, between, last = (b"[", b",", b"]") if container == "json" else (b"", b"\n", b"\n")
    with path.open("wb") as file:
        file.write(first + good(1) + between + b'{"prompt": "')
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(b'", "completion": "b"}' + between + good(3) + last)
    run = subprocess.run(
        [sys.executable, "-c", MEASURE.format(home=str(TRAINER)), str(path)], capture_output=True, check=True
    )
    grown, rows, codes = json.loads(run.stdout)
    assert (rows, codes) == (3, {"line_too_long": 1})
    assert grown < 40
