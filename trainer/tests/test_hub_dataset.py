"""Which files of a dataset's repository are taken, and how they become one file of rows."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from hub import COMMIT, REPO, Hub, RunningHub
from lora_trainer import fetch
from lora_trainer.hub_dataset import DataChoice, DatasetWish, assemble, choose_data_files, pattern
from lora_trainer.hub_files import FetchFailure, HubFile


def choose(paths, configs=None, **wish):
    files = [HubFile(path, 10, "0" * 40) for path in paths]
    choice = choose_data_files(files, {"configs": configs}, DatasetWish(**wish))
    return choice.config, choice.split, choice.kind, [file.path for file in choice.files]


def refusal(paths, configs=None, **wish):
    with pytest.raises(FetchFailure) as caught:
        choose(paths, configs, **wish)
    return caught.value.code, caught.value.message


CARD = [
    {
        "config_name": "main",
        "data_files": [{"split": "train", "path": "main/*.jsonl"}, {"split": "test", "path": ["t.jsonl"]}],
    },
    {"config_name": "socratic", "data_files": {"train": "socratic/**"}},
]
CARD_FILES = ["main/b.jsonl", "main/a.jsonl", "main/deep/c.jsonl", "t.jsonl", "socratic/x/y.jsonl", "README.md"]


@pytest.mark.parametrize(
    ("paths", "wish", "found"),
    [
        (["README.md", "rows.jsonl"], {}, (None, "train", "jsonl", ["rows.jsonl"])),
        (["train.json", "test.json", "dataset_infos.json"], {}, (None, "train", "json", ["train.json"])),
        (["train.json", "test.json"], {"split": "test"}, (None, "test", "json", ["test.json"])),
        (
            ["data/my-dev.csv", "data/my-train.csv"],
            {"split": "validation"},
            (None, "validation", "csv", ["data/my-dev.csv"]),
        ),
        (
            ["data/train-2.jsonl", "data/train-1.jsonl"],
            {},
            (None, "train", "jsonl", ["data/train-1.jsonl", "data/train-2.jsonl"]),
        ),
        (["training_notes.jsonl"], {}, (None, "train", "jsonl", ["training_notes.jsonl"])),
        (["latest.jsonl", "contested.jsonl"], {}, (None, "train", "jsonl", ["contested.jsonl", "latest.jsonl"])),
        (["a.json", "b.json"], {}, (None, "train", "json_parts", ["a.json", "b.json"])),
        (
            ["data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet"],
            {},
            (None, "train", "parquet", ["data/train-00000-of-00001.parquet"]),
        ),
        ([".cache/x.jsonl", "rows.TSV"], {}, (None, "train", "csv", ["rows.TSV"])),
        (
            ["train.parquet", "extra/rows.jsonl"],
            {"file": "extra/rows.jsonl"},
            (None, None, "jsonl", ["extra/rows.jsonl"]),
        ),
        (["a/1.jsonl", "a/2.jsonl", "b/3.jsonl"], {"file": "a/*"}, (None, None, "jsonl", ["a/1.jsonl", "a/2.jsonl"])),
        (["a/1.jsonl", "a/2.jsonl", "b/3.jsonl"], {"file": "a"}, (None, None, "jsonl", ["a/1.jsonl", "a/2.jsonl"])),
    ],
)
def test_files_are_found_by_name(paths, wish, found):
    assert choose(paths, **wish) == found


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({"config": "main"}, ("main", "train", "jsonl", ["main/a.jsonl", "main/b.jsonl"])),
        ({"config": "main", "split": "test"}, ("main", "test", "jsonl", ["t.jsonl"])),
        ({"config": "socratic"}, ("socratic", "train", "jsonl", ["socratic/x/y.jsonl"])),
    ],
)
def test_files_are_found_by_the_card(wish, found):
    assert choose(CARD_FILES, CARD, **wish) == found


def test_the_default_configuration_is_taken_when_none_is_named():
    marked = [CARD[0], CARD[1] | {"default": True}]
    assert choose(CARD_FILES, marked)[0] == "socratic"
    named = [CARD[0] | {"config_name": "default"}, CARD[1]]
    assert choose(CARD_FILES, named)[0] == "default"
    assert choose(CARD_FILES, CARD[:1])[0] == "main"


def test_a_configuration_without_files_is_found_by_name_in_its_folder():
    configs = [{"config_name": "en", "data_dir": "en"}]
    assert choose(["en/train.csv", "de/train.csv"], configs) == ("en", "train", "csv", ["en/train.csv"])


@pytest.mark.parametrize(
    ("paths", "wish", "code", "said"),
    [
        (["README.md"], {}, "data_files_missing", "no data files"),
        (["loader.py", "README.md"], {}, "remote_code_not_allowed", "never run"),
        (["data/train-00000-of-00001.arrow"], {}, "unsupported_format", "train-00000-of-00001.arrow"),
        (["rows.jsonl.gz"], {}, "unsupported_format", "rows.jsonl.gz"),
        (["train.jsonl", "train.csv"], {}, "ambiguous_files", "train.csv, train.jsonl"),
        (["train.jsonl", "train.parquet"], {}, "ambiguous_files", "file"),
        (["train.jsonl"], {"split": "dev"}, "split_not_found", "it has train"),
        (["dev.jsonl", "test.jsonl"], {}, "split_required", "test, validation"),
        (["train.jsonl"], {"config": "en"}, "config_not_found", "lists none"),
        (["train.jsonl"], {"file": "rows.jsonl"}, "data_files_missing", "it has train.jsonl"),
        (["train.jsonl"], {"file": "*a*a*a*a*a*"}, "data_files_missing", "wildcards"),
        (["train.jsonl"], {"file": "*" * 60 + "x"}, "data_files_missing", "wildcards"),
    ],
)
def test_what_cannot_be_chosen_says_what_there_is(paths, wish, code, said):
    found, message = refusal(paths, **wish)
    assert (found, said in message) == (code, True), message


def test_several_configurations_without_a_default_are_named():
    code, message = refusal(CARD_FILES, CARD)
    assert code == "config_required"
    assert "main, socratic" in message
    assert refusal(CARD_FILES, CARD, config="x")[0] == "config_not_found"
    assert refusal(["x.jsonl"], CARD, config="main")[0] == "data_files_missing"


@pytest.mark.parametrize("configs", [None, "x", [1], [{"config_name": 5}]])
def test_a_broken_card_does_not_stand_in_the_way(configs):
    assert choose(["rows.jsonl"], configs)[3] == ["rows.jsonl"]


@pytest.mark.parametrize("files", [7, [{"path": {}}], {"train": None}])
def test_a_card_that_names_no_files_says_so(files):
    assert refusal(["rows.jsonl"], [{"data_files": files}])[0] == "data_files_missing"


@pytest.mark.parametrize(
    ("glob", "path", "found"),
    [
        ("data/*.jsonl", "data/a.jsonl", True),
        ("data/*.jsonl", "data/b/a.jsonl", False),
        ("**/*.jsonl", "a.jsonl", True),
        ("**/*.jsonl", "a/b/c.jsonl", True),
        ("data", "data/a/b.csv", True),
        ("dat", "data/a.csv", False),
        ("a.c", "abc", False),
        ("./a?.csv", "a1.csv", True),
    ],
)
def test_patterns_match_as_on_the_hub(glob, path, found):
    assert (pattern(glob).fullmatch(path) is not None) is found


@pytest.fixture
def whole(tmp_path):
    """What becomes of files of one kind."""

    def make(kind, files, bytes_max=1 << 20):
        parts = []
        for place, content in enumerate(files.values()):
            parts.append(tmp_path / str(place))
            parts[-1].write_bytes(content)
        choice = DataChoice(None, None, kind, [HubFile(path, 1, "0" * 40) for path in files])
        return assemble(choice, parts, tmp_path, bytes_max).read_bytes()

    return make


def test_json_stays_as_it_is(whole):
    array = b'\xef\xbb\xbf[{"a": 1,\n "b": NaN}]'
    assert whole("json", {"a.json": array}) == array


def test_lines_of_several_files_follow_each_other_whole(whole):
    parts = {"a.jsonl": b'{"a":1}\n{"a":2}', "b.jsonl": b'\xef\xbb\xbf{"a":3}\n', "c.jsonl": b""}
    assert whole("jsonl", parts) == b'{"a":1}\n{"a":2}\n{"a":3}\n'
    assert whole("json_parts", {"a.json": b'{"a":1}', "b.json": b'{"a":2}'}) == b'{"a":1}\n{"a":2}\n'


def test_several_arrays_are_no_one_array(whole):
    with pytest.raises(FetchFailure, match="name one as file"):
        whole("json_parts", {"a.json": b" [1]", "b.json": b"[2]"})


def test_a_table_becomes_objects_of_texts(whole):
    csv = '\ufeffprompt,completion\r\n"a ""b""\r\nc",ü\r\n\r\n,5\r\n'.encode()
    lines = whole("csv", {"a.csv": csv, "b.tsv": b"x\ty,z\n1\t2\n"}).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"prompt": 'a "b"\r\nc', "completion": "ü"},
        {"prompt": "", "completion": "5"},
        {"x": "1", "y,z": "2"},
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "name each column once"),
        (b"a,a\n1,2\n", "name each column once"),
        (b"a,\n1,2\n", "name each column once"),
        (b"a,b\n1\n", "1 cells in line 2, and 2 columns"),
        (b"a,b\n1,2,3\n", "3 cells"),
        (b'a,b\n"1,2\n', "no CSV file"),
        (b"a\n\xff\n", "not UTF-8 in line 2"),
        (b"a\n" + b"x" * 4_000_001 + b"\n", "longer than 4 MB: line 2"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(whole, content, said):
    with pytest.raises(FetchFailure) as caught:
        whole("csv", {"t.csv": content}, 1 << 30)
    assert (caught.value.code, said in caught.value.message) == ("invalid_csv", True), caught.value.message


def test_tables_in_parquet_follow_each_other(whole, tmp_path):
    def parquet(**columns):
        pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "t")
        return (tmp_path / "t").read_bytes()

    lines = whole("parquet", {"a.parquet": parquet(text=["a", "b"]), "b.parquet": parquet(text=["c"], n=[1])})
    assert [json.loads(line) for line in lines.splitlines()] == [{"text": "a"}, {"text": "b"}, {"text": "c", "n": 1}]


def test_what_grows_beyond_the_limit_is_refused(whole):
    with pytest.raises(FetchFailure) as caught:
        whole("csv", {"t.csv": b"a\n" + b"1\n" * 1000}, 500)
    assert caught.value.code == "too_large"


def test_patterns_that_take_too_long_are_refused():
    with pytest.raises(FetchFailure, match="name files"), fetch.time_bound(0.2):
        choose(["a" * 3000], file="**a**a**a**b")


@pytest.mark.parametrize(
    ("config", "split", "file", "said"),
    [
        ("c" * 301, "train", "a.jsonl", "configuration"),
        ("🕷" * 151, "train", "a.jsonl", "configuration"),
        ("a\0b", "train", "a.jsonl", "configuration 'a\\x00b'"),
        ("\ud800", "train", "a.jsonl", "configuration"),
        ("c", "s" * 301, "a.jsonl", "split"),
        ("c", "tr\0", "a.jsonl", "split"),
        ("c", "train", f"{'f' * 300}.jsonl", "file"),
        ("c", "train", "a\n.jsonl", "file"),
        ("c" * 300, "s" * 300, f"{'f' * 294}.jsonl", None),
        ("🕷" * 150, "Zug", "a.jsonl", None),
    ],
)
def test_names_of_the_hub_follow_one_rule_where_the_listing_is_made(hub_fetch, config, split, file, said):
    card = {"configs": [{"config_name": config, "data_files": [{"split": split, "path": "*.jsonl"}]}]}
    lines = hub_fetch({file: b'{"a":1}'}, card)
    if said is None:
        assert (lines[0]["config"], lines[0]["split"], lines[0]["paths"]) == (config, split, [file])
        assert lines[-1]["type"] == "done"
    else:
        assert [(line["type"], line.get("code")) for line in lines] == [("error", "invalid_name")]
        assert f"its {said}" in lines[0]["message"]


def test_names_as_long_as_they_may_be_fit_in_one_line_of_a_listing(hub_fetch):
    files = {f"{place:02}{'🕷' * 146}.jsonl": b'{"a":1}' for place in range(60)}
    listing = hub_fetch(files, None)[0]
    assert (listing["files"], len(listing["paths"])) == (60, 50)
    assert len(json.dumps(listing)) < 1_000_000


@pytest.fixture
def hub_fetch(tmp_path, monkeypatch, capsys):
    """The lines of a fetch of a dataset with these files and this card."""

    def go(files, card):
        with RunningHub(Hub(files, large=set(), kind="datasets", card=card)) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            monkeypatch.delenv("HF_TOKEN", raising=False)
            monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
            fetch.main(["--kind", "dataset", "--repo", REPO, "--revision", "main", "--into", str(tmp_path)])
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return go


def test_a_dataset_arrives_as_one_file_with_what_was_chosen(tmp_path, monkeypatch, capsys):
    files = {
        "data/train-1.jsonl": b'{"a":1}',
        "data/train-2.jsonl": b'{"a":2}',
        "data/test.jsonl": b"{}",
        "run.py": b"x",
    }
    with RunningHub(Hub(files, large={"data/train-1.jsonl"}, kind="datasets")) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        argv = ["--kind", "dataset", "--repo", REPO, "--revision", "main", "--into", str(tmp_path)]
        assert fetch.main(argv) == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert fetch.main([*argv, "--split=dev"]) != 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["code"] == "split_not_found"
        hub.refuse = (403, "GatedRepo")
        assert fetch.main(argv) != 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["code"] == "gated_dataset"
        hub.refuse = (404, "RepoNotFound")
        assert fetch.main(argv) != 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["code"] == "dataset_not_found"
    assert lines[0] == {
        "type": "listing",
        "commit": COMMIT,
        "bytes": 14,
        "files": 2,
        "config": None,
        "split": "train",
        "paths": ["data/train-1.jsonl", "data/train-2.jsonl"],
    }
    assert lines[-1] == {"type": "done", "files": ["data"]}
    assert (tmp_path / "data").read_bytes() == b'{"a":1}\n{"a":2}\n'
