"""Tells how far a long preparation is: every image and text goes through once before the first step."""

from __future__ import annotations

import time

from lora_trainer.report import Report
from lora_trainer.stopping import Stop

TELL_SECONDS = 5
"""Between two lines: each becomes an event of the job."""


class Progress:
    """Hears what is done of one preparation. Raises TrainerFailure(interrupted) where a stop was asked for."""

    def __init__(self, report: Report, stop: Stop) -> None:
        self.report = report
        self.stop = stop
        self.began = self.told_at = time.monotonic()
        self.done_before: int | None = None

    def __call__(self, done: int, total: int) -> None:
        self.stop.check("while preparing the data")
        now = time.monotonic()
        if self.done_before is None:
            self.began, self.done_before = now, done
        elif now - self.told_at < TELL_SECONDS and done < total:
            return
        if total == 0:
            return
        self.told_at = now
        made = done - self.done_before
        eta = (now - self.began) / made * (total - done) if made else (None if done < total else 0.0)
        self.report.stage("preparing_data", done=done, total=total, eta_seconds=eta)
