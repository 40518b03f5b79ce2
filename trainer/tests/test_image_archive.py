import struct
import warnings
import zipfile

import pytest

from image_zip import encoded, image_config, manifest_line, picture, write_images, write_zip
from lora_trainer.failure import TrainerFailure
from lora_trainer.images.data.archive import ImageArchive
from lora_trainer.images.data.image_set import open_images

DATA = encoded(picture(96, 64))
LINE = manifest_line(1, DATA, (96, 64))
NAME = LINE["file"]


def code_of(path):
    """The rule that a dataset is refused by, on opening or on reading its first image."""

    def use():
        image_set = open_images(image_config(path))
        image_set.pixels(image_set.views([0], 0, 0))

    with pytest.raises(TrainerFailure) as caught:
        use()
    assert (caught.value.code, caught.value.field) == ("data", "dataset_path")
    assert str(path) not in caught.value.message
    return caught.value.message.rpartition("(")[2].rstrip(")"), caught.value.message


def patched(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    return path


def test_images_are_read_in_place_by_the_names_of_the_manifest(tmp_path):
    path = write_images(tmp_path / "images.zip", [(96, 64), (64, 96)], repeats=[3, 1], caption=["a", None])
    archive = ImageArchive(path)
    assert [(image.file, image.repeats, image.caption) for image in archive.images] == [
        ("images/000001.png", 3, "a"),
        ("images/000002.png", 1, None),
    ]
    assert archive.read(archive.images[1]) == encoded(picture(64, 96, 7))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["images.zip"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../evil.png", "unsafe_path"),
        ("/etc/passwd", "unsafe_path"),
        ("images/../../x.png", "unsafe_path"),
        ("images/a/./b.png", "unsafe_path"),
        ("images\\x.png", "unsafe_path"),
        ("images/x\x00.png", "unsafe_path"),
        ("images/" + "x" * 300, "unsafe_path"),
        ("images/\u202egnp.png", "unsafe_path"),
        ("images/000009.png", "unlisted_entry"),
    ],
)
def test_an_entry_with_a_name_that_is_not_the_manifests_is_refused(tmp_path, name, code):
    path = write_zip(tmp_path / "images.zip", [LINE], {NAME: DATA, name.replace("\x00", "?"): DATA})
    if "\x00" in name:
        patched(path, b"x?.png", b"x\x00.png")
    assert code_of(path)[0] == code


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file": "../images/000001.png"}, "unsafe_path"),
        ({"file": "images/000001.png/../000001.png"}, "unsafe_path"),
        ({"file": None}, "unsafe_path"),
        ({"width": 0}, "width"),
        ({"height": True}, "height"),
        ({"repeats": 1.5}, "repeats"),
        ({"sha256": LINE["sha256"].upper()}, "sha256"),
        ({"caption": ["a"]}, "caption"),
        ({"class": 0}, "class"),
        ({"extra": 1}, "fields"),
    ],
)
def test_a_manifest_line_that_breaks_a_rule_is_named(tmp_path, change, words):
    path = write_zip(tmp_path / "images.zip", [LINE, LINE | change], {NAME: DATA})
    code, message = code_of(path)
    assert code == "bad_manifest"
    assert "Line 2" in message
    assert words in message


def test_hostile_zips_are_refused_each_with_its_word(tmp_path):
    at = tmp_path / "images.zip"
    files = {NAME: DATA}

    def two_of_a_name():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with zipfile.ZipFile(write_zip(at, [LINE], files), "a") as archive:
                archive.writestr(NAME, b"another")
        return at

    def bomb():
        """A thousand times as much as it seems, if it were inflated."""
        huge = b"\0" * (4 << 20)
        return write_zip(at, [manifest_line(1, huge, (96, 64))], {NAME: huge}, compression=zipfile.ZIP_DEFLATED)

    def flagged(bit):
        """The flags of the image's entry, in its local and its central header."""
        data = bytearray(write_zip(at, [LINE], files).read_bytes())
        for mark, flags, name in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
            place = data.find(mark)
            while data[place + name : place + name + len(NAME)] != NAME.encode():
                place = data.find(mark, place + 1)
            data[place + flags] |= bit
        at.write_bytes(data)
        return at

    def larger_than_the_file():
        """The central header says a size that the file cannot hold."""
        data = bytearray(write_zip(at, [LINE], files).read_bytes())
        place = data.rfind(b"PK\x01\x02")
        data[place + 20 : place + 28] = struct.pack("<II", 1 << 20, 1 << 20)
        at.write_bytes(data)
        return at

    def other_name_inside():
        """The local header has another name than the directory."""
        data = write_zip(at, [LINE], files).read_bytes()
        place = data.find(NAME.encode(), data.find(b"PK\x03\x04", 10))
        at.write_bytes(data[:place] + b"images/000002.png" + data[place + len(NAME) :])
        return at

    def cut(bytes_left):
        whole = write_zip(at, [LINE], files).read_bytes()
        at.write_bytes(whole[:bytes_left])
        return at

    def many_pixels():
        return write_zip(at, [LINE | {"width": 20_000, "height": 20_000}], files)

    def changed_bytes():
        return write_zip(at, [LINE], {NAME: encoded(picture(96, 64, 9))})

    def with_data(data, size=(96, 64)):
        return write_zip(at, [manifest_line(1, data, size)], {NAME: data})

    def larger_than_its_manifest():
        return with_data(encoded(picture(400, 400)))

    hostile = [
        (two_of_a_name, "duplicate_path"),
        (lambda: write_zip(at, [LINE, LINE], files), "duplicate_path"),
        (lambda: write_zip(at, [LINE], {}), "missing_entry"),
        (bomb, "compressed"),
        (lambda: flagged(0x1), "encrypted"),
        (larger_than_the_file, "overlapping_entries"),
        (other_name_inside, "corrupt_entry"),
        (lambda: cut(200), "type_mismatch"),
        (lambda: at.write_bytes(b"not a zip") and at, "type_mismatch"),
        (many_pixels, "too_many_pixels"),
        (larger_than_its_manifest, "wrong_size"),
        (changed_bytes, "sha256_mismatch"),
        (lambda: patched(write_zip(at, [LINE], files), DATA[-40:-20], bytes(20)), "corrupt_entry"),
        (lambda: with_data(DATA[: len(DATA) // 2]), "corrupt_image"),
        (lambda: with_data(encoded(picture(96, 64), "JPEG")[:-200]), "corrupt_image"),
        (lambda: with_data(b"<svg onload=alert(1)>"), "corrupt_image"),
        (lambda: with_data(encoded(picture(96, 64), "GIF")), "corrupt_image"),
        (lambda: write_zip(at, [], {}), "empty_dataset"),
        (lambda: write_zip(at, [LINE | {"class": True}], files), "empty_dataset"),
    ]
    for make, code in hostile:
        found, message = code_of(make())
        assert found == code, message
        if code in ("corrupt_image", "corrupt_entry", "sha256_mismatch", "wrong_size"):
            assert NAME in message
    image_set = open_images(image_config(write_zip(at, [LINE], files)))
    assert image_set.pixels(image_set.views([0], 0, 0)).shape == (1, 3, 128, 128)


def test_a_dataset_that_is_not_there_is_told(tmp_path):
    assert code_of(tmp_path / "none.zip")[0] == "unreadable"


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("I;16", "PNG"), ("CMYK", "JPEG"), ("L", "JPEG"), ("RGBA", "WEBP")],
)
def test_whatever_colours_an_image_has_it_is_trained_in_rgb(tmp_path, mode, kind):
    data = encoded(picture(64, 64).convert("L" if mode == "I;16" else mode).convert(mode), kind)
    path = write_zip(tmp_path / "images.zip", [manifest_line(1, data, (64, 64))], {NAME: data})
    image_set = open_images(image_config(path, resolution=64))
    assert image_set.pixels(image_set.views([0], 0, 0)).shape == (1, 3, 64, 64)


def test_what_is_transparent_lies_on_white(tmp_path):
    image = picture(64, 64).convert("RGBA")
    image.putalpha(0)
    data = encoded(image)
    path = write_zip(tmp_path / "images.zip", [manifest_line(1, data, (64, 64))], {NAME: data})
    image_set = open_images(image_config(path, resolution=64))
    assert image_set.pixels(image_set.views([0], 0, 0)).min() == 1
