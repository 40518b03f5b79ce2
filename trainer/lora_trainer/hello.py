"""What this trainer is and can do, as `--hello` tells it: whoever asks should not wait for torch."""

from __future__ import annotations

import json

from lora_trainer import VERSION

PROTOCOLS = (1,)

TRAINS = (
    {"model_kind": "causal-lm", "methods": ["lora", "dora"], "strategies": ["none", "ddp", "fsdp"], "devices_max": 8},
)


def hello_line() -> str:
    """One line of JSON (schema/hello.schema.json)."""
    return json.dumps({"protocols": PROTOCOLS, "trainer": f"lowrank-lora {VERSION}", "trains": TRAINS})
