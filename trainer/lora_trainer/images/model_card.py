"""README.md of an image adapter: what it is, how it was made, lines that load it."""

from __future__ import annotations

import json

from lora_trainer.adapter import base_location, batch_words, is_on_hub, show
from lora_trainer.config import Config
from lora_trainer.images.adapters import KOHYA_WEIGHTS, WEIGHTS


def model_card(config: Config, figures: dict) -> str:
    """`figures`: those of the line `done`."""
    values, params = config.values, config.params
    base = values.base_model
    rows = {
        "Base model": f"`{base.id}`" + (f" at `{base.revision}`" if base.revision else ""),
        "Method": f"{values.method}, rank {params.lora_rank}, alpha {params.lora_alpha:g}",
        "Trigger words": ", ".join(f"`{word}`" for word in values.trigger_words) or "none",
        "Learning rate": f"{params.learning_rate:g}, {params.lr_schedule}, {params.warmup_steps} warm-up steps",
        "Batch": f"{batch_words(config)} at {params.resolution} pixels",
        "Steps": figures["steps"],
        "Loss": show(figures["final_loss"]),
        "Seed": params.seed,
    }
    card = f"base_model: {json.dumps(base.id)}\n" if is_on_hub(config) else ""
    told = f"# The base model {json.dumps(base.id)} is not on the Hub: put the path of its folder here.\n"
    revision = f', revision="{base.revision}"' if base.revision else ""
    prompt = values.instance_prompt or " ".join(values.trigger_words) or "a photo"
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"""---
{card}library_name: diffusers
pipeline_tag: text-to-image
tags:
- lora
- text-to-image
---

# LoRA adapter for {base.id}

| | |
| --- | --- |
{table}

```python
import torch
from diffusers import DiffusionPipeline

{"" if is_on_hub(config) else told}base = {json.dumps(base_location(config))}
pipeline = DiffusionPipeline.from_pretrained(base{revision}, torch_dtype=torch.bfloat16).to("cuda")
pipeline.load_lora_weights("path/to/this/folder", weight_name="{WEIGHTS}")
image = pipeline({json.dumps(prompt)}).images[0]
```

`{KOHYA_WEIGHTS}` is the same adapter for kohya's tools, ComfyUI and programs like them.
`passport.json` of the same run names its data, versions and complete configuration.
"""
