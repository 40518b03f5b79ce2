"""Peak memory of this process, in MB (10^6 bytes)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
