"""Makes what image-trainer.ts trains: a pipeline of SDXL's shape, random weights, and pictures in both programs' forms.

python bench/image_trainer.py OUT --shape half|whole   (with the trainer's Python and PYTHONPATH=trainer:demo)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from image_cache import photograph, write_dataset
from make_tiny_pipelines import CLIP_LENGTH, clip_tokenizer, noise_schedule
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

PICTURES = 8
SIZES = ((1280, 1024), (1024, 1280))
"""A little over a megapixel, in JPEG of quality 90."""

# unet, text_encoder, text_encoder_2 and vae/config.json of stabilityai/stable-diffusion-xl-base-1.0.
WHOLE = {
    "unet": {"block_out_channels": (320, 640, 1280), "layers": (1, 2, 10), "heads": (5, 10, 20)},
    "one": {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12},
    "two": {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20},
    "vae": (128, 256, 512, 512),
}
# Half the width everywhere, and less deep: what two cores train in seconds a step.
HALF = {
    "unet": {"block_out_channels": (160, 320, 640), "layers": (1, 2, 4), "heads": (5, 10, 20)},
    "one": {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 6, "num_attention_heads": 6},
    "two": {"hidden_size": 640, "intermediate_size": 2560, "num_hidden_layers": 8, "num_attention_heads": 10},
    "vae": (64, 128, 256, 256),
}
SHAPES = {"half": HALF, "whole": WHOLE}


def pipeline_of(shape: dict) -> StableDiffusionXLPipeline:
    tokenizer = clip_tokenizer()
    tokens = {"vocab_size": len(tokenizer), "max_position_embeddings": CLIP_LENGTH}
    tokens |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    one, two = (
        CLIPTextConfig(**sizes, **tokens, pad_token_id=tokenizer.pad_token_id, projection_dim=sizes["hidden_size"])
        for sizes in (shape["one"], shape["two"])
    )
    unet = shape["unet"]
    return StableDiffusionXLPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=shape["vae"],
            layers_per_block=2,
            latent_channels=4,
            scaling_factor=0.13025,
            sample_size=1024,
            force_upcast=True,
        ),
        text_encoder=CLIPTextModel(one),
        text_encoder_2=CLIPTextModelWithProjection(two),
        tokenizer=tokenizer,
        tokenizer_2=clip_tokenizer(),
        unet=UNet2DConditionModel(
            sample_size=128,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            block_out_channels=unet["block_out_channels"],
            layers_per_block=2,
            attention_head_dim=unet["heads"],
            transformer_layers_per_block=unet["layers"],
            cross_attention_dim=one.hidden_size + two.hidden_size,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            # The pooled text and six numbers of the micro-conditioning.
            projection_class_embeddings_input_dim=two.projection_dim + 6 * 256,
        ),
        scheduler=EulerDiscreteScheduler(**noise_schedule("epsilon")),
        force_zeros_for_empty_prompt=True,
    )


def write_pictures(folder: Path) -> None:
    """pictures/ for diffusers' script and the stored dataset images.zip for ours: the same bytes."""
    every = [photograph(number, SIZES) for number in range(PICTURES)]
    write_dataset(folder / "images.zip", every)
    (folder / "pictures").mkdir()
    for number, (data, _) in enumerate(every, 1):
        (folder / "pictures" / f"{number:06}.jpg").write_bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=Path, help="an existing folder")
    parser.add_argument("--shape", choices=tuple(SHAPES), required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    pipeline = pipeline_of(SHAPES[args.shape])
    pipeline.save_pretrained(args.out / "base", safe_serialization=True)
    write_pictures(args.out)
    print(json.dumps({"unet": sum(weight.numel() for weight in pipeline.unet.parameters())}))


if __name__ == "__main__":
    main()
