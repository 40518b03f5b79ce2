"""transformers' Trainer with our data order, loss, figures and checkpoints in place of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import Trainer
from transformers.trainer_callback import PrinterCallback, ProgressCallback, TrainerCallback, TrainerState

from lora_trainer import checkpoints
from lora_trainer.adapter import read_adapter, write_adapter
from lora_trainer.arguments import arguments_of, steps_an_epoch
from lora_trainer.collator import EpochBatches, Pack, collate, count_pass, fullest_pack
from lora_trainer.config import Config
from lora_trainer.deal import Deal, Items, own
from lora_trainer.failure import TrainerFailure
from lora_trainer.loss import token_losses
from lora_trainer.memory import later_bytes, most_memory
from lora_trainer.probe import Pace, Passed, Probe, times_between
from lora_trainer.report import Report, figure
from lora_trainer.stopping import Stop, interrupted
from lora_trainer.team import Team

NONFINITE_MAX = 3
PROGRESS_SECONDS = 1.0
# Lengths that are alike keep the GPU's allocator from splitting its memory into odd pieces.
CUDA_MULTIPLE = 64


class EpochLoader(DataLoader):
    """A loader that Trainer tells the epoch."""

    def set_epoch(self, epoch: int) -> None:
        self.batch_sampler.set_epoch(epoch)


@dataclass
class RunState:
    """What a checkpoint remembers, so that a resumed run meets the rows and logs what an uninterrupted one would."""

    window_loss: float = 0.0
    window_trained: int = 0
    nonfinite: int = 0
    """Steps in a row without a finite loss."""
    evaluated: int = -1
    """The last step that was evaluated."""
    final_loss: float | None = None
    evaluations: dict[str, float | None] = field(default_factory=dict)
    longest_first: bool = False
    """If the longest row opened the run; a checkpoint that does not say so belongs to one where it did not."""


@dataclass
class Totals:
    """Counts over this attempt, of all devices."""

    tokens: int = 0
    trained: int = 0
    padded: int = 0
    """Tokens with their padding: what the model computes on."""


class BeforeFirstStep(TrainerCallback):
    """Runs what has to happen between loading and the first step."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act

    def on_train_begin(self, *_: object, **__: object) -> None:
        self.act()


class LoraTrainer(Trainer):
    """One run's steps. `after_step` of the recipe is called when a step's figures are written."""

    def __init__(
        self,
        model: torch.nn.Module,
        config: Config,
        packs: list[Pack],
        steps: int,
        pad_id: int,
        report: Report,
        stop: Stop,
        dataset_sha256: str,
        evaluate_now: Callable[[int], None],
        team: Team,
    ) -> None:
        super().__init__(model=model, args=arguments_of(config, steps))
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)
        self.add_callback(BeforeFirstStep(self._begin))
        self.loss_is_scaled_for_ga = True
        self.run_config = config
        self.packs = packs
        self.longest_tokens = max(sum(len(row.ids) for row in pack) for pack in packs)
        self.steps = steps
        self.pad_id = pad_id
        self.report = report
        self.stop = stop
        self.dataset_sha256 = dataset_sha256
        self.evaluate_now = evaluate_now
        self.team = team
        self.trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.only_probe = config.values.probe.only
        tokens = sum(len(row.ids) for pack in packs for row in pack)
        self.mean_tokens = tokens / steps_an_epoch(len(packs), config.params, team.size)
        self.pace = Pace(self.mean_tokens)
        self.run_state = RunState(longest_first=True)
        self.totals = Totals()
        self._step_loss = torch.zeros((), device=self.args.device)
        self._window_loss = torch.zeros((), dtype=torch.float64, device=self.args.device)
        self._streak = torch.zeros((), dtype=torch.int64, device=self.args.device)
        self._longest = torch.zeros((), dtype=torch.int64, device=self.args.device)
        self._window_start = (time.monotonic(), 0, 0)
        self._window_rows = 0
        self._last_step_at = time.monotonic()
        self._before = Totals()
        self._longest_pass = 0
        self._progress_at = -math.inf
        self._done_step = -1
        self.saved_step = -1

    # Data and loss

    def get_train_dataloader(self) -> DataLoader:
        params = self.run_config.params
        multiple = CUDA_MULTIPLE if self.run_config.values.device == "cuda" else 1
        first = fullest_pack(self.packs, multiple) if self.run_state.longest_first else None
        batches = EpochBatches(len(self.packs), params.batch_size, params.seed, first)

        def collate_own(dealt: list[list[Pack]]) -> dict:
            packs, counts = own(dealt, self.team.rank)
            return collate(packs, self.pad_id, multiple) | {"counts": counts, "of_pass": count_pass(dealt, multiple)}

        return EpochLoader(
            Items(self.packs),
            batch_sampler=Deal(batches, self.team.size),
            collate_fn=collate_own,
            # A generator of its own: the loader must not draw from the one that dropout uses.
            generator=torch.Generator(),
        )

    def _get_num_items_in_batch(self, batch_samples: list, device: torch.device) -> int:
        """Trained tokens of the whole accumulated batch, on all devices: the loss is a mean over them."""
        return sum(batch["of_pass"].trained for batch in batch_samples)

    def training_step(
        self, model: torch.nn.Module, inputs: dict, num_items_in_batch: int | None = None
    ) -> torch.Tensor:
        """One pass. The first, which has the longest row, gets no more memory than any later one will have."""
        taken = None
        if self.totals.tokens == 0:
            # Never written to: of a GPU it takes its bytes, of a host's memory none.
            size = later_bytes(self.optimizer, self.args.gradient_accumulation_steps)
            taken = torch.empty(size, dtype=torch.uint8, device=self.args.device)
        loss = super().training_step(model, inputs, num_items_in_batch)
        del taken
        if self.accelerator.sync_gradients:
            # Each device's loss is its share of one mean, so that their gradients add up to its gradient.
            self.team.sum_gradients(self.trained)
        return loss

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict, return_outputs: bool = False, num_items_in_batch: int | None = None
    ) -> torch.Tensor:
        total = token_losses(model, inputs).sum()
        if not inputs["counts"]:
            # Rows of another process, for want of its own.
            total = total * 0
        self._step_loss += total.detach()
        of_pass = inputs["of_pass"]
        self.run_state.window_trained += of_pass.trained
        self.totals.tokens += of_pass.tokens
        self.totals.trained += of_pass.trained
        self.totals.padded += of_pass.padded
        self._longest_pass = max(self._longest_pass, of_pass.longest)
        self._window_rows += of_pass.rows
        return total / num_items_in_batch

    def floating_point_ops(self, inputs: dict) -> int:
        """Not counted: Trainer would walk over all parameters in every step."""
        return 0

    # Figures, evaluation, checkpoints

    def _begin(self) -> None:
        step = self.state.global_step
        if step == 0:
            self.team.share(self.trained)
            if not self.team.leads:
                # What dropout leaves out differs from device to device, as it does from pass to pass.
                torch.manual_seed(self.run_config.params.seed + self.team.rank)
        evaluation = self.run_config.values.eval
        self.probe = Probe(self.run_config.values.probe, self.steps - step)
        if self.only_probe:
            self.steps = step + self.probe.steps
        due = evaluation.at_start if step == 0 else self._evaluation_due(step)
        if due and self.run_state.evaluated != step:
            self._evaluate(step)
        self.report.stage("training")
        self._synchronize()
        self._restart_clocks()

    def _evaluation_due(self, step: int) -> bool:
        interval = self.run_config.values.eval.interval_steps
        return not self.only_probe and (step == self.steps or bool(interval and step % interval == 0))

    def _evaluate(self, step: int) -> None:
        began = time.monotonic()
        self.evaluate_now(step)
        self.pace.evaluation_seconds = time.monotonic() - began

    def _synchronize(self) -> None:
        """Waits for the GPU, so that the clock tells what it has done and not what it was told to do."""
        if self.args.device.type == "cuda":
            torch.cuda.synchronize()

    def _restart_clocks(self) -> None:
        """What happened since the last step was no training."""
        self._last_step_at = time.monotonic()
        self._window_start = (self._last_step_at, self.totals.tokens, self._window_rows)

    def _maybe_log_save_evaluate(
        self, tr_loss: torch.Tensor, grad_norm: Any, *_: Any, learning_rate: float | None = None, **__: Any
    ) -> None:
        """Called by Trainer after each optimizer step, and once more at the end of an epoch."""
        step = self.state.global_step
        if step == self._done_step:
            return
        self._done_step = step
        # Trainer sums this up for a report of its own; kept at 0 it stays exact and finite.
        tr_loss -= tr_loss
        if self.probe.bounds_a_timed_step:
            self._synchronize()
        now = time.monotonic()
        passed = self._pass(now)
        self.pace.take(passed)
        step_loss = self.team.sum(self._step_loss)
        self._window_loss += step_loss
        self._streak = (self._streak + 1) * ~torch.isfinite(step_loss)
        self._longest = torch.maximum(self._longest, self._streak)
        self._step_loss = torch.zeros_like(self._step_loss)
        logged = step % self.run_config.params.logging_steps == 0 or step == self.steps
        if logged:
            self._log_window(step, now, grad_norm, learning_rate)
        measured = self.probe.take(passed)
        if measured:
            self.pace.restart(self.probe.timed)
            device = self.run_config.values.device
            self.report.probe(step, self.probe.figures(self.mean_tokens, self._longest_pass, device, self.team))
            self.control.should_training_stop |= self.only_probe
        self.tell_progress(force=measured or step == self.steps)
        values = self.run_config.values
        if self.team.any(self.stop.requested):
            self.save_checkpoint()
            raise interrupted(f"after step {step}; its checkpoint is kept")
        evaluates = self._evaluation_due(step)
        saves = bool(values.checkpoint_interval and step % values.checkpoint_interval == 0) and not self.only_probe
        if evaluates:
            self._evaluate(step)
            if step < self.steps:
                self.report.stage("training")
        if saves:
            self.save_checkpoint()
        if evaluates or saves:
            self._restart_clocks()

    def _pass(self, now: float) -> Passed:
        """What was done since the step before, and how long it took."""
        totals, before = self.totals, self._before
        passed = Passed(
            now - self._last_step_at,
            totals.tokens - before.tokens,
            totals.padded - before.padded,
            totals.trained - before.trained,
        )
        self._last_step_at, self._before = now, replace(totals)
        return passed

    def _log_window(self, step: int, now: float, grad_norm: Any, learning_rate: float | None) -> None:
        state = self.run_state
        loss = self._window_loss.item() / state.window_trained
        since, tokens, rows = self._window_start
        seconds = max(now - since, 1e-9)
        memory = most_memory(self.run_config.values.device, self.team)
        self.report.metric(
            step,
            self.state.epoch,
            loss=loss,
            learning_rate=learning_rate,
            grad_norm=grad_norm.item() if torch.is_tensor(grad_norm) else grad_norm,
            tokens_per_second=round((self.totals.tokens - tokens) / seconds, 1),
            samples_per_second=round((self._window_rows - rows) / seconds, 2),
            gpu_memory_mb=memory.reserved,
            peak_memory_mb=memory.peak,
        )
        state.final_loss = figure(loss)
        state.window_trained = 0
        self._window_loss.zero_()
        self._window_start = (now, self.totals.tokens, self._window_rows)
        self.refuse_nonfinite()

    def refuse_nonfinite(self) -> None:
        """Raises TrainerFailure(nan_loss) after too many steps in a row without a finite loss."""
        if int(self._longest) >= NONFINITE_MAX:
            raise TrainerFailure(
                "nan_loss",
                f"The loss was not finite in {NONFINITE_MAX} steps in a row, up to step {self.state.global_step}.",
                "Lower learning_rate, lengthen warmup_steps, or lower max_grad_norm.",
            )

    def tell_progress(self, force: bool = False) -> None:
        """A progress line, at most one a second unless forced."""
        now = time.monotonic()
        if not force and now - self._progress_at < PROGRESS_SECONDS:
            return
        self._progress_at = now
        step, values = self.state.global_step, self.run_config.values
        evaluations = saves = 0
        if step > 0 and not self.only_probe:
            # What this step itself still brings is to come as well.
            evaluated = step - (self.run_state.evaluated != step)
            interval = values.eval.interval_steps
            at_the_end = evaluated < self.steps and (interval == 0 or self.steps % interval > 0)
            evaluations = times_between(evaluated, self.steps, interval) + at_the_end
            saves = times_between(step - (self.saved_step != step), self.steps, values.checkpoint_interval)
        eta = self.pace.remaining(self.steps - step, evaluations, saves)
        self.report.progress(step, self.steps, self.state.epoch or 0.0, eta)

    def save_checkpoint(self) -> None:
        """Writes the state after the step in hand; refuses to where the loss is gone."""
        self.refuse_nonfinite()
        state, step = self.run_state, self.state.global_step
        state.window_loss = self._window_loss.item()
        state.nonfinite = int(self._streak)
        random_states = self.team.gather(checkpoints.random_state())

        def write(folder: Path) -> None:
            write_adapter(folder, self.model, self.run_config)
            checkpoints.save_training_state(
                folder, self.optimizer, self.lr_scheduler, self.accelerator.scaler, asdict(state), random_states
            )
            self.state.save_to_json(str(folder / "trainer_state.json"))

        began = time.monotonic()
        if self.team.leads:
            folder, size = checkpoints.write_checkpoint(self.run_config, self.dataset_sha256, step, write)
            self.report.checkpoint(step, folder.relative_to(self.run_config.output).as_posix(), size)
        self.team.wait()
        self.pace.checkpoint_seconds = time.monotonic() - began
        self.saved_step = step

    def load_run(self, folder: Path) -> None:
        """Adapter and figures of a checkpoint."""
        read_adapter(self.model, folder)
        self.run_state = RunState(**checkpoints.load_run_state(folder))
        self._window_loss.fill_(self.run_state.window_loss)
        self._streak.fill_(self.run_state.nonfinite)

    def is_finished(self, folder: Path) -> bool:
        """If a checkpoint is that of the last step."""
        return TrainerState.load_from_json(str(folder / "trainer_state.json")).global_step >= self.steps

    def finish(self, folder: Path) -> None:
        """What an attempt has left to do that was stopped after its last step."""
        self.load_run(folder)
        self.state = TrainerState.load_from_json(str(folder / "trainer_state.json"))
        self.saved_step = self.state.global_step
        if self.run_state.evaluated != self.steps:
            self.evaluate_now(self.steps)

    # Trainer's own way to a checkpoint, which would read pickles

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.load_run(Path(resume_from_checkpoint))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            checkpoints.load_training_state(
                Path(checkpoint), self.optimizer, self.lr_scheduler, self.accelerator.scaler
            )

    def _load_scaler(self, checkpoint: str | None) -> None:
        """Done with the optimizer."""

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            checkpoints.load_random_state(Path(checkpoint), self.team.rank)
