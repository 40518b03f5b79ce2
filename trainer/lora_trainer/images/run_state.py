"""What a run on images remembers of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class RunState:
    """What a checkpoint remembers beside tensors: where the run stands in its data and its figures."""

    step: int = 0
    epoch: int = 0
    position: int = 0
    """The next batch of the epoch."""
    window_loss: float = 0.0
    window_images: int = 0
    nonfinite: int = 0
    """Steps in a row without a finite loss."""
    sampled: int = -1
    """The last step after which samples were drawn."""
    final_loss: float | None = None
    averaged_steps: int = 0


@dataclass
class Totals:
    """Counts over this attempt, of all devices."""

    images: int = 0
    places: int = 0
