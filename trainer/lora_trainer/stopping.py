"""SIGTERM: at once while nothing is at stake, else at the next safe place."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from lora_trainer.failure import TrainerFailure


def interrupted(what: str) -> TrainerFailure:
    return TrainerFailure(
        "interrupted", f"Stopped by request {what}.", "Resume from the last checkpoint, if there is one."
    )


class Stop:
    """Remembers that the run was asked to stop. `immediate`: SIGTERM raises where the program stands."""

    def __init__(self) -> None:
        self.requested = False
        self.immediate = True
        self.is_busy: Callable[[], bool] = lambda: False
        """If raising has to wait for the next `check` just now."""

    def listen(self) -> None:
        """Takes SIGTERM from now on; does nothing in a thread, where Python forbids it."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        if self.requested:
            return
        self.requested = True
        if self.immediate and not self.is_busy():
            raise interrupted("before the first step")

    def check(self, what: str) -> None:
        """Raises TrainerFailure(interrupted) if a stop was asked for."""
        if self.requested:
            raise interrupted(what)
