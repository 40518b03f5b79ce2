from collections import Counter

import pytest
import torch

from image_zip import image_config, write_images
from lora_trainer.images.data.captions import training_text
from lora_trainer.images.data.image_set import open_images
from lora_trainer.images.data.order import batches, batches_per_epoch, epochs_of, steps_per_epoch

SIZES = [(96, 64), (64, 96), (100, 100), (192, 64), (64, 200), (128, 120), (99, 64)]
REPEATS = [3, 1, 4, 2, 5, 1, 2]


@pytest.fixture
def image_set(tmp_path):
    def make(sizes=SIZES, repeats=REPEATS, settings=None, **changes):
        settings = settings or {}
        path = write_images(tmp_path / "images.zip", sizes, repeats=repeats, **changes)
        return open_images(image_config(path, **settings))

    return make


def test_each_image_comes_as_often_as_it_repeats_and_batches_have_one_bucket(image_set):
    images = image_set()
    buckets = images.images_by_bucket()
    assert len(buckets) > 2
    for batch_size in (1, 2, 3, 8):
        for epoch in range(3):
            found = batches(images, batch_size, 5, epoch)
            assert Counter(place for batch in found for place in batch) == Counter(dict(enumerate(REPEATS)))
            assert len(found) == batches_per_epoch(images, batch_size)
            assert len(found) == sum(-(-count // batch_size) for count in buckets.values())
            for batch in found:
                assert len({images.examples[place].frame.bucket for place in batch}) == 1
                assert len(batch) <= batch_size
    assert [steps_per_epoch(images, 2, accum) for accum in (1, 4)] == [
        batches_per_epoch(images, 2),
        -(-batches_per_epoch(images, 2) // 4),
    ]
    assert epochs_of(images, 2, 1, 2 * batches_per_epoch(images, 2) + 1) == 3


def test_the_order_is_the_seeds_and_can_be_gone_on_with(image_set):
    one, again = image_set(), image_set()
    assert batches(one, 2, 5, 1) == batches(again, 2, 5, 1)
    assert batches(one, 2, 5, 1)[3:] == batches(again, 2, 5, 1)[3:]
    assert batches(one, 2, 5, 1) != batches(one, 2, 6, 1)
    assert batches(one, 2, 5, 1) != batches(one, 2, 5, 2)


def test_the_first_batch_is_the_largest(image_set):
    images = image_set()
    for seed in range(10):
        pixels = [
            len(batch) * images.examples[batch[0]].frame.bucket[0] * images.examples[batch[0]].frame.bucket[1]
            for batch in batches(images, 2, seed, 0)
        ]
        assert pixels[0] == max(pixels)


def test_in_one_bucket_smaller_batches_meet_the_images_in_the_same_order(image_set):
    images = image_set(settings={"bucketing": False})
    flat = [place for batch in batches(images, 1, 5, 0) for place in batch]
    assert [place for batch in batches(images, 4, 5, 0) for place in batch] == flat


def test_views_depend_on_seed_epoch_and_position_alone(image_set):
    settings = {"random_flip": True, "caption_dropout": 0.5, "center_crop": False}
    images, again = image_set(settings=settings), image_set(settings=settings)
    places = [2] * 4
    seen = [images.views(places, epoch, position) for epoch in range(6) for position in range(6)]
    assert seen == [again.views(places, epoch, position) for epoch in range(6) for position in range(6)]
    flat = [view for views in seen for view in views]
    assert 40 < sum(view.flip for view in flat) < 104
    assert 40 < sum(view.text == "" for view in flat) < 104
    assert {view.text for view in flat} == {"", "picture 3"}
    # The crop is the image's for the whole run, so a cached latent is what would have been encoded.
    assert len({view.example.frame for view in flat}) == 1
    other = image_set(settings=settings | {"seed": 8})
    assert [e.frame for e in other.examples] != [e.frame for e in images.examples]
    without = image_set(settings=settings | {"caption_dropout": 0.0})
    assert [v.flip for v in without.views(places, 3, 3)] == [v.flip for v in images.views(places, 3, 3)]


def test_the_two_sides_of_an_image_mirror_each_other_and_sdxl_is_told_where_they_were_cut(image_set):
    images = image_set([(500, 360)], [1], {"random_flip": True, "center_crop": False, "seed": 3, "resolution": 128})
    plain, mirrored = images.all_views()
    pixels = images.pixels([plain, mirrored])
    assert pixels.dtype == torch.float32
    assert pixels.min() >= -1
    assert pixels.max() <= 1
    assert not torch.equal(pixels[0], pixels[1])
    assert torch.equal(pixels[0], pixels[1].flip(-1))
    frame = plain.example.frame
    assert 0 != frame.left != frame.scaled[0] - frame.bucket[0] - frame.left
    assert (plain.original_size, plain.target_size) == ((360, 500), frame.bucket[::-1])
    assert plain.crop_top_left == (frame.top, frame.left)
    assert mirrored.crop_top_left == (frame.top, frame.scaled[0] - frame.bucket[0] - frame.left)


@pytest.mark.parametrize(
    ("caption", "prompt", "words", "text"),
    [
        ("a dog on grass", None, [], "a dog on grass"),
        ("a dog on grass", None, ["sks"], "sks, a dog on grass"),
        ("a sks dog", None, ["sks"], "a sks dog"),
        ("a SKS dog", None, ["sks"], "a SKS dog"),
        ("a skster", None, ["sks"], "sks, a skster"),
        ("oil painting of x.y.", None, ["x.y"], "oil painting of x.y."),
        ("a red dog", None, ["sks", "red", "wool"], "sks, wool, a red dog"),
        ("  two \n lines ", None, [], "two lines"),
        (None, None, ["sks", "wool", "sks"], "sks, wool"),
        (None, None, [], ""),
        ("its caption", "a photo of sks dog", ["sks"], "a photo of sks dog"),
        (None, "a photo of a dog", ["sks"], "sks, a photo of a dog"),
        ("a photo of [trigger] on grass", None, ["sks"], "a photo of sks on grass"),
    ],
)
def test_trigger_words_reach_the_text_once_as_whole_words(caption, prompt, words, text):
    assert training_text(caption, prompt, words) == text


@pytest.mark.parametrize("caption", ["a dog", "a photo of sks dog", "a dog " * 80, "a dog " * 80 + "sks", None])
def test_trigger_words_reach_the_tokens(image_set, caption):
    """Those of the tiny CLIP tokenizer, which reads 77 of them as the real one does."""
    from make_tiny_pipelines import clip_tokenizer

    tokenizer = clip_tokenizer()
    images = image_set([(64, 64)], [1], {"trigger_words": ["sks", "zq"]}, caption=caption)
    (view,) = images.views([0], 0, 0)
    ids = tokenizer(view.text, padding="max_length", max_length=tokenizer.model_max_length, truncation=True).input_ids
    tokens = tokenizer.convert_ids_to_tokens(ids)
    assert len(tokens) == 77
    assert "sks</w>" in tokens
    assert "zq" in tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "")


def test_all_texts_are_those_that_a_pass_can_meet(image_set):
    settings = {"trigger_words": ["sks"], "caption_dropout": 0.1}
    settings |= {"prior": {"class_prompt": "a vase", "class_images": 2, "weight": 1.0}}
    images = image_set([(64, 64)] * 3, [1] * 3, settings, caption=["one", "one", None])
    assert images.all_texts() == ["sks, one", "sks", "", "a vase"]


def test_what_makes_a_training_worse_is_said(image_set):
    sizes = [(64, 64), (64, 64), (600, 600), (3000, 400)]
    images = image_set(sizes, 1, caption=["a", "a", None, "b"], **{"class": [False, False, False, False]})
    said = dict(images.warnings)
    assert set(said) == {"images_upscaled", "images_cropped", "captions_missing", "bucket_leftovers"}
    assert "2 of 4" in said["images_upscaled"]
    assert "1 of 4" in said["images_cropped"]
    quiet = image_set([(128, 128), (200, 200)], 1, caption="a")
    assert quiet.warnings == []
    classes = image_set([(128, 128)] * 2, 2, caption="a", **{"class": [False, True]})
    assert [code for code, _ in classes.warnings] == ["class_images_ignored"]
    assert len(classes.examples) == 1


def test_an_image_that_is_there_twice_is_said(tmp_path, image_set):
    from image_zip import encoded, manifest_line, picture, write_zip

    data = encoded(picture(128, 128))
    lines = [manifest_line(number, data, (128, 128)) for number in (1, 2)]
    path = write_zip(tmp_path / "twice.zip", lines, {line["file"]: data for line in lines})
    assert "1 of 2" in dict(open_images(image_config(path)).warnings)["images_repeated"]
