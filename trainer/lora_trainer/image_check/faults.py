"""What can be wrong with an image dataset: as a whole, or with one of its pictures."""

from __future__ import annotations

from lora_trainer.rows import DatasetFault, RowFault

__all__ = ["DatasetFault", "PictureFault"]


class PictureFault(RowFault):
    """A rule that one picture, or what is said of it, breaks: the dataset goes without it or is refused."""
