"""Images of the class for prior preservation: the dataset's own, and what they lack drawn once by the base model."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image

from lora_trainer.durable import publish_file
from lora_trainer.images.data.archive import StoredImage
from lora_trainer.images.data.buckets import Size, nearest_bucket
from lora_trainer.images.data.caches import Tell, in_chunks, quiet
from lora_trainer.images.data.image_set import ImageSet
from lora_trainer.images.data.tensor_cache import key_of

Generate = Callable[[list[str], list[int], int, int], Sequence[Image.Image]]
"""Prompts, the seed of each, width and height in pixels, to a picture each."""


def provide_class_images(
    image_set: ImageSet,
    prior: Any,
    job_folder: Path,
    identity: str,
    generate: Generate,
    batch_size: int,
    tell: Tell = quiet,
) -> int:
    """Puts at least `prior.class_images` class images beside the examples; answers how many were drawn now.

    Those of the dataset count first, each once whatever its repeats. The others are drawn in the sizes of the examples'
    buckets, at most `batch_size` at once, and kept below `job_folder`. `identity`: whatever decides on a drawing beside
    prompt, seed and size, as the sum of the base model's weights and the number of denoising steps.
    """
    own = list({image.sha256: image for image in image_set.archive.images if image.of_class}.values())
    folder = job_folder / "cache" / "class-images"
    folder.mkdir(parents=True, exist_ok=True)
    sizes = sizes_to_draw(image_set.images_by_bucket(), own, prior.class_images)
    keys = [key_of(identity, prior.class_prompt, image_set.seed + number, size) for number, size in enumerate(sizes)]
    kept = {number: image for number, key in enumerate(keys) if (image := read_kept(folder, key, sizes[number]))}
    lacking = [number for number in range(len(sizes)) if number not in kept]
    tell(len(kept), len(sizes))
    for size, numbers in groupby(lacking, key=sizes.__getitem__):
        for chunk in in_chunks(list(numbers), batch_size):
            seeds = [image_set.seed + number for number in chunk]
            pictures = generate([prior.class_prompt] * len(chunk), seeds, *size)
            for number, picture in zip(chunk, pictures, strict=True):
                kept[number] = keep(folder, keys[number], picture)
            tell(len(kept), len(sizes))
    image_set.add_class_images([*own, *(kept[number] for number in range(len(sizes)))])
    return len(lacking)


def sizes_to_draw(examples: Counter[Size], own: Sequence[StoredImage], count: int) -> list[Size]:
    """A size for each class image that is lacking to `count`, so that buckets get them as they have examples."""
    buckets = tuple(sorted(examples))
    have = Counter(nearest_bucket(image.width, image.height, buckets) for image in own)
    lacking: Counter[Size] = Counter()
    for _ in range(count - len(own)):
        # Whoever is poorest for its examples: images drawn and own ones, over examples.
        poorest = min(buckets, key=lambda bucket: (have[bucket] / examples[bucket], bucket))
        have[poorest] += 1
        lacking[poorest] += 1
    return [bucket for bucket in buckets for _ in range(lacking[bucket])]


def read_kept(folder: Path, key: str, size: Size) -> StoredImage | None:
    """A drawing of an earlier attempt; None where there is none that is whole. Its name says its sum."""
    for path in folder.glob(f"{key}.*.png"):
        sha256 = path.name.split(".")[1]
        if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return StoredImage(f"class image {key[:12]}", None, *size, 1, sha256, True, path)
        path.unlink()
    return None


def keep(folder: Path, key: str, picture: Image.Image) -> StoredImage:
    """Writes a drawing, whole or not at all."""
    file = BytesIO()
    picture.convert("RGB").save(file, "PNG", compress_level=1)
    data = file.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()
    path = folder / f"{key}.{sha256}.png"
    publish_file(path, data)
    return StoredImage(f"class image {key[:12]}", None, *picture.size, 1, sha256, True, path)
