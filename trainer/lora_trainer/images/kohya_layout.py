"""The adapter in the layout of kohya's sd-scripts, which ComfyUI and most other programs read."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from lora_trainer.config import Config

if TYPE_CHECKING:
    import torch

Pair = tuple["torch.Tensor", "torch.Tensor"]
"""Down [rank, in] and up [out, rank]."""

PREFIXES = {
    "stable-diffusion": {"unet": "lora_unet", "text_encoder": "lora_te"},
    "sdxl": {"unet": "lora_unet", "text_encoder": "lora_te1", "text_encoder_2": "lora_te2"},
}
"""sd-scripts, networks/lora.py: LORA_PREFIX_UNET, LORA_PREFIX_TEXT_ENCODER, …1 and …2."""
BASE_VERSIONS = {"stable-diffusion": "sd_v1", "sdxl": "sdxl_base_v1-0", "flux": "flux1"}
"""What sd-scripts writes as `ss_base_model_version`."""
FLUX_DOUBLE = {
    "attn.to_out.0": "img_attn_proj",
    "attn.to_add_out": "txt_attn_proj",
    "ff.net.0.proj": "img_mlp_0",
    "ff.net.2": "img_mlp_2",
    "ff_context.net.0.proj": "txt_mlp_0",
    "ff_context.net.2": "txt_mlp_2",
    "attn.to_q": "img_attn_qkv",
    "attn.to_k": "img_attn_qkv",
    "attn.to_v": "img_attn_qkv",
    "attn.add_q_proj": "txt_attn_qkv",
    "attn.add_k_proj": "txt_attn_qkv",
    "attn.add_v_proj": "txt_attn_qkv",
}
"""sd-scripts, networks/convert_flux_lora.py: its FLUX has one linear layer where diffusers has three."""
FLUX_SINGLE = dict.fromkeys(("attn.to_q", "attn.to_k", "attn.to_v"), "linear1")
FLUX_MODULE = re.compile(r"transformer\.(single_)?transformer_blocks\.(\d+)\.(.+)")
MLP_RATIO = 4
"""linear1 of a single block goes on behind q, k and v with the MLP, four times as wide as each of them."""


def kohya_tensors(tensors: dict[str, torch.Tensor], alpha: float, kind: str) -> dict[str, torch.Tensor]:
    """lora_down, lora_up and alpha of each module, in fp16 as is usual; given `part.module.lora_A.weight` and B."""
    import torch

    pairs: dict[str, Pair] = {}
    for name in tensors:
        if name.endswith(".lora_A.weight"):
            module = name.removesuffix(".lora_A.weight")
            pairs[module] = (tensors[name], tensors[f"{module}.lora_B.weight"])
    named, widths = fused_flux(pairs) if kind == "flux" else plain(pairs, PREFIXES[kind])
    made = {}
    for name, (down, up) in sorted(named.items()):
        made[f"{name}.lora_down.weight"] = down.to(torch.float16).contiguous()
        made[f"{name}.lora_up.weight"] = up.to(torch.float16).contiguous()
        # Its programs scale by alpha / rows of lora_down.
        made[f"{name}.alpha"] = torch.tensor(float(alpha * widths[name]))
    return made


def plain(pairs: dict[str, Pair], prefixes: dict[str, str]) -> tuple[dict[str, Pair], dict[str, int]]:
    """Each module as it is; the number 1 for each says that its rank is the adapter's own."""
    named = {}
    for module, pair in pairs.items():
        part, _, rest = module.partition(".")
        if part.startswith("text_encoder") and not rest.startswith("text_model."):
            rest = f"text_model.{rest}"
        named[f"{prefixes[part]}_{rest.replace('.', '_')}"] = pair
    return named, dict.fromkeys(named, 1)


def fused_flux(pairs: dict[str, Pair]) -> tuple[dict[str, Pair], dict[str, int]]:
    """q, k and v side by side as one layer: down one below the other, up on a diagonal; and how many make up each."""
    together: dict[str, list[Pair]] = defaultdict(list)
    for module, pair in pairs.items():
        single, number, inner = FLUX_MODULE.fullmatch(module).groups()
        name = FLUX_SINGLE[inner] if single else FLUX_DOUBLE[inner]
        together[f"lora_unet_{'single' if single else 'double'}_blocks_{number}_{name}"].append(pair)
    made, widths = {}, {}
    for name, parts in together.items():
        if name.endswith("linear1"):
            down, up = parts[0]
            parts = [*parts, (down.new_zeros(down.shape), up.new_zeros(MLP_RATIO * up.shape[0], up.shape[1]))]
        made[name], widths[name] = side_by_side(parts), len(parts)
    return made, widths


def side_by_side(parts: list[Pair]) -> Pair:
    import torch

    return torch.cat([down for down, _ in parts]), torch.block_diag(*(up for _, up in parts))


def kohya_facts(config: Config, facts: dict[str, str]) -> dict[str, str]:
    """Metadata under the names that sd-scripts writes and other programs show."""
    params, values = config.params, config.values
    told = {
        "network_module": "networks.lora_flux" if values.model_kind == "flux" else "networks.lora",
        "network_dim": params.lora_rank,
        "network_alpha": params.lora_alpha,
        "network_dropout": params.lora_dropout,
        "base_model_version": BASE_VERSIONS[values.model_kind],
        "sd_model_name": values.base_model.id,
        "learning_rate": params.learning_rate,
        "unet_lr": params.learning_rate,
        "text_encoder_lr": text_encoder_rate(params),
        "lr_scheduler": params.lr_schedule,
        "lr_warmup_steps": params.warmup_steps,
        "optimizer": params.optimizer,
        "max_train_steps": params.max_steps,
        "batch_size_per_device": params.batch_size,
        "gradient_accumulation_steps": params.grad_accum,
        "gradient_checkpointing": params.gradient_checkpointing,
        "mixed_precision": params.precision,
        "seed": params.seed,
        "resolution": f"({params.resolution}, {params.resolution})",
        "enable_bucket": params.bucketing,
        "min_snr_gamma": params.min_snr_gamma,
        "noise_offset": params.noise_offset,
        "caption_dropout_rate": params.caption_dropout,
        "prior_loss_weight": 1.0 if values.prior is None else values.prior.weight,
        "num_train_images": facts["training_images"],
        "num_reg_images": facts["class_images"],
        "steps": facts["steps"],
        "tag_frequency": json.dumps({"images": dict.fromkeys(values.trigger_words, int(facts["training_images"]))}),
    }
    return {f"ss_{name}": str(value) for name, value in told.items()}


def text_encoder_rate(params: object) -> float:
    """Of the text encoders' adapters; 0 where they are not trained."""
    if not params.train_text_encoder:
        return 0.0
    return params.learning_rate if params.text_encoder_learning_rate is None else params.text_encoder_learning_rate
