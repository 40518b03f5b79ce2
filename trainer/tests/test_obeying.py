"""What the plan decides of memory: order of rows, micro-batches, checkpointing; and what is told when it is full."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from lora_trainer import loop
from lora_trainer.memory import later_bytes
from protocol import TRAINER, of_type, read_events

LONG = 11
"""Place of the one long row among the rows of `uneven`."""


@pytest.fixture
def uneven(dataset):
    """24 short rows, one of them long."""
    return str(
        dataset(
            [
                {
                    "prompt": f"What is {n} and {n}?",
                    "completion": f"{2 * n}." + " Blue, mostly." * (8 if n == LONG else 0),
                }
                for n in range(24)
            ]
        )
    )


@pytest.fixture
def shapes(monkeypatch):
    """The shape of each training pass, in order."""
    seen = []
    losses = loop.token_losses

    def and_note(model, batch):
        seen.append((tuple(batch["input_ids"].shape), batch["tokens"]))
        return losses(model, batch)

    monkeypatch.setattr(loop, "token_losses", and_note)
    return seen


def losses_of(config):
    return [m["loss"] for m in of_type(read_events(config.parent), "metric") if "loss" in m]


@pytest.mark.parametrize("changes", [{}, {"packing": True, "batch_size": 1}, {"batch_size": 1, "grad_accum": 4}])
def test_the_first_pass_of_a_run_is_full_and_as_long_as_any(run_config, train, uneven, shapes, changes):
    params = {"batch_size": 3, "epochs": 2, "max_steps": None, "max_seq_length": 128} | changes
    config = run_config(dataset_path=uneven, dataset={"splits": {"eval_rows": 0}}, training_params=params)
    assert train(config) == 0
    (rows, width), _ = shapes[0]
    assert (rows, width) == (params["batch_size"], max(shape[1] for shape, _ in shapes))
    assert rows * width == max(shape[0] * shape[1] for shape, _ in shapes)
    assert min(shape[1] for shape, _ in shapes) < width


def test_memory_that_is_not_enough_ends_the_run_in_its_first_step(run_config, train, uneven, monkeypatch):
    forward = torch.nn.Embedding.forward
    limit = 100

    def or_full(self, ids):
        if torch.is_grad_enabled() and ids.numel() > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return forward(self, ids)

    monkeypatch.setattr(torch.nn.Embedding, "forward", or_full)
    rows = {"dataset_path": uneven, "dataset": {"splits": {"eval_rows": 0}}}
    config = run_config(1, **rows, training_params={"max_steps": 40, "grad_accum": 1, "max_seq_length": 128})
    assert train(config) == 5
    events = read_events(config.parent)
    assert not losses_of(config)
    assert "in step 1, which has the longest row (" in events[-1]["message"]
    assert " MB were in use at most" in events[-1]["message"]
    assert "batch_size 2" in events[-1]["message"]
    assert "Halve batch_size" in events[-1]["hint"]
    assert "gradient_checkpointing" in events[-1]["hint"]
    # What is at its end already is not advised.
    spare = {"batch_size": 1, "gradient_checkpointing": True, "max_seq_length": 128}
    limit = 40
    config = run_config(2, **rows, training_params=spare)
    assert train(config) == 5
    assert read_events(config.parent)[-1]["hint"] == "Shorten max_seq_length."
    # It is the longest row alone that does not fit: with another before it the first step passes.
    monkeypatch.setattr(loop, "fullest_pack", lambda *_: 0)
    assert train(run_config(3, **rows, training_params=spare | {"max_steps": 1, "grad_accum": 1})) == 0


def test_memory_that_runs_out_later_is_told_with_its_place(run_config, train, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(loop.LoraTrainer, "_log_window", full)
    config = run_config(1, eval={"at_start": False}, training_params={"logging_steps": 2})
    assert train(config) == 5
    monkeypatch.undo()
    assert "The host's memory is full in step 3" in read_events(config.parent)[-1]["message"]

    def full_there(*_, **__):
        raise MemoryError

    monkeypatch.setattr("lora_trainer.loss.evaluate", full_there)
    config = run_config(2)
    assert train(config) == 5
    assert "full while evaluating after step 0" in read_events(config.parent)[-1]["message"]


def test_a_checkpoint_of_a_run_that_began_in_another_order_goes_on_in_that_order(run_config, train, monkeypatch):
    monkeypatch.setattr(loop, "fullest_pack", lambda *_: None)
    whole = run_config(1, eval={"at_start": False})
    assert train(whole) == 0
    folder = whole.parent / "checkpoints" / "step-00000004"
    monkeypatch.undo()
    facts = json.loads((folder / "run_state.json").read_text())
    del facts["run"]["longest_first"]
    marker = json.loads((folder / "complete.json").read_text())
    (folder / "run_state.json").write_text(json.dumps(facts))
    data = (folder / "run_state.json").read_bytes()
    marker["files"]["run_state.json"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (folder / "complete.json").write_text(json.dumps(marker))
    second = run_config(2, eval={"at_start": False}, resume_from=str(folder))
    assert train(second) == 0
    assert losses_of(second) == losses_of(whole)[4:]


def test_micro_batches_change_neither_losses_nor_the_rows_of_a_step(run_config, train, uneven, shapes):
    params = {"lora_dropout": 0, "max_steps": 8, "learning_rate": 0.01, "max_seq_length": 128}
    curves, tokens = [], []
    for number, (micro, accum) in enumerate([(4, 1), (2, 2), (1, 4)], start=1):
        shapes.clear()
        config = run_config(
            number,
            dataset_path=uneven,
            dataset={"splits": {"eval_rows": 0}},
            training_params=params | {"batch_size": micro, "grad_accum": accum},
        )
        assert train(config) == 0
        curves.append(losses_of(config))
        tokens.append([sum(count for _, count in shapes[at : at + accum]) for at in range(0, len(shapes), accum)])
    assert tokens[0] == tokens[1] == tokens[2]
    assert curves[0] == pytest.approx(curves[1], rel=1e-4)
    assert curves[0] == pytest.approx(curves[2], rel=1e-4)


@pytest.fixture
def kept_bytes(monkeypatch):
    """Bytes that each training pass keeps for its backward pass, parameters aside."""
    seen = []
    losses = loop.token_losses

    def and_count(model, batch):
        parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
        kept = {}

        def note(tensor):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in parameters:
                # The tensor itself is held too, so that its place is not given to another one.
                kept[storage.data_ptr()] = (storage.nbytes(), tensor)
            return tensor

        with saved_tensors_hooks(note, lambda tensor: tensor):
            result = losses(model, batch)
        seen.append(sum(size for size, _ in kept.values()))
        return result

    monkeypatch.setattr(loop, "token_losses", and_count)
    return seen


def test_checkpointing_keeps_far_fewer_bytes_and_gives_the_same_losses(run_config, train, uneven, kept_bytes):
    params = {"lora_dropout": 0, "max_steps": 8, "grad_accum": 1, "max_seq_length": 128}
    plain = run_config(1, dataset_path=uneven, training_params=params)
    assert train(plain) == 0
    without, kept_bytes[:] = kept_bytes[:], []
    saving = run_config(2, dataset_path=uneven, training_params=params | {"gradient_checkpointing": True})
    assert train(saving) == 0
    assert len(without) == len(kept_bytes) == 8
    assert all(few < many / 2 for few, many in zip(kept_bytes, without, strict=True))
    assert losses_of(plain) == pytest.approx(losses_of(saving), abs=1e-6)


@pytest.mark.parametrize("accum", [1, 2])
def test_the_room_that_later_steps_need_is_what_they_take(accum):
    model = torch.nn.Linear(64, 32)
    model.bias.requires_grad_(False)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
    room = later_bytes(optimizer, accum)
    model(torch.ones(1, 64)).sum().backward()
    optimizer.step()
    moments = [v for state in optimizer.state.values() for v in state.values() if v.dim() > 0]
    gradients = [p.grad for p in model.parameters() if p.grad is not None] if accum > 1 else []
    assert room == sum(tensor.nbytes for tensor in moments + gradients)
    assert later_bytes(optimizer, accum) == 0


@pytest.mark.parametrize("accum", [1, 2])
def test_the_first_pass_of_a_run_has_that_room_taken_and_no_later_one(run_config, train, monkeypatch, accum):
    asked = []

    def and_note(optimizer, grad_accum):
        asked.append((optimizer, later_bytes(optimizer, grad_accum)))
        return asked[-1][1]

    monkeypatch.setattr(loop, "later_bytes", and_note)
    assert train(run_config(training_params={"max_steps": 3, "grad_accum": accum})) == 0
    ((optimizer, size),) = asked
    moments = sum(v.nbytes for state in optimizer.state.values() for v in state.values() if v.dim() > 0)
    # Both moments of AdamW, and with accumulation gradients of the adapter's size.
    assert size == moments + (moments // 2 if accum > 1 else 0) > 0


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "expandable_segments:True"),
        ({"PYTORCH_ALLOC_CONF": "max_split_size_mb:64"}, "max_split_size_mb:64"),
        ({"PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:64"}, "None"),
    ],
)
def test_the_gpus_allocator_has_segments_that_grow_before_torch_is_there(environment, expected):
    program = (
        "import os, sys; from lora_trainer.environment import prepare_environment; prepare_environment();"
        "assert 'torch' not in sys.modules; print(os.environ.get('PYTORCH_ALLOC_CONF'))"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTORCH_")}
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=TRAINER,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.stdout.strip() == expected, run.stderr
