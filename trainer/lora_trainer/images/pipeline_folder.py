"""A base model as diffusers stores it: model_index.json and a folder of safetensors for each component."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lora_trainer.base_model import DTYPES, GATED_CARD, PICKLED, first_line, refused
from lora_trainer.durable import sha256_of
from lora_trainer.environment import choose_threads
from lora_trainer.failure import TrainerFailure
from lora_trainer.sharding import in_turn, shard_denoiser
from lora_trainer.team import Team

if TYPE_CHECKING:
    import torch

INDEX = "model_index.json"
# Components that no training and no sample needs.
UNUSED = ("safety_checker", "image_encoder")


def check_pipeline(folder: Path, pipeline: str, parts: tuple[str, ...]) -> dict[str, list[Path]]:
    """The safetensors files of each component. `pipeline`: the class that it must be. Raises TrainerFailure."""
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        found = index.get("_class_name")
    except (OSError, ValueError, AttributeError):
        card = folder / "README.md"
        if card.is_file() and GATED_CARD.search(card.read_text("utf-8", "replace")[:20_000]):
            raise refused(
                "The base model is gated and its weights were not given out.",
                "Accept its licence on the Hub and fetch it again with a token of that account.",
                "gated_model",
            ) from None
        raise refused(f"The base model's folder has no readable {INDEX}.", "Take a pipeline of diffusers.") from None
    if found != pipeline:
        message = f"The base model is a {found}; this kind of training needs a {pipeline}."
        raise refused(message, "Choose the kind of training by its base model.")
    files: dict[str, list[Path]] = {}
    for part in parts:
        # A file beside the plain one in another precision holds the same weights.
        every = sorted((folder / part).glob("*.safetensors"))
        files[part] = [path for path in every if variant_of(path) is None] or every
        if not files[part]:
            pickled = any(path for pattern in PICKLED for path in (folder / part).glob(pattern))
            what = "only pickled weights" if pickled else "no safetensors weights"
            raise refused(f"The base model's {part} has {what}.", "Take a revision with safetensors weights.")
    return files


def variant_of(path: Path) -> str | None:
    """The variant that a file of weights names: fp16 of `model.fp16.safetensors`; None where it names none."""
    middle = path.name.split(".")[1:-1]
    return middle[-1].split("-")[0] if middle else None


def parameters_of(files: list[Path]) -> int:
    """Numbers that safetensors files hold, by their headers."""
    total = 0
    for path in files:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        total += sum(prod(fact["shape"]) for name, fact in header.items() if name != "__metadata__")
    return total


def folder_sha256(files: list[Path], folder: Path) -> str:
    """The hash of the files' `sha256  name` lines, names below `folder`."""
    lines = "".join(f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Tells what libraries raise over a component that they cannot read as the model's fault."""
    try:
        yield
    except (ValueError, KeyError, OSError, ImportError, AttributeError) as error:
        if getattr(error, "errno", None) is not None and not isinstance(error, FileNotFoundError):
            raise
        raise refused(f"The base model's {what} cannot be loaded: {first_line(error)}", "Fetch it again.") from error
    except Exception as error:
        # safetensors raises its own class for a file that is cut off or is no safetensors file.
        if type(error).__name__ != "SafetensorError":
            raise
        raise refused(f"The weights of {what} cannot be read: {first_line(error)}", "Fetch it again.") from error


class Parts:
    """The components of a pipeline, each loaded frozen when it is first asked for and kept until it is let go."""

    def __init__(
        self, folder: Path, files: dict[str, list[Path]], precision: str, device: str, team: Team, denoiser: str
    ) -> None:
        """`files`: as check_pipeline answers them. `denoiser`: the component that several devices may hold in parts.

        Raises TrainerFailure(bad_config) for a device that is not there.
        """
        import torch

        if device == "cuda" and not torch.cuda.is_available():
            raise TrainerFailure(
                "bad_config", "No CUDA device is visible.", "Set device to cpu, or see the driver.", "device"
            )
        self.folder = folder
        self.files = files
        self.team = team
        self.denoiser = denoiser
        self.device = torch.device(device)
        self.dtype: torch.dtype = getattr(torch, DTYPES[precision])
        self._loaded: dict[str, Any] = {}

    def model(self, name: str, kind: type, dtype: torch.dtype | None = None) -> Any:
        """A component with weights, on the device. `kind`: its class. Raises TrainerFailure.

        A denoiser in parts is loaded by all devices together.
        """
        if name in self._loaded:
            return self._loaded[name]
        if self.team.shards and name == self.denoiser:
            with in_turn(self.team):
                # On the host first: that it fits no single device may be why it is sharded.
                model = self._read(name, kind, dtype)
                shard_denoiser(model, self.team, self.device.type)
        else:
            model = self._read(name, kind, dtype).to(self.device)
        self._loaded[name] = model
        return model

    def _read(self, name: str, kind: type, dtype: torch.dtype | None) -> Any:
        from transformers import PreTrainedModel

        # What transformers chooses by itself, never a kernel that a configuration names. Models of diffusers have none.
        attention = {"attn_implementation": None} if issubclass(kind, PreTrainedModel) else {}
        with loading(name):
            model = kind.from_pretrained(
                self.folder / name,
                **attention,
                torch_dtype=dtype or self.dtype,
                use_safetensors=True,
                local_files_only=True,
                variant=variant_of(self.files[name][0]),
            )
        return model.requires_grad_(False).eval()

    def tokenizer(self, name: str, kind: type) -> Any:
        if name not in self._loaded:
            with loading(name):
                self._loaded[name] = kind.from_pretrained(self.folder / name, local_files_only=True)
        return self._loaded[name]

    def scheduler(self, kind: type | None = None) -> Any:
        """The noise schedule as `kind`, or as the class that the pipeline names. Raises TrainerFailure."""
        import diffusers

        if kind is None:
            named = json.loads((self.folder / INDEX).read_text("utf-8"))["scheduler"][1]
            kind = getattr(diffusers, named, None)
            if not isinstance(kind, type) or not issubclass(kind, diffusers.SchedulerMixin):
                raise refused(f"The base model's scheduler {named} is unknown here.", "Take another revision.")
        with loading("scheduler"):
            return kind.from_pretrained(self.folder, subfolder="scheduler", local_files_only=True)

    def let_go(self, *names: str) -> None:
        """Frees components and their memory on the device."""
        import torch

        for name in names:
            self._loaded.pop(name, None)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def choose_threads(self, width: int) -> None:
        """On the CPU, by the widest layer of the denoiser."""
        if self.device.type == "cpu":
            choose_threads(width)
