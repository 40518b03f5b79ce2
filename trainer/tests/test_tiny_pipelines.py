"""The tiny pipelines of demo/make_tiny_pipelines.py, which everything that trains on images is tested with."""

import hashlib
import json

import pytest

from make_tiny_pipelines import KINDS, make_tiny_pipeline

CLASSES = {"stable-diffusion": "StableDiffusionPipeline", "sdxl": "StableDiffusionXLPipeline", "flux": "FluxPipeline"}


def sums(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("kind", KINDS)
def test_a_tiny_pipeline_is_the_same_every_time_and_draws(kind, tmp_path):
    import torch
    from diffusers import DiffusionPipeline

    folder = make_tiny_pipeline(kind, tmp_path / "one")
    assert sums(folder) == sums(make_tiny_pipeline(kind, tmp_path / "two"))
    assert sums(folder) != sums(make_tiny_pipeline(kind, tmp_path / "other", seed=1))
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".safetensors"}
    assert json.loads((folder / "model_index.json").read_text())["_class_name"] == CLASSES[kind]

    pipeline = DiffusionPipeline.from_pretrained(folder, local_files_only=True)
    parts = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    assert all(sum(weight.numel() for weight in part.parameters()) < 100_000 for part in parts)
    assert pipeline.tokenizer.tokenize("a photo of sks dog z") == [
        "a</w>",
        "photo</w>",
        "of</w>",
        "sks</w>",
        "dog</w>",
        "z</w>",
    ]
    pictures = [
        pipeline("a dog", num_inference_steps=1, width=64, height=128, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    ]
    one, same, other = (picture.images[0] for picture in pictures)
    assert one.size == (64, 128)
    assert one.tobytes() == same.tobytes() != other.tobytes()
