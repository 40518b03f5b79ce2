"""Several devices: what they train together is what one trains alone, and what becomes of them is told as one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from lora_trainer.failure import TrainerFailure
from lora_trainer.launch import Ended, cause_of, leave_word
from lora_trainer.report import Report
from lora_trainer.stopping import Stop, interrupted
from lora_trainer.team import FOLDER, PARENT
from protocol import TRAINER, of_type, read_events

# The other process gets as many rows as the first, but in the last step of an epoch, where it has none.
ROWS = {"dataset": {"splits": {"eval_rows": 3}}, "eval": {"interval_steps": 3, "rows_max": 3}}
PARAMS = {"batch_size": 2, "grad_accum": 2, "max_steps": 9, "learning_rate": 0.01, "lora_dropout": 0}
DDP = {"devices": 2, "strategy": "ddp"}
FSDP = {"devices": 2, "strategy": "fsdp"}


def curve(*configs: Path) -> list[tuple]:
    metrics = [event for config in configs for event in of_type(read_events(config.parent), "metric")]
    return [(m["step"], m.get("loss"), m.get("eval_loss"), m.get("learning_rate"), m.get("grad_norm")) for m in metrics]


def adapter(config: Path) -> dict:
    return load_file(config.parent / "adapter" / "adapter_model.safetensors")


def figures_of(config: Path) -> list[list[float]]:
    """The same as numbers."""
    return [[-1 if figure is None else figure for figure in point] for point in curve(config)]


def strays(config: Path) -> list[str]:
    """Command lines of processes that belong to a run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(config) in line:
            found.append(line)
    return found


def test_two_devices_train_what_one_does_with_twice_the_accumulation(run_config, forks):
    # 21 rows in batches of 2, four to a step: the last of an epoch has three, so that one device has one less.
    alone = run_config(1, **ROWS, training_params=PARAMS | {"grad_accum": 4}, sample_prompts=["What is 2 and 2?"])
    assert forks(alone) == 0
    for attempt, (way, more) in enumerate([(DDP, {}), (FSDP, {}), (FSDP, {"gradient_checkpointing": True})], start=2):
        config = run_config(attempt, **ROWS, **way, training_params=PARAMS | more, sample_prompts=["What is 2 and 2?"])
        assert forks(config) == 0
        assert figures_of(config) == [pytest.approx(point, rel=1e-5) for point in figures_of(alone)]
        events, own = read_events(config.parent), read_events(alone.parent)
        assert [s["text"] for s in of_type(events, "sample")] == [s["text"] for s in of_type(own, "sample")]
        same = ("steps", "best_step", "tokens", "trained_tokens")
        figures = [of_type(lines, "done")[0]["summary"] for lines in (events, own)]
        assert [figures[0][name] for name in same] == [figures[1][name] for name in same]
        hellos = [of_type(lines, "hello")[0] for lines in (events, own)]
        assert hellos[0]["total_parameters"] == hellos[1]["total_parameters"]
        probes = [of_type(lines, "probe")[0] for lines in (events, own)]
        counted = ("tokens_per_step", "trained_tokens_per_step", "mean_tokens_per_step")
        assert [probes[0][name] for name in counted] == [probes[1][name] for name in counted]
        theirs, ours = adapter(config), adapter(alone)
        assert theirs.keys() == ours.keys()
        assert all(theirs[name].allclose(ours[name], atol=1e-6) for name in ours)
        assert sorted(p.name for p in config.parent.iterdir()) == sorted(p.name for p in alone.parent.iterdir())


@pytest.mark.parametrize("way", [DDP, FSDP])
def test_a_stop_leaves_one_checkpoint_that_goes_on_to_the_same_bytes(run_config, forks, way):
    changes = {**ROWS, **way, "checkpoint_interval": 0}
    params = PARAMS | {"grad_accum": 1, "max_steps": 12, "lora_dropout": 0.2, "logging_steps": 2}
    whole = run_config(1, **changes, training_params=params)
    assert forks(whole) == 0
    first = run_config(2, **changes, training_params=params)
    # The one that is told of it is not the one that writes, and the window of logged steps is open.
    assert forks(first, {"rank": 1, "step": 7, "what": "stop"}) == 143
    events = read_events(first.parent)
    assert [event["type"] for event in events[-2:]] == ["checkpoint", "error"]
    assert (events[-1]["code"], events[-2]["step"]) == ("interrupted", 7)
    assert len(of_type(events, "checkpoint")) == 1
    folder = first.parent / events[-2]["path"]
    second = run_config(3, **changes, training_params=params, resume_from=str(folder))
    assert forks(second) == 0
    assert curve(first, second) == curve(whole)
    assert (adapter(second).keys()) == adapter(whole).keys()
    assert all(adapter(second)[name].equal(tensor) for name, tensor in adapter(whole).items())
    if way is FSDP:
        return
    # The files are those of one device, which has other rows in its passes and other random numbers.
    fewer = run_config(4, **ROWS, checkpoint_interval=0, training_params=params, resume_from=str(folder))
    assert forks(fewer) == 2
    error = read_events(fewer.parent)[-1]
    assert (error["field"], "written on 2 devices, and this run has 1" in error["message"]) == ("resume_from", True)


@pytest.mark.parametrize(
    ("what", "exit_code", "code", "words"),
    [
        ("memory", 5, "out_of_memory", "The GPU's memory is full in step 4, with batch_size 2"),
        ("nan", 6, "nan_loss", "not finite in 3 steps in a row"),
        ("signal:SIGKILL", 137, "internal", "device 2 of 2 was ended by SIGKILL"),
    ],
)
def test_what_befalls_one_device_ends_the_run_with_one_error(run_config, forks, what, exit_code, code, words):
    config = run_config(1, **ROWS, **DDP, training_params=PARAMS)
    assert forks(config, {"rank": 1, "step": 4, "what": what}) == exit_code
    events = read_events(config.parent)
    assert len(of_type(events, "error")) == 1
    assert events[-1]["code"] == code
    assert words in events[-1]["message"]
    assert not (config.parent / "adapter").exists()
    assert not (config.parent / FOLDER).exists()


def launch(config: Path) -> subprocess.Popen:
    command = [sys.executable, "train_lora.py", "--config", str(config)]
    return subprocess.Popen(command, cwd=TRAINER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until_it_trains(run: subprocess.Popen, config: Path) -> None:
    events, deadline = config.parent / "events.jsonl", time.monotonic() + 120
    while b'"loss"' not in events.read_bytes() if events.exists() else True:
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_under_torchrun_a_stop_reaches_all_and_the_end_of_one_is_everybodys(run_config):
    endless = {"eval": {"at_start": False, "interval_steps": 0}, "checkpoint_interval": 0}
    params = {"max_steps": 100_000, "logging_steps": 50}
    asked = run_config(1, **endless, **DDP, training_params=params)
    struck = run_config(2, **endless, **FSDP, training_params=params)
    # Both at once: most of their time is imports.
    runs = {config: launch(config) for config in (asked, struck)}
    for config, run in runs.items():
        until_it_trains(run, config)
    runs[asked].send_signal(signal.SIGTERM)
    assert runs[asked].wait(120) == 143
    lines = read_events(asked.parent)
    assert [line["type"] for line in lines[-2:]] == ["checkpoint", "error"]
    assert (asked.parent / lines[-2]["path"] / "complete.json").is_file()
    children = Path(f"/proc/{runs[struck].pid}/task/{runs[struck].pid}/children").read_text().split()
    assert len(children) == 2
    second = next(pid for pid in children if b"RANK=1\0" in Path(f"/proc/{pid}/environ").read_bytes())
    os.kill(int(second), signal.SIGKILL)
    assert runs[struck].wait(120) == 137
    errors = of_type(read_events(struck.parent), "error")
    assert [error["message"] for error in errors] == ["The process of device 2 of 2 was ended by SIGKILL."]
    for config in runs:
        assert strays(config) == []
        assert sorted(path.name for path in config.parent.glob(".*")) == []


def test_processes_end_with_whoever_started_them(run_config):
    config = run_config(1, training_params={"max_steps": 100_000}, **DDP)
    program = f"import os, train_lora; os.environ['RANK'] = '0'; train_lora.main(['--config', {str(config)!r}])"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=TRAINER, env=os.environ | {PARENT: "1"}, capture_output=True, timeout=60
    )
    # Started by somebody else than it says, as after that one's end.
    assert run.returncode == 1
    assert not (config.parent / "events.jsonl").exists()


OOM = TrainerFailure("out_of_memory", "full", "less")
FAULT = TrainerFailure("internal", "connection lost", "see")


@pytest.mark.parametrize(
    ("words", "codes", "asked", "expected"),
    [
        ({}, (0, 0), True, None),
        ({0: FAULT, 1: OOM}, (1, 5), False, "full"),
        ({0: interrupted("by us"), 1: OOM}, (143, 5), True, "full"),
        ({0: interrupted("by us"), 1: interrupted("as well")}, (143, 143), True, "Stopped by request by us."),
        ({}, (-15, -15), True, "Stopped by request before the first step."),
        ({0: interrupted("by torchrun")}, (143, -9), False, "The process of device 2 of 2 was ended by SIGKILL."),
        ({0: FAULT}, (1, -9), True, "The process of device 2 of 2 was ended by SIGKILL."),
        ({1: FAULT}, (-6, 1), False, "connection lost"),
        ({}, (7, -15), False, "A process of this run ended so."),
        ({}, (-6, -15), False, "The process of device 1 of 2 was ended by SIGABRT."),
    ],
)
def test_of_several_ends_the_cause_is_told(tmp_path, words, codes, asked, expected):
    (tmp_path / FOLDER).mkdir()
    for rank, failure in words.items():
        leave_word(tmp_path, rank, failure, None, rank)
    stop = Stop()
    stop.requested = asked
    cause = cause_of(tmp_path, 2, [Ended(rank, code) for rank, code in enumerate(codes)], stop)
    assert (cause and cause.message) == expected


def test_half_a_line_of_a_process_that_is_gone_is_removed_before_the_next_one(tmp_path):
    first = Report(tmp_path)
    first.stage("training")
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'{"seq": 2, "ts"')
    first.catch_up()
    first.error("internal", "gone", "see")
    assert [event["seq"] for event in read_events(tmp_path)] == [1, 2]
