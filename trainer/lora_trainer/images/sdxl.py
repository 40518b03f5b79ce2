"""The recipe for Stable Diffusion XL: a UNet under two CLIP text encoders and the sizes of the picture."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionXLPipeline
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from lora_trainer.images.clip import clip_tokens
from lora_trainer.images.data.image_set import View
from lora_trainer.images.latents import scaled
from lora_trainer.images.noise import Losses, diffusion_losses
from lora_trainer.images.unet_family import UnetFamily

# The default of diffusers' StableDiffusionXLPipeline.
GUIDANCE_SCALE = 5.0
# As in diffusers' train_dreambooth_lora_sdxl.py.
DENOISER_TARGETS = ("to_k", "to_q", "to_v", "to_out.0")
# Of the layers of either text encoder, the last but one is attended to (Podell et al. 2023, section 2.1).
LAYER = -2


class Sdxl(UnetFamily):
    """One base model of the family."""

    denoiser_targets = DENOISER_TARGETS

    # The parts

    @property
    def vae(self) -> AutoencoderKL:
        """Always in fp32: in fp16 the VAE of SDXL overflows to NaN (as in diffusers' train_dreambooth_lora_sdxl.py)."""
        return self.parts.model("vae", AutoencoderKL, torch.float32)

    @property
    def encoders(self) -> dict[str, Any]:
        return {
            "text_encoder": self.parts.model("text_encoder", CLIPTextModel),
            "text_encoder_2": self.parts.model("text_encoder_2", CLIPTextModelWithProjection),
        }

    # Texts

    def tokens(self, texts: list[str]) -> list[torch.Tensor]:
        """The ids that each text encoder reads, a row a text."""
        tokenizers = (self.parts.tokenizer(name, CLIPTokenizer) for name in ("tokenizer", "tokenizer_2"))
        return [clip_tokens(tokenizer, texts).to(self.parts.device) for tokenizer in tokenizers]

    def encode_text(self, texts: list[str]) -> dict[str, torch.Tensor]:
        """What the UNet attends to (both encoders side by side) and the second one's pooled text, a row a text."""
        made = [
            encoder(ids, output_hidden_states=True)
            for encoder, ids in zip(self.encoders.values(), self.tokens(texts), strict=True)
        ]
        return {
            "prompt": torch.cat([one.hidden_states[LAYER] for one in made], dim=-1),
            "pooled": made[-1].text_embeds,
        }

    # Training

    def losses(self, latents: torch.Tensor, text: dict[str, torch.Tensor], views: list[View]) -> Losses:
        """One pass over drawn latents of the VAE under their texts' embeddings and the sizes of their views."""
        scaled_latents = scaled(latents, self.vae).to(self.parts.dtype)
        # Original size, crop and target size, as StableDiffusionXLPipeline._get_add_time_ids puts them together.
        sizes = [[*view.original_size, *view.crop_top_left, *view.target_size] for view in views]
        time_ids = torch.tensor(sizes, device=self.parts.device, dtype=self.parts.dtype)
        conditions = {"text_embeds": text["pooled"], "time_ids": time_ids}

        def denoise(noisy: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
            return self.denoiser(noisy, timesteps, text["prompt"], added_cond_kwargs=conditions, return_dict=False)[0]

        return diffusion_losses(denoise, self.schedule, scaled_latents, self.params)

    # Samples

    def pipeline(self) -> StableDiffusionXLPipeline:
        """Draws latents from embeddings: the VAE and the text encoders stay outside."""
        return StableDiffusionXLPipeline(
            vae=None,
            text_encoder=None,
            text_encoder_2=None,
            tokenizer=None,
            tokenizer_2=None,
            unet=self.denoiser,
            scheduler=self.parts.scheduler(),
            add_watermarker=False,
        )

    def pipeline_inputs(self, text: dict[str, torch.Tensor], empty: dict[str, torch.Tensor]) -> dict[str, Any]:
        """What the pipeline is called with. Guidance leads away from zeros, as where no negative text is given."""
        return {
            "prompt_embeds": text["prompt"],
            "negative_prompt_embeds": torch.zeros_like(empty["prompt"]),
            "pooled_prompt_embeds": text["pooled"],
            "negative_pooled_prompt_embeds": torch.zeros_like(empty["pooled"]),
            "guidance_scale": GUIDANCE_SCALE,
        }
