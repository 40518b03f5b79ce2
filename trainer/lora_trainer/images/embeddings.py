"""The texts of a run as the denoiser takes them: from the cache, from frozen encoders, or from encoders in training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from lora_trainer.images.data.caches import Tell, TextCache


class Embeddings:
    """Answers embeddings on the device. Encoders that are needed no more are let go."""

    def __init__(self, family: Any, trained: bool) -> None:
        self.family = family
        self.trained = trained
        self.cache: TextCache | None = None

    def fill(self, cache: TextCache, texts: list[str], tell: Tell) -> None:
        """Embeds all texts of the run once; from now on only these can be asked for."""
        cache.build(texts, self.family.encode_text, tell)
        self.take(cache)

    def take(self, cache: TextCache) -> None:
        """Has what a filled cache holds take the place of the encoders."""
        self.cache = cache
        self.family.parts.let_go("text_encoder", "text_encoder_2")

    def __call__(self, texts: list[str]) -> dict[str, torch.Tensor]:
        """A row a text."""
        parts = self.family.parts
        if self.cache is not None:
            return {name: rows.to(parts.device, parts.dtype) for name, rows in self.cache.get(texts).items()}
        with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
            return {name: rows.to(parts.dtype) for name, rows in self.family.encode_text(texts).items()}


Embed = Callable[[list[str]], dict[str, torch.Tensor]]
