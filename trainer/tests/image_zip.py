"""Stored image datasets made on the spot, as the studio's check writes them."""

import hashlib
import json
import zipfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

from lora_trainer.config import Config


def picture(width: int, height: int, shade: int = 0) -> Image.Image:
    """Red grows from left to right, green from top to bottom, blue is `shade`: stretching and mirroring show."""
    red = np.broadcast_to(np.linspace(0, 255, width)[None, :], (height, width))
    green = np.broadcast_to(np.linspace(0, 255, height)[:, None], (height, width))
    blue = np.full((height, width), shade % 256)
    return Image.fromarray(np.stack([red, green, blue], axis=-1).round().astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **settings: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def manifest_line(number: int, data: bytes, size: tuple[int, int], **changes: object) -> dict:
    line = {"file": f"images/{number:06}.png", "caption": f"picture {number}", "width": size[0], "height": size[1]}
    return line | {"repeats": 1, "sha256": hashlib.sha256(data).hexdigest(), "class": False} | changes


def write_zip(path: Path, lines: list[dict], files: dict[str, bytes], **settings: object) -> Path:
    """A zip of a manifest and files, whether they fit together or not."""
    with zipfile.ZipFile(path, "w", **settings) as archive:
        archive.writestr("manifest.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_images(path: Path, sizes: list[tuple[int, int]], **changes: object) -> Path:
    """A dataset of one picture a size. `changes`: a field's value for all, or a list of one value each."""
    lines, files = [], {}
    for place, size in enumerate(sizes):
        data = encoded(picture(*size, shade=7 * place))
        given = {name: value[place] if isinstance(value, list) else value for name, value in changes.items()}
        line = manifest_line(place + 1, data, size, **given)
        lines.append(line)
        files[line["file"]] = data
    return write_zip(path, lines, files)


def image_config(path: Path, folder: Path | None = None, **changes: object) -> Config:
    """What the data of a run read of its configuration; `changes` name fields of it or of its training_params."""
    params = {"resolution": 128, "bucketing": True, "center_crop": True, "random_flip": False, "seed": 7}
    params |= {"batch_size": 2, "caption_dropout": 0.0}
    values = {"dataset_path": str(path), "job_folder": str(folder), "trigger_words": [], "instance_prompt": None}
    values |= {"prior": None}
    for name, value in changes.items():
        (params if name in params else values)[name] = value
    if isinstance(values["prior"], dict):
        values["prior"] = SimpleNamespace(**values["prior"])
    return Config({}, SimpleNamespace(**values, training_params=SimpleNamespace(**params)))
