"""The processes of one run, one a device: each is the one-device trainer, and what they share goes through here."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lora_trainer.failure import TrainerFailure
from lora_trainer.stopping import Stop, interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch

T = TypeVar("T")

FOLDER = ".team"
"""In output_path: where the processes of a run find each other and leave word of their failures."""
PARENT = "LOWRANK_TEAM_PARENT"
"""Number of the process that started this one as one of many."""
# One that is gone is told of at once by who started it, one that hangs by the worker: nothing here gives up by itself.
PATIENCE = timedelta(days=1)
PR_SET_PDEATHSIG = 1


def rank_here() -> int | None:
    """Place of this process among those of its run; None for the program that a worker starts."""
    return int(os.environ["RANK"]) if PARENT in os.environ else None


def bind_to_parent() -> None:
    """Has this process die with the one that started it, and see its own GPU alone. Before torch is imported."""
    parent = int(os.environ[PARENT])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)
    rank = int(os.environ["RANK"])
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(rank)
    elif visible:
        given = visible.split(",")
        # Of one that is not there nothing is seen: torch says so when it is asked for.
        os.environ["CUDA_VISIBLE_DEVICES"] = given[rank] if rank < len(given) else ""


class Team:
    """What the processes of a run do together. Alone, everything is as it is. A method is called by all or by none."""

    def __init__(self, rank: int = 0, size: int = 1, strategy: str = "none") -> None:
        self.rank = rank
        self.size = size
        self.strategy = strategy
        self._host: Any = None
        """Group for what lies in the host's memory."""

    @property
    def leads(self) -> bool:
        """If this process is the one that writes: events, checkpoints, the adapter."""
        return self.rank == 0

    @property
    def shards(self) -> bool:
        """If each holds a part of the base alone: every pass is then everybody's."""
        return self.strategy == "fsdp"

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, in place; the tensor lies on the run's device."""
        if self.size > 1:
            import torch.distributed as dist

            dist.all_reduce(tensor)
        return tensor

    def totals(self, figures: Iterable[float]) -> list[float]:
        """Sums of numbers over all processes, in double precision."""
        return self._reduced(figures, "SUM")

    def most(self, figures: Iterable[float | None]) -> list[float | None]:
        """The largest of each; None where nobody has one."""
        given = [-1.0 if figure is None else figure for figure in figures]
        return [None if figure < 0 else figure for figure in self._reduced(given, "MAX")]

    def any(self, flag: bool) -> bool:
        """If it is so for one of them."""
        return self._reduced([float(flag)], "MAX")[0] > 0

    def _reduced(self, figures: Iterable[float], by: str) -> list[float]:
        if self.size == 1:
            return list(figures)
        import torch
        import torch.distributed as dist

        tensor = torch.tensor(list(figures), dtype=torch.float64)
        dist.all_reduce(tensor, getattr(dist.ReduceOp, by), group=self._host)
        return tensor.tolist()

    def gather(self, item: T) -> list[T]:
        """Everybody's item, in order of rank."""
        if self.size == 1:
            return [item]
        import torch.distributed as dist

        items: list = [None] * self.size
        dist.all_gather_object(items, item, group=self._host)
        return items

    def of_first(self, find: Callable[[], T]) -> T:
        """What the first finds out, for all."""
        return self.gather(find() if self.leads else None)[0]

    def wait(self) -> None:
        """Until all are here."""
        self.any(False)

    def led(self, work: Callable[[Callable[..., object]], object], help: Callable[..., object] | None = None) -> None:
        """Has the first do what is done once for all; the others wait, and help where it wants them to.

        `work` is given a sign of life to make now and then: nobody waits longer than from one to the next. What it is
        called with, the others call `help` with.
        """
        if self.leads:
            work(lambda *given: self.gather(given))
            self.gather(None)
            return
        while (given := self.gather(None)[0]) is not None:
            if given:
                help(*given)

    def check(self, stop: Stop, what: str) -> None:
        """Raises TrainerFailure(interrupted) in all of them if a stop was asked for in one."""
        if self.any(stop.requested):
            raise interrupted(what)

    def share(self, parameters: list[torch.Tensor]) -> None:
        """Sets everybody's to those of the first."""
        if self.size > 1:
            import torch.distributed as dist

            for parameter in parameters:
                dist.broadcast(parameter.detach(), 0)

    def sum_gradients(self, parameters: list[torch.Tensor]) -> None:
        """Sums the gradients of replicated parameters; one that has none counts as zero."""
        if self.size == 1:
            return
        import torch
        import torch.distributed as dist

        kinds: dict[torch.dtype, list[torch.Tensor]] = {}
        for parameter in parameters:
            kinds.setdefault(parameter.dtype, []).append(parameter)
        for same in kinds.values():
            flat = torch.cat([(torch.zeros_like(one) if one.grad is None else one.grad).flatten() for one in same])
            dist.all_reduce(flat)
            at = 0
            for one in same:
                one.grad = flat[at : at + one.numel()].view_as(one)
                at += one.numel()

    def leave(self) -> None:
        """After the last thing done together."""
        if self.size > 1:
            import torch.distributed as dist

            dist.destroy_process_group()


def join(output: Path, devices: int, strategy: str, device: str) -> Team:
    """The team of this process, once all have come; with one device, nobody else's. `device`: cpu or cuda."""
    if devices == 1:
        return Team()
    rank = rank_here()
    if rank is None:
        raise TrainerFailure("internal", "This process was not started as one of many.", "Start train_lora.py.")
    import torch
    import torch.distributed as dist

    if device == "cuda" and not torch.cuda.is_available():
        raise TrainerFailure(
            "bad_config",
            f"{devices} GPUs are asked for, and number {rank + 1} is not visible.",
            "Set devices to the number of GPUs that the run was given.",
            "devices",
        )
    # Trainer shall see one device: it is told by these whether there are more.
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        os.environ.pop(name, None)
    logging.getLogger("transformers.training_args").addFilter(
        lambda record: "process group is initialized" not in record.getMessage()
    )
    # A file, not a port: what listens on a port of this machine is open to whoever reaches it.
    dist.init_process_group(
        "nccl" if device == "cuda" else "gloo",
        init_method=(output / FOLDER / "store").as_uri(),
        rank=rank,
        world_size=devices,
        timeout=PATIENCE,
    )
    team = Team(rank, devices, strategy)
    team._host = dist.new_group(backend="gloo", timeout=PATIENCE) if device == "cuda" else dist.group.WORLD
    return team
