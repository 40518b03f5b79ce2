"""The steps of a run on images: passes, optimizer, figures, samples and checkpoints, the same for every family."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from lora_trainer import checkpoints
from lora_trainer.config import Config
from lora_trainer.deal import own
from lora_trainer.durable import publish_file, sha256_of
from lora_trainer.failure import TrainerFailure
from lora_trainer.images.adapters import Adapters
from lora_trainer.images.data.caches import LatentCache
from lora_trainer.images.data.image_set import ImageSet, View
from lora_trainer.images.data.order import Order, Pass, pixels_of, steps_per_epoch
from lora_trainer.images.embeddings import Embeddings
from lora_trainer.images.latents import draw_latents, encode_pixels
from lora_trainer.images.optimizer import average_of, make_optimizer, make_schedule
from lora_trainer.images.run_state import RunState, Totals
from lora_trainer.images.run_tensors import load_run_tensors, save_run_tensors
from lora_trainer.images.samples import as_png, at_rest, draw
from lora_trainer.memory import later_bytes, most_memory
from lora_trainer.probe import Pace, Passed, Probe, times_between
from lora_trainer.report import Report, figure
from lora_trainer.stopping import Stop, interrupted
from lora_trainer.team import Team

NONFINITE_MAX = 3
PROGRESS_SECONDS = 1.0
PIXELS_A_PLACE = 64
"""A place of the latents stands for eight by eight pixels."""


class ImageLoop:
    """One attempt's steps."""

    def __init__(
        self,
        family: Any,
        adapters: Adapters,
        image_set: ImageSet,
        embeddings: Embeddings,
        latents: LatentCache | None,
        config: Config,
        report: Report,
        stop: Stop,
        team: Team,
    ) -> None:
        """`latents`: None where each pass encodes its own images."""
        self.family = family
        self.adapters = adapters
        self.image_set = image_set
        self.embeddings = embeddings
        self.latents = latents
        self.config = config
        self.params = config.params
        self.report = report
        self.stop = stop
        self.team = team
        self.device: torch.device = family.parts.device
        self.trained = adapters.parameters()
        team.share(self.trained)
        self.optimizer = make_optimizer(adapters, family.denoiser_name, config)
        self.schedule = make_schedule(self.optimizer, config)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.params.precision == "fp16")
        self.average = average_of(self.trained, self.params.ema_decay)
        self.steps = self.params.max_steps
        self.only_probe = config.values.probe.only
        self.state = RunState()
        self.totals = Totals()
        self.saved_step = -1
        self.order = Order(image_set, self.params, team.size)
        self._beside = 1 if config.values.prior is None else 2
        self.mean_places = self._mean_places()
        self.pace = Pace(self.mean_places)
        self._window_loss = torch.zeros((), dtype=torch.float64, device=self.device)
        self._streak = torch.zeros((), dtype=torch.int64, device=self.device)
        self._longest = torch.zeros((), dtype=torch.int64, device=self.device)
        self._largest_pass = 0
        self._progress_at = -math.inf

    # Data

    def _places(self, examples: list[int]) -> int:
        """Places of the latents that a batch is computed on, with the class images beside it."""
        return self._beside * len(examples) * pixels_of(self.image_set, examples) // PIXELS_A_PLACE

    def _mean_places(self) -> float:
        """Of a step, over a whole epoch."""
        steps = steps_per_epoch(self.image_set, self.params.batch_size, self.params.grad_accum * self.team.size)
        return sum(map(self._places, self.order.of(0))) / steps

    @property
    def epoch(self) -> float:
        return self.state.epoch + self.state.position / len(self.order.of(self.state.epoch))

    def _latents_of(self, views: list[View]) -> torch.Tensor:
        """A draw of the latents of each view."""
        if self.latents is not None:
            rows = self.latents.get(views)
        else:
            with torch.no_grad():
                rows = encode_pixels(self.family.vae, self.image_set.pixels(views))
        return draw_latents({name: row.to(self.device) for name, row in rows.items()})

    # Steps

    def run(self) -> None:
        """From where the run stands to its last step. Raises TrainerFailure and whatever torch raises."""
        self.probe = Probe(self.config.values.probe, self.steps - self.state.step)
        if self.only_probe:
            self.steps = self.state.step + self.probe.steps
        if self._samples_are_due() and self.state.sampled != self.state.step:
            self._sample()
        self.report.stage("training")
        for model in self.adapters.models.values():
            model.train()
        self._synchronize()
        self._restart_clocks()
        while self.state.step < self.steps:
            self._step()
        self.refuse_nonfinite()

    def _step(self) -> None:
        passes = self.order.step(self.state.epoch, self.state.position)
        batches = [one for dealt in passes for one in dealt]
        images = sum(len(one.examples) for one in batches)
        places = [self._places(one.examples) for one in batches]
        self._largest_pass = max(self._largest_pass, *places)
        step_loss = torch.zeros((), device=self.device)
        for dealt in passes:
            # One for which none is left computes on another's, and it counts nothing.
            one, counts = own(dealt, self.team.rank)
            torch.manual_seed(one.seed(self.params.seed))
            with self._room_for_later():
                loss = self.loss_of(one) * (counts * len(one.examples) / images)
                self.scaler.scale(loss).backward()
            step_loss += loss.detach()
        # Each device's loss is its share of one mean, so that their gradients add up to its gradient.
        self.team.sum_gradients(self.trained)
        self.team.sum(step_loss)
        rate = self.schedule.get_last_lr()[0]
        self.scaler.unscale_(self.optimizer)
        grad_norm = torch.nn.utils.clip_grad_norm_(self.trained, self.params.max_grad_norm or math.inf)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.step(self.trained)
        self.state.step += 1
        self.state.epoch, self.state.position = batches[-1].epoch, batches[-1].position + 1
        self.state.window_images += images
        self.totals.images += images
        self.totals.places += sum(places)
        self._after_step(step_loss, images, sum(places), grad_norm, rate)

    def loss_of(self, one: Pass) -> torch.Tensor:
        """The loss of one pass: the mean over its images, and the prior's beside it."""
        views = self.image_set.views(one.examples, one.epoch, one.position)
        prior = self.config.values.prior
        if prior is not None:
            views += self.image_set.class_views(one.examples, one.epoch, one.position)
        # Outside of what is cast: the VAE of SDXL computes in fp32 whatever the precision is.
        latents = self._latents_of(views)
        with torch.autocast(self.device.type, self.family.parts.dtype, enabled=self.params.precision != "fp32"):
            text = self.embeddings([view.text for view in views])
            losses = self.family.losses(latents, text, views)
        return losses.combined(len(one.examples), 0.0 if prior is None else prior.weight)

    @contextlib.contextmanager
    def _room_for_later(self) -> Iterator[None]:
        """The first pass, which has the largest bucket, gets no more memory than any later one will have."""
        taken = None
        if self.totals.images == 0:
            # Never written to: of a GPU it takes its bytes, of a host's memory none.
            size = later_bytes(self.optimizer, self.params.grad_accum)
            taken = torch.empty(size, dtype=torch.uint8, device=self.device)
        yield
        del taken

    def _after_step(
        self, step_loss: torch.Tensor, images: int, places: int, grad_norm: torch.Tensor, rate: float
    ) -> None:
        state, values = self.state, self.config.values
        if self.probe.bounds_a_timed_step:
            self._synchronize()
        now = time.monotonic()
        passed = Passed(now - self._last_step_at, places, places, places)
        self._last_step_at = now
        self.pace.take(passed)
        self._window_loss += step_loss * images
        self._streak = (self._streak + 1) * ~torch.isfinite(step_loss)
        self._longest = torch.maximum(self._longest, self._streak)
        if state.step % self.params.logging_steps == 0 or state.step == self.steps:
            self._log_window(now, grad_norm, rate)
        measured = self.probe.take(passed)
        if measured:
            self.pace.restart(self.probe.timed)
            self.report.probe(
                state.step, self.probe.figures(self.mean_places, self._largest_pass, values.device, self.team)
            )
        self.tell_progress(force=measured or state.step == self.steps)
        if self.team.any(self.stop.requested):
            self.save_checkpoint()
            raise interrupted(f"after step {state.step}; its checkpoint is kept")
        samples = self._samples_are_due()
        saves = bool(values.checkpoint_interval and state.step % values.checkpoint_interval == 0)
        saves = saves and not self.only_probe
        if samples:
            self._sample()
            if state.step < self.steps:
                self.report.stage("training")
        if saves:
            self.save_checkpoint()
        if samples or saves:
            self._restart_clocks()

    def _log_window(self, now: float, grad_norm: torch.Tensor, rate: float) -> None:
        state = self.state
        loss = self._window_loss.item() / state.window_images
        since, images = self._window_start
        memory = most_memory(self.config.values.device, self.team)
        self.report.metric(
            state.step,
            self.epoch,
            loss=loss,
            learning_rate=rate,
            grad_norm=grad_norm.item(),
            samples_per_second=round((self.totals.images - images) / max(now - since, 1e-9), 3),
            gpu_memory_mb=memory.reserved,
            peak_memory_mb=memory.peak,
        )
        state.final_loss = figure(loss)
        state.window_images = 0
        self._window_loss.zero_()
        self._window_start = (now, self.totals.images)
        self.refuse_nonfinite()

    def refuse_nonfinite(self) -> None:
        """Raises TrainerFailure(nan_loss) after too many steps in a row without a finite loss."""
        if int(self._longest) >= NONFINITE_MAX:
            raise TrainerFailure(
                "nan_loss",
                f"The loss was not finite in {NONFINITE_MAX} steps in a row, up to step {self.state.step}.",
                "Lower learning_rate, lengthen warmup_steps, or take bf16 or fp32 for the precision.",
            )

    def tell_progress(self, force: bool = False) -> None:
        """A progress line, at most one a second unless forced."""
        now = time.monotonic()
        if not force and now - self._progress_at < PROGRESS_SECONDS:
            return
        self._progress_at = now
        step, values = self.state.step, self.config.values
        samples = saves = 0
        if step > 0 and not self.only_probe:
            # What this step itself still brings is to come as well.
            sampled = step - (self.state.sampled != step)
            interval = values.sample_interval
            at_the_end = sampled < self.steps and (interval == 0 or self.steps % interval > 0)
            samples = times_between(sampled, self.steps, interval) + at_the_end if values.sample_prompts else 0
            saves = times_between(step - (self.saved_step != step), self.steps, values.checkpoint_interval)
        eta = self.pace.remaining(self.steps - step, samples, saves)
        self.report.progress(step, self.steps, self.epoch, eta)

    def _synchronize(self) -> None:
        """Waits for the GPU, so that the clock tells what it has done and not what it was told to do."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def _restart_clocks(self) -> None:
        """What happened since the last step was no training."""
        self._last_step_at = time.monotonic()
        self._window_start = (self._last_step_at, self.totals.images)

    # Samples

    def _samples_are_due(self) -> bool:
        interval, step = self.config.values.sample_interval, self.state.step
        wanted = bool(self.config.values.sample_prompts) and not self.only_probe
        return wanted and (step == self.steps or bool(interval and step % interval == 0))

    def _sample(self) -> None:
        """Draws every sample prompt with the adapter as it would be written now."""
        began = time.monotonic()
        self.report.stage("evaluating")
        prompts, step = self.config.values.sample_prompts, self.state.step
        with at_rest(list(self.adapters.models.values())), self.averaged():
            for place, prompt in enumerate(prompts):
                self.team.check(self.stop, f"while drawing samples after step {step}")
                # A model in parts draws only where all of them work on it; a whole one needs nobody else.
                if self.team.leads or self.team.shards:
                    self._draw(place, prompt)
                self.tell_progress()
        self.team.wait()
        # Only now: a round that was broken off is made up for on resuming.
        self.state.sampled = step
        self.pace.evaluation_seconds = time.monotonic() - began

    def _draw(self, place: int, prompt: str) -> None:
        """Draws one sample prompt and tells of it. `place`: among the prompts."""
        values, step, side = self.config.values, self.state.step, self.params.resolution
        seed = values.sample_seed + place
        [picture] = draw(self.family, self.embeddings, [prompt], [seed], side, side, values.sample_steps)
        if not self.team.leads:
            return
        file = self.config.output / "samples" / f"step-{step:08d}-{place + 1}.png"
        file.parent.mkdir(exist_ok=True)
        publish_file(file, as_png(picture))
        name = file.relative_to(self.config.output).as_posix()
        image = {"path": name, "width": picture.width, "height": picture.height, "seed": seed}
        self.report.sample_image(step, prompt, image | {"sha256": sha256_of(file), "bytes": file.stat().st_size})

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """The adapter as it is written: the moving average where there is one."""
        if self.average is None:
            yield
            return
        self.average.store(self.trained)
        self.average.copy_to(self.trained)
        try:
            yield
        finally:
            self.average.restore(self.trained)

    # Checkpoints

    def facts(self) -> dict[str, str]:
        """What an adapter's files say of their making."""
        values = self.config.values
        classes = {example.image.sha256 for beside in self.image_set.class_examples.values() for example in beside}
        return {
            "base_model": values.base_model.id,
            "base_model_revision": values.base_model.revision or "",
            "model_kind": values.model_kind,
            "method": values.method,
            "lora_rank": str(self.params.lora_rank),
            "lora_alpha": str(self.params.lora_alpha),
            "trigger_words": json.dumps(values.trigger_words),
            "instance_prompt": values.instance_prompt or "",
            "dataset_sha256": self.image_set.dataset_sha256,
            "training_images": str(len(self.image_set.examples)),
            "class_images": str(len(classes)),
            "steps": str(self.state.step),
        }

    def write_adapter(self, folder: Path) -> None:
        with self.averaged():
            self.adapters.write(folder, self.facts())

    def save_checkpoint(self) -> None:
        """Writes the state after the step in hand; refuses to where the loss is gone."""
        self.refuse_nonfinite()
        state = self.state
        state.window_loss = self._window_loss.item()
        state.nonfinite = int(self._streak)
        if self.average is not None:
            state.averaged_steps = self.average.optimization_step

        def write(folder: Path) -> None:
            self.write_adapter(folder)
            save_run_tensors(folder, self.adapters.tensors(), self.average)
            # No random state: a pass draws by its place in the order.
            checkpoints.save_training_state(folder, self.optimizer, self.schedule, self.scaler, asdict(state), [])

        began = time.monotonic()
        if self.team.leads:
            folder, size = checkpoints.write_checkpoint(self.config, self.image_set.dataset_sha256, state.step, write)
            self.report.checkpoint(state.step, folder.relative_to(self.config.output).as_posix(), size)
        self.team.wait()
        self.pace.checkpoint_seconds = time.monotonic() - began
        self.saved_step = state.step

    def load_checkpoint(self, folder: Path) -> None:
        """Goes on from a checkpoint as if there had been no end."""
        self.state = RunState(**checkpoints.load_run_state(folder))
        self.adapters.set(load_run_tensors(folder, self.average))
        if self.average is not None:
            self.average.optimization_step = self.state.averaged_steps
        checkpoints.load_training_state(folder, self.optimizer, self.schedule, self.scaler)
        self._window_loss.fill_(self.state.window_loss)
        self._streak.fill_(self.state.nonfinite)
        self.saved_step = self.state.step
