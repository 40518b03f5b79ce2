"""One picture: from bytes of anybody's to upright pixels in sRGB, written anew without a word beside them."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin

from lora_trainer.image_check.faults import PictureFault

# The square of 8,192; of each a check holds some twelve bytes at once.
PIXELS_MAX = 1 << 26
SIDE_MIN = 64
ASPECT_MAX = 10
THUMBNAIL_SIDE = 256
THUMBNAIL_QUALITY = 80
PROFILE_BYTES_MAX = 4 << 20
# Where a source has no tables of its own: visually lossless, colours whole.
JPEG_QUALITY = 95
WHITE = (255, 255, 255, 255)
# How a file begins that is one of those read here, and what Pillow calls it.
SIGNS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
)
READ_NAME = re.compile(r"\.(jpe?g|jpe|jfif|png|webp|bmp|gif)$", re.IGNORECASE)
# Endings of pictures that are not read, whatever their bytes are.
UNREAD_NAME = re.compile(
    r"\.(hei[cf]|avif|tiff?|svgz?|psd|jxl|jp2|j2k|ico|eps|pdf|tga|exr|hdr|raw|cr[23w]|nef|arw|dng|orf|rw2|raf|mp4|mov|webm)$",
    re.IGNORECASE,
)
READ_WORDS = "JPEG, PNG, WebP, BMP and GIF"
# Pictures that cameras and programs write and that are not read here.
UNREAD_SIGNS = (
    (re.compile(rb"....ftyp(heic|heix|hevc|heim|heis|mif1|msf1)", re.DOTALL), "HEIC"),
    (re.compile(rb"....ftyp(avif|avis)", re.DOTALL), "AVIF"),
    (re.compile(rb"(II\*\0|MM\0\*|II\+\0|MM\0\+)"), "TIFF or raw"),
    (re.compile(rb"8BPS"), "PSD"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "), "JPEG XL"),
    (re.compile(rb"\0\0\0\x0cjP  "), "JPEG 2000"),
    (re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]", re.DOTALL), "SVG"),
)
# Programs and pages that hide in a picture's bytes: neither stands at the edges of one by chance.
DISGUISED = re.compile(
    rb"<script[\s>]|<html[\s>]|<!doctype html|<\?php|<svg[\s>]|%PDF-|PK\x05\x06|Rar!\x1a\x07", re.IGNORECASE
)
EDGE_HEAD_BYTES, EDGE_TAIL_BYTES = 4 << 10, 64 << 10
GPS = 0x8825
Image.MAX_IMAGE_PIXELS = None  # Sizes are judged here, before a pixel is decoded.


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept, its thumbnail (WebP), and what had to be done to it."""

    data: bytes
    ending: str
    width: int
    height: int
    thumbnail: bytes
    fingerprint: int
    source_format: str
    notes: tuple[str, ...]


def normalise(data: bytes) -> Picture:
    """Raises PictureFault for what is no picture, or none that can be trained on."""
    kind = kind_of(data)
    refuse_disguise(data)
    try:
        image = Image.open(io.BytesIO(data), formats=(kind,))
        refuse_shape(*image.size)
        if getattr(image, "is_animated", False) and image.format != "MPO":
            raise PictureFault("animated_not_supported", "It is animated: bring its frames as pictures.")
        image.load()
        return _written_anew(image, kind, is_lossless=kind in ("PNG", "BMP", "GIF") or data[12:16] == b"VP8L")
    except PictureFault:
        raise
    # Decoders of foreign bytes fail in any way they like; each means that this is not a sound picture.
    except Exception as error:
        raise PictureFault("corrupt_image", "It is truncated or damaged, and cannot be decoded to its end.") from error


def kind_of(data: bytes) -> str:
    for sign, kind in SIGNS:
        if data.startswith(sign):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    for sign, name in UNREAD_SIGNS:
        if sign.match(data[:EDGE_HEAD_BYTES]):
            raise PictureFault("unsupported_format", f"It is {name}, which is not read: save it as JPEG or PNG.")
    raise PictureFault("not_an_image", f"It is no picture, whatever its name says: {READ_WORDS} are read.")


def refuse_disguise(data: bytes) -> None:
    if DISGUISED.search(data[:EDGE_HEAD_BYTES]) or DISGUISED.search(data[-EDGE_TAIL_BYTES:]):
        raise PictureFault("polyglot", "It is a picture and a page, a program or an archive in one.")


def refuse_shape(width: int, height: int) -> None:
    shape = f"It has {width} by {height} pixels"
    if width * height > PIXELS_MAX:
        raise PictureFault("too_many_pixels", f"{shape}: {PIXELS_MAX // 10**6} million are decoded at most.")
    if min(width, height) < SIDE_MIN:
        raise PictureFault("image_too_small", f"{shape}: no side may be shorter than {SIDE_MIN}.")
    if max(width, height) > ASPECT_MAX * min(width, height):
        raise PictureFault("aspect_ratio", f"{shape}: one side is over {ASPECT_MAX} times the other.")


def _written_anew(image: Image.Image, kind: str, is_lossless: bool) -> Picture:
    notes: list[str] = []
    # Asked before the pixels change: with its own tables a JPEG loses hardly anything, and is as large as it was.
    tables = _tables(image) if kind == "JPEG" else None
    pixels = _rgb(_upright(image, notes), image.info.get("icc_profile"), notes)
    fresh = Image.frombytes("RGB", pixels.size, pixels.tobytes())
    out = io.BytesIO()
    if is_lossless:
        fresh.save(out, "PNG", compress_level=4)
    elif tables is None:
        fresh.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    else:
        fresh.save(out, "JPEG", **tables)
    small = fresh.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    thumbnail = io.BytesIO()
    small.save(thumbnail, "WEBP", quality=THUMBNAIL_QUALITY, method=3)
    return Picture(
        data=out.getvalue(),
        ending="png" if is_lossless else "jpg",
        width=fresh.width,
        height=fresh.height,
        thumbnail=thumbnail.getvalue(),
        fingerprint=fingerprint(small),
        source_format=kind,
        notes=tuple(notes),
    )


def _tables(image: Image.Image) -> dict | None:
    """How a JPEG of three channels was packed; None for another, or one packed in a way that JPEGs hardly ever are."""
    tables = getattr(image, "quantization", None)
    sampling = JpegImagePlugin.get_sampling(image)
    if image.mode != "RGB" or not tables or sampling < 0 or set(tables) - {0, 1, 2, 3}:
        return None
    if any(not 1 <= value <= 255 for table in tables.values() for value in table):
        return None
    return {"qtables": [tables[key] for key in sorted(tables)], "subsampling": sampling}


def _upright(image: Image.Image, notes: list[str]) -> Image.Image:
    """Turned as its EXIF says, of which nothing else is used. EXIF that cannot be read says nothing."""
    try:
        exif = image.getexif()
        if len(exif) > 0:
            notes.append("exif_removed")
        if exif.get_ifd(GPS):
            notes.append("place_removed")
        turned = ImageOps.exif_transpose(image)
    except Exception:  # the same as above: whatever a broken block of EXIF makes its reader say
        return image
    if turned.size != image.size or exif.get(0x0112, 1) in range(2, 9):
        notes.append("turned_upright")
    return turned


def _rgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """8-bit sRGB; what is transparent lies on white."""
    if image.mode.startswith("I") or image.mode == "F":
        notes.append("reduced_to_8_bit")
        values = np.asarray(image).astype(np.uint32)
        image = Image.fromarray((np.clip(values, 0, 65535) >> 8).astype(np.uint8))
    alpha = None
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        whole = image.convert("RGBA")
        alpha = whole.getchannel("A")
        image = whole.convert("RGB")
        if alpha.getextrema()[0] == 255:
            alpha = None
    if image.mode == "CMYK":
        notes.append("converted_from_cmyk")
    image = _in_srgb(image, profile, notes)
    if alpha is not None:
        notes.append("flattened_on_white")
        image = image.convert("RGBA")
        image.putalpha(alpha)
        image = Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image).convert("RGB")
    return image


def _in_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    if image.mode not in ("RGB", "CMYK", "L"):
        image = image.convert("RGB")
    if profile and len(profile) <= PROFILE_BYTES_MAX:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "srgb" not in ImageCms.getProfileDescription(source).lower():
                converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
                notes.append("converted_to_srgb")
                return converted if converted is not None else image.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            notes.append("profile_unreadable")
    return image.convert("RGB")


# The cosines of a discrete transform of 32 samples, of which a fingerprint takes the eight lowest.
_COSINES = np.cos(np.pi / 32 * np.outer(np.arange(8), np.arange(32) + 0.5))


def fingerprint(image: Image.Image) -> int:
    """
    A picture's 64-bit pHash: which of the 8 by 8 lowest frequencies of its 32 by 32 grey values lie above their median
    (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions", 3.2.1; the mean is left out).
    """
    grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), dtype=np.float64)
    low = (_COSINES @ grey @ _COSINES.T).ravel()
    low[0] = 0
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
