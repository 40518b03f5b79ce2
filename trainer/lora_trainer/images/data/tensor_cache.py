"""Tensors kept between the attempts of a job: one safetensors file a key, whole or absent, checked as it is read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from lora_trainer.failure import TrainerFailure

Tensors = Mapping[str, torch.Tensor]


def key_of(*facts: Any) -> str:
    """The name of what was made from these facts: another fact, another name."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def digest_of(tensors: Tensors) -> str:
    """SHA-256 over names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


class TensorCache:
    """A folder of files, spread over folders by the first digits of their keys. One process writes, any may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"

    def write(self, key: str, tensors: Tensors) -> None:
        """Keeps the tensors. A kill leaves the file whole or absent; what a lost power leaves torn is not read."""
        kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        path = self.path(key)
        staged = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Not synced to the disk, which would take longer than encoding: `read` finds out what was lost.
            staged.write_bytes(save(kept, metadata={"key": key, "sha256": digest_of(kept)}))
            os.replace(staged, path)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise

    def read(self, key: str) -> dict[str, torch.Tensor] | None:
        """What `write` was given; None where there is none, or not whole, or not what it was."""
        try:
            with safe_open(self.path(key), framework="pt") as file:
                facts = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        except (OSError, SafetensorError):
            return None
        if facts.get("key") != key or facts.get("sha256") != digest_of(tensors):
            return None
        return tensors

    def stacked(self, keys: Sequence[str]) -> dict[str, torch.Tensor]:
        """The tensors of several keys, a row each. Raises TrainerFailure(data) where one is not there any more."""
        rows: list[Tensors] = []
        for key in keys:
            if (tensors := self.read(key)) is None:
                message = f"The cache of {self.folder.name} was changed or removed while it was in use."
                raise TrainerFailure("data", message, "Start again: it is made anew.")
            rows.append(tensors)
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def sweep(self) -> None:
        """Removes what a killed writer left unfinished."""
        for left in self.folder.glob("??/.*.part"):
            left.unlink(missing_ok=True)
