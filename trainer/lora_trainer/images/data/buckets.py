"""Aspect buckets: the sizes that images are trained in, and which part of an image its bucket shows."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache

Size = tuple[int, int]
"""Width and height in pixels."""

BUCKET_STEP = 64
"""kohya's `bucket_reso_steps` (sd-scripts, library/train_util.py)."""
SIDE_MIN = 256
"""kohya's `min_bucket_reso`; half the resolution where that is less, or small resolutions had squares alone."""
SIDE_MAX = 1024
"""kohya's `max_bucket_reso`, which is twice its default resolution; twice the resolution where that is more, as in
SDXL's own table of 512 to 2048 pixels (Podell et al. 2023, appendix I)."""


@lru_cache(maxsize=64)
def bucket_sizes(resolution: int, bucketing: bool) -> tuple[Size, ...]:
    """The buckets of a resolution: areas of at most resolution², sides in steps of 64.

    For each width the greatest height, and each pair both ways round: kohya's `make_bucket_resolutions`
    (sd-scripts, library/model_util.py).
    """
    if not bucketing:
        return ((resolution, resolution),)
    area = resolution * resolution
    low = max(BUCKET_STEP, min(SIDE_MIN, resolution // 2 // BUCKET_STEP * BUCKET_STEP))
    high = max(SIDE_MAX, 2 * resolution)
    sizes = {(resolution, resolution)}
    for width in range(low, high + 1, BUCKET_STEP):
        height = min(high, area // width // BUCKET_STEP * BUCKET_STEP)
        if height >= low:
            sizes |= {(width, height), (height, width)}
    return tuple(sorted(sizes))


@lru_cache(maxsize=65_536)
def nearest_bucket(width: int, height: int, sizes: tuple[Size, ...]) -> Size:
    """The bucket whose shape is nearest to an image's, so that least of it is cut off; of equals the largest."""

    def distance(size: Size) -> tuple[float, int]:
        # Of ratios, so that wide and tall images are treated alike; kohya takes the difference of width/height.
        return abs(math.log(width * size[1] / (height * size[0]))), -size[0] * size[1]

    return min(sizes, key=distance)


@dataclass(frozen=True, slots=True)
class Frame:
    """How an image lies in its bucket: scaled, with one factor for both sides, until it covers it, and cut to it."""

    bucket: Size
    scaled: Size
    """The whole image after scaling, rounded to pixels."""
    left: int
    top: int
    """Where in the scaled image the bucket's upper left corner lies."""

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """What is kept of an image of this size, in its own pixels: left, top, right, bottom; of the bucket's shape."""
        scale = cover_scale(width, height, self.bucket)
        kept_width, kept_height = self.bucket[0] / scale, self.bucket[1] / scale
        # `scaled` is rounded, so its last pixel may begin up to half a pixel too far.
        left = max(0.0, min(self.left / scale, width - kept_width))
        top = max(0.0, min(self.top / scale, height - kept_height))
        return left, top, min(width, left + kept_width), min(height, top + kept_height)


def cover_scale(width: int, height: int, bucket: Size) -> float:
    """The least factor by which an image covers a bucket."""
    return max(bucket[0] / width, bucket[1] / height)


def frame_image(width: int, height: int, bucket: Size, draw: random.Random | None) -> Frame:
    """The frame of an image in a bucket. `draw` decides what is cut off; None: the same on both sides."""
    scale = cover_scale(width, height, bucket)
    scaled = (max(bucket[0], round(width * scale)), max(bucket[1], round(height * scale)))
    room = (scaled[0] - bucket[0], scaled[1] - bucket[1])
    if draw is None:
        left, top = room[0] // 2, room[1] // 2
    else:
        left, top = draw.randint(0, room[0]), draw.randint(0, room[1])
    return Frame(bucket, scaled, left, top)
