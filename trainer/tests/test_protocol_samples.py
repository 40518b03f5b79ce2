import json

import pytest
from jsonschema import Draft202012Validator

from protocol import SAMPLES, TRAINER, parse_line


@pytest.mark.parametrize("line", (SAMPLES / "events.jsonl").read_text().splitlines())
def test_a_valid_sample_line_is_taken(line):
    assert parse_line(line) == json.loads(line)


@pytest.mark.parametrize("line", (SAMPLES / "invalid-events.jsonl").read_text().split("\n")[:-1])
def test_an_invalid_sample_line_is_refused(line):
    with pytest.raises(ValueError, match=r".+"):
        parse_line(line)


@pytest.mark.parametrize("name", ["config.json", "image-config.json"])
def test_the_sample_config_keeps_its_schema(name):
    schema = json.loads((TRAINER / "schema" / "config.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads((SAMPLES / name).read_text()))
