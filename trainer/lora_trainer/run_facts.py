"""What a run tells of itself: versions and devices, and hashes that are made while it goes on."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable
from concurrent.futures import Future
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lora_trainer import VERSION

PATHS = ("dataset_path", "job_folder", "output_path", "resume_from", "path")


def in_background(work: Callable[..., str], *arguments: Any) -> Future[str]:
    """The result of `work` to come. Its thread keeps nobody from leaving: hashing many GB takes a while."""
    future: Future[str] = Future()

    def run() -> None:
        try:
            future.set_result(work(*arguments))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name=work.__name__, daemon=True).start()
    return future


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {"trainer": VERSION, "python": platform.python_version()} | {name: version(name) for name in packages}


def gpus(device: str) -> list[dict]:
    if device == "cpu":
        return []
    import torch

    facts = torch.cuda.get_device_properties(0)
    return [{"name": facts.name, "memory_mb": round(facts.total_memory / 1e6, 1)}]


def without_host_paths(value: Any) -> Any:
    """A copy of a configuration in which each path is its last part: the passport leaves the machine."""
    if isinstance(value, list):
        return [without_host_paths(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: Path(item).name if name in PATHS and isinstance(item, str) else without_host_paths(item)
        for name, item in value.items()
    }
