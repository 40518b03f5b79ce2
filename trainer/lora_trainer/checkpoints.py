"""Checkpoints of a run: nothing pickled, whole or absent, read only from the job's own folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lora_trainer.config import Config, bad
from lora_trainer.durable import publish_folder, sha256_of

if TYPE_CHECKING:
    import torch

MARKER = "complete.json"
TENSORS = "state.safetensors"
RUN_STATE = "run_state.json"
ANOTHER = "Resume only with the configuration and dataset that the checkpoint was written with."


def lineage_sha256(config: Config, dataset_sha256: str) -> str:
    """Equal for runs that meet the same rows in the same order with the same arithmetic."""
    lineage = config.lineage
    # Each device has rows and random numbers of its own; one device's lineage does not tell of devices.
    if config.values.devices > 1:
        lineage |= {"devices": config.values.devices}
    text = json.dumps([lineage, dataset_sha256], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def folder_of(output: Path, step: int) -> Path:
    return output / "checkpoints" / f"step-{step:08d}"


def write_checkpoint(config: Config, dataset_sha256: str, step: int, write: Callable[[Path], None]) -> tuple[Path, int]:
    """Publishes the checkpoint that `write` fills a folder with; answers the folder and its bytes.

    Older ones than the newest `checkpoints_kept` are removed, but only once this one is whole.
    """
    final = folder_of(config.output, step)

    def fill(folder: Path) -> None:
        write(folder)
        files = {
            path.name: {"sha256": sha256_of(path), "bytes": path.stat().st_size} for path in sorted(folder.iterdir())
        }
        marker = {
            "protocol": 1,
            "job_id": config.values.job_id,
            "step": step,
            "devices": config.values.devices,
            "lineage": lineage_sha256(config, dataset_sha256),
            "files": files,
        }
        (folder / MARKER).write_text(json.dumps(marker, indent=2))

    publish_folder(final, fill)
    for old in sorted(final.parent.glob("step-*"))[: -config.values.checkpoints_kept]:
        shutil.rmtree(old)
    return final, sum(path.stat().st_size for path in final.iterdir())


def check_checkpoint(config: Config, dataset_sha256: str) -> Path:
    """The folder to resume from, after its marker, owner and sums were checked. Raises TrainerFailure(bad_config)."""
    folder = Path(config.values.resume_from)
    try:
        marker = json.loads((folder / MARKER).read_bytes())
        files = marker["files"]
        whole = all(
            (path := folder / name).name == name
            and not path.is_symlink()
            and path.stat().st_size == fact["bytes"]
            and sha256_of(path) == fact["sha256"]
            for name, fact in files.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise bad("resume_from", "The checkpoint is not complete or was changed.", "Resume from an older checkpoint.")
    if marker["job_id"] != config.values.job_id:
        raise bad("resume_from", "The checkpoint is another job's.", "Resume only from this job's own checkpoints.")
    written_on, devices = marker.get("devices", 1), config.values.devices
    if written_on != devices:
        message = f"The checkpoint was written on {written_on} devices, and this run has {devices}."
        raise bad("resume_from", message, "Resume on as many devices: each has rows and random numbers of its own.")
    if marker["lineage"] != lineage_sha256(config, dataset_sha256):
        raise bad("resume_from", "The checkpoint belongs to another configuration or dataset.", ANOTHER)
    return folder


def random_state() -> dict[str, torch.Tensor]:
    """Where this process's random numbers stand."""
    import torch

    state = {"random.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["random.cuda"] = torch.cuda.get_rng_state()
    return state


def named_for(name: str, rank: int) -> str:
    """The name of a process's random state; of the first it is the same as where there is only one."""
    return name if rank == 0 else f"{name}.{rank}"


def save_training_state(
    folder: Path,
    optimizer: torch.optim.Optimizer,
    scheduler: Any,
    scaler: Any,
    run_state: dict,
    random_states: list[dict[str, torch.Tensor]],
) -> None:
    """Optimizer and random state as tensors, everything else as JSON. `random_states`: of every process, by rank."""
    import torch
    from safetensors.torch import save_file

    state = optimizer.state_dict()
    entries = {f"{number}.{name}": value for number, entry in state["state"].items() for name, value in entry.items()}
    # The moments of eight bits count their steps in a plain number.
    numbers = {key: value for key, value in entries.items() if not torch.is_tensor(value)}
    tensors = {
        f"optimizer.{key}": value.detach().cpu().contiguous() for key, value in entries.items() if key not in numbers
    }
    for rank, states in enumerate(random_states):
        tensors |= {named_for(name, rank): tensor for name, tensor in states.items()}
    save_file(tensors, folder / TENSORS)
    rates = [{name: group[name] for name in ("lr", "initial_lr")} for group in state["param_groups"]]
    facts = {"rates": rates, "scheduler": scheduler.state_dict(), "run": run_state, "numbers": numbers}
    if scaler is not None:
        facts["scaler"] = scaler.state_dict()
    (folder / RUN_STATE).write_text(json.dumps(facts))


def load_training_state(folder: Path, optimizer: torch.optim.Optimizer, scheduler: Any, scaler: Any) -> None:
    """Sets optimizer, schedule and loss scale as `save_training_state` found them."""
    from safetensors.torch import load_file

    facts = json.loads((folder / RUN_STATE).read_text())
    state: dict = {"state": {}, "param_groups": optimizer.state_dict()["param_groups"]}
    for key, value in load_file(folder / TENSORS).items():
        kind, _, rest = key.partition(".")
        if kind == "optimizer":
            number, _, name = rest.partition(".")
            state["state"].setdefault(int(number), {})[name] = value
    for key, value in facts.get("numbers", {}).items():
        number, _, name = key.partition(".")
        state["state"].setdefault(int(number), {})[name] = value
    for group, rates in zip(state["param_groups"], facts["rates"], strict=True):
        group.update(rates)
    optimizer.load_state_dict(state)
    scheduler.load_state_dict(facts["scheduler"])
    if scaler is not None and "scaler" in facts:
        scaler.load_state_dict(facts["scaler"])


def load_random_state(folder: Path, rank: int = 0) -> None:
    """Sets this process's random numbers as those of its rank stood."""
    import torch
    from safetensors.torch import load_file

    tensors = load_file(folder / TENSORS)
    torch.set_rng_state(tensors[named_for("random.cpu", rank)])
    if named_for("random.cuda", rank) in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors[named_for("random.cuda", rank)])


def load_run_state(folder: Path) -> dict:
    return json.loads((folder / RUN_STATE).read_text())["run"]
