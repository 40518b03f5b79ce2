"""A small server that speaks as much of the Hub's protocol as a fetch needs, and can misbehave."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" + "0" * 34
REPO = "tiny/llama"


@dataclass
class Hub:
    """What the server has and does. `seen` are the requests, in order."""

    files: dict[str, bytes]
    kind: str = "models"
    """What the repository is, as the Hub's paths have it: models or datasets."""
    large: set[str] = field(default_factory=lambda: {"model.safetensors"})
    """Files of large file storage: their oid is a SHA-256, and they are sent on to `/cdn/`."""
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    refuse: tuple[int, str] | None = None
    """Status and X-Error-Code of every answer about the repository."""
    busy: list[tuple[int, str | None]] = field(default_factory=list)
    """Status and Retry-After of the next answers, whatever is asked."""
    oid: str | None = None
    """What is said to be the sum of every small file."""
    cut_after: int | None = None
    """The next large file breaks off after so many bytes, once."""
    send_on_to: str | None = None
    change: Callable[[bytes], bytes] | None = None
    """What really is sent of a large file."""
    url: str = ""

    def ranges(self) -> list[str | None]:
        return [headers.get("range") for _, path, headers in self.seen if path.startswith("/cdn/")]

    def listing(self) -> dict:
        siblings = []
        for name, content in self.files.items():
            entry: dict = {"rfilename": name, "size": len(content)}
            entry["blobId"] = self.oid or hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            if name in self.large:
                sha256 = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            siblings.append(entry)
        return {"id": REPO, "modelId": REPO, "sha": COMMIT, "private": False, "tags": [], "siblings": siblings}


def handler_of(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if "Content_Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            hub.seen.append(("GET", self.path, {name.lower(): value for name, value in self.headers.items()}))
            path, _, query = self.path.partition("?")
            if hub.busy:
                status, retry_after = hub.busy.pop(0)
                return self.answer(status, b"{}", **({} if retry_after is None else {"Retry_After": retry_after}))
            if path.startswith(f"/api/{hub.kind}/{REPO}/revision/"):
                if hub.refuse is not None:
                    status, code = hub.refuse
                    return self.answer(status, b"{}", X_Error_Code=code)
                revision = path.rsplit("/", 1)[1]
                if revision not in ("main", "v1", COMMIT):
                    return self.answer(404, b"{}", X_Error_Code="RevisionNotFound")
                assert "blobs=true" in query.lower()
                return self.answer(200, json.dumps(hub.listing()).encode(), Content_Type="application/json")
            if path.startswith("/api/"):
                return self.answer(404, b"{}", X_Error_Code="RepoNotFound")
            prefix = f"{'' if hub.kind == 'models' else '/datasets'}/{REPO}/resolve/{COMMIT}/"
            if path.startswith(prefix) and (name := path.removeprefix(prefix)) in hub.files:
                if name in hub.large:
                    return self.answer(302, Location=hub.send_on_to or f"{hub.url}/cdn/{name}")
                return self.answer(200, hub.files[name])
            if path.startswith("/cdn/"):
                return self.large_file(hub.files[path.removeprefix("/cdn/")])
            return self.answer(404, b"{}", X_Error_Code="EntryNotFound")

        def large_file(self, content: bytes) -> None:
            content = hub.change(content) if hub.change is not None else content
            start = 0
            if asked := self.headers.get("Range"):
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
            body = content[start:]
            cut, hub.cut_after = hub.cut_after, None
            headers = {"Content_Length": str(len(body))}
            if start:
                headers["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.answer(206 if start else 200, body[:cut], **headers)
            if cut is not None:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Silence: the test reads `seen`."""

    return Handler


class RunningHub:
    """A hub on a free port of loopback, for a `with`."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(hub))
        self._server.daemon_threads = True

    def __enter__(self) -> Hub:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.hub.url = f"http://127.0.0.1:{self._server.server_port}"
        return self.hub

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
