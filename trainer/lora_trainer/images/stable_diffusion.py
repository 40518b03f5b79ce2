"""The recipe for Stable Diffusion 1.x: a UNet that denoises latents under one CLIP text encoder."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from transformers import CLIPTextModel, CLIPTokenizer

from lora_trainer.images.clip import clip_tokens
from lora_trainer.images.data.image_set import View
from lora_trainer.images.latents import scaled
from lora_trainer.images.noise import Losses, diffusion_losses
from lora_trainer.images.unet_family import UnetFamily

# The default of diffusers' StableDiffusionPipeline.
GUIDANCE_SCALE = 7.5
# As in diffusers' train_dreambooth_lora.py: the attention of the UNet.
DENOISER_TARGETS = ("to_k", "to_q", "to_v", "to_out.0", "add_k_proj", "add_v_proj")


class StableDiffusion(UnetFamily):
    """One base model of the family."""

    denoiser_targets = DENOISER_TARGETS

    # The parts

    @property
    def vae(self) -> AutoencoderKL:
        return self.parts.model("vae", AutoencoderKL)

    @property
    def encoders(self) -> dict[str, Any]:
        return {"text_encoder": self.parts.model("text_encoder", CLIPTextModel)}

    # Texts

    def tokens(self, texts: list[str]) -> torch.Tensor:
        """The ids that the text encoder reads, a row a text, each padded to its length or cut to it."""
        tokenizer = self.parts.tokenizer("tokenizer", CLIPTokenizer)
        return clip_tokens(tokenizer, texts).to(self.parts.device)

    def encode_text(self, texts: list[str]) -> dict[str, torch.Tensor]:
        """What the UNet attends to, a row a text."""
        return {"prompt": self.encoders["text_encoder"](self.tokens(texts))[0]}

    # Training

    def losses(self, latents: torch.Tensor, text: dict[str, torch.Tensor], views: list[View]) -> Losses:
        """One pass over drawn latents of the VAE under their texts' embeddings."""
        del views

        def denoise(noisy: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
            return self.denoiser(noisy, timesteps, text["prompt"], return_dict=False)[0]

        return diffusion_losses(denoise, self.schedule, scaled(latents, self.vae).to(self.parts.dtype), self.params)

    # Samples

    def pipeline(self) -> StableDiffusionPipeline:
        """Draws latents from embeddings: the VAE and the text encoder stay outside."""
        return StableDiffusionPipeline(
            vae=None,
            text_encoder=None,
            tokenizer=None,
            unet=self.denoiser,
            scheduler=self.parts.scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )

    def pipeline_inputs(self, text: dict[str, torch.Tensor], empty: dict[str, torch.Tensor]) -> dict[str, Any]:
        """What the pipeline is called with. `empty`: the embeddings of no text, which guidance leads away from."""
        prompts = {"prompt_embeds": text["prompt"], "negative_prompt_embeds": empty["prompt"]}
        return prompts | {"guidance_scale": GUIDANCE_SCALE}
