import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from lora_trainer import generate, verify
from protocol import TRAINER, of_type, read_events


def verified(capsys, *args):
    code = verify.main([str(arg) for arg in args])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert code == (0 if result["ok"] else 1)
    return result


@pytest.fixture
def finished(run_config, train):
    def run(**changes):
        config = run_config(**changes)
        assert train(config) == 0
        return config

    return run


@pytest.mark.parametrize("method", ["lora", "dora"])
def test_a_whole_adapter_fits_its_base_and_no_base_weight_is_read(finished, tiny, capsys, tmp_path, method):
    adapter = finished(method=method).parent / "adapter"
    without_weights = tmp_path / "bare"
    without_weights.mkdir()
    (without_weights / "config.json").write_bytes((tiny / "config.json").read_bytes())
    result = verified(capsys, "--base", without_weights, "--adapter", adapter)
    assert (result["ok"], result["base_model"], result["rank"]) == (True, "acme/tiny-llama", 8)
    assert result["tensors"] == 2 * 7 * (3 if method == "dora" else 2)


def drop(tensors):
    tensors.popitem()


def add(tensors):
    tensors["base_model.model.model.layers.9.mlp.up_proj.lora_A.weight"] = torch.zeros(8, 32)


def spoil(tensors):
    next(iter(tensors.values()))[0, 0] = float("inf")


def reshape(tensors):
    name = next(iter(tensors))
    tensors[name] = torch.zeros(3, 5)


@pytest.mark.parametrize(
    ("breaks", "message"),
    [(drop, "is missing"), (add, "belongs to no module"), (spoil, "not finite"), (reshape, "has the shape [3, 5]")],
)
def test_an_adapter_that_does_not_fit_is_told(finished, tiny, capsys, breaks, message):
    adapter = finished(training_params={"max_steps": 1}).parent / "adapter"
    tensors = load_file(adapter / "adapter_model.safetensors")
    breaks(tensors)
    save_file(tensors, adapter / "adapter_model.safetensors", {"format": "pt"})
    result = verified(capsys, "--base", tiny, "--adapter", adapter)
    assert not result["ok"]
    assert message in " ".join(result["problems"])


def test_a_folder_that_is_no_adapter_is_told(tiny, tmp_path, capsys):
    assert "adapter_config.json is missing" in verified(capsys, "--base", tiny, "--adapter", tmp_path)["problems"]


def test_a_fresh_process_reproduces_the_recorded_evaluation_loss(finished):
    config = finished(training_params={"packing": True, "batch_size": 3})
    metrics = [event for event in of_type(read_events(config.parent), "metric") if "eval_loss" in event]

    def again(*args):
        command = [sys.executable, "-m", "lora_trainer.verify", "--config", str(config), "--eval", *args]
        return json.loads(subprocess.run(command, cwd=TRAINER, capture_output=True, check=True).stdout)["eval_loss"]

    assert again() == pytest.approx(metrics[-1]["eval_loss"], abs=1e-4)
    assert again("--no-adapter") == pytest.approx(metrics[0]["eval_loss"], abs=1e-4)


PROMPTS = [{"prompt": f"What is {n}\u2028and {n}?" + " Say why." * (n % 3), "id": n} for n in range(7)]


def generated(tmp_path, *args):
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in PROMPTS))
    paths = ["--prompts", str(tmp_path / "prompts.jsonl"), "--out", str(tmp_path / "out.jsonl")]
    assert generate.main([*paths, "--max-new-tokens", "6", *map(str, args)]) == 0
    return [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().strip().split("\n")]


def test_answers_keep_the_order_and_do_not_depend_on_their_batch(tiny, tmp_path):
    together = generated(tmp_path, "--base", tiny)
    assert [row["id"] for row in together] == list(range(7))
    assert together == generated(tmp_path, "--base", tiny, "--batch-size", 1)
    assert together == generated(tmp_path, "--base", tiny, "--batch-size", 3)


def test_an_answer_is_what_transformers_generates(tiny, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(tiny), AutoModelForCausalLM.from_pretrained(tiny)
    for row in generated(tmp_path, "--base", tiny)[:3]:
        chat = [{"role": "user", "content": row["prompt"]}]
        inputs = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt")
        ids = model.generate(**inputs, max_new_tokens=6, do_sample=False)[0, inputs["input_ids"].shape[1] :]
        assert row["text"] == tokenizer.decode(ids, skip_special_tokens=True)


def test_an_adapter_changes_the_answers_to_what_it_was_trained_on(finished, tiny, tmp_path, dataset):
    rows = [{"prompt": f"What is {n} and {n}?", "completion": "yes"} for n in range(24)]
    params = {"max_steps": 60, "learning_rate": 0.02, "lora_dropout": 0, "grad_accum": 1, "batch_size": 4}
    config = finished(dataset_path=str(dataset(rows)), training_params=params)
    assert {row["text"] for row in generated(tmp_path, "--base", tiny)} != {"yes"}
    tuned = generated(tmp_path, "--base", tiny, "--adapter", config.parent / "adapter")
    assert {row["text"] for row in tuned if row["id"] % 3 == 0} == {"yes"}


def test_a_missing_model_ends_generation_with_its_code(tmp_path):
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "a"}\n')
    args = ["--prompts", str(tmp_path / "prompts.jsonl"), "--out", str(tmp_path / "out"), "--max-new-tokens", "4"]
    assert generate.main(["--base", str(tmp_path / "nowhere"), *args]) == 4
