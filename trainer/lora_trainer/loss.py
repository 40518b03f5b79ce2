"""The one loss of training and evaluation: cross-entropy of the trained tokens, computed in fp32."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch.nn import functional

from lora_trainer.collator import Pack, collate
from lora_trainer.deal import own
from lora_trainer.team import Team
from lora_trainer.tokenize import Tokens

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@contextlib.contextmanager
def only_positions(model: torch.nn.Module, positions: torch.Tensor) -> Iterator[None]:
    """Lets the model's head see the chosen places of the flattened batch alone: logits are a step's largest tensor."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    head = base.get_output_embeddings()
    if head is None:
        yield
        return
    hook = head.register_forward_pre_hook(lambda _, args: (args[0].flatten(0, 1)[positions], *args[1:]))
    try:
        yield
    finally:
        hook.remove()


def token_losses(model: torch.nn.Module, batch: dict) -> torch.Tensor:
    """Cross-entropy [N] in fp32 of each trained token of a collated batch."""
    inputs = {name: batch[name] for name in ("input_ids", "position_ids") if name in batch}
    with only_positions(model, batch["positions"]):
        logits = model(**inputs, use_cache=False).logits
    if logits.dim() == 3:
        logits = logits.flatten(0, 1)[batch["positions"]]
    return functional.cross_entropy(logits.float(), batch["targets"], reduction="none")


def autocast(device: str, precision: str) -> contextlib.AbstractContextManager:
    """The arithmetic of a precision on a device; fp32 has none of its own."""
    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device, dtype=AUTOCAST[precision])


def to_device(batch: dict, device: torch.device) -> dict:
    return {name: value.to(device) if torch.is_tensor(value) else value for name, value in batch.items()}


def evaluation_passes(rows: list[Tokens], batch_size: int, size: int) -> Iterator[list[list[Pack]]]:
    """Rows from short to long, so that batches hold little padding; a pass has a batch for each of `size` processes."""
    ordered = sorted(rows, key=lambda row: len(row.ids))
    for at in range(0, len(ordered), batch_size * size):
        pass_rows = ordered[at : at + batch_size * size]
        yield [[[row] for row in pass_rows[at : at + batch_size]] for at in range(0, len(pass_rows), batch_size)]


@torch.no_grad()
def evaluate(
    model: torch.nn.Module,
    rows: list[Tokens],
    batch_size: int,
    pad_id: int,
    precision: str,
    between: Callable[[], None] = lambda: None,
    team: Team | None = None,
) -> float:
    """Mean loss per trained token over all rows, whatever the batch size. `between` is called after each batch."""
    team = team or Team()
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    try:
        with autocast(device.type, precision):
            for dealt in evaluation_passes(rows, batch_size, team.size):
                packs, counts = own(dealt, team.rank)
                batch = collate(packs, pad_id)
                losses = token_losses(model, to_device(batch, device))
                if counts:
                    total += losses.double().sum().item()
                    count += batch["trained"]
                between()
    finally:
        model.train(was_training)
    total, count = team.totals((total, count))
    return total / count


@torch.no_grad()
def keeps_rows_apart(model: torch.nn.Module, vocabulary: int) -> bool:
    """If the model gives two packed rows the logits that it gives each alone: some models ignore position_ids."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    first, second = torch.arange(1, 9, device=device) % vocabulary, torch.arange(5, 13, device=device) % vocabulary
    alone = torch.cat([model(input_ids=row[None], use_cache=False).logits[0] for row in (first, second)])
    places = torch.arange(8, device=device).repeat(2)[None]
    packed = model(input_ids=torch.cat([first, second])[None], position_ids=places, use_cache=False).logits[0]
    model.train(was_training)
    coarse = 1e-3 if alone.dtype == torch.float32 else 0.1
    return bool((alone - packed).abs().max() <= coarse * alone.abs().max())
