"""The image demo's pictures are the same every time, and are what their caption says."""

import zipfile
from pathlib import Path

import draw_pictures


def test_the_pictures_are_the_same_every_time_and_lie_beside_their_captions(tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        draw_pictures.write_pictures(tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    names = set(zipfile.ZipFile(tmp_path / "one.zip").namelist())
    assert names == {f"{number:02}.{ending}" for number in range(1, 25) for ending in ("png", "txt")}


def test_each_is_another_picture_of_what_the_caption_says() -> None:
    every = draw_pictures.pictures()
    assert len({made.tobytes() for made in every}) == len(every)
    for made in every:
        found = {colour: count for count, colour in made.getcolors()}
        left, top, right, bottom = made.point(lambda value: 255 * (value < 200)).convert("L").getbbox()
        # Of the square around it a circle fills π/4.
        assert abs(found[draw_pictures.RED] / ((right - left) * (bottom - top)) - 0.785) < 0.02
