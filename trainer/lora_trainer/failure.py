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
MEMORY_HINT = "Halve batch_size and double grad_accum, shorten max_seq_length, or switch gradient_checkpointing on."


class TrainerFailure(Exception):
    """A run that cannot go on: a code of EXIT_CODES, one sentence, the next step to take, the field at fault."""

    def __init__(self, code: str, message: str, hint: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.field = field

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.code]


def read_as_failure(error: BaseException) -> TrainerFailure:
    """What an exception means to the user; whatever is not known here is `internal`."""
    if isinstance(error, TrainerFailure):
        return error
    # safetensors hides the errno of the system in its text.
    text = str(error)
    if getattr(error, "errno", None) in DISK_ERRORS or any(os.strerror(number) in text for number in DISK_ERRORS):
        return TrainerFailure("disk_full", "The disk is full.", "Free space and resume from the last checkpoint.")
    if type(error).__name__ == "OutOfMemoryError" or "CUDA out of memory" in text:
        return TrainerFailure("out_of_memory", "The GPU's memory is full.", MEMORY_HINT)
    # torch says it in a RuntimeError: "DefaultCPUAllocator: can't allocate memory" or "not enough memory".
    if isinstance(error, MemoryError) or "DefaultCPUAllocator" in text or "Cannot allocate memory" in text:
        return TrainerFailure("out_of_memory", "The host's memory is full.", MEMORY_HINT)
    return TrainerFailure(
        "internal", f"The trainer failed: {type(error).__name__}.", "See the log of this run for the traceback."
    )
