"""The recipe for FLUX.1: a transformer over patches of latents, trained by flow matching under T5 and CLIP."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from transformers import CLIPTextModel, CLIPTokenizer, T5EncoderModel, T5Tokenizer

from lora_trainer.images.clip import clip_tokens
from lora_trainer.images.data.image_set import View
from lora_trainer.images.latents import scaled
from lora_trainer.images.noise import Losses, flow_losses
from lora_trainer.images.pipeline_folder import Parts

# The default of diffusers' FluxPipeline, for samples.
GUIDANCE_SCALE = 3.5
# What a guidance-distilled base is told in training: kohya's flux_train_network.py, `--guidance_scale 1.0`.
TRAINED_GUIDANCE = 1.0
# As in train_dreambooth_lora_flux.py.
DENOISER_TARGETS = (
    "attn.to_k",
    "attn.to_q",
    "attn.to_v",
    "attn.to_out.0",
    "attn.add_k_proj",
    "attn.add_q_proj",
    "attn.add_v_proj",
    "attn.to_add_out",
    "ff.net.0.proj",
    "ff.net.2",
    "ff_context.net.0.proj",
    "ff_context.net.2",
)
T5_LENGTH_MAX = 512
"""Tokens of T5 in FLUX.1-dev; the tokenizer of FLUX.1-schnell says that it takes 256."""
SCALE = 8
"""Pixels along a side of one place of the latents: three halvings."""


class Flux:
    """One base model of the family. Its parts are loaded when they are first asked for."""

    denoiser_name = "transformer"
    denoiser_targets = DENOISER_TARGETS
    encoder_targets = ()

    def __init__(self, parts: Parts, params: Any) -> None:
        """`params`: `training_params` of config.json. Raises TrainerFailure."""
        self.parts = parts
        self.params = params
        self.schedule = parts.scheduler(FlowMatchEulerDiscreteScheduler)

    # The parts

    @property
    def denoiser(self) -> FluxTransformer2DModel:
        return self.parts.model("transformer", FluxTransformer2DModel)

    @property
    def width(self) -> int:
        """Of the denoiser's layers."""
        return self.denoiser.inner_dim

    @property
    def vae(self) -> AutoencoderKL:
        return self.parts.model("vae", AutoencoderKL)

    @property
    def encoders(self) -> dict[str, Any]:
        return {
            "text_encoder": self.parts.model("text_encoder", CLIPTextModel),
            "text_encoder_2": self.parts.model("text_encoder_2", T5EncoderModel),
        }

    # Texts

    def tokens(self, texts: list[str]) -> list[torch.Tensor]:
        """The ids that each text encoder reads, a row a text."""
        clip = self.parts.tokenizer("tokenizer", CLIPTokenizer)
        t5 = self.parts.tokenizer("tokenizer_2", T5Tokenizer)
        length = min(T5_LENGTH_MAX, t5.model_max_length)
        long = t5(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt").input_ids
        return [clip_tokens(clip, texts).to(self.parts.device), long.to(self.parts.device)]

    def encode_text(self, texts: list[str]) -> dict[str, torch.Tensor]:
        """What T5 makes of each text, and CLIP's pooled text, a row a text."""
        clip, t5 = self.encoders.values()
        short, long = self.tokens(texts)
        return {"prompt": t5(long)[0], "pooled": clip(short).pooler_output}

    # Training

    def losses(self, latents: torch.Tensor, text: dict[str, torch.Tensor], views: list[View]) -> Losses:
        """One pass over drawn latents of the VAE under their texts' embeddings."""
        del views
        scaled_latents = scaled(latents, self.vae).to(self.parts.dtype)
        count, channels, height, width = scaled_latents.shape
        places = FluxPipeline._prepare_latent_image_ids(
            count, height // 2, width // 2, self.parts.device, self.parts.dtype
        )
        text_places = torch.zeros(text["prompt"].shape[1], 3, device=self.parts.device, dtype=self.parts.dtype)
        guidance = None
        if self.denoiser.config.guidance_embeds:
            guidance = torch.full((count,), TRAINED_GUIDANCE, device=self.parts.device)

        def denoise(noisy: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
            predicted = self.denoiser(
                hidden_states=FluxPipeline._pack_latents(noisy, count, channels, height, width),
                # The transformer multiplies by the thousand again.
                timestep=timesteps / 1000,
                guidance=guidance,
                pooled_projections=text["pooled"],
                encoder_hidden_states=text["prompt"],
                txt_ids=text_places,
                img_ids=places,
                return_dict=False,
            )[0]
            return FluxPipeline._unpack_latents(predicted, height * SCALE, width * SCALE, SCALE)

        return flow_losses(denoise, self.schedule, scaled_latents)

    # Samples

    def pipeline(self) -> FluxPipeline:
        """Draws latents from embeddings: the VAE and the text encoders stay outside."""
        return FluxPipeline(
            vae=None,
            text_encoder=None,
            text_encoder_2=None,
            tokenizer=None,
            tokenizer_2=None,
            transformer=self.denoiser,
            scheduler=self.parts.scheduler(),
        )

    def pipeline_inputs(self, text: dict[str, torch.Tensor], empty: dict[str, torch.Tensor]) -> dict[str, Any]:
        """What the pipeline is called with: guidance is an input of the transformer, and needs no second text."""
        del empty
        prompts = {"prompt_embeds": text["prompt"], "pooled_prompt_embeds": text["pooled"]}
        return prompts | {"guidance_scale": GUIDANCE_SCALE}

    def drawn_latents(self, drawn: torch.Tensor, width: int, height: int) -> torch.Tensor:
        """Latents [N, C, h, w] of what the pipeline answers for a picture of this size."""
        return FluxPipeline._unpack_latents(drawn, height, width, SCALE)
