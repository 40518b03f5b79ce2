"""The recipe for causal language models: read the rows, load the model, train the adapter, write what came of it."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from lora_trainer import VERSION
from lora_trainer.adapter import WEIGHTS, attach_adapter, check_init_adapters, copy_tokenizer, model_card, write_adapter
from lora_trainer.base_model import load_base, weight_files, weights_sha256
from lora_trainer.config import Config, bad
from lora_trainer.durable import publish_file, publish_folder, sha256_of
from lora_trainer.failure import TrainerFailure, memory_hint, read_as_failure
from lora_trainer.memory import measure_memory, most_memory
from lora_trainer.prepare import Prepared, prepare
from lora_trainer.report import Report, figure
from lora_trainer.run_facts import gpus, in_background, versions, without_host_paths
from lora_trainer.sharding import in_turn, shard_base
from lora_trainer.stopping import Stop
from lora_trainer.team import Team, join, rank_here
from lora_trainer.tokenize import ChatTokenizer

PACKAGES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors")
ALIVE_SECONDS = 30


def train_causal_lm(config: Config, report: Report, stop: Stop) -> None:
    """One attempt, from a valid configuration to the line `done`. Raises TrainerFailure and whatever torch raises."""
    started = time.monotonic()
    values, params = config.values, config.params

    # What can be refused is refused before torch is imported, which takes seconds.
    report.stage("preparing_data")
    weights = weight_files(config.base)
    check_init_adapters(config)
    chat = ChatTokenizer(config.base)
    alive = SignOfLife(report, stop, "preparing_data")
    prepared = prepare(Path(values.dataset_path), values.dataset, params.max_seq_length, chat, alive.tell)
    warn(config, prepared, report)

    stop.check("before the first step")
    report.stage("loading_model")
    base_sha256 = in_background(weights_sha256, weights) if not rank_here() else None
    team = join(config.output, values.devices, values.strategy, values.device)
    model = load_adapted(config, team)
    all_gpus = [gpu for own in team.gather(gpus(values.device)) for gpu in own]
    report.hello(
        trainer=f"lowrank-lora {VERSION}",
        versions=versions(PACKAGES),
        device=values.device,
        gpus=all_gpus,
        total_parameters=sum(parameter.numel() for parameter in model.parameters()),
        trainable_parameters=sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
    )
    trainer = make_trainer(config, model, chat, prepared, report, stop, team)

    # From here on a stop waits for the end of the step, so that a checkpoint can be written.
    stop.immediate = False
    stop.check("before the first step")
    train(config, trainer, prepared)

    summary = summary_of(trainer, started)
    if base_sha256 is not None and not config.values.probe.only:
        report.stage("saving")
        publish(config, trainer, prepared, report, summary, base_sha256, all_gpus)
    report.stage("done")
    report.done({name: value for name, value in summary.items() if name != "evaluations"})
    team.leave()


def load_adapted(config: Config, team: Team) -> Any:
    """The base with its fresh adapter, on the device or, where it is sharded, this process's part of it."""
    import torch

    values, params = config.values, config.params
    torch.manual_seed(params.seed)
    if not team.shards:
        return attach_adapter(load_base(config.base, params.precision, values.device), config)
    with in_turn(team):
        # On the host first: that it fits no single device may be why it is sharded.
        model = attach_adapter(load_base(config.base, params.precision, "cpu"), config)
        shard_base(model, team, values.device)
    return model


class SignOfLife:
    """Says now and then that a long stage is still at work: who hears nothing for minutes takes it for hung."""

    def __init__(self, report: Report, stop: Stop, stage: str) -> None:
        self.report = report
        self.stop = stop
        self.stage = stage
        self.told_at = time.monotonic()

    def tell(self) -> None:
        self.stop.check("before the first step")
        if time.monotonic() - self.told_at > ALIVE_SECONDS:
            self.told_at = time.monotonic()
            self.report.stage(self.stage)


def warn(config: Config, prepared: Prepared, report: Report) -> None:
    """Says what a person would want to know of the data and could not see in the loss."""
    length, rows = config.params.max_seq_length, len(prepared.train) + len(prepared.held_out)
    if prepared.faults:
        kinds = ", ".join(f"{count} {code}" for code, count in prepared.faults.most_common())
        report.warning("rows_skipped", f"{sum(prepared.faults.values())} rows break a rule and are left out: {kinds}.")
    if prepared.truncated:
        report.warning(
            "rows_truncated",
            f"{prepared.truncated} of {rows} rows are longer than {length} tokens; their ends are cut.",
        )
    if prepared.emptied:
        message = f"{prepared.emptied} rows are left out: their answers lie wholly behind the first {length} tokens."
        report.warning("rows_emptied", message)
    if prepared.repeated:
        message = f"{prepared.repeated} training rows are also held out for evaluation, so its loss looks too good."
        report.warning("rows_repeated", message)
    if len(prepared.held_out) < config.values.dataset.splits.eval_rows:
        report.warning("few_rows", f"Only {len(prepared.held_out)} rows could be held out for evaluation.")
    if config.values.trigger_words:
        report.warning("trigger_words_ignored", "Trigger words mean nothing to a language model.")


def check_fit(model: Any, prepared: Prepared, length: int, report: Report) -> None:
    """Refuses rows that the model has no embedding for; warns of rows beyond its context. Raises TrainerFailure."""
    largest = max(max(row.ids) for rows in (prepared.train, prepared.held_out) for row in rows)
    known = model.get_input_embeddings().num_embeddings
    if largest >= known:
        raise TrainerFailure(
            "model_not_found",
            f"The base model's tokenizer has tokens that its weights lack: number {largest} of {known}.",
            "Fetch weights and tokenizer of the same revision.",
            "base_model.path",
        )
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if context and length > context:
        report.warning("beyond_context", f"max_seq_length is {length}, but the model was made for {context} tokens.")


def make_trainer(
    config: Config, model: Any, chat: ChatTokenizer, prepared: Prepared, report: Report, stop: Stop, team: Team
) -> Any:
    """The loop over the prepared rows, with this run's evaluation in it."""
    from lora_trainer.arguments import steps_of
    from lora_trainer.collator import pack_rows
    from lora_trainer.generate import answer
    from lora_trainer.loop import LoraTrainer
    from lora_trainer.loss import autocast, evaluate, keeps_rows_apart

    values, params = config.values, config.params
    check_fit(model, prepared, params.max_seq_length, report)
    if params.packing and not keeps_rows_apart(model, model.config.get_text_config().vocab_size):
        hint = "Set packing to false for this base model."
        raise bad("training_params.packing", "This model cannot tell packed rows apart.", hint)
    packs = [[row] for row in prepared.train]
    if params.packing:
        packs = pack_rows(prepared.train, params.max_seq_length, params.seed)
    held_out = prepared.held_out[: values.eval.rows_max]
    prompts = [chat.encode_prompt([{"role": "user", "content": text}]) for text in values.sample_prompts]

    def between_batches() -> None:
        team.check(stop, "while evaluating")
        trainer.tell_progress()

    def evaluate_now(step: int) -> None:
        """One evaluation: its loss, then the samples."""
        state = trainer.run_state
        if not held_out and not prompts:
            state.evaluated = step
            return
        report.stage("evaluating")
        if held_out:
            began = time.monotonic()
            loss = evaluate(model, held_out, params.batch_size, chat.pad_id, params.precision, between_batches, team)
            report.metric(
                step, trainer.state.epoch or 0.0, eval_loss=loss, eval_seconds=round(time.monotonic() - began, 3)
            )
            state.evaluations[str(step)] = figure(loss)
        if prompts:
            # A model in parts answers only where all of them work on it; a whole one needs nobody else.
            if team.leads or team.shards:
                with autocast(values.device, params.precision):
                    texts = answer(model, chat, prompts, values.sample_max_new_tokens, together=team.shards)
                for prompt, text in zip(values.sample_prompts, texts, strict=True):
                    report.sample(step, prompt, text)
            team.check(stop, "while evaluating")
        # Only now: an evaluation that was broken off is made up for on resuming.
        state.evaluated = step

    trainer = LoraTrainer(
        model=model,
        config=config,
        packs=packs,
        steps=steps_of(len(packs), params, team.size),
        pad_id=chat.pad_id,
        report=report,
        stop=stop,
        dataset_sha256=prepared.dataset_sha256,
        evaluate_now=evaluate_now,
        team=team,
    )
    return trainer


def train(config: Config, trainer: Any, prepared: Prepared) -> None:
    """Runs the steps, from the start or from a checkpoint; on a stop it leaves a checkpoint of the last whole step."""
    from lora_trainer.checkpoints import check_checkpoint

    folder = None
    if config.values.resume_from is not None:
        folder = check_checkpoint(config, prepared.dataset_sha256)
    try:
        if folder is not None and trainer.is_finished(folder):
            trainer.finish(folder)
        else:
            trainer.train(resume_from_checkpoint=None if folder is None else str(folder))
    except TrainerFailure as failure:
        # A stop between two steps has written its checkpoint; one while evaluating has not.
        if (
            failure.code == "interrupted"
            and trainer.state.global_step > 0
            and trainer.saved_step != trainer.state.global_step
        ):
            trainer.save_checkpoint()
        raise
    except Exception as error:
        failure = read_as_failure(error)
        if failure.code != "out_of_memory":
            raise
        raise out_of_memory(failure, trainer) from error
    trainer.refuse_nonfinite()


def out_of_memory(failure: TrainerFailure, trainer: Any) -> TrainerFailure:
    """The same failure with what is known in the midst of training: where, with what, and what is left to do."""
    params, step = trainer.run_config.params, trainer.state.global_step
    memory = measure_memory(trainer.run_config.values.device)
    if trainer.report.last_stage == "evaluating":
        where = f"while evaluating after step {step}"
    elif step == 0:
        where = f"in step 1, which has the longest row ({trainer.longest_tokens:,} tokens)"
    else:
        where = f"in step {step + 1}"
    return TrainerFailure(
        failure.code,
        f"{failure.message.removesuffix('.')} {where}, with batch_size {params.batch_size}: "
        f"{memory.peak:,.0f} MB were in use at most until then.",
        memory_hint(params.batch_size, params.gradient_checkpointing),
    )


def summary_of(trainer: Any, started: float) -> dict:
    """The figures of the line `done`, and all evaluations."""
    state = trainer.run_state
    evaluations = {int(step): loss for step, loss in state.evaluations.items() if loss is not None}
    best = min(evaluations, key=lambda step: (evaluations[step], step)) if evaluations else None
    memory = most_memory(trainer.run_config.values.device, trainer.team)
    return {
        "steps": trainer.state.global_step,
        "epochs": round(trainer.state.epoch or 0.0, 6),
        "final_loss": state.final_loss,
        "eval_loss": evaluations.get(trainer.state.global_step),
        "best_step": best,
        "best_eval_loss": None if best is None else evaluations[best],
        "tokens": trainer.totals.tokens,
        "trained_tokens": trainer.totals.trained,
        "seconds": round(time.monotonic() - started, 3),
        "peak_memory_mb": memory.peak,
        "peak_reserved_mb": memory.peak_reserved,
        "evaluations": state.evaluations,
    }


def publish(
    config: Config,
    trainer: Any,
    prepared: Prepared,
    report: Report,
    summary: dict,
    base_sha256: Future[str],
    all_gpus: list[dict],
) -> None:
    """Writes adapter/ and passport.json and names each file with its hash."""
    folder = config.output / "adapter"

    def write(staged: Path) -> None:
        write_adapter(staged, trainer.model, config)
        copy_tokenizer(staged, config.base)
        (staged / "README.md").write_text(model_card(config, summary), "utf-8")

    publish_folder(folder, write)
    base = config.raw["base_model"]
    passport = {
        "format": 1,
        "job_id": config.values.job_id,
        "attempt": config.values.attempt,
        "dataset": {
            "sha256": prepared.dataset_sha256,
            "training_rows": len(prepared.train),
            "held_out_rows": len(prepared.held_out),
            "skipped_rows": sum(prepared.faults.values()) + prepared.emptied,
        },
        "base_model": {"id": base["id"], "revision": base["revision"], "weights_sha256": base_sha256.result()},
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
