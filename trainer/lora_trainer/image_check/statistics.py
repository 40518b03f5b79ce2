"""What a dataset of pictures is like: sizes, shapes, captions and repeats, as a training will see them."""

from __future__ import annotations

from collections import Counter

from lora_trainer.image_check.captions import clip_tokens_at_least
from lora_trainer.image_check.store import Kept
from lora_trainer.images.data.buckets import bucket_sizes, cover_scale, nearest_bucket

# The resolutions that most are trained at; a job counts with its own.
RESOLUTIONS = (512, 1024)
FOLDERS_SHOWN = 50


def describe_images(
    kept: list[Kept], folders: Counter[tuple[str, int, bool]], formats: Counter[str], sources: Counter[str]
) -> dict:
    """What the report tells of the pictures that are kept. `folders`: pictures by folder, repeats, if of the class."""
    own = [one for one in kept if not one.is_class]
    captions = [one.caption for one in own if one.caption is not None]
    return {
        "images": len(own),
        "class_images": len(kept) - len(own),
        "samples_per_epoch": sum(one.repeats for one in own),
        "formats": dict(sorted(formats.items())),
        "sides": {
            "short": spread([min(one.width, one.height) for one in own]),
            "long": spread([max(one.width, one.height) for one in own]),
        },
        "captions": {
            "with": len(captions),
            "without": len(own) - len(captions),
            "different": len(set(captions)),
            "sources": dict(sorted(sources.items())),
            "clip_tokens_at_least": spread([clip_tokens_at_least(caption) for caption in captions]),
        },
        "folders": [
            {"folder": folder, "repeats": repeats, "is_class": is_class, "images": count}
            for (folder, repeats, is_class), count in sorted(folders.items())[:FOLDERS_SHOWN]
        ],
        "folders_total": len(folders),
        "buckets": {str(resolution): bucket_table(own, resolution) for resolution in RESOLUTIONS},
    }


def spread(values: list[int]) -> dict | None:
    """Least, middle and greatest; None of nothing."""
    if not values:
        return None
    values = sorted(values)
    return {"min": values[0], "median": values[(len(values) - 1) // 2], "max": values[-1]}


def bucket_table(kept: list[Kept], resolution: int) -> list[dict]:
    """
    Pictures by the aspect bucket that a training at this resolution puts them in, the fullest first. `samples` counts
    repeats; `enlarged` pictures are smaller than their bucket; `cut_share`, 0 to 1, is the mean share that is cut off.
    """
    sizes = bucket_sizes(resolution, True)
    table: dict[tuple[int, int], list[Kept]] = {}
    for one in kept:
        table.setdefault(nearest_bucket(one.width, one.height, sizes), []).append(one)
    rows = []
    for (width, height), within in table.items():
        scales = [cover_scale(one.width, one.height, (width, height)) for one in within]
        pairs = zip(within, scales, strict=True)
        cut = [1 - width * height / (one.width * one.height * scale**2) for one, scale in pairs]
        rows.append(
            {
                "width": width,
                "height": height,
                "images": len(within),
                "samples": sum(one.repeats for one in within),
                "enlarged": sum(scale > 1 for scale in scales),
                "cut_share": round(max(0.0, sum(cut) / len(cut)), 4),
            }
        )
    return sorted(rows, key=lambda row: (-row["samples"], row["width"]))
