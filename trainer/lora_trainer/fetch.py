"""Fetches a model of the Hub into a folder: `python -m lora_trainer.fetch --repo ID --revision main --into DIR`.

Speaks in JSON lines on stdout: `listing`, `progress`, then `done` or `error`. The endpoint and the token come from the
environment (HF_ENDPOINT, HF_TOKEN), never from the arguments. Only safetensors weights, JSON and tokenizer files are
fetched; a repository that needs more is refused before its weights are. A fetch that is cut off goes on where it was:
huggingface_hub's own download keeps nothing of a broken file, so it gives the listing and the reading of errors alone.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lora_trainer.failure import DISK_ERRORS, EXIT_CODES
from lora_trainer.public_network import AddressRefused, guarded_client

ALLOWED = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "model-*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
)
UNSAFE = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack", "*.onnx")
FILES_MAX = 2000
SMALL_BYTES_MAX = 64 << 20
PARTS = ".parts"
CHUNK_BYTES = 1 << 20
PROGRESS_S = 1.0
# Tries without a byte of progress, and the seconds before each.
WAITS_S = (1, 2, 4, 8)
NOT_FOUND = "the Hub has no such model, or it is private and HF_TOKEN may not read it"


class FetchFailure(Exception):
    """A fetch that cannot go on: a code of src/domain/model-fetch.ts and a sentence with the way out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a commit. `oid` is its SHA-256 in large file storage, else git's name of the blob (SHA-1)."""

    path: str
    bytes: int
    oid: str


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def choose_files(files: list[HubFile]) -> list[HubFile]:
    """The files worth fetching. Raises FetchFailure where the weights are missing or in a format that can run code."""
    # Only the top folder: a pattern's star would match a slash, too.
    top = [file for file in files if "/" not in file.path]
    chosen = [file for file in top if any(fnmatch.fnmatchcase(file.path, pattern) for pattern in ALLOWED)]
    names = {file.path for file in chosen}
    if "config.json" not in names:
        kind = "a diffusers pipeline" if any(file.path == "model_index.json" for file in files) else "no model"
        raise FetchFailure("invalid_config", f"it has no config.json: it is {kind} that can be registered here")
    if not any(name.endswith(".safetensors") for name in names):
        unsafe = [file.path for file in files if any(fnmatch.fnmatchcase(file.path, pattern) for pattern in UNSAFE)]
        if unsafe:
            raise FetchFailure(
                "unsafe_model_format",
                f"its weights are only there as {unsafe[0]}, a format that can run code when it is loaded: "
                "choose a repository or revision with safetensors weights",
            )
        gguf = any(file.path.endswith(".gguf") for file in files)
        more = "; a GGUF file cannot be trained: choose the original model" if gguf else ""
        raise FetchFailure("weights_missing", f"it has no safetensors weights{more}")
    if "model.safetensors.index.json" not in names:
        # Without an index shards cannot be loaded: what can is the whole file beside them.
        chosen = [file for file in chosen if not fnmatch.fnmatchcase(file.path, "model-*.safetensors")]
    elif any(fnmatch.fnmatchcase(name, "model-*.safetensors") for name in names):
        chosen = [file for file in chosen if file.path != "model.safetensors"]
    if len(chosen) > FILES_MAX:
        raise FetchFailure("too_large", f"it has more than {FILES_MAX} files")
    # Small files first: what they refuse is refused before the weights are fetched.
    return sorted(chosen, key=lambda file: (file.path.endswith(".safetensors"), file.path))


def list_files(api: Any, repo: str, revision: str) -> tuple[str, list[HubFile]]:
    """The commit that a revision names and its files."""
    info = api.model_info(repo, revision=revision, files_metadata=True, timeout=30)
    if not isinstance(info.sha, str) or len(info.sha) != 40:
        raise FetchFailure("hub_unreachable", "the Hub did not say which commit that revision is")
    files = [
        HubFile(s.rfilename, s.size or 0, (s.lfs.sha256 if s.lfs is not None else s.blob_id) or "")
        for s in info.siblings or []
    ]
    return info.sha, files


def refuse_remote_code(folder: Path) -> None:
    """Raises FetchFailure where a configuration asks for Python code of the repository."""
    for name in ("config.json", "tokenizer_config.json"):
        path = folder / name
        if not path.exists():
            continue
        if path.stat().st_size > SMALL_BYTES_MAX:
            raise FetchFailure("invalid_config", f"its {name} is larger than {SMALL_BYTES_MAX >> 20} MB")
        try:
            value = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            raise FetchFailure("invalid_config", f"its {name} is not JSON") from None
        if not isinstance(value, dict):
            raise FetchFailure("invalid_config", f"its {name} is not an object of JSON")
        if value.get("auto_map"):
            raise FetchFailure(
                "remote_code_not_allowed",
                f"its {name} asks to load Python code that comes with the model (auto_map); such code is never run "
                "here: choose a model of an architecture that transformers knows",
            )


def is_sound(path: Path, file: HubFile) -> bool:
    """True when a file has the bytes that the Hub's listing names."""
    if not path.is_file() or path.stat().st_size != file.bytes:
        return False
    digest = hashlib.sha256() if len(file.oid) == 64 else hashlib.sha1(b"blob %d\0" % file.bytes, usedforsecurity=False)
    with path.open("rb") as content:
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest() == file.oid


class Fetcher:
    """Brings files of one commit into a folder, through one client, and says about once a second how far it is."""

    def __init__(self, client: Any, address: str, headers: dict[str, str], into: Path) -> None:
        """`address`: what stands before a file's path in its URL."""
        self._client = client
        self._address = address
        # Identity: sizes and ranges are those of the file.
        self._headers = headers | {"accept-encoding": "identity"}
        self._into = into
        self._bytes = 0
        self._said_at = 0.0

    def fetch(self, file: HubFile) -> None:
        """One file, whole and with the sum of the listing, or FetchFailure(checksum_mismatch)."""
        final = self._into / file.path
        if not is_sound(final, file):
            part = self._into / PARTS / file.oid
            part.parent.mkdir(exist_ok=True)
            self._fill(part, file)
            if not is_sound(part, file):
                part.unlink(missing_ok=True)
                raise FetchFailure(
                    "checksum_mismatch", f"{file.path} arrived with other bytes than the Hub lists: try again"
                )
            part.replace(final)
        self._bytes += file.bytes

    def _fill(self, part: Path, file: HubFile) -> None:
        """Appends to a part until it has the file's size; a try that brings nothing is followed by a wait."""
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError

        waits = list(WAITS_S)
        while True:
            before = part.stat().st_size if part.exists() else 0
            if before >= file.bytes > 0:
                return
            try:
                self._append(part, before, file)
                return
            except (httpx2.TransportError, HfHubHTTPError) as error:
                status = error.response.status_code if isinstance(error, HfHubHTTPError) else 503
                if status < 500 and status != 429:
                    raise
                if part.exists() and part.stat().st_size > before:
                    waits = list(WAITS_S)
                elif not waits:
                    raise
            time.sleep(waits.pop(0))

    def _append(self, part: Path, start: int, file: HubFile) -> None:
        from huggingface_hub.utils import hf_raise_for_status

        headers = self._headers | ({"range": f"bytes={start}-"} if start > 0 else {})
        with self._client.stream("GET", self._address + quote(file.path), headers=headers) as response:
            hf_raise_for_status(response)
            goes_on = response.status_code == 206 and response.headers.get("content-range", "").startswith(
                f"bytes {start}-"
            )
            with part.open("ab" if goes_on else "wb") as content:
                written = start if goes_on else 0
                for chunk in response.iter_bytes():
                    written += len(chunk)
                    # A sender without end fills no disk.
                    if written > file.bytes:
                        part.unlink()
                        raise FetchFailure("checksum_mismatch", f"{file.path} is longer than the Hub lists: try again")
                    content.write(chunk)
                    self._tell(written)

    def _tell(self, written: int) -> None:
        now = time.monotonic()
        if now - self._said_at >= PROGRESS_S:
            self._said_at = now
            say(type="progress", bytes=self._bytes + written)


def fetch(repo: str, revision: str, into: Path, bytes_max: int) -> None:
    """Brings the model's files into `into` and says so. Raises FetchFailure and whatever the Hub's library raises."""
    from huggingface_hub import HfApi, get_session, set_client_factory
    from huggingface_hub.utils import build_hf_headers

    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    # False, not None: with None the library looks for a token of whoever runs it.
    token = os.environ.get("HF_TOKEN") or False
    set_client_factory(lambda: guarded_client(endpoint))
    commit, files = list_files(HfApi(endpoint=endpoint, token=token), repo, revision)
    chosen = choose_files(files)
    total = sum(file.bytes for file in chosen)
    say(type="listing", commit=commit, bytes=total, files=len(chosen))
    gb = 1 << 30
    if total > bytes_max:
        left = f"{bytes_max / gb:.2f} GB may still be stored"
        raise FetchFailure("too_large", f"it has {total / gb:.2f} GB, and {left}: free space first")
    fetcher = Fetcher(get_session(), f"{endpoint}/{repo}/resolve/{commit}/", build_hf_headers(token=token), into)
    for file in chosen:
        if file.path.endswith(".safetensors"):
            refuse_remote_code(into)
        fetcher.fetch(file)
    wanted = {file.path for file in chosen}
    for path in into.iterdir():
        if path.name not in wanted:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    say(type="done", files=sorted(wanted))


def read_as_fetch_failure(error: BaseException) -> FetchFailure:
    """What an exception of a fetch means to whoever asked for the model."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, FetchFailure):
        return error
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in chain:
        chain.append(at)
        at = at.__cause__ or at.__context__
    for cause in chain:
        if isinstance(cause, AddressRefused):
            return FetchFailure("address_refused", str(cause))
        if isinstance(cause, OSError) and cause.errno in DISK_ERRORS:
            return FetchFailure("disk_full", "the disk is full: free space, then register the model again")
        if isinstance(cause, GatedRepoError):
            return FetchFailure(
                "gated_model",
                "its owner asks for consent first: accept the conditions on the model's page of the Hub and give this "
                "installation a token of that account (HF_TOKEN)",
            )
        if isinstance(cause, RevisionNotFoundError):
            return FetchFailure("model_not_found", "the repository has no such branch, tag or commit")
        if isinstance(cause, RepositoryNotFoundError):
            return FetchFailure("model_not_found", NOT_FOUND)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403, 404):
        return FetchFailure("model_not_found", NOT_FOUND)
    said = f" (it answered {status})" if status is not None else ""
    if status is not None or type(error).__module__.split(".")[0] in ("httpx2", "httpcore2", "huggingface_hub"):
        return FetchFailure("hub_unreachable", f"the Hub could not be read{said}: try again in a few minutes")
    return FetchFailure("internal", f"the fetch failed: {type(error).__name__}")


def main(argv: list[str] | None = None) -> int:
    """The exit code; it follows the trainer's list."""
    parser = argparse.ArgumentParser(prog="lora_trainer.fetch", allow_abbrev=False)
    parser.add_argument("--repo", required=True)
    parser.add_argument("--revision", required=True)
    parser.add_argument("--into", required=True, type=Path)
    parser.add_argument("--bytes-max", type=int, default=1 << 62)
    given = parser.parse_args(argv)
    try:
        fetch(given.repo, given.revision, given.into, given.bytes_max)
        return 0
    except Exception as error:
        failure = read_as_fetch_failure(error)
        if failure.code == "internal":
            import traceback

            traceback.print_exc()
        say(type="error", code=failure.code, message=failure.message)
        return {"disk_full": EXIT_CODES["disk_full"], "internal": 1}.get(failure.code, EXIT_CODES["model_not_found"])


if __name__ == "__main__":
    sys.exit(main())
