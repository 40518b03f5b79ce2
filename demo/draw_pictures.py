"""Draws the image demo's dataset: red circles on paper, a caption beside each, in one zip.

    python draw_pictures.py OUT.zip

The caption is of words that the tokenizers of make_tiny_pipelines.py know. No picture of anybody else is in it.
"""

from __future__ import annotations

import argparse
import random
import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

SIDE = 256
PICTURES = 24
RED = (200, 50, 45)
CAPTION = "a photo of a red circle"
"""One for all: a training draws a sample of each."""
SEED = 5
# What a zip's entries need as their time; the same file comes out whenever it is written.
TIME = (2026, 1, 1, 0, 0, 0)


def picture(rng: random.Random) -> Image.Image:
    """A circle of drawn size at a drawn place, on paper of a drawn shade."""
    shade = rng.randrange(225, 250)
    paper = Image.new("RGB", (SIDE, SIDE), (shade, shade, shade - 8))
    size = rng.randrange(SIDE // 3, SIDE // 2)
    left, top = rng.randrange(SIDE - size), rng.randrange(SIDE - size)
    ImageDraw.Draw(paper).ellipse((left, top, left + size, top + size), fill=RED)
    return paper


def pictures() -> list[Image.Image]:
    rng = random.Random(SEED)
    return [picture(rng) for _ in range(PICTURES)]


def write_pictures(path: Path) -> None:
    """Writes the zip: NN.png and NN.txt."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, made in enumerate(pictures(), 1):
            file = BytesIO()
            made.save(file, "PNG")
            archive.writestr(zipfile.ZipInfo(f"{number:02}.png", TIME), file.getvalue())
            archive.writestr(zipfile.ZipInfo(f"{number:02}.txt", TIME), CAPTION)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=Path, help="the zip to write")
    write_pictures(parser.parse_args().out)


if __name__ == "__main__":
    main()
