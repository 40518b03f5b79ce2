"""Stands in for the trainer where runs are tested: what `program` in its config.json says, or else the fake trainer."""

import json
import os
import runpy
import sys

if __name__ == "__main__":
    with open(sys.argv[2]) as file:
        config = json.load(file)
    if "program" in config:
        exec(compile(config["program"], "<program>", "exec"), {"__name__": "__main__", "config": config})
    else:
        runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_trainer.py"), run_name="__main__")
