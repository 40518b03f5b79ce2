"""events.jsonl: the only writer of the lines that PROTOCOL.md describes."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import threading
from datetime import UTC, datetime
from pathlib import Path

TRACEBACK_MAX = 19_000
# PostgreSQL stores neither NUL nor half of a surrogate pair.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str, length: int) -> str:
    """The text cut to a length in UTF-16 units (JavaScript counts so), with what cannot be stored replaced."""
    text = UNSTORABLE.sub("\ufffd", text)
    if len(text) <= length and (text.isascii() or len(text.encode("utf-16-le")) // 2 <= length):
        return text
    return text.encode("utf-16-le")[: (length - 1) * 2].decode("utf-16-le", "ignore") + "…"


def figure(value: float | None, digits: int | None = None) -> float | None:
    """A number that JSON can hold: None for None, NaN and infinity."""
    if value is None or not math.isfinite(value):
        return None
    return value if digits is None else round(value, digits)


def log_line(kind: str, fields: dict[str, object]) -> str | None:
    """The same for whoever reads the log: a level and words; None for what would only fill it."""
    match kind:
        case "stage" if "total" in fields:
            return f"INFO {fields['stage']}: {fields['done']:,} of {fields['total']:,}"
        case "stage":
            return f"INFO {fields['stage']}"
        case "hello":
            trained, total = fields["trainable_parameters"], fields["total_parameters"]
            return f"INFO {fields['trainer']} on {fields['device']}, {trained:,} of {total:,} parameters trained"
        case "metric":
            names = ("loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second")
            shown = [f"{name} {fields[name]:.4g}" for name in names if fields.get(name) is not None]
            level = "WARNING" if fields.get("nonfinite") else "INFO"
            return f"{level} step {fields['step']}: {', '.join(shown) or 'nothing finite'}"
        case "probe":
            pace, memory = fields["seconds_per_step"]["median"], fields["device_memory_mb"]
            return f"INFO measured over {fields['timed_steps']} steps: {pace:.3g} s a step, {memory:,.0f} MB"
        case "checkpoint":
            return f"INFO checkpoint of step {fields['step']}, {fields['bytes']:,} bytes"
        case "artifact":
            return f"INFO wrote {fields['path']}, {fields['bytes']:,} bytes"
        case "warning":
            return f"WARNING {fields['code']}: {fields['message']}"
        case "error" if fields["code"] == "interrupted":
            # Asked for, so nothing has failed; the next step to take is the studio's to tell.
            return f"INFO {fields['message']}"
        case "error":
            return f"ERROR {fields['code']}: {fields['message']} {fields['hint']}"
        case "done":
            return "INFO done"
    return None


class Report:
    """Appends numbered lines, each in one write; safe to use from several threads."""

    def __init__(self, output: Path, begun: bool = False) -> None:
        """Creates events.jsonl in `output`. Raises FileExistsError where another attempt has written one.

        `begun`: the file was made for this process by the one that started it.
        """
        new = 0 if begun else os.O_CREAT | os.O_EXCL
        self._path = output / "events.jsonl"
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | new, 0o600)
        self._lock = threading.Lock()
        self._seq = 0
        self.writing = False
        """A line is under way: whoever raises now would tear it or leave a gap."""
        self.last_stage: str | None = None
        self.is_done = False
        """The last line of a good run was written."""

    def catch_up(self) -> None:
        """Goes on behind the lines of a process that is gone; half of one, which no reader has taken, is removed."""
        lines = self._path.read_bytes().split(b"\n")
        if lines[-1]:
            os.truncate(self._path, self._path.stat().st_size - len(lines[-1]))
        self._seq = len(lines) - 1
        self.is_done = self._seq > 0 and json.loads(lines[-2])["type"] == "done"

    def _send(self, kind: str, /, **fields: object) -> None:
        self.writing = True
        with self._lock:
            self._seq += 1
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line = json.dumps({"seq": self._seq, "ts": now, "type": kind, **fields}, allow_nan=False).encode() + b"\n"
            while line:
                line = line[os.write(self._file, line) :]
            if (words := log_line(kind, fields)) is not None:
                # Nobody may be listening any more; the events are what counts.
                with contextlib.suppress(OSError, ValueError):
                    print(now, " ".join(words.split()), flush=True)
        self.writing = False

    def stage(
        self, stage: str, done: int | None = None, total: int | None = None, eta_seconds: float | None = None
    ) -> None:
        """`done` of `total`: how far the stage is, with the seconds that its rest will take (None: not known yet)."""
        self.last_stage = stage
        far = {} if total is None else {"done": done, "total": total, "eta_seconds": figure(eta_seconds, 3)}
        self._send("stage", stage=stage, **far)

    def hello(
        self,
        trainer: str,
        versions: dict[str, str],
        device: str,
        gpus: list[dict],
        total_parameters: int,
        trainable_parameters: int,
    ) -> None:
        self._send(
            "hello",
            protocol=1,
            trainer=trainer,
            versions=versions,
            device=device,
            gpus=gpus,
            total_parameters=total_parameters,
            trainable_parameters=trainable_parameters,
        )

    def progress(self, step: int, total_steps: int, epoch: float, eta_seconds: float | None) -> None:
        self._send(
            "progress", step=step, total_steps=total_steps, epoch=round(epoch, 6), eta_seconds=figure(eta_seconds, 3)
        )

    def probe(self, step: int, figures: dict) -> None:
        self._send("probe", step=step, **figures)

    def metric(self, step: int, epoch: float, **figures: float | None) -> None:
        """One line of figures; None leaves a figure out, one that is not finite is null and flags the line."""
        given = {name: value for name, value in figures.items() if value is not None}
        finite = {name: figure(value) for name, value in given.items()}
        flag = {"nonfinite": True} if None in finite.values() else {}
        self._send("metric", step=step, epoch=round(epoch, 6), **finite, **flag)

    def sample(self, step: int, prompt: str, text: str) -> None:
        self._send("sample", step=step, prompt=storable(prompt, 4000), text=storable(text, 100_000))

    def sample_image(self, step: int, prompt: str, image: dict[str, str | int]) -> None:
        """A picture that is whole: path below output_path, width, height, seed, sha256, bytes."""
        self._send("sample", step=step, prompt=storable(prompt, 4000), image=image)

    def checkpoint(self, step: int, path: str, size: int) -> None:
        self._send("checkpoint", step=step, path=path, bytes=size)

    def artifact(self, kind: str, path: str, sha256: str, size: int) -> None:
        self._send("artifact", kind=kind, path=path, sha256=sha256, bytes=size)

    def warning(self, code: str, message: str) -> None:
        self._send("warning", code=code, message=storable(message, 2000))

    def error(self, code: str, message: str, hint: str, field: str | None = None, traceback: str | None = None) -> None:
        """The last line of a failed run, on the disk when this returns."""
        extra = {} if field is None else {"field": storable(field, 200)}
        if traceback is not None:
            extra["traceback"] = storable(traceback[-TRACEBACK_MAX:], TRACEBACK_MAX)
        self._send("error", code=code, message=storable(message, 2000), hint=storable(hint, 2000), **extra)
        os.fsync(self._file)

    def done(self, summary: dict[str, float | None]) -> None:
        """The last line of a good run, on the disk when this returns."""
        self._send("done", summary={name: figure(value) for name, value in summary.items()})
        os.fsync(self._file)


class Silence(Report):
    """What a process tells of that is one of many and not the one that writes: nothing."""

    def __init__(self) -> None:
        self.writing = False
        self.last_stage = None

    def _send(self, kind: str, /, **fields: object) -> None:
        """Told by the first process already."""

    def error(self, *_: object) -> None:
        """Told by the process that started this one."""

    def done(self, *_: object) -> None:
        """Told by the first process already."""
