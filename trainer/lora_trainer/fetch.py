"""Fetches from the Hub into a folder: `python -m lora_trainer.fetch --kind model --repo ID --revision main --into DIR`.

Speaks in JSON lines on stdout: `listing`, `progress`, then `done` or `error`. The endpoint and the token come from the
environment (HF_ENDPOINT, HF_TOKEN), never from the arguments. Only files that are read here are fetched; a repository
that needs more is refused before its large files are. A fetch that is cut off goes on where it was: huggingface_hub's
own download keeps nothing of a broken file, so it gives the listing and the reading of errors alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lora_trainer.failure import DISK_ERRORS, EXIT_CODES
from lora_trainer.hub_dataset import DatasetWish, assemble, choose_data_files
from lora_trainer.hub_files import FetchFailure, HubFile, check_name, is_sound
from lora_trainer.hub_model import SMALL_BYTES_MAX, choose_files, read_object, refuse_remote_code
from lora_trainer.hub_pipeline import INDEX, choose_pipeline_files, components_of
from lora_trainer.public_network import AddressRefused, guarded_client

PARTS = ".parts"
PROGRESS_S = 1.0
# Seconds before each further try of what the Hub refuses in passing; a file's begin anew with each byte that arrives.
LISTING_WAITS_S: Sequence[float] = (1, 2, 4, 8)
FILE_WAITS_S: Sequence[float] = (1, 2, 4, 8, 16, 32, *[60] * 59)
# How long choosing files may take.
CHOICE_S = 20.0
# File names that a listing tells, of a dataset in more files.
PATHS_TOLD_MAX = 50
# A Hub that asks for more patience than this per try gets this.
RETRY_AFTER_S_MAX = 600
OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@contextmanager
def time_bound(seconds: float) -> Iterator[None]:
    """Ends what takes longer with a FetchFailure: patterns and paths are somebody's, and may take ages to match."""

    def late(*_: object) -> None:
        raise FetchFailure("data_files_missing", "its patterns take too long to match with its files: name files")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


class Patience:
    """How a passing fault of the Hub is borne: a broken connection, 429 and 5xx are tried again after a wait."""

    def __init__(self, waits_s: Sequence[float]) -> None:
        self._waits_s = waits_s
        self.renew()

    def renew(self) -> None:
        """Something arrived: the waits begin anew."""
        self._left = list(self._waits_s)

    def bear(self, error: Exception) -> None:
        """Waits, at least as long as the Hub asks for. Raises the error where it lasts or patience is at its end."""
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError

        asked = 0.0
        if isinstance(error, HfHubHTTPError):
            status = error.response.status_code
            if status != 429 and status < 500:
                raise error
            header = error.response.headers.get("retry-after", "")
            asked = min(float(header), RETRY_AFTER_S_MAX) if re.fullmatch(r"\d{1,9}", header) else 0.0
        elif isinstance(error, AddressRefused) or not isinstance(error, httpx2.TransportError):
            raise error
        if not self._left:
            raise error
        time.sleep(max(asked, self._left.pop(0)))


def list_files(read: Callable[[], Any]) -> tuple[Any, list[HubFile]]:
    """What the Hub says of a revision (its commit is `sha`), and the files of it."""
    patience = Patience(LISTING_WAITS_S)
    while True:
        try:
            info = read()
            break
        except Exception as error:
            patience.bear(error)
    if not isinstance(info.sha, str) or re.fullmatch(r"[0-9a-f]{40}", info.sha) is None:
        raise FetchFailure("hub_unreachable", "the Hub did not say which commit that revision is")
    files = [
        HubFile(s.rfilename, s.size or 0, (s.lfs.sha256 if s.lfs is not None else s.blob_id) or "")
        for s in info.siblings or []
    ]
    if any(OID.fullmatch(file.oid) is None for file in files):
        raise FetchFailure("hub_unreachable", "the Hub did not say which bytes its files have")
    return info, files


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

    def fetch(self, file: HubFile, name: str) -> Path:
        """One file as `name`, whole and with the sum of the listing. Raises FetchFailure(checksum_mismatch)."""
        final = self.bring(file, name)
        self._bytes += file.bytes
        self._tell(0)
        return final

    def bring(self, file: HubFile, name: str) -> Path:
        """The same before the listing is told: it does not count as fetched."""
        final = self._into / name
        if not is_sound(final, file):
            final.parent.mkdir(exist_ok=True)
            part = self._into / PARTS / file.oid
            part.parent.mkdir(exist_ok=True)
            self._fill(part, file)
            if not is_sound(part, file):
                part.unlink(missing_ok=True)
                raise FetchFailure(
                    "checksum_mismatch", f"{file.path} arrived with other bytes than the Hub lists: try again"
                )
            part.replace(final)
        return final

    def _fill(self, part: Path, file: HubFile) -> None:
        """Appends to a part until it has the file's size."""
        patience = Patience(FILE_WAITS_S)
        while True:
            before = part.stat().st_size if part.exists() else 0
            if before >= file.bytes > 0:
                return
            try:
                self._append(part, before, file)
                return
            except Exception as error:
                if part.exists() and part.stat().st_size > before:
                    patience.renew()
                patience.bear(error)

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


class Hub:
    """The Hub of the environment, as one kind of repository is reached there."""

    def __init__(self, kind: str, repo: str) -> None:
        from huggingface_hub import HfApi, set_client_factory

        endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
        # False, not None: with None the library looks for a token of whoever runs it.
        self._token = os.environ.get("HF_TOKEN") or False
        set_client_factory(lambda: guarded_client(endpoint))
        api = HfApi(endpoint=endpoint, token=self._token)
        self._info = api.model_info if kind == "model" else api.dataset_info
        self._repo = repo
        self._address = f"{endpoint}/{'' if kind == 'model' else 'datasets/'}{repo}/resolve"

    def list(self, revision: str) -> tuple[Any, list[HubFile]]:
        return list_files(lambda: self._info(self._repo, revision=revision, files_metadata=True, timeout=30))

    def fetcher(self, commit: str, into: Path) -> Fetcher:
        from huggingface_hub import get_session
        from huggingface_hub.utils import build_hf_headers

        return Fetcher(get_session(), f"{self._address}/{commit}/", build_hf_headers(token=self._token), into)


def say_listing(commit: str, chosen: list[HubFile], bytes_max: int, **more: object) -> None:
    """Says what is going to be fetched.

    Raises FetchFailure: invalid_name where a file has a name that is not taken, too_large where it is more than may be
    stored.
    """
    for file in chosen:
        check_name("file", file.path)
    total = sum(file.bytes for file in chosen)
    say(type="listing", commit=commit, bytes=total, files=len(chosen), **more)
    if total > bytes_max:
        gb = 1_000_000_000
        raise FetchFailure(
            "too_large",
            f"it has {total / gb:.2f} GB, and {bytes_max / gb:.2f} GB may still be stored: free space first",
        )


def fetch_model(hub: Hub, revision: str, into: Path, bytes_max: int) -> None:
    """Brings the model's files into `into` and says so. Raises FetchFailure and whatever the Hub's library raises."""
    info, files = hub.list(revision)
    fetcher = hub.fetcher(info.sha, into)
    index = next((file for file in files if file.path == INDEX and file.bytes <= SMALL_BYTES_MAX), None)
    if index is None:
        chosen = {file.path: file for file in choose_files(files)}
    else:
        # Which of its folders are components, only its index says.
        chosen = choose_pipeline_files(files, components_of(read_object(fetcher.bring(index, INDEX), INDEX)))
    say_listing(info.sha, [*chosen.values()], bytes_max)
    configs = [name for name in chosen if name.endswith("config.json")]
    for name, file in chosen.items():
        if name.endswith(".safetensors"):
            refuse_remote_code(into, configs)
        fetcher.fetch(file, name)
    leave_only({into / name for name in chosen}, into)
    say(type="done", files=sorted(chosen))


def leave_only(wanted: set[Path], into: Path) -> None:
    """Takes everything else out of a folder."""
    folders = {parent for path in wanted for parent in path.parents}
    for path in into.iterdir():
        if path in folders and path.is_dir() and not path.is_symlink():
            leave_only(wanted, path)
        elif path not in wanted:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def fetch_dataset(hub: Hub, revision: str, wish: DatasetWish, into: Path, bytes_max: int) -> None:
    """Brings the rows that are wanted into `into` as one file, and says so. Raises as `fetch_model` does."""
    info, files = hub.list(revision)
    with time_bound(CHOICE_S):
        choice = choose_data_files(files, {"configs": getattr(info.card_data, "configs", None)}, wish)
    for what, name in (("configuration", choice.config), ("split", choice.split)):
        if name is not None:
            check_name(what, name)
    paths = [file.path for file in choice.files[:PATHS_TOLD_MAX]]
    say_listing(info.sha, choice.files, bytes_max, config=choice.config, split=choice.split, paths=paths)
    fetcher = hub.fetcher(info.sha, into)
    # Numbers make the names here: a path of the Hub's makes none on this machine.
    parts = [fetcher.fetch(file, f"{place:05d}") for place, file in enumerate(choice.files)]
    whole = assemble(choice, parts, into, bytes_max)
    say(type="done", files=[whole.name])


def read_as_fetch_failure(error: BaseException, kind: str) -> FetchFailure:
    """What an exception of a fetch means to whoever asked for it."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, FetchFailure):
        return error
    missing = f"{kind}_not_found"
    absent = FetchFailure(missing, f"the Hub has no such {kind}, or it is private and the token in use may not read it")
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in chain:
        chain.append(at)
        at = at.__cause__ or at.__context__
    for cause in chain:
        if isinstance(cause, AddressRefused):
            return FetchFailure("address_refused", str(cause))
        if isinstance(cause, OSError) and cause.errno in DISK_ERRORS:
            return FetchFailure("disk_full", "the disk is full: free space, then ask for it again")
        if isinstance(cause, GatedRepoError):
            return FetchFailure(
                f"gated_{kind}",
                f"its owner asks for consent first: accept the conditions on the {kind}'s page of the Hub and use a "
                "token of that account (token of the transfer, or HF_TOKEN)",
            )
        if isinstance(cause, RevisionNotFoundError):
            return FetchFailure(missing, "the repository has no such branch, tag or commit")
        if isinstance(cause, RepositoryNotFoundError):
            return absent
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403) and os.environ.get("HF_TOKEN"):
        return FetchFailure(
            f"gated_{kind}", "the Hub does not take the token in use: make another, or leave it out for what is public"
        )
    if status in (401, 403, 404):
        return absent
    said = f" (it answered {status})" if status is not None else ""
    if status is not None or type(error).__module__.split(".")[0] in ("httpx2", "httpcore2", "huggingface_hub"):
        return FetchFailure("hub_unreachable", f"the Hub could not be read{said}: try again in a few minutes")
    return FetchFailure("internal", f"the fetch failed: {type(error).__name__}")


def main(argv: list[str] | None = None) -> int:
    """The exit code; it follows the trainer's list."""
    parser = argparse.ArgumentParser(prog="lora_trainer.fetch", allow_abbrev=False)
    parser.add_argument("--kind", choices=("model", "dataset"), default="model")
    parser.add_argument("--repo", required=True)
    parser.add_argument("--revision", required=True)
    parser.add_argument("--into", required=True, type=Path)
    parser.add_argument("--bytes-max", type=int, default=1 << 62)
    for name in ("--config", "--split", "--file"):
        parser.add_argument(name, help="of a dataset")
    given = parser.parse_args(argv)
    try:
        hub = Hub(given.kind, given.repo)
        if given.kind == "model":
            fetch_model(hub, given.revision, given.into, given.bytes_max)
        else:
            wish = DatasetWish(given.config, given.split, given.file)
            fetch_dataset(hub, given.revision, wish, given.into, given.bytes_max)
        return 0
    except Exception as error:
        failure = read_as_fetch_failure(error, given.kind)
        if failure.code == "internal":
            import traceback

            traceback.print_exc()
        say(type="error", code=failure.code, message=failure.message)
        return {"disk_full": EXIT_CODES["disk_full"], "internal": 1}.get(failure.code, EXIT_CODES["model_not_found"])


if __name__ == "__main__":
    sys.exit(main())
