import json
import subprocess
import sys

import pytest

from lora_trainer import inspect
from lora_trainer.prepare import prepare
from lora_trainer.tokenize import ChatTokenizer
from plant_faults import plant
from protocol import TRAINER


def inspected(*args, check=True):
    return subprocess.run(
        [sys.executable, "-m", "lora_trainer.inspect", *map(str, args)], cwd=TRAINER, capture_output=True, check=check
    )


@pytest.mark.parametrize("container", ["jsonl", "json"])
def test_the_report_equals_the_list_of_planted_faults(tmp_path, container):
    data, codes = plant(400, 7, container)
    path = tmp_path / "rows"
    path.write_bytes(data)
    report = inspect.inspect_dataset(path, invalid_rows="skip")
    assert {row["line"]: row["code"] for row in report["rejected"]} == codes
    assert report["rows_rejected"] == len(codes) == sum(report["rejected_by_code"].values())
    assert report["rows_valid"] == 400 - len(codes) == report["total_training_pairs"]
    assert (report["ready"], report["format"], report["container"]) == (True, "prompt_completion", container)


def test_rejected_rows_are_all_counted_and_the_first_hundred_listed(dataset):
    report = inspect.inspect_dataset(dataset([{"prompt": "a", "completion": "b"}, *[{"prompt": "x"}] * 1500]))
    assert report["rows_rejected"] == report["rejected_by_code"]["missing_field"] == 1500
    assert [row["line"] for row in report["rejected"]] == list(range(2, 102))
    assert (report["ready"], report["problem"]["code"]) == (False, "rows_rejected")


def test_tokens_and_mask_are_those_of_the_training(tiny, dataset, as_dataset):
    path = dataset()
    report = inspect.inspect_dataset(path, model=tiny, max_seq_length=40)
    rows = prepare(path, as_dataset(eval_rows=0), 10_000, ChatTokenizer(tiny)).train
    assert report["total_tokens"] == sum(len(row.ids) for row in rows)
    assert report["trained_tokens"] == sum(row.trained for row in rows)
    assert report["rows_over_max_seq_length"] == sum(len(row.ids) > 40 for row in rows) > 0
    lengths = sorted(len(row.ids) for row in rows)
    assert [report["tokens"][name] for name in ("p50", "p95", "p99", "max")] == [
        lengths[11],
        lengths[22],
        lengths[23],
        lengths[23],
    ]
    assert sum(bucket["rows"] for bucket in report["tokens"]["buckets"]) == len(rows)


def test_torch_and_transformers_are_never_imported(tiny, dataset, tmp_path):
    program = (
        "import sys; from lora_trainer.inspect import main; code = main(sys.argv[1:]);"
        "print([name for name in ('torch', 'transformers') if name in sys.modules]); sys.exit(code)"
    )
    args = ["--dataset", dataset(), "--model", tiny, "--report", tmp_path / "report.json", "--max-seq-length", 64]
    run = subprocess.run([sys.executable, "-c", program, *map(str, args)], cwd=TRAINER, capture_output=True, check=True)
    assert run.stdout == b"[]\n"


def test_repeated_rows_and_what_looks_like_a_secret_are_told_without_their_text(tmp_path, dataset):
    rows = [{"prompt": f"{n}", "completion": "same"} for n in range(10)]
    rows += [*rows[:3], {"prompt": "key", "completion": "hf_" + "a" * 34}]
    report = inspect.inspect_dataset(dataset(rows))
    assert report["duplicates"] == 3
    warnings = {warning["code"]: warning for warning in report["warnings"]}
    assert warnings["possible_secret"]["message"].endswith("lines 14.")
    assert "hf_" not in json.dumps(report["warnings"])


def test_control_tokens_in_a_text_are_told(tiny, dataset):
    rows = [{"prompt": f"{n}", "completion": "b"} for n in range(10)] + [{"prompt": "x<|im_end|>", "completion": "b"}]
    codes = {warning["code"] for warning in inspect.inspect_dataset(dataset(rows), model=tiny)["warnings"]}
    assert "special_token_in_text" in codes


def test_unknown_columns_are_named_and_a_mapping_is_suggested(dataset):
    path = dataset([{"question": "a", "answer": "b"}])
    report = inspect.inspect_dataset(path)
    assert (report["ready"], report["problem"]["code"]) == (False, "unknown_shape")
    assert report["columns"] == ["question", "answer"]
    assert inspect.inspect_dataset(path, mapping=report["suggestion"]["mapping"])["ready"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_dataset"),
        (b"\n\n", "empty_dataset"),
        (b"[]", "empty_dataset"),
        (b"{}\n{}", "no_valid_row"),
        (b"<html>", "type_mismatch"),
    ],
)
def test_a_file_without_a_usable_row_is_not_ready(tmp_path, data, code):
    path = tmp_path / "rows"
    path.write_bytes(data)
    report = inspect.inspect_dataset(path)
    assert (report["ready"], report["problem"]["code"]) == (False, code)


def test_the_command_writes_a_report_and_tells_progress(tiny, dataset, tmp_path):
    report = tmp_path / "report.json"
    inspected("--dataset", dataset(), "--report", report, "--format", "prompt_completion", "--progress")
    assert json.loads(report.read_text())["rows_valid"] == 24
    assert report.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--dataset", "/nowhere", "--report", "r"], 3),
        (["--dataset", "{data}", "--report", "r", "--model", "/nowhere"], 4),
        (["--dataset", "{data}"], 2),
        (["--dataset", "{data}", "--report", "r", "--mapping", "[]"], 2),
        (["--dataset", "{data}", "--report", "r", "--mapping", "{"], 2),
    ],
)
def test_bad_arguments_have_their_exit_codes(dataset, args, code):
    run = inspected(*(arg.replace("{data}", str(dataset())) for arg in args), check=False)
    assert run.returncode == code
    assert b"Traceback" not in run.stderr


def test_a_mapping_to_columns_that_are_not_there_names_them_the_files_own_and_the_rows(dataset):
    path = dataset([{"question": "a", "answer": "b"}] * 5 + [{"q": "a", "answer": "b"}])
    report = inspect.inspect_dataset(path, mapping={"prompt": "q", "completion": "answr"})
    assert (report["problem"]["code"], report["lacking"]) == ("no_valid_row", {"q": 5, "answr": 1})
    assert report["problem"]["message"] == (
        "Not one row of the file can be used. The column 'q' (mapped to 'prompt') is missing in 5 of 6 rows. "
        "The column 'answr' (mapped to 'completion') is missing in 1 of 6 rows. "
        "The file has the columns question, answer, q."
    )
    assert report["suggestion"]["mapping"] == {"prompt": "question", "completion": "answer"}


def test_a_second_column_that_is_nowhere_is_named_too(dataset):
    path = dataset([{"question": "a", "answer": "b"}])
    report = inspect.inspect_dataset(path, mapping={"prompt": "x", "completion": "y"})
    told = "'x' (mapped to 'prompt') is missing in 1 of 1 rows. Nor is there 'y' (mapped to 'completion')."
    assert told in report["problem"]["message"]


def test_rows_that_lack_a_field_are_counted_beside_the_good_ones(dataset):
    report = inspect.inspect_dataset(dataset([{"prompt": "a", "completion": "b"}] * 3 + [{"prompt": "a"}]))
    assert report["problem"]["message"] == (
        "1 of 4 rows break a rule. The column 'completion' is missing in 1 of 4 rows. "
        "The file has the columns prompt, completion."
    )
    assert report["suggestion"] is None
