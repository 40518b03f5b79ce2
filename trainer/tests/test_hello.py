import json
import os
import subprocess
import sys

from jsonschema import Draft202012Validator

from protocol import SAMPLES, TRAINER

SCHEMA = json.loads((TRAINER / "schema" / "hello.schema.json").read_text())
CONFIG = json.loads((TRAINER / "schema" / "config.schema.json").read_text())


def hello(*command: str) -> dict:
    """What a program prints for --hello, where nothing may be written and no package is to be had."""
    ended = subprocess.run(
        [sys.executable, "-S", *command, "--hello"], cwd=TRAINER, capture_output=True, timeout=60, env=os.environ
    )
    assert (ended.returncode, ended.stderr, ended.stdout.count(b"\n")) == (0, b"", 1)
    return json.loads(ended.stdout)


def test_the_trainer_says_hello_without_any_package_as_the_sample_has_it():
    said = hello("train_lora.py")
    Draft202012Validator(SCHEMA).validate(said)
    assert said == json.loads((SAMPLES / "hello.json").read_text())


def test_whatever_it_says_that_it_trains_can_be_written_into_a_config():
    text = json.dumps(CONFIG)
    for kind in hello("train_lora.py")["trains"]:
        for name in (kind["model_kind"], *kind["methods"], *kind["strategies"]):
            assert f'"{name}"' in text


def test_the_stand_in_speaks_the_same_protocol():
    said = hello("fake_trainer.py")
    Draft202012Validator(SCHEMA).validate(said)
    assert said["protocols"] == hello("train_lora.py")["protocols"]
