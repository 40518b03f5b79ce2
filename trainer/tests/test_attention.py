import json
import shutil
from pathlib import Path

import pytest

from lora_trainer.base_model import load_base
from lora_trainer.images.pipeline_folder import Parts
from lora_trainer.team import Team


def ask_for_a_kernel(folder: Path, field: str) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: "evil/kernel"}))


# Where its package is not installed, transformers raises before it would ask the Hub for the kernel.
@pytest.mark.parametrize("field", ["attn_implementation", "_attn_implementation"])
def test_no_model_is_loaded_with_attention_that_its_configuration_names(field, tiny, image_bases, tmp_path):
    from diffusers import AutoencoderKL
    from transformers import CLIPTextModel

    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    ask_for_a_kernel(folder, field)
    assert load_base(folder, "fp32", "cpu").config._attn_implementation == "sdpa"

    pipeline = tmp_path / "pipeline"
    shutil.copytree(image_bases["stable-diffusion"], pipeline)
    files = {part: sorted((pipeline / part).glob("*.safetensors")) for part in ("text_encoder", "vae")}
    for part in files:
        ask_for_a_kernel(pipeline / part, field)
    parts = Parts(pipeline, files, "fp32", "cpu", Team(), "unet")
    assert parts.model("text_encoder", CLIPTextModel).config._attn_implementation == "sdpa"
    assert parts.model("vae", AutoencoderKL).config.latent_channels > 0
