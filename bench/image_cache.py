"""How fast the caches of an image training are built: images a second, as one line of JSON. Started by image-cache.ts.

python bench/image_cache.py [--images 48] [--device cpu]   (from the repository's root, with the trainer's Python
                                                                  and PYTHONPATH=trainer)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from lora_trainer.config import Config
from lora_trainer.images.data.caches import LatentCache, TextCache
from lora_trainer.images.data.image_set import ImageSet, open_images
from lora_trainer.images.data.pixels import DECODERS, ahead
from lora_trainer.memory import peak_resident_mb
from PIL import Image

Sizes = tuple[tuple[int, int], ...]
PHOTOGRAPHS: Sizes = ((3000, 2000), (2000, 3000), (2500, 2500))
"""Six megapixels in JPEG of quality 90, some three bits a pixel: what telephones write."""
KINDS = 6
VAE_BATCH = 4
CAPTIONS = 64
CLIP_TOKENS = 77
# AutoencoderKL of Stable Diffusion 1.5 (vae/config.json): 83.7 million weights; SDXL's has the same shape.
REAL_VAE = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 4}
# CLIPTextModel of Stable Diffusion 1.5 (text_encoder/config.json).
REAL_TEXT_ENCODER = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
BLOCKS = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}


def photograph(number: int, sizes: Sizes = PHOTOGRAPHS) -> tuple[bytes, tuple[int, int]]:
    """A JPEG and its size. Coarse shapes with grain on them: neither flat nor noise alone."""
    width, height = size = sizes[number % len(sizes)]
    draw = np.random.default_rng(number)
    coarse = Image.fromarray(draw.integers(0, 256, (24, 24, 3), dtype=np.uint8)).resize(size)
    grain = draw.normal(0, 8, (height, width, 1))
    file = BytesIO()
    Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue(), size


def write_dataset(path: Path, photographs: Iterable[tuple[bytes, tuple[int, int]]]) -> float:
    """A stored dataset of them; answers megabytes."""
    lines, total = [], 0
    with zipfile.ZipFile(path, "w") as archive:
        for number, (data, (width, height)) in enumerate(photographs, 1):
            line = {"file": f"images/{number:06}.jpg", "caption": "a photo", "width": width, "height": height}
            lines.append(line | {"repeats": 1, "sha256": hashlib.sha256(data).hexdigest(), "class": False})
            archive.writestr(line["file"], data)
            total += len(data)
        archive.writestr("manifest.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    return total / 1e6


def many(images: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """So many photographs, of which few are different but for their last bytes."""
    kinds = [photograph(number) for number in range(min(KINDS, images))]
    for number in range(images):
        data, size = kinds[number % len(kinds)]
        # Behind the end mark of a JPEG nothing is decoded, so each has a sum of its own.
        yield data + number.to_bytes(4, "big"), size


def opened(path: Path, resolution: int) -> ImageSet:
    params = {"resolution": resolution, "bucketing": True, "center_crop": False, "random_flip": False, "seed": 1}
    values = {"dataset_path": str(path), "trigger_words": [], "instance_prompt": None, "prior": None}
    training = SimpleNamespace(**params, batch_size=1, caption_dropout=0.0)
    return open_images(Config({}, SimpleNamespace(**values, training_params=training)))


def rate(work: Callable[[], object], images: int) -> float:
    began = time.monotonic()
    work()
    return images / (time.monotonic() - began)


def averages(pixels: torch.Tensor) -> dict[str, torch.Tensor]:
    """As many numbers as a VAE's latents, for nothing: what is left is the work on the data."""
    mean = torch.nn.functional.avg_pool2d(pixels, 8)
    return {"mean": mean[:, [0, 1, 2, 0]], "std": mean[:, [0, 1, 2, 0]].abs()}


def figures_of(path: Path, images: int, resolution: int, folder: Path) -> list[dict]:
    image_set = opened(path, resolution)
    few = image_set.examples[: max(4, images // 4)]
    one_by_one = rate(lambda: [image_set.cut(example) for example in few], len(few))
    in_threads = rate(lambda: list(ahead(image_set.cut, image_set.examples)), images)
    size = f"{resolution} px"
    found = [
        {"what": f"{size}: decoded and cut, one after the other", "images_per_second": one_by_one},
        {"what": f"{size}: decoded and cut, {DECODERS} threads", "images_per_second": in_threads},
    ]

    def build(name: str, encode: Callable) -> float:
        return rate(lambda: LatentCache(folder / name, name).build(image_set, encode, VAE_BATCH), images)

    for what in ("cache built, a VAE that takes no time", "cache of an earlier attempt checked"):
        found.append({"what": f"{size}: {what}", "images_per_second": build(f"averages{resolution}", averages)})
    return found


def with_real_vae(path: Path, images: int, resolution: int, device: str, folder: Path) -> list[dict]:
    """The same with weights of the size that is trained with. On a processor four images say it: each takes seconds."""
    from diffusers import AutoencoderKL

    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    vae = AutoencoderKL(**REAL_VAE, **BLOCKS).to(device, dtype)

    def encode(pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        latents = vae.encode(pixels.to(device, dtype)).latent_dist
        return {"mean": latents.mean, "std": latents.std}

    image_set = opened(path, resolution)
    count = images if device == "cuda" else VAE_BATCH
    image_set.examples[:] = image_set.examples[:count]
    pixels = image_set.pixels(image_set.views([0] * VAE_BATCH, 0, 0))

    def alone() -> None:
        with torch.no_grad():
            for _ in range(count // VAE_BATCH):
                encode(pixels)
        if device == "cuda":
            torch.cuda.synchronize()

    if device == "cuda":
        alone()
    what = f"{resolution} px, {str(dtype).removeprefix('torch.')}"
    found = [{"what": f"{what}: a VAE of SD's size alone", "images_per_second": rate(alone, count)}]
    cache = LatentCache(folder / f"real{resolution}", "real")
    built = rate(lambda: cache.build(image_set, encode, VAE_BATCH), count)
    return [*found, {"what": f"{what}: cache built, that VAE", "images_per_second": built}]


def texts_figure(device: str, folder: Path) -> dict:
    """Captions through a text encoder of SD's size (that of SDXL beside it is eight times as large)."""
    from transformers import CLIPTextConfig, CLIPTextModel

    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    encoder = CLIPTextModel(CLIPTextConfig(**REAL_TEXT_ENCODER)).to(device, dtype).eval()
    texts = [f"a photo, number {number}" for number in range(CAPTIONS)]

    def encode(some: list[str]) -> dict[str, torch.Tensor]:
        ids = [[int.from_bytes(text.encode()[-2:], "big") % 49_000] * CLIP_TOKENS for text in some]
        return {"prompt": encoder(torch.tensor(ids, device=device))[0]}

    built = rate(lambda: TextCache(folder / "texts", "real").build(texts, encode), CAPTIONS)
    return {"what": "text embeddings cached, an encoder of SD's size", "images_per_second": built}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=48)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lowrank-bench-images-") as temporary:
        folder = Path(temporary)
        megabytes = write_dataset(folder / "images.zip", many(args.images))
        # Forgets the peak that making the photographs had (proc(5), clear_refs).
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_resident_mb()
        path, figures = folder / "images.zip", []
        for resolution in (512, 1024):
            figures += figures_of(path, args.images, resolution, folder)
        grown = peak_resident_mb() - before
        for resolution in (512, 1024) if args.device == "cuda" else (512,):
            figures += with_real_vae(path, args.images, resolution, args.device, folder)
        figures.append(texts_figure(args.device, folder))
    print(json.dumps({"images": args.images, "megabytes": megabytes, "grown_mb": grown, "figures": figures}))


if __name__ == "__main__":
    main()
