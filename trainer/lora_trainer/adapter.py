"""The LoRA adapter: put on a base model, written as a PEFT folder, read back, and its model card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from lora_trainer.base_model import first_line
from lora_trainer.config import Config, bad
from lora_trainer.durable import sha256_of
from lora_trainer.failure import TrainerFailure
from lora_trainer.tokenize import TOKENIZER_FILES

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

WEIGHTS = "adapter_model.safetensors"
SETTINGS = "adapter_config.json"


def attach_adapter(model: PreTrainedModel, config: Config) -> PeftModel:
    """Freezes the base and puts a fresh adapter on it, drawn from the run's seed. Raises TrainerFailure(bad_config)."""
    import torch
    from peft import LoraConfig, get_peft_model

    params = config.params
    targets = params.target_modules
    if targets != "all-linear":
        linear = {name.rsplit(".", 1)[-1] for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)}
        unknown = [name for name in targets if not any(path.endswith(name) for path, _ in model.named_modules())]
        if unknown:
            raise bad(
                "training_params.target_modules",
                f"The base model has no module named {unknown[0]!r}.",
                f"Its linear modules are: {', '.join(sorted(linear))}."[:500],
            )
    torch.manual_seed(params.seed)
    settings = LoraConfig(
        task_type="CAUSAL_LM",
        r=params.lora_rank,
        lora_alpha=params.lora_alpha,
        lora_dropout=params.lora_dropout,
        target_modules=targets,
        use_dora=config.values.method == "dora",
        bias="none",
    )
    try:
        adapted = get_peft_model(model, settings)
    except ValueError as error:
        raise bad("training_params.target_modules", f"No adapter can be put there: {first_line(error)}") from error
    for start in config.values.init_adapters:
        read_adapter(adapted, Path(start.path), start.sha256)
    return adapted


def adapter_tensors(model: PeftModel) -> dict[str, torch.Tensor]:
    """The adapter's tensors on the CPU under the names that PEFT gives them in files."""
    from peft import get_peft_model_state_dict

    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(state.items())}


def is_on_hub(config: Config) -> bool:
    return config.raw["base_model"].get("on_hub", True)


def base_location(config: Config) -> str:
    """Where the base is loaded from elsewhere: its id on the Hub, else a path to be filled in."""
    name = config.values.base_model.id
    return name if is_on_hub(config) else f"/path/to/{name.rsplit('/', 1)[-1]}"


def write_adapter(folder: Path, model: PeftModel, config: Config) -> None:
    """Writes adapter_config.json and adapter_model.safetensors; the base is named, its path here never."""
    from safetensors.torch import save_file

    settings = model.peft_config["default"].to_dict()
    settings |= {"base_model_name_or_path": base_location(config), "inference_mode": True}
    settings |= {"revision": config.values.base_model.revision}
    settings = {name: sorted(value) if isinstance(value, set) else value for name, value in sorted(settings.items())}
    (folder / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n")
    save_file(adapter_tensors(model), folder / WEIGHTS, metadata={"format": "pt"})


def read_adapter(model: PeftModel, folder: Path, sha256: str | None = None) -> None:
    """Sets the adapter to the tensors of a folder. Raises TrainerFailure(bad_config) where they are not its own."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    file = folder / WEIGHTS
    field = "init_adapters" if sha256 else "resume_from"
    if not file.is_file() or file.is_symlink():
        raise bad(field, f"{field}: the folder has no {WEIGHTS}.")
    if sha256 and sha256_of(file) != sha256:
        raise bad(field, "The adapter to start from is not the one that was named: its sha256 differs.")
    try:
        tensors = load_file(file)
    except Exception as error:
        # safetensors raises its own class for a file that is cut off.
        raise bad(field, f"The adapter cannot be read: {first_line(error)}") from error
    own = adapter_tensors(model)
    same = tensors.keys() == own.keys() and all(tensors[name].shape == own[name].shape for name in own)
    if not same:
        raise bad(field, "The adapter does not fit: its rank or target modules differ from this run's.")
    set_peft_model_state_dict(model, tensors)


def copy_tokenizer(folder: Path, base: Path) -> None:
    """Puts the base's tokenizer beside the adapter, so that prompts are written as in training."""
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)


def batch_words(config: Config) -> str:
    """A step's rows: those of a pass, passes, devices."""
    params, devices = config.params, config.values.devices
    shared = f" on {devices} devices" if devices > 1 else ""
    return f"{params.batch_size} x {params.grad_accum}{shared}"


def model_card(config: Config, figures: dict) -> str:
    """README.md of the adapter: what it is, how it was made, lines that load it."""
    base, params = config.values.base_model, config.params
    revision = f', revision="{base.revision}"' if base.revision else ""
    rows = {
        "Base model": f"`{base.id}`" + (f" at `{base.revision}`" if base.revision else ""),
        "Method": f"{config.values.method}, rank {params.lora_rank}, alpha {params.lora_alpha:g}",
        "Learning rate": f"{params.learning_rate:g}, {params.lr_schedule}, {params.warmup_steps} warm-up steps",
        "Batch": f"{batch_words(config)}, up to {params.max_seq_length} tokens",
        "Steps": figures["steps"],
        "Loss": show(figures["final_loss"]),
        "Evaluation loss": show(figures["eval_loss"]),
        "Seed": params.seed,
    }
    on_hub = is_on_hub(config)
    card = f"base_model: {json.dumps(base.id)}\n" if on_hub else ""
    told = f"# The base model {json.dumps(base.id)} is not on the Hub: put the path of its folder here.\n"
    where = "" if on_hub else told
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"""---
{card}library_name: peft
pipeline_tag: text-generation
tags:
- lora
---

# LoRA adapter for {base.id}

| | |
| --- | --- |
{table}

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "path/to/this/folder"
tokenizer = AutoTokenizer.from_pretrained(folder)
{where}base = {json.dumps(base_location(config))}
model = AutoModelForCausalLM.from_pretrained(base{revision})
model = PeftModel.from_pretrained(model, folder)
```

`passport.json` of the same run names its data, versions and complete configuration.
"""


def show(figure: float | None) -> str:
    return "not measured" if figure is None else f"{figure:.4f}"


def check_init_adapters(config: Config) -> None:
    """Refuses an adapter to start from before the base model is loaded. Raises TrainerFailure(bad_config)."""
    for start in config.values.init_adapters:
        if not (Path(start.path) / WEIGHTS).is_file():
            raise TrainerFailure(
                "bad_config", f"init_adapters: the folder has no {WEIGHTS}.", "Name an adapter folder.", "init_adapters"
            )
