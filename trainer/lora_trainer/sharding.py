"""A model in parts: each process keeps its share of every frozen weight; a block is whole for its turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lora_trainer.team import Team

if TYPE_CHECKING:
    import torch
    from peft import PeftModel


@contextmanager
def in_turn(team: Team) -> Iterator[None]:
    """One process after the other: the host holds one whole model at a time, not one for each."""
    for _ in range(team.rank):
        team.wait()
    yield
    for _ in range(team.size - team.rank):
        team.wait()


def shard_base(model: PeftModel, team: Team, device: str) -> None:
    """Shards the frozen weights block by block and puts everything else on the device (cpu or cuda).

    The adapter stays whole in every process: it is small, and so are its gradients and moments. So does an embedding
    that is the head as well: its two modules would be gathered apart.
    """
    base = model.get_base_model()
    whole: set[torch.nn.Parameter] = {parameter for parameter in model.parameters() if parameter.requires_grad}
    head, embedding = base.get_output_embeddings(), base.get_input_embeddings()
    tied = head is not None and getattr(head, "weight", None) is embedding.weight
    if tied:
        whole.add(embedding.weight)
    roots = [base.base_model] if tied or head is None else [base.base_model, head]
    shard([*blocks_of(base), *roots], team, device, whole)
    model.to(device)


def shard_denoiser(model: torch.nn.Module, team: Team, device: str) -> None:
    """The same of a frozen model of diffusers, which has no adapter yet."""
    shard([*blocks_of(model), model], team, device, set())
    model.to(device)


def blocks_of(model: torch.nn.Module) -> list[torch.nn.Module]:
    """Those that a model's author wants in one piece, what lies within others before them."""
    names = getattr(model, "_no_split_modules", None) or ()
    return [part for part in model.modules() if type(part).__name__ in names][::-1]


def shard(parts: list[torch.nn.Module], team: Team, device: str, whole: set[torch.nn.Parameter]) -> None:
    """Shards what each part has that no part before it has; `whole` stays as it is."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device, (team.size,))
    for part in parts:
        # Roots as well: one left whole by an evaluation is sharded again by who reads the adapter, and by nobody else.
        fully_shard(part, mesh=mesh, ignored_params=whole, reshard_after_forward=True)
