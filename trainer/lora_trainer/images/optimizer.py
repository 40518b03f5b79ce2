"""What moves the adapter: AdamW, whole or with moments of eight bits, its learning rate, and the moving average."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lora_trainer.config import Config, bad
from lora_trainer.images.kohya_layout import text_encoder_rate

if TYPE_CHECKING:
    import torch
    from diffusers.training_utils import EMAModel

    from lora_trainer.images.adapters import Adapters

SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


def check_optimizer(config: Config) -> None:
    """Refuses moments of eight bits where nothing computes them. Raises TrainerFailure(bad_config)."""
    if config.params.optimizer == "adamw_8bit" and find_spec("bitsandbytes") is None:
        raise bad(
            "training_params.optimizer",
            "adamw_8bit needs bitsandbytes, which is not installed here.",
            "Set optimizer to adamw, or install bitsandbytes beside the trainer.",
        )


def make_optimizer(adapters: Adapters, denoiser: str, config: Config) -> torch.optim.Optimizer:
    """AdamW over the adapters; those of the text encoders have a learning rate of their own."""
    params = config.params
    groups = [
        {
            "params": adapters.parameters(name),
            "lr": params.learning_rate if name == denoiser else text_encoder_rate(params),
        }
        for name in adapters.models
    ]
    if params.optimizer == "adamw_8bit":
        from bitsandbytes.optim import AdamW8bit

        return AdamW8bit(groups, weight_decay=params.weight_decay)
    import torch

    return torch.optim.AdamW(groups, weight_decay=params.weight_decay, fused=config.values.device == "cuda")


def make_schedule(optimizer: torch.optim.Optimizer, config: Config) -> Any:
    from transformers import get_scheduler

    params = config.params
    return get_scheduler(SCHEDULES[params.lr_schedule], optimizer, params.warmup_steps, params.max_steps)


def average_of(parameters: list[torch.nn.Parameter], decay: float | None) -> EMAModel | None:
    """The moving average of an adapter. Its decay grows to `decay` over the first steps, as diffusers has it."""
    from diffusers.training_utils import EMAModel

    return None if decay is None else EMAModel(parameters, decay=decay)
