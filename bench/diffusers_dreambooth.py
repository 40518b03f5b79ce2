"""The training loop of diffusers' own DreamBooth-LoRA script for SDXL, as a bench runs it. Started by image-trainer.ts.

Copied from examples/dreambooth/train_dreambooth_lora_sdxl.py of huggingface/diffusers at its commit
58eb52c0803ea9af3abec60841c2a093bdf1f951 (Copyright The HuggingFace Inc. team, Apache License 2.0) without what these
settings never run: prior preservation, captions, text-encoder training, EDM, min-SNR, validation, checkpoints, the
Hub, trackers. Pictures are cut by Pillow in place of torchvision, before the first step as there. Added: the clock,
and a line of JSON with its figures at the end.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, set_seed
from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.optimization import get_scheduler
from diffusers.training_utils import cast_training_params
from diffusers.utils import convert_state_dict_to_diffusers
from lora_trainer.memory import measure_memory
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm
from transformers import AutoTokenizer, CLIPTextModel, CLIPTextModelWithProjection

INSTANCE_PROMPT = "a photo of sks vase"


class DreamBoothDataset(Dataset):
    """Every picture as pixels in memory, with the sizes that SDXL is told."""

    def __init__(self, instance_data_root: Path, size: int) -> None:
        self.examples = []
        for path in sorted(instance_data_root.iterdir()):
            image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
            original_size = (image.height, image.width)
            scale = size / min(image.size)
            image = image.resize([round(side * scale) for side in image.size], Image.Resampling.LANCZOS)
            top, left = (max(0, round((side - size) / 2)) for side in (image.height, image.width))
            image = image.crop((left, top, left + size, top + size))
            pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(size, size, 3)
            pixel_values = (pixels.permute(2, 0, 1).float() / 255 - 0.5) / 0.5
            self.examples.append((pixel_values, original_size, (top, left)))

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> tuple:
        return self.examples[index]


def collate_fn(examples: list[tuple]) -> dict:
    pixel_values = torch.stack([example[0] for example in examples])
    pixel_values = pixel_values.to(memory_format=torch.contiguous_format).float()
    return {
        "pixel_values": pixel_values,
        "original_sizes": [example[1] for example in examples],
        "crop_top_lefts": [example[2] for example in examples],
    }


def encode_prompt(text_encoders: list, tokenizers: list, prompt: str) -> tuple[torch.Tensor, torch.Tensor]:
    prompt_embeds_list = []
    for tokenizer, text_encoder in zip(tokenizers, text_encoders, strict=True):
        text_inputs = tokenizer(
            prompt, padding="max_length", max_length=tokenizer.model_max_length, truncation=True, return_tensors="pt"
        )
        prompt_embeds = text_encoder(
            text_inputs.input_ids.to(text_encoder.device), output_hidden_states=True, return_dict=False
        )
        pooled_prompt_embeds = prompt_embeds[0]
        prompt_embeds_list.append(prompt_embeds[-1][-2])
    return torch.concat(prompt_embeds_list, dim=-1), pooled_prompt_embeds.view(1, -1)


def main(args: argparse.Namespace) -> None:
    accelerator = Accelerator(
        cpu=args.device == "cpu",
        mixed_precision="no" if args.precision == "fp32" else args.precision,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    set_seed(args.seed)
    base = args.pretrained_model_name_or_path
    tokenizers = [AutoTokenizer.from_pretrained(base / name, use_fast=False) for name in ("tokenizer", "tokenizer_2")]
    noise_scheduler = DDPMScheduler.from_pretrained(base, subfolder="scheduler")
    text_encoder_one = CLIPTextModel.from_pretrained(base, subfolder="text_encoder")
    text_encoder_two = CLIPTextModelWithProjection.from_pretrained(base, subfolder="text_encoder_2")
    vae = AutoencoderKL.from_pretrained(base, subfolder="vae")
    unet = UNet2DConditionModel.from_pretrained(base, subfolder="unet")

    # We only train the additional adapter LoRA layers
    for model in (vae, text_encoder_one, text_encoder_two, unet):
        model.requires_grad_(False)
    weight_dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(args.precision, torch.float32)
    unet.to(accelerator.device, dtype=weight_dtype)
    # The VAE is always in float32 to avoid NaN losses.
    vae.to(accelerator.device, dtype=torch.float32)
    text_encoder_one.to(accelerator.device, dtype=weight_dtype)
    text_encoder_two.to(accelerator.device, dtype=weight_dtype)
    if args.gradient_checkpointing:
        unet.enable_gradient_checkpointing()
    unet_lora_config = LoraConfig(
        r=args.rank,
        lora_alpha=args.rank,
        lora_dropout=0.0,
        init_lora_weights="gaussian",
        target_modules=["to_k", "to_q", "to_v", "to_out.0"],
    )
    unet.add_adapter(unet_lora_config)
    # Make sure the trainable params are in float32.
    if args.precision == "fp16":
        cast_training_params([unet], dtype=torch.float32)
    unet_lora_parameters = list(filter(lambda p: p.requires_grad, unet.parameters()))
    optimizer = torch.optim.AdamW(
        [{"params": unet_lora_parameters, "lr": args.learning_rate}],
        betas=(0.9, 0.999),
        weight_decay=args.adam_weight_decay,
        eps=1e-08,
    )
    train_dataset = DreamBoothDataset(args.instance_data_dir, args.resolution)
    train_dataloader = DataLoader(
        train_dataset, batch_size=args.train_batch_size, shuffle=True, collate_fn=collate_fn, num_workers=0
    )

    def compute_time_ids(original_size: tuple, crops_coords_top_left: tuple) -> torch.Tensor:
        target_size = (args.resolution, args.resolution)
        add_time_ids = torch.tensor([list(original_size + crops_coords_top_left + target_size)])
        return add_time_ids.to(accelerator.device, dtype=weight_dtype)

    with torch.no_grad():
        text_encoders = [text_encoder_one, text_encoder_two]
        prompt_embeds, unet_add_text_embeds = encode_prompt(text_encoders, tokenizers, INSTANCE_PROMPT)
    # Clear the memory here: as in the script the list alone, its encoders have names of their own.
    del tokenizers, text_encoders
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()

    lr_scheduler = get_scheduler("constant", optimizer=optimizer, num_warmup_steps=0, num_training_steps=args.steps)
    unet, optimizer, train_dataloader, lr_scheduler = accelerator.prepare(
        unet, optimizer, train_dataloader, lr_scheduler
    )
    progress_bar = tqdm(range(args.steps), desc="Steps")
    global_step, seconds = 0, []
    began = time.monotonic()
    while global_step < args.steps:
        unet.train()
        for batch in train_dataloader:
            with accelerator.accumulate(unet):
                pixel_values = batch["pixel_values"].to(dtype=vae.dtype)
                model_input = vae.encode(pixel_values).latent_dist.sample()
                model_input = model_input * vae.config.scaling_factor
                model_input = model_input.to(weight_dtype)
                noise = torch.randn_like(model_input)
                bsz = model_input.shape[0]
                timesteps = torch.randint(
                    0, noise_scheduler.config.num_train_timesteps, (bsz,), device=model_input.device
                )
                timesteps = timesteps.long()
                noisy_model_input = noise_scheduler.add_noise(model_input, noise, timesteps)
                add_time_ids = torch.cat(
                    [
                        compute_time_ids(original_size=s, crops_coords_top_left=c)
                        for s, c in zip(batch["original_sizes"], batch["crop_top_lefts"], strict=True)
                    ]
                )
                unet_added_conditions = {
                    "time_ids": add_time_ids,
                    "text_embeds": unet_add_text_embeds.repeat(bsz, 1),
                }
                model_pred = unet(
                    noisy_model_input,
                    timesteps,
                    prompt_embeds.repeat(bsz, 1, 1),
                    added_cond_kwargs=unet_added_conditions,
                    return_dict=False,
                )[0]
                loss = F.mse_loss(model_pred.float(), noise.float(), reduction="mean")
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(unet_lora_parameters, args.max_grad_norm)
                optimizer.step()
                lr_scheduler.step()
                optimizer.zero_grad()
            progress_bar.update(1)
            global_step += 1
            logs = {"loss": loss.detach().item(), "lr": lr_scheduler.get_last_lr()[0]}
            progress_bar.set_postfix(**logs)
            if args.device == "cuda":
                torch.cuda.synchronize()
            now = time.monotonic()
            seconds.append(now - began)
            began = now
            if global_step >= args.steps:
                break
    # Before the adapter is written: the bench's other side is looked at then, too.
    memory = measure_memory(args.device)
    unet = accelerator.unwrap_model(unet).to(torch.float32)
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    StableDiffusionXLPipeline.save_lora_weights(save_directory=args.output_dir, unet_lora_layers=layers)
    trained = sum(tensor.numel() for tensor in layers.values())
    print(json.dumps({"seconds": seconds, "peak_mb": memory.peak, "trained": trained}))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--pretrained_model_name_or_path", type=Path, required=True)
    parser.add_argument("--instance_data_dir", type=Path, required=True)
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--device", choices=("cpu", "cuda"), required=True)
    parser.add_argument("--precision", choices=("fp32", "bf16", "fp16"), required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--train_batch_size", type=int, required=True)
    parser.add_argument("--gradient_checkpointing", action="store_true")
    parser.add_argument("--learning_rate", type=float, default=1e-4)
    parser.add_argument("--adam_weight_decay", type=float, default=1e-4)
    parser.add_argument("--max_grad_norm", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


if __name__ == "__main__":
    main(parse_args())
