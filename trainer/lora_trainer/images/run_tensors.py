"""The tensors of a checkpoint that are the run's own: the adapter as it is trained, and its moving average."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from diffusers.training_utils import EMAModel

FILE = "run_tensors.safetensors"
AVERAGE = "average."


def save_run_tensors(folder: Path, tensors: dict[str, torch.Tensor], average: EMAModel | None) -> None:
    from safetensors.torch import save_file

    shadows = [] if average is None else average.shadow_params
    kept = {f"{AVERAGE}{place}": shadow.detach().cpu().contiguous() for place, shadow in enumerate(shadows)}
    save_file(tensors | kept, folder / FILE)


def load_run_tensors(folder: Path, average: EMAModel | None) -> dict[str, torch.Tensor]:
    """The adapter's tensors; sets the average."""
    from safetensors.torch import load_file

    tensors = load_file(folder / FILE)
    if average is not None:
        for place, shadow in enumerate(average.shadow_params):
            shadow.copy_(tensors[f"{AVERAGE}{place}"])
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(AVERAGE)}
