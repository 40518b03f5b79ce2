import hashlib
import json
import os
import platform
import signal
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers.models.llama.modeling_llama import LlamaMLP

from lora_trainer import causal_lm, run_facts
from lora_trainer.report import Report
from protocol import of_type, read_events


def adapter_of(config: Path) -> bytes:
    return (config.parent / "adapter" / "adapter_model.safetensors").read_bytes()


def curve(*configs: Path) -> list[tuple]:
    """All logged figures that do not depend on the clock, over the attempts of a job."""
    metrics = [event for config in configs for event in of_type(read_events(config.parent), "metric")]
    return [(m["step"], m.get("loss"), m.get("eval_loss"), m.get("learning_rate"), m.get("grad_norm")) for m in metrics]


@pytest.fixture
def sigterm_at(monkeypatch):
    """Sends this process SIGTERM when the chosen kind of line is written for a step."""

    def arrange(kind, step, eval_line=False):
        send = getattr(Report, kind)

        def and_stop(self, at, *args, **fields):
            send(self, at, *args, **fields)
            if at == step and ("eval_loss" in fields) == eval_line:
                monkeypatch.undo()
                os.kill(os.getpid(), signal.SIGTERM)

        monkeypatch.setattr(Report, kind, and_stop)

    return arrange


def test_a_run_writes_its_events_and_whole_artifacts(run_config, train):
    config = run_config(sample_prompts=["What is 2 and 2?"])
    assert train(config) == 0
    events = read_events(config.parent)
    stages = [event["stage"] for event in of_type(events, "stage")]
    assert stages[:2] == ["preparing_data", "loading_model"]
    assert stages[-2:] == ["saving", "done"]
    assert {"training", "evaluating"} < set(stages)
    assert events[-1]["type"] == "done"
    hello = of_type(events, "hello")[0]
    assert 0 < hello["trainable_parameters"] < hello["total_parameters"]
    metrics = of_type(events, "metric")
    assert [m["step"] for m in metrics if "loss" in m] == [1, 2, 3, 4, 5, 6]
    assert [m["step"] for m in metrics if "eval_loss" in m] == [0, 3, 6]
    assert [sample["step"] for sample in of_type(events, "sample")] == [0, 3, 6]
    assert all(m["peak_memory_mb"] > 50 and m["tokens_per_second"] > 0 for m in metrics if "loss" in m)
    assert of_type(events, "progress")[-1]["step"] == 6
    for artifact in of_type(events, "artifact"):
        data = (config.parent / artifact["path"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (artifact["bytes"], artifact["sha256"])
    names = {artifact["path"] for artifact in of_type(events, "artifact")}
    assert names > {"adapter/adapter_config.json", "adapter/README.md", "adapter/tokenizer.json", "passport.json"}


def test_the_adapter_names_its_base_and_loads_in_peft(run_config, train, tiny):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    config = run_config()
    assert train(config) == 0
    folder = config.parent / "adapter"
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "acme/tiny-llama"
    card = (folder / "README.md").read_text()
    assert card.startswith('---\nbase_model: "acme/tiny-llama"\nlibrary_name: peft\n')
    assert 'base = "acme/tiny-llama"\nmodel = ' in card
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny), folder)
    saved = load_file(folder / "adapter_model.safetensors")
    loaded = {name.replace(".default", ""): value for name, value in model.named_parameters() if "lora_" in name}
    assert loaded.keys() == saved.keys()
    assert all(torch.equal(loaded[name], saved[name]) for name in saved)
    assert any(saved[name].abs().max() > 0 for name in saved if "lora_B" in name)
    assert AutoTokenizer.from_pretrained(folder).chat_template
    for path in config.parent.rglob("*"):
        if path.is_file() and path.name not in ("config.json", "events.jsonl"):
            assert str(tiny).encode() not in path.read_bytes(), f"{path.name} holds a host path"


def test_an_adapter_of_a_folder_sends_nobody_to_the_hub(run_config, train, tiny):
    config = run_config(base_model={"id": "lab/demo", "on_hub": False})
    assert train(config) == 0
    folder = config.parent / "adapter"
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "/path/to/demo"
    card = (folder / "README.md").read_text()
    assert "base_model:" not in card
    assert '# The base model "lab/demo" is not on the Hub' in card
    assert 'base = "/path/to/demo"\nmodel = AutoModelForCausalLM.from_pretrained(base)' in card
    assert str(tiny) not in card


def flat(value, name=""):
    if not isinstance(value, dict):
        return {name: value}
    return {key: item for part, below in value.items() for key, item in flat(below, f"{name}.{part}").items()}


def test_the_passport_tells_how_the_adapter_came_about(run_config, train, tiny):
    config = run_config()
    raw = json.loads(config.read_text())
    raw["base_model"]["revision"] = "c0ffee" * 6
    config.write_text(json.dumps(raw))
    assert train(config) == 0
    passport = json.loads((config.parent / "passport.json").read_text())
    assert passport["dataset"]["sha256"] == hashlib.sha256(Path(raw["dataset_path"]).read_bytes()).hexdigest()
    weights = (tiny / "model.safetensors").read_bytes()
    assert passport["base_model"]["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert passport["adapter"]["sha256"] == hashlib.sha256(adapter_of(config)).hexdigest()
    assert passport["base_model"]["id"] == raw["base_model"]["id"]
    assert passport["base_model"]["revision"] == raw["base_model"]["revision"]
    assert passport["seed"] == raw["training_params"]["seed"]
    installed = {name: version(name) for name in ("torch", "transformers", "peft", "safetensors")}
    assert installed.items() <= passport["versions"].items()
    assert passport["versions"]["python"] == platform.python_version()
    # The whole configuration, but for where things lay.
    told, asked = flat(passport["config"]), flat(raw)
    assert told.keys() == asked.keys()
    changed = {name for name in told if told[name] != asked[name]}
    assert all(name.rpartition(".")[2] in run_facts.PATHS and told[name] == Path(asked[name]).name for name in changed)
    done = of_type(read_events(config.parent), "done")[0]["summary"]
    assert passport["figures"] == done | {"evaluations": passport["figures"]["evaluations"]}
    assert passport["figures"]["evaluations"]["6"] == done["eval_loss"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(run_config, train):
    one, two = run_config(1), run_config(2)
    other = run_config(3, training_params={"seed": 43})
    assert [train(config) for config in (one, two, other)] == [0, 0, 0]
    assert adapter_of(one) == adapter_of(two) != adapter_of(other)
    assert curve(one) == curve(two)


RESUMED = [
    # Stop after step 4 of 6 while the window of logged steps is open and an epoch is under way.
    {"training_params": {"logging_steps": 3, "lora_dropout": 0.2}, "eval": {"interval_steps": 2}},
    {"training_params": {"logging_steps": 1, "packing": True, "batch_size": 1, "lr_schedule": "linear"}},
    {"training_params": {"logging_steps": 2, "grad_accum": 1, "max_steps": 30}, "method": "dora"},
    # Stop in the second epoch, which the longest row does not open.
    {"training_params": {"batch_size": 4, "max_steps": 9}},
]


@pytest.mark.parametrize("changes", RESUMED)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(run_config, train, sigterm_at, changes):
    changes = {"eval": {"at_start": False}, **changes}
    whole = run_config(1, **changes)
    assert train(whole) == 0
    first = run_config(2, **changes)
    sigterm_at("checkpoint", 4)
    assert train(first) == 143
    events = read_events(first.parent)
    assert events[-1]["code"] == "interrupted"
    assert events[-1]["message"].endswith("; its checkpoint is kept.")
    checkpoint = of_type(events, "checkpoint")[-1]
    second = run_config(3, resume_from=str(first.parent / checkpoint["path"]), **changes)
    assert train(second) == 0
    assert adapter_of(second) == adapter_of(whole)
    assert curve(first, second) == curve(whole)
    figures = [json.loads((c.parent / "passport.json").read_text())["figures"] for c in (whole, second)]
    same = ("steps", "final_loss", "eval_loss", "best_step", "evaluations")
    assert [figures[0][name] for name in same] == [figures[1][name] for name in same]


def test_a_run_killed_between_checkpoints_goes_on_from_the_last_one(run_config, train):
    whole = run_config(1)
    assert train(whole) == 0
    second = run_config(2, resume_from=str(whole.parent / "checkpoints" / "step-00000004"))
    assert train(second) == 0
    assert adapter_of(second) == adapter_of(whole)
    assert curve(second) == [point for point in curve(whole) if point[0] > 4]


def test_a_stop_while_evaluating_is_made_up_for(run_config, train, sigterm_at):
    whole = run_config(1, checkpoint_interval=0, eval={"interval_steps": 0, "at_start": False})
    assert train(whole) == 0
    first = run_config(2, checkpoint_interval=0, eval={"interval_steps": 0, "at_start": False})
    sigterm_at("metric", 6)
    assert train(first) == 143
    path = of_type(read_events(first.parent), "checkpoint")[-1]["path"]
    second = run_config(
        3, checkpoint_interval=0, eval={"interval_steps": 0, "at_start": False}, resume_from=str(first.parent / path)
    )
    assert train(second) == 0
    assert adapter_of(second) == adapter_of(whole)
    assert curve(first, second) == curve(whole)


def test_the_newest_checkpoints_are_kept_and_nothing_unfinished(run_config, train):
    config = run_config(checkpoint_interval=1, checkpoints_kept=2)
    assert train(config) == 0
    names = sorted(path.name for path in (config.parent / "checkpoints").iterdir())
    assert names == ["step-00000005", "step-00000006"]
    assert not list(config.parent.rglob(".*"))
    files = {path.name for path in (config.parent / "checkpoints" / names[0]).iterdir()}
    assert {name.rpartition(".")[2] for name in files} == {"json", "safetensors"}


def test_training_learns_and_a_learning_rate_of_zero_does_not(run_config, train):
    params = {"max_steps": 12, "learning_rate": 0.05, "lora_dropout": 0, "grad_accum": 1}
    learned, still = run_config(1, training_params=params), run_config(2, training_params=params | {"learning_rate": 0})
    assert (train(learned), train(still)) == (0, 0)

    def evaluations(config):
        return [point[2] for point in curve(config) if point[2] is not None]

    assert evaluations(learned)[-1] < evaluations(learned)[0] - 0.3
    assert len(set(evaluations(still))) == 1


def test_an_accumulated_batch_is_averaged_over_all_its_tokens(run_config, train):
    params = {"lora_dropout": 0, "max_steps": 3, "learning_rate": 0.001}
    one = run_config(1, training_params=params | {"batch_size": 4, "grad_accum": 1})
    many = run_config(2, training_params=params | {"batch_size": 1, "grad_accum": 4})
    assert (train(one), train(many)) == (0, 0)
    for name in ("loss", "grad_norm"):
        figures = [[m[name] for m in of_type(read_events(c.parent), "metric") if name in m] for c in (one, many)]
        assert figures[0] == pytest.approx(figures[1], rel=1e-4)


def test_gradient_checkpointing_changes_no_figure(run_config, train, monkeypatch):
    calls = []
    forward = LlamaMLP.forward
    monkeypatch.setattr(LlamaMLP, "forward", lambda *args: calls.append(1) or forward(*args))
    plain = run_config(1, dataset={"splits": {"eval_rows": 0}})
    saving = run_config(2, dataset={"splits": {"eval_rows": 0}}, training_params={"gradient_checkpointing": True})
    assert train(plain) == 0
    once = len(calls)
    assert train(saving) == 0
    assert len(calls) == 3 * once
    assert [point[1] for point in curve(plain)] == pytest.approx([point[1] for point in curve(saving)], abs=1e-6)


def test_epochs_and_steps_end_at_the_earlier_of_the_two(run_config, train):
    # 20 rows in batches of 2, two to a step: 5 steps an epoch.
    epochs = run_config(1, training_params={"epochs": 1.5, "max_steps": None})
    steps = run_config(2, training_params={"epochs": 3, "max_steps": 4})
    assert (train(epochs), train(steps)) == (0, 0)
    assert [of_type(read_events(c.parent), "done")[0]["summary"]["steps"] for c in (epochs, steps)] == [8, 4]


def test_training_goes_on_from_an_adapter(run_config, train):
    first = run_config(1)
    assert train(first) == 0
    start = {"path": str(first.parent / "adapter"), "sha256": hashlib.sha256(adapter_of(first)).hexdigest()}
    second = run_config(2, init_adapters=[start], training_params={"learning_rate": 0})
    assert train(second) == 0
    assert adapter_of(second) == adapter_of(first)
    for wrong, message in (
        ({"init_adapters": [start | {"sha256": "0" * 64}]}, "sha256 differs"),
        ({"init_adapters": [start], "training_params": {"lora_rank": 2}}, "does not fit"),
    ):
        config = run_config(sum(1 for _ in first.parent.parent.iterdir()) + 1, **wrong)
        assert train(config) == 2
        assert message in of_type(read_events(config.parent), "error")[0]["message"]


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_the_learning_rate_warms_up_and_follows_its_schedule(run_config, train, schedule):
    config = run_config(
        training_params={"lr_schedule": schedule, "warmup_steps": 2, "learning_rate": 0.5, "max_steps": 6}
    )
    assert train(config) == 0
    rates = [point[3] for point in curve(config) if point[3] is not None]
    assert rates[:3] == [0, 0.25, 0.5]
    after = {"cosine": [0.4268, 0.25, 0.0732], "linear": [0.375, 0.25, 0.125], "constant": [0.5, 0.5, 0.5]}
    assert rates[3:] == pytest.approx(after[schedule], abs=1e-4)


def test_reading_a_long_dataset_gives_signs_of_life(run_config, train, monkeypatch):
    monkeypatch.setattr(causal_lm, "ALIVE_SECONDS", -1)
    config = run_config(training_params={"max_steps": 1})
    assert train(config) == 0
    stages = [event["stage"] for event in of_type(read_events(config.parent), "stage")]
    assert stages[:3] == ["preparing_data", "preparing_data", "loading_model"]


def test_whole_numbers_may_be_written_as_decimals_and_a_short_context_is_told(run_config, train):
    config = run_config(training_params={"max_steps": 1.0, "batch_size": 2.0, "max_seq_length": 4096.0})
    assert train(config) == 0
    assert "beyond_context" in {event["code"] for event in of_type(read_events(config.parent), "warning")}


def test_without_held_out_rows_and_prompts_nothing_is_evaluated(run_config, train):
    config = run_config(dataset={"splits": {"eval_rows": 0}})
    assert train(config) == 0
    events = read_events(config.parent)
    assert "evaluating" not in {event["stage"] for event in of_type(events, "stage")}
    assert not [m for m in of_type(events, "metric") if "eval_loss" in m]
    assert of_type(events, "done")[0]["summary"]["best_step"] is None
