"""Counts the parameters of models as transformers builds them and of adapters as PEFT puts them on, without weights.

python tests/model_shapes.py < requests.jsonl     one JSON object a line: {"config": {…}, "adapters": [{…}, …]}
An adapter: {"rank": 16, "targets": "all-linear" | ["q_proj", …], "dora": false}. One answer a line, in the same order.
"""

import json
import sys
import warnings
from collections import defaultdict

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.pytorch_utils import Conv1D
from transformers.utils import logging


def build(config: dict) -> PreTrainedModel:
    # Defaults of a class name a padding token that a small vocabulary does not have.
    known = {"pad_token_id": None} | {key: value for key, value in config.items() if key != "model_type"}
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(AutoConfig.for_model(config["model_type"], **known))


def count(model: PreTrainedModel) -> dict:
    """Parameters by part, and of each linear by the last part of its name."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = head.weight is embedding.weight
    counts = {"embedding": embedding.weight.numel(), "positions": 0, "norms": 0}
    counts["head"] = sum(p.numel() for p in head.parameters()) - (head.weight.numel() if tied else 0)
    linears = defaultdict(lambda: {"weights": 0, "biases": 0, "modules": 0})
    for path, module in model.named_modules():
        if module is embedding or module is head:
            continue
        of_linear = isinstance(module, nn.Linear | Conv1D)
        for name, parameter in module.named_parameters(recurse=False):
            size = parameter.numel()
            if isinstance(module, nn.Embedding):
                counts["positions"] += size
            elif of_linear or is_matrix(module, name):
                label = path.rsplit(".", 1)[-1] if name in ("weight", "bias") else name.removesuffix("_bias")
                linears[label]["biases" if name.endswith("bias") else "weights"] += size
                linears[label]["modules"] += 1 if of_linear and name == "weight" else 0
            else:
                counts["norms"] += size
    return counts | {"total": model.num_parameters(), "linears": linears}


def is_matrix(module: nn.Module, name: str) -> bool:
    """Whether a parameter that is no module multiplies activations: experts and routers, and their biases."""
    if "Norm" in type(module).__name__:
        return False
    return getattr(module, "weight" if name == "bias" else name.removesuffix("_bias")).dim() > 1


def count_adapter(config: dict, rank: int, targets: str | list[str], dora: bool) -> int | None:
    """None: PEFT refuses it."""
    settings = LoraConfig(r=rank, target_modules=targets, use_dora=dora, task_type="CAUSAL_LM")
    try:
        adapted = get_peft_model(build(config), settings)
    except ValueError:
        return None
    return adapted.get_nb_trainable_parameters()[0]


def main() -> int:
    warnings.filterwarnings("ignore")
    logging.set_verbosity_error()
    for line in sys.stdin:
        request = json.loads(line)
        config = request["config"]
        adapters = [count_adapter(config, **adapter) for adapter in request["adapters"]]
        print(json.dumps({"counts": count(build(config)), "adapters": adapters}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
