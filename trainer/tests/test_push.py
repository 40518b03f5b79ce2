"""Pushing to the Hub: one commit of exactly the files that were named, once, with the bytes checked at both ends."""

import hashlib
import json

import pytest

from hub import COMMIT, REPO, Hub, RunningHub
from lora_trainer import fetch, push
from lora_trainer.hub_files import is_sound

WEIGHTS = bytes(range(256)) * 4096
FILES = {
    "adapter_model.safetensors": WEIGHTS,
    "adapter_config.json": b'{"r": 16}',
    "README.md": b"# Mine\n",
    "deep/x.json": b"",
}


@pytest.fixture
def hub():
    with RunningHub(Hub({"other.txt": b"stays"}, large={"adapter_model.safetensors"}, exists=False)) as running:
        yield running


@pytest.fixture
def run(hub, tmp_path, monkeypatch, capsys):
    """Pushes the files of `tmp_path/adapter`; answers the exit code and the lines."""
    folder = tmp_path / "adapter"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    monkeypatch.setattr(push, "PUSH_WAITS_S", (0, 0))
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    def go(**wish):
        files = [
            {
                "path": name,
                "at": str(folder / name),
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in FILES.items()
        ]
        order = {"hf_repo_id": REPO, "branch": "main", "private": True, "message": "Add it", "files": files, **wish}
        path = tmp_path / "order"
        path.write_text(json.dumps(order))
        code = push.main(["--order", str(path)])
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    go.folder = folder
    return go


def refusal(answer):
    code, lines = answer
    assert code != 0
    assert lines[-1]["type"] == "error"
    return lines[-1]["code"]


def test_the_files_become_one_commit_of_a_private_repository(run, hub):
    code, lines = run()
    assert (code, lines[-1]) == (0, {"type": "done", "commit": hub.branches["main"]})
    assert lines[0] == {"type": "listing", "bytes": sum(map(len, FILES.values())), "files": 4}
    assert hub.private
    assert hub.files == {"other.txt": b"stays", **FILES}
    (commit,) = hub.commits
    assert commit == {
        "summary": "Add it",
        "description": "",
        "parentCommit": COMMIT,
        "branch": "main",
        "files": sorted(FILES),
    }


def test_large_files_go_by_the_guarded_client_and_never_by_another(run, hub):
    assert run()[0] == 0
    assert [path for method, path, _ in hub.seen if method == "PUT"] == [f"/lfs/{hashlib.sha256(WEIGHTS).hexdigest()}"]
    assert [path for _, path, _ in hub.seen if "xet" in path] == []
    assert all(
        headers.get("authorization") == "Bearer hf_writer" for method, _, headers in hub.seen if method == "POST"
    )
    assert all("authorization" not in headers for method, _, headers in hub.seen if method == "PUT")


def test_what_was_pushed_is_fetched_again_with_the_same_bytes(run, hub, tmp_path):
    assert run()[0] == 0
    into = tmp_path / "into"
    into.mkdir()
    there = fetch.Hub("model", REPO)
    info, files = there.list("main")
    fetcher = there.fetcher(info.sha, into)
    for at, file in enumerate(files):
        if file.path in FILES:
            assert fetcher.fetch(file, str(at)).read_bytes() == FILES[file.path]
            assert is_sound(run.folder / file.path, file)
    assert {file.path for file in files} >= set(FILES)


def test_a_push_that_is_done_anew_sends_nothing_and_makes_no_second_commit(run, hub):
    first = run()[1][-1]
    hub.seen.clear()
    assert run()[1][-1] == first
    assert len(hub.commits) == 1
    assert [path for method, path, _ in hub.seen if method == "PUT" or "commit" in path] == []


def test_a_push_goes_on_with_what_an_earlier_one_sent(run, hub):
    hub.blobs[hashlib.sha256(WEIGHTS).hexdigest()] = WEIGHTS
    assert run()[0] == 0
    assert [method for method, _, _ in hub.seen if method == "PUT"] == []
    assert hub.files["adapter_model.safetensors"] == WEIGHTS


def test_a_commit_whose_answer_was_lost_is_not_made_twice(run, hub):
    hub.lose_answer = True
    code, lines = run()
    assert (code, lines[-1]) == (0, {"type": "done", "commit": hub.branches["main"]})
    assert len(hub.commits) == 1


def test_a_branch_that_moves_meanwhile_keeps_what_came(run, hub):
    taken = hub.commit
    hub.exists = hub.private = True

    def commit(branch, lines):
        hub.commit = taken
        return taken(branch, lines)

    original = push.Push._head

    def head(self):
        found = original(self)
        if not hub.commits:
            taken("main", [{"key": "header", "value": {"summary": "theirs"}}])
        return found

    push.Push._head = head
    try:
        assert run()[0] == 0
    finally:
        push.Push._head = original
    assert [one["summary"] for one in hub.commits] == ["theirs", "Add it"]


def test_a_branch_that_is_not_there_is_made(run, hub):
    assert run(branch="try")[0] == 0
    assert hub.branches["main"] == COMMIT
    assert hub.commits[0]["branch"] == "try"


def test_a_public_repository_gets_nothing_that_was_to_be_private(run, hub):
    hub.exists = True
    assert refusal(run()) == "hub_repo_public"
    assert [method for method, path, _ in hub.seen if method == "PUT" or "commit" in path] == []
    assert run(private=False)[0] == 0


def test_a_token_that_may_not_write_is_told(run, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    code, lines = run()
    assert refusal((code, lines)) == "hub_forbidden"
    assert "hf_reader" not in json.dumps(lines)
    assert hub.commits == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((401, "hub_forbidden"), (403, "hub_forbidden"), (404, "hub_forbidden"), (400, "hub_refused")),
        *((402, "hub_refused"), (413, "too_large"), (500, "hub_unreachable"), (429, "hub_unreachable")),
    ],
)
def test_a_refusal_of_the_hub_is_told_by_its_kind(run, hub, status, code):
    hub.refuse = (status, "no: hf_writer")
    answer = run()
    assert refusal(answer) == code
    assert "hf_writer" not in json.dumps(answer)


def test_a_hub_that_is_busy_for_a_moment_is_asked_again(run, hub):
    hub.busy = [(503, None), (500, None)]
    assert run()[0] == 0
    assert len(hub.commits) == 1


def test_a_hub_that_is_away_is_told(run, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert refusal(run()) == "hub_unreachable"


@pytest.mark.parametrize("place", ["http://127.0.0.1:1/x", "https://10.0.0.1/x", "https://localhost/x"])
def test_large_files_are_sent_to_no_place_that_is_not_public(run, hub, place):
    hub.send_to = place
    assert refusal(run()) == "address_refused"
    assert hub.commits == []


def test_a_file_that_is_not_the_published_one_is_not_sent(run, hub):
    (run.folder / "adapter_config.json").write_bytes(b'{"r": 17}')
    assert refusal(run()) == "checksum_mismatch"
    assert hub.seen == []


def test_a_file_that_the_repository_ignores_is_told(run, hub):
    hub.ignored = {"adapter_config.json"}
    assert refusal(run()) == "hub_refused"


def test_progress_counts_what_was_sent(run, hub, monkeypatch):
    monkeypatch.setattr(push, "PROGRESS_S", 0)
    _, lines = run()
    told = [line["bytes"] for line in lines if line["type"] == "progress"]
    assert told == sorted(told)
    assert told[-1] == len(WEIGHTS)
