"""Makes the demo base model: trains its tokenizer and pre-trains its weights on the text of write_text.py.

Runs on one GPU if there is one, else on the CPU (README.md tells how long it took). Usage: `python make_model.py`
"""

import argparse
import itertools
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

# Read when torch is imported: as in the trainer, threads that wait sleep instead of spinning for a core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from write_text import Document, documents

FOLDER = Path(__file__).parent / "model"
VOCABULARY = 2560
CONTEXT = 1024
END_OF_TEXT, TURN_START, TURN_END, PADDING = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"
SPECIAL = (END_OF_TEXT, TURN_START, TURN_END, PADDING)
ROLES = ("system", "user", "assistant")

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] not in ['system', 'user', 'assistant'] -%}"
    "{{- raise_exception('unknown role: ' ~ message['role']) -}}"
    "{%- endif -%}"
    "{{- '<|im_start|>' ~ message['role'] ~ '\\n' ~ message['content'] ~ '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)

HIDDEN, LAYERS, HEADS, INNER = 192, 4, 4, 512
STEPS, BATCH_TOKENS, LONGEST = 1500, 2048, 384
RATE, WARM_STEPS = 2e-3, 50
COPY_SHARE = 0.2
GIVEN_WEIGHT = 0.1
"""What a given token counts in the loss; one that follows from it counts 1. Chance wording teaches little."""

Sample = tuple[list[int], list[float]]
"""A document's token ids and what each of them counts in the loss."""


def parts(document: Document) -> list[tuple[str, bool]]:
    """The document as the model reads it, piece by piece, and whether a piece is given.

    A conversation is written as the chat template writes it; the mark END_OF_TEXT ends every document.
    """
    if isinstance(document, tuple):
        given, told = document
        return [(given, True), (told + END_OF_TEXT, False)]
    pieces = []
    for turn in document:
        opening, rest = f"{TURN_START}{turn['role']}\n", f"{turn['content']}{TURN_END}"
        pieces += [(opening, True), (rest, turn["role"] != "assistant"), ("\n", True)]
    return [*pieces, (END_OF_TEXT, True)]


def render(document: Document) -> str:
    """The whole document as the model reads it."""
    return "".join(piece for piece, _ in parts(document))


def train_tokenizer(seed: int) -> Tokenizer:
    """A byte-level BPE that knows any text, with single digits and VOCABULARY entries."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((render(each) for each in itertools.islice(documents(seed), 60_000)), trainer)
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes tokenizer.json and tokenizer_config.json with the chat template."""
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": None,
        "eos_token": TURN_END,
        "pad_token": PADDING,
        "unk_token": None,
        "add_bos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONTEXT,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def sample(tokenizer: Tokenizer, document: Document) -> Sample:
    """The document's ids and weights, cut at LONGEST tokens."""
    ids: list[int] = []
    weights: list[float] = []
    for piece, given in parts(document):
        new = tokenizer.encode(piece).ids
        ids += new
        weights += [GIVEN_WEIGHT if given else 1.0] * len(new)
    return ids[:LONGEST], weights[:LONGEST]


def batches(tokenizer: Tokenizer, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches of at most BATCH_TOKENS: ids (int64), weights (fp32, 0 on padding), both [documents, tokens].

    A row holds one document, and documents of like length share a batch.
    """
    source = documents(seed)
    rng = random.Random(seed)
    while True:
        samples = sorted(
            (sample(tokenizer, each) for each in itertools.islice(source, 4000)), key=lambda each: len(each[0])
        )
        groups: list[list[Sample]] = [[]]
        for each in samples:
            if (len(groups[-1]) + 1) * len(each[0]) > BATCH_TOKENS:
                groups.append([])
            groups[-1].append(each)
        rng.shuffle(groups)
        for group in groups:
            ids = torch.full((len(group), len(group[-1][0])), tokenizer.token_to_id(PADDING))
            weights = torch.zeros(ids.shape)
            for line, (its_ids, its_weights) in enumerate(group):
                ids[line, : len(its_ids)] = torch.tensor(its_ids)
                weights[line, : len(its_ids)] = torch.tensor(its_weights)
            yield ids, weights


def fresh_model(tokenizer: Tokenizer) -> LlamaForCausalLM:
    """The model with random weights, fp32."""
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=HIDDEN,
            intermediate_size=INNER,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS,
            max_position_embeddings=CONTEXT,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.token_to_id(TURN_END),
            pad_token_id=tokenizer.token_to_id(PADDING),
            initializer_range=0.02,
        )
    )
    torch.nn.init.normal_(model.model.embed_tokens.weight, std=0.05)
    for layer in model.model.layers:
        attention = layer.self_attn
        torch.nn.init.normal_(attention.q_proj.weight, std=0.06)
        torch.nn.init.normal_(attention.k_proj.weight, std=0.06)
        # Values and output start as a small identity: copying a token is learned in 300 steps, else in many thousands.
        turn = torch.linalg.qr(torch.randn(HIDDEN, HIDDEN)).Q * COPY_SHARE**0.5
        attention.v_proj.weight.data.copy_(turn)
        attention.o_proj.weight.data.copy_(turn.T)
    return model


def rate_at(step: int, steps: int) -> float:
    """The share of the peak rate: linear warm-up, then a straight line down to zero."""
    return min(1.0, (step + 1) / WARM_STEPS) * (1.0 - step / steps)


def weighted_loss(model: LlamaForCausalLM, ids: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The mean next-token loss in nats over the batch, every token counted by its weight."""
    logits = model(input_ids=ids, use_cache=False).logits[:, :-1].flatten(0, 1)
    losses = functional.cross_entropy(logits.float(), ids[:, 1:].flatten(), reduction="none")
    counts = weights[:, 1:].flatten()
    return (losses * counts).sum() / counts.sum()


def pretrain(model: LlamaForCausalLM, tokenizer: Tokenizer, seed: int, steps: int, device: str) -> None:
    """Trains the model for so many steps. Raises RuntimeError where the loss is no number."""
    model.to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step, steps))
    mean, seen, started = 0.0, 0, time.monotonic()
    for step, (ids, weights) in enumerate(itertools.islice(batches(tokenizer, seed), steps), start=1):
        with torch.autocast(device, dtype=torch.bfloat16):
            loss = weighted_loss(model, ids.to(device), weights.to(device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        mean = 0.97 * mean + 0.03 * loss.item()
        seen += int((weights > 0).sum())
        if step % 100 == 0 or step == steps:
            spent = time.monotonic() - started
            now = f"loss {mean / (1 - 0.97**step):.3f}  {seen / 1e6:.1f} M tokens"
            print(
                f"step {step}/{steps}  {now}  {spent:.0f} s, about {spent / step * (steps - step):.0f} s left",
                flush=True,
            )


def save_model(model: LlamaForCausalLM, folder: Path) -> None:
    """Writes config.json, generation_config.json and model.safetensors in bf16; the tied head is left out."""
    model.to("cpu", torch.bfloat16)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = model.config.to_diff_dict() | {"architectures": ["LlamaForCausalLM"], "dtype": "bfloat16"}
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    ends = {"eos_token_id": model.config.eos_token_id, "pad_token_id": model.config.pad_token_id}
    (folder / "generation_config.json").write_text(json.dumps({"do_sample": False} | ends, indent=2) + "\n")


def main() -> None:
    """Makes the whole folder `model/` but its README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    started = time.monotonic()
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer(options.seed)
    save_tokenizer(tokenizer, options.out)
    model = fresh_model(tokenizer)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"{model.num_parameters():,} parameters, on {device}; tokenizer made in {time.monotonic() - started:.0f} s")
    pretrain(model, tokenizer, options.seed + 1, options.steps, device)
    save_model(model, options.out)
    print(f"made in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
