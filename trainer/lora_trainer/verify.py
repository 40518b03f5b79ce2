"""Checks in a fresh process that an adapter fits its base, or that a recorded evaluation loss can be reproduced.

`--base DIR --adapter DIR` reads no base weights: the model is built without data, so any size takes seconds.
`--config FILE --eval` loads everything and evaluates again. Each prints one JSON line; exit 0 if all is well.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lora_trainer.adapter import SETTINGS, WEIGHTS
from lora_trainer.base_model import first_line, load_base
from lora_trainer.config import check_config, read_config
from lora_trainer.environment import prepare_environment
from lora_trainer.failure import read_as_failure
from lora_trainer.images.adapters import WEIGHTS as IMAGE_WEIGHTS
from lora_trainer.images.pipeline_folder import INDEX
from lora_trainer.images.verify import check_image_adapter


def check_adapter(base: Path, adapter: Path) -> dict:
    """Puts the adapter on a base without data by PEFT and compares every tensor. `problems` is empty if it fits."""
    import torch
    from peft import PeftConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = PeftConfig.from_pretrained(str(adapter))
    named = settings.base_model_name_or_path
    with torch.device("meta"):
        config = AutoConfig.from_pretrained(base, trust_remote_code=False, local_files_only=True)
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False, attn_implementation=None)
        adapted = get_peft_model(model, settings)
        own = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    expected = {name: tensor.shape for name, tensor in own.items()}
    tensors = load_file(adapter / WEIGHTS)
    problems = [f"{name} is missing" for name in expected.keys() - tensors.keys()]
    problems += [f"{name} belongs to no module" for name in tensors.keys() - expected.keys()]
    for name in expected.keys() & tensors.keys():
        if tensors[name].shape != expected[name]:
            problems.append(f"{name} has the shape {[*tensors[name].shape]}, not {[*expected[name]]}")
        elif not torch.isfinite(tensors[name]).all():
            problems.append(f"{name} holds values that are not finite")
    if not problems:
        loaded = set_peft_model_state_dict(adapted, tensors, low_cpu_mem_usage=True)
        problems += [f"PEFT finds no place for {name}" for name in loaded.unexpected_keys]
    return {
        "ok": not problems and bool(tensors),
        "problems": sorted(problems)[:20] if tensors else ["the adapter holds no tensors"],
        "tensors": len(tensors),
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "base_model": named,
        "rank": settings.r,
    }


def evaluate_again(config_path: Path, adapter: Path | None) -> dict:
    """The evaluation loss of a run's held-out rows on base + adapter, or on the base alone."""
    from lora_trainer.loss import evaluate
    from lora_trainer.prepare import prepare
    from lora_trainer.tokenize import ChatTokenizer

    raw = read_config(config_path)
    # A checkpoint that the run went on from may be gone since.
    config = check_config(raw | {"resume_from": None})
    values, params = config.values, config.params
    chat = ChatTokenizer(config.base)
    prepared = prepare(Path(values.dataset_path), values.dataset, params.max_seq_length, chat)
    rows = prepared.held_out[: values.eval.rows_max]
    if not rows:
        return {"ok": False, "problems": ["the configuration holds no rows out"]}
    model = load_base(config.base, params.precision, values.device)
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter)
    loss = evaluate(model, rows, params.batch_size, chat.pad_id, params.precision)
    return {"ok": True, "problems": [], "eval_loss": loss, "rows": len(rows), "adapter": adapter is not None}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m lora_trainer.verify", description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, help="folder of the base model")
    parser.add_argument("--adapter", type=Path, help="folder of the adapter; with --eval the default is the run's own")
    parser.add_argument("--config", type=Path, help="config.json of a finished run")
    parser.add_argument("--eval", action="store_true", help="evaluate again as --config says")
    parser.add_argument("--no-adapter", action="store_true", help="with --eval: the base alone")
    args = parser.parse_args(argv)
    prepare_environment()
    try:
        if args.eval:
            if args.config is None:
                parser.error("--eval needs --config")
            adapter = args.adapter or Path(read_config(args.config)["output_path"]) / "adapter"
            result = evaluate_again(args.config, None if args.no_adapter else adapter)
        else:
            if args.base is None or args.adapter is None:
                parser.error("--base and --adapter are needed")
            of_images = (args.base / INDEX).is_file()
            needed = (IMAGE_WEIGHTS,) if of_images else (SETTINGS, WEIGHTS)
            check = check_image_adapter if of_images else check_adapter
            problems = [f"{name} is missing" for name in needed if not (args.adapter / name).is_file()]
            result = {"ok": False, "problems": problems} if problems else check(args.base, args.adapter)
    except Exception as error:
        failure = read_as_failure(error)
        message = f"{type(error).__name__}: {first_line(error)}" if failure.code == "internal" else failure.message
        result = {"ok": False, "problems": [message]}
    print(json.dumps(result))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
