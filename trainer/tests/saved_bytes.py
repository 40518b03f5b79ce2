"""What torch keeps during one training step of tiny models, counted in bytes, by family, method and habit.

python tests/saved_bytes.py   (writes saved_bytes.jsonl: pytest measures it again, Vitest holds the planner to it)
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# Before a model that is not quantized is loaded in the same process: that leaves it out.
importlib.import_module("bitsandbytes")

FILE = Path(__file__).with_suffix(".jsonl")
ROWS, LENGTH, TRAINED = 2, 24, 17
SIZES = {
    "vocab_size": 97,
    "hidden_size": 48,
    "intermediate_size": 72,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "tie_word_embeddings": False,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
}
FAMILIES: dict[str, dict] = {
    "llama": {},
    "mistral": {"sliding_window": 16},
    "qwen2": {"tie_word_embeddings": True},
    "qwen3": {"head_dim": 16},
    "gemma": {"head_dim": 16},
    "gemma2": {"head_dim": 16, "sliding_window": 64},
    "gemma3_text": {
        "head_dim": 16,
        "sliding_window": 16,
        "layer_types": ["sliding_attention"] * 2 + ["full_attention"],
    },
    "phi": {},
    "phi3": {},
    "olmo": {},
    "olmo2": {},
    "granite": {},
    "stablelm": {},
    "starcoder2": {},
    "cohere": {},
    "cohere2": {"sliding_window": 16, "layer_types": ["sliding_attention"] * 2 + ["full_attention"]},
    "smollm3": {},
    "glm": {"head_dim": 8, "attention_bias": True},
    "glm4": {"head_dim": 8, "attention_bias": True},
    "nemotron": {},
    "helium": {"head_dim": 8},
    "seed_oss": {"head_dim": 16, "attention_dropout": 0.0, "residual_dropout": 0.0},
    "gpt_neox": {"num_key_value_heads": None},
    "opt": {"ffn_dim": 72, "word_embed_proj_dim": 48, "dropout": 0.0},
    "falcon": {"multi_query": True, "new_decoder_architecture": False, "parallel_attn": True, "bias": False},
    "mixtral": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "qwen2_moe": {
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 40,
        "shared_expert_intermediate_size": 56,
    },
    "qwen3_moe": {"head_dim": 16, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 40},
    "olmoe": {"num_experts": 4, "num_experts_per_tok": 2},
}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
RUN = {
    "method": "lora",
    "quantization": "none",
    "adapter": {"rank": 4, "targets": "all-linear", "dtype": "fp32", "dropout": 0.0},
    "gradient_checkpointing": False,
    "attention": "sdpa",
    "precision": "bf16",
    "weights_dtype": "bf16",
    "packing": False,
    "autocast": True,
    "head_on_trained_only": True,
}


def adapter(**changes: Any) -> dict:
    return {"adapter": RUN["adapter"] | changes}


FULL = {"method": "full", "adapter": None}
OWN_DTYPE = {"autocast": False}
HABITS: dict[str, dict] = {
    "lora": {},
    "lora in bf16": adapter(dtype="bf16"),
    "lora with dropout": adapter(dropout=0.1),
    "lora without autocast": OWN_DTYPE,
    "lora in bf16 without autocast": OWN_DTYPE | adapter(dtype="bf16"),
    "lora with dropout without autocast": OWN_DTYPE | adapter(dropout=0.1),
    "lora on a fp32 base": {"weights_dtype": "fp32"},
    "lora in fp32 arithmetic": {"weights_dtype": "fp32", "precision": "fp32"},
    "lora on attention": adapter(targets="attention"),
    "lora with every token's logits": {"head_on_trained_only": False},
    "lora with checkpoints": {"gradient_checkpointing": True},
    "lora with eager attention": {"attention": "eager"},
    "lora on packed rows": {"packing": True},
    "dora": {"method": "dora"},
    "dora with dropout": {"method": "dora"} | adapter(dropout=0.1),
    "dora without autocast": {"method": "dora"} | OWN_DTYPE,
    "qlora in nf4": {"method": "qlora", "quantization": "nf4"},
    "qlora in doubly quantized nf4": {"method": "qlora", "quantization": "nf4-dq"},
    "qlora in nf4 without autocast": {"method": "qlora", "quantization": "nf4"} | OWN_DTYPE,
    "qlora in nf4 with checkpoints": {"method": "qlora", "quantization": "nf4", "gradient_checkpointing": True},
    "qlora in int8": {"method": "qlora", "quantization": "int8"},
    "dora in nf4": {"method": "dora", "quantization": "nf4"},
    "full": FULL,
    "full without autocast": FULL | OWN_DTYPE,
    "full of fp32 weights": FULL | {"weights_dtype": "fp32"},
    "full in fp32 arithmetic": FULL | {"weights_dtype": "fp32", "precision": "fp32"},
    "full with checkpoints": FULL | {"gradient_checkpointing": True},
    "full with eager attention": FULL | {"attention": "eager"},
}
EVERY_FAMILY = ("lora", "full", "full of fp32 weights")


def cases() -> list[dict]:
    """Every habit on a llama, the chief ones on every family."""
    return [
        {"name": f"{family}: {name}", "config": config_of(family), "run": RUN | habit | attention_of(family, habit)}
        for family in FAMILIES
        for name, habit in HABITS.items()
        if family == "llama" or name in EVERY_FAMILY
    ]


def config_of(family: str) -> dict:
    config = {"model_type": family} | SIZES | FAMILIES[family]
    return {name: value for name, value in config.items() if value is not None}


def attention_of(family: str, habit: dict) -> dict:
    # SDPA refuses to cap scores.
    return {"attention": "eager"} if family == "gemma2" else {}


class Kept:
    """Tensors that autograd keeps, by where they were met first; what it lets go of again does not count."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.own = {tensor.untyped_storage().data_ptr() for tensor in tensors_of(model)}
        self.place = "outside"
        self.met: list[tuple[weakref.ref, str]] = []
        self.entered: dict[int, tuple[str, torch.Tensor]] = {}
        """Inputs of linears, by where they came in; held, so that no other takes their address."""
        self.holders: list[Held] = []

    def enter_linear(self, _: torch.nn.Module, args: tuple) -> None:
        self.entered.setdefault(args[0].untyped_storage().data_ptr(), (self.place, args[0]))

    def pack(self, tensor: torch.Tensor) -> Held:
        held = Held(tensor)
        self.met.append((weakref.ref(held), self.place))
        return held

    def add_inputs_of_int8(self, loss: torch.Tensor) -> None:
        """What bitsandbytes keeps on the node of the graph itself, past autograd's own saving."""
        nodes, seen = [loss.grad_fn], set()
        while nodes:
            node = nodes.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            nodes += [following for following, _ in node.next_functions]
            if node.name().startswith("MatMul8bit"):
                held = Held(node.A)
                self.holders.append(held)
                place, _ = self.entered[node.A.untyped_storage().data_ptr()]
                self.met.append((weakref.ref(held), place))

    def count(self) -> dict[str, int]:
        """Bytes by place: each storage once, weights and buffers never."""
        seen: set[int] = set()
        places: dict[str, int] = {}
        for reference, place in self.met:
            held = reference()
            storage = None if held is None else held.tensor.untyped_storage()
            if storage is None or storage.data_ptr() in seen | self.own:
                continue
            seen.add(storage.data_ptr())
            places[place] = places.get(place, 0) + storage.nbytes()
        return places


class Held:
    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor


class Alive(TorchDispatchMode):
    """The most bytes that were alive at once of tensors made inside."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.known = {tensor.untyped_storage()._cdata for tensor in tensors_of(model)}
        self.now = self.most = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        for tensor in torch.utils._pytree.tree_leaves(out):
            if torch.is_tensor(tensor):
                self.meet(tensor.untyped_storage())
        self.most = max(self.most, self.now)
        return out

    def meet(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self.known:
            return
        self.known.add(key)
        self.now += size

        def gone() -> None:
            self.known.discard(key)
            self.now -= size

        weakref.finalize(storage, gone)


def build(case: dict) -> torch.nn.Module:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    run = case["run"]
    fields = {name: value for name, value in case["config"].items() if name != "model_type"}
    config = AutoConfig.for_model(case["config"]["model_type"], **fields)
    torch.manual_seed(0)
    dtype = DTYPES[run["weights_dtype"]]
    model = AutoModelForCausalLM.from_config(config, attn_implementation=run["attention"], dtype=dtype)
    if run["quantization"] != "none":
        model = quantized(model, run["quantization"], dtype)
    if run["gradient_checkpointing"]:
        model.activation_checkpointing_enable({"use_reentrant": False})
    if run["adapter"] is not None:
        adapter = run["adapter"]
        targets = attention_linears(model) if adapter["targets"] == "attention" else adapter["targets"]
        settings = LoraConfig(
            task_type="CAUSAL_LM",
            r=adapter["rank"],
            lora_dropout=adapter["dropout"],
            target_modules=targets,
            use_dora=run["method"] == "dora",
        )
        model = get_peft_model(model, settings, autocast_adapter_dtype=adapter["dtype"] == "fp32")
    return model.train()


def quantized(model: torch.nn.Module, quantization: str, dtype: torch.dtype) -> torch.nn.Module:
    """The model as transformers loads it into bitsandbytes' linears."""
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    four = {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": quantization == "nf4-dq",
        "bnb_4bit_compute_dtype": torch.bfloat16,
    }
    settings = BitsAndBytesConfig(**({"load_in_8bit": True} if quantization == "int8" else four))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return AutoModelForCausalLM.from_pretrained(folder, quantization_config=settings, dtype=dtype, device_map="cpu")


def tensors_of(model: torch.nn.Module) -> list[torch.Tensor]:
    """Parameters and buffers, and what quantized ones keep beside themselves."""
    own = [*model.parameters(), *model.buffers()]
    for part in model.modules():
        state = getattr(getattr(part, "weight", None), "quant_state", getattr(part, "state", None))
        for holder in (getattr(part, "weight", None), state, getattr(state, "state2", None)):
            own += [tensor for tensor in getattr(holder, "__dict__", {}).values() if torch.is_tensor(tensor)]
    return own


def attention_linears(model: torch.nn.Module) -> list[str]:
    names = [name for name, part in model.named_modules() if isinstance(part, torch.nn.Linear) and "attn" in name]
    return sorted({name.rsplit(".", 1)[-1] for name in names})


def blocks_of(model: torch.nn.Module) -> torch.nn.ModuleList:
    lists = [part for part in model.modules() if isinstance(part, torch.nn.ModuleList)]
    return max(lists, key=lambda part: sum(parameter.numel() for parameter in part.parameters()))


def loss_of(model: torch.nn.Module, run: dict) -> torch.Tensor:
    """Forward and loss as our loop has it, or as transformers' models have it."""
    from lora_trainer.loss import token_losses

    ids = torch.arange(ROWS * LENGTH).view(ROWS, LENGTH) % 90 + 3
    batch: dict[str, Any] = {"input_ids": ids}
    if run["packing"]:
        batch["position_ids"] = torch.cat([torch.arange(10), torch.arange(LENGTH - 10)]).repeat(ROWS, 1)
    flow = contextlib.nullcontext()
    if run["autocast"] and run["precision"] != "fp32":
        flow = torch.autocast("cpu", dtype=DTYPES[run["precision"]])
    with flow:
        if not run["head_on_trained_only"]:
            return model(**batch, labels=ids.clone(), use_cache=False).loss
        batch |= {"positions": torch.arange(TRAINED) * 2, "targets": torch.arange(TRAINED)}
        return token_losses(model, batch).sum()


def measure(case: dict) -> dict:
    """Bytes of one step of a case.

    `blocks`: kept for backward by each block, `outside`: by all else; with checkpoints the inputs of blocks.
    `peak`: the most that was alive at once of what the step made, gradients of weights among it.
    """
    model, run = build(case), case["run"]
    kept = Kept(model)
    inputs: list[int] = []
    blocks = blocks_of(model)

    def enter(number: int) -> Any:
        def hook(_: torch.nn.Module, args: tuple, kwargs: dict) -> None:
            kept.place = str(number)
            inputs.append((args[0] if args else kwargs["hidden_states"]).untyped_storage().nbytes())

        return hook

    handles = []
    for number, block in enumerate(blocks):
        handles.append(block.register_forward_pre_hook(enter(number), with_kwargs=True))
        handles.append(block.register_forward_hook(lambda *_: setattr(kept, "place", "outside")))
    if run["quantization"] == "int8":
        handles += [
            part.register_forward_pre_hook(kept.enter_linear)
            for part in model.modules()
            if type(part).__name__ == "Linear8bitLt" and isinstance(part, torch.nn.Linear)
        ]
    with torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda held: held.tensor):
        loss = loss_of(model, run)
    if run["quantization"] == "int8":
        kept.add_inputs_of_int8(loss)
    places = kept.count()
    kept.holders.clear()
    kept.entered.clear()
    for handle in handles:
        handle.remove()
    loss.backward()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    adapted = {id(parameter) for parameter in trained}
    frozen = {tensor.untyped_storage().data_ptr(): tensor for tensor in tensors_of(model) if id(tensor) not in adapted}
    for buffer in model.buffers():
        frozen.pop(buffer.untyped_storage().data_ptr(), None)
    gradients = sum(parameter.grad.nbytes for parameter in trained if parameter.grad is not None)
    optimizer = torch.optim.AdamW(trained)
    optimizer.step()
    states = [tensor for state in optimizer.state.values() for tensor in state.values() if tensor.dim() > 0]
    optimizer.zero_grad()
    del loss
    with Alive(model) as alive:
        loss_of(model, run).backward()
    by_block = [places.get(str(number), 0) for number in range(len(blocks))]
    return {
        "frozen": sum(tensor.untyped_storage().nbytes() for tensor in frozen.values()),
        "trained": sum(parameter.nbytes for parameter in trained),
        "gradients": gradients,
        "optimizer": sum(tensor.nbytes for tensor in states),
        "blocks": inputs[: len(blocks)] if run["gradient_checkpointing"] else by_block,
        "outside": places.get("outside", 0),
        "peak": alive.most,
    }


def main() -> int:
    lines = [json.dumps(case | {"measured": measure(case)}) for case in cases()]
    FILE.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
