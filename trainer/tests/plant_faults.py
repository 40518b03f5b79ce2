"""Writes datasets with known faults: `python tests/plant_faults.py --rows 1000 --out FILE` prints {line: code}."""

import argparse
import json
import random
import sys
from pathlib import Path

MB = 1 << 20


def good(number: int) -> bytes:
    return json.dumps({"prompt": f"What is {number} plus one?", "completion": f"It is {number + 1}. ✓"}).encode()


def deep(levels: int) -> bytes:
    return b'{"prompt": "a", "completion": "b", "x": ' + b"[" * levels + b"]" * levels + b"}"


# Code of the report to rows that deserve it.
FAULTS: dict[str, list[bytes]] = {
    "invalid_json_line": [
        b"{",
        b'{"prompt": "a"',
        b'{"prompt": "a", "completion": "b",}',
        b'{"prompt": "a", "completion": NaN}',
        b'{"prompt": "a", "completion": -Infinity}',
        b"// a comment",
        b'{"prompt": "a\tb", "completion": "c"}',
    ],
    "not_an_object": [b"[1, 2]", b'"text"', b"null", b"17"],
    "duplicate_key": [
        b'{"prompt": "a", "prompt": "b", "completion": "c"}',
        b'{"prompt": "a", "completion": "b", "x": {"y": 1, "y": 2}}',
    ],
    "number_out_of_range": [
        b'{"prompt": "a", "completion": "b", "x": 1e999}',
        b'{"prompt": "a", "completion": "b", "x": ' + b"9" * 400 + b"}",
    ],
    "json_too_deep": [deep(65), deep(10_000)],
    "invalid_utf8": [b'{"prompt": "\xff", "completion": "b"}', b'{"prompt": "caf\xe9", "completion": "b"}'],
    "lone_surrogate": [rb'{"prompt": "\ud800", "completion": "b"}'],
    "nul_character": [rb'{"prompt": "a\u0000b", "completion": "c"}', b'{"prompt": "a\x00", "completion": "c"}'],
    "missing_field": [b"{}", b'{"prompt": "a"}', b'{"prompt": null, "completion": "b"}'],
    "wrong_type": [b'{"prompt": 7, "completion": "b"}', b'{"prompt": {"a": 1}, "completion": "b"}'],
    "empty_text": [b'{"prompt": "", "completion": "b"}', b'{"prompt": "a", "completion": " \\n "}'],
    "line_too_long": [b'{"prompt": "' + b"x" * (4 * MB) + b'", "completion": "b"}'],
}
# What a file of lines alone can have, or what only there ends a row.
LINES_ONLY: dict[str, list[bytes]] = {"line_separator": [b'{"prompt": "a",\r "completion": "b"}']}
# Without these an array stays readable: an unclosed bracket takes the rest of the file along.
CLOSED = [fault for fault in FAULTS["invalid_json_line"] if not fault.startswith((b"{", b"//")) or fault.endswith(b"}")]


def plant(rows: int, seed: int, container: str) -> tuple[bytes, dict[int, str]]:
    """The bytes of a dataset with every fault once at places that the seed decides, and the codes by line."""
    faults = FAULTS | {"invalid_json_line": CLOSED} if container == "json" else FAULTS | LINES_ONLY
    planted = [(code, raw) for code, group in faults.items() for raw in group]
    places = random.Random(seed).sample(range(1, rows + 1), len(planted))
    by_line = dict(zip(places, planted, strict=True))
    lines = [by_line[line][1] if line in by_line else good(line) for line in range(1, rows + 1)]
    codes = {line: by_line[line][0] for line in sorted(by_line)}
    if container == "json":
        return b"[\n" + b",\n".join(lines) + b"\n]\n", codes
    return b"\n".join(lines) + b"\n", codes


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Write a dataset with known faults and print their places.")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--container", choices=("jsonl", "json"), default="jsonl")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    data, codes = plant(args.rows, args.seed, args.container)
    args.out.write_bytes(data)
    print(json.dumps(codes))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
