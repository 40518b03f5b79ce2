"""Peak memory of this process, in MB (10^6 bytes)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from lora_trainer.team import Team

MB = 1e6


@dataclass(frozen=True)
class Memory:
    """`peak`: most in use so far; `reserved` and `peak_reserved`: what the GPU's allocator holds, None on the CPU."""

    peak: float
    reserved: float | None
    peak_reserved: float | None


def peak_resident_mb() -> float:
    """The largest resident set that this process has had."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / MB
    return 0.0


def measure_memory(device: str) -> Memory:
    """`device`: cpu or cuda."""
    if device == "cpu":
        return Memory(round(peak_resident_mb(), 1), None, None)
    import torch

    return Memory(
        round(torch.cuda.max_memory_allocated() / MB, 1),
        round(torch.cuda.memory_reserved() / MB, 1),
        round(torch.cuda.max_memory_reserved() / MB, 1),
    )


def device_memory_mb(device: str) -> float:
    """What is in use as seen from outside: of the GPU by everyone on it, on the CPU the most this process has had."""
    if device == "cpu":
        return round(peak_resident_mb(), 1)
    import torch

    free, total = torch.cuda.mem_get_info()
    return round((total - free) / MB, 1)


def most_memory(device: str, team: Team) -> Memory:
    """The same over all processes of the run: of each figure the largest."""
    memory = measure_memory(device)
    return Memory(*team.most((memory.peak, memory.reserved, memory.peak_reserved)))


def later_bytes(optimizer: torch.optim.Optimizer, grad_accum: int) -> int:
    """Bytes that later passes find taken and the first one does not: AdamW's two moments, and with accumulation
    the gradients of the passes before."""
    trained = [weight for group in optimizer.param_groups for weight in group["params"]]
    moments = 2 * sum(weight.nbytes for weight in trained if weight not in optimizer.state)
    gradients = sum(weight.nbytes for weight in trained if weight.grad is None) if grad_accum > 1 else 0
    return moments + gradients
