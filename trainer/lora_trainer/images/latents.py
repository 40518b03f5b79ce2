"""Between pixels and what a denoiser sees: the VAE, its distribution, and the scale that the model was trained in."""

from __future__ import annotations

from typing import Any

import torch


def encode_pixels(vae: Any, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
    """The distribution of the latents of pixels [N, 3, H, W] from -1 to 1, in the VAE's own scale."""
    made = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist
    return {"mean": made.mean, "std": made.std}


def draw_latents(rows: dict[str, torch.Tensor]) -> torch.Tensor:
    """One draw of each image's distribution."""
    return rows["mean"] + rows["std"] * torch.randn_like(rows["mean"])


def scaled(latents: torch.Tensor, vae: Any) -> torch.Tensor:
    """Latents of the VAE in the denoiser's scale, as its config.json says."""
    shift, scale = affine(latents, vae)
    return (latents - shift) * scale


def decode_latents(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Pixels [N, 3, H, W] from -1 to 1 of latents in the denoiser's scale."""
    latents = latents.to(vae.device, vae.dtype)
    shift, scale = affine(latents, vae)
    return vae.decode(latents / scale + shift, return_dict=False)[0]


def affine(latents: torch.Tensor, vae: Any) -> tuple[Any, Any]:
    """What is taken off and what it is multiplied with: numbers, or (some VAEs of SDXL) one for each channel."""
    config = vae.config
    mean, deviation = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
    if mean is None or deviation is None:
        return getattr(config, "shift_factor", None) or 0.0, config.scaling_factor
    mean, deviation = (torch.tensor(values).view(1, -1, 1, 1).to(latents) for values in (mean, deviation))
    return mean, config.scaling_factor / deviation
