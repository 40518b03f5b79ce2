"""How many steps a run has, and the switches of transformers' Trainer for it."""

from __future__ import annotations

import math
from typing import Any

from transformers import TrainingArguments

from lora_trainer.config import Config

SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


def steps_an_epoch(packs: int, params: Any, devices: int = 1) -> int:
    """Optimizer steps of one pass over the packs; the last one may be small."""
    batches = -(-packs // params.batch_size)
    return -(-batches // (params.grad_accum * devices))


def steps_of(packs: int, params: Any, devices: int = 1) -> int:
    """Optimizer steps of a run: those of its epochs, at most max_steps."""
    by_epochs = math.inf if params.epochs is None else math.ceil(params.epochs * steps_an_epoch(packs, params, devices))
    return int(min(by_epochs, params.max_steps or math.inf))


def arguments_of(config: Config, steps: int) -> TrainingArguments:
    """Trainer's own switches; what it logs, saves and evaluates by itself is off."""
    params, cuda = config.params, config.values.device == "cuda"
    arguments = TrainingArguments(
        output_dir=str(config.output),
        max_steps=steps,
        per_device_train_batch_size=params.batch_size,
        gradient_accumulation_steps=params.grad_accum,
        learning_rate=params.learning_rate,
        lr_scheduler_type=SCHEDULES[params.lr_schedule],
        warmup_steps=params.warmup_steps,
        weight_decay=params.weight_decay,
        max_grad_norm=params.max_grad_norm,
        optim="adamw_torch_fused" if cuda else "adamw_torch",
        bf16=params.precision == "bf16",
        fp16=params.precision == "fp16",
        activation_checkpointing=params.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if params.gradient_checkpointing else None,
        seed=params.seed,
        use_cpu=not cuda,
        logging_nan_inf_filter=False,
        logging_strategy="no",
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    # A process has one GPU; Trainer would spread over all that it sees.
    arguments._n_gpu = 1 if cuda else 0
    return arguments
