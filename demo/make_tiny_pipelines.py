"""Makes tiny image pipelines with random weights: shaped as the real ones, a few thousand weights a component.

    python make_tiny_pipelines.py OUT [--kinds stable-diffusion sdxl flux] [--seed 0] [--prediction-type epsilon]

Each kind becomes a folder of diffusers, OUT/KIND. The same seed gives the same bytes. Nothing is downloaded: the
tokenizers are made here, too. The pictures of such a model are noise; what trains on it is tested, not what comes out.
"""

from __future__ import annotations

import argparse
import string
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DiffusionPipeline,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

WORDS = ("a", "an", "the", "of", "in", "on", "photo", "red", "green", "blue", "circle", "square", "cat", "dog", "sks")
"""Each becomes one token; whatever else is written, a token a character."""

HIDDEN = 16
CLIP_LENGTH = 77
T5_LENGTH = 64
"""Tokens that T5 pads to: 512 of the real one would be most of what a tiny transformer computes."""


def clip_tokenizer() -> CLIPTokenizer:
    """CLIP's byte-pair encoding over printable ASCII; anything else is the unknown token."""
    characters = [*string.ascii_lowercase, *string.digits, *string.punctuation]
    vocabulary = [*characters, *(f"{character}</w>" for character in characters)]
    merges = []
    for word in WORDS:
        pieces = [*word[:-1], f"{word[-1]}</w>"]
        while len(pieces) > 1:
            pair = (pieces[0], pieces[1])
            pieces[:2] = ["".join(pair)]
            if pair not in merges:
                merges.append(pair)
                vocabulary.append(pieces[0])
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    ids = {token: number for number, token in enumerate(dict.fromkeys(vocabulary))}
    return CLIPTokenizer(vocab=ids, merges=merges, model_max_length=CLIP_LENGTH)


def t5_tokenizer() -> T5Tokenizer:
    """T5's unigrams: the same words, and characters where a word is not among them."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -4.0)]
    pieces += [(f"▁{word}", -2.0) for word in WORDS]
    pieces += [(character, -6.0) for character in (*string.ascii_letters, *string.digits, *string.punctuation)]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=T5_LENGTH)


def clip_config(tokenizer: CLIPTokenizer, projection: int = HIDDEN) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=CLIP_LENGTH,
        projection_dim=projection,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def vae(scaling: float, **changes: object) -> AutoencoderKL:
    """Three halvings, as the real ones have."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=2,
        scaling_factor=scaling,
        sample_size=64,
        **changes,
    )


def unet(cross_attention: int, **changes: object) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=cross_attention,
        **{"down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"), "attention_head_dim": 2}
        | {"up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D")}
        | changes,
    )


def noise_schedule(prediction_type: str) -> dict:
    """That of Stable Diffusion and SDXL (scheduler/scheduler_config.json of both)."""
    steps = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    return steps | {"steps_offset": 1, "prediction_type": prediction_type}


def stable_diffusion(prediction_type: str) -> DiffusionPipeline:
    tokenizer = clip_tokenizer()
    return StableDiffusionPipeline(
        vae=vae(0.18215),
        text_encoder=CLIPTextModel(clip_config(tokenizer)),
        tokenizer=tokenizer,
        unet=unet(HIDDEN),
        scheduler=PNDMScheduler(skip_prk_steps=True, **noise_schedule(prediction_type)),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sdxl(prediction_type: str) -> DiffusionPipeline:
    tokenizer = clip_tokenizer()
    return StableDiffusionXLPipeline(
        vae=vae(0.13025, force_upcast=True),
        text_encoder=CLIPTextModel(clip_config(tokenizer)),
        text_encoder_2=CLIPTextModelWithProjection(clip_config(tokenizer)),
        tokenizer=tokenizer,
        tokenizer_2=clip_tokenizer(),
        unet=unet(
            2 * HIDDEN,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=(2, 4),
            transformer_layers_per_block=(1, 2),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            # The pooled text and six numbers of the micro-conditioning.
            projection_class_embeddings_input_dim=HIDDEN + 6 * 8,
        ),
        scheduler=EulerDiscreteScheduler(**noise_schedule(prediction_type)),
        force_zeros_for_empty_prompt=True,
    )


def flux(_: str) -> DiffusionPipeline:
    clip, t5 = clip_tokenizer(), t5_tokenizer()
    return FluxPipeline(
        vae=vae(0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=CLIPTextModel(clip_config(clip)),
        text_encoder_2=T5EncoderModel(
            T5Config(vocab_size=len(t5), d_model=HIDDEN, d_kv=8, d_ff=2 * HIDDEN, num_layers=1, num_heads=2)
        ),
        tokenizer=clip,
        tokenizer_2=t5,
        transformer=FluxTransformer2DModel(
            # Four latent channels in patches of two by two.
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=1,
            joint_attention_dim=HIDDEN,
            pooled_projection_dim=HIDDEN,
            guidance_embeds=True,
            axes_dims_rope=(4, 4, 8),
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
    )


KINDS: dict[str, Callable[[str], DiffusionPipeline]] = {
    "stable-diffusion": stable_diffusion,
    "sdxl": sdxl,
    "flux": flux,
}


def make_tiny_pipeline(kind: str, folder: Path, seed: int = 0, prediction_type: str = "epsilon") -> Path:
    """Writes the pipeline of a kind into `folder` and answers it. `prediction_type`: epsilon or v_prediction."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pipeline = KINDS[kind](prediction_type)
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=Path, help="folder that gets a folder for each kind")
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=tuple(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prediction-type", choices=("epsilon", "v_prediction"), default="epsilon")
    args = parser.parse_args()
    for kind in args.kinds:
        print(make_tiny_pipeline(kind, args.out / kind, args.seed, args.prediction_type))


if __name__ == "__main__":
    main()
