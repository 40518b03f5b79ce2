"""The LoRA of an image model: on the denoiser and, if wished, the text encoders; how it lies in files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lora_trainer.base_model import first_line
from lora_trainer.config import Config, bad
from lora_trainer.durable import sha256_of
from lora_trainer.images.kohya_layout import kohya_facts, kohya_tensors

if TYPE_CHECKING:
    import torch

WEIGHTS = "pytorch_lora_weights.safetensors"
"""The name that diffusers looks for."""
KOHYA_WEIGHTS = "kohya_lora_weights.safetensors"
DIFFUSERS_FACTS = "lora_adapter_metadata"
"""Where diffusers looks for rank and alpha: loaders/lora_base.py, LORA_ADAPTER_METADATA_KEY."""


class Adapters:
    """The adapters of a run by the component that each is on."""

    def __init__(self, family: Any, config: Config) -> None:
        """Puts fresh adapters, drawn from the run's seed, on the denoiser and, if they are trained, the encoders."""
        import torch

        params = config.params
        torch.manual_seed(params.seed)
        self.config = config
        self.models: dict[str, Any] = {family.denoiser_name: family.denoiser}
        if params.train_text_encoder:
            self.models |= family.encoders
        for name, model in self.models.items():
            targets = family.denoiser_targets if name == family.denoiser_name else family.encoder_targets
            attach(model, settings_of(targets, params))
            if params.gradient_checkpointing:
                checkpoint_gradients(model)
        for start in config.values.init_adapters:
            self.read(Path(start.path), start.sha256)

    def parameters(self, name: str | None = None) -> list[torch.nn.Parameter]:
        """What is trained, of all components or of one."""
        models = self.models.values() if name is None else [self.models[name]]
        return [parameter for model in models for parameter in model.parameters() if parameter.requires_grad]

    def tensors(self) -> dict[str, torch.Tensor]:
        """All tensors on the CPU, `component.module.lora_A.weight` and lora_B, as PEFT names them."""
        from peft import get_peft_model_state_dict

        made = {}
        for name, model in self.models.items():
            for key, tensor in get_peft_model_state_dict(model).items():
                made[f"{name}.{key}"] = tensor.detach().to("cpu", copy=True).contiguous()
        return dict(sorted(made.items()))

    def set(self, tensors: dict[str, torch.Tensor]) -> None:
        """The opposite of `tensors`."""
        from peft import set_peft_model_state_dict

        for name, model in self.models.items():
            own = {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
            set_peft_model_state_dict(model, own)

    def write(self, folder: Path, facts: dict[str, str]) -> None:
        """Writes the adapter as diffusers lays it out, and once more as kohya's tools and ComfyUI do."""
        tensors, params = self.tensors(), self.config.params
        named = {new: tensors[old] for old, new in diffusers_names(list(tensors)).items()}
        settings = {
            f"{name}.{key}": value
            for name, model in self.models.items()
            for key, value in told_settings(model.peft_config["default"]).items()
        }
        told = {"format": "pt", DIFFUSERS_FACTS: json.dumps(settings, sort_keys=True)}
        save_ordered(named, folder / WEIGHTS, told | facts)
        layout = kohya_tensors(tensors, params.lora_alpha, self.config.values.model_kind)
        save_ordered(layout, folder / KOHYA_WEIGHTS, {"format": "pt"} | facts | kohya_facts(self.config, facts))

    def read(self, folder: Path, sha256: str) -> None:
        """Sets the adapter to that of a folder. Raises TrainerFailure(bad_config) where it is not the named one."""
        from safetensors.torch import load_file

        file = folder / WEIGHTS
        if not file.is_file() or file.is_symlink():
            raise bad("init_adapters", f"init_adapters: the folder has no {WEIGHTS}.")
        if sha256_of(file) != sha256:
            raise bad("init_adapters", "The adapter to start from is not the one that was named: its sha256 differs.")
        try:
            found = load_file(file)
        except Exception as error:
            # safetensors raises its own class for a file that is cut off.
            raise bad("init_adapters", f"The adapter cannot be read: {first_line(error)}") from error
        own = self.tensors()
        names = diffusers_names(list(own))
        same = found.keys() == set(names.values()) and all(found[names[key]].shape == own[key].shape for key in own)
        if not same:
            raise bad("init_adapters", "The adapter does not fit: its rank or its modules differ from this run's.")
        self.set({key: found[name] for key, name in names.items()})


def save_ordered(tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Writes a safetensors file that is the same to the byte each time: the library shuffles the metadata."""
    from safetensors.torch import save

    data = save(tensors, metadata=metadata)
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start]) | {"__metadata__": dict(sorted(metadata.items()))}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    # Eight bytes that count the header, and the header padded so that tensors lie on multiples of eight.
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[start:])


def settings_of(targets: tuple[str, ...], params: Any) -> Any:
    """A drawn from a normal distribution, B zero, as diffusers' DreamBooth scripts begin."""
    from peft import LoraConfig

    return LoraConfig(
        r=params.lora_rank,
        lora_alpha=params.lora_alpha,
        lora_dropout=params.lora_dropout,
        init_lora_weights="gaussian",
        target_modules=list(targets),
    )


def attach(model: Any, settings: Any) -> None:
    """Puts an adapter on a component of diffusers or transformers; it trains in fp32 whatever the component is in."""
    import torch
    from diffusers.training_utils import cast_training_params

    model.add_adapter(settings)
    cast_training_params(model, dtype=torch.float32)


def checkpoint_gradients(model: Any) -> None:
    if hasattr(model, "enable_gradient_checkpointing"):
        model.enable_gradient_checkpointing()
    else:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def told_settings(settings: Any) -> dict[str, Any]:
    """What it takes to put the adapter on again: any version of PEFT knows these fields."""
    return {
        "r": settings.r,
        "lora_alpha": settings.lora_alpha,
        "target_modules": sorted(settings.target_modules),
        "bias": "none",
    }


def diffusers_names(names: list[str]) -> dict[str, str]:
    """Names as `Adapters.tensors` gives them, to those in a file of diffusers.

    UNets and text encoders have names of their own, as its DreamBooth scripts write them; a transformer has PEFT's.
    transformers 5 dropped `text_model` from a CLIP encoder's names; files keep it, and whatever reads them takes both.
    """
    from diffusers.utils.state_dict_utils import StateDictType, convert_state_dict_to_diffusers

    made = {}
    for name in names:
        part, _, rest = name.partition(".")
        if part == "transformer":
            made[name] = name
            continue
        [new] = convert_state_dict_to_diffusers({rest: None}, StateDictType.PEFT)
        made[name] = f"{part}.{with_text_model(part, new)}"
    return made


def with_text_model(part: str, name: str) -> str:
    is_bare = part.startswith("text_encoder") and not name.startswith("text_model.")
    return f"text_model.{name}" if is_bare else name
