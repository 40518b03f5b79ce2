"""What a check found, file by file, and how much of it: what keeps a picture out, and what is only worth knowing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from lora_trainer.image_check.faults import PictureFault

REJECTED_SHOWN = 100
# Of each kind, so that a thousand of one leave the others their place.
WARNED_SHOWN = 25
# In units of UTF-16, which is what the report is read in (`ImageFinding` of the studio).
NAME_SHOWN = 400


@dataclass
class Findings:
    rejected: list[dict] = field(default_factory=list)
    by_code: Counter[str] = field(default_factory=Counter)
    warned: list[dict] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def reject(self, file: str, fault: PictureFault) -> None:
        """A picture that is not taken, or a text that cannot be read."""
        self.by_code[fault.code] += 1
        if len(self.rejected) < REJECTED_SHOWN:
            self.rejected.append({"file": shown(file), "code": fault.code, "message": fault.message})

    def note(self, file: str, code: str, message: str) -> None:
        """Something about one file that is worth knowing."""
        self.counts[code] += 1
        if self.counts[code] <= WARNED_SHOWN:
            self.warned.append({"file": shown(file), "code": code, "message": message})


def shown(name: str) -> str:
    """A file's name as a report takes it: metadata may name one of any length."""
    units = name.encode("utf-16-le", "replace")
    if len(units) <= 2 * NAME_SHOWN:
        return name
    # `ignore`: the cut may go through a pair.
    return units[: 2 * (NAME_SHOWN - 1)].decode("utf-16-le", "ignore") + "…"
