"""Checks that an image adapter fits its base, tensor by tensor, without reading the base's weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lora_trainer.base_model import refused
from lora_trainer.images.adapters import DIFFUSERS_FACTS, WEIGHTS, diffusers_names
from lora_trainer.images.pipeline_folder import INDEX

DENOISERS = ("unet", "transformer")


def check_image_adapter(base: Path, adapter: Path) -> dict:
    """Puts the adapter on components without data and compares every tensor. `problems` is empty if it fits."""
    import torch
    from peft import LoraConfig, get_peft_model_state_dict
    from safetensors import safe_open

    with safe_open(adapter / WEIGHTS, "pt") as file:
        told = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
    settings: dict[str, dict[str, Any]] = {}
    for name, value in json.loads(told.get(DIFFUSERS_FACTS, "{}")).items():
        part, _, field = name.partition(".")
        settings.setdefault(part, {})[field] = value
    own = {}
    for part, fields in settings.items():
        with torch.device("meta"):
            model = empty_part(base, part)
            model.add_adapter(LoraConfig(**fields))
        own |= {f"{part}.{name}": tensor.shape for name, tensor in get_peft_model_state_dict(model).items()}
    names = diffusers_names(list(own))
    expected = {names[name]: shape for name, shape in own.items()}
    problems = [f"{name} is missing" for name in expected.keys() - tensors.keys()]
    if (denoiser := denoiser_of(base)) not in settings:
        problems.append(f"the adapter is not on the {denoiser}, which draws: its metadata names no settings of it")
    problems += [f"{name} belongs to no module" for name in tensors.keys() - expected.keys()]
    for name in expected.keys() & tensors.keys():
        if tensors[name].shape != expected[name]:
            problems.append(f"{name} has the shape {[*tensors[name].shape]}, not {[*expected[name]]}")
        elif not torch.isfinite(tensors[name]).all():
            problems.append(f"{name} holds values that are not finite")
    return {
        "ok": not problems and bool(tensors),
        "problems": sorted(problems)[:20] if tensors else ["the adapter holds no tensors"],
        "tensors": len(tensors),
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "base_model": told.get("base_model"),
        "rank": int(told.get("lora_rank", 0)),
    }


def denoiser_of(base: Path) -> str:
    """The component that draws. Raises TrainerFailure."""
    index = json.loads((base / INDEX).read_text("utf-8"))
    found = [name for name in DENOISERS if (index.get(name) or [None])[0] is not None]
    if not found:
        raise refused(f"The base model has no {' and no '.join(DENOISERS)}.", "Take the adapter's own base model.")
    return found[0]


def empty_part(base: Path, part: str) -> Any:
    """A component of the pipeline by its configuration alone. Raises TrainerFailure."""
    import diffusers
    import transformers

    library, name = json.loads((base / INDEX).read_text("utf-8")).get(part, (None, None))
    kind = getattr({"diffusers": diffusers, "transformers": transformers}.get(library), str(name), None)
    if kind is None:
        raise refused(f"The base model has no {part} that is known here.", "Take the adapter's own base model.")
    if library == "diffusers":
        return kind.from_config(kind.load_config(base / part, local_files_only=True))
    return kind(kind.config_class.from_pretrained(base / part, local_files_only=True))
