"""Files as people upload them: pictures like no other, packed in every way."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def drawing(number: int, width: int = 600, height: int = 520) -> Image.Image:
    """A picture like no other: coarse noise of a seed, enlarged."""
    cells = np.random.default_rng(number).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)


def packed(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


PLAIN = {f"{number}.jpg": packed(drawing(number)) for number in range(6)}


def zipped(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path
