"""Checks a zip of pictures, writes the archive that is trained from, and reports on it: in bounded memory, no torch.

Exit 0: the report is written, whatever it says of the dataset; 2: bad arguments; 3: unreadable file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import posixpath
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from lora_trainer.durable import publish_file, sha256_of
from lora_trainer.image_check.archive import ARCHIVE_NAME, Archive, Entry
from lora_trainer.image_check.captions import (
    CLIP_TOKENS_MAX,
    Captions,
    clip_tokens_at_least,
    folder_of,
    is_metadata,
    is_sidecar,
)
from lora_trainer.image_check.faults import DatasetFault, PictureFault
from lora_trainer.image_check.findings import Findings
from lora_trainer.image_check.look_alikes import look_alikes
from lora_trainer.image_check.picture import READ_NAME, UNREAD_NAME, Picture, normalise
from lora_trainer.image_check.statistics import describe_images
from lora_trainer.image_check.store import PictureStore

PICTURES_MAX = 10_000
FEW_PICTURES = 5
# What hardly any training is made smaller than: shorter sides are enlarged there, which blurs.
SHORT_SIDE = 512
# kohya's buckets at 512 end at 1024 by 256: of what is longer, the ends are cut off.
ASPECT_WARNED = 4
TELL_S = 0.5
BYTES_MAX = 500 * 10**6
# What was done to a picture, for its own row and for all of them together.
DONE = {
    "turned_upright": ("It was turned as its EXIF says.", "{} turned as their EXIF says."),
    "place_removed": ("Its EXIF told where it was taken; that is gone.", "{} told where they were taken: no longer."),
    "converted_to_srgb": ("Its colours were converted to sRGB.", "{} converted to sRGB by their colour profiles."),
    "converted_from_cmyk": ("It was CMYK and is RGB now.", "{} converted from CMYK to RGB."),
    "reduced_to_8_bit": ("It had more than 8 bits a colour.", "{} reduced to 8 bits a colour."),
    "flattened_on_white": ("What was transparent is white now.", "{} partly transparent: they lie on white now."),
    "profile_unreadable": ("Its colour profile cannot be read.", "{} with a colour profile that cannot be read."),
}


class Check:
    """One pass over the pictures of an archive."""

    def __init__(self, archive: Archive, store: PictureStore, tell: Callable[[int, int], None]) -> None:
        self.archive = archive
        self.store = store
        self.tell = tell
        self.findings = Findings()
        self.captions = Captions(archive)
        self.total = 0
        self.fingerprints: list[int] = []
        self.formats: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self.folders: Counter[tuple[str, int, bool]] = Counter()
        self.duplicates = 0
        self._first: dict[bytes, str] = {}

    def run(self) -> None:
        """Raises DatasetFault where there are too many pictures, or they take too much room."""
        for name, reason in self.captions.unread:
            self.findings.reject(name, PictureFault("invalid_metadata", reason))
        pictures = [entry for entry in self.archive.entries if self._is_meant_as_picture(entry)]
        self.total = len(pictures)
        if self.total > PICTURES_MAX:
            counts = f"{self.total:,} pictures, and {PICTURES_MAX:,} are taken"
            raise DatasetFault("too_many_pictures", f"It has {counts}: split it.")
        for count, entry in enumerate(pictures):
            self.tell(count, self.total)
            try:
                self._take(entry)
            except PictureFault as fault:
                self.findings.reject(entry.name, fault)
        self.tell(self.total, self.total)
        for name in self.captions.left_over():
            self.findings.note(name, "caption_without_image", "There is no picture of this name.")
        self._compare()

    def _is_meant_as_picture(self, entry: Entry) -> bool:
        name = entry.name
        if READ_NAME.search(name) or UNREAD_NAME.search(name) or ARCHIVE_NAME.search(name):
            return True
        if not (is_sidecar(name) or is_metadata(name)):
            self.findings.note(name, "ignored_file", "It is neither a picture nor a caption.")
        return False

    def _take(self, entry: Entry) -> None:
        name = entry.name
        if ARCHIVE_NAME.search(name):
            raise PictureFault("nested_archive", "It is an archive in the archive: pack the pictures themselves.")
        if match := UNREAD_NAME.search(name):
            raise PictureFault("unsupported_format", f"{match[1].upper()} is not read: save it as JPEG or PNG.")
        folder = folder_of(name)
        caption, source = self.captions.of(self.archive, name, folder)
        data = self.archive.read(entry)
        picture = normalise(data)
        self.store.add(picture, name, caption, folder.repeats, folder.is_class)
        self.fingerprints.append(picture.fingerprint)
        self.formats[picture.source_format] += 1
        self.folders[posixpath.dirname(name), folder.repeats, folder.is_class] += 1
        if source is not None and not folder.is_class:
            self.sources[source] += 1
        self._note(name, data, picture, caption)

    def _note(self, name: str, data: bytes, picture: Picture, caption: str | None) -> None:
        note = self.findings.note
        for code in picture.notes:
            if code in DONE:
                note(name, code, DONE[code][0])
        digest = hashlib.sha256(data).digest()
        if digest in self._first:
            self.duplicates += 1
            note(name, "duplicate", f"Its bytes are those of {self._first[digest]}.")
        self._first.setdefault(digest, name)
        size = f"It has {picture.width} by {picture.height} pixels"
        if min(picture.width, picture.height) < SHORT_SIDE:
            note(name, "small_image", f"{size}: at a resolution of {SHORT_SIDE} it is enlarged.")
        if max(picture.width, picture.height) > ASPECT_WARNED * min(picture.width, picture.height):
            note(name, "extreme_aspect", f"{size}: what is over {ASPECT_WARNED} times as long is cut off.")
        if caption is not None and (tokens := clip_tokens_at_least(caption)) > CLIP_TOKENS_MAX:
            note(name, "caption_cut", f"Its caption has at least {tokens} tokens, and CLIP reads {CLIP_TOKENS_MAX}.")

    def _compare(self) -> None:
        """What is told only by looking at several pictures."""
        kept = self.store.kept
        digests = {name: digest for digest, name in self._first.items()}
        for later, earlier in look_alikes(self.fingerprints):
            # Of the same bytes it is told already.
            if kept[later].source in digests:
                message = f"It looks like {kept[earlier].source}: their pHashes are near each other."
                self.findings.note(kept[later].source, "looks_alike", message)
        own = [one for one in kept if not one.is_class]
        if any(one.caption is not None for one in own):
            for one in own:
                if one.caption is None:
                    self.findings.note(one.source, "caption_missing", "It has no caption, and others have.")


def warnings_of(check: Check) -> list[dict]:
    found, kept = check.findings.counts, check.store.kept
    own = [one for one in kept if not one.is_class]
    captions = {one.caption for one in own}
    warnings = []

    def warn(code: str, count: int, message: str) -> None:
        if count:
            warnings.append({"code": code, "count": count, "message": message})

    def of(count: int) -> str:
        return f"{count:,} of {len(kept):,} pictures"

    few = len(own) if 0 < len(own) < FEW_PICTURES else 0
    warn("few_images", few, f"Only {few} pictures: hardly enough to learn from.")
    warn("duplicate", found["duplicate"], f"{of(found['duplicate'])} repeat an earlier one to the byte.")
    warn("looks_alike", found["looks_alike"], f"{of(found['looks_alike'])} look like an earlier one.")
    small = found["small_image"]
    warn("small_image", small, f"{of(small)} have a side shorter than {SHORT_SIDE} pixels.")
    message = f"{of(found['extreme_aspect'])} are more than {ASPECT_WARNED} times as long as wide, and cut."
    warn("extreme_aspect", found["extreme_aspect"], message)
    bare = len(own) if captions == {None} else 0
    warn("no_captions", bare, "No picture has a caption: a training needs a prompt for all of them.")
    missing = found["caption_missing"]
    warn("caption_missing", missing, f"{of(missing)} have no caption, and others have.")
    # In Kohya's layout the folder's words are meant for all that it holds.
    told_one_by_one = set(check.sources) - {"folder"}
    same = len(own) if len(captions) == 1 and None not in captions and len(own) > 1 and told_one_by_one else 0
    warn("captions_identical", same, "All pictures have the same caption: nothing tells them apart.")
    message = f"{of(found['caption_cut'])} have captions of more tokens than CLIP reads: their ends are cut off."
    warn("caption_cut", found["caption_cut"], message)
    orphans = found["caption_without_image"]
    warn("caption_without_image", orphans, f"{orphans:,} captions belong to no picture.")
    warn("ignored_file", found["ignored_file"], f"{found['ignored_file']:,} files are neither pictures nor captions.")
    for code, (_, together) in DONE.items():
        if found[code]:
            warnings.append({"code": code, "count": found[code], "message": together.format(of(found[code]))})
    return warnings


def inspect_images(
    path: Path, folder: Path, invalid_rows: str, bytes_max: int, tell: Callable[[int, int], None]
) -> dict:
    """The report; where it says `ready`, what is trained from lies in `folder`. Raises OSError."""
    sha256 = sha256_of(path)
    store = PictureStore(folder, bytes_max)
    check, problem, archive_sha256 = None, None, None
    try:
        archive = Archive(path)
        try:
            check = Check(archive, store, tell)
            check.run()
        finally:
            archive.close()
        judge(check, invalid_rows)
        archive_sha256 = sha256_of(store.publish())
    except DatasetFault as fault:
        problem = {"code": fault.code, "message": fault.message}
    finally:
        store.discard()
    described = (
        describe_images([], Counter(), Counter(), Counter())
        if check is None
        else describe_images(store.kept, check.folders, check.formats, check.sources)
    )
    found = Findings() if check is None else check.findings
    return {
        "modality": "image",
        "ready": problem is None,
        "problem": problem,
        "sha256": sha256,
        "archive_sha256": archive_sha256,
        "rows_total": 0 if check is None else check.total,
        "rows_valid": len(store.kept),
        "rows_rejected": found.by_code.total(),
        "rejected": found.rejected,
        "rejected_by_code": dict(found.by_code.most_common()),
        "findings": sorted(found.warned, key=lambda row: (row["code"], row["file"])),
        "warnings": [] if check is None else warnings_of(check),
        "duplicates": 0 if check is None else check.duplicates,
        **described,
    }


def judge(check: Check, invalid_rows: str) -> None:
    """Raises DatasetFault for a dataset that cannot be trained on."""
    broken = check.findings.by_code.total()
    if check.total == 0:
        raise DatasetFault("empty_dataset", "The archive holds no picture. Rows of text are uploaded without a zip.")
    if not check.store.kept:
        raise DatasetFault("no_valid_row", "Not one picture of the archive can be used.")
    if all(one.is_class for one in check.store.kept):
        message = "All its pictures lie in a folder of class images: none shows what is to be learned."
        raise DatasetFault("only_class_images", message)
    if broken and invalid_rows == "refuse":
        raise DatasetFault("rows_rejected", f"{broken:,} of its files break a rule.")


def teller(progress: bool) -> Callable[[int, int], None]:
    """Prints how far the check is, now and then, if anybody listens."""
    told = 0.0

    def tell(done: int, of: int) -> None:
        nonlocal told
        if progress and (time.monotonic() - told >= TELL_S or done == of):
            told = time.monotonic()
            print(json.dumps({"done": done, "of": of}), flush=True)

    return tell


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m lora_trainer.inspect_images", description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--invalid-rows", choices=("refuse", "skip"), default="refuse")
    parser.add_argument("--bytes-max", type=int, default=BYTES_MAX, help="what the pictures may take, written anew")
    parser.add_argument("--folder", type=Path, required=True, help="takes images.zip, thumbnails.bin and rows.jsonl")
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--progress", action="store_true", help="a JSON line with the pictures read, twice a second")
    args = parser.parse_args(argv)
    try:
        report = inspect_images(args.dataset, args.folder, args.invalid_rows, args.bytes_max, teller(args.progress))
        publish_file(args.report, json.dumps(report, indent=2).encode() + b"\n")
    except OSError as error:
        print(f"data: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
