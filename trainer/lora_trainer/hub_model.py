"""Which files of a model's repository are fetched: safetensors weights, JSON, tokenizer and its card, never code."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable
from pathlib import Path

from lora_trainer.hub_files import FILES_MAX, FetchFailure, HubFile

CARD = "README.md"
# A larger card stays where it is: of it only the licence is read.
CARD_BYTES_MAX = 1 << 20
ALLOWED = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "model-*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    CARD,
)
UNSAFE = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack", "*.onnx")
SMALL_BYTES_MAX = 64 << 20
# What transformers has of its own (modeling_utils.py, AttentionInterface); under any other name it loads a kernel,
# which is code, from the Hub. The same list is `ATTENTION` of src/domain/model-facts.ts.
ATTENTION = (
    "eager",
    "sdpa",
    "flash_attention_2",
    "flash_attention_3",
    "flash_attention_4",
    "flex_attention",
    "paged|eager",
)


def choose_files(files: list[HubFile]) -> list[HubFile]:
    """The files worth fetching. Raises FetchFailure where the weights are missing or in a format that can run code."""
    # Only the top folder: a pattern's star would match a slash, too.
    top = [file for file in files if "/" not in file.path]
    chosen = [file for file in top if any(fnmatch.fnmatchcase(file.path, pattern) for pattern in ALLOWED)]
    chosen = [file for file in chosen if file.path != CARD or file.bytes <= CARD_BYTES_MAX]
    names = {file.path for file in chosen}
    if "config.json" not in names:
        raise FetchFailure("invalid_config", "it has no config.json: it is no model that can be registered here")
    if not any(name.endswith(".safetensors") for name in names):
        refuse_unsafe(files)
        gguf = any(file.path.endswith(".gguf") for file in files)
        more = "; a GGUF file cannot be trained: choose the original model" if gguf else ""
        raise FetchFailure("weights_missing", f"it has no safetensors weights{more}")
    if "model.safetensors.index.json" not in names:
        # Without an index shards cannot be loaded: what can is the whole file beside them.
        chosen = [file for file in chosen if not fnmatch.fnmatchcase(file.path, "model-*.safetensors")]
    elif any(fnmatch.fnmatchcase(name, "model-*.safetensors") for name in names):
        chosen = [file for file in chosen if file.path != "model.safetensors"]
    if len(chosen) > FILES_MAX:
        raise FetchFailure("too_large", f"it has more than {FILES_MAX} files")
    # Small files first: what they refuse is refused before the weights are fetched.
    return sorted(chosen, key=lambda file: (file.path.endswith(".safetensors"), file.path))


def refuse_unsafe(files: list[HubFile], place: str = "") -> None:
    """Raises FetchFailure(unsafe_model_format) where one of these files is weights that can run code."""
    unsafe = [file.path for file in files if any(fnmatch.fnmatchcase(file.path, pattern) for pattern in UNSAFE)]
    if unsafe:
        raise FetchFailure(
            "unsafe_model_format",
            f"its weights{place} are only there as {unsafe[0]}, a format that can run code when it is loaded: "
            "choose a repository or revision with safetensors weights",
        )


def read_object(path: Path, name: str) -> dict[str, object]:
    """A file of JSON that was fetched. Raises FetchFailure(invalid_config) unless it is an object of a modest size."""
    if path.stat().st_size > SMALL_BYTES_MAX:
        raise FetchFailure("invalid_config", f"its {name} is larger than {SMALL_BYTES_MAX >> 20} MB")
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise FetchFailure("invalid_config", f"its {name} is not JSON") from None
    if not isinstance(value, dict):
        raise FetchFailure("invalid_config", f"its {name} is not an object of JSON")
    return value


def refuse_remote_code(folder: Path, names: Iterable[str] = ("config.json", "tokenizer_config.json")) -> None:
    """Raises FetchFailure where a configuration asks for code of the repository, or for attention of another one."""
    for name in names:
        path = folder / name
        told = read_object(path, name) if path.exists() else {}
        what = "Python code that comes with the model (auto_map)" if told.get("auto_map") else foreign_attention(told)
        if what is not None:
            raise FetchFailure(
                "remote_code_not_allowed",
                f"its {name} asks to load {what}; such code is never run here: choose a model of an architecture that "
                "transformers knows",
            )


def foreign_attention(config: object) -> str | None:
    """What a configuration would have loaded as its attention, at any depth; None: only what transformers has."""
    left = [config]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            for field in ("attn_implementation", "_attn_implementation"):
                value = part.get(field)
                names = value.values() if isinstance(value, dict) else [value]
                if any(name is not None and name not in ATTENTION for name in names):
                    return f"its attention from elsewhere ({field}), and known are {', '.join(ATTENTION)}"
            left += part.values()
        elif isinstance(part, list):
            left += part
    return None
