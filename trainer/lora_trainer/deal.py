"""How the batches of a pass are dealt out: each process takes one, and all of them together are one step's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol


class Batches(Protocol):
    """Places of items, a list for each batch, the same in every process."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[list[int]]: ...
    def set_epoch(self, epoch: int) -> None: ...


class Deal:
    """A batch sampler of passes: each has a batch for every process, the last of an epoch maybe fewer.

    Process `rank` takes the batch of its number, so that `size` processes meet in one pass what one process meets in
    `size` passes. One for which none is left computes on another's, and it counts nothing.
    """

    def __init__(self, batches: Batches, size: int) -> None:
        self.batches = batches
        self.size = size

    def set_epoch(self, epoch: int) -> None:
        self.batches.set_epoch(epoch)

    def __len__(self) -> int:
        return -(-len(self.batches) // self.size)

    def __iter__(self) -> Iterator[list[list[int]]]:
        dealt: list[list[int]] = []
        for batch in self.batches:
            dealt.append(batch)
            if len(dealt) == self.size:
                yield dealt
                dealt = []
        if dealt:
            yield dealt


class Items:
    """A data set that answers the items of a whole batch."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, places: list[int]) -> list[Any]:
        return [self.items[place] for place in places]


def own(dealt: Sequence[Any], rank: int) -> tuple[Any, bool]:
    """What of a pass is this process's, and if it counts."""
    return dealt[rank % len(dealt)], rank < len(dealt)
