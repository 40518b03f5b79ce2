import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from image_uploads import PLAIN, drawing, packed, zipped
from protocol import TRAINER

ORIENTATION, GPS_IFD = 0x0112, 0x8825


def manifest(folder: Path) -> list[dict]:
    with zipfile.ZipFile(folder / "images.zip") as archive:
        return [json.loads(line) for line in archive.read("manifest.jsonl").splitlines()]


def kept(folder: Path, number: int = 1) -> Image.Image:
    """A picture as it is trained on."""
    with zipfile.ZipFile(folder / "images.zip") as archive:
        image = Image.open(io.BytesIO(archive.read(manifest(folder)[number - 1]["file"])))
        image.load()
        return image


def test_what_is_trained_from_has_its_manifest_first_and_tells_the_truth_of_each_entry(check_images):
    report, folder = check_images(PLAIN)
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


def test_the_same_files_make_the_same_archive_and_report(check_images, tmp_path):
    files = {**PLAIN, "1.txt": b"one", "bad.png": b"no", "ü.webp": packed(drawing(9), "WEBP")}
    first, folder = check_images(files)
    turned = zipped(tmp_path / "turned.zip", dict(reversed(files.items())), zipfile.ZIP_DEFLATED)
    again, other = check_images(turned)
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


def test_a_picture_is_turned_as_its_exif_says_and_keeps_nothing_of_it(check_images):
    image = Image.new("RGB", (300, 200), "blue")
    image.paste("red", (0, 0, 300, 100))
    options = {"exif": exif_of(orientation=6, place=True), "comment": b"canary comment", "quality": 95}
    report, folder = check_images({"a.jpg": packed(image, "JPEG", **options)})
    pixels = kept(folder)
    assert pixels.size == (200, 300)
    red, blue = pixels.getpixel((150, 150)), pixels.getpixel((50, 150))
    assert red[0] > 200 > 60 > red[2]
    assert blue[2] > 200 > 60 > blue[0]
    assert (len(pixels.getexif()), pixels.info.get("comment")) == (0, None)
    everything = b"".join(path.read_bytes() for path in folder.iterdir() if path.name != "upload.zip")
    assert b"anary" not in everything
    assert {row["code"] for row in report["findings"]} >= {"turned_upright", "place_removed"}


def test_every_kind_of_pixels_becomes_eight_bit_srgb(check_images):
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
    report, folder = check_images(files)
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


def test_colours_of_another_space_are_converted(check_images):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # sRGB with the primaries of red and blue exchanged, under another name.
    swapped = srgb.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))
    red = Image.new("RGB", (100, 100), "red")
    files = {"plain.png": packed(red, "PNG", icc_profile=srgb), "swapped.png": packed(red, "PNG", icc_profile=swapped)}
    report, folder = check_images(files)
    assert (kept(folder, 1).getpixel((5, 5)), kept(folder, 2).info.get("icc_profile")) == ((255, 0, 0), None)
    converted = kept(folder, 2).getpixel((5, 5))
    assert converted[2] > 240 > 20 > converted[0]
    assert [row["file"] for row in report["findings"] if row["code"] == "converted_to_srgb"] == ["swapped.png"]


def test_captions_come_from_lists_then_files_beside_then_folders(check_images):
    one = PLAIN["0.jpg"]
    listed = "listed\u2028on\x85two lines"
    rows = [{"file_name": "a.jpg", "text": listed}, {"file_name": "gone.jpg", "text": "x"}, {"file_name": "b.jpg"}]
    files = {
        "in/metadata.jsonl": "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(),
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
    report, folder = check_images(files, "refuse")
    assert report["problem"] is None
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert {row["file"]: (row["caption"], row["repeats"], row["is_class"]) for row in rows} == {
        "in/a.jpg": ("listed on two lines", 1, False),
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


def test_a_caption_that_cannot_be_read_is_told_with_its_picture(check_images):
    files = {"a.jpg": PLAIN["0.jpg"], "a.txt": b"\xff\xfe\xff", "b.jpg": PLAIN["1.jpg"], "b.txt": b"x" * 4001}
    files |= {
        "c.jpg": PLAIN["2.jpg"],
        "c.txt": "längs".encode("latin-1"),
        "d.jpg": PLAIN["3.jpg"],
        "metadata.jsonl": b"[1]",
    }
    report, _ = check_images(files)
    assert {row["file"]: row["code"] for row in report["rejected"]} == {
        "a.jpg": "invalid_utf8",
        "b.jpg": "caption_too_long",
        "c.jpg": "invalid_utf8",
        "metadata.jsonl": "invalid_metadata",
    }


def test_a_list_that_names_what_no_archive_holds_is_refused_by_its_line_and_long_names_are_cut(check_images):
    one = {"0.jpg": PLAIN["0.jpg"]}
    for name in ("q\0.png", "q\ud800.png", "q\n.png"):
        rows = [{"file_name": "0.jpg", "text": "x"}, {"file_name": name, "text": "x"}]
        report, _ = check_images({**one, "metadata.jsonl": "\n".join(map(json.dumps, rows)).encode()})
        assert [(row["file"], row["code"]) for row in report["rejected"]] == [("metadata.jsonl", "invalid_metadata")]
        assert "Line 2 " in report["rejected"][0]["message"]
        assert report["findings"] == []
    table, _ = check_images({**one, "metadata.csv": b'file_name,text\r\n0.jpg,x\r\n"q\0.png",x\r\n'})
    assert "Line 3 " in table["rejected"][0]["message"]
    for letter, letters in (("n", 399), ("🗼", 199)):
        row = {"file_name": letter * 401, "text": "x"}
        report, _ = check_images({**one, "metadata.jsonl": json.dumps(row).encode()}, "refuse")
        assert report["ready"]
        told = [row["file"] for row in report["findings"] if row["code"] == "caption_without_image"]
        assert told == [letter * letters + "…"]


def test_what_is_worth_knowing_of_captions_is_told(check_images):
    def codes(captions: list[bytes | None]) -> set[str]:
        files = {**PLAIN, **{f"{at}.txt": text for at, text in enumerate(captions) if text is not None}}
        return {warning["code"] for warning in check_images(files)[0]["warnings"]}

    assert codes([None] * 6) == {"no_captions"}
    assert codes([b"the same"] * 6) == {"captions_identical"}
    assert codes([b"one", b"two", None, b"", b" \n", b"six"]) == {"caption_missing"}
    assert codes([b"%d" % at for at in range(6)]) == set()


def test_pictures_that_are_or_look_the_same_are_told(check_images):
    first = drawing(0)
    files = {"a.jpg": packed(first), "b.jpg": packed(drawing(1)), "c.jpg": packed(first)}
    files |= {"d.png": packed(first.resize((900, 780)), "PNG"), "e.jpg": packed(first, quality=40)}
    report, _ = check_images(files)
    same = [(row["file"], row["code"]) for row in report["findings"] if row["code"] in ("duplicate", "looks_alike")]
    assert same == [("c.jpg", "duplicate"), ("d.png", "looks_alike"), ("e.jpg", "looks_alike")]
    assert report["duplicates"] == 1


def test_sizes_and_buckets_are_those_of_a_training(check_images):
    files = {"3_x/a.jpg": packed(drawing(0, 1024, 1024)), "b.jpg": packed(drawing(1, 1536, 1024))}
    files |= {"c.jpg": packed(drawing(2, 300, 200)), "d.jpg": packed(drawing(3, 2000, 450))}
    report, _ = check_images(files)
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


def test_a_jpeg_is_packed_again_with_its_own_tables_and_hardly_changes(check_images):
    source = packed(drawing(0), quality=70, subsampling=2)
    report, folder = check_images({"a.jpg": source})
    before, after = np.asarray(Image.open(io.BytesIO(source))).astype(int), np.asarray(kept(folder)).astype(int)
    assert np.abs(before - after).mean() < 0.5
    assert manifest(folder)[0]["width"] == 600
    with zipfile.ZipFile(folder / "images.zip") as archive:
        assert abs(archive.getinfo("images/000001.jpg").file_size - len(source)) < 0.1 * len(source)
    assert report["formats"] == {"JPEG": 1}


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
