from array import array
from itertools import chain

import pytest
import torch

from lora_trainer.collator import EpochBatches, collate, fullest_pack, pack_rows
from lora_trainer.loss import evaluate, keeps_rows_apart, token_losses
from lora_trainer.prepare import prepare
from lora_trainer.tokenize import ChatTokenizer, Tokens


@pytest.fixture(params=["sdpa", "eager"])
def model(tiny, request):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32, attn_implementation=request.param).eval()


@pytest.fixture
def rows(tiny, dataset, as_dataset):
    return prepare(dataset(), as_dataset(eval_rows=0), 200, ChatTokenizer(tiny)).train


def alone(model, row):
    """Losses of one row by transformers' own loss, token for token."""
    ids = torch.tensor([list(row.ids)])
    logits = model(input_ids=ids).logits[0, :-1]
    losses = torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none")
    return losses[torch.tensor(list(row.mask[1:]), dtype=torch.bool)]


def test_packed_losses_are_those_of_each_row_alone_token_by_token(model, rows):
    packs = pack_rows(rows, 128, seed=3)
    assert max(len(pack) for pack in packs) > 2
    assert sorted(map(id, (row for pack in packs for row in pack))) == sorted(map(id, rows))
    with torch.no_grad():
        packed = token_losses(model, collate(packs, pad_id=0))
        single = torch.cat([alone(model, row) for pack in packs for row in pack])
    torch.testing.assert_close(packed, single, atol=2e-6, rtol=0)


def test_padded_losses_are_those_of_each_row_alone_token_by_token(model, rows):
    batch = collate([[row] for row in rows], pad_id=0, multiple=64)
    assert batch["input_ids"].shape[1] % 64 == 0
    assert batch["tokens"] == sum(len(row.ids) for row in rows)
    assert batch["trained"] == len(batch["targets"]) == sum(row.trained for row in rows)
    with torch.no_grad():
        torch.testing.assert_close(
            token_losses(model, batch), torch.cat([alone(model, row) for row in rows]), atol=2e-6, rtol=0
        )


def test_the_evaluation_loss_is_the_mean_over_trained_tokens_for_any_batch_size(model, rows):
    with torch.no_grad():
        mean = torch.cat([alone(model, row) for row in rows]).double().mean().item()
    for batch_size in (1, 3, 24):
        assert evaluate(model, rows, batch_size, 0, "fp32") == pytest.approx(mean, abs=1e-6)


def test_a_model_that_ignores_positions_is_not_given_packs(model):
    assert keeps_rows_apart(model, 100)
    forward = model.forward
    model.forward = lambda position_ids=None, **inputs: forward(**inputs)
    assert not keeps_rows_apart(model, 100)


def test_packs_fill_the_length_and_never_exceed_it(rows):
    packs = pack_rows(rows, 150, seed=0)
    sizes = [sum(len(row.ids) for row in pack) for pack in packs]
    assert max(sizes) <= 150
    assert len(packs) <= 1 + sum(sizes) // 120
    assert pack_rows(rows, 150, seed=0) == packs


def test_every_epoch_meets_every_row_once_in_an_order_of_its_own():
    sampler = EpochBatches(10, 4, seed=1)
    orders = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
        assert sorted(place for batch in orders[-1] for place in batch) == list(range(10))
    assert len(sampler) == 3
    assert orders[0] != orders[1] != orders[2]
    sampler.set_epoch(0)
    assert list(sampler) == orders[0]


def row(tokens, trained):
    return Tokens(array("i", range(tokens)), bytes(tokens - trained) + bytes([1]) * trained)


def test_the_fullest_pack_is_the_longest_once_padded_and_of_equals_the_most_trained():
    packs = [[row(9, 2)], [row(30, 4)], [row(31, 2)], [row(16, 3), row(15, 9)]]
    assert fullest_pack(packs) == 3
    assert fullest_pack(packs[:3]) == 2
    assert fullest_pack(packs[:3], multiple=8) == 1
    assert fullest_pack([[row(5, 1)], [row(5, 2)], [row(5, 2)]]) == 1


def test_the_first_epoch_opens_with_the_chosen_pack_in_a_whole_batch_and_else_stays_as_it_was():
    for seed in range(20):
        plain, longest = EpochBatches(10, 4, seed), EpochBatches(10, 4, seed, first=7)
        before, after = list(chain(*plain)), list(chain(*longest))
        assert next(iter(longest))[0] == 7
        assert len(next(iter(longest))) == 4
        assert {place for place, (old, new) in enumerate(zip(before, after, strict=True)) if old != new} <= {
            0,
            before.index(7),
        }
        # The order of rows is that of any batch size, so that micro-batches can be chosen by memory alone.
        assert list(chain(*EpochBatches(10, 1, seed, first=7))) == after
        longest.set_epoch(1)
        plain.set_epoch(1)
        assert list(longest) == list(plain)
