"""Pictures drawn by the model in training: samples on fixed seeds, and images of the class for prior preservation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import torch
from diffusers.image_processor import VaeImageProcessor

from lora_trainer.images.latents import decode_latents

if TYPE_CHECKING:
    from PIL.Image import Image

Embed = Callable[[list[str]], dict[str, torch.Tensor]]


@contextmanager
def on_device(model: torch.nn.Module, device: torch.device) -> Iterator[None]:
    """Has a model on the device for a while, and back where it was."""
    before = next(model.parameters()).device
    model.to(device)
    try:
        yield
    finally:
        if before != device:
            model.to(before)
            torch.cuda.empty_cache()


@contextmanager
def at_rest(models: list[torch.nn.Module]) -> Iterator[None]:
    """Without dropout, and with the random numbers of the training left as they are."""
    training = [model.training for model in models]
    for model in models:
        model.eval()
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    try:
        with torch.random.fork_rng(devices=devices), torch.no_grad():
            yield
    finally:
        for model, was in zip(models, training, strict=True):
            model.train(was)


def draw(
    family: Any, embed: Embed, prompts: list[str], seeds: list[int], width: int, height: int, steps: int
) -> list[Image]:
    """A picture for each prompt. Noise is drawn on the CPU: the same on every device but for rounding."""
    device, dtype = family.parts.device, family.parts.dtype
    pipeline = family.pipeline()
    pipeline.set_progress_bar_config(disable=True)
    text = {name: rows.to(device, dtype) for name, rows in embed(prompts).items()}
    empty = {name: rows.to(device, dtype).expand(len(prompts), *rows.shape[1:]) for name, rows in embed([""]).items()}
    with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        drawn = pipeline(
            **family.pipeline_inputs(text, empty),
            num_inference_steps=steps,
            width=width,
            height=height,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            output_type="latent",
        ).images
    with on_device(family.vae, device):
        pixels = decode_latents(family.vae, family.drawn_latents(drawn, width, height))
    return VaeImageProcessor().postprocess(pixels.float().cpu(), output_type="pil")


def as_png(picture: Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
