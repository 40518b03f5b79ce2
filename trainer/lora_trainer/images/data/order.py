"""Which images make up which batch: by seed and epoch alone, so that a resumed run meets the same."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lora_trainer.images.data.image_set import ImageSet


def batches(image_set: ImageSet, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of an epoch: places in `image_set.examples`, all of one bucket; resumed at a position of the list.

    Each image comes as often as it has repeats. The seed shuffles all of them, and in that order they fill the batches
    of their buckets. What is left in a bucket at the end is a smaller batch: nothing is lost and nothing stretched.
    The first batch of epoch 0 is a largest one, so that memory which is not enough shows in step 1.
    """
    order = [place for place, example in enumerate(image_set.examples) for _ in range(example.image.repeats)]
    random.Random(f"{seed}/{epoch}").shuffle(order)
    whole: list[list[int]] = []
    filling: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place in order:
        bucket = image_set.examples[place].frame.bucket
        filling[bucket].append(place)
        if len(filling[bucket]) == batch_size:
            whole.append(filling.pop(bucket))
    whole += filling.values()
    if epoch == 0 and whole:
        sizes = [len(batch) * pixels_of(image_set, batch) for batch in whole]
        largest = sizes.index(max(sizes))
        whole[0], whole[largest] = whole[largest], whole[0]
    return whole


def pixels_of(image_set: ImageSet, batch: list[int]) -> int:
    width, height = image_set.examples[batch[0]].frame.bucket
    return width * height


def batches_per_epoch(image_set: ImageSet, batch_size: int) -> int:
    """Over the buckets, the sum of ceil(images * repeats / batch_size): kohya's count (sd-scripts, `make_buckets`)."""
    return sum(-(-images // batch_size) for images in image_set.images_by_bucket().values())


def steps_per_epoch(image_set: ImageSet, batch_size: int, grad_accum: int) -> int:
    """Optimizer steps in which an epoch is through: ceil(batches / grad_accum)."""
    return -(-batches_per_epoch(image_set, batch_size) // grad_accum)


def epochs_of(image_set: ImageSet, batch_size: int, grad_accum: int, steps: int) -> int:
    """Epochs that so many steps begin: ceil(steps / steps per epoch)."""
    return -(-steps // steps_per_epoch(image_set, batch_size, grad_accum))


@dataclass(frozen=True)
class Pass:
    """One forward and backward: its examples, and where in the order it stands."""

    examples: list[int]
    epoch: int
    position: int

    def seed(self, seed: int) -> int:
        """What its noise, its timesteps and its dropout are drawn from, by the run's seed and its place in the order.

        So neither an interruption nor the number of devices changes what it meets.
        """
        digest = hashlib.sha256(f"{seed}/{self.epoch}/{self.position}".encode()).digest()
        return int.from_bytes(digest[:8], "big")


class Order:
    """The batches of a run, dealt out: in each pass every device takes one, and a step has `grad_accum` passes.

    So `devices` take in a step what one device takes in a step with as many times the accumulation.
    """

    def __init__(self, image_set: ImageSet, params: Any, devices: int) -> None:
        """`params`: `training_params` of config.json."""
        self.image_set = image_set
        self.params = params
        self.devices = devices
        self._made: tuple[int, list[list[int]]] = (-1, [])

    def of(self, epoch: int) -> list[list[int]]:
        """The batches of an epoch."""
        if self._made[0] != epoch:
            self._made = (epoch, batches(self.image_set, self.params.batch_size, self.params.seed, epoch))
        return self._made[1]

    def step(self, epoch: int, position: int) -> list[list[Pass]]:
        """From a place in the order on: a list a pass, in it one for each device. Fewer where the epoch ends."""
        if position == len(self.of(epoch)):
            epoch, position = epoch + 1, 0
        order = self.of(epoch)
        end = min(len(order), position + self.devices * self.params.grad_accum)
        taken = [Pass(order[at], epoch, at) for at in range(position, end)]
        return [taken[at : at + self.devices] for at in range(0, len(taken), self.devices)]
