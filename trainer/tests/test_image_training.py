"""Trainings of tiny image pipelines from configuration to adapter; their losses beside those of diffusers' scripts."""

import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch.nn import functional

from conftest import merge
from image_zip import write_images
from lora_trainer.config import check_config
from lora_trainer.images.data.caches import LatentCache
from lora_trainer.images.kohya_layout import kohya_tensors
from lora_trainer.images.latents import scaled
from lora_trainer.images.noise import Losses, min_snr_weights
from lora_trainer.images.verify import check_image_adapter
from lora_trainer.report import Report
from make_tiny_pipelines import KINDS, make_tiny_pipeline
from protocol import SAMPLES, of_type, read_events

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


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bases")
    return {kind: make_tiny_pipeline(kind, folder / kind) for kind in KINDS}


@pytest.fixture
def configure(tmp_path, bases):
    """Writes a config.json of a short DreamBooth run; changes are merged into it."""
    images = write_images(tmp_path / "images.zip", [(128, 128), (64, 64), (96, 160), (70, 130)], repeats=[2, 1, 1, 1])

    def write(kind="sdxl", attempt=1, **changes):
        output = tmp_path / kind / "job" / str(attempt)
        output.mkdir(parents=True, exist_ok=True)
        config = json.loads((SAMPLES / "image-config.json").read_text())
        paths = {"dataset_path": str(images), "job_folder": str(output.parent), "output_path": str(output)}
        merge(config, paths | {"model_kind": kind, "attempt": attempt, "device": "cpu", "trigger_words": ["sks"]})
        merge(config, {"base_model": {"path": str(bases[kind])}, "prior": {"class_prompt": "a dog", "class_images": 3}})
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
def loop_of(configure):
    """The loop of a configuration before its first step."""
    from lora_trainer.images import training
    from lora_trainer.stopping import Stop

    def make(**changes):
        file, made = configure(**changes), []
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


def adapter_of(config):
    return config.parent / "adapter" / "pytorch_lora_weights.safetensors"


def test_a_run_that_was_stopped_and_resumed_ends_as_one_that_was_not_and_its_adapter_loads_anywhere(
    configure, train, bases, monkeypatch
):
    adapters = []
    for kind in KINDS:
        texts = {"train_text_encoder": True, "cache_text_embeddings": False} if kind == "stable-diffusion" else {}
        whole = configure(kind, training_params=texts)
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
        stopped, metric = configure(kind, attempt=2, training_params=texts), Report.metric
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
        resumed = configure(kind, attempt=3, training_params=texts, resume_from=str(kept))
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
        verified = check_image_adapter(bases[kind], whole.parent / "adapter")
        assert (verified["ok"], verified["rank"], verified["tensors"]) == (True, 4, len(names))
        other = {"stable-diffusion": "sdxl", "sdxl": "stable-diffusion"}.get(kind)
        assert other is None or not check_image_adapter(bases[other], whole.parent / "adapter")["ok"]
        adapters.append((kind, str(bases[kind]), str(whole.parent / "adapter")))

    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, json.dumps(adapters)], capture_output=True, text=True, env=environment, check=True
    )
    for kind, (changed, left, kohya, alphas) in json.loads(done.stdout.splitlines()[-1]).items():
        assert changed > 0.1, f"the adapter of {kind} changes nothing"
        assert (left, alphas) == (0.0, [6])
        assert kohya is None or kohya < 0.2, f"{kind} in kohya's layout draws another picture"


def test_the_loss_falls(configure, train):
    params = {"max_steps": 40, "grad_accum": 1, "batch_size": 4, "learning_rate": 0.05, "resolution": 64}
    params |= {"ema_decay": None, "lora_dropout": 0, "lr_schedule": "constant", "bucketing": False}
    config = configure("flux", prior=None, training_params=params, sample_prompts=[])
    assert train(config) == 0
    losses = [event["loss"] for event in of_type(read_events(config.parent), "metric")]
    assert sum(losses[-10:]) / 10 < 0.85 * sum(losses[:5]) / 5


def test_a_step_has_the_loss_and_the_gradients_of_diffusers_own_script(loop_of):
    """The body of train_dreambooth_lora_sdxl.py with prior preservation and --snr_gamma, on the same random numbers."""
    from diffusers.training_utils import compute_snr

    plain = {"lora_dropout": 0.0, "ema_decay": None, "grad_accum": 1, "random_flip": False, "caption_dropout": 0.0}
    loop = loop_of(training_params=plain, prior={"weight": 0.7})
    [[one]] = loop.order.step(0, 0)
    views = loop.image_set.views(one.examples, 0, 0) + loop.image_set.class_views(one.examples, 0, 0)
    unet, schedule = loop.family.denoiser, loop.family.schedule
    # An adapter that is zero has no gradient at its A.
    for parameter in loop.trained:
        torch.nn.init.normal_(parameter, std=0.1)
    torch.manual_seed(5)
    ours = loop.loss_of(one)
    ours.backward()
    gradients = [parameter.grad.clone() for parameter in loop.trained]
    for parameter in loop.trained:
        parameter.grad = None

    torch.manual_seed(5)
    rows = loop.latents.get(views)
    model_input = (rows["mean"] + rows["std"] * torch.randn_like(rows["mean"])) * loop.family.vae.config.scaling_factor
    noise = torch.randn_like(model_input)
    timesteps = torch.randint(0, schedule.config.num_train_timesteps, (4,)).long()
    noisy = schedule.add_noise(model_input, noise, timesteps)
    time_ids = torch.tensor([list(view.original_size + view.crop_top_left + view.target_size) for view in views])
    text = loop.embeddings([view.text for view in views])
    conditions = {"text_embeds": text["pooled"], "time_ids": time_ids.float()}
    predicted = unet(noisy, timesteps, text["prompt"], added_cond_kwargs=conditions, return_dict=False)[0]
    predicted, predicted_prior = torch.chunk(predicted, 2, dim=0)
    target, target_prior = torch.chunk(noise, 2, dim=0)
    prior_loss = functional.mse_loss(predicted_prior.float(), target_prior.float())
    snr = compute_snr(schedule, timesteps)[:2]
    weights = torch.stack([snr, 5 * torch.ones(2)], dim=1).min(dim=1)[0] / snr
    loss = functional.mse_loss(predicted.float(), target.float(), reduction="none").mean(dim=[1, 2, 3]) * weights
    theirs = loss.mean() + 0.7 * prior_loss
    theirs.backward()
    torch.testing.assert_close(ours, theirs)
    for mine, parameter in zip(gradients, loop.trained, strict=True):
        torch.testing.assert_close(mine, parameter.grad)


def test_a_step_of_flux_has_the_loss_of_diffusers_own_script(loop_of):
    """The body of train_dreambooth_lora_flux.py with --weighting_scheme logit_normal --guidance_scale 1."""
    from diffusers import FluxPipeline
    from diffusers.training_utils import compute_density_for_timestep_sampling

    loop = loop_of(kind="flux", prior=None, training_params={"lora_dropout": 0.0, "grad_accum": 1})
    [[one]] = loop.order.step(0, 0)
    views = loop.image_set.views(one.examples, 0, 0)
    torch.manual_seed(5)
    ours = loop.loss_of(one)
    torch.manual_seed(5)
    config, schedule = loop.family.vae.config, loop.family.schedule
    rows = loop.latents.get(views)
    drawn = rows["mean"] + rows["std"] * torch.randn_like(rows["mean"])
    model_input = (drawn - config.shift_factor) * config.scaling_factor
    count, _, height, width = model_input.shape
    noise = torch.randn_like(model_input)
    density = compute_density_for_timestep_sampling(
        "logit_normal", count, logit_mean=0.0, logit_std=1.0, mode_scale=1.29
    )
    timesteps = schedule.timesteps[(density * 1000).long()]
    places = [(schedule.timesteps == timestep).nonzero().item() for timestep in timesteps]
    sigmas = schedule.sigmas[places].view(-1, 1, 1, 1)
    text = loop.embeddings([view.text for view in views])
    predicted = loop.family.denoiser(
        hidden_states=FluxPipeline._pack_latents((1.0 - sigmas) * model_input + sigmas * noise, *model_input.shape),
        timestep=timesteps / 1000,
        guidance=torch.ones(count),
        pooled_projections=text["pooled"],
        encoder_hidden_states=text["prompt"],
        txt_ids=torch.zeros(text["prompt"].shape[1], 3),
        img_ids=FluxPipeline._prepare_latent_image_ids(count, height // 2, width // 2, "cpu", torch.float32),
        return_dict=False,
    )[0]
    predicted = FluxPipeline._unpack_latents(predicted, height=height * 8, width=width * 8, vae_scale_factor=8)
    torch.testing.assert_close(ours, functional.mse_loss(predicted, noise - model_input))


def test_prior_preservation_and_min_snr_follow_their_formulas():
    losses = Losses(torch.tensor([1.0, 3.0, 5.0, 7.0]), torch.tensor([1.0, 0.5, 9.0, 9.0]))
    assert losses.combined(2, 0.5).item() == (1.0 + 1.5) / 2 + 0.5 * (5.0 + 7.0) / 2
    assert losses.combined(4, 0.5).item() == (1.0 + 1.5 + 45.0 + 63.0) / 4
    snr = torch.tensor([0.0, 0.5, 5.0, 20.0])
    assert min_snr_weights(snr, 5.0, "epsilon").tolist() == [1.0, 1.0, 1.0, 0.25]
    expected = [0.0, 0.5 / 1.5, 5.0 / 6.0, 5.0 / 21.0]
    torch.testing.assert_close(min_snr_weights(snr, 5.0, "v_prediction"), torch.tensor(expected))
    shaped = SimpleNamespace(config=SimpleNamespace(latents_mean=[1.0], latents_std=[2.0], scaling_factor=0.5))
    assert scaled(torch.full((1, 1, 1, 1), 5.0), shaped).item() == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_trigger_words_reach_the_tokens_and_embeddings_are_those_of_the_pipeline(loop_of, bases, kind):
    from diffusers import DiffusionPipeline

    loop = loop_of(kind=kind, instance_prompt="a photo of a dog", prior=None, method="lora")
    family, text = loop.family, loop.image_set.examples[0].text
    pipeline = DiffusionPipeline.from_pretrained(bases[kind], local_files_only=True)
    tokens = family.tokens([text])
    ids = [tokens] if torch.is_tensor(tokens) else tokens
    assert pipeline.tokenizer.convert_tokens_to_ids("sks</w>") in ids[0][0].tolist()
    if kind == "flux":
        assert pipeline.tokenizer_2.convert_tokens_to_ids("▁sks") in ids[1][0].tolist()
        wanted = pipeline.encode_prompt(text, text, max_sequence_length=64)[:2]
    elif kind == "sdxl":
        made = pipeline.encode_prompt(text, do_classifier_free_guidance=False)
        wanted = made[0], made[2]
    else:
        wanted = pipeline.encode_prompt(text, "cpu", 1, False)[:1]
    with torch.no_grad():
        found = family.encode_text([text])
    torch.testing.assert_close(list(found.values()), list(wanted))


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
def test_what_cannot_be_trained_is_refused_by_name(configure, train, changes, code, field):
    config = configure(**changes)
    assert train(config) != 0
    error = read_events(config.parent)[-1]
    assert (error["type"], error["code"], error["field"]) == ("error", code, field)


def test_without_caches_a_loss_that_is_lost_ends_the_run_and_a_probe_ends_after_its_steps(
    configure, train, monkeypatch
):
    off = {"cache_latents": False, "cache_text_embeddings": False, "noise_offset": 0.1, "gradient_checkpointing": True}
    probed = configure(
        "stable-diffusion", probe={"warmup_steps": 1, "timed_steps": 1, "only": True}, training_params=off
    )
    assert train(probed) == 0
    events = read_events(probed.parent)
    assert [event["step"] for event in of_type(events, "metric")] == [1, 2]
    assert not of_type(events, "artifact") + of_type(events, "sample") + of_type(events, "checkpoint")
    monkeypatch.setattr(
        "lora_trainer.images.noise.errors_of", lambda predicted, _: predicted.flatten(1).mean(1) * float("nan")
    )
    lost = configure("stable-diffusion", attempt=2, training_params=off)
    assert train(lost) == 6
    assert read_events(lost.parent)[-1]["code"] == "nan_loss"


def test_a_cache_of_latents_is_made_once_a_job(configure, train, monkeypatch):
    built = []
    build = LatentCache.build
    monkeypatch.setattr(LatentCache, "build", lambda *a, **k: built.append(build(*a, **k)) or built[-1])
    probe = {"warmup_steps": 0, "timed_steps": 1, "only": True}
    for attempt in (1, 2):
        assert train(configure("stable-diffusion", attempt=attempt, probe=probe)) == 0
    assert built[0] > 0
    assert built[1] == 0


def test_an_adapter_goes_on_from_another_of_the_same_shape(configure, loop_of, train):
    from lora_trainer.durable import sha256_of

    first = configure(
        "stable-diffusion", training_params={"max_steps": 1, "warmup_steps": 0, "ema_decay": None}, sample_prompts=[]
    )
    assert train(first) == 0
    start = {"path": str(adapter_of(first).parent), "sha256": sha256_of(adapter_of(first))}
    loop = loop_of(kind="stable-diffusion", attempt=2, init_adapters=[start])
    found = loop.adapters.tensors()
    assert any(tensor.any() for name, tensor in found.items() if "lora_B" in name)
    assert sorted(map(torch.Tensor.sum, found.values())) == sorted(
        map(torch.Tensor.sum, load_file(adapter_of(first)).values())
    )
    wrong = configure("stable-diffusion", attempt=3, init_adapters=[start], training_params={"lora_rank": 2})
    assert train(wrong) == 2
    assert read_events(wrong.parent)[-1]["field"] == "init_adapters"
