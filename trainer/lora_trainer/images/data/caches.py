"""What the frozen parts of a model make of the data, once a run: latents of the images, embeddings of the texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import torch

from lora_trainer.images.data.image_set import Example, ImageSet, View, as_pixels
from lora_trainer.images.data.pixels import ahead
from lora_trainer.images.data.tensor_cache import TensorCache, Tensors, key_of

Tell = Callable[[int, int], None]
"""Hears how many of how many are done."""
TEXTS_AT_ONCE = 16
One = TypeVar("One")


def quiet(done: int, total: int) -> None:
    """Tells nobody."""


def in_chunks(items: Sequence[One], size: int) -> Iterator[Sequence[One]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]


class LatentCache:
    """Latents by the image's content, its crop, its side, and the VAE that made them."""

    def __init__(self, job_folder: Path, identity: str) -> None:
        """`identity`: whatever decides on a latent beside the pixels, as the sum of the VAE's weights and its type."""
        self.identity = identity
        self.cache = TensorCache(job_folder / "cache" / "latents")

    def key(self, view: View) -> str:
        frame = view.example.frame
        place = (frame.bucket, frame.scaled, frame.left, frame.top)
        return key_of(self.identity, view.example.image.sha256, place, view.flip)

    def build(
        self, image_set: ImageSet, encode_image: Callable[[torch.Tensor], Tensors], batch_size: int, tell: Tell = quiet
    ) -> int:
        """Makes what is lacking of all views of the set, and answers how many that were.

        `encode_image` takes pixels of one bucket, float32 [N, 3, H, W] from -1 to 1, and answers tensors of N rows: the
        latents, or mean and deviation of their distribution. `batch_size`: N at most. Images are decoded in threads
        beforehand, a bounded number of them. Raises TrainerFailure(data) for an image that cannot be read.
        """
        self.cache.sweep()
        views = list({self.key(view): view for view in image_set.all_views()}.items())
        lacking = [(key, view) for key, view in views if self.cache.read(key) is None]
        done = len(views) - len(lacking)
        tell(done, len(views))
        # The sides of an image stand together: it is decoded once for both.
        wanted = [
            (example, [(key, view.flip) for key, view in sides])
            for example, sides in groupby(lacking, key=lambda item: item[1].example)
        ]
        waiting: list[tuple[str, torch.Tensor]] = []

        def encode() -> None:
            nonlocal done
            with torch.no_grad():
                made = encode_image(torch.cat([pixels for _, pixels in waiting]))
            for place, (key, _) in enumerate(waiting):
                self.cache.write(key, {name: rows[place] for name, rows in made.items()})
            done += len(waiting)
            waiting.clear()
            tell(done, len(views))

        def cut(item: tuple[Example, list[tuple[str, bool]]]) -> list[tuple[str, torch.Tensor]]:
            example, sides = item
            picture = image_set.cut(example)
            return [(key, as_pixels([picture], [flip])) for key, flip in sides]

        for sides in ahead(cut, wanted):
            for key, pixels in sides:
                if waiting and waiting[0][1].shape != pixels.shape:
                    encode()
                waiting.append((key, pixels))
                if len(waiting) == batch_size:
                    encode()
        if waiting:
            encode()
        return len(lacking)

    def get(self, views: Sequence[View]) -> dict[str, torch.Tensor]:
        """The tensors of views of one bucket, a row each. Raises TrainerFailure(data) where the cache was touched."""
        return self.cache.stacked([self.key(view) for view in views])


class TextCache:
    """Embeddings by the text and the encoders that made them."""

    def __init__(self, job_folder: Path, identity: str) -> None:
        """`identity`: whatever decides on an embedding beside the text, as the sums of the encoders' weights."""
        self.identity = identity
        self.cache = TensorCache(job_folder / "cache" / "texts")

    def key(self, text: str) -> str:
        return key_of(self.identity, text)

    def build(self, texts: Sequence[str], encode_text: Callable[[list[str]], Tensors], tell: Tell = quiet) -> int:
        """Makes what is lacking, and answers how many that were. `encode_text` answers tensors of one row a text."""
        self.cache.sweep()
        every = list(dict.fromkeys(texts))
        lacking = [text for text in every if self.cache.read(self.key(text)) is None]
        done = len(every) - len(lacking)
        tell(done, len(every))
        for chunk in in_chunks(lacking, TEXTS_AT_ONCE):
            with torch.no_grad():
                made = encode_text(list(chunk))
            for place, text in enumerate(chunk):
                self.cache.write(self.key(text), {name: rows[place] for name, rows in made.items()})
            done += len(chunk)
            tell(done, len(every))
        return len(lacking)

    def get(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """The tensors of texts, a row each. Raises TrainerFailure(data) where the cache was touched."""
        return self.cache.stacked([self.key(text) for text in texts])
