import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from image_zip import image_config, picture, write_images
from lora_trainer.failure import TrainerFailure
from lora_trainer.images.data.caches import LatentCache, TextCache
from lora_trainer.images.data.class_images import provide_class_images, sizes_to_draw
from lora_trainer.images.data.image_set import open_images
from lora_trainer.images.data.pixels import AHEAD, ahead
from lora_trainer.images.data.telling import Progress
from lora_trainer.images.data.tensor_cache import TensorCache
from lora_trainer.report import Report
from lora_trainer.stopping import Stop
from protocol import read_events

SIZES = [(96, 64), (64, 96), (128, 128), (300, 100), (64, 64)]


class Encoder:
    """Eight pixels become one, as a VAE does; counts what it is asked for."""

    def __init__(self, fails_at=None):
        self.asked = []
        self.fails_at = fails_at

    def __call__(self, pixels):
        if len(self.asked) == self.fails_at:
            raise TrainerFailure("interrupted", "stop", "stop")
        self.asked.append(tuple(pixels.shape))
        mean = torch.nn.functional.avg_pool2d(pixels, 8)
        return {"mean": mean, "std": mean.abs().to(torch.bfloat16)}

    @property
    def images(self):
        return sum(shape[0] for shape in self.asked)


@pytest.fixture
def image_set(tmp_path):
    def make(sizes=SIZES, zipped=None, **settings):
        path = write_images(tmp_path / "images.zip", sizes, **zipped or {})
        return open_images(image_config(path, tmp_path, **{"random_flip": True} | settings))

    return make


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_latents_are_made_once_and_are_those_of_the_pixels(tmp_path, image_set):
    images, encoder, told = image_set(), Encoder(), []
    cache = LatentCache(tmp_path, "vae")
    assert cache.build(images, encoder, 3, lambda *how_far: told.append(how_far)) == 10
    assert (encoder.images, max(shape[0] for shape in encoder.asked)) == (10, 3)
    assert (told[0], told[-1]) == ((0, 10), (10, 10))
    for view in images.all_views():
        wanted, found = Encoder()(images.pixels([view])), cache.get([view])
        assert found.keys() == wanted.keys()
        for name in wanted:
            assert torch.equal(found[name], wanted[name])
            assert found[name].dtype == wanted[name].dtype
    plain, mirrored = images.all_views()[:2]
    assert not torch.equal(cache.get([plain])["mean"], cache.get([mirrored])["mean"])
    again = Encoder()
    assert LatentCache(tmp_path, "vae").build(image_set(), again, 3) == 0
    assert again.images == 0
    # Another VAE, another crop or another seed's crop is another latent.
    for other, identity in ((image_set(), "another"), (image_set(resolution=64), "vae")):
        assert LatentCache(tmp_path, identity).build(other, Encoder(), 3) == 10


def test_a_batch_that_fails_leaves_what_was_made_and_the_rest_follows(tmp_path, image_set):
    images = image_set()
    with pytest.raises(TrainerFailure, match="stop"):
        LatentCache(tmp_path, "vae").build(images, Encoder(fails_at=3), 1)
    rest = Encoder()
    assert LatentCache(tmp_path, "vae").build(images, rest, 1) == 7
    assert rest.images == 7


def test_a_kill_in_the_midst_of_writing_leaves_no_half_latent(tmp_path, image_set):
    """A process of its own dies by SIGKILL with half a file written; the next attempt makes what is lacking."""
    script = """
import os, signal, sys
from pathlib import Path
import torch
from lora_trainer.images.data import tensor_cache
cache = tensor_cache.TensorCache(Path(sys.argv[1]) / "cache" / "latents")
cache.write("a" * 64, {"x": torch.ones(64)})
real = Path.write_bytes
def half(path, data):
    real(path, data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
Path.write_bytes = half
cache.write("b" * 64, {"x": torch.ones(64)})
"""
    died = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    )
    assert died.returncode == -signal.SIGKILL
    folder = tmp_path / "cache" / "latents"
    assert len(files_of(folder)) == 2
    cache = TensorCache(folder)
    assert torch.equal(cache.read("a" * 64)["x"], torch.ones(64))
    assert cache.read("b" * 64) is None
    assert not cache.path("b" * 64).exists()
    LatentCache(tmp_path, "vae").build(image_set(), Encoder(), 3)
    assert not list(folder.rglob("*.part"))


def test_what_was_changed_or_lost_is_made_anew_and_never_trained_on(tmp_path, image_set):
    images, cache = image_set(), LatentCache(tmp_path, "vae")
    cache.build(images, Encoder(), 3)
    files = files_of(tmp_path / "cache")
    whole = [path.read_bytes() for path in files]
    files[0].unlink()
    files[1].write_bytes(whole[1][: len(whole[1]) // 2])
    files[2].write_bytes(whole[2][:-1] + bytes([whole[2][-1] ^ 1]))
    files[3].write_bytes(whole[4])
    unread = [view for view in images.all_views() if cache.cache.read(cache.key(view)) is None]
    assert len(unread) == 4
    for view in unread:
        with pytest.raises(TrainerFailure, match="changed or removed") as caught:
            cache.get([view])
        assert (caught.value.code, caught.value.hint) == ("data", "Start again: it is made anew.")
    assert cache.build(images, Encoder(), 3) == 4
    assert torch.equal(cache.get([unread[0]])["mean"], Encoder()(images.pixels([unread[0]]))["mean"])
    assert cache.build(images, Encoder(), 3) == 0


def test_each_text_is_embedded_once(tmp_path):
    asked = []

    def encode(texts):
        asked.extend(texts)
        rows = torch.tensor([[float(len(text)), 1.0] for text in texts])
        return {"embeds": rows[:, None, :].repeat(1, 3, 1), "pooled": rows}

    cache = TextCache(tmp_path, "encoders")
    texts = [f"picture {number}" for number in range(20)] + ["", "picture 1"]
    assert cache.build(texts, encode) == 21
    assert cache.build([*texts, "more"], encode) == 1
    assert Counter(asked).most_common(1)[0][1] == 1
    found = cache.get(["", "picture 1", "picture 1"])
    assert found["embeds"].shape == (3, 3, 2)
    assert found["pooled"][:, 0].tolist() == [0, 9, 9]
    with pytest.raises(TrainerFailure, match="changed or removed"):
        cache.get(["never seen"])
    assert TextCache(tmp_path, "others").build(texts, encode) == 21


def test_an_unreadable_image_ends_caching_by_its_name(tmp_path):
    from image_zip import encoded, manifest_line, write_zip

    good, torn = encoded(picture(64, 64)), encoded(picture(64, 64, 5))[:-60]
    lines = [manifest_line(1, good, (64, 64)), manifest_line(2, torn, (64, 64))]
    path = write_zip(tmp_path / "torn.zip", lines, {lines[0]["file"]: good, lines[1]["file"]: torn})
    images = open_images(image_config(path, tmp_path))
    with pytest.raises(TrainerFailure, match=r"images/000002\.png cannot be decoded") as caught:
        LatentCache(tmp_path, "vae").build(images, Encoder(), 4)
    assert caught.value.code == "data"


def test_images_are_decoded_ahead_but_not_all_at_once():
    given = []
    made = ahead(str, (given.append(number) or number for number in range(200)))
    assert [next(made) for _ in range(3)] == ["0", "1", "2"]
    assert len(given) <= AHEAD + 2
    assert list(made) == [str(number) for number in range(3, 200)]


PRIOR = {"class_prompt": "a vase", "class_images": 6, "weight": 1.0}


class Painter:
    """Draws by prompt and seed; counts what it is asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, prompts, seeds, width, height):
        self.asked += [(prompt, seed, width, height) for prompt, seed in zip(prompts, seeds, strict=True)]
        return [Image.new("RGB", (width, height), (seed % 256, len(prompts), 9)) for seed in seeds]


def test_class_images_of_the_dataset_count_first_and_the_others_are_drawn_once(tmp_path, image_set):
    flags = [False, False, True, False, True]
    images = image_set(zipped={"class": flags, "repeats": 9}, prior=PRIOR)
    prior, painter, told = SimpleNamespace(**PRIOR), Painter(), []
    made = provide_class_images(images, prior, tmp_path, "base", painter, 2, lambda *far: told.append(far))
    assert made == len(painter.asked) == 6 - 2
    assert (told[0], told[-1]) == ((0, 4), (4, 4))
    assert {prompt for prompt, *_ in painter.asked} == {"a vase"}
    assert len({seed for _, seed, *_ in painter.asked}) == 4
    assert {size[2:] for size in painter.asked} <= set(images.images_by_bucket())
    assert set(images.class_examples) == set(images.images_by_bucket())
    distinct = {example.image.sha256 for beside in images.class_examples.values() for example in beside}
    assert len(distinct) == 6
    # They stand in the bucket of their batch, with the class's prompt, and can be read and cached as all others.
    for place in range(len(images.examples)):
        views = images.class_views([place, place, place], 0, place)
        assert {view.example.frame.bucket for view in views} == {images.examples[place].frame.bucket}
        assert {view.text for view in views} == {"a vase"}
        assert images.pixels(views).shape[0] == 3
        assert images.class_views([place] * 3, 0, place) == views
    cache = LatentCache(tmp_path, "vae")
    cache.build(images, Encoder(), 4)
    assert cache.get(images.class_views([0, 0], 5, 1))["mean"].shape[0] == 2
    again = image_set(zipped={"class": flags, "repeats": 9}, prior=PRIOR)
    assert provide_class_images(again, prior, tmp_path, "base", painter, 2) == 0
    assert again.class_examples == images.class_examples
    kept = files_of(tmp_path / "cache" / "class-images")
    kept[0].write_bytes(kept[0].read_bytes()[:-9])
    assert (
        provide_class_images(image_set(zipped={"class": flags}, prior=PRIOR), prior, tmp_path, "base", painter, 2) == 1
    )
    others = image_set(zipped={"class": flags}, prior=PRIOR)
    assert provide_class_images(others, prior, tmp_path, "another base", painter, 2) == 4


def test_enough_class_images_of_its_own_leave_nothing_to_draw(tmp_path, image_set):
    images = image_set(zipped={"class": [False, False, True, True, True]}, prior=PRIOR | {"class_images": 2})
    painter = Painter()
    assert provide_class_images(images, images_prior(2), tmp_path, "base", painter, 2) == 0
    assert painter.asked == []
    # A bucket that none of them is near to shares those of the others.
    assert all(images.class_examples[bucket] for bucket in images.images_by_bucket())


def images_prior(count):
    return SimpleNamespace(**PRIOR | {"class_images": count})


def test_drawn_class_images_have_the_sizes_of_the_examples_in_their_proportions():
    examples = Counter({(128, 128): 30, (64, 192): 10})
    assert Counter(sizes_to_draw(examples, [], 20)) == {(128, 128): 15, (64, 192): 5}
    assert Counter(sizes_to_draw(examples, [], 1)).total() == 1


def test_a_long_preparation_says_how_far_it_is_and_obeys_a_stop(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("lora_trainer.images.data.telling.time.monotonic", lambda: now[0])
    stop = Stop()
    tell = Progress(Report(tmp_path), stop)
    tell(4, 12)
    for done in range(5, 13):
        now[0] += 2
        tell(done, 12)
    events = [(event["done"], event["total"], event["eta_seconds"]) for event in read_events(tmp_path)]
    assert events == [(4, 12, None), (7, 12, 10.0), (10, 12, 4.0), (12, 12, 0.0)]
    stop.requested = True
    with pytest.raises(TrainerFailure, match="preparing the data"):
        tell(12, 12)
    assert json.loads((tmp_path / "events.jsonl").read_text().splitlines()[0])["stage"] == "preparing_data"
