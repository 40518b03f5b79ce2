"""An image model on several devices: what they train together is what one trains alone, bit by bit after a stop."""

import json

import pytest
from safetensors.torch import load_file

from conftest import merge
from image_zip import write_images
from make_tiny_pipelines import make_tiny_pipeline
from protocol import SAMPLES, of_type, read_events

# Two buckets of 2 and 1 batches: in the last pass of each epoch one device has none.
SIZES = [(128, 128)] * 3 + [(192, 64)] * 2
# Everything that draws: noise, timesteps, dropout, sides, captions, class images.
PARAMS = {
    **{"batch_size": 2, "grad_accum": 2, "max_steps": 4, "learning_rate": 0.01, "lora_rank": 4, "resolution": 128},
    **{"lora_dropout": 0.1, "ema_decay": 0.9, "random_flip": True, "caption_dropout": 0.3, "noise_offset": 0.1},
}
DDP = {"devices": 2, "strategy": "ddp"}
FSDP = {"devices": 2, "strategy": "fsdp"}
EVERY = {"sample_interval": 3, "checkpoint_interval": 2, "checkpoints_kept": 9}


@pytest.fixture
def configure(tmp_path):
    """Writes a config.json of a short DreamBooth run on a tiny SDXL; changes are merged into it."""
    images = write_images(tmp_path / "images.zip", SIZES)
    base = make_tiny_pipeline("sdxl", tmp_path / "base")

    def write(attempt, training_params=None, job="job", **changes):
        output = tmp_path / job / str(attempt)
        output.mkdir(parents=True)
        config = json.loads((SAMPLES / "image-config.json").read_text())
        paths = {"dataset_path": str(images), "job_folder": str(output.parent), "output_path": str(output)}
        merge(config, paths | {"attempt": attempt, "device": "cpu", "base_model": {"path": str(base)}} | EVERY)
        merge(config, {"sample_steps": 1, "prior": {"class_images": 2}, "training_params": PARAMS})
        merge(config, {"training_params": training_params or {}} | changes)
        file = output / "config.json"
        file.write_text(json.dumps(config))
        return file

    return write


def adapter(config):
    return load_file(config.parent / "adapter" / "pytorch_lora_weights.safetensors")


def curve(*configs):
    metrics = [event for config in configs for event in of_type(read_events(config.parent), "metric")]
    return [[m["step"], m["epoch"], m["loss"], m["learning_rate"], m["grad_norm"]] for m in metrics]


def told(config, kind, *names):
    return [[event[name] for name in names] for event in of_type(read_events(config.parent), kind)]


def test_two_devices_train_the_images_that_one_does_with_twice_the_accumulation(configure, forks):
    both, alone = configure(1, **DDP), configure(2, training_params={"grad_accum": 4})
    # The second one makes no cache, no class image and no sample.
    assert forks(both, {"rank": 1, "step": 99, "what": "nothing"}) == 0
    assert forks(alone) == 0
    # In parts both draw the class images and the samples, with what nobody has made before.
    parted = configure(1, job="parted", **FSDP)
    assert forks(parted) == 0
    for config in (both, parted):
        assert curve(config) == [pytest.approx(point, rel=1e-4) for point in curve(alone)]
        theirs, ours = adapter(config), adapter(alone)
        assert theirs.keys() == ours.keys()
        assert all(theirs[name].allclose(ours[name], rtol=1e-3, atol=1e-5) for name in ours)
        for kind, names in {"checkpoint": ["step", "path"], "sample": ["step", "prompt"]}.items():
            assert told(config, kind, *names) == told(alone, kind, *names) != []
        counted = ("tokens_per_step", "mean_tokens_per_step", "longest_pass_tokens")
        assert told(config, "probe", *counted) == told(alone, "probe", *counted)
        figures = [told(run, "done", "summary")[0][0] for run in (config, alone)]
        assert all(figures[0][name] == figures[1][name] for name in ("steps", "epochs", "tokens"))
        assert sorted(p.name for p in config.parent.iterdir()) == sorted(p.name for p in alone.parent.iterdir())

    card = (both.parent / "adapter" / "README.md").read_text()
    assert "| Batch | 2 x 2 on 2 devices at 128 pixels |" in card

    # A stop that the other one hears of, and on from the one checkpoint that both leave.
    first = configure(3, **DDP)
    assert forks(first, {"rank": 1, "step": 2, "what": "stop"}) == 143
    events = read_events(first.parent)
    assert [event["type"] for event in events[-2:]] == ["checkpoint", "error"]
    assert (events[-1]["code"], events[-2]["step"]) == ("interrupted", 2)
    second = configure(4, **DDP, resume_from=str(first.parent / events[-2]["path"]))
    assert forks(second) == 0
    assert curve(first, second) == curve(both)
    resumed = adapter(second)
    assert all(resumed[name].equal(tensor) for name, tensor in adapter(both).items())
