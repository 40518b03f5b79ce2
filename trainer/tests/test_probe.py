"""The first slice of a run: what it measures, that it costs nothing, and what is expected after it."""

import os
import signal
import time
from types import SimpleNamespace

import pytest

from lora_trainer import checkpoints, loop
from lora_trainer.probe import Pace, Passed, Probe, times_between
from lora_trainer.report import Report
from protocol import of_type, read_events


def settings(warmup_steps=3, timed_steps=5):
    return SimpleNamespace(warmup_steps=warmup_steps, timed_steps=timed_steps, only=False)


def probe_of(config):
    (line,) = of_type(read_events(config.parent), "probe")
    return line


@pytest.mark.parametrize(
    ("steps_left", "warmup", "timed"), [(1, 0, 1), (2, 1, 1), (3, 2, 1), (5, 3, 2), (8, 3, 5), (900, 3, 5)]
)
def test_a_short_run_times_what_it_has(steps_left, warmup, timed):
    probe = Probe(settings(), steps_left)
    assert (probe.warmup_steps, probe.timed_steps) == (warmup, timed)
    exact = []
    ends = []
    for step in range(1, steps_left + 1):
        if probe.bounds_a_timed_step:
            exact.append(step)
        if probe.take(Passed(float(step), 10, 12, 5)):
            ends.append(step)
    assert ends == [warmup + timed]
    assert [passed.seconds for passed in probe.timed] == list(range(warmup + 1, warmup + timed + 1))
    # The clock is exact where a timed step begins and where it ends, and nowhere later.
    assert [step for step in exact if step > 0] == list(range(max(warmup, 1), warmup + timed + 1))


def test_the_figures_are_those_of_the_timed_steps():
    probe = Probe(settings(1, 3), 10)
    for seconds, tokens in ((9, 5), (1, 100), (4, 200), (3, 300)):
        probe.take(Passed(seconds, tokens, 2 * tokens, tokens // 2))
    figures = probe.figures(mean_tokens=400, longest_pass_tokens=640, device="cpu")
    assert figures["seconds_per_step"] == {"median": 3, "low": 1, "high": 4}
    assert (figures["tokens_per_step"], figures["padded_tokens_per_step"]) == (200, 400)
    assert figures["trained_tokens_per_step"] == 100
    assert figures["tokens_per_second"] == 75
    # 0.01, 0.02 and 0.01 s a token: a mean step of 400 tokens takes 4 s.
    assert figures["expected_seconds_per_step"] == 4
    assert figures["device_memory_mb"] > 50
    assert figures["peak_allocated_mb"] is figures["peak_reserved_mb"] is None


def test_every_run_tells_what_its_first_steps_took(run_config, train):
    config = run_config(training_params={"max_steps": 12})
    assert train(config) == 0
    events = read_events(config.parent)
    line = probe_of(config)
    assert (line["step"], line["warmup_steps"], line["timed_steps"]) == (8, 3, 5)
    assert 0 < line["seconds_per_step"]["low"] <= line["seconds_per_step"]["median"] <= line["seconds_per_step"]["high"]
    assert line["trained_tokens_per_step"] < line["tokens_per_step"] <= line["padded_tokens_per_step"]
    done = of_type(events, "done")[0]["summary"]
    # 20 rows in 5 steps an epoch.
    assert line["mean_tokens_per_step"] == pytest.approx(done["tokens"] / 12, rel=0.1)
    assert line["device_memory_mb"] <= done["peak_memory_mb"]
    place = events.index(line)
    assert events[place + 1]["type"] == "progress", "what is expected follows at once"
    assert events[place + 1]["eta_seconds"] > 0


@pytest.mark.parametrize(("steps", "warmup", "timed"), [(1, 0, 1), (5, 3, 2)])
def test_a_run_shorter_than_the_probe_tells_what_there_is(run_config, train, steps, warmup, timed):
    config = run_config(training_params={"max_steps": steps})
    assert train(config) == 0
    line = probe_of(config)
    assert (line["step"], line["warmup_steps"], line["timed_steps"]) == (steps, warmup, timed)


def test_measuring_changes_nothing_of_a_run(run_config, train):
    params = {"max_steps": 10}
    adapters = []
    for number, probe in enumerate(({"warmup_steps": 3, "timed_steps": 5}, {"warmup_steps": 0, "timed_steps": 1})):
        config = run_config(number + 1, training_params=params, probe=probe | {"only": False})
        assert train(config) == 0
        adapters.append((config.parent / "adapter" / "adapter_model.safetensors").read_bytes())
    assert adapters[0] == adapters[1]


def test_evaluations_and_checkpoints_between_timed_steps_are_no_part_of_them(run_config, train, monkeypatch):
    write, passed = checkpoints.write_checkpoint, [0.0]
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + passed[0]))

    def slowly(*args):
        passed[0] += 1000
        return write(*args)

    monkeypatch.setattr(checkpoints, "write_checkpoint", slowly)
    config = run_config(training_params={"max_steps": 8}, checkpoint_interval=1, eval={"interval_steps": 0})
    assert train(config) == 0
    assert probe_of(config)["seconds_per_step"]["high"] < 1000


def test_a_resumed_run_measures_its_own_first_steps(run_config, train):
    params = {"max_steps": 14}
    first = run_config(1, training_params=params)
    assert train(first) == 0
    folder = first.parent / "checkpoints" / "step-00000012"
    second = run_config(2, training_params=params, resume_from=str(folder))
    assert train(second) == 0
    line = probe_of(second)
    assert (line["step"], line["warmup_steps"], line["timed_steps"]) == (14, 1, 1)


def test_a_probe_alone_ends_after_its_steps_without_an_adapter(run_config, train):
    whole = run_config(1, training_params={"max_steps": 30})
    assert train(whole) == 0
    config = run_config(
        2,
        training_params={"max_steps": 30},
        probe={"warmup_steps": 2, "timed_steps": 3, "only": True},
        checkpoint_interval=1,
        eval={"interval_steps": 1, "at_start": False},
    )
    assert train(config) == 0
    events = read_events(config.parent)
    assert events[-1]["type"] == "done"
    assert events[-1]["summary"]["steps"] == probe_of(config)["step"] == 5
    assert not {"artifact", "checkpoint"} & {event["type"] for event in events}
    assert sorted(path.name for path in config.parent.iterdir()) == ["config.json", "events.jsonl"]
    last = of_type(events, "progress")[-1]
    assert (last["step"], last["total_steps"], last["eta_seconds"]) == (5, 5, 0)
    # Its steps are those of the whole run.
    losses = [[m["loss"] for m in of_type(read_events(c.parent), "metric") if "loss" in m] for c in (whole, config)]
    assert losses[1] == losses[0][:5]


def test_the_gpu_is_waited_for_around_timed_steps_only(run_config, train, monkeypatch):
    waits = []
    monkeypatch.setattr(loop.LoraTrainer, "_synchronize", lambda self: waits.append(self.state.global_step))
    assert train(run_config(training_params={"max_steps": 14})) == 0
    assert waits == [0, 3, 4, 5, 6, 7, 8]


def test_what_is_expected_follows_the_tokens_evaluations_and_checkpoints_to_come():
    pace = Pace(mean_tokens=100)
    assert pace.remaining(5, 0, 0) is None
    pace.take(Passed(60.0, 50, 64, 20))
    assert pace.remaining(1, 0, 0) == 120
    pace.restart([Passed(2.0, 150, 200, 80), Passed(4.0, 450, 500, 80)])
    assert pace.remaining(10, 0, 0) == pytest.approx(10)
    pace.evaluation_seconds, pace.checkpoint_seconds = 7, 3
    assert pace.remaining(10, 2, 4) == pytest.approx(10 + 14 + 12)
    for _ in range(100):
        pace.take(Passed(5.0, 100, 100, 50))
    assert pace.remaining(10, 0, 0) == pytest.approx(50, rel=1e-3)
    before = pace.remaining(1, 0, 0)
    pace.take(Passed(50.0, 100, 100, 50))
    assert pace.remaining(1, 0, 0) < 2 * before, "one slow step is not the rest of the run"


@pytest.mark.parametrize(
    ("after", "until", "interval", "times"), [(0, 10, 3, 3), (3, 10, 3, 2), (9, 10, 3, 0), (10, 10, 5, 0), (0, 9, 0, 0)]
)
def test_what_is_still_to_come_is_counted_by_its_interval(after, until, interval, times):
    assert times_between(after, until, interval) == times


def test_evaluations_still_to_come_lengthen_what_is_expected(run_config, train, monkeypatch):
    told = []
    progress = Report.progress
    monkeypatch.setattr(
        Report, "progress", lambda self, *args: (told.append((args[0], args[3])), progress(self, *args))[1]
    )
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 0)

    def evaluate(self, step):
        self.pace.evaluation_seconds, self.run_state.evaluated = 1000.0, step
        self.tell_progress()

    monkeypatch.setattr(loop.LoraTrainer, "_evaluate", evaluate)
    assert train(run_config(training_params={"max_steps": 10}, eval={"interval_steps": 4})) == 0
    # Evaluations are due after steps 4, 8 and 10; there progress is told before and after them.
    told = [(step, round(eta / 1000)) for step, eta in told if eta is not None]
    assert told == [
        (1, 3),
        (2, 3),
        (3, 3),
        (4, 3),
        (4, 2),
        (5, 2),
        (6, 2),
        (7, 2),
        (8, 2),
        (8, 1),
        (9, 1),
        (10, 1),
        (10, 0),
    ]


def test_an_interrupted_probe_is_told_by_nobody(run_config, train, monkeypatch):
    send = Report.metric

    def and_stop(self, step, *args, **fields):
        send(self, step, *args, **fields)
        if step == 4:
            monkeypatch.undo()
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Report, "metric", and_stop)
    config = run_config(training_params={"max_steps": 12})
    assert train(config) == 143
    assert not of_type(read_events(config.parent), "probe")


def test_tokens_of_a_mean_step_are_those_of_an_epoch(run_config, train):
    config = run_config(training_params={"max_steps": 9, "batch_size": 64, "grad_accum": 1})
    assert train(config) == 0
    line = probe_of(config)
    assert line["mean_tokens_per_step"] == line["tokens_per_step"]
