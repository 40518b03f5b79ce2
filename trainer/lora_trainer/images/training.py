"""One run on an image model from its configuration to the line `done`, whatever its family."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from typing import Any

from lora_trainer import VERSION
from lora_trainer.checkpoints import check_checkpoint
from lora_trainer.config import Config
from lora_trainer.durable import publish_file, publish_folder, sha256_of
from lora_trainer.failure import TrainerFailure, read_as_failure
from lora_trainer.images.adapters import WEIGHTS, Adapters
from lora_trainer.images.data.caches import LatentCache, Tell, TextCache, quiet
from lora_trainer.images.data.class_images import Generate, provide_class_images
from lora_trainer.images.data.image_set import ImageSet, open_images
from lora_trainer.images.data.telling import Progress
from lora_trainer.images.model_card import model_card
from lora_trainer.images.optimizer import check_optimizer
from lora_trainer.images.pipeline_folder import check_pipeline, folder_sha256, parameters_of
from lora_trainer.memory import measure_memory, most_memory
from lora_trainer.report import Report
from lora_trainer.run_facts import gpus, in_background, versions, without_host_paths
from lora_trainer.stopping import Stop
from lora_trainer.team import Team, join, rank_here

PACKAGES = ("torch", "diffusers", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "pillow")
ENCODED_AT_ONCE = 4
"""Images that go through the VAE together; as many class images are drawn together."""


class Kind:
    """A family before anything of it is loaded: where its recipe is, and what its folder must hold."""

    def __init__(self, module: str, recipe: str, pipeline: str, denoiser: str, encoders: tuple[str, ...]) -> None:
        self.module = module
        self.recipe = recipe
        self.pipeline = pipeline
        self.encoders = encoders
        self.parts = (denoiser, "vae", *encoders)


TWO = ("text_encoder", "text_encoder_2")
KINDS = {
    "stable-diffusion": Kind("stable_diffusion", "StableDiffusion", "StableDiffusionPipeline", "unet", TWO[:1]),
    "sdxl": Kind("sdxl", "Sdxl", "StableDiffusionXLPipeline", "unet", TWO),
    "flux": Kind("flux", "Flux", "FluxPipeline", "transformer", TWO),
}


def train_images(config: Config, report: Report, stop: Stop) -> None:
    """One attempt, from a valid configuration to the line `done`. Raises TrainerFailure and whatever torch raises."""
    started = time.monotonic()
    values, params = config.values, config.params
    kind = KINDS[values.model_kind]

    # What can be refused is refused before torch is imported, which takes seconds.
    report.stage("preparing_data")
    check_optimizer(config)
    files = check_pipeline(config.base, kind.pipeline, kind.parts)
    image_set = open_images(config)
    for code, message in image_set.warnings:
        report.warning(code, message)
    stop.check("before the first step")

    report.stage("loading_model")
    every = [path for part in kind.parts for path in files[part]]
    base_sha256 = in_background(folder_sha256, every, config.base) if not rank_here() else None
    team = join(config.output, values.devices, values.strategy, values.device)
    from lora_trainer.images.embeddings import Embeddings
    from lora_trainer.images.loop import ImageLoop
    from lora_trainer.images.pipeline_folder import Parts

    parts = Parts(config.base, files, params.precision, values.device, team, kind.parts[0])
    family = getattr(import_module(f"lora_trainer.images.{kind.module}"), kind.recipe)(parts, params)
    embeddings = Embeddings(family, params.train_text_encoder)
    once = Once(team, report, stop)
    if params.cache_text_embeddings:
        report.stage("preparing_data")
        cache_texts(kind, files, embeddings, image_set, config, once)
    if values.prior is not None:
        report.stage("preparing_data")
        add_class_images(family, embeddings, image_set, config, base_sha256, once)
    latents = None
    if params.cache_latents:
        report.stage("preparing_data")
        latents = cache_latents(family, image_set, config, files["vae"], once)

    report.stage("loading_model")
    parts.choose_threads(family.width)
    adapters = Adapters(family, config)
    all_gpus = [gpu for own in team.gather(gpus(values.device)) for gpu in own]
    report.hello(
        trainer=f"lowrank-lora {VERSION}",
        versions=versions(PACKAGES),
        device=values.device,
        gpus=all_gpus,
        total_parameters=parameters_of(every) + sum(weight.numel() for weight in adapters.parameters()),
        trainable_parameters=sum(weight.numel() for weight in adapters.parameters()),
    )
    loop = ImageLoop(family, adapters, image_set, embeddings, latents, config, report, stop, team)

    # From here on a stop waits for the end of the step, so that a checkpoint can be written.
    stop.immediate = False
    stop.check("before the first step")
    train(config, loop)

    summary = summary_of(loop, started)
    if base_sha256 is not None and not values.probe.only:
        report.stage("saving")
        publish(config, loop, report, summary, base_sha256.result(), all_gpus)
    report.stage("done")
    report.done(summary)
    team.leave()


class Once:
    """What is made once for all devices: the first one's process makes it, and tells how far it is; the others wait."""

    def __init__(self, team: Team, report: Report, stop: Stop) -> None:
        self.team = team
        self.report = report
        self.stop = stop

    def make(self, build: Callable[[Tell], object]) -> None:
        """`build` is given whom to tell what of how much is done. Raises TrainerFailure(interrupted) on a stop."""
        self.draw(lambda _, tell: build(tell), None)

    def draw(self, build: Callable[[Generate, Tell], object], generate: Generate | None) -> None:
        """The same with what draws pictures: a model that lies in parts draws them with the help of all."""
        progress = Progress(self.report, self.stop)

        def build_and_tell(others: Callable[..., object]) -> None:
            def tell(done: int, total: int) -> None:
                progress(done, total)
                others()

            def drawn(*asked: Any) -> Any:
                if self.team.shards:
                    others(*asked)
                return generate(*asked)

            build(drawn, tell)

        self.team.led(build_and_tell, generate)


def cache_texts(
    kind: Kind, files: dict[str, list[Path]], embeddings: Any, image_set: ImageSet, config: Config, once: Once
) -> None:
    """Embeds every text of the run; afterwards the encoders are let go."""
    values = config.values
    encoders = [path for part in kind.encoders for path in files[part]]
    sums = once.team.of_first(lambda: folder_sha256(encoders, config.base))
    cache = TextCache(Path(values.job_folder), f"{sums} {config.params.precision}")
    told = [*values.sample_prompts, ""] + ([] if values.prior is None else [values.prior.class_prompt])
    once.make(lambda tell: embeddings.fill(cache, [*image_set.all_texts(), *told], tell))
    embeddings.take(cache)


def add_class_images(
    family: Any, embeddings: Any, image_set: ImageSet, config: Config, base_sha256: Future[str] | None, once: Once
) -> None:
    """Puts class images beside the examples; those that are lacking are drawn by the base model as it is."""
    from lora_trainer.images.samples import at_rest, draw

    values = config.values
    folder = Path(values.job_folder)
    base = once.team.of_first(lambda: base_sha256.result())
    identity = f"{base} {values.sample_steps} {config.params.precision}"

    def generate(prompts: list[str], seeds: list[int], width: int, height: int) -> Any:
        with at_rest([family.denoiser]):
            return draw(family, embeddings, prompts, seeds, width, height, values.sample_steps)

    def provide(generate: Generate, tell: Tell) -> None:
        provide_class_images(image_set, values.prior, folder, identity, generate, ENCODED_AT_ONCE, tell)

    once.draw(provide, generate)
    if not once.team.leads:
        provide(generate, quiet)


def cache_latents(family: Any, image_set: ImageSet, config: Config, vae_files: list[Path], once: Once) -> LatentCache:
    """Encodes every image; afterwards the VAE waits in the host's memory for the samples."""
    from functools import partial

    from lora_trainer.images.latents import encode_pixels

    vae_sha256 = once.team.of_first(lambda: folder_sha256(vae_files, config.base))
    cache = LatentCache(Path(config.values.job_folder), f"{vae_sha256} {family.vae.dtype}")
    once.make(lambda tell: cache.build(image_set, partial(encode_pixels, family.vae), ENCODED_AT_ONCE, tell))
    family.vae.to("cpu")
    return cache


def train(config: Config, loop: Any) -> None:
    """Runs the steps, from the start or from a checkpoint; on a stop it leaves a checkpoint of the last whole step."""
    if config.values.resume_from is not None:
        loop.load_checkpoint(check_checkpoint(config, loop.image_set.dataset_sha256))
    try:
        loop.run()
    except TrainerFailure as failure:
        # A stop between two steps has written its checkpoint; one while drawing samples has not.
        if failure.code == "interrupted" and loop.state.step > 0 and loop.saved_step != loop.state.step:
            loop.save_checkpoint()
        raise
    except Exception as error:
        failure = read_as_failure(error)
        if failure.code != "out_of_memory":
            raise
        raise out_of_memory(failure, loop) from error


def out_of_memory(failure: TrainerFailure, loop: Any) -> TrainerFailure:
    """The same failure with what is known in the midst of training: where, with what, and what is left to do."""
    params, step = loop.params, loop.state.step
    where = "while drawing samples" if loop.report.last_stage == "evaluating" else f"in step {step + 1}"
    memory = measure_memory(loop.config.values.device)
    ways = [
        (params.batch_size > 1, "halve batch_size and double grad_accum"),
        (not params.gradient_checkpointing, "switch gradient_checkpointing on"),
        (not params.cache_latents, "switch cache_latents on"),
        (not params.cache_text_embeddings and not params.train_text_encoder, "switch cache_text_embeddings on"),
        (True, "lower the resolution"),
    ]
    words = ", or ".join(way for open_still, way in ways if open_still)
    return TrainerFailure(
        failure.code,
        f"{failure.message.removesuffix('.')} {where}, with batch_size {params.batch_size} at {params.resolution} "
        f"pixels: {memory.peak:,.0f} MB were in use at most until then.",
        f"{words[0].upper()}{words[1:]}.",
    )


def summary_of(loop: Any, started: float) -> dict:
    """The figures of the line `done`; its tokens are places of the latents."""
    memory = most_memory(loop.config.values.device, loop.team)
    return {
        "steps": loop.state.step,
        "epochs": round(loop.epoch, 6),
        "final_loss": loop.state.final_loss,
        "eval_loss": None,
        "best_step": None,
        "best_eval_loss": None,
        "tokens": loop.totals.places,
        "trained_tokens": loop.totals.places,
        "seconds": round(time.monotonic() - started, 3),
        "peak_memory_mb": memory.peak,
        "peak_reserved_mb": memory.peak_reserved,
    }


def publish(config: Config, loop: Any, report: Report, summary: dict, base_sha256: str, all_gpus: list[dict]) -> None:
    """Writes adapter/ and passport.json and names each file with its hash."""
    folder = config.output / "adapter"

    def write(staged: Path) -> None:
        loop.write_adapter(staged)
        (staged / "README.md").write_text(model_card(config, summary), "utf-8")

    publish_folder(folder, write)
    base, facts = config.raw["base_model"], loop.facts()
    passport = {
        "format": 1,
        "job_id": config.values.job_id,
        "attempt": config.values.attempt,
        "dataset": {
            "sha256": facts["dataset_sha256"],
            "training_images": int(facts["training_images"]),
            "class_images": int(facts["class_images"]),
        },
        "base_model": {"id": base["id"], "revision": base["revision"], "weights_sha256": base_sha256},
        "adapter": {"sha256": sha256_of(folder / WEIGHTS)},
        "versions": versions(PACKAGES),
        "device": config.values.device,
        "gpus": all_gpus,
        "seed": config.params.seed,
        "config": without_host_paths(config.raw),
        "figures": summary,
    }
    publish_file(config.output / "passport.json", json.dumps(passport, indent=2).encode() + b"\n")
    for path in [*sorted(folder.iterdir()), config.output / "passport.json"]:
        kind = "passport" if path.name == "passport.json" else "adapter"
        report.artifact(kind, path.relative_to(config.output).as_posix(), sha256_of(path), path.stat().st_size)
