"""What is drawn for a training pass, what the model is to predict, and how much each image's loss counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from lora_trainer.base_model import refused

PREDICTIONS = ("epsilon", "v_prediction")


@dataclass(frozen=True)
class Losses:
    """Of each image of a pass, in float32: the mean squared error, and the weight of its timestep."""

    each: torch.Tensor
    weights: torch.Tensor

    def combined(self, instances: int, prior_weight: float) -> torch.Tensor:
        """The pass's loss: instance loss + weight * prior loss. `instances`: images before those of the class.

        As diffusers' DreamBooth scripts have it, timesteps weigh in the instance loss alone.
        """
        loss = (self.each * self.weights)[:instances].mean()
        if len(self.each) > instances:
            loss = loss + prior_weight * self.each[instances:].mean()
        return loss


def errors_of(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error of each image."""
    return (predicted.float() - target.float()).square().flatten(1).mean(1)


def draw_noise(latents: torch.Tensor, offset: float) -> torch.Tensor:
    """Gaussian noise. `offset`: how much of one further draw for each channel is added, so that brightness is learned
    as well (Guttenberg 2023, "Diffusion with Offset Noise"; diffusers' train_text_to_image_lora.py)."""
    noise = torch.randn_like(latents)
    if offset:
        noise = noise + offset * torch.randn(*latents.shape[:2], 1, 1, device=latents.device, dtype=latents.dtype)
    return noise


def snr_of(schedule: Any, timesteps: torch.Tensor) -> torch.Tensor:
    """Signal to noise, alpha² / sigma², of timesteps of a DDPM schedule."""
    kept = schedule.alphas_cumprod.to(timesteps.device)[timesteps].float()
    return kept / (1 - kept)


def min_snr_weights(snr: torch.Tensor, gamma: float, prediction: str) -> torch.Tensor:
    """Weights of the timesteps: min(SNR, gamma) / SNR, with v-prediction / (SNR + 1).

    Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy" (arXiv 2303.09556), 3.4 and 4.2.
    At SNR 0, where a schedule ends in pure noise, the first is its limit 1.
    """
    capped = snr.clamp(max=gamma)
    if prediction == "v_prediction":
        return capped / (snr + 1)
    return torch.where(snr > 0, capped / snr, torch.ones_like(snr))


def check_prediction(schedule: Any) -> None:
    """Raises TrainerFailure for a base that predicts what is not trained here."""
    prediction = schedule.config.prediction_type
    if prediction not in PREDICTIONS:
        raise refused(f"The base model predicts {prediction}, not one of {', '.join(PREDICTIONS)}.", "Take another.")


def diffusion_losses(
    denoise: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], schedule: Any, latents: torch.Tensor, params: Any
) -> Losses:
    """A pass over a noise schedule (Ho et al. 2020): each image at a timestep drawn evenly.

    `denoise` takes noisy latents and timesteps; whether it predicts the noise or the velocity, the schedule says.
    """
    noise = draw_noise(latents, params.noise_offset)
    steps = schedule.config.num_train_timesteps
    timesteps = torch.randint(0, steps, (len(latents),), device=latents.device)
    predicted = denoise(schedule.add_noise(latents, noise, timesteps), timesteps)
    prediction = schedule.config.prediction_type
    target = schedule.get_velocity(latents, noise, timesteps) if prediction == "v_prediction" else noise
    each = errors_of(predicted, target)
    if params.min_snr_gamma is None:
        return Losses(each, torch.ones_like(each))
    return Losses(each, min_snr_weights(snr_of(schedule, timesteps), params.min_snr_gamma, prediction))


def flow_losses(
    denoise: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], schedule: Any, latents: torch.Tensor
) -> Losses:
    """A pass of flow matching: x = (1 - sigma) latents + sigma noise, and the velocity noise - latents is predicted.

    Timesteps are drawn logit-normally with mean 0 and deviation 1 (Esser et al. 2024, arXiv 2403.03206, section 3.1;
    diffusers' train_dreambooth_lora_flux.py, `--weighting_scheme logit_normal`).
    """
    from diffusers.training_utils import compute_density_for_timestep_sampling

    noise = torch.randn_like(latents)
    density = compute_density_for_timestep_sampling("logit_normal", len(latents), logit_mean=0.0, logit_std=1.0)
    places = (density * schedule.config.num_train_timesteps).long()
    timesteps = schedule.timesteps[places].to(latents.device)
    sigmas = schedule.sigmas[places].to(latents.device, latents.dtype).view(-1, 1, 1, 1)
    predicted = denoise((1.0 - sigmas) * latents + sigmas * noise, timesteps)
    each = errors_of(predicted, noise - latents)
    return Losses(each, torch.ones_like(each))
