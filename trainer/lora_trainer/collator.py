"""Joins token rows into one padded batch, or packs several rows into each sequence of it."""

from __future__ import annotations

import bisect
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from lora_trainer.tokenize import Tokens

Pack = list[Tokens]


def pack_rows(rows: list[Tokens], length: int, seed: int) -> list[Pack]:
    """Groups rows into packs of at most `length` tokens, best fit first, the same for the same seed.

    Rows are taken from long to short, rows of one length in an order that the seed decides.
    """
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    order.sort(key=lambda place: -len(rows[place].ids))
    packs: list[Pack] = []
    rooms: list[int] = []
    """Numbers of free tokens that some pack has, in order; `with_room` says which packs."""
    with_room: dict[int, list[int]] = {}
    for place in order:
        size = len(rows[place].ids)
        at = bisect.bisect_left(rooms, size)
        if at == len(rooms):
            packs.append([])
            number, free = len(packs) - 1, length
        else:
            free = rooms[at]
            number = with_room[free].pop()
            if not with_room[free]:
                del rooms[at], with_room[free]
        packs[number].append(rows[place])
        if (left := free - size) not in with_room:
            bisect.insort(rooms, left)
        with_room.setdefault(left, []).append(number)
    return packs


def collate(packs: list[Pack], pad_id: int, multiple: int = 1) -> dict:
    """A batch of packs; a batch without packing has one row in each.

    `input_ids` [B, T] is padded on the right, where a causal model cannot see it, so there is no attention mask.
    `position_ids` [B, T] begins at 0 with each row, by which models tell rows apart; left out where packs have one row.
    `positions` [N] are the places, in the flattened batch, that predict a trained token, `targets` [N] those tokens.
    `tokens` and `trained` count what is no padding and what is a target. `multiple`: T is a multiple of it.
    """
    width = max(sum(len(row.ids) for row in pack) for pack in packs)
    width += -width % multiple
    input_ids = np.full((len(packs), width), pad_id, dtype=np.int64)
    position_ids = np.tile(np.arange(width, dtype=np.int64), (len(packs), 1))
    positions: list[np.ndarray] = []
    tokens = 0
    for line, pack in enumerate(packs):
        at = 0
        for row in pack:
            size = len(row.ids)
            input_ids[line, at : at + size] = np.frombuffer(row.ids, dtype=np.int32)
            position_ids[line, at : at + size] = np.arange(size)
            # The token before a trained one predicts it; nothing predicts a row's first token.
            positions.append(line * width + at + np.flatnonzero(np.frombuffer(row.mask, dtype=np.uint8)[1:]))
            at += size
        position_ids[line, at:] = np.arange(width - at)
        tokens += at
    flat = np.concatenate(positions)
    batch = {
        "input_ids": torch.from_numpy(input_ids),
        "positions": torch.from_numpy(flat),
        "targets": torch.from_numpy(input_ids.reshape(-1)[flat + 1]),
        "tokens": tokens,
        "trained": len(flat),
    }
    if any(len(pack) > 1 for pack in packs):
        batch["position_ids"] = torch.from_numpy(position_ids)
    return batch


@dataclass(frozen=True)
class PassCounts:
    """What one pass of all processes takes: tokens without padding and with it, targets, rows."""

    tokens: int
    padded: int
    trained: int
    rows: int
    longest: int
    """Tokens with padding of the largest batch."""


def count_pass(dealt: list[list[Pack]], multiple: int = 1) -> PassCounts:
    """Counts the batches of a pass as `collate` makes them."""
    rows = [row for packs in dealt for pack in packs for row in pack]
    padded = []
    for packs in dealt:
        width = max(sum(len(row.ids) for row in pack) for pack in packs)
        padded.append(len(packs) * (width + -width % multiple))
    return PassCounts(
        tokens=sum(len(row.ids) for row in rows),
        padded=sum(padded),
        trained=sum(row.trained for row in rows),
        rows=len(rows),
        longest=max(padded),
    )


def fullest_pack(packs: list[Pack], multiple: int = 1) -> int:
    """The place of the pack that is longest once padded to `multiple`; of equals, that with most trained tokens."""

    def fullness(place: int) -> tuple[int, int]:
        pack = packs[place]
        size = sum(len(row.ids) for row in pack)
        return size + -size % multiple, sum(row.trained for row in pack)

    return max(range(len(packs)), key=fullness)


class EpochBatches:
    """A batch sampler: places of packs, shuffled by seed and epoch, so that a resumed run meets the same order.

    `first` is the pack that opens the first epoch, in exchange for whichever the shuffle put there: with the longest
    row in it, the first pass takes the memory that any later one takes. Every other pack stays where it is, so
    that the order does not depend on the batch size.
    """

    def __init__(self, packs: int, batch_size: int, seed: int, first: int | None = None) -> None:
        self.packs = packs
        self.batch_size = batch_size
        self.seed = seed
        self.first = first
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.packs // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = list(range(self.packs))
        random.Random(f"{self.seed}/{self.epoch}").shuffle(order)
        if self.epoch == 0 and self.first is not None:
            at = order.index(self.first)
            order[0], order[at] = order[at], order[0]
        for at in range(0, self.packs, self.batch_size):
            yield order[at : at + self.batch_size]
