import math
import random

import numpy as np
import pytest

from image_zip import encoded, picture
from lora_trainer.images.data.archive import StoredImage
from lora_trainer.images.data.buckets import bucket_sizes, frame_image, nearest_bucket
from lora_trainer.images.data.pixels import cut_image


def shapes(count, seed):
    """Random sizes of images, from stamps to panoramas."""
    draw = random.Random(seed)
    return [(round(math.exp(draw.uniform(3, 9))), round(math.exp(draw.uniform(3, 9)))) for _ in range(count)]


@pytest.mark.parametrize("resolution", [64, 128, 256, 320, 512, 768, 1024, 2048])
def test_buckets_have_sides_in_steps_and_areas_within_the_resolution(resolution):
    sizes = bucket_sizes(resolution, True)
    assert (resolution, resolution) in sizes
    for width, height in sizes:
        assert width % 64 == height % 64 == 0
        assert 0 < width * height <= resolution**2
        assert (height, width) in sizes
        # One step more on the shorter side would be too much, but for the longest shapes.
        short, long = sorted((width, height))
        assert long * (short + 64) > resolution**2 or long == max(1024, 2 * resolution)
    assert bucket_sizes(resolution, False) == ((resolution, resolution),)


def test_the_buckets_of_512_are_those_of_kohya():
    """What `make_bucket_resolutions((512, 512))` of sd-scripts answers."""
    tall = [(256, 1024), (320, 768), (384, 640), (448, 576)]
    wide = [(576, 448), (640, 384), (704, 320), (768, 320), (832, 256), (896, 256), (960, 256), (1024, 256)]
    mirrored = [(256, 832), (256, 896), (256, 960), (320, 704)]
    assert sorted(bucket_sizes(512, True)) == sorted([*tall, *wide, *mirrored, (512, 512)])


def test_no_image_is_ever_stretched():
    """For any size of image: one factor for both sides, and all of one side is kept."""
    for count, resolution in enumerate([64, 256, 512, 1024], start=1):
        sizes = bucket_sizes(resolution, True)
        for width, height in shapes(500, count):
            bucket = nearest_bucket(width, height, sizes)
            for draw in (None, random.Random(width)):
                frame = frame_image(width, height, bucket, draw)
                left, top, right, bottom = frame.box(width, height)
                assert 0 <= left < right <= width
                assert 0 <= top < bottom <= height
                # The factors of the two sides are the same one: nothing is stretched, not by a pixel of rounding.
                across, down = bucket[0] / (right - left), bucket[1] / (bottom - top)
                assert across == pytest.approx(down, rel=1e-9)
                assert (right - left) == pytest.approx(width) or (bottom - top) == pytest.approx(height)
                # The scaled image has the source's shape within a pixel, and the crop lies in it.
                assert abs(frame.scaled[0] - width * across) <= 1
                assert abs(frame.scaled[1] - height * down) <= 1
                assert 0 <= frame.left <= frame.scaled[0] - bucket[0]
                assert 0 <= frame.top <= frame.scaled[1] - bucket[1]


def test_an_image_goes_where_least_of_it_is_cut_off():
    sizes = bucket_sizes(512, True)
    for width, height in shapes(300, 9):

        def kept(size, width=width, height=height):
            ratio = size[0] * height / (size[1] * width)
            return min(ratio, 1 / ratio)

        bucket = nearest_bucket(width, height, sizes)
        assert kept(bucket) == pytest.approx(max(kept(size) for size in sizes))
        assert nearest_bucket(height, width, sizes) == bucket[::-1]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize(("width", "height"), [(700, 500), (97, 301), (64, 64), (1500, 1490), (2000, 130)])
def test_pixels_show_the_kept_part_at_one_scale(kind, width, height):
    """Red tells how far to the right a pixel was and green how far down: both grow by the same factor."""
    data = encoded(picture(width, height), kind, **({"quality": 100, "subsampling": 0} if kind == "JPEG" else {}))
    bucket = nearest_bucket(width, height, bucket_sizes(128, True))
    frame = frame_image(width, height, bucket, random.Random(3))
    cut = cut_image(data, StoredImage("x", None, width, height, 1, "", False), frame)
    assert cut.shape == (bucket[1], bucket[0], 3)
    left, top, right, bottom = frame.box(width, height)
    middle = cut.astype(float)[bucket[1] // 2, bucket[0] // 2]
    wanted = [255 * ((left + right) / 2) / width, 255 * ((top + bottom) / 2) / height]
    assert np.abs(middle[:2] - wanted).max() < 255 / min(bucket) + 3
    scale = bucket[0] / (right - left)
    for axis, size, channel in ((1, width, 0), (0, height, 1)):
        line = cut.astype(float).mean(axis=1 - axis)[:, channel]
        inner = line[4:-4]
        slope = (inner[-1] - inner[0]) / (len(inner) - 1)
        assert slope * scale * size / 255 == pytest.approx(1, rel=0.08)
