"""Trains one LoRA as config.json says and tells what happens in events.jsonl; PROTOCOL.md has the rules."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from pathlib import Path

from lora_trainer.config import check_config, read_config, recipe_of
from lora_trainer.environment import prepare_environment
from lora_trainer.failure import TrainerFailure, read_as_failure
from lora_trainer.hello import hello_line
from lora_trainer.launch import Start, leave_word, train_on_many, under_torchrun
from lora_trainer.report import Report, Silence
from lora_trainer.stopping import Stop, interrupted
from lora_trainer.team import PARENT, bind_to_parent, rank_here

HOME = str(Path(__file__).resolve().parent)


def open_report(raw: dict, rank: int | None) -> Report:
    """The event file in output_path. Raises TrainerFailure(bad_config) where there can be none.

    Of the processes of several devices the first one writes, into the file that their starter has made.
    """
    output = raw.get("output_path")
    if not isinstance(output, str) or not os.path.isabs(output) or not os.path.isdir(output):
        raise TrainerFailure("bad_config", "output_path must be an existing folder.", "Make it first.", "output_path")
    if rank is not None:
        return Report(Path(output), begun=True) if rank == 0 else Silence()
    try:
        return Report(Path(output))
    except FileExistsError:
        message = "output_path already holds the events.jsonl of another attempt."
        raise TrainerFailure("bad_config", message, "Give each attempt its own folder.", "output_path") from None


def without_host_paths(text: str, raw: dict) -> str:
    """A traceback or message with the folders of this machine shortened to what they are."""
    names = {HOME: "trainer", sys.prefix: "python", sys.base_prefix: "python", str(Path.home()): "~"}
    for name in ("output_path", "job_folder", "dataset_path"):
        names[str(raw.get(name))] = f"<{name}>"
    base = raw.get("base_model")
    names[str(base.get("path") if isinstance(base, dict) else None)] = "<base_model>"
    for path in sorted(names, key=len, reverse=True):
        if os.path.isabs(path) and path != "/":
            text = text.replace(path, names[path])
    return text


def tell(report: Report | None, raw: dict, failure: TrainerFailure, trace: str | None) -> None:
    """The error line; where it cannot be written, the same on stderr."""
    message, trace = without_host_paths(failure.message, raw), trace and without_host_paths(trace, raw)
    try:
        if report is not None:
            report.error(failure.code, message, failure.hint, failure.field, trace)
            return
    except OSError as error:
        print(f"events.jsonl cannot be written: {error}", file=sys.stderr)
    print(json.dumps({"code": failure.code, "message": message, "hint": failure.hint}), file=sys.stderr)


def main(argv: list[str], start: Start = under_torchrun) -> int:
    """Runs one attempt; answers its exit code. `start`: how the processes of several devices come about."""
    parser = argparse.ArgumentParser(description="Train one LoRA adapter as config.json says.")
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--config", type=Path, help="path of config.json (schema/config.schema.json)")
    wanted.add_argument("--hello", action="store_true", help="say what this trainer can do, in one line of JSON")
    args = parser.parse_args(argv)
    if args.hello:
        print(hello_line())
        return 0
    prepare_environment()
    report, raw, rank = None, {}, rank_here()
    if rank is not None:
        bind_to_parent()
    stop = Stop()
    try:
        stop.listen()
        raw = read_config(args.config)
        report = open_report(raw, rank)
        stop.is_busy = lambda: report.writing
        config = check_config(raw)
        recipe = recipe_of(config)
        if rank is None and config.values.devices > 1:
            train_on_many(config, args.config, report, stop, start)
        else:
            recipe(config, report, stop)
        return 0
    except KeyboardInterrupt:
        failure, trace = interrupted("at the keyboard"), None
    except Exception as error:
        failure = read_as_failure(error)
        expected = isinstance(error, TrainerFailure) and error.__cause__ is None
        trace = failure.trace if expected else traceback.format_exc()
        if trace and not expected:
            print(trace, file=sys.stderr)
    if rank is None or report is None:
        tell(report, raw, failure, trace)
    else:
        leave_word(Path(raw["output_path"]), rank, failure, trace, time.time())
    return failure.exit_code


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    if exit_code != 0 and PARENT in os.environ:
        # One of many that failed leaves at once: the others' end, which it would wait for, comes by its own.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)
    sys.exit(exit_code)
