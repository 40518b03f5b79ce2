"""Loads config.json and refuses one that breaks schema/config.schema.json or asks for what this trainer lacks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lora_trainer.failure import TrainerFailure
from lora_trainer.hello import TRAINS

SCHEMA = Path(__file__).resolve().parent.parent / "schema" / "config.schema.json"
HINT = "Compare with trainer/PROTOCOL.md and schema/config.schema.json."
# What a checkpoint must have in common with the run that goes on from it; each kind of model has more of its own.
LINEAGE = ("model_kind", "method", "training_params", "init_adapters")
LINEAGE_OF_TEXT = ("dataset",)
LINEAGE_OF_IMAGES = ("trigger_words", "prior", "instance_prompt")
IMAGES = ("lora_trainer.images.training", "train_images")
RECIPES = {
    "causal-lm": ("lora_trainer.causal_lm", "train_causal_lm"),
    "stable-diffusion": IMAGES,
    "sdxl": IMAGES,
    "flux": IMAGES,
}
"""The model kinds that this trainer trains: where the recipe of each is."""


@dataclass(frozen=True)
class Config:
    """A valid config.json: `raw` as it was read, `values` with its fields as attributes (`mapping` stays a dict)."""

    raw: dict
    values: Any

    @property
    def params(self) -> Any:
        return self.values.training_params

    @property
    def output(self) -> Path:
        return Path(self.values.output_path)

    @property
    def base(self) -> Path:
        return Path(self.values.base_model.path)

    @property
    def lineage(self) -> dict:
        """The part that decides on the data order and the arithmetic."""
        base = {name: self.raw["base_model"][name] for name in ("id", "revision")}
        fields = LINEAGE_OF_TEXT if self.values.model_kind == "causal-lm" else LINEAGE_OF_IMAGES
        return {name: self.raw[name] for name in (*LINEAGE, *fields)} | {"base_model": base}


def bad(field: str, message: str, hint: str = HINT) -> TrainerFailure:
    return TrainerFailure("bad_config", message, hint, field)


def as_attributes(value: object) -> object:
    if isinstance(value, dict):
        fields = {name: child if name == "mapping" else as_attributes(child) for name, child in value.items()}
        return SimpleNamespace(**fields)
    # JSON Schema takes 1.0 for an integer, range() does not.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [as_attributes(child) for child in value] if isinstance(value, list) else value


def refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def read_config(path: Path) -> dict:
    """The JSON object of a file. Raises TrainerFailure(bad_config)."""
    try:
        raw = json.loads(path.read_bytes(), parse_constant=refuse_constant)
    except (OSError, ValueError) as error:
        raise TrainerFailure("bad_config", f"The configuration cannot be read: {error}"[:500], HINT) from None
    if not isinstance(raw, dict):
        raise TrainerFailure("bad_config", "The configuration must be one JSON object.", HINT)
    return raw


def schema_of(raw: dict) -> dict:
    """The schema of the configuration's kind of model. Raises TrainerFailure(bad_config)."""
    schemas = json.loads(SCHEMA.read_text("utf-8"))["oneOf"]
    by_kind = {schema["properties"]["model_kind"]["const"]: schema for schema in schemas}
    kind = raw.get("model_kind")
    if not isinstance(kind, str) or kind not in by_kind:
        raise bad("model_kind", f"model_kind must be one of {', '.join(by_kind)}.")
    return by_kind[kind]


def recipe_of(config: Config) -> Callable[..., None]:
    """What trains the configuration's kind of model. Raises TrainerFailure(bad_config)."""
    kind = config.values.model_kind
    if kind not in RECIPES:
        raise bad("model_kind", f"This trainer has no recipe for {kind}.", f"It trains {', '.join(RECIPES)}.")
    module, name = RECIPES[kind]
    return getattr(import_module(module), name)


def check_config(raw: dict) -> Config:
    """Raises TrainerFailure(bad_config) that names the field."""
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(schema_of(raw))
    faults = sorted(validator.iter_errors(raw), key=lambda fault: (len(fault.absolute_path), str(fault.absolute_path)))
    if faults:
        fault = faults[0]
        path = [str(part) for part in fault.absolute_path]
        if fault.validator == "required":
            path.append(next(name for name in fault.validator_value if name not in fault.instance))
        elif fault.validator == "additionalProperties":
            path.append(next(name for name in fault.instance if name not in fault.schema.get("properties", {})))
        field = ".".join(path) or "config.json"
        raise bad(field, f"{field}: {fault.message}"[:500])
    config = Config(raw, as_attributes(raw))
    check_rules(config)
    return config


def check_devices(values: Any) -> None:
    """Refuses a number of devices, or a way of sharing the work, that a kind's recipe does not know."""
    devices, strategy = values.devices, values.strategy
    able = next((one for one in TRAINS if one["model_kind"] == values.model_kind), None)
    if able is not None and devices > able["devices_max"]:
        most = able["devices_max"]
        raise bad("devices", f"{values.model_kind} trains on at most {most} here.", f"Set devices to {most}.")
    if devices == 1 and strategy != "none":
        raise bad("strategy", f"One device alone has no use for {strategy}.", "Set strategy to none.")
    known = ["ddp", "fsdp"] if able is None else [name for name in able["strategies"] if name != "none"]
    if devices > 1 and strategy not in known:
        ways = " or ".join(known)
        message = f"{devices} devices train {values.model_kind} by {ways} here, not by {strategy}."
        raise bad("strategy", message, f"Set strategy to {ways}.")


def check_rules(config: Config) -> None:
    """The rules of PROTOCOL.md that a schema cannot say. Raises TrainerFailure(bad_config)."""
    values, params = config.values, config.params
    if values.model_kind != "causal-lm":
        check_image_rules(config)
    elif params.epochs is None and params.max_steps is None:
        raise bad("training_params.epochs", "Neither epochs nor max_steps is set.", "Set one of them, or both.")
    check_devices(values)
    if values.device == "cpu" and params.precision != "fp32":
        hint = "Set precision to fp32, or device to cuda."
        raise bad("training_params.precision", f"{params.precision} is not trained on the CPU.", hint)
    for field, text in (("dataset_path", values.dataset_path), ("base_model.path", values.base_model.path)):
        if not Path(text).exists():
            code = "data" if field == "dataset_path" else "model_not_found"
            raise TrainerFailure(
                code, f"{field}: there is no such file or folder.", "Check that it was fetched.", field
            )
    folder = Path(values.job_folder).resolve()
    if not config.output.is_dir() or not config.output.resolve().is_relative_to(folder):
        raise bad("output_path", "output_path must be an existing folder in job_folder.")
    if values.resume_from is not None:
        resume = Path(values.resume_from)
        if resume.is_symlink() or not resume.resolve().is_relative_to(folder):
            raise bad("resume_from", "A checkpoint is only read from the job's own folder, job_folder.")
        if not resume.is_dir():
            raise bad("resume_from", "There is no checkpoint folder at resume_from.")


def check_image_rules(config: Config) -> None:
    """What only a training on images can ask for wrongly. Raises TrainerFailure(bad_config)."""
    values, params = config.values, config.params
    if values.prior is not None and values.method != "dreambooth":
        raise bad("prior", "Prior preservation belongs to the method dreambooth.", "Set prior to null, or the method.")
    if params.train_text_encoder and params.cache_text_embeddings:
        hint = "Set cache_text_embeddings to false, or train_text_encoder."
        raise bad(
            "training_params.cache_text_embeddings",
            "The embeddings of a text encoder that is trained change with every step.",
            hint,
        )
    if params.optimizer == "adamw_8bit" and values.device == "cpu":
        hint = "Set optimizer to adamw, or device to cuda."
        raise bad("training_params.optimizer", "adamw_8bit does not run on the CPU here.", hint)
