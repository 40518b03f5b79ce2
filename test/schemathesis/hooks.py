"""Gives each case a caller of its operation's own and ids of things that are there: see scene.ts."""

import hashlib
import itertools
import json
import os
import re
from pathlib import Path

import schemathesis
from schemathesis import AuthContext, Case, HookContext, Response, SerializationContext
from schemathesis.core.failures import Failure
from schemathesis.schemas import APIOperation

SCENE = json.loads(Path(os.environ["SCENE"]).read_text())
Json = object
UUID = re.compile(r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")
# Fields and parameters that name something, by the collection that it lies in.
NAMED = {
    "id": "own",
    "after": "own",
    "dataset_id": "datasets",
    "base_model_id": "base-models",
    "compatible_with_model": "base-models",
    "recipe_id": "recipes",
    "project_id": "projects",
    "project": "projects",
    "job_id": "jobs",
    "entity_id": "jobs",
    "adapter_id": "artifacts",
    "delivery_id": "deliveries",
    "file": "files",
}

# What JSON Schema cannot say: a 400 whose rows all name one of these (path, code, words) is right.
BEYOND_THE_SCHEMA = [
    ("after|last-event-id", "", "cursor|is not an id that this stream has sent"),
    (".*", "invalid_characters|invalid_format", "NUL|control characters"),
    ("email|url|(new_)?password|path|metadata.*", "", ""),
    ("mapping.*", "", "field=column|is no field that we read"),
    ("config|split|file|file_name|revision|hf_repo_id|base_model", "", ""),
    ("expires_at", "", "in the future"),
    ("gpu_config.type", "unknown_gpu", ""),
    ("like", "", "must be null or one of"),
    ("quiet_hours.*", "", "IANA name|twice"),
    ("default_limits.*", "above_maximum", ""),
    ("image\\..*", "", "must not be empty"),
    ("trigger_words", "", "characters together"),
    ("entity_type", "", "is no thing that this event happens to"),
    ("hourly_rate", "", "to the cent"),
    ("confirm|password", "required", "this account has"),
    ("user_id", "not_oneself", ""),
    ("body", "", "at least one field to change"),
    ("query", "unknown_parameter", "goes into the form beside the file"),
]
of_path: dict[str, itertools.cycle] = {}
turns = {label: itertools.cycle(caller["credentials"]) for label, caller in SCENE.items() if caller["credentials"]}


def digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:4])


def examples_in(value: Json) -> set[str]:
    """The ids of the document's own examples."""
    if isinstance(value, dict):
        return set().union(*(examples_in(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(examples_in(inner) for inner in value))
    return {value} if isinstance(value, str) and UUID.match(value) else set()


EXAMPLES = examples_in(json.loads(Path(os.environ["DOCUMENT"]).read_text()))


def known(value: Json, pool: list[str]) -> Json:
    """An id that is there for one that was made up: always the same for the same. One in four stays."""
    if not isinstance(value, str) or not UUID.match(value) or not pool:
        return value
    if value in EXAMPLES:
        return pool[0]
    at = digest(value)
    return value if at % 4 == 0 else pool[at // 4 % len(pool)]


def with_known_ids(value: Json, pools: dict[str, list[str]]) -> Json:
    if isinstance(value, dict):
        return {
            name: known(inner, pools.get(NAMED[name], [])) if name in NAMED else with_known_ids(inner, pools)
            for name, inner in value.items()
        }
    return [with_known_ids(inner, pools) for inner in value] if isinstance(value, list) else value


@schemathesis.auth(refresh_interval=None)
class Callers:
    def get(self, case: Case, context: AuthContext) -> dict[str, str] | None:
        turn = turns.get(context.operation.label)
        return None if turn is None else next(turn)

    def set(self, case: Case, data: dict[str, str] | None, context: AuthContext) -> None:
        for name, value in (data or {}).items():
            if name == "cookie":
                cookie, token = value.split("=", 1)
                case.cookies[cookie] = token
            else:
                case.headers[name] = value


def pools_of(operation: APIOperation) -> dict[str, list[str]]:
    """The operation's ids by collection; `id` lies in the collection before it, as does a cursor."""
    pools = SCENE[operation.label]["pools"]
    segments = operation.path.split("/")
    fixed = [segment for segment in segments if segment and not segment.startswith("{")]
    own = segments[segments.index("{id}") - 1] if "{id}" in segments else fixed[-1]
    return {**pools, "own": pools.get(own, [])}


def in_turn(label: str, value: Json, pool: list[str]) -> Json:
    """The things of a path one after the other, so that each state of them is met; at times what was there stays."""
    if not pool or not isinstance(value, str) or not UUID.match(value):
        return value
    chosen = next(of_path.setdefault(label, itertools.cycle([*pool[:4], None, *pool[4:]])))
    return value if chosen is None else chosen


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Json]) -> None:
    """Well-formed ids become those of things that are there: at the last moment, for examples pass no other hook."""
    label = case.operation.label
    pools = pools_of(case.operation)
    for name, value in (case.path_parameters or {}).items():
        pool = pools.get(NAMED.get(name, ""), [])
        # The third of each kind is the deleted one, the only one that can be brought back.
        pool = [pool[2], *pool] if label.endswith("/restore") and len(pool) > 2 else pool
        # Administrators change people: whoever asks here must not be among them, though an answer told of them.
        of_people = "/users/" in label and UUID.match(str(value))
        case.path_parameters[name] = pool[0] if of_people else in_turn(f"{label} {name}", value, pool)
    if case.query:
        case.query = with_known_ids(case.query, pools)
    if isinstance(case.body, dict | list):
        case.body = with_known_ids(case.body, pools)


def is_beyond(row: dict[str, str]) -> bool:
    return any(
        re.fullmatch(path, row["path"], re.DOTALL) and re.search(code, row["code"]) and re.search(words, row["message"])
        for path, code, words in BEYOND_THE_SCHEMA
    )


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    if failure.title != "Schema-valid request rejected" or response.status_code != 400:
        return True
    told = response.json()
    rows = told.get("violations", told["details"])
    return not (rows and all(is_beyond(row) for row in rows))


@schemathesis.serializer("application/x-ndjson", "application/jsonl", "application/zip")
def plain(context: SerializationContext, value: Json) -> dict[str, bytes]:
    return {"data": value if isinstance(value, bytes) else str(value).encode()}
