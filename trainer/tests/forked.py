"""Runs of several devices without the seconds that each process takes to import torch: all are forked from this one.

Reads lines {"config": path, "plant": null | {"rank", "step", "what"}} and answers the exit code of each run.
`what`: `nan`, `memory` or `signal:NAME` strikes that process in that step; `stop` sends SIGTERM to whoever started it.
Of a training on images that process may also make nothing that is made once for all: a cache, a picture.
"""

import json
import os
import signal
import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path

import torch

import train_lora
from lora_trainer import loop
from lora_trainer.launch import Ended

IMPORTED_ONCE = (
    "peft",
    "torch.distributed.device_mesh",
    "torch.distributed.fsdp",
    "transformers.models.llama.modeling_llama",
)
FOR_IMAGES = ("diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl", "lora_trainer.images.sdxl")


def trains_images(path: str) -> bool:
    return json.loads(Path(path).read_text())["model_kind"] != "causal-lm"


def strike(plant: dict, images: bool) -> None:
    """Has what is planned happen when that step begins."""
    if images:
        from lora_trainer.images.loop import ImageLoop as Loop

        name = "_step"
        make_nothing()
    else:
        Loop, name = loop.LoraTrainer, "training_step"
    step = getattr(Loop, name)

    def and_strike(self: object, *given: object) -> object:
        at = self.state.step if images else self.state.global_step
        if at + 1 >= plant["step"]:
            kind, _, number = plant["what"].partition(":")
            if kind == "memory":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            if kind == "nan":
                with torch.no_grad():
                    self.trained[0].fill_(float("nan"))
            if kind == "signal":
                os.kill(os.getpid(), getattr(signal, number))
            if kind == "stop":
                os.kill(os.getppid(), signal.SIGTERM)
                plant["step"] = float("inf")
                # The stop comes to all of them in this step.
                while not self.stop.requested:
                    time.sleep(0.01)
        return step(self, *given)

    setattr(Loop, name, and_strike)


def make_nothing() -> None:
    """Has this process fail where it makes what the first makes for all."""
    from lora_trainer.images import loop as image_loop
    from lora_trainer.images import samples
    from lora_trainer.images.data.tensor_cache import TensorCache

    def refuse(*_: object) -> None:
        raise AssertionError("this is the first one's work")

    TensorCache.write = samples.draw = image_loop.draw = refuse


def forked(plant: dict | None, config: object, path: Path) -> list[Ended]:
    """As torchrun does it: one process for each device, and where one fails the others are ended."""
    ranks: dict[int, int] = {}
    for rank in range(config.values.devices):
        child = os.fork()
        if child == 0:
            os.environ["RANK"] = str(rank)
            if plant is not None and plant["rank"] == rank:
                strike(plant, trains_images(path))
            leave(train_lora.main(["--config", str(path)]))
        ranks[child] = rank
    ended: list[Ended] = []
    while ranks:
        child, status = os.wait()
        ended.append(Ended(ranks.pop(child), os.waitstatus_to_exitcode(status)))
        if ended[-1].code != 0:
            for other in ranks:
                os.kill(other, signal.SIGTERM)
    return ended


def leave(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    for module in IMPORTED_ONCE:
        import_module(module)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if trains_images(order["config"]):
            # Once, and then there for every run.
            for module in FOR_IMAGES:
                import_module(module)
        child = os.fork()
        if child == 0:
            leave(train_lora.main(["--config", order["config"]], partial(forked, order["plant"])))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


if __name__ == "__main__":
    main()
