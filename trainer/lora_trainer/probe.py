"""The first steps of an attempt, measured: they are the run's own, so nothing is wasted and nothing changes by it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from lora_trainer.memory import device_memory_mb, most_memory
from lora_trainer.team import Team

SMOOTHING = 0.1
"""Weight of the newest step in what is expected of the next one."""


@dataclass(frozen=True)
class Passed:
    """One optimizer step: how long it took and the tokens of its passes, without padding, with it, and trained."""

    seconds: float
    tokens: int
    padded: int
    trained: int


class Probe:
    """Takes the steps of an attempt until it has seen enough: warm-up steps are left out, timed ones are kept."""

    def __init__(self, settings: Any, steps_left: int) -> None:
        """`settings`: the field `probe` of config.json. A run too short for it times its last steps, one at least."""
        self.warmup_steps = min(settings.warmup_steps, steps_left - 1)
        self.timed_steps = min(settings.timed_steps, steps_left - self.warmup_steps)
        self.seen = 0
        self.timed: list[Passed] = []

    @property
    def steps(self) -> int:
        return self.warmup_steps + self.timed_steps

    @property
    def bounds_a_timed_step(self) -> bool:
        """If the step in hand, not taken yet, is timed or the last before one that is: its end must be exact."""
        return self.warmup_steps <= self.seen + 1 <= self.steps

    def take(self, step: Passed) -> bool:
        """Adds a step; true when it was the last that is measured."""
        self.seen += 1
        if self.warmup_steps < self.seen <= self.steps:
            self.timed.append(step)
        return self.seen == self.steps

    def figures(self, mean_tokens: float, longest_pass_tokens: int, device: str, team: Team | None = None) -> dict:
        """The line `probe`, without its step. `mean_tokens`: of a step over a whole epoch."""
        team = team or Team()
        seconds = [step.seconds for step in self.timed]
        memory = most_memory(device, team)
        return {
            "warmup_steps": self.warmup_steps,
            "timed_steps": self.timed_steps,
            "seconds_per_step": {
                "median": round(median(seconds), 6),
                "low": round(min(seconds), 6),
                "high": round(max(seconds), 6),
            },
            "tokens_per_step": round(fmean(step.tokens for step in self.timed), 1),
            "padded_tokens_per_step": round(fmean(step.padded for step in self.timed), 1),
            "trained_tokens_per_step": round(fmean(step.trained for step in self.timed), 1),
            "tokens_per_second": round(sum(step.tokens for step in self.timed) / sum(seconds), 1),
            "mean_tokens_per_step": round(mean_tokens, 1),
            "expected_seconds_per_step": round(
                median(step.seconds / step.tokens for step in self.timed) * mean_tokens, 6
            ),
            "longest_pass_tokens": longest_pass_tokens,
            "peak_allocated_mb": None if device == "cpu" else memory.peak,
            "peak_reserved_mb": memory.peak_reserved,
            "device_memory_mb": team.most([device_memory_mb(device)])[0],
        }


class Pace:
    """What the rest of a run will take, by what its steps, evaluations and checkpoints took so far."""

    def __init__(self, mean_tokens: float) -> None:
        """`mean_tokens`: of a step over a whole epoch."""
        self.mean_tokens = mean_tokens
        self.evaluation_seconds = 0.0
        self.checkpoint_seconds = 0.0
        self._seconds = 0.0
        self._tokens = 0.0

    def take(self, step: Passed) -> None:
        weight = SMOOTHING if self._tokens else 1.0
        self._seconds += weight * (step.seconds - self._seconds)
        self._tokens += weight * (step.tokens - self._tokens)

    def restart(self, steps: list[Passed]) -> None:
        """From now on these steps count in place of those before them: the first ones are slower than the rest."""
        self._seconds = fmean(step.seconds for step in steps)
        self._tokens = fmean(step.tokens for step in steps)

    def remaining(self, steps: int, evaluations: int, checkpoints: int) -> float | None:
        """Seconds for what is still to come; None before the first step."""
        if not self._tokens:
            return None
        a_step = self._seconds * self.mean_tokens / self._tokens
        return steps * a_step + evaluations * self.evaluation_seconds + checkpoints * self.checkpoint_seconds


def times_between(after: int, until: int, interval: int) -> int:
    """How many multiples of an interval lie after one step and up to another; 0 for an interval of 0."""
    return 0 if interval == 0 else until // interval - after // interval
