"""A small server that speaks as much of the Hub's protocol as a fetch and a push need, and can misbehave."""

from __future__ import annotations

import base64
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
    card: dict | None = None
    """What the card of the repository says of it."""
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    refuse: tuple[int, str] | None = None
    refused_because: str = ""
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
    branches: dict[str, str] = field(default_factory=lambda: {"main": COMMIT, "v1": COMMIT})
    """Branches and tags, with the commit that each names."""
    writer: str = "hf_writer"
    """The token that may write."""
    exists: bool = True
    private: bool = False
    ignored: set[str] = field(default_factory=set)
    """Files that its .gitignore names."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    """Large files that were sent, by their SHA-256."""
    commits: list[dict] = field(default_factory=list)
    """Headers of the commits that were made, each with its branch and its files."""
    lose_answer: bool = False
    """The next commit is made, and its connection broken."""
    send_to: str | None = None
    """Where large files are to be sent instead of here."""

    def oid_of(self, name: str) -> str:
        content = self.files[name]
        if name in self.large:
            return hashlib.sha256(content).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    def commit(self, branch: str, lines: list[dict]) -> str:
        """Makes one of the lines of a commit's body; answers its name."""
        files = {}
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.blobs[value["oid"]]
        self.files |= files
        self.commits.append({**lines[0]["value"], "branch": branch, "files": sorted(files)})
        self.branches[branch] = hashlib.sha1(json.dumps(self.commits).encode()).hexdigest()
        return self.branches[branch]

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
        facts = {"id": REPO, "modelId": REPO, "private": self.private, "tags": [], "cardData": self.card}
        return {**facts, "siblings": siblings}


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
                    return self.answer(status, b"{}", X_Error_Code=code, X_Error_Message=hub.refused_because)
                revision = path.rsplit("/", 1)[1]
                commit = hub.branches.get(revision, revision if revision in hub.branches.values() else None)
                if not hub.exists or commit is None:
                    code = "RevisionNotFound" if hub.exists else "RepoNotFound"
                    return self.answer(404, b"{}", X_Error_Code=code)
                # The Hub's own client looks at a branch for its commit alone.
                assert hub.commits or "blobs=true" in query.lower()
                return self.tell(200, {**hub.listing(), "sha": commit})
            if path.startswith("/api/"):
                return self.answer(404, b"{}", X_Error_Code="RepoNotFound")
            prefix = f"{'' if hub.kind == 'models' else '/datasets'}/{REPO}/resolve/"
            commit, _, name = path.removeprefix(prefix).partition("/")
            if path.startswith(prefix) and commit in hub.branches.values() and name in hub.files:
                if name in hub.large:
                    return self.answer(302, Location=hub.send_on_to or f"{hub.url}/cdn/{name}")
                return self.answer(200, hub.files[name])
            if path.startswith("/cdn/"):
                return self.large_file(hub.files[path.removeprefix("/cdn/")])
            return self.answer(404, b"{}", X_Error_Code="EntryNotFound")

        def tell(self, status: int, body: dict) -> None:
            self.answer(status, json.dumps(body).encode(), Content_Type="application/json")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            hub.seen.append(("POST", self.path, {name.lower(): value for name, value in self.headers.items()}))
            path = self.path.partition("?")[0]
            if hub.busy:
                return self.answer(hub.busy.pop(0)[0], b"{}")
            if hub.refuse is not None:
                status, said = hub.refuse
                return self.answer(status, json.dumps({"error": said}).encode(), X_Error_Message=said)
            if self.headers.get("Authorization") != f"Bearer {hub.writer}":
                return self.answer(401, b"{}", X_Error_Message="Invalid credentials in Authorization header")
            if path == "/api/repos/create":
                if hub.exists:
                    return self.tell(409, {"url": f"{hub.url}/{REPO}"})
                hub.exists, hub.private = True, json.loads(body)["visibility"] == "private"
                return self.tell(200, {"url": f"{hub.url}/{REPO}"})
            if path == "/api/validate-yaml":
                return self.tell(200, {"warnings": [], "errors": []})
            if path.startswith(f"/api/models/{REPO}/branch/"):
                hub.branches[path.rsplit("/", 1)[1]] = hub.branches["main"]
                return self.tell(200, {})
            if path.startswith(f"/api/models/{REPO}/preupload/"):
                return self.tell(200, {"files": [self.upload_mode(file["path"]) for file in json.loads(body)["files"]]})
            if path == f"/{REPO}.git/info/lfs/objects/batch":
                objects = [self.upload_action(one) for one in json.loads(body)["objects"]]
                return self.tell(200, {"transfer": "basic", "objects": objects})
            if path == "/lfs-verify":
                whole = json.loads(body)["oid"] in hub.blobs
                return self.answer(200 if whole else 404, b"{}")
            if path.startswith(f"/api/models/{REPO}/commit/"):
                return self.make_commit(path.rsplit("/", 1)[1], [json.loads(line) for line in body.splitlines()])
            return self.answer(404, b"{}")

        def upload_mode(self, name: str) -> dict:
            mode = "lfs" if name in hub.large else "regular"
            oid = hub.oid_of(name) if name in hub.files else None
            return {"path": name, "uploadMode": mode, "shouldIgnore": name in hub.ignored, "oid": oid}

        def upload_action(self, wanted: dict) -> dict:
            if wanted["oid"] in hub.blobs:
                return wanted
            upload = {"href": hub.send_to or f"{hub.url}/lfs/{wanted['oid']}"}
            return {**wanted, "actions": {"upload": upload, "verify": {"href": f"{hub.url}/lfs-verify"}}}

        def make_commit(self, branch: str, lines: list[dict]) -> None:
            if lines[0]["value"].get("parentCommit") not in (None, hub.branches[branch]):
                return self.answer(412, b"{}")
            commit = hub.commit(branch, lines)
            if hub.lose_answer:
                hub.lose_answer, self.close_connection = False, True
                return None
            return self.tell(200, {"commitOid": commit, "commitUrl": f"{hub.url}/{REPO}/commit/{commit}"})

        def do_PUT(self) -> None:
            hub.seen.append(("PUT", self.path, {name.lower(): value for name, value in self.headers.items()}))
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if hub.busy:
                return self.answer(hub.busy.pop(0)[0])
            oid = self.path.removeprefix("/lfs/")
            if hashlib.sha256(content).hexdigest() != oid:
                return self.answer(400)
            hub.blobs[oid] = content
            return self.answer(200)

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
