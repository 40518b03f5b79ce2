"""The closed list of reasons why a run fails, their exit codes, and how an exception is read as one of them."""

from __future__ import annotations

import errno
import os

EXIT_CODES = {
    "internal": 1,
    "bad_config": 2,
    "data": 3,
    "model_not_found": 4,
    "gated_model": 4,
    "out_of_memory": 5,
    "nan_loss": 6,
    "disk_full": 7,
    "interrupted": 143,
}
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
HALVE, CHECKPOINT, SHORTEN = (
    "halve batch_size and double grad_accum, which trains the same",
    "switch gradient_checkpointing on",
    "shorten max_seq_length",
)


class TrainerFailure(Exception):
    """A run that cannot go on: a code of EXIT_CODES, one sentence, the next step to take, the field at fault."""

    def __init__(self, code: str, message: str, hint: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.field = field
        self.trace: str | None = None
        """Of the process that failed, where that was another one."""

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.code]


def memory_hint(batch_size: int | None = None, gradient_checkpointing: bool = False) -> str:
    """What takes less memory; of what is known to be at its end already, nothing. `batch_size` None: not known."""
    ways = [HALVE] * (batch_size != 1) + [CHECKPOINT] * (not gradient_checkpointing) + [SHORTEN]
    text = ", or ".join([", ".join(ways[:-1]), ways[-1]]) if len(ways) > 1 else ways[0]
    return text[0].upper() + text[1:] + "."


def read_as_failure(error: BaseException) -> TrainerFailure:
    """What an exception means to the user; whatever is not known here is `internal`."""
    if isinstance(error, TrainerFailure):
        return error
    # safetensors hides the errno of the system in its text.
    text = str(error)
    if getattr(error, "errno", None) in DISK_ERRORS or any(os.strerror(number) in text for number in DISK_ERRORS):
        return TrainerFailure("disk_full", "The disk is full.", "Free space and resume from the last checkpoint.")
    if type(error).__name__ == "OutOfMemoryError" or "CUDA out of memory" in text:
        return TrainerFailure("out_of_memory", "The GPU's memory is full.", memory_hint())
    # torch says it in a RuntimeError: "DefaultCPUAllocator: can't allocate memory" or "not enough memory".
    if isinstance(error, MemoryError) or "DefaultCPUAllocator" in text or "Cannot allocate memory" in text:
        return TrainerFailure("out_of_memory", "The host's memory is full.", memory_hint())
    return TrainerFailure(
        "internal", f"The trainer failed: {type(error).__name__}.", "See the log of this run for the traceback."
    )
