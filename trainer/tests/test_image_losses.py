"""What one step of an image training computes: its losses beside those of diffusers' scripts, and their parts."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from lora_trainer.images.latents import scaled
from lora_trainer.images.noise import Losses, min_snr_weights
from make_tiny_pipelines import KINDS


def test_a_step_has_the_loss_and_the_gradients_of_diffusers_own_script(image_loop):
    """The body of train_dreambooth_lora_sdxl.py with prior preservation and --snr_gamma, on the same random numbers."""
    from diffusers.training_utils import compute_snr

    plain = {"lora_dropout": 0.0, "ema_decay": None, "grad_accum": 1, "random_flip": False, "caption_dropout": 0.0}
    loop = image_loop(training_params=plain, prior={"weight": 0.7})
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


def test_a_step_of_flux_has_the_loss_of_diffusers_own_script(image_loop):
    """The body of train_dreambooth_lora_flux.py with --weighting_scheme logit_normal --guidance_scale 1."""
    from diffusers import FluxPipeline
    from diffusers.training_utils import compute_density_for_timestep_sampling

    loop = image_loop(kind="flux", prior=None, training_params={"lora_dropout": 0.0, "grad_accum": 1})
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
def test_trigger_words_reach_the_tokens_and_embeddings_are_those_of_the_pipeline(image_loop, image_bases, kind):
    from diffusers import DiffusionPipeline

    loop = image_loop(kind=kind, instance_prompt="a photo of a dog", prior=None, method="lora")
    family, text = loop.family, loop.image_set.examples[0].text
    pipeline = DiffusionPipeline.from_pretrained(image_bases[kind], local_files_only=True)
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


def test_the_vae_computes_in_its_own_precision_where_every_pass_encodes_its_own_images(image_loop, monkeypatch):
    off = {"cache_latents": False, "cache_text_embeddings": False, "grad_accum": 1}
    loop = image_loop(prior=None, method="lora", training_params=off)
    # As in a run of half precision, which is for GPUs alone: everything below is cast, but for the VAE.
    monkeypatch.setattr(loop.params, "precision", "bf16")
    monkeypatch.setattr(loop.family.parts, "dtype", torch.bfloat16)
    seen = []
    loop.family.denoiser.register_forward_pre_hook(lambda *_: seen.append(torch.is_autocast_enabled("cpu")))
    encode = loop.family.vae.encode
    monkeypatch.setattr(loop.family.vae, "encode", lambda x: seen.append(torch.is_autocast_enabled("cpu")) or encode(x))
    [[one]] = loop.order.step(0, 0)
    loop.loss_of(one)
    assert seen == [False, True]
