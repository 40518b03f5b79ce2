import random

import pytest

from lora_trainer.failure import TrainerFailure
from lora_trainer.prepare import prepare
from lora_trainer.tokenize import ChatTokenizer

ROWS = [{"prompt": f"What is {n}?", "completion": f"It is {n}."} for n in range(30)]


@pytest.fixture
def prepared(tiny, dataset, as_dataset):
    def run(rows=ROWS, length=200, **changes):
        return prepare(dataset(rows), as_dataset(**changes), length, ChatTokenizer(tiny))

    return run


def test_the_same_rows_are_held_out_in_any_order_of_the_file(prepared):
    shuffled = ROWS[:]
    random.Random(1).shuffle(shuffled)
    one, two = prepared(eval_rows=8), prepared(shuffled, eval_rows=8)
    assert one.held_out == two.held_out
    assert (len(one.held_out), len(one.train)) == (8, 22)


def test_another_seed_holds_out_other_rows(prepared):
    assert prepared(eval_rows=8, seed=1).held_out != prepared(eval_rows=8, seed=2).held_out


def test_rows_to_train_on_keep_the_order_of_the_file(prepared, tiny):
    texts = [ChatTokenizer(tiny).decode(list(row.ids)) for row in prepared(eval_rows=0).train]
    assert all(f"It is {n}." in text for n, text in enumerate(texts))


def test_a_broken_row_is_refused_by_its_line_or_left_out(prepared):
    rows = [*ROWS[:4], {"prompt": "x"}, *ROWS[4:], {"prompt": "y"}]
    with pytest.raises(TrainerFailure, match=r"line 5: .*missing.* \(missing_field\)") as caught:
        prepared(rows)
    assert caught.value.code == "data"
    skipped = prepared(rows, invalid_rows="skip", eval_rows=0)
    assert (len(skipped.train), dict(skipped.faults)) == (30, {"missing_field": 2})


def test_long_rows_are_cut_and_those_without_an_answer_left_out(prepared):
    rows = [*ROWS, {"prompt": "a", "completion": "b " * 200}, {"prompt": "a " * 200, "completion": "b"}]
    result = prepared(rows, length=60, eval_rows=0)
    assert (result.truncated, result.emptied, len(result.train)) == (1, 1, 31)
    assert max(len(row.ids) for row in result.train) == 60


def test_rows_that_are_held_out_and_trained_on_are_counted(prepared):
    assert prepared([*ROWS, *ROWS], eval_rows=7).repeated == 7 - 2 * 3


@pytest.mark.parametrize(
    ("rows", "changes"),
    [([], {}), (ROWS[:3], {"eval_rows": 3}), ([{"prompt": "x"}], {"invalid_rows": "skip"}), (ROWS[:2], {"length": 8})],
)
def test_nothing_left_to_train_on_is_told(prepared, rows, changes):
    with pytest.raises(TrainerFailure, match="No row is left") as caught:
        prepared(rows, **changes)
    assert caught.value.code == "data"
