import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from safetensors import safe_open

from protocol import TRAINER, of_type, read_events


def fake(config, **env):
    return subprocess.run(
        [sys.executable, "-S", "fake_trainer.py", "--config", str(config)],
        cwd=TRAINER,
        env=os.environ | {"FAKE_STEP_SECONDS": "0", "FAKE_STEPS": "8", "FAKE_MEMORY_MB": "1"} | env,
        capture_output=True,
        timeout=60,
    )


def test_a_good_run_ends_with_done_and_whole_artifacts(write_config):
    config = write_config(checkpoint_interval=3, checkpoints_kept=1)
    assert fake(config).returncode == 0
    events = read_events(config.parent)
    assert events[-1]["type"] == "done"
    assert [event["step"] for event in of_type(events, "metric")] == list(range(1, 9))
    assert [event["step"] for event in of_type(events, "probe")] == [8]
    assert [path.name for path in (config.parent / "checkpoints").iterdir()] == ["step-00000006"]
    for artifact in of_type(events, "artifact"):
        data = (config.parent / artifact["path"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (artifact["bytes"], artifact["sha256"])
    with safe_open(config.parent / "adapter" / "adapter_model.safetensors", "pt") as tensors:
        assert len(tensors.keys()) == 2


def test_a_probe_alone_ends_after_its_steps_without_an_adapter(write_config):
    config = write_config(probe={"warmup_steps": 1, "timed_steps": 2, "only": True}, checkpoint_interval=1)
    assert fake(config).returncode == 0
    events = read_events(config.parent)
    assert events[-1]["type"] == "done"
    assert events[-1]["summary"]["steps"] == of_type(events, "probe")[0]["step"] == 3
    assert not {"artifact", "checkpoint"} & {event["type"] for event in events}


@pytest.mark.parametrize(
    ("behave", "code", "error"),
    [
        ("nan", 6, "nan_loss"),
        ("oom_gpu", 5, "out_of_memory"),
        ("disk_full", 7, "disk_full"),
        ("bad_data", 3, "data"),
        ("exit1", 1, None),
        ("oom_gpu_text", 1, None),
        ("oom_host", 1, None),
        ("segv", -signal.SIGSEGV, None),
        ("killself", -signal.SIGKILL, None),
        ("nonsense", 2, "bad_config"),
    ],
)
def test_each_failure_has_its_exit_code_and_error_line(write_config, behave, code, error):
    config = write_config()
    run = fake(config, FAKE_BEHAVE=behave)
    assert run.returncode == code, run.stderr
    errors = of_type(read_events(config.parent), "error")
    assert [event["code"] for event in errors] == ([error] if error else [])
    assert (b"CUDA out of memory" in run.stderr) == behave.startswith("oom_gpu")


def test_garbage_lines_leave_the_good_ones_readable(write_config):
    config = write_config(trigger_words=["fake:garbage", "fake:steps=5"])
    assert fake(config).returncode == 0
    assert max(len(line) for line in (config.parent / "events.jsonl").read_bytes().split(b"\n")) > 10_000_000
    assert read_events(config.parent, strict=False)[-1]["type"] == "done"


def test_its_wall_clock_can_be_off(write_config):
    config = write_config()
    assert fake(config, FAKE_CLOCK_SECONDS="-7200").returncode == 0
    told = [datetime.fromisoformat(event["ts"]) for event in read_events(config.parent)]
    assert max(told) < datetime.now(UTC) - timedelta(hours=1)


def test_behave_json_beside_the_config_wins(write_config):
    config = write_config(trigger_words=["fake:nan"])
    (config.parent / "behave.json").write_text(json.dumps({"behave": "no_done", "steps": 2}))
    assert fake(config, FAKE_BEHAVE="exit1").returncode == 0
    assert of_type(read_events(config.parent), "done") == []


def test_sigterm_writes_a_checkpoint_and_the_next_attempt_goes_on_to_the_same_losses(write_config):
    first = write_config(checkpoint_interval=0)
    run = subprocess.Popen(
        [sys.executable, "fake_trainer.py", "--config", str(first)],
        cwd=TRAINER,
        env=os.environ | {"FAKE_STEPS": "30", "FAKE_STEP_SECONDS": "0.05"},
    )
    deadline = time.monotonic() + 20
    while not (first.parent / "events.jsonl").exists() or not of_type(read_events(first.parent), "metric"):
        assert time.monotonic() < deadline
    run.send_signal(signal.SIGTERM)
    assert run.wait(20) == 143
    events = read_events(first.parent)
    assert events[-1]["code"] == "interrupted"
    checkpoint = of_type(events, "checkpoint")[-1]

    second = write_config(attempt=2, resume_from=str(first.parent / checkpoint["path"]))
    assert fake(second, FAKE_STEPS="30").returncode == 0
    resumed = of_type(events, "metric") + of_type(read_events(second.parent), "metric")

    (first.parent / "events.jsonl").unlink()
    assert fake(first, FAKE_STEPS="30").returncode == 0
    whole = of_type(read_events(first.parent), "metric")
    assert [(e["step"], e["loss"]) for e in resumed] == [(e["step"], e["loss"]) for e in whole]
