import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from lora_trainer import causal_lm
from lora_trainer.failure import EXIT_CODES
from lora_trainer.report import Report
from protocol import TRAINER, of_type, parse_line, read_events

# The codes that runs of this file ended with.
TOLD: set[str] = set()


@pytest.fixture
def failed(train):
    """Runs a config.json that has to fail; answers exit code and error line, which must be the last."""

    def run(config):
        code = train(config)
        last = read_events(config.parent)[-1]
        assert last["type"] == "error", last
        assert code == EXIT_CODES[last["code"]]
        assert "/tmp/" not in json.dumps(last), "a host path is told"
        TOLD.add(last["code"])
        return last

    return run


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"training_params": {"lora_rank": 0}}, "training_params.lora_rank"),
        ({"training_params": {"batch_size": True}}, "training_params.batch_size"),
        ({"training_params": {"learning_rate": "fast"}}, "training_params.learning_rate"),
        ({"training_params": {"epochs": None, "max_steps": None}}, "training_params.epochs"),
        ({"training_params": {"precision": "bf16"}}, "training_params.precision"),
        ({"training_params": {"target_modules": ["q_proj", "z_proj"]}}, "training_params.target_modules"),
        ({"surprise": 1}, "surprise"),
        ({"dataset": {"mapping": {"question": "q"}}}, "dataset.mapping"),
        ({"devices": 2}, "strategy"),
        ({"strategy": "fsdp"}, "strategy"),
        ({"device": "cuda", "training_params": {"precision": "bf16"}}, "device"),
        ({"model_kind": "gan"}, "model_kind"),
        ({"model_kind": ["sdxl"]}, "model_kind"),
        ({"protocol": 2}, "protocol"),
        ({"resume_from": "/etc"}, "resume_from"),
        ({"init_adapters": [{"path": "/nowhere", "sha256": "0" * 64}]}, "init_adapters"),
    ],
)
def test_a_bad_configuration_is_refused_by_its_field(run_config, failed, changes, field):
    error = failed(run_config(**changes))
    assert (error["code"], error["field"]) == ("bad_config", field)
    assert error["hint"]
    assert "traceback" not in error or field == "training_params.target_modules"


def test_a_missing_field_is_named(run_config, failed):
    config = run_config()
    raw = json.loads(config.read_text())
    del raw["training_params"]["seed"]
    config.write_text(json.dumps(raw))
    assert failed(config)["field"] == "training_params.seed"


def test_a_second_attempt_in_the_same_folder_is_refused_and_writes_nothing(run_config, train):
    config = run_config(training_params={"max_steps": 1})
    assert train(config) == 0
    before = (config.parent / "events.jsonl").read_bytes()
    assert train(config) == 2
    assert (config.parent / "events.jsonl").read_bytes() == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"output_path": "relative"}', '{"output_path": NaN}'])
def test_a_configuration_that_cannot_be_read_is_refused_on_stderr(tmp_path, train, capsys, content):
    path = tmp_path / "config.json"
    path.write_text(content)
    assert train(path) == 2
    assert "bad_config" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"prompt": "a", "completion": "b"}, {"prompt": "a"}], "line 2"),
        ([], "No row is left"),
        ([{"question": "a", "answer": "b"}], "'prompt'"),
    ],
)
def test_bad_data_is_told_with_its_line(run_config, failed, dataset, rows, message):
    error = failed(run_config(dataset_path=str(dataset(rows))))
    assert error["code"] == "data"
    assert message in error["message"]


def test_a_dataset_that_vanished_is_told(run_config, failed):
    assert failed(run_config(dataset_path="/nowhere/rows.jsonl"))["code"] == "data"


@pytest.fixture
def copy_of_tiny(tiny, tmp_path):
    return shutil.copytree(tiny, tmp_path / "model")


def break_weights(folder):
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000])


def only_pickle(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def no_weights(folder):
    (folder / "model.safetensors").unlink()


def gated(folder):
    no_weights(folder)
    (folder / "README.md").write_text("---\nlicense: other\nextra_gated_prompt: Agree first\n---\n")


def foreign_code(folder):
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "strange", "auto_map": {"AutoModelForCausalLM": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text("raise SystemExit('foreign code was run')")


def few_embeddings(folder):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.add_tokens(["What is"])
    tokenizer.save(str(folder / "tokenizer.json"))


def no_config(folder):
    (folder / "config.json").unlink()


@pytest.mark.parametrize(
    ("breaks", "code", "message"),
    [
        (break_weights, "model_not_found", "weights"),
        (only_pickle, "model_not_found", "pickled"),
        (no_weights, "model_not_found", "no safetensors"),
        (no_config, "model_not_found", "config.json"),
        (foreign_code, "model_not_found", "cannot be loaded"),
        (gated, "gated_model", "gated"),
        (few_embeddings, "model_not_found", "tokens that its weights lack"),
        (shutil.rmtree, "model_not_found", "no such file"),
    ],
)
def test_an_unusable_base_model_is_told(run_config, failed, copy_of_tiny, breaks, code, message):
    breaks(copy_of_tiny)
    error = failed(run_config(base_model={"path": str(copy_of_tiny)}))
    assert error["code"] == code
    assert message in error["message"]


def test_three_steps_without_a_finite_loss_end_the_run_and_leave_no_adapter(run_config, failed, copy_of_tiny):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy_of_tiny / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, copy_of_tiny / "model.safetensors", {"format": "pt"})
    config = run_config(base_model={"path": str(copy_of_tiny)}, checkpoint_interval=1)
    assert failed(config)["code"] == "nan_loss"
    metrics = of_type(read_events(config.parent), "metric")
    assert [m["step"] for m in metrics] == [0, 1, 2, 3]
    assert all(m["nonfinite"] for m in metrics)
    assert metrics[1]["loss"] is None
    assert not (config.parent / "adapter").exists()


def test_a_full_disk_is_told_and_the_last_checkpoint_stays(run_config, failed, monkeypatch):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    send = Report.checkpoint

    def and_fill(self, *args):
        send(self, *args)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))

    monkeypatch.setattr(Report, "checkpoint", and_fill)
    config = run_config()
    try:
        error = failed(config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error["code"] == "disk_full"
    assert [path.name for path in (config.parent / "checkpoints").iterdir()] == ["step-00000002"]
    assert (config.parent / "checkpoints" / "step-00000002" / "complete.json").is_file()


def test_memory_that_runs_out_is_told_by_its_kind(run_config, failed, monkeypatch):
    import torch

    for number, (raised, message) in enumerate(
        [
            (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "GPU"),
            (
                RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"),
                "host",
            ),
            (MemoryError(), "host"),
        ],
        start=1,
    ):

        def fail(*_, raised=raised):
            raise raised

        monkeypatch.setattr(causal_lm, "make_trainer", fail)
        error = failed(run_config(number))
        assert error["code"] == "out_of_memory"
        assert message in error["message"]
        assert "batch_size" in error["hint"]


def test_memory_of_the_host_that_really_runs_out_is_told(run_config):
    config = run_config(training_params={"batch_size": 4096, "max_seq_length": 64, "grad_accum": 1})
    raw = json.loads(config.read_text())
    rows = "".join(json.dumps({"prompt": f"{n} " * 5, "completion": "yes " * 9}) + "\n" for n in range(4100))
    (config.parent / "rows.jsonl").write_text(rows)
    config.write_text(json.dumps(raw | {"dataset_path": str(config.parent / "rows.jsonl")}))
    program = (
        "import resource, sys, lora_trainer.loop, train_lora;"
        "import transformers.generation.utils, peft;"
        "used = int(open('/proc/self/statm').read().split()[0]) * 4096;"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000,) * 2);"
        "sys.exit(train_lora.main(['--config', sys.argv[1]]))"
    )
    run = subprocess.run([sys.executable, "-c", program, str(config)], cwd=TRAINER, capture_output=True, timeout=120)
    assert run.returncode == 5, run.stderr.decode()[-2000:]
    assert read_events(config.parent)[-1]["code"] == "out_of_memory"


def test_an_unforeseen_fault_is_internal_and_brings_its_traceback(run_config, failed, monkeypatch):
    monkeypatch.setattr(causal_lm, "make_trainer", lambda *_: {}["gone"])
    error = failed(run_config())
    assert error["code"] == "internal"
    assert "KeyError: 'gone'" in error["traceback"]
    assert str(TRAINER) not in error["traceback"]


def change_state(folder):
    (folder / "run_state.json").write_text("{}")


def drop_marker(folder):
    (folder / "complete.json").unlink()


def other_job(folder):
    marker = json.loads((folder / "complete.json").read_text())
    (folder / "complete.json").write_text(json.dumps(marker | {"job_id": "00000000-0000-4000-8000-000000000000"}))


def link_weights(folder):
    moved = (folder / "adapter_model.safetensors").rename(folder.parent / "elsewhere")
    (folder / "adapter_model.safetensors").symlink_to(moved)


@pytest.mark.parametrize(
    ("spoils", "changes", "message"),
    [
        (change_state, {}, "not complete or was changed"),
        (drop_marker, {}, "not complete or was changed"),
        (link_weights, {}, "not complete or was changed"),
        (other_job, {}, "another job's"),
        (lambda _: None, {"training_params": {"seed": 1}}, "another configuration or dataset"),
    ],
)
def test_a_checkpoint_that_is_not_this_runs_own_is_refused(run_config, train, failed, spoils, changes, message):
    first = run_config(1, training_params={"max_steps": 3})
    assert train(first) == 0
    folder = first.parent / "checkpoints" / "step-00000002"
    spoils(folder)
    changes = {"training_params": {"max_steps": 3}} | changes
    changes["training_params"] |= {"max_steps": 3}
    error = failed(run_config(2, resume_from=str(folder), **changes))
    assert (error["code"], error["field"]) == ("bad_config", "resume_from")
    assert message in error["message"]


def test_a_checkpoint_outside_the_jobs_folder_is_refused(run_config, train, failed, tmp_path):
    first = run_config(1)
    assert train(first) == 0
    moved = shutil.copytree(first.parent / "checkpoints" / "step-00000004", tmp_path / "elsewhere")
    assert "own folder" in failed(run_config(2, resume_from=str(moved)))["message"]
    linked = tmp_path / "job" / "link"
    linked.symlink_to(moved)
    assert "own folder" in failed(run_config(3, resume_from=str(linked)))["message"]


def test_sigterm_at_the_command_line_ends_in_143_with_a_checkpoint(run_config):
    config = run_config(training_params={"max_steps": 5000}, eval={"at_start": False, "interval_steps": 0})
    run = subprocess.Popen([sys.executable, "train_lora.py", "--config", str(config)], cwd=TRAINER)
    events, deadline = config.parent / "events.jsonl", time.monotonic() + 90
    while not events.exists() or b'"metric"' not in events.read_bytes():
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run.send_signal(signal.SIGTERM)
    run.send_signal(signal.SIGTERM)
    assert run.wait(60) == 143
    lines = [parse_line(line) for line in events.read_bytes().splitlines()]
    assert [line["type"] for line in lines[-2:]] == ["checkpoint", "error"]
    assert (config.parent / lines[-2]["path"] / "complete.json").is_file()


def test_sigterm_before_the_first_step_ends_at_once_without_a_checkpoint(run_config, failed, monkeypatch):
    monkeypatch.setattr(causal_lm, "load_base", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    config = run_config()
    assert failed(config)["code"] == "interrupted"
    assert not of_type(read_events(config.parent), "checkpoint")


def test_sigterm_while_a_line_is_written_neither_tears_it_nor_leaves_a_gap(run_config, failed, monkeypatch):
    write = os.write

    def and_stop(file, data):
        if b"preparing_data" in data:
            os.kill(os.getpid(), signal.SIGTERM)
        return write(file, data)

    monkeypatch.setattr(os, "write", and_stop)
    config = run_config()
    assert failed(config)["code"] == "interrupted"
    assert [event["type"] for event in read_events(config.parent)] == ["stage", "error"]


def test_every_code_of_the_protocol_was_told_by_a_run_above():
    schema = json.loads((TRAINER / "schema" / "event.schema.json").read_text())
    lines = {line["properties"]["type"]["const"]: line for line in schema["oneOf"]}
    codes = set(lines["error"]["properties"]["code"]["enum"])
    assert codes == set(EXIT_CODES)
    assert codes == TOLD
