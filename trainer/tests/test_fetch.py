"""Fetching from the Hub: pinned, checked, resumed, refused by name, and never from a place that is not public."""

import json

import pytest

from hub import COMMIT, REPO, Hub, RunningHub
from lora_trainer import fetch
from lora_trainer.hub_files import FetchFailure
from lora_trainer.public_network import AddressRefused, JudgedBackend, guarded_client, is_public

WEIGHTS = bytes(range(256)) * 4096
CONFIG = json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}).encode()
FILES = {
    "config.json": CONFIG,
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}",
    "README.md": b"# Hello",
    "pytorch_model.bin": b"pickle",
    "modeling_llama.py": b"import os",
    "onnx/model.onnx": b"x",
    "model-../../evil.safetensors": b"x",
}
NOT_PUBLIC = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
)


@pytest.fixture
def hub():
    with RunningHub(Hub(dict(FILES))) as running:
        yield running


@pytest.fixture
def run(hub, tmp_path, monkeypatch, capsys):
    """Fetches into `tmp_path/into`; answers the exit code and the lines."""
    into = tmp_path / "into"
    into.mkdir()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(fetch, "LISTING_WAITS_S", (0, 0))
    monkeypatch.setattr(fetch, "FILE_WAITS_S", (0, 0))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    def go(revision="main", repo=REPO, *more):
        code = fetch.main(["--repo", repo, "--revision", revision, "--into", str(into), *more])
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    go.into = into
    return go


def refusal(answer):
    code, lines = answer
    assert code != 0
    assert lines[-1]["type"] == "error"
    return lines[-1]["code"]


def test_a_model_arrives_whole_pinned_and_without_what_can_run(run):
    code, lines = run("v1")
    assert code == 0
    listing = next(line for line in lines if line["type"] == "listing")
    assert listing == {"type": "listing", "commit": COMMIT, "bytes": len(CONFIG) + len(WEIGHTS) + 9, "files": 4}
    assert lines[-1] == {"type": "done", "files": ["README.md", "config.json", "model.safetensors", "tokenizer.json"]}
    assert sorted(path.name for path in run.into.iterdir()) == lines[-1]["files"]
    assert (run.into / "model.safetensors").read_bytes() == WEIGHTS
    assert not (run.into.parent / "evil.safetensors").exists()


def test_a_card_without_end_is_left_where_it_is(run, hub):
    hub.files["README.md"] = b"#" * ((1 << 20) + 1)
    code, lines = run()
    assert code == 0
    assert lines[-1]["files"] == ["config.json", "model.safetensors", "tokenizer.json"]


def test_a_broken_transfer_goes_on_where_it_was(run, hub):
    hub.cut_after = 300_000
    code, _ = run()
    assert code == 0
    assert (run.into / "model.safetensors").read_bytes() == WEIGHTS
    first, second = hub.ranges()
    assert first is None
    assert second is not None
    assert int(second.removeprefix("bytes=").removesuffix("-")) > 0


def test_the_next_process_goes_on_where_the_last_was_killed(run, hub):
    parts = run.into / fetch.PARTS
    parts.mkdir()
    oid = hub.listing()["siblings"][1]["lfs"]["sha256"]
    (parts / oid).write_bytes(WEIGHTS[:500_000])
    assert run()[0] == 0
    assert hub.ranges() == ["bytes=500000-"]
    assert (run.into / "model.safetensors").read_bytes() == WEIGHTS


def test_what_lies_there_whole_is_not_fetched_again(run, hub):
    assert run()[0] == 0
    hub.seen.clear()
    assert run()[0] == 0
    assert [path for _, path, _ in hub.seen if "resolve" in path or "cdn" in path] == []


@pytest.mark.parametrize(
    "change",
    [lambda content: content[:-1] + b"x", lambda content: content + b"more" * 100_000],
    ids=["other", "longer"],
)
def test_other_bytes_than_listed_are_refused_and_not_kept(run, hub, change):
    hub.change = change
    assert refusal(run()) == "checksum_mismatch"
    assert not (run.into / "model.safetensors").exists()
    hub.change = None
    assert run()[0] == 0


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (404, "RepoNotFound", "model_not_found"),
        (401, "", "model_not_found"),
        (403, "GatedRepo", "gated_model"),
        (401, "GatedRepo", "gated_model"),
        (500, "", "hub_unreachable"),
    ],
)
def test_a_refusal_of_the_hub_is_told_by_its_kind(run, hub, status, error, code):
    hub.refuse = (status, error)
    assert refusal(run()) == code


@pytest.mark.parametrize(("token", "code"), [("hf_unknown", "gated_model"), ("", "model_not_found")])
def test_a_token_that_the_hub_does_not_know_is_told_apart_from_what_is_not_there(run, hub, monkeypatch, token, code):
    monkeypatch.setenv("HF_TOKEN", token)
    hub.refuse = (401, "")
    hub.refused_because = "Invalid credentials in Authorization header"
    assert refusal(run()) == code


def test_a_hub_that_is_busy_for_a_moment_is_asked_again_when_it_says(run, hub, monkeypatch):
    slept = []
    monkeypatch.setattr(fetch.time, "sleep", slept.append)
    hub.busy = [(429, "7"), (503, None)]
    assert run()[0] == 0
    assert slept == [7, 0]


def test_patience_has_an_end_and_a_wish_for_a_year_is_not_granted(run, hub, monkeypatch):
    slept = []
    monkeypatch.setattr(fetch.time, "sleep", slept.append)
    hub.busy = [(429, "31536000")] * 3
    assert refusal(run()) == "hub_unreachable"
    assert slept == [fetch.RETRY_AFTER_S_MAX, fetch.RETRY_AFTER_S_MAX]


def test_a_listing_without_sums_is_not_gone_by(run, hub):
    hub.oid = "../../../evil"
    assert refusal(run()) == "hub_unreachable"


def test_a_revision_that_is_not_there_is_not_found(run):
    code, lines = run("nowhere")
    assert refusal((code, lines)) == "model_not_found"
    assert "branch, tag or commit" in lines[-1]["message"]


def test_a_hub_that_does_not_answer_is_unreachable(run, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert refusal(run()) == "hub_unreachable"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"config.json": CONFIG, "pytorch_model.bin": b"x"}, "unsafe_model_format"),
        ({"config.json": CONFIG, "x.gguf": b"x"}, "weights_missing"),
        ({"config.json": CONFIG}, "weights_missing"),
        ({"model.safetensors": b"x"}, "invalid_config"),
        ({"model_index.json": b"{}"}, "invalid_config"),
        ({"config.json": b'{"auto_map": {"AutoModel": "m.X"}}', "model.safetensors": b"x"}, "remote_code_not_allowed"),
        (
            {"config.json": CONFIG, "tokenizer_config.json": b'{"auto_map": {}, "x": 1}', "model.safetensors": b"x"},
            None,
        ),
        (
            {"config.json": CONFIG, "tokenizer_config.json": b'{"auto_map": ["t.T"]}', "model.safetensors": b"x"},
            "remote_code_not_allowed",
        ),
        (
            {"config.json": b'{"text_config": [{"_attn_implementation": "evil/kernel"}]}', "model.safetensors": b"x"},
            "remote_code_not_allowed",
        ),
        (
            {"config.json": b'{"attn_implementation": {"": "sdpa", "x": "evil/k"}}', "model.safetensors": b"x"},
            "remote_code_not_allowed",
        ),
        ({"config.json": b'{"attn_implementation": {"": "sdpa", "x": null}}', "model.safetensors": b"x"}, None),
        ({"config.json": b"[]", "model.safetensors": b"x"}, "invalid_config"),
        ({"config.json": b"[" * 100_000, "model.safetensors": b"x"}, "invalid_config"),
    ],
)
def test_a_repository_that_cannot_be_used_is_refused_before_its_weights(run, hub, files, code):
    hub.files = files
    if code is None:
        assert run()[0] == 0
    else:
        assert refusal(run()) == code
        assert hub.ranges() == []


@pytest.mark.parametrize("tail", ["x" * 290, "\0", "\ud83d"])
def test_a_file_whose_name_is_not_taken_is_refused_before_a_byte(run, hub, tail):
    hub.files = {"config.json": CONFIG, f"model-{tail}.safetensors": b"x"}
    hub.files["model.safetensors.index.json"] = b"{}"
    code, lines = run()
    assert (code, lines[-1]["code"]) == (4, "invalid_name")
    assert [line["type"] for line in lines] == ["error"]
    assert hub.seen[-1][1].startswith("/api/")


def test_what_is_said_of_a_failure_can_be_stored_whatever_it_quotes(run, monkeypatch):
    def fail(_):
        raise FetchFailure("weights_missing", "its \0\n\udc00 " + "🕷" * 2000)

    monkeypatch.setattr(fetch, "choose_files", fail)
    said = run()[1][-1]["message"]
    assert said.startswith("its \ufffd\ufffd? 🕷🕷")
    assert len(said.encode("utf-16-le")) == 2 * 1000


def test_more_than_may_be_stored_is_refused_before_a_byte(run, hub):
    assert refusal(run("main", REPO, "--bytes-max", "1000")) == "too_large"
    assert hub.ranges() == []


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://localhost/x",
        "https://10.0.0.1/x",
        "http://example.com/x",
        "https://example.com:8443/x",
        "https://user:pw@example.com/x",
        "http://127.0.0.1:22/x",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_to_a_place_that_is_not_public_is_not_followed(run, hub, target):
    hub.send_on_to = target
    assert refusal(run()) in ("address_refused", "hub_unreachable" if target.startswith("file:") else "address_refused")
    assert not (run.into / "model.safetensors").exists()


def test_the_token_goes_to_the_hub_and_appears_nowhere_else(run, hub, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "hf_canaryCanary123")
    code, lines = run()
    assert code == 0
    assert all(headers.get("authorization") == "Bearer hf_canaryCanary123" for _, path, headers in hub.seen)
    assert "canary" not in json.dumps(lines)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]


def test_without_a_token_none_is_looked_for(run, hub, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    (tmp_path / "token").write_text("hf_somebodyElses")
    assert run()[0] == 0
    assert all("authorization" not in headers for _, _, headers in hub.seen)


def test_the_token_is_taken_off_what_goes_to_another_host(monkeypatch):
    sent = []
    monkeypatch.setattr("httpx2.HTTPTransport.handle_request", lambda self, request: sent.append(request))
    client = guarded_client("https://hub.example")
    for url in ("https://hub.example/x", "https://cdn.example/x"):
        client._transport.handle_request(client.build_request("GET", url, headers={"authorization": "Bearer x"}))
    assert ["authorization" in request.headers for request in sent] == [True, False]


def test_a_name_is_connected_to_at_the_address_that_was_judged(monkeypatch):
    connected = []
    answers = iter(["93.184.216.34", "127.0.0.1"])
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (next(answers), 443))])
    backend = JudgedBackend("hub.example")
    monkeypatch.setattr(backend._sockets, "connect_tcp", lambda host, *_: connected.append(host))
    backend.connect_tcp("cdn.example", 443)
    with pytest.raises(AddressRefused):
        backend.connect_tcp("cdn.example", 443)
    assert connected == ["93.184.216.34"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        *((address, False) for address in NOT_PUBLIC),
    ],
)
def test_only_global_unicast_addresses_are_public(address, public):
    assert is_public(address) is public


def pipeline(**components: list) -> dict[str, bytes]:
    """The files of an SDXL repository as they lie on the Hub, with all that is not fetched beside them."""
    made_by = {
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "image_encoder": [None, None],
        "force_zeros_for_empty_prompt": True,
    }
    index = {"_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.19.0", **made_by, **components}
    wanted = {
        "model_index.json": json.dumps(index).encode(),
        "README.md": b"# A pipeline",
        "scheduler/scheduler_config.json": b"{}",
        "text_encoder/config.json": b"{}",
        "text_encoder/model.safetensors": b"encoder",
        "tokenizer/merges.txt": b"a b",
        "tokenizer/tokenizer_config.json": b"{}",
        "tokenizer/vocab.json": b"{}",
        "unet/config.json": b"{}",
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors": b"unet 1",
        "unet/diffusion_pytorch_model-00002-of-00002.safetensors": b"unet 2",
        "unet/diffusion_pytorch_model.safetensors.index.json": b'{"weight_map": {}}',
        "vae/config.json": b"{}",
        "vae/diffusion_pytorch_model.fp16.safetensors": b"vae",
    }
    beside = (
        *("sd_xl_base_1.0.safetensors", "pipeline.py", "vae_decoder/model.onnx", "vae_1_0/config.json"),
        *("text_encoder/model.fp16.safetensors", "text_encoder/pytorch_model.bin", "unet/modeling.py"),
        *("safety_checker/model.safetensors", "vae_1_0/diffusion_pytorch_model.safetensors", "unet/deep/config.json"),
        "unet/diffusion_pytorch_model-/../../../evil-of-1.safetensors",
    )
    return wanted | dict.fromkeys(beside, b"not wanted")


def test_of_a_pipeline_each_component_arrives_and_nothing_beside_them(run, hub):
    hub.files = pipeline()
    (run.into / "unet").mkdir()
    (run.into / "unet/left.safetensors").write_bytes(b"of before")
    code, lines = run()
    assert code == 0, lines
    wanted = [name for name, content in hub.files.items() if content != b"not wanted"]
    half, whole = "vae/diffusion_pytorch_model.fp16.safetensors", "vae/diffusion_pytorch_model.safetensors"
    here = sorted({*wanted, whole} - {half})
    assert lines[-1] == {"type": "done", "files": here}
    listing = next(line for line in lines if line["type"] == "listing")
    assert (listing["files"], listing["bytes"]) == (len(here), sum(len(hub.files[name]) for name in wanted))
    assert sorted(str(path.relative_to(run.into)) for path in run.into.rglob("*") if path.is_file()) == here
    assert (run.into / whole).read_bytes() == b"vae"
    assert run()[0] == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"unet": ["pipeline_own", "OwnUNet"]}, "remote_code_not_allowed"),
        ({"_class_name": ["pipeline", "OwnPipeline"]}, "remote_code_not_allowed"),
        ({"prior": ["diffusers", "PriorTransformer"]}, "weights_missing"),
        ({"../unet": ["diffusers", "UNet2DConditionModel"]}, "invalid_config"),
    ],
)
def test_a_pipeline_is_refused_by_its_index_before_any_of_its_weights(run, hub, change, code):
    hub.files = pipeline(**change)
    assert refusal(run()) == code
    assert not [path for _, path, _ in hub.seen if path.endswith(".safetensors")]


def test_a_component_in_pickles_or_with_code_of_its_own_is_refused(run, hub):
    hub.files = pipeline()
    hub.files["unet/config.json"] = b'{"auto_map": {"AutoModel": "modeling.OwnUNet"}}'
    assert refusal(run()) == "remote_code_not_allowed"
    hub.files = pipeline()
    hub.files["text_encoder/config.json"] = b'{"attn_implementation": "evil/kernel"}'
    assert refusal(run()) == "remote_code_not_allowed"
    hub.files = pipeline()
    del hub.files["text_encoder/model.safetensors"], hub.files["text_encoder/model.fp16.safetensors"]
    assert refusal(run()) == "unsafe_model_format"
