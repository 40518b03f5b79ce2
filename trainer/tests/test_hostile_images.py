import json
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from image_uploads import PLAIN, drawing, packed
from lora_trainer.image_check.archive import Archive
from lora_trainer.image_check.faults import DatasetFault


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


def test_each_hostile_file_is_refused_by_its_name_and_reason_and_the_rest_is_taken_where_that_is_wished(check_images):
    files = {**PLAIN, **{name: data for name, (data, _) in HOSTILE.items()}}
    report, _ = check_images(files, "skip")
    assert {row["file"]: row["code"] for row in report["rejected"]} == {
        name: code for name, (_, code) in HOSTILE.items()
    }
    assert (report["ready"], report["rows_valid"], report["rows_rejected"]) == (True, 6, len(HOSTILE))
    assert "HEIC" in next(row["message"] for row in report["rejected"] if row["file"] == "phone.jpg")
    refused, folder = check_images(files, "refuse")
    assert (refused["ready"], refused["problem"]["code"]) == (False, "rows_rejected")
    assert sorted(path.name for path in folder.iterdir()) == ["thumbnails.bin", "upload.zip"]


def test_a_thousand_bad_files_are_counted_and_the_first_hundred_named(check_images):
    report, _ = check_images({f"{number:04}.png": b"none" for number in range(300)})
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
        "more than it can say": (patched(plain, end, 8, b"\xff" * 4), "too_many_files"),
        "zip64": (patched(plain, end, 16, b"\xff" * 4), "unsupported_method"),
        "empty": (end + b"\0" * 18, "empty_dataset"),
        "words only": (archive_of(path, (zipfile.ZipInfo("rows.jsonl"), b"{}")), "empty_dataset"),
    }


def test_each_archive_that_no_reader_should_trust_is_refused_whole(check_images, tmp_path):
    told = {}
    for name, (data, code) in bad_archives(tmp_path / "made.zip").items():
        path = tmp_path / "bad.zip"
        path.write_bytes(data)
        report, folder = check_images(path)
        told[name] = report["problem"] and report["problem"]["code"], (folder / "images.zip").exists()
        assert told[name] == (code, False), name
    assert len(told) == 24


def test_a_file_that_is_another_than_its_headers_say_is_refused_alone(check_images, tmp_path):
    data = archive_of(tmp_path / "a.zip", entry("a.jpg"), entry("b.jpg"))
    path = tmp_path / "broken.zip"
    path.write_bytes(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    report, _ = check_images(path)
    assert [(row["file"], row["code"]) for row in report["rejected"]] == [("a.jpg", "crc_mismatch")]
    assert report["rows_valid"] == 1


def test_names_of_other_systems_are_read_and_more_room_than_a_dataset_has_is_not_taken(check_images, tmp_path):
    data = archive_of(tmp_path / "a.zip", entry("x__y/aaa.jpg"), entry("b.jpg"))
    path = tmp_path / "windows.zip"
    path.write_bytes(data.replace(b"x__y/aaa.jpg", "f\\größ.jpg".encode()))
    _report, folder = check_images(path)
    assert [json.loads(line)["file"] for line in (folder / "rows.jsonl").read_text().splitlines()] == [
        "b.jpg",
        "f/größ.jpg",
    ]
    apart = {unicodedata.normalize("NFD", "größe.jpg"): PLAIN["0.jpg"]}
    apart["metadata.jsonl"] = json.dumps({"file_name": "größe.jpg", "text": "a tower"}).encode()
    _report, folder = check_images(apart, "refuse")
    row = json.loads((folder / "rows.jsonl").read_text())
    assert (row["file"], row["caption"]) == ("größe.jpg", "a tower")
    full, folder = check_images(PLAIN, bytes_max=50_000)
    assert (full["problem"]["code"], (folder / "images.zip").exists()) == ("dataset_too_large", False)
    class_only, _ = check_images({f"reg/{name}": data for name, data in PLAIN.items()})
    assert class_only["problem"]["code"] == "only_class_images"


def test_an_archive_that_says_more_than_all_together_may_have_is_not_read(tmp_path):
    data = archive_of(tmp_path / "a.zip", *(entry(f"{n}.jpg") for n in range(3)))
    large = struct.pack("<I", 0xF0000000)
    path = tmp_path / "large.zip"
    at = data.index(b"PK\x01\x02")
    path.write_bytes(data[: at + 20] + large + large + data[at + 28 :])
    with pytest.raises(DatasetFault) as caught:
        Archive(path)
    assert caught.value.code in ("inconsistent_archive", "archive_too_large")
