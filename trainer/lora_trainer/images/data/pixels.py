"""From the bytes of an image to the pixels of its bucket: decoded, scaled by one factor, cut."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from typing import TypeVar

import numpy as np
from PIL import Image

from lora_trainer.failure import TrainerFailure
from lora_trainer.images.data.archive import StoredImage, refused
from lora_trainer.images.data.buckets import Frame

FORMATS = ("JPEG", "PNG", "WEBP")
DECODERS = min(8, len(os.sched_getaffinity(0)))
"""Pillow decodes and scales without Python's lock; each thread holds one whole image for that long."""
AHEAD = 2 * DECODERS
"""Cut images that wait, or are under way, at most."""
REDUCING_GAP = 2.0
"""How much larger than wanted a JPEG is decoded at least, the rest is scaled well: as in Pillow's Image.thumbnail."""

Given = TypeVar("Given")
Made = TypeVar("Made")


def cut_image(data: bytes, image: StoredImage, frame: Frame) -> np.ndarray:
    """What the frame shows of an image: uint8 [height, width, 3]. Raises TrainerFailure(data), which names the file."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as picture:
            # Only the header was read by now; the manifest's size is bounded.
            if picture.size != (image.width, image.height):
                message = f"{image.file} has {picture.size[0]} by {picture.size[1]} pixels, its manifest says others."
                raise refused("wrong_size", message)
            # A JPEG is decoded at a half, a quarter or an eighth where that is still large enough.
            wanted = tuple(int(side * REDUCING_GAP) for side in frame.scaled)
            picture.draft("RGB", wanted)
            reduced = round(image.width / picture.size[0])
            box = tuple(edge / reduced for edge in frame.box(image.width, image.height))
            box = (*box[:2], min(box[2], picture.size[0]), min(box[3], picture.size[1]))
            cut = as_rgb(picture).resize(frame.bucket, Image.Resampling.LANCZOS, box=box)
            return np.asarray(cut)
    except (TrainerFailure, MemoryError):
        raise
    except Exception as error:  # Decoders raise whatever comes to them.
        reason = str(error) or type(error).__name__
        raise refused("corrupt_image", f"{image.file} cannot be decoded: {reason}"[:500]) from None


def as_rgb(picture: Image.Image) -> Image.Image:
    """The picture in RGB, what is transparent on white."""
    if picture.mode == "RGB" and "transparency" not in picture.info:
        picture.load()
        return picture
    if picture.mode in ("L", "CMYK", "YCbCr") and "transparency" not in picture.info:
        return picture.convert("RGB")
    colours = picture.convert("RGBA")
    white = Image.new("RGBA", colours.size, "white")
    return Image.alpha_composite(white, colours).convert("RGB")


def ahead(work: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """What `work` makes of each, in their order, a bounded number of them beforehand in threads."""
    pool = ThreadPoolExecutor(DECODERS, thread_name_prefix="decode")
    waiting: deque[Future[Made]] = deque()
    try:
        for one in given:
            waiting.append(pool.submit(work, one))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
