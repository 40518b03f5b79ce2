"""Trainings of tiny image pipelines from configuration to adapter, and what their adapters are worth elsewhere."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lora_trainer.images.adapters import DIFFUSERS_FACTS, WEIGHTS
from lora_trainer.images.data.caches import LatentCache
from lora_trainer.images.kohya_layout import kohya_tensors
from lora_trainer.images.verify import check_image_adapter
from lora_trainer.report import Report
from make_tiny_pipelines import KINDS
from protocol import of_type, read_events

LOAD = """
import json, sys
import numpy, torch
from diffusers import DiffusionPipeline
def picture():
    draw = torch.Generator().manual_seed(3)
    made = pipeline("a sks dog", num_inference_steps=2, width=64, height=64, generator=draw)
    return numpy.asarray(made.images[0]).astype(int)
told = {}
for kind, base, adapter in json.loads(sys.argv[1]):
    pipeline = DiffusionPipeline.from_pretrained(base, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    before = picture()
    pipeline.load_lora_weights(adapter)
    after = picture()
    adapted = [part for part in pipeline.components.values() if hasattr(part, "peft_config")]
    alphas = {part.peft_config["default_0"].lora_alpha for part in adapted}
    pipeline.unload_lora_weights()
    again = picture()
    same = None
    if kind != "flux":
        pipeline.load_lora_weights(adapter, weight_name="kohya_lora_weights.safetensors")
        same = float(abs(after - picture()).mean())
    told[kind] = [float(abs(before - after).mean()), float(abs(before - again).max()), same, sorted(alphas)]
print(json.dumps(told))
"""


def adapter_of(config):
    return config.parent / "adapter" / "pytorch_lora_weights.safetensors"


def test_a_run_that_was_stopped_and_resumed_ends_as_one_that_was_not_and_its_adapter_loads_anywhere(
    configure_images, train, image_bases, monkeypatch
):
    adapters = []
    for kind in KINDS:
        texts = {"train_text_encoder": True, "cache_text_embeddings": False} if kind == "stable-diffusion" else {}
        whole = configure_images(kind, training_params=texts)
        assert train(whole) == 0
        events = read_events(whole.parent)
        assert [(e["step"], e["image"]["seed"]) for e in of_type(events, "sample")] == [(0, 7), (4, 7), (5, 7)]
        for sample in of_type(events, "sample"):
            file = whole.parent / sample["image"]["path"]
            assert file.read_bytes().startswith(b"\x89PNG")
            assert (sample["image"]["width"], sample["image"]["bytes"]) == (128, file.stat().st_size)
        assert [event["step"] for event in of_type(events, "checkpoint")] == [2, 4]
        [probe], [done] = of_type(events, "probe"), of_type(events, "done")
        assert (probe["warmup_steps"], probe["timed_steps"], done["summary"]["steps"]) == (3, 2, 5)
        # The first pass has a largest bucket in it, with as many class images.
        assert probe["longest_pass_tokens"] == 2 * 2 * 128 * 128 // 64
        assert all(event["loss"] > 0 for event in of_type(events, "metric"))
        assert (whole.parent / "passport.json").is_file()

        # SIGTERM in step 3: the step is finished and kept.
        stopped, metric = configure_images(kind, attempt=2, training_params=texts), Report.metric
        with monkeypatch.context() as patch:
            patch.setattr(
                Report,
                "metric",
                lambda self, step, *a, _m=metric, **k: (
                    _m(self, step, *a, **k),
                    step == 3 and os.kill(os.getpid(), signal.SIGTERM),
                ),
            )
            assert train(stopped) == 143
        kept = stopped.parent / "checkpoints" / "step-00000003"
        assert read_events(stopped.parent)[-1]["code"] == "interrupted"
        assert (kept / "pytorch_lora_weights.safetensors").is_file()
        resumed = configure_images(kind, attempt=3, training_params=texts, resume_from=str(kept))
        assert train(resumed) == 0
        assert adapter_of(resumed).read_bytes() == adapter_of(whole).read_bytes(), kind
        assert (resumed.parent / "samples/step-00000005-1.png").read_bytes() == (
            whole.parent / "samples/step-00000005-1.png"
        ).read_bytes()

        with safe_open(adapter_of(whole), "pt") as file:
            told, names = file.metadata(), set(file.keys())
        assert (told["base_model"], told["lora_rank"], told["lora_alpha"]) == ("acme/tiny-sdxl", "4", "6")
        assert (json.loads(told["trigger_words"]), len(told["dataset_sha256"])) == (["sks"], 64)
        parts = {name.split(".")[0] for name in names}
        assert parts == ({"transformer"} if kind == "flux" else {"unet"} | ({"text_encoder"} if texts else set()))
        with safe_open(whole.parent / "adapter" / "kohya_lora_weights.safetensors", "pt") as file:
            assert (file.metadata()["ss_network_dim"], file.metadata()["ss_network_alpha"]) == ("4", "6")
            assert all(name.startswith(("lora_unet_", "lora_te_text_model_")) for name in sorted(file.keys()))
        verified = check_image_adapter(image_bases[kind], whole.parent / "adapter")
        assert (verified["ok"], verified["rank"], verified["tensors"]) == (True, 4, len(names))
        other = {"stable-diffusion": "sdxl", "sdxl": "stable-diffusion"}.get(kind)
        assert other is None or not check_image_adapter(image_bases[other], whole.parent / "adapter")["ok"]
        if texts:
            # Its encoder's half alone is a file that loads, and changes next to nothing.
            half, settings = whole.parent / "half", json.loads(told[DIFFUSERS_FACTS])
            half.mkdir()
            settings = {name: value for name, value in settings.items() if name.startswith("text_encoder.")}
            tensors = {name: value for name, value in load_file(adapter_of(whole)).items() if "text_encoder." in name}
            save_file(tensors, half / WEIGHTS, told | {DIFFUSERS_FACTS: json.dumps(settings)})
            refused = check_image_adapter(image_bases[kind], half)
            assert (refused["ok"], len(refused["problems"])) == (False, 1)
            assert "not on the unet" in refused["problems"][0]
        adapters.append((kind, str(image_bases[kind]), str(whole.parent / "adapter")))

    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, json.dumps(adapters)], capture_output=True, text=True, env=environment, check=True
    )
    for kind, (changed, left, kohya, alphas) in json.loads(done.stdout.splitlines()[-1]).items():
        assert changed > 0.1, f"the adapter of {kind} changes nothing"
        assert (left, alphas) == (0.0, [6])
        assert kohya is None or kohya < 0.2, f"{kind} in kohya's layout draws another picture"


def test_the_loss_falls(configure_images, train):
    params = {"max_steps": 40, "grad_accum": 1, "batch_size": 4, "learning_rate": 0.05, "resolution": 64}
    params |= {"ema_decay": None, "lora_dropout": 0, "lr_schedule": "constant", "bucketing": False}
    config = configure_images("flux", prior=None, training_params=params, sample_prompts=[])
    assert train(config) == 0
    losses = [event["loss"] for event in of_type(read_events(config.parent), "metric")]
    assert sum(losses[-10:]) / 10 < 0.85 * sum(losses[:5]) / 5


def test_kohyas_layout_of_flux_is_read_by_the_converter_of_diffusers():
    from diffusers.loaders.lora_conversion_utils import _convert_kohya_flux_lora_to_diffusers

    double, single = "transformer.transformer_blocks.0", "transformer.single_transformer_blocks.3"
    modules = [f"{double}.attn.{name}" for name in ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj")]
    modules += [f"{double}.attn.add_v_proj", f"{double}.attn.to_add_out", f"{double}.ff.net.2"]
    modules += [f"{single}.attn.{name}" for name in ("to_q", "to_k", "to_v")]
    draw = torch.Generator().manual_seed(0)
    tensors = {}
    for module in modules:
        # The widths of the real one are written down in the converter.
        tensors[f"{module}.lora_A.weight"] = torch.randn(2, 8, generator=draw)
        tensors[f"{module}.lora_B.weight"] = torch.randn(3072, 2, generator=draw)
    found = _convert_kohya_flux_lora_to_diffusers(kohya_tensors(tensors, 6.0, "flux"))
    empty = {name for name in found if "proj_mlp" in name}
    assert found.keys() - empty == tensors.keys()
    assert all(not found[name].any() for name in empty)
    for module in modules:
        down, up = (f"{module}.lora_{side}.weight" for side in "AB")
        # Alpha over rank is in the weights now.
        torch.testing.assert_close(
            found[up].float() @ found[down].float(), 3 * (tensors[up] @ tensors[down]), atol=0.05, rtol=0.01
        )


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"method": "lora"}, "bad_config", "prior"),
        ({"training_params": {"train_text_encoder": True}}, "bad_config", "training_params.cache_text_embeddings"),
        ({"training_params": {"optimizer": "adamw_8bit"}}, "bad_config", "training_params.optimizer"),
        ({"training_params": {"precision": "bf16"}}, "bad_config", "training_params.precision"),
        ({"model_kind": "stable-diffusion"}, "model_not_found", "base_model.path"),
        ({"base_model": {"path": "/usr"}}, "model_not_found", "base_model.path"),
    ],
)
def test_what_cannot_be_trained_is_refused_by_name(configure_images, train, changes, code, field):
    config = configure_images(**changes)
    assert train(config) != 0
    error = read_events(config.parent)[-1]
    assert (error["type"], error["code"], error["field"]) == ("error", code, field)


def test_without_caches_a_loss_that_is_lost_ends_the_run_and_a_probe_ends_after_its_steps(
    configure_images, train, monkeypatch
):
    off = {"cache_latents": False, "cache_text_embeddings": False, "noise_offset": 0.1, "gradient_checkpointing": True}
    probed = configure_images(
        "stable-diffusion", probe={"warmup_steps": 1, "timed_steps": 1, "only": True}, training_params=off
    )
    assert train(probed) == 0
    events = read_events(probed.parent)
    assert [event["step"] for event in of_type(events, "metric")] == [1, 2]
    assert not of_type(events, "artifact") + of_type(events, "sample") + of_type(events, "checkpoint")
    monkeypatch.setattr(
        "lora_trainer.images.noise.errors_of", lambda predicted, _: predicted.flatten(1).mean(1) * float("nan")
    )
    lost = configure_images("stable-diffusion", attempt=2, training_params=off)
    assert train(lost) == 6
    assert read_events(lost.parent)[-1]["code"] == "nan_loss"


def test_a_cache_of_latents_is_made_once_a_job(configure_images, train, monkeypatch):
    built = []
    build = LatentCache.build
    monkeypatch.setattr(LatentCache, "build", lambda *a, **k: built.append(build(*a, **k)) or built[-1])
    probe = {"warmup_steps": 0, "timed_steps": 1, "only": True}
    for attempt in (1, 2):
        assert train(configure_images("stable-diffusion", attempt=attempt, probe=probe)) == 0
    assert built[0] > 0
    assert built[1] == 0


def test_latents_of_a_vae_in_several_files_are_made_anew_when_any_of_them_changes(image_loop, image_bases, tmp_path):
    from diffusers import AutoencoderKL

    base = tmp_path / "base"
    shutil.copytree(image_bases["stable-diffusion"], base)
    [whole] = (base / "vae").glob("*.safetensors")
    vae = AutoencoderKL.from_pretrained(base / "vae", local_files_only=True)
    whole.unlink()
    vae.save_pretrained(base / "vae", max_shard_size="20KB")
    *_, last = shards = sorted((base / "vae").glob("*.safetensors"))
    assert len(shards) > 1
    changes = {"kind": "stable-diffusion", "base_model": {"path": str(base)}, "prior": None}
    before = image_loop(**changes).latents.identity
    assert image_loop(attempt=2, **changes).latents.identity == before
    save_file({name: tensor + 1 for name, tensor in load_file(last).items()}, last, {"format": "pt"})
    assert image_loop(attempt=3, **changes).latents.identity != before


def test_an_adapter_goes_on_from_another_of_the_same_shape(configure_images, image_loop, train):
    from lora_trainer.durable import sha256_of

    first = configure_images(
        "stable-diffusion", training_params={"max_steps": 1, "warmup_steps": 0, "ema_decay": None}, sample_prompts=[]
    )
    assert train(first) == 0
    start = {"path": str(adapter_of(first).parent), "sha256": sha256_of(adapter_of(first))}
    loop = image_loop(kind="stable-diffusion", attempt=2, init_adapters=[start])
    found = loop.adapters.tensors()
    assert any(tensor.any() for name, tensor in found.items() if "lora_B" in name)
    assert sorted(map(torch.Tensor.sum, found.values())) == sorted(
        map(torch.Tensor.sum, load_file(adapter_of(first)).values())
    )
    wrong = configure_images("stable-diffusion", attempt=3, init_adapters=[start], training_params={"lora_rank": 2})
    assert train(wrong) == 2
    assert read_events(wrong.parent)[-1]["field"] == "init_adapters"
