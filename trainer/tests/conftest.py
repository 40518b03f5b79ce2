import copy
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from protocol import SAMPLES, TRAINER
from tiny_model import make_model, make_tokenizer

# Tiny matrices gain nothing from threads, and threads that wait for each other on a busy machine lose seconds.
os.environ.setdefault("OMP_NUM_THREADS", "1")


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


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Llama of a few thousand parameters with a chat template."""
    folder = tmp_path_factory.mktemp("tiny")
    make_tokenizer(folder)
    return make_model(folder)


@pytest.fixture
def dataset(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as JSON Lines and answers the file; without rows, 24 sums of different lengths."""

    def write(rows: list[dict] | None = None, name: str = "rows.jsonl") -> Path:
        if rows is None:
            rows = [
                {
                    "prompt": f"What is {number} and {number}?" + " Say why." * (number % 3),
                    "completion": f"{2 * number}.",
                }
                for number in range(24)
            ]
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


@pytest.fixture
def check_images(tmp_path: Path) -> Callable[..., tuple[dict, Path]]:
    """Zips files and checks them; answers the report and the folder of what was written."""
    from image_uploads import zipped
    from lora_trainer.inspect_images import BYTES_MAX, inspect_images

    runs = iter(range(1000))

    def run(
        files: dict[str, bytes] | Path, invalid_rows: str = "skip", bytes_max: int = BYTES_MAX
    ) -> tuple[dict, Path]:
        folder = tmp_path / f"run-{next(runs)}"
        folder.mkdir()
        path = files if isinstance(files, Path) else zipped(folder / "upload.zip", files)
        return inspect_images(path, folder, invalid_rows, bytes_max, lambda done, of: None), folder

    return run


@pytest.fixture
def run_config(write_config: Callable[..., Path], tiny: Path, dataset: Callable[..., Path]) -> Callable[..., Path]:
    """Writes a config.json of a short run on the tiny model; changes are merged into it."""

    def write(attempt: int = 1, **changes: object) -> Path:
        config = {
            "dataset_path": str(dataset()) if "dataset_path" not in changes else "",
            "dataset": {"mapping": {}, "splits": {"eval_rows": 4}},
            "base_model": {"path": str(tiny)},
            "training_params": {"epochs": None, "max_steps": 6, "batch_size": 2, "grad_accum": 2, "learning_rate": 1e-2}
            | {"lora_dropout": 0.1, "max_seq_length": 64, "warmup_steps": 1},
            "eval": {"interval_steps": 3, "rows_max": 4},
            "checkpoint_interval": 2,
            "sample_prompts": [],
            "sample_max_new_tokens": 4,
        }
        return write_config(attempt, **merge(config, changes))

    return write


@pytest.fixture
def train() -> Iterator[Callable[[Path], int]]:
    """Runs train_lora.py in this process, which spares the seconds of its imports; answers the exit code."""
    import train_lora

    before = signal.getsignal(signal.SIGTERM)
    yield lambda config: train_lora.main(["--config", str(config)])
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def forks() -> Iterator[Callable[..., int]]:
    """Runs a config.json in processes that are forked from one which has imported everything; answers the exit code."""
    command = [sys.executable, str(TRAINER / "tests" / "forked.py")]
    environment = os.environ | {"PYTHONPATH": str(TRAINER), "OMP_NUM_THREADS": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        assert process.stdout.readline() == "ready\n"

        def run(config: Path, plant: dict | None = None) -> int:
            process.stdin.write(json.dumps({"config": str(config), "plant": plant}) + "\n")
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 120)[0], "the run did not end"
            return int(process.stdout.readline())

        yield run
        # Its end by itself takes seconds: it lets go of every module.
        process.kill()


@pytest.fixture(scope="session")
def image_bases(tmp_path_factory):
    """Folders of tiny pipelines of random weights, one of each kind."""
    from make_tiny_pipelines import KINDS, make_tiny_pipeline

    folder = tmp_path_factory.mktemp("image_bases")
    return {kind: make_tiny_pipeline(kind, folder / kind) for kind in KINDS}


@pytest.fixture
def configure_images(tmp_path, image_bases):
    """Writes a config.json of a short DreamBooth run; changes are merged into it."""
    from image_zip import write_images

    images = write_images(tmp_path / "images.zip", [(128, 128), (64, 64), (96, 160), (70, 130)], repeats=[2, 1, 1, 1])

    def write(kind="sdxl", attempt=1, **changes):
        output = tmp_path / kind / "job" / str(attempt)
        output.mkdir(parents=True, exist_ok=True)
        config = json.loads((SAMPLES / "image-config.json").read_text())
        paths = {"dataset_path": str(images), "job_folder": str(output.parent), "output_path": str(output)}
        merge(config, paths | {"model_kind": kind, "attempt": attempt, "device": "cpu", "trigger_words": ["sks"]})
        merge(
            config,
            {"base_model": {"path": str(image_bases[kind])}, "prior": {"class_prompt": "a dog", "class_images": 3}},
        )
        merge(config, {"sample_steps": 1, "sample_interval": 4, "checkpoint_interval": 2, "checkpoints_kept": 9})
        params = {
            "max_steps": 5,
            "resolution": 128,
            "batch_size": 2,
            "learning_rate": 0.01,
            "lora_rank": 4,
            "lora_alpha": 6,
        }
        params |= {"lora_dropout": 0.1, "ema_decay": 0.9, "random_flip": True, "caption_dropout": 0.3, "grad_accum": 2}
        params |= {"lr_schedule": "cosine", "warmup_steps": 1} | ({"min_snr_gamma": None} if kind == "flux" else {})
        merge(config, {"training_params": params})
        file = output / "config.json"
        file.write_text(json.dumps(merge(config, changes)))
        return file

    return write


@pytest.fixture
def image_loop(configure_images):
    """The loop of a configuration before its first step."""
    from lora_trainer.config import check_config
    from lora_trainer.images import training
    from lora_trainer.report import Report
    from lora_trainer.stopping import Stop

    def make(**changes):
        file, made = configure_images(**changes), []
        kept = training.train
        training.train = lambda config, loop: made.append(loop) or (_ for _ in ()).throw(InterruptedError)
        report = Report(file.parent)
        try:
            with pytest.raises(InterruptedError):
                training.train_images(check_config(json.loads(file.read_text())), report, Stop())
        finally:
            training.train = kept
        return made[0]

    return make


@pytest.fixture
def as_dataset() -> Callable[..., SimpleNamespace]:
    """The field `dataset` of a configuration, as attributes."""

    def make(eval_rows: int = 4, seed: int = 7, invalid_rows: str = "refuse", **changes: object) -> SimpleNamespace:
        fields = {"format": "prompt_completion", "container": "jsonl", "mapping": {}, "invalid_rows": invalid_rows}
        return SimpleNamespace(**fields | changes, splits=SimpleNamespace(eval_rows=eval_rows, seed=seed))

    return make
