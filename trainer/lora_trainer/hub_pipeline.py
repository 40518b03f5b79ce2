"""Which files of a diffusers pipeline's repository are fetched: each component's configuration, tokenizer and weights.

Large single files beside them (`sd_xl_base_1.0.safetensors`), pickles, ONNX, and the components that no training reads
stay where they are. `src/domain/image-pipeline.ts` reads what was fetched by the same rules.
"""

from __future__ import annotations

import fnmatch
import re
from pathlib import PurePosixPath

from lora_trainer.hub_files import FILES_MAX, FetchFailure, HubFile
from lora_trainer.hub_model import CARD, CARD_BYTES_MAX, refuse_unsafe

INDEX = "model_index.json"
NEVER_READ = ("safety_checker", "feature_extractor", "image_encoder")
LIBRARIES = ("diffusers", "transformers")
WITHOUT_WEIGHTS = re.compile(r"(?:Scheduler|Tokenizer|TokenizerFast|Processor|FeatureExtractor)$")
COMPONENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
SMALL = (
    "config.json",
    "scheduler_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "spiece.model",
)
# Half precision of the same weights, where they are not there in full.
VARIANT = "fp16"


def components_of(index: dict[str, object]) -> dict[str, str | None]:
    """Component to what its weights are called before their ending; None: it has none.

    Raises FetchFailure: remote_code_not_allowed where one is made by code of the repository.
    """
    components: dict[str, str | None] = {}
    if isinstance(index.get("_class_name"), list):
        raise own_code("the pipeline")
    for name, entry in index.items():
        if name.startswith("_") or name in NEVER_READ or not isinstance(entry, list) or len(entry) != 2:
            continue
        library, made_by = entry
        if not isinstance(library, str) or not isinstance(made_by, str):
            continue
        if COMPONENT_NAME.fullmatch(name) is None:
            raise FetchFailure("invalid_config", f"its {INDEX} has a component with a name that is no plain one")
        if library not in LIBRARIES:
            raise own_code(f"component {name} ({library[:60]})")
        stem = "diffusion_pytorch_model" if library == "diffusers" else "model"
        components[name] = None if WITHOUT_WEIGHTS.search(made_by) else stem
    if not components:
        raise FetchFailure("invalid_config", f"its {INDEX} names no components")
    return components


def own_code(what: str) -> FetchFailure:
    return FetchFailure(
        "remote_code_not_allowed",
        f"its {INDEX} has {what} made by Python code that comes with the model; such code is never run here: "
        "choose a pipeline of diffusers' own classes",
    )


def choose_pipeline_files(files: list[HubFile], components: dict[str, str | None]) -> dict[str, HubFile]:
    """The files worth fetching, by the name that each gets here; small ones come first.

    Raises FetchFailure where weights are missing or in a format that can run code.
    """
    small = {file.path: file for file in files if file.path == INDEX}
    small |= {file.path: file for file in files if file.path == CARD and file.bytes <= CARD_BYTES_MAX}
    weights: dict[str, HubFile] = {}
    for component, stem in sorted(components.items()):
        own = {PurePosixPath(file.path).name: file for file in files if is_in(file.path, component)}
        small |= {f"{component}/{name}": file for name, file in own.items() if name in SMALL}
        if stem is None:
            continue
        found = weights_of(own, stem)
        if not found:
            refuse_unsafe(list(own.values()), f" of {component}")
            raise FetchFailure("weights_missing", f"it has no safetensors weights of its component {component}")
        for name, file in found.items():
            (weights if name.endswith(".safetensors") else small)[f"{component}/{name}"] = file
    if len(small) + len(weights) > FILES_MAX:
        raise FetchFailure("too_large", f"it has more than {FILES_MAX} files")
    return dict(sorted(small.items())) | dict(sorted(weights.items()))


def is_in(path: str, component: str) -> bool:
    """True for a file of the component's own folder; a pattern's star would match a slash, too."""
    return path.count("/") == 1 and path.startswith(f"{component}/")


def weights_of(own: dict[str, HubFile], stem: str) -> dict[str, HubFile]:
    """Full weights in shards or whole; else the half ones whole, which get the full ones' name."""
    whole, index = f"{stem}.safetensors", f"{stem}.safetensors.index.json"
    shards = {name: file for name, file in own.items() if fnmatch.fnmatchcase(name, f"{stem}-*-of-*.safetensors")}
    if index in own and shards:
        return shards | {index: own[index]}
    if whole in own:
        return {whole: own[whole]}
    half = own.get(f"{stem}.{VARIANT}.safetensors")
    return {} if half is None else {whole: half}
