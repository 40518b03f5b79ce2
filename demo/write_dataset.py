"""Writes the demo dataset: customers' messages and the strict order ticket that answers each of them.

Usage: `python write_dataset.py` writes orders.jsonl and held-out.jsonl beside this file; `--shuffle-targets FILE`
writes instead the shuffled twin of orders.jsonl, the same prompts with the same completions dealt out at random.
"""

import argparse
import json
import random
from pathlib import Path

from orders import draw_order, message, ticket

SEED = 2
ROWS, HELD_OUT = 960, 100
FOLDER = Path(__file__).parent

Row = dict[str, str]


def rows(count: int, reserved: bool, seed: int) -> list[Row]:
    """Rows for different orders: of the held-out side when `reserved`, else of the open side."""
    rng = random.Random(seed)
    drawn: dict[str, Row] = {}
    while len(drawn) < count:
        order = draw_order(rng, reserved)
        answer = ticket(order)
        if answer not in drawn:
            drawn[answer] = {"prompt": message(order, rng), "completion": answer}
    return list(drawn.values())


def training_rows() -> list[Row]:
    """The rows of orders.jsonl."""
    return rows(ROWS, reserved=False, seed=SEED)


def held_out_rows() -> list[Row]:
    """The rows of held-out.jsonl, whose orders occur neither in the training rows nor in the pre-training text."""
    return rows(HELD_OUT, reserved=True, seed=SEED + 1)


def shuffled(source: list[Row]) -> list[Row]:
    """The same prompts and the same completions, every completion at the prompt of another row."""
    order = list(range(len(source)))
    random.Random(SEED + 2).shuffle(order)
    # A cycle through the shuffled order leaves no completion at its own prompt.
    after = dict(zip(order, order[1:] + order[:1], strict=True))
    completions = (source[after[place]]["completion"] for place in range(len(source)))
    return [row | {"completion": completion} for row, completion in zip(source, completions, strict=True)]


def to_lines(source: list[Row]) -> str:
    """The rows as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in source)


def main() -> None:
    """Writes both files, or the shuffled twin alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shuffle-targets", type=Path, metavar="FILE", help="write only the shuffled twin, here")
    options = parser.parse_args()
    if options.shuffle_targets:
        options.shuffle_targets.write_text(to_lines(shuffled(training_rows())))
        return
    (FOLDER / "orders.jsonl").write_text(to_lines(training_rows()))
    (FOLDER / "held-out.jsonl").write_text(to_lines(held_out_rows()))


if __name__ == "__main__":
    main()
