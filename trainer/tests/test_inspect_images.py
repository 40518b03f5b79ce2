import hashlib
import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from lora_trainer.image_check.archive import Archive
from lora_trainer.image_check.faults import DatasetFault
from lora_trainer.inspect_images import BYTES_MAX, inspect_images
from protocol import TRAINER

ORIENTATION, GPS_IFD = 0x0112, 0x8825


def drawing(number: int, width: int = 600, height: int = 520) -> Image.Image:
    """A picture like no other: coarse noise of a seed, enlarged."""
    cells = np.random.default_rng(number).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)


def packed(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


PLAIN = {f"{number}.jpg": packed(drawing(number)) for number in range(6)}


def zipped(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., tuple[dict, Path]]:
    """Zips files and checks them; answers the report and the folder of what was written."""
    runs = iter(range(1000))

    def run(
        files: dict[str, bytes] | Path, invalid_rows: str = "skip", bytes_max: int = BYTES_MAX
    ) -> tuple[dict, Path]:
        folder = tmp_path / f"run-{next(runs)}"
        folder.mkdir()
        path = files if isinstance(files, Path) else zipped(folder / "upload.zip", files)
        return inspect_images(path, folder, invalid_rows, bytes_max, lambda done, of: None), folder

    return run


def manifest(folder: Path) -> list[dict]:
    with zipfile.ZipFile(folder / "images.zip") as archive:
        return [json.loads(line) for line in archive.read("manifest.jsonl").splitlines()]


def kept(folder: Path, number: int = 1) -> Image.Image:
    """A picture as it is trained on."""
    with zipfile.ZipFile(folder / "images.zip") as archive:
        image = Image.open(io.BytesIO(archive.read(manifest(folder)[number - 1]["file"])))
        image.load()
        return image


def test_what_is_trained_from_has_its_manifest_first_and_tells_the_truth_of_each_entry(checked):
    report, folder = checked(PLAIN)
    assert (report["ready"], report["images"], report["rows_total"]) == (True, 6, 6)
    with zipfile.ZipFile(folder / "images.zip") as archive:
        infos = archive.infolist()
        assert [info.filename for info in infos] == ["manifest.jsonl", *(f"images/{n:06}.jpg" for n in range(1, 7))]
        assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
        for line in manifest(folder):
            assert list(line) == ["file", "caption", "width", "height", "repeats", "sha256", "class"]
            data = archive.read(line["file"])
            assert hashlib.sha256(data).hexdigest() == line["sha256"]
            assert Image.open(io.BytesIO(data)).size == (line["width"], line["height"]) == (600, 520)
    assert hashlib.sha256((folder / "images.zip").read_bytes()).hexdigest() == report["archive_sha256"]
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    thumbnails = (folder / "thumbnails.bin").read_bytes()
    assert sum(row["thumbnail_length"] for row in rows) == len(thumbnails)
    for row in rows:
        small = thumbnails[row["thumbnail_offset"] :][: row["thumbnail_length"]]
        assert max(Image.open(io.BytesIO(small)).size) == 256
    assert sorted(path.name for path in folder.iterdir()) == [
        "images.zip",
        "rows.jsonl",
        "thumbnails.bin",
        "upload.zip",
    ]


def test_the_same_files_make_the_same_archive_and_report(checked, tmp_path):
    files = {**PLAIN, "1.txt": b"one", "bad.png": b"no", "ü.webp": packed(drawing(9), "WEBP")}
    first, folder = checked(files)
    turned = zipped(tmp_path / "turned.zip", dict(reversed(files.items())), zipfile.ZIP_DEFLATED)
    again, other = checked(turned)
    for name in ("images.zip", "thumbnails.bin", "rows.jsonl"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    assert {**first, "sha256": ""} == {**again, "sha256": ""}


def exif_of(**tags: object) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = tags.get("orientation", 1)
    exif[0x010F] = "Canary Cameras"
    if tags.get("place"):
        exif.get_ifd(GPS_IFD)[1] = "N"
        exif.get_ifd(GPS_IFD)[2] = (48.0, 51.0, 30.0)
    return exif.tobytes()


def test_a_picture_is_turned_as_its_exif_says_and_keeps_nothing_of_it(checked):
    image = Image.new("RGB", (300, 200), "blue")
    image.paste("red", (0, 0, 300, 100))
    options = {"exif": exif_of(orientation=6, place=True), "comment": b"canary comment", "quality": 95}
    report, folder = checked({"a.jpg": packed(image, "JPEG", **options)})
    pixels = kept(folder)
    assert pixels.size == (200, 300)
    red, blue = pixels.getpixel((150, 150)), pixels.getpixel((50, 150))
    assert red[0] > 200 > 60 > red[2]
    assert blue[2] > 200 > 60 > blue[0]
    assert (len(pixels.getexif()), pixels.info.get("comment")) == (0, None)
    everything = b"".join(path.read_bytes() for path in folder.iterdir() if path.name != "upload.zip")
    assert b"anary" not in everything
    assert {row["code"] for row in report["findings"]} >= {"turned_upright", "place_removed"}


def test_every_kind_of_pixels_becomes_eight_bit_srgb(checked):
    translucent = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    deep = Image.fromarray(np.full((100, 100), 0x8000, dtype=np.uint16))
    palette = drawing(3, 100, 100).convert("P")
    adobe = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    files = {
        "alpha.png": packed(translucent, "PNG"),
        "bits.png": packed(deep, "PNG"),
        "cmyk.jpg": packed(Image.new("CMYK", (100, 100), (0, 255, 255, 0))),
        "grey.jpg": packed(drawing(2, 100, 100).convert("L")),
        "palette.gif": packed(palette, "GIF"),
        "profile.png": packed(drawing(4, 100, 100), "PNG", icc_profile=adobe.tobytes()),
        "soft.webp": packed(drawing(5, 100, 100), "WEBP"),
        "windows.bmp": packed(drawing(6, 100, 100), "BMP"),
    }
    report, folder = checked(files)
    assert (report["rejected"], report["rows_valid"]) == ([], 8)
    images = {name: kept(folder, n) for n, name in enumerate(sorted(files), 1)}
    assert {image.mode for image in images.values()} == {"RGB"}
    assert images["alpha.png"].getpixel((5, 5)) == (255, 255, 255)
    assert images["bits.png"].getpixel((5, 5)) == (128, 128, 128)
    red = images["cmyk.jpg"].getpixel((5, 5))
    assert red[0] > 200
    assert red[1] < 80
    assert np.abs(np.asarray(images["windows.bmp"]).astype(int) - np.asarray(drawing(6, 100, 100))).max() == 0
    codes = {(row["file"], row["code"]) for row in report["findings"]}
    assert {("alpha.png", "flattened_on_white"), ("bits.png", "reduced_to_8_bit")} <= codes
    assert {("cmyk.jpg", "converted_from_cmyk"), ("profile.png", "profile_unreadable")} <= codes


def test_colours_of_another_space_are_converted(checked):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # sRGB with the primaries of red and blue exchanged, under another name.
    swapped = srgb.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))
    red = Image.new("RGB", (100, 100), "red")
    files = {"plain.png": packed(red, "PNG", icc_profile=srgb), "swapped.png": packed(red, "PNG", icc_profile=swapped)}
    report, folder = checked(files)
    assert (kept(folder, 1).getpixel((5, 5)), kept(folder, 2).info.get("icc_profile")) == ((255, 0, 0), None)
    converted = kept(folder, 2).getpixel((5, 5))
    assert converted[2] > 240 > 20 > converted[0]
    assert [row["file"] for row in report["findings"] if row["code"] == "converted_to_srgb"] == ["swapped.png"]


def animated(kind: str) -> bytes:
    return packed(drawing(1, 90, 90), kind, save_all=True, append_images=[drawing(2, 90, 90)])


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that says a size and has no pixels: what a bomb is before it is decoded."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


HOSTILE = {
    "animated.gif": (animated("GIF"), "animated_not_supported"),
    "animated.png": (animated("PNG"), "animated_not_supported"),
    "animated.webp": (animated("WEBP"), "animated_not_supported"),
    "bomb.png": (png_of_size(60_000, 60_000), "too_many_pixels"),
    "corrupt.jpg": (PLAIN["0.jpg"][: len(PLAIN["0.jpg"]) // 2], "corrupt_image"),
    "document.jpg": (b"%PDF-1.7\n" + b"x" * 200, "not_an_image"),
    "drawing.png": (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format"),
    "drawing.svg": (b"<svg/>", "unsupported_format"),
    "empty.jpg": (b"", "not_an_image"),
    "gifar.jpg": (PLAIN["1.jpg"] + b"class" + b"PK\x05\x06" + b"\0" * 18, "polyglot"),
    "long.png": (packed(Image.new("RGB", (1200, 100)), "PNG"), "aspect_ratio"),
    "page.jpg": (b"<!DOCTYPE html><html><body>404</body></html>", "not_an_image"),
    "phone.heic": (b"\0\0\0\x18ftypheic", "unsupported_format"),
    "phone.jpg": (b"\0\0\0\x18ftypheic" + b"\0" * 50, "unsupported_format"),
    "program.png": (b"MZ\x90\0" + b"\0" * 60, "not_an_image"),
    "script.png": (packed(drawing(7), "PNG") + b"<script>alert(1)</script>", "polyglot"),
    "tiny.png": (packed(drawing(8, 63, 63), "PNG"), "image_too_small"),
    "inner.zip": (b"PK\x03\x04", "nested_archive"),
    "0_none/a.png": (packed(drawing(9, 90, 90), "PNG"), "invalid_repeats"),
}


def test_each_hostile_file_is_refused_by_its_name_and_reason_and_the_rest_is_taken_where_that_is_wished(checked):
    files = {**PLAIN, **{name: data for name, (data, _) in HOSTILE.items()}}
    report, _ = checked(files, "skip")
    assert {row["file"]: row["code"] for row in report["rejected"]} == {
        name: code for name, (_, code) in HOSTILE.items()
    }
    assert (report["ready"], report["rows_valid"], report["rows_rejected"]) == (True, 6, len(HOSTILE))
    assert "HEIC" in next(row["message"] for row in report["rejected"] if row["file"] == "phone.jpg")
    refused, folder = checked(files, "refuse")
    assert (refused["ready"], refused["problem"]["code"]) == (False, "rows_rejected")
    assert sorted(path.name for path in folder.iterdir()) == ["thumbnails.bin", "upload.zip"]


def test_a_thousand_bad_files_are_counted_and_the_first_hundred_named(checked):
    report, _ = checked({f"{number:04}.png": b"none" for number in range(300)})
    assert report["rows_rejected"] == report["rejected_by_code"]["not_an_image"] == 300
    assert [row["file"] for row in report["rejected"]] == [f"{number:04}.png" for number in range(100)]
    assert report["problem"]["code"] == "no_valid_row"


def entry(name: str, **fields: object) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, PLAIN["0.jpg"]


def archive_of(path: Path, *entries: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in entries:
            archive.writestr(info, data)
    return path.read_bytes()


def patched(data: bytes, sign: bytes, offset: int, value: bytes) -> bytes:
    """Bytes with some of the first record of a kind changed."""
    at = data.index(sign) + offset
    return data[:at] + value + data[at + len(value) :]


def bad_archives(path: Path) -> dict[str, tuple[bytes, str]]:
    def of(*names: str, **fields: object) -> bytes:
        return archive_of(path, *(entry(name, **fields) for name in names))

    plain = of("a.jpg")
    central, end = b"PK\x01\x02", b"PK\x05\x06"
    two = of("a.jpg", "b.jpg")
    second = two.rindex(central)
    over = two[: second + 42] + struct.pack("<I", 5) + two[second + 46 :]
    bomb = archive_of(path, (entry("a.bmp", compress_type=zipfile.ZIP_DEFLATED)[0], b"\0" * (2 << 20)))
    return {
        "above": (of("../../evil.jpg"), "unsafe_path"),
        "absolute": (of("/etc/a.jpg"), "unsafe_path"),
        "dots": (of("a/./b.jpg"), "unsafe_path"),
        "drive": (of("C:/a.jpg"), "unsafe_path"),
        "backslash": (of("__!evil.jpg").replace(b"__!", b"..\\"), "unsafe_path"),
        "line": (of("a\nb.jpg"), "unsafe_path"),
        "deep": (of("a/" * 20 + "b.jpg"), "unsafe_path"),
        "long": (of("a" * 301 + ".jpg"), "unsafe_path"),
        "link": (of("a.jpg", external_attr=0o120777 << 16), "links_not_allowed"),
        "twice": (of("A.jpg", "a.jpg"), "duplicate_path"),
        "encrypted": (patched(plain, central, 8, b"\x01"), "encrypted_archive"),
        "method": (patched(plain, central, 10, struct.pack("<H", 14)), "unsupported_method"),
        "bomb": (bomb, "decompression_ratio"),
        "overlap": (over, "inconsistent_archive"),
        "two ends": (plain[:-2] + struct.pack("<H", 22) + plain[-22:], "inconsistent_archive"),
        "part of several": (patched(plain, end, 4, b"\x01"), "inconsistent_archive"),
        "something before": (b"<html>" + plain, "type_mismatch"),
        "cut off": (plain[:-30], "type_mismatch"),
        "no archive": (b"PK\x03\x04zip", "type_mismatch"),
        "many": (patched(plain, end, 8, struct.pack("<2H", 60_000, 60_000)), "too_many_files"),
        "empty": (end + b"\0" * 18, "empty_dataset"),
        "words only": (archive_of(path, (zipfile.ZipInfo("rows.jsonl"), b"{}")), "empty_dataset"),
    }


def test_each_archive_that_no_reader_should_trust_is_refused_whole(checked, tmp_path):
    told = {}
    for name, (data, code) in bad_archives(tmp_path / "made.zip").items():
        path = tmp_path / "bad.zip"
        path.write_bytes(data)
        report, folder = checked(path)
        told[name] = report["problem"] and report["problem"]["code"], (folder / "images.zip").exists()
        assert told[name] == (code, False), name
    assert len(told) == 22


def test_a_file_that_is_another_than_its_headers_say_is_refused_alone(checked, tmp_path):
    data = archive_of(tmp_path / "a.zip", entry("a.jpg"), entry("b.jpg"))
    path = tmp_path / "broken.zip"
    path.write_bytes(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    report, _ = checked(path)
    assert [(row["file"], row["code"]) for row in report["rejected"]] == [("a.jpg", "crc_mismatch")]
    assert report["rows_valid"] == 1


def test_captions_come_from_lists_then_files_beside_then_folders(checked):
    one = PLAIN["0.jpg"]
    rows = [{"file_name": "a.jpg", "text": "listed"}, {"file_name": "gone.jpg", "text": "x"}, {"file_name": "b.jpg"}]
    files = {
        "in/metadata.jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "in/a.jpg": one,
        "in/a.txt": b"beside",
        "in/b.jpg": PLAIN["1.jpg"],
        "in/b.caption": "\ufeffzwei\r\n  Zeilen\0".encode(),
        "table/metadata.csv": b'file_name,caption\r\nc.jpg,"from, a table"\r\n',
        "table/c.jpg": PLAIN["2.jpg"],
        "10_sks dog/d.jpg": PLAIN["3.jpg"],
        "10_sks dog/e.jpg": PLAIN["4.jpg"],
        "10_sks dog/e.txt": ("dog " * 90).encode(),
        "reg/1_dog/f.jpg": PLAIN["5.jpg"],
        "in/orphan.txt": b"nobody",
        "in/readme.md": b"#",
        "__MACOSX/in/._a.jpg": b"\0\5",
        "in/.DS_Store": b"\0",
        "Thumbs.db": b"\0",
    }
    report, folder = checked(files, "refuse")
    assert report["problem"] is None
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert {row["file"]: (row["caption"], row["repeats"], row["is_class"]) for row in rows} == {
        "in/a.jpg": ("listed", 1, False),
        "in/b.jpg": ("zwei Zeilen", 1, False),
        "table/c.jpg": ("from, a table", 1, False),
        "10_sks dog/d.jpg": ("sks dog", 10, False),
        "10_sks dog/e.jpg": (" ".join(["dog"] * 90), 10, False),
        "reg/1_dog/f.jpg": ("dog", 1, True),
    }
    assert [line["class"] for line in manifest(folder)] == [row["is_class"] for row in rows]
    found = {(row["file"], row["code"]) for row in report["findings"]}
    assert found == {
        ("10_sks dog/e.jpg", "caption_cut"),
        ("in/gone.jpg", "caption_without_image"),
        ("in/orphan.txt", "caption_without_image"),
        ("in/readme.md", "ignored_file"),
    }
    assert (report["images"], report["class_images"], report["samples_per_epoch"]) == (5, 1, 23)
    assert report["captions"]["sources"] == {"folder": 1, "metadata": 2, "sidecar": 2}


def test_a_caption_that_cannot_be_read_is_told_with_its_picture(checked):
    files = {"a.jpg": PLAIN["0.jpg"], "a.txt": b"\xff\xfe\xff", "b.jpg": PLAIN["1.jpg"], "b.txt": b"x" * 4001}
    files |= {
        "c.jpg": PLAIN["2.jpg"],
        "c.txt": "längs".encode("latin-1"),
        "d.jpg": PLAIN["3.jpg"],
        "metadata.jsonl": b"[1]",
    }
    report, _ = checked(files)
    assert {row["file"]: row["code"] for row in report["rejected"]} == {
        "a.jpg": "invalid_utf8",
        "b.jpg": "caption_too_long",
        "c.jpg": "invalid_utf8",
        "metadata.jsonl": "invalid_metadata",
    }


def test_what_is_worth_knowing_of_captions_is_told(checked):
    def codes(captions: list[bytes | None]) -> set[str]:
        files = {**PLAIN, **{f"{at}.txt": text for at, text in enumerate(captions) if text is not None}}
        return {warning["code"] for warning in checked(files)[0]["warnings"]}

    assert codes([None] * 6) == {"no_captions"}
    assert codes([b"the same"] * 6) == {"captions_identical"}
    assert codes([b"one", b"two", None, b"", b" \n", b"six"]) == {"caption_missing"}
    assert codes([b"%d" % at for at in range(6)]) == set()


def test_pictures_that_are_or_look_the_same_are_told(checked):
    first = drawing(0)
    files = {"a.jpg": packed(first), "b.jpg": packed(drawing(1)), "c.jpg": packed(first)}
    files |= {"d.png": packed(first.resize((900, 780)), "PNG"), "e.jpg": packed(first, quality=40)}
    report, _ = checked(files)
    same = [(row["file"], row["code"]) for row in report["findings"] if row["code"] in ("duplicate", "looks_alike")]
    assert same == [("c.jpg", "duplicate"), ("d.png", "looks_alike"), ("e.jpg", "looks_alike")]
    assert report["duplicates"] == 1


def test_sizes_and_buckets_are_those_of_a_training(checked):
    files = {"3_x/a.jpg": packed(drawing(0, 1024, 1024)), "b.jpg": packed(drawing(1, 1536, 1024))}
    files |= {"c.jpg": packed(drawing(2, 300, 200)), "d.jpg": packed(drawing(3, 2000, 450))}
    report, _ = checked(files)
    assert report["sides"] == {
        "short": {"min": 200, "median": 450, "max": 1024},
        "long": {"min": 300, "median": 1024, "max": 2000},
    }
    assert [(row["width"], row["height"], row["images"], row["samples"]) for row in report["buckets"]["512"]] == [
        (512, 512, 1, 3),
        (640, 384, 2, 2),
        (1024, 256, 1, 1),
    ]
    assert [row["enlarged"] for row in report["buckets"]["512"]] == [0, 1, 0]
    assert report["buckets"]["512"][0]["cut_share"] == 0 < report["buckets"]["512"][2]["cut_share"] < 0.2
    told = {(row["file"], row["code"]) for row in report["findings"]}
    assert {("c.jpg", "small_image"), ("d.jpg", "small_image"), ("d.jpg", "extreme_aspect")} <= told


def test_a_jpeg_is_packed_again_with_its_own_tables_and_hardly_changes(checked):
    source = packed(drawing(0), quality=70, subsampling=2)
    report, folder = checked({"a.jpg": source})
    before, after = np.asarray(Image.open(io.BytesIO(source))).astype(int), np.asarray(kept(folder)).astype(int)
    assert np.abs(before - after).mean() < 0.5
    assert manifest(folder)[0]["width"] == 600
    with zipfile.ZipFile(folder / "images.zip") as archive:
        assert abs(archive.getinfo("images/000001.jpg").file_size - len(source)) < 0.1 * len(source)
    assert report["formats"] == {"JPEG": 1}


def test_names_of_other_systems_are_read_and_more_room_than_a_dataset_has_is_not_taken(checked, tmp_path):
    data = archive_of(tmp_path / "a.zip", entry("x__y/aaa.jpg"), entry("b.jpg"))
    path = tmp_path / "windows.zip"
    path.write_bytes(data.replace(b"x__y/aaa.jpg", "f\\größ.jpg".encode()))
    _report, folder = checked(path)
    assert [json.loads(line)["file"] for line in (folder / "rows.jsonl").read_text().splitlines()] == [
        "b.jpg",
        "f/größ.jpg",
    ]
    full, folder = checked(PLAIN, bytes_max=50_000)
    assert (full["problem"]["code"], (folder / "images.zip").exists()) == ("dataset_too_large", False)
    class_only, _ = checked({f"reg/{name}": data for name, data in PLAIN.items()})
    assert class_only["problem"]["code"] == "only_class_images"


def test_the_program_tells_how_far_it_is_without_torch(tmp_path):
    program = (
        "import sys; from lora_trainer.inspect_images import main; code = main(sys.argv[1:]);"
        "print([name for name in ('torch', 'transformers', 'diffusers') if name in sys.modules]); sys.exit(code)"
    )
    files = ["--dataset", zipped(tmp_path / "a.zip", PLAIN), "--folder", tmp_path, "--report", tmp_path / "report.json"]
    run = subprocess.run(
        [sys.executable, "-c", program, *map(str, files), "--progress"], cwd=TRAINER, capture_output=True, check=True
    )
    lines = run.stdout.decode().splitlines()
    assert (json.loads(lines[0]), json.loads(lines[-2]), lines[-1]) == (
        {"done": 0, "of": 6},
        {"done": 6, "of": 6},
        "[]",
    )
    assert json.loads((tmp_path / "report.json").read_text())["ready"] is True


def test_an_archive_that_says_more_than_all_together_may_have_is_not_read(tmp_path):
    data = archive_of(tmp_path / "a.zip", *(entry(f"{n}.jpg") for n in range(3)))
    large = struct.pack("<I", 0xF0000000)
    path = tmp_path / "large.zip"
    at = data.index(b"PK\x01\x02")
    path.write_bytes(data[: at + 20] + large + large + data[at + 28 :])
    with pytest.raises(DatasetFault) as caught:
        Archive(path)
    assert caught.value.code in ("inconsistent_archive", "archive_too_large")
