"""The images of a run: each with its bucket, its crop and its text, and how one pass sees them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lora_trainer.config import Config
from lora_trainer.durable import sha256_of
from lora_trainer.images.data.archive import ImageArchive, StoredImage, refused
from lora_trainer.images.data.buckets import Frame, Size, bucket_sizes, cover_scale, frame_image, nearest_bucket
from lora_trainer.images.data.captions import training_text

if TYPE_CHECKING:
    import numpy as np
    import torch

CUT_SHARE_WARNED = 0.25
"""Share of an image's area from which cutting it off is worth a word."""


@dataclass(frozen=True, slots=True)
class Example:
    """An image as it is trained: where in its bucket, and with which text."""

    image: StoredImage
    frame: Frame
    text: str


@dataclass(frozen=True, slots=True)
class View:
    """An example as one pass sees it. The three sizes are those that SDXL is told, height first."""

    example: Example
    flip: bool
    text: str
    """The example's, or nothing where it was dropped."""

    @property
    def original_size(self) -> Size:
        return self.example.image.height, self.example.image.width

    @property
    def crop_top_left(self) -> Size:
        frame = self.example.frame
        left = frame.scaled[0] - frame.bucket[0] - frame.left if self.flip else frame.left
        return frame.top, left

    @property
    def target_size(self) -> Size:
        return self.example.frame.bucket[1], self.example.frame.bucket[0]


@dataclass
class ImageSet:
    """The examples of a run in the order of the manifest, and the class images that stand beside them."""

    archive: ImageArchive
    dataset_sha256: str
    seed: int
    center_crop: bool
    random_flip: bool
    caption_dropout: float
    class_prompt: str | None
    """None: no prior preservation."""
    examples: list[Example] = field(default_factory=list)
    class_examples: dict[Size, list[Example]] = field(default_factory=dict)
    """By the bucket of the examples that they stand beside."""
    warnings: list[tuple[str, str]] = field(default_factory=list)
    """Codes and sentences that a person would want to know before the first step."""

    def frame(self, image: StoredImage, bucket: Size) -> Frame:
        """The same for each pass of a run: what is cut off is drawn from the seed and the image."""
        draw = None if self.center_crop else random.Random(f"{self.seed}/{image.sha256}/{bucket[0]}x{bucket[1]}")
        return frame_image(image.width, image.height, bucket, draw)

    def images_by_bucket(self) -> Counter[Size]:
        """Images, with their repeats, in each bucket that has any."""
        counts: Counter[Size] = Counter()
        for example in self.examples:
            counts[example.frame.bucket] += example.image.repeats
        return counts

    def views(self, places: Sequence[int], epoch: int, position: int) -> list[View]:
        """How the batch at `position` of `epoch` sees its examples: mirrored or not, with its text or without."""
        draw = random.Random(f"{self.seed}/{epoch}/{position}")
        return [self._view(self.examples[place], draw, self.caption_dropout) for place in places]

    def class_views(self, places: Sequence[int], epoch: int, position: int) -> list[View]:
        """For each example of that batch one class image of the same bucket."""
        draw = random.Random(f"{self.seed}/{epoch}/{position}/class")
        beside = self.class_examples[self.examples[places[0]].frame.bucket]
        chosen: list[Example] = []
        while len(chosen) < len(places):
            chosen += draw.sample(beside, min(len(beside), len(places) - len(chosen)))
        return [self._view(example, draw, 0.0) for example in chosen]

    def all_views(self) -> list[View]:
        """Every view that any pass may see, bucket by bucket, both sides of an image together; texts as they are."""
        sides = (False, True) if self.random_flip else (False,)
        among = [*self.examples, *(example for beside in self.class_examples.values() for example in beside)]
        among.sort(key=lambda example: example.frame.bucket)
        return [View(example, flip, example.text) for example in among for flip in sides]

    def all_texts(self) -> list[str]:
        """Every text that any pass may see, each once."""
        texts = [example.text for example in self.examples] + [""] * (self.caption_dropout > 0)
        texts += [] if self.class_prompt is None else [self.class_prompt]
        return list(dict.fromkeys(texts))

    def cut(self, example: Example) -> np.ndarray:
        """The example's pixels, not mirrored: uint8 [height, width, 3]. Raises TrainerFailure(data)."""
        from lora_trainer.images.data.pixels import cut_image

        return cut_image(self.archive.read(example.image), example.image, example.frame)

    def pixels(self, views: Sequence[View]) -> torch.Tensor:
        """Views of one bucket as the VAE takes them: float32 [N, 3, H, W] from -1 to 1. Raises TrainerFailure(data)."""
        from lora_trainer.images.data.pixels import ahead

        return as_pixels(list(ahead(self.cut, [view.example for view in views])), [view.flip for view in views])

    def add_class_images(self, images: Sequence[StoredImage]) -> None:
        """Puts each class image beside the examples of the bucket that is nearest to its shape.

        A bucket that none is near to shares those of all others, cut to it.
        """
        text = self.class_prompt or ""
        buckets = tuple(sorted(self.images_by_bucket()))
        for image in images:
            bucket = nearest_bucket(image.width, image.height, buckets)
            self.class_examples.setdefault(bucket, []).append(Example(image, self.frame(image, bucket), text))
        everything = [example for beside in self.class_examples.values() for example in beside]
        for bucket in buckets:
            if bucket not in self.class_examples:
                self.class_examples[bucket] = [
                    replace(example, frame=self.frame(example.image, bucket)) for example in everything
                ]

    def _view(self, example: Example, draw: random.Random, dropout: float) -> View:
        # Both are drawn always, so that a setting of one does not change the other.
        flip, drop = draw.random() < 0.5, draw.random() < dropout
        return View(example, flip and self.random_flip, "" if drop else example.text)


def as_pixels(cuts: Sequence[np.ndarray], flips: Sequence[bool]) -> torch.Tensor:
    """Cut images, some mirrored, as one float32 tensor [N, 3, H, W] from -1 to 1."""
    import numpy as np
    import torch

    turned = [cut[:, ::-1] if flip else cut for cut, flip in zip(cuts, flips, strict=True)]
    pixels = torch.from_numpy(np.stack(turned)).permute(0, 3, 1, 2)
    return pixels.to(torch.float32, memory_format=torch.contiguous_format).div_(127.5).sub_(1.0)


def open_images(config: Config) -> ImageSet:
    """The images of a run's dataset_path, framed and captioned. Raises TrainerFailure(data)."""
    values, params = config.values, config.params
    path = Path(values.dataset_path)
    archive = ImageArchive(path)
    image_set = ImageSet(
        archive=archive,
        dataset_sha256=sha256_of(path),
        seed=params.seed,
        center_crop=params.center_crop,
        random_flip=params.random_flip,
        caption_dropout=params.caption_dropout,
        class_prompt=None if values.prior is None else values.prior.class_prompt,
    )
    sizes = bucket_sizes(params.resolution, params.bucketing)
    text_of = partial(training_text, prompt=values.instance_prompt, trigger_words=values.trigger_words)
    for image in archive.images:
        if not image.of_class:
            frame = image_set.frame(image, nearest_bucket(image.width, image.height, sizes))
            image_set.examples.append(Example(image, frame, text_of(image.caption)))
    if not image_set.examples:
        raise refused("empty_dataset", "The dataset has no image to train on.", "Upload images that show the subject.")
    image_set.warnings = list(worth_saying(image_set, params.batch_size))
    return image_set


def worth_saying(image_set: ImageSet, batch_size: int) -> list[tuple[str, str]]:
    """What of the dataset makes a training worse or its steps uneven, in sentences that count."""
    examples = image_set.examples
    total = len(examples)
    said: list[tuple[str, str]] = []

    def say(code: str, count: int, words: str) -> None:
        if count:
            said.append((code, f"{count} of {total} images {words}"))

    scales = [cover_scale(e.image.width, e.image.height, e.frame.bucket) for e in examples]
    say("images_upscaled", sum(scale > 1 for scale in scales), "are smaller than their bucket and are enlarged.")
    cut = sum(
        1 - e.frame.bucket[0] * e.frame.bucket[1] / (e.image.width * e.image.height * scale * scale) > CUT_SHARE_WARNED
        for e, scale in zip(examples, scales, strict=True)
    )
    say("images_cropped", cut, f"lose more than {CUT_SHARE_WARNED:.0%} of their area: no bucket has their shape.")
    again = total - len({example.image.sha256 for example in examples})
    say("images_repeated", again, "are in the dataset twice; repeats say the same more openly.")
    say("captions_missing", sum(not example.text for example in examples), "have no text at all.")
    counts = image_set.images_by_bucket()
    short = [count % batch_size for count in counts.values() if count % batch_size]
    if short:
        words = f"{len(short)} of {len(counts)} buckets end each epoch with a batch smaller than {batch_size}"
        said.append(("bucket_leftovers", f"{words}: {sum(short)} images in all."))
    classes = sum(image.of_class for image in image_set.archive.images)
    if classes and image_set.class_prompt is None:
        said.append(("class_images_ignored", f"{classes} class images are left out: there is no prior preservation."))
    return said
