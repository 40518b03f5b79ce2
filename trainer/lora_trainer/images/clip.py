"""What the recipes share of CLIP as a text encoder."""

from __future__ import annotations

import torch
from transformers import CLIPTokenizer

# As in diffusers' train_dreambooth_lora.py: attention.
ENCODER_TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj")


def clip_tokens(tokenizer: CLIPTokenizer, texts: list[str]) -> torch.Tensor:
    """Ids [N, 77]: a text's beginning where it is longer."""
    length = tokenizer.model_max_length
    return tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt").input_ids
