import io
import sys
import threading

import pytest

from lora_trainer.report import Report
from protocol import of_type, read_events


def test_lines_are_numbered_without_gaps_from_many_threads(tmp_path):
    report = Report(tmp_path)
    threads = [
        threading.Thread(target=lambda: [report.progress(step, 200, 0, None) for step in range(200)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_events(tmp_path)) == 1600


def test_a_figure_that_is_not_finite_is_null_and_flags_its_line(tmp_path):
    report = Report(tmp_path)
    report.metric(1, 0.5, loss=float("nan"), grad_norm=float("inf"), learning_rate=0.1, gpu_memory_mb=None)
    report.metric(2, 0.6, loss=1.0)
    first, second = read_events(tmp_path)
    assert (first["loss"], first["grad_norm"], first["learning_rate"], first["nonfinite"]) == (None, None, 0.1, True)
    assert "gpu_memory_mb" not in first
    assert "nonfinite" not in second


def test_text_that_cannot_be_stored_is_replaced_and_long_text_cut(tmp_path):
    report = Report(tmp_path)
    report.sample(1, "a\x00b\ud800c", "🕷" * 60_000)
    report.error("internal", "m" * 5000, "h", traceback="t" * 50_000)
    sample, error = read_events(tmp_path)
    assert sample["prompt"] == "a\ufffdb\ufffdc"
    assert len(sample["text"].encode("utf-16-le")) // 2 <= 100_000
    assert sample["text"].endswith("🕷…")
    assert len(error["message"]) == 2000
    assert len(error["traceback"]) <= 20_000


def test_the_events_of_another_attempt_are_never_written_to(tmp_path):
    Report(tmp_path).stage("training")
    with pytest.raises(FileExistsError):
        Report(tmp_path)
    assert len(of_type(read_events(tmp_path), "stage")) == 1


def test_the_log_tells_a_reader_what_happens_line_by_line_with_its_instant(tmp_path, capsys):
    report = Report(tmp_path)
    report.stage("training")
    report.progress(1, 2, 0.5, None)
    report.metric(1, 0.5, loss=1.23456, learning_rate=1e-4)
    report.metric(2, 1.0, loss=float("nan"))
    report.warning("few_rows", "only\n3")
    report.error("data", "No row is left.", "Mend the file.")
    report.error("interrupted", "Stopped by request after step 2; its checkpoint is kept.", "Resume from it.")
    lines = capsys.readouterr().out.splitlines()
    instants = [event["ts"] for event in read_events(tmp_path) if event["type"] != "progress"]
    assert [line.split(" ", 1)[0] for line in lines] == instants
    assert [line.split(" ", 1)[1] for line in lines] == [
        "INFO training",
        "INFO step 1: loss 1.235, learning_rate 0.0001",
        "WARNING step 2: nothing finite",
        "WARNING few_rows: only 3",
        "ERROR data: No row is left. Mend the file.",
        "INFO Stopped by request after step 2; its checkpoint is kept.",
    ]


def test_a_log_that_nobody_reads_any_more_costs_no_event(tmp_path, monkeypatch):
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    Report(tmp_path).stage("training")
    assert len(read_events(tmp_path)) == 1
