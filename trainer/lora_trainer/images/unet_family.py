"""What the recipes share whose denoiser is a UNet over latents under CLIP: Stable Diffusion 1.x and XL."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel

from lora_trainer.images.clip import ENCODER_TARGETS
from lora_trainer.images.noise import check_prediction
from lora_trainer.images.pipeline_folder import Parts


class UnetFamily:
    """One base model. Its parts are loaded when they are first asked for."""

    denoiser_name = "unet"
    encoder_targets = ENCODER_TARGETS

    def __init__(self, parts: Parts, params: Any) -> None:
        """`params`: `training_params` of config.json. Raises TrainerFailure."""
        self.parts = parts
        self.params = params
        self.schedule = parts.scheduler(DDPMScheduler)
        check_prediction(self.schedule)

    @property
    def denoiser(self) -> UNet2DConditionModel:
        return self.parts.model("unet", UNet2DConditionModel)

    @property
    def width(self) -> int:
        """Of the denoiser's widest layer."""
        return max(self.denoiser.config.block_out_channels)

    def drawn_latents(self, drawn: torch.Tensor, width: int, height: int) -> torch.Tensor:
        """Latents [N, C, h, w] of what the pipeline answers for a picture of this size."""
        del width, height
        return drawn
