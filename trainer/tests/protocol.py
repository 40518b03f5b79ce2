"""Reading a run's events as the worker reads them: whole lines, strict JSON, the schema."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

TRAINER = Path(__file__).resolve().parent.parent
SAMPLES = TRAINER / "schema" / "samples"
EVENT = Draft202012Validator(json.loads((TRAINER / "schema" / "event.schema.json").read_text()))


def refuse(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def finite(text: str) -> float:
    value = float(text)
    return value if abs(value) != float("inf") else refuse(text)


def parse_line(line: bytes | str) -> dict:
    """The event of one line; raises ValueError where a reader has to refuse it."""
    event = json.loads(line, parse_constant=refuse, parse_float=finite)
    for error in EVENT.iter_errors(event):
        raise ValueError(error.message)
    return event


def read_events(output: Path, strict: bool = True) -> list[dict]:
    """All events of a run. `strict`: a line that is refused fails the test instead of being left out."""
    events = []
    for line in (output / "events.jsonl").read_bytes().split(b"\n")[:-1]:
        try:
            events.append(parse_line(line))
        except ValueError:
            if strict:
                raise
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), "seq has gaps"
    return events


def of_type(events: list[dict], kind: str) -> list[dict]:
    return [event for event in events if event["type"] == kind]
