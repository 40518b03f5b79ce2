"""Brings files to a repository of the Hub as one commit: `python -m lora_trainer.push --order FILE`.

Speaks in JSON lines on stdout: `listing`, `progress`, then `done` with the commit, or `error`. The endpoint and the
token come from the environment (HF_ENDPOINT, HF_TOKEN), what is to be sent from the order. A push that is done anew
sends nothing that the Hub has, and makes no second commit of the same files: an existing repository keeps its history
and its other files.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx2
from huggingface_hub import CommitOperationAdd, HfApi, constants, set_client_factory
from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError

from lora_trainer.durable import sha256_of
from lora_trainer.fetch import PROGRESS_S, Patience, list_files, say
from lora_trainer.hub_files import FetchFailure, is_sound
from lora_trainer.public_network import AddressRefused, guarded_client

# Seconds before each further try of what the Hub refuses in passing, beside the library's own.
PUSH_WAITS_S: Sequence[float] = (1, 2, 4, 8, 16, 32, *[60] * 9)
# How often the branch may move under a push before it is given up.
MOVED_MAX = 5
REASON_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class LocalFile:
    """One file of the order: what it is called in the repository, where it lies, and what it must be."""

    path: str
    at: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Order:
    """What to send, and where; see src/worker/hub-push.ts."""

    hf_repo_id: str
    branch: str
    private: bool
    message: str
    files: tuple[LocalFile, ...]

    @staticmethod
    def read(path: Path) -> Order:
        """The order of a file. Raises for one that is none."""
        words = json.loads(path.read_text("utf-8"))
        return Order(**{**words, "files": tuple(LocalFile(**file) for file in words["files"])})


class Counter:
    """Says about once a second how much of the files was sent."""

    def __init__(self) -> None:
        self._whole = 0
        self._said_at = 0.0

    def tell(self, sent: int) -> None:
        now = time.monotonic()
        if now - self._said_at >= PROGRESS_S:
            self._said_at = now
            say(type="progress", bytes=self._whole + sent)

    def end(self, size: int) -> None:
        """One file is there, whole."""
        self._whole += size


class CountedFile(io.BufferedReader):
    """A file that tells how far it was read."""

    def __init__(self, path: str, told: Callable[[int], None]) -> None:
        super().__init__(io.FileIO(path))
        self._told = told

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self._told(self.tell())
        return content


class Addition(CommitOperationAdd):
    """A file of the order: the Hub's client is told the sum that was checked, and what is sent is counted."""

    def __init__(self, file: LocalFile, counter: Counter) -> None:
        super().__init__(path_in_repo=file.path, path_or_fileobj=file.at)
        self.upload_info.sha256 = bytes.fromhex(file.sha256)
        self._file = file
        self._counter = counter

    @contextmanager
    def as_file(self, with_tqdm: bool = False) -> Iterator[BinaryIO]:
        """`with_tqdm` is what the library says where it sends."""
        if not with_tqdm:
            with Path(self._file.at).open("rb") as content:
                yield content
            return
        with CountedFile(self._file.at, self._counter.tell) as counted:
            yield counted
        self._counter.end(self._file.bytes)


def check_files(order: Order) -> None:
    """Raises FetchFailure(checksum_mismatch) unless every file is the one that was published."""
    for file in order.files:
        path = Path(file.at)
        whole = path.is_file() and not path.is_symlink() and path.stat().st_size == file.bytes
        if not whole or sha256_of(path) != file.sha256:
            raise FetchFailure("checksum_mismatch", f"{file.path} in storage is not the file that was published")


class Push:
    """One order, as it is brought to the Hub of the environment."""

    def __init__(self, order: Order) -> None:
        self._order = order
        endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
        set_client_factory(lambda: guarded_client(endpoint))
        # Large files go by git's protocol: Xet's client is one of its own, which would go round the guard.
        constants.HF_HUB_DISABLE_XET = True
        self._api = HfApi(endpoint=endpoint, token=os.environ["HF_TOKEN"])
        self._has_listed = False

    def run(self) -> str:
        """The commit at which the repository has the files. Raises FetchFailure and what the Hub's library raises."""
        patience = Patience(PUSH_WAITS_S)
        moved = 0
        while True:
            try:
                return self._commit()
            except Exception as error:
                cause = cause_of(error, (FetchFailure, AddressRefused, HfHubHTTPError, httpx2.TransportError))
                # The branch moved: by somebody else, or by this very commit, whose answer was lost.
                if status_of(cause) in (409, 412) and moved < MOVED_MAX:
                    moved += 1
                    continue
                patience.bear(cause)

    def _commit(self) -> str:
        order = self._order
        self._api.create_repo(order.hf_repo_id, private=order.private, exist_ok=True)
        head = self._head()
        if order.private and head.private is False:
            raise FetchFailure(
                "hub_repo_public",
                "this repository is public, everybody could read it: push to another one, or say private: false",
            )
        if not self._has_listed:
            say(type="listing", bytes=sum(file.bytes for file in order.files), files=len(order.files))
            self._has_listed = True
        counter = Counter()
        made = self._api.create_commit(
            order.hf_repo_id,
            [Addition(file, counter) for file in order.files],
            commit_message=order.message,
            revision=order.branch,
            # Of a commit whose answer was lost there is no second: the branch has moved then.
            parent_commit=head.sha,
            num_threads=1,
        )
        self._check(made.oid)
        return made.oid

    def _info(self, revision: str) -> Any:
        return self._api.model_info(self._order.hf_repo_id, revision=revision, files_metadata=True, timeout=30)

    def _head(self) -> Any:
        """What the Hub says of the branch, which is made where it is not there."""
        branch = self._order.branch
        try:
            return self._info(branch)
        except RevisionNotFoundError:
            self._api.create_branch(self._order.hf_repo_id, branch=branch, exist_ok=True)
            return self._info(branch)

    def _check(self, commit: str) -> None:
        """Raises FetchFailure(hub_refused) unless the commit has every file as it lies here."""
        _, listed = list_files(lambda: self._info(commit))
        there = {file.path: file for file in listed}
        for file in self._order.files:
            if file.path not in there or not is_sound(Path(file.at), there[file.path]):
                raise FetchFailure(
                    "hub_refused",
                    f"the commit lacks {file.path} or has other bytes of it: see if the repository's .gitignore has it",
                )


def cause_of(error: BaseException, kinds: tuple[type[BaseException], ...]) -> Any:
    """The first of these kinds among an exception and what it came from; the exception itself where there is none."""
    at: BaseException | None = error
    seen: list[BaseException] = []
    while at is not None and at not in seen:
        if isinstance(at, kinds):
            return at
        seen.append(at)
        at = at.__cause__ or at.__context__
    return error


def status_of(error: BaseException) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def read_as_push_failure(error: BaseException) -> FetchFailure:
    """What an exception of a push means to whoever asked for it."""
    cause = cause_of(error, (FetchFailure, AddressRefused, HfHubHTTPError, httpx2.HTTPError))
    if isinstance(cause, FetchFailure):
        return cause
    if isinstance(cause, AddressRefused):
        return FetchFailure("address_refused", str(cause))
    status = status_of(cause)
    if status in (401, 403, 404):
        return FetchFailure(
            "hub_forbidden",
            "the Hub does not let this token write there: check the owner and the name, and use a token that may write "
            "to the repositories of that owner",
        )
    if status == 413:
        return FetchFailure("too_large", "it is larger than the Hub takes")
    if status is not None and 400 <= status < 500 and status != 429:
        return FetchFailure("hub_refused", f"the Hub refuses it: {reason_of(cause)}")
    if status is not None or isinstance(cause, httpx2.HTTPError):
        said = f" (it answered {status})" if status is not None else ""
        return FetchFailure("hub_unreachable", f"the Hub does not take it now{said}: push it again in a few minutes")
    if isinstance(cause, ValueError):
        return FetchFailure("hub_refused", f"the Hub refuses it: {reason_of(cause)}")
    return FetchFailure("internal", f"the push failed: {type(cause).__name__}")


def reason_of(error: BaseException) -> str:
    """What the Hub said, on one line, short, and never with the token in it."""
    said = " ".join((getattr(error, "server_message", None) or str(error)).split())
    return said.replace(os.environ["HF_TOKEN"], "…")[:REASON_CHARACTERS_MAX]


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0, or 1 after an `error`."""
    parser = argparse.ArgumentParser(prog="lora_trainer.push", allow_abbrev=False)
    parser.add_argument("--order", required=True, type=Path)
    given = parser.parse_args(argv)
    try:
        order = Order.read(given.order)
        check_files(order)
        commit = Push(order).run()
        say(type="done", commit=commit)
        return 0
    except Exception as error:
        failure = read_as_push_failure(error)
        if failure.code == "internal":
            import traceback

            traceback.print_exc()
        say(type="error", code=failure.code, message=failure.message)
        return 1


if __name__ == "__main__":
    sys.exit(main())
