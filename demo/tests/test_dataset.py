"""The committed dataset is what its script writes, and its held-out side is held out."""

import itertools
import json

import write_dataset
from orders import Order, is_reserved
from words import DAYS, ITEMS, plural
from write_text import documents


def orders_of(row: dict[str, str]) -> list[Order]:
    """The orders that a row's ticket may tell: the day, which it leaves out, is one of those in the prompt."""
    fields = dict(part.split(": ") for part in row["completion"].removeprefix("Order | ").split(" | "))
    item = next(each for each in ITEMS if fields["item"] in (each, plural(each)))
    days = [each for each in DAYS if each in row["prompt"]]
    return [Order(fields["name"], fields["city"], item, fields["colour"], int(fields["count"]), day) for day in days]


def test_the_committed_files_are_what_the_script_writes() -> None:
    written = {"orders.jsonl": write_dataset.training_rows(), "held-out.jsonl": write_dataset.held_out_rows()}
    for name, rows in written.items():
        assert (write_dataset.FOLDER / name).read_text() == write_dataset.to_lines(rows)


def test_no_held_out_order_or_prompt_is_in_the_training_rows() -> None:
    training, held_out = write_dataset.training_rows(), write_dataset.held_out_rows()
    assert len(held_out) == len({row["prompt"] for row in held_out}) == 100
    assert not {row["prompt"] for row in held_out} & {row["prompt"] for row in training}
    assert not {row["completion"] for row in held_out} & {row["completion"] for row in training}
    assert all(any(map(is_reserved, orders_of(row))) for row in held_out)
    assert not any(all(map(is_reserved, orders_of(row))) for row in training)


def test_the_pre_training_text_holds_no_ticket_and_no_held_out_prompt() -> None:
    text = json.dumps(list(itertools.islice(documents(seed=8), 5_000)))
    assert "Order |" not in text
    assert not [row["prompt"] for row in write_dataset.held_out_rows() if row["prompt"] in text]


def test_every_prompt_states_what_its_ticket_says() -> None:
    for row in write_dataset.training_rows() + write_dataset.held_out_rows():
        order = orders_of(row)[0]
        assert write_dataset.ticket(order) == row["completion"]
        assert all(word in row["prompt"] for word in (order.name, order.city, order.item, order.colour))


def test_the_shuffled_twin_keeps_prompts_and_completions_but_pairs_none_of_them() -> None:
    training = write_dataset.training_rows()
    twin = write_dataset.shuffled(training)
    assert [row["prompt"] for row in twin] == [row["prompt"] for row in training]
    assert sorted(row["completion"] for row in twin) == sorted(row["completion"] for row in training)
    assert not any(mine["completion"] == theirs["completion"] for mine, theirs in zip(twin, training, strict=True))


def test_the_same_seed_writes_the_same_text() -> None:
    first, again = (list(itertools.islice(documents(seed=3), 200)) for _ in range(2))
    assert first == again
    assert first != list(itertools.islice(documents(seed=4), 200))
