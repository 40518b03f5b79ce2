"""Answers prompts greedily with a base model, with or without an adapter.

A line of the prompts file is {"prompt": "…"} or {"messages": [...]}; the output repeats it with "text" added.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lora_trainer.environment import prepare_environment
from lora_trainer.tokenize import ChatTokenizer

if TYPE_CHECKING:
    import torch

BATCH = 32


def answer(
    model: torch.nn.Module,
    chat: ChatTokenizer,
    prompts: list[list[int]],
    max_new_tokens: int,
    batch_size: int = BATCH,
    together: bool = False,
) -> list[str]:
    """The greedy answer to each prompt (token ids), without special tokens. Prompts of like length share a batch.

    `together`: other processes answer the same at the same time, each with its part of the model.
    """
    import torch
    from transformers import GenerationConfig

    settings = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        use_cache=True,
        eos_token_id=chat.stop_ids() or None,
        pad_token_id=chat.pad_id,
    )
    device = next(model.parameters()).device
    answers = [""] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
    was_training = model.training
    model.eval()
    try:
        for at in range(0, len(order), batch_size):
            places = order[at : at + batch_size]
            width = max(len(prompts[place]) for place in places)
            input_ids = torch.full((len(places), width), chat.pad_id)
            attention_mask = torch.zeros((len(places), width), dtype=torch.long)
            for line, place in enumerate(places):
                size = len(prompts[place])
                input_ids[line, width - size :] = torch.tensor(prompts[place])
                attention_mask[line, width - size :] = 1
            with torch.no_grad():
                ids = model.generate(
                    input_ids=input_ids.to(device),
                    attention_mask=attention_mask.to(device),
                    generation_config=settings,
                    synced_gpus=together,
                )
            for line, place in enumerate(places):
                answers[place] = chat.decode(ids[line, width:].tolist())
    finally:
        model.train(was_training)
    return answers


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m lora_trainer.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--adapter", type=Path, help="folder of an adapter; without it the base answers")
    parser.add_argument("--prompts", type=Path, required=True, help="JSON Lines with prompt or messages")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--max-new-tokens", type=int, required=True)
    parser.add_argument("--batch-size", type=int, default=BATCH)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16", "fp16"), default="fp32")
    args = parser.parse_args(argv)
    prepare_environment()

    from lora_trainer.base_model import load_base
    from lora_trainer.failure import read_as_failure

    try:
        chat = ChatTokenizer(args.base)
        rows = [json.loads(line) for line in args.prompts.read_text("utf-8").split("\n") if line.strip()]
        prompts = [
            chat.encode_prompt(row.get("messages") or [{"role": "user", "content": row["prompt"]}]) for row in rows
        ]
        model = load_base(args.base, args.precision, args.device)
        if args.adapter is not None:
            from peft import PeftModel

            # Merged, a layer is one matrix product instead of three.
            model = PeftModel.from_pretrained(model, args.adapter).merge_and_unload()
        texts = answer(model, chat, prompts, args.max_new_tokens, args.batch_size)
        lines = [json.dumps(row | {"text": text}, ensure_ascii=False) for row, text in zip(rows, texts, strict=True)]
        args.out.write_text("".join(line + "\n" for line in lines), "utf-8")
    except Exception as error:
        failure = read_as_failure(error)
        print(f"{failure.code}: {failure.message} {failure.hint} ({error})", file=sys.stderr)
        return failure.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
