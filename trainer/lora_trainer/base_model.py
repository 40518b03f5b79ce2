"""The base model's folder: what it must hold, its weights' hash, and loading it without pickle or foreign code."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lora_trainer.durable import sha256_of
from lora_trainer.environment import choose_threads
from lora_trainer.failure import TrainerFailure

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
# A gated repository shows its card to everybody; the card's front matter asks for an agreement.
GATED_CARD = re.compile(r"^extra_gated_\w+\s*:", re.MULTILINE)


def refused(message: str, hint: str, code: str = "model_not_found") -> TrainerFailure:
    return TrainerFailure(code, message, hint, "base_model.path")


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model folder, in order. Raises TrainerFailure where it is no model that is taken."""
    try:
        facts = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        facts = None
    card = folder / "README.md"
    gated = card.is_file() and GATED_CARD.search(card.read_text("utf-8", "replace")[:20_000])
    weights = sorted(folder.glob("*.safetensors"))
    if not weights and gated:
        raise refused(
            "The base model is gated and its weights were not given out.",
            "Accept its licence on the Hub and fetch it again with a token of that account.",
            "gated_model",
        )
    if not isinstance(facts, dict):
        raise refused("The base model's folder has no readable config.json.", "Fetch the model again.")
    if not weights:
        if any(path for pattern in PICKLED for path in folder.glob(pattern)):
            raise refused("The base model has only pickled weights.", "Take a revision with safetensors weights.")
        raise refused("The base model's folder has no safetensors weights.", "Fetch the model again.")
    return weights


def weights_sha256(files: list[Path]) -> str:
    """The hash of a single file's bytes; of several, the hash of their `sha256  name` lines."""
    if len(files) == 1:
        return sha256_of(files[0])
    lines = "".join(f"{sha256_of(path)}  {path.name}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def leave_out_bitsandbytes(folder: Path) -> None:
    """Of a base that is not quantized: peft imports it wherever it is, and a fifth of a run's start is that import.

    To be called before peft is imported.
    """
    facts = json.loads((folder / "config.json").read_text("utf-8"))
    if "quantization_config" not in facts and "bitsandbytes" not in sys.modules:
        sys.modules["bitsandbytes"] = None  # type: ignore[assignment]


def load_base(folder: Path, precision: str, device: str) -> PreTrainedModel:
    """The causal language model of a folder, in evaluation mode. Raises TrainerFailure; out of memory passes through.

    `precision`: fp32, bf16 or fp16; `device`: cpu or cuda.
    """
    weight_files(folder)
    leave_out_bitsandbytes(folder)
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainerFailure(
            "bad_config", "No CUDA device is visible.", "Set device to cpu, or see the driver.", "device"
        )
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            # Read apart, as the class's own reading keeps what `_attn_implementation` of the file says. None: what
            # transformers chooses by itself, never a kernel that a configuration names.
            config=AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True),
            attn_implementation=None,
            dtype=getattr(torch, DTYPES[precision]),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
        )
    except (ValueError, KeyError, OSError, ImportError, AttributeError) as error:
        if getattr(error, "errno", None) is not None and not isinstance(error, FileNotFoundError):
            raise
        raise refused(
            f"The base model cannot be loaded: {first_line(error)}",
            "Take a causal language model that transformers knows, without code of its own.",
        ) from error
    except Exception as error:
        # safetensors raises its own class for a file that is cut off or is no safetensors file.
        if type(error).__name__ != "SafetensorError":
            raise
        raise refused(f"The weights cannot be read: {first_line(error)}", "Fetch the model again.") from error
    if device == "cpu":
        choose_threads(getattr(model.config, "hidden_size", None))
    return model.to(device)


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
