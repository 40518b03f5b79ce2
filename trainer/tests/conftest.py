import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from protocol import SAMPLES


def merge(into: dict, changes: dict) -> dict:
    """Deep merge: a dict inside `changes` changes only the keys it names, except `mapping`, which is replaced."""
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict) and key != "mapping":
            merge(into[key], value)
        else:
            into[key] = value
    return into


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """Writes job/<attempt>/config.json from the sample with changes and answers its path; its folder is output_path."""

    def write(attempt: int = 1, **changes: object) -> Path:
        output = tmp_path / "job" / str(attempt)
        output.mkdir(parents=True, exist_ok=True)
        config = copy.deepcopy(json.loads((SAMPLES / "config.json").read_text()))
        merge(config, {"attempt": attempt, "job_folder": str(tmp_path / "job"), "output_path": str(output)})
        path = output / "config.json"
        path.write_text(json.dumps(merge(config, changes)))
        return path

    return write
