"""What torch and transformers read of the environment when they are imported; a value that is set already stays."""

import os
import warnings

VARIABLES = {
    # Weights are fetched by somebody else before; a run itself must not reach for the network.
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "PYTORCH_ALLOC_CONF": "expandable_segments:True",
    # Threads that spin while they wait for one that is not scheduled: on a busy host a step took ten times as long.
    "OMP_WAIT_POLICY": "PASSIVE",
    # … but a thousand turns before they sleep: a step takes two thirds of the time where little else runs.
    "GOMP_SPINCOUNT": "1000",
}

OTHER_NAMES = {"PYTORCH_ALLOC_CONF": "PYTORCH_CUDA_ALLOC_CONF"}
"""What torch reads as the same; whoever has set that has decided, too."""

SHARED_FROM_HIDDEN_SIZE = 512
"""Below this hidden size a step's operations are too small to be shared: two threads took a third longer than one."""


def prepare_environment() -> None:
    """To be called before torch is imported."""
    for name, value in VARIABLES.items():
        if OTHER_NAMES.get(name, name) not in os.environ:
            os.environ.setdefault(name, value)
    # transformers warns of a name that it uses itself: nothing that a reader of the log could act on.
    warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)


def choose_threads(hidden_size: int | None) -> None:
    """One CPU thread for a model whose operations are too small to share; else torch's own choice.

    It depends on the model alone, so that a run that is resumed adds up its sums in the same order.
    """
    import torch

    if hidden_size is not None and hidden_size < SHARED_FROM_HIDDEN_SIZE:
        torch.set_num_threads(1)
