"""Which images make up which batch: by seed and epoch alone, so that a resumed run meets the same."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import TYPE_CHECKING

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
