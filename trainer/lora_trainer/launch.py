"""A run of several devices: torchrun starts this program once for each, and what becomes of them is told as one."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lora_trainer.config import Config
from lora_trainer.failure import EXIT_CODES, TrainerFailure
from lora_trainer.report import Report
from lora_trainer.stopping import Stop, interrupted
from lora_trainer.team import FOLDER, PARENT

PROGRAM = Path(__file__).resolve().parent.parent / "train_lora.py"
LOOPBACK = {
    # They meet on this machine alone, also where it has no network.
    "GLOO_SOCKET_IFNAME": "lo",
    "NCCL_SOCKET_IFNAME": "lo",
}
FORWARD_SECONDS = 0.1
# What the failure of one makes of the others, the last to be believed.
CONSEQUENCES = ("internal", "interrupted")
CODES = {code: name for name, code in EXIT_CODES.items() if name not in (*CONSEQUENCES, "gated_model")}
# gloo ends a process whose neighbour is gone by the second of them now and then.
ENDED_BY_OTHERS = (-signal.SIGTERM, -signal.SIGABRT)


class ProcessDied(TrainerFailure):
    """A process that ended without a word; its exit code is the one that shells give for its signal."""

    def __init__(self, rank: int, devices: int, number: int) -> None:
        name = signal.Signals(number).name
        message = f"The process of device {rank + 1} of {devices} was ended by {name}."
        super().__init__("internal", message, "Find out who or what ended it: often the host's memory was full.")
        self.number = number

    @property
    def exit_code(self) -> int:
        return 128 + self.number


@dataclass(frozen=True)
class Ended:
    """How a process of a run ended: `code` as subprocess has it, a signal's number below 0."""

    rank: int
    code: int


def leave_word(output: Path, rank: int, failure: TrainerFailure, trace: str | None, at: float) -> None:
    """Keeps a failure of one process for the one that tells of the run. `at`: the wall clock's seconds."""
    word = {"code": failure.code, "message": failure.message, "hint": failure.hint, "field": failure.field}
    staged = output / FOLDER / f".{rank}.part"
    try:
        staged.write_text(json.dumps(word | {"trace": trace, "at": at}))
        staged.rename(output / FOLDER / f"{rank}.json")
    except OSError as error:
        # Its exit code still says what it was.
        print(f"The failure of process {rank} cannot be kept: {error}", file=sys.stderr)


def words_left(output: Path) -> dict[int, dict]:
    return {int(path.stem): json.loads(path.read_text()) for path in (output / FOLDER).glob("[0-9]*.json")}


def cause_of(output: Path, devices: int, ended: list[Ended], stop: Stop) -> TrainerFailure | None:
    """The one failure that explains how the processes of a run ended; None where all ended well.

    The end of one ends the others: they lose their connection to it, or are sent SIGTERM.
    """
    broken = [one for one in ended if one.code != 0]
    if not broken:
        return None
    words = words_left(output)
    told = sorted(words.values(), key=lambda word: (word["code"] != "out_of_memory", word["at"]))
    named = [word for word in told if word["code"] not in CONSEQUENCES]
    if named:
        return as_failure(named[0])
    silent = [one for one in broken if one.rank not in words]
    for one in silent:
        if one.code in CODES:
            return TrainerFailure(CODES[one.code], "A process of this run ended so.", "See the log of this run.")
    died = [one for one in silent if one.code < 0]
    killed = [one for one in died if one.code not in ENDED_BY_OTHERS]
    if killed:
        return ProcessDied(killed[0].rank, devices, -killed[0].code)
    interruptions = [words[rank] for rank in sorted(words) if words[rank]["code"] == "interrupted"]
    if stop.requested:
        return as_failure(interruptions[0]) if interruptions else interrupted("before the first step")
    internal = [word for word in told if word["code"] == "internal"]
    if internal:
        return as_failure(internal[0])
    if died:
        return ProcessDied(died[0].rank, devices, -died[0].code)
    return TrainerFailure("internal", "A process of this run ended without a word.", "See the log of this run.")


def as_failure(word: dict) -> TrainerFailure:
    failure = TrainerFailure(word["code"], word["message"], word["hint"], word["field"])
    failure.trace = word["trace"]
    return failure


def forward(stop: Stop, over: threading.Event) -> None:
    """Hands a stop that was asked for on to every process of the run, to each once."""
    import psutil

    told: set[int] = set()
    while not over.wait(FORWARD_SECONDS):
        if not stop.requested:
            continue
        for child in psutil.Process().children():
            if child.pid not in told:
                told.add(child.pid)
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.send_signal(signal.SIGTERM)


def under_torchrun(config: Config, path: Path) -> list[Ended]:
    """Runs this program once for each device and waits; where one fails, the others are ended."""
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # The run's own words are in its events; these are of every process that is ended, with paths of this machine.
    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)
    folder = config.output / FOLDER
    settings = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=config.values.devices,
        run_id=config.values.job_id,
        rdzv_backend="c10d",
        # A file of the run's own folder: a store that listens on a port is open to whoever reaches it.
        rdzv_endpoint=str(folder / "rendezvous"),
        rdzv_configs={"store_type": "file"},
        local_addr="127.0.0.1",
        max_restarts=0,
        logs_specs=DefaultLogsSpecs(log_dir=str(folder)),
        # SIGTERM stays ours: a stop is handed on, and the processes take the time that a checkpoint takes.
        signals_to_handle="SIGHUP",
    )
    try:
        elastic_launch(settings, sys.executable)(str(PROGRAM), "--config", str(path))
    except ChildFailedError as error:
        return [Ended(rank, failure.exitcode) for rank, failure in error.failures.items()]
    return [Ended(rank, 0) for rank in range(config.values.devices)]


Start = Callable[[Config, Path], list[Ended]]


def train_on_many(config: Config, path: Path, report: Report, stop: Stop, start: Start = under_torchrun) -> None:
    """One attempt on several devices. Raises the TrainerFailure that ended it, when no process is left."""
    folder = config.output / FOLDER
    folder.mkdir(mode=0o700)
    os.environ[PARENT] = str(os.getpid())
    for name, value in LOOPBACK.items():
        os.environ.setdefault(name, value)
    # Together they have the cores that one has.
    threads = max(1, len(os.sched_getaffinity(0)) // config.values.devices)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    stop.immediate = False
    stop.check("before the first step")
    over = threading.Event()
    forwarding = threading.Thread(target=forward, args=(stop, over), daemon=True)
    forwarding.start()
    try:
        ended = start(config, path)
        failure = cause_of(config.output, config.values.devices, ended, stop)
    finally:
        over.set()
        forwarding.join()
        del os.environ[PARENT]
        shutil.rmtree(folder, ignore_errors=True)
        report.catch_up()
    if failure is not None and not report.is_done:
        raise failure
