"""What this trainer is and can do, as `--hello` tells it: whoever asks should not wait for torch."""

from __future__ import annotations

import json

from lora_trainer import VERSION

PROTOCOLS = (1,)
IMAGE_KINDS = ("stable-diffusion", "sdxl", "flux")

TRAINS = (
    {"model_kind": "causal-lm", "methods": ["lora", "dora"], "strategies": ["none", "ddp", "fsdp"], "devices_max": 8},
    *(
        {"model_kind": kind, "methods": ["lora", "dreambooth"], "strategies": ["none", "ddp", "fsdp"], "devices_max": 8}
        for kind in IMAGE_KINDS
    ),
)


def hello_line() -> str:
    """One line of JSON (schema/hello.schema.json)."""
    return json.dumps({"protocols": PROTOCOLS, "trainer": f"lowrank-lora {VERSION}", "trains": TRAINS})
